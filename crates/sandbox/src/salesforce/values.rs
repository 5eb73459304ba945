//! Values between JSON, the row and comparison.
//!
//! Promises: a stored value is text in one spelling per kind (numbers without needless zeros, instants as they go
//! out); nothing is shortened, an empty text is no value; every refusal has Salesforce's code and text.
//! Leaves to others: whether a field may be written at all, and whether a referred row exists (`write`).

use std::borrow::Cow;

use serde_json::{Map, Number, Value, json};

use super::config::SalesforceConfig;
use super::errors::{self, Fault};
use super::org::{Actor, Row};
use super::schema::{Field, Kind, Schema, Source};
use super::{ids, wire};
use crate::exchange::Millis;

/// A value as conditions compare it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell<'a> {
    /// Not set.
    Null,
    /// Text, a picklist value, an id, a day.
    Text(Cow<'a, str>),
    /// Any number.
    Number(f64),
    /// An instant.
    Time(Millis),
    /// A yes or no.
    Flag(bool),
}

/// The text to store for a JSON value; None clears the field.
pub(super) fn read(field: &Field, value: Value, config: &SalesforceConfig) -> Result<Option<Box<str>>, Fault> {
    match field.kind {
        Kind::Text | Kind::TextArea | Kind::Phone | Kind::Url | Kind::Picklist | Kind::Email | Kind::Id | Kind::Reference => {
            let Some(text) = text(value, "string")? else { return Ok(None) };
            read_text(field, text, config)
        }
        Kind::Double | Kind::Currency | Kind::Int => read_number(field, &value),
        Kind::Boolean => read_flag(field, &value),
        Kind::Date => {
            let Some(text) = text(value, "date")? else { return Ok(None) };
            let day: Option<jiff::civil::Date> = text.get(..10).and_then(|day| day.parse().ok());
            let day = day.ok_or_else(|| unreadable("date", &Value::String(text)))?;
            Ok(Some(day.to_string().into()))
        }
        Kind::DateTime => {
            let Some(text) = text(value, "datetime")? else { return Ok(None) };
            let at = wire::read_datetime(&text).ok_or_else(|| unreadable("datetime", &Value::String(text)))?;
            Ok(Some(wire::datetime(at).into()))
        }
        Kind::Address => Err(unreadable("address", &value)),
    }
}

fn read_text(field: &Field, mut text: String, config: &SalesforceConfig) -> Result<Option<Box<str>>, Fault> {
    if config.trims_text {
        text = text.trim().to_owned();
        if field.kind == Kind::Email {
            text = text.to_lowercase();
        }
    }
    if text.is_empty() {
        return Ok(None);
    }
    if matches!(field.kind, Kind::Reference | Kind::Id) {
        let wrong = || Fault::row("MALFORMED_ID", format!("{}: id value of incorrect type: {text}", field.label), &[&field.name]);
        return ids::read(&text).map(|id| Some(id.into())).ok_or_else(wrong);
    }
    let max = usize::try_from(field.length).unwrap_or(usize::MAX);
    if text.len() > max && text.encode_utf16().count() > max {
        let message = format!("{}: data value too large: {text} (max length={})", field.label, field.length);
        return Err(Fault::row("STRING_TOO_LONG", message, &[&field.name]));
    }
    if field.kind == Kind::Email && !is_email(&text, config.email_ascii_only) {
        return Err(Fault::row("INVALID_EMAIL_ADDRESS", format!("{}: invalid email address: {text}", field.label), &[&field.name]));
    }
    if field.restricted && !field.picks.contains(&text) {
        let message = format!("{}: bad value for restricted picklist field: {text}", field.label);
        return Err(Fault::row("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, &[&field.name]));
    }
    Ok(Some(text.into()))
}

fn read_number(field: &Field, value: &Value) -> Result<Option<Box<str>>, Fault> {
    let number = match value {
        Value::Null => return Ok(None),
        Value::String(text) if text.is_empty() => return Ok(None),
        Value::String(text) => text.trim().parse::<f64>().ok().filter(|number| number.is_finite()),
        Value::Number(number) => number.as_f64(),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let whole = field.kind == Kind::Int;
    let wanted = if whole { "int" } else { "double" };
    let number = number.filter(|number| !whole || number.fract() == 0.0).ok_or_else(|| unreadable(wanted, value))?;
    let max = if whole { 1e8 } else { 1e18 };
    if number.abs() >= max {
        let message = format!("{}: value outside of valid range on numeric field: {number}", field.label);
        return Err(Fault::row("NUMBER_OUTSIDE_VALID_RANGE", message, &[&field.name]));
    }
    Ok(Some(number.to_string().into()))
}

fn read_flag(field: &Field, value: &Value) -> Result<Option<Box<str>>, Fault> {
    match value {
        Value::Bool(flag) => Ok(Some(flag.to_string().into())),
        Value::String(text) if matches!(text.as_str(), "true" | "false") => Ok(Some(text.as_str().into())),
        Value::Null => {
            Err(Fault::row("INVALID_TYPE_ON_FIELD_IN_RECORD", format!("{}: value not of required type: ", field.label), &[&field.name]))
        }
        Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Err(unreadable("boolean", value)),
    }
}

fn text(value: Value, wanted: &str) -> Result<Option<String>, Fault> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Err(unreadable(wanted, &value)),
    }
}

fn unreadable(wanted: &str, value: &Value) -> Fault {
    let (found, shown) = match value {
        Value::Null => ("VALUE_NULL", "null".to_owned()),
        Value::Bool(flag) => (if *flag { "VALUE_TRUE" } else { "VALUE_FALSE" }, flag.to_string()),
        Value::Number(number) => (if number.is_f64() { "VALUE_NUMBER_FLOAT" } else { "VALUE_NUMBER_INT" }, number.to_string()),
        Value::String(text) => ("VALUE_STRING", text.clone()),
        Value::Array(_) => ("START_ARRAY", "[".to_owned()),
        Value::Object(_) => ("START_OBJECT", "{".to_owned()),
    };
    errors::unexpected_json(&format!("Cannot deserialize instance of {wanted} from {found} value {shown}"))
}

/// Whether an address is plausible: one `@`, a dotted domain, no blanks.
fn is_email(text: &str, ascii_only: bool) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let fine = |part: &str| !part.is_empty() && !part.chars().any(|c| c.is_whitespace() || c.is_control() || "@,;:<>()[]\\\"".contains(c));
    let dots = |part: &str| !part.starts_with('.') && !part.ends_with('.') && !part.contains("..");
    let host = domain.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '.') && domain.contains('.');
    fine(local) && dots(local) && host && dots(domain) && (!ascii_only || text.is_ascii())
}

/// The value of a field as conditions compare it.
pub(super) fn cell<'a>(schema: &Schema, serial: u64, row: &'a Row, number: u16) -> Cell<'a> {
    let field = schema.field(number);
    match field.source {
        Source::Stored => stored(field, row.get(number)),
        Source::RowId => Cell::Text(ids::make(schema.object.prefix(), serial).into()),
        Source::FullName => Cell::Text(full_name(schema, row).into()),
        Source::IsDeleted => Cell::Flag(row.deleted),
        Source::CreatedDate => Cell::Time(row.created),
        Source::ModifiedDate => Cell::Time(row.modified),
        Source::CreatedBy => Cell::Text(user(row.created_by).into()),
        Source::ModifiedBy => Cell::Text(user(row.modified_by).into()),
        Source::Compound(_) => Cell::Null,
    }
}

/// The value of a field as it goes out.
pub(super) fn render(schema: &Schema, serial: u64, row: &Row, number: u16) -> Value {
    let field = schema.field(number);
    if let Source::Compound(prefix) = field.source {
        return address(schema, serial, row, prefix);
    }
    match cell(schema, serial, row, number) {
        Cell::Null => Value::Null,
        Cell::Text(text) => Value::String(text.into_owned()),
        Cell::Time(at) => Value::String(wire::datetime(at)),
        Cell::Flag(flag) => Value::Bool(flag),
        Cell::Number(number) if field.kind == Kind::Int => json!(format!("{number:.0}").parse::<i64>().unwrap_or(0)),
        Cell::Number(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
    }
}

/// The `attributes` member of a row.
pub(super) fn attributes(schema: &Schema, serial: u64, version: u16) -> Value {
    let name = schema.object.name();
    let id = ids::make(schema.object.prefix(), serial);
    json!({ "type": name, "url": format!("/services/data/v{version}.0/sobjects/{name}/{id}") })
}

/// A row with the fields of these numbers.
pub(super) fn record(schema: &Schema, serial: u64, row: &Row, version: u16, numbers: &[u16]) -> Value {
    let mut body = Map::new();
    body.insert("attributes".to_owned(), attributes(schema, serial, version));
    for number in numbers {
        body.insert(schema.field(*number).name.clone(), render(schema, serial, row, *number));
    }
    Value::Object(body)
}

fn stored<'a>(field: &Field, value: Option<&'a str>) -> Cell<'a> {
    match (field.kind, value) {
        (Kind::Boolean, value) => Cell::Flag(value == Some("true")),
        (_, None) => Cell::Null,
        (Kind::Double | Kind::Currency | Kind::Int, Some(text)) => text.parse().map_or(Cell::Null, Cell::Number),
        (Kind::DateTime, Some(text)) => wire::read_datetime(text).map_or(Cell::Null, Cell::Time),
        (
            Kind::Id
            | Kind::Text
            | Kind::TextArea
            | Kind::Picklist
            | Kind::Reference
            | Kind::Date
            | Kind::Phone
            | Kind::Email
            | Kind::Url
            | Kind::Address,
            Some(text),
        ) => Cell::Text(text.into()),
    }
}

fn full_name(schema: &Schema, row: &Row) -> String {
    let part = |name: &str| schema.number(name).and_then(|number| row.get(number)).unwrap_or("");
    format!("{} {}", part("FirstName"), part("LastName")).trim().to_owned()
}

fn user(actor: Actor) -> &'static str {
    match actor {
        Actor::Client => ids::INTEGRATION_USER,
        Actor::Person => ids::PERSON_USER,
    }
}

fn address(schema: &Schema, serial: u64, row: &Row, prefix: &str) -> Value {
    const PARTS: [(&str, &str); 8] = [
        ("city", "City"),
        ("country", "Country"),
        ("geocodeAccuracy", "GeocodeAccuracy"),
        ("latitude", "Latitude"),
        ("longitude", "Longitude"),
        ("postalCode", "PostalCode"),
        ("state", "State"),
        ("street", "Street"),
    ];
    let value = |name: &str| schema.number(&format!("{prefix}{name}")).map_or(Value::Null, |number| render(schema, serial, row, number));
    let parts: Map<String, Value> = PARTS.iter().map(|(key, name)| ((*key).to_owned(), value(name))).collect();
    if parts.values().all(Value::is_null) { Value::Null } else { Value::Object(parts) }
}
