//! Takes in what a feed offered: judges it, folds it into the record's known state, and opens what it owes.
//!
//! Promises: events of a group are folded and routed one by one, as if each had come alone; everything offered is accepted,
//! a duplicate or refused; what is refused is told to the caller, or is a letter with its raw bytes where there is none; every
//! routed event opens at least one delivery.
//! Leaves to others: decoding (`event`), bringing known records (`engine::workers::intake`), the commit.

use std::collections::{BTreeMap, BTreeSet};

use crate::change_set::{ChangeSet, EventRouting, EventRow, SeenEvent};
use crate::checkpoint::Checkpoint;
use crate::event::{Change as Event, ChangeKind, Invalid};
use crate::ids::{EventId, Ids, LinkId, SourceId, SystemId};
use crate::ledger::{Cause, Counter, Offer, Post, Routing};
use crate::letter::{Letter, LetterState};
use crate::link::{Duty, Known, Link, Presence, Side};
use crate::outcome::{Judgement, Rejection};
use crate::patch::Change;
use crate::record::{Fields, Record, RecordState};
use crate::time::Timestamp;
use crate::version::Version;

/// Where records of one record type go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {
    /// The field whose value decides; None sends every record to the places of the empty value.
    pub routing_field: Option<String>,
    /// Places by the field's value.
    pub places: BTreeMap<String, Vec<(SystemId, String)>>,
}

impl Routes {
    /// The places of a live record with these fields.
    pub(crate) fn places_of(&self, fields: &Fields) -> &[(SystemId, String)] {
        let value = self.routing_field.as_ref().and_then(|field| fields.get(field)).and_then(|value| value.as_text());
        self.places.get(value.unwrap_or_default()).map_or(&[], Vec::as_slice)
    }
}

/// What an offered input is, before it is judged.
#[derive(Debug)]
pub struct Offered {
    /// Its position in the epoch.
    pub position: i64,
    /// Where it stands, for people.
    pub place: String,
    /// Its raw bytes.
    pub raw: Vec<u8>,
    /// What it says.
    pub event: Result<Event, Invalid>,
}

/// One group of inputs on their way into one change set.
#[derive(Debug)]
pub struct Intake<'a> {
    routes: &'a BTreeMap<String, Routes>,
    source: SourceId,
    epoch: i64,
    /// Orders come from positions, so nothing within an epoch is stale and no field needs an order of its own.
    by_position: bool,
    /// Somebody waits for each input's judgement, so what is refused needs no letter.
    tells: bool,
    now: Timestamp,
    judged: Vec<Judgement>,
    records: BTreeMap<(String, String), Working>,
    seen: BTreeMap<String, i64>,
    set: ChangeSet,
    due: BTreeMap<SystemId, Vec<LinkId>>,
}

#[derive(Debug)]
struct Working {
    known: Known,
    fresh_links: BTreeSet<LinkId>,
    touched: BTreeSet<LinkId>,
    changed: bool,
}

/// What a group came to.
#[derive(Debug)]
pub struct Taken {
    /// To be made durable.
    pub set: ChangeSet,
    /// Links that became due, by system, in the order of their events.
    pub due: BTreeMap<SystemId, Vec<LinkId>>,
    /// What each input came to, in order; empty where no caller waits.
    pub judged: Vec<Judgement>,
}

impl<'a> Intake<'a> {
    /// Starts a group.
    #[must_use]
    pub fn new(routes: &'a BTreeMap<String, Routes>, source: SourceId, epoch: i64, by_position: bool, now: Timestamp) -> Self {
        Self {
            routes,
            source,
            epoch,
            by_position,
            tells: false,
            now,
            judged: Vec::new(),
            records: BTreeMap::new(),
            seen: BTreeMap::new(),
            set: ChangeSet::default(),
            due: BTreeMap::new(),
        }
    }

    /// With callers that wait for each input's judgement.
    #[must_use]
    pub const fn with_callers(mut self) -> Self {
        self.tells = true;
        self
    }

    /// Counts inputs that callers were refused before their turn here.
    pub fn told(&mut self, count: u64) {
        for offer in [Offer::Offered, Offer::Refused, Offer::Told] {
            self.set.counts.add(Counter::Source(self.source, offer), count);
        }
    }

    /// Says what is known of a record; must be done for every known record of the group before it is offered.
    pub fn know(&mut self, known: Known) {
        let key = (known.record.record_type.clone(), known.record.key.clone());
        self.records.insert(key, Working { known, fresh_links: BTreeSet::new(), touched: BTreeSet::new(), changed: false });
    }

    /// Says under which digest an explicit event id was seen.
    pub fn know_seen(&mut self, event_id: String, digest: i64) {
        self.seen.insert(event_id, digest);
    }

    /// Takes in one input.
    pub fn offer(&mut self, offered: Offered, ids: &mut dyn Ids) {
        self.count(Counter::Source(self.source, Offer::Offered));
        let event = match offered.event {
            Ok(event) => event,
            Err(invalid) => {
                self.refuse(offered.place, offered.raw, invalid.into(), ids);
                return;
            }
        };
        if let Some(event_id) = &event.event_id {
            match self.seen.get(event_id) {
                Some(digest) if *digest == event.digest => {
                    self.count(Counter::Source(self.source, Offer::Duplicate));
                    self.judge(|| Judgement::Duplicate);
                    return;
                }
                Some(_) => {
                    self.refuse(offered.place, offered.raw, id_reuse(), ids);
                    return;
                }
                None => {
                    self.seen.insert(event_id.clone(), event.digest);
                    self.set.seen.push(SeenEvent {
                        source: self.source,
                        event_id: event_id.clone(),
                        digest: event.digest,
                        accepted_at: self.now,
                    });
                }
            }
        }
        let id = self.accept(&event, offered.position, ids);
        self.judge(|| Judgement::Accepted(id));
    }

    fn judge(&mut self, judgement: impl FnOnce() -> Judgement) {
        if self.tells {
            self.judged.push(judgement());
        }
    }

    /// Ends the group: all that it came to, with the checkpoint behind it.
    #[must_use]
    pub fn finish(mut self, checkpoint: Option<Checkpoint>) -> Taken {
        for working in std::mem::take(&mut self.records).into_values() {
            if working.changed {
                self.set.records.push((working.known.id, working.known.record));
            }
            for link in working.known.links {
                if working.fresh_links.contains(&link.id) {
                    self.set.links_new.push(link);
                } else if working.touched.contains(&link.id) {
                    self.set.duties.push((link.id, link.duty));
                }
            }
        }
        self.set.checkpoints.extend(checkpoint);
        Taken { set: self.set, due: self.due, judged: self.judged }
    }

    fn count(&mut self, counter: Counter) {
        self.set.counts.add(counter, 1);
    }

    fn refuse(&mut self, place: String, raw: Vec<u8>, rejection: Rejection, ids: &mut dyn Ids) {
        self.count(Counter::Source(self.source, Offer::Refused));
        if self.tells {
            self.count(Counter::Source(self.source, Offer::Told));
            self.judge(|| Judgement::Refused(rejection));
            return;
        }
        self.count(Counter::Letters(Post::Created));
        self.set.letters_new.push(Letter {
            id: ids.letter(),
            link: None,
            source: Some(self.source),
            place,
            rejection,
            raw: Some(raw),
            held: 1,
            created_at: self.now,
            state: LetterState::Waiting,
            ended_at: None,
            note: None,
        });
    }

    fn accept(&mut self, event: &Event, position: i64, ids: &mut dyn Ids) -> EventId {
        self.count(Counter::Source(self.source, Offer::Accepted));
        self.count(Counter::Tenant(Routing::Accepted));
        let version = Version { source: self.source, epoch: self.epoch, order: event.order.unwrap_or(position) };
        let by_position = self.by_position;
        let key = (event.record_type.clone(), event.key.clone());
        let working = self.records.entry(key).or_insert_with(|| Working::unknown(event, version, ids));
        let folded = fold(&mut working.known.record, event, version, by_position);
        let routing = match folded {
            Folded::Stale => EventRouting::Stale,
            Folded::Taken { new_life } => {
                working.changed = true;
                let routes = self.routes.get(&event.record_type);
                let opened = working.open(routes, new_life, self.now, &mut self.due, ids);
                if opened.is_empty() { EventRouting::Unrouted } else { EventRouting::Routed(opened) }
            }
        };
        let record = working.known.id;
        self.count_routing(&routing);
        let id = ids.event();
        self.set.events.push(event_row(id, self.source, self.epoch, position, record, event, self.now, routing));
        id
    }

    fn count_routing(&mut self, routing: &EventRouting) {
        match routing {
            EventRouting::Stale => self.count(Counter::Tenant(Routing::Stale)),
            EventRouting::Unrouted => self.count(Counter::Tenant(Routing::Unrouted)),
            EventRouting::Routed(opened) => {
                self.count(Counter::Tenant(Routing::Routed));
                for (system, is_move) in opened.iter().map(|opened| (opened.system, opened.is_move)) {
                    self.count(Counter::Opened(system, if is_move { Cause::Move } else { Cause::Event }));
                }
            }
        }
    }
}

impl Working {
    fn unknown(event: &Event, version: Version, ids: &mut dyn Ids) -> Self {
        let record = Record {
            record_type: event.record_type.clone(),
            key: event.key.clone(),
            state: RecordState::Deleted,
            generation: 0,
            version: Version { order: i64::MIN, ..version },
            field_orders: BTreeMap::new(),
            fields: Fields::new(),
        };
        let known = Known { id: ids.record(), record, links: Vec::new() };
        Self { known, fresh_links: BTreeSet::new(), touched: BTreeSet::new(), changed: false }
    }

    /// Opens one delivery toward every link concerned.
    fn open(
        &mut self,
        routes: Option<&Routes>,
        new_life: bool,
        now: Timestamp,
        due: &mut BTreeMap<SystemId, Vec<LinkId>>,
        ids: &mut dyn Ids,
    ) -> Vec<crate::change_set::OpenedDelivery> {
        let is_live = self.known.record.state == RecordState::Live;
        let places = match routes {
            Some(routes) if is_live => routes.places_of(&self.known.record.fields).to_vec(),
            Some(_) | None => Vec::new(),
        };
        for (system, object) in &places {
            if !self.known.links.iter().any(|link| link.system == *system && link.object == *object) {
                let id = ids.link();
                self.fresh_links.insert(id);
                self.known.links.push(new_link(id, self.known.id, *system, object, now));
            }
        }
        let mut opened = Vec::new();
        for link in &mut self.known.links {
            let wanted = places.iter().any(|(system, object)| link.system == *system && link.object == *object);
            if !wanted && !link.is_concerned() {
                continue;
            }
            if link.open() == 0 {
                link.duty.due_since = now;
            }
            let comes_back = wanted && link.duty.desired == Presence::Absent;
            if new_life || comes_back {
                link.duty.generation_start = link.duty.opened;
            }
            link.duty.opened += 1;
            link.duty.desired = if wanted { Presence::Present } else { Presence::Absent };
            self.touched.insert(link.id);
            let is_move = is_live && !wanted;
            opened.push(crate::change_set::OpenedDelivery { link: link.id, system: link.system, number: link.duty.opened, is_move });
            due.entry(link.system).or_default().push(link.id);
        }
        opened
    }
}

pub(crate) fn new_link(id: LinkId, record: crate::ids::RecordId, system: SystemId, object: &str, now: Timestamp) -> Link {
    Link {
        id,
        record,
        system,
        object: object.to_owned(),
        duty: Duty { opened: 0, generation_start: 0, desired: Presence::Present, due_since: now },
        side: Side::default(),
        forced_to: 0,
    }
}

#[expect(clippy::too_many_arguments, reason = "one row, column by column")]
fn event_row(
    id: EventId,
    source: SourceId,
    epoch: i64,
    position: i64,
    record: crate::ids::RecordId,
    event: &Event,
    now: Timestamp,
    routing: EventRouting,
) -> EventRow {
    EventRow {
        id,
        source,
        epoch,
        position,
        record,
        operation: event.operation.name(),
        occurred_at: event.occurred_at,
        accepted_at: now,
        routing,
    }
}

fn id_reuse() -> Rejection {
    Rejection {
        code: "id_reuse".into(),
        field: None,
        message: "an event with this id but another body was accepted before".into(),
        remedy: "give every event an id of its own; send the event again under a new one".into(),
    }
}

/// What folding an event did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folded {
    /// Nothing: something newer is known.
    Stale,
    /// The record's state is the event's now; `new_life` if a generation began.
    Taken {
        /// Whether the record was created after a delete.
        new_life: bool,
    },
}

/// Folds one event into a record. Generation 0 is a record that never lived.
pub fn fold(record: &mut Record, event: &Event, version: Version, by_position: bool) -> Folded {
    let unknown = record.generation == 0;
    let older = version < record.version;
    match (event.operation, record.state) {
        (ChangeKind::Create | ChangeKind::Delete, _) if older => Folded::Stale,
        (ChangeKind::Update, RecordState::Deleted) if !unknown => Folded::Stale,
        (ChangeKind::Update, state) => fold_patch(record, event, version, by_position, state == RecordState::Deleted),
        (ChangeKind::Create, state) => {
            let new_life = state == RecordState::Deleted && !unknown && record.generation > 0;
            if state == RecordState::Deleted {
                record.generation += 1;
                record.state = RecordState::Live;
                record.fields.clear();
                record.field_orders.clear();
            }
            fold_snapshot(record, event, version);
            Folded::Taken { new_life }
        }
        (ChangeKind::Delete, _) if unknown => Folded::Taken { new_life: false },
        (ChangeKind::Delete, _) => {
            record.state = RecordState::Deleted;
            record.version = version;
            record.fields.clear();
            record.field_orders.clear();
            Folded::Taken { new_life: false }
        }
    }
}

/// A snapshot replaces every field that nothing newer has set.
fn fold_snapshot(record: &mut Record, event: &Event, version: Version) {
    let same_log = record.version.partial_cmp(&version).is_some();
    if !same_log {
        record.field_orders.clear();
    }
    record.field_orders.retain(|_, order| *order > version.order);
    let newer = &record.field_orders;
    record.fields.retain(|name, _| newer.contains_key(name));
    for (name, change) in &event.patch.0 {
        if let (Change::Set(value), false) = (change, newer.contains_key(name)) {
            record.fields.insert(name.clone(), value.clone());
        }
    }
    record.version = version;
}

/// A patch alters the fields that it names and that nothing newer has set.
fn fold_patch(record: &mut Record, event: &Event, version: Version, by_position: bool, raises: bool) -> Folded {
    let same_log = record.version.partial_cmp(&version).is_some();
    if raises {
        record.generation += 1;
        record.state = RecordState::Live;
    }
    if by_position || !same_log || raises {
        event.patch.apply_to(&mut record.fields);
        record.field_orders.clear();
        record.version = version;
        return Folded::Taken { new_life: false };
    }
    let mut taken = raises || event.patch.0.is_empty();
    for (name, change) in &event.patch.0 {
        let known = record.field_orders.get(name).copied().unwrap_or(record.version.order);
        if version.order < known {
            continue;
        }
        taken = true;
        match change {
            Change::Set(value) => {
                record.fields.insert(name.clone(), value.clone());
            }
            Change::Clear => {
                record.fields.remove(name);
            }
        }
        if version.order > record.version.order {
            record.field_orders.insert(name.clone(), version.order);
        }
    }
    if taken { Folded::Taken { new_life: false } } else { Folded::Stale }
}

#[cfg(test)]
#[path = "intake_tests.rs"]
mod tests;
