//! The ways to sign in to an org, as requests and answers.
//!
//! Promises: pure; a JWT's time is an argument; an answer for which only a person can do something is told apart from one that may
//! pass. Token, secret and key are never printed.
//! Leaves to others: carrying the request and keeping what came (`client`), when to renew (the lane).

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use syncline_core::time::Timestamp;
use syncline_engine::error::{Error, Kind, Result};
use url::{Url, form_urlencoded};

use super::config::SignIn;
use super::errors::TOKEN_TABLE;
use crate::systems::answers;
use crate::systems::refusals::{clean_code, lookup};
use crate::transport::{Call, HttpResponse, Method};

/// How long an assertion is good: what Salesforce takes at most is said to be three minutes or five.
const ASSERTION_LIFE: Duration = Duration::from_secs(120);

/// A token and what came with it.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The token itself.
    pub secret: SecretString,
    /// Where data calls go.
    pub instance: Url,
    /// The org's id.
    pub org: String,
    /// The integration user's id, where the answer tells.
    pub user: Option<String>,
    /// What the token may do, where the answer tells.
    pub scopes: Option<Vec<String>>,
}

/// What a good answer brings.
#[derive(Debug)]
pub struct Fetched {
    /// The token.
    pub grant: Grant,
    /// The refresh token that takes the place of the one that was sent.
    pub rotated: Option<SecretString>,
}

/// A private key in PEM form that was found to be one.
#[derive(Debug, Clone)]
pub struct PrivateKey(SecretString);

impl PrivateKey {
    /// Takes an RSA key, PKCS#1 or PKCS#8; None if the text holds none.
    #[must_use]
    pub fn read(pem: String) -> Option<Self> {
        EncodingKey::from_rsa_pem(pem.as_bytes()).is_ok().then(|| Self(SecretString::from(pem)))
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
}

fn assertion(client_id: &str, username: &str, audience: &str, key: &PrivateKey, now: Timestamp) -> Result<SecretString> {
    // The failures of signing are those of the key, and may quote it.
    let refused = |_| Error::new(Kind::Config, "signing in to Salesforce: the private key signs nothing");
    let signer = EncodingKey::from_rsa_pem(key.0.expose_secret().as_bytes()).map_err(refused)?;
    let exp = now.plus(ASSERTION_LIFE).as_millis() / 1000;
    let claims = Claims { iss: client_id, sub: username, aud: audience, exp };
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &signer).map(SecretString::from).map_err(refused)
}

/// The request for a token; `refresh` is the refresh token in use, for the way that has one.
///
/// # Errors
/// `Config` if the private key cannot sign.
pub fn request(way: &SignIn, refresh: Option<&SecretString>, now: Timestamp) -> Result<Call> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    match way {
        SignIn::ClientCredentials { id, secret } => {
            form.append_pair("grant_type", "client_credentials").append_pair("client_id", id);
            form.append_pair("client_secret", secret.expose_secret());
        }
        SignIn::JwtBearer { client_id, username, audience, key } => {
            let assertion = assertion(client_id, username, audience, key, now)?;
            form.append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
            form.append_pair("assertion", assertion.expose_secret());
        }
        SignIn::RefreshToken { client_id, client_secret, refresh_token } => {
            form.append_pair("grant_type", "refresh_token").append_pair("client_id", client_id);
            if let Some(secret) = client_secret {
                form.append_pair("client_secret", secret.expose_secret());
            }
            form.append_pair("refresh_token", refresh.unwrap_or(refresh_token).expose_secret());
        }
    }
    Ok(Call { method: Method::Post, target: "/services/oauth2/token".to_owned(), body: form.finish().into_bytes() })
}

#[derive(Deserialize)]
struct GrantAnswer {
    access_token: SecretText,
    instance_url: String,
    id: String,
    scope: Option<String>,
    refresh_token: Option<SecretText>,
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
/// `AuthEnded` with a remedy where a person has to act; `Unreachable` for what passes by itself; `Protocol` for what is no token answer.
pub fn fetched(asked: &Url, way: &SignIn, response: &HttpResponse) -> Result<Fetched> {
    let doing = "fetching a Salesforce token";
    if (200..300).contains(&response.status) {
        let grant: GrantAnswer = answers::json(response).map_err(|why| answers::unreadable_call(doing, &why))?;
        let org = id_in(&grant.id, "00D").ok_or_else(|| answers::unreadable_call(doing, "the answer names no org"))?;
        let instance = Url::parse(&grant.instance_url)
            .map_err(|error| answers::unreadable_call(doing, "the answer names no address").caused_by(error))?;
        if asked.scheme() == "https" && instance.scheme() != "https" {
            return Err(answers::unreadable_call(doing, "the answer sends us to an address without TLS"));
        }
        let scopes = grant.scope.map(|scopes| scopes.split_whitespace().map(str::to_owned).collect());
        let rotated = grant.refresh_token.map(|token| token.0);
        return Ok(Fetched { grant: Grant { secret: grant.access_token.0, instance, org, user: id_in(&grant.id, "005"), scopes }, rotated });
    }
    let refused = answers::json::<Refused>(response).ok().filter(|_| (400..500).contains(&response.status));
    let Some(refused) = refused else {
        return Err(Error::new(Kind::Unreachable, format!("{doing}: HTTP {}", response.status)));
    };
    let code = clean_code(&refused.error);
    let text = refused.error_description.to_ascii_lowercase();
    if text.contains("rate limit") {
        return Err(Error::new(Kind::Unreachable, format!("{doing}: too many token requests ({code})")));
    }
    Err(refusal(doing, way, &code, &text))
}

/// Salesforce says with its description alone what a grant lacks; it is read and never repeated.
const GRANT_FAULTS: &[(&str, &str, &str)] = &[
    (
        "expired access/refresh token",
        "the refresh token is expired or revoked",
        "sign the integration user in again and configure the new refresh token",
    ),
    (
        "hasn't approved",
        "the user has not approved the app",
        "in the app's policies choose pre-authorised users and give the integration user's profile or permission set access",
    ),
    (
        "audience",
        "the audience is not the one that Salesforce expects",
        "set audience to https://login.salesforce.com, or https://test.salesforce.com for a sandbox",
    ),
    (
        "assertion",
        "the assertion is not accepted",
        "see that the app holds the certificate of this private key, that username is right, and that this machine's clock is",
    ),
    ("inactive user", "the user is inactive", "activate the integration user, or name another"),
    ("inactive organization", "the org is inactive", "activate the org"),
    ("ip restricted", "this address is not allowed", "allow this machine's address in the app's policies or the user's profile"),
    ("authentication failure", "the user or its credentials are wrong", "correct the credentials"),
];

fn refusal(doing: &str, way: &SignIn, code: &str, text: &str) -> Error {
    if let Some((_, found, remedy)) = GRANT_FAULTS.iter().find(|(sign, ..)| code == "invalid_grant" && text.contains(sign)) {
        // A clock that is wrong may be set right without us.
        let is_clock = *found == "the assertion is not accepted" && text.contains("expired");
        let kind = if is_clock { Kind::AuthRefused } else { Kind::AuthEnded };
        return Error::new(kind, format!("{doing}: {found} ({code})")).with_remedy(*remedy);
    }
    let remedy = match (code, way) {
        ("invalid_grant", SignIn::JwtBearer { .. }) => "see the integration user's login history for the reason",
        ("invalid_grant", SignIn::RefreshToken { .. }) => "sign the integration user in again and configure the new refresh token",
        _ => lookup(TOKEN_TABLE, code).map_or("see the app's OAuth settings and the integration user's login history", |entry| entry.remedy),
    };
    Error::new(Kind::AuthEnded, format!("{doing}: refused with {code}")).with_remedy(remedy)
}

/// The id of that kind in an identity URL, `…/id/{org}/{user}`.
fn id_in(identity: &str, kind: &str) -> Option<String> {
    let identity = Url::parse(identity).ok()?;
    let id = identity.path_segments()?.find(|part| part.starts_with(kind))?;
    super::decode::long_id(id)
}

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
