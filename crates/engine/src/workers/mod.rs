//! Workers: each does one kind of thing, one step at a time.
//!
//! Promises: a step ends; what it waits for it says; nothing here loops, spawns or sleeps.
//! Leaves to others: driving the steps (the binary's `run`, the simulator).

pub mod dispatcher;
pub mod exchange;
pub mod inbox;
pub mod intake;
pub mod upkeep;

use async_trait::async_trait;
use syncline_core::ids::{AttemptId, ChargeId, EventId, Ids, LetterId, LinkId, RecordId};
use syncline_core::time::Timestamp;

use crate::error::Result;
use crate::ports::store::{IdKind, Store};

/// What a step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It did something: step again.
    Worked,
    /// Nothing to do: step again when the worker is ready, or at this time at the latest.
    Idle {
        /// When at the latest.
        until: Option<Timestamp>,
        /// What it waits for.
        why: &'static str,
    },
    /// Nothing to do, and there never will be.
    Ended,
}

/// What can be driven by whoever owns the loop.
#[async_trait]
pub trait Worker: Send {
    /// Its name in logs.
    fn name(&self) -> String;

    /// Does one thing, or says what it waits for.
    ///
    /// # Errors
    /// What went wrong; the worker can be stepped again as the error's policy says.
    async fn step(&mut self) -> Result<Step>;

    /// Ready when a step may do something before the time that the last step named.
    async fn ready(&mut self);

    /// From now on begins nothing new; what is under way ends.
    fn drain(&mut self);

    /// Whether nothing is under way.
    fn is_idle(&self) -> bool;
}

/// Ids out of a store.
pub struct StoreIds<'a>(pub &'a dyn Store);

impl Ids for StoreIds<'_> {
    fn record(&mut self) -> RecordId {
        RecordId(self.0.allocate(IdKind::Record, 1))
    }
    fn link(&mut self) -> LinkId {
        LinkId(self.0.allocate(IdKind::Link, 1))
    }
    fn event(&mut self) -> EventId {
        EventId(self.0.allocate(IdKind::Event, 1))
    }
    fn attempts(&mut self, count: usize) -> AttemptId {
        AttemptId(self.0.allocate(IdKind::Attempt, count))
    }
    fn charge(&mut self) -> ChargeId {
        ChargeId(self.0.allocate(IdKind::Charge, 1))
    }
    fn letter(&mut self) -> LetterId {
        LetterId(self.0.allocate(IdKind::Letter, 1))
    }
}
