//! A type for every id, so that no two can be mixed up.
//!
//! Promises: ids are small integers inside the store and are given out in rising order.
//! Leaves to others: giving them out (`engine`'s store port).

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// A record of one record type, known by its key.
    RecordId
    /// One record in one (system, object).
    LinkId
    /// An event as offered by a source and accepted.
    EventId
    /// One intended request item.
    AttemptId
    /// A dead letter.
    LetterId
    /// One request's charge on an account's quota, and with it the batch that the request carries.
    ChargeId
    /// A configured system.
    SystemId
    /// A system seen as the origin of events.
    SourceId
}

/// Gives out ids, rising and never twice.
pub trait Ids {
    /// A record id.
    fn record(&mut self) -> RecordId;
    /// A link id.
    fn link(&mut self) -> LinkId;
    /// An event id.
    fn event(&mut self) -> EventId;
    /// The first of `count` consecutive attempt ids.
    fn attempts(&mut self, count: usize) -> AttemptId;
    /// A charge id.
    fn charge(&mut self) -> ChargeId;
    /// A letter id.
    fn letter(&mut self) -> LetterId;
}
