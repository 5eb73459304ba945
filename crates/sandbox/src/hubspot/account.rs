//! The state of one emulated account, its snapshot and its journal.
//!
//! Promises: `snapshot` then `restore` gives the same account; so does replaying every drained entry in order.
//! Leaves to others: what calls do to the state (the handler files of this folder).

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::config::HubSpotConfig;
use super::grants::Grants;
use super::quota::{App, Limits, Quota};
use super::schema::{Property, Schema};
use super::store::{Contact, Store, Values};
use crate::exchange::Millis;

/// One account.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) config: HubSpotConfig,
    pub(super) limits: Limits,
    pub(super) schema: Schema,
    pub(super) store: Store,
    pub(super) quota: Quota,
    pub(super) grants: Grants,
    /// Grants changed since the journal was drained.
    grants_changed: bool,
    /// Calls let in since the journal was drained: time, and whether a search.
    arrivals: Vec<(Millis, App, bool)>,
    /// Properties made since the journal was drained.
    new_properties: Vec<Arc<str>>,
}

/// A contact in snapshots and journal entries.
#[derive(Serialize, Deserialize)]
struct ContactState {
    id: u64,
    values: BTreeMap<String, String>,
    created_at: Millis,
    updated_at: Millis,
    archived_at: Option<Millis>,
    writes: u32,
}

/// One journal entry.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    Call {
        at: Millis,
        search: bool,
        app: App,
    },
    Grants(Grants),
    Contact(ContactState),
    Gone(u64),
    Property(Property),
}

/// The whole state.
#[derive(Serialize, Deserialize)]
struct Snapshot {
    next_id: u64,
    quota: Quota,
    grants: Grants,
    properties: Vec<Property>,
    contacts: Vec<ContactState>,
}

impl Account {
    pub(super) fn new(config: HubSpotConfig) -> Self {
        let schema = Schema::new(&config);
        let store = Store::new(&schema, config.first_id);
        let limits = Limits {
            ten_seconds: config.quota_ten_seconds,
            oauth_ten_seconds: config.quota_oauth_ten_seconds,
            search_second: config.quota_search_second,
            day: config.quota_day,
            zone: TimeZone::get(&config.time_zone).unwrap_or(TimeZone::UTC),
        };
        Self {
            grants: Grants::new(&config.oauth),
            config,
            limits,
            schema,
            store,
            quota: Quota::default(),
            grants_changed: false,
            arrivals: Vec::new(),
            new_properties: Vec::new(),
        }
    }

    /// Remembers a call that was let in, for the journal.
    pub(super) fn note_arrival(&mut self, now: Millis, app: App, is_search: bool) {
        self.arrivals.push((now, app, is_search));
    }

    /// The grants, to be changed.
    pub(super) fn grants_mut(&mut self) -> &mut Grants {
        self.grants_changed = true;
        &mut self.grants
    }

    /// Defines a property.
    pub(super) fn add_property(&mut self, property: Property) {
        let name = Arc::clone(&property.name);
        if property.has_unique_value {
            self.store.watch(Arc::clone(&name));
        }
        self.schema.add(property);
        self.new_properties.push(name);
    }

    pub(super) fn snapshot(&self) -> Value {
        let snapshot = Snapshot {
            next_id: self.store.next_id(),
            quota: self.quota.clone(),
            grants: self.grants.clone(),
            properties: self.schema.by_name.values().filter(|property| !property.hubspot_defined).cloned().collect(),
            contacts: self.store.all().map(state).collect(),
        };
        serde_json::to_value(snapshot).unwrap_or_default()
    }

    pub(super) fn restore(&mut self, value: &Value) -> Result<(), String> {
        let snapshot = Snapshot::deserialize(value).map_err(|error| format!("hubspot state: {error}"))?;
        *self = Self::new(self.config.clone());
        for property in snapshot.properties {
            self.add_property(property);
        }
        for contact in snapshot.contacts {
            self.put(contact);
        }
        self.store.set_next_id(snapshot.next_id);
        self.quota = snapshot.quota;
        self.grants = snapshot.grants;
        self.forget_journal();
        Ok(())
    }

    pub(super) fn forget_journal(&mut self) {
        self.arrivals.clear();
        self.grants_changed = false;
        self.new_properties.clear();
        self.store.take_touched();
    }

    pub(super) fn drain_journal(&mut self) -> Vec<Value> {
        let mut entries: Vec<Entry> = self.arrivals.drain(..).map(|(at, app, search)| Entry::Call { at, search, app }).collect();
        entries.extend(std::mem::take(&mut self.grants_changed).then(|| Entry::Grants(self.grants.clone())));
        entries.extend(self.new_properties.drain(..).filter_map(|name| self.schema.get(&name).cloned()).map(Entry::Property));
        for id in self.store.take_touched() {
            entries.push(self.store.any(id).map_or(Entry::Gone(id), |contact| Entry::Contact(state(contact))));
        }
        entries.iter().map(|entry| serde_json::to_value(entry).unwrap_or(json!(null))).collect()
    }

    pub(super) fn replay(&mut self, entry: &Value) -> Result<(), String> {
        match Entry::deserialize(entry).map_err(|error| format!("hubspot journal: {error}"))? {
            Entry::Call { at, search, app } => self.quota.replay(&self.limits, app, search, at),
            Entry::Grants(grants) => self.grants = grants,
            Entry::Contact(contact) => self.put(contact),
            Entry::Gone(id) => {
                self.store.put_back(id, None);
                self.store.set_next_id(id + 1);
            }
            Entry::Property(property) => self.add_property(property),
        }
        self.forget_journal();
        Ok(())
    }

    fn put(&mut self, state: ContactState) {
        let mut values = Values::default();
        for (name, value) in state.values {
            values.set(&self.schema.intern(&name), Some(value.into()));
        }
        let id = state.id;
        let contact = Contact {
            id,
            values,
            created_at: state.created_at,
            updated_at: state.updated_at,
            archived_at: state.archived_at,
            writes: state.writes,
        };
        self.store.put_back(id, Some(contact));
        self.store.set_next_id(id + 1);
    }
}

fn state(contact: &Contact) -> ContactState {
    ContactState {
        id: contact.id,
        values: contact.values.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        created_at: contact.created_at,
        updated_at: contact.updated_at,
        archived_at: contact.archived_at,
        writes: contact.writes,
    }
}
