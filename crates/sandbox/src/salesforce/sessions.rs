//! Sessions, refresh tokens and authorization codes that the org gave out.
//!
//! Promises: a session lives as long as it is used at least once per token life; a code is good once; what is given
//! out follows from counters and times, not from chance.
//! Leaves to others: which grant earns what (`auth`), the answer to a data call without a live token (`mod`).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::config::SalesforceConfig;
use super::form;
use crate::exchange::{Millis, Request};

/// Live tokens with the time of their last use.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// Refresh tokens that are good for a new access token.
    refresh: BTreeSet<String>,
    refresh_changed: bool,
    codes: BTreeMap<String, Code>,
    codes_changed: bool,
    last_use: BTreeMap<String, Millis>,
    /// The number of the next token.
    pub(super) next: u64,
    changed: BTreeSet<String>,
}

/// What an authorization code was given out for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Code {
    pub(super) redirect_uri: String,
    /// The PKCE challenge, S256; None if the client sent none.
    pub(super) challenge: Option<String>,
    pub(super) given: Millis,
}

impl Tokens {
    /// No session, and the refresh token that an administrator was given beforehand.
    pub(super) fn new(config: &SalesforceConfig) -> Self {
        let refresh = Some(config.refresh_token.clone()).filter(|token| !token.is_empty());
        Self { refresh: refresh.into_iter().collect(), ..Self::default() }
    }

    /// Gives out a new refresh token.
    pub(super) fn issue_refresh(&mut self, now: Millis) -> String {
        let token = format!("5Aep861{}", self.fresh("refresh", now));
        self.refresh.insert(token.clone());
        self.refresh_changed = true;
        token
    }

    /// Whether a refresh token is good.
    pub(super) fn may_refresh(&self, token: &str) -> bool {
        self.refresh.contains(token)
    }

    /// Ends a refresh token; false if there is none.
    pub(super) fn end_refresh(&mut self, token: &str) -> bool {
        let ended = self.refresh.remove(token);
        self.refresh_changed |= ended;
        ended
    }

    /// Every refresh token.
    pub(super) fn refresh(&self) -> &BTreeSet<String> {
        &self.refresh
    }

    /// Replaces every refresh token.
    pub(super) fn set_refresh(&mut self, refresh: BTreeSet<String>) {
        self.refresh = refresh;
    }

    /// Every refresh token if one came or went since the last call.
    pub(super) fn drain_refresh(&mut self) -> Option<&BTreeSet<String>> {
        std::mem::take(&mut self.refresh_changed).then_some(&self.refresh)
    }

    /// Gives out an authorization code.
    pub(super) fn issue_code(&mut self, code: Code, now: Millis) -> String {
        let name = format!("aPrx{}", self.fresh("code", now));
        self.codes.insert(name.clone(), code);
        self.codes_changed = true;
        name
    }

    /// Takes an authorization code, which is good once.
    pub(super) fn take_code(&mut self, code: &str) -> Option<Code> {
        let taken = self.codes.remove(code);
        self.codes_changed |= taken.is_some();
        taken
    }

    /// Every authorization code that is still good.
    pub(super) fn codes(&self) -> &BTreeMap<String, Code> {
        &self.codes
    }

    /// Replaces every authorization code.
    pub(super) fn set_codes(&mut self, codes: BTreeMap<String, Code>) {
        self.codes = codes;
    }

    /// Every authorization code if one came or went since the last call.
    pub(super) fn drain_codes(&mut self) -> Option<&BTreeMap<String, Code>> {
        std::mem::take(&mut self.codes_changed).then_some(&self.codes)
    }

    /// Ends one session; false if there is none.
    pub(super) fn end(&mut self, token: &str) -> bool {
        let ended = self.last_use.remove(token).is_some();
        if ended {
            self.changed.insert(token.to_owned());
        }
        ended
    }

    /// When the token was last used, if it still lives.
    pub(super) fn last_use(&self, token: &str, life: Millis, now: Millis) -> Option<Millis> {
        self.last_use.get(token).copied().filter(|used| now - used < life)
    }

    fn fresh(&mut self, what: &str, now: Millis) -> String {
        let number = self.next;
        self.next += 1;
        opaque(&format!("{what}/{number}/{now}")).replace(['+', '/', '='], ".")
    }

    /// Gives out a new token.
    pub(super) fn issue(&mut self, config: &SalesforceConfig, now: Millis) -> String {
        self.last_use.iter().filter(|(_, used)| now - **used >= config.token_life_ms).for_each(|(token, _)| {
            self.changed.insert(token.clone());
        });
        self.last_use.retain(|_, used| now - *used < config.token_life_ms);
        let org = config.org_id.get(..15).unwrap_or(&config.org_id);
        let token = format!("{org}!AQ0AQ{}", self.fresh("access", now));
        self.set(&token, Some(now));
        self.changed.insert(token.clone());
        token
    }

    /// Whether the request carries a live token, whose life begins anew.
    pub(super) fn admit(&mut self, request: &Request, config: &SalesforceConfig, now: Millis) -> bool {
        bearer(request).is_some_and(|token| self.admit_token(token, config, now))
    }

    /// Whether a token lives; its life begins anew. The token that was agreed on beforehand lives forever.
    pub(super) fn admit_token(&mut self, token: &str, config: &SalesforceConfig, now: Millis) -> bool {
        if !config.preshared_token.is_empty() && token == config.preshared_token {
            return true;
        }
        let life = config.token_life_ms;
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

/// The token of a request's `Authorization` header.
pub(super) fn bearer(request: &Request) -> Option<&str> {
    let (scheme, token) = request.headers.get("authorization")?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth")).then(|| token.trim())
}

/// 32 bytes in Base64 that follow from the seed and look like nothing.
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
