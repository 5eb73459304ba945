//! Laws of a resync: what it opens, what it leaves alone, and that looking and opening see the same.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::{Strategy, any, proptest};

use super::{Need, Resync, Resynced, Rules};
use crate::boundary::{RecordAuthority, SyncBoundary};
use crate::ids::{LinkId, RecordId, SourceId, SystemId};
use crate::intake::Routes;
use crate::ledger::{Cause, Counter};
use crate::link::{Duty, Known, Link, Presence, Side, SideState};
use crate::plan::mapping::{Codec, Row, project};
use crate::plan::reconcile::new_base;
use crate::record::{Fields, Record, RecordState, Value};
use crate::schema::FieldType;
use crate::terms::{FieldRule, OnExisting, OnGone, Terms};
use crate::time::Timestamp;
use crate::version::Version;

const NOW: Timestamp = Timestamp::from_millis(5);
const A: SystemId = SystemId(1);
const B: SystemId = SystemId(2);

fn row(name: &str, field: &str) -> Row {
    Row::new(name, vec![name.into()], vec![field.into()], Codec::Same, RecordAuthority::SystemA, FieldType::Text).unwrap()
}

fn terms(field: &str) -> Terms {
    Terms {
        boundary: SyncBoundary::new("contacts", "internal", "crm"),
        objects: BTreeMap::new(),
        key_field: "Key__c".into(),
        marker: None,
        rows: vec![row("name", field)],
        fillers: BTreeMap::new(),
        rules: BTreeMap::new(),
        on_existing: OnExisting::Dead,
        on_gone: OnGone::Dead,
    }
}

/// The rules of a case, which `Rules` borrows.
struct Ruled {
    routes: BTreeMap<String, Routes>,
    terms: BTreeMap<SystemId, BTreeMap<String, Terms>>,
    systems: BTreeSet<SystemId>,
    force: bool,
}

impl Ruled {
    /// Leads go to `Lead` of A, everybody else to `Contact` of A and to B.
    fn usual() -> Self {
        let place = |system, object: &str| (system, object.to_owned());
        let places = [("lead".to_owned(), vec![place(A, "Lead")]), ("client".to_owned(), vec![place(A, "Contact"), place(B, "contacts")])];
        let routes = Routes { routing_field: Some("type".into()), places: places.into() };
        let of_system = || BTreeMap::from([("contacts".to_owned(), terms("Name"))]);
        Self {
            routes: BTreeMap::from([("contacts".to_owned(), routes)]),
            terms: BTreeMap::from([(A, of_system()), (B, of_system())]),
            systems: BTreeSet::new(),
            force: false,
        }
    }

    fn look(&self, known: &Known) -> Resynced {
        let rules = Rules { routes: &self.routes, terms: &self.terms, systems: &self.systems, force: self.force };
        let mut resync = Resync::new(rules, NOW);
        let mut next = 100;
        resync.look(known.clone(), &mut || {
            next += 1;
            LinkId(next)
        });
        resync.finish()
    }

    fn needs(&self, known: &Known) -> Vec<(i64, String, Need)> {
        self.look(known).seen.needs.into_keys().map(|(system, object, need)| (system.0, object, need)).collect()
    }
}

fn record(contact_type: &str, name: &str) -> Record {
    Record {
        record_type: "contacts".into(),
        key: "k".into(),
        state: RecordState::Live,
        generation: 1,
        version: Version { source: SourceId(1), epoch: 1, order: 1 },
        field_orders: BTreeMap::new(),
        fields: Fields::from([("type".to_owned(), Value::text(contact_type)), ("name".to_owned(), Value::text(name))]),
    }
}

/// A link whose record is over there as `record` was, with nothing open.
fn synced(id: i64, system: SystemId, object: &str, record: &Record, terms: &Terms) -> Link {
    let values = project(terms, object, &record.key, &record.fields).unwrap().values;
    Link {
        id: LinkId(id),
        record: RecordId(1),
        system,
        object: object.to_owned(),
        duty: Duty { opened: 2, generation_start: 0, desired: Presence::Present, due_since: Timestamp(0) },
        side: Side {
            closed: 2,
            external_id: Some(format!("x{id}")),
            base: Some(new_base(terms, record.generation, &values, None, None)),
            ..Side::default()
        },
        forced_to: 0,
    }
}

fn client() -> Known {
    let record = record("client", "Ann");
    let links = vec![synced(1, A, "Contact", &record, &terms("Name")), synced(2, B, "contacts", &record, &terms("Name"))];
    Known { id: RecordId(1), record, links }
}

fn needed(list: &[(SystemId, &str, Need)]) -> Vec<(i64, String, Need)> {
    list.iter().map(|(system, object, need)| (system.0, (*object).to_owned(), *need)).collect()
}

#[test]
fn what_is_right_is_left_alone() {
    let looked = Ruled::usual().look(&client());
    assert!(looked.set.is_empty() && looked.due.is_empty());
    assert_eq!((looked.seen.records, looked.seen.right), (1, 2));
}

#[test]
fn a_mapping_that_changed_writes_where_it_changed() {
    let mut ruled = Ruled::usual();
    ruled.terms.get_mut(&B).unwrap().insert("contacts".into(), terms("FullName"));
    assert_eq!(ruled.needs(&client()), needed(&[(B, "contacts", Need::Update)]));
}

#[test]
fn force_writes_all_of_it_once() {
    let mut ruled = Ruled::usual();
    ruled.force = true;
    let mut known = client();
    let looked = ruled.look(&known);
    assert_eq!(looked.seen.needs.values().sum::<u64>(), 2);
    assert!(looked.set.resyncs.iter().all(|row| row.forced && row.number == 3));
    let link = &mut known.links[0];
    (link.forced_to, link.duty.opened) = (3, 3);
    assert!(link.base().is_none(), "a base is forgotten until what was forced is closed");
    link.side.closed = 3;
    assert!(link.base().is_some());
}

#[test]
fn a_route_that_changed_leaves_after_the_new_place_is_proven() {
    let mut known = client();
    known.record.fields.insert("type".into(), Value::text("lead"));
    let looked = Ruled::usual().look(&known);
    let leaves = needed(&[(A, "Contact", Need::Leave), (A, "Lead", Need::Create), (B, "contacts", Need::Leave)]);
    assert_eq!(Ruled::usual().needs(&known), leaves);
    assert_eq!(looked.set.links_new[0].object, "Lead");
    assert!(looked.set.duties.iter().all(|(_, duty)| duty.desired == Presence::Absent && duty.due_since == NOW));
    assert_eq!(looked.set.counts.get(Counter::Opened(A, Cause::Resync)), 2);
}

#[test]
fn of_one_system_only_but_a_record_that_leaves_it_is_taken_whole() {
    let mut ruled = Ruled::usual();
    ruled.force = true;
    ruled.systems = BTreeSet::from([B]);
    assert_eq!(ruled.needs(&client()), needed(&[(B, "contacts", Need::Update)]));
    let mut known = client();
    known.record.fields.insert("type".into(), Value::text("lead"));
    ruled.force = false;
    assert_eq!(ruled.needs(&known).len(), 3, "B is left once A has it as a lead");
}

#[test]
fn what_a_letter_tells_of_already_is_not_tried_again_unless_it_is_right_now() {
    let mut ruled = Ruled::usual();
    let mut known = client();
    known.record.fields.insert("name".into(), Value::text("Anna"));
    known.links[1].side.state = SideState::Dead;
    let rule = |length| BTreeMap::from([("contacts".to_owned(), BTreeMap::from([("Name".to_owned(), length)]))]);
    let short = FieldRule { length_max: Some(2), required: false };
    ruled.terms.get_mut(&B).unwrap().get_mut("contacts").unwrap().rules = rule(short);
    assert_eq!(ruled.needs(&known), needed(&[(A, "Contact", Need::Update)]));
    known.links[1].side.state = SideState::Idle;
    assert_eq!(ruled.needs(&known), needed(&[(A, "Contact", Need::Update), (B, "contacts", Need::Refuse)]));
    known.links[1].side.state = SideState::Dead;
    ruled.terms.get_mut(&B).unwrap().get_mut("contacts").unwrap().rules = BTreeMap::new();
    assert_eq!(ruled.needs(&known), needed(&[(A, "Contact", Need::Update), (B, "contacts", Need::Update)]));
}

#[test]
fn a_system_without_rules_is_left_alone() {
    let mut ruled = Ruled::usual();
    ruled.terms.remove(&B);
    ruled.force = true;
    let looked = ruled.look(&client());
    assert_eq!(looked.seen.without_rules, 1);
    assert!(looked.set.resyncs.iter().all(|row| row.link == LinkId(1)));
}

#[test]
fn a_deleted_record_that_is_still_there_is_deleted() {
    let mut known = client();
    known.record.state = RecordState::Deleted;
    known.record.fields.clear();
    assert_eq!(Ruled::usual().needs(&known), needed(&[(A, "Contact", Need::Delete), (B, "contacts", Need::Delete)]));
}

fn case() -> impl Strategy<Value = (String, bool, bool, u64)> {
    ("(lead|client|other)", any::<bool>(), any::<bool>(), 0_u64..3)
}

proptest! {
    /// Every delivery is counted, numbered and due; a second look finds all of it due already.
    #[test]
    fn what_is_opened_is_counted_and_not_opened_twice((kind, changed, force, open) in case()) {
        let mut ruled = Ruled::usual();
        ruled.force = force;
        let mut known = client();
        known.record.fields.insert("type".into(), Value::text(&kind));
        if changed {
            known.record.fields.insert("name".into(), Value::text("Anna"));
        }
        known.links[0].duty.opened += open;
        let first = ruled.look(&known);
        let opened = first.set.resyncs.len();
        assert_eq!(first.due.values().map(Vec::len).sum::<usize>(), opened);
        let counted: i64 = [A, B].iter().map(|system| first.set.counts.get(Counter::Opened(*system, Cause::Resync))).sum();
        assert_eq!(usize::try_from(counted), Ok(opened));
        for (link, duty) in &first.set.duties {
            let at = known.links.iter_mut().find(|known| known.id == *link).unwrap();
            assert_eq!(duty.opened, at.duty.opened + 1);
            at.duty = duty.clone();
        }
        known.links.extend(first.set.links_new.clone());
        ruled.force = false;
        let second = ruled.look(&known);
        assert!(second.set.is_empty(), "{:?}", second.set);
        assert!(second.seen.due_already >= opened as u64);
    }
}
