//! The `resync` table: deliveries that were opened because the rules changed, or because an operator wished it.
//!
//! Promises: a row is written once. Leaves to others: which deliveries these are (`core::resync`), the link that counts them.

use rusqlite::Connection;
use syncline_core::change_set::ResyncRow;
use syncline_core::ids::LinkId;
use syncline_core::time::Timestamp;
use syncline_engine::error::Result;

use super::super::faults::fault;
use super::super::row::{Group, Table, count, get, get_count, int, run, seal};
use super::counter::Tally;

pub(in super::super) const TABLE: Table = Table { name: "resync", key: &["link", "number"], groups: &[ROW] };
const ROW: Group = Group { columns: &["link", "number", "forced", "at"], seal: "seal" };
const INSERT: &str = "INSERT INTO resync (link, number, forced, at, seal) VALUES (?1, ?2, ?3, ?4, ?5)";
const NEWEST: &str = "SELECT link, number, forced, at FROM resync WHERE link = ?1 ORDER BY number DESC LIMIT ?2";

/// Writes what a resync opened.
pub(in super::super) fn insert(connection: &Connection, resyncs: &[ResyncRow], tally: &mut Tally) -> Result<()> {
    if resyncs.is_empty() {
        return Ok(());
    }
    let doing = |error| fault("a resync is written", error);
    let mut statement = connection.prepare_cached(INSERT).map_err(doing)?;
    for row in resyncs {
        let parts = [int(row.link.0), count(row.number), int(i64::from(row.forced)), int(row.at.0)];
        run(&mut statement, &[&parts, &[int(seal(&ROW, &parts))]]).map_err(doing)?;
    }
    tally.row("resync", 0, i64::try_from(resyncs.len()).unwrap_or(i64::MAX));
    Ok(())
}

/// What resyncs opened toward a link, newest first.
pub(in super::super) fn newest(connection: &Connection, link: LinkId, limit: usize) -> Result<Vec<ResyncRow>> {
    let doing = |error| fault("resyncs are read", error);
    let mut statement = connection.prepare_cached(NEWEST).map_err(doing)?;
    let mut rows = statement.query((link.0, i64::try_from(limit).unwrap_or(i64::MAX))).map_err(doing)?;
    let mut resyncs = Vec::new();
    while let Some(row) = rows.next().map_err(doing)? {
        let forced = get::<i64>(row, 2)? != 0;
        resyncs.push(ResyncRow { link: LinkId(get(row, 0)?), number: get_count(row, 1)?, forced, at: Timestamp(get(row, 3)?) });
    }
    Ok(resyncs)
}
