//! A link in a lane's memory.
//!
//! Promises: an entry exists from the moment its link is planned until what came of it is durable.
//! Leaves to others: moving it from stage to stage (`lane`, `settle`, `hold`).

use crate::attempt::{Attempt, Operation, RowValues};
use crate::ids::{ChargeId, LinkId, RecordId, SystemId};
use crate::link::{Known, Link, Presence};
use crate::outcome::Theirs;
use crate::time::Timestamp;

/// A link in memory.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub link: Link,
    pub record: RecordId,
    pub record_type: String,
    pub key: String,
    pub generation: u32,
    /// Links of the record that it has left: they wait for this one's proof.
    pub left_behind: Vec<(SystemId, LinkId)>,
    pub stage: Stage,
    /// Set while the fate of an attempt is unknown.
    pub hold: Option<Hold>,
    /// Something was opened meanwhile: plan it again afterwards.
    pub again: bool,
    /// What was read of them, for the planning that follows.
    pub theirs: Option<Theirs>,
}

/// Where an entry stands.
#[derive(Debug, Clone)]
pub(super) enum Stage {
    /// Waits in a group for its batch.
    Queued(Intent),
    /// Its attempt is being made durable, or is on its way.
    Under { attempt: Attempt, intent: Intent },
    /// An attempt's fate is unknown; waits for a read.
    Holding,
    /// Waits for a read by key before it may be created.
    Checking(Box<Known>),
    /// Waits to hear whose record stands in its way.
    Asking,
    /// What came of it is being made durable.
    Settling,
}

/// What is to be sent for a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Intent {
    pub operation: Operation,
    pub values: RowValues,
    pub generation: u32,
    pub covers_to: u64,
    /// A repeat of an attempt of unknown fate.
    pub repeat: bool,
    /// Writes our key too, onto a record that did not bear it.
    pub claims: bool,
    /// A value was left out to break a ring: deliveries stay open.
    pub detour: bool,
    /// The part of a refused batch that it belongs to.
    pub cohort: Option<Cohort>,
    pub queued_at: Timestamp,
}

/// Part of a batch that was refused because of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cohort {
    pub of: ChargeId,
    pub half: u8,
}

/// Attempts of unknown fate, and how far finding out has come.
#[derive(Debug, Clone)]
pub(super) struct Hold {
    /// Attempts that may still land.
    pub open: Vec<Attempt>,
    /// Attempts whose fate was found out during this hold, oldest first.
    pub proven: Vec<Attempt>,
    /// Attempts that can no longer land and were never proven.
    pub expired: Vec<Attempt>,
    pub read_at: Timestamp,
    pub reads: u32,
    pub repeats: u32,
}

impl Hold {
    /// When the last open attempt can no longer land.
    pub fn horizon(&self) -> Timestamp {
        self.open.iter().map(|attempt| attempt.horizon).max().unwrap_or(Timestamp::MIN)
    }

    /// Whether a create is among the attempts: if somebody deletes what it brought about and it lands again, the record is
    /// there under an id that nobody told, so it must be looked for by its key.
    pub fn has_create(&self) -> bool {
        let mut attempts = self.open.iter().chain(&self.proven).chain(&self.expired);
        attempts.any(|attempt| attempt.operation == Operation::Create)
    }
}

impl Entry {
    pub fn new(link: Link, known: &Known, stage: Stage) -> Self {
        let left_behind = if link.duty.desired == Presence::Present {
            known
                .links
                .iter()
                .filter(|other| other.id != link.id && other.duty.desired == Presence::Absent && other.is_concerned())
                .map(|other| (other.system, other.id))
                .collect()
        } else {
            Vec::new()
        };
        Self {
            record: known.id,
            record_type: known.record.record_type.clone(),
            key: known.record.key.clone(),
            generation: known.record.generation,
            left_behind,
            link,
            stage,
            hold: None,
            again: false,
            theirs: None,
        }
    }
}
