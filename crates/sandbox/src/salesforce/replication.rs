//! What changed in a window of time: get-updated, get-deleted, and what was touched last.
//!
//! Promises: seconds of the window's ends are dropped; the date covered stays behind the clock, so that the next window, which
//! starts there, misses nothing. Leaves to others: rows (`org`), times on the wire (`wire`).

use serde_json::{Value, json};

use super::call::{Answer, Call, sobject};
use super::errors::Fault;
use super::org::Org;
use super::schema::Sobject;
use super::{ids, values, wire};
use crate::exchange::Millis;

const MINUTE_MS: Millis = 60_000;
const DAY_MS: Millis = 24 * 60 * MINUTE_MS;
/// How far the date covered stays behind the clock.
const LAG_MS: Millis = 2 * MINUTE_MS;
const UPDATED_DAYS: Millis = 30;
const DELETED_DAYS: Millis = 15;
const IDS_MAX: usize = 600_000;
/// Most rows of the list of what was touched last.
const RECENT_MAX: usize = 200;

/// GET on updated.
pub(super) fn updated(org: &Org, call: &Call<'_>, object: &str) -> Answer {
    let object = sobject(object)?;
    let (start, end) = window(call, 0, UPDATED_DAYS)?;
    let rows = org.table(object).rows.iter().filter(|(_, row)| !row.deleted && (start..end).contains(&row.modified));
    let ids: Vec<String> = rows.map(|(serial, _)| ids::make(object.prefix(), *serial)).collect();
    if ids.len() > IDS_MAX {
        return Err(vec![Fault::request(400, "EXCEEDED_ID_LIMIT", "Too many IDs in the window: narrow it")]);
    }
    Ok(wire::json(200, &json!({ "ids": ids, "latestDateCovered": covered(call, start, end) })))
}

/// GET on deleted.
pub(super) fn deleted(org: &Org, call: &Call<'_>, object: &str) -> Answer {
    let object = sobject(object)?;
    let (start, end) = window(call, MINUTE_MS, DELETED_DAYS)?;
    let rows = org.table(object).rows.iter().filter(|(_, row)| row.deleted && (start..end).contains(&row.modified));
    let records: Vec<Value> = rows
        .map(|(serial, row)| json!({ "id": ids::make(object.prefix(), *serial), "deletedDate": wire::datetime(row.modified) }))
        .collect();
    let earliest = (call.now - DELETED_DAYS * DAY_MS).div_euclid(MINUTE_MS) * MINUTE_MS;
    let body = json!({
        "deletedRecords": records, "earliestDateAvailable": wire::datetime(earliest), "latestDateCovered": covered(call, start, end)
    });
    Ok(wire::json(200, &body))
}

fn window(call: &Call<'_>, apart: Millis, days: Millis) -> Result<(Millis, Millis), Vec<Fault>> {
    let wrong = |message: &str| vec![Fault::request(400, "INVALID_REPLICATION_DATE", message)];
    let end_of = |name: &str| {
        // A plus sign that was not encoded arrives as a space.
        let text = call.request.query_value(name).unwrap_or("").replace(' ', "+");
        wire::read_datetime(&text).map(|at| at.div_euclid(MINUTE_MS) * MINUTE_MS).ok_or_else(|| wrong(&format!("{name} is no datetime")))
    };
    let (start, end) = (end_of("start")?, end_of("end")?);
    if start + apart >= end {
        return Err(wrong("startDate must be before endDate by more than a minute"));
    }
    if start < (call.now - days * DAY_MS).div_euclid(MINUTE_MS) * MINUTE_MS {
        return Err(wrong(&format!("startDate cannot be more than {days} days ago")));
    }
    Ok((start, end))
}

fn covered(call: &Call<'_>, start: Millis, end: Millis) -> String {
    wire::datetime(end.min(call.now - LAG_MS).max(start))
}

/// GET on recent, or the recent rows of one object.
pub(super) fn recent(org: &Org, call: &Call<'_>, only: Option<Sobject>, max: usize) -> Vec<Value> {
    let objects = Sobject::ALL.into_iter().filter(|object| only.map_or(object.holds_data(), |only| only == *object));
    let mut rows: Vec<_> = objects
        .flat_map(|object| org.table(object).rows.iter().map(move |(serial, row)| (row, object, *serial)))
        .filter(|(row, ..)| !row.deleted)
        .collect();
    rows.sort_by_key(|(row, object, serial)| (std::cmp::Reverse(row.modified), *object, std::cmp::Reverse(*serial)));
    let shown = |(row, object, serial): &(&super::org::Row, Sobject, u64)| {
        let schema = &org.table(*object).schema;
        let numbers: Vec<u16> = ["Id", "Name"].iter().filter_map(|name| schema.number(name)).collect();
        values::record(schema, *serial, row, call.version, &numbers)
    };
    rows.iter().take(max.min(RECENT_MAX)).map(shown).collect()
}
