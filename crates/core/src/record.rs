//! A record: typed, validated fields under a key.
//!
//! Promises: an absent field and a null field of a live record are the same thing; numbers keep their decimal text.
//! Leaves to others: which fields there are (`schema`), how a change alters them (`patch`, `intake`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::version::{Generation, Version};

/// One field's value in canonical internal form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Text; also e-mails, phones, dates, times and choices, each in its field type's canonical form.
    Text(String),
    /// True or false.
    Bool(bool),
    /// A number as exact decimal text.
    Number {
        /// The decimal text, never rounded.
        number: String,
    },
}

impl Value {
    /// Text from anything that is text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The text of a text value.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bool(_) | Self::Number { .. } => None,
        }
    }

    /// What kind of value this is, for messages that must not show the value itself.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Bool(_) => "boolean",
            Self::Number { .. } => "number",
        }
    }
}

/// A field's name.
pub type FieldName = String;

/// The set fields of a live record; a missing name is null.
pub type Fields = BTreeMap<FieldName, Value>;

/// What is known of one record of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The record type's name, plural (`contacts`).
    pub record_type: String,
    /// The key within the record type (the event's `item.id`).
    pub key: String,
    /// Live or deleted.
    pub state: RecordState,
    /// Counts delete-and-recreate; the first life is 1.
    pub generation: Generation,
    /// The newest version folded in.
    pub version: Version,
    /// A field's own version order, only where it is newer than the record's (a stale patch costs no field).
    pub field_orders: BTreeMap<FieldName, i64>,
    /// Fields; a tombstone keeps only the routing field.
    pub fields: Fields,
}

/// Whether a record of ours exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordState {
    /// It exists.
    Live,
    /// It was deleted; the row is its tombstone.
    Deleted,
}
