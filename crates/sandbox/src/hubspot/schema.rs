//! The property definitions of contacts.
//!
//! Promises: names are unique and never removed; a unique property is unique from its creation on.
//! Leaves to others: checking values (`values`), the routes (`properties`).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::config::{ExtraProperty, HubSpotConfig};
use crate::exchange::Millis;

/// The value type of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    String,
    Number,
    Bool,
    Enumeration,
    Date,
    Datetime,
    PhoneNumber,
}

/// One allowed value of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Choice {
    pub(super) label: String,
    pub(super) value: String,
    #[serde(default)]
    pub(super) display_order: i64,
    #[serde(default)]
    pub(super) hidden: bool,
}

/// One property definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Property {
    #[serde(with = "shared_text")]
    pub(super) name: Arc<str>,
    pub(super) label: String,
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    pub(super) field_type: String,
    #[serde(default)]
    pub(super) description: String,
    pub(super) group_name: String,
    #[serde(default)]
    pub(super) options: Vec<Choice>,
    #[serde(default)]
    pub(super) has_unique_value: bool,
    #[serde(default)]
    pub(super) form_field: bool,
    #[serde(default)]
    pub(super) calculated: bool,
    #[serde(default)]
    pub(super) external_options: bool,
    #[serde(default)]
    pub(super) hubspot_defined: bool,
    #[serde(default)]
    pub(super) created_at: Millis,
    #[serde(default)]
    pub(super) updated_at: Millis,
    #[serde(default)]
    pub(super) is_archived: bool,
    #[serde(default)]
    pub(super) hidden: bool,
    #[serde(default = "last")]
    pub(super) display_order: i64,
}

fn last() -> i64 {
    -1
}

/// Writes and reads a shared text as a plain one.
mod shared_text {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
        String::deserialize(deserializer).map(Arc::from)
    }
}

/// All properties of contacts, by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Schema {
    pub(super) by_name: BTreeMap<Arc<str>, Property>,
    /// Archived ones: their values stay stored, but nobody sees or writes them.
    pub(super) archived: BTreeMap<Arc<str>, Property>,
}

const TEXT: [&str; 17] = [
    "email", "firstname", "lastname", "jobtitle", "company", "website", "address", "city", "state", "zip", "country", "fax", "message",
    "hs_language", "hs_timezone", "industry", "salutation",
];

/// Properties that HubSpot fills in itself, in alphabetical order.
pub(super) const CALCULATED: [(&str, Kind); 26] = [
    ("createdate", Kind::Datetime),
    ("hs_additional_emails", Kind::Enumeration),
    ("hs_all_contact_vids", Kind::Enumeration),
    ("hs_calculated_merged_vids", Kind::Enumeration),
    ("hs_email_domain", Kind::String),
    ("hs_full_name_or_email", Kind::String),
    ("hs_is_contact", Kind::Bool),
    ("hs_is_unworked", Kind::Bool),
    ("hs_lifecyclestage_customer_date", Kind::Datetime),
    ("hs_lifecyclestage_evangelist_date", Kind::Datetime),
    ("hs_lifecyclestage_lead_date", Kind::Datetime),
    ("hs_lifecyclestage_marketingqualifiedlead_date", Kind::Datetime),
    ("hs_lifecyclestage_opportunity_date", Kind::Datetime),
    ("hs_lifecyclestage_other_date", Kind::Datetime),
    ("hs_lifecyclestage_salesqualifiedlead_date", Kind::Datetime),
    ("hs_lifecyclestage_subscriber_date", Kind::Datetime),
    ("hs_marketable_status", Kind::Bool),
    ("hs_marketable_until_renewal", Kind::Bool),
    ("hs_merged_object_ids", Kind::Enumeration),
    ("hs_object_id", Kind::Number),
    ("hs_object_source", Kind::Enumeration),
    ("hs_object_source_id", Kind::String),
    ("hs_object_source_label", Kind::Enumeration),
    ("hs_pipeline", Kind::Enumeration),
    ("hs_searchable_calculated_phone_number", Kind::String),
    ("lastmodifieddate", Kind::Datetime),
];

/// Lifecycle stages from first to last; a write may only move forward.
pub(super) const STAGES: [&str; 8] = [
    "subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "evangelist", "other",
];

const LEAD_STATUSES: [&str; 8] =
    ["NEW", "OPEN", "IN_PROGRESS", "OPEN_DEAL", "UNQUALIFIED", "ATTEMPTED_TO_CONTACT", "CONNECTED", "BAD_TIMING"];

impl Schema {
    /// The standard properties and those that the configuration adds.
    pub(super) fn new(config: &HubSpotConfig) -> Self {
        let mut schema = Self::default();
        for name in TEXT {
            schema.add(standard(name, Kind::String));
        }
        for name in ["phone", "mobilephone"] {
            schema.add(Property { field_type: "phonenumber".to_owned(), ..standard(name, Kind::String) });
        }
        for (name, kind) in CALCULATED {
            schema.add(Property { calculated: true, ..standard(name, kind) });
        }
        for (name, values) in [("lifecyclestage", &STAGES), ("hs_lead_status", &LEAD_STATUSES)] {
            schema.add(Property { field_type: "radio".to_owned(), options: choices(values), ..standard(name, Kind::Enumeration) });
        }
        schema.add(Property { external_options: true, ..standard("hubspot_owner_id", Kind::Enumeration) });
        if config.has_external_key {
            schema.add(custom(&ExtraProperty {
                name: "syncline_id".to_owned(),
                kind: "string".to_owned(),
                unique: true,
                options: Vec::new(),
            }));
        }
        for extra in &config.properties {
            schema.add(custom(extra));
        }
        schema
    }

    pub(super) fn add(&mut self, property: Property) {
        self.by_name.remove(&property.name);
        self.archived.remove(&property.name);
        let into = if property.is_archived { &mut self.archived } else { &mut self.by_name };
        into.insert(Arc::clone(&property.name), property);
    }

    pub(super) fn get(&self, name: &str) -> Option<&Property> {
        self.by_name.get(name)
    }

    /// A property, archived or not.
    pub(super) fn any(&self, name: &str) -> Option<&Property> {
        self.by_name.get(name).or_else(|| self.archived.get(name))
    }

    /// The shared text of a property's name; a name that is not defined gets a text of its own.
    pub(super) fn intern(&self, name: &str) -> Arc<str> {
        self.by_name.get_key_value(name).map_or_else(|| Arc::from(name), |(key, _)| Arc::clone(key))
    }

    /// Whether the property may look a contact up: `email`, or one with unique values.
    pub(super) fn is_key(&self, name: &str) -> bool {
        name == "email" || self.get(name).is_some_and(|property| property.has_unique_value)
    }
}

fn choices(values: &[impl AsRef<str>]) -> Vec<Choice> {
    (0..)
        .zip(values)
        .map(|(display_order, value)| Choice {
            label: value.as_ref().to_owned(),
            value: value.as_ref().to_owned(),
            display_order,
            hidden: false,
        })
        .collect()
}

fn standard(name: &str, kind: Kind) -> Property {
    Property {
        name: Arc::from(name),
        label: name.to_owned(),
        kind,
        field_type: default_field_type(kind).to_owned(),
        description: String::new(),
        group_name: "contactinformation".to_owned(),
        options: Vec::new(),
        has_unique_value: false,
        form_field: true,
        calculated: false,
        external_options: false,
        hubspot_defined: true,
        created_at: 0,
        updated_at: 0,
        is_archived: false,
        hidden: false,
        display_order: -1,
    }
}

fn custom(extra: &ExtraProperty) -> Property {
    let kind = serde_json::from_value(serde_json::Value::String(extra.kind.clone())).unwrap_or(Kind::String);
    Property {
        options: choices(&extra.options),
        has_unique_value: extra.unique,
        hubspot_defined: false,
        form_field: false,
        ..standard(&extra.name, kind)
    }
}

fn default_field_type(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "text",
        Kind::Number => "number",
        Kind::Bool => "booleancheckbox",
        Kind::Enumeration => "select",
        Kind::Date | Kind::Datetime => "date",
        Kind::PhoneNumber => "phonenumber",
    }
}
