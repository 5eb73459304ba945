//! A writer: carries requests to one account of one CRM.
//!
//! Promises (docs/spec/writer.md): one HTTP request per call of `send`, `read`, `look`, `count` and `renew`; one outcome per item, and an
//! item that the answer does not cover is Unknown; a request is NotSent only if it provably never reached them or was
//! turned away before anything was done. A call with a refused token says `unauthorised`; renewing is the lane's decision.
//! Leaves to others: when to call and at what price (`core::dispatch`).

use std::collections::BTreeMap;

use async_trait::async_trait;
use syncline_core::dispatch::batch::{Batch, Profile, ReadBatch};
use syncline_core::outcome::{Found, Look, Outcome, Verdict};

use crate::error::Result;

/// The account behind a writer, as it names itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Its id: two systems with one account share a quota.
    pub id: String,
    /// What it can take, its pools as learned.
    pub profile: Profile,
    /// What was seen of each object that is written.
    pub looks: BTreeMap<String, Look>,
}

/// What an answer to a write says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// One outcome per item, in the batch's order.
    pub outcomes: Vec<Outcome>,
    /// What concerns all of them.
    pub verdict: Verdict,
}

/// What an answer to a read says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadAnswer {
    /// One entry per name, in the batch's order: the record, or None if it is not there. Err says why nothing is known.
    pub found: std::result::Result<Vec<Option<Found>>, String>,
    /// What concerns the whole answer.
    pub verdict: Verdict,
}

/// What an answer to a look at an object's schema says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookAnswer {
    /// What was seen; Err says why nothing is known.
    pub look: std::result::Result<Look, String>,
    /// What concerns the whole answer.
    pub verdict: Verdict,
}

/// One account of one CRM.
#[async_trait]
pub trait Writer: Send + Sync {
    /// What it can take before anything is known of the account: sizes, times, default pools.
    fn profile(&self) -> &Profile;

    /// Fetches a new token; does nothing where the token is static.
    ///
    /// # Errors
    /// `AuthRefused` if the credentials are refused, `Unreachable` if no answer came.
    async fn renew(&self) -> Result<()>;

    /// Whether a token is needed and there is none yet.
    fn needs_token(&self) -> bool;

    /// Which calls `connect` makes, for the quota.
    fn connect_calls(&self) -> usize;

    /// Looks at the account: who it is, whether every object has what the mapping needs, what the quota is.
    ///
    /// # Errors
    /// `BoundaryRefused` with a remedy if no object is set up; `Unreachable`, `AuthRefused`, `Protocol`.
    async fn connect(&self) -> Result<Account>;

    /// How many of the object's records bear our key.
    ///
    /// # Errors
    /// `Unreachable`, `AuthRefused`, `Protocol`.
    async fn count(&self, object: &str) -> Result<u64>;

    /// Sends one write request.
    async fn send(&self, batch: &Batch) -> Answer;

    /// Sends one read request.
    async fn read(&self, batch: &ReadBatch) -> ReadAnswer;

    /// Looks at one object's schema again, with one request, and holds it against the mapping.
    async fn look(&self, object: &str) -> LookAnswer;
}
