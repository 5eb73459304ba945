//! Which parts of a mapping the tests reached.
//!
//! Promises: every row of every boundary, every default, every rule for what does not fit and every route counts as one.
//! Leaves to others: what is enough.

use std::collections::BTreeSet;

use syncline_core::plan::mapping::OnInvalid;

use crate::config::Config;

/// What can be reached, and what was.
#[derive(Debug, Clone, Default)]
pub struct Coverage {
    all: BTreeSet<String>,
    reached: BTreeSet<String>,
}

/// Coverage as figures.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Covered {
    /// What was reached.
    pub reached: usize,
    /// What can be reached.
    pub total: usize,
    /// Reached in a hundred, rounded down.
    pub percent: usize,
    /// What was not reached.
    pub missing: Vec<String>,
}

impl Coverage {
    /// Nothing reached yet of a configuration's mapping.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let mut all = BTreeSet::new();
        for system in &config.systems {
            for (record_type, terms) in system.kind.agreed().into_iter().flat_map(|agreed| &agreed.terms) {
                for row in &terms.rows {
                    let name = format!("{} {record_type} {}", system.name, row.name);
                    if row.default.is_some() {
                        all.insert(format!("{name}: default"));
                    }
                    if row.on_invalid != OnInvalid::Fail {
                        all.insert(format!("{name}: on_invalid"));
                    }
                    all.insert(name);
                }
            }
        }
        for (record_type, routing) in &config.routing {
            all.extend(routing.by_type.keys().map(|value| route(record_type, value)));
        }
        Self { all, reached: BTreeSet::new() }
    }

    /// A row was written, or its default or rule acted (`what` says so).
    pub fn reach_row(&mut self, system: &str, record_type: &str, row: &str, what: &str) {
        self.reached.insert(format!("{system} {record_type} {row}{what}"));
    }

    /// A route was taken.
    pub fn reach_route(&mut self, record_type: &str, value: &str) {
        self.reached.insert(route(record_type, value));
    }

    /// The figures.
    #[must_use]
    pub fn covered(&self) -> Covered {
        let missing: Vec<String> = self.all.difference(&self.reached).cloned().collect();
        let (total, reached) = (self.all.len(), self.all.len() - missing.len());
        Covered { reached, total, percent: (reached * 100).checked_div(total).unwrap_or(100), missing }
    }
}

fn route(record_type: &str, value: &str) -> String {
    format!("route {record_type} {}", if value.is_empty() { "all" } else { value })
}
