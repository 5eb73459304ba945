//! A store that was opened for one command, because no process has it open.
//!
//! Promises: takes the store's lock, so no process can start meanwhile; what it opens the next process finds due.
//! Leaves to others: what the requests do (`operate`).

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use syncline_core::ids::SystemId;
use syncline_core::intake::Routes;
use syncline_core::schema::Schemas;
use syncline_engine::error::{Error, Kind, Result};
use syncline_engine::operator::resync::{Asked, Page};
use syncline_engine::operator::{self, LetterWish};
use syncline_engine::ports::store::Store;
use syncline_engine::workers::dispatcher::LaneStatus;
use syncline_engine::workers::inbox::Wish;

use super::{Context, ValuesView};
use crate::config::Config;
use crate::reload::{self, ConfigWish, Reloaded, Source};
use crate::wiring::OpenStore;

/// An opened store with the configuration, if one is known.
pub struct Offline {
    open: OpenStore,
    config: Option<Arc<Config>>,
    source: Option<Source>,
}

impl Offline {
    /// Works over this store.
    #[must_use]
    pub fn new(open: OpenStore, config: Option<Config>) -> Self {
        Self { open, config: config.map(Arc::new), source: None }
    }

    /// With the file of the configuration, so that it can be changed.
    #[must_use]
    pub fn with_source(mut self, source: Source) -> Self {
        self.source = Some(source);
        self
    }

    /// Lets go of the store.
    pub fn close(self) {
        self.open.close();
    }

    async fn routes(&self, config: &Config) -> Result<BTreeMap<String, Routes>> {
        let mut numbers = BTreeMap::new();
        for system in &config.systems {
            numbers.insert(system.name.as_str(), SystemId(self.open.store.register(&system.name).await?));
        }
        Ok(config.routes(&|name| numbers.get(name).copied().unwrap_or(SystemId(0))))
    }
}

#[async_trait]
impl Context for Offline {
    fn store(&self) -> &dyn Store {
        &*self.open.store
    }

    fn config(&self) -> Option<Arc<Config>> {
        self.config.clone()
    }

    async fn configure(&self, wish: &ConfigWish) -> Result<Reloaded> {
        let Some(source) = &self.source else {
            let error = Error::new(Kind::Config, "no process runs here, and which file is meant is not known");
            return Err(error.with_remedy("name the configuration with -c FILE"));
        };
        reload::change_file(source, wish, Some(self.store())).await
    }

    fn values(&self) -> Option<ValuesView> {
        None
    }

    fn lanes(&self) -> Vec<LaneStatus> {
        Vec::new()
    }

    async fn letter(&self, wish: LetterWish) -> Result<String> {
        let store = self.store();
        let done = match wish {
            LetterWish::Discard { letter, reason } => operator::discard(store, letter, &reason, self.now()).await?,
            LetterWish::Replay { letter } => match &self.config {
                Some(config) => operator::replay(store, &config.schemas, &self.routes(config).await?, letter, self.now()).await?,
                None if store.letter(letter).await?.is_some_and(|letter| letter.link.is_none()) => {
                    let message = format!("dead letter {letter} is an input, and where it goes is in the configuration");
                    return Err(Error::new(Kind::Config, message).with_remedy("name the configuration with -c FILE"));
                }
                None => operator::replay(store, &Schemas::default(), &BTreeMap::new(), letter, self.now()).await?,
            },
        };
        Ok(done.text)
    }

    async fn resync(&self, asked: Asked) -> Result<Page> {
        let routes = match &self.config {
            Some(config) => self.routes(config).await?,
            None => BTreeMap::new(),
        };
        operator::resync::open(self.store(), &routes, &asked, self.now()).await
    }

    async fn tell(&self, _system: &str, _wish: Wish) {}

    async fn tokens_changed(&self) -> Result<()> {
        Ok(())
    }
}
