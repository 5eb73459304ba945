//! The `charge` table: every request's charge on an account's quota.
//!
//! Promises: only an answered charge is ever forgotten, and never the newest one, so that its id is not given out again.
//! Leaves to others: how long a charge counts (`core::dispatch::quota`).

use rusqlite::{Connection, Row};
use syncline_core::attempt::Charge;
use syncline_core::change_set::ChargeClose;
use syncline_core::ids::ChargeId;
use syncline_core::time::Timestamp;
use syncline_engine::error::Result;

use super::super::faults::fault;
use super::super::row::{Group, Part, Table, count, get, get_code, get_count, get_json, int, json, maybe_int, run, run_one, seal, text};
use super::counter::Tally;

pub(in super::super) const TABLE: Table = Table { name: "charge", key: &["id"], groups: &[INTENT, CLOSE] };
const INTENT: Group = Group { columns: &["id", "account", "call", "pools", "items", "opened_at", "horizon"], seal: "seal" };
const CLOSE: Group = Group { columns: &["id", "answered_at", "released"], seal: "close_seal" };
const INSERT: &str = "INSERT INTO charge (id, account, call, pools, items, opened_at, horizon, seal, answered_at, released, close_seal)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const SET_CLOSE: &str = "UPDATE charge SET answered_at = ?2, released = ?3, close_seal = ?4 WHERE id = ?1";
const SINCE: &str = "SELECT id, account, call, pools, items, opened_at, horizon, answered_at, released FROM charge
    WHERE account = ?1 AND (opened_at >= ?2 OR answered_at >= ?2 OR (answered_at IS NULL AND horizon >= ?2)) ORDER BY id";
const CLOSED_BEFORE: &str = "SELECT id FROM charge WHERE answered_at < ?1 AND id < (SELECT max(id) FROM charge) ORDER BY id LIMIT ?2";

/// Writes charges of requests that are about to be sent.
pub(in super::super) fn insert(connection: &Connection, charges: &[Charge], tally: &mut Tally) -> Result<()> {
    if charges.is_empty() {
        return Ok(());
    }
    let doing = |error| fault("a charge is written", error);
    let mut statement = connection.prepare_cached(INSERT).map_err(doing)?;
    for charge in charges {
        let pools = json(&charge.pools)?;
        let intent = [
            int(charge.id.0),
            text(&charge.account),
            text(&charge.call),
            text(&pools),
            count(charge.items),
            int(charge.opened_at.0),
            int(charge.horizon.0),
        ];
        let close = close_parts(charge.id, charge.answered_at, charge.released);
        let seals = [[int(seal(&INTENT, &intent))], [int(seal(&CLOSE, &close))]];
        run(&mut statement, &[&intent, &seals[0], &close[1..], &seals[1]]).map_err(doing)?;
    }
    tally.row("charge", 0, i64::try_from(charges.len()).unwrap_or(i64::MAX));
    Ok(())
}

/// Writes the ends of charges' open time.
pub(in super::super) fn close(connection: &Connection, closes: &[ChargeClose]) -> Result<()> {
    if closes.is_empty() {
        return Ok(());
    }
    let mut statement = connection.prepare_cached(SET_CLOSE).map_err(|error| fault("a charge is closed", error))?;
    for close in closes {
        let parts = close_parts(close.id, Some(close.answered_at), close.released);
        run_one(&mut statement, &[&parts, &[int(seal(&CLOSE, &parts))]], || format!("charge {} is closed", close.id))?;
    }
    Ok(())
}

/// Charges of an account that were opened or answered since, or may still be answered.
pub(in super::super) fn since(connection: &Connection, account: &str, since: Timestamp) -> Result<Vec<Charge>> {
    let doing = |error| fault("charges are read", error);
    let mut statement = connection.prepare_cached(SINCE).map_err(doing)?;
    let mut rows = statement.query((account, since.0)).map_err(doing)?;
    let mut charges = Vec::new();
    while let Some(row) = rows.next().map_err(doing)? {
        charges.push(read(row)?);
    }
    Ok(charges)
}

/// Charges answered before a time, oldest first.
pub(in super::super) fn closed_before(connection: &Connection, before: Timestamp, limit: usize) -> Result<Vec<ChargeId>> {
    let doing = |error| fault("old charges are read", error);
    let mut statement = connection.prepare_cached(CLOSED_BEFORE).map_err(doing)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map((before.0, limit), |row| row.get(0).map(ChargeId)).map_err(doing)?;
    rows.collect::<rusqlite::Result<_>>().map_err(doing)
}

/// Forgets charges and answers how many there were.
pub(in super::super) fn forget(connection: &Connection, charges: &[ChargeId], tally: &mut Tally) -> Result<i64> {
    let doing = |error| fault("charges are forgotten", error);
    let mut statement = connection.prepare_cached("DELETE FROM charge WHERE id = ?1").map_err(doing)?;
    let mut gone = 0;
    for charge in charges {
        gone += i64::try_from(statement.execute([charge.0]).map_err(doing)?).unwrap_or(0);
    }
    tally.row("charge", 0, -gone);
    Ok(gone)
}

fn close_parts(id: ChargeId, answered_at: Option<Timestamp>, released: bool) -> [Part<'static>; 3] {
    [int(id.0), maybe_int(answered_at.map(|at| at.0)), int(i64::from(released))]
}

fn read(row: &Row<'_>) -> Result<Charge> {
    Ok(Charge {
        id: ChargeId(get(row, 0)?),
        account: get(row, 1)?,
        call: get(row, 2)?,
        pools: get_json(row, 3)?,
        items: get_count(row, 4)?,
        opened_at: Timestamp(get(row, 5)?),
        horizon: Timestamp(get(row, 6)?),
        answered_at: get::<Option<i64>>(row, 7)?.map(Timestamp),
        released: get_code(row, 8, &[false, true])?,
    })
}
