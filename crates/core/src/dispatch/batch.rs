//! A request's worth of items, and what an account's writer can take.
//!
//! Promises: one operation on one object per batch, each record at most once.
//! Leaves to others: the wire form (each writer's `encode`).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::attempt::Operation;
use crate::dispatch::quota::PoolSpec;
use crate::ids::{AttemptId, ChargeId};
use crate::outcome::ExternalFields;

/// What one writer can take, as data.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Items per write request, by operation.
    pub batch_max: BTreeMap<Operation, usize>,
    /// Records per read request.
    pub read_max: usize,
    /// How long a request may take before it is given up.
    pub timeout: Duration,
    /// How long after that the other side may still carry it out.
    pub linger_max: Duration,
    /// Requests under way at once.
    pub concurrency: usize,
    /// The account's pools.
    pub pools: Vec<PoolSpec>,
    /// The pools that each kind of call draws on.
    pub draws: BTreeMap<Call, Vec<String>>,
}

/// Kinds of calls, for what they draw on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Fetching a token.
    Token,
    /// Looking at the account and its schema at start.
    Connect,
    /// A write.
    Write,
    /// A read by id or by key.
    Read,
    /// Counting records that bear our key.
    Count,
    /// Looking at an object's schema while the lane runs.
    Look,
}

impl Call {
    /// The call's name in charges and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Connect => "connect",
            Self::Write => "write",
            Self::Read => "read",
            Self::Count => "count",
            Self::Look => "look",
        }
    }
}

/// One item on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The attempt; its number is the trace id.
    pub attempt: AttemptId,
    /// Our key.
    pub key: String,
    /// Their id; present for updates and deletes.
    pub external_id: Option<String>,
    /// Their form; empty for deletes.
    pub fields: ExternalFields,
}

/// One write request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its charge, and its name.
    pub charge: ChargeId,
    /// What it does.
    pub operation: Operation,
    /// To which object.
    pub object: String,
    /// Their field that holds our key.
    pub key_field: String,
    /// The items.
    pub items: Vec<Item>,
}

/// How a read names its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReadBy {
    /// By their id.
    Id,
    /// By our key.
    Key,
}

/// One read request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadBatch {
    /// Its charge.
    pub charge: ChargeId,
    /// Of which object.
    pub object: String,
    /// Their field that holds our key.
    pub key_field: String,
    /// By what the records are named.
    pub by: ReadBy,
    /// The names.
    pub names: Vec<String>,
    /// The fields to bring.
    pub fields: Vec<String>,
}
