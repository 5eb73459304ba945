//! Where change sets wait for the committer, and their senders for its answer.
//!
//! Promises: first in, first out; whoever waits is answered, with an error if the committer is gone.
//! Leaves to others: carrying requests out (`committer`); how much may wait (the engine's workers wait for their commits).

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use syncline_core::change_set::ChangeSet;
use syncline_core::ids::{ChargeId, SourceId};
use syncline_core::time::Timestamp;
use syncline_engine::error::{Error, Kind, Result};
use tokio::sync::oneshot;

/// What the committer is asked to do.
#[derive(Debug)]
pub(super) enum Task {
    /// Make a change set durable.
    Commit(Box<ChangeSet>),
    /// Give a name its number.
    Register(String),
    /// Forget what was found to be old.
    Forget(Vec<ChargeId>, Vec<(SourceId, String)>),
    /// Forget these answers to calls, if they are older than that.
    ForgetCalls(Vec<(SourceId, String)>, Timestamp),
}

impl Task {
    fn rows(&self) -> usize {
        match self {
            Self::Commit(set) => set.rows(),
            Self::Register(_) => 1,
            Self::Forget(charges, seen) => charges.len() + seen.len() + 1,
            Self::ForgetCalls(calls, _) => calls.len() + 1,
        }
    }
}

/// A task and whom to answer.
#[derive(Debug)]
pub(super) struct Request {
    /// What to do.
    pub(super) task: Task,
    /// Gets the number that the task yields; 0 where it yields none.
    pub(super) answer: oneshot::Sender<Result<i64>>,
}

/// The queue between the store's handle and its committer.
#[derive(Debug, Default)]
pub(super) struct Queue {
    inside: Mutex<Inside>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Inside {
    requests: VecDeque<Request>,
    is_closed: bool,
}

impl Queue {
    /// An empty queue for two owners.
    pub(super) fn shared() -> Arc<Self> {
        Arc::default()
    }

    /// Hands a task in; the receiver gets the answer.
    pub(super) fn push(&self, task: Task) -> Result<oneshot::Receiver<Result<i64>>> {
        let (answer, waiter) = oneshot::channel();
        let mut inside = self.lock();
        if inside.is_closed {
            return Err(closed());
        }
        inside.requests.push_back(Request { task, answer });
        drop(inside);
        self.arrived.notify_one();
        Ok(waiter)
    }

    /// Takes what has gathered, at least one request and no more than about that many rows.
    pub(super) fn gather(&self, rows_max: usize) -> Vec<Request> {
        let mut inside = self.lock();
        let mut rows = 0;
        let mut taken = 0;
        for request in &inside.requests {
            rows += request.task.rows();
            if taken > 0 && rows > rows_max {
                break;
            }
            taken += 1;
        }
        inside.requests.drain(..taken).collect()
    }

    /// How many requests wait.
    pub(super) fn waiting(&self) -> usize {
        self.lock().requests.len()
    }

    /// Blocks until something waits; false once the queue is closed and empty.
    pub(super) fn wait(&self) -> bool {
        let inside = self.lock();
        let inside = self.arrived.wait_while(inside, |inside| inside.requests.is_empty() && !inside.is_closed);
        !inside.unwrap_or_else(PoisonError::into_inner).requests.is_empty()
    }

    /// Takes in nothing more; what waits is still carried out.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.arrived.notify_all();
    }

    /// Takes in nothing more and drops what waits, so that its senders learn of it.
    pub(super) fn abandon(&self) {
        let dropped = {
            let mut inside = self.lock();
            inside.is_closed = true;
            std::mem::take(&mut inside.requests)
        };
        drop(dropped);
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer for what can no longer be committed.
pub(super) fn closed() -> Error {
    Error::new(Kind::StoreUnavailable, "the store's committer has ended").with_remedy("start the process again")
}
