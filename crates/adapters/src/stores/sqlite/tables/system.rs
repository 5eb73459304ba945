//! The `system` table: the number under which every other table knows a system.
//!
//! Promises: a name keeps its number for ever. Leaves to others: which systems there are (the configuration).

use rusqlite::{Connection, OptionalExtension};
use syncline_engine::error::Result;

use super::super::faults::fault;
use super::super::row::{Group, Table, int, run, seal, text};
use super::counter::Tally;

pub(in super::super) const TABLE: Table = Table { name: "system", key: &["id"], groups: &[ROW] };
const ROW: Group = Group { columns: &["id", "name"], seal: "seal" };

/// The number of a name; a new name gets the next number.
pub(in super::super) fn register(connection: &Connection, name: &str, tally: &mut Tally) -> Result<i64> {
    if let Some(id) = number(connection, name)? {
        return Ok(id);
    }
    let doing = |error| fault("a system is registered", error);
    let id: i64 = connection.query_row("SELECT coalesce(max(id), 0) + 1 FROM system", [], |row| row.get(0)).map_err(doing)?;
    let parts = [int(id), text(name)];
    let mut statement = connection.prepare_cached("INSERT INTO system (id, name, seal) VALUES (?1, ?2, ?3)").map_err(doing)?;
    run(&mut statement, &[&parts, &[int(seal(&ROW, &parts))]]).map_err(doing)?;
    tally.row("system", 0, 1);
    Ok(id)
}

/// The number of a known name.
pub(in super::super) fn number(connection: &Connection, name: &str) -> Result<Option<i64>> {
    let doing = |error| fault("a system is looked up", error);
    let mut statement = connection.prepare_cached("SELECT id FROM system WHERE name = ?1").map_err(doing)?;
    statement.query_row([name], |row| row.get(0)).optional().map_err(doing)
}

/// Systems by number.
pub(in super::super) fn list(connection: &Connection) -> Result<Vec<(i64, String)>> {
    let doing = |error| fault("systems are read", error);
    let mut statement = connection.prepare_cached("SELECT id, name FROM system ORDER BY id").map_err(doing)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(doing)?;
    rows.collect::<rusqlite::Result<_>>().map_err(doing)
}
