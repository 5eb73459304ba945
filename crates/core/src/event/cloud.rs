//! Reads a CloudEvent 1.0 as an event: its type says what happened, its data is the item.
//!
//! Promises: `specversion` 1.0 alone; attribute names hold lower-case letters and digits, extensions are single values; the event
//! id is source and id together, as CloudEvents has it; a time without its offset is refused. Whatever is not used is checked.
//! Leaves to others: the item's fields (`event`), HTTP's binary form, which becomes this one (the adapter).

use serde_json::value::RawValue;

use super::invalid::pointer;
use super::read::{Body, Cloud, item_of};
use super::{Change, ChangeKind, ID_CHARS_MAX, Invalid, SourceSettings, finish, read_item, text};
use crate::patch::Patch;
use crate::schema::{Schema, Schemas, moment};

/// What a type may end with, and what it means.
const ENDINGS: [(&str, ChangeKind); 6] = [
    ("created", ChangeKind::Create),
    ("updated", ChangeKind::Update),
    ("deleted", ChangeKind::Delete),
    ("create", ChangeKind::Create),
    ("update", ChangeKind::Update),
    ("delete", ChangeKind::Delete),
];

/// Reads a CloudEvent that was taken apart.
pub(super) fn decode(body: Body<'_>, schemas: &Schemas, settings: &SourceSettings) -> Result<Change, Invalid> {
    let Body { cloud, id, .. } = body;
    version(&cloud)?;
    for (name, raw) in &cloud.others {
        attribute(name, raw)?;
    }
    let id = required(id, "/id", "the event's id")?;
    let source = required(cloud.source, "/source", "a URI that names who sends the event")?;
    let kind = required(cloud.kind, "/type", "a type such as com.example.contact.created")?;
    let (schema, operation) = meaning(&kind, schemas)?;
    let time = required(cloud.time, "/time", "the time of the change as RFC 3339 with its offset")?;
    let occurred_at = moment(&time)?;
    json_data(&cloud)?;
    let subject = cloud.subject.map(|raw| text(raw, "/subject")).transpose()?;
    let key_of_subject = subject.as_deref().map(|subject| key(subject, schema)).transpose()?.flatten();
    let (key, patch) = match (cloud.data.filter(|raw| raw.get() != "null"), key_of_subject) {
        (Some(data), key_of_subject) => {
            let (key, patch) = read_item(item_of(data, "/data")?, schema, settings, "/data")?;
            if key_of_subject.is_some_and(|other| other != key) {
                let message = "names another record than the data does";
                return Err(Invalid::new("invalid_value", "/subject", message, "send the same key in both"));
            }
            (key, patch)
        }
        (None, Some(key)) if operation == ChangeKind::Delete => (key.to_owned(), Patch::default()),
        (None, _) => return Err(Invalid::missing("/data", "the record as an object")),
    };
    let event_id = Some(format!("{source} {id}"));
    finish(schema, key, operation, occurred_at, patch, event_id, settings, "/data")
}

fn version(cloud: &Cloud<'_>) -> Result<(), Invalid> {
    let version = required(cloud.specversion, "/specversion", "1.0")?;
    if version == "1.0" {
        return Ok(());
    }
    Err(Invalid::new("unknown_specversion", "/specversion", "is no version of CloudEvents that is known", "send 1.0"))
}

/// An attribute that is not looked into further.
fn attribute(name: &str, raw: &RawValue) -> Result<(), Invalid> {
    let place = pointer("", name);
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
        let remedy = "name attributes with lower-case letters and digits alone";
        return Err(Invalid::new("bad_attribute", place, "is no name of an attribute", remedy));
    }
    if raw.get().starts_with(['{', '[']) {
        return Err(Invalid::new("wrong_type", place, "must be a single value", "put what has parts into the data"));
    }
    if raw.get().starts_with('"') {
        text(raw, &place)?;
    }
    Ok(())
}

fn required(raw: Option<&RawValue>, place: &str, what: &str) -> Result<String, Invalid> {
    let raw = raw.filter(|raw| raw.get() != "null").ok_or_else(|| Invalid::missing(place, what))?;
    let text = text(raw, place)?;
    if text.trim().is_empty() {
        return Err(Invalid::new("invalid_value", place, "says nothing", format!("send {what}")));
    }
    let length = text.chars().count();
    if length > ID_CHARS_MAX {
        let message = format!("has {length} characters, more than the {ID_CHARS_MAX} that are taken");
        return Err(Invalid::new("too_long", place, message, "send a shorter one"));
    }
    Ok(text.into_owned())
}

/// The record type and operation that a type ends with: `….contact.created`.
fn meaning<'s>(kind: &str, schemas: &'s Schemas) -> Result<(&'s Schema, ChangeKind), Invalid> {
    let mut parts = kind.rsplit('.');
    let ending = parts.next().unwrap_or_default();
    let operation = ENDINGS.into_iter().find(|(name, _)| *name == ending).map(|(_, operation)| operation);
    let operation = operation.ok_or_else(|| {
        let remedy = "end the type with created, updated or deleted";
        Invalid::new("unknown_operation", "/type", "ends with no operation that is known", remedy)
    })?;
    let entity = parts.next().unwrap_or_default();
    let is_meant = |schema: &&Schema| schema.record_type == entity || schema.record_type.strip_suffix('s') == Some(entity);
    let schema = schemas.iter().find(is_meant).ok_or_else(|| {
        let known: Vec<_> = schemas.iter().map(|schema| schema.record_type.as_str()).collect();
        let remedy = format!("name one of {} before the operation, or add the record type to the configuration", known.join(", "));
        Invalid::new("unknown_record_type", "/type", "names a record type that is not configured", remedy)
    })?;
    Ok((schema, operation))
}

/// A time bears its offset: CloudEvents knows no other.
fn moment(time: &str) -> Result<crate::time::Timestamp, Invalid> {
    let refuse = |why| Invalid::new("bad_timestamp", "/time", why, "send the time of the change as RFC 3339 with its offset");
    let zone = time.get(19..).unwrap_or_default();
    if !zone.contains(['Z', 'z', '+', '-']) {
        return Err(refuse("has no offset"));
    }
    moment::parse_timestamp(time, &jiff::tz::TimeZone::UTC).map_err(refuse)
}

/// Data is JSON or nothing.
fn json_data(cloud: &Cloud<'_>) -> Result<(), Invalid> {
    if cloud.data_base64.is_some() {
        let remedy = "send the record as a JSON object under data";
        return Err(Invalid::new("unsupported_data", "/data_base64", "holds bytes where a record is taken", remedy));
    }
    let Some(raw) = cloud.datacontenttype else { return Ok(()) };
    let named = text(raw, "/datacontenttype")?.to_ascii_lowercase();
    let essence = named.split(';').next().unwrap_or_default().trim();
    if essence == "application/json" || essence.ends_with("+json") {
        return Ok(());
    }
    Err(Invalid::new("unsupported_data", "/datacontenttype", "is no JSON", "send application/json"))
}

/// The key in a subject such as `contacts/A1234`; a subject of another shape names no record of ours.
fn key<'s>(subject: &'s str, schema: &Schema) -> Result<Option<&'s str>, Invalid> {
    let Some((record_type, key)) = subject.split_once('/') else { return Ok(None) };
    if record_type != schema.record_type {
        return Ok(None);
    }
    let length = key.chars().count();
    if key.trim().is_empty() || length > ID_CHARS_MAX {
        let message = format!("holds a key of {length} characters; 1 to {ID_CHARS_MAX} are taken");
        return Err(Invalid::new("invalid_value", "/subject", message, "send the record's key behind the record type"));
    }
    Ok(Some(key))
}
