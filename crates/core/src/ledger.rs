//! The accounts: every event, delivery and letter is in exactly one place, and the sums must agree at every commit.
//!
//! Promises: counters change only by a `ChangeSet`; `Ledger::imbalances` is empty if and only if every equation holds.
//! Leaves to others: recounting rows (`engine`'s auditor), keeping the counters (the store).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{SourceId, SystemId};

/// One account of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Counter {
    /// What a source handed over, by what came of it.
    Source(SourceId, Offer),
    /// What became of accepted events of the tenant.
    Tenant(Routing),
    /// Deliveries opened toward a system, by cause.
    Opened(SystemId, Cause),
    /// Deliveries of a system closed, by how they ended.
    Closed(SystemId, Ending),
    /// Dead letters, by what happened to them.
    Letters(Post),
    /// Facts worth reporting that enter no equation.
    Fact(SystemId, Fact),
}

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),* }
        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// The name in tables, stores and labels.
            #[must_use]
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $text),* } }
        }
    };
}

names!(
    /// What came of an input that a source offered.
    Offer {
        /// Handed over.
        Offered = "offered",
        /// Taken in.
        Accepted = "accepted",
        /// Seen before.
        Duplicate = "duplicate",
        /// Invalid, or an id with another body.
        Refused = "refused",
        /// That part of what was refused that a caller was told in its answer, so that no letter holds it.
        Told = "told",
    }
);
names!(
    /// What became of an accepted event.
    Routing {
        /// Taken in.
        Accepted = "accepted",
        /// Opened at least one delivery.
        Routed = "routed",
        /// No place takes it.
        Unrouted = "unrouted",
        /// Older than what is known.
        Stale = "stale",
    }
);
names!(
    /// Why a delivery was opened.
    Cause {
        /// An event.
        Event = "event",
        /// The record left this place for another.
        Move = "move",
        /// An operator replayed a letter.
        Replay = "replay",
        /// An operator brought records under the present rules.
        Resync = "resync",
    }
);
names!(
    /// How a delivery ended.
    Ending {
        /// Its write is proven.
        Applied = "applied",
        /// A newer one's write carried it.
        Coalesced = "coalesced",
        /// There was nothing to write.
        Unchanged = "unchanged",
        /// A replay whose matter something newer has settled.
        Superseded = "superseded",
        /// A letter holds it.
        Dead = "dead",
    }
);
names!(
    /// What happened to dead letters.
    Post {
        /// Made.
        Created = "created",
        /// Offered anew.
        Replayed = "replayed",
        /// Let go.
        Discarded = "discarded",
        /// A newer write of the link was applied.
        Overtaken = "overtaken",
    }
);
names!(
    /// Facts that enter no equation.
    Fact {
        /// A create met a record that bore our key.
        Adopted = "adopted",
        /// A create's clash was linked as configured.
        Linked = "linked",
        /// A field came back otherwise than it was sent.
        Altered = "altered",
        /// An attempt was of unknown fate.
        Unknown = "unknown",
        /// A record was first written without a value that another link of ours still held.
        Detoured = "detoured",
    }
);

/// Counts by account. As part of a `ChangeSet` they are what is to be added.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts(pub BTreeMap<Counter, i64>);

impl Counts {
    /// Adds `count` to an account.
    pub fn add(&mut self, counter: Counter, count: u64) {
        if count > 0 {
            *self.0.entry(counter).or_default() += i64::try_from(count).unwrap_or(i64::MAX);
        }
    }

    /// Adds every count of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (counter, count) in &other.0 {
            *self.0.entry(*counter).or_default() += count;
        }
    }

    /// What an account holds.
    #[must_use]
    pub fn get(&self, counter: Counter) -> i64 {
        self.0.get(&counter).copied().unwrap_or(0)
    }
}

/// The counters with what the tables hold open at the same moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    /// The counters.
    pub counts: Counts,
    /// Open deliveries by system: the sum over its links.
    pub open: BTreeMap<SystemId, i64>,
    /// Waiting letters.
    pub waiting: i64,
}

/// One equation that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Imbalance {
    /// Which equation, of what.
    pub account: String,
    /// The left side.
    pub left: i64,
    /// The right side.
    pub right: i64,
}

impl Ledger {
    /// Every equation that does not hold; empty means balanced.
    #[must_use]
    pub fn imbalances(&self) -> Vec<Imbalance> {
        let mut found = Vec::new();
        let mut check = |account: String, left: i64, right: i64| {
            if left != right {
                found.push(Imbalance { account, left, right });
            }
        };
        let get = |counter| self.counts.get(counter);
        let mut accepted = 0;
        for source in self.sources() {
            let of = |offer| get(Counter::Source(source, offer));
            accepted += of(Offer::Accepted);
            check(
                format!("source {source}: offered = accepted + duplicate + refused"),
                of(Offer::Offered),
                of(Offer::Accepted) + of(Offer::Duplicate) + of(Offer::Refused),
            );
        }
        let tenant = |routing| get(Counter::Tenant(routing));
        check("tenant: accepted = sum over its sources".into(), tenant(Routing::Accepted), accepted);
        check(
            "tenant: accepted = routed + unrouted + stale".into(),
            tenant(Routing::Accepted),
            tenant(Routing::Routed) + tenant(Routing::Unrouted) + tenant(Routing::Stale),
        );
        for system in self.systems() {
            let opened: i64 = Cause::ALL.iter().map(|cause| get(Counter::Opened(system, *cause))).sum();
            let closed: i64 = Ending::ALL.iter().map(|ending| get(Counter::Closed(system, *ending))).sum();
            let open = self.open.get(&system).copied().unwrap_or(0);
            check(format!("system {system}: opened = closed + open"), opened, closed + open);
        }
        let post = |post| get(Counter::Letters(post));
        check(
            "dead letters: created = waiting + replayed + discarded + overtaken".into(),
            post(Post::Created),
            self.waiting + post(Post::Replayed) + post(Post::Discarded) + post(Post::Overtaken),
        );
        found
    }

    /// The sources that have an account.
    #[must_use]
    pub fn sources(&self) -> Vec<SourceId> {
        let mut sources: Vec<_> = self
            .counts
            .0
            .keys()
            .filter_map(|counter| if let Counter::Source(source, _) = counter { Some(*source) } else { None })
            .collect();
        sources.dedup();
        sources
    }

    /// The systems that have an account or open deliveries.
    #[must_use]
    pub fn systems(&self) -> Vec<SystemId> {
        let mut systems: Vec<_> = self.open.keys().copied().collect();
        for counter in self.counts.0.keys() {
            if let Counter::Opened(system, _) | Counter::Closed(system, _) = counter {
                systems.push(*system);
            }
        }
        systems.sort_unstable();
        systems.dedup();
        systems
    }
}

#[cfg(test)]
mod tests {
    use super::{Cause, Counter, Counts, Ending, Ledger};
    use crate::ids::SystemId;

    #[test]
    fn an_open_delivery_that_no_link_holds_is_named() {
        let mut counts = Counts::default();
        counts.add(Counter::Opened(SystemId(1), Cause::Event), 2);
        counts.add(Counter::Closed(SystemId(1), Ending::Applied), 1);
        let mut ledger = Ledger { counts, ..Ledger::default() };
        assert_eq!(ledger.imbalances().len(), 1);
        assert!(ledger.imbalances()[0].account.contains("system 1"));
        ledger.open.insert(SystemId(1), 1);
        assert_eq!(ledger.imbalances(), vec![]);
    }
}
