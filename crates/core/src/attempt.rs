//! One intended request item, durable before it is sent.
//!
//! Promises: an attempt is settled once; after a restart every open one is of unknown fate until proven or past its horizon.
//! Leaves to others: what shares a request (`dispatch::batch`), what an answer means (`dispatch::settle`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{AttemptId, ChargeId, LinkId, RecordId, SystemId};
use crate::record::Value;
use crate::time::Timestamp;
use crate::version::Generation;

/// What a request item does to the record on the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Brings it into being, by our key.
    Create,
    /// Changes it, by their id.
    Update,
    /// Removes it, by their id.
    Delete,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 3] = [Self::Create, Self::Update, Self::Delete];

    /// The operation's name in tables, labels and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// The values of an attempt in canonical internal form by mapping row; None is null.
pub type RowValues = BTreeMap<String, Option<Value>>;

/// One intended request item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its id; also the trace id of the item on the wire.
    pub id: AttemptId,
    /// The link that it serves.
    pub link: LinkId,
    /// The link's record.
    pub record: RecordId,
    /// The link's system.
    pub system: SystemId,
    /// The request that carries it.
    pub charge: ChargeId,
    /// What it does.
    pub operation: Operation,
    /// The generation of ours that it writes or, for a delete, removes.
    pub generation: Generation,
    /// The deliveries that it covers: after this one …
    pub covers_after: u64,
    /// … up to and with this one.
    pub covers_to: u64,
    /// What is written, by mapping row; empty for a delete.
    pub values: RowValues,
    /// When it was decided.
    pub opened_at: Timestamp,
    /// After this time a request that was never answered can no longer land.
    pub horizon: Timestamp,
    /// What became of it.
    pub fate: Fate,
    /// How many deliveries its settling closed as applied.
    pub applied: u64,
    /// How many its settling closed as carried by it.
    pub coalesced: u64,
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Not settled: under way, or unknown after a restart.
    Open,
    /// No answer, and it may still land.
    Unknown,
    /// Its write is proven.
    Proven,
    /// It is known not to have been done.
    NotDone,
    /// Never proven, and past its horizon.
    Expired,
}

impl Fate {
    /// Whether the attempt may still land.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Unknown)
    }
}

/// One request's charge on the account's quota, durable before the request goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Its id.
    pub id: ChargeId,
    /// The account, as it named itself at connect.
    pub account: String,
    /// What kind of call it pays for (`create Contact`, `read`, `token`, …).
    pub call: String,
    /// The pools that it draws on, by name.
    pub pools: Vec<String>,
    /// How many items it carried.
    pub items: u64,
    /// When it was decided.
    pub opened_at: Timestamp,
    /// Without an answer it counts until this time plus the window.
    pub horizon: Timestamp,
    /// When it was answered; from then it counts for one window.
    pub answered_at: Option<Timestamp>,
    /// It never went out, so it does not count.
    pub released: bool,
}
