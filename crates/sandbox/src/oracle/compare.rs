//! Holds what the CRMs have against what they must have.
//!
//! Promises: every difference is told once, in a stable order, with both values; deleted records and records without
//! our key are nobody's business.
//! Leaves to others: what is expected (`expect`), which records may differ (the caller's `excused`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::expect::{self, Expected};
use super::place::{CONTACT_TYPES, Place};
use super::{Oracle, Routing, System};
use crate::crm::StoredRecord;

/// One thing that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The CRM.
    pub system: System,
    /// The object in question.
    pub object: String,
    /// Our key.
    pub key: String,
    /// What is wrong.
    pub kind: DifferenceKind,
}

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DifferenceKind {
    /// It should be there and is not.
    Missing,
    /// It is there and should not be.
    Extra {
        /// The CRM's id.
        id: String,
    },
    /// A field has another value; None is unset.
    WrongField {
        /// The CRM's id.
        id: String,
        /// The CRM's field name.
        field: String,
        /// What it must hold.
        expected: Option<String>,
        /// What it holds.
        actual: Option<String>,
    },
    /// More than one live record of the system bears the key.
    Duplicate {
        /// Object and CRM's id of each.
        records: Vec<(String, String)>,
    },
    /// More records came into being, deleted ones included, than the events call for.
    CreatedTooOften {
        /// How many records the CRM knows.
        stored: usize,
        /// How many times the record could rightly be created.
        warranted: u32,
    },
}

type Live<'a> = BTreeMap<(System, &'a str), Vec<&'a StoredRecord>>;

impl Oracle {
    /// Every difference between what the CRMs hold and what they must hold.
    ///
    /// `excused` says for which records (system and key) the state may be any, because they are dead letters; two live
    /// records in one object are never excused.
    #[must_use]
    pub fn compare(
        &self,
        actual: &[(System, StoredRecord)],
        excused: &dyn Fn(&System, &str) -> bool,
    ) -> Vec<Difference> {
        let live = live_by_key(actual);
        let expected = self.expected();
        let expected: BTreeMap<(System, &str), &Expected> =
            expected.iter().map(|record| ((record.system, record.key.as_str()), record)).collect();
        let all: BTreeSet<&(System, &str)> = expected.keys().chain(live.keys()).collect();
        let mut differences = Vec::new();
        for &(system, key) in all {
            let found = live.get(&(system, key)).map_or(&[][..], Vec::as_slice);
            let judge = Judge { system, key, found, canonical: self.canonical };
            let excused = excused(&system, key);
            judge.duplicates(excused, &mut differences);
            if !excused {
                judge.state(expected.get(&(system, key)).copied(), &mut differences);
            }
        }
        differences
    }

    /// Records that were created more often than the events call for, by all that the CRMs ever stored.
    ///
    /// Not for runs in which people delete records in a CRM and these are created anew.
    #[must_use]
    pub fn excess_creates(&self, actual: &[(System, StoredRecord)]) -> Vec<Difference> {
        let mut stored: BTreeMap<(System, &str, &str), usize> = BTreeMap::new();
        for (system, record) in actual {
            if let Some(key) = key_of(*system, record) {
                *stored.entry((*system, key, record.object.as_str())).or_default() += 1;
            }
        }
        let excess = stored.into_iter().filter_map(|((system, key, object), stored)| {
            let warranted = known_place(system, object).map_or(0, |place| self.arrivals(key, place));
            let too_often = stored > usize::try_from(warranted).unwrap_or(usize::MAX);
            too_often.then(|| Difference {
                system,
                object: object.to_owned(),
                key: key.to_owned(),
                kind: DifferenceKind::CreatedTooOften { stored, warranted },
            })
        });
        excess.collect()
    }
}

fn live_by_key(actual: &[(System, StoredRecord)]) -> Live<'_> {
    let mut live = Live::new();
    for (system, record) in actual.iter().filter(|(_, record)| !record.deleted) {
        if let Some(key) = key_of(*system, record) {
            live.entry((*system, key)).or_default().push(record);
        }
    }
    for records in live.values_mut() {
        records.sort_by(|one, other| (&one.object, &one.id).cmp(&(&other.object, &other.id)));
    }
    live
}

fn key_of(system: System, record: &StoredRecord) -> Option<&str> {
    record.fields.get(system.key_field()).map(String::as_str).filter(|key| !key.is_empty())
}

/// The place of that name, if any contact type can come there.
fn known_place(system: System, object: &str) -> Option<Place> {
    let routing = match system {
        System::Salesforce => Routing::SalesforceOnly,
        System::HubSpot => Routing::HubSpotOnly,
    };
    CONTACT_TYPES.iter().flat_map(|name| routing.places(name)).find(|place| place.object == object)
}

/// One key in one system.
struct Judge<'a> {
    system: System,
    key: &'a str,
    found: &'a [&'a StoredRecord],
    canonical: bool,
}

impl Judge<'_> {
    fn difference(&self, object: &str, kind: DifferenceKind) -> Difference {
        Difference { system: self.system, object: object.to_owned(), key: self.key.to_owned(), kind }
    }

    /// Records are sorted by object, so that neighbours tell whether one object has two.
    fn duplicates(&self, excused: bool, differences: &mut Vec<Difference>) {
        let same_object = self.found.windows(2).any(|pair| pair[0].object == pair[1].object);
        if let [first, _, ..] = self.found
            && (same_object || !excused)
        {
            let records = self.found.iter().map(|record| (record.object.clone(), record.id.clone())).collect();
            differences.push(self.difference(&first.object, DifferenceKind::Duplicate { records }));
        }
    }

    fn state(&self, expected: Option<&Expected>, differences: &mut Vec<Difference>) {
        let wanted = expected.map(|expected| expected.object);
        let (right, wrong): (Vec<&StoredRecord>, Vec<&StoredRecord>) =
            self.found.iter().copied().partition(|record| wanted == Some(record.object.as_str()));
        if let Some(object) = wanted
            && right.is_empty()
        {
            differences.push(self.difference(object, DifferenceKind::Missing));
        }
        for record in wrong {
            differences.push(self.difference(&record.object, DifferenceKind::Extra { id: record.id.clone() }));
        }
        for record in right {
            self.fields(expected, record, differences);
        }
    }

    fn fields(&self, expected: Option<&Expected>, record: &StoredRecord, differences: &mut Vec<Difference>) {
        for field in expect::judged_fields(self.system, &record.object) {
            let expected = expected.and_then(|expected| expected.fields.get(field));
            let actual = record.fields.get(field).filter(|value| !value.is_empty());
            let same = match (expected, actual) {
                (Some(one), Some(other)) if self.canonical => expect::canonically_equal(field, one, other),
                (one, other) => one == other,
            };
            if !same {
                let kind = DifferenceKind::WrongField {
                    id: record.id.clone(),
                    field: field.to_owned(),
                    expected: expected.cloned(),
                    actual: actual.cloned(),
                };
                differences.push(self.difference(&record.object, kind));
            }
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { system, object, key, kind } = self;
        write!(f, "{system} {object} {key}: ")?;
        match kind {
            DifferenceKind::Missing => f.write_str("missing"),
            DifferenceKind::Extra { id } => write!(f, "{id} should not be there"),
            DifferenceKind::WrongField { id, field, expected, actual } => {
                let (expected, actual) = (shown(expected.as_ref()), shown(actual.as_ref()));
                write!(f, "{id} has {field} {actual}, must have {expected}")
            }
            DifferenceKind::Duplicate { records } => {
                write!(f, "{} live records:", records.len())?;
                records.iter().try_for_each(|(object, id)| write!(f, " {object} {id}"))
            }
            DifferenceKind::CreatedTooOften { stored, warranted } => {
                write!(f, "created {stored} times, {warranted} at most were called for")
            }
        }
    }
}

fn shown(value: Option<&String>) -> String {
    value.map_or_else(|| "unset".to_owned(), |value| format!("{value:?}"))
}
