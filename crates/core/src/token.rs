//! What lets a caller in: a token's name, what it is for and whose it is, with the digest of its secret.
//!
//! Promises: the secret itself is in no row and no value here; a token that was revoked lets nobody in again.
//! Leaves to others: making secrets and comparing them (the app's doors), keeping tokens (the store).

use crate::time::Timestamp;

/// A token as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its name, for people; one token bears it for ever.
    pub name: String,
    /// What it may do.
    pub scope: TokenScope,
    /// Whose data it reaches.
    pub tenant: String,
    /// SHA-256 of the secret in lower-case hexadecimal digits.
    pub digest: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenScope {
    /// Send events.
    Events,
}

impl TokenScope {
    /// Every scope.
    pub const ALL: [Self; 1] = [Self::Events];

    /// The scope's name in tables, messages and secrets.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
        }
    }
}
