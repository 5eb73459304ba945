//! Who may ask: bearer tokens, known by the SHA-256 of their secret.
//!
//! Promises: a secret is looked at in constant time and kept nowhere; a token that is missing, unknown or revoked is refused with one
//! and the same answer. Where tokens are known, or others can reach the address, none is let in without; and no page in a browser ever.
//! Leaves to others: keeping tokens (the store), making them (`control`).

use std::fmt::Write;
use std::sync::{Arc, PoisonError, RwLock};

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use syncline_core::token::{Token, TokenScope};
use syncline_engine::error::{Error, Kind, Result};

use crate::config::{ApiConfig, TokenConfig};

/// Every token that is known.
#[derive(Debug, Default)]
pub struct TokenBook {
    configured: RwLock<Vec<TokenConfig>>,
    kept: RwLock<Vec<Token>>,
    is_public: bool,
}

/// Whom a token belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The token's name; empty where none is needed.
    pub name: Arc<str>,
    /// Whose data it reaches.
    pub tenant: Arc<str>,
}

impl TokenBook {
    /// The tokens of a configuration and of a store.
    #[must_use]
    pub fn new(config: &ApiConfig, kept: Vec<Token>) -> Self {
        Self { configured: RwLock::new(config.tokens.clone()), kept: RwLock::new(kept), is_public: !config.listen.ip().is_loopback() }
    }

    /// Takes the store's tokens as they are now.
    pub fn replace(&self, kept: Vec<Token>) {
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = kept;
    }

    /// Takes the configuration's tokens as they are now.
    pub fn reconfigure(&self, configured: Vec<TokenConfig>) {
        *self.configured.write().unwrap_or_else(PoisonError::into_inner) = configured;
    }

    fn configured(&self) -> std::sync::RwLockReadGuard<'_, Vec<TokenConfig>> {
        self.configured.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether callers need a token. A token that was revoked does not open the door to everybody.
    #[must_use]
    pub fn is_needed(&self) -> bool {
        self.is_public || !self.is_empty()
    }

    /// Whether no token is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.configured().is_empty() && self.kept.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Who asks, by the request's headers; None if they may not.
    #[must_use]
    pub fn bearer(&self, headers: &HeaderMap) -> Option<Bearer> {
        if !self.is_needed() {
            // A page in a browser is no program of this machine's, whatever address it was led to.
            if headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site") {
                return None;
            }
            return Some(Bearer { name: Arc::from(""), tenant: Arc::from(crate::config::TENANT) });
        }
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, secret) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let digest = digest(secret.trim());
        let mut found = None;
        for token in self.configured().iter() {
            if bool::from(token.sha256.as_bytes().ct_eq(digest.as_bytes())) {
                found = Some(Bearer { name: Arc::from(token.name.as_str()), tenant: Arc::from(token.tenant.as_str()) });
            }
        }
        for token in self.kept.read().unwrap_or_else(PoisonError::into_inner).iter() {
            let is_in_force = token.revoked_at.is_none() && token.scope == TokenScope::Events;
            if bool::from(token.digest.as_bytes().ct_eq(digest.as_bytes())) && is_in_force {
                found = Some(Bearer { name: Arc::from(token.name.as_str()), tenant: Arc::from(token.tenant.as_str()) });
            }
        }
        found
    }
}

/// The digest of a secret, in hexadecimal digits.
#[must_use]
pub fn digest(secret: &str) -> String {
    hexadecimal(&Sha256::digest(secret.as_bytes()))
}

/// A new secret with its digest: the secret is shown once and kept nowhere.
///
/// # Errors
/// `Internal` if the machine gives no randomness.
pub fn make_secret(scope: TokenScope) -> Result<(String, String)> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| Error::new(Kind::Internal, format!("the machine gives no randomness: {error}")))?;
    let secret = format!("syncline_{}_{}", scope.name(), hexadecimal(&bytes));
    let digest = digest(&secret);
    Ok((secret, digest))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};
    use syncline_core::time::Timestamp;
    use syncline_core::token::{Token, TokenScope};

    use super::{TokenBook, digest, make_secret};
    use crate::config::ApiConfig;

    fn asking(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        headers
    }

    fn token(name: &str, digest: String, revoked: bool) -> Token {
        Token {
            name: name.into(),
            scope: TokenScope::Events,
            tenant: "default".into(),
            digest,
            created_at: Timestamp(1),
            revoked_at: revoked.then_some(Timestamp(2)),
        }
    }

    #[test]
    fn a_token_in_force_is_let_in_and_no_other() {
        let (secret, made) = make_secret(TokenScope::Events).unwrap();
        assert!(secret.starts_with("syncline_events_") && secret.len() == 16 + 64, "{}", secret.len());
        assert_eq!(digest(&secret), made);
        let book = TokenBook::new(&ApiConfig::default(), vec![token("bridge", made.clone(), false)]);
        assert_eq!(&*book.bearer(&asking(&format!("Bearer {secret}"))).unwrap().name, "bridge");
        for wrong in ["Bearer ", "Bearer syncline_events_0", &format!("Basic {secret}"), &secret] {
            assert_eq!(book.bearer(&asking(wrong)), None);
        }
        assert_eq!(book.bearer(&HeaderMap::new()), None);
        book.replace(vec![token("bridge", made, true)]);
        assert_eq!(book.bearer(&asking(&format!("Bearer {secret}"))), None);
        assert_eq!(book.bearer(&HeaderMap::new()), None, "a revoked token opens the door to nobody");
    }

    #[test]
    fn on_loopback_without_tokens_everybody_is_let_in_and_elsewhere_nobody() {
        let loopback = TokenBook::new(&ApiConfig::default(), Vec::new());
        assert!(loopback.bearer(&HeaderMap::new()).is_some());
        let mut page = HeaderMap::new();
        page.insert(header::ORIGIN, HeaderValue::from_static("http://127.0.0.1:8480"));
        assert_eq!(loopback.bearer(&page), None);
        let public = ApiConfig { listen: ([0, 0, 0, 0], 1).into(), ..ApiConfig::default() };
        assert_eq!(TokenBook::new(&public, Vec::new()).bearer(&HeaderMap::new()), None);
    }
}
