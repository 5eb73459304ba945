//! One generated event, as it stands on the wire.
//!
//! Promises: `to_json` is the bare form of an internal change event, its keys in the documented order; what an event
//! does not say is absent, never null.
//! Leaves to others: which event comes next (`stream`), what its values are (`person`), reading it back.

use serde::Serialize;

/// What an event does to its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// The item is a snapshot.
    Create,
    /// The item is a patch.
    Update,
    /// The item is the id alone.
    Delete,
}

impl Operation {
    /// The names on the wire and in the settings: create, update, delete.
    pub const NAMES: [&'static str; 3] = ["create", "update", "delete"];

    /// All operations in the order of [`Operation::NAMES`].
    pub const ALL: [Self; 3] = [Self::Create, Self::Update, Self::Delete];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// An internal change event in its bare form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GeneratedEvent {
    /// The plural record type: `contacts`.
    pub record: &'static str,
    /// What happens to the record.
    pub operation: Operation,
    /// When, in UTC without a zone, with six digits of fraction.
    pub timestamp: String,
    /// The snapshot, patch or bare id.
    pub item: GeneratedItem,
}

/// What an event says of its contact.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct GeneratedItem {
    /// The contact's id, such as `A000001`.
    pub id: String,
    /// Full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// E-mail address, unique over the whole stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Phone number with country code, in groups joined by hyphens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The contact type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<&'static str>,
    /// When the record was created; on a create.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When the record was last changed; on a create and an update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
}

impl GeneratedEvent {
    /// The event as one line of JSON, without a line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("text under fixed names is always JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_form_is_exact() {
        let event = GeneratedEvent {
            record: "contacts",
            operation: Operation::Create,
            timestamp: "2024-01-15T10:30:00.123456".to_owned(),
            item: GeneratedItem {
                id: "A1234".to_owned(),
                name: Some("Alice \"Al\" Smith".to_owned()),
                email: Some("alice.smith@example.com".to_owned()),
                phone: Some("+1-555-123-4567".to_owned()),
                contact: Some("lead"),
                created_at: Some("2024-01-15T10:30:00.123456".to_owned()),
                updated_at: Some("2024-01-15T10:30:00.123456".to_owned()),
            },
        };
        assert_eq!(
            event.to_json(),
            "{\"record\":\"contacts\",\"operation\":\"create\",\"timestamp\":\"2024-01-15T10:30:00.123456\",\"item\":{\
             \"id\":\"A1234\",\"name\":\"Alice \\\"Al\\\" Smith\",\"email\":\"alice.smith@example.com\",\
             \"phone\":\"+1-555-123-4567\",\"contact\":\"lead\",\"created_at\":\"2024-01-15T10:30:00.123456\",\
             \"updated_at\":\"2024-01-15T10:30:00.123456\"}}"
        );
        let delete = GeneratedEvent {
            operation: Operation::Delete,
            item: GeneratedItem { id: "A1234".to_owned(), ..GeneratedItem::default() },
            ..event
        };
        assert!(delete.to_json().ends_with("\"item\":{\"id\":\"A1234\"}}"));
    }

    #[test]
    fn names_and_operations_pair_up() {
        assert_eq!(Operation::ALL.map(Operation::name), Operation::NAMES);
    }
}
