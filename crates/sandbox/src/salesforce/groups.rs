//! Queries that count: whole, by field, and by group.
//!
//! Promises: groups come in the order of what they are grouped by, texts without regard to case, unset values first.
//! Leaves to others: which rows are counted (`query`).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::errors::Fault;
use super::matching::column;
use super::org::Table;
use super::soql::{Item, Operator, Query};
use super::values::{self, Cell};
use super::wire;
use crate::exchange::Response;

/// How many of the rows have a value in all of these fields.
pub(super) fn count(table: &Table, numbers: &[u16], serials: &[u64]) -> Response {
    let record = json!({ "attributes": { "type": "AggregateResult" }, "expr0": set(table, numbers, serials) });
    wire::json(200, &json!({ "totalSize": 1, "done": true, "records": [record] }))
}

fn set(table: &Table, numbers: &[u16], serials: &[u64]) -> usize {
    let is_set = |serial: &&u64| {
        let row = table.rows.get(serial);
        row.is_some_and(|row| numbers.iter().all(|number| values::cell(&table.schema, **serial, row, *number) != Cell::Null))
    };
    serials.iter().filter(is_set).count()
}

/// Groups rows, keeps those groups that HAVING wants, and counts.
pub(super) fn grouped(table: &Table, text: &str, query: &Query, items: &[Item], serials: &[u64]) -> Result<Response, Vec<Fault>> {
    let by = query.group.iter().map(|name| column(&table.schema, text, name)).collect::<Result<Vec<_>, _>>()?;
    for item in items {
        let Item::Field(name) = item else { continue };
        if !by.contains(&column(&table.schema, text, name)?) {
            let message = format!("Field must be grouped or aggregated: {}", name.text);
            return Err(vec![Fault::request(400, "MALFORMED_QUERY", message)]);
        }
    }
    let mut groups: BTreeMap<Vec<Option<String>>, Vec<u64>> = BTreeMap::new();
    if by.is_empty() {
        // Without GROUP BY all rows are one group, even if there are none.
        groups.insert(Vec::new(), Vec::new());
    }
    for serial in serials {
        let Some(row) = table.rows.get(serial) else { continue };
        let key = by.iter().map(|number| match values::render(&table.schema, *serial, row, *number) {
            Value::Null => None,
            Value::String(text) => Some(table.schema.field(*number).fold(&text).into_owned()),
            other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => Some(other.to_string()),
        });
        groups.entry(key.collect()).or_default().push(*serial);
    }
    let mut records = Vec::new();
    for members in groups.into_values().filter(|members| query.having.is_none_or(|having| keeps(members.len(), having))) {
        records.push(record(table, text, items, &members)?);
    }
    let records: Vec<Value> = records.into_iter().skip(query.offset).take(query.limit.unwrap_or(usize::MAX)).collect();
    Ok(wire::json(200, &json!({ "totalSize": records.len(), "done": true, "records": records })))
}

fn record(table: &Table, text: &str, items: &[Item], members: &[u64]) -> Result<Value, Vec<Fault>> {
    let mut record = Map::from_iter([("attributes".to_owned(), json!({ "type": "AggregateResult" }))]);
    let mut unnamed = 0;
    for item in items {
        match item {
            Item::Field(name) => {
                let number = column(&table.schema, text, name)?;
                let first = members.first().and_then(|serial| Some((*serial, table.rows.get(serial)?)));
                let value = first.map_or(Value::Null, |(serial, row)| values::render(&table.schema, serial, row, number));
                record.insert(table.schema.field(number).name.clone(), value);
            }
            Item::Count(field, alias) => {
                let numbers = field.iter().map(|name| column(&table.schema, text, name)).collect::<Result<Vec<_>, _>>()?;
                let name = alias.clone().unwrap_or_else(|| {
                    unnamed += 1;
                    format!("expr{}", unnamed - 1)
                });
                record.insert(name, json!(set(table, &numbers, members)));
            }
        }
    }
    Ok(Value::Object(record))
}

#[expect(clippy::cast_precision_loss, reason = "a group has fewer rows than a double has whole numbers")]
fn keeps(count: usize, (operator, wanted): (Operator, f64)) -> bool {
    let count = count as f64;
    match operator {
        Operator::Equal | Operator::Like => (count - wanted).abs() < f64::EPSILON,
        Operator::Unequal => (count - wanted).abs() >= f64::EPSILON,
        Operator::Less => count < wanted,
        Operator::AtMost => count <= wanted,
        Operator::More => count > wanted,
        Operator::AtLeast => count >= wanted,
    }
}
