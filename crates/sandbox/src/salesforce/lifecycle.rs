//! What REST has no resource for: merges, conversions of leads, returns from the recycle bin, and deletions without it.
//!
//! Promises: each is whole or not at all, and looks from outside as Salesforce's own: losers are deleted and name their master,
//! a converted lead stays and names its contact, what comes back keeps its id.
//! Leaves to others: how they are asked for (`soap_calls`, `commands`). Opportunities are not kept, so a conversion makes none.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::errors::{self, Fault};
use super::ids;
use super::org::Org;
use super::record::Record;
use super::schema::Sobject;
use super::write::{Stamp, Verb};

/// Most rows of a merge, the master included.
const MERGE_MAX: usize = 3;
const CONVERTED: &str = "Closed - Converted";
/// Fields of a lead and those of the contact that they become.
const CARRIED: [(&str, &str); 17] = [
    ("LastName", "LastName"),
    ("FirstName", "FirstName"),
    ("Salutation", "Salutation"),
    ("Title", "Title"),
    ("Email", "Email"),
    ("Phone", "Phone"),
    ("MobilePhone", "MobilePhone"),
    ("Fax", "Fax"),
    ("LeadSource", "LeadSource"),
    ("Description", "Description"),
    ("Street", "MailingStreet"),
    ("City", "MailingCity"),
    ("State", "MailingState"),
    ("PostalCode", "MailingPostalCode"),
    ("Country", "MailingCountry"),
    ("Latitude", "MailingLatitude"),
    ("Longitude", "MailingLongitude"),
];

/// A conversion as it is asked for.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Conversion {
    /// The lead's id.
    pub(super) lead: String,
    /// The account to use; a new one with the lead's company if absent.
    pub(super) account: Option<String>,
    /// The contact to use; a new one with the lead's fields if absent.
    pub(super) contact: Option<String>,
    /// The status that the lead gets.
    pub(super) status: Option<String>,
}

/// What a conversion left.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Converted {
    pub(super) lead: String,
    pub(super) account: String,
    pub(super) contact: String,
}

impl Org {
    /// Merges rows into a master, whose fields may change with it; answers the losers' ids.
    pub(super) fn merge(&mut self, master: &str, losers: &[String], fields: &Map<String, Value>, stamp: Stamp) -> Result<Vec<String>, Vec<Fault>> {
        self.whole(|org| {
            let (object, serial) = org.row_of(master)?;
            if losers.is_empty() || losers.len() >= MERGE_MAX || !object.holds_data() {
                return Err(vec![Fault::row("INVALID_OPERATION", "a merge takes one or two rows besides the master", &[])]);
            }
            let losing = losers.iter().map(|id| org.row_of(id)).collect::<Result<Vec<_>, _>>()?;
            if losing.iter().any(|(other, number)| *other != object || *number == serial) {
                return Err(vec![Fault::row("INVALID_ID_FIELD", "rows to merge must be others of the master's object", &[])]);
            }
            let master = ids::make(object.prefix(), serial);
            for (_, loser) in &losing {
                org.set_stored(object, *loser, "MasterRecordId", &master);
                // Children move first: an account that is deleted takes its contacts with it.
                org.reparent(object, &ids::make(object.prefix(), *loser), &master, stamp);
                org.delete(object, *loser, stamp).map_err(|fault| vec![fault])?;
            }
            // Losers go first, so that the master may take over their unique values.
            let draft = org.draft(object, Record::from(fields), Verb::Update, &["Id"], stamp.actor)?;
            org.update(object, serial, draft, stamp)?;
            Ok(losing.iter().map(|(_, loser)| ids::make(object.prefix(), *loser)).collect())
        })
    }

    /// Converts a lead.
    pub(super) fn convert(&mut self, asked: &Conversion, stamp: Stamp) -> Result<Converted, Vec<Fault>> {
        self.whole(|org| {
            let (object, lead) = org.row_of(&asked.lead)?;
            if object != Sobject::Lead {
                return Err(vec![Fault::row("INVALID_ID_FIELD", "lead id is of another object", &[])]);
            }
            if org.stored(Sobject::Lead, lead, "IsConverted").as_deref() == Some("true") {
                return Err(vec![Fault::row("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", &[])]);
            }
            let status = asked.status.as_deref().unwrap_or(CONVERTED);
            if status != CONVERTED {
                return Err(vec![Fault::row("INVALID_STATUS", format!("invalid convertedStatus: {status}"), &[])]);
            }
            let account = match &asked.account {
                Some(id) => org.row_of(id).map(|(object, serial)| ids::make(object.prefix(), serial))?,
                None => {
                    let name = org.stored(Sobject::Lead, lead, "Company").unwrap_or_default();
                    org.made(Sobject::Account, &Map::from_iter([("Name".to_owned(), Value::String(name))]), stamp)?
                }
            };
            let contact = match &asked.contact {
                Some(id) => org.row_of(id).map(|(object, serial)| ids::make(object.prefix(), serial))?,
                None => {
                    let carried = CARRIED.iter().filter_map(|(from, to)| Some(((*to).to_owned(), Value::String(org.stored(Sobject::Lead, lead, from)?))));
                    let mut fields: Map<String, Value> = carried.collect();
                    fields.insert("AccountId".to_owned(), Value::String(account.clone()));
                    org.made(Sobject::Contact, &fields, stamp)?
                }
            };
            let day = Timestamp::from_millisecond(stamp.now).unwrap_or(Timestamp::UNIX_EPOCH).strftime("%Y-%m-%d").to_string();
            let changes =
                [("Status", status), ("ConvertedDate", &day), ("ConvertedAccountId", &account), ("ConvertedContactId", &contact), ("IsConverted", "true")];
            for (name, value) in changes {
                org.set_stored(Sobject::Lead, lead, name, value);
            }
            org.change(Sobject::Lead, lead, |row| row.touch(stamp.actor, stamp.now));
            Ok(Converted { lead: ids::make(Sobject::Lead.prefix(), lead), account, contact })
        })
    }

    /// Brings a row back from the recycle bin.
    pub(super) fn undelete(&mut self, id: &str, stamp: Stamp) -> Result<String, Vec<Fault>> {
        let (object, serial) = self.any_row_of(id)?;
        let table = self.table(object);
        let row = table.rows.get(&serial).filter(|row| row.deleted);
        let row = row.ok_or_else(|| vec![Fault::row("UNDELETE_FAILED", "Entity is not in the recycle bin", &[])])?;
        for (number, field) in table.schema.numbered().filter(|(_, field)| field.unique) {
            let taken = row.get(number).map(|value| table.matches(number, value).unwrap_or(&[]));
            if let Some([holder, ..]) = taken {
                let holder = ids::make(object.prefix(), *holder);
                let message = format!("duplicate value found: {} duplicates value on record with id: {holder}", field.name);
                return Err(vec![Fault::row("DUPLICATE_VALUE", message, &[])]);
            }
        }
        let master = table.schema.stored_number("MasterRecordId");
        self.change(object, serial, |row| {
            row.deleted = false;
            if let Some(master) = master {
                row.set(master, None);
            }
            row.touch(stamp.actor, stamp.now);
        });
        Ok(ids::make(object.prefix(), serial))
    }

    /// Removes a row for good, in the bin or not.
    pub(super) fn erase(&mut self, id: &str) -> Result<String, Vec<Fault>> {
        let (object, serial) = self.any_row_of(id)?;
        self.put(object, serial, None);
        Ok(ids::make(object.prefix(), serial))
    }

    /// Runs something that is undone if it fails.
    fn whole<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T, Vec<Fault>>) -> Result<T, Vec<Fault>> {
        self.begin();
        let done = run(self);
        if done.is_ok() { self.commit() } else { self.rollback() }
        done
    }

    fn any_row_of(&self, id: &str) -> Result<(Sobject, u64), Vec<Fault>> {
        let malformed = || vec![Fault::row("MALFORMED_ID", format!("malformed id {id}"), &[])];
        let read = ids::read(id).ok_or_else(malformed)?;
        let object = Sobject::of_id(&read).ok_or_else(malformed)?;
        let serial = ids::serial(object.prefix(), &read).filter(|serial| self.table(object).rows.contains_key(serial));
        serial.map(|serial| (object, serial)).ok_or_else(|| vec![errors::row_missing()])
    }

    fn row_of(&self, id: &str) -> Result<(Sobject, u64), Vec<Fault>> {
        let (object, serial) = self.any_row_of(id)?;
        self.live(object, serial).map_err(|fault| vec![fault])?;
        Ok((object, serial))
    }

    fn made(&mut self, object: Sobject, fields: &Map<String, Value>, stamp: Stamp) -> Result<String, Vec<Fault>> {
        let draft = self.draft(object, Record::from(fields), Verb::Create, &[], stamp.actor)?;
        Ok(ids::make(object.prefix(), self.create(object, draft, stamp)?))
    }

    fn stored(&self, object: Sobject, serial: u64, name: &str) -> Option<String> {
        let table = self.table(object);
        table.rows.get(&serial)?.get(table.schema.stored_number(name)?).map(str::to_owned)
    }

    fn set_stored(&mut self, object: Sobject, serial: u64, name: &str, value: &str) {
        if let Some(number) = self.table(object).schema.stored_number(name) {
            self.change(object, serial, |row| row.set(number, Some(value.into())));
        }
    }

    /// Points the children of a row at another.
    fn reparent(&mut self, object: Sobject, from: &str, to: &str, stamp: Stamp) {
        let (children, name) = match object {
            Sobject::Account => (Sobject::Contact, "AccountId"),
            Sobject::Contact => (Sobject::Contact, "ReportsToId"),
            Sobject::Lead | Sobject::User | Sobject::PermissionSet | Sobject::FieldPermissions | Sobject::PermissionSetAssignment => return,
        };
        let table = self.table(children);
        let Some(number) = table.schema.stored_number(name) else { return };
        let theirs: Vec<u64> =
            table.rows.iter().filter(|(_, row)| !row.deleted && row.get(number) == Some(from)).map(|(serial, _)| *serial).collect();
        for serial in theirs {
            self.change(children, serial, |row| {
                row.set(number, Some(to.into()));
                row.touch(stamp.actor, stamp.now);
            });
        }
    }
}
