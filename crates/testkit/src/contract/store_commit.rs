//! Cases about the one door for writes: atomicity, durability, order, ids and names (S1 to S9).
//!
//! Leaves to others: what lanes look for (`store_lanes`), sums and upkeep (`store_status`).

use std::future::Future;
use std::task::Poll;

use futures_util::future::{join_all, join3};
use syncline_core::change_set::{ChangeSet, SeenEvent};
use syncline_core::checkpoint::Checkpoint;
use syncline_core::ids::{LinkId, RecordId};
use syncline_core::ledger::{Counter, Offer};
use syncline_engine::error::Kind;
use syncline_engine::ports::store::IdKind;

use super::store::{Harness, ask, suite, commit, run, try_commit};
use super::store_life::{Places, duty, link, minute, record};

suite!(
    s1_a_set_that_fails_leaves_nothing,
    s2_what_was_committed_is_there_after_a_crash,
    s2_what_was_only_handed_in_is_whole_or_absent_after_a_crash,
    s3_sets_apply_in_the_order_handed_in,
    s4_checkpoint_is_durable_with_its_rows,
    s5_a_read_sees_one_committed_state,
    s6_a_bad_set_fails_alone,
    s7_ids_are_given_out_once,
    s7_ids_are_not_reused_after_a_crash,
    s8_a_name_keeps_its_number,
    s9_an_event_id_is_remembered_with_its_digest,
);

/// A set that writes a record and cannot be applied: it changes a link that is not there.
fn bad(places: Places, key: &str) -> ChangeSet {
    let mut set = ChangeSet::default();
    set.records.push((RecordId(900), record(places, key, 1)));
    set.counts.add(Counter::Source(places.source, Offer::Offered), 1);
    set.duties.push((LinkId(999_999), duty(1, minute(1))));
    set
}

fn one_record(places: Places, id: i64, key: &str, order: i64) -> ChangeSet {
    ChangeSet { records: vec![(RecordId(id), record(places, key, order))], ..ChangeSet::default() }
}

fn s1_a_set_that_fails_leaves_nothing(harness: &dyn Harness) {
    let places = Places::register(harness);
    let error = try_commit(harness, bad(places, "c-1")).expect_err("the set does not fit");
    assert_eq!(error.kind, Kind::Internal);
    assert!(error.message.contains("999999"), "{error}");
    assert_eq!(ask!(harness, known("contacts", &["c-1"])), vec![None]);
    assert_eq!(ask!(harness, ledger()).counts.get(Counter::Source(places.source, Offer::Offered)), 0);
}

fn s2_what_was_committed_is_there_after_a_crash(harness: &dyn Harness) {
    let places = Places::register(harness);
    let mut set = one_record(places, 1, "c-1", 5);
    let made = link(LinkId(1), RecordId(1), places.a, 1, minute(1));
    set.links_new.push(made.clone());
    commit(harness, set);
    harness.reopen();
    let known = ask!(harness, known("contacts", &["nobody", "c-1"]));
    assert_eq!(known[0], None);
    let known = known[1].as_ref().expect("the record is there");
    assert_eq!((known.id, &known.record, &known.links), (RecordId(1), &record(places, "c-1", 5), &vec![made]));
}

fn s2_what_was_only_handed_in_is_whole_or_absent_after_a_crash(harness: &dyn Harness) {
    let places = Places::register(harness);
    let mut set = one_record(places, 1, "c-1", 1);
    set.checkpoints.push(Checkpoint { source: places.source, epoch: 1, position: 1, cursor: "{}".into() });
    let store = harness.store();
    let mut handed_in = Box::pin(async move { store.commit(set).await });
    run(harness, std::future::poll_fn(|context| {
        let _ = handed_in.as_mut().poll(context);
        Poll::Ready(())
    }));
    drop(handed_in);
    harness.reopen();
    let is_known = ask!(harness, known("contacts", &["c-1"]))[0].is_some();
    assert_eq!(is_known, ask!(harness, checkpoint(places.source)).is_some());
}

fn s3_sets_apply_in_the_order_handed_in(harness: &dyn Harness) {
    let places = Places::register(harness);
    let store = harness.store();
    let sets = (1..=40).map(|order| store.commit(one_record(places, 1, "c-1", order)));
    for answer in run(harness, join_all(sets)) {
        answer.expect("every set commits");
    }
    let known = ask!(harness, known("contacts", &["c-1"]));
    assert_eq!(known[0].as_ref().expect("the record is there").record.version.order, 40);
}

fn s4_checkpoint_is_durable_with_its_rows(harness: &dyn Harness) {
    let places = Places::register(harness);
    let checkpoint = |position| Checkpoint { source: places.source, epoch: 2, position, cursor: format!("{{\"at\":{position}}}") };
    assert_eq!(ask!(harness, checkpoint(places.source)), None);
    for position in 1..=2 {
        let mut set = one_record(places, position, &format!("c-{position}"), 1);
        set.checkpoints.push(checkpoint(position));
        commit(harness, set);
    }
    let mut set = bad(places, "c-3");
    set.checkpoints.push(checkpoint(3));
    try_commit(harness, set).expect_err("the set does not fit");
    harness.reopen();
    assert_eq!(ask!(harness, checkpoint(places.source)), Some(checkpoint(2)));
    let known = ask!(harness, known("contacts", &["c-1", "c-2", "c-3"]));
    assert_eq!(known.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false]);
}

fn s5_a_read_sees_one_committed_state(harness: &dyn Harness) {
    let places = Places::register(harness);
    let mut first = one_record(places, 1, "c-1", 1);
    first.links_new.push(link(LinkId(1), RecordId(1), places.a, 1, minute(1)));
    commit(harness, first);
    let store = harness.store();
    let mut commits = (2..=60_u64).map(|order| {
        let mut set = one_record(places, 1, "c-1", i64::try_from(order).expect("small"));
        set.duties.push((LinkId(1), duty(order, minute(1))));
        Box::pin(store.commit(set))
    });
    let mut pending = Vec::new();
    run(harness, std::future::poll_fn(|context| {
        pending.extend(commits.by_ref().take(7));
        pending.retain_mut(|commit| commit.as_mut().poll(context).is_pending());
        let mut read = Box::pin(store.known("contacts", &["c-1"]));
        if let Poll::Ready(known) = read.as_mut().poll(context) {
            let known = known.expect("known")[0].clone().expect("the record is there");
            assert_eq!(u64::try_from(known.record.version.order).expect("small"), known.links[0].duty.opened);
        }
        if pending.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }));
}

fn s6_a_bad_set_fails_alone(harness: &dyn Harness) {
    let places = Places::register(harness);
    let store = harness.store();
    let answers = run(
        harness,
        join3(store.commit(one_record(places, 1, "c-1", 1)), store.commit(bad(places, "c-2")), store.commit(one_record(places, 3, "c-3", 1))),
    );
    assert!(answers.0.is_ok() && answers.1.is_err() && answers.2.is_ok(), "{answers:?}");
    let known = ask!(harness, known("contacts", &["c-1", "c-2", "c-3"]));
    assert_eq!(known.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(ask!(harness, audit()).imbalances, vec![]);
}

const KINDS: [IdKind; 6] = [IdKind::Record, IdKind::Link, IdKind::Event, IdKind::Attempt, IdKind::Letter, IdKind::Charge];

fn s7_ids_are_given_out_once(harness: &dyn Harness) {
    let store = harness.store();
    for kind in KINDS {
        let first = store.allocate(kind, 3);
        assert!(first > 0);
        assert!(store.allocate(kind, 1) >= first + 3);
    }
}

fn s7_ids_are_not_reused_after_a_crash(harness: &dyn Harness) {
    let life = super::live(harness);
    let last = |kind| match kind {
        IdKind::Record => life.records.last().map(|id| id.0),
        IdKind::Link => life.links.last().map(|id| id.0),
        IdKind::Event => Some(11),
        IdKind::Attempt => life.attempts.last().map(|id| id.0),
        IdKind::Letter => life.letters.last().map(|id| id.0),
        IdKind::Charge => life.charges.last().map(|id| id.0),
    };
    ask!(harness, prune(minute(1_000), minute(1_000)));
    harness.reopen();
    for kind in KINDS {
        assert!(harness.store().allocate(kind, 1) > last(kind).expect("the life has rows of every kind"), "{kind:?}");
    }
}

fn s8_a_name_keeps_its_number(harness: &dyn Harness) {
    let places = Places::register(harness);
    assert_ne!(places.a, places.b);
    harness.reopen();
    assert_eq!(ask!(harness, register("hub")), places.b.0);
    let names: Vec<_> = ask!(harness, systems()).into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["people", "acme", "hub"]);
}

fn s9_an_event_id_is_remembered_with_its_digest(harness: &dyn Harness) {
    let places = Places::register(harness);
    let seen = |event_id: &str, digest| SeenEvent { source: places.source, event_id: event_id.into(), digest, accepted_at: minute(1) };
    commit(harness, ChangeSet { seen: vec![seen("x", -4), seen("y", i64::MIN)], ..ChangeSet::default() });
    harness.reopen();
    assert_eq!(ask!(harness, seen(places.source, &["y", "z", "x"])), vec![Some(i64::MIN), None, Some(-4)]);
    try_commit(harness, ChangeSet { seen: vec![seen("x", 5)], ..ChangeSet::default() }).expect_err("it was remembered before");
    assert_eq!(ask!(harness, seen(places.source, &["x"])), vec![Some(-4)]);
}
