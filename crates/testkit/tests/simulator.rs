//! The simulator in the normal test run: 2,000 seeds, determinism, and every planted bug caught by its pinned seed.
//!
//! `cargo xtask sim --seeds N --from B` runs more; `--bug NAME` hunts one planted bug unaided.

use syncline_core::dispatch::planted::{Bug, Planted};
use syncline_testkit::sim::command::Summary;
use syncline_testkit::sim::run::run;

const SEEDS: u64 = 2000;

/// For each planted bug, the first seed that catches it.
const PINNED: [(Bug, u64); 20] = [
    (Bug::AcknowledgeBeforeDurable, 87),
    (Bug::SendBeforeIntent, 0),
    (Bug::RepeatEndsHold, 9),
    (Bug::PartialResultsIgnored, 0),
    (Bug::QuotaLostAtRestart, 42),
    (Bug::CoalesceAcrossDelete, 4),
    (Bug::EventIdsIgnored, 5),
    (Bug::QuotaFreeAtSend, 10),
    (Bug::IntentsLostAtRestart, 9),
    (Bug::LetterLost, 0),
    (Bug::CoalescedUncounted, 0),
    (Bug::RecordTwiceUnderWay, 24),
    (Bug::ReadEndsHold, 9),
    (Bug::DueLostAtRestart, 0),
    (Bug::SettleClosesNewer, 0),
    (Bug::BaseBeforeProof, 9),
    (Bug::WaitersForgotten, 9),
    (Bug::UnknownIsFailure, 4),
    (Bug::UnknownIsSuccess, 1),
    (Bug::MoveDeletesFirst, 4),
];

#[test]
fn seeds_pass_and_every_fault_and_move_occurs() {
    let summary = Summary::of(0, SEEDS, Planted::NONE, false);
    println!("faults {:?}", summary.faults);
    println!("moves {:?}", summary.moves);
    assert_eq!(summary.failed, vec![], "`cargo xtask sim --seed N --trace` shows one");
    assert_eq!(summary.never(), Vec::<String>::new(), "each must occur");
}

#[test]
fn one_seed_twice_gives_one_trace() {
    for seed in [3, 17, 42] {
        let (one, two) = (run(seed, Planted::NONE), run(seed, Planted::NONE));
        assert_eq!(one.trace, two.trace, "seed {seed}");
        assert_eq!(one.trace_hash, two.trace_hash);
    }
    assert_ne!(run(3, Planted::NONE).trace_hash, run(17, Planted::NONE).trace_hash);
}

#[test]
fn every_planted_bug_is_caught_by_its_pinned_seed() {
    for (bug, seed) in PINNED {
        assert_eq!(run(seed, Planted::NONE).violations, Vec::<String>::new(), "seed {seed} without the bug");
        let violations = run(seed, Planted::dangerously(bug)).violations;
        assert!(!violations.is_empty(), "{} survived seed {seed}", bug.name());
        println!("{}: caught at seed {seed}: {}", bug.name(), violations[0]);
    }
    assert_eq!(PINNED.map(|(bug, _)| bug)[..], *Bug::ALL, "each has a seed");
}
