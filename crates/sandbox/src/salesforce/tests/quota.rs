//! The rolling allowance and the limits resource.

use super::super::SalesforceConfig;
use super::{Bench, body_of, error, header};
use crate::crm::Crm;

const DAY: i64 = 24 * 60 * 60 * 1000;

fn small() -> Bench {
    Bench::with(SalesforceConfig { quota_day: 3, ..SalesforceConfig::default() })
}

#[test]
fn s2_15_every_data_answer_tells_the_usage() {
    let mut bench = Bench::new();
    for (used, path) in ["/limits", "/sobjects/Nothing", "/composite/sobjects", "/sobjects"].iter().enumerate() {
        let asked = bench.request("GET", path, None);
        let answer = bench.org.handle(&asked, bench.now);
        let expected = format!("api-usage={}/15000", used + 1);
        assert_eq!(header(&answer, "Sforce-Limit-Info"), Some(expected.as_str()), "{path}");
    }
}

#[test]
fn s2_17_beyond_the_allowance_calls_are_refused_until_old_ones_leave_the_window() {
    let mut bench = small();
    assert_eq!(bench.get("/limits").0, 200);
    assert_eq!(bench.get("/sobjects/Nothing").0, 404, "a failed call counts too");
    bench.now += 60_000;
    assert_eq!(bench.get("/limits").0, 200);
    let spent = (403, error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."));
    assert_eq!(bench.get("/limits"), spent);
    bench.login();
    assert_eq!(bench.get("/limits"), spent, "a new token does not help");
    bench.now += DAY - 60_000;
    bench.login();
    assert_eq!(bench.get("/limits"), spent);
    bench.now += 60_000;
    assert_eq!(bench.get("/limits").0, 200, "two calls left the window");
    assert_eq!(bench.org.requests_counted(bench.now), 2);
}

#[test]
fn s1_7_a_call_without_session_counts_on_arrival() {
    let mut bench = small();
    let mut asked = bench.request("GET", "/limits", None);
    asked.headers.remove("authorization");
    assert_eq!(bench.org.handle(&asked, bench.now).status, 401);
    assert_eq!(bench.org.requests_counted(bench.now), 1);
}

#[test]
fn s2_14_limits_and_row_counts() {
    let mut bench = Bench::new();
    bench.contact("c-1", "Okafor");
    let asked = bench.request("GET", "/limits", None);
    let body = body_of(&bench.org.handle(&asked, bench.now));
    assert_eq!(body["DailyApiRequests"], serde_json::json!({ "Max": 15_000, "Remaining": 14_998 }));
    let (_, counts) = bench.get("/limits/recordCount?sObjects=Contact,Lead");
    assert_eq!(counts["sObjects"][0], serde_json::json!({ "count": 1, "name": "Contact" }));
}

#[test]
fn s2_3_the_versions_list_needs_no_token_and_counts_nothing() {
    let mut bench = small();
    let answer = bench.org.handle(&super::request("GET", "/services/data/", None), bench.now);
    assert_eq!(answer.status, 200);
    let list = body_of(&answer);
    let list = list.as_array().unwrap();
    assert_eq!(list[0]["label"], "Summer '14");
    assert_eq!(list[list.len() - 2], serde_json::json!({ "label": "Spring '26", "url": "/services/data/v66.0", "version": "66.0" }));
    assert_eq!(list[list.len() - 1], serde_json::json!({ "label": "Summer '26", "url": "/services/data/v67.0", "version": "67.0" }));
    assert_eq!(bench.org.requests_counted(bench.now), 0);
}

#[test]
fn s0_2_retired_versions_answer_410_and_unborn_ones_404() {
    let mut bench = Bench::new();
    assert_eq!(bench.get("/services/data/v30.0/limits").0, 410);
    assert_eq!(bench.get("/services/data/v31.0/limits").0, 200);
    assert_eq!(bench.get("/services/data/v68.0/limits").0, 404);
    assert_eq!(bench.get("/services/data/v67/limits").0, 404);
    assert_eq!(bench.get("/services/data/v67.0/").1["query"], "/services/data/v67.0/query");
}
