//! What was answered for ONE item of a request.
//!
//! Promises: an item that an answer does not cover is `Unknown`, never success or failure.
//! Leaves to others: reading answers (each writer's `decode`), acting on them (`dispatch::settle`).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::EventId;
use crate::record::Fields;

/// One item's outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The write is proven.
    Written {
        /// The CRM's id of the record.
        external_id: String,
        /// True if a create met a record that already bore our key.
        existed: bool,
        /// Their form by their field names as returned, if the answer carries values.
        returned: Option<ExternalFields>,
    },
    /// The record is not there (any more).
    Gone,
    /// A value that must be unique is held by another record.
    Taken {
        /// The holder's id, where the answer names it.
        by: Option<String>,
        /// The field in question, in their spelling.
        field: String,
    },
    /// Refused for good: only other data, mapping or set-up helps.
    Rejected(Rejection),
    /// Refused for now.
    Retry {
        /// Their code or status.
        code: String,
        /// How long they ask us to wait.
        after: Option<Duration>,
    },
    /// The whole request was refused because of one row that the answer does not name.
    Suspect(Rejection),
    /// The request never left us, or was turned away before anything was done.
    NotSent {
        /// What stood in the way.
        why: String,
    },
    /// It may have been done, or may still be.
    Unknown {
        /// What was seen.
        why: String,
    },
}

/// Their form: values by their field name; None is null or cleared.
pub type ExternalFields = std::collections::BTreeMap<String, Option<String>>;

/// Every word of ours that stands in `Rejection::code`, beside those of events.
pub const REJECTION_WORDS: [&str; 8] =
    ["id_reuse", "gone", "gave_up", "identity_collision", "taken", "unsendable", "required", "expression"];

/// A refusal in words that a person can act on. Holds no field value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// Their code, or ours for what never left (`mapping`, …).
    pub code: String,
    /// The field to blame, in their spelling, if one is named.
    pub field: Option<String>,
    /// What they said, less field values.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl Rejection {
    /// What makes two refusals of one link the same: code and field.
    #[must_use]
    pub fn cause(&self) -> String {
        self.field.as_ref().map_or_else(|| self.code.clone(), |field| format!("{}:{field}", self.code))
    }
}

/// What one input came to, for its caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// Taken in as this event.
    Accepted(EventId),
    /// Seen before.
    Duplicate,
    /// Not taken in.
    Refused(Rejection),
}

/// What concerns every item of an answer beside the items' outcomes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// The token was refused; nothing was done.
    pub unauthorised: bool,
    /// A pool is exhausted in their eyes: wait so long before the next call that draws on it.
    pub throttled: Option<Throttle>,
    /// Wrong for every record of the object (unknown property, no access to it): the object's boundary pauses.
    pub boundary: Option<Rejection>,
    /// Wrong for every record of the account (interface off, scope missing): the lane pauses.
    pub account: Option<Rejection>,
    /// A refusal that a record's value may have earned, or a change of the object's schema.
    pub doubt: bool,
    /// What the headers say of the quota.
    pub limits: Vec<LimitReport>,
}

/// What a look at an object's schema showed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    /// What speaks against the mapping.
    pub misfits: Vec<Misfit>,
    /// What each mapped field takes, by name.
    pub shapes: std::collections::BTreeMap<String, Shape>,
}

/// Something in an object's schema that speaks against the mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// Whether every record would fail; otherwise some do.
    pub stops: bool,
    /// What was found, with the field named.
    pub found: String,
    /// What to do about it.
    pub remedy: String,
}

/// What a field takes, as far as it may narrow without contradicting the mapping.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shape {
    /// The longest value, if there is one.
    pub length: Option<usize>,
    /// Whether only listed values are taken.
    pub is_listed: bool,
}

/// They say that a pool is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throttle {
    /// The pool, by its name in the account's list; None for all of them.
    pub pool: Option<String>,
    /// How long to wait; None where they do not say.
    pub after: Option<Duration>,
}

/// A pool as their headers tell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitReport {
    /// The pool's name.
    pub pool: String,
    /// How many calls a window allows.
    pub limit: u64,
    /// How many of them are spent.
    pub used: u64,
}

/// A record of theirs as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The id under which the CRM holds it now.
    pub external_id: String,
    /// Mapped fields by their name.
    pub fields: ExternalFields,
}

/// What is known of the other side of a link, canonical.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Theirs {
    /// Not read: no feed, and no reason to ask.
    NotRead,
    /// Read, and not there.
    Absent,
    /// Read, and there.
    Live {
        /// Its id.
        external_id: String,
        /// Row values in canonical internal form, by row name; a missing row is null.
        rows: Fields,
    },
}
