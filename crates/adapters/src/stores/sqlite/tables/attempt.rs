//! The `attempt` table: every intended request item and what became of it.
//!
//! Promises: what was intended never changes and has a seal of its own; an attempt that can no longer land is not settled
//! anew. Leaves to others: what an answer means (`core::dispatch`).

use rusqlite::{Connection, Row};
use syncline_core::attempt::{Attempt, Fate, Operation};
use syncline_core::change_set::AttemptFate;
use syncline_core::ids::{AttemptId, ChargeId, LinkId, RecordId, SystemId};
use syncline_core::time::Timestamp;
use syncline_engine::error::Result;

use super::super::faults::fault;
use super::super::row::{
    Group, Part, Table, count, get, get_code, get_count, get_json, get_small, int, json, run, run_one, seal, text,
};
use super::counter::Tally;

pub(in super::super) const TABLE: Table = Table { name: "attempt", key: &["id"], groups: &[INTENT, FATE] };
const INTENT: Group = Group {
    columns: &[
        "id", "link", "record", "system", "charge", "operation", "generation", "covers_after", "covers_to", "row_values", "opened_at",
        "horizon",
    ],
    seal: "seal",
};
const FATE: Group = Group { columns: &["id", "fate", "applied", "coalesced"], seal: "fate_seal" };
const INSERT: &str = "INSERT INTO attempt (id, link, record, system, charge, operation, generation, covers_after, covers_to,
    row_values, opened_at, horizon, seal, fate, applied, coalesced, fate_seal)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
const SETTLE: &str = "UPDATE attempt SET fate = ?2, applied = ?3, coalesced = ?4, fate_seal = ?5 WHERE id = ?1 AND fate <= 1";
const SELECT: &str = "SELECT id, link, record, system, charge, operation, generation, covers_after, covers_to, row_values, opened_at,
    horizon, fate, applied, coalesced FROM attempt";

/// Fates by code; up to code 1 the attempt may still land.
const FATES: [Fate; 5] = [Fate::Open, Fate::Unknown, Fate::Proven, Fate::NotDone, Fate::Expired];

/// Writes attempts that are about to be sent.
pub(in super::super) fn insert(connection: &Connection, attempts: &[Attempt], tally: &mut Tally) -> Result<()> {
    if attempts.is_empty() {
        return Ok(());
    }
    let doing = |error| fault("an attempt is written", error);
    let mut statement = connection.prepare_cached(INSERT).map_err(doing)?;
    for attempt in attempts {
        let values = json(&attempt.values)?;
        let intent = intent_parts(attempt, &values);
        let fate = fate_parts(attempt.id, attempt.fate, attempt.applied, attempt.coalesced);
        let seals = [[int(seal(&INTENT, &intent))], [int(seal(&FATE, &fate))]];
        run(&mut statement, &[&intent, &seals[0], &fate[1..], &seals[1]]).map_err(doing)?;
    }
    tally.row("attempt", 0, i64::try_from(attempts.len()).unwrap_or(i64::MAX));
    Ok(())
}

/// Writes what became of open attempts.
pub(in super::super) fn settle(connection: &Connection, fates: &[AttemptFate]) -> Result<()> {
    if fates.is_empty() {
        return Ok(());
    }
    let mut statement = connection.prepare_cached(SETTLE).map_err(|error| fault("an attempt is settled", error))?;
    for settled in fates {
        let parts = fate_parts(settled.id, settled.fate, settled.applied, settled.coalesced);
        run_one(&mut statement, &[&parts, &[int(seal(&FATE, &parts))]], || format!("open attempt {} is settled", settled.id))?;
    }
    Ok(())
}

/// Attempts of a system that may still land, by id.
pub(in super::super) fn open(connection: &Connection, system: SystemId) -> Result<Vec<Attempt>> {
    list(connection, &format!("{SELECT} INDEXED BY attempt_open WHERE system = ?1 AND fate <= 1 ORDER BY id"), [system.0])
}

/// The newest attempts of a link, newest first.
pub(in super::super) fn newest(connection: &Connection, link: LinkId, limit: usize) -> Result<Vec<Attempt>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    list(connection, &format!("{SELECT} WHERE link = ?1 ORDER BY id DESC LIMIT ?2"), [link.0, limit])
}

/// Attempts of every link, newest first, from the one before `before` on.
pub(in super::super) fn log(connection: &Connection, before: Option<AttemptId>, limit: usize) -> Result<Vec<Attempt>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    list(connection, &format!("{SELECT} WHERE id < ?1 ORDER BY id DESC LIMIT ?2"), [before.map_or(i64::MAX, |id| id.0), limit])
}

fn list(connection: &Connection, sql: &str, parameters: impl rusqlite::Params) -> Result<Vec<Attempt>> {
    let doing = |error| fault("attempts are read", error);
    let mut statement = connection.prepare_cached(sql).map_err(doing)?;
    let mut rows = statement.query(parameters).map_err(doing)?;
    let mut attempts = Vec::new();
    while let Some(row) = rows.next().map_err(doing)? {
        attempts.push(read(row)?);
    }
    Ok(attempts)
}

fn intent_parts<'a>(attempt: &'a Attempt, values: &'a str) -> [Part<'a>; 12] {
    let operation = match attempt.operation {
        Operation::Create => 0,
        Operation::Update => 1,
        Operation::Delete => 2,
    };
    [
        int(attempt.id.0),
        int(attempt.link.0),
        int(attempt.record.0),
        int(attempt.system.0),
        int(attempt.charge.0),
        int(operation),
        int(i64::from(attempt.generation)),
        count(attempt.covers_after),
        count(attempt.covers_to),
        text(values),
        int(attempt.opened_at.0),
        int(attempt.horizon.0),
    ]
}

fn fate_parts(id: AttemptId, fate: Fate, applied: u64, coalesced: u64) -> [Part<'static>; 4] {
    let fate = match fate {
        Fate::Open => 0,
        Fate::Unknown => 1,
        Fate::Proven => 2,
        Fate::NotDone => 3,
        Fate::Expired => 4,
    };
    [int(id.0), int(fate), count(applied), count(coalesced)]
}

fn read(row: &Row<'_>) -> Result<Attempt> {
    Ok(Attempt {
        id: AttemptId(get(row, 0)?),
        link: LinkId(get(row, 1)?),
        record: RecordId(get(row, 2)?),
        system: SystemId(get(row, 3)?),
        charge: ChargeId(get(row, 4)?),
        operation: get_code(row, 5, &Operation::ALL)?,
        generation: get_small(row, 6)?,
        covers_after: get_count(row, 7)?,
        covers_to: get_count(row, 8)?,
        values: get_json(row, 9)?,
        opened_at: Timestamp(get(row, 10)?),
        horizon: Timestamp(get(row, 11)?),
        fate: get_code(row, 12, &FATES)?,
        applied: get_count(row, 13)?,
        coalesced: get_count(row, 14)?,
    })
}
