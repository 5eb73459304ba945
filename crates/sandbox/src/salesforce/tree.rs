//! sObject Tree: up to 200 new rows, children below their parents, all or none.
//!
//! Promises: a failing tree writes nothing and lists its failing rows only.
//! Leaves to others: validation and writing (`write`). Contacts of an account are the one relation downwards that is kept.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::call::{Answer, Call, sobject};
use super::errors::{self, Fault};
use super::org::Org;
use super::record::Record;
use super::schema::Sobject;
use super::write::Verb;
use super::{ids, wire};

const ROWS_MAX: usize = 200;
const DEPTH_MAX: usize = 5;

#[derive(Debug, Deserialize)]
struct Asked {
    records: Vec<Map<String, Value>>,
}

/// One row of the tree, its parent before it.
struct Leaf {
    object: Sobject,
    reference: String,
    fields: Map<String, Value>,
    /// Where in the list its parent is.
    parent: Option<usize>,
}

/// POST on composite/tree.
pub(super) fn create(org: &mut Org, call: &Call<'_>, object: &str) -> Answer {
    let object = sobject(object)?;
    let asked: Asked = call.body()?;
    let mut leaves = Vec::new();
    flatten(asked.records, object, None, 1, &mut leaves)?;
    let mut seen = BTreeSet::new();
    if let Some(twice) = leaves.iter().find(|leaf| leaf.reference.is_empty() || !seen.insert(leaf.reference.as_str())) {
        let message = format!("Duplicate or missing ReferenceId provided in the request: '{}'", twice.reference);
        return Err(vec![Fault::request(400, "INVALID_INPUT", message)]);
    }
    org.begin();
    let mut made: Vec<Option<String>> = Vec::new();
    let mut failed = Vec::new();
    for leaf in &leaves {
        match write(org, call, leaf, &made) {
            Ok(id) => made.push(Some(id)),
            Err(faults) => {
                let errors: Vec<Value> = faults.iter().map(Fault::in_result).collect();
                failed.push(json!({ "referenceId": leaf.reference, "errors": errors }));
                made.push(None);
            }
        }
    }
    if failed.is_empty() {
        org.commit();
        let results = leaves.iter().zip(&made).map(|(leaf, id)| json!({ "referenceId": leaf.reference, "id": id }));
        return Ok(wire::json(201, &json!({ "hasErrors": false, "results": results.collect::<Vec<_>>() })));
    }
    org.rollback();
    Ok(wire::json(400, &json!({ "hasErrors": true, "results": failed })))
}

fn write(org: &mut Org, call: &Call<'_>, leaf: &Leaf, made: &[Option<String>]) -> Result<String, Vec<Fault>> {
    let mut fields = leaf.fields.clone();
    if let Some(parent) = leaf.parent {
        // A child of a row that failed was never tried; the row itself says why.
        let parent = made.get(parent).cloned().flatten().ok_or_else(|| vec![errors::row_missing()])?;
        fields.insert("AccountId".to_owned(), Value::String(parent));
    }
    let draft = org.draft(leaf.object, Record::from(&fields), Verb::Create, &[], call.stamp().actor)?;
    let serial = org.create(leaf.object, draft, call.stamp())?;
    Ok(ids::make(leaf.object.prefix(), serial))
}

fn flatten(
    records: Vec<Map<String, Value>>,
    object: Sobject,
    parent: Option<usize>,
    depth: usize,
    leaves: &mut Vec<Leaf>,
) -> Result<(), Vec<Fault>> {
    let refused = |message: &str| vec![Fault::request(400, "INVALID_INPUT", message)];
    if depth > DEPTH_MAX {
        return Err(refused("The tree is deeper than 5 levels"));
    }
    for mut fields in records {
        let attributes = fields.remove("attributes").unwrap_or_default();
        if attributes["type"].as_str().is_none_or(|name| Sobject::named(name) != Some(object)) {
            return Err(refused(&format!("Every record needs attributes with the type {}", object.name())));
        }
        let children = if object == Sobject::Account { fields.remove("Contacts") } else { None };
        leaves.push(Leaf { object, reference: attributes["referenceId"].as_str().unwrap_or("").to_owned(), fields, parent });
        if leaves.len() > ROWS_MAX {
            return Err(refused("The tree has more than 200 records"));
        }
        if let Some(children) = children {
            let children: Asked = serde_json::from_value(children).map_err(|_| refused("Contacts must have records"))?;
            flatten(children.records, Sobject::Contact, Some(leaves.len() - 1), depth + 1, leaves)?;
        }
    }
    Ok(())
}
