//! Mapping tests: what given events become in every system, against what a file expects.
//!
//! Promises: events are judged, folded, routed, planned and encoded by the code of a run; nobody is asked and nothing is stored. What
//! one event owes is carried out and taken for written before the next one. Leaves to others: reading files (`crate::config`), the answer's looks (`crate::cli`).

mod coverage;
mod outcome;
mod rewrite;
mod world;

use std::collections::BTreeMap;

pub use coverage::{Coverage, Covered};
pub use outcome::{Outcome, Step};
pub use rewrite::rewrite;

use crate::config::{Config, MappingTest};

/// Where what came differs from what was expected.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// Where in the expectation.
    pub path: String,
    /// What was expected; None if nothing was.
    pub expected: Option<String>,
    /// What came; None if nothing came.
    pub got: Option<String>,
}

/// Carries out one test.
#[must_use]
pub fn carry_out(config: &Config, test: &MappingTest, coverage: &mut Coverage) -> Outcome {
    let mut world = world::World::new(config, &test.there);
    for (at, event) in test.events.iter().enumerate() {
        let is_last = at + 1 == test.events.len();
        world.offer(event, is_last.then_some(&mut *coverage));
    }
    world.outcome
}

/// Every difference between an outcome and what a test expects.
#[must_use]
pub fn differences(test: &MappingTest, outcome: &Outcome) -> Vec<Difference> {
    let mut got = outcome.by_path();
    if !test.expected.keys().any(|path| path.starts_with("routes")) {
        got.retain(|path, _| !path.starts_with("routes"));
    }
    // A system of which the file says nothing is one that nothing is written to.
    let mut expected = test.expected.clone();
    for (path, _) in got.iter().filter(|(_, value)| value.as_deref() == Some("nothing")) {
        if !expected.keys().any(|known| known == path || known.starts_with(&format!("{path}["))) {
            expected.insert(path.clone(), Some("nothing".to_owned()));
        }
    }
    let paths: std::collections::BTreeSet<&String> = got.keys().chain(expected.keys()).collect();
    let shown = |values: &BTreeMap<String, Option<String>>, path: &String| {
        values.get(path).map(|value| value.clone().unwrap_or_else(|| "null".to_owned()))
    };
    let differs = paths.into_iter().filter(|path| got.get(*path) != expected.get(*path));
    differs.map(|path| Difference { path: path.clone(), expected: shown(&expected, path), got: shown(&got, path) }).collect()
}
