//! Where a feed may resume.
//!
//! Promises: committed with the rows that it covers, never before and never after.
//! Leaves to others: what the cursor means (each feed).

use serde::{Deserialize, Serialize};

use crate::ids::SourceId;

/// A feed's place, opaque but for epoch and position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Whose place.
    pub source: SourceId,
    /// The life of the source's log; rises by one when the feed finds another log in its place.
    pub epoch: i64,
    /// How many inputs of this epoch have been offered.
    pub position: i64,
    /// What the feed itself needs to resume (byte offset, seed, digest of the first line), as JSON.
    pub cursor: String,
}
