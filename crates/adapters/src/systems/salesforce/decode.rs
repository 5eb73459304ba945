//! What Salesforce answered, item by item.
//!
//! Promises: pure and never panics; results cover items by position, and if their number or an id does not fit, by none:
//! every item is then Unknown. A row that says that it was not saved is never Unknown. A missing record is one for which
//! Salesforce says null (by id) or leaves out of a complete answer (by key).
//! Leaves to others: what a code means (`errors`).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use syncline_core::attempt::Operation;
use syncline_core::dispatch::batch::{Batch, ReadBatch, ReadBy};
use syncline_core::outcome::{ExternalFields, Found, Outcome, Verdict};
use syncline_engine::ports::writer::{Answer, ReadAnswer};

use super::{errors, limits};
use crate::systems::answers;
use crate::transport::HttpResponse;

#[derive(Deserialize)]
struct SaveResult {
    #[serde(default)]
    id: Option<String>,
    success: bool,
    #[serde(default)]
    errors: Vec<errors::ErrorEntry>,
    #[serde(default)]
    created: Option<bool>,
}

/// The answer to a write.
#[must_use]
pub fn write(batch: &Batch, response: &HttpResponse) -> Answer {
    let items = batch.items.len();
    let mut verdict = limits::verdict(response);
    if !(200..300).contains(&response.status) {
        return errors::whole(response).into_answer(items, verdict);
    }
    let results = match answers::json::<Vec<SaveResult>>(response) {
        Ok(results) => results,
        Err(why) => return answers::uniform(items, &Outcome::Unknown { why }, verdict),
    };
    if let Some(why) = misfit(batch, &results) {
        return answers::uniform(items, &Outcome::Unknown { why }, verdict);
    }
    let outcomes = results.into_iter().map(|result| outcome(batch.operation, result, &mut verdict)).collect();
    Answer { outcomes, verdict }
}

/// Why the results cannot be those of the items, if they cannot.
fn misfit(batch: &Batch, results: &[SaveResult]) -> Option<String> {
    if results.len() != batch.items.len() {
        return Some(format!("{} results for {} items", results.len(), batch.items.len()));
    }
    let mut seen = BTreeSet::new();
    for (item, result) in batch.items.iter().zip(results) {
        let Some(id) = result.id.as_deref().filter(|_| result.success) else { continue };
        let Some(long) = long_id(id) else { return Some("a result with an unreadable id".to_owned()) };
        if item.external_id.as_deref().is_some_and(|known| long_id(known).as_ref() != Some(&long)) {
            return Some("a result with the id of another record".to_owned());
        }
        if !seen.insert(long) {
            return Some("two results with one id".to_owned());
        }
    }
    None
}

fn outcome(operation: Operation, result: SaveResult, verdict: &mut Verdict) -> Outcome {
    if !result.success {
        return match errors::row(operation, &result.errors) {
            Some(refusal) => refusal.into_outcome(verdict),
            None => Outcome::Retry { code: "refused without a code".to_owned(), after: None },
        };
    }
    match result.id.as_deref().and_then(long_id) {
        Some(external_id) => Outcome::Written { external_id, existed: result.created == Some(false), returned: None },
        None => Outcome::Unknown { why: "a success without an id".to_owned() },
    }
}

#[derive(Deserialize)]
struct QueryResult {
    #[serde(rename = "totalSize")]
    total: u64,
    done: bool,
    #[serde(default)]
    records: Vec<BTreeMap<String, Value>>,
}

/// The answer to a read.
#[must_use]
pub fn read(batch: &ReadBatch, response: &HttpResponse) -> ReadAnswer {
    let verdict = limits::verdict(response);
    if !(200..300).contains(&response.status) {
        return errors::whole(response).into_read_answer(verdict);
    }
    let found = match batch.by {
        ReadBy::Id => answers::json::<Vec<Option<BTreeMap<String, Value>>>>(response).and_then(|rows| by_id(batch, rows)),
        ReadBy::Key => answers::json::<QueryResult>(response).and_then(|result| by_key(batch, result)),
    };
    ReadAnswer { found, verdict }
}

fn by_id(batch: &ReadBatch, rows: Vec<Option<BTreeMap<String, Value>>>) -> Result<Vec<Option<Found>>, String> {
    if rows.len() != batch.names.len() {
        return Err(format!("{} rows for {} ids", rows.len(), batch.names.len()));
    }
    let row = |(name, row): (&String, Option<BTreeMap<String, Value>>)| {
        let Some(row) = row else { return Ok(None) };
        let found = found(batch, &row)?;
        if long_id(name).as_ref() == Some(&found.external_id) {
            Ok(Some(found))
        } else {
            Err("a row with the id of another record".to_owned())
        }
    };
    batch.names.iter().zip(rows).map(row).collect()
}

fn by_key(batch: &ReadBatch, result: QueryResult) -> Result<Vec<Option<Found>>, String> {
    if !result.done || result.total != result.records.len() as u64 {
        return Err(format!("{} of {} rows", result.records.len(), result.total));
    }
    let mut bearing: BTreeMap<String, Found> = BTreeMap::new();
    for row in &result.records {
        let key = field(row, &batch.key_field).and_then(answers::text_of).ok_or_else(|| "a row without its key".to_owned())?;
        if bearing.insert(key, found(batch, row)?).is_some() {
            return Err("two records with one key: mark the key field Unique".to_owned());
        }
    }
    Ok(batch.names.iter().map(|name| bearing.get(name).cloned()).collect())
}

fn found(batch: &ReadBatch, row: &BTreeMap<String, Value>) -> Result<Found, String> {
    let id = field(row, "Id").and_then(Value::as_str).and_then(long_id).ok_or_else(|| "a row without an id".to_owned())?;
    let mut fields = ExternalFields::new();
    for name in &batch.fields {
        let value = field(row, name).ok_or_else(|| format!("a row without {name}"))?;
        fields.insert(name.clone(), answers::text_of(value));
    }
    Ok(Found { external_id: id, fields })
}

/// A value by its field's name, whose case Salesforce may change.
fn field<'a>(row: &'a BTreeMap<String, Value>, name: &str) -> Option<&'a Value> {
    row.get(name).or_else(|| row.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// The answer to a count.
///
/// # Errors
/// What was seen instead.
pub fn count(response: &HttpResponse) -> Result<u64, String> {
    answers::json::<QueryResult>(response).map(|result| result.total)
}

/// The versions that are served.
///
/// # Errors
/// What was seen instead.
pub fn versions(response: &HttpResponse) -> Result<Vec<String>, String> {
    #[derive(Deserialize)]
    struct Served {
        version: String,
    }
    Ok(answers::json::<Vec<Served>>(response)?.into_iter().map(|served| served.version).collect())
}

/// A record id in its form of 18 characters; None for what is no id.
#[must_use]
pub fn long_id(id: &str) -> Option<String> {
    const CHECKS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    if !matches!(id.len(), 15 | 18) || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let mut long = id.to_owned();
    if id.len() == 18 {
        return Some(long);
    }
    for group in id.as_bytes().chunks(5) {
        let bits =
            group.iter().enumerate().filter(|(_, b)| b.is_ascii_uppercase()).fold(0usize, |bits, (place, _)| bits | 1 << place);
        long.push(char::from(CHECKS[bits]));
    }
    Some(long)
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
