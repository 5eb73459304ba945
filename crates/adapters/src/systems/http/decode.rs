//! Reads the body of a request: one event or many, bare or as CloudEvents.
//!
//! Promises: what kind of body it is, its type and headers say, never a guess; a list that does not read as a list is refused as a
//! whole, with the byte; of one that does, each event is judged for itself. Golden files hold examples.
//! Leaves to others: what one event says (`core::event`), sizes and sockets (the app's doors).

use std::fmt::Write;

use percent_encoding::percent_decode_str;
use serde_json::value::RawValue;
use syncline_core::event::{self, Change, Invalid, SourceSettings};
use syncline_core::schema::Schemas;

/// What a body is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// JSON: one event, or an array of them.
    Json,
    /// One event a line.
    Lines,
    /// One CloudEvent, structured.
    Cloud,
    /// An array of CloudEvents, structured.
    CloudBatch,
    /// The data of one CloudEvent; its attributes came as headers.
    CloudBinary(Vec<(String, String)>),
}

/// What was sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Read {
    /// Each event, or why it is none.
    pub inputs: Vec<Result<Change, Invalid>>,
    /// Whether the body is a list, so that places in it begin with a number.
    pub is_list: bool,
}

/// Why a body is refused as a whole.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// Its content type is none of ours.
    ContentType,
    /// It does not read.
    Invalid(Invalid),
    /// It holds more events than are taken at once.
    TooMany,
}

/// The content types that are taken, for messages.
pub const CONTENT_TYPES: &str = "application/json, application/x-ndjson, application/cloudevents+json or application/cloudevents-batch+json";

/// What the headers say of the body. `attributes` are the `ce-` headers, without that beginning, in lower case.
///
/// # Errors
/// `ContentType` if it is none that is taken; `Invalid` if an attribute is no text.
pub fn form(content_type: &str, attributes: &[(&str, &[u8])]) -> Result<Form, Refused> {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim_matches('"');
        if name.eq_ignore_ascii_case("charset") && !value.eq_ignore_ascii_case("utf-8") {
            return Err(Refused::ContentType);
        }
    }
    match essence.as_str() {
        "application/cloudevents+json" => Ok(Form::Cloud),
        "application/cloudevents-batch+json" => Ok(Form::CloudBatch),
        "application/json" if attributes.iter().any(|(name, _)| *name == "specversion") => binary(attributes),
        "application/json" => Ok(Form::Json),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/json-lines" => Ok(Form::Lines),
        _ => Err(Refused::ContentType),
    }
}

fn binary(attributes: &[(&str, &[u8])]) -> Result<Form, Refused> {
    let mut read = Vec::with_capacity(attributes.len());
    for (name, value) in attributes {
        let text = std::str::from_utf8(value).ok().and_then(|text| percent_decode_str(text).decode_utf8().ok());
        let Some(text) = text else {
            let pointer = format!("/{name}");
            return Err(Refused::Invalid(Invalid {
                code: "invalid_value",
                pointer,
                message: "is no text in UTF-8".into(),
                remedy: "send the attribute in UTF-8, percent-encoded".into(),
            }));
        };
        read.push(((*name).to_owned(), text.into_owned()));
    }
    Ok(Form::CloudBinary(read))
}

/// Reads a body.
///
/// # Errors
/// If it is refused as a whole.
pub fn read(form: &Form, body: &[u8], schemas: &Schemas, settings: &SourceSettings, events_max: usize) -> Result<Read, Refused> {
    let one = |input| Ok(Read { inputs: vec![input], is_list: false });
    let text = text(body)?;
    match form {
        Form::Json if text.trim_start().starts_with('[') => list(&elements(text, body)?, schemas, settings, events_max, false),
        Form::Json => one(event::decode(body, schemas, settings)),
        Form::Cloud => one(event::decode_cloud(body, schemas, settings)),
        Form::CloudBatch => list(&elements(text, body)?, schemas, settings, events_max, true),
        Form::CloudBinary(attributes) => {
            let whole = structured(attributes, text)?;
            one(event::decode_cloud(whole.as_bytes(), schemas, settings))
        }
        Form::Lines => {
            let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
            if lines.is_empty() {
                return Err(Refused::Invalid(invalid("is empty".into(), "send one event a line")));
            }
            list(&lines, schemas, settings, events_max, false)
        }
    }
}

fn list(parts: &[&str], schemas: &Schemas, settings: &SourceSettings, events_max: usize, is_cloud: bool) -> Result<Read, Refused> {
    if parts.len() > events_max {
        return Err(Refused::TooMany);
    }
    let decode = if is_cloud { event::decode_cloud } else { event::decode };
    Ok(Read { inputs: parts.iter().map(|part| decode(part.as_bytes(), schemas, settings)).collect(), is_list: true })
}

/// The body as text, a byte order mark taken off.
fn text(body: &[u8]) -> Result<&str, Refused> {
    let bytes = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = std::str::from_utf8(bytes).map_err(|fault| {
        let at = fault.valid_up_to() + (body.len() - bytes.len());
        Refused::Invalid(invalid(format!("is not valid UTF-8 at byte {at}"), "send the events in UTF-8"))
    })?;
    if text.trim().is_empty() {
        return Err(Refused::Invalid(invalid("is empty".into(), "send at least one event")));
    }
    Ok(text)
}

/// The elements of an array, as they stand.
fn elements<'b>(text: &'b str, body: &[u8]) -> Result<Vec<&'b str>, Refused> {
    let parts: Vec<&RawValue> = serde_json::from_str(text).map_err(|fault| {
        let before: usize = text.split_inclusive('\n').take(fault.line().saturating_sub(1)).map(str::len).sum();
        let at = (before + fault.column().saturating_sub(1)).min(text.len()) + (body.len() - text.len());
        let whole = fault.to_string();
        let reason = whole.split(" at line ").next().unwrap_or_default();
        let reason = if fault.is_data() { "it is no array" } else { reason };
        Refused::Invalid(invalid(format!("is no JSON array at byte {at}: {reason}"), "send one JSON array and nothing after it"))
    })?;
    if parts.is_empty() {
        return Err(Refused::Invalid(invalid("is an empty array".into(), "send at least one event")));
    }
    Ok(parts.into_iter().map(RawValue::get).collect())
}

/// The structured form of what came in binary mode.
fn structured(attributes: &[(String, String)], data: &str) -> Result<String, Refused> {
    let data: &RawValue = serde_json::from_str(data).map_err(|fault| {
        let whole = fault.to_string();
        let reason = whole.split(" at line ").next().unwrap_or_default();
        Refused::Invalid(invalid(format!("is not JSON: {reason}"), "send the record as one JSON object"))
    })?;
    let mut whole = String::with_capacity(data.get().len() + 256);
    whole.push('{');
    for (name, value) in attributes {
        let (name, value) = (serde_json::Value::from(name.as_str()), serde_json::Value::from(value.as_str()));
        // Writing to a string does not fail.
        let _ = write!(whole, "{name}:{value},");
    }
    let _ = write!(whole, "\"data\":{}}}", data.get());
    Ok(whole)
}

fn invalid(message: String, remedy: &str) -> Invalid {
    Invalid { code: "invalid_json", pointer: String::new(), message, remedy: remedy.to_owned() }
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
