//! The simulator in the normal test run: 2,000 seeds, determinism, and every planted bug caught.
//!
//! `cargo xtask sim --seeds N --from B` runs more; `--bug NAME` hunts one planted bug unaided.

use syncline_core::dispatch::planted::{Bug, Planted};
use syncline_testkit::sim::command::Summary;
use syncline_testkit::sim::run::run;

const SEEDS: u64 = 2000;

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

/// A bug that outlives all the seeds is one that the checks are blind to.
#[test]
fn every_planted_bug_is_caught_by_some_seed() {
    for bug in Bug::ALL {
        let caught = Summary::of(0, SEEDS, Planted::dangerously(*bug), true).failed.pop();
        let (seed, violations) = caught.unwrap_or_else(|| panic!("{} survived {SEEDS} seeds", bug.name()));
        println!("{}: caught at seed {seed}: {}", bug.name(), violations[0]);
    }
}
