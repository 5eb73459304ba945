//! The `call` table: what calls with an idempotency key came to.
//!
//! Promises: a key of a source has one row; a new call under a key whose time is over takes the row's place.
//! Leaves to others: telling repeats (`engine`), how long a row counts.

use rusqlite::Connection;
use syncline_core::change_set::KeptCall;
use syncline_core::ids::SourceId;
use syncline_core::time::Timestamp;
use syncline_engine::error::Result;

use super::super::faults::fault;
use super::super::row::{Group, Table, get, get_json, int, json, run, seal, text};
use super::counter::Tally;

pub(in super::super) const TABLE: Table = Table { name: "call", key: &["source", "key"], groups: &[ROW] };
const ROW: Group = Group { columns: &["source", "key", "digest", "judged", "at"], seal: "seal" };
const UPDATE: &str = "UPDATE call SET digest = ?3, judged = ?4, at = ?5, seal = ?6 WHERE source = ?1 AND key = ?2";
const INSERT: &str = "INSERT INTO call (source, key, digest, judged, at, seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const BY_KEY: &str = "SELECT digest, judged, at FROM call WHERE source = ?1 AND key = ?2 AND at >= ?3";

/// Keeps what calls came to.
pub(in super::super) fn put(connection: &Connection, calls: &[KeptCall], tally: &mut Tally) -> Result<()> {
    let doing = |error| fault("the answer to a call is kept", error);
    for call in calls {
        let judged = json(&call.judged)?;
        let parts = [int(call.source.0), text(&call.key), int(call.digest), text(&judged), int(call.at.0)];
        let seal = [int(seal(&ROW, &parts))];
        if connection.prepare_cached(UPDATE).and_then(|mut update| run(&mut update, &[&parts, &seal])).map_err(doing)? == 0 {
            connection.prepare_cached(INSERT).and_then(|mut insert| run(&mut insert, &[&parts, &seal])).map_err(doing)?;
            tally.row("call", 0, 1);
        }
    }
    Ok(())
}

/// What the call under a key came to, if it was kept since.
pub(in super::super) fn by_key(connection: &Connection, source: SourceId, key: &str, since: Timestamp) -> Result<Option<KeptCall>> {
    let doing = |error| fault("the answer to a call is read", error);
    let mut statement = connection.prepare_cached(BY_KEY).map_err(doing)?;
    let mut rows = statement.query((source.0, key, since.0)).map_err(doing)?;
    let Some(row) = rows.next().map_err(doing)? else { return Ok(None) };
    let call =
        KeptCall { source, key: key.to_owned(), digest: get(row, 0)?, judged: get_json(row, 1)?, at: Timestamp(get(row, 2)?) };
    Ok(Some(call))
}

/// Calls kept before a time.
pub(in super::super) fn kept_before(connection: &Connection, before: Timestamp, limit: usize) -> Result<Vec<(SourceId, String)>> {
    let doing = |error| fault("old answers to calls are read", error);
    let mut statement = connection.prepare_cached("SELECT source, key FROM call WHERE at < ?1 LIMIT ?2").map_err(doing)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map((before.0, limit), |row| Ok((SourceId(row.get(0)?), row.get(1)?))).map_err(doing)?;
    rows.collect::<rusqlite::Result<_>>().map_err(doing)
}

/// Forgets calls that are still older than that, and answers how many there were.
pub(in super::super) fn forget(connection: &Connection, calls: &[(SourceId, String)], before: Timestamp, tally: &mut Tally) -> Result<i64> {
    let doing = |error| fault("answers to calls are forgotten", error);
    let sql = "DELETE FROM call WHERE source = ?1 AND key = ?2 AND at < ?3";
    let mut statement = connection.prepare_cached(sql).map_err(doing)?;
    let mut gone = 0;
    for (source, key) in calls {
        gone += i64::try_from(statement.execute((source.0, key, before.0)).map_err(doing)?).unwrap_or(0);
    }
    tally.row("call", 0, -gone);
    Ok(gone)
}
