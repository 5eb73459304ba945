//! Versions of a record's state, and generations of a record's life.
//!
//! Promises: two versions compare if and only if they have the same source and epoch.
//! Leaves to others: what the order stands for (`intake`: a position or a field of the event).

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::ids::SourceId;

/// Counts delete-and-recreate of a record; the first life is 1.
pub type Generation = u32;

/// How new a state is, as its source tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Whose order this is.
    pub source: SourceId,
    /// The life of the source's log; a rewritten file or re-created topic starts a new one.
    pub epoch: i64,
    /// The place within the epoch: a position, or a time in nanoseconds.
    pub order: i64,
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self.source == other.source && self.epoch == other.epoch).then(|| self.order.cmp(&other.order))
    }
}
