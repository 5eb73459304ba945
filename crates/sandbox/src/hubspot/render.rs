//! A contact as HubSpot's answers show it.
//!
//! Promises: property values are text or null, keys in alphabetical order; writes show everything stored and computed, reads
//! show what was asked for and three properties that always come along.
//! Leaves to others: the envelopes around records (`batch`, `search`, `contacts`).

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::account::Account;
use super::schema::CALCULATED;
use super::stamp;
use super::store::Contact;

/// Which properties an answer shows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shown<'a> {
    /// All that are stored or computed: answers to writes.
    Stored,
    /// These, null where unset.
    Chosen(&'a [String]),
}

/// What reads show when nothing is asked for.
pub(super) const DEFAULTS: [&str; 6] = ["createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"];

const ALWAYS: [&str; 3] = ["createdate", "hs_object_id", "lastmodifieddate"];

/// The property names of a read, sorted; undefined names are left out without a word.
pub(super) fn chosen<'a>(account: &Account, asked: impl Iterator<Item = &'a str>) -> Vec<String> {
    with(defined(account, asked), &ALWAYS.map(str::to_owned))
}

/// The names among the asked ones that are defined, sorted.
pub(super) fn defined<'a>(account: &Account, asked: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = asked.filter(|name| account.schema.get(name).is_some()).map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Names with those of further properties, sorted.
pub(super) fn with(mut names: Vec<String>, further: &[String]) -> Vec<String> {
    names.extend_from_slice(further);
    names.sort_unstable();
    names.dedup();
    names
}

/// One record in an answer.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record<'a> {
    id: String,
    properties: PropertyMap<'a>,
    created_at: String,
    updated_at: String,
    archived: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    archived_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) new: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) object_write_trace_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) properties_with_history: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) associations: Option<serde_json::Value>,
    url: String,
}

#[derive(Debug)]
struct PropertyMap<'a>(Vec<(&'a str, Option<Cow<'a, str>>)>);

impl Serialize for PropertyMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// The record of a contact.
pub(super) fn record<'a>(account: &Account, contact: &'a Contact, shown: Shown<'a>) -> Record<'a> {
    let properties = match shown {
        Shown::Stored => stored(contact),
        Shown::Chosen(names) => names.iter().map(|name| (name.as_str(), value(contact, name))).collect(),
    };
    Record {
        id: contact.id.to_string(),
        properties: PropertyMap(properties),
        created_at: stamp::iso(contact.created_at),
        updated_at: stamp::iso(contact.updated_at),
        archived: contact.archived_at.is_some(),
        archived_at: contact.archived_at.map(stamp::iso),
        new: None,
        object_write_trace_id: None,
        properties_with_history: None,
        associations: None,
        url: url(account, contact.id),
    }
}

/// The address of a contact's page.
pub(super) fn url(account: &Account, id: u64) -> String {
    format!("https://app.hubspot.com/contacts/{}/record/0-1/{id}", account.config.portal_id)
}

fn stored(contact: &Contact) -> Vec<(&str, Option<Cow<'_, str>>)> {
    let computed = CALCULATED.iter().filter_map(|(name, _)| Some((*name, Some(computed(contact, name)?))));
    let mut all: Vec<_> = contact.values.iter().map(|(name, value)| (name, Some(Cow::Borrowed(value)))).chain(computed).collect();
    all.sort_unstable_by_key(|(name, _)| *name);
    all
}

/// The value of a property, stored or computed.
pub(super) fn value<'a>(contact: &'a Contact, name: &str) -> Option<Cow<'a, str>> {
    contact.values.get(name).map(Cow::Borrowed).or_else(|| computed(contact, name))
}

fn computed<'a>(contact: &'a Contact, name: &str) -> Option<Cow<'a, str>> {
    // Most names are none of these; their first letters tell.
    if !name.starts_with("hs_") && name != "createdate" && name != "lastmodifieddate" {
        return None;
    }
    let email = || contact.values.get("email");
    let text = match name {
        "createdate" => stamp::iso(contact.created_at),
        "lastmodifieddate" => stamp::iso(contact.updated_at),
        "hs_object_id" => contact.id.to_string(),
        "hs_all_contact_vids" => match contact.values.get("hs_merged_object_ids") {
            Some(merged) => format!("{};{merged}", contact.id),
            None => contact.id.to_string(),
        },
        "hs_email_domain" => return Some(Cow::Borrowed(email()?.rsplit_once('@')?.1)),
        "hs_full_name_or_email" => return full_name(contact).or_else(|| email().map(Cow::Borrowed)),
        "hs_is_contact" | "hs_is_unworked" => return Some(Cow::Borrowed("true")),
        _ if name.starts_with("hs_lifecyclestage_") => {
            let stage = name.strip_prefix("hs_lifecyclestage_")?.strip_suffix("_date")?;
            stamp::iso(contact.history.last_set("lifecyclestage", stage)?)
        }
        "hs_marketable_status" | "hs_marketable_until_renewal" => return Some(Cow::Borrowed("false")),
        "hs_object_source" | "hs_object_source_label" => return Some(Cow::Borrowed("INTEGRATION")),
        "hs_object_source_id" => return Some(Cow::Borrowed("77001")),
        "hs_pipeline" => return Some(Cow::Borrowed("contacts-lifecycle-pipeline")),
        _ => return None,
    };
    Some(Cow::Owned(text))
}

fn full_name(contact: &Contact) -> Option<Cow<'_, str>> {
    match (contact.values.get("firstname"), contact.values.get("lastname")) {
        (Some(first), Some(last)) => Some(Cow::Owned(format!("{first} {last}"))),
        (Some(one), None) | (None, Some(one)) => Some(Cow::Borrowed(one)),
        (None, None) => None,
    }
}
