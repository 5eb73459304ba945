//! Reads one event as it stands on the wire, and says exactly what is wrong with it if something is.
//!
//! Promises: an event is taken if and only if it is one JSON object in UTF-8 with a known record type, a known operation, a
//! time, a key and, in each field that it names, a valid value; nothing is guessed, rounded, cut or dropped in silence. A
//! refusal has a code, a JSON pointer and a remedy, and holds no field value. Numbers keep their text. An object with a
//! `specversion` is a CloudEvent 1.0 (`cloud`).
//! Leaves to others: what an event does to a record (`intake`), where the bytes come from (feeds), bodies that hold many
//! events.

mod cloud;
mod invalid;
mod read;
mod walk;

use jiff::tz::TimeZone;
use serde_json::value::RawValue;

pub use invalid::{INVALID_WORDS, Invalid};
pub use walk::{DEPTH_MAX, KEYS_MAX};

use crate::patch::{self, Patch};
use crate::record::{FieldName, Value};
use crate::schema::{FieldType, Schema, Schemas, ValueFault, decode_text, moment};
use crate::seal::Seal;
use crate::time::Timestamp;
use read::Body;

/// The longest key and the longest event id in characters.
pub const ID_CHARS_MAX: usize = 255;

/// How one source's events are to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceSettings {
    /// Where a time without a zone was told.
    pub assume_timezone: TimeZone,
    /// What makes one event newer than another.
    pub order_by: OrderBy,
}

impl Default for SourceSettings {
    fn default() -> Self {
        Self { assume_timezone: TimeZone::UTC, order_by: OrderBy::Position }
    }
}

/// What makes one event of a source newer than another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum OrderBy {
    /// Its place in the log.
    #[default]
    Position,
    /// Its `timestamp`.
    Timestamp,
    /// A field of its item: a time, a day or a whole number. A delete without the field is ordered by its `timestamp`.
    Field(FieldName),
}

/// What an event says happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// The item is a snapshot.
    Create,
    /// The item is a patch.
    Update,
    /// The record is no more.
    Delete,
}

impl ChangeKind {
    /// The operation's name on the wire and in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Create, Self::Update, Self::Delete].into_iter().find(|kind| kind.name() == name)
    }
}

/// One valid event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The record type.
    pub record_type: String,
    /// The record's key.
    pub key: String,
    /// What happened.
    pub operation: ChangeKind,
    /// When, as the event tells.
    pub occurred_at: Timestamp,
    /// What it says of each field; of a create only what it sets, of a delete nothing.
    pub patch: Patch,
    /// The id that it bears, if it bears one.
    pub event_id: Option<String>,
    /// How new it is; None where that is its position.
    pub order: Option<i64>,
    /// Of all that it says, less its id: two bodies that mean the same have the same digest.
    pub digest: i64,
}

/// Reads one CloudEvent in its structured form, and nothing else.
///
/// # Errors
/// Says what is wrong, where, and what to do about it.
pub fn decode_cloud(raw: &[u8], schemas: &Schemas, settings: &SourceSettings) -> Result<Change, Invalid> {
    cloud::decode(read::read(raw)?, schemas, settings)
}

/// Reads one event, bare or as a CloudEvent.
///
/// # Errors
/// Says what is wrong, where, and what to do about it.
pub fn decode(raw: &[u8], schemas: &Schemas, settings: &SourceSettings) -> Result<Change, Invalid> {
    let body = read::read(raw)?;
    if body.cloud.specversion.is_some() {
        return cloud::decode(body, schemas, settings);
    }
    let schema = record_type(&body, schemas)?;
    let operation = operation(&body)?;
    let occurred_at = occurred_at(&body, settings)?;
    let event_id = match body.event_id.map(|raw| (raw, "/event_id")).or(body.id.map(|raw| (raw, "/id"))) {
        Some((raw, _)) if raw.get() == "null" => None,
        Some((raw, pointer)) => Some(id(raw, pointer)?),
        None => None,
    };
    let item = body.item.ok_or_else(|| Invalid::missing("/item", "the record as an object"))?;
    let (key, patch) = read_item(item, schema, settings, "/item")?;
    finish(schema, key, operation, occurred_at, patch, event_id, settings, "/item")
}

#[expect(clippy::too_many_arguments, reason = "one event, part by part")]
fn finish(
    schema: &Schema,
    key: String,
    operation: ChangeKind,
    occurred_at: Timestamp,
    mut patch: Patch,
    event_id: Option<String>,
    settings: &SourceSettings,
    parent: &str,
) -> Result<Change, Invalid> {
    let order = order(&patch, operation, occurred_at, schema, settings, parent)?;
    match operation {
        ChangeKind::Create => patch.0.retain(|_, change| *change != patch::Change::Clear),
        ChangeKind::Update => {}
        ChangeKind::Delete => patch.0.clear(),
    }
    let digest = digest(&schema.record_type, &key, operation, occurred_at, &patch);
    let record_type = schema.record_type.clone();
    Ok(Change { record_type, key, operation, occurred_at, patch, event_id, order, digest })
}

fn record_type<'s>(body: &Body<'_>, schemas: &'s Schemas) -> Result<&'s Schema, Invalid> {
    let raw = body.record.ok_or_else(|| Invalid::missing("/record", "the plural record type"))?;
    let name = text(raw, "/record")?;
    schemas.get(&name).ok_or_else(|| {
        let known: Vec<_> = schemas.iter().map(|schema| schema.record_type.as_str()).collect();
        let remedy = format!("send one of {}, or add the record type to the configuration", known.join(", "));
        Invalid::new("unknown_record_type", "/record", "names a record type that is not configured", remedy)
    })
}

fn operation(body: &Body<'_>) -> Result<ChangeKind, Invalid> {
    let raw = body.operation.ok_or_else(|| Invalid::missing("/operation", "create, update or delete"))?;
    ChangeKind::named(&text(raw, "/operation")?).ok_or_else(|| {
        Invalid::new("unknown_operation", "/operation", "names an unknown operation", "send create, update or delete")
    })
}

fn occurred_at(body: &Body<'_>, settings: &SourceSettings) -> Result<Timestamp, Invalid> {
    let raw = body.timestamp.ok_or_else(|| Invalid::missing("/timestamp", "the time of the change as RFC 3339"))?;
    moment::parse_timestamp(&text(raw, "/timestamp")?, &settings.assume_timezone)
        .map_err(|why| Invalid::new("bad_timestamp", "/timestamp", why, "send the time of the change as RFC 3339"))
}

/// The key, and what the item says of each field.
fn read_item(item: read::Item<'_>, schema: &Schema, settings: &SourceSettings, parent: &str) -> Result<(String, Patch), Invalid> {
    let mut key = None;
    let mut patch = Patch::default();
    for (name, raw) in item {
        if *name == schema.key_field {
            let read = id(raw, &invalid::pointer(parent, &name))?;
            if key.replace(read).is_some() {
                return Err(Invalid::duplicate(parent, &name));
            }
            continue;
        }
        let Some((field, field_type)) = schema.fields.iter().find(|(field, _)| *field == *name) else {
            return Err(Invalid::unknown_field(parent, &name, &schema.record_type));
        };
        let value = field_type.parse(raw, &settings.assume_timezone);
        let value = value.map_err(|fault| Invalid::value(&invalid::pointer(parent, &name), fault))?;
        let change = value.map_or(patch::Change::Clear, patch::Change::Set);
        if patch.0.insert(field.clone(), change).is_some() {
            return Err(Invalid::duplicate(parent, &name));
        }
    }
    let key = key.ok_or_else(|| Invalid::missing(&invalid::pointer(parent, &schema.key_field), "the record's key"))?;
    Ok((key, patch))
}

fn order(
    fields: &Patch,
    operation: ChangeKind,
    occurred_at: Timestamp,
    schema: &Schema,
    settings: &SourceSettings,
    parent: &str,
) -> Result<Option<i64>, Invalid> {
    let name = match &settings.order_by {
        OrderBy::Position => return Ok(None),
        OrderBy::Timestamp => return Ok(Some(occurred_at.0)),
        OrderBy::Field(name) => name,
    };
    let pointer = invalid::pointer(parent, name);
    let Some(patch::Change::Set(value)) = fields.0.get(name) else {
        let is_time = matches!(schema.field(name), Some(FieldType::DateTime | FieldType::Date));
        if operation == ChangeKind::Delete && is_time {
            return Ok(Some(occurred_at.0));
        }
        return Err(Invalid::missing(&pointer, "the field that this source's events are ordered by"));
    };
    place(value).map(Some).ok_or_else(|| {
        let remedy =
            "send a time of the years 1678 to 2261 or a whole number of 64 bits, or order the source by another field";
        Invalid::new("invalid_value", pointer, "cannot order events", remedy)
    })
}

/// Where a value stands among its kind.
fn place(value: &Value) -> Option<i64> {
    match value {
        Value::Number { number } => number.parse().ok(),
        Value::Text(text) if text.len() == 10 => {
            moment::parse_timestamp(&format!("{text}T00:00:00Z"), &TimeZone::UTC).ok().map(|time| time.0)
        }
        Value::Text(text) => moment::parse_timestamp(text, &TimeZone::UTC).ok().map(|time| time.0),
        Value::Bool(_) => None,
    }
}

fn text<'a>(raw: &'a RawValue, pointer: &str) -> Result<std::borrow::Cow<'a, str>, Invalid> {
    if !raw.get().starts_with('"') {
        return Err(Invalid::new("wrong_type", pointer, "must be text", "send it as text"));
    }
    decode_text(raw).map_err(|fault| Invalid::value(pointer, fault))
}

/// An id: text that says something, or a whole number, which stands for its text.
fn id(raw: &RawValue, pointer: &str) -> Result<String, Invalid> {
    let json = raw.get();
    let digits = json.strip_prefix('-').unwrap_or(json);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) && json.len() <= ID_CHARS_MAX {
        return Ok(json.to_owned());
    }
    let text = text(raw, pointer)?;
    if text.trim().is_empty() {
        return Err(Invalid::new("invalid_value", pointer, "is an id that says nothing", "send an id that is not empty"));
    }
    let length = text.chars().count();
    if length > ID_CHARS_MAX {
        let message = format!("is an id of {length} characters, more than the {ID_CHARS_MAX} that are taken");
        return Err(Invalid::value(
            pointer,
            ValueFault { code: "too_long", message, remedy: "send a shorter id".to_owned() },
        ));
    }
    Ok(text.into_owned())
}

fn digest(record_type: &str, key: &str, operation: ChangeKind, occurred_at: Timestamp, patch: &Patch) -> i64 {
    let head = Seal::default().text(record_type).text(key).text(operation.name()).number(occurred_at.0);
    let seal = patch.0.iter().fold(head, |seal, (name, change)| {
        let seal = seal.text(name);
        match change {
            patch::Change::Clear => seal.number(0),
            patch::Change::Set(Value::Text(text)) => seal.number(1).text(text),
            patch::Change::Set(Value::Bool(flag)) => seal.number(2).number(i64::from(*flag)),
            patch::Change::Set(Value::Number { number }) => seal.number(3).text(number),
        }
    });
    seal.finish()
}

#[cfg(test)]
mod tests;
