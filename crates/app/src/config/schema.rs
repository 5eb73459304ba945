//! The JSON Schema of a configuration, made from the same table of keys that the reader has.
//!
//! Promises: draft 2020-12; what the reader refuses for its form this refuses, and what the reader takes in a usual spelling this takes;
//! defaults and descriptions come along, for editors. Leaves to others: what fits together (the reader).

use serde_json::{Map, Value, json};

use super::shape::{CODEC_SETTINGS, CODECS, Key, ROOT, Shape};

/// The address that editors find it by.
pub const SCHEMA_ADDRESS: &str = "https://raw.githubusercontent.com/syncline/syncline/main/docs/reference/config.schema.json";

/// A text that holds a variable, which may stand in place of any single value.
const VARIABLE: &str = r"\$\{[A-Za-z0-9_]+\}";

/// The schema.
#[must_use]
pub fn json_schema() -> Value {
    let mut schema = map(ROOT);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["$id"] = json!(SCHEMA_ADDRESS);
    schema["title"] = json!("Syncline's configuration");
    let codec = json!({ "$ref": "#/$defs/codec" });
    let named = json!({ "enum": CODECS });
    let mut settings = map(CODEC_SETTINGS);
    settings["minProperties"] = json!(1);
    settings["maxProperties"] = json!(1);
    schema["$defs"] = json!({
        "codec": { "anyOf": [named, settings, { "type": "array", "items": codec }] },
        "variable": { "type": "string", "pattern": VARIABLE },
    });
    schema
}

/// A map with these keys and no others.
fn map(keys: &[Key]) -> Value {
    let properties: Map<String, Value> = keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> = keys.iter().filter(|key| key.is_required).map(|key| key.name).collect();
    let mut map = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        map["required"] = json!(required);
    }
    map
}

/// A key that need not be there may stand there with nothing behind it.
fn property(key: &Key) -> Value {
    let mut property = match (key.is_required, shape(key.shape)) {
        (true, shape) => shape,
        (false, Value::Bool(any)) => json!({ "not": { "not": any } }),
        (false, shape) => json!({ "anyOf": [shape, { "type": "null" }] }),
    };
    property["description"] = json!(key.about);
    if !key.default.is_empty() {
        property["default"] = default(key);
    }
    property
}

/// A default as JSON has it.
fn default(key: &Key) -> Value {
    match key.shape {
        Shape::Whole(..) | Shape::Number | Shape::Share | Shape::Flag | Shape::List(_) | Shape::Names(_) | Shape::Map(_) => {
            serde_json::from_str(key.default).unwrap_or_else(|_| json!(key.default))
        }
        Shape::Text | Shape::Secret | Shape::Time | Shape::Word(_) | Shape::Any(_) | Shape::Kinds(_) | Shape::Codec | Shape::Anything => json!(key.default),
    }
}

fn or_variable(shape: &Value) -> Value {
    json!({ "anyOf": [shape, { "$ref": "#/$defs/variable" }] })
}

fn shape(shape_of: Shape) -> Value {
    match shape_of {
        Shape::Text => json!({ "type": ["string", "number", "boolean"] }),
        Shape::Secret => json!({ "type": "string", "pattern": r"^(\$\{[^${}]+\}|file:.+)$" }),
        Shape::Time => or_variable(&json!({ "type": "string", "pattern": r"^\s*0*[1-9][0-9]*(ms|s|m|h|d)\s*$" })),
        Shape::Share => or_variable(&json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1 })),
        Shape::Number => or_variable(&json!({ "type": "number" })),
        Shape::Flag => or_variable(&json!({ "type": "boolean" })),
        Shape::Whole(min, u64::MAX) => or_variable(&json!({ "type": "integer", "minimum": min })),
        Shape::Whole(min, max) => or_variable(&json!({ "type": "integer", "minimum": min, "maximum": max })),
        Shape::Word(words) => or_variable(&json!({ "enum": words })),
        Shape::Map(keys) => map(keys),
        Shape::Names(of) => json!({ "type": "object", "additionalProperties": shape(*of) }),
        Shape::List(of) => json!({ "anyOf": [{ "type": "array", "items": shape(*of) }, shape(*of)] }),
        Shape::Any(shapes) => json!({ "anyOf": shapes.iter().map(|of| shape(*of)).collect::<Vec<_>>() }),
        Shape::Kinds(kinds) => kind_of(kinds),
        Shape::Codec => json!({ "$ref": "#/$defs/codec" }),
        Shape::Anything => json!(true),
    }
}

/// Each kind with its own keys: by conditions, so that a fault is told of the kind that is meant.
fn kind_of(kinds: &[(&str, &[Key])]) -> Value {
    let names: Vec<&str> = kinds.iter().map(|(name, _)| *name).collect();
    let conditions = kinds.iter().map(|(name, keys)| {
        let mut of_kind = map(keys);
        of_kind["properties"]["kind"] = json!({ "const": name });
        json!({ "if": { "properties": { "kind": { "const": name } }, "required": ["kind"] }, "then": of_kind })
    });
    json!({
        "type": "object",
        "properties": { "kind": { "enum": names, "description": "What it is" } },
        "required": ["kind"],
        "allOf": conditions.collect::<Vec<_>>(),
    })
}
