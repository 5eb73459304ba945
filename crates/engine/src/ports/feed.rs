//! A feed: hands over what a system reports, in order, from a checkpoint.
//!
//! Promises (docs/spec/feed.md): inputs come in the log's order; after `seek` to a checkpoint the next input is the first one
//! that the checkpoint does not cover; positions rise by one per input within an epoch; nothing is skipped, what cannot
//! be decoded is handed over raw all the same.
//! Leaves to others: decoding and judging (`core::event`, `core::intake`), committing the checkpoint (`workers::intake`).

use async_trait::async_trait;
use syncline_core::checkpoint::Checkpoint;

use crate::error::Result;

/// One input as it lies in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedInput {
    /// The raw bytes, without a line end.
    pub raw: Vec<u8>,
    /// Where it stands, for people (`contacts.jsonl:17`).
    pub place: String,
    /// Set if the feed itself could not take the input whole (longer than its bound): why.
    pub broken: Option<String>,
}

/// A group of inputs with the checkpoint behind the last of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedGroup {
    /// The epoch of all inputs of the group.
    pub epoch: i64,
    /// The position of the first input; the others follow by one.
    pub first_position: i64,
    /// The inputs, in order. May be empty if only the epoch changed.
    pub inputs: Vec<FeedInput>,
    /// Where to resume once the group is durable.
    pub checkpoint: Checkpoint,
    /// Whether more can be had at once.
    pub more: bool,
}

/// What a poll found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled {
    /// Inputs.
    Group(FeedGroup),
    /// Nothing now; ask again at this time at the latest.
    Idle {
        /// When to ask again.
        until: syncline_core::time::Timestamp,
    },
    /// Nothing now, and nothing ever.
    Ended,
}

/// A source of inputs.
#[async_trait]
pub trait Feed: Send {
    /// Goes to the place behind `checkpoint`; None is the start. Called once, before the first poll.
    async fn seek(&mut self, checkpoint: Option<Checkpoint>) -> Result<()>;

    /// The next inputs, at most `max`; never waits for input.
    async fn poll(&mut self, max: usize, now: syncline_core::time::Timestamp) -> Result<Polled>;
}
