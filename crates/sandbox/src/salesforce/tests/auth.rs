//! The token endpoint and the life of tokens.

use serde_json::json;

use super::super::{SalesforceConfig, form};
use super::{Bench, FORM, START, body_of, error, header, request};
use crate::crm::Crm;

fn token(bench: &mut Bench, body: &str) -> (u16, serde_json::Value) {
    let answer = bench.org.handle(&request("POST", "/services/oauth2/token", Some((FORM, body))), bench.now);
    assert_eq!(header(&answer, "Cache-Control"), Some("no-store"));
    (answer.status, body_of(&answer))
}

#[test]
fn s1_3_client_credentials_in_the_form() {
    let mut bench = Bench::new();
    bench.org.set_instance_url("http://127.0.0.1:4010");
    let (status, body) = token(&mut bench, "grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret");
    assert_eq!(status, 200);
    let (access, signature) = (body["access_token"].as_str().unwrap(), body["signature"].as_str().unwrap());
    assert!(access.starts_with("00D5g000004Kp7Q!"));
    assert_eq!(form::read_base64(signature).unwrap().len(), 32);
    let expected = json!({
        "access_token": access, "signature": signature, "scope": "api", "instance_url": "http://127.0.0.1:4010",
        "id": "https://login.salesforce.com/id/00D5g000004Kp7QEAS/0055g000007Xy9ZAAS",
        "token_type": "Bearer", "issued_at": START.to_string()
    });
    assert_eq!(body, expected);
}

#[test]
fn s1_3_client_credentials_by_http_basic() {
    let mut bench = Bench::new();
    let mut asked = request("POST", "/services/oauth2/token", Some((FORM, "grant_type=client_credentials")));
    let credentials = form::base64(b"sandbox-client:sandbox-secret");
    asked.headers.insert("authorization".to_owned(), format!("Basic {credentials}"));
    assert_eq!(bench.org.handle(&asked, START).status, 200);
}

#[test]
fn s1_6_token_errors_are_one_object() {
    let mut bench = Bench::new();
    let cases = [
        ("grant_type=saml2", "unsupported_grant_type", "grant type not supported"),
        ("grant_type=client_credentials&client_id=nobody&client_secret=x", "invalid_client_id", "client identifier invalid"),
        ("grant_type=client_credentials&client_id=sandbox-client&client_secret=x", "invalid_client", "invalid client credentials"),
        ("grant_type=client_credentials", "invalid_request", "missing required parameter: client_id or client_secret"),
        ("", "invalid_request", "missing required parameter: grant_type"),
    ];
    for (form, code, description) in cases {
        assert_eq!(token(&mut bench, form), (400, json!({ "error": code, "error_description": description })));
    }
    let mut strict = Bench::with(SalesforceConfig { invalid_client_status: 401, ..SalesforceConfig::default() });
    let wrong = "grant_type=client_credentials&client_id=sandbox-client&client_secret=x";
    assert_eq!(token(&mut strict, wrong).0, 401);
}

#[test]
fn s1_7_a_token_lives_two_hours_after_its_last_use() {
    let mut bench = Bench::new();
    let almost = 2 * 60 * 60 * 1000 - 1;
    for _ in 0..3 {
        bench.now += almost;
        assert_eq!(bench.get("/limits").0, 200);
    }
    bench.now += almost + 1;
    let expired = (401, error("INVALID_SESSION_ID", "Session expired or invalid"));
    assert_eq!(bench.get("/limits"), expired);
    bench.login();
    assert_eq!(bench.get("/limits").0, 200);
    bench.org.expire_tokens();
    assert_eq!(bench.get("/limits"), expired);
}

#[test]
fn s1_7_both_schemes_are_taken_and_nothing_else() {
    let mut bench = Bench::new();
    let mut asked = bench.request("GET", "/limits", None);
    for (value, status) in [("OAuth", 200), ("bearer", 200), ("Basic", 401)] {
        asked.headers.insert("authorization".to_owned(), format!("{value} {}", bench.token));
        assert_eq!(bench.org.handle(&asked, START).status, status, "{value}");
    }
    asked.headers.remove("authorization");
    assert_eq!(bench.org.handle(&asked, START).status, 401);
}

#[test]
fn s1_1_a_revoked_token_is_dead() {
    let mut bench = Bench::new();
    let body = format!("token={}", bench.token.replace('!', "%21"));
    assert_eq!(bench.org.handle(&request("POST", "/services/oauth2/revoke", Some((FORM, &body))), START).status, 200);
    assert_eq!(bench.get("/limits").0, 401);
}
