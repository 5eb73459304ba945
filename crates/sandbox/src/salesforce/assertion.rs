//! Signed assertions of the JWT bearer grant.
//!
//! Promises: the signature is checked against the app's certificate or public key, RS256 and nothing else; the time is an
//! argument; `exp` is a number or a numeric text, and three minutes of clock skew are forgiven either way.
//! Leaves to others: the token that is given in return (`auth`).

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::Value;

use super::config::SalesforceConfig;
use crate::exchange::Millis;

/// How far an assertion may reach into the future.
const LIFE_MAX_S: i64 = 5 * 60;
/// How far the clocks may differ.
const SKEW_S: i64 = 3 * 60;

/// Why an assertion earns no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Unreadable,
    UnknownClient,
    WrongAudience,
    NotApproved,
}

impl Refusal {
    /// The error's name.
    pub(super) fn error(self) -> &'static str {
        match self {
            Self::UnknownClient => "invalid_client_id",
            Self::Unreadable | Self::WrongAudience | Self::NotApproved => "invalid_grant",
        }
    }

    /// The error's text.
    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Unreadable => "invalid assertion",
            Self::UnknownClient => "client identifier invalid",
            Self::WrongAudience => "Audience validation failed",
            Self::NotApproved => "user hasn't approved this consumer",
        }
    }
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Value,
    exp: Value,
}

/// Checks an assertion that came to a host at a time.
pub(super) fn check(assertion: &str, config: &SalesforceConfig, host: &str, now: Millis) -> Result<(), Refusal> {
    let key = DecodingKey::from_rsa_pem(config.jwt_certificate.as_bytes()).map_err(|_| Refusal::Unreadable)?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let claims = jsonwebtoken::decode::<Claims>(assertion, &key, &validation).map_err(|_| Refusal::Unreadable)?.claims;
    if claims.iss != config.client_id {
        return Err(Refusal::UnknownClient);
    }
    if !audiences(&claims.aud).any(|audience| is_ours(audience, config, host)) {
        return Err(Refusal::WrongAudience);
    }
    let ends = seconds(&claims.exp).ok_or(Refusal::Unreadable)?;
    let left = ends - now.div_euclid(1000);
    if !(-SKEW_S..=LIFE_MAX_S + SKEW_S).contains(&left) {
        return Err(Refusal::Unreadable);
    }
    if !config.jwt_approved || !claims.sub.eq_ignore_ascii_case(&config.username) {
        return Err(Refusal::NotApproved);
    }
    Ok(())
}

fn audiences(claim: &Value) -> impl Iterator<Item = &str> {
    let several = claim.as_array().map_or(&[][..], Vec::as_slice);
    claim.as_str().into_iter().chain(several.iter().filter_map(Value::as_str))
}

/// Whether an audience names a login host, this org or the host that was asked, with or without scheme and path.
fn is_ours(audience: &str, config: &SalesforceConfig, host: &str) -> bool {
    let bare = |url: &str| {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        rest.split('/').next().unwrap_or("").to_ascii_lowercase()
    };
    let audience = bare(audience);
    !audience.is_empty()
        && ["login.salesforce.com", "test.salesforce.com", &bare(&config.instance_url), &host.to_ascii_lowercase()].contains(&audience.as_str())
}

fn seconds(claim: &Value) -> Option<i64> {
    claim.as_i64().or_else(|| claim.as_str()?.trim().parse().ok())
}
