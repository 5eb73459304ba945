//! The org's token: fetched by client credentials, shared by all calls, renewed by one caller at a time.
//!
//! Promises: a token and the address that it is good for are replaced together; a renewal that finds another token than the
//! refused one in place fetches none; who asks while a renewal is under way waits for it. Token and secret are never printed.
//! Leaves to others: when to renew (the lane), carrying the request (`client`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use syncline_engine::error::{Error, Kind, Result};
use url::{Url, form_urlencoded};

use super::errors::TOKEN_TABLE;
use crate::systems::answers;
use crate::systems::refusals::{clean_code, lookup};
use crate::transport::{Call, HttpResponse, Method};

/// A token and what came with it.
#[derive(Debug, Clone)]
pub struct Token {
    /// Which of our tokens it is; later ones have higher numbers.
    pub epoch: u64,
    /// The token itself.
    pub secret: SecretString,
    /// Where data calls go.
    pub instance: Url,
    /// The org's id.
    pub org: String,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Arc<Token>>,
    fetched: u64,
    refused: u64,
}

/// The token in use.
#[derive(Debug, Default)]
pub struct Tokens {
    state: Mutex<State>,
    renewal: tokio::sync::Mutex<()>,
}

impl Tokens {
    /// The token in use, unless it was refused.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Token>> {
        let state = self.lock();
        state.token.clone().filter(|token| token.epoch > state.refused)
    }

    /// Notes that Salesforce refused a token. One that was replaced meanwhile changes nothing.
    pub fn refuse(&self, epoch: u64) {
        let mut state = self.lock();
        state.refused = state.refused.max(epoch);
    }

    /// Puts a fetched token in place.
    pub fn replace(&self, fetched: Fetched) {
        let mut state = self.lock();
        state.fetched += 1;
        let Fetched { secret, instance, org } = fetched;
        state.token = Some(Arc::new(Token { epoch: state.fetched, secret, instance, org }));
    }

    /// Waits until nobody else renews.
    pub async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.renewal.lock().await
    }

    /// The state is replaced in single steps, so a panic elsewhere leaves it whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The request for a token.
#[must_use]
pub fn request(client_id: &str, client_secret: &SecretString) -> Call {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", client_id)
        .append_pair("client_secret", client_secret.expose_secret())
        .finish();
    Call { method: Method::Post, target: "/services/oauth2/token".to_owned(), body: form.into_bytes() }
}

/// What a good answer brings.
#[derive(Debug)]
pub struct Fetched {
    secret: SecretString,
    instance: Url,
    org: String,
}

#[derive(Deserialize)]
struct Grant {
    access_token: SecretText,
    instance_url: String,
    id: String,
}

/// Keeps the token out of every derived print from the first byte on.
#[derive(Deserialize)]
#[serde(from = "String")]
struct SecretText(SecretString);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(SecretString::from(text))
    }
}

#[derive(Deserialize)]
struct Refused {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// Reads the answer to a request for a token that went to `asked`.
///
/// # Errors
/// `AuthRefused` with a remedy; `Unreachable` for what passes by itself; `Protocol` for what is no token answer.
pub fn fetched(asked: &Url, response: &HttpResponse) -> Result<Fetched> {
    let doing = "fetching a Salesforce token";
    if (200..300).contains(&response.status) {
        let grant: Grant = answers::json(response).map_err(|why| answers::unreadable_call(doing, &why))?;
        let org = org_of(&grant.id).ok_or_else(|| answers::unreadable_call(doing, "the answer names no org"))?;
        let instance = Url::parse(&grant.instance_url)
            .map_err(|error| answers::unreadable_call(doing, "the answer names no address").caused_by(error))?;
        if asked.scheme() == "https" && instance.scheme() != "https" {
            return Err(answers::unreadable_call(doing, "the answer sends us to an address without TLS"));
        }
        return Ok(Fetched { secret: grant.access_token.0, instance, org });
    }
    let refused = answers::json::<Refused>(response).ok().filter(|_| (400..500).contains(&response.status));
    let Some(refused) = refused else {
        return Err(Error::new(Kind::Unreachable, format!("{doing}: HTTP {}", response.status)));
    };
    let code = clean_code(&refused.error);
    if refused.error_description.contains("rate limit") {
        return Err(Error::new(Kind::Unreachable, format!("{doing}: too many token requests ({code})")));
    }
    let remedy = lookup(TOKEN_TABLE, &code)
        .map_or("see the app's OAuth settings and the integration user's login history", |entry| entry.remedy);
    Err(Error::new(Kind::AuthRefused, format!("{doing}: refused with {code}")).with_remedy(remedy))
}

/// The org's id in an identity URL, `…/id/{org}/{user}`.
fn org_of(identity: &str) -> Option<String> {
    let identity = Url::parse(identity).ok()?;
    let org = identity.path_segments()?.find(|part| part.starts_with("00D"))?;
    super::decode::long_id(org)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> HttpResponse {
        let headers = [("content-type".to_owned(), "application/json;charset=UTF-8".to_owned())].into();
        HttpResponse { status, headers, body: body.as_bytes().to_vec() }
    }

    fn asked() -> Url {
        Url::parse("https://acme.my.salesforce.com").unwrap()
    }

    const GRANT: &str = r#"{"access_token":"00D5g!tok","signature":"x","scope":"api","instance_url":"https://acme.my.salesforce.com",
        "id":"https://login.salesforce.com/id/00D5g000004Kp7QEAS/0055g000007Xy9ZAAS","token_type":"Bearer","issued_at":"1785672000123"}"#;

    #[test]
    fn a_grant_brings_token_address_and_org_and_prints_no_secret() {
        let fetched = fetched(&asked(), &answer(200, GRANT)).unwrap();
        assert_eq!(fetched.org, "00D5g000004Kp7QEAS");
        assert!(!format!("{fetched:?}").contains("tok"));
        let call = request("id", &SecretString::from("s&cret"));
        assert_eq!(
            String::from_utf8(call.body.clone()).unwrap(),
            "grant_type=client_credentials&client_id=id&client_secret=s%26cret"
        );
        assert!(!format!("{call:?}").contains("cret"));
    }

    #[test]
    fn refusals_are_final_and_outages_are_not() {
        let kind = |status, body: &str| fetched(&asked(), &answer(status, body)).unwrap_err().kind;
        assert_eq!(
            kind(400, r#"{"error":"invalid_client","error_description":"invalid client credentials"}"#),
            Kind::AuthRefused
        );
        assert_eq!(kind(401, r#"{"error":"invalid_client"}"#), Kind::AuthRefused);
        assert_eq!(kind(400, r#"{"error":"invalid_grant","error_description":"rate limit exceeded"}"#), Kind::Unreachable);
        assert_eq!(kind(503, "<html>"), Kind::Unreachable);
        assert_eq!(kind(400, "<html>"), Kind::Unreachable);
        assert_eq!(kind(200, "<html>"), Kind::Protocol);
        assert_eq!(kind(200, &GRANT.replace("\"https://acme", "\"http://acme")), Kind::Protocol);
        assert_eq!(kind(200, &GRANT.replace("/id/00D5g000004Kp7QEAS", "/id")), Kind::Protocol);
    }

    #[test]
    fn only_the_refused_token_falls() {
        let tokens = Tokens::default();
        assert!(tokens.current().is_none());
        tokens.replace(fetched(&asked(), &answer(200, GRANT)).unwrap());
        let first = tokens.current().unwrap();
        tokens.refuse(first.epoch);
        assert!(tokens.current().is_none());
        tokens.replace(fetched(&asked(), &answer(200, GRANT)).unwrap());
        tokens.refuse(first.epoch);
        assert_eq!(tokens.current().unwrap().epoch, first.epoch + 1);
    }
}
