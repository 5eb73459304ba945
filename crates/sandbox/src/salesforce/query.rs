//! Queries: resolving names, finding rows, pages and locators.
//!
//! Promises: an equality or IN on the id or on an indexed field looks rows up in place of scanning; without ORDER BY
//! rows come in id order; a locator keeps the rows found at first, and their values are read at page time.
//! Leaves to others: the grammar (`soql`).

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::cursors::Cursor;
use super::errors::Fault;
use super::matching::{self, Condition, column, pointing};
use super::org::{Org, Table};
use super::schema::{Schema, Sobject};
use super::soql::{self, Class, Name, Order, Query, Select};
use super::values::{self, Cell};
use super::{bulk_rows, children, groups, ids, parents, wire};
use crate::exchange::Millis;

/// Largest OFFSET.
const OFFSET_MAX: usize = 2_000;
/// Largest LIMIT of a query for all fields.
const ALL_FIELDS_MAX: usize = 200;
/// Smallest page that a client can ask for.
const ROWS_MIN: usize = 200;

/// GET on query or queryAll.
pub(super) fn run(org: &mut Org, call: &Call<'_>, all: bool) -> Answer {
    let text = call.request.query_value("q").unwrap_or("").trim().to_owned();
    let query = parse(&text)?;
    let object = Sobject::named(&query.object.text).ok_or_else(|| vec![no_such_type(&query.object.text)])?;
    let table = org.table(object);
    let (numbers, parents) = selected(org, table, &text, &query)?;
    let children = children::resolved(org, &table.schema, &text, &query)?;
    if let Select::Grouped(items) = &query.select {
        let ungrouped = Query { limit: None, offset: 0, ..query.clone() };
        let serials = found(org, table, &text, &ungrouped, all, call.now)?;
        return groups::grouped(table, &text, &query, items, &serials);
    }
    let serials = found(org, table, &text, &query, all, call.now)?;
    match query.select {
        Select::Count => Ok(wire::json(200, &json!({ "totalSize": serials.len(), "done": true, "records": [] }))),
        Select::CountOf(_) => Ok(groups::count(table, &numbers, &serials)),
        Select::Fields(_) | Select::Every(_) | Select::Grouped(_) => {
            first_page(org, call, Cursor { object, numbers, parents, children, serials, opened: call.now, text })
        }
    }
}

/// What a query finds before its limit, for whoever picks among it.
pub(super) struct Found {
    pub(super) object: Sobject,
    /// The fields that were asked for.
    pub(super) numbers: Vec<u16>,
    pub(super) serials: Vec<u64>,
    pub(super) limit: usize,
}

/// Runs a query of fields up to its limit.
pub(super) fn rows_of(org: &Org, text: &str, now: Millis) -> Result<Found, Vec<Fault>> {
    let mut query = parse(text)?;
    let object = Sobject::named(&query.object.text).ok_or_else(|| vec![no_such_type(&query.object.text)])?;
    let table = org.table(object);
    let (numbers, _) = selected(org, table, text, &query)?;
    let limit = query.limit.take().unwrap_or(usize::MAX);
    Ok(Found { object, numbers, serials: found(org, table, text, &query, false, now)?, limit })
}

fn parse(text: &str) -> Result<Query, Vec<Fault>> {
    if text.is_empty() {
        return Err(vec![Fault::request(400, "MALFORMED_QUERY", "unexpected token: '<EOF>'")]);
    }
    soql::parse(text).map_err(|malformed| vec![Fault::request(400, "MALFORMED_QUERY", malformed.message)])
}

/// The fields that a query asks for: those of the rows, and those of their parents.
/// The fields that a query asks for, its own and those of parents.
pub(super) fn selected(org: &Org, table: &Table, text: &str, query: &Query) -> Result<(Vec<u16>, Vec<parents::Column>), Vec<Fault>> {
    let resolve = |name: &Name| column(&table.schema, text, name);
    let every = |class: Class| {
        let fields = table.schema.visible().filter(move |(_, field)| match class {
            Class::All => true,
            Class::Standard => !field.custom,
            Class::Custom => field.custom,
        });
        fields.map(|(number, _)| number).collect()
    };
    let numbers = match &query.select {
        Select::Fields(names) => {
            let (mut numbers, mut columns) = (Vec::new(), Vec::new());
            for name in names {
                match parents::column(org, &table.schema, name) {
                    Some(column) => columns.push(column),
                    None => numbers.push(resolve(name)?),
                }
            }
            return Ok((numbers, columns));
        }
        Select::Every(class) if *class != Class::Standard && query.limit.is_none_or(|limit| limit > ALL_FIELDS_MAX) => {
            return Err(vec![Fault::request(400, "MALFORMED_QUERY", "The SOQL FIELDS function must have a LIMIT of at most 200")]);
        }
        Select::Every(class) => every(*class),
        Select::Count | Select::Grouped(_) => Vec::new(),
        Select::CountOf(name) => vec![resolve(name)?],
    };
    Ok((numbers, Vec::new()))
}

/// The cursor of a query that an earlier process opened; None if its fields are no longer there.
pub(super) fn reopened(org: &Org, text: &str, serials: Vec<u64>, opened: Millis) -> Option<Cursor> {
    let query = parse(text).ok()?;
    let object = Sobject::named(&query.object.text)?;
    let table = org.table(object);
    let (numbers, parents) = selected(org, table, text, &query).ok()?;
    let children = children::resolved(org, &table.schema, text, &query).ok()?;
    Some(Cursor { object, numbers, parents, children, serials, opened, text: text.to_owned() })
}

/// What a bulk query finds, as lines of CSV, the head first.
pub(super) fn lines(org: &Org, call: &Call<'_>, text: &str, all: bool, delimiter: u8) -> Result<(Sobject, Vec<String>), Vec<Fault>> {
    let text = text.trim();
    let query = parse(text)?;
    let (Select::Fields(names), []) = (&query.select, query.children.as_slice()) else {
        return Err(vec![Fault::request(400, "API_ERROR", "A bulk query takes a list of fields, without counts, classes of fields and queries within it")]);
    };
    let object = Sobject::named(&query.object.text).ok_or_else(|| vec![no_such_type(&query.object.text)])?;
    let table = org.table(object);
    let (numbers, parents) = selected(org, table, text, &query)?;
    let serials = found(org, table, text, &query, all, call.now)?;
    let head: Vec<String> = names.iter().map(|name| name.text.clone()).collect();
    let rows = serials.iter().filter_map(|serial| table.rows.get(serial).map(|row| (*serial, row)));
    let rows = rows.map(|(serial, row)| {
        let mut record = values::record(&table.schema, serial, row, call.version, &numbers);
        parents::add(org, &table.schema, (serial, row), call.version, &parents, &mut record);
        names.iter().map(|name| cell(&record, &name.text)).collect::<Vec<String>>()
    });
    Ok((object, std::iter::once(head).chain(rows).map(|cells| bulk_rows::line(&cells, delimiter)).collect()))
}

/// The text of a dotted name in a record, empty where there is none; names are found without regard to case.
fn cell(record: &Value, name: &str) -> String {
    let member = |value: &Value, part: &str| value.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(part)).map(|(_, value)| value.clone());
    match name.split('.').try_fold(record.clone(), |value, part| member(&value, part)) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
    }
}

/// GET on a locator.
pub(super) fn next_page(org: &Org, call: &Call<'_>, locator: &str) -> Answer {
    let unknown = || vec![Fault::request(400, "INVALID_QUERY_LOCATOR", "invalid query locator")];
    let (id, offset) = locator.rsplit_once('-').ok_or_else(unknown)?;
    let offset: usize = offset.parse().map_err(|_| unknown())?;
    let cursor = org.cursors.get(id).ok_or_else(unknown)?;
    if call.now - cursor.opened >= org.config.locator_life_ms || offset >= cursor.serials.len() {
        return Err(unknown());
    }
    Ok(wire::json(200, &page(org, call, cursor, Some(id), offset)?))
}

fn first_page(org: &mut Org, call: &Call<'_>, cursor: Cursor) -> Answer {
    if cursor.serials.len() <= page_rows(org, call) {
        return Ok(wire::json(200, &page(org, call, &cursor, None, 0)?));
    }
    let id = ids::make("01g", org.cursors.next);
    org.cursors.next += 1;
    let body = page(org, call, &cursor, Some(&id), 0)?;
    org.cursors.open(id, cursor);
    Ok(wire::json(200, &body))
}

fn page(org: &Org, call: &Call<'_>, cursor: &Cursor, id: Option<&str>, offset: usize) -> Result<Value, Vec<Fault>> {
    let table = org.table(cursor.object);
    let children = cursor.children.iter().map(|inner| Ok((inner, inner.found(org, &cursor.text, call)?))).collect::<Result<Vec<_>, Vec<Fault>>>()?;
    let end = cursor.serials.len().min(offset + page_rows(org, call));
    let rows = cursor.serials.get(offset..end).unwrap_or(&[]).iter();
    let records: Vec<Value> = rows
        .filter_map(|serial| table.rows.get(serial).map(|row| (*serial, row)))
        .map(|(serial, row)| {
            let mut record = values::record(&table.schema, serial, row, call.version, &cursor.numbers);
            parents::add(org, &table.schema, (serial, row), call.version, &cursor.parents, &mut record);
            children.iter().for_each(|(inner, found)| inner.add(org, (table, serial), found, call.version, &mut record));
            record
        })
        .collect();
    let mut body = json!({ "totalSize": cursor.serials.len(), "done": end == cursor.serials.len(), "records": records });
    if let Some(id) = id.filter(|_| end < cursor.serials.len()) {
        body["nextRecordsUrl"] = Value::String(format!("/services/data/v{}.0/query/{id}-{end}", call.version));
    }
    Ok(body)
}

fn page_rows(org: &Org, call: &Call<'_>) -> usize {
    let wanted = call.request.headers.get("sforce-query-options").and_then(|text| text.split("batchSize=").nth(1));
    let wanted = wanted.and_then(|text| text.split([',', ';', ' ']).next()).and_then(|text| text.parse().ok());
    wanted.map_or(usize::MAX, |rows: usize| rows.max(ROWS_MIN)).min(org.config.page_rows_max.clamp(1, 2_000))
}

/// The rows that a query means, in its order, within its limit.
pub(super) fn found(org: &Org, table: &Table, text: &str, query: &Query, all: bool, now: Millis) -> Result<Vec<u64>, Vec<Fault>> {
    if query.offset > OFFSET_MAX {
        return Err(vec![Fault::request(400, "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")]);
    }
    let schema = &table.schema;
    let filter = query.filter.as_ref().map(|expr| matching::resolve(org, schema, text, expr, now)).transpose()?;
    let order: Vec<(u16, &Order)> =
        query.order.iter().map(|order| Ok((sortable(schema, text, &order.field)?, order))).collect::<Result<_, Vec<Fault>>>()?;
    let keep = |serial: u64| {
        let row = table.rows.get(&serial).filter(|row| all || !row.deleted);
        row.is_some_and(|row| filter.as_ref().is_none_or(|filter| matching::holds(org, schema, serial, row, filter)))
    };
    let candidates = filter.as_ref().filter(|_| !all).and_then(|filter| candidates(table, filter));
    let mut serials: Vec<u64> = match candidates {
        Some(candidates) => candidates.into_iter().filter(|serial| keep(*serial)).collect(),
        None => table.rows.keys().copied().filter(|serial| keep(*serial)).collect(),
    };
    if !(order.is_empty() || order.len() == 1 && order[0].0 == 0 && !order[0].1.descending) {
        serials.sort_by(|one, other| compare_rows(table, &order, *one, *other));
    }
    Ok(serials.into_iter().skip(query.offset).take(query.limit.unwrap_or(usize::MAX)).collect())
}

/// A superset of the live rows that match, by index, ascending; None if only a scan can tell.
fn candidates(table: &Table, filter: &Condition) -> Option<Vec<u64>> {
    match filter {
        Condition::All(parts) => parts.iter().find_map(|part| candidates(table, part)),
        Condition::OneOf { number, texts } => {
            let mut serials: Vec<u64> = Vec::with_capacity(texts.len());
            for text in texts {
                if *number == 0 {
                    serials.extend(ids::serial(table.schema.object.prefix(), text));
                } else {
                    serials.extend_from_slice(table.matches(*number, text)?);
                }
            }
            serials.sort_unstable();
            serials.dedup();
            Some(serials)
        }
        Condition::Any(_) | Condition::Not(_) | Condition::Parent { .. } | Condition::Compare { .. } | Condition::Like { .. } => None,
    }
}

fn compare_rows(table: &Table, order: &[(u16, &Order)], one: u64, other: u64) -> Ordering {
    let value = |serial: u64, number: u16| table.rows.get(&serial).map(|row| values::cell(&table.schema, serial, row, number));
    for (number, how) in order {
        let (Some(left), Some(right)) = (value(one, *number), value(other, *number)) else { continue };
        let ordering = match (&left, &right) {
            (Cell::Null, Cell::Null) => Ordering::Equal,
            (Cell::Null, _) => {
                if how.nulls_last {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (_, Cell::Null) => {
                if how.nulls_last {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (_, _) => {
                let ascending = matching::compare(table.schema.field(*number), &left, &right).unwrap_or(Ordering::Equal);
                if how.descending { ascending.reverse() } else { ascending }
            }
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
    one.cmp(&other)
}

fn sortable(schema: &Schema, text: &str, name: &Name) -> Result<u16, Vec<Fault>> {
    let number = column(schema, text, name)?;
    if schema.field(number).is_filterable() {
        return Ok(number);
    }
    Err(vec![pointing(text, name, &format!("field '{}' can not be sorted in a query call", name.text))])
}

fn no_such_type(name: &str) -> Fault {
    let message = format!(
        "sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."
    );
    Fault::request(400, "INVALID_TYPE", message)
}
