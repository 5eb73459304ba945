//! The ways to sign in to a HubSpot account: a static token, or OAuth's tokens that live half an hour.
//!
//! Promises: pure requests and answers; an OAuth token is renewed by the clock, a margin before its end, since HubSpot says that a 401
//! is no reliable sign; an answer for which only a person can do something is told apart from one that may pass. Never printed.
//! Leaves to others: carrying the request and keeping what came (`client`), when to renew (the lane).

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use syncline_engine::error::{Error, Kind, Result};
use url::form_urlencoded;

use super::config::OAuthApp;
use super::errors::{self, TABLE};
use crate::systems::answers;
use crate::systems::refusals::{clean_code, lookup};
use crate::transport::{Call, HttpResponse, Method};

/// A token and what came with it.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The token itself.
    pub secret: SecretString,
    /// What it may do, where the answer tells.
    pub scopes: Option<Vec<String>>,
}

/// What a good answer brings.
#[derive(Debug)]
pub struct Fetched {
    /// The token.
    pub grant: Grant,
    /// How long it may be used, the margin taken off.
    pub life: Duration,
    /// The refresh token that goes with it from now on.
    pub refresh: Option<SecretString>,
}

/// A token is renewed so long before its end, or a sixth of its life if that is less.
const MARGIN_MAX: Duration = Duration::from_secs(300);

/// The request for a token.
#[must_use]
pub fn request(version: &str, app: &OAuthApp, refresh: &SecretString) -> Call {
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "refresh_token")
        .append_pair("client_id", &app.client_id)
        .append_pair("client_secret", app.client_secret.expose_secret())
        .append_pair("refresh_token", refresh.expose_secret())
        .finish();
    Call { method: Method::Post, target: format!("/oauth/{version}/token"), body: body.into_bytes() }
}

/// Keeps a token out of every derived print from the first byte on.
#[derive(Deserialize)]
#[serde(from = "String")]
struct SecretText(SecretString);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(SecretString::from(text))
    }
}

#[derive(Deserialize)]
struct GrantAnswer {
    access_token: SecretText,
    refresh_token: Option<SecretText>,
    expires_in: u64,
    scopes: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Refused {
    #[serde(default)]
    status: String,
    #[serde(default)]
    error: String,
}

/// Reads the answer to a request for a token.
///
/// # Errors
/// `AuthEnded` with a remedy where a person has to act; `Unreachable` for what passes by itself; `Protocol` for no token answer.
pub fn fetched(response: &HttpResponse) -> Result<Fetched> {
    let doing = "fetching a HubSpot token";
    if (200..300).contains(&response.status) {
        let grant: GrantAnswer = answers::json(response).map_err(|why| answers::unreadable_call(doing, &why))?;
        let whole = Duration::from_secs(grant.expires_in);
        let life = whole - MARGIN_MAX.min(whole / 6);
        let refresh = grant.refresh_token.map(|token| token.0);
        return Ok(Fetched { grant: Grant { secret: grant.access_token.0, scopes: grant.scopes }, life, refresh });
    }
    let refused = answers::json::<Refused>(response).ok().filter(|_| (400..500).contains(&response.status) && response.status != 429);
    let Some(refused) = refused.filter(|refused| !(refused.status.is_empty() && refused.error.is_empty())) else {
        return Err(Error::new(Kind::Unreachable, format!("{doing}: HTTP {}", response.status)));
    };
    let code = clean_code(if refused.status.is_empty() { &refused.error } else { &refused.status });
    let remedy = lookup(TABLE, &code).map_or("connect the account again and configure the new refresh token", |entry| entry.remedy);
    Err(Error::new(Kind::AuthEnded, format!("{doing}: refused with {code}")).with_remedy(remedy))
}

/// What a refused static token means. It is tried again later, since a 401 does not always mean what it says.
#[must_use]
pub fn static_refused() -> Error {
    Error::new(Kind::AuthRefused, "HubSpot refused the token")
        .with_remedy("make a new token in the account's service keys or private app and put it into the configuration")
}

/// Whether an answer speaks against the token that was sent.
#[must_use]
pub fn is_refusal(response: &HttpResponse) -> bool {
    response.status == errors::UNAUTHORISED
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    fn answer(status: u16, body: &str) -> HttpResponse {
        let headers = [("content-type".to_owned(), "application/json;charset=utf-8".to_owned())].into();
        HttpResponse { status, headers, body: body.as_bytes().to_vec() }
    }

    const GRANT: &str = r#"{"token_type":"bearer","access_token":"CN2a","refresh_token":"eu1-7c1f","expires_in":1800,"hub_id":4400123,
        "scopes":["oauth","crm.objects.contacts.read"],"token_use":"access_token"}"#;

    #[test]
    fn the_request_is_a_form_in_the_body() {
        let app = OAuthApp { client_id: "id".into(), client_secret: secret("s&c"), refresh_token: secret("r1") };
        let call = request("v3", &app, &secret("r2"));
        assert_eq!(call.target, "/oauth/v3/token");
        let body = String::from_utf8(call.body.clone()).unwrap();
        assert_eq!(body, "grant_type=refresh_token&client_id=id&client_secret=s%26c&refresh_token=r2");
        assert!(!format!("{app:?}{call:?}").contains("s&c"));
        assert_eq!(request("2026-03", &app, &secret("r2")).target, "/oauth/2026-03/token");
    }

    #[test]
    fn a_token_is_used_until_a_margin_before_its_end() {
        let good = fetched(&answer(200, GRANT)).unwrap();
        assert_eq!(good.life, Duration::from_secs(1500));
        assert_eq!(good.refresh.as_ref().map(|token| token.expose_secret()), Some("eu1-7c1f"));
        assert_eq!(good.grant.scopes.as_deref(), Some(&["oauth".to_owned(), "crm.objects.contacts.read".to_owned()][..]));
        assert!(!format!("{good:?}").contains("CN2a"));
        let short = fetched(&answer(200, &GRANT.replace("1800", "6"))).unwrap();
        assert_eq!(short.life, Duration::from_secs(5));
    }

    #[test]
    fn refusals_are_final_and_outages_are_not() {
        let told = |status, body: &str| {
            let error = fetched(&answer(status, body)).unwrap_err();
            format!("{:?}: {error}: {}", error.kind, error.remedy())
        };
        let all = [
            told(400, r#"{"error":"invalid_grant","status":"BAD_REFRESH_TOKEN","message":"refresh token eu1-7c1f is invalid"}"#),
            told(400, r#"{"status":"BAD_HUB","message":"missing or unknown hub id","error":"access_denied"}"#),
            told(400, r#"{"status":"BAD_CLIENT_SECRET"}"#),
            told(400, r#"{"error":"invalid_client"}"#),
            told(400, "{}"),
            told(429, r#"{"status":"error","message":"slow down"}"#),
            told(503, "<html>"),
            told(200, "<html>"),
        ];
        assert!(!all.join("").contains("eu1"));
        insta::assert_snapshot!(all.join("\n"));
    }
}
