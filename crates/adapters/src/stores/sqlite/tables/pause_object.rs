//! The `pause_object` table: objects that stand still until an operator resumes them.
//!
//! Promises: a row is there if and only if the pause is in force. Leaves to others: pauses of a system as a whole (`pause`).

use rusqlite::Connection;
use syncline_core::change_set::{Pause, PauseChange, PauseScope};
use syncline_core::time::Timestamp;
use syncline_engine::error::Result;
use syncline_engine::ports::store::PauseRow;

use super::super::faults::fault;
use super::super::row::{Group, Table, get, int, run, seal, text};
use super::counter::Tally;

pub(in super::super) const TABLE: Table = Table { name: "pause_object", key: &["system", "object"], groups: &[ROW] };
const ROW: Group = Group { columns: &["system", "object", "since", "reason"], seal: "seal" };
const UPDATE: &str = "UPDATE pause_object SET since = ?3, reason = ?4, seal = ?5 WHERE system = ?1 AND object = ?2";
const INSERT: &str = "INSERT INTO pause_object (system, object, since, reason, seal) VALUES (?1, ?2, ?3, ?4, ?5)";
const DELETE: &str = "DELETE FROM pause_object WHERE system = ?1 AND object = ?2";

/// Sets or lifts the pause of an object; lifting what is not there changes nothing.
pub(super) fn change(connection: &Connection, change: &PauseChange, object: &str, tally: &mut Tally) -> Result<()> {
    let doing = |error| fault("a pause is changed", error);
    if !change.set {
        let gone = connection.prepare_cached(DELETE).and_then(|mut delete| delete.execute((&change.pause.system, object)));
        tally.row("pause_object", 0, -i64::try_from(gone.map_err(doing)?).unwrap_or(0));
        return Ok(());
    }
    let parts = [text(&change.pause.system), text(object), int(change.at.0), text(&change.reason)];
    let seal = [int(seal(&ROW, &parts))];
    if connection.prepare_cached(UPDATE).and_then(|mut update| run(&mut update, &[&parts, &seal])).map_err(doing)? == 0 {
        connection.prepare_cached(INSERT).and_then(|mut insert| run(&mut insert, &[&parts, &seal])).map_err(doing)?;
        tally.row("pause_object", 0, 1);
    }
    Ok(())
}

/// Pauses in force, by system and object.
pub(super) fn list(connection: &Connection) -> Result<Vec<PauseRow>> {
    let doing = |error| fault("pauses are read", error);
    let sql = "SELECT system, object, since, reason FROM pause_object ORDER BY system, object";
    let mut statement = connection.prepare_cached(sql).map_err(doing)?;
    let mut rows = statement.query([]).map_err(doing)?;
    let mut pauses = Vec::new();
    while let Some(row) = rows.next().map_err(doing)? {
        let pause = Pause { system: get(row, 0)?, scope: PauseScope::Object(get(row, 1)?) };
        pauses.push(PauseRow { pause, since: Timestamp(get(row, 2)?), reason: get(row, 3)? });
    }
    Ok(pauses)
}
