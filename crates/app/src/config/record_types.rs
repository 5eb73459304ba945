//! Reads the record types that are configured beside `contacts`.
//!
//! Promises: every field has a type, the key is no field, and the routing field is one. Leaves to others: where their records go
//! (`routing`), how their fields map (`boundaries`).

use syncline_core::schema::{FieldType, Schema, Schemas};

use super::raw::{Node, Value};
use super::shape;
use super::read::Reader;
use super::systems::is_name;

/// The record type that ships built in.
pub(super) const CONTACTS: &str = "contacts";

/// Reads every record type; those that are wrong are left out.
pub(super) fn read(reader: &mut Reader<'_>, node: Option<&Node>) -> Schemas {
    let mut schemas = Schemas::default();
    let entries = node.and_then(|node| reader.entries(node)).unwrap_or_default();
    for entry in entries {
        if entry.key == CONTACTS || !is_name(&entry.key) {
            let message = if entry.key == CONTACTS { "contacts is built in and cannot be another" } else { "is no name of a record type" };
            reader.fault_at(&entry.place, &entry.node.path, message, "give the record type another name, of letters, digits, _ and -");
            continue;
        }
        if let Some(schema) = record_type(reader, &entry.key, &entry.node) {
            schemas.insert(schema);
        }
    }
    schemas
}

fn record_type(reader: &mut Reader<'_>, name: &str, node: &Node) -> Option<Schema> {
    let section = reader.section(node, shape::RECORD_TYPE)?;
    let mut schema = Schema::new(name);
    if let Some(key) = section.get("key").and_then(|node| reader.text(node, "the name of the field that holds the key")) {
        schema.key_field = key;
    }
    let fields = reader.required(section, "fields", "write fields: { name: text, … }")?;
    let entries = reader.entries(fields)?;
    if entries.is_empty() {
        reader.fault(fields, "names no field", "write name: text, one field a line");
    }
    for entry in entries {
        if entry.key == schema.key_field {
            reader.fault_at(&entry.place, &entry.node.path, "is the key, which is no field", "take it out, or name another key");
        } else if let Some(field_type) = field_type(reader, &entry.node) {
            schema = schema.with_field(&entry.key, field_type);
        }
    }
    if let Some(node) = section.get("routing_field")
        && let Some(field) = reader.text(node, "the name of a field")
    {
        let declared = |name: &str| entries.iter().any(|entry| entry.key == name);
        match schema.field(&field) {
            Some(FieldType::Choice(_) | FieldType::Text) => schema.routing_field = Some(field),
            Some(other) => {
                let message = format!("is of type {}, whose values are too many to route by", other.name());
                reader.fault(node, message, "name a field of type choice or text");
            }
            None if declared(&field) => schema.routing_field = Some(field),
            None => {
                let known: Vec<&str> = schema.fields.iter().map(|(name, _)| name.as_str()).collect();
                reader.unknown(&node.place, &node.path, "field", &field, &known);
            }
        }
    }
    Some(schema)
}

type Make = fn() -> FieldType;

fn field_type(reader: &mut Reader<'_>, node: &Node) -> Option<FieldType> {
    if let Value::Map(_) = &node.value {
        let section = reader.section(node, shape::CHOICE)?;
        let list = reader.required(section, "choice", "write { choice: [first, second] }")?;
        let choices: Vec<String> = reader.texts(list, "a list of texts").into_iter().map(|(text, _)| text).collect();
        if choices.is_empty() {
            reader.fault(list, "offers nothing to choose from", "write { choice: [first, second] }");
            return None;
        }
        return Some(FieldType::Choice(choices));
    }
    let plain: [(&str, Make); 7] = [
        ("text", || FieldType::Text),
        ("email", || FieldType::Email),
        ("phone", || FieldType::Phone),
        ("number", || FieldType::Number),
        ("bool", || FieldType::Bool),
        ("date", || FieldType::Date),
        ("datetime", || FieldType::DateTime),
    ];
    reader.choice(node, "type of field", &plain).map(|make| make())
}
