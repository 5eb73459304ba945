//! All that must become durable together: the one thing that a store's one door takes.
//!
//! Promises: a change set is applied whole or not at all, in the order in which sets were handed in.
//! Leaves to others: how rows are kept (`Store`), what they mean (the nouns).

use crate::attempt::{Attempt, Charge, Fate};
use crate::checkpoint::Checkpoint;
use crate::config_entry::ConfigEntry;
use crate::outcome::Judgement;
use crate::ids::{AttemptId, ChargeId, EventId, LetterId, LinkId, RecordId, SourceId, SystemId};
use crate::ledger::Counts;
use crate::letter::{Letter, LetterState};
use crate::link::{Duty, Link, Side};
use crate::record::Record;
use crate::time::Timestamp;
use crate::token::Token;

/// What becomes durable together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeSet {
    /// Records written, whole (new and known).
    pub records: Vec<(RecordId, Record)>,
    /// Links that did not exist before.
    pub links_new: Vec<Link>,
    /// Intake's half of known links.
    pub duties: Vec<(LinkId, Duty)>,
    /// The lane's half of known links.
    pub sides: Vec<(LinkId, Side)>,
    /// Deliveries that resyncs opened.
    pub resyncs: Vec<ResyncRow>,
    /// Events accepted.
    pub events: Vec<EventRow>,
    /// Explicit event ids to remember.
    pub seen: Vec<SeenEvent>,
    /// Answers to keep for callers that may ask again.
    pub calls: Vec<KeptCall>,
    /// Tokens made or changed, whole.
    pub tokens: Vec<Token>,
    /// Configurations that came into force.
    pub configs: Vec<ConfigEntry>,
    /// Where feeds may resume.
    pub checkpoints: Vec<Checkpoint>,
    /// Attempts that are about to be sent.
    pub attempts_new: Vec<Attempt>,
    /// Attempts whose fate changed.
    pub attempts_settled: Vec<AttemptFate>,
    /// Requests about to be sent.
    pub charges_new: Vec<Charge>,
    /// Requests answered, or known never to have gone out.
    pub charges_closed: Vec<ChargeClose>,
    /// Dead letters made.
    pub letters_new: Vec<Letter>,
    /// Deliveries added to a waiting letter.
    pub letters_grown: Vec<(LetterId, u64)>,
    /// Letters ended.
    pub letters_ended: Vec<LetterEnd>,
    /// Pauses set or lifted.
    pub pauses: Vec<PauseChange>,
    /// What the ledger's counters gain.
    pub counts: Counts,
}

impl ChangeSet {
    /// Whether there is nothing to commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How many rows it touches, for the bound on a commit group.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.records.len()
            + self.links_new.len()
            + self.duties.len()
            + self.sides.len()
            + self.resyncs.len()
            + self.events.len()
            + self.seen.len()
            + self.calls.len()
            + self.attempts_new.len()
            + self.attempts_settled.len()
            + self.letters_new.len()
            + 1
    }
}

/// An accepted event as history keeps it: what it was and what it opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Its id with us.
    pub id: EventId,
    /// Who offered it.
    pub source: SourceId,
    /// The source's epoch.
    pub epoch: i64,
    /// Its position in the epoch.
    pub position: i64,
    /// The record concerned.
    pub record: RecordId,
    /// `create`, `update` or `delete`.
    pub operation: &'static str,
    /// When it happened, as the event tells.
    pub occurred_at: Timestamp,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// What it came to: routed, unrouted or stale, and what it opened.
    pub routing: EventRouting,
}

/// What an accepted event came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventRouting {
    /// Opened these deliveries.
    Routed(Vec<OpenedDelivery>),
    /// No place takes it.
    Unrouted,
    /// Older than what is known.
    Stale,
}

/// A delivery that an event opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenedDelivery {
    /// Toward which link.
    pub link: LinkId,
    /// Of which system.
    pub system: SystemId,
    /// Its number at the link.
    pub number: u64,
    /// Whether the record leaves this place for another.
    pub is_move: bool,
}

/// A delivery that a resync opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResyncRow {
    /// Toward which link.
    pub link: LinkId,
    /// Its number at the link.
    pub number: u64,
    /// Whether what is known of theirs is forgotten for it.
    pub forced: bool,
    /// When.
    pub at: Timestamp,
}

/// An explicit event id with the digest of its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenEvent {
    /// Who offered it.
    pub source: SourceId,
    /// The id that the event bore.
    pub event_id: String,
    /// Digest of its canonical body.
    pub digest: i64,
    /// When it was accepted.
    pub accepted_at: Timestamp,
}

/// What a call with an idempotency key came to, kept so that a repeat of it does nothing and gets the same answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCall {
    /// Whose call.
    pub source: SourceId,
    /// The key, with whom it belongs to.
    pub key: String,
    /// Digest of the whole call, so that another one under the same key is noticed.
    pub digest: i64,
    /// What its inputs came to, in order.
    pub judged: Vec<Judgement>,
    /// When.
    pub at: Timestamp,
}

/// An attempt's new fate and what its settling closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptFate {
    /// Which attempt.
    pub id: AttemptId,
    /// What became of it.
    pub fate: Fate,
    /// Deliveries closed as applied.
    pub applied: u64,
    /// Deliveries closed as coalesced.
    pub coalesced: u64,
}

/// The end of a charge's open time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeClose {
    /// Which charge.
    pub id: ChargeId,
    /// When the answer came.
    pub answered_at: Timestamp,
    /// True if the request never went out.
    pub released: bool,
}

/// The end of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LetterEnd {
    /// Which letter.
    pub id: LetterId,
    /// How it ended.
    pub state: LetterState,
    /// When.
    pub at: Timestamp,
    /// In words.
    pub note: String,
}

/// A pause set or lifted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PauseChange {
    /// What is paused.
    pub pause: Pause,
    /// True sets it, false lifts it.
    pub set: bool,
    /// Since when.
    pub at: Timestamp,
    /// Why, with the remedy.
    pub reason: String,
}

/// Something that stands still until an operator resumes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pause {
    /// The system by name.
    pub system: String,
    /// What of it.
    pub scope: PauseScope,
}

/// What of a system stands still.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PauseScope {
    /// All writes: an operator's wish, a run of rejections, or a fault of the boundary.
    Writes,
    /// Deletes: the fuse.
    Deletes,
    /// Everything that goes to one of their objects: its schema does not fit the mapping.
    Object(String),
}

impl PauseScope {
    /// The scope's name in tables and messages.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Writes => "writes".to_owned(),
            Self::Deletes => "deletes".to_owned(),
            Self::Object(object) => format!("writes to {object}"),
        }
    }
}
