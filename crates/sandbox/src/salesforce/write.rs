//! Whether a row may be written, and the writing.
//!
//! Promises: a write is either applied whole or answered with all faults of its values; an unknown or read-only
//! field is answered before any value is looked at; every applied write moves the row's stamp and write count.
//! Leaves to others: one kind of value (`values`), which rows a request names (`rows`, `collections`).

use super::duplicates::Wish;
use super::errors::{self, Fault};
use super::org::{Actor, Org, Row};
use super::record::Record;
use super::schema::{Field, Kind, Schema, Sobject, Source};
use super::{ids, values};
use crate::exchange::Millis;

/// Whether values are for a new row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Create,
    Update,
}

/// Values that passed validation.
#[derive(Debug)]
pub(super) struct Draft(Vec<(u16, Option<Box<str>>)>);

/// Who writes, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stamp {
    pub(super) actor: Actor,
    pub(super) now: Millis,
    /// What the client's headers ask of the write.
    pub(super) wish: Wish,
}

impl Stamp {
    /// A write whose caller asks for nothing in particular.
    pub(super) fn plain(actor: Actor, now: Millis) -> Self {
        Self { actor, now, wish: Wish::default() }
    }
}

impl Draft {
    /// The value that a field is to get, None within to clear it; None if it stays.
    pub(super) fn value(&self, number: u16) -> Option<Option<&str>> {
        self.0.iter().rev().find(|(changed, _)| *changed == number).map(|(_, value)| value.as_deref())
    }

    /// Sets a field whatever it was to get.
    pub(super) fn set(&mut self, number: u16, value: &str) {
        self.0.retain(|(changed, _)| *changed != number);
        self.0.push((number, Some(value.into())));
    }

    /// Changes the value that a field is to get, if it is to get one; an empty one clears it.
    pub(super) fn change(&mut self, number: u16, change: impl Fn(&str) -> String) {
        for (_, value) in self.0.iter_mut().filter(|(changed, _)| *changed == number) {
            *value = value.as_deref().map(&change).filter(|changed| !changed.is_empty()).map(Into::into);
        }
    }
}

impl Org {
    /// Validates the members of a JSON object, leaving out those named in `skip`.
    pub(super) fn draft(&self, object: Sobject, body: Record<'_>, verb: Verb, skip: &[&str], actor: Actor) -> Result<Draft, Vec<Fault>> {
        let schema = &self.table(object).schema;
        let (mut changes, mut faults, mut blocked) = (Vec::with_capacity(body.0.len()), Vec::new(), Vec::new());
        for (name, value) in body.0 {
            if name == "attributes" || skip.iter().any(|skipped| skipped.eq_ignore_ascii_case(&name)) {
                continue;
            }
            let Some(number) = schema.number(&name) else { return Err(vec![errors::no_such_column(&name, object.name())]) };
            let field = schema.field(number);
            if field.kind == Kind::Id && (value.is_null() || value == "") {
                continue;
            }
            if !may_write(field, verb, actor) {
                blocked.push(field.name.as_str());
                continue;
            }
            if verb == Verb::Create && field.defaulted && value.is_null() {
                continue;
            }
            match values::read(field, value, &self.config).and_then(|value| self.refer(field, value)) {
                Ok(value) => changes.push((number, value)),
                Err(fault) => faults.push(fault),
            }
        }
        if !blocked.is_empty() {
            return Err(vec![not_writable(&blocked)]);
        }
        faults.splice(0..0, missing(schema, &changes, &faults, verb));
        if faults.is_empty() { Ok(Draft(changes)) } else { Err(faults) }
    }

    /// Adds a row; answers its serial number.
    pub(super) fn create(&mut self, object: Sobject, mut draft: Draft, stamp: Stamp) -> Result<u64, Vec<Fault>> {
        self.automate(object, &mut draft, stamp);
        self.check_unique(object, &draft, None)?;
        self.check_duplicates(object, &draft, None, stamp)?;
        let mut row = Row::new(stamp.actor, stamp.now);
        let schema = &self.table(object).schema;
        for (number, field) in schema.numbered().filter(|(_, field)| field.defaulted && field.source == Source::Stored) {
            row.set(number, default(field, stamp.actor));
        }
        for (number, value) in draft.0 {
            row.set(number, value);
        }
        let serial = self.next_serial(object);
        self.put(object, serial, Some(row));
        Ok(serial)
    }

    /// Changes a live row.
    pub(super) fn update(&mut self, object: Sobject, serial: u64, mut draft: Draft, stamp: Stamp) -> Result<(), Vec<Fault>> {
        self.automate(object, &mut draft, stamp);
        let row = self.live(object, serial).map_err(|fault| vec![fault])?;
        let converted = self.table(object).schema.number("IsConverted").and_then(|number| row.get(number)) == Some("true");
        if converted && stamp.actor == Actor::Client {
            return Err(vec![Fault::row("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", &[])]);
        }
        self.check_unique(object, &draft, Some(serial))?;
        self.check_duplicates(object, &draft, Some(serial), stamp)?;
        self.change(object, serial, |row| {
            for (number, value) in draft.0 {
                row.set(number, value);
            }
            row.touch(stamp.actor, stamp.now);
        });
        Ok(())
    }

    /// Moves a live row to the recycle bin; an account takes its contacts with it.
    pub(super) fn delete(&mut self, object: Sobject, serial: u64, stamp: Stamp) -> Result<(), Fault> {
        self.live(object, serial)?;
        if object == Sobject::Account {
            for contact in self.contacts_of(&ids::make(object.prefix(), serial)) {
                self.delete(Sobject::Contact, contact, stamp)?;
            }
        }
        self.change(object, serial, |row| {
            row.deleted = true;
            row.touch(stamp.actor, stamp.now);
        });
        Ok(())
    }

    fn contacts_of(&self, account: &str) -> Vec<u64> {
        let table = self.table(Sobject::Contact);
        let Some(number) = table.schema.stored_number("AccountId") else { return Vec::new() };
        table.rows.iter().filter(|(_, row)| !row.deleted && row.get(number) == Some(account)).map(|(serial, _)| *serial).collect()
    }

    /// The live row of that serial number, or why there is none.
    pub(super) fn live(&self, object: Sobject, serial: u64) -> Result<&Row, Fault> {
        let row = self.table(object).rows.get(&serial).ok_or_else(errors::row_missing)?;
        if row.deleted { Err(errors::row_deleted()) } else { Ok(row) }
    }

    fn check_unique(&self, object: Sobject, draft: &Draft, own: Option<u64>) -> Result<(), Vec<Fault>> {
        let table = self.table(object);
        for (number, value) in &draft.0 {
            let field = table.schema.field(*number);
            let Some(value) = value.as_deref().filter(|_| field.unique) else { continue };
            let taken = table.matches(*number, value).unwrap_or(&[]).iter().find(|serial| Some(**serial) != own);
            if let Some(serial) = taken {
                let id = ids::make(object.prefix(), *serial);
                let shown = if self.config.duplicate_id_short { &id[..15] } else { &id };
                let message = format!("duplicate value found: {} duplicates value on record with id: {shown}", field.name);
                return Err(vec![Fault::row("DUPLICATE_VALUE", message, &[])]);
            }
        }
        Ok(())
    }

    /// Refuses a reference to a row that is not there. An account that this org never made is taken on trust.
    fn refer(&self, field: &Field, value: Option<Box<str>>) -> Result<Option<Box<str>>, Fault> {
        let Some(id) = value.as_deref() else { return Ok(value) };
        let live = |object: Sobject| ids::serial(object.prefix(), id).is_some_and(|serial| self.live(object, serial).is_ok());
        let known = match (field.name.as_str(), field.kind) {
            ("Field", Kind::Text) => self.has_field(id),
            (_, kind) if kind != Kind::Reference => true,
            ("OwnerId", _) => live(Sobject::User) || id.starts_with("00G"),
            ("AssigneeId", _) => live(Sobject::User),
            ("ReportsToId", _) => live(Sobject::Contact),
            ("PermissionSetId", _) => live(Sobject::PermissionSet),
            ("ParentId", _) if !id.starts_with(Sobject::Account.prefix()) => live(Sobject::PermissionSet),
            ("AccountId" | "ParentId", _) => {
                let made = ids::serial(Sobject::Account.prefix(), id).is_some_and(|serial| serial >= Sobject::Account.first_serial());
                id.starts_with(Sobject::Account.prefix()) && (!made || live(Sobject::Account))
            }
            _ => true,
        };
        match (known, field.kind) {
            (true, _) => Ok(value),
            (false, Kind::Reference) => Err(Fault::row("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[])),
            (false, _) => {
                let message = format!("{}: bad value for restricted picklist field: {id}", field.label);
                Err(Fault::row("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, &[&field.name]))
            }
        }
    }

    /// Whether `Object.Field` names a field, visible or not.
    fn has_field(&self, path: &str) -> bool {
        let (object, name) = path.split_once('.').unwrap_or((path, ""));
        Sobject::named(object).is_some_and(|object| self.table(object).schema.stored_number(name).is_some())
    }
}

fn may_write(field: &Field, verb: Verb, actor: Actor) -> bool {
    let api = match verb {
        Verb::Create => field.createable,
        Verb::Update => field.updateable,
    };
    api || actor == Actor::Person && field.source == Source::Stored
}

fn not_writable(names: &[&str]) -> Fault {
    let message = format!(
        "Unable to create/update fields: {}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.",
        names.join(", ")
    );
    Fault::row("INVALID_FIELD_FOR_INSERT_UPDATE", message, names)
}

/// The fault that lists required fields without a value, if any; a field that already has a fault is not missing.
fn missing(schema: &Schema, changes: &[(u16, Option<Box<str>>)], faults: &[Fault], verb: Verb) -> Option<Fault> {
    let names: Vec<&str> = schema
        .numbered()
        .filter(|(_, field)| !field.nillable && field.source == Source::Stored)
        .filter(|(number, field)| {
            let change = changes.iter().find(|(changed, _)| changed == number);
            let faulty = || faults.iter().any(|fault| fault.fields.as_ref().is_some_and(|fields| fields.contains(&field.name)));
            match (change, verb) {
                (Some((_, value)), _) => value.is_none(),
                (None, Verb::Create) => field.is_required() && !faulty(),
                (None, Verb::Update) => false,
            }
        })
        .map(|(_, field)| field.name.as_str())
        .collect();
    (!names.is_empty())
        .then(|| Fault::row("REQUIRED_FIELD_MISSING", format!("Required fields are missing: [{}]", names.join(", ")), &names))
}

fn default(field: &Field, actor: Actor) -> Option<Box<str>> {
    let text = match field.name.as_str() {
        "OwnerId" => match actor {
            Actor::Client => ids::INTEGRATION_USER,
            Actor::Person => ids::PERSON_USER,
        },
        "Status" => "Open - Not Contacted",
        _ if field.kind == Kind::Boolean => "false",
        _ => return None,
    };
    Some(text.into())
}
