//! The connections that read, and the reads that need more than one statement.
//!
//! Promises: every read sees one committed state, however many statements it takes.
//! Leaves to others: single queries (`tables`).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use syncline_core::ids::{LinkId, RecordId};
use syncline_core::ledger::Ledger;
use syncline_engine::error::Result;
use syncline_engine::ports::store::Known;

use super::faults::fault;
use super::tables::{counter, letter, link, record};

/// A few connections, each used by one reader at a time.
#[derive(Debug)]
pub(super) struct Readers {
    connections: Vec<Arc<Mutex<Connection>>>,
    next: AtomicUsize,
}

impl Readers {
    /// Reads through these.
    pub(super) fn new(connections: Vec<Arc<Mutex<Connection>>>) -> Self {
        Self { connections, next: AtomicUsize::new(0) }
    }

    /// Reads by one statement.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        read(&self.connection())
    }

    /// Reads by several statements that see the same state.
    pub(super) fn snapshot<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut connection = self.connection();
        let doing = |error| fault("a read begins", error);
        let transaction = Transaction::new(&mut connection, TransactionBehavior::Deferred).map_err(doing)?;
        let answer = read(&transaction)?;
        transaction.commit().map_err(|error| fault("a read ends", error))?;
        Ok(answer)
    }

    /// A free connection, or the next one in turn once it is free.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        for connection in &self.connections {
            match connection.try_lock() {
                Ok(free) => return free,
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.connections.len();
        self.connections[turn].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records by key with all their links, in the order asked.
pub(super) fn known(connection: &Connection, record_type: &str, keys: &[&str]) -> Result<Vec<Option<Known>>> {
    keys.iter()
        .map(|key| {
            let Some((id, record)) = record::by_key(connection, record_type, key)? else { return Ok(None) };
            Ok(Some(Known { id, record, links: link::of_record(connection, id)? }))
        })
        .collect()
}

/// Records with all their links for those links, in the order asked.
pub(super) fn load(connection: &Connection, links: &[LinkId]) -> Result<Vec<(LinkId, Known)>> {
    let mut loaded = Vec::with_capacity(links.len());
    for id in links {
        if let Some(record) = link::record_of(connection, *id)?
            && let Some(known) = whole(connection, record)?
        {
            loaded.push((*id, known));
        }
    }
    Ok(loaded)
}

/// Records of a type, or of all, with all their links, by id, from the one behind `after` on.
pub(super) fn page(connection: &Connection, record_type: Option<&str>, after: Option<RecordId>, limit: usize) -> Result<Vec<Known>> {
    let records = record::page(connection, record_type, after, limit)?;
    records.into_iter().map(|(id, record)| Ok(Known { id, record, links: link::of_record(connection, id)? })).collect()
}

/// Counters with what is open at the same moment.
pub(super) fn ledger(connection: &Connection) -> Result<Ledger> {
    Ok(Ledger { counts: counter::counts(connection)?, open: link::open(connection)?, waiting: letter::waiting(connection)? })
}

/// A record with all its links.
pub(super) fn whole(connection: &Connection, id: RecordId) -> Result<Option<Known>> {
    let Some((id, record)) = record::by_id(connection, id)? else { return Ok(None) };
    Ok(Some(Known { id, record, links: link::of_record(connection, id)? }))
}
