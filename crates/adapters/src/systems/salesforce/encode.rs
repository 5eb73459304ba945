//! What Salesforce is asked, as bytes.
//!
//! Promises: pure; one call per batch, rows in the batch's order, never all-or-none; null clears; user text in a query is escaped.
//! Leaves to others: addresses, tokens and time (`client`), reading the answer (`decode`).

use std::collections::BTreeMap;

use serde::Serialize;
use syncline_core::attempt::Operation;
use syncline_core::dispatch::batch::{Batch, Item, ReadBatch, ReadBy};
use url::form_urlencoded::byte_serialize;

use super::config::TARGET_BYTES_MAX;
use crate::systems::answers::Unsendable;
use crate::transport::{Call, Method};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Collection<'a> {
    all_or_none: bool,
    records: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    attributes: Attributes<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(flatten)]
    fields: BTreeMap<&'a str, Option<&'a str>>,
}

#[derive(Serialize)]
struct Attributes<'a> {
    #[serde(rename = "type")]
    object: &'a str,
}

#[derive(Serialize)]
struct Retrieve<'a> {
    ids: &'a [String],
    fields: Vec<&'a str>,
}

/// A write.
///
/// # Errors
/// The first update or delete that has no id.
pub fn write(version: &str, batch: &Batch) -> Result<Call, Unsendable> {
    let root = format!("/services/data/v{version}/composite/sobjects");
    match batch.operation {
        Operation::Create => {
            let target = format!("{root}/{}/{}", batch.object, batch.key_field);
            let records = batch.items.iter().map(|item| row(batch, item, None, Some(&item.key))).collect();
            Ok(Call { method: Method::Patch, target, body: bytes(&Collection { all_or_none: false, records }) })
        }
        Operation::Update => {
            let records = ids(batch)?.into_iter().zip(&batch.items).map(|(id, item)| row(batch, item, Some(id), None)).collect();
            Ok(Call { method: Method::Patch, target: root, body: bytes(&Collection { all_or_none: false, records }) })
        }
        Operation::Delete => {
            let ids: Vec<String> = ids(batch)?.into_iter().map(escape).collect();
            Ok(Call::bare(Method::Delete, format!("{root}?ids={}&allOrNone=false", ids.join(","))))
        }
    }
}

/// A read.
///
/// # Errors
/// If the names do not fit one address.
pub fn read(version: &str, batch: &ReadBatch) -> Result<Call, String> {
    let mut fields = vec!["Id"];
    let wanted = batch.fields.iter().chain((batch.by == ReadBy::Key).then_some(&batch.key_field));
    for name in wanted {
        if !fields.iter().any(|have| have.eq_ignore_ascii_case(name)) {
            fields.push(name);
        }
    }
    match batch.by {
        ReadBy::Id => {
            let target = format!("/services/data/v{version}/composite/sobjects/{}", batch.object);
            Ok(Call { method: Method::Post, target, body: bytes(&Retrieve { ids: &batch.names, fields }) })
        }
        ReadBy::Key => {
            let names: Vec<String> = batch.names.iter().map(|name| literal(name)).collect();
            let call = query(
                version,
                &format!("SELECT {} FROM {} WHERE {} IN ({})", fields.join(","), batch.object, batch.key_field, names.join(",")),
            );
            let long = call.target.len() > TARGET_BYTES_MAX;
            if long {
                Err(format!("{} keys make an address of {} bytes: ask for fewer at once", names.len(), call.target.len()))
            } else {
                Ok(call)
            }
        }
    }
}

/// How many records bear our key.
#[must_use]
pub fn count(version: &str, object: &str, key_field: &str) -> Call {
    query(version, &format!("SELECT COUNT() FROM {object} WHERE {key_field} != null"))
}

/// The versions that are served.
#[must_use]
pub fn versions() -> Call {
    Call::bare(Method::Get, "/services/data".to_owned())
}

/// An object and its fields.
#[must_use]
pub fn describe(version: &str, object: &str) -> Call {
    Call::bare(Method::Get, format!("/services/data/v{version}/sobjects/{object}/describe"))
}

/// The org's limits.
#[must_use]
pub fn limits(version: &str) -> Call {
    Call::bare(Method::Get, format!("/services/data/v{version}/limits"))
}

fn row<'a>(batch: &'a Batch, item: &'a Item, id: Option<&'a str>, key: Option<&'a str>) -> Row<'a> {
    let mut fields: BTreeMap<&str, Option<&str>> =
        item.fields.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
    if let Some(key) = key {
        fields.insert(&batch.key_field, Some(key));
    }
    Row { attributes: Attributes { object: &batch.object }, id, fields }
}

fn ids(batch: &Batch) -> Result<Vec<&str>, Unsendable> {
    let id = |(index, item): (usize, &'_ Item)| {
        item.external_id.is_none().then(|| Unsendable { index, why: "it has no Salesforce id".to_owned() })
    };
    match batch.items.iter().enumerate().find_map(id) {
        Some(lacking) => Err(lacking),
        None => Ok(batch.items.iter().filter_map(|item| item.external_id.as_deref()).collect()),
    }
}

pub(super) fn query(version: &str, soql: &str) -> Call {
    Call::bare(Method::Get, format!("/services/data/v{version}/query?q={}", escape(soql)))
}

fn escape(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

/// A SOQL text literal.
fn literal(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for c in text.chars() {
        match c {
            '\'' => quoted.push_str("\\'"),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

/// Serialising maps of text to memory cannot fail; an empty body would be refused, not misread.
fn bytes<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
#[path = "encode_tests.rs"]
mod tests;
