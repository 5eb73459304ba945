//! The `event` table: what was accepted, what it came to and which deliveries it opened.
//!
//! Promises: written once, never changed; the deliveries are compact text, `link:system:number`, with `:m` for a move.
//! Leaves to others: routing (`core`).

use rusqlite::{Connection, Row};
use syncline_core::change_set::{EventRouting, EventRow, OpenedDelivery};
use syncline_core::ids::{EventId, LinkId, RecordId, SourceId, SystemId};
use syncline_core::time::Timestamp;
use syncline_engine::error::Result;

use super::super::faults::{corrupt, fault, misfit};
use super::super::row::{Group, Table, get, get_code, int, run, seal, text};
use super::counter::Tally;

pub(in super::super) const TABLE: Table = Table { name: "event", key: &["id"], groups: &[ROW] };
const ROW: Group = Group {
    columns: &["id", "source", "epoch", "position", "record", "operation", "occurred_at", "accepted_at", "routing", "opened"],
    seal: "seal",
};
const INSERT: &str = "INSERT INTO event (id, source, epoch, position, record, operation, occurred_at, accepted_at, routing, opened, seal)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const NEWEST: &str = "SELECT id, source, epoch, position, record, operation, occurred_at, accepted_at, routing, opened FROM event
    WHERE record = ?1 ORDER BY id DESC LIMIT ?2";
const LOG: &str = "SELECT id, source, epoch, position, record, operation, occurred_at, accepted_at, routing, opened FROM event
    WHERE id < ?1 ORDER BY id DESC LIMIT ?2";
const OPERATIONS: [&str; 3] = ["create", "update", "delete"];

/// The code of a routed event.
pub(in super::super) const ROUTED: i64 = 0;
/// The code of an event that no place takes.
pub(in super::super) const UNROUTED: i64 = 1;
/// The code of an event that is older than what is known.
pub(in super::super) const STALE: i64 = 2;

/// Writes accepted events.
pub(in super::super) fn insert(connection: &Connection, events: &[EventRow], tally: &mut Tally) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let doing = |error| fault("an event is written", error);
    let mut statement = connection.prepare_cached(INSERT).map_err(doing)?;
    let mut opened = String::new();
    for event in events {
        let operation = OPERATIONS.iter().position(|name| *name == event.operation);
        let operation = operation.ok_or_else(|| misfit(format!("event {}: no operation is called so", event.id)))?;
        let routing = list(&event.routing, &mut opened);
        let parts = [
            int(event.id.0),
            int(event.source.0),
            int(event.epoch),
            int(event.position),
            int(event.record.0),
            int(i64::try_from(operation).unwrap_or(i64::MAX)),
            int(event.occurred_at.0),
            int(event.accepted_at.0),
            int(routing),
            text(&opened),
        ];
        run(&mut statement, &[&parts, &[int(seal(&ROW, &parts))]]).map_err(doing)?;
    }
    tally.row("event", 0, i64::try_from(events.len()).unwrap_or(i64::MAX));
    Ok(())
}

/// The newest events of a record, newest first.
pub(in super::super) fn newest(connection: &Connection, record: RecordId, limit: usize) -> Result<Vec<EventRow>> {
    list_of(connection, NEWEST, record.0, limit)
}

/// Events of every record, newest first, from the one before `before` on.
pub(in super::super) fn log(connection: &Connection, before: Option<EventId>, limit: usize) -> Result<Vec<EventRow>> {
    list_of(connection, LOG, before.map_or(i64::MAX, |id| id.0), limit)
}

fn list_of(connection: &Connection, sql: &str, parameter: i64, limit: usize) -> Result<Vec<EventRow>> {
    let doing = |error| fault("events are read", error);
    let mut statement = connection.prepare_cached(sql).map_err(doing)?;
    let mut rows = statement.query((parameter, i64::try_from(limit).unwrap_or(i64::MAX))).map_err(doing)?;
    let mut events = Vec::new();
    while let Some(row) = rows.next().map_err(doing)? {
        events.push(read(row)?);
    }
    Ok(events)
}

/// The deliveries in an event's compact text.
pub(in super::super) fn deliveries(opened: &str) -> impl Iterator<Item = Option<OpenedDelivery>> {
    opened.split(',').filter(|entry| !entry.is_empty()).map(|entry| {
        let mut parts = entry.split(':');
        let link = LinkId(parts.next()?.parse().ok()?);
        let system = SystemId(parts.next()?.parse().ok()?);
        let number = parts.next()?.parse().ok()?;
        Some(OpenedDelivery { link, system, number, is_move: parts.next().is_some() })
    })
}

/// Writes the deliveries as text and answers the routing's code.
fn list(routing: &EventRouting, text: &mut String) -> i64 {
    text.clear();
    match routing {
        EventRouting::Routed(deliveries) => {
            for OpenedDelivery { link, system, number, is_move } in deliveries {
                let comma = if text.is_empty() { "" } else { "," };
                let mark = if *is_move { ":m" } else { "" };
                text.push_str(&format!("{comma}{link}:{system}:{number}{mark}"));
            }
            ROUTED
        }
        EventRouting::Unrouted => UNROUTED,
        EventRouting::Stale => STALE,
    }
}

fn read(row: &Row<'_>) -> Result<EventRow> {
    let opened: String = get(row, 9)?;
    let listed = || deliveries(&opened).collect::<Option<Vec<_>>>().ok_or_else(|| corrupt("an event's list of deliveries does not read"));
    let routing = match get::<i64>(row, 8)? {
        ROUTED => EventRouting::Routed(listed()?),
        UNROUTED => EventRouting::Unrouted,
        STALE => EventRouting::Stale,
        code => return Err(corrupt(format!("unknown routing {code}"))),
    };
    Ok(EventRow {
        id: EventId(get(row, 0)?),
        source: SourceId(get(row, 1)?),
        epoch: get(row, 2)?,
        position: get(row, 3)?,
        record: RecordId(get(row, 4)?),
        operation: get_code(row, 5, &OPERATIONS)?,
        occurred_at: Timestamp(get(row, 6)?),
        accepted_at: Timestamp(get(row, 7)?),
        routing,
    })
}
