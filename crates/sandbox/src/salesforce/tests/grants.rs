//! Every grant besides client credentials, and what surrounds tokens: introspection, identity, SOAP login.
//!
//! Promises: assertions are really signed and checked. Leaves to others: client credentials and the life of tokens (`auth`).

use base64::Engine;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::{SalesforceConfig, form};
use super::{Bench, FORM, START, body_of, header, request};
use crate::crm::Crm;

const CLIENT: &str = "client_id=sandbox-client&client_secret=sandbox-secret";

fn grant(bench: &mut Bench, body: &str) -> (u16, Value) {
    let answer = bench.org.handle(&request("POST", "/services/oauth2/token", Some((FORM, body))), bench.now);
    (answer.status, body_of(&answer))
}

fn refused(error: &str, description: &str) -> (u16, Value) {
    (400, json!({ "error": error, "error_description": description }))
}

fn assertion(key: &rcgen::KeyPair, claims: &Value) -> String {
    let key = EncodingKey::from_rsa_pem(key.serialize_pem().as_bytes()).unwrap();
    let token = jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &key).unwrap();
    format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={token}")
}

#[test]
fn s1_2_assertions_are_checked_against_key_or_certificate() {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let other = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["client".to_owned()]).unwrap().self_signed(&key).unwrap();
    let now = START / 1000;
    for jwt_certificate in [key.public_key_pem(), certificate.pem()] {
        let mut bench = Bench::with(SalesforceConfig { jwt_certificate, instance_url: "https://acme.my.salesforce.com".to_owned(), ..SalesforceConfig::default() });
        let claims = |name: &str, value: Value| {
            let mut claims = json!({
                "iss": "sandbox-client", "sub": "integration@sandbox.example", "aud": "https://login.salesforce.com", "exp": now + 180
            });
            claims[name] = value;
            claims
        };
        for good in [
            claims("exp", json!((now + 180).to_string())),
            claims("exp", json!(now)),
            claims("aud", json!("https://test.salesforce.com/")),
            claims("aud", json!(["acme.my.salesforce.com"])),
        ] {
            let (status, body) = grant(&mut bench, &assertion(&key, &good));
            assert_eq!(status, 200, "{good} {body}");
            assert_eq!(body["token_type"], "Bearer");
            assert!(body.get("signature").is_none() && body.get("refresh_token").is_none(), "{body}");
            body["access_token"].as_str().unwrap().clone_into(&mut bench.token);
            assert_eq!(bench.get("/limits").0, 200);
        }
        let invalid = refused("invalid_grant", "invalid assertion");
        assert_eq!(grant(&mut bench, &assertion(&other, &claims("exp", json!(now)))), invalid);
        assert_eq!(grant(&mut bench, &assertion(&key, &claims("exp", json!(now - 181)))), invalid);
        assert_eq!(grant(&mut bench, &assertion(&key, &claims("exp", json!(now + 3600)))), invalid);
        let wrong = claims("aud", json!("https://elsewhere.example"));
        assert_eq!(grant(&mut bench, &assertion(&key, &wrong)), refused("invalid_grant", "Audience validation failed"));
        let wrong = claims("iss", json!("nobody"));
        assert_eq!(grant(&mut bench, &assertion(&key, &wrong)), refused("invalid_client_id", "client identifier invalid"));
        let wrong = claims("sub", json!("nobody@sandbox.example"));
        assert_eq!(grant(&mut bench, &assertion(&key, &wrong)), refused("invalid_grant", "user hasn't approved this consumer"));
    }
}

#[test]
fn s1_4_a_refresh_token_is_good_until_it_is_revoked_or_rotated() {
    let mut bench = Bench::new();
    let ask = |token: &str| format!("grant_type=refresh_token&refresh_token={}&{CLIENT}", form::encode(token));
    let (status, body) = grant(&mut bench, &ask("sandbox-refresh-token"));
    assert!(status == 200 && body.get("refresh_token").is_none() && body["signature"].is_string(), "{body}");
    let expired = refused("invalid_grant", "expired access/refresh token");
    assert_eq!(grant(&mut bench, &ask("another")), expired);
    let revoke = request("POST", "/services/oauth2/revoke", Some((FORM, "token=sandbox-refresh-token")));
    assert_eq!(bench.org.handle(&revoke, START).status, 200);
    assert_eq!(grant(&mut bench, &ask("sandbox-refresh-token")), expired);

    let mut bench = Bench::with(SalesforceConfig { rotates_refresh_token: true, ..SalesforceConfig::default() });
    let (_, body) = grant(&mut bench, &ask("sandbox-refresh-token"));
    let rotated = body["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(grant(&mut bench, &ask("sandbox-refresh-token")), expired);
    let state = bench.org.snapshot();
    bench.org.restore(&state).unwrap();
    assert_eq!(grant(&mut bench, &ask(&rotated)).0, 200);
}

#[test]
fn s1_4_a_code_with_its_proof_earns_a_refresh_token_once() {
    let mut bench = Bench::new();
    let verifier = "a-verifier-of-forty-three-characters-or-more";
    let challenge = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    let mut asked = request("GET", &format!("/services/oauth2/authorize?response_type=code&client_id=sandbox-client&state=s1&code_challenge={challenge}"), None);
    asked.query.push(("redirect_uri".to_owned(), "http://127.0.0.1:9/back".to_owned()));
    let answer = bench.org.handle(&asked, START);
    assert_eq!(answer.status, 302);
    let location = header(&answer, "Location").unwrap().to_owned();
    let code = location.strip_prefix("http://127.0.0.1:9/back?code=").unwrap().strip_suffix("&state=s1").unwrap().to_owned();
    let ask = |verifier: &str| {
        format!("grant_type=authorization_code&client_id=sandbox-client&code={code}&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Fback&code_verifier={verifier}")
    };
    let (status, body) = grant(&mut bench, &ask(verifier));
    assert_eq!(status, 200, "{body}");
    let refresh = format!("grant_type=refresh_token&refresh_token={}&{CLIENT}", form::encode(body["refresh_token"].as_str().unwrap()));
    assert_eq!(grant(&mut bench, &refresh).0, 200);
    assert_eq!(grant(&mut bench, &ask(verifier)), refused("invalid_grant", "expired authorization code"));
}

#[test]
fn s1_5_password_with_the_security_token_behind_it() {
    let mut bench = Bench::new();
    let ask = |password: &str| format!("grant_type=password&{CLIENT}&username=integration%40sandbox.example&password={password}");
    assert_eq!(grant(&mut bench, &ask("sandbox-passwordSandboxToken")).0, 200);
    assert_eq!(grant(&mut bench, &ask("sandbox-password")), refused("invalid_grant", "authentication failure"));
    let mut newer = Bench::with(SalesforceConfig { allows_password: false, ..SalesforceConfig::default() });
    assert_eq!(grant(&mut newer, &ask("sandbox-passwordSandboxToken")), refused("unsupported_grant_type", "grant type not supported"));
}

#[test]
fn s7_soap_login_gives_a_session_below_version_65() {
    let mut bench = Bench::new();
    let body = |password: &str| {
        format!(
            "<se:Envelope xmlns:se=\"http://schemas.xmlsoap.org/soap/envelope/\"><se:Header/><se:Body><login xmlns=\"urn:partner.soap.sforce.com\">\
             <username>integration@sandbox.example</username><password>{password}</password></login></se:Body></se:Envelope>"
        )
    };
    let mut login = |version: &str, password: &str| {
        let asked = request("POST", &format!("/services/Soap/u/{version}"), Some(("text/xml", &body(password))));
        let answer = bench.org.handle(&asked, START);
        (answer.status, String::from_utf8(answer.body).unwrap())
    };
    let (status, text) = login("59.0", "sandbox-passwordSandboxToken");
    assert_eq!(status, 200, "{text}");
    assert!(text.contains("<serverUrl>http://127.0.0.1/services/Soap/u/59.0/00D5g000004Kp7Q</serverUrl>"), "{text}");
    let token = text.split_once("<sessionId>").unwrap().1.split_once("</sessionId>").unwrap().0.to_owned();
    let (status, text) = login("59.0", "wrong");
    assert!(status == 500 && text.contains("<sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode>"), "{text}");
    let (status, text) = login("65.0", "sandbox-passwordSandboxToken");
    assert!(status == 500 && text.contains("INVALID_OPERATION"), "{text}");
    let (status, text) = login("30.0", "sandbox-passwordSandboxToken");
    assert!(status == 500 && text.contains("UNSUPPORTED_API_VERSION"), "{text}");
    bench.token = token;
    assert_eq!(bench.get("/limits").0, 200);
}

#[test]
fn s1_1_identity_user_info_and_introspection_know_the_token() {
    let mut bench = Bench::new();
    for path in ["/services/oauth2/userinfo", "/id/00D5g000004Kp7QEAS/0055g000007Xy9ZAAS"] {
        let (status, body) = bench.get(path);
        assert_eq!((status, &body["user_id"], &body["organization_id"]), (200, &json!("0055g000007Xy9ZAAS"), &json!("00D5g000004Kp7QEAS")));
    }
    let ask = format!("token={}&{CLIENT}", form::encode(&bench.token));
    let introspect = |bench: &mut Bench, form: &str| body_of(&bench.org.handle(&request("POST", "/services/oauth2/introspect", Some((FORM, form))), START));
    let body = introspect(&mut bench, &ask);
    assert_eq!((&body["active"], &body["exp"]), (&json!(true), &json!(START / 1000 + 7200)));
    bench.org.expire_tokens();
    assert_eq!(introspect(&mut bench, &ask), json!({ "active": false }));
    assert_eq!(bench.send("GET", "/services/oauth2/userinfo", None).0, 403);
}

#[test]
fn s7_a_token_agreed_on_beforehand_always_lives() {
    let mut bench = Bench::with(SalesforceConfig { preshared_token: "agreed".to_owned(), ..SalesforceConfig::default() });
    bench.org.expire_tokens();
    "agreed".clone_into(&mut bench.token);
    bench.now += 30 * 24 * 60 * 60 * 1000;
    assert_eq!(bench.get("/limits").0, 200);
}
