//! Why an event was refused.
//!
//! Promises: a stable code, a JSON pointer to the place, a sentence and a remedy; no field value in any of them, only names,
//! kinds, lengths and offsets.
//! Leaves to others: telling it (the caller's answer, the dead letter).

use crate::outcome::Rejection;
use crate::schema::ValueFault;

/// How much of a name that somebody sent is shown.
const NAME_CHARS_SHOWN: usize = 64;

/// Every word that stands in `Invalid::code`.
pub const INVALID_WORDS: [&str; 15] = [
    "invalid_json", "duplicate_key", "too_deep", "too_long", "too_many_keys", "unknown_record_type", "unknown_operation",
    "unknown_field", "missing_field", "wrong_type", "invalid_value", "bad_timestamp", "unknown_specversion", "bad_attribute",
    "unsupported_data",
];

/// Why an event was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}; {remedy}", .pointer.is_empty().then(String::new).unwrap_or_else(|| format!("{pointer}: ")))]
pub struct Invalid {
    /// `invalid_json`, `duplicate_key`, `too_deep`, `too_long`, `too_many_keys`, `unknown_record_type`, `unknown_operation`,
    /// `unknown_field`, `missing_field`, `wrong_type`, `invalid_value` or `bad_timestamp`; of a CloudEvent also `unknown_specversion`, `bad_attribute` and
    /// `unsupported_data`.
    pub code: &'static str,
    /// The place as a JSON pointer; empty for the event as a whole.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl Invalid {
    pub(super) fn new(
        code: &'static str,
        pointer: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        debug_assert!(INVALID_WORDS.contains(&code), "{code} is no word that the registry knows");
        Self { code, pointer: pointer.into(), message: message.into(), remedy: remedy.into() }
    }

    pub(super) fn missing(pointer: &str, what: &str) -> Self {
        Self::new("missing_field", pointer, "is missing", format!("send {what}"))
    }

    pub(super) fn duplicate(parent: &str, name: &str) -> Self {
        Self::new("duplicate_key", pointer(parent, name), "stands here more than once", "send each key once")
    }

    pub(super) fn unknown_field(parent: &str, name: &str, record_type: &str) -> Self {
        let remedy = format!("leave it out, or add it to the fields of {record_type} in the configuration");
        Self::new("unknown_field", pointer(parent, name), format!("is no field of {record_type}"), remedy)
    }

    pub(super) fn value(pointer: &str, fault: ValueFault) -> Self {
        Self::new(fault.code, pointer, fault.message, fault.remedy)
    }
}

impl From<Invalid> for Rejection {
    fn from(invalid: Invalid) -> Self {
        Self {
            code: invalid.code.to_owned(),
            field: Some(invalid.pointer).filter(|pointer| !pointer.is_empty()),
            message: invalid.message,
            remedy: invalid.remedy,
        }
    }
}

/// The JSON pointer of `name` below `parent`; a long name is cut and control characters are escaped, as this is to be shown.
pub(super) fn pointer(parent: &str, name: &str) -> String {
    let shown: String =
        name.chars().take(NAME_CHARS_SHOWN).flat_map(|c| c.is_control().then_some('\u{fffd}').or(Some(c))).collect();
    let cut = if name.chars().nth(NAME_CHARS_SHOWN).is_some() { "…" } else { "" };
    format!("{parent}/{}{cut}", shown.replace('~', "~0").replace('/', "~1"))
}
