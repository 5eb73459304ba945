//! Where calls wait for intake, and their callers for an answer.
//!
//! Promises: bounded by events and by bytes; first in, first out; a caller whose call is dropped learns of it; what was refused
//! before it came here is counted with the next group. One call with a key is here at a time.
//! Leaves to others: reading bodies (`decode`), handing groups over (`feed`).

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use syncline_engine::error::Kind;
use syncline_engine::ports::feed::{Answer, Call};
use tokio::sync::oneshot;

use super::config::QueueSettings;

/// Why nothing of a call is known to be durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// What kind of error it was.
    pub kind: Kind,
    /// What happened.
    pub message: String,
    /// What can be done.
    pub remedy: String,
}

/// What a caller gets.
pub type Reply = Result<Answer, Failed>;

/// Why a call was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// Too much waits already.
    Full,
    /// A call with this key waits already.
    InProgress,
    /// The process is stopping.
    Stopping,
}

/// A call with the way back to its caller.
#[derive(Debug)]
pub(super) struct Waiting {
    pub call: Call,
    pub bytes: usize,
    pub reply: oneshot::Sender<Reply>,
}

/// The queue between the callers and the feed.
#[derive(Debug)]
pub struct CallQueue {
    settings: QueueSettings,
    state: Mutex<State>,
    waker: AtomicWaker,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Waiting>,
    keys: BTreeSet<String>,
    events: usize,
    bytes: usize,
    told: u64,
    is_closed: bool,
}

/// What a feed takes at once.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub calls: Vec<Waiting>,
    pub told: u64,
    pub more: bool,
}

/// Refusals that wait to be counted wake intake once there are so many; fewer go with the next call.
const TOLD_WAKES: u64 = 100;

impl CallQueue {
    /// An empty queue for two owners.
    #[must_use]
    pub fn shared(settings: QueueSettings) -> Arc<Self> {
        Arc::new(Self { settings, state: Mutex::default(), waker: AtomicWaker::new() })
    }

    /// Hands a call over; the receiver gets its answer. A receiver that is told nothing belongs to a call of which nobody knows.
    ///
    /// # Errors
    /// If it is not taken.
    pub fn offer(&self, call: Call, bytes: usize) -> Result<oneshot::Receiver<Reply>, NotTaken> {
        let (reply, answer) = oneshot::channel();
        let mut state = self.lock();
        if state.is_closed {
            return Err(NotTaken::Stopping);
        }
        let events = state.events + call.inputs.len();
        // A call that is larger than the bound goes in alone.
        let is_first = state.waiting.is_empty();
        if !is_first && (events > self.settings.events_max || state.bytes + bytes > self.settings.bytes_max) {
            return Err(NotTaken::Full);
        }
        if let Some(key) = &call.key
            && !state.keys.insert(key.key.clone())
        {
            return Err(NotTaken::InProgress);
        }
        state.events = events;
        state.bytes += bytes;
        state.waiting.push_back(Waiting { call, bytes, reply });
        drop(state);
        self.waker.wake();
        Ok(answer)
    }

    /// Counts inputs that were refused before they came here.
    pub fn told(&self, count: u64) {
        let mut state = self.lock();
        state.told += count;
        let wakes = state.told >= TOLD_WAKES;
        drop(state);
        if wakes {
            self.waker.wake();
        }
    }

    /// How many events wait.
    #[must_use]
    pub fn events(&self) -> usize {
        self.lock().events
    }

    /// Takes in nothing more; what waits is still handed over.
    pub fn close(&self) {
        self.lock().is_closed = true;
    }

    /// Takes calls with about that many inputs together, at least one call if there is one.
    pub(super) fn take(&self, inputs_max: usize) -> Taken {
        let mut state = self.lock();
        let mut taken = Taken { told: std::mem::take(&mut state.told), ..Taken::default() };
        let mut inputs = 0;
        while let Some(next) = state.waiting.front() {
            inputs += next.call.inputs.len();
            if !taken.calls.is_empty() && inputs > inputs_max {
                break;
            }
            taken.calls.extend(state.waiting.pop_front());
        }
        state.events -= taken.calls.iter().map(|waiting| waiting.call.inputs.len()).sum::<usize>();
        state.bytes -= taken.calls.iter().map(|waiting| waiting.bytes).sum::<usize>();
        taken.more = !state.waiting.is_empty();
        taken
    }

    /// Frees a key: its call was answered.
    pub(super) fn free(&self, key: &str) {
        self.lock().keys.remove(key);
    }

    /// Ready when there is something to take.
    pub(super) fn poll_news(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.waker.register(cx.waker());
        let state = self.lock();
        if state.waiting.is_empty() && state.told < TOLD_WAKES { Poll::Pending } else { Poll::Ready(()) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
