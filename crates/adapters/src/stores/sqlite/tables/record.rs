//! The `record` table: what is known of every record of ours.
//!
//! Promises: a record's type and key never change once written, so its one index is touched only when it is new.
//! Leaves to others: folding changes in (`core`).

use rusqlite::{Connection, OptionalExtension, Row};
use syncline_core::ids::{RecordId, SourceId};
use syncline_core::record::{Record, RecordState};
use syncline_core::version::Version;
use syncline_engine::error::Result;

use super::super::faults::fault;
use super::super::row::{Group, Part, Table, get, get_code, get_json, get_small, int, json, run, seal, text};
use super::counter::Tally;

pub(in super::super) const TABLE: Table = Table { name: "record", key: &["id"], groups: &[ROW] };
const ROW: Group = Group {
    columns: &["id", "record_type", "key", "state", "generation", "source", "epoch", "version", "field_orders", "fields"],
    seal: "seal",
};
const INSERT: &str = "INSERT INTO record (id, record_type, key, state, generation, source, epoch, version, field_orders, fields, seal)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const UPDATE: &str = "UPDATE record SET state = ?4, generation = ?5, source = ?6, epoch = ?7, version = ?8, field_orders = ?9,
    fields = ?10, seal = ?11 WHERE id = ?1 AND record_type = ?2 AND key = ?3";
const LAST: &str = "SELECT coalesce(max(id), 0) FROM record";
const SELECT: &str = "SELECT id, record_type, key, state, generation, source, epoch, version, field_orders, fields FROM record";

/// Writes records whole, new ones and known ones.
pub(in super::super) fn put(connection: &Connection, records: &[(RecordId, Record)], tally: &mut Tally) -> Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    let doing = |error| fault("a record is written", error);
    let mut last: i64 = connection.prepare_cached(LAST).and_then(|mut last| last.query_row([], |row| row.get(0))).map_err(doing)?;
    let mut insert = connection.prepare_cached(INSERT).map_err(doing)?;
    let mut update = connection.prepare_cached(UPDATE).map_err(doing)?;
    for (id, record) in records {
        let (orders, fields) = (json(&record.field_orders)?, json(&record.fields)?);
        let parts = parts(*id, record, &orders, &fields);
        let seal = [int(seal(&ROW, &parts))];
        let is_known = id.0 <= last && run(&mut update, &[&parts, &seal]).map_err(doing)? == 1;
        if !is_known {
            run(&mut insert, &[&parts, &seal]).map_err(doing)?;
            last = last.max(id.0);
            tally.row("record", 0, 1);
        }
    }
    Ok(())
}

/// A record by type and key.
pub(in super::super) fn by_key(connection: &Connection, record_type: &str, key: &str) -> Result<Option<(RecordId, Record)>> {
    one(connection, &format!("{SELECT} WHERE record_type = ?1 AND key = ?2"), (record_type, key))
}

/// A record by id.
pub(in super::super) fn by_id(connection: &Connection, id: RecordId) -> Result<Option<(RecordId, Record)>> {
    one(connection, &format!("{SELECT} WHERE id = ?1"), [id.0])
}

/// Records of a type, or of all, by id, from the one behind `after` on.
pub(in super::super) fn page(
    connection: &Connection,
    record_type: Option<&str>,
    after: Option<RecordId>,
    limit: usize,
) -> Result<Vec<(RecordId, Record)>> {
    let doing = |error| fault("records are read", error);
    let sql = format!("{SELECT} WHERE id > ?1 AND (?2 IS NULL OR record_type = ?2) ORDER BY id LIMIT ?3");
    let mut statement = connection.prepare_cached(&sql).map_err(doing)?;
    let after = after.map_or(i64::MIN, |id| id.0);
    let mut rows = statement.query((after, record_type, i64::try_from(limit).unwrap_or(i64::MAX))).map_err(doing)?;
    let mut records = Vec::new();
    while let Some(row) = rows.next().map_err(doing)? {
        records.push(read(row)?);
    }
    Ok(records)
}

fn one(connection: &Connection, sql: &str, parameters: impl rusqlite::Params) -> Result<Option<(RecordId, Record)>> {
    let doing = |error| fault("a record is read", error);
    let mut statement = connection.prepare_cached(sql).map_err(doing)?;
    statement.query_row(parameters, |row| Ok(read(row))).optional().map_err(doing)?.transpose()
}

fn parts<'a>(id: RecordId, record: &'a Record, orders: &'a str, fields: &'a str) -> [Part<'a>; 10] {
    [
        int(id.0),
        text(&record.record_type),
        text(&record.key),
        int(match record.state {
            RecordState::Live => 0,
            RecordState::Deleted => 1,
        }),
        int(i64::from(record.generation)),
        int(record.version.source.0),
        int(record.version.epoch),
        int(record.version.order),
        text(orders),
        text(fields),
    ]
}

fn read(row: &Row<'_>) -> Result<(RecordId, Record)> {
    let record = Record {
        record_type: get(row, 1)?,
        key: get(row, 2)?,
        state: get_code(row, 3, &[RecordState::Live, RecordState::Deleted])?,
        generation: get_small(row, 4)?,
        version: Version { source: SourceId(get(row, 5)?), epoch: get(row, 6)?, order: get(row, 7)? },
        field_orders: get_json(row, 8)?,
        fields: get_json(row, 9)?,
    };
    Ok((RecordId(get(row, 0)?), record))
}
