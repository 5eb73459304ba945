//! Which systems take which value of a record type's routing field (for contacts: the contact type).
//!
//! Promises: systems are told in the order in which they were named; a value without a route has none, and is not guessed.
//! Leaves to others: the ready-made routings (the adapters), counting what no route takes (`intake`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Routes by value of the routing field.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Routing {
    /// Names of systems by value.
    pub by_type: BTreeMap<String, Vec<String>>,
}

impl Routing {
    /// A routing from pairs of a value and the systems that take it. Of two entries for one value the last counts.
    pub fn named<T, S, L>(routes: impl IntoIterator<Item = (T, L)>) -> Self
    where
        T: Into<String>,
        S: Into<String>,
        L: IntoIterator<Item = S>,
    {
        let route = |(value, systems): (T, L)| (value.into(), systems.into_iter().map(Into::into).collect());
        Self { by_type: routes.into_iter().map(route).collect() }
    }

    /// The systems that take records of `value`; empty if no route names it.
    #[must_use]
    pub fn systems_for(&self, value: &str) -> &[String] {
        self.by_type.get(value).map_or(&[], Vec::as_slice)
    }

    /// Whether any system takes records of `value`.
    #[must_use]
    pub fn is_routed(&self, value: &str) -> bool {
        !self.systems_for(value).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Routing;

    #[test]
    fn systems_come_in_the_order_in_which_they_were_named() {
        let routing = Routing::named([("lead", vec!["b", "a"]), ("vendor", vec![])]);
        assert_eq!(routing.systems_for("lead"), ["b", "a"]);
        assert!(routing.is_routed("lead"));
        assert!(!routing.is_routed("vendor") && !routing.is_routed("partner"));
        assert!(routing.systems_for("partner").is_empty());
    }
}
