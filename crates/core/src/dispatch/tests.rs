//! One lane in a mini world: whatever happens, in whatever order, nothing overtakes, nothing is lost and everything closes.

mod drift;
mod other_side;
mod store;
mod world;

use std::time::Duration;

use proptest::prelude::{ProptestConfig, any, proptest};
use proptest::test_runner::RngSeed;

use crate::attempt::{Attempt, Operation};
use crate::change_set::PauseScope;
use crate::dispatch::guard::GuardSettings;
use crate::dispatch::lane::{Input, LaneSettings};
use crate::event::ChangeKind::{Create, Delete, Update};
use crate::ids::{AttemptId, ChargeId};
use crate::ledger::{Cause, Counter, Ending};
use crate::link::SideState;
use crate::plan::mapping::{Codec, Expression, Row};
use world::{SYSTEM, World, settings};

/// Runs a script and what must follow from any.
fn play(settings: LaneSettings, script: Vec<u16>, with_meddling: bool) {
    let mut world = World::new(settings, script);
    let meddled = world.run(with_meddling);
    world.calm_down();
    world.check_rest(!meddled);
    for key in ["k0", "k1", "k2", "k3"] {
        world.event(key, Create, &[("name", "last"), ("note", key), ("type", "lead")]);
    }
    world.calm_down();
    world.check_rest(true);
    assert_eq!(world.store.waiting().len(), 0, "every letter is overtaken by a newer write");
}

/// The same with a field for the number of the last write.
fn marking(mut settings: LaneSettings) -> LaneSettings {
    settings.terms.values_mut().for_each(|terms| terms.marker = Some("Mark".into()));
    settings
}

/// The same scripts each time, unless the environment asks for other ones or for more (`PROPTEST_RNG_SEED`, `PROPTEST_CASES`).
fn config() -> ProptestConfig {
    let config = ProptestConfig::default();
    let rng_seed = if config.rng_seed == RngSeed::Random { RngSeed::Fixed(1) } else { config.rng_seed };
    ProptestConfig { rng_seed, max_shrink_iters: 4000, failure_persistence: None, ..config }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_lane_keeps_order_and_closes_everything(script in proptest::collection::vec(any::<u16>(), 0..500)) {
        play(settings(), script, false);
    }

    #[test]
    fn a_lane_that_marks_its_writes_does_so_too(script in proptest::collection::vec(any::<u16>(), 0..500)) {
        play(marking(settings()), script, false);
    }

    #[test]
    fn deletions_over_there_do_not_disturb_it(script in proptest::collection::vec(any::<u16>(), 0..300)) {
        play(settings(), script, true);
    }

    #[test]
    fn one_bad_row_of_a_batch_ends_as_one_letter(count in 1_usize..40, bad in any::<usize>(), at_once in 1_usize..20) {
        let mut settings = settings();
        settings.profile.batch_max.insert(Operation::Create, at_once);
        let mut world = World::new(settings, vec![]);
        let bad = bad % count;
        world.bad_key = Some(format!("k{bad}"));
        for number in 0..count {
            world.event(&format!("k{number}"), Create, &[("name", "a"), ("type", "lead")]);
        }
        world.calm_down();
        world.check_rest(true);
        let letters = world.store.waiting();
        assert_eq!(letters.len(), 1);
        assert!(letters[0].place.contains(&format!(" k{bad} ")), "{}", letters[0].place);
        let closed = |ending| usize::try_from(world.store.counts.get(Counter::Closed(SYSTEM, ending))).unwrap();
        assert_eq!((closed(Ending::Dead), closed(Ending::Applied)), (1, count - 1));
    }
}

/// A world with `count` leads that are written.
fn with_leads(settings: LaneSettings, count: usize) -> World {
    let mut world = World::new(settings, vec![]);
    for number in 0..count {
        world.event(&format!("k{number}"), Create, &[("name", "a"), ("type", "lead")]);
    }
    world.calm_down();
    world.check_rest(true);
    world
}

fn in_state(world: &World, state: SideState) -> usize {
    world.store.links.values().filter(|link| link.side.state == state).count()
}

#[test]
fn the_fuse_stops_deletes_until_an_operator_resumes() {
    let mut settings = settings();
    settings.guard.fuse_min = 3;
    let mut world = with_leads(settings, 8);
    for number in 0..8 {
        world.event(&format!("k{number}"), Delete, &[]);
    }
    world.come_to_rest();
    assert_eq!(in_state(&world, SideState::Paused), 5);
    assert_eq!(world.other.rows.len(), 5);
    assert!(world.lane.paused()[&PauseScope::Deletes].contains("syncline resume crm"));
    world.event("k9", Create, &[("name", "a"), ("type", "lead")]);
    world.come_to_rest();
    assert_eq!(world.other.by_key("Lead", "k9").len(), 1, "writes go on");
    // Resumed, the fuse counts from the start.
    for left in [2, 0] {
        world.calm_down();
        assert_eq!(in_state(&world, SideState::Paused), left);
    }
    world.check_rest(true);
    let told: Vec<_> = world.store.pauses.iter().map(|pause| pause.set).collect();
    assert_eq!(told, [true, false, true, false]);
}

#[test]
fn the_delete_half_of_a_move_does_not_blow_the_fuse() {
    let mut settings = settings();
    settings.guard.fuse_min = 1;
    let mut world = with_leads(settings, 8);
    for number in 0..8 {
        world.event(&format!("k{number}"), Update, &[("type", "customer")]);
    }
    world.come_to_rest();
    assert!(world.lane.paused().is_empty());
    world.check_rest(true);
    assert_eq!(world.store.counts.get(Counter::Opened(SYSTEM, Cause::Move)), 8);
    let creates = world.sent.iter().rposition(|batch| batch.object == "Contact").unwrap();
    let deletes = world.sent.iter().position(|batch| batch.operation == Operation::Delete).unwrap();
    assert!(world.sent[deletes..].iter().all(|batch| batch.operation == Operation::Delete) || creates > deletes);
}

#[test]
fn a_sign_in_that_has_ended_pauses_the_lane_until_a_person_resumes_it() {
    let mut world = World::new(settings(), vec![]);
    world.lane.token_fetched(false);
    world.sign_in_ended = true;
    world.event("k1", Create, &[("name", "a"), ("type", "lead")]);
    world.come_to_rest();
    let reason = &world.lane.paused()[&PauseScope::Writes];
    assert!(reason.contains("refused for good") && reason.contains("syncline resume"), "{reason}");
    assert!(world.store.pauses.iter().any(|pause| pause.set), "the pause is durable");
    assert_eq!(world.sent.len(), 0);
    assert_eq!(world.lane.report().tokens, 1, "a paused lane with nothing to read asks for no token");
    world.sign_in_ended = false;
    world.calm_down();
    world.check_rest(true);
    assert_eq!(world.sent.len(), 1);
}

#[test]
fn a_run_of_rejections_pauses_the_lane() {
    let mut settings = settings();
    settings.guard = GuardSettings { reject_min: 4, ..settings.guard };
    settings.profile.batch_max.insert(Operation::Create, 1);
    settings.profile.concurrency = 1;
    let mut world = World::new(settings, vec![]);
    world.reject_all = true;
    for number in 0..10 {
        world.event(&format!("k{number}"), Create, &[("name", "a"), ("type", "lead")]);
    }
    world.come_to_rest();
    assert_eq!((world.store.waiting().len(), in_state(&world, SideState::Dead)), (4, 4));
    assert!(world.lane.paused()[&PauseScope::Writes].contains("rejected for one"));
    world.reject_all = false;
    world.calm_down();
    world.check_rest(true);
    assert_eq!(world.store.waiting().len(), 4, "what was given up waits for newer data or a replay");
}

/// A world whose first create was never answered, and whose process ended.
fn recovered(landing: Option<Duration>, settings: LaneSettings) -> World {
    let mut world = World::new(settings, vec![]);
    world.event("k0", Create, &[("name", "a"), ("type", "lead")]);
    world.lose_first(landing);
    world
}

#[test]
fn a_repeat_that_succeeds_does_not_end_the_hold() {
    let late = Duration::from_secs(25);
    let mut world = recovered(Some(late), settings());
    let begun = world.now;
    world.event("k0", Update, &[("name", "b")]);
    world.calm_down();
    world.check_rest(true);
    let kinds: Vec<_> = world.sent.iter().map(|batch| batch.operation).collect();
    assert_eq!(kinds, [Operation::Create, Operation::Create, Operation::Update]);
    let horizon = world.store.attempts.values().next().unwrap().horizon;
    let last = world.store.attempts.values().next_back().unwrap();
    assert!(last.opened_at >= horizon && horizon > begun.plus(late), "{last:?}");
}

#[test]
fn a_read_that_proves_the_attempt_ends_the_hold_at_once() {
    let mut world = recovered(Some(Duration::ZERO), settings());
    let begun = world.now;
    world.event("k0", Update, &[("name", "b")]);
    world.calm_down();
    world.check_rest(true);
    assert_eq!(world.sent.len(), 2, "nothing is repeated");
    assert!(world.now.since(begun) < Duration::from_secs(1));
}

#[test]
fn a_marker_proves_a_write_that_no_value_can() {
    let proven_at_once = |settings: LaneSettings| {
        let mut world = World::new(settings, vec![]);
        // All that it carries is null, which the record would show without it, too.
        world.event("k0", Create, &[("type", "lead")]);
        world.lose_first(Some(Duration::ZERO));
        let begun = world.now;
        world.event("k0", Update, &[("name", "b")]);
        world.calm_down();
        world.check_rest(true);
        world.sent.len() == 2 && world.now.since(begun) < Duration::from_secs(1)
    };
    assert!(proven_at_once(marking(settings())));
    assert!(!proven_at_once(settings()));
}

#[test]
fn another_link_of_the_record_waits_for_a_recovered_attempt_that_is_not_loaded_yet() {
    let mut one_by_one = settings();
    one_by_one.profile.batch_max.insert(Operation::Create, 1);
    let mut world = recovered(Some(Duration::from_secs(20)), one_by_one);
    world.event("k0", Update, &[("type", "customer")]);
    for _ in 0..2 {
        // The mark of the new link and the answer to its load overtake the recovered link's.
        world.deliver(1);
    }
    world.commit_next();
    assert_eq!(world.sent.len(), 1);
    world.calm_down();
    world.check_rest(true);
}

#[test]
fn what_a_late_create_brings_back_after_a_deletion_over_there_is_found_by_its_key() {
    let mut world = recovered(Some(Duration::from_secs(20)), settings());
    while world.other.rows.is_empty() {
        world.deliver(0);
        world.commit_next();
    }
    world.other.rows.clear();
    world.event("k0", Delete, &[]);
    world.calm_down();
    world.check_rest(true);
    assert!(world.other.rows.is_empty());
}

#[test]
fn a_repeat_that_can_no_longer_be_encoded_waits_for_the_horizon() {
    let mut world = recovered(None, settings());
    let rule = crate::terms::FieldRule { length_max: Some(0), required: false };
    let rules = std::collections::BTreeMap::from([("Name".to_owned(), rule)]);
    world.settings.terms.get_mut("contacts").unwrap().rules.insert("Lead".into(), rules);
    world.restart();
    world.calm_down();
    world.check_rest(true);
    assert_eq!((world.sent.len(), world.store.waiting().len()), (1, 1));
}

#[test]
fn a_recovered_attempt_of_a_link_that_is_gone_blocks_nothing() {
    let mut world = with_leads(settings(), 1);
    let link = world.store.links.values().next().unwrap().clone();
    let attempt = world.store.attempts.values().next().unwrap().clone();
    world.tell(Input::Recovered(vec![Attempt { id: AttemptId(999), link: crate::ids::LinkId(999), charge: ChargeId(999), ..attempt }]));
    world.event("k0", Update, &[("name", "b")]);
    world.calm_down();
    world.check_rest(true);
    assert_eq!(world.store.links[&link.id].side.closed, 2);
}

/// Each of these breaks what the laws above promise; a law that holds all the same proves nothing.
#[cfg(feature = "planted-bugs")]
#[test]
fn every_planted_bug_of_a_lane_is_caught() {
    use crate::dispatch::planted::{Bug, Planted};
    use proptest::test_runner::{TestCaseError, TestRunner};
    for bug in [Bug::SendBeforeIntent, Bug::RepeatEndsHold, Bug::PartialResultsIgnored, Bug::CoalesceAcrossDelete] {
        let planted = LaneSettings { planted: Planted::dangerously(bug), ..settings() };
        let mut runner = TestRunner::new(ProptestConfig { cases: 2000, max_shrink_iters: 0, ..config() });
        let result = runner.run(&proptest::collection::vec(any::<u16>(), 100..500), |script| {
            let settings = planted.clone();
            std::panic::catch_unwind(|| play(settings, script, false)).map_err(|_| TestCaseError::fail("caught"))
        });
        assert!(result.is_err(), "{} goes unnoticed", bug.name());
    }
}

#[test]
fn an_expression_that_fails_is_a_letter_until_the_record_can_be_computed() {
    let mut settings = settings();
    for terms in settings.terms.values_mut() {
        let expression = Expression::compile("{{ record.note | upper }}", &["note"]).unwrap();
        let row = Row::computed("label", expression, vec!["Label".into()], Codec::Same);
        terms.rows.push(row.unwrap());
    }
    let mut world = World::new(settings, vec![]);
    world.event("k0", Create, &[("name", "one"), ("type", "lead")]);
    world.calm_down();
    let letters = world.store.waiting();
    assert_eq!(letters.iter().map(|letter| letter.rejection.cause()).collect::<Vec<_>>(), ["expression:Label"]);
    world.event("k0", Update, &[("note", "two")]);
    world.calm_down();
    assert_eq!(world.store.waiting().len(), 0, "the letter is overtaken by the write");
}
