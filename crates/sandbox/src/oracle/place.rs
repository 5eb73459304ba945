//! The systems, the objects in them, and which contact type goes where.
//!
//! Promises: the ready-made routings are those of the product's documentation; a type that a routing does not name
//! goes nowhere.
//! Leaves to others: when a record meets a changed routing (`fold`).

use std::collections::{BTreeMap, BTreeSet};

use crate::exchange::System;

/// The contact types that an event may name.
pub(super) const CONTACT_TYPES: [&str; 6] = ["lead", "customer", "prospect", "vendor", "partner", "employee"];

impl System {
    /// The field that holds our key.
    pub(super) const fn key_field(self) -> &'static str {
        match self {
            Self::Salesforce => "Syncline_Id__c",
            Self::HubSpot => "syncline_id",
        }
    }

    /// The object that takes contacts of that type.
    pub(super) fn object(self, contact_type: &str) -> &'static str {
        match (self, contact_type) {
            (Self::HubSpot, _) => "contacts",
            (Self::Salesforce, "lead" | "prospect") => "Lead",
            (Self::Salesforce, _) => "Contact",
        }
    }
}

/// Which contact types go to which systems.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Routing {
    /// Lead, prospect and employee to Salesforce; customer, partner and vendor to HubSpot.
    #[default]
    Default,
    /// All six types to Salesforce.
    SalesforceOnly,
    /// All six types to HubSpot.
    HubSpotOnly,
    /// As listed; a type that is not listed goes nowhere.
    Custom(BTreeMap<String, BTreeSet<System>>),
}

impl Routing {
    /// The systems that take that type.
    #[must_use]
    pub fn systems(&self, contact_type: &str) -> BTreeSet<System> {
        if !CONTACT_TYPES.contains(&contact_type) {
            return BTreeSet::new();
        }
        match self {
            Self::Default if matches!(contact_type, "lead" | "prospect" | "employee") => [System::Salesforce].into(),
            Self::Default | Self::HubSpotOnly => [System::HubSpot].into(),
            Self::SalesforceOnly => [System::Salesforce].into(),
            Self::Custom(routes) => routes.get(contact_type).cloned().unwrap_or_default(),
        }
    }

    /// The places of that type's records.
    pub(super) fn places(&self, contact_type: &str) -> BTreeSet<Place> {
        let place = |system: System| Place { system, object: system.object(contact_type) };
        self.systems(contact_type).into_iter().map(place).collect()
    }
}

/// One object of one system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) system: System,
    pub(super) object: &'static str,
}
