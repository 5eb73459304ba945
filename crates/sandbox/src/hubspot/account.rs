//! The state of one emulated account, its snapshot and its journal.
//!
//! Promises: `snapshot` then `restore` gives the same account; so does replaying every drained entry in order.
//! Leaves to others: what calls do to the state (the handler files of this folder).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::companies::Company;
use super::config::HubSpotConfig;
use super::grants::Grants;
use super::groups::Group;
use super::history::{History, Source, Touch, Version};
use super::quota::{App, Limits, Quota};
use super::schema::{Property, Schema};
use super::store::{Contact, Past, Store, Values};
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
    pub(super) companies: BTreeMap<u64, Company>,
    /// Types by contact and company, as seen from the contact.
    pub(super) links: BTreeMap<(u64, u64), BTreeSet<u32>>,
    pub(super) groups: BTreeMap<String, Group>,
    /// Emails that were deleted for good before any contact had them.
    pub(super) blocked: BTreeSet<String>,
    /// What is neither call, contact nor property, since the journal was drained.
    news: Vec<Entry>,
    /// Grants changed since the journal was drained.
    grants_changed: bool,
    /// Calls let in since the journal was drained: time, and whether a search.
    arrivals: Vec<(Millis, App, bool)>,
    /// Properties made since the journal was drained.
    new_properties: Vec<Arc<str>>,
}

/// A contact in snapshots and journal entries.
#[derive(Debug, Serialize, Deserialize)]
struct ContactState {
    id: u64,
    values: BTreeMap<String, String>,
    created_at: Millis,
    updated_at: Millis,
    archived_at: Option<Millis>,
    writes: u32,
    /// Versions of property values, oldest first.
    history: Vec<VersionState>,
    /// Whether these versions come behind those that are known.
    #[serde(default)]
    adds: bool,
}

/// Property, value, who set it, and when.
type VersionState = (String, Option<String>, Source, Millis);

/// Earlier states of a contact, each with the time at which it ended.
type PastState = Vec<(Millis, Option<ContactState>)>;

/// One journal entry.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    Call {
        at: Millis,
        search: bool,
        app: App,
    },
    Grants(Grants),
    Company(Company),
    /// All types of a link; none when it is gone.
    Link(u64, u64, BTreeSet<u32>),
    Group(Group),
    Alias(u64, u64),
    Blocked(String),
    Contact(ContactState),
    /// All that searches may still find of a contact's past; nothing ends it.
    Past(u64, PastState),
    Gone(u64),
    Property(Property),
}

/// The whole state.
#[derive(Serialize, Deserialize)]
struct Snapshot {
    next_id: u64,
    quota: Quota,
    grants: Grants,
    companies: Vec<Company>,
    links: Vec<(u64, u64, BTreeSet<u32>)>,
    groups: Vec<Group>,
    aliases: Vec<(u64, u64)>,
    blocked: BTreeSet<String>,
    properties: Vec<Property>,
    contacts: Vec<ContactState>,
    past: Vec<(u64, PastState)>,
}

impl Account {
    pub(super) fn new(config: HubSpotConfig) -> Self {
        let schema = Schema::new(&config);
        let store = Store::new(&schema, config.first_id, config.search_lag_ms.max(0));
        let limits = Limits {
            ten_seconds: config.quota_ten_seconds,
            oauth_ten_seconds: config.quota_oauth_ten_seconds,
            search_second: config.quota_search_second,
            day: config.quota_day,
            zone: TimeZone::get(&config.time_zone).unwrap_or(TimeZone::UTC),
        };
        Self {
            grants: Grants::new(&config.oauth),
            companies: BTreeMap::new(),
            links: BTreeMap::new(),
            groups: BTreeMap::from([("contactinformation".to_owned(), Group::standard())]),
            blocked: BTreeSet::new(),
            news: Vec::new(),
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

    pub(super) fn add_company(&mut self, company: Company) {
        self.news.push(Entry::Company(company.clone()));
        self.companies.insert(company.id, company);
    }

    /// Adds types to a link.
    pub(super) fn link(&mut self, contact: u64, company: u64, types: &BTreeSet<u32>) {
        let all = self.links.entry((contact, company)).or_default();
        all.extend(types);
        self.news.push(Entry::Link(contact, company, all.clone()));
    }

    /// Takes some types of a link away, or the link.
    pub(super) fn unlink(&mut self, contact: u64, company: u64, types: Option<&BTreeSet<u32>>) {
        let Some(all) = self.links.remove(&(contact, company)) else { return };
        let left: BTreeSet<u32> = types.map_or_else(BTreeSet::new, |types| all.difference(types).copied().collect());
        self.news.push(Entry::Link(contact, company, left.clone()));
        if !left.is_empty() {
            self.links.insert((contact, company), left);
        }
    }

    /// Gives the links of a contact that was merged away to the survivor.
    pub(super) fn move_links(&mut self, old: u64, new: u64) {
        let moved: Vec<(u64, BTreeSet<u32>)> = self.links.range((old, 0)..=(old, u64::MAX)).map(|(key, types)| (key.1, types.clone())).collect();
        for (company, types) in moved {
            self.unlink(old, company, None);
            self.link(new, company, &types);
        }
    }

    /// Takes every link of a contact away.
    pub(super) fn drop_links(&mut self, contact: u64) {
        let companies: Vec<u64> = self.links.range((contact, 0)..=(contact, u64::MAX)).map(|(key, _)| key.1).collect();
        for company in companies {
            self.unlink(contact, company, None);
        }
    }

    /// Makes an id lead to a survivor.
    pub(super) fn alias(&mut self, old: u64, new: u64) {
        self.store.aliases.insert(old, new);
        self.news.push(Entry::Alias(old, new));
    }

    /// Keeps an email from ever being used.
    pub(super) fn block(&mut self, email: &str) {
        self.blocked.insert(email.to_owned());
        self.news.push(Entry::Blocked(email.to_owned()));
    }

    /// A group that is not archived.
    pub(super) fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(name).filter(|group| !group.archived)
    }

    pub(super) fn put_group(&mut self, group: Group) {
        self.news.push(Entry::Group(group.clone()));
        self.groups.insert(group.name.clone(), group);
    }

    pub(super) fn snapshot(&self) -> Value {
        let snapshot = Snapshot {
            next_id: self.store.next_id(),
            quota: self.quota.clone(),
            grants: self.grants.clone(),
            companies: self.companies.values().cloned().collect(),
            links: self.links.iter().map(|((contact, company), types)| (*contact, *company, types.clone())).collect(),
            groups: self.groups.values().cloned().collect(),
            aliases: self.store.aliases.iter().map(|(old, new)| (*old, *new)).collect(),
            blocked: self.blocked.clone(),
            properties: self.schema.by_name.values().chain(self.schema.archived.values()).filter(|property| !property.hubspot_defined).cloned().collect(),
            contacts: self.store.all().map(state).collect(),
            past: self.store.past.keys().map(|id| (*id, self.past(*id))).collect(),
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
        for (id, past) in snapshot.past {
            self.put_past(id, past);
        }
        self.store.set_next_id(snapshot.next_id);
        self.quota = snapshot.quota;
        self.grants = snapshot.grants;
        self.companies = snapshot.companies.into_iter().map(|company| (company.id, company)).collect();
        self.links = snapshot.links.into_iter().map(|(contact, company, types)| ((contact, company), types)).collect();
        self.groups = snapshot.groups.into_iter().map(|group| (group.name.clone(), group)).collect();
        self.store.aliases = snapshot.aliases.into_iter().collect();
        self.blocked = snapshot.blocked;
        self.forget_journal();
        Ok(())
    }

    pub(super) fn forget_journal(&mut self) {
        self.arrivals.clear();
        self.news.clear();
        self.grants_changed = false;
        self.new_properties.clear();
        self.store.settle();
    }

    pub(super) fn drain_journal(&mut self) -> Vec<Value> {
        let mut entries: Vec<Entry> = self.arrivals.drain(..).map(|(at, app, search)| Entry::Call { at, search, app }).collect();
        entries.extend(std::mem::take(&mut self.grants_changed).then(|| Entry::Grants(self.grants.clone())));
        entries.extend(self.new_properties.drain(..).filter_map(|name| self.schema.any(&name).cloned()).map(Entry::Property));
        for id in self.store.touched() {
            entries.push(self.store.any(id).map_or(Entry::Gone(id), |contact| {
                let (fresh, adds) = contact.history.fresh();
                Entry::Contact(ContactState { history: fresh.iter().map(version).collect(), adds, ..state_without_history(contact) })
            }));
            if !self.store.is_fresh() {
                entries.push(Entry::Past(id, self.past(id)));
            }
        }
        self.store.settle();
        entries.append(&mut self.news);
        entries.iter().map(|entry| serde_json::to_value(entry).unwrap_or(json!(null))).collect()
    }

    pub(super) fn replay(&mut self, entry: &Value) -> Result<(), String> {
        match Entry::deserialize(entry).map_err(|error| format!("hubspot journal: {error}"))? {
            Entry::Call { at, search, app } => self.quota.replay(&self.limits, app, search, at),
            Entry::Grants(grants) => self.grants = grants,
            Entry::Company(company) => {
                self.store.set_next_id(company.id + 1);
                self.companies.insert(company.id, company);
            }
            Entry::Link(contact, company, types) if types.is_empty() => drop(self.links.remove(&(contact, company))),
            Entry::Link(contact, company, types) => drop(self.links.insert((contact, company), types)),
            Entry::Group(group) => drop(self.groups.insert(group.name.clone(), group)),
            Entry::Alias(old, new) => drop(self.store.aliases.insert(old, new)),
            Entry::Blocked(email) => drop(self.blocked.insert(email)),
            Entry::Contact(contact) => self.put(contact),
            Entry::Past(id, past) => self.put_past(id, past),
            Entry::Gone(id) => {
                self.store.put(id, None);
                self.store.set_next_id(id + 1);
            }
            Entry::Property(property) => self.add_property(property),
        }
        self.forget_journal();
        Ok(())
    }

    fn past(&self, id: u64) -> PastState {
        let past = self.store.past.get(&id).into_iter().flatten();
        past.map(|(until, contact)| (*until, contact.as_ref().map(state))).collect()
    }

    fn put_past(&mut self, id: u64, past: PastState) {
        let past: Past = past.into_iter().map(|(until, state)| (until, state.map(|state| self.contact(state)))).collect();
        if past.is_empty() {
            self.store.past.remove(&id);
        } else {
            self.store.past.insert(id, past);
        }
    }

    fn put(&mut self, state: ContactState) {
        let contact = self.contact(state);
        let id = contact.id;
        self.store.put(id, Some(contact));
        self.store.set_next_id(id + 1);
    }

    /// The contact of a kept state, whose versions count as told to the journal.
    fn contact(&self, state: ContactState) -> Contact {
        let mut values = Values::default();
        for (name, value) in state.values {
            values.set(&self.schema.intern(&name), Some(value.into()));
        }
        let known = self.store.any(state.id).filter(|_| state.adds);
        let mut history = known.map_or_else(History::default, |contact| contact.history.clone());
        for (name, value, by, at) in state.history {
            history.push(Version { property: self.schema.intern(&name), value: value.map(Into::into), touch: Touch { by, at } });
        }
        history.settle();
        Contact {
            id: state.id,
            values,
            history,
            created_at: state.created_at,
            updated_at: state.updated_at,
            archived_at: state.archived_at,
            writes: state.writes,
        }
    }
}

fn state(contact: &Contact) -> ContactState {
    ContactState { history: contact.history.iter().map(version).collect(), ..state_without_history(contact) }
}

fn state_without_history(contact: &Contact) -> ContactState {
    ContactState {
        id: contact.id,
        values: contact.values.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        created_at: contact.created_at,
        updated_at: contact.updated_at,
        archived_at: contact.archived_at,
        writes: contact.writes,
        history: Vec::new(),
        adds: false,
    }
}

fn version(version: &Version) -> VersionState {
    let Version { property, value, touch } = version;
    (property.to_string(), value.as_deref().map(str::to_owned), touch.by, touch.at)
}
