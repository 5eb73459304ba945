//! Writes one contact: checks every value, then uniqueness, then stores.
//!
//! Promises: a refused row changes nothing; all refused properties of a row are named at once; a lifecycle stage only moves
//! forward, silently, as HubSpot does it.
//! Leaves to others: which contact is meant (`contacts`, `batch`), what a refusal looks like in a batch (`batch_answer`).

use std::sync::Arc;

use super::account::Account;
use super::body::Properties;
use super::history::Touch;
use super::errors::{Invalid, Refusal, conflict_message, invalid_message};
use super::schema::STAGES;
use super::store::{Clash, Contact, Sets};
use super::values;
use crate::crm::InvalidInput;

/// Why one row was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RowError {
    /// Values that the schema forbids.
    Invalid(Vec<Invalid>),
    /// The email belongs to another live contact.
    Conflict(u64),
    /// A unique custom property's value belongs to another live contact.
    Clash(Clash),
    /// No live contact has this id.
    MissingId(String),
    /// No live contact has this value of the key property.
    MissingKey(String),
    /// The id was merged into another contact.
    MergedAway,
}

impl RowError {
    /// HTTP status and message when this refuses a whole request.
    pub(super) fn refusal(&self, portal_id: u64) -> Refusal {
        match self {
            Self::Invalid(invalid) => Refusal::invalid(portal_id, invalid),
            Self::Conflict(existing) => Refusal::conflict(Some(*existing)),
            Self::Clash(_) => Refusal::bad_request(self.message(portal_id)),
            Self::MissingId(_) | Self::MergedAway => Refusal::unknown_id(),
            Self::MissingKey(key) => Refusal::unknown_key(key),
        }
    }

    /// The message of the error, alone or in a batch.
    pub(super) fn message(&self, portal_id: u64) -> String {
        match self {
            Self::Invalid(invalid) => invalid_message(portal_id, invalid),
            Self::Conflict(existing) => conflict_message(Some(*existing)),
            Self::Clash(clash) => format!(
                "Cannot set PropertyValueCoordinates{{portalId={portal_id}, objectTypeId=ObjectTypeId{{legacyObjectType=CONTACT}}, \
                 propertyName={}, value={}}} on {}. {} already has that value.",
                clash.property, clash.value, clash.wanted_by, clash.held_by
            ),
            Self::MissingId(_) | Self::MissingKey(_) | Self::MergedAway => {
                "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.".to_owned()
            }
        }
    }
}

/// What a fault rule wants refused in one row.
pub(super) type Forced<'a> = Option<&'a InvalidInput>;

/// Makes a contact, or says why not.
pub(super) fn create(account: &mut Account, properties: &Properties<'_>, forced: Forced<'_>, touch: Touch) -> Result<u64, RowError> {
    let mut sets = checked(account, properties, None, forced)?;
    let has = |name: &str| sets.iter().any(|(key, value)| key.as_ref() == name && value.is_some());
    if account.config.switches.identity_required && !["email", "firstname", "lastname"].into_iter().any(has) {
        return Err(RowError::Invalid(vec![Invalid {
            property: "email".to_owned(),
            code: "MISSING_REQUIRED_PROPERTY".to_owned(),
            message: "A value for email must be provided".to_owned(),
        }]));
    }
    if !has("lifecyclestage") {
        sets.push((account.schema.intern("lifecyclestage"), Some("lead".into())));
    }
    refuse_clash(account, account.store.next_id(), &sets)?;
    Ok(account.store.create(sets, touch))
}

/// Changes a live contact, or says why not.
pub(super) fn update(account: &mut Account, id: u64, properties: &Properties<'_>, forced: Forced<'_>, touch: Touch) -> Result<(), RowError> {
    let contact = account.store.live(id).ok_or_else(|| RowError::MissingId(id.to_string()))?;
    let sets = checked(account, properties, Some(contact), forced)?;
    refuse_clash(account, id, &sets)?;
    account.store.update(id, sets, account.config.switches.unchanged_write_bumps, touch);
    Ok(())
}

fn refuse_clash(account: &Account, id: u64, sets: &Sets) -> Result<(), RowError> {
    match account.store.clash(id, sets) {
        Some(clash) if clash.property == "email" => Err(RowError::Conflict(clash.held_by)),
        Some(clash) => Err(RowError::Clash(clash)),
        None => Ok(()),
    }
}

fn checked(account: &Account, properties: &Properties<'_>, current: Option<&Contact>, forced: Forced<'_>) -> Result<Sets, RowError> {
    let mut sets = Sets::with_capacity(properties.len() + 1);
    let mut refused = Vec::new();
    for (name, value) in properties {
        let name = name.0.as_ref();
        let Some(property) = account.schema.get(name) else {
            refused.push(refuse(name, "PROPERTY_DOESNT_EXIST", format!("Property \"{name}\" does not exist")));
            continue;
        };
        if property.calculated {
            refused.push(refuse(name, "READ_ONLY_VALUE", format!("\"{name}\" is a calculated property; its value cannot be set.")));
            continue;
        }
        if value.0.is_none() && !account.config.switches.null_clears {
            continue;
        }
        let stored = current.and_then(|contact| contact.values.get(name));
        match values::check(property, value.text(), stored, &account.config.switches) {
            Ok(new) if name == "lifecyclestage" && is_backwards(stored, new.as_deref()) => {}
            Ok(Some(new)) if name == "email" && account.blocked.contains(new.as_ref()) => {
                refused.push(refuse(name, "GDPR_BLACKLISTED_EMAIL", format!("Email address {new} was deleted permanently")));
            }
            Ok(new) => sets.push((Arc::clone(&property.name), new)),
            Err(invalid) => refused.push(invalid),
        }
    }
    if let Some(forced) = forced {
        let usual = if forced.field == "email" { "INVALID_EMAIL" } else { "INVALID_ALPHA" };
        refused.push(refuse(&forced.field, forced.code.as_deref().unwrap_or(usual), forced.message.clone()));
    }
    if refused.is_empty() { Ok(sets) } else { Err(RowError::Invalid(refused)) }
}

fn refuse(name: &str, code: &str, message: String) -> Invalid {
    Invalid { property: name.to_owned(), code: code.to_owned(), message }
}

fn is_backwards(stored: Option<&str>, new: Option<&str>) -> bool {
    let place = |stage: &str| STAGES.iter().position(|known| *known == stage);
    match (stored.and_then(place), new.and_then(place)) {
        (Some(present), Some(wanted)) => wanted < present,
        _ => false,
    }
}
