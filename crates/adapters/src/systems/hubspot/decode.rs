//! What HubSpot answered, item by item.
//!
//! Promises: pure and never panics; writes are matched by trace id in any order, results without one of ours are ignored and
//! what nothing covers is Unknown; an archive's 204 covers all. In a read a record is missing only if HubSpot says so: what it
//! leaves out without a word makes the whole read say nothing.
//! Leaves to others: what a category or code means (`errors`).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use syncline_core::attempt::Operation;
use syncline_core::dispatch::batch::{Batch, Item, ReadBatch, ReadBy};
use syncline_core::outcome::{ExternalFields, Found, Outcome, Verdict};
use syncline_engine::ports::writer::{Answer, ReadAnswer};

use super::encode::MERGED_IDS;
use super::errors::{self, ErrorEntry};
use super::limits;
use crate::systems::answers;
use crate::systems::refusals::Class;
use crate::transport::HttpResponse;

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    results: Option<Vec<Row>>,
    #[serde(default)]
    errors: Option<Vec<ErrorEntry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: Value,
    #[serde(default)]
    properties: BTreeMap<String, Value>,
    #[serde(default)]
    new: Option<bool>,
    #[serde(default)]
    object_write_trace_id: Option<String>,
}

/// The answer to a write.
#[must_use]
pub fn write(batch: &Batch, response: &HttpResponse) -> Answer {
    let items = batch.items.len();
    let verdict = limits::verdict(response);
    if !(200..300).contains(&response.status) {
        return refused(batch, errors::whole(response), verdict);
    }
    if batch.operation == Operation::Delete && response.status == 204 {
        let gone = |item: &Item| Outcome::Written {
            external_id: item.external_id.clone().unwrap_or_default(),
            existed: false,
            returned: None,
        };
        return Answer { outcomes: batch.items.iter().map(gone).collect(), verdict };
    }
    match answers::json::<Envelope>(response) {
        Ok(envelope) => partial(batch, envelope, verdict),
        Err(why) => answers::uniform(items, &Outcome::Unknown { why }, verdict),
    }
}

/// The whole request was refused: nothing was written. A row that is named bears the blame alone.
fn refused(batch: &Batch, whole: errors::Whole, mut verdict: Verdict) -> Answer {
    let at_fault =
        whole.record.and_then(|id| batch.items.iter().position(|item| item.external_id.as_deref() == Some(id.as_str())));
    let Some(index) = at_fault else {
        return whole.refusal.into_answer(batch.items.len(), verdict);
    };
    let others = Outcome::NotSent { why: "refused together with another record".to_owned() };
    let mut outcomes = vec![others; batch.items.len()];
    outcomes[index] = whole.refusal.into_outcome(&mut verdict);
    Answer { outcomes, verdict }
}

/// Outcomes as they come in; a second one for an item makes both worthless.
struct Cover {
    outcomes: Vec<Option<Outcome>>,
}

impl Cover {
    fn put(&mut self, index: usize, outcome: Outcome) {
        if let Some(place) = self.outcomes.get_mut(index) {
            *place = Some(match place {
                None => outcome,
                Some(_) => Outcome::Unknown { why: "answered twice".to_owned() },
            });
        }
    }
}

fn partial(batch: &Batch, envelope: Envelope, mut verdict: Verdict) -> Answer {
    let traces: BTreeMap<String, usize> =
        batch.items.iter().enumerate().map(|(index, item)| (item.attempt.to_string(), index)).collect();
    let ids: BTreeMap<&str, usize> =
        batch.items.iter().enumerate().filter_map(|(index, item)| Some((item.external_id.as_deref()?, index))).collect();
    let mut cover = Cover { outcomes: vec![None; batch.items.len()] };
    let mut holders: BTreeMap<String, usize> = BTreeMap::new();
    // An archive's results, should there be any, are not documented and prove nothing.
    let rows = if batch.operation == Operation::Delete { Vec::new() } else { envelope.results.unwrap_or_default() };
    for row in rows {
        let Some(&index) = row.object_write_trace_id.as_ref().and_then(|trace| traces.get(trace)) else { continue };
        let outcome = written(batch, &batch.items[index], row);
        if let Outcome::Written { external_id, .. } = &outcome
            && let Some(other) = holders.insert(external_id.clone(), index)
        {
            cover.put(other, outcome.clone());
            cover.put(index, Outcome::Unknown { why: "two results with one id".to_owned() });
            continue;
        }
        cover.put(index, outcome);
    }
    for error in envelope.errors.unwrap_or_default() {
        let mut named: Vec<usize> =
            error.listed("objectWriteTraceId").iter().filter_map(|trace| traces.get(trace).copied()).collect();
        if named.is_empty() {
            named.extend(error.listed("ids").iter().filter_map(|id| ids.get(id.as_str()).copied()));
        }
        named.sort_unstable();
        named.dedup();
        let mut refusal = errors::row(batch.operation, &error);
        if named.len() > 1 {
            refusal.by = None;
        }
        for index in named {
            cover.put(index, refusal.clone().into_outcome(&mut verdict));
        }
    }
    let uncovered = || Outcome::Unknown { why: "the answer does not cover it".to_owned() };
    Answer { outcomes: cover.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(uncovered)).collect(), verdict }
}

fn written(batch: &Batch, item: &Item, row: Row) -> Outcome {
    let unknown = |why: &str| Outcome::Unknown { why: why.to_owned() };
    let Some(external_id) = answers::text_of(&row.id).filter(|id| errors::is_id(id)) else {
        return unknown("a result with an unreadable id");
    };
    if item.external_id.as_ref().is_some_and(|known| *known != external_id) {
        return unknown("a result with the id of another record");
    }
    let key = row.properties.get(&batch.key_field).and_then(answers::text_of);
    if batch.operation == Operation::Create && key.is_some_and(|key| key != item.key) {
        return unknown("a result with the key of another record");
    }
    let returned =
        item.fields.keys().filter_map(|name| Some((name.clone(), answers::text_of(row.properties.get(name)?)))).collect();
    let existed = batch.operation == Operation::Create && row.new == Some(false);
    Outcome::Written { external_id, existed, returned: Some(returned) }
}

/// The answer to a read.
#[must_use]
pub fn read(batch: &ReadBatch, response: &HttpResponse) -> ReadAnswer {
    let verdict = limits::verdict(response);
    if !(200..300).contains(&response.status) {
        return errors::whole(response).refusal.into_read_answer(verdict);
    }
    ReadAnswer { found: answers::json::<Envelope>(response).and_then(|envelope| match_names(batch, envelope)), verdict }
}

fn match_names(batch: &ReadBatch, envelope: Envelope) -> Result<Vec<Option<Found>>, String> {
    let mut known: BTreeMap<String, Option<Found>> = BTreeMap::new();
    for error in envelope.errors.unwrap_or_default() {
        if errors::row(Operation::Update, &error).class == Class::Gone {
            known.extend(error.listed("ids").into_iter().map(|name| (name, None)));
        }
    }
    for row in envelope.results.unwrap_or_default() {
        let found = found(batch, &row)?;
        let names = match batch.by {
            ReadBy::Id => {
                let merged = row.properties.get(MERGED_IDS).and_then(answers::text_of).unwrap_or_default();
                let swallowed = merged.split(';').map(|id| id.trim().to_owned());
                swallowed.chain([found.external_id.clone()]).collect()
            }
            ReadBy::Key => {
                vec![row.properties.get(&batch.key_field).and_then(answers::text_of).ok_or("a record without its key")?]
            }
        };
        for name in names {
            // A record under its own id tells more of it than another that swallowed that id.
            let own = name == found.external_id || batch.by == ReadBy::Key;
            if own || !known.get(&name).is_some_and(Option::is_some) {
                known.insert(name, Some(found.clone()));
            }
        }
    }
    let left_out = batch.names.iter().filter(|name| !known.contains_key(*name)).count();
    if left_out > 0 {
        return Err(format!("the answer leaves {left_out} of {} records out", batch.names.len()));
    }
    Ok(batch.names.iter().map(|name| known.get(name).cloned().flatten()).collect())
}

fn found(batch: &ReadBatch, row: &Row) -> Result<Found, String> {
    let external_id = answers::text_of(&row.id).filter(|id| errors::is_id(id)).ok_or("a record with an unreadable id")?;
    let mut fields = ExternalFields::new();
    for name in &batch.fields {
        let value = row.properties.get(name).ok_or_else(|| format!("a record without {name}"))?;
        fields.insert(name.clone(), answers::text_of(value));
    }
    Ok(Found { external_id, fields })
}

/// The answer to a count.
///
/// # Errors
/// What was seen instead.
pub fn count(response: &HttpResponse) -> Result<u64, String> {
    #[derive(Deserialize)]
    struct Total {
        total: u64,
    }
    answers::json::<Total>(response).map(|found| found.total)
}

/// The account behind a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// Its id.
    pub portal: String,
    /// Its time zone.
    pub zone: String,
}

/// The account's details.
///
/// # Errors
/// What was seen instead.
pub fn account(response: &HttpResponse) -> Result<Details, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Account {
        portal_id: Value,
        #[serde(default)]
        time_zone: Option<String>,
    }
    let account: Account = answers::json(response)?;
    let portal = answers::text_of(&account.portal_id).filter(|id| errors::is_id(id)).ok_or("no readable portalId")?;
    Ok(Details { portal, zone: account.time_zone.unwrap_or_else(|| "UTC".to_owned()) })
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
