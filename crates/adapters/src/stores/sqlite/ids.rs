//! Gives out ids.
//!
//! Promises: an id is given out once while the store is open, and after a reopen every id is above all that rows bear or
//! name. Leaves to others: what an id is for (`core::ids`).

use std::sync::atomic::{AtomicI64, Ordering};

use rusqlite::Connection;
use syncline_engine::error::Result;
use syncline_engine::ports::store::IdKind;

use super::faults::fault;

/// The next id of each kind.
#[derive(Debug)]
pub(super) struct Ids {
    record: AtomicI64,
    link: AtomicI64,
    event: AtomicI64,
    attempt: AtomicI64,
    letter: AtomicI64,
    charge: AtomicI64,
}

impl Ids {
    /// Goes on above the ids in the tables. The newest charge is never forgotten, all other rows stay.
    pub(super) fn above(connection: &Connection) -> Result<Self> {
        let next = |sql: &str| -> Result<AtomicI64> {
            let last: i64 = connection.query_row(sql, [], |row| row.get(0)).map_err(|error| fault("the last ids are read", error))?;
            Ok(AtomicI64::new(last.saturating_add(1)))
        };
        Ok(Self {
            record: next("SELECT coalesce(max(id), 0) FROM record")?,
            link: next("SELECT coalesce(max(id), 0) FROM link")?,
            event: next("SELECT coalesce(max(id), 0) FROM event")?,
            attempt: next("SELECT coalesce(max(id), 0) FROM attempt")?,
            letter: next("SELECT coalesce(max(id), 0) FROM letter")?,
            charge: next("SELECT coalesce(max(id), 0) FROM charge")?,
        })
    }

    /// The first of `count` consecutive ids.
    pub(super) fn allocate(&self, kind: IdKind, count: usize) -> i64 {
        let next = match kind {
            IdKind::Record => &self.record,
            IdKind::Link => &self.link,
            IdKind::Event => &self.event,
            IdKind::Attempt => &self.attempt,
            IdKind::Letter => &self.letter,
            IdKind::Charge => &self.charge,
        };
        next.fetch_add(i64::try_from(count).unwrap_or(i64::MAX), Ordering::Relaxed)
    }
}
