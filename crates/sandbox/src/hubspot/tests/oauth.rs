//! Tokens: how they are got, what they may do, how they end, and the errors of each.

use serde_json::{Value, json};

use super::super::config::{HubSpotConfig, OAuthApp, ScopedToken};
use super::{CONTACTS, Stage, header, request};
use crate::crm::Crm;
use crate::exchange::Response;

const CREDENTIALS: &str = "client_id=sandbox-app&client_secret=sandbox-app-secret";
const REFRESH: &str = "grant_type=refresh_token&refresh_token=eu1-sandbox-refresh-1";

fn form(stage: &mut Stage, path: &str, body: &str) -> (u16, Value) {
    let mut request = request("POST", path, &Value::Null);
    request.headers.clear();
    request.body = body.as_bytes().to_vec();
    let response = stage.hubspot.handle(&request, stage.now);
    (response.status, serde_json::from_slice(&response.body).unwrap_or(Value::Null))
}

fn access_token(stage: &mut Stage) -> String {
    let (status, body) = form(stage, "/oauth/v3/token", &format!("{REFRESH}&{CREDENTIALS}"));
    assert_eq!(status, 200, "{body}");
    body["access_token"].as_str().unwrap().to_owned()
}

fn call(stage: &mut Stage, token: &str, method: &str, path: &str, body: &Value) -> Response {
    let mut request = request(method, path, body);
    request.headers.insert("authorization".to_owned(), format!("Bearer {token}"));
    stage.hubspot.handle(&request, stage.now)
}

#[test]
fn oauth_refresh_answers_alike_under_every_version() {
    let mut stage = Stage::new();
    for version in ["v1", "v3", "2026-03", "2026-09"] {
        let (status, body) = form(&mut stage, &format!("/oauth/{version}/token"), &format!("{REFRESH}&{CREDENTIALS}"));
        assert_eq!(status, 200);
        for (key, want) in [
            ("token_type", json!("bearer")),
            ("refresh_token", json!("eu1-sandbox-refresh-1")),
            ("expires_in", json!(1800)),
            ("hub_id", json!(4_400_123)),
            ("token_use", json!("access_token")),
        ] {
            assert_eq!(body[key], want, "{version} {key}");
        }
    }
    let (status, _) = form(&mut stage, &format!("/oauth/v1/token?{REFRESH}&{CREDENTIALS}"), "");
    assert_eq!(status, 200);
    assert_eq!(form(&mut stage, &format!("/oauth/v3/token?{REFRESH}&{CREDENTIALS}"), "").0, 400);
}

#[test]
fn oauth_token_runs_out_and_says_so_and_has_no_daily_headers() {
    let mut stage = Stage::new();
    let token = access_token(&mut stage);
    let response = call(&mut stage, &token, "GET", CONTACTS, &Value::Null);
    assert_eq!(response.status, 200);
    assert_eq!(header(&response, "X-HubSpot-RateLimit-Max"), Some("110"));
    assert_eq!(header(&response, "X-HubSpot-RateLimit-Remaining"), Some("109"));
    assert_eq!(header(&response, "X-HubSpot-RateLimit-Daily"), None);
    stage.now += 1_837_000;
    let response = call(&mut stage, &token, "GET", CONTACTS, &Value::Null);
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!((response.status, &body["category"]), (401, &json!("EXPIRED_AUTHENTICATION")));
    assert_eq!(body["message"], "The OAuth token used to make this call expired 37 second(s) ago.");
    let token = access_token(&mut stage);
    stage.hubspot.expire_tokens(stage.now);
    assert_eq!(call(&mut stage, &token, "GET", CONTACTS, &Value::Null).status, 401);
}

#[test]
fn oauth_code_is_exchanged_once_for_the_scopes_that_were_asked() {
    let mut stage = Stage::new();
    let verifier = "a-verifier-that-is-long-enough-for-the-rule-1234";
    let challenge = super::super::grants::digest(verifier);
    let target = |state: &str| {
        format!(
            "/oauth/authorize?client_id=sandbox-app&redirect_uri=http://localhost:9/cb&scope=oauth crm.objects.contacts.read\
             &state={state}&code_challenge={challenge}&code_challenge_method=S256"
        )
    };
    let response = stage.send("GET", &target("a b"), &Value::Null);
    let location = header(&response, "Location").unwrap().to_owned();
    assert_eq!(response.status, 302);
    assert!(location.starts_with("http://localhost:9/cb?code=") && location.ends_with("&state=a%20b"), "{location}");
    let code = location.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let exchange = format!(
        "grant_type=authorization_code&{CREDENTIALS}&redirect_uri=http%3A%2F%2Flocalhost%3A9%2Fcb&code={code}&code_verifier={verifier}"
    );
    let (status, body) = form(&mut stage, "/oauth/v3/token", &exchange);
    assert_eq!((status, &body["scopes"]), (200, &json!(["crm.objects.contacts.read", "oauth"])));
    assert_eq!(form(&mut stage, "/oauth/v3/token", &exchange).1["status"], "BAD_AUTH_CODE");
    let token = body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(call(&mut stage, &token, "GET", CONTACTS, &Value::Null).status, 200);
    let refused = call(&mut stage, &token, "POST", CONTACTS, &json!({"properties": {"email": "a@acme.example"}}));
    let refused: Value = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!(refused["category"], "MISSING_SCOPES");
    assert_eq!(refused["errors"][0]["context"]["requiredGranularScopes"], json!(["crm.objects.contacts.write"]));
    let refusal = stage.send("GET", &format!("{}&sandbox_refuse=true", target("s")), &Value::Null);
    assert!(header(&refusal, "Location").unwrap().contains("error=access_denied"));
}

#[test]
fn oauth_refusals_have_both_pairs() {
    let mut stage = Stage::new();
    let (status, body) = form(&mut stage, "/oauth/v3/token", &format!("grant_type=refresh_token&refresh_token=x&{CREDENTIALS}"));
    let text = "refresh token is invalid, expired or revoked";
    assert_eq!(status, 400);
    assert_eq!(body, json!({"error": "invalid_grant", "error_description": text, "status": "BAD_REFRESH_TOKEN", "message": text}));
    for (wrong, want) in [
        (format!("{REFRESH}&client_id=nobody&client_secret=x"), "BAD_CLIENT_ID"),
        (format!("{REFRESH}&client_id=sandbox-app&client_secret=x"), "BAD_CLIENT_SECRET"),
        (format!("grant_type=password&{CREDENTIALS}"), "BAD_GRANT_TYPE"),
        (format!("grant_type=authorization_code&code=x&{CREDENTIALS}"), "BAD_AUTH_CODE"),
        (format!("grant_type=client_credentials&scope=crm.export&{CREDENTIALS}"), "BAD_SCOPES"),
    ] {
        assert_eq!(form(&mut stage, "/oauth/2026-09/token", &wrong).1["status"], want);
    }
    let gone = OAuthApp { is_uninstalled: true, ..OAuthApp::default() };
    let mut stage = Stage::with(HubSpotConfig { oauth: gone, ..HubSpotConfig::default() });
    assert_eq!(form(&mut stage, "/oauth/v3/token", &format!("{REFRESH}&{CREDENTIALS}")).1["status"], "BAD_HUB");
}

#[test]
fn oauth_introspect_and_revoke() {
    let mut stage = Stage::new();
    let token = access_token(&mut stage);
    let about = |stage: &mut Stage, token: &str| form(stage, "/oauth/v3/token/introspect", &format!("{CREDENTIALS}&token={token}")).1;
    let body = about(&mut stage, &token);
    assert_eq!((&body["active"], &body["token_use"], &body["expires_in"]), (&json!(true), &json!("access_token"), &json!(1800)));
    assert_eq!(stage.json("GET", &format!("/oauth/v1/access-tokens/{token}"), &Value::Null).1["hub_id"], 4_400_123);
    assert_eq!(form(&mut stage, "/oauth/v3/token/revoke", &format!("{CREDENTIALS}&token=eu1-sandbox-refresh-1")).0, 204);
    assert_eq!(about(&mut stage, "eu1-sandbox-refresh-1"), json!({"active": false}));
    assert_eq!(form(&mut stage, "/oauth/v3/token", &format!("{REFRESH}&{CREDENTIALS}")).1["status"], "BAD_REFRESH_TOKEN");
    assert_eq!(call(&mut stage, &token, "GET", CONTACTS, &Value::Null).status, 200);
    assert_eq!(stage.json("DELETE", "/oauth/v1/refresh-tokens/eu1-sandbox-refresh-1", &Value::Null).0, 404);
}

#[test]
fn oauth_static_tokens_may_have_few_scopes() {
    let scoped = ScopedToken { token: "pat-eu1-read".to_owned(), scopes: vec!["crm.objects.contacts.read".to_owned()] };
    let mut stage = Stage::with(HubSpotConfig { scoped_tokens: vec![scoped], ..HubSpotConfig::default() });
    assert_eq!(call(&mut stage, "pat-eu1-read", "GET", CONTACTS, &Value::Null).status, 200);
    assert_eq!(call(&mut stage, "pat-eu1-read", "GET", "/account-info/v3/details", &Value::Null).status, 200);
    assert_eq!(call(&mut stage, "pat-eu1-read", "GET", "/crm/v3/properties/contacts", &Value::Null).status, 403);
}
