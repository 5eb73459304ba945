//! Composite, Batch and Tree.
//!
//! Promises: transactions are judged by what is left behind. Leaves to others: the parts' own answers (`rows`, `collections`).

use serde_json::{Value, json};

use super::Bench;

fn count(bench: &mut Bench, object: &str) -> Value {
    bench.query(&format!("SELECT COUNT() FROM {object}")).1["totalSize"].clone()
}

fn part(method: &str, path: &str, reference: &str, body: Value) -> Value {
    json!({ "method": method, "url": format!("/services/data/v67.0{path}"), "referenceId": reference, "body": body })
}

#[test]
fn s2_9_parts_refer_to_earlier_ones_and_all_is_one_call() {
    let mut bench = Bench::new();
    let before = bench.org.requests_counted(bench.now);
    let asked = json!({ "allOrNone": true, "compositeRequest": [
        part("POST", "/sobjects/Account", "acc", json!({ "Name": "Harbour Cranes Ltd" })),
        part("POST", "/sobjects/Contact", "con", json!({ "LastName": "Okafor", "AccountId": "@{acc.id}" })),
        part("GET", "/sobjects/Contact/@{con.id}?fields=AccountId", "back", Value::Null),
    ] });
    let (status, body) = bench.post("/composite", &asked);
    assert_eq!(status, 200);
    let parts = body["compositeResponse"].as_array().unwrap();
    let statuses: Vec<&Value> = parts.iter().map(|part| &part["httpStatusCode"]).collect();
    assert_eq!(statuses, [201, 201, 200], "{body}");
    let account = parts[0]["body"]["id"].as_str().unwrap();
    assert_eq!(parts[0]["httpHeaders"]["Location"], format!("/services/data/v67.0/sobjects/Account/{account}"));
    assert_eq!(parts[2]["body"]["AccountId"], account);
    assert_eq!(bench.org.requests_counted(bench.now), before + 1);
}

#[test]
fn s2_9_all_or_none_leaves_nothing_behind() {
    let mut bench = Bench::new();
    let asked = |all: bool| {
        json!({ "allOrNone": all, "compositeRequest": [
            part("POST", "/sobjects/Contact", "a", json!({ "LastName": "Okafor" })),
            part("POST", "/sobjects/Contact", "b", json!({ "FirstName": "Ngozi" })),
            part("PATCH", "/sobjects/Contact/@{b.id}", "c", json!({ "Title": "Buyer" })),
        ] })
    };
    let (_, body) = bench.post("/composite", &asked(true));
    let code = |body: &Value, index: usize| body["compositeResponse"][index]["body"][0]["errorCode"].clone();
    assert_eq!([code(&body, 0), code(&body, 1), code(&body, 2)], ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING", "PROCESSING_HALTED"]);
    assert_eq!(count(&mut bench, "Contact"), 0);
    let (_, body) = bench.post("/composite", &asked(false));
    assert_eq!([code(&body, 1), code(&body, 2)], ["REQUIRED_FIELD_MISSING", "PROCESSING_HALTED"]);
    assert_eq!(count(&mut bench, "Contact"), 1);

    // The outer all-or-none wins over a collection that would keep its good rows.
    let rows = json!({ "allOrNone": false, "records": [
        { "attributes": { "type": "Contact" }, "LastName": "x" }, { "attributes": { "type": "Contact" } }
    ] });
    let (_, body) = bench.post("/composite", &json!({ "allOrNone": true, "compositeRequest": [part("POST", "/composite/sobjects", "a", rows)] }));
    assert_eq!(body["compositeResponse"][0]["httpStatusCode"], 200);
    assert_eq!(count(&mut bench, "Contact"), 1);
}

#[test]
fn s2_9_malformed_composites_are_refused_whole() {
    let mut bench = Bench::new();
    let one = |reference: &str| part("POST", "/sobjects/Contact", reference, json!({ "LastName": "x" }));
    for parts in [vec![one("_a")], vec![one("a"), one("a")], (0..26).map(|n| one(&n.to_string())).collect(), vec![one("a-b")]] {
        assert_eq!(bench.post("/composite", &json!({ "compositeRequest": parts })).0, 400);
    }
    assert_eq!(count(&mut bench, "Contact"), 0);
    let (_, body) = bench.post("/composite", &json!({ "compositeRequest": [part("POST", "/composite", "a", json!({}))] }));
    assert_eq!(body["compositeResponse"][0]["httpStatusCode"], 400);
}

#[test]
fn s2_10_a_batch_counts_every_part_and_may_halt() {
    let mut bench = Bench::new();
    let id = bench.contact("a-1", "Okafor");
    let before = bench.org.requests_counted(bench.now);
    let asked = |halt: bool| {
        json!({ "haltOnError": halt, "batchRequests": [
            { "method": "PATCH", "url": format!("v67.0/sobjects/Contact/{id}"), "richInput": { "Title": "Buyer" } },
            { "method": "GET", "url": "v67.0/sobjects/Nothing/x" },
            { "method": "GET", "url": format!("v67.0/sobjects/Contact/{id}?fields=Title") },
        ] })
    };
    let (status, body) = bench.post("/composite/batch", &asked(false));
    assert_eq!((status, &body["hasErrors"]), (200, &json!(true)));
    assert_eq!(body["results"][0], json!({ "statusCode": 204, "result": null }));
    assert_eq!(body["results"][1]["result"][0]["errorCode"], "NOT_FOUND");
    assert_eq!(body["results"][2]["result"]["Title"], "Buyer");
    assert_eq!(bench.org.requests_counted(bench.now), before + 3);
    let (_, body) = bench.post("/composite/batch", &asked(true));
    assert_eq!((&body["results"][2]["statusCode"], &body["results"][2]["result"][0]["errorCode"]), (&json!(412), &json!("BATCH_PROCESSING_HALTED")));
}

#[test]
fn s2_11_a_tree_is_all_or_none() {
    let mut bench = Bench::new();
    let contact = |reference: &str, last: &str| json!({ "attributes": { "type": "Contact", "referenceId": reference }, "LastName": last });
    let (status, body) = bench.post("/composite/tree/Contact", &json!({ "records": [contact("r1", "Okafor"), contact("r2", &"x".repeat(81))] }));
    assert_eq!((status, &body["hasErrors"]), (400, &json!(true)));
    assert_eq!(body["results"].as_array().unwrap().len(), 1);
    assert_eq!((&body["results"][0]["referenceId"], &body["results"][0]["errors"][0]["statusCode"]), (&json!("r2"), &json!("STRING_TOO_LONG")));
    assert_eq!(count(&mut bench, "Contact"), 0);
    let account = json!({
        "attributes": { "type": "Account", "referenceId": "a" }, "Name": "Harbour Cranes Ltd", "Contacts": { "records": [contact("c", "Okafor")] }
    });
    let (status, body) = bench.post("/composite/tree/Account", &json!({ "records": [account] }));
    assert_eq!(status, 201, "{body}");
    let row = bench.get(&format!("/sobjects/Contact/{}", body["results"][1]["id"].as_str().unwrap())).1;
    assert_eq!(row["AccountId"], body["results"][0]["id"]);
}
