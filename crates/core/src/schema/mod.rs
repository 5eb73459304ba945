//! Record types: which fields they have, what is valid in each, and when two values are the same.
//!
//! Promises: `contacts` ships built in; a value that was parsed is in its field type's canonical form, and parsing that form
//! again changes nothing; no message holds a value, only its kind, its length and the rule.
//! Leaves to others: events as a whole (`event`), how fields are called elsewhere (`plan::mapping`).

mod equality;
mod field_type;
pub mod moment;
pub mod phone;

use std::collections::BTreeMap;

pub use equality::canonical_eq;
pub use field_type::{FieldType, TEXT_BYTES_MAX, ValueFault, check_text, decode_text};

use crate::record::FieldName;

/// The six contact types.
pub const CONTACT_TYPES: [&str; 6] = ["lead", "customer", "prospect", "vendor", "partner", "employee"];

/// The fields of one record type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The record type's name, plural.
    pub record_type: String,
    /// The field of an event's item that holds the key.
    pub key_field: FieldName,
    /// The field whose value decides which systems take a record.
    pub routing_field: Option<FieldName>,
    /// Every field but the key, in declaration order.
    pub fields: Vec<(FieldName, FieldType)>,
}

impl Schema {
    /// A record type without fields, keyed by `id`.
    pub fn new(record_type: impl Into<String>) -> Self {
        Self { record_type: record_type.into(), key_field: "id".to_owned(), routing_field: None, fields: Vec::new() }
    }

    /// The same with one more field.
    #[must_use]
    pub fn with_field(mut self, name: impl Into<FieldName>, field_type: FieldType) -> Self {
        self.fields.push((name.into(), field_type));
        self
    }

    /// The record type `contacts`.
    #[must_use]
    pub fn contacts() -> Self {
        let types = CONTACT_TYPES.map(str::to_owned).to_vec();
        let mut contacts = Self::new("contacts")
            .with_field("name", FieldType::Text)
            .with_field("email", FieldType::Email)
            .with_field("phone", FieldType::Phone)
            .with_field("contact", FieldType::Choice(types))
            .with_field("created_at", FieldType::DateTime)
            .with_field("updated_at", FieldType::DateTime);
        contacts.routing_field = Some("contact".to_owned());
        contacts
    }

    /// The type of `field`.
    #[must_use]
    pub fn field(&self, field: &str) -> Option<&FieldType> {
        self.fields.iter().find(|(name, _)| name == field).map(|(_, field_type)| field_type)
    }
}

/// Schemas by record type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schemas(BTreeMap<String, Schema>);

impl Default for Schemas {
    /// The record types that ship built in.
    fn default() -> Self {
        Self::from([Schema::contacts()])
    }
}

impl<const N: usize> From<[Schema; N]> for Schemas {
    fn from(schemas: [Schema; N]) -> Self {
        Self(schemas.into_iter().map(|schema| (schema.record_type.clone(), schema)).collect())
    }
}

impl Schemas {
    /// Adds a record type, in place of one of the same name.
    pub fn insert(&mut self, schema: Schema) {
        self.0.insert(schema.record_type.clone(), schema);
    }

    /// The schema of `record_type`.
    #[must_use]
    pub fn get(&self, record_type: &str) -> Option<&Schema> {
        self.0.get(record_type)
    }

    /// Every schema, by record type.
    pub fn iter(&self) -> impl Iterator<Item = &Schema> {
        self.0.values()
    }
}
