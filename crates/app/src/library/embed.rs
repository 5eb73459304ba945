//! The engine inside another program: feeds and writers of its own, one store, and the workers between them.
//!
//! Promises: what runs is what `syncline run` runs (intake, lanes, quota, ledger, upkeep); nothing is acknowledged before it
//! is durable. Leaves to others: the feeds and writers (the program), waiting for the end (the caller).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use syncline_core::dispatch::guard::GuardSettings;
use syncline_core::dispatch::lane::LaneSettings;
use syncline_core::dispatch::planted::Planted;
use syncline_core::event::SourceSettings;
use syncline_core::ids::{SourceId, SystemId};
use syncline_core::intake::Routes;
use syncline_core::ledger::Ledger;
use syncline_core::retry_policy::Backoff;
use syncline_core::schema::Schemas;
use syncline_core::terms::Terms;
use syncline_engine::error::Result;
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
use crate::run::{Drive, pause};
use crate::wiring::{OpenStore, open_store};

/// How long explicit event ids are remembered.
const REMEMBER_IDS: Duration = Duration::from_secs(7 * 86_400);
/// How often a program that waits for the end looks.
const LOOK: Duration = Duration::from_millis(20);

/// Makes a feed, once its source has a number.
type MakeFeed = Box<dyn FnOnce(SourceId) -> Box<dyn Feed> + Send>;

/// What is to be embedded.
pub struct Embedding {
    schemas: Schemas,
    feeds: Vec<(String, SourceSettings, MakeFeed)>,
    systems: Vec<(String, Arc<dyn Writer>, Terms)>,
    routes: Vec<(String, String, String, String)>,
}

impl Embedding {
    /// Nothing yet, of these record types.
    #[must_use]
    pub fn new(schemas: Schemas) -> Self {
        Self { schemas, feeds: Vec::new(), systems: Vec::new(), routes: Vec::new() }
    }

    /// With an internal system that reports changes.
    #[must_use]
    pub fn with_feed(
        mut self,
        name: &str,
        settings: SourceSettings,
        feed: impl FnOnce(SourceId) -> Box<dyn Feed> + Send + 'static,
    ) -> Self {
        self.feeds.push((name.to_owned(), settings, Box::new(feed)));
        self
    }

    /// With an external system that takes writes under these terms.
    #[must_use]
    pub fn with_system(mut self, name: &str, writer: Arc<dyn Writer>, terms: Terms) -> Self {
        self.systems.push((name.to_owned(), writer, terms));
        self
    }

    /// With a route: records of that type whose routing field says `value` (empty where the type has none) go to `object` of `system`.
    #[must_use]
    pub fn with_route(mut self, record_type: &str, value: &str, system: &str, object: &str) -> Self {
        self.routes.push((record_type.to_owned(), value.to_owned(), system.to_owned(), object.to_owned()));
        self
    }

    /// Opens the store at `path` and starts the workers on the present tokio runtime.
    ///
    /// # Errors
    /// What the store says.
    pub async fn start(self, path: &Path) -> Result<Embedded> {
        let open = open_store(path)?;
        let store: Arc<dyn Store> = open.store.clone();
        let clock: Arc<dyn Clock> = Arc::new(WallClock);
        let mut numbers = BTreeMap::new();
        for name in self.feeds.iter().map(|feed| &feed.0).chain(self.systems.iter().map(|system| &system.0)) {
            numbers.insert(name.clone(), store.register(name).await?);
        }
        let number = |name: &str| numbers.get(name).copied().unwrap_or_default();
        let hub = Arc::new(Hub::new(self.systems.iter().map(|(name, ..)| SystemId(number(name)))));
        let routes = routes(&self.schemas, &self.routes, &number);
        let mut workers: Vec<Box<dyn Worker>> = Vec::new();
        let mut statuses = Vec::new();
        for (name, writer, terms) in self.systems {
            let settings = lane(SystemId(number(&name)), name, terms, &*writer);
            let dispatcher = Dispatcher::new(store.clone(), writer, clock.clone(), hub.clone(), settings);
            statuses.push(dispatcher.status());
            workers.push(Box::new(dispatcher));
        }
        let feeds = self.feeds.into_iter().map(|(name, settings, make)| {
            let source = SourceId(number(&name));
            FeedSlot::new(source, settings, make(source))
        });
        let orders = Arc::new(Orders::default());
        let intake = IntakeWorker::new(store.clone(), clock.clone(), hub, orders, self.schemas, routes, feeds.collect());
        let report = intake.report();
        workers.push(Box::new(intake));
        workers.push(Box::new(Upkeep::new(store, clock.clone(), REMEMBER_IDS)));
        Ok(Embedded { drive: Drive::start(workers, &clock), open, statuses, report })
    }
}

fn routes(schemas: &Schemas, named: &[(String, String, String, String)], number: &dyn Fn(&str) -> i64) -> BTreeMap<String, Routes> {
    let mut routes: BTreeMap<String, Routes> = BTreeMap::new();
    for (record_type, value, system, object) in named {
        let routing_field = schemas.get(record_type).and_then(|schema| schema.routing_field.clone());
        let of_type = routes.entry(record_type.clone()).or_insert_with(|| Routes { routing_field, places: BTreeMap::new() });
        of_type.places.entry(value.clone()).or_default().push((SystemId(number(system)), object.clone()));
    }
    routes
}

fn lane(system: SystemId, name: String, terms: Terms, writer: &dyn Writer) -> LaneSettings {
    LaneSettings {
        system,
        account: name.clone(),
        name,
        terms: BTreeMap::from([(terms.boundary.record_type.clone(), terms)]),
        profile: writer.profile().clone(),
        backoff: Backoff::default(),
        guard: GuardSettings::default(),
        share_permille: 1000,
        batch_wait: Duration::from_secs(2),
        memory_max: 20_000,
        planted: Planted::NONE,
        look_every: Duration::from_secs(3600),
    }
}

/// The engine under way inside another program.
pub struct Embedded {
    drive: Drive,
    open: OpenStore,
    statuses: Vec<Arc<Mutex<LaneStatus>>>,
    report: Arc<Mutex<IntakeReport>>,
}

impl Embedded {
    /// Waits until every feed has ended and nothing is left to do but what waits behind a dead letter.
    ///
    /// # Errors
    /// What the store says.
    pub async fn settled(&self) -> Result<()> {
        loop {
            let ended = self.report.lock().unwrap_or_else(PoisonError::into_inner).ended;
            let quiet = self.statuses.iter().all(|status| status.lock().unwrap_or_else(PoisonError::into_inner).is_quiet);
            if ended && quiet && !self.open.store.has_rest().await? {
                return Ok(());
            }
            pause(LOOK).await;
        }
    }

    /// Where everything is.
    ///
    /// # Errors
    /// What the store says.
    pub async fn ledger(&self) -> Result<Ledger> {
        self.open.store.ledger().await
    }

    /// Lets what is under way end, and closes the store.
    pub async fn stop(self) {
        self.drive.stop().await;
        self.open.close();
    }
}
