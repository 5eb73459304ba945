//! One entry of the configuration's history: when which configuration came into force, by whom, and what differed.
//!
//! Promises: holds no secret; numbers rise by one. Leaves to others: comparing configurations and hiding secrets (the app),
//! keeping entries (the store).

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A configuration that came into force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigEntry {
    /// Counts from 1.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// By what.
    pub cause: ConfigCause,
    /// Who asked for it, as far as is known.
    pub who: String,
    /// What differs from the entry before; all of it in the first.
    pub changes: Vec<KeyChange>,
    /// SHA-256 of the text in lower-case hexadecimal digits.
    pub digest: String,
    /// The whole, as YAML without secrets.
    pub text: String,
}

/// By what a configuration came into force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConfigCause {
    /// The process started with it.
    Start,
    /// The process was told to read it again.
    Reload,
    /// A command changed a value.
    Set,
}

impl ConfigCause {
    /// Every cause.
    pub const ALL: [Self; 3] = [Self::Start, Self::Reload, Self::Set];

    /// The cause's name in tables and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Reload => "reload",
            Self::Set => "set",
        }
    }
}

/// What became of one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyChange {
    /// Keys from the root, with dots between them.
    pub path: String,
    /// What stood there; none for the default.
    pub before: Option<String>,
    /// What stands there now; none for the default.
    pub after: Option<String>,
}
