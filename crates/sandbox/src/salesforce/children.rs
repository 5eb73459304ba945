//! Queries within a query: the contacts of each account.
//!
//! Promises: filter, order, limit and offset of the inner query hold for each parent by itself; a parent without such rows shows null.
//! Leaves to others: the grammar (`soql`), finding rows (`query`); relations other than an account's contacts, which this org lacks.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::call::Call;
use super::errors::Fault;
use super::org::{Org, Table};
use super::parents::{self, Column};
use super::query;
use super::schema::{Schema, Sobject};
use super::soql::{Query, Select};
use super::values;
use super::ids;

/// One inner query, resolved.
#[derive(Debug, Clone)]
pub(super) struct Children {
    query: Query,
    object: Sobject,
    /// The field that refers to the parent.
    via: u16,
    numbers: Vec<u16>,
    parents: Vec<Column>,
}

/// The children that belong to a page, by the id of their parent.
pub(super) type Found = BTreeMap<String, Vec<u64>>;

/// Resolves the inner queries of a query.
pub(super) fn resolved(org: &Org, outer: &Schema, text: &str, query: &Query) -> Result<Vec<Children>, Vec<Fault>> {
    let one = |inner: &Query| {
        let relation = &inner.object.text;
        let known = outer.object == Sobject::Account && relation.eq_ignore_ascii_case("Contacts");
        let table = org.table(Sobject::Contact);
        let (Some(via), true, Select::Fields(_) | Select::Every(_)) = (table.schema.stored_number("AccountId"), known, &inner.select) else {
            let message = format!("Didn't understand relationship '{relation}' in FROM part of query call.");
            return Err(vec![Fault::request(400, "INVALID_TYPE", message)]);
        };
        let (numbers, parents) = query::selected(org, table, text, inner)?;
        Ok(Children { query: inner.clone(), object: Sobject::Contact, via, numbers, parents })
    };
    query.children.iter().map(one).collect()
}

impl Children {
    /// The rows of the inner query, in its order, by parent.
    pub(super) fn found(&self, org: &Org, text: &str, call: &Call<'_>) -> Result<Found, Vec<Fault>> {
        let table = org.table(self.object);
        let whole = Query { limit: None, offset: 0, ..self.query.clone() };
        let mut found = Found::new();
        for serial in query::found(org, table, text, &whole, false, call.now)? {
            if let Some(parent) = table.rows.get(&serial).and_then(|row| row.get(self.via)) {
                found.entry(parent.to_owned()).or_default().push(serial);
            }
        }
        Ok(found)
    }

    /// Adds a parent's rows to its record.
    pub(super) fn add(&self, org: &Org, parent: (&Table, u64), found: &Found, version: u16, record: &mut Value) {
        let table = org.table(self.object);
        let id = ids::make(parent.0.schema.object.prefix(), parent.1);
        let serials = found.get(&id).map_or(&[][..], Vec::as_slice);
        let shown = serials.iter().skip(self.query.offset).take(self.query.limit.unwrap_or(usize::MAX));
        let rows = shown.filter_map(|serial| table.rows.get(serial).map(|row| (*serial, row)));
        let records: Vec<Value> = rows
            .map(|(serial, row)| {
                let mut child = values::record(&table.schema, serial, row, version, &self.numbers);
                parents::add(org, &table.schema, (serial, row), version, &self.parents, &mut child);
                child
            })
            .collect();
        record["Contacts"] = if records.is_empty() { Value::Null } else { json!({ "totalSize": records.len(), "done": true, "records": records }) };
    }
}
