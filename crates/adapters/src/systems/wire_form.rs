//! One record in a system's own JSON, for whoever transforms records without sending them.
//!
//! Promises: pure; `read_json` of what `to_json` made gives the same fields; what is no record of that system is refused with
//! its place and no value. Leaves to others: which fields there are (`core::plan::mapping`), requests of many records (`encode`).

use serde_json::{Map, Value, json};
use syncline_core::outcome::ExternalFields;

use super::answers;

/// How a system writes one record as JSON.
pub trait WireForm {
    /// The record as the system's single-record calls carry it.
    fn to_json(&self, object: &str, fields: &ExternalFields) -> Value;

    /// The fields of a record as the system's answers carry it.
    ///
    /// # Errors
    /// What is not as the system writes it: a JSON pointer and what would be right.
    fn read_json(&self, record: &Value) -> Result<ExternalFields, String>;
}

/// Fields beside each other, under the `attributes` that name the object.
#[must_use]
pub fn flat(object: &str, fields: &ExternalFields) -> Value {
    let mut record = Map::from_iter([("attributes".to_owned(), json!({ "type": object }))]);
    record.extend(fields.iter().map(|(name, value)| (name.clone(), value.clone().map_or(Value::Null, Value::String))));
    Value::Object(record)
}

/// Fields under `properties`, where an empty text clears.
#[must_use]
pub fn nested(fields: &ExternalFields) -> Value {
    let properties = fields.iter().map(|(name, value)| (name.clone(), Value::String(value.clone().unwrap_or_default())));
    json!({ "properties": properties.collect::<Map<_, _>>() })
}

/// Reads `flat`.
///
/// # Errors
/// If it is no object, or a field holds more than a single value.
pub fn read_flat(record: &Value) -> Result<ExternalFields, String> {
    let Value::Object(record) = record else { return Err("the record must be a JSON object".to_owned()) };
    single_values("", record.iter().filter(|(name, _)| *name != "attributes"))
}

/// Reads `nested`.
///
/// # Errors
/// If it has no `properties`, or one of them holds more than a single value.
pub fn read_nested(record: &Value) -> Result<ExternalFields, String> {
    match record.get("properties") {
        Some(Value::Object(properties)) => single_values("/properties", properties.iter()),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            Err("/properties: must be an object".to_owned())
        }
        None => Err("/properties: is missing; the record's fields stand below it".to_owned()),
    }
}

fn single_values<'v>(parent: &str, fields: impl Iterator<Item = (&'v String, &'v Value)>) -> Result<ExternalFields, String> {
    fields
        .map(|(name, value)| match value {
            Value::Object(_) | Value::Array(_) => Err(format!("{parent}/{name}: must be a single value or null")),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok((name.clone(), answers::text_of(value))),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_written_is_read_again(fields in proptest::collection::btree_map("[a-z_]{1,12}", proptest::option::of("\\PC{1,20}"), 0..6)) {
            prop_assume!(!fields.contains_key("attributes"));
            prop_assert_eq!(read_flat(&flat("Lead", &fields)).unwrap(), fields.clone());
            prop_assert_eq!(read_nested(&nested(&fields)).unwrap(), fields);
        }
    }

    #[test]
    fn what_is_no_record_is_refused_with_its_place() {
        assert_eq!(read_flat(&json!([])).unwrap_err(), "the record must be a JSON object");
        assert_eq!(read_flat(&json!({ "Email": ["v4lue"] })).unwrap_err(), "/Email: must be a single value or null");
        assert_eq!(read_nested(&json!({ "email": "v4lue" })).unwrap_err(), "/properties: is missing; the record's fields stand below it");
        assert_eq!(read_nested(&json!({ "properties": "v4lue" })).unwrap_err(), "/properties: must be an object");
        assert_eq!(read_nested(&json!({ "properties": { "email": {} } })).unwrap_err(), "/properties/email: must be a single value or null");
    }

    #[test]
    fn numbers_and_booleans_are_text_and_empty_text_is_nothing() {
        let read = read_nested(&json!({ "properties": { "age": 7, "vip": true, "phone": "" } })).unwrap();
        let expected = [("age", Some("7")), ("phone", None), ("vip", Some("true"))];
        assert_eq!(read, expected.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect());
    }
}
