//! The store: reads split by subject, and one door for writes.
//!
//! Promises (docs/spec/store.md): `commit` is atomic and durable when it returns; sets apply in the order handed in; reads see
//! committed state only. Leaves to others: what the rows mean (`core`).

use async_trait::async_trait;
use serde::Serialize;
use syncline_core::attempt::{Attempt, Charge};
use syncline_core::change_set::{ChangeSet, EventRow, KeptCall, Pause, ResyncRow};
use syncline_core::checkpoint::Checkpoint;
use syncline_core::ids::{AttemptId, EventId, LetterId, LinkId, RecordId, SourceId, SystemId};
use syncline_core::ledger::{Imbalance, Ledger};
use syncline_core::letter::Letter;
use syncline_core::link::LinkState;
use syncline_core::time::Timestamp;
use syncline_core::config_entry::ConfigEntry;
use syncline_core::token::Token;

use crate::error::Result;

/// Kinds of ids that the store gives out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdKind {
    /// `RecordId`.
    Record,
    /// `LinkId`.
    Link,
    /// `EventId`.
    Event,
    /// `AttemptId`.
    Attempt,
    /// `LetterId`.
    Letter,
    /// `ChargeId`.
    Charge,
}

pub use syncline_core::link::Known;

/// A pause in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PauseRow {
    /// What is paused.
    pub pause: Pause,
    /// Since when.
    pub since: Timestamp,
    /// Why, with the remedy.
    pub reason: String,
}

/// Which letters to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LetterFilter {
    /// Only waiting ones.
    pub waiting_only: bool,
    /// Only those after this id.
    pub after: Option<LetterId>,
    /// At most so many.
    pub limit: usize,
}

/// What an audit of the rows found; empty lists mean that all agrees.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Audit {
    /// Rows that are not as we wrote them: `table` and the row's key.
    pub altered: Vec<AlteredRow>,
    /// Counters that do not equal the recount of rows, and equations that do not hold.
    pub imbalances: Vec<Imbalance>,
    /// Rows looked at.
    pub rows: u64,
}

/// A row that is not as we wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlteredRow {
    /// Its table.
    pub table: String,
    /// Its key.
    pub row: String,
    /// What is wrong.
    pub why: String,
}

/// Is told of what becomes durable, by whoever makes it so. What it does is done before the next commit begins: it is to be quick.
pub trait Witness: Send + Sync {
    /// Sets that waited are about to be committed together.
    fn begins(&self);

    /// They are durable, in this order.
    fn committed(&self, sets: &[&ChangeSet]);
}

/// Keeps everything durable.
#[async_trait]
pub trait Store: Send + Sync {
    /// Makes a change set durable, whole.
    async fn commit(&self, set: ChangeSet) -> Result<()>;

    /// The first of `count` consecutive ids that nobody else gets.
    fn allocate(&self, kind: IdKind, count: usize) -> i64;

    /// The number of a system by name; the same name always gets the same number.
    async fn register(&self, system: &str) -> Result<i64>;

    /// Systems by number.
    async fn systems(&self) -> Result<Vec<(i64, String)>>;

    // Subject: intake.

    /// The records of that type under those keys, in the order asked; None where there is none.
    async fn known(&self, record_type: &str, keys: &[&str]) -> Result<Vec<Option<Known>>>;

    /// The digests under which explicit event ids were seen, in the order asked.
    async fn seen(&self, source: SourceId, event_ids: &[&str]) -> Result<Vec<Option<i64>>>;

    /// What calls under these keys came to since, in the order asked.
    async fn calls(&self, source: SourceId, keys: &[&str], since: Timestamp) -> Result<Vec<Option<KeptCall>>>;

    /// Every token, by name.
    async fn tokens(&self) -> Result<Vec<Token>>;

    /// The newest entries of the configuration's history, newest first.
    async fn configs(&self, limit: usize) -> Result<Vec<ConfigEntry>>;

    /// Where a feed may resume.
    async fn checkpoint(&self, source: SourceId) -> Result<Option<Checkpoint>>;

    // Subject: lanes.

    /// Links that are due, oldest first, behind the given place in line.
    async fn due(&self, system: SystemId, after: Option<(Timestamp, LinkId)>, limit: usize) -> Result<Vec<(Timestamp, LinkId)>>;

    /// Links that are under way, held, backing off, waiting or paused (not idle, not dead), by id.
    async fn unsettled(&self, system: SystemId) -> Result<Vec<LinkId>>;

    /// Records with all their links, for those links, in the order asked. A link that does not exist is left out.
    async fn load(&self, links: &[LinkId]) -> Result<Vec<(LinkId, Known)>>;

    /// Attempts of a system that may still land.
    async fn open_attempts(&self, system: SystemId) -> Result<Vec<Attempt>>;

    /// The link that a record of theirs belongs to.
    async fn link_by_external(&self, system: SystemId, object: &str, external_id: &str) -> Result<Option<LinkId>>;

    /// How many links of that object are proven.
    async fn proven(&self, system: SystemId, object: &str) -> Result<u64>;

    /// Charges of an account that were opened or answered since.
    async fn charges(&self, account: &str, since: Timestamp) -> Result<Vec<Charge>>;

    /// Pauses in force.
    async fn pauses(&self) -> Result<Vec<PauseRow>>;

    // Subject: status and audit.

    /// Counters with what is open at the same moment.
    async fn ledger(&self) -> Result<Ledger>;

    /// Recounts rows and looks at every seal.
    async fn audit(&self) -> Result<Audit>;

    /// How many links of a system are in each state, and since when the oldest due one waits.
    async fn states(&self, system: SystemId) -> Result<(Vec<(LinkState, u64)>, Option<Timestamp>)>;

    /// Whether anything is left to do: a link with something open or under way that does not merely wait, paused or behind a
    /// dead link of its record.
    async fn has_rest(&self) -> Result<bool>;

    /// Letters, oldest first.
    async fn letters(&self, filter: &LetterFilter) -> Result<Vec<Letter>>;

    /// One letter.
    async fn letter(&self, id: LetterId) -> Result<Option<Letter>>;

    /// The newest events of a record, newest first.
    async fn events(&self, record: RecordId, limit: usize) -> Result<Vec<EventRow>>;

    /// Events of every record, newest first, from the one before `before` on.
    async fn log(&self, before: Option<EventId>, limit: usize) -> Result<Vec<EventRow>>;

    /// A record with all its links.
    async fn record(&self, id: RecordId) -> Result<Option<Known>>;

    /// Records of a type, or of all, with all their links, by id, from the one behind `after` on.
    async fn records(&self, record_type: Option<&str>, after: Option<RecordId>, limit: usize) -> Result<Vec<Known>>;

    /// The newest deliveries that resyncs opened toward a link, newest first.
    async fn resyncs(&self, link: LinkId, limit: usize) -> Result<Vec<ResyncRow>>;

    /// Every letter of a link, ended ones too, oldest first.
    async fn letters_of(&self, link: LinkId) -> Result<Vec<Letter>>;

    /// The newest attempts of a link, newest first.
    async fn attempts(&self, link: LinkId, limit: usize) -> Result<Vec<Attempt>>;

    /// Attempts of every link, newest first, from the one before `before` on.
    async fn attempt_log(&self, before: Option<AttemptId>, limit: usize) -> Result<Vec<Attempt>>;

    // Subject: upkeep.

    /// Forgets charges closed before, and event ids accepted before. Answers how many rows went.
    async fn prune(&self, charges_before: Timestamp, seen_before: Timestamp) -> Result<u64>;

    /// Forgets calls kept before. Answers how many rows went.
    async fn forget_calls(&self, before: Timestamp) -> Result<u64>;
}
