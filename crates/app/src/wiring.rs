//! Puts the parts together: a checked configuration becomes a store, feeds, writers and the workers between them.
//!
//! Promises: nothing runs yet when it is done. Leaves to others: driving the workers (`run`), the configuration's faults (`config`).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use syncline_adapters::registry::{self, WriterSettings};
use syncline_adapters::stores::sqlite::SqliteStore;
use syncline_adapters::systems::file::feed::FileFeed;
use syncline_adapters::systems::file::stdin::PipeFeed;
use syncline_adapters::systems::generator::feed::{Gate, GeneratorFeed, Load};
use syncline_adapters::systems::http::feed::HttpFeed;
use syncline_adapters::systems::http::queue::CallQueue;
use syncline_adapters::systems::caretaker::Caretaker;
use syncline_adapters::systems::means::Means;
use syncline_adapters::transport::{HttpTransport, Transport};
use syncline_core::dispatch::lane::LaneSettings;
use syncline_core::dispatch::planted::Planted;
use syncline_core::event::SourceSettings;
use syncline_core::ids::{SourceId, SystemId};
use syncline_engine::error::{Error, Kind as ErrorKind, Result};
use syncline_engine::operator::Orders;
use syncline_engine::ports::clock::Clock;
use syncline_engine::ports::feed::Feed;
use syncline_engine::ports::store::Store;
use syncline_engine::ports::writer::Writer;
use syncline_engine::workers::Worker;
use syncline_engine::workers::dispatcher::{Dispatcher, LaneStatus};
use syncline_engine::workers::inbox::Hub;
use syncline_engine::workers::intake::{FeedSlot, IntakeReport, IntakeWorker};
use syncline_engine::workers::upkeep::Upkeep;

use crate::clock::WallClock;
use crate::config::{Agreed, Config, Kind, SystemConfig};
use crate::api::TokenBook;
use crate::reload::{Configured, Exchanges, Reloading};
use crate::run::{Callers, Running};
use crate::witness::CommitWitness;

/// A store with the thread that commits for it.
pub struct OpenStore {
    /// The store.
    pub store: Arc<SqliteStore>,
    /// What sees its commits.
    pub witness: Arc<CommitWitness>,
    committer: JoinHandle<()>,
}

impl OpenStore {
    /// Lets go of the store and waits until everything handed to it is durable. Other handles must be gone by then.
    pub fn close(self) {
        let Self { store, committer, .. } = self;
        drop(store);
        // A committer that panicked has nothing left to wait for.
        let _ = committer.join();
    }
}

/// Opens the store, or makes it, and starts its committer.
///
/// # Errors
/// What the store says: owned by another process, newer than this release, unreadable.
pub fn open_store(path: &Path) -> Result<OpenStore> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        std::fs::create_dir_all(directory).map_err(|error| {
            Error::new(ErrorKind::StoreUnavailable, format!("cannot make the directory {}", directory.display())).caused_by(error)
        })?;
    }
    let (store, committer) = SqliteStore::open(path)?;
    let witness = Arc::new(CommitWitness::default());
    let committer = committer.witnessed(witness.clone());
    let committer = crate::run::spawn_thread("committer", move || committer.run_until_closed())?;
    Ok(OpenStore { store: Arc::new(store), witness, committer })
}

/// What the caller of a machine wants beyond its configuration.
#[derive(Default)]
pub struct Wishes {
    /// What the generator is to emit, in place of what the configuration says.
    pub load: Option<Load>,
    /// Holds the second phase of a load back.
    pub gate: Gate,
    /// What comes through the standard input.
    pub stdin: Option<Receiver<Vec<u8>>>,
    /// Where the configuration comes from, if it may be changed while the machine runs.
    pub configured: Option<Configured>,
}

/// Everything that is to be driven.
pub struct Machine {
    /// The workers.
    pub workers: Vec<Box<dyn Worker>>,
    /// The handles for whoever watches or steers.
    pub running: Arc<Running>,
}

/// Puts a machine together over an open store.
///
/// # Errors
/// `Config` if a part refuses its settings; what the store says.
pub async fn assemble(config: Arc<Config>, open: &OpenStore, clock: Arc<dyn Clock>, mut wishes: Wishes) -> Result<Machine> {
    let store: Arc<dyn Store> = open.store.clone();
    let mut numbers = BTreeMap::new();
    for system in &config.systems {
        numbers.insert(system.name.clone(), store.register(&system.name).await?);
    }
    let number = |name: &str| numbers.get(name).copied().unwrap_or_default();
    let lanes = config.systems.iter().filter(|system| system.kind.agreed().is_some());
    let hub = Arc::new(Hub::new(lanes.map(|system| SystemId(number(&system.name)))));
    let orders = Arc::new(Orders::default());
    let mut workers: Vec<Box<dyn Worker>> = Vec::new();
    let mut statuses: Vec<Arc<Mutex<LaneStatus>>> = Vec::new();
    let mut feeds = Vec::new();
    let mut exchanges = Exchanges::default();
    for system in &config.systems {
        let id = number(&system.name);
        if let Some((writer, agreed)) = writer(&config, system)? {
            let settings = lane_settings(&config, system, SystemId(id), agreed, &*writer);
            let dispatcher = Dispatcher::new(store.clone(), writer, clock.clone(), hub.clone(), settings);
            statuses.push(dispatcher.status());
            exchanges.lanes.insert(system.name.clone(), dispatcher.exchange());
            workers.push(Box::new(dispatcher));
        }
        if let Some((feed, settings)) = feed(system, SourceId(id), &mut wishes)? {
            feeds.push(FeedSlot::new(SourceId(id), settings, feed));
        }
    }
    let mut callers = None;
    for system in &config.systems {
        let (Kind::Http(http), Some(api)) = (&system.kind, &config.api) else { continue };
        let (id, queue) = (SourceId(number(&system.name)), CallQueue::shared(api.limits.queue.clone()));
        feeds.push(FeedSlot::new(id, http.source.clone(), Box::new(HttpFeed::new(id, queue.clone()))));
        callers = Some(Callers { queue, source: http.source.clone() });
    }
    let tokens = match &config.api {
        Some(api) => Arc::new(TokenBook::new(api, store.tokens().await?)),
        None => Arc::default(),
    };
    let routes = config.routes(&|name| SystemId(number(name)));
    let schemas = config.schemas.clone();
    let intake = IntakeWorker::new(store.clone(), clock.clone(), hub.clone(), orders.clone(), schemas, routes, feeds);
    let intake_report: Arc<Mutex<IntakeReport>> = intake.report();
    exchanges.rules = intake.exchange();
    workers.push(Box::new(intake));
    let upkeep = Upkeep::new(store, clock, config.intake.remember_ids);
    exchanges.remember_ids = upkeep.exchange();
    workers.push(Box::new(upkeep));
    let reloading = Reloading::new(config, wishes.configured.take(), exchanges);
    let running = Running { store: open.store.clone(), witness: open.witness.clone(), hub, orders, statuses, intake: intake_report, callers, tokens, numbers, reloading };
    Ok(Machine { workers, running: Arc::new(running) })
}

/// The writer of a system that has one, with what was agreed with it.
///
/// # Errors
/// `Config` if the settings contradict themselves or no HTTP client can be made.
pub fn writer<'s>(config: &Config, system: &'s SystemConfig) -> Result<Option<(Arc<dyn Writer>, &'s Agreed)>> {
    Ok(caretaker(config, system)?.map(|(caretaker, agreed)| (caretaker as Arc<dyn Writer>, agreed)))
}

/// The same with what looks after its account.
///
/// # Errors
/// `Config` if the settings contradict themselves or no HTTP client can be made.
pub fn caretaker<'s>(config: &Config, system: &'s SystemConfig) -> Result<Option<(Arc<dyn Caretaker>, &'s Agreed)>> {
    let (settings, agreed) = match &system.kind {
        Kind::Salesforce(config) => (WriterSettings::Salesforce(config.settings.clone()), &config.agreed),
        Kind::HubSpot(config) => (WriterSettings::HubSpot(config.settings.clone()), &config.agreed),
        Kind::Generator(_) | Kind::File(_) | Kind::Stdin(_) | Kind::Http(_) => return Ok(None),
    };
    let transport: Arc<dyn Transport> =
        Arc::new(HttpTransport::new(None).map_err(|error| Error::new(ErrorKind::Config, format!("no HTTP client: {error}")))?);
    let means = Means::new(transport, Arc::new(WallClock), config.token_path(&system.name));
    Ok(Some((registry::writer(settings, means)?, agreed)))
}

/// How the lane of a system is set up.
#[must_use]
pub fn lane_settings(config: &Config, system: &SystemConfig, id: SystemId, agreed: &Agreed, writer: &dyn Writer) -> LaneSettings {
    LaneSettings {
        system: id,
        name: system.name.clone(),
        account: system.name.clone(),
        terms: agreed.terms.clone(),
        profile: writer.profile().clone(),
        backoff: config.dispatch.backoff,
        guard: config.dispatch.guard,
        share_permille: agreed.share_permille,
        batch_wait: config.dispatch.batch_wait,
        memory_max: config.dispatch.memory_links,
        planted: Planted::NONE,
        look_every: config.dispatch.schema_check,
    }
}

type FeedParts = (Box<dyn Feed>, SourceSettings);

fn feed(system: &SystemConfig, source: SourceId, wishes: &mut Wishes) -> Result<Option<FeedParts>> {
    let feed: Box<dyn Feed> = match &system.kind {
        Kind::Generator(config) => {
            let load = wishes.load.unwrap_or_else(|| config.events.map_or(Load::Continuous, Load::Events));
            Box::new(GeneratorFeed::new(source, config.settings.clone(), config.seed, load, wishes.gate.clone())?)
        }
        Kind::File(config) => Box::new(FileFeed::new(source, config.settings.clone())),
        Kind::Stdin(config) => {
            let chunks = wishes.stdin.take();
            let chunks = chunks.ok_or_else(|| Error::new(ErrorKind::Config, format!("{}: only one system can read the standard input", system.name)))?;
            Box::new(PipeFeed::new(source, config.line_max, chunks))
        }
        // Callers reach their feed through a queue, which whoever watches needs as well.
        Kind::Http(_) | Kind::Salesforce(_) | Kind::HubSpot(_) => return Ok(None),
    };
    Ok(Some((feed, system.kind.source().unwrap_or_default())))
}
