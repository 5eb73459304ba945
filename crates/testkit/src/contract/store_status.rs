//! Cases about what people and auditors read: sums, letters, history, the audit and upkeep (S18 to S23).
//!
//! Leaves to others: altering rows behind the store's back, which only an adapter's own tests can do.

use syncline_core::change_set::{ChangeSet, EventRouting, ResyncRow};
use syncline_core::ids::LetterId;
use syncline_core::ledger::{Cause, Counter, Ending, Post};
use syncline_core::letter::LetterState;
use syncline_core::link::LinkState;
use syncline_engine::ports::store::{Audit, LetterFilter};

use super::store::{Harness, ask, suite, commit, try_commit};
use super::store_life::{duty, letter, letter_end, live, minute};

suite!(
    s18_counters_add_up_after_a_life,
    s18_a_set_counts_once_and_sums_are_kept,
    s19_states_count_every_link_once,
    s20_a_letter_ends_once,
    s20_letters_are_listed_oldest_first_and_page_by_page,
    s21_history_is_newest_first,
    s21_the_log_is_paged_from_the_newest_event_on,
    s21_a_link_s_letters_are_listed_whole,
    s22_an_audit_of_an_honest_life_finds_nothing,
    s22_an_audit_finds_a_count_without_rows,
    s23_upkeep_forgets_what_is_old,
    s23_upkeep_never_touches_open_work,
    s31_records_are_paged_whole_by_id_and_type,
    s32_what_is_forced_stays_forced_whatever_is_written_afterwards,
);

fn s18_counters_add_up_after_a_life(harness: &dyn Harness) {
    let life = live(harness);
    harness.reopen();
    let ledger = ask!(harness, ledger());
    assert_eq!(ledger.imbalances(), vec![]);
    assert_eq!(ledger.waiting, 1);
    assert_eq!(ledger.open.get(&life.places.a), Some(&3));
    assert_eq!(ledger.open.get(&life.places.b), Some(&2));
    assert_eq!(ledger.counts.get(Counter::Opened(life.places.a, Cause::Replay)), 1);
    assert_eq!(ledger.counts.get(Counter::Closed(life.places.b, Ending::Dead)), 3);
}

fn s18_a_set_counts_once_and_sums_are_kept(harness: &dyn Harness) {
    let account = Counter::Opened(syncline_core::ids::SystemId(9), Cause::Event);
    for round in 1..=5 {
        let mut set = ChangeSet::default();
        set.counts.add(account, 3);
        commit(harness, set);
        assert_eq!(ask!(harness, ledger()).counts.get(account), 3 * round);
    }
}

fn s19_states_count_every_link_once(harness: &dyn Harness) {
    let life = live(harness);
    let (states, oldest) = ask!(harness, states(life.places.a));
    let of = |state| states.iter().find(|(found, _)| *found == state).map_or(0, |(_, count)| *count);
    assert_eq!((of(LinkState::Clean), of(LinkState::Due), of(LinkState::Held)), (1, 1, 1));
    assert_eq!(states.iter().map(|(_, count)| count).sum::<u64>(), 3);
    assert_eq!(oldest, Some(minute(6)));
    let (states, oldest) = ask!(harness, states(life.places.b));
    let of = |state| states.iter().find(|(found, _)| *found == state).map_or(0, |(_, count)| *count);
    assert_eq!((of(LinkState::InFlight), of(LinkState::Dead), of(LinkState::Due)), (1, 1, 0));
    assert_eq!(oldest, None);
}

fn s20_a_letter_ends_once(harness: &dyn Harness) {
    let mut set = ChangeSet { letters_new: vec![letter(LetterId(1), None, None, 2)], ..ChangeSet::default() };
    set.counts.add(Counter::Letters(Post::Created), 1);
    commit(harness, set);
    commit(harness, ChangeSet { letters_grown: vec![(LetterId(1), 3)], ..ChangeSet::default() });
    let end = |state| ChangeSet { letters_ended: vec![letter_end(LetterId(1), state)], ..ChangeSet::default() };
    commit(harness, end(LetterState::Discarded));
    commit(harness, end(LetterState::Replayed));
    let grown = ChangeSet { letters_grown: vec![(LetterId(1), 1)], ..ChangeSet::default() };
    try_commit(harness, grown).expect_err("it has ended");
    let found = ask!(harness, letter(LetterId(1))).expect("the letter is there");
    assert_eq!((found.held, found.state, found.ended_at), (5, LetterState::Discarded, Some(minute(6))));
    assert_eq!(found.note.as_deref(), Some("by ann"));
    assert_eq!(found.rejection, letter(LetterId(1), None, None, 2).rejection);
    let counts = ask!(harness, ledger()).counts;
    assert_eq!((counts.get(Counter::Letters(Post::Discarded)), counts.get(Counter::Letters(Post::Replayed))), (1, 0));
    let found = ask!(harness, audit());
    assert_eq!((found.altered, found.imbalances), (vec![], vec![]));
}

fn s20_letters_are_listed_oldest_first_and_page_by_page(harness: &dyn Harness) {
    let life = live(harness);
    let list = |waiting_only, after, limit| {
        let found = ask!(harness, letters(&LetterFilter { waiting_only, after, limit }));
        found.into_iter().map(|letter| letter.id).collect::<Vec<_>>()
    };
    assert_eq!(list(false, None, 10), life.letters);
    assert_eq!(list(false, Some(life.letters[1]), 1), [life.letters[2]]);
    assert_eq!(list(true, None, 10), [life.letters[3]]);
    assert_eq!(list(true, Some(life.letters[3]), 10), []);
    let intake = ask!(harness, letter(life.letters[0])).expect("the letter is there");
    assert_eq!((intake.raw.as_deref(), intake.source), (Some(&b"{\"broken"[..]), Some(life.places.source)));
    assert_eq!(ask!(harness, letter(LetterId(12_345))), None);
}

fn s21_the_log_is_paged_from_the_newest_event_on(harness: &dyn Harness) {
    let life = live(harness);
    let all: Vec<_> = ask!(harness, log(None, 100)).into_iter().map(|event| event.id).collect();
    assert!(all.len() >= 6 && all.is_sorted_by(|a, b| a > b), "{all:?}");
    let mut paged = Vec::new();
    while let Some(page) = Some(ask!(harness, log(paged.last().copied(), 2))).filter(|page| !page.is_empty()) {
        assert!(page.len() <= 2);
        paged.extend(page.iter().map(|event| event.id));
    }
    assert_eq!(paged, all);
    let known = ask!(harness, record(life.records[0])).expect("the record is there");
    assert_eq!((known.id, known.links.len()), (life.records[0], 2));
    assert_eq!(ask!(harness, record(syncline_core::ids::RecordId(12_345))), None);
}

fn s21_a_link_s_letters_are_listed_whole(harness: &dyn Harness) {
    let life = live(harness);
    let all = ask!(harness, letters(&LetterFilter { waiting_only: false, after: None, limit: 100 }));
    let links: std::collections::BTreeSet<_> = all.iter().filter_map(|letter| letter.link).collect();
    assert!(!links.is_empty());
    for link in links {
        let of_link: Vec<_> = all.iter().filter(|letter| letter.link == Some(link)).cloned().collect();
        assert_eq!(ask!(harness, letters_of(link)), of_link);
    }
    assert_eq!(ask!(harness, letters_of(syncline_core::ids::LinkId(12_345))), vec![]);
    assert_eq!(life.letters.len(), all.len());
}

fn s21_history_is_newest_first(harness: &dyn Harness) {
    let life = live(harness);
    let events = ask!(harness, events(life.records[0], 10));
    assert_eq!(events.iter().map(|event| event.id.0).collect::<Vec<_>>(), [6, 4, 1]);
    assert_eq!(events[0].routing, EventRouting::Stale);
    assert!(matches!(&events[1].routing, EventRouting::Routed(opened)
        if opened.iter().map(|opened| (opened.link, opened.system, opened.number, opened.is_move)).collect::<Vec<_>>()
            == [(life.links[0], life.places.a, 2, false), (life.links[1], life.places.b, 2, false)]));
    let moved = ask!(harness, events(life.records[2], 10)).pop().map(|event| event.operation);
    assert_eq!(moved, Some("update"));
    assert_eq!(ask!(harness, events(life.records[0], 1)).len(), 1);
    let attempts = ask!(harness, attempts(life.links[0], 10));
    assert_eq!((attempts.len(), attempts[0].applied, attempts[0].coalesced), (1, 1, 1));
    let all = ask!(harness, attempt_log(None, 100));
    assert!(all.len() > 1 && all.is_sorted_by(|a, b| a.id > b.id) && all.contains(&attempts[0]), "{all:?}");
    assert_eq!(ask!(harness, attempt_log(Some(all[0].id), 1)), all[1..2]);
}

fn s22_an_audit_of_an_honest_life_finds_nothing(harness: &dyn Harness) {
    live(harness);
    let found: Audit = ask!(harness, audit());
    assert_eq!((&found.altered, &found.imbalances), (&vec![], &vec![]));
    assert!(found.rows > 50, "{}", found.rows);
    harness.reopen();
    assert_eq!(ask!(harness, audit()), found);
}

fn s22_an_audit_finds_a_count_without_rows(harness: &dyn Harness) {
    let life = live(harness);
    let mut set = ChangeSet::default();
    set.counts.add(Counter::Opened(life.places.a, Cause::Event), 1);
    set.counts.add(Counter::Closed(life.places.a, Ending::Applied), 1);
    commit(harness, set);
    assert_eq!(ask!(harness, ledger()).imbalances(), vec![]);
    let named: Vec<_> = ask!(harness, audit()).imbalances.into_iter().map(|imbalance| imbalance.account).collect();
    assert!(named.iter().any(|account| account.contains("opened by event")), "{named:?}");
    assert!(named.iter().any(|account| account.contains("closed as applied")), "{named:?}");
}

fn s23_upkeep_forgets_what_is_old(harness: &dyn Harness) {
    let life = live(harness);
    assert_eq!(ask!(harness, prune(minute(1), minute(1))), 0);
    assert_eq!(ask!(harness, prune(minute(4), minute(3))), 3);
    assert_eq!(ask!(harness, seen(life.places.source, &["evt-1", "evt-2", "evt-3"])), vec![None, None, Some(33)]);
    let found = ask!(harness, audit());
    assert_eq!((found.altered, found.imbalances), (vec![], vec![]));
}

fn s23_upkeep_never_touches_open_work(harness: &dyn Harness) {
    let life = live(harness);
    let before = (ask!(harness, ledger()), ask!(harness, unsettled(life.places.a)), ask!(harness, open_attempts(life.places.b)));
    ask!(harness, prune(minute(10_000), minute(10_000)));
    let after = (ask!(harness, ledger()), ask!(harness, unsettled(life.places.a)), ask!(harness, open_attempts(life.places.b)));
    assert_eq!(before, after);
    let open = ask!(harness, charges("hub-1", minute(0)));
    assert_eq!(open.iter().map(|charge| charge.id).collect::<Vec<_>>(), [life.charges[1]]);
}

fn s31_records_are_paged_whole_by_id_and_type(harness: &dyn Harness) {
    let life = live(harness);
    let (mut after, mut found) = (None, Vec::new());
    loop {
        let page = ask!(harness, records(Some("contacts"), after, 3));
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 3);
        after = Some(last.id);
        found.extend(page);
    }
    assert_eq!(found.iter().map(|known| known.id).collect::<Vec<_>>(), life.records);
    for known in &found {
        assert_eq!(ask!(harness, record(known.id)).as_ref(), Some(known));
    }
    assert_eq!(ask!(harness, records(None, None, 9)), found);
    assert_eq!(ask!(harness, records(Some("companies"), None, 9)), vec![]);
}

fn s32_what_is_forced_stays_forced_whatever_is_written_afterwards(harness: &dyn Harness) {
    let life = live(harness);
    let link = life.links[0];
    let forced_to = || ask!(harness, load(&[link]))[0].1.links.iter().find(|found| found.id == link).map(|found| found.forced_to);
    assert_eq!(forced_to(), Some(3));
    let mut set = ChangeSet::default();
    set.duties.push((link, duty(4, minute(8))));
    set.resyncs.push(ResyncRow { link, number: 4, forced: false, at: minute(8) });
    set.counts.add(Counter::Opened(life.places.a, Cause::Resync), 1);
    commit(harness, set);
    harness.reopen();
    assert_eq!(forced_to(), Some(3));
    let numbers: Vec<_> = ask!(harness, resyncs(link, 9)).iter().map(|row| (row.number, row.forced)).collect();
    assert_eq!(numbers, [(4, false), (3, true)]);
    assert_eq!(ask!(harness, resyncs(link, 1)).len(), 1);
    assert_eq!(ask!(harness, audit()).imbalances, vec![]);
    let mut set = ChangeSet::default();
    set.resyncs.push(ResyncRow { link, number: 5, forced: false, at: minute(9) });
    commit(harness, set);
    assert!(!ask!(harness, audit()).imbalances.is_empty(), "a delivery that the link does not count");
}
