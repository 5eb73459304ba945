//! The OAuth grants of the account: codes, refresh tokens and access tokens.
//!
//! Promises: tokens come from a count, so the same requests give the same tokens; a code works once, within a minute; a
//! refresh token lives until it is revoked, its access tokens end by the clock alone.
//! Leaves to others: what requests and answers look like (`oauth`), which calls a token may make (`auth`).

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::config::OAuthApp;
use crate::exchange::Millis;

const CODE_MS: Millis = 60_000;
/// How long an ended access token is remembered, to be told apart from one that never was.
const REMEMBERED_MS: Millis = 24 * 3_600_000;

/// Everything that the account has granted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Grants {
    issued: u64,
    codes: BTreeMap<String, Code>,
    /// Scopes by refresh token.
    refresh: BTreeMap<String, BTreeSet<String>>,
    access: BTreeMap<String, Access>,
}

/// A code between the browser and the first token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Code {
    pub(super) redirect_uri: String,
    pub(super) scopes: BTreeSet<String>,
    /// The hash that `code_verifier` must give, if the browser brought one.
    pub(super) challenge: Option<String>,
    pub(super) ends_at: Millis,
}

/// An access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Access {
    pub(super) scopes: BTreeSet<String>,
    pub(super) ends_at: Millis,
}

impl Grants {
    /// The refresh tokens that exist from the start.
    pub(super) fn new(app: &OAuthApp) -> Self {
        let refresh = app.refresh_tokens.iter().map(|token| (token.clone(), app.scopes.iter().cloned().collect()));
        Self { refresh: refresh.collect(), ..Self::default() }
    }

    /// A code for the browser to carry back.
    pub(super) fn issue_code(&mut self, redirect_uri: &str, scopes: BTreeSet<String>, challenge: Option<String>, now: Millis) -> String {
        let code = self.text("code");
        let entry = Code { redirect_uri: redirect_uri.to_owned(), scopes, challenge, ends_at: now + CODE_MS };
        self.codes.insert(code.clone(), entry);
        code
    }

    /// Takes a code out of circulation.
    pub(super) fn take_code(&mut self, code: &str) -> Option<Code> {
        self.codes.remove(code)
    }

    /// A refresh token with those scopes.
    pub(super) fn issue_refresh(&mut self, scopes: BTreeSet<String>) -> String {
        let token = format!("eu1-{}", self.text("refresh"));
        self.refresh.insert(token.clone(), scopes);
        token
    }

    /// The scopes of a refresh token that is not revoked.
    pub(super) fn refresh_scopes(&self, token: &str) -> Option<&BTreeSet<String>> {
        self.refresh.get(token)
    }

    /// An access token with those scopes.
    pub(super) fn issue_access(&mut self, scopes: BTreeSet<String>, seconds: i64, now: Millis) -> String {
        self.access.retain(|_, access| access.ends_at + REMEMBERED_MS > now);
        let token = format!("C{}", self.text("access"));
        self.access.insert(token.clone(), Access { scopes, ends_at: now + seconds * 1000 });
        token
    }

    /// An access token, ended or not.
    pub(super) fn access(&self, token: &str) -> Option<&Access> {
        self.access.get(token)
    }

    /// Ends a refresh or access token for good; whether there was one.
    pub(super) fn revoke(&mut self, token: &str) -> bool {
        let refresh = self.refresh.remove(token).is_some();
        self.access.remove(token).is_some() || refresh
    }

    /// Ends every access token now.
    pub(super) fn end_all(&mut self, now: Millis) {
        for access in self.access.values_mut() {
            access.ends_at = access.ends_at.min(now);
        }
    }

    fn text(&mut self, what: &str) -> String {
        self.issued += 1;
        digest(&format!("{what} {}", self.issued))
    }
}

/// The SHA-256 of a text in the alphabet of URLs: also what PKCE calls `S256`.
pub(super) fn digest(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}
