//! Cases about what lanes read and write: due links, unsettled ones, attempts, charges and pauses (S10 to S17).
//!
//! Leaves to others: the one door itself (`store_commit`), sums and upkeep (`store_status`).

use futures_util::future::join;
use syncline_core::attempt::Fate;
use syncline_core::change_set::{AttemptFate, ChangeSet, ChargeClose, PauseScope};
use syncline_core::ids::{AttemptId, ChargeId, LetterId, LinkId, RecordId};
use syncline_core::letter::LetterState;
use syncline_core::link::{LetterRef, Link, Side, SideState};
use syncline_core::time::Timestamp;

use super::store::{Harness, ask, suite, commit, run, try_commit};
use super::store_life::{Places, attempt, charge, duty, letter, letter_end, link, live, minute, pause, proven, record, side};

suite!(
    s10_due_links_come_oldest_first_and_page_by_page,
    s10_a_dead_link_with_something_new_is_due,
    s11_a_marked_again_link_keeps_its_place,
    s12_unsettled_links_are_found_after_a_crash,
    s13_open_attempts_are_found_after_a_crash,
    s13_an_attempt_is_settled_once,
    s14_intake_and_lane_do_not_overwrite_each_other,
    s14_every_column_of_a_side_comes_back,
    s15_a_link_is_found_by_their_id,
    s16_charges_are_found_until_they_no_longer_count,
    s17_a_pause_is_in_force_until_it_is_lifted,
    s17_links_are_loaded_in_the_order_asked,
);

/// Commits one record with a link per time, each with one open delivery.
fn due_links(harness: &dyn Harness, places: Places, times: &[i64]) -> Vec<Link> {
    let mut set = ChangeSet::default();
    for (number, time) in (1..).zip(times) {
        set.records.push((RecordId(number), record(places, &format!("c-{number}"), 1)));
        set.links_new.push(link(LinkId(number), RecordId(number), places.a, 1, minute(*time)));
    }
    let links = set.links_new.clone();
    commit(harness, set);
    links
}

fn due_ids(harness: &dyn Harness, places: Places, after: Option<(Timestamp, LinkId)>, limit: usize) -> Vec<i64> {
    ask!(harness, due(places.a, after, limit)).into_iter().map(|(_, id)| id.0).collect()
}

fn s10_due_links_come_oldest_first_and_page_by_page(harness: &dyn Harness) {
    let places = Places::register(harness);
    due_links(harness, places, &[3, 1, 2, 1, 0]);
    assert_eq!(due_ids(harness, places, None, 10), [5, 2, 4, 3, 1]);
    assert_eq!(due_ids(harness, places, None, 2), [5, 2]);
    assert_eq!(due_ids(harness, places, Some((minute(1), LinkId(2))), 2), [4, 3]);
    assert_eq!(due_ids(harness, places, Some((minute(3), LinkId(1))), 2), [] as [i64; 0]);
    assert_eq!(ask!(harness, due(places.b, None, 10)), vec![]);
    commit(harness, ChangeSet { sides: vec![(LinkId(2), side(SideState::InFlight, 0)), (LinkId(4), proven("x", 1))], ..ChangeSet::default() });
    assert_eq!(due_ids(harness, places, None, 10), [5, 3, 1]);
}

fn s10_a_dead_link_with_something_new_is_due(harness: &dyn Harness) {
    let places = Places::register(harness);
    due_links(harness, places, &[1]);
    commit(harness, ChangeSet { sides: vec![(LinkId(1), side(SideState::Dead, 1))], ..ChangeSet::default() });
    assert_eq!(due_ids(harness, places, None, 10), [] as [i64; 0]);
    commit(harness, ChangeSet { duties: vec![(LinkId(1), duty(2, minute(2)))], ..ChangeSet::default() });
    assert_eq!(due_ids(harness, places, None, 10), [1]);
}

fn s11_a_marked_again_link_keeps_its_place(harness: &dyn Harness) {
    let places = Places::register(harness);
    due_links(harness, places, &[1, 2]);
    for opened in 2..5 {
        commit(harness, ChangeSet { duties: vec![(LinkId(1), duty(opened, minute(1)))], ..ChangeSet::default() });
    }
    assert_eq!(due_ids(harness, places, None, 10), [1, 2]);
}

fn s12_unsettled_links_are_found_after_a_crash(harness: &dyn Harness) {
    let places = Places::register(harness);
    due_links(harness, places, &[1, 1, 1, 1, 1, 1, 1]);
    let states = [
        SideState::Paused,
        SideState::Dead,
        SideState::BackingOff,
        SideState::Idle,
        SideState::Waiting,
        SideState::InFlight,
        SideState::Held,
    ];
    let sides = (1..).zip(states).map(|(id, state)| (LinkId(id), side(state, 0))).collect();
    commit(harness, ChangeSet { sides, ..ChangeSet::default() });
    harness.reopen();
    assert_eq!(ask!(harness, unsettled(places.a)), [1, 3, 5, 6, 7].map(LinkId));
    assert_eq!(ask!(harness, unsettled(places.b)), vec![]);
}

fn s13_open_attempts_are_found_after_a_crash(harness: &dyn Harness) {
    let life = live(harness);
    harness.reopen();
    let open = ask!(harness, open_attempts(life.places.a));
    assert_eq!(open.iter().map(|attempt| (attempt.id, attempt.fate)).collect::<Vec<_>>(), [(life.attempts[2], Fate::Unknown)]);
    let sent = link(life.links[1], life.records[0], life.places.b, 2, minute(1));
    let open = ask!(harness, open_attempts(life.places.b));
    assert_eq!(open, [attempt(life.attempts[3], &sent, life.charges[1])]);
}

fn s13_an_attempt_is_settled_once(harness: &dyn Harness) {
    let places = Places::register(harness);
    let links = due_links(harness, places, &[1]);
    commit(harness, ChangeSet { attempts_new: vec![attempt(AttemptId(1), &links[0], ChargeId(1))], ..ChangeSet::default() });
    let fate = |fate, applied| ChangeSet {
        attempts_settled: vec![AttemptFate { id: AttemptId(1), fate, applied, coalesced: 0 }],
        ..ChangeSet::default()
    };
    commit(harness, fate(Fate::Unknown, 0));
    commit(harness, fate(Fate::Proven, 1));
    try_commit(harness, fate(Fate::Expired, 0)).expect_err("it is settled");
    let found = ask!(harness, attempts(LinkId(1), 5));
    assert_eq!((found.len(), found[0].fate, found[0].applied), (1, Fate::Proven, 1));
}

fn s14_intake_and_lane_do_not_overwrite_each_other(harness: &dyn Harness) {
    let places = Places::register(harness);
    due_links(harness, places, &[1]);
    let store = harness.store();
    for number in 2..12_u64 {
        let intake = ChangeSet { duties: vec![(LinkId(1), duty(number, minute(1)))], ..ChangeSet::default() };
        let lane = ChangeSet { sides: vec![(LinkId(1), proven(&format!("003-{number}"), number - 1))], ..ChangeSet::default() };
        let (intake, lane) = run(harness, join(store.commit(intake), store.commit(lane)));
        intake.expect("the duty commits");
        lane.expect("the side commits");
    }
    let loaded = ask!(harness, load(&[LinkId(1)]));
    assert_eq!(loaded[0].1.links[0].duty, duty(11, minute(1)));
    assert_eq!(loaded[0].1.links[0].side, proven("003-11", 10));
    assert_eq!(ask!(harness, audit()).altered, vec![]);
}

fn s14_every_column_of_a_side_comes_back(harness: &dyn Harness) {
    let places = Places::register(harness);
    due_links(harness, places, &[1]);
    let letters_new = vec![letter(LetterId(3), Some(LinkId(1)), None, 1), letter(LetterId(4), Some(LinkId(1)), None, 1)];
    let letters_ended = vec![letter_end(LetterId(4), LetterState::Discarded)];
    commit(harness, ChangeSet { letters_new, letters_ended, ..ChangeSet::default() });
    let reference = |id| LetterRef { id: LetterId(id), cause: "a b".into() };
    let full = Side {
        state: SideState::BackingOff,
        closed: 9,
        unchanged: 4,
        superseded: 3,
        failures: 7,
        failing_since: Some(minute(-8)),
        until: Some(Timestamp::MAX),
        letters: vec![reference(3)],
        waits_for: Some(LinkId(77)),
        ..proven("003", 9)
    };
    for side in [full, Side::default()] {
        // A lane that has not heard of a letter's end still names it.
        let mut written = side.clone();
        written.letters.push(reference(4));
        commit(harness, ChangeSet { sides: vec![(LinkId(1), written)], ..ChangeSet::default() });
        assert_eq!(ask!(harness, load(&[LinkId(1)]))[0].1.links[0].side, side);
    }
}

fn s15_a_link_is_found_by_their_id(harness: &dyn Harness) {
    let places = Places::register(harness);
    due_links(harness, places, &[1, 1, 1]);
    let sides = vec![(LinkId(1), proven("003A", 1)), (LinkId(2), proven("003a", 1))];
    commit(harness, ChangeSet { sides, ..ChangeSet::default() });
    let found = |object: &str, id: &str| ask!(harness, link_by_external(places.a, object, id));
    assert_eq!((found("Contact", "003A"), found("Contact", "003a")), (Some(LinkId(1)), Some(LinkId(2))));
    assert_eq!((found("Lead", "003A"), found("Contact", "003B")), (None, None));
    assert_eq!((ask!(harness, proven(places.a, "Contact")), ask!(harness, proven(places.b, "Contact"))), (2, 0));
    commit(harness, ChangeSet { sides: vec![(LinkId(1), side(SideState::Idle, 1)), (LinkId(2), proven("003B", 1))], ..ChangeSet::default() });
    assert_eq!((found("Contact", "003A"), found("Contact", "003a"), found("Contact", "003B")), (None, None, Some(LinkId(2))));
    assert_eq!(ask!(harness, proven(places.a, "Contact")), 1);
}

fn s16_charges_are_found_until_they_no_longer_count(harness: &dyn Harness) {
    let mut set = ChangeSet::default();
    for (id, account, opened) in [(1, "acme-1", 1), (2, "acme-1", 10), (3, "acme-1", 2), (4, "hub-1", 10), (5, "acme-1", 3)] {
        set.charges_new.push(charge(ChargeId(id), account, minute(opened)));
    }
    set.charges_new[4].horizon = minute(20);
    commit(harness, set);
    let close = |id, at, released| ChargeClose { id: ChargeId(id), answered_at: minute(at), released };
    commit(harness, ChangeSet { charges_closed: vec![close(1, 2, false), close(3, 12, true)], ..ChangeSet::default() });
    harness.reopen();
    let found = ask!(harness, charges("acme-1", minute(10)));
    assert_eq!(found.iter().map(|charge| charge.id.0).collect::<Vec<_>>(), [2, 3, 5]);
    assert_eq!(found[0], charge(ChargeId(2), "acme-1", minute(10)));
    assert_eq!((found[1].answered_at, found[1].released), (Some(minute(12)), true));
}

fn s17_a_pause_is_in_force_until_it_is_lifted(harness: &dyn Harness) {
    let change = |changes| commit(harness, ChangeSet { pauses: changes, ..ChangeSet::default() });
    change(vec![pause("acme", PauseScope::Deletes, true), pause("acme", PauseScope::Writes, true), pause("hub", PauseScope::Writes, true)]);
    let object = |name: &str| PauseScope::Object(name.to_owned());
    change(vec![pause("acme", object("Lead"), true), pause("acme", object("Contact"), true), pause("hub", object("contacts"), false)]);
    change(vec![pause("acme", PauseScope::Writes, false), pause("hub", PauseScope::Deletes, false), pause("hub", PauseScope::Writes, true)]);
    change(vec![pause("acme", object("Lead"), true), pause("acme", object("Contact"), false)]);
    harness.reopen();
    let found = ask!(harness, pauses());
    assert_eq!(found.iter().map(|row| (row.pause.system.as_str(), row.pause.scope.clone())).collect::<Vec<_>>(), [
        ("acme", PauseScope::Deletes),
        ("acme", object("Lead")),
        ("hub", PauseScope::Writes)
    ]);
    assert_eq!((found[0].since, found[0].reason.as_str()), (minute(4), "too many deletes"));
    assert_eq!(ask!(harness, audit()).imbalances, vec![]);
}

fn s17_links_are_loaded_in_the_order_asked(harness: &dyn Harness) {
    let life = live(harness);
    let loaded = ask!(harness, load(&[life.links[4], LinkId(12_345), life.links[1], life.links[0]]));
    assert_eq!(loaded.iter().map(|(id, known)| (*id, known.id)).collect::<Vec<_>>(), [
        (life.links[4], life.records[2]),
        (life.links[1], life.records[0]),
        (life.links[0], life.records[0])
    ]);
    assert_eq!(loaded[0].1.links.iter().map(|link| link.id).collect::<Vec<_>>(), [life.links[3], life.links[4]]);
}
