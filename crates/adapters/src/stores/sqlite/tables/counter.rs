//! The `counter` table: the ledger's accounts, and how many rows every table must have.
//!
//! Promises: written once per commit group with the sum of its sets; a counter whose seal was already broken stays so,
//! because a new seal carries the old one's difference on. Leaves to others: what must equal what (`audit`).

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Statement};
use syncline_core::ids::{SourceId, SystemId};
use syncline_core::ledger::{Cause, Counter, Counts, Ending, Fact, Offer, Post, Routing};
use syncline_engine::error::Result;

use super::super::faults::{corrupt, fault};
use super::super::row::{Group, Table, get, int, run, seal, text};

pub(in super::super) const TABLE: Table = Table { name: "counter", key: &["scope", "number", "name"], groups: &[ROW] };
const ROW: Group = Group { columns: &["scope", "number", "name", "value"], seal: "seal" };
const READ: &str = "SELECT value, seal FROM counter WHERE scope = ?1 AND number = ?2 AND name = ?3";
const WRITE: &str = "INSERT INTO counter (scope, number, name, value, seal) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (scope, number, name) DO UPDATE SET value = excluded.value, seal = excluded.seal";
const ROWS: &str = "rows";

/// What a commit group adds to the counters.
#[derive(Debug, Default)]
pub(in super::super) struct Tally {
    /// The ledger's accounts.
    pub(in super::super) counts: Counts,
    rows: BTreeMap<(&'static str, i64), i64>,
}

impl Tally {
    /// Rows added to a table, or taken away; links are counted by system, all else under 0.
    pub(in super::super) fn row(&mut self, table: &'static str, number: i64, change: i64) {
        *self.rows.entry((table, number)).or_default() += change;
    }

    /// Adds everything to the table.
    pub(in super::super) fn write(self, connection: &Connection) -> Result<()> {
        let doing = |error| fault("a counter is written", error);
        let mut read = connection.prepare_cached(READ).map_err(doing)?;
        let mut write = connection.prepare_cached(WRITE).map_err(doing)?;
        let mut added = 0;
        for (counter, change) in &self.counts.0 {
            let (scope, number, name) = key(*counter);
            added += i64::from(add(&mut read, &mut write, (scope, number, name), *change)?);
        }
        for ((table, number), change) in &self.rows {
            added += i64::from(add(&mut read, &mut write, (ROWS, *number, table), *change)?);
        }
        if added > 0 && add(&mut read, &mut write, (ROWS, 0, TABLE.name), added)? {
            add(&mut read, &mut write, (ROWS, 0, TABLE.name), 1)?;
        }
        Ok(())
    }
}

/// Adds to one counter and answers whether it is new.
fn add(read: &mut Statement<'_>, write: &mut Statement<'_>, key: (&str, i64, &str), change: i64) -> Result<bool> {
    let doing = |error| fault("a counter is written", error);
    let parts = |value| [text(key.0), int(key.1), text(key.2), int(value)];
    let old: Option<(i64, i64)> = read.query_row(key, |row| Ok((row.get(0)?, row.get(1)?))).optional().map_err(doing)?;
    let (value, difference) = old.map_or((0, 0), |(value, found)| (value, found ^ seal(&ROW, &parts(value))));
    let parts = parts(value.saturating_add(change));
    run(write, &[&parts, &[int(seal(&ROW, &parts) ^ difference)]]).map_err(doing)?;
    Ok(old.is_none())
}

/// Every account of the ledger.
pub(in super::super) fn counts(connection: &Connection) -> Result<Counts> {
    let (counts, unknown) = counts_that_read(connection)?;
    match unknown.first() {
        Some(name) => Err(corrupt(format!("unknown counter {name}"))),
        None => Ok(counts),
    }
}

/// Every account of the ledger, and the counters that are none.
pub(in super::super) fn counts_that_read(connection: &Connection) -> Result<(Counts, Vec<String>)> {
    let doing = |error| fault("the counters are read", error);
    let mut statement = connection.prepare_cached("SELECT scope, number, name, value FROM counter").map_err(doing)?;
    let mut rows = statement.query([]).map_err(doing)?;
    let (mut counts, mut unknown) = (Counts::default(), Vec::new());
    while let Some(row) = rows.next().map_err(doing)? {
        let words = |index| row.get_ref(index).map(|text| text.as_str().unwrap_or_default()).map_err(doing);
        let (scope, number, name) = (words(0)?, get(row, 1)?, words(2)?);
        if scope == ROWS {
            continue;
        }
        match counter(scope, number, name) {
            Some(counter) => drop(counts.0.insert(counter, get(row, 3)?)),
            None => unknown.push(format!("{scope} {number} {name}")),
        }
    }
    Ok((counts, unknown))
}

/// How many rows every table must have.
pub(in super::super) fn rows(connection: &Connection) -> Result<BTreeMap<(String, i64), i64>> {
    let doing = |error| fault("the counters are read", error);
    let mut statement = connection.prepare_cached("SELECT name, number, value FROM counter WHERE scope = ?1").map_err(doing)?;
    let rows = statement.query_map([ROWS], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?))).map_err(doing)?;
    rows.collect::<rusqlite::Result<_>>().map_err(doing)
}

/// How many links of a system there are.
pub(in super::super) fn links(connection: &Connection, system: SystemId) -> Result<u64> {
    let doing = |error| fault("the counters are read", error);
    let mut statement = connection.prepare_cached(READ).map_err(doing)?;
    let found: Option<i64> = statement.query_row((ROWS, system.0, "link"), |row| row.get(0)).optional().map_err(doing)?;
    Ok(found.and_then(|found| u64::try_from(found).ok()).unwrap_or(0))
}

const fn key(counter: Counter) -> (&'static str, i64, &'static str) {
    match counter {
        Counter::Source(source, offer) => ("source", source.0, offer.name()),
        Counter::Tenant(routing) => ("tenant", 0, routing.name()),
        Counter::Opened(system, cause) => ("opened", system.0, cause.name()),
        Counter::Closed(system, ending) => ("closed", system.0, ending.name()),
        Counter::Letters(post) => ("letters", 0, post.name()),
        Counter::Fact(system, fact) => ("fact", system.0, fact.name()),
    }
}

fn counter(scope: &str, number: i64, name: &str) -> Option<Counter> {
    fn named<T: Copy>(all: &[T], name: &str, of: impl Fn(T) -> &'static str) -> Option<T> {
        all.iter().copied().find(|one| of(*one) == name)
    }
    match scope {
        "source" => named(Offer::ALL, name, Offer::name).map(|offer| Counter::Source(SourceId(number), offer)),
        "tenant" => named(Routing::ALL, name, Routing::name).map(Counter::Tenant),
        "opened" => named(Cause::ALL, name, Cause::name).map(|cause| Counter::Opened(SystemId(number), cause)),
        "closed" => named(Ending::ALL, name, Ending::name).map(|ending| Counter::Closed(SystemId(number), ending)),
        "letters" => named(Post::ALL, name, Post::name).map(Counter::Letters),
        "fact" => named(Fact::ALL, name, Fact::name).map(|fact| Counter::Fact(SystemId(number), fact)),
        _ => None,
    }
}
