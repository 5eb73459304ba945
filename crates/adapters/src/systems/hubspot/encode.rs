//! What HubSpot is asked, as bytes.
//!
//! Promises: pure; one call per batch; every input that can bear a trace id bears its attempt's number; null goes out as an
//! empty text, which is HubSpot's way to clear. A version changes nothing but the path.
//! Leaves to others: addresses, tokens and time (`client`), reading the answer (`decode`).

use std::collections::BTreeMap;

use serde::Serialize;
use syncline_core::attempt::Operation;
use syncline_core::dispatch::batch::{Batch, Item, ReadBatch, ReadBy};

use crate::systems::answers::Unsendable;
use crate::transport::{Call, Method};

/// The property that lists the ids that a record has swallowed.
pub const MERGED_IDS: &str = "hs_merged_object_ids";

#[derive(Serialize)]
struct Inputs<T> {
    inputs: Vec<T>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Input<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_property: Option<&'a str>,
    properties: BTreeMap<&'a str, &'a str>,
    object_write_trace_id: String,
}

#[derive(Serialize)]
struct Named<'a> {
    id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Retrieve<'a> {
    properties: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_property: Option<&'a str>,
    inputs: Vec<Named<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Search<'a> {
    filter_groups: [Group<'a>; 1],
    properties: [&'a str; 1],
    limit: u32,
}

#[derive(Serialize)]
struct Group<'a> {
    filters: [Filter<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Filter<'a> {
    property_name: &'a str,
    operator: &'a str,
}

/// A write.
///
/// # Errors
/// The first update or delete that has no id.
pub fn write(version: &str, batch: &Batch) -> Result<Call, Unsendable> {
    let (verb, body) = match batch.operation {
        Operation::Create => {
            let inputs = batch.items.iter().map(|item| upsert(batch, item)).collect();
            ("upsert", bytes(&Inputs { inputs }))
        }
        Operation::Update => {
            let inputs = ids(batch)?.into_iter().zip(&batch.items).map(|(id, item)| input(id, None, item)).collect();
            ("update", bytes(&Inputs { inputs }))
        }
        Operation::Delete => {
            let inputs = ids(batch)?.into_iter().map(|id| Named { id }).collect();
            ("archive", bytes(&Inputs { inputs }))
        }
    };
    Ok(Call { method: Method::Post, target: format!("{}/batch/{verb}", objects(version, &batch.object)), body })
}

/// A read. By id it also asks which ids a record has swallowed, so that a merge is not taken for a deletion.
#[must_use]
pub fn read(version: &str, batch: &ReadBatch) -> Call {
    let extra = match batch.by {
        ReadBy::Id => MERGED_IDS,
        ReadBy::Key => &batch.key_field,
    };
    let mut properties: Vec<&str> = Vec::new();
    for name in batch.fields.iter().map(String::as_str).chain([extra]) {
        if !properties.contains(&name) {
            properties.push(name);
        }
    }
    let id_property = (batch.by == ReadBy::Key).then_some(batch.key_field.as_str());
    let inputs = batch.names.iter().map(|id| Named { id }).collect();
    let body = bytes(&Retrieve { properties, id_property, inputs });
    Call { method: Method::Post, target: format!("{}/batch/read", objects(version, &batch.object)), body }
}

/// How many records bear our key.
#[must_use]
pub fn count(version: &str, object: &str, key_field: &str) -> Call {
    let filter_groups = [Group { filters: [Filter { property_name: key_field, operator: "HAS_PROPERTY" }] }];
    let body = bytes(&Search { filter_groups, properties: [key_field], limit: 1 });
    Call { method: Method::Post, target: format!("{}/search", objects(version, object)), body }
}

/// The account behind the token.
#[must_use]
pub fn account() -> Call {
    Call::bare(Method::Get, "/account-info/v3/details".to_owned())
}

/// The properties of an object.
#[must_use]
pub fn properties(version: &str, object: &str) -> Call {
    Call::bare(
        Method::Get,
        format!("/crm/{}/{object}", if version == "v3" { "v3/properties".to_owned() } else { format!("properties/{version}") }),
    )
}

fn objects(version: &str, object: &str) -> String {
    if version == "v3" { format!("/crm/v3/objects/{object}") } else { format!("/crm/objects/{version}/{object}") }
}

fn upsert<'a>(batch: &'a Batch, item: &'a Item) -> Input<'a> {
    let mut input = input(&item.key, Some(&batch.key_field), item);
    input.properties.insert(&batch.key_field, &item.key);
    input
}

fn input<'a>(id: &'a str, id_property: Option<&'a str>, item: &'a Item) -> Input<'a> {
    let properties = item.fields.iter().map(|(name, value)| (name.as_str(), value.as_deref().unwrap_or_default())).collect();
    Input { id, id_property, properties, object_write_trace_id: item.attempt.to_string() }
}

fn ids(batch: &Batch) -> Result<Vec<&str>, Unsendable> {
    match batch.items.iter().position(|item| item.external_id.is_none()) {
        Some(index) => Err(Unsendable { index, why: "it has no HubSpot id".to_owned() }),
        None => Ok(batch.items.iter().filter_map(|item| item.external_id.as_deref()).collect()),
    }
}

/// Serialising maps of text to memory cannot fail; an empty body would be refused, not misread.
fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;
