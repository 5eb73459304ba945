//! Requests and answers of every way to sign in.

use super::*;

const KEY: &str = include_str!("test_key.pem");

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

fn answer(status: u16, body: &str) -> HttpResponse {
    let headers = [("content-type".to_owned(), "application/json;charset=UTF-8".to_owned())].into();
    HttpResponse { status, headers, body: body.as_bytes().to_vec() }
}

fn asked() -> Url {
    Url::parse("https://acme.my.salesforce.com").unwrap()
}

fn credentials() -> SignIn {
    SignIn::ClientCredentials { id: "id".into(), secret: secret("s&cret") }
}

fn jwt() -> SignIn {
    let key = PrivateKey::read(KEY.to_owned()).unwrap();
    SignIn::JwtBearer { client_id: "id".into(), username: "sync@acme.example".into(), audience: "https://login.salesforce.com".into(), key }
}

fn refresh(client_secret: Option<&str>) -> SignIn {
    SignIn::RefreshToken { client_id: "id".into(), client_secret: client_secret.map(secret), refresh_token: secret("r1") }
}

fn body(way: &SignIn, refresh: Option<&SecretString>) -> String {
    let call = request(way, refresh, Timestamp::from_millis(1_785_672_000_123)).unwrap();
    assert_eq!((call.method, call.target.as_str()), (Method::Post, "/services/oauth2/token"));
    assert!(!format!("{call:?}").contains("cret"));
    String::from_utf8(call.body).unwrap()
}

const GRANT: &str = r#"{"access_token":"00D5g!tok","signature":"x","scope":"api web","instance_url":"https://acme.my.salesforce.com",
    "id":"https://login.salesforce.com/id/00D5g000004Kp7QEAS/0055g000007Xy9ZAAS","token_type":"Bearer","issued_at":"1785672000123"}"#;

#[test]
fn every_way_asks_in_its_own_form() {
    assert_eq!(body(&credentials(), None), "grant_type=client_credentials&client_id=id&client_secret=s%26cret");
    assert_eq!(body(&refresh(None), None), "grant_type=refresh_token&client_id=id&refresh_token=r1");
    assert_eq!(
        body(&refresh(Some("s")), Some(&secret("r2"))),
        "grant_type=refresh_token&client_id=id&client_secret=s&refresh_token=r2"
    );
}

#[test]
fn an_assertion_is_signed_and_short_lived() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let body = body(&jwt(), None);
    let pairs: Vec<_> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    assert_eq!(pairs[0], ("grant_type".to_owned(), "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()));
    assert_eq!((pairs.len(), pairs[1].0.as_str()), (2, "assertion"));
    let parts: Vec<_> = pairs[1].1.split('.').collect();
    let text = |part: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    assert_eq!(text(parts[0]), r#"{"typ":"JWT","alg":"RS256"}"#);
    assert_eq!(text(parts[1]), r#"{"iss":"id","sub":"sync@acme.example","aud":"https://login.salesforce.com","exp":1785672120}"#);
    // 2048 bits of signature.
    assert_eq!(URL_SAFE_NO_PAD.decode(parts[2]).unwrap().len(), 256);
    assert!(PrivateKey::read("-----BEGIN CERTIFICATE-----".to_owned()).is_none());
    assert!(!format!("{:?}", jwt()).contains("PRIVATE"));
}

#[test]
fn a_grant_brings_token_address_org_and_scopes_and_prints_no_secret() {
    let fetched = fetched(&asked(), &credentials(), &answer(200, GRANT)).unwrap();
    assert_eq!(fetched.grant.org, "00D5g000004Kp7QEAS");
    assert_eq!(fetched.grant.scopes, Some(vec!["api".to_owned(), "web".to_owned()]));
    assert!(fetched.rotated.is_none());
    assert!(!format!("{fetched:?}").contains("tok"));
}

#[test]
fn a_rotated_token_is_handed_on() {
    let rotated = GRANT.replacen('{', r#"{"refresh_token":"r2","#, 1);
    let fetched = fetched(&asked(), &refresh(None), &answer(200, &rotated)).unwrap();
    assert_eq!(fetched.rotated.map(|token| token.expose_secret().to_owned()), Some("r2".to_owned()));
}

#[test]
fn refusals_are_final_and_outages_are_not() {
    let kind = |status, body: &str| fetched(&asked(), &credentials(), &answer(status, body)).unwrap_err().kind;
    assert_eq!(kind(400, r#"{"error":"invalid_client","error_description":"invalid client credentials"}"#), Kind::AuthEnded);
    assert_eq!(kind(401, r#"{"error":"invalid_client"}"#), Kind::AuthEnded);
    assert_eq!(kind(400, r#"{"error":"invalid_grant","error_description":"rate limit exceeded"}"#), Kind::Unreachable);
    assert_eq!(kind(503, "<html>"), Kind::Unreachable);
    assert_eq!(kind(400, "<html>"), Kind::Unreachable);
    assert_eq!(kind(200, "<html>"), Kind::Protocol);
    assert_eq!(kind(200, &GRANT.replace("\"https://acme", "\"http://acme")), Kind::Protocol);
    assert_eq!(kind(200, &GRANT.replace("/id/00D5g000004Kp7QEAS", "/id")), Kind::Protocol);
}

#[test]
fn what_a_grant_lacks_is_told_with_its_remedy() {
    let told = |way: &SignIn, error: &str, description: &str| {
        let body = format!(r#"{{"error":"{error}","error_description":"{description}"}}"#);
        let error = fetched(&asked(), way, &answer(400, &body)).unwrap_err();
        format!("{:?}: {error}: {}", error.kind, error.remedy())
    };
    let all = [
        told(&refresh(None), "invalid_grant", "expired access/refresh token"),
        told(&jwt(), "invalid_grant", "user hasn't approved this consumer"),
        told(&jwt(), "invalid_grant", "Audience validation failed"),
        told(&jwt(), "invalid_grant", "invalid assertion"),
        told(&jwt(), "invalid_grant", "expired assertion of canary@acme.example"),
        told(&jwt(), "invalid_grant", "something new about canary@acme.example"),
        told(&credentials(), "invalid_grant", "no client credentials user enabled"),
        told(&jwt(), "unsupported_grant_type", "grant type not supported"),
        told(&refresh(None), "invalid_client_id", "client identifier invalid"),
    ];
    assert!(!all.join("").contains("canary"));
    insta::assert_snapshot!(all.join("\n"));
}
