//! The embedded store: one SQLite database with one writer, group commit, and readers apart.
//!
//! Promises: docs/spec/store.md. Several change sets that wait at the same time share one transaction and one sync.
//! Leaves to others: the thread on which its `Committer` runs (the app), or who steps it (the simulator).

mod audit;
mod committer;
mod faults;
mod ids;
mod lock;
mod open;
mod queue;
mod reads;
mod row;
mod tables;

use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use rusqlite::Connection;
use syncline_core::attempt::{Attempt, Charge};
use syncline_core::change_set::{ChangeSet, EventRow, KeptCall, ResyncRow};
use syncline_core::checkpoint::Checkpoint;
use syncline_core::ids::{AttemptId, EventId, LetterId, LinkId, RecordId, SourceId, SystemId};
use syncline_core::ledger::Ledger;
use syncline_core::letter::Letter;
use syncline_core::link::LinkState;
use syncline_core::time::Timestamp;
use syncline_core::config_entry::ConfigEntry;
use syncline_core::token::Token;
use syncline_engine::error::Result;
use syncline_engine::ports::store::{Audit, IdKind, Known, LetterFilter, PauseRow, Store};

pub use self::committer::Committer;
use self::ids::Ids;
use self::lock::Ownership;
use self::queue::{Queue, Task, closed};
use self::reads::Readers;
use self::tables::{attempt, call, charge, config_entry, event, letter, link, pause, resync, source, system, token};

/// Connections that read a file at the same time.
const READERS: usize = 3;
/// At most so many rows of a kind are forgotten at once, so that no commit waits long for it.
const FORGET_MAX: usize = 20_000;

/// The store's handle. When it is dropped the committer carries out what waits and ends.
#[derive(Debug)]
pub struct SqliteStore {
    queue: Arc<Queue>,
    readers: Readers,
    ids: Ids,
    _ownership: Option<Arc<Ownership>>,
}

/// A database in memory that outlives the stores over it, as a disk outlives a process.
#[derive(Debug, Clone)]
pub struct Memory(Arc<Mutex<Connection>>);

impl Memory {
    /// The one connection; whoever holds it keeps the store from reading and committing.
    #[must_use]
    pub fn connection(&self) -> Arc<Mutex<Connection>> {
        Arc::clone(&self.0)
    }
}

impl SqliteStore {
    /// Opens a database file, or makes it; brings its tables up to date.
    ///
    /// # Errors
    /// `StoreOwned` if it is open elsewhere, `StoreNewer` if a newer release wrote it, `StoreCorrupt` if it is no
    /// database of ours, `StoreUnavailable` if it cannot be written.
    pub fn open(path: &Path) -> Result<(Self, Committer)> {
        let ownership = Arc::new(Ownership::take(path)?);
        let writer = open::writer(path)?;
        let readers = (0..READERS).map(|_| Ok(Arc::new(Mutex::new(open::reader(path)?)))).collect::<Result<_>>()?;
        let ids = Ids::above(&writer)?;
        Ok(Self::assemble(Arc::new(Mutex::new(writer)), readers, ids, Some(ownership)))
    }

    /// Makes a database in memory: one connection serves reads and commits.
    ///
    /// # Errors
    /// If SQLite refuses, which means that memory is full.
    pub fn memory() -> Result<(Self, Committer, Memory)> {
        let memory = Memory(Arc::new(Mutex::new(open::memory()?)));
        let (store, committer) = Self::over(&memory)?;
        Ok((store, committer, memory))
    }

    /// A new store over a database in memory that is there already, as after a crash: what was committed is there, what
    /// waited in another store's queue is not.
    ///
    /// # Errors
    /// If the database does not read.
    pub fn over(memory: &Memory) -> Result<(Self, Committer)> {
        let connection = memory.connection();
        let ids = Ids::above(&connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner))?;
        Ok(Self::assemble(Arc::clone(&connection), vec![connection], ids, None))
    }

    fn assemble(
        writer: Arc<Mutex<Connection>>,
        readers: Vec<Arc<Mutex<Connection>>>,
        ids: Ids,
        ownership: Option<Arc<Ownership>>,
    ) -> (Self, Committer) {
        let queue = Queue::shared();
        let committer = Committer::new(writer, Arc::clone(&queue), ownership.clone());
        (Self { queue, readers: Readers::new(readers), ids, _ownership: ownership }, committer)
    }

    /// Hands a task to the committer and waits for its number.
    async fn carried_out(&self, task: Task) -> Result<i64> {
        self.queue.push(task)?.await.unwrap_or_else(|_| Err(closed()))
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.queue.close();
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn commit(&self, set: ChangeSet) -> Result<()> {
        self.carried_out(Task::Commit(Box::new(set))).await.map(|_| ())
    }

    fn allocate(&self, kind: IdKind, count: usize) -> i64 {
        self.ids.allocate(kind, count)
    }

    async fn register(&self, system: &str) -> Result<i64> {
        match self.readers.read(|connection| system::number(connection, system))? {
            Some(number) => Ok(number),
            None => self.carried_out(Task::Register(system.to_owned())).await,
        }
    }

    async fn systems(&self) -> Result<Vec<(i64, String)>> {
        self.readers.read(system::list)
    }

    async fn known(&self, record_type: &str, keys: &[&str]) -> Result<Vec<Option<Known>>> {
        self.readers.snapshot(|connection| reads::known(connection, record_type, keys))
    }

    async fn seen(&self, source: SourceId, event_ids: &[&str]) -> Result<Vec<Option<i64>>> {
        self.readers.snapshot(|connection| event_ids.iter().map(|id| source::digest(connection, source, id)).collect())
    }

    async fn calls(&self, source: SourceId, keys: &[&str], since: Timestamp) -> Result<Vec<Option<KeptCall>>> {
        self.readers.snapshot(|connection| keys.iter().map(|key| call::by_key(connection, source, key, since)).collect())
    }

    async fn tokens(&self) -> Result<Vec<Token>> {
        self.readers.read(token::list)
    }

    async fn configs(&self, limit: usize) -> Result<Vec<ConfigEntry>> {
        self.readers.read(|connection| config_entry::newest(connection, limit))
    }

    async fn checkpoint(&self, source: SourceId) -> Result<Option<Checkpoint>> {
        self.readers.read(|connection| source::checkpoint(connection, source))
    }

    async fn due(&self, system: SystemId, after: Option<(Timestamp, LinkId)>, limit: usize) -> Result<Vec<(Timestamp, LinkId)>> {
        self.readers.snapshot(|connection| link::due(connection, system, after, limit))
    }

    async fn unsettled(&self, system: SystemId) -> Result<Vec<LinkId>> {
        self.readers.read(|connection| link::busy(connection, system))
    }

    async fn load(&self, links: &[LinkId]) -> Result<Vec<(LinkId, Known)>> {
        self.readers.snapshot(|connection| reads::load(connection, links))
    }

    async fn open_attempts(&self, system: SystemId) -> Result<Vec<Attempt>> {
        self.readers.read(|connection| attempt::open(connection, system))
    }

    async fn link_by_external(&self, system: SystemId, object: &str, external_id: &str) -> Result<Option<LinkId>> {
        self.readers.read(|connection| link::by_external(connection, system, object, external_id))
    }

    async fn proven(&self, system: SystemId, object: &str) -> Result<u64> {
        self.readers.read(|connection| link::proven(connection, system, object))
    }

    async fn charges(&self, account: &str, since: Timestamp) -> Result<Vec<Charge>> {
        self.readers.read(|connection| charge::since(connection, account, since))
    }

    async fn pauses(&self) -> Result<Vec<PauseRow>> {
        self.readers.read(pause::list)
    }

    async fn ledger(&self) -> Result<Ledger> {
        self.readers.snapshot(reads::ledger)
    }

    async fn audit(&self) -> Result<Audit> {
        self.readers.snapshot(audit::audit)
    }

    async fn states(&self, system: SystemId) -> Result<(Vec<(LinkState, u64)>, Option<Timestamp>)> {
        self.readers.snapshot(|connection| link::states(connection, system))
    }

    async fn has_rest(&self) -> Result<bool> {
        self.readers.read(link::has_rest)
    }

    async fn letters(&self, filter: &LetterFilter) -> Result<Vec<Letter>> {
        self.readers.read(|connection| letter::list(connection, filter))
    }

    async fn letter(&self, id: LetterId) -> Result<Option<Letter>> {
        self.readers.read(|connection| letter::by_id(connection, id))
    }

    async fn events(&self, record: RecordId, limit: usize) -> Result<Vec<EventRow>> {
        self.readers.read(|connection| event::newest(connection, record, limit))
    }

    async fn log(&self, before: Option<EventId>, limit: usize) -> Result<Vec<EventRow>> {
        self.readers.read(|connection| event::log(connection, before, limit))
    }

    async fn record(&self, id: RecordId) -> Result<Option<Known>> {
        self.readers.snapshot(|connection| reads::whole(connection, id))
    }

    async fn records(&self, record_type: Option<&str>, after: Option<RecordId>, limit: usize) -> Result<Vec<Known>> {
        self.readers.snapshot(|connection| reads::page(connection, record_type, after, limit))
    }

    async fn resyncs(&self, link: LinkId, limit: usize) -> Result<Vec<ResyncRow>> {
        self.readers.read(|connection| resync::newest(connection, link, limit))
    }

    async fn letters_of(&self, link: LinkId) -> Result<Vec<Letter>> {
        self.readers.read(|connection| letter::of_link(connection, link))
    }

    async fn attempts(&self, link: LinkId, limit: usize) -> Result<Vec<Attempt>> {
        self.readers.read(|connection| attempt::newest(connection, link, limit))
    }

    async fn attempt_log(&self, before: Option<AttemptId>, limit: usize) -> Result<Vec<Attempt>> {
        self.readers.read(|connection| attempt::log(connection, before, limit))
    }

    async fn prune(&self, charges_before: Timestamp, seen_before: Timestamp) -> Result<u64> {
        let charges = self.readers.read(|connection| charge::closed_before(connection, charges_before, FORGET_MAX))?;
        let seen = self.readers.read(|connection| source::seen_before(connection, seen_before, FORGET_MAX))?;
        if charges.is_empty() && seen.is_empty() {
            return Ok(0);
        }
        self.carried_out(Task::Forget(charges, seen)).await.map(i64::unsigned_abs)
    }

    async fn forget_calls(&self, before: Timestamp) -> Result<u64> {
        let calls = self.readers.read(|connection| call::kept_before(connection, before, FORGET_MAX))?;
        if calls.is_empty() {
            return Ok(0);
        }
        self.carried_out(Task::ForgetCalls(calls, before)).await.map(i64::unsigned_abs)
    }
}
