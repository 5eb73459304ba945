//! The earlier values of a contact's properties, with who set them.
//!
//! Promises: only a changed value makes a version; the newest version of a stored property is its present value; at most
//! `VERSIONS_MAX` versions of each property are kept, the newest ones.
//! Leaves to others: which properties are asked for (`render`), when a value changes (`store`, `merge`).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::account::Account;
use super::render;
use super::stamp;
use super::store::Contact;
use crate::exchange::Millis;

/// How many versions HubSpot keeps is not on record.
const VERSIONS_MAX: usize = 20;

/// Who set a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Source {
    /// A call of the app.
    Integration,
    /// A person in HubSpot's pages.
    Person,
    /// A merge of two contacts.
    Merge,
}

/// Who writes, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Touch {
    pub(super) by: Source,
    pub(super) at: Millis,
}

impl Touch {
    /// A call of the app.
    pub(super) fn call(at: Millis) -> Self {
        Self { by: Source::Integration, at }
    }
}

/// One value that a property had; None when it was cleared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) property: Arc<str>,
    pub(super) value: Option<Box<str>>,
    pub(super) touch: Touch,
}

/// All versions of a contact's properties, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct History {
    versions: Vec<Version>,
    /// How many of them, at the end, the journal was not told.
    fresh: usize,
}

impl History {
    /// Notes a new value.
    pub(super) fn push(&mut self, version: Version) {
        let mut same = self.versions.iter().enumerate().filter(|(_, known)| known.property == version.property);
        if let Some((oldest, _)) = same.next()
            && same.count() + 1 >= VERSIONS_MAX
        {
            if oldest >= self.versions.len() - self.fresh {
                self.fresh -= 1;
            }
            self.versions.remove(oldest);
        }
        self.versions.push(version);
        self.fresh += 1;
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Version> {
        self.versions.iter()
    }

    /// The versions that the journal was not told, and whether there are others before them.
    pub(super) fn fresh(&self) -> (&[Version], bool) {
        let told = self.versions.len() - self.fresh;
        (&self.versions[told..], told > 0)
    }

    /// Notes that the journal knows all versions.
    pub(super) fn settle(&mut self) {
        self.fresh = 0;
    }

    /// The versions of one property, newest first.
    fn of(&self, property: &str) -> impl Iterator<Item = &Version> {
        self.versions.iter().rev().filter(move |version| version.property.as_ref() == property)
    }

    /// When a property last got a value, if it ever did.
    pub(super) fn last_set(&self, property: &str, value: &str) -> Option<Millis> {
        self.of(property).find(|version| version.value.as_deref() == Some(value)).map(|version| version.touch.at)
    }

    /// The history of a contact made of two: all versions of both, and one more where the value that stays is not the newest.
    pub(super) fn joined(primary: &Contact, other: &Contact, survivor: &Contact, at: Millis) -> Self {
        let mut all: Vec<Version> = other.history.iter().chain(primary.history.iter()).cloned().collect();
        all.sort_by_key(|version| version.touch.at);
        let mut history = Self::default();
        for version in all {
            history.push(version);
        }
        for (property, value) in survivor.values.shared() {
            let newest = history.of(property).next().and_then(|version| version.value.as_deref());
            if newest != Some(value) {
                let touch = Touch { by: Source::Merge, at };
                history.push(Version { property: Arc::clone(property), value: Some(value.into()), touch });
            }
        }
        history
    }
}

/// What `propertiesWithHistory` shows of a contact: every asked property that is defined, newest version first.
pub(super) fn shown(account: &Account, contact: &Contact, names: &[String]) -> Value {
    let of = |name: &String| {
        let versions: Vec<Value> = contact.history.of(name).map(|version| shown_version(account, version)).collect();
        let computed = if versions.is_empty() { render::value(contact, name) } else { None };
        let computed = computed.map(|value| json!({"value": value, "timestamp": stamp::iso(contact.created_at), "sourceType": "CALCULATED"}));
        (name.clone(), Value::Array(versions.into_iter().chain(computed).collect()))
    };
    Value::Object(names.iter().map(of).collect())
}

fn shown_version(account: &Account, version: &Version) -> Value {
    let mut shown = json!({"value": version.value.as_deref().unwrap_or_default(), "timestamp": stamp::iso(version.touch.at)});
    let app = &account.config.oauth;
    let source = match version.touch.by {
        Source::Integration => json!({"sourceType": "INTEGRATION", "sourceId": app.app_id.to_string(), "sourceLabel": app.client_id}),
        Source::Person => json!({"sourceType": "CRM_UI", "sourceId": format!("userId:{}", app.user_id), "updatedByUserId": app.user_id}),
        Source::Merge => json!({"sourceType": "MERGE_OBJECTS", "sourceId": format!("userId:{}", app.user_id), "updatedByUserId": app.user_id}),
    };
    if let (Value::Object(shown), Value::Object(source)) = (&mut shown, source) {
        shown.extend(source);
    }
    shown
}
