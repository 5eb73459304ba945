//! Fields of the row that a reference names, in queries: `Account.Name`, `Owner.Email`.
//!
//! Promises: one step or several, each by the name that describe gives the relation; a parent in the bin is still shown.
//! Leaves to others: conditions (`matching`), pages (`query`).

use serde_json::{Map, Value};

use super::org::{Org, Row};
use super::schema::{Field, Kind, Schema, Sobject};
use super::soql::Name;
use super::values::{self, Cell};
use super::ids;

/// The reference that a dotted name goes through, the object behind it, and the rest of the name.
pub(super) fn step(schema: &Schema, name: &Name) -> Option<(u16, Sobject, Name)> {
    let (relation, rest) = name.text.split_once('.')?;
    let via = schema.number(&format!("{relation}Id"))?;
    let object = behind(schema.object, schema.field(via))?;
    Some((via, object, Name { text: rest.to_owned(), at: name.at + relation.len() + 1 }))
}

/// The row that a reference names.
pub(super) fn row<'a>(org: &'a Org, schema: &Schema, serial: u64, row: &Row, (via, object): (u16, Sobject)) -> Option<(u64, &'a Row)> {
    let Cell::Text(id) = values::cell(schema, serial, row, via) else { return None };
    let parent = ids::serial(object.prefix(), &id)?;
    org.table(object).rows.get(&parent).map(|row| (parent, row))
}

/// A column of a parent: the references to go through, then the field.
#[derive(Debug, Clone)]
pub(super) struct Column {
    steps: Vec<(u16, Sobject)>,
    number: u16,
}

/// Resolves a dotted name; None if it has no dot, or if some part of it is none.
pub(super) fn column(org: &Org, schema: &Schema, name: &Name) -> Option<Column> {
    let (mut steps, mut schema, mut rest) = (Vec::new(), schema, name.clone());
    while rest.text.contains('.') {
        let (via, object, after) = step(schema, &rest)?;
        steps.push((via, object));
        schema = &org.table(object).schema;
        rest = after;
    }
    let number = schema.number(&rest.text)?;
    (!steps.is_empty()).then_some(Column { steps, number })
}

/// Adds the parents' columns to a record, nested as they were asked for.
pub(super) fn add(org: &Org, schema: &Schema, (serial, row): (u64, &Row), version: u16, columns: &[Column], record: &mut Value) {
    for column in columns {
        let (mut schema, mut serial, mut row, mut place) = (schema, serial, row, &mut *record);
        let mut reached = true;
        for step in &column.steps {
            let relation = schema.field(step.0).name.trim_end_matches("Id").to_owned();
            let Some((parent, found)) = self::row(org, schema, serial, row, *step) else {
                place[relation] = Value::Null;
                reached = false;
                break;
            };
            (schema, serial, row) = (&org.table(step.1).schema, parent, found);
            if !place[&relation].is_object() {
                let attributes = values::attributes(schema, serial, version);
                place[&relation] = Value::Object(Map::from_iter([("attributes".to_owned(), attributes)]));
            }
            place = &mut place[relation];
        }
        if reached {
            place[schema.field(column.number).name.clone()] = values::render(schema, serial, row, column.number);
        }
    }
}

/// The object that a reference leads to.
fn behind(object: Sobject, field: &Field) -> Option<Sobject> {
    if field.kind != Kind::Reference {
        return None;
    }
    match (field.name.as_str(), object) {
        ("OwnerId" | "CreatedById" | "LastModifiedById" | "AssigneeId", _) => Some(Sobject::User),
        ("PermissionSetId", _) | ("ParentId", Sobject::FieldPermissions) => Some(Sobject::PermissionSet),
        ("AccountId" | "ConvertedAccountId" | "ParentId", _) => Some(Sobject::Account),
        ("ReportsToId" | "ConvertedContactId", _) => Some(Sobject::Contact),
        ("MasterRecordId", object) => Some(object),
        _ => None,
    }
}
