//! The envelope of batch results, whole and partial.
//!
//! Promises: results never follow the order of the inputs; `numErrors` counts entries, not inputs, and all missing ids share
//! one entry; entries carry the trace ids of their inputs and, as on the wire, no list of details.
//! Leaves to others: which rows failed (`batch`).

use std::collections::BTreeMap;

use serde::Serialize;

use super::answer::{Answer, Outcome};
use super::render::Record;
use super::stamp;
use super::write::RowError;
use crate::exchange::Millis;

/// One entry of `errors` in a 207.
#[derive(Debug, Serialize)]
struct Entry {
    status: &'static str,
    category: &'static str,
    message: String,
    context: BTreeMap<&'static str, Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    status: &'static str,
    results: Vec<Record<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_errors: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Entry>,
    started_at: String,
    completed_at: String,
}

/// A row that failed, with its trace id.
pub(super) type Failed = (Option<String>, RowError);

/// A place in the answer for a contact: fixed, but unlike the order of the inputs.
pub(super) fn place(id: u64) -> u64 {
    id.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
}

/// The answer for the rows that worked and those that did not.
pub(super) fn answer(status: u16, results: Vec<Record<'_>>, failed: Vec<Failed>, portal_id: u64, now: Millis) -> Outcome {
    let errors = entries(failed, portal_id);
    let envelope = Envelope {
        status: "COMPLETE",
        results,
        num_errors: (!errors.is_empty()).then_some(errors.len()),
        started_at: stamp::iso(now),
        completed_at: stamp::iso(now),
        errors,
    };
    let bytes = 1024 * (1 + envelope.results.len());
    Answer::json_of_about(bytes, if envelope.errors.is_empty() { status } else { 207 }, &envelope)
}

fn entries(failed: Vec<Failed>, portal_id: u64) -> Vec<Entry> {
    let mut missing: BTreeMap<&'static str, Entry> = BTreeMap::new();
    let mut entries = Vec::new();
    for (trace_id, error) in failed {
        let message = error.message(portal_id);
        let category = match &error {
            RowError::Invalid(_) | RowError::Clash(_) => "VALIDATION_ERROR",
            RowError::Conflict(_) => "CONFLICT",
            RowError::MissingId(_) | RowError::MissingKey(_) | RowError::MergedAway => "OBJECT_NOT_FOUND",
        };
        let fresh = Entry { status: "error", category, message, context: BTreeMap::new() };
        let (key, value) = match error {
            RowError::MissingId(id) => ("ids", id),
            RowError::MissingKey(key) => ("missingObjectPropertyValueCoordinates", key),
            RowError::Conflict(existing) => {
                entries.push(with(fresh, trace_id, Some(("existingId", existing.to_string()))));
                continue;
            }
            RowError::Invalid(_) | RowError::Clash(_) | RowError::MergedAway => {
                entries.push(with(fresh, trace_id, None));
                continue;
            }
        };
        let entry = missing.remove(key).unwrap_or(fresh);
        missing.insert(key, with(entry, trace_id, Some((key, value))));
    }
    entries.extend(missing.into_values());
    entries
}

fn with(mut entry: Entry, trace_id: Option<String>, extra: Option<(&'static str, String)>) -> Entry {
    if let Some(trace_id) = trace_id {
        entry.context.entry("objectWriteTraceId").or_default().push(trace_id);
    }
    if let Some((key, value)) = extra {
        entry.context.entry(key).or_default().push(value);
    }
    entry
}
