//! The contacts of the account and the indexes over them.
//!
//! Promises: no two live contacts share an email or a value of a unique property; an archived contact frees both.
//! `roll_back` undoes a write exactly, the id counter aside. Every touched contact is remembered until `settle`.
//! With a lag, `seen` answers contacts as they stood that long ago, which is what searches find.
//! Leaves to others: whether values are valid (`values`), what an answer shows (`render`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::history::{History, Touch, Version};
use super::schema::Schema;
use crate::exchange::Millis;

/// Property values of one contact, sorted by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Values(Vec<(Arc<str>, Box<str>)>);

impl Values {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let at = self.0.binary_search_by(|(key, _)| key.as_ref().cmp(name)).ok()?;
        Some(&self.0[at].1)
    }

    pub(super) fn set(&mut self, name: &Arc<str>, value: Option<Box<str>>) {
        match (self.0.binary_search_by(|(key, _)| key.cmp(name)), value) {
            (Ok(at), Some(value)) => self.0[at].1 = value,
            (Ok(at), None) => drop(self.0.remove(at)),
            (Err(at), Some(value)) => self.0.insert(at, (Arc::clone(name), value)),
            (Err(_), None) => {}
        }
    }

    pub(super) fn shared(&self) -> impl Iterator<Item = (&Arc<str>, &str)> {
        self.0.iter().map(|(name, value)| (name, value.as_ref()))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }
}

/// One contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Contact {
    pub(super) id: u64,
    pub(super) values: Values,
    pub(super) history: History,
    pub(super) created_at: Millis,
    pub(super) updated_at: Millis,
    pub(super) archived_at: Option<Millis>,
    pub(super) writes: u32,
}

impl Contact {
    /// The primary email and the additional ones.
    pub(super) fn emails(&self) -> impl Iterator<Item = &str> {
        self.values.get("email").into_iter().chain(self.additional())
    }

    fn additional(&self) -> impl Iterator<Item = &str> {
        self.values.get("hs_additional_emails").unwrap_or_default().split(';').filter(|email| !email.is_empty())
    }
}

/// Values to set, None to clear.
pub(super) type Sets = Vec<(Arc<str>, Option<Box<str>>)>;

/// A value that another live contact holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clash {
    pub(super) property: String,
    pub(super) value: String,
    /// The contact that was to get the value.
    pub(super) wanted_by: u64,
    /// The contact that has it.
    pub(super) held_by: u64,
}

/// All contacts.
#[derive(Debug, Default)]
pub(super) struct Store {
    contacts: BTreeMap<u64, Contact>,
    /// Property name, then value, to the live contact that holds it; `email` included.
    unique: BTreeMap<Arc<str>, BTreeMap<Box<str>, u64>>,
    /// Ids that were merged away, to the survivor.
    pub(super) aliases: BTreeMap<u64, u64>,
    next_id: u64,
    touched: BTreeSet<u64>,
    /// How long ago the contacts are that searches find.
    lag: Millis,
    /// What contacts were until they changed, and when they did; None before they were made.
    pub(super) past: BTreeMap<u64, Past>,
}

/// Earlier states of one contact, oldest first.
pub(super) type Past = Vec<(Millis, Option<Contact>)>;

impl Store {
    pub(super) fn new(schema: &Schema, first_id: u64, lag: Millis) -> Self {
        let mut store = Self { next_id: first_id, lag, ..Self::default() };
        for name in schema.by_name.keys().filter(|name| schema.is_key(name)) {
            store.watch(Arc::clone(name));
        }
        store
    }

    /// Keeps the values of that property unique from now on.
    pub(super) fn watch(&mut self, property: Arc<str>) {
        self.unique.entry(property).or_default();
    }

    pub(super) fn live(&self, id: u64) -> Option<&Contact> {
        self.contacts.get(&id).filter(|contact| contact.archived_at.is_none())
    }

    pub(super) fn any(&self, id: u64) -> Option<&Contact> {
        self.contacts.get(&id)
    }

    /// Every contact in the order of ids, live and archived.
    pub(super) fn all(&self) -> impl Iterator<Item = &Contact> {
        self.contacts.values()
    }

    /// Contacts with ids from `from` on.
    pub(super) fn from(&self, from: u64) -> impl Iterator<Item = &Contact> {
        self.contacts.range(from..).map(|(_, contact)| contact)
    }

    /// The live contact that holds a unique value.
    pub(super) fn find(&self, property: &str, value: &str) -> Option<u64> {
        self.unique.get(property)?.get(value).copied()
    }

    /// The id that the next contact gets.
    pub(super) fn next_id(&self) -> u64 {
        self.next_id
    }

    /// Uses up an id.
    pub(super) fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// The contact that an id leads to after merges.
    pub(super) fn resolve(&self, mut id: u64) -> u64 {
        while let Some(next) = self.aliases.get(&id) {
            id = *next;
        }
        id
    }

    pub(super) fn set_next_id(&mut self, id: u64) {
        self.next_id = self.next_id.max(id);
    }

    /// The first unique value among `sets` that another live contact holds.
    pub(super) fn clash(&self, wanted_by: u64, sets: &Sets) -> Option<Clash> {
        sets.iter().find_map(|(name, value)| {
            let value = value.as_deref()?;
            let held_by = self.find(name, value).filter(|held_by| *held_by != wanted_by)?;
            Some(Clash { property: name.to_string(), value: value.to_owned(), wanted_by, held_by })
        })
    }

    /// Makes a contact; the caller has asked `clash`.
    pub(super) fn create(&mut self, sets: Sets, touch: Touch) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let now = touch.at;
        self.remember(id, now);
        let mut values = Values::default();
        let mut history = History::default();
        for (name, value) in sets {
            if value.is_some() {
                history.push(Version { property: Arc::clone(&name), value: value.clone(), touch });
            }
            values.set(&name, value);
        }
        let contact = Contact { id, values, history, created_at: now, updated_at: now, archived_at: None, writes: 1 };
        self.index(&contact);
        self.contacts.insert(id, contact);
        self.touched.insert(id);
        id
    }

    /// Changes a live contact; the caller has asked `clash`.
    pub(super) fn update(&mut self, id: u64, sets: Sets, bumps_unchanged: bool, touch: Touch) {
        let now = touch.at;
        self.remember(id, now);
        let Some(contact) = self.contacts.get_mut(&id) else { return };
        let mut changed = false;
        for (name, value) in sets {
            if contact.values.get(&name) == value.as_deref() {
                continue;
            }
            changed = true;
            if let Some(index) = self.unique.get_mut(&name) {
                if let Some(old) = contact.values.get(&name).filter(|old| !contact.additional().any(|other| other == *old)) {
                    index.remove(old);
                }
                if let Some(new) = &value {
                    index.insert(new.clone(), id);
                }
            }
            contact.history.push(Version { property: Arc::clone(&name), value: value.clone(), touch });
            contact.values.set(&name, value);
        }
        contact.writes += 1;
        if changed || bumps_unchanged {
            contact.updated_at = contact.updated_at.max(now);
        }
        self.touched.insert(id);
    }

    /// Archives a live contact and frees its unique values.
    pub(super) fn archive(&mut self, id: u64, now: Millis) {
        self.remember(id, now);
        let Some(mut contact) = self.contacts.remove(&id) else { return };
        if contact.archived_at.is_none() {
            self.unindex(&contact);
            contact.archived_at = Some(now);
            contact.updated_at = contact.updated_at.max(now);
            contact.writes += 1;
            self.touched.insert(id);
        }
        self.contacts.insert(id, contact);
    }

    /// Undoes what a call that is under way did to a contact; None takes it away.
    pub(super) fn roll_back(&mut self, id: u64, before: Option<Contact>) {
        if let Some(past) = self.past.get_mut(&id) {
            past.pop_if(|(_, state)| *state == before);
            if past.is_empty() {
                self.past.remove(&id);
            }
        }
        self.put(id, before);
    }

    /// Gives a contact another state; None takes it away.
    pub(super) fn replace(&mut self, id: u64, contact: Option<Contact>, now: Millis) {
        self.remember(id, now);
        self.put(id, contact);
    }

    /// Keeps what a contact is before it changes, as long as searches may find it so.
    fn remember(&mut self, id: u64, now: Millis) {
        if self.lag == 0 {
            return;
        }
        let state = self.contacts.get(&id).cloned();
        let past = self.past.entry(id).or_default();
        past.retain(|(until, _)| *until > now - self.lag);
        if past.last().is_none_or(|(until, _)| *until != now) {
            past.push((now, state));
        }
    }

    /// Whether searches find contacts as they are.
    pub(super) fn is_fresh(&self) -> bool {
        self.lag == 0
    }

    /// The live contacts as a search finds them, in the order of ids: as they stood one lag ago, if they were there.
    pub(super) fn seen(&self, now: Millis) -> Vec<&Contact> {
        let state = |contact: &'_ Contact| {
            let earlier = self.past.get(&contact.id).and_then(|past| past.iter().find(|(until, _)| *until > now - self.lag));
            earlier.map_or_else(|| self.contacts.get(&contact.id), |(_, state)| state.as_ref())
        };
        self.contacts.values().filter(|contact| contact.archived_at.is_none()).filter_map(state).collect()
    }

    /// Sets the state of a contact as it was kept.
    pub(super) fn put(&mut self, id: u64, before: Option<Contact>) {
        if let Some(present) = self.contacts.remove(&id)
            && present.archived_at.is_none()
        {
            self.unindex(&present);
        }
        if let Some(contact) = before {
            if contact.archived_at.is_none() {
                self.index(&contact);
            }
            self.contacts.insert(id, contact);
        }
        self.touched.insert(id);
    }

    /// The contacts that were written since `settle` was last called.
    pub(super) fn touched(&self) -> impl Iterator<Item = u64> {
        self.touched.iter().copied()
    }

    /// Notes that the journal knows every contact as it is.
    pub(super) fn settle(&mut self) {
        for id in std::mem::take(&mut self.touched) {
            if let Some(contact) = self.contacts.get_mut(&id) {
                contact.history.settle();
            }
        }
    }

    fn index(&mut self, contact: &Contact) {
        for (name, index) in &mut self.unique {
            if let Some(value) = contact.values.get(name) {
                index.insert(value.into(), contact.id);
            }
            if name.as_ref() == "email" {
                index.extend(contact.additional().map(|email| (email.into(), contact.id)));
            }
        }
    }

    fn unindex(&mut self, contact: &Contact) {
        for (name, index) in &mut self.unique {
            if let Some(value) = contact.values.get(name)
                && index.get(value) == Some(&contact.id)
            {
                index.remove(value);
            }
            if name.as_ref() == "email" {
                for email in contact.additional() {
                    index.remove(email);
                }
            }
        }
    }
}
