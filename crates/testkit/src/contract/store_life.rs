//! A small life of a store, with at least one row in every table and every way in which a delivery can open and close.
//!
//! Promises: every set is one that intake, a lane or an operator would commit, so the ledger balances after each; how letters
//! end is counted by the store.
//! Leaves to others: looking at what it left (the cases).

use syncline_core::attempt::{Attempt, Charge, Fate, Operation};
use syncline_core::change_set::{
    AttemptFate, ChangeSet, ChargeClose, EventRouting, EventRow, KeptCall, LetterEnd, OpenedDelivery, Pause, PauseChange, PauseScope, ResyncRow,
    SeenEvent,
};
use syncline_core::checkpoint::Checkpoint;
use syncline_core::ids::{AttemptId, ChargeId, EventId, LetterId, LinkId, RecordId, SourceId, SystemId};
use syncline_core::ledger::{Cause, Counter, Ending, Fact, Offer, Post, Routing};
use syncline_core::letter::{Letter, LetterState};
use syncline_core::link::{Base, BaseRow, Duty, LetterRef, Link, Presence, Side, SideState};
use syncline_core::outcome::{Judgement, Rejection};
use syncline_core::record::{Record, RecordState, Value};
use syncline_core::time::Timestamp;
use syncline_core::config_entry::{ConfigCause, ConfigEntry};
use syncline_core::token::{Token, TokenScope};
use syncline_core::version::Version;
use syncline_engine::ports::store::IdKind;

use super::store::{Harness, ask, commit};

/// The parties of a store.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    /// Where events come from.
    pub source: SourceId,
    /// A system that takes records.
    pub a: SystemId,
    /// Another one.
    pub b: SystemId,
}

impl Places {
    /// Registers the parties.
    pub fn register(harness: &dyn Harness) -> Self {
        let number = |name: &str| ask!(harness, register(name));
        Self { source: SourceId(number("people")), a: SystemId(number("acme")), b: SystemId(number("hub")) }
    }
}

/// What the life left behind.
#[derive(Debug, Clone)]
pub struct Life {
    /// The parties.
    pub places: Places,
    /// The links, by the order in which they were made.
    pub links: Vec<LinkId>,
    /// The records.
    pub records: Vec<RecordId>,
    /// The letters.
    pub letters: Vec<LetterId>,
    /// The attempts.
    pub attempts: Vec<AttemptId>,
    /// The charges.
    pub charges: Vec<ChargeId>,
    events: i64,
}

/// Minutes since the epoch, for times that are easy to read.
pub(super) const fn minute(minute: i64) -> Timestamp {
    Timestamp(minute * 60_000_000_000)
}

/// A live record with a name.
pub(super) fn record(places: Places, key: &str, order: i64) -> Record {
    Record {
        record_type: "contacts".into(),
        key: key.into(),
        state: RecordState::Live,
        generation: 1,
        version: Version { source: places.source, epoch: 1, order },
        field_orders: [("email".to_owned(), order)].into(),
        fields: [("name".to_owned(), Value::text(format!("Name {key} \u{e9}\u{1f600}"))), ("vip".to_owned(), Value::Bool(true))].into(),
    }
}

/// A link with that many open deliveries.
pub(super) fn link(id: LinkId, record: RecordId, system: SystemId, opened: u64, since: Timestamp) -> Link {
    Link { id, record, system, object: "Contact".into(), duty: duty(opened, since), side: Side::default(), forced_to: 0 }
}

/// A duty with that many deliveries opened.
pub(super) const fn duty(opened: u64, since: Timestamp) -> Duty {
    Duty { opened, generation_start: 0, desired: Presence::Present, due_since: since }
}

/// A side in a state, with that many deliveries closed.
pub(super) fn side(state: SideState, closed: u64) -> Side {
    Side { state, closed, ..Side::default() }
}

/// A side whose record is proven.
pub(super) fn proven(external_id: &str, closed: u64) -> Side {
    let row = BaseRow { digest: 7, ours: Some(Value::text("Ann")), theirs: Some(None) };
    let base = Base { generation: 1, rows: [("name".to_owned(), row)].into() };
    Side { external_id: Some(external_id.into()), base: Some(base), ..side(SideState::Idle, closed) }
}

/// An attempt that is about to be sent.
pub(super) fn attempt(id: AttemptId, link: &Link, charge: ChargeId) -> Attempt {
    Attempt {
        id,
        link: link.id,
        record: link.record,
        system: link.system,
        charge,
        operation: Operation::Create,
        generation: 1,
        covers_after: link.side.closed,
        covers_to: link.duty.opened,
        values: [("name".to_owned(), Some(Value::text("Ann"))), ("phone".to_owned(), None)].into(),
        opened_at: minute(2),
        horizon: minute(5),
        fate: Fate::Open,
        applied: 0,
        coalesced: 0,
    }
}

/// A charge of a request that is about to be sent.
pub(super) fn charge(id: ChargeId, account: &str, opened_at: Timestamp) -> Charge {
    Charge {
        id,
        account: account.into(),
        call: "create Contact".into(),
        pools: vec!["day".into(), "ten seconds".into()],
        items: 3,
        opened_at,
        horizon: Timestamp(opened_at.0 + 1),
        answered_at: None,
        released: false,
    }
}

/// A waiting letter.
pub(super) fn letter(id: LetterId, link: Option<LinkId>, source: Option<SourceId>, held: u64) -> Letter {
    let rejection =
        Rejection { code: "REQUIRED".into(), field: Some("LastName".into()), message: "missing".into(), remedy: "fill it in".into() };
    let raw = source.map(|_| b"{\"broken".to_vec());
    Letter {
        id,
        link,
        source,
        place: "contacts.jsonl:17".into(),
        rejection,
        raw,
        held,
        created_at: minute(3),
        state: LetterState::Waiting,
        ended_at: None,
        note: None,
    }
}

/// Ends a letter.
pub(super) fn letter_end(id: LetterId, state: LetterState) -> LetterEnd {
    LetterEnd { id, state, at: minute(6), note: "by ann".into() }
}

/// Sets a pause.
pub(super) fn pause(system: &str, scope: PauseScope, set: bool) -> PauseChange {
    PauseChange { pause: Pause { system: system.into(), scope }, set, at: minute(4), reason: "too many deletes".into() }
}

/// A first id of that kind, and those after it.
pub(super) fn ids<T>(harness: &dyn Harness, kind: IdKind, count: usize, of: impl Fn(i64) -> T) -> Vec<T> {
    let first = harness.store().allocate(kind, count);
    (first..).take(count).map(of).collect()
}

/// Lives.
pub fn live(harness: &dyn Harness) -> Life {
    let places = Places::register(harness);
    let mut life = Life {
        places,
        links: ids(harness, IdKind::Link, 5, LinkId),
        records: ids(harness, IdKind::Record, 4, RecordId),
        letters: ids(harness, IdKind::Letter, 4, LetterId),
        attempts: ids(harness, IdKind::Attempt, 4, AttemptId),
        charges: ids(harness, IdKind::Charge, 2, ChargeId),
        events: harness.store().allocate(IdKind::Event, 20),
    };
    life.take_in(harness);
    life.send(harness);
    life.settle(harness);
    life.replay(harness);
    life.relocate(harness);
    life.resync(harness);
    life
}

impl Life {
    /// Four records come in; an event is refused, one is a duplicate, one stale, one goes nowhere.
    fn take_in(&mut self, harness: &dyn Harness) {
        let Places { source, a, b } = self.places;
        let mut set = ChangeSet::default();
        for (number, id) in (1..).zip(&self.records) {
            set.records.push((*id, record(self.places, &format!("c-{number}"), number)));
        }
        let link_to = |link_index: usize, record: usize, system, opened| {
            link(self.links[link_index], self.records[record], system, opened, minute(1))
        };
        set.links_new = vec![link_to(0, 0, a, 2), link_to(1, 0, b, 2), link_to(2, 1, a, 1), link_to(3, 2, a, 1)];
        let (first, second) = (vec![(0, 1, false), (1, 1, false)], vec![(0, 2, false), (1, 2, false)]);
        self.event(&mut set, 0, Some(first));
        self.event(&mut set, 1, Some(vec![(2, 1, false)]));
        self.event(&mut set, 2, Some(vec![(3, 1, false)]));
        self.event(&mut set, 0, Some(second));
        self.event(&mut set, 3, None);
        self.event(&mut set, 0, None);
        if let Some(last) = set.events.last_mut() {
            last.routing = EventRouting::Stale;
        }
        set.counts.add(Counter::Tenant(Routing::Stale), 1);
        *set.counts.0.entry(Counter::Tenant(Routing::Unrouted)).or_default() -= 1;
        set.counts.add(Counter::Source(source, Offer::Offered), 2);
        set.counts.add(Counter::Source(source, Offer::Duplicate), 1);
        set.counts.add(Counter::Source(source, Offer::Refused), 1);
        set.counts.add(Counter::Letters(Post::Created), 1);
        set.letters_new.push(letter(self.letters[0], None, Some(source), 1));
        for number in 1..=3 {
            set.seen.push(SeenEvent { source, event_id: format!("evt-{number}"), digest: number * 11, accepted_at: minute(number) });
        }
        let judged = vec![Judgement::Duplicate];
        set.calls.push(KeptCall { source, key: "bridge k-1".into(), digest: 5, judged, at: minute(1) });
        set.tokens.push(Token {
            name: "bridge".into(),
            scope: TokenScope::Events,
            tenant: "default".into(),
            digest: "9f86d081".into(),
            created_at: minute(1),
            revoked_at: Some(minute(2)),
        });
        set.configs.push(ConfigEntry {
            number: 1,
            at: minute(1),
            cause: ConfigCause::Start,
            who: "anna".into(),
            changes: Vec::new(),
            digest: "9f86d081".into(),
            text: "log: debug\n".into(),
        });
        set.checkpoints.push(Checkpoint { source, epoch: 1, position: 8, cursor: "{\"offset\":812}".into() });
        commit(harness, set);
    }

    /// Both lanes send.
    fn send(&self, harness: &dyn Harness) {
        let Places { a, b, .. } = self.places;
        for (index, system, account) in [(0, a, "acme-1"), (1, b, "hub-1")] {
            let mut set = ChangeSet::default();
            set.charges_new.push(charge(self.charges[index], account, minute(2)));
            let of_lane = if index == 0 { vec![(0, 0, 2, 0), (2, 1, 1, 1), (3, 2, 1, 2)] } else { vec![(1, 0, 2, 3)] };
            for (link_index, record, opened, attempt_index) in of_lane {
                let link = link(self.links[link_index], self.records[record], system, opened, minute(1));
                set.attempts_new.push(attempt(self.attempts[attempt_index], &link, self.charges[index]));
                set.sides.push((link.id, side(SideState::InFlight, 0)));
            }
            commit(harness, set);
        }
    }

    /// System A answers: one is proven, one rejected, one of unknown fate. System B does not.
    fn settle(&self, harness: &dyn Harness) {
        let a = self.places.a;
        let mut set = ChangeSet::default();
        let fate = |index: usize, fate, applied, coalesced| AttemptFate { id: self.attempts[index], fate, applied, coalesced };
        set.attempts_settled = vec![fate(0, Fate::Proven, 1, 1), fate(1, Fate::NotDone, 0, 0), fate(2, Fate::Unknown, 0, 0)];
        set.charges_closed.push(ChargeClose { id: self.charges[0], answered_at: minute(3), released: false });
        set.letters_new.push(letter(self.letters[1], Some(self.links[2]), None, 1));
        let dead = Side { letters: vec![LetterRef { id: self.letters[1], cause: "REQUIRED LastName".into() }], ..side(SideState::Dead, 1) };
        let held = Side { failures: 2, failing_since: Some(minute(3)), until: Some(minute(5)), ..side(SideState::Held, 0) };
        set.sides = vec![(self.links[0], proven("003A", 2)), (self.links[2], dead), (self.links[3], held)];
        set.counts.add(Counter::Closed(a, Ending::Applied), 1);
        set.counts.add(Counter::Closed(a, Ending::Coalesced), 1);
        set.counts.add(Counter::Closed(a, Ending::Dead), 1);
        set.counts.add(Counter::Letters(Post::Created), 1);
        set.counts.add(Counter::Fact(a, Fact::Unknown), 1);
        commit(harness, set);
    }

    /// The dead letter is replayed, and something newer has settled its matter.
    fn replay(&self, harness: &dyn Harness) {
        let a = self.places.a;
        let mut set = ChangeSet::default();
        set.letters_ended.push(letter_end(self.letters[1], LetterState::Replayed));
        set.duties.push((self.links[2], duty(2, minute(4))));
        set.counts.add(Counter::Opened(a, Cause::Replay), 1);
        commit(harness, set);
        let mut set = ChangeSet::default();
        set.sides.push((self.links[2], Side { superseded: 1, ..side(SideState::Idle, 2) }));
        set.counts.add(Counter::Closed(a, Ending::Superseded), 1);
        commit(harness, set);
    }

    /// A record moves from A to B, where nothing needs writing at first and later everything is rejected.
    fn relocate(&mut self, harness: &dyn Harness) {
        let Places { b, .. } = self.places;
        let mut set = ChangeSet::default();
        let moved = Duty { desired: Presence::Absent, ..duty(2, minute(5)) };
        set.duties.push((self.links[3], moved));
        set.links_new.push(link(self.links[4], self.records[2], b, 1, minute(5)));
        self.event(&mut set, 2, Some(vec![(3, 2, true), (4, 1, false)]));
        set.pauses = vec![pause("acme", PauseScope::Deletes, true), pause("hub", PauseScope::Writes, true)];
        set.pauses.push(pause("hub", PauseScope::Object("contacts".into()), true));
        commit(harness, set);

        let mut set = ChangeSet::default();
        for number in 2..=4 {
            self.event(&mut set, 2, Some(vec![(4, number, false)]));
        }
        set.duties.push((self.links[4], duty(4, minute(5))));
        set.duties.push((self.links[2], duty(3, minute(6))));
        self.event(&mut set, 1, Some(vec![(2, 3, false)]));
        commit(harness, set);

        let mut set = ChangeSet::default();
        set.letters_new.push(letter(self.letters[2], Some(self.links[4]), None, 1));
        set.letters_grown.push((self.letters[2], 1));
        set.letters_ended = vec![letter_end(self.letters[0], LetterState::Discarded), letter_end(self.letters[2], LetterState::Overtaken)];
        set.letters_new.push(letter(self.letters[3], Some(self.links[4]), None, 1));
        let waiting = LetterRef { id: self.letters[3], cause: "REQUIRED LastName".into() };
        set.sides.push((self.links[4], Side { unchanged: 1, letters: vec![waiting], ..side(SideState::Dead, 4) }));
        set.counts.add(Counter::Closed(b, Ending::Unchanged), 1);
        set.counts.add(Counter::Closed(b, Ending::Dead), 3);
        set.counts.add(Counter::Letters(Post::Created), 2);
        commit(harness, set);
    }

    /// A record is brought under the present rules, by force, and is right as it is.
    fn resync(&self, harness: &dyn Harness) {
        let a = self.places.a;
        let mut set = ChangeSet::default();
        set.duties.push((self.links[0], duty(3, minute(7))));
        set.resyncs.push(ResyncRow { link: self.links[0], number: 3, forced: true, at: minute(7) });
        set.counts.add(Counter::Opened(a, Cause::Resync), 1);
        commit(harness, set);
        let mut set = ChangeSet::default();
        set.sides.push((self.links[0], Side { unchanged: 1, ..proven("003A", 3) }));
        set.counts.add(Counter::Closed(a, Ending::Unchanged), 1);
        commit(harness, set);
    }

    /// An accepted event and all that it counts; none opened means unrouted.
    fn event(&mut self, set: &mut ChangeSet, record: usize, opened: Option<Vec<(usize, u64, bool)>>) {
        let Places { source, a, .. } = self.places;
        let in_a = [self.links[0], self.links[2], self.links[3]];
        let opened = opened.unwrap_or_default().into_iter().map(|(index, number, is_move)| {
            let link = self.links[index];
            OpenedDelivery { link, system: if in_a.contains(&link) { a } else { self.places.b }, number, is_move }
        });
        let opened: Vec<_> = opened.collect();
        for opened in &opened {
            set.counts.add(Counter::Opened(opened.system, if opened.is_move { Cause::Move } else { Cause::Event }), 1);
        }
        set.counts.add(Counter::Source(source, Offer::Offered), 1);
        set.counts.add(Counter::Source(source, Offer::Accepted), 1);
        set.counts.add(Counter::Tenant(Routing::Accepted), 1);
        set.counts.add(Counter::Tenant(if opened.is_empty() { Routing::Unrouted } else { Routing::Routed }), 1);
        let id = EventId(self.events);
        self.events += 1;
        set.events.push(EventRow {
            id,
            source,
            epoch: 1,
            position: id.0,
            record: self.records[record],
            operation: "update",
            occurred_at: minute(id.0),
            accepted_at: minute(id.0 + 1),
            routing: if opened.is_empty() { EventRouting::Unrouted } else { EventRouting::Routed(opened) },
        });
    }
}
