//! How a boundary uses one of their objects: its key field and the fields that we write.
//!
//! Promises: derived from the terms alone, so that what is checked at connect is what will be sent.
//! Leaves to others: looking whether the object has them (each system's `schema`).

use std::collections::{BTreeMap, BTreeSet};

use syncline_core::boundary::RecordAuthority;
use syncline_core::terms::Terms;

use super::findings::{Form, Spot, Want, wanted_by};

/// The longest number of a write, in digits.
const MARKER_LENGTH: usize = 19;

/// What we need of one object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ObjectUse {
    /// Their field that holds our key.
    pub key_field: String,
    /// Fields that creates and updates write.
    pub written: BTreeSet<String>,
    /// Fields that only creates write.
    pub filled: BTreeSet<String>,
    /// What is wanted of each of them, as far as the terms tell.
    pub wants: BTreeMap<String, Want>,
}

/// The objects of a system by name.
pub type ObjectUses = BTreeMap<String, ObjectUse>;

/// How the terms use each of the system's objects.
#[must_use]
pub fn uses(terms: &Terms) -> ObjectUses {
    let mut used = ObjectUse { key_field: terms.key_field.clone(), ..ObjectUse::default() };
    for row in &terms.rows {
        if row.ours.iter().all(|field| terms.boundary.excluded_fields.contains(field)) {
            continue;
        }
        let fields = match row.authority {
            RecordAuthority::SystemB => &mut used.filled,
            RecordAuthority::SystemA | RecordAuthority::Shared | RecordAuthority::Manual => &mut used.written,
        };
        fields.extend(row.theirs.iter().cloned());
        let want = wanted_by(row);
        used.wants.extend(row.theirs.iter().map(|field| (field.clone(), want.clone())));
    }
    if let Some(marker) = &terms.marker {
        used.written.insert(marker.clone());
        used.wants.insert(marker.clone(), Want { spot: Spot::Key, form: Form::Text, length: Some(MARKER_LENGTH), values: BTreeSet::new() });
    }
    let with_fillers = |object: &String| {
        let mut used = used.clone();
        used.filled.extend(terms.fillers.get(object).into_iter().flatten().map(|(field, _)| field.clone()));
        for (field, value) in terms.fillers.get(object).into_iter().flatten() {
            let spot = Spot::Filler(object.clone(), field.clone());
            used.wants.insert(field.clone(), Want { spot, form: Form::Text, length: Some(value.chars().count()), values: [value.clone()].into() });
        }
        for (field, rule) in terms.rules.get(object).into_iter().flatten() {
            if let Some(want) = used.wants.get_mut(field) {
                want.length = want.length.or(rule.length_max);
            }
        }
        used.filled.retain(|field| !used.written.contains(field));
        (object.clone(), used)
    };
    terms.objects.values().map(with_fillers).collect()
}

/// Adds another boundary's uses of the same system.
///
/// # Errors
/// The object for which the two name different key fields.
pub fn merge(into: &mut ObjectUses, more: ObjectUses) -> Result<(), String> {
    for (object, used) in more {
        let known =
            into.entry(object.clone()).or_insert_with(|| ObjectUse { key_field: used.key_field.clone(), ..ObjectUse::default() });
        if known.key_field != used.key_field {
            return Err(object);
        }
        known.written.extend(used.written);
        known.filled.extend(used.filled);
        known.wants.extend(used.wants);
    }
    Ok(())
}
