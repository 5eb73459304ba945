//! Collections: up to 200 rows in one call, one result per row in the order of the request.
//!
//! Promises: the answer is 200 whatever became of the rows; one row's fault leaves the others alone unless the
//! request says all or none, then nothing is kept; a row or key named twice fails wherever it is named.
//! Leaves to others: validation and writing (`write`).

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::call::{Answer, Call, sobject};
use super::errors::{self, Fault};
use super::jobs::Operation;
use super::org::Org;
use super::record::{Batch, Record};
use super::schema::{Kind, Sobject};
use super::write::Verb;
use super::{ids, rows, values, wire};

/// Most rows of a write.
const WRITE_MAX: usize = 200;
/// Most rows of a read.
const READ_MAX: usize = 2_000;
/// Most runs of one object in a request.
const RUNS_MAX: usize = 10;

/// What became of one row.
pub(super) struct Outcome {
    pub(super) id: Option<String>,
    pub(super) created: Option<bool>,
    pub(super) faults: Vec<Fault>,
}

/// What a write does with its rows.
#[derive(Clone, Copy)]
enum Write {
    Create,
    Update,
    Upsert(Sobject, u16),
}

/// POST: create.
pub(super) fn create(org: &mut Org, call: &Call<'_>) -> Answer {
    write(org, call, Write::Create)
}

/// PATCH: update by id.
pub(super) fn update(org: &mut Org, call: &Call<'_>) -> Answer {
    write(org, call, Write::Update)
}

/// PATCH: upsert by a key field.
pub(super) fn upsert(org: &mut Org, call: &Call<'_>, object: &str, field: &str) -> Answer {
    let object = sobject(object)?;
    let number = rows::key_number(org, object, field)?;
    write(org, call, Write::Upsert(object, number))
}

/// DELETE by ids.
pub(super) fn delete(org: &mut Org, call: &Call<'_>) -> Answer {
    let ids: Vec<&str> = call.request.query_value("ids").unwrap_or("").split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
    if ids.is_empty() {
        return Err(vec![Fault::request(400, "REQUIRED_FIELD_MISSING", "The ids parameter is required")]);
    }
    bounded(ids.len(), WRITE_MAX)?;
    let all_or_none = call.request.query_value("allOrNone").is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
    let keys: Vec<Option<String>> = ids.iter().map(|id| ids::read(id)).collect();
    let twice = repeated(&keys);
    let results = transaction(org, all_or_none, true, |org| {
        let one = |(index, id): (usize, &&str)| {
            let done = if twice[index] { Err(duplicate_id()) } else { delete_one(org, call, index, id) };
            Outcome { id: keys[index].clone(), created: None, faults: done.err().into_iter().collect() }
        };
        ids.iter().enumerate().map(one).collect()
    });
    Ok(results)
}

/// GET with ids and fields, or POST with them in the body.
pub(super) fn read(org: &Org, call: &Call<'_>, object: &str) -> Answer {
    let object = sobject(object)?;
    let table = org.table(object);
    let (ids, fields) = if call.method == "GET" {
        let list = |name: &str| call.request.query_value(name).unwrap_or("").split(',').map(|part| part.trim().to_owned()).collect();
        (list("ids"), list("fields"))
    } else {
        let body: Map<String, Value> = call.body()?;
        (strings(&body, "ids")?, strings(&body, "fields")?)
    };
    let (ids, fields): (Vec<String>, Vec<String>) = (ids, fields);
    bounded(ids.len(), READ_MAX)?;
    let numbers: Vec<u16> = fields
        .iter()
        .map(|name| table.schema.number(name).ok_or_else(|| vec![errors::no_such_column(name, object.name())]))
        .collect::<Result<_, _>>()?;
    let one = |id: &String| {
        let serial = ids::read(id).and_then(|id| ids::serial(object.prefix(), &id));
        let live = serial.and_then(|serial| org.live(object, serial).ok().map(|row| (serial, row)));
        live.map_or(Value::Null, |(serial, row)| values::record(&table.schema, serial, row, call.version, &numbers))
    };
    Ok(wire::json(200, &ids.iter().map(one).collect()))
}

fn write(org: &mut Org, call: &Call<'_>, write: Write) -> Answer {
    let batch: Batch<'_> = call.body()?;
    let all_or_none = batch.all_or_none == Some(true);
    bounded(batch.records.len(), WRITE_MAX)?;
    let records: Vec<(Sobject, Record<'_>)> = batch.records.into_iter().map(|record| typed(record, write)).collect::<Result<_, _>>()?;
    let runs = records.chunk_by(|one, next| one.0 == next.0).count();
    if runs > RUNS_MAX {
        return Err(vec![Fault::request(
            400,
            "LIMIT_EXCEEDED",
            format!("cannot have more than {RUNS_MAX} chunks of one type in one request"),
        )]);
    }
    let keys: Vec<Option<String>> = records.iter().map(|(object, record)| key(org, *object, record, write)).collect();
    let twice = repeated(&keys);
    let keeps_id = !matches!(write, Write::Create);
    Ok(transaction(org, all_or_none, keeps_id, |org| {
        let one = |(index, (object, record)): (usize, (Sobject, Record<'_>))| {
            if twice[index] {
                return failed(None, vec![duplicate(write, keys[index].as_deref().unwrap_or(""))]);
            }
            let refusal = call.refusal(index);
            match write {
                Write::Create => create_one(org, call, object, record, refusal),
                Write::Update => update_one(org, call, object, record, refusal),
                Write::Upsert(_, number) => upsert_one(org, call, object, number, record, refusal),
            }
        };
        records.into_iter().enumerate().map(one).collect()
    }))
}

/// Runs rows of one object that a bulk job saves together.
pub(super) fn chunk(org: &mut Org, call: &Call<'_>, object: Sobject, operation: Operation, key_name: Option<&str>, records: Vec<Record<'_>>) -> Vec<Outcome> {
    let number = key_name.and_then(|name| org.table(object).schema.number(name));
    let write = match (operation, number) {
        (Operation::Insert, _) => Write::Create,
        (Operation::Upsert, Some(number)) => Write::Upsert(object, number),
        (_, _) => Write::Update,
    };
    let keys: Vec<Option<String>> = records.iter().map(|record| key(org, object, record, write)).collect();
    let twice = repeated(&keys);
    let deleted = |faults: Vec<Fault>, id: &str| Outcome { id: ids::read(id), created: None, faults };
    let one = |(index, record): (usize, Record<'_>)| {
        if twice[index] {
            return failed(None, vec![duplicate(write, keys[index].as_deref().unwrap_or(""))]);
        }
        let id = record.text("Id").unwrap_or("").to_owned();
        match (operation, write) {
            (Operation::Delete, _) => deleted(delete_one(org, call, index, &id).err().into_iter().collect(), &id),
            (Operation::HardDelete, _) => deleted(named(object, &id).map_err(|fault| vec![fault]).and_then(|_| org.erase(&id)).err().unwrap_or_default(), &id),
            (_, Write::Create) => create_one(org, call, object, record, None),
            (_, Write::Update) => update_one(org, call, object, record, None),
            (_, Write::Upsert(_, number)) => upsert_one(org, call, object, number, record, None),
        }
    };
    records.into_iter().enumerate().map(one).collect()
}

fn create_one(org: &mut Org, call: &Call<'_>, object: Sobject, record: Record<'_>, refusal: Option<Fault>) -> Outcome {
    let drafted = org.draft(object, record, Verb::Create, &[], call.stamp().actor);
    let drafted = drafted.and_then(|draft| refusal.map_or(Ok(draft), |fault| Err(vec![fault])));
    match drafted.and_then(|draft| org.create(object, draft, call.stamp())) {
        Ok(serial) => Outcome { id: Some(ids::make(object.prefix(), serial)), created: None, faults: Vec::new() },
        Err(faults) => failed(None, faults),
    }
}

fn update_one(org: &mut Org, call: &Call<'_>, object: Sobject, record: Record<'_>, refusal: Option<Fault>) -> Outcome {
    let Some(id) = record.text("Id") else {
        return failed(None, vec![Fault::row("MISSING_ARGUMENT", "Id not specified in an update call", &[])]);
    };
    let serial = match named(object, id).and_then(|serial| org.live(object, serial).map(|_| serial)) {
        Ok(serial) => serial,
        Err(fault) => return failed(ids::read(id), vec![fault]),
    };
    let drafted = org.draft(object, record, Verb::Update, &["Id"], call.stamp().actor);
    let drafted = drafted.and_then(|draft| refusal.map_or(Ok(draft), |fault| Err(vec![fault])));
    let faults = drafted.and_then(|draft| org.update(object, serial, draft, call.stamp())).err().unwrap_or_default();
    Outcome { id: Some(ids::make(object.prefix(), serial)), created: None, faults }
}

fn upsert_one(org: &mut Org, call: &Call<'_>, object: Sobject, number: u16, record: Record<'_>, refusal: Option<Fault>) -> Outcome {
    let field = org.table(object).schema.field(number);
    let by_id = field.kind == Kind::Id;
    let key = record.get(&field.name);
    let value = match key {
        Some(Value::String(text)) if !text.is_empty() => Some(text.as_str()),
        Some(Value::Null | Value::String(_)) if by_id => None,
        Some(Value::Number(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
            return failed(None, vec![errors::unexpected_json("Cannot deserialize instance of string")]);
        }
        None | Some(Value::Null | Value::String(_)) => {
            return failed(None, vec![Fault::row("MISSING_ARGUMENT", format!("{} not specified", field.name), &[])]);
        }
    };
    let existing = match (value, by_id) {
        (None, _) => None,
        (Some(id), true) => match named(object, id).and_then(|serial| org.live(object, serial).map(|_| serial)) {
            Ok(serial) => Some(serial),
            Err(fault) => return failed(ids::read(id), vec![fault]),
        },
        (Some(value), false) => match org.table(object).matches(number, value).unwrap_or(&[]) {
            [] => None,
            [serial] => Some(*serial),
            several => return failed(None, vec![ambiguous(&field.name, object, several)]),
        },
    };
    let verb = if existing.is_some() { Verb::Update } else { Verb::Create };
    let skip: &[&str] = if existing.is_some() { &[field.name.as_str()] } else { &[] };
    let drafted = org.draft(object, record, verb, skip, call.stamp().actor);
    let drafted = drafted.and_then(|draft| refusal.map_or(Ok(draft), |fault| Err(vec![fault])));
    let written = drafted.and_then(|draft| match existing {
        Some(serial) => org.update(object, serial, draft, call.stamp()).map(|()| serial),
        None => org.create(object, draft, call.stamp()),
    });
    match written {
        Ok(serial) => Outcome { id: Some(ids::make(object.prefix(), serial)), created: Some(existing.is_none()), faults: Vec::new() },
        Err(faults) => failed(existing.map(|serial| ids::make(object.prefix(), serial)), faults),
    }
}

fn delete_one(org: &mut Org, call: &Call<'_>, index: usize, id: &str) -> Result<(), Fault> {
    let read = ids::read(id).ok_or_else(|| malformed(id))?;
    let object = Sobject::of_id(&read).ok_or_else(errors::row_missing)?;
    let serial = named(object, id)?;
    org.live(object, serial)?;
    call.refusal(index).map_or(Ok(()), Err)?;
    org.delete(object, serial, call.stamp())
}

/// Runs the rows of a request and answers their results; puts everything back if it was all or none;
/// only creates forget the id of a row that was put back.
fn transaction(org: &mut Org, all_or_none: bool, keeps_id: bool, run: impl FnOnce(&mut Org) -> Vec<Outcome>) -> crate::exchange::Response {
    if all_or_none {
        org.begin();
    }
    let mut outcomes = run(org);
    let mut rolled_back = false;
    if all_or_none && outcomes.iter().any(|outcome| !outcome.faults.is_empty()) {
        org.rollback();
        rolled_back = true;
        for outcome in outcomes.iter_mut().filter(|outcome| outcome.faults.is_empty()) {
            outcome.faults.push(errors::rolled_back());
            if !keeps_id {
                outcome.id = None;
            }
        }
    }
    if all_or_none && !rolled_back {
        org.commit();
    }
    wire::json(200, &outcomes.into_iter().map(result).collect())
}

fn result(outcome: Outcome) -> Value {
    let success = outcome.faults.is_empty();
    let mut result = json!({ "success": success, "errors": outcome.faults.iter().map(Fault::in_result).collect::<Vec<_>>() });
    if let Some(id) = outcome.id {
        result["id"] = Value::String(id);
    }
    if let Some(created) = outcome.created.filter(|_| success) {
        result["created"] = Value::Bool(created);
    }
    result
}

fn failed(id: Option<String>, faults: Vec<Fault>) -> Outcome {
    Outcome { id, created: None, faults }
}

/// A record with its object, which it names itself unless the path does.
fn typed(record: Record<'_>, write: Write) -> Result<(Sobject, Record<'_>), Vec<Fault>> {
    let name = record.object_name();
    let unsupported = |name: &str| vec![Fault::request(400, "INVALID_TYPE", format!("sObject type '{name}' is not supported."))];
    let object = match (name, write) {
        (None, Write::Upsert(object, _)) => object,
        (None, Write::Create | Write::Update) => return Err(unsupported("")),
        (Some(name), _) => Sobject::named(name).ok_or_else(|| unsupported(name))?,
    };
    match write {
        Write::Upsert(wanted, _) if wanted != object => Err(unsupported(object.name())),
        Write::Upsert(..) | Write::Create | Write::Update => Ok((object, record)),
    }
}

/// What identifies a record within its request: two with the same text are duplicates.
fn key(org: &Org, object: Sobject, record: &Record<'_>, write: Write) -> Option<String> {
    let schema = &org.table(object).schema;
    let number = match write {
        Write::Update => return record.text("Id").and_then(ids::read),
        Write::Upsert(_, number) => number,
        Write::Create => schema.number(&org.config.external_key_name).filter(|number| schema.field(*number).unique)?,
    };
    let field = schema.field(number);
    let value = record.text(&field.name)?;
    if field.kind == Kind::Id { ids::read(value) } else { Some(format!("{} {}", object.name(), field.fold(value))) }
}

/// For each key whether it occurs more than once.
fn repeated(keys: &[Option<String>]) -> Vec<bool> {
    let mut counts: HashMap<&str, u32> = HashMap::with_capacity(keys.len());
    for key in keys.iter().flatten() {
        *counts.entry(key).or_insert(0) += 1;
    }
    keys.iter().map(|key| key.as_deref().is_some_and(|key| counts.get(key).is_some_and(|count| *count > 1))).collect()
}

fn duplicate(write: Write, key: &str) -> Fault {
    let value = key.split_once(' ').map_or(key, |(_, value)| value);
    match write {
        Write::Update => duplicate_id(),
        Write::Create | Write::Upsert(..) => Fault::row("DUPLICATE_VALUE", format!("Duplicate external id specified: {value}"), &[]),
    }
}

fn duplicate_id() -> Fault {
    Fault::row("DUPLICATE_VALUE", "Duplicate id specified", &[])
}

fn ambiguous(name: &str, object: Sobject, serials: &[u64]) -> Fault {
    let ids: Vec<String> = serials.iter().map(|serial| ids::make(object.prefix(), *serial)).collect();
    Fault::row("DUPLICATE_EXTERNAL_ID", format!("{name}: more than one record found for external id field: [{}]", ids.join(", ")), &[])
}

fn malformed(id: &str) -> Fault {
    Fault::row("MALFORMED_ID", format!("malformed id {id}"), &["Id"])
}

/// The serial number in an id that must be of that object.
fn named(object: Sobject, id: &str) -> Result<u64, Fault> {
    let read = ids::read(id).ok_or_else(|| malformed(id))?;
    if !read.starts_with(object.prefix()) {
        return Err(Fault::row("MALFORMED_ID", format!("{} ID: id value of incorrect type: {id}", object.name()), &["Id"]));
    }
    ids::serial(object.prefix(), &read).ok_or_else(errors::row_missing)
}

fn bounded(count: usize, max: usize) -> Result<(), Vec<Fault>> {
    if count <= max {
        return Ok(());
    }
    let message = format!("record limit reached. cannot submit more than {max} records into this call");
    Err(vec![Fault::request(400, "EXCEEDED_ID_LIMIT", message)])
}

fn strings(body: &Map<String, Value>, name: &str) -> Result<Vec<String>, Vec<Fault>> {
    let list = body.get(name).and_then(Value::as_array);
    let list = list.and_then(|list| list.iter().map(|value| value.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>());
    list.ok_or_else(|| vec![errors::unexpected_json(&format!("Cannot deserialize instance of {name}"))])
}
