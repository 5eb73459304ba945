//! Drives the workers: the only place that loops over them, spawns and sleeps.
//!
//! Promises: a worker's failure stops that worker for as long as its error's policy says, and no other; a stop lets what is
//! under way end, within a bound. Leaves to others: what the workers do (`engine`), putting them together (`wiring`).

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use syncline_adapters::stores::sqlite::SqliteStore;
use syncline_adapters::systems::http::queue::CallQueue;
use syncline_core::event::SourceSettings;
use syncline_core::time::Timestamp;
use syncline_engine::error::{Again, Error, Kind, Result, policy};
use syncline_engine::operator::Orders;
use syncline_engine::ports::clock::Clock;
use syncline_engine::ports::store::Store;
use syncline_engine::workers::dispatcher::LaneStatus;
use syncline_engine::workers::inbox::Hub;
use syncline_engine::workers::intake::IntakeReport;
use syncline_engine::workers::{Step, Worker};
use tokio::sync::watch;

use crate::api::TokenBook;
use crate::reload::Reloading;
use crate::witness::CommitWitness;

/// How long a stop waits for what is under way.
const DRAIN_MAX: Duration = Duration::from_secs(30);
/// An error without a time to try again is tried again after this: a person may have mended its cause.
const MENDED: Duration = Duration::from_secs(60);

/// The handles of a running machine, for whoever watches or steers it.
pub struct Running {
    /// The store.
    pub store: Arc<SqliteStore>,
    /// What sees the store's commits.
    pub witness: Arc<CommitWitness>,
    /// The way to the lanes.
    pub hub: Arc<Hub>,
    /// The way to intake.
    pub orders: Arc<Orders>,
    /// What each lane looks like.
    pub statuses: Vec<Arc<Mutex<LaneStatus>>>,
    /// What intake did.
    pub intake: Arc<Mutex<IntakeReport>>,
    /// The way to intake for callers, if there are any.
    pub callers: Option<Callers>,
    /// Who may ask over HTTP.
    pub tokens: Arc<TokenBook>,
    /// Systems by name.
    pub numbers: BTreeMap<String, i64>,
    /// The configuration, and how to change it.
    pub reloading: Reloading,
}

/// The way to intake for callers.
#[derive(Debug, Clone)]
pub struct Callers {
    /// Where their calls wait.
    pub queue: Arc<CallQueue>,
    /// How their events are read.
    pub source: SourceSettings,
}

impl Running {
    /// Whether every feed has ended, nothing is under way, and nothing is open but what waits behind a dead letter.
    ///
    /// # Errors
    /// What the store says.
    pub async fn is_settled(&self) -> Result<bool> {
        let ended = self.intake.lock().unwrap_or_else(PoisonError::into_inner).ended;
        Ok(ended && self.is_quiet().await?)
    }

    /// Whether nothing is under way, and nothing is open but what waits behind a dead letter or is paused.
    ///
    /// # Errors
    /// What the store says.
    pub async fn is_quiet(&self) -> Result<bool> {
        if !self.statuses.iter().all(|status| status.lock().unwrap_or_else(PoisonError::into_inner).is_quiet) {
            return Ok(false);
        }
        self.store.has_rest().await.map(|has_rest| !has_rest)
    }
}

/// A machine under way.
pub struct Drive {
    stop: watch::Sender<bool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Drive {
    /// Starts driving the workers.
    #[must_use]
    pub fn start(workers: Vec<Box<dyn Worker>>, clock: &Arc<dyn Clock>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let tasks = workers.into_iter().map(|worker| spawn(drive(worker, clock.clone(), stopped.clone()))).collect();
        Self { stop, tasks }
    }

    /// Begins nothing new, lets what is under way end, and waits for that.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            // A worker that panicked has nothing under way any more.
            let _ = task.await;
        }
    }
}

/// Spawns a task: nothing else in the product does.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn spawn(task: impl Future<Output = ()> + Send + 'static) -> tokio::task::JoinHandle<()> {
    tokio::spawn(task)
}

/// Starts a thread: nothing else in the product does.
///
/// # Errors
/// `Internal` if the system has none to give.
pub fn spawn_thread(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|error| Error::new(Kind::Internal, format!("cannot start the {name} thread")).caused_by(error))
}

/// Sleeps for a while.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// What a future answers within a time; None if it takes longer.
pub async fn within<T>(time: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        answer = future => Some(answer),
        () = pause(time) => None,
    }
}

/// Reads the standard input on a thread of its own, a chunk at a time; a slow taker slows the reader.
///
/// # Errors
/// `Internal` if the system has no thread to give.
pub fn read_stdin() -> Result<Receiver<Vec<u8>>> {
    let (chunks, taken): (SyncSender<Vec<u8>>, _) = sync_channel(16);
    spawn_thread("stdin", move || {
        use std::io::Read;
        let (mut input, mut buffer) = (std::io::stdin().lock(), vec![0; 64 * 1024]);
        while let Ok(count @ 1..) = input.read(&mut buffer) {
            if chunks.send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    })?;
    Ok(taken)
}

async fn drive(mut worker: Box<dyn Worker>, clock: Arc<dyn Clock>, mut stop: watch::Receiver<bool>) {
    let mut drain_until: Option<Timestamp> = None;
    loop {
        if *stop.borrow() && drain_until.is_none() {
            worker.drain();
            drain_until = Some(clock.now().plus(DRAIN_MAX));
        }
        if drain_until.is_some_and(|until| worker.is_idle() || clock.now() >= until) {
            return;
        }
        match worker.step().await {
            Ok(Step::Worked) => tokio::task::yield_now().await,
            Ok(Step::Idle { until, .. }) => {
                let wait = until.into_iter().chain(drain_until).min().map(|at| at.since(clock.now()));
                let sleep = pause(wait.unwrap_or(Duration::from_secs(3600)).max(Duration::from_millis(1)));
                tokio::select! {
                    () = worker.ready() => {}
                    () = sleep => {}
                    _ = stop.changed(), if drain_until.is_none() => {}
                }
            }
            Ok(Step::Ended) => return,
            Err(error) => {
                report(&*worker, &error);
                let wait = match policy(error.kind).again {
                    Again::After(wait) => wait,
                    Again::Never => MENDED,
                };
                tokio::select! {
                    () = pause(wait) => {}
                    _ = stop.changed(), if drain_until.is_none() => {}
                }
            }
        }
    }
}

fn report(worker: &dyn Worker, error: &Error) {
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    tracing::warn!(worker = worker.name(), code = %error.code(), error = %error, causes = causes.join(": "), remedy = error.remedy(), "worker stopped for now");
}
