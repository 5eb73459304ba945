//! The `checkpoint` and `seen` tables: where feeds may resume, and which explicit event ids they have offered.
//!
//! Promises: an event id is remembered once; a source has one checkpoint.
//! Leaves to others: what a cursor means (each feed), telling duplicates (`core`).

use rusqlite::{Connection, OptionalExtension};
use syncline_core::change_set::SeenEvent;
use syncline_core::checkpoint::Checkpoint;
use syncline_core::ids::SourceId;
use syncline_core::time::Timestamp;
use syncline_engine::error::Result;

use super::super::faults::fault;
use super::super::row::{Group, Table, int, run, seal, text};
use super::counter::Tally;

pub(in super::super) const CHECKPOINT: Table = Table { name: "checkpoint", key: &["source"], groups: &[PLACE] };
const PLACE: Group = Group { columns: &["source", "epoch", "position", "cursor"], seal: "seal" };
const UPDATE: &str = "UPDATE checkpoint SET epoch = ?2, position = ?3, cursor = ?4, seal = ?5 WHERE source = ?1";
const INSERT: &str = "INSERT INTO checkpoint (source, epoch, position, cursor, seal) VALUES (?1, ?2, ?3, ?4, ?5)";

pub(in super::super) const SEEN: Table = Table { name: "seen", key: &["source", "event_id"], groups: &[ID] };
const ID: Group = Group { columns: &["source", "event_id", "digest", "accepted_at"], seal: "seal" };
const INSERT_SEEN: &str = "INSERT INTO seen (source, event_id, digest, accepted_at, seal) VALUES (?1, ?2, ?3, ?4, ?5)";
const DIGEST: &str = "SELECT digest FROM seen WHERE source = ?1 AND event_id = ?2";
const SEEN_BEFORE: &str = "SELECT source, event_id FROM seen WHERE accepted_at < ?1 LIMIT ?2";

/// Writes where feeds may resume.
pub(in super::super) fn put_checkpoints(connection: &Connection, checkpoints: &[Checkpoint], tally: &mut Tally) -> Result<()> {
    let doing = |error| fault("a checkpoint is written", error);
    for checkpoint in checkpoints {
        let parts = [int(checkpoint.source.0), int(checkpoint.epoch), int(checkpoint.position), text(&checkpoint.cursor)];
        let seal = [int(seal(&PLACE, &parts))];
        if connection.prepare_cached(UPDATE).and_then(|mut update| run(&mut update, &[&parts, &seal])).map_err(doing)? == 0 {
            connection.prepare_cached(INSERT).and_then(|mut insert| run(&mut insert, &[&parts, &seal])).map_err(doing)?;
            tally.row("checkpoint", 0, 1);
        }
    }
    Ok(())
}

/// Where a feed may resume.
pub(in super::super) fn checkpoint(connection: &Connection, source: SourceId) -> Result<Option<Checkpoint>> {
    let doing = |error| fault("a checkpoint is read", error);
    let sql = "SELECT epoch, position, cursor FROM checkpoint WHERE source = ?1";
    let mut statement = connection.prepare_cached(sql).map_err(doing)?;
    let read = |row: &rusqlite::Row<'_>| Ok(Checkpoint { source, epoch: row.get(0)?, position: row.get(1)?, cursor: row.get(2)? });
    statement.query_row([source.0], read).optional().map_err(doing)
}

/// Remembers explicit event ids.
pub(in super::super) fn insert_seen(connection: &Connection, seen: &[SeenEvent], tally: &mut Tally) -> Result<()> {
    if seen.is_empty() {
        return Ok(());
    }
    let doing = |error| fault("an event id is remembered", error);
    let mut statement = connection.prepare_cached(INSERT_SEEN).map_err(doing)?;
    for event in seen {
        let parts = [int(event.source.0), text(&event.event_id), int(event.digest), int(event.accepted_at.0)];
        run(&mut statement, &[&parts, &[int(seal(&ID, &parts))]]).map_err(doing)?;
    }
    tally.row("seen", 0, i64::try_from(seen.len()).unwrap_or(i64::MAX));
    Ok(())
}

/// The digest under which an event id was seen.
pub(in super::super) fn digest(connection: &Connection, source: SourceId, event_id: &str) -> Result<Option<i64>> {
    let doing = |error| fault("an event id is looked up", error);
    let mut statement = connection.prepare_cached(DIGEST).map_err(doing)?;
    statement.query_row((source.0, event_id), |row| row.get(0)).optional().map_err(doing)
}

/// Event ids accepted before a time.
pub(in super::super) fn seen_before(connection: &Connection, before: Timestamp, limit: usize) -> Result<Vec<(SourceId, String)>> {
    let doing = |error| fault("old event ids are read", error);
    let mut statement = connection.prepare_cached(SEEN_BEFORE).map_err(doing)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map((before.0, limit), |row| Ok((SourceId(row.get(0)?), row.get(1)?))).map_err(doing)?;
    rows.collect::<rusqlite::Result<_>>().map_err(doing)
}

/// Forgets event ids and answers how many there were.
pub(in super::super) fn forget_seen(connection: &Connection, seen: &[(SourceId, String)], tally: &mut Tally) -> Result<i64> {
    let doing = |error| fault("event ids are forgotten", error);
    let mut statement = connection.prepare_cached("DELETE FROM seen WHERE source = ?1 AND event_id = ?2").map_err(doing)?;
    let mut gone = 0;
    for (source, event_id) in seen {
        gone += i64::try_from(statement.execute((source.0, event_id)).map_err(doing)?).unwrap_or(0);
    }
    tally.row("seen", 0, -gone);
    Ok(gone)
}
