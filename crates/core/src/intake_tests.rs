//! Folding and routing: orders of arrival, lives of a record, duplicates, and a group against its events one by one.

use std::collections::BTreeMap;

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

use super::{Folded, Intake, Offered, Routes, fold};
use crate::change_set::{ChangeSet, EventRouting};
use crate::event::{Change as Event, ChangeKind, SourceSettings, decode};
use crate::ids::{AttemptId, ChargeId, EventId, Ids, LetterId, LinkId, RecordId, SourceId, SystemId};
use crate::ledger::{Cause, Counter, Counts, Ledger, Offer, Routing};
use crate::link::{Known, Link, Presence};
use crate::patch::{Change, Patch};
use crate::record::{Fields, Record, RecordState, Value};
use crate::schema::Schemas;
use crate::time::Timestamp;
use crate::version::Version;

const SOURCE: SourceId = SourceId(1);
const NOW: Timestamp = Timestamp::from_millis(1);

/// A number of its own for every kind, so that a group and its events one by one get the same ids.
#[derive(Debug, Default)]
struct Numbers([i64; 4]);

impl Numbers {
    fn next(&mut self, kind: usize) -> i64 {
        self.0[kind] += 1;
        self.0[kind]
    }
}

impl Ids for Numbers {
    fn record(&mut self) -> RecordId {
        RecordId(self.next(0))
    }
    fn link(&mut self) -> LinkId {
        LinkId(self.next(1))
    }
    fn event(&mut self) -> EventId {
        EventId(self.next(2))
    }
    fn letter(&mut self) -> LetterId {
        LetterId(self.next(3))
    }
    fn attempts(&mut self, _: usize) -> AttemptId {
        unreachable!("intake attempts nothing")
    }
    fn charge(&mut self) -> ChargeId {
        unreachable!("intake charges nothing")
    }
}

/// What is durable, for intakes one after another.
#[derive(Debug, Default, PartialEq, Eq)]
struct Kept {
    records: BTreeMap<RecordId, Record>,
    links: BTreeMap<LinkId, Link>,
    seen: BTreeMap<String, i64>,
    counts: Counts,
    letters: usize,
}

impl Kept {
    fn apply(&mut self, set: ChangeSet) {
        self.records.extend(set.records);
        self.links.extend(set.links_new.into_iter().map(|link| (link.id, link)));
        for (link, duty) in set.duties {
            self.links.get_mut(&link).unwrap().duty = duty;
        }
        self.seen.extend(set.seen.into_iter().map(|seen| (seen.event_id, seen.digest)));
        self.counts.merge(&set.counts);
        self.letters += set.letters_new.len();
    }

    /// Takes in a group; answers what came of each event.
    fn take(&mut self, offered: Vec<Offered>, ids: &mut Numbers) -> Vec<EventRouting> {
        let routes = routes();
        let mut intake = Intake::new(&routes, SOURCE, 1, true, NOW);
        for (id, record) in &self.records {
            let links = self.links.values().filter(|link| link.record == *id).cloned().collect();
            intake.know(Known { id: *id, record: record.clone(), links });
        }
        for (id, digest) in &self.seen {
            intake.know_seen(id.clone(), *digest);
        }
        for offered in offered {
            intake.offer(offered, ids);
        }
        let taken = intake.finish(None);
        let routings = taken.set.events.iter().map(|event| event.routing.clone()).collect();
        self.apply(taken.set);
        routings
    }

    fn ledger(&self) -> Ledger {
        let mut open = BTreeMap::new();
        for link in self.links.values() {
            *open.entry(link.system).or_default() += i64::try_from(link.open()).unwrap();
        }
        Ledger { counts: self.counts.clone(), open, waiting: i64::try_from(self.letters).unwrap() }
    }
}

/// A lead is in two systems, a customer in one of them under another object, a vendor nowhere.
fn routes() -> BTreeMap<String, Routes> {
    let place = |system, object: &str| (SystemId(system), object.to_owned());
    let lead = vec![place(1, "Lead"), place(2, "contacts")];
    let places = BTreeMap::from([("lead".into(), lead), ("customer".into(), vec![place(1, "Contact")])]);
    BTreeMap::from([("contacts".into(), Routes { routing_field: Some("type".into()), places })])
}

fn patch(fields: &[(&str, Option<&str>)]) -> Patch {
    let change = |value: &Option<&str>| value.map_or(Change::Clear, |value| Change::Set(Value::text(value)));
    Patch(fields.iter().map(|(name, value)| ((*name).to_owned(), change(value))).collect())
}

fn event(key: &str, operation: ChangeKind, fields: &[(&str, Option<&str>)]) -> Event {
    Event {
        record_type: "contacts".into(),
        key: key.into(),
        operation,
        occurred_at: NOW,
        patch: patch(fields),
        event_id: None,
        order: None,
        digest: 0,
    }
}

fn unknown() -> Record {
    Record {
        record_type: "contacts".into(),
        key: "k".into(),
        state: RecordState::Deleted,
        generation: 0,
        version: version(i64::MIN),
        field_orders: BTreeMap::new(),
        fields: Fields::new(),
    }
}

fn version(order: i64) -> Version {
    Version { source: SOURCE, epoch: 1, order }
}

const TAKEN: Folded = Folded::Taken { new_life: false };
const CREATE: ChangeKind = ChangeKind::Create;
const UPDATE: ChangeKind = ChangeKind::Update;
const DELETE: ChangeKind = ChangeKind::Delete;

fn folded(record: &mut Record, order: i64, operation: ChangeKind, fields: &[(&str, Option<&str>)]) -> Folded {
    fold(record, &event("k", operation, fields), version(order), false)
}

fn texts(record: &Record) -> Vec<(&str, &str)> {
    record.fields.iter().map(|(name, value)| (name.as_str(), value.as_text().unwrap())).collect()
}

#[test]
fn a_record_created_after_its_delete_lives_again() {
    for by_position in [true, false] {
        let mut record = unknown();
        let mut take = |order, operation, fields: &[_]| {
            fold(&mut record, &event("k", operation, fields), version(order), by_position)
        };
        assert_eq!(take(1, CREATE, &[("a", Some("1")), ("b", Some("1"))]), TAKEN);
        assert_eq!(take(2, DELETE, &[]), TAKEN);
        assert_eq!(take(3, UPDATE, &[("a", Some("2"))]), Folded::Stale);
        assert_eq!(take(4, CREATE, &[("b", Some("3"))]), Folded::Taken { new_life: true });
        assert_eq!((record.generation, record.state, texts(&record)), (2, RecordState::Live, vec![("b", "3")]));
    }
}

#[test]
fn a_create_of_a_live_record_replaces_it() {
    let mut record = unknown();
    folded(&mut record, 1, CREATE, &[("a", Some("1")), ("b", Some("1"))]);
    assert_eq!(folded(&mut record, 2, CREATE, &[("b", Some("2"))]), TAKEN);
    assert_eq!((record.generation, texts(&record)), (1, vec![("b", "2")]));
}

#[test]
fn a_delete_of_the_unknown_or_the_deleted_changes_nothing() {
    let mut record = unknown();
    assert_eq!(folded(&mut record, 1, DELETE, &[]), TAKEN);
    assert_eq!(record, unknown());
    folded(&mut record, 2, UPDATE, &[("a", Some("1")), ("b", None)]);
    assert_eq!((record.generation, texts(&record)), (1, vec![("a", "1")]), "an update of the unknown is a create");
    for order in [3, 4] {
        assert_eq!(folded(&mut record, order, DELETE, &[]), TAKEN);
        assert_eq!((record.generation, record.state), (1, RecordState::Deleted));
    }
}

#[test]
fn what_is_older_than_the_snapshot_is_stale_and_a_tie_applies() {
    let mut record = unknown();
    folded(&mut record, 5, CREATE, &[("a", Some("1"))]);
    assert_eq!(folded(&mut record, 4, UPDATE, &[("a", Some("0"))]), Folded::Stale);
    assert_eq!(folded(&mut record, 4, CREATE, &[]), Folded::Stale);
    assert_eq!(folded(&mut record, 4, DELETE, &[]), Folded::Stale);
    assert_eq!(folded(&mut record, 5, UPDATE, &[("a", None), ("b", Some("2"))]), TAKEN);
    assert_eq!(texts(&record), [("b", "2")]);
}

#[test]
fn a_snapshot_leaves_what_a_newer_patch_has_set() {
    let mut record = unknown();
    folded(&mut record, 1, CREATE, &[("a", Some("1")), ("c", Some("1"))]);
    folded(&mut record, 9, UPDATE, &[("a", Some("9")), ("b", Some("9")), ("c", None)]);
    assert_eq!(folded(&mut record, 5, CREATE, &[("a", Some("5")), ("c", Some("5")), ("d", Some("5"))]), TAKEN);
    assert_eq!(texts(&record), [("a", "9"), ("b", "9"), ("d", "5")]);
}

#[test]
fn another_epoch_is_never_stale() {
    let mut record = unknown();
    folded(&mut record, 9, CREATE, &[("a", Some("1"))]);
    let later = Version { epoch: 2, ..version(1) };
    assert_eq!(fold(&mut record, &event("k", UPDATE, &[("a", Some("2"))]), later, false), TAKEN);
    assert_eq!((texts(&record), record.version), (vec![("a", "2")], later));
}

/// Patches of a few fields, in the order of their times.
fn patches() -> impl Strategy<Value = Vec<BTreeMap<&'static str, Option<u8>>>> {
    let field = prop_oneof![Just("a"), Just("b"), Just("c"), Just("d")];
    proptest::collection::vec(proptest::collection::btree_map(field, proptest::option::of(0_u8..4), 0..4), 1..12)
}

proptest! {
    #[test]
    fn in_any_order_of_arrival_every_field_is_as_its_newest_patch_says(patches in patches(), keys in any::<[u32; 12]>()) {
        let mut expected = BTreeMap::from([("a", "x".to_owned()), ("d", "x".to_owned())]);
        let mut events = Vec::new();
        for (at, patch) in patches.iter().enumerate() {
            let mut changes = Patch::default();
            for (name, value) in patch {
                match value {
                    Some(value) => expected.insert(name, value.to_string()),
                    None => expected.remove(name),
                };
                let change = value.map_or(Change::Clear, |value| Change::Set(Value::text(value.to_string())));
                changes.0.insert((*name).to_owned(), change);
            }
            events.push((10 + i64::try_from(at).unwrap(), Event { patch: changes, ..event("k", UPDATE, &[]) }));
        }
        let mut shuffled: Vec<_> = keys.into_iter().zip(events.clone()).collect();
        shuffled.sort_by_key(|(key, _)| *key);
        let mut record = unknown();
        folded(&mut record, 1, CREATE, &[("a", Some("x")), ("d", Some("x"))]);
        for (_, (order, event)) in &shuffled {
            fold(&mut record, event, version(*order), false);
        }
        let expected: Vec<_> = expected.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(texts(&record), expected);
        assert_eq!(record.generation, 1);
        let mut by_position = unknown();
        fold(&mut by_position, &event("k", CREATE, &[("a", Some("x")), ("d", Some("x"))]), version(1), true);
        for (_, event) in &events {
            assert_eq!(fold(&mut by_position, event, version(1), true), TAKEN, "nothing is stale by position");
        }
        assert_eq!(texts(&by_position), expected);
    }
}

/// An input of a group: which record, what, its type, its explicit id with a body, or no valid event at all.
type Input = (u8, u8, u8, Option<(u8, u8)>, bool);

fn offered(at: usize, (key, what, kind, explicit, valid): Input) -> Offered {
    let kind = ["lead", "customer", "vendor"][usize::from(kind % 3)];
    let name = explicit.map_or_else(|| what.to_string(), |(_, body)| body.to_string());
    let operation = [CREATE, UPDATE, UPDATE, DELETE][usize::from(what % 4)];
    let fields = [("name", Some(name.as_str())), ("type", Some(kind))];
    let mut event = event(&format!("k{}", key % 3), operation, if operation == DELETE { &[] } else { &fields });
    if let Some((id, body)) = explicit {
        (event.event_id, event.digest) = (Some(format!("e{}", id % 4)), i64::from(body % 2));
    }
    let event = if valid { Ok(event) } else { decode(b"{", &Schemas::default(), &SourceSettings::default()) };
    Offered { position: i64::try_from(at).unwrap(), place: format!("file:{at}"), raw: vec![b'{'], event }
}

fn inputs() -> impl Strategy<Value = Vec<Input>> {
    let explicit = proptest::option::of((any::<u8>(), any::<u8>()));
    proptest::collection::vec((any::<u8>(), any::<u8>(), any::<u8>(), explicit, proptest::bool::weighted(0.9)), 0..40)
}

proptest! {
    #[test]
    fn a_group_comes_to_the_same_as_its_events_one_by_one(inputs in inputs()) {
        let all = || inputs.iter().enumerate().map(|(at, input)| offered(at, *input));
        let (mut group, mut single) = (Kept::default(), Kept::default());
        let grouped = group.take(all().collect(), &mut Numbers::default());
        let mut ids = Numbers::default();
        let singly: Vec<_> = all().flat_map(|offered| single.take(vec![offered], &mut ids)).collect();
        assert_eq!(grouped, singly);
        assert_eq!(group, single);
    }

    #[test]
    fn everything_offered_is_told_and_every_delivery_is_numbered(inputs in inputs()) {
        let mut kept = Kept::default();
        let all = inputs.iter().enumerate().map(|(at, input)| offered(at, *input)).collect();
        let routings = kept.take(all, &mut Numbers::default());
        assert_eq!(kept.ledger().imbalances(), vec![]);
        assert_eq!(kept.counts.get(Counter::Source(SOURCE, Offer::Offered)), i64::try_from(inputs.len()).unwrap());
        let mut last = BTreeMap::new();
        for routing in &routings {
            if let EventRouting::Routed(opened) = routing {
                assert!(!opened.is_empty());
                for opened in opened {
                    assert_eq!(opened.number, last.get(&opened.link).unwrap_or(&0) + 1);
                    last.insert(opened.link, opened.number);
                }
            }
        }
        for link in kept.links.values() {
            assert_eq!(Some(&link.duty.opened), last.get(&link.id), "{link:?}");
            assert!(link.duty.generation_start < link.duty.opened, "{link:?}");
        }
    }
}

fn good(event: Event) -> Offered {
    Offered { position: 1, place: "file:1".into(), raw: b"{}".to_vec(), event: Ok(event) }
}

#[test]
fn an_id_that_comes_again_is_a_duplicate_or_with_another_body_refused() {
    let bears = |digest| Event { event_id: Some("e".into()), digest, ..event("k", CREATE, &[("type", Some("lead"))]) };
    let routes = routes();
    let mut ids = Numbers::default();
    let mut intake = Intake::new(&routes, SOURCE, 1, true, NOW);
    intake.know_seen("old".into(), 5);
    for digest in [1, 1, 2] {
        intake.offer(good(bears(digest)), &mut ids);
    }
    for digest in [5, 6] {
        intake.offer(good(Event { event_id: Some("old".into()), ..bears(digest) }), &mut ids);
    }
    let set = intake.finish(None).set;
    let count = |offer| set.counts.get(Counter::Source(SOURCE, offer));
    assert_eq!([Offer::Offered, Offer::Accepted, Offer::Duplicate, Offer::Refused].map(count), [5, 1, 2, 2]);
    assert_eq!((set.events.len(), set.seen.len()), (1, 1));
    let letters: Vec<_> = set.letters_new.iter().map(|letter| (letter.rejection.code.as_str(), letter.held)).collect();
    assert_eq!(letters, [("id_reuse", 1), ("id_reuse", 1)]);
    assert!(set.letters_new.iter().all(|letter| letter.raw.as_deref() == Some(b"{}") && letter.source == Some(SOURCE)));
}

#[test]
fn a_change_of_type_opens_a_move_toward_the_old_place() {
    let (mut kept, mut ids) = (Kept::default(), Numbers::default());
    kept.take(vec![good(event("k", CREATE, &[("type", Some("lead"))]))], &mut ids);
    let moved = kept.take(vec![good(event("k", UPDATE, &[("type", Some("customer"))]))], &mut ids);
    let [EventRouting::Routed(opened)] = moved.as_slice() else { panic!("{moved:?}") };
    let told: Vec<_> =
        opened.iter().map(|opened| (kept.links[&opened.link].object.as_str(), opened.number, opened.is_move)).collect();
    assert_eq!(told, [("Lead", 2, true), ("contacts", 2, true), ("Contact", 1, false)]);
    let count = |system, cause| kept.counts.get(Counter::Opened(SystemId(system), cause));
    assert_eq!([count(1, Cause::Move), count(2, Cause::Move), count(1, Cause::Event)], [1, 1, 2]);
    let wanted: Vec<_> = kept.links.values().map(|link| link.duty.desired).collect();
    assert_eq!(wanted, [Presence::Absent, Presence::Absent, Presence::Present]);
}

#[test]
fn a_delete_is_no_move_and_a_new_life_says_where_it_begins() {
    let (mut kept, mut ids) = (Kept::default(), Numbers::default());
    kept.take(vec![good(event("k", CREATE, &[("type", Some("customer"))]))], &mut ids);
    let deleted = kept.take(vec![good(event("k", DELETE, &[]))], &mut ids);
    assert!(matches!(deleted.as_slice(), [EventRouting::Routed(opened)] if !opened[0].is_move));
    kept.take(vec![good(event("k", CREATE, &[("type", Some("customer"))]))], &mut ids);
    let link = kept.links.values().next().unwrap();
    assert_eq!((link.duty.opened, link.duty.generation_start, link.duty.desired), (3, 2, Presence::Present));
}

#[test]
fn a_type_that_no_route_names_is_unrouted() {
    let (mut kept, mut ids) = (Kept::default(), Numbers::default());
    let unrouted = kept.take(vec![good(event("k", CREATE, &[("type", Some("vendor"))]))], &mut ids);
    assert_eq!(unrouted, [EventRouting::Unrouted]);
    assert_eq!(kept.counts.get(Counter::Tenant(Routing::Unrouted)), 1);
    let stranger = Event { record_type: "deals".into(), ..event("d", CREATE, &[]) };
    assert_eq!(kept.take(vec![good(stranger)], &mut ids), [EventRouting::Unrouted]);
    assert!(kept.links.is_empty() && kept.ledger().imbalances().is_empty());
}
