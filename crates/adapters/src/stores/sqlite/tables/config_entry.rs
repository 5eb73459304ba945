//! The `config_entry` table: configurations that came into force.
//!
//! Promises: an entry is written once and never changed; two of one number are refused. Leaves to others: what an entry says (the app).

use rusqlite::Connection;
use syncline_core::config_entry::{ConfigCause, ConfigEntry};
use syncline_core::time::Timestamp;
use syncline_engine::error::Result;

use super::super::faults::fault;
use super::super::row::{Group, Table, count, get, get_code, get_count, get_json, int, json, run, seal, text};
use super::counter::Tally;

pub(in super::super) const TABLE: Table = Table { name: "config_entry", key: &["id"], groups: &[ROW] };
const ROW: Group = Group { columns: &["id", "at", "cause", "who", "changes", "digest", "text"], seal: "seal" };
const INSERT: &str = "INSERT INTO config_entry (id, at, cause, who, changes, digest, text, seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

/// Writes entries.
pub(in super::super) fn insert(connection: &Connection, entries: &[ConfigEntry], tally: &mut Tally) -> Result<()> {
    let doing = |error| fault("the configuration's history is written", error);
    for entry in entries {
        let cause = match entry.cause {
            ConfigCause::Start => 0,
            ConfigCause::Reload => 1,
            ConfigCause::Set => 2,
        };
        let changes = json(&entry.changes)?;
        let parts = [count(entry.number), int(entry.at.0), int(cause), text(&entry.who), text(&changes), text(&entry.digest), text(&entry.text)];
        let seal = [int(seal(&ROW, &parts))];
        connection.prepare_cached(INSERT).and_then(|mut insert| run(&mut insert, &[&parts, &seal])).map_err(doing)?;
        tally.row("config_entry", 0, 1);
    }
    Ok(())
}

/// The newest entries, newest first.
pub(in super::super) fn newest(connection: &Connection, limit: usize) -> Result<Vec<ConfigEntry>> {
    let doing = |error| fault("the configuration's history is read", error);
    let sql = "SELECT id, at, cause, who, changes, digest, text FROM config_entry ORDER BY id DESC LIMIT ?1";
    let mut statement = connection.prepare_cached(sql).map_err(doing)?;
    let mut rows = statement.query([i64::try_from(limit).unwrap_or(i64::MAX)]).map_err(doing)?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next().map_err(doing)? {
        entries.push(ConfigEntry {
            number: get_count(row, 0)?,
            at: Timestamp(get(row, 1)?),
            cause: get_code(row, 2, &ConfigCause::ALL)?,
            who: get(row, 3)?,
            changes: get_json(row, 4)?,
            digest: get(row, 5)?,
            text: get(row, 6)?,
        });
    }
    Ok(entries)
}
