//! Search: operators, totals, paging, limits.

use serde_json::{Value, json};

use super::super::config::HubSpotConfig;
use super::{CONTACTS, Stage, header};

fn ids(body: &Value) -> Vec<&str> {
    body["results"].as_array().unwrap().iter().map(|result| result["id"].as_str().unwrap().trim_start_matches("880123456")).collect()
}

fn stage() -> Stage {
    let mut stage = Stage::new();
    for (email, city, key) in [("a@acme.example", "Ulm", "A-1"), ("b@acme.example", "Bonn", ""), ("c@other.example", "", "A-3")] {
        stage.contact(&json!({"email": email, "city": city, "syncline_id": key}));
        stage.now += 1000;
    }
    stage.now += 10_000;
    stage
}

fn find(stage: &mut Stage, filters: &Value) -> Value {
    stage.now += 1000;
    let (status, body) = stage.json("POST", &format!("{CONTACTS}/search"), &json!({"filterGroups": [{"filters": filters}]}));
    assert_eq!(status, 200, "{body}");
    body
}

#[test]
fn search_answers_total_results_and_offset_paging() {
    let mut stage = stage();
    let body = json!({"filters": [{"propertyName": "syncline_id", "operator": "HAS_PROPERTY"}], "properties": ["syncline_id"], "limit": 1});
    let response = stage.send("POST", &format!("{CONTACTS}/search"), &body);
    assert!(header(&response, "x-hubspot-rate-limit-exemptions").is_some());
    assert_eq!(header(&response, "X-HubSpot-RateLimit-Remaining"), None);
    assert_eq!(
        super::shown(&response).1,
        r#"{"total":2,"results":[{"id":"88012345601","properties":{"createdate":"2026-09-01T10:00:00.250Z","hs_object_id":"88012345601","lastmodifieddate":"2026-09-01T10:00:00.250Z","syncline_id":"A-1"},"createdAt":"2026-09-01T10:00:00.250Z","updatedAt":"2026-09-01T10:00:00.250Z","archived":false,"url":"https://app.hubspot.com/contacts/4400123/record/0-1/88012345601"}],"paging":{"next":{"after":"1","link":"https://api.hubapi.com/crm/v3/objects/contacts/search?after=1"}}}"#
    );
    let body = json!({"filters": [{"propertyName": "syncline_id", "operator": "HAS_PROPERTY"}], "limit": 1, "after": 1});
    let (_, last) = stage.json("POST", &format!("{CONTACTS}/search"), &body);
    assert_eq!((ids(&last), last.get("paging")), (vec!["03"], None));
}

#[test]
fn search_operators() {
    let mut stage = stage();
    let one = |name: &str, operator: &str, value: &str| json!([{"propertyName": name, "operator": operator, "value": value}]);
    for (filters, want) in [
        (one("email", "EQ", "B@ACME.example"), vec!["02"]),
        (one("city", "EQ", "ulm"), vec!["01"]),
        (one("city", "NEQ", "ulm"), vec!["02"]),
        (one("hs_object_id", "GT", "88012345601"), vec!["02", "03"]),
        (one("hs_object_id", "LTE", "88012345602"), vec!["01", "02"]),
        (one("createdate", "GTE", "1788256801250"), vec!["02", "03"]),
        (one("email", "CONTAINS_TOKEN", "*@acme.example"), vec!["01", "02"]),
        (one("email", "NOT_CONTAINS_TOKEN", "acme*"), vec!["03"]),
        (json!([{"propertyName": "city", "operator": "NOT_HAS_PROPERTY"}]), vec!["03"]),
        (json!([{"propertyName": "city", "operator": "IN", "values": ["ulm", "bonn"]}]), vec!["01", "02"]),
        (json!([{"propertyName": "city", "operator": "IN", "values": ["Ulm"]}]), vec![]),
        (json!([{"propertyName": "city", "operator": "NOT_IN", "values": ["ulm"]}]), vec!["02"]),
        (json!([{"propertyName": "email", "operator": "IN", "values": ["c@other.example", "a@acme.example"]}]), vec!["01", "03"]),
        (
            json!([{"propertyName": "createdate", "operator": "BETWEEN", "value": "1788256800250", "highValue": "1788256801250"}]),
            vec!["01", "02"],
        ),
        (
            json!([{"propertyName": "syncline_id", "operator": "HAS_PROPERTY"}, {"propertyName": "city", "operator": "EQ", "value": "Ulm"}]),
            vec!["01"],
        ),
    ] {
        let body = find(&mut stage, &filters);
        assert_eq!(ids(&body), want, "{filters}");
        assert_eq!(body["total"], want.len());
    }
}

#[test]
fn search_sorts_by_the_first_order_and_finds_free_text() {
    let mut stage = stage();
    let mut search = |body: Value| stage.json("POST", &format!("{CONTACTS}/search"), &body).1;
    assert_eq!(ids(&search(json!({"sorts": ["-createdate"]}))), ["03", "02", "01"]);
    let sort = json!({"sorts": [{"propertyName": "city", "direction": "ASCENDING"}]});
    assert_eq!(ids(&search(sort)), ["02", "01", "03"]);
    assert_eq!(ids(&search(json!({"query": "OTHER"}))), ["03"]);
    assert_eq!(search(json!({}))["total"], 3);
}

#[test]
fn search_limits_are_400() {
    let mut stage = Stage::with(HubSpotConfig { quota_search_second: 100, ..HubSpotConfig::default() });
    let filter = json!({"propertyName": "city", "operator": "HAS_PROPERTY"});
    let group = json!({"filters": [filter]});
    let six = json!({"filterGroups": [group, group, group, group, group, group]});
    let (status, body) = stage.json("POST", &format!("{CONTACTS}/search"), &six);
    assert_eq!((status, &body["message"]), (400, &json!("Invalid input JSON: too many filterGroups (count: 6, max allowed: 5)")));
    for body in [
        json!({"filters": [filter, filter, filter, filter, filter, filter, filter]}),
        json!({"limit": 201}),
        json!({"limit": 200, "after": "9900"}),
        json!({"query": "x".repeat(3001)}),
        json!({"filters": [{"propertyName": "nosuch", "operator": "HAS_PROPERTY"}]}),
        json!({"filters": [{"propertyName": "city", "operator": "LIKE", "value": "U"}]}),
    ] {
        assert_eq!(stage.json("POST", &format!("{CONTACTS}/search"), &body).0, 400, "{body}");
    }
}

#[test]
fn search_lags_behind_creation_and_never_shows_archived() {
    let mut stage = Stage::with(HubSpotConfig { search_lag_ms: 5_000, ..HubSpotConfig::default() });
    let id = stage.contact(&json!({"email": "a@acme.example"}));
    let search = format!("{CONTACTS}/search");
    assert_eq!(stage.json("POST", &search, &json!({})).1["total"], 0);
    stage.now += 5_000;
    assert_eq!(stage.json("POST", &search, &json!({})).1["total"], 1);
    stage.json("DELETE", &format!("{CONTACTS}/{id}"), &Value::Null);
    assert_eq!(stage.json("POST", &search, &json!({})).1["total"], 0);
}
