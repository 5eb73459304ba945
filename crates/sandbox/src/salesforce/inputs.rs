//! What a write names, input by input, and the same write with some of its inputs only.
//!
//! Promises: ids are given in their 18 character form, keys as they stand; a read has no inputs.
//! Leaves to others: which inputs are to be kept (the fault rules around the emulator).

use serde_json::{Map, Value};

use super::ids;
use super::record::{Batch, Record};
use super::route::{Resource, Route};
use crate::exchange::Request;

/// External keys and record ids of each input, in input order.
pub(super) fn names(request: &Request, key: &str) -> Vec<Vec<String>> {
    let route = Route::of(request);
    let body = || serde_json::from_slice::<Record<'_>>(&request.body).unwrap_or_default();
    let method = route.method.as_str();
    match &route.resource {
        Resource::Object(_) if method == "POST" => vec![of_record(&body(), &[key])],
        Resource::Row { id, .. } if method == "POST" && id == "Id" => vec![of_record(&body(), &[key])],
        Resource::Row { id, .. } if method == "PATCH" => {
            vec![once(ids::read(id).unwrap_or_else(|| id.clone())).chain(of_record(&body(), &[key])).collect()]
        }
        Resource::Row { id, .. } if method == "DELETE" => vec![vec![ids::read(id).unwrap_or_else(|| id.clone())]],
        Resource::Key { field, value, .. } if method == "PATCH" => {
            let others = if field.eq_ignore_ascii_case(key) { Vec::new() } else { of_record(&body(), &[key]) };
            vec![once(value.clone()).chain(others).collect()]
        }
        Resource::Collection if method == "DELETE" => {
            deleted(request).into_iter().map(|id| vec![ids::read(id).unwrap_or_else(|| id.to_owned())]).collect()
        }
        Resource::Collection if matches!(method, "POST" | "PATCH") => of_records(request, &[key, "Id"]),
        Resource::CollectionKey { field, .. } if field.eq_ignore_ascii_case(key) => of_records(request, &[key, "Id"]),
        Resource::CollectionKey { field, .. } => of_records(request, &[key, "Id", field]),
        Resource::Outside(_)
        | Resource::Versions
        | Resource::Root
        | Resource::Limits { .. }
        | Resource::Objects
        | Resource::Object(_)
        | Resource::Describe(_)
        | Resource::Row { .. }
        | Resource::Key { .. }
        | Resource::Collection
        | Resource::CollectionOf(_)
        | Resource::Query { .. }
        | Resource::QueryPage(_)
        | Resource::CustomField
        | Resource::Composite
        | Resource::Batch
        | Resource::Tree(_)
        | Resource::Updated(_)
        | Resource::Deleted(_)
        | Resource::Recent
        | Resource::Search { .. }
        | Resource::Jobs { .. }
        | Resource::Job { .. }
        | Resource::JobData(_)
        | Resource::JobResults { .. }
        | Resource::JobFound(_)
        | Resource::Unknown => Vec::new(),
    }
}

/// The request with the kept inputs only; None if none is left.
pub(super) fn subset(request: &Request, keep: &dyn Fn(usize) -> bool) -> Option<Request> {
    let route = Route::of(request);
    let mut smaller = request.clone();
    match (&route.resource, route.method.as_str()) {
        (Resource::Collection, "DELETE") => {
            let ids: Vec<&str> = deleted(request).into_iter().enumerate().filter(|(index, _)| keep(*index)).map(|(_, id)| id).collect();
            let pair = smaller.query.iter_mut().find(|(name, _)| name == "ids").filter(|_| !ids.is_empty())?;
            pair.1 = ids.join(",");
            Some(smaller)
        }
        (Resource::Collection, "POST" | "PATCH") | (Resource::CollectionKey { .. }, _) => {
            let mut body: Map<String, Value> = serde_json::from_slice(&request.body).ok()?;
            let records = body.get_mut("records")?.as_array_mut()?;
            let mut index = 0;
            records.retain(|_| {
                index += 1;
                keep(index - 1)
            });
            if records.is_empty() {
                return None;
            }
            smaller.body = Value::Object(body).to_string().into_bytes();
            Some(smaller)
        }
        _ => (!names(request, "").is_empty() && keep(0)).then_some(smaller),
    }
}

fn once(text: String) -> std::iter::Once<String> {
    std::iter::once(text)
}

fn deleted(request: &Request) -> Vec<&str> {
    request.query_value("ids").unwrap_or("").split(',').map(str::trim).filter(|id| !id.is_empty()).collect()
}

fn of_records(request: &Request, fields: &[&str]) -> Vec<Vec<String>> {
    let batch = serde_json::from_slice::<Batch<'_>>(&request.body);
    batch.map_or_else(|_| Vec::new(), |batch| batch.records.iter().map(|record| of_record(record, fields)).collect())
}

fn of_record(record: &Record<'_>, fields: &[&str]) -> Vec<String> {
    let value = |name: &&str| {
        let text = record.text(name)?;
        Some(if *name == "Id" { ids::read(text).unwrap_or_else(|| text.to_owned()) } else { text.to_owned() })
    };
    fields.iter().filter_map(value).collect()
}
