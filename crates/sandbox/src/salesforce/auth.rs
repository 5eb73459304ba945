//! The token endpoint and the tokens it gave out.
//!
//! Promises: client credentials are taken from the form or from HTTP Basic; a token lives as long as it is used
//! at least once per token life; tokens and signatures follow from counters and times, not from chance.
//! Leaves to others: the answer to a data call without a live token (`mod`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::config::SalesforceConfig;
use super::{form, ids, wire};
use crate::exchange::{Millis, Request, Response};

/// Live tokens with the time of their last use.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    last_use: BTreeMap<String, Millis>,
    /// The number of the next token.
    pub(super) next: u64,
    changed: BTreeSet<String>,
}

impl Tokens {
    /// Gives out a new token.
    pub(super) fn issue(&mut self, config: &SalesforceConfig, now: Millis) -> String {
        self.last_use.iter().filter(|(_, used)| now - **used >= config.token_life_ms).for_each(|(token, _)| {
            self.changed.insert(token.clone());
        });
        self.last_use.retain(|_, used| now - *used < config.token_life_ms);
        let org = config.org_id.get(..15).unwrap_or(&config.org_id);
        let token = format!("{org}!AQ0AQ{}", opaque(&format!("{}/{now}", self.next)).replace(['+', '/', '='], "."));
        self.next += 1;
        self.set(&token, Some(now));
        self.changed.insert(token.clone());
        token
    }

    /// Whether the request carries a live token, whose life begins anew.
    pub(super) fn admit(&mut self, request: &Request, life: Millis, now: Millis) -> bool {
        let Some((scheme, token)) = request.headers.get("authorization").and_then(|value| value.split_once(' ')) else { return false };
        if !scheme.eq_ignore_ascii_case("bearer") && !scheme.eq_ignore_ascii_case("oauth") {
            return false;
        }
        let token = token.trim();
        let Some(used) = self.last_use.get_mut(token) else { return false };
        let live = now - *used < life;
        if live {
            *used = now;
        } else {
            self.last_use.remove(token);
        }
        self.changed.insert(token.to_owned());
        live
    }

    /// Ends every session.
    pub(super) fn expire_all(&mut self) {
        self.changed.extend(std::mem::take(&mut self.last_use).into_keys());
    }

    /// Sets or ends one session.
    pub(super) fn set(&mut self, token: &str, last_use: Option<Millis>) {
        match last_use {
            Some(at) => self.last_use.insert(token.to_owned(), at),
            None => self.last_use.remove(token),
        };
    }

    /// Every session with its last use.
    pub(super) fn all(&self) -> &BTreeMap<String, Millis> {
        &self.last_use
    }

    /// Sessions that changed since the last call; None for those that ended.
    pub(super) fn drain(&mut self) -> Vec<(String, Option<Millis>)> {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().map(|token| (self.last_use.get(&token).copied(), token)).map(|(used, token)| (token, used)).collect()
    }
}

/// Answers the token endpoint.
pub(super) fn token(tokens: &mut Tokens, config: &SalesforceConfig, request: &Request, now: Millis) -> Response {
    if request.method != "POST" {
        return refused(400, "invalid_request", "must use HTTP POST");
    }
    let pairs = form::pairs(&request.body);
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    match value("grant_type").as_deref() {
        Some("client_credentials") => {}
        Some(_) => return refused(400, "unsupported_grant_type", "grant type not supported"),
        None => return refused(400, "invalid_request", "missing required parameter: grant_type"),
    }
    let (id, secret) = basic(request).map_or_else(|| (value("client_id"), value("client_secret")), |(id, secret)| (Some(id), Some(secret)));
    let (Some(id), Some(secret)) = (id, secret) else {
        return refused(400, "invalid_request", "missing required parameter: client_id or client_secret");
    };
    if id != config.client_id {
        return refused(400, "invalid_client_id", "client identifier invalid");
    }
    if secret != config.client_secret {
        return refused(config.invalid_client_status, "invalid_client", "invalid client credentials");
    }
    let identity = format!("https://login.salesforce.com/id/{}/{}", config.org_id, ids::INTEGRATION_USER);
    let body = json!({
        "access_token": tokens.issue(config, now),
        "signature": opaque(&format!("{identity}{now}{secret}")),
        "scope": "api",
        "instance_url": config.instance_url,
        "id": identity,
        "token_type": "Bearer",
        "issued_at": now.to_string()
    });
    not_stored(wire::json(200, &body))
}

/// Answers the revocation endpoint.
pub(super) fn revoke(tokens: &mut Tokens, request: &Request) -> Response {
    let token = form::pairs(&request.body).into_iter().find(|(name, _)| name == "token").map(|(_, value)| value);
    match token.filter(|token| tokens.last_use.remove(token).is_some()) {
        Some(token) => {
            tokens.changed.insert(token);
            wire::empty(200)
        }
        None => refused(400, "unsupported_token_type", "this token type is not supported"),
    }
}

/// A token error: one bare object.
pub(super) fn refused(status: u16, error: &str, description: &str) -> Response {
    not_stored(wire::json(status, &json!({ "error": error, "error_description": description })))
}

fn not_stored(mut response: Response) -> Response {
    response.headers.push(("Cache-Control".to_owned(), "no-store".to_owned()));
    response
}

fn basic(request: &Request) -> Option<(String, String)> {
    let (scheme, encoded) = request.headers.get("authorization")?.split_once(' ')?;
    let text = String::from_utf8(form::read_base64(encoded.trim()).filter(|_| scheme.eq_ignore_ascii_case("basic"))?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((form::percent(id), form::percent(secret)))
}

/// 32 bytes in Base64 that follow from the seed and look like nothing; a stand-in for a keyed hash.
fn opaque(seed: &str) -> String {
    let mut state = seed.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let bytes: Vec<u8> = (0..4)
        .flat_map(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (mixed ^ (mixed >> 27)).to_be_bytes()
        })
        .collect();
    form::base64(&bytes)
}
