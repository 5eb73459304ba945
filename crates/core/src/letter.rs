//! Dead letters: what was given up, why, and what a person can do about it.
//!
//! Promises: one letter per link and cause, however many deliveries it holds; a letter ends exactly once.
//! Leaves to others: making and ending them (`dispatch::settle`, `intake`, the operator).

use serde::{Deserialize, Serialize};

use crate::ids::{LetterId, LinkId, SourceId};
use crate::outcome::Rejection;
use crate::time::Timestamp;

/// One dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its id.
    pub id: LetterId,
    /// The link that was given up; None for a letter of intake.
    pub link: Option<LinkId>,
    /// The source whose input was refused; None for a letter of a link.
    pub source: Option<SourceId>,
    /// Where in the source it stood (`contacts.jsonl:17`), or the record's name.
    pub place: String,
    /// Why, and what to do.
    pub rejection: Rejection,
    /// The raw input of a letter of intake.
    pub raw: Option<Vec<u8>>,
    /// How many deliveries it holds; 1 for a letter of intake.
    pub held: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Waiting, or how it ended.
    pub state: LetterState,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Who ended it and why, in words.
    pub note: Option<String>,
}

/// Where a letter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetterState {
    /// Nobody has decided yet.
    Waiting,
    /// Offered anew.
    Replayed,
    /// Let go by an operator.
    Discarded,
    /// A newer write of its link was applied.
    Overtaken,
}

impl LetterState {
    /// The state's name in tables and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Replayed => "replayed",
            Self::Discarded => "discarded",
            Self::Overtaken => "overtaken",
        }
    }
}
