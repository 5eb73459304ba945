//! Tokens, quota headers, the three 429 bodies, and the answers to injected faults.

use serde_json::{Value, json};

use super::super::config::{HubSpotConfig, Switches};
use super::{CONTACTS, START, Stage, header, request, shown};
use crate::crm::Crm;

#[test]
fn limits_bad_tokens_get_one_401_and_count_nowhere() {
    let mut stage = Stage::new();
    for token in [None, Some("Bearer nonsense"), Some("pat-sandbox-1"), Some("Basic pat-sandbox-1")] {
        let mut request = request("GET", CONTACTS, &Value::Null);
        request.headers.clear();
        request.headers.extend(token.map(|token| ("authorization".to_owned(), token.to_owned())));
        assert_eq!(
            shown(&stage.hubspot.handle(&request, START)),
            (401, r#"{"status":"error","message":"Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview","correlationId":"…","category":"INVALID_AUTHENTICATION"}"#.to_owned())
        );
    }
    let response = stage.send("GET", CONTACTS, &Value::Null);
    assert_eq!(header(&response, "X-HubSpot-RateLimit-Remaining"), Some("99"));
}

#[test]
fn limits_headers_count_on_arrival_and_refused_writes_count_too() {
    let mut stage = Stage::new();
    stage.send("POST", CONTACTS, &json!({"properties": {"nosuch": "x"}}));
    let response = stage.send("GET", CONTACTS, &Value::Null);
    for (name, want) in [
        ("Daily", "250000"),
        ("Daily-Remaining", "249998"),
        ("Interval-Milliseconds", "10000"),
        ("Max", "100"),
        ("Remaining", "98"),
        ("Secondly", "10"),
        ("Secondly-Remaining", "9"),
    ] {
        assert_eq!(header(&response, &format!("X-HubSpot-RateLimit-{name}")), Some(want), "{name}");
    }
}

#[test]
fn limits_429_bodies_by_policy() {
    let policy = |config: HubSpotConfig, path: &str, method: &str| {
        let mut stage = Stage::with(config);
        stage.send(method, path, &json!({}));
        let response = stage.send(method, path, &json!({}));
        (shown(&response), header(&response, "Retry-After").map(str::to_owned))
    };
    let body = |policy: &str, word: &str, group: &str| {
        format!(
            r#"{{"status":"error","message":"You have reached your {word} limit.","errorType":"RATE_LIMIT","correlationId":"…","policyName":"{policy}","requestId":"…","groupName":"{group}:4400123"}}"#
        )
    };
    let one = HubSpotConfig { quota_ten_seconds: 1, ..HubSpotConfig::default() };
    let group = "publicapi:private-app-api-calls-ten-secondly";
    assert_eq!(policy(one.clone(), CONTACTS, "GET"), ((429, body("TEN_SECONDLY_ROLLING", "ten_secondly_rolling", group)), None));
    let search = HubSpotConfig { quota_search_second: 1, ..HubSpotConfig::default() };
    let path = format!("{CONTACTS}/search");
    assert_eq!(policy(search, &path, "POST"), ((429, body("SECONDLY", "secondly", "publicapi:crm:search")), None));
    let day = HubSpotConfig { quota_day: 1, ..HubSpotConfig::default() };
    let group = "publicapi:private-app-api-calls-daily";
    assert_eq!(policy(day, CONTACTS, "GET"), ((429, body("DAILY", "daily", group)), None));
    let told = HubSpotConfig { switches: Switches { retry_after: true, ..Switches::default() }, ..one };
    assert_eq!(policy(told, CONTACTS, "GET").1.as_deref(), Some("10"));
}

#[test]
fn limits_fault_answers_have_hubspots_shapes() {
    let mut stage = Stage::new();
    let mut answer = |status: u16, body: Option<&str>| {
        let (status, text) = shown(&stage.hubspot.fault_response(status, body, START));
        (status, serde_json::from_str::<Value>(&text).unwrap_or(Value::Null))
    };
    assert_eq!(answer(429, Some("daily")).1["policyName"], "DAILY");
    assert_eq!(answer(429, None).1["policyName"], "TEN_SECONDLY_ROLLING");
    assert_eq!(answer(401, Some("expired")).1["category"], "EXPIRED_AUTHENTICATION");
    assert_eq!(
        answer(403, None).1["errors"][0],
        json!({"message": "One or more of the following scopes are required.",
               "context": {"requiredGranularScopes": ["crm.objects.contacts.write"]}})
    );
    for status in [423, 477, 500, 502, 503, 504] {
        let (got, body) = answer(status, None);
        assert_eq!((got, &body["status"]), (status, &json!("error")));
    }
    assert_eq!(answer(503, Some("empty")), (503, Value::Null));
}
