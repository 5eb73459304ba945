//! Errors of the engine and its ports, and what is done about each kind.
//!
//! Promises: every error has a kind, a cause chain and a remedy; `policy` lists every kind with no catch-all arm.
//! Leaves to others: outcomes of single items, which are no errors (`core::outcome`).

use std::fmt;
use std::time::Duration;

use crate::codes::Code;

/// What went wrong, as far as it decides what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The configuration does not fit what was found.
    Config,
    /// The store cannot be written for now (locked, busy, I/O).
    StoreUnavailable,
    /// The disk is full.
    StoreFull,
    /// The database was written by a newer release.
    StoreNewer,
    /// The database does not read as we wrote it.
    StoreCorrupt,
    /// Another process owns the store.
    StoreOwned,
    /// A feed cannot be read for now.
    FeedUnavailable,
    /// A system cannot be reached.
    Unreachable,
    /// A system refuses our credentials, which may pass.
    AuthRefused,
    /// A system refuses our credentials until a person renews them.
    AuthEnded,
    /// A system answered in a way that its documentation does not know.
    Protocol,
    /// The other side is not set up as the boundary needs it.
    BoundaryRefused,
    /// What an operator asked for does not exist or is not possible.
    Operator,
    /// A defect of ours.
    Internal,
}

/// When a failed step is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// After this long.
    After(Duration),
    /// Not without a person.
    Never,
}

/// What is done about a kind of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// When to try again.
    pub again: Again,
    /// What a person can do.
    pub remedy: &'static str,
    /// The process's exit code, if it ends by this.
    pub exit: u8,
}

/// The policy for every kind.
#[must_use]
pub const fn policy(kind: Kind) -> Policy {
    let second = Again::After(Duration::from_secs(1));
    match kind {
        Kind::Config => Policy { again: Again::Never, remedy: "correct the configuration and start again", exit: 78 },
        Kind::StoreUnavailable => Policy { again: second, remedy: "see that the store's disk and its directory can be written", exit: 74 },
        Kind::StoreFull => Policy { again: second, remedy: "free space on the store's disk; work goes on by itself", exit: 74 },
        Kind::StoreNewer => Policy { again: Again::Never, remedy: "use the release that wrote this database, or a newer one", exit: 78 },
        Kind::StoreCorrupt => Policy { again: Again::Never, remedy: "restore the database from a copy; `syncline ledger --verify` names the rows", exit: 65 },
        Kind::StoreOwned => Policy { again: Again::Never, remedy: "stop the other process, or talk to it through its socket", exit: 75 },
        Kind::FeedUnavailable => Policy { again: second, remedy: "see that the source can be read; nothing is lost, it goes on from its checkpoint", exit: 66 },
        Kind::Unreachable => Policy { again: second, remedy: "check the address and the network; work goes on by itself", exit: 69 },
        Kind::AuthRefused => Policy { again: Again::After(Duration::from_secs(60)), remedy: "renew the credentials in the configuration", exit: 77 },
        Kind::AuthEnded => Policy { again: Again::Never, remedy: "renew the credentials in the configuration, start again and resume the system", exit: 77 },
        Kind::Protocol => Policy { again: Again::After(Duration::from_secs(10)), remedy: "see whether the address is the right service and the API version is still served", exit: 69 },
        Kind::BoundaryRefused => Policy { again: Again::Never, remedy: "set the other side up as described, then start again", exit: 78 },
        Kind::Operator => Policy { again: Again::Never, remedy: "look the name or number up with the list command", exit: 1 },
        Kind::Internal => Policy { again: Again::Never, remedy: "report this with the output of the command", exit: 70 },
    }
}

/// An error with its kind, cause chain and remedy.
#[derive(Debug)]
pub struct Error {
    /// What decides the policy.
    pub kind: Kind,
    /// What was being done and what happened, less field values.
    pub message: String,
    /// A remedy closer to the case than the policy's.
    pub remedy: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of that kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), remedy: None, source: None }
    }

    /// With what caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// With a remedy closer to the case.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Its code in the registry.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::from(self.kind)
    }

    /// What a person can do.
    #[must_use]
    pub fn remedy(&self) -> &str {
        self.remedy.as_deref().unwrap_or(policy(self.kind).remedy)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn std::error::Error + 'static))
    }
}

/// The engine's result.
pub type Result<T> = std::result::Result<T, Error>;
