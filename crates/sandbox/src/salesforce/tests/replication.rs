//! Get-updated, get-deleted and what was touched last.
//!
//! Promises: windows are judged to the minute. Leaves to others: queries by stamp (`soql`).

use serde_json::{Value, json};

use super::{Bench, START};

const WINDOW: &str = "start=2026-01-02T03:00:00%2B00:00&end=2026-01-02T03:10:00Z";

#[test]
fn s2_13_a_window_has_what_changed_and_what_was_deleted() {
    let mut bench = Bench::new();
    let (kept, gone) = (bench.contact("a-1", "Okafor"), bench.contact("a-2", "Adeyemi"));
    bench.now += 60_000;
    assert_eq!(bench.delete(&format!("/sobjects/Contact/{gone}")).0, 204);
    let window = WINDOW.replace("%2B", "+");
    let (status, body) = bench.get(&format!("/sobjects/Contact/updated/?{window}"));
    assert_eq!((status, body), (200, json!({ "ids": [kept], "latestDateCovered": "2026-01-02T03:03:05.000+0000" })));
    let (status, body) = bench.get(&format!("/sobjects/Contact/deleted?{window}"));
    assert_eq!(status, 200);
    assert_eq!(body["deletedRecords"], json!([{ "id": gone, "deletedDate": "2026-01-02T03:05:05.000+0000" }]));
    assert_eq!(body["latestDateCovered"], "2026-01-02T03:03:05.000+0000");
    assert_eq!(body["earliestDateAvailable"], "2025-12-18T03:05:00.000+0000");
    let (_, body) = bench.get("/sobjects/Contact/updated?start=2026-01-02T03:05:00Z&end=2026-01-02T03:10:00Z");
    assert_eq!(body["ids"], json!([]));
}

#[test]
fn s2_13_windows_that_are_none() {
    let mut bench = Bench::new();
    for query in [
        "start=2026-01-02T03:10:00Z&end=2026-01-02T03:00:00Z",
        "start=2025-11-02T03:10:00Z&end=2026-01-02T03:00:00Z",
        "start=yesterday&end=2026-01-02T03:00:00Z",
        "",
    ] {
        let (status, body) = bench.get(&format!("/sobjects/Contact/deleted?{query}"));
        assert_eq!((status, &body[0]["errorCode"]), (400, &json!("INVALID_REPLICATION_DATE")), "{query}");
    }
    // A minute apart is enough for what was updated and not for what was deleted.
    let minute = "start=2026-01-02T03:03:00Z&end=2026-01-02T03:04:00Z";
    assert_eq!(bench.get(&format!("/sobjects/Contact/updated?{minute}")).0, 200);
    assert_eq!(bench.get(&format!("/sobjects/Contact/deleted?{minute}")).0, 400);
}

#[test]
fn recent_rows_come_newest_first() {
    let mut bench = Bench::new();
    assert_eq!(bench.now, START);
    bench.contact("a-1", "Okafor");
    bench.now += 1000;
    let newest = bench.contact("a-2", "Adeyemi");
    let (_, body) = bench.get("/recent?limit=1");
    assert_eq!(body.as_array().map(Vec::len), Some(1));
    assert_eq!((&body[0]["Id"], &body[0]["Name"]), (&json!(newest), &json!("Adeyemi")));
    let items = bench.get("/sobjects/Contact").1["recentItems"].as_array().map(Vec::len);
    assert_eq!(items, Some(2));
    assert_eq!(bench.get("/limits/recordCount?sObjects=Contact,Lead").1, json!({ "sObjects": [{ "count": 2, "name": "Contact" }, { "count": 0, "name": "Lead" }] }));
    let _: Value = body;
}
