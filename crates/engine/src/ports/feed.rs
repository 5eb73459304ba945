//! A feed: hands over what a system reports, in order, from a checkpoint.
//!
//! Promises (docs/spec/feed.md): inputs come in the log's order; after `seek` to a checkpoint the next input is the first one
//! that the checkpoint does not cover; positions rise by one per input within an epoch; nothing is skipped, what cannot
//! be decoded is handed over raw all the same. A feed with callers hands over calls instead, and tells every caller what its
//! inputs came to, after they are durable.
//! Leaves to others: decoding and judging (`core::event`, `core::intake`), committing the checkpoint (`workers::intake`).

use async_trait::async_trait;
use syncline_core::checkpoint::Checkpoint;
use syncline_core::event::{Change, Invalid};
use syncline_core::outcome::Judgement;

use crate::error::{Error, Result};

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

/// A group of calls, each with somebody who waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallGroup {
    /// The epoch of all inputs of the group.
    pub epoch: i64,
    /// The position of the first input; the others follow by one.
    pub first_position: i64,
    /// The calls, in order. May be empty if inputs were only refused.
    pub calls: Vec<Call>,
    /// Inputs that callers were refused already, to be counted.
    pub told: u64,
    /// Where to resume once the group is durable.
    pub checkpoint: Checkpoint,
    /// Whether more can be had at once.
    pub more: bool,
}

/// Inputs that came together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The inputs, read, in order.
    pub inputs: Vec<std::result::Result<Change, Invalid>>,
    /// By what a repeat of the call is known, if its caller may repeat it.
    pub key: Option<CallKey>,
}

/// By what a repeated call is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallKey {
    /// The caller's key, with whom it belongs to.
    pub key: String,
    /// Digest of the whole call.
    pub digest: i64,
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Its inputs were judged and are durable.
    Judged(Vec<Judgement>),
    /// It is a repeat; this was the answer.
    Kept(Vec<Judgement>),
    /// Its key belongs to another call.
    KeyTaken,
}

/// What a poll found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled {
    /// Inputs.
    Group(FeedGroup),
    /// Calls; `answer` must follow.
    Calls(CallGroup),
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

    /// Whether somebody waits for answers: such a feed is emptied before the process ends.
    fn has_callers(&self) -> bool {
        false
    }

    /// Ready when a poll may find something before the time that the last one named.
    async fn ready(&mut self) {
        std::future::pending().await
    }

    /// Tells the callers of the last group what their calls came to, in order, or why nothing of them is durable.
    fn answer(&mut self, answers: std::result::Result<Vec<Answer>, &Error>) {
        drop(answers);
    }
}
