//! The org's state as JSON: whole for a snapshot, and what changed for the journal.
//!
//! Promises: `replay` of every entry in order on a fresh org, or on a restored snapshot, gives an equal snapshot;
//! an entry holds changed rows, sessions, codes, minutes, opened queries, jobs and counters only. Values are kept by field name. The rows of an
//! entry are one JSON text inside it, because a tree of 200 rows costs more than writing them does.
//! Leaves to others: where the JSON is kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::config::CustomField;
use super::cursors::Cursor;
use super::{ids, query};
use super::org::{Actor, Org, Row};
use super::schema::{Schema, Sobject};
use crate::exchange::Millis;

/// Serial numbers of all objects, of tokens and of locators.
const COUNTERS: usize = Sobject::COUNT + 2;

/// Counters and custom fields as last written to the journal.
#[derive(Debug)]
pub(super) struct Written {
    counters: [u64; COUNTERS],
    custom: usize,
    described: Option<Millis>,
    withheld: BTreeMap<String, (bool, bool)>,
}

impl Written {
    /// What a fresh org starts with.
    pub(super) fn of(org: &Org) -> Self {
        Self { counters: counters(org), custom: org.custom.len(), described: org.described, withheld: org.withheld.clone() }
    }
}

/// The whole state.
pub(super) fn snapshot(org: &Org) -> Value {
    let rows: Map<String, Value> = Sobject::ALL
        .into_iter()
        .map(|object| {
            let table = org.table(object);
            let rows = table.rows.iter().map(|(serial, row)| (ids::make(object.prefix(), *serial), json!(kept(&table.schema, row))));
            (object.name().to_owned(), Value::Object(rows.collect()))
        })
        .collect();
    json!({
        "rows": rows, "next": counters(org), "quota": org.quota.all(), "tokens": org.tokens.all(), "refresh": org.tokens.refresh(),
        "custom": serde_json::to_value(&org.custom).unwrap_or_default(),
        "withheld": org.withheld, "jobs": org.jobs.kept(), "codes": org.tokens.codes(), "described": org.described,
        "cursors": org.cursors.all().map(kept_cursor).collect::<Vec<_>>(),
    })
}

/// Reads a snapshot into a fresh org.
pub(super) fn restore(org: &mut Org, state: &Value) -> Result<(), String> {
    read_custom(org, state)?;
    for object in Sobject::ALL {
        let rows = state["rows"][object.name()].as_object().ok_or_else(|| format!("rows.{} is not an object", object.name()))?;
        for (id, row) in rows {
            put(org, object, id, row)?;
        }
    }
    let tokens = state["tokens"].as_object().ok_or("tokens is not an object")?;
    for (token, used) in tokens {
        org.tokens.set(token, Some(used.as_i64().ok_or("a token's last use is not a number")?));
    }
    read_refresh(org, state.get("refresh"))?;
    read_quota(org, &state["quota"])?;
    read_counters(org, &state["next"])?;
    org.drain_rows();
    read_withheld(org, state)?;
    org.apply_grants();
    read_rest(org, state)?;
    org.cursors.drain();
    Ok(())
}

/// What changed since `written` was last brought up to date; None if nothing.
pub(super) fn drain(org: &mut Org, written: &mut Written) -> Option<Value> {
    let mut entry = Map::new();
    let changed = org.drain_rows();
    if !changed.is_empty() {
        let rows = changed.iter().map(|(object, serial)| {
            let table = org.table(*object);
            let row = table.rows.get(serial).map(|row| kept(&table.schema, row));
            (object.name(), ids::make(object.prefix(), *serial), row)
        });
        let mut text = Vec::new();
        let written = serde_json::Serializer::new(&mut text).collect_seq(rows);
        debug_assert!(written.is_ok(), "texts and numbers always become JSON");
        entry.insert("rows".to_owned(), Value::String(String::from_utf8(text).unwrap_or_default()));
    }
    let tokens = org.tokens.drain();
    if !tokens.is_empty() {
        entry.insert("tokens".to_owned(), json!(tokens));
    }
    if let Some(refresh) = org.tokens.drain_refresh() {
        entry.insert("refresh".to_owned(), json!(refresh));
    }
    let quota = org.quota.drain();
    if !quota.is_empty() {
        entry.insert("quota".to_owned(), json!(quota));
    }
    if let Some(codes) = org.tokens.drain_codes() {
        entry.insert("codes".to_owned(), json!(codes));
    }
    if let Some(jobs) = org.jobs.drain() {
        entry.insert("jobs".to_owned(), jobs);
    }
    let cursors: Vec<Value> = org.cursors.drain().into_iter().map(kept_cursor).collect();
    if !cursors.is_empty() {
        entry.insert("cursors".to_owned(), json!(cursors));
    }
    let now = Written::of(org);
    if now.withheld != written.withheld {
        entry.insert("withheld".to_owned(), json!(now.withheld));
    }
    if now.described != written.described {
        entry.insert("described".to_owned(), json!(now.described));
    }
    if now.counters != written.counters {
        entry.insert("next".to_owned(), json!(now.counters));
    }
    if now.custom != written.custom {
        entry.insert("custom".to_owned(), serde_json::to_value(&org.custom).unwrap_or_default());
    }
    *written = now;
    (!entry.is_empty()).then_some(Value::Object(entry))
}

/// Applies an entry of `drain`.
pub(super) fn replay(org: &mut Org, entry: &Value) -> Result<(), String> {
    let entry = entry.as_object().ok_or("a journal entry is not an object")?;
    if entry.contains_key("custom") {
        read_custom(org, &Value::Object(entry.clone()))?;
    }
    if let Some(rows) = entry.get("rows") {
        let rows: Vec<(String, String, Value)> =
            serde_json::from_str(rows.as_str().unwrap_or("")).map_err(|error| format!("rows: {error}"))?;
        for (object, id, row) in rows {
            put(org, Sobject::named(&object).ok_or("a row of no known object")?, &id, &row)?;
        }
    }
    for token in entry.get("tokens").and_then(Value::as_array).into_iter().flatten() {
        org.tokens.set(token[0].as_str().ok_or("a session without token")?, token[1].as_i64());
    }
    read_refresh(org, entry.get("refresh"))?;
    if let Some(quota) = entry.get("quota") {
        read_quota(org, quota)?;
    }
    if let Some(next) = entry.get("next") {
        read_counters(org, next)?;
    }
    org.drain_rows();
    if entry.contains_key("withheld") {
        read_withheld(org, &Value::Object(entry.clone()))?;
        org.rebuild();
    } else {
        org.apply_grants();
    }
    read_rest(org, &Value::Object(entry.clone()))?;
    org.cursors.drain();
    Ok(())
}

fn read_withheld(org: &mut Org, state: &Value) -> Result<(), String> {
    org.withheld = Deserialize::deserialize(&state["withheld"]).map_err(|error| format!("withheld: {error}"))?;
    Ok(())
}

/// An open query: its locator, text, rows and time.
fn kept_cursor((locator, cursor): (&str, &Cursor)) -> Value {
    json!([locator, cursor.text, cursor.serials, cursor.opened])
}

/// Reads what needs the fields to be in place, as far as the value holds it.
fn read_rest(org: &mut Org, state: &Value) -> Result<(), String> {
    if let Some(codes) = state.get("codes") {
        org.tokens.set_codes(Deserialize::deserialize(codes).map_err(|error| format!("codes: {error}"))?);
    }
    if let Some(jobs) = state.get("jobs") {
        org.jobs.read(jobs)?;
    }
    if let Some(described) = state.get("described") {
        org.described = Deserialize::deserialize(described).map_err(|error| format!("described: {error}"))?;
    }
    for cursor in state.get("cursors").and_then(Value::as_array).into_iter().flatten() {
        let (locator, text, serials, opened): (String, String, Vec<u64>, Millis) =
            Deserialize::deserialize(cursor).map_err(|error| format!("cursors: {error}"))?;
        if let Some(cursor) = query::reopened(org, &text, serials, opened) {
            org.cursors.open(locator, cursor);
        }
    }
    Ok(())
}

fn counters(org: &Org) -> [u64; COUNTERS] {
    let mut counters = [0; COUNTERS];
    counters[..Sobject::COUNT].copy_from_slice(&org.next_serials());
    counters[Sobject::COUNT..].copy_from_slice(&[org.tokens.next, org.cursors.next]);
    counters
}

fn read_counters(org: &mut Org, next: &Value) -> Result<(), String> {
    let next: [u64; COUNTERS] = serde_json::from_value(next.clone()).map_err(|error| format!("next: {error}"))?;
    for (object, serial) in Sobject::ALL.into_iter().zip(next) {
        org.set_next_serial(object, serial);
    }
    org.tokens.next = next[Sobject::COUNT];
    org.cursors.next = next[Sobject::COUNT + 1];
    Ok(())
}

fn read_custom(org: &mut Org, state: &Value) -> Result<(), String> {
    let custom: Vec<CustomField> = serde_json::from_value(state["custom"].clone()).map_err(|error| format!("custom: {error}"))?;
    if custom != org.custom {
        org.set_custom(custom);
    }
    Ok(())
}

fn read_refresh(org: &mut Org, refresh: Option<&Value>) -> Result<(), String> {
    if let Some(refresh) = refresh {
        org.tokens.set_refresh(serde_json::from_value(refresh.clone()).map_err(|error| format!("refresh: {error}"))?);
    }
    Ok(())
}

fn read_quota(org: &mut Org, quota: &Value) -> Result<(), String> {
    let minutes: Vec<(i64, u32)> = serde_json::from_value(quota.clone()).map_err(|error| format!("quota: {error}"))?;
    for (minute, count) in minutes {
        org.quota.set(minute, count);
    }
    Ok(())
}

/// A row as it is kept: values by field name.
#[derive(Debug, Serialize)]
struct Kept<'a> {
    fields: Named<'a>,
    created: Millis,
    created_by_person: bool,
    modified: Millis,
    modified_by_person: bool,
    deleted: bool,
    writes: u32,
}

#[derive(Debug)]
struct Named<'a>(&'a Schema, &'a Row);

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.1.values().map(|(number, value)| (&self.0.field(number).name, value)))
    }
}

fn kept<'a>(schema: &'a Schema, row: &'a Row) -> Kept<'a> {
    Kept {
        fields: Named(schema, row),
        created: row.created,
        created_by_person: row.created_by == Actor::Person,
        modified: row.modified,
        modified_by_person: row.modified_by == Actor::Person,
        deleted: row.deleted,
        writes: row.writes,
    }
}

fn put(org: &mut Org, object: Sobject, id: &str, value: &Value) -> Result<(), String> {
    let serial = ids::serial(object.prefix(), id).ok_or_else(|| format!("{id} is no {} id", object.name()))?;
    let row = if value.is_null() { None } else { Some(read_row(&org.table(object).schema, id, value)?) };
    org.put(object, serial, row);
    Ok(())
}

fn read_row(schema: &Schema, id: &str, value: &Value) -> Result<Row, String> {
    let wrong = |what: &str| format!("row {id}: {what} cannot be read");
    let actor = |name: &str| value[name].as_bool().map(|person| if person { Actor::Person } else { Actor::Client });
    let created = value["created"].as_i64().ok_or_else(|| wrong("created"))?;
    let mut row = Row::new(actor("created_by_person").ok_or_else(|| wrong("created_by_person"))?, created);
    row.modified = value["modified"].as_i64().ok_or_else(|| wrong("modified"))?;
    row.modified_by = actor("modified_by_person").ok_or_else(|| wrong("modified_by_person"))?;
    row.deleted = value["deleted"].as_bool().ok_or_else(|| wrong("deleted"))?;
    row.writes = value["writes"].as_u64().and_then(|writes| writes.try_into().ok()).ok_or_else(|| wrong("writes"))?;
    for (name, text) in value["fields"].as_object().ok_or_else(|| wrong("fields"))? {
        let number = schema.stored_number(name).ok_or_else(|| wrong(name))?;
        row.set(number, Some(text.as_str().ok_or_else(|| wrong(name))?.into()));
    }
    Ok(row)
}
