//! The org's state: rows with their indexes, sessions, the allowance, open queries.
//!
//! Promises: `put` and `change` are the only ways a row changes, so indexes, journal marks and the undo list never miss one;
//! an index holds live rows only, so deleted rows match no key.
//! Leaves to others: whether a write is allowed (`write`), JSON forms of the state (`state`).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::config::{CustomField, SalesforceConfig};
use super::cursors::Cursors;
use super::ids;
use super::jobs::Jobs;
use super::limits::{Quota, Running};
use super::schema::{Schema, Sobject};
use super::sessions::Tokens;
use crate::exchange::Millis;

/// When the org was set up: 2026-01-01T00:00:00Z.
const FOUNDED: Millis = 1_767_225_600_000;

/// Who writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Actor {
    /// The integration user, through the API.
    Client,
    /// A person, in Salesforce's own pages.
    Person,
}

/// One row, live or in the recycle bin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Stored values by field number, ascending; an unset field is absent.
    fields: Vec<(u16, Box<str>)>,
    pub(super) created: Millis,
    pub(super) created_by: Actor,
    pub(super) modified: Millis,
    pub(super) modified_by: Actor,
    pub(super) deleted: bool,
    pub(super) writes: u32,
}

impl Row {
    /// A row without values.
    pub(super) fn new(actor: Actor, now: Millis) -> Self {
        Self { fields: Vec::new(), created: now, created_by: actor, modified: now, modified_by: actor, deleted: false, writes: 1 }
    }

    pub(super) fn get(&self, number: u16) -> Option<&str> {
        self.fields.binary_search_by_key(&number, |(at, _)| *at).ok().map(|at| &*self.fields[at].1)
    }

    pub(super) fn set(&mut self, number: u16, value: Option<Box<str>>) {
        match (self.fields.binary_search_by_key(&number, |(at, _)| *at), value) {
            (Ok(at), Some(value)) => self.fields[at].1 = value,
            (Ok(at), None) => {
                self.fields.remove(at);
            }
            (Err(at), Some(value)) => self.fields.insert(at, (number, value)),
            (Err(_), None) => {}
        }
    }

    /// Stored values by field number.
    pub(super) fn values(&self) -> impl Iterator<Item = (u16, &str)> {
        self.fields.iter().map(|(number, value)| (*number, &**value))
    }

    /// Notes one more write.
    pub(super) fn touch(&mut self, actor: Actor, now: Millis) {
        self.modified = now;
        self.modified_by = actor;
        self.writes += 1;
    }
}

/// Live rows by the folded value of one field.
#[derive(Debug)]
struct Index {
    number: u16,
    serials: HashMap<Box<str>, Vec<u64>>,
}

/// All rows of one object.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) schema: Schema,
    pub(super) rows: BTreeMap<u64, Row>,
    /// The serial number of the next row.
    pub(super) next: u64,
    indexes: Vec<Index>,
}

impl Table {
    fn new(object: Sobject, custom: &[CustomField]) -> Self {
        let mut table =
            Self { schema: Schema::new(object, custom), rows: BTreeMap::new(), next: object.first_serial(), indexes: Vec::new() };
        table.reindex();
        table
    }

    /// Live rows whose field has that value, in id order; None if the field has no index.
    pub(super) fn matches(&self, number: u16, value: &str) -> Option<&[u64]> {
        let index = self.indexes.iter().find(|index| index.number == number)?;
        let folded = self.schema.field(number).fold(value);
        Some(index.serials.get(&*folded).map_or(&[], Vec::as_slice))
    }

    fn reindex(&mut self) {
        let numbers = self.schema.numbered().filter(|(_, field)| field.is_indexed()).map(|(number, _)| number);
        self.indexes = numbers.map(|number| Index { number, serials: HashMap::new() }).collect();
        for (serial, row) in &self.rows {
            index_row(&mut self.indexes, &self.schema, *serial, row);
        }
    }

    fn put(&mut self, serial: u64, row: Option<Row>) -> Option<Row> {
        if let Some(row) = &row {
            index_row(&mut self.indexes, &self.schema, serial, row);
        }
        let old = match row {
            Some(row) => self.rows.insert(serial, row),
            None => self.rows.remove(&serial),
        };
        if let Some(old) = &old {
            let before = folded(&self.indexes, &self.schema, old);
            unindex_row(&mut self.indexes, &self.schema, serial, &before, self.rows.get(&serial));
        }
        old
    }

    fn change(&mut self, serial: u64, change: impl FnOnce(&mut Row)) {
        let Some(row) = self.rows.get_mut(&serial) else { return };
        let before = folded(&self.indexes, &self.schema, row);
        change(row);
        index_row(&mut self.indexes, &self.schema, serial, row);
        unindex_row(&mut self.indexes, &self.schema, serial, &before, Some(row));
    }
}

/// Drops the entries of a row that had these folded values and now is another or gone.
fn unindex_row(indexes: &mut [Index], schema: &Schema, serial: u64, old: &[Option<String>], new: Option<&Row>) {
    for (index, folded) in indexes.iter_mut().zip(old) {
        let Some(folded) = folded.as_deref() else { continue };
        let kept = new.filter(|row| !row.deleted).and_then(|row| row.get(index.number));
        if kept.is_some_and(|value| schema.field(index.number).fold(value) == folded) {
            continue;
        }
        let Some(serials) = index.serials.get_mut(folded) else { continue };
        serials.retain(|other| *other != serial);
        if serials.is_empty() {
            index.serials.remove(folded);
        }
    }
}

/// A row's folded values, index by index.
fn folded(indexes: &[Index], schema: &Schema, row: &Row) -> Vec<Option<String>> {
    let live =
        |index: &Index| row.get(index.number).filter(|_| !row.deleted).map(|value| schema.field(index.number).fold(value).into_owned());
    indexes.iter().map(live).collect()
}

fn index_row(indexes: &mut [Index], schema: &Schema, serial: u64, row: &Row) {
    if row.deleted {
        return;
    }
    for index in indexes {
        let Some(value) = row.get(index.number) else { continue };
        let folded = schema.field(index.number).fold(value);
        match index.serials.get_mut(&*folded) {
            Some(serials) => {
                if let Err(at) = serials.binary_search(&serial) {
                    serials.insert(at, serial);
                }
            }
            None => {
                index.serials.insert(folded.into(), vec![serial]);
            }
        }
    }
}

/// What an all-or-none request puts back if it fails.
#[derive(Debug)]
struct Undo {
    rows: Vec<(Sobject, u64, Option<Row>)>,
    next: [u64; Sobject::COUNT],
}

/// Everything the emulated org knows.
#[derive(Debug)]
pub(super) struct Org {
    pub(super) config: SalesforceConfig,
    /// Custom fields, which a client may add to.
    pub(super) custom: Vec<CustomField>,
    pub(super) tokens: Tokens,
    pub(super) quota: Quota,
    pub(super) running: Running,
    pub(super) cursors: Cursors,
    pub(super) jobs: Jobs,
    tables: [Table; Sobject::COUNT],
    changed_rows: BTreeSet<(Sobject, u64)>,
    /// One entry for each transaction that is open, the outermost first.
    undo: Vec<Undo>,
    grants_changed: bool,
    /// What an administrator leaves the integration user of fields, read and edit, by `Object.Field`.
    pub(super) withheld: BTreeMap<String, (bool, bool)>,
    /// When fields or grants last changed; None if a restart forgot it.
    pub(super) described: Option<Millis>,
}

impl Org {
    pub(super) fn new(config: SalesforceConfig) -> Self {
        let custom = config.starting_fields();
        let tables = Sobject::ALL.map(|object| Table::new(object, &custom));
        let mut org = Self {
            tokens: Tokens::new(&config),
            config,
            custom,
            quota: Quota::default(),
            running: Running::default(),
            cursors: Cursors::default(),
            jobs: Jobs::default(),
            tables,
            changed_rows: BTreeSet::new(),
            undo: Vec::new(),
            grants_changed: false,
            withheld: BTreeMap::new(),
            described: Some(FOUNDED),
        };
        org.seat_users();
        org
    }

    /// The two users that every org has: the integration user and a person.
    fn seat_users(&mut self) {
        let integration = self.config.username.clone();
        let users = [(ids::INTEGRATION_USER, integration.as_str(), "Integration"), (ids::PERSON_USER, "person@sandbox.example", "Sales")];
        for (id, name, first) in users {
            let mut row = Row::new(Actor::Person, FOUNDED);
            for (field, value) in [("Username", name), ("Email", name), ("FirstName", first), ("LastName", "User"), ("IsActive", "true")] {
                if let Some(number) = self.table(Sobject::User).schema.number(field) {
                    row.set(number, Some(value.into()));
                }
            }
            if let Some(serial) = ids::serial(Sobject::User.prefix(), id) {
                self.put(Sobject::User, serial, Some(row));
            }
        }
        self.changed_rows.clear();
    }

    /// Shows or hides a field of an object.
    pub(super) fn grant(&mut self, object: Sobject, name: &str, read: bool, edit: bool) {
        self.table_mut(object).schema.grant(name, read, edit);
    }

    /// Whether rows that grant fields changed since the last call.
    pub(super) fn take_grants_changed(&mut self) -> bool {
        std::mem::take(&mut self.grants_changed)
    }

    /// Takes a right to a field away on top of what is granted.
    pub(super) fn withhold(&mut self, object: Sobject, name: &str, read: bool, edit: bool) {
        self.table_mut(object).schema.withhold(name, read, edit);
    }

    fn note(&mut self, object: Sobject, serial: u64) {
        self.grants_changed |= matches!(object, Sobject::PermissionSet | Sobject::FieldPermissions | Sobject::PermissionSetAssignment);
        self.changed_rows.insert((object, serial));
    }

    pub(super) fn table(&self, object: Sobject) -> &Table {
        &self.tables[object as usize]
    }

    fn table_mut(&mut self, object: Sobject) -> &mut Table {
        &mut self.tables[object as usize]
    }

    /// Sets, replaces or removes a row.
    pub(super) fn put(&mut self, object: Sobject, serial: u64, row: Option<Row>) {
        let old = self.table_mut(object).put(serial, row);
        self.note(object, serial);
        if let Some(undo) = self.undo.last_mut() {
            undo.rows.push((object, serial, old));
        }
    }

    /// Changes a row where it stands.
    pub(super) fn change(&mut self, object: Sobject, serial: u64, change: impl FnOnce(&mut Row)) {
        if !self.undo.is_empty() {
            let old = self.table(object).rows.get(&serial).cloned();
            if let Some(undo) = self.undo.last_mut() {
                undo.rows.push((object, serial, old));
            }
        }
        self.table_mut(object).change(serial, change);
        self.note(object, serial);
    }

    /// The serial number for a new row.
    pub(super) fn next_serial(&mut self, object: Sobject) -> u64 {
        let table = self.table_mut(object);
        let serial = table.next;
        table.next += 1;
        serial
    }

    /// Sets the serial number of the next row.
    pub(super) fn set_next_serial(&mut self, object: Sobject, next: u64) {
        self.table_mut(object).next = next;
    }

    /// Opens a transaction, which may lie within another: `commit` or `rollback` closes it.
    pub(super) fn begin(&mut self) {
        self.undo.push(Undo { rows: Vec::new(), next: self.next_serials() });
    }

    /// Keeps what was written since `begin`, as far as the transaction around it is kept.
    pub(super) fn commit(&mut self) {
        if let (Some(undo), Some(outer)) = (self.undo.pop(), self.undo.last_mut()) {
            outer.rows.extend(undo.rows);
        }
    }

    /// Puts back what was there at `begin`.
    pub(super) fn rollback(&mut self) {
        let Some(undo) = self.undo.pop() else { return };
        for (object, serial, old) in undo.rows.into_iter().rev() {
            self.put(object, serial, old);
        }
        for (object, next) in Sobject::ALL.into_iter().zip(undo.next) {
            self.set_next_serial(object, next);
        }
    }

    /// The serial numbers of the next rows, in the order of `Sobject::ALL`.
    pub(super) fn next_serials(&self) -> [u64; Sobject::COUNT] {
        Sobject::ALL.map(|object| self.table(object).next)
    }

    /// Rows that changed since the last call.
    pub(super) fn drain_rows(&mut self) -> BTreeSet<(Sobject, u64)> {
        std::mem::take(&mut self.changed_rows)
    }

    /// Replaces the custom fields; rows keep their values by field name.
    pub(super) fn set_custom(&mut self, custom: Vec<CustomField>) {
        for object in Sobject::ALL {
            let schema = Schema::new(object, &custom);
            let table = self.table_mut(object);
            let before = std::mem::replace(&mut table.schema, schema);
            for row in table.rows.values_mut() {
                let values = std::mem::take(&mut row.fields);
                for (number, value) in values {
                    if let Some(number) = table.schema.stored_number(&before.field(number).name) {
                        row.set(number, Some(value));
                    }
                }
            }
            table.reindex();
        }
        self.custom = custom;
    }
}
