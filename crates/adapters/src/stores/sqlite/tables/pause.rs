//! The `pause` table: systems, or their deletes, that stand still until an operator resumes them.
//!
//! Promises: a row is there if and only if the pause is in force. Leaves to others: setting and lifting (`core`, the operator).

use rusqlite::Connection;
use syncline_core::change_set::{Pause, PauseChange, PauseScope};
use syncline_core::time::Timestamp;
use syncline_engine::error::Result;
use syncline_engine::ports::store::PauseRow;

use super::super::faults::fault;
use super::super::row::{Group, Table, get, get_code, int, run, seal, text};
use super::counter::Tally;
use super::pause_object;

pub(in super::super) const TABLE: Table = Table { name: "pause", key: &["system", "scope"], groups: &[ROW] };
const ROW: Group = Group { columns: &["system", "scope", "since", "reason"], seal: "seal" };
const UPDATE: &str = "UPDATE pause SET since = ?3, reason = ?4, seal = ?5 WHERE system = ?1 AND scope = ?2";
const INSERT: &str = "INSERT INTO pause (system, scope, since, reason, seal) VALUES (?1, ?2, ?3, ?4, ?5)";
const DELETE: &str = "DELETE FROM pause WHERE system = ?1 AND scope = ?2";

/// Sets and lifts pauses; lifting what is not there changes nothing.
pub(in super::super) fn change(connection: &Connection, changes: &[PauseChange], tally: &mut Tally) -> Result<()> {
    let doing = |error| fault("a pause is changed", error);
    for change in changes {
        let scope = match &change.pause.scope {
            PauseScope::Writes => 0,
            PauseScope::Deletes => 1,
            PauseScope::Object(object) => {
                pause_object::change(connection, change, object, tally)?;
                continue;
            }
        };
        let parts = [text(&change.pause.system), int(scope), int(change.at.0), text(&change.reason)];
        let seal = [int(seal(&ROW, &parts))];
        if !change.set {
            let gone = connection.prepare_cached(DELETE).and_then(|mut delete| delete.execute((&change.pause.system, scope)));
            tally.row("pause", 0, -i64::try_from(gone.map_err(doing)?).unwrap_or(0));
        } else if connection.prepare_cached(UPDATE).and_then(|mut update| run(&mut update, &[&parts, &seal])).map_err(doing)? == 0 {
            connection.prepare_cached(INSERT).and_then(|mut insert| run(&mut insert, &[&parts, &seal])).map_err(doing)?;
            tally.row("pause", 0, 1);
        }
    }
    Ok(())
}

/// Pauses in force, those of objects too, by system and scope.
pub(in super::super) fn list(connection: &Connection) -> Result<Vec<PauseRow>> {
    let doing = |error| fault("pauses are read", error);
    let sql = "SELECT system, scope, since, reason FROM pause ORDER BY system, scope";
    let mut statement = connection.prepare_cached(sql).map_err(doing)?;
    let mut rows = statement.query([]).map_err(doing)?;
    let mut pauses = Vec::new();
    while let Some(row) = rows.next().map_err(doing)? {
        let pause = Pause { system: get(row, 0)?, scope: get_code(row, 1, &[PauseScope::Writes, PauseScope::Deletes])? };
        pauses.push(PauseRow { pause, since: Timestamp(get(row, 2)?), reason: get(row, 3)? });
    }
    pauses.extend(pause_object::list(connection)?);
    pauses.sort_by(|one, other| one.pause.cmp(&other.pause));
    Ok(pauses)
}
