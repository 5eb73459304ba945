//! Cases about order, place, polling and epochs, for every feed (F1 to F7, F10 to F12, F14).
//!
//! Leaves to others: where lines end (`feed_lines`).

use syncline_core::checkpoint::Checkpoint;
use syncline_engine::ports::feed::{FeedGroup, Polled};

use super::feed::{Harness, NOW, SOURCE, drain, feed_cases, inputs, poll, sought, try_poll, whole};

feed_cases! {
    f1_inputs_come_in_the_order_of_the_log_whatever_the_groups for |_| true,
    f2_positions_rise_by_one_from_zero for |_| true,
    f3_a_checkpoint_covers_its_group_and_nothing_behind_it for |_| true,
    f4_a_feed_goes_on_behind_every_checkpoint for |features| features.resumes,
    f4_a_feed_goes_on_in_a_log_that_has_grown for |features| features.resumes,
    f5_a_group_holds_at_most_what_was_asked_for for |_| true,
    f6_a_poll_that_finds_nothing_says_when_to_ask_again for |features| features.grows,
    f7_the_end_comes_behind_everything_and_stays for |features| !features.grows,
    f10_every_input_has_a_place_of_its_own for |_| true,
    f11_another_log_is_a_new_epoch_from_its_start for |features| features.notices_another_log,
    f12_what_is_appended_keeps_the_epoch for |features| features.resumes,
    f14_what_cannot_be_had_again_is_an_epoch_of_its_own for |features| !features.resumes,
}

const COUNT: usize = 23;

fn groups(harness: &dyn Harness, max: usize) -> Vec<FeedGroup> {
    harness.fill(COUNT);
    drain(&mut *sought(harness, None), max)
}

fn position(count: usize) -> i64 {
    i64::try_from(count).expect("a small number")
}

fn f1_inputs_come_in_the_order_of_the_log_whatever_the_groups(harness: &dyn Harness) {
    harness.fill(COUNT);
    let all = whole(harness);
    assert_eq!(all.len(), COUNT);
    for max in [1, 2, 7, COUNT, COUNT + 1] {
        assert_eq!(inputs(&groups(harness, max)), all, "in groups of {max}");
    }
}

fn f2_positions_rise_by_one_from_zero(harness: &dyn Harness) {
    let mut next = 0;
    for group in groups(harness, 5) {
        assert_eq!(group.first_position, next);
        next += position(group.inputs.len());
    }
    assert_eq!(next, position(COUNT));
}

fn f3_a_checkpoint_covers_its_group_and_nothing_behind_it(harness: &dyn Harness) {
    for group in groups(harness, 5) {
        assert_eq!(group.checkpoint.source, SOURCE);
        assert_eq!(group.checkpoint.epoch, group.epoch);
        assert_eq!(group.checkpoint.position, group.first_position + position(group.inputs.len()));
    }
}

fn f4_a_feed_goes_on_behind_every_checkpoint(harness: &dyn Harness) {
    harness.fill(COUNT);
    let all = whole(harness);
    for group in groups(harness, 1) {
        let covered = usize::try_from(group.checkpoint.position).expect("not negative");
        let rest = drain(&mut *sought(harness, Some(group.checkpoint)), 4);
        assert_eq!(inputs(&rest), all[covered..], "behind {covered}");
        assert!(rest.first().is_none_or(|first| (first.epoch, first.first_position) == (group.epoch, position(covered))));
    }
}

fn f4_a_feed_goes_on_in_a_log_that_has_grown(harness: &dyn Harness) {
    let last = groups(harness, 5).pop().expect("a group");
    harness.fill(COUNT + 3);
    let rest = drain(&mut *sought(harness, Some(last.checkpoint)), 5);
    assert_eq!(inputs(&rest), whole(harness)[COUNT..]);
}

fn f5_a_group_holds_at_most_what_was_asked_for(harness: &dyn Harness) {
    for max in [1, 4, COUNT] {
        for group in groups(harness, max) {
            assert!((1..=max).contains(&group.inputs.len()), "{} of {max}", group.inputs.len());
        }
    }
}

fn f6_a_poll_that_finds_nothing_says_when_to_ask_again(harness: &dyn Harness) {
    harness.fill(COUNT);
    let mut feed = sought(harness, None);
    assert_eq!(drain(&mut *feed, COUNT).len(), 1);
    for _ in 0..2 {
        match try_poll(&mut *feed, COUNT).expect("the feed can be read") {
            Polled::Idle { until } => assert!(until > NOW),
            Polled::Group(_) | Polled::Calls(_) | Polled::Ended => panic!("a log that may grow is idle at its end"),
        }
    }
}

fn f7_the_end_comes_behind_everything_and_stays(harness: &dyn Harness) {
    harness.fill(COUNT);
    let mut feed = sought(harness, None);
    assert_eq!(inputs(&drain(&mut *feed, 4)).len(), COUNT);
    for _ in 0..2 {
        assert_eq!(try_poll(&mut *feed, 4).expect("the feed can be read"), Polled::Ended);
    }
}

fn f10_every_input_has_a_place_of_its_own(harness: &dyn Harness) {
    let mut places: Vec<_> = inputs(&groups(harness, 5)).into_iter().map(|input| input.place).collect();
    assert!(places.iter().all(|place| !place.is_empty()));
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), COUNT);
}

fn f11_another_log_is_a_new_epoch_from_its_start(harness: &dyn Harness) {
    let last: Checkpoint = groups(harness, 5).pop().expect("a group").checkpoint;
    harness.replace(b"another\nlog\n");
    let groups = drain(&mut *sought(harness, Some(last.clone())), 5);
    let first = groups.first().expect("the new log is read");
    assert!(first.epoch > last.epoch);
    assert_eq!(first.first_position, 0);
    assert_eq!(inputs(&groups), whole(harness));
}

fn f12_what_is_appended_keeps_the_epoch(harness: &dyn Harness) {
    let last = groups(harness, 5).pop().expect("a group");
    harness.fill(COUNT + 1);
    let grown = poll(&mut *sought(harness, Some(last.checkpoint)), 5).expect("what was appended");
    assert_eq!((grown.epoch, grown.first_position, grown.inputs.len()), (last.epoch, position(COUNT), 1));
}

fn f14_what_cannot_be_had_again_is_an_epoch_of_its_own(harness: &dyn Harness) {
    let last = groups(harness, 5).pop().expect("a group");
    let other = drain(&mut *sought(harness, Some(last.checkpoint)), 5);
    assert!(other[0].epoch > last.epoch);
    assert_eq!(other[0].first_position, 0);
}
