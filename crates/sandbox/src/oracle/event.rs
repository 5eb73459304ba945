//! Reads one line as an event, or does not.
//!
//! Promises: absent, null and empty stay apart until they are folded; a line counts as an event if and only if it is a
//! JSON object for the record type `contacts` with a known operation, an item with a non-empty text id, and text or
//! null (of a known contact type) in each field that matters. Other keys are not looked at.
//! Leaves to others: order and staleness (`fold`).

use serde_json::{Map, Value};

use super::place::CONTACT_TYPES;

/// The fields that reach a CRM or decide where to; the position is the field's slot.
pub(super) const FIELDS: [&str; 4] = ["name", "email", "phone", "contact"];

/// What an event does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Create,
    Update,
    Delete,
}

/// What an event says of each slot: nothing, null (or empty), or a value.
pub(super) type Said = [Option<Option<String>>; FIELDS.len()];

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) operation: Operation,
    pub(super) id: String,
    /// Nanoseconds; the same for all events where position is the order.
    pub(super) stamp: i128,
    pub(super) said: Said,
}

impl Event {
    /// None for a line that is no event. With `stamped` the timestamp must be readable.
    pub(super) fn parse(line: &[u8], stamped: bool) -> Option<Self> {
        let line: Value = serde_json::from_slice(line).ok()?;
        if line.get("record")?.as_str()? != "contacts" {
            return None;
        }
        let operation = match line.get("operation")?.as_str()? {
            "create" => Operation::Create,
            "update" => Operation::Update,
            "delete" => Operation::Delete,
            _ => return None,
        };
        let stamp = if stamped { stamp(line.get("timestamp")?.as_str()?)? } else { 0 };
        let item = line.get("item")?.as_object()?;
        let id = item.get("id")?.as_str().filter(|id| !id.trim().is_empty())?.to_owned();
        Some(Self { operation, id, stamp, said: said(item)? })
    }
}

fn said(item: &Map<String, Value>) -> Option<Said> {
    let mut said = Said::default();
    for (slot, name) in said.iter_mut().zip(FIELDS) {
        *slot = match item.get(name) {
            None => None,
            Some(Value::Null) => Some(None),
            Some(value) => {
                let text = value.as_str()?;
                Some((!text.trim().is_empty()).then(|| text.to_owned()))
            }
        };
    }
    match &said[3] {
        Some(Some(contact)) if !CONTACT_TYPES.contains(&contact.as_str()) => None,
        _ => Some(said),
    }
}

/// RFC 3339, or the same without a zone, which is then UTC.
fn stamp(text: &str) -> Option<i128> {
    let with_zone = text.parse::<jiff::Timestamp>();
    let time = with_zone.or_else(|_| {
        let civil: jiff::civil::DateTime = text.parse()?;
        jiff::tz::Offset::UTC.to_timestamp(civil)
    });
    Some(time.ok()?.as_nanosecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_null_empty_and_text_are_told_apart() {
        let line = br#"{"record":"contacts","operation":"update","item":{"id":"A1","email":null,"phone":"","contact":"lead"}}"#;
        let event = Event::parse(line, false).expect("an event");
        assert_eq!(event.said, [None, Some(None), Some(None), Some(Some("lead".to_owned()))]);
    }

    #[test]
    fn what_is_no_event_is_none() {
        for line in [
            "",
            "not json",
            "[]",
            r#"{"operation":"delete","item":{"id":"A1"}}"#,
            r#"{"record":"companies","operation":"delete","item":{"id":"A1"}}"#,
            r#"{"record":"contacts","operation":"erase","item":{"id":"A1"}}"#,
            r#"{"record":"contacts","operation":"delete","item":{}}"#,
            r#"{"record":"contacts","operation":"delete","item":{"id":" "}}"#,
            r#"{"record":"contacts","operation":"delete","item":{"id":7}}"#,
            r#"{"record":"contacts","operation":"create","item":{"id":"A1","name":7}}"#,
            r#"{"record":"contacts","operation":"create","item":{"id":"A1","contact":"alien"}}"#,
            r#"{"record":"contacts","operation":"delete","item":{"id":"A1"}} {}"#,
        ] {
            assert_eq!(Event::parse(line.as_bytes(), false), None, "{line}");
        }
        let unstamped = br#"{"record":"contacts","operation":"delete","item":{"id":"A1"}}"#;
        assert!(Event::parse(unstamped, false).is_some());
        assert_eq!(Event::parse(unstamped, true), None);
    }

    #[test]
    fn stamps_with_and_without_a_zone_compare() {
        assert_eq!(stamp("2024-01-15T10:30:00.123456"), stamp("2024-01-15T11:30:00.123456+01:00"));
        assert!(stamp("2024-01-15T10:30:00.000000001") > stamp("2024-01-15T10:30:00Z"));
        assert_eq!(stamp("yesterday"), None);
    }
}
