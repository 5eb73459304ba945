//! Virtual time and seeded order: polls tasks that were woken, one at a time, in an order that the seed draws.
//!
//! Promises: nothing runs concurrently; time passes only when no task can go on; the same seed polls in the same order.
//! Leaves to others: what the tasks do.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use syncline_core::time::Timestamp;
use syncline_engine::ports::clock::Clock;

/// The virtual clock, with everybody who sleeps by it.
#[derive(Clone, Default)]
pub struct SimClock(Arc<Mutex<Sleepers>>);

#[derive(Default)]
struct Sleepers {
    now: Timestamp,
    next: u64,
    waiting: BTreeMap<(Timestamp, u64), Waker>,
}

impl SimClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        let clock = Self::default();
        clock.lock().now = now;
        clock
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Sleepers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the next sleeper wakes.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.lock().waiting.keys().next().map(|(at, _)| *at)
    }

    /// Moves time on and wakes who slept until then.
    pub fn advance_to(&self, at: Timestamp) {
        let mut due = Vec::new();
        let mut sleepers = self.lock();
        sleepers.now = sleepers.now.max(at);
        let now = sleepers.now;
        while let Some(entry) = sleepers.waiting.first_entry().filter(|entry| entry.key().0 <= now) {
            due.push(entry.remove());
        }
        drop(sleepers);
        due.into_iter().for_each(Waker::wake);
    }

    /// Resolves at that time.
    pub async fn sleep_until(&self, at: Timestamp) {
        std::future::poll_fn(|cx| {
            let mut sleepers = self.lock();
            if sleepers.now >= at {
                return Poll::Ready(());
            }
            sleepers.next += 1;
            let key = (at, sleepers.next);
            sleepers.waiting.insert(key, cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.lock().now
    }
}

/// A task of the simulation.
pub type Task = Pin<Box<dyn Future<Output = ()>>>;

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Tasks with their wake flags.
pub struct Executor {
    tasks: Vec<(Task, Arc<Flag>)>,
    rng: ChaCha8Rng,
}

impl Executor {
    /// An executor whose order the seed draws.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { tasks: Vec::new(), rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// Adds a task.
    pub fn add(&mut self, task: Task) {
        let flag = Arc::new(Flag::default());
        flag.0.store(true, Ordering::SeqCst);
        self.tasks.push((task, flag));
    }

    /// Throws all tasks away: a crash.
    pub fn clear(&mut self) {
        self.tasks.clear();
    }

    /// Polls one woken task, drawn by the seed; false if none was woken. A finished task is taken out.
    pub fn poll_one(&mut self) -> bool {
        let ready: Vec<usize> =
            self.tasks.iter().enumerate().filter(|(_, (_, flag))| flag.0.load(Ordering::SeqCst)).map(|(index, _)| index).collect();
        if ready.is_empty() {
            return false;
        }
        let index = ready[self.rng.random_range(0..ready.len())];
        let (task, flag) = &mut self.tasks[index];
        flag.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(flag));
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            drop(self.tasks.swap_remove(index));
        }
        true
    }

    /// A draw for whoever drives the simulation.
    pub fn rng(&mut self) -> &mut ChaCha8Rng {
        &mut self.rng
    }
}

/// Lets other tasks go first once.
pub async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
