//! What a request is carried out against: the running process, or a store that was opened for one command.
//!
//! Promises: a wish for a letter goes where deliveries are opened (intake, if it runs); a wish for a lane reaches it, if it runs.
//! Leaves to others: what the requests do (`letters`, `pauses`, …).

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use syncline_core::ids::SystemId;
use syncline_core::time::Timestamp;
use syncline_engine::error::{Error, Kind, Result};
use syncline_engine::operator::LetterWish;
use syncline_engine::operator::resync::{Asked, Page};
use syncline_engine::ports::clock::Clock;
use syncline_engine::ports::store::Store;
use syncline_engine::workers::dispatcher::LaneStatus;
use syncline_engine::workers::inbox::Wish;

use super::ValuesView;
use crate::clock::WallClock;
use crate::config::Config;
use crate::reload::{ConfigWish, Reloaded};
use crate::run::Running;

/// What a request is carried out against.
#[async_trait]
pub trait Context: Sync {
    /// The store.
    fn store(&self) -> &dyn Store;

    /// The configuration, if one is known.
    fn config(&self) -> Option<Arc<Config>>;

    /// Changes the configuration, or reads it anew.
    async fn configure(&self, wish: &ConfigWish) -> Result<Reloaded>;

    /// How the configuration was written, if that is known.
    fn values(&self) -> Option<ValuesView>;

    /// What each running lane looks like; empty where none runs.
    fn lanes(&self) -> Vec<LaneStatus>;

    /// Now.
    fn now(&self) -> Timestamp {
        WallClock.now()
    }

    /// Carries out a wish for a letter; answers what was done, in words.
    async fn letter(&self, wish: LetterWish) -> Result<String>;

    /// Opens what a page of records needs.
    async fn resync(&self, asked: Asked) -> Result<Page>;

    /// Tells a system's lane, if it runs.
    async fn tell(&self, system: &str, wish: Wish);

    /// Tells the door for callers, if it is open, that the store's tokens have changed.
    async fn tokens_changed(&self) -> Result<()>;
}

#[async_trait]
impl Context for Running {
    fn store(&self) -> &dyn Store {
        &*self.store
    }

    fn config(&self) -> Option<Arc<Config>> {
        Some(self.reloading.config())
    }

    async fn configure(&self, wish: &ConfigWish) -> Result<Reloaded> {
        self.reload(wish).await
    }

    fn values(&self) -> Option<ValuesView> {
        let (file, written) = self.reloading.written()?;
        Some(ValuesView::of(&file, &written, true, self.reloading.refused()))
    }

    fn lanes(&self) -> Vec<LaneStatus> {
        self.statuses.iter().map(|status| status.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect()
    }

    async fn letter(&self, wish: LetterWish) -> Result<String> {
        self.orders.letter(wish).await.map_err(|_| stopping())?
    }

    async fn resync(&self, asked: Asked) -> Result<Page> {
        self.orders.resync(asked).await.map_err(|_| stopping())?
    }

    async fn tell(&self, system: &str, wish: Wish) {
        let number = self.numbers.get(system).copied().map(SystemId);
        if let Some(inbox) = number.and_then(|number| self.hub.inbox(number)) {
            inbox.wish(wish);
        }
    }

    async fn tokens_changed(&self) -> Result<()> {
        self.tokens.replace(self.store.tokens().await?);
        Ok(())
    }
}

fn stopping() -> Error {
    Error::new(Kind::Operator, "the process is stopping").with_remedy("ask again once it has stopped")
}

/// Names of systems by number.
#[derive(Debug, Clone, Default)]
pub struct Names(BTreeMap<i64, String>);

impl Names {
    /// The names that a store knows.
    ///
    /// # Errors
    /// What the store says.
    pub async fn of(store: &dyn Store) -> Result<Self> {
        Ok(Self(store.systems().await?.into_iter().collect()))
    }

    /// The name of a system.
    #[must_use]
    pub fn name(&self, number: i64) -> String {
        self.0.get(&number).cloned().unwrap_or_else(|| format!("number {number}"))
    }

    /// Every name, by number.
    pub fn all(&self) -> impl Iterator<Item = (i64, &str)> {
        self.0.iter().map(|(number, name)| (*number, name.as_str()))
    }

    /// A text in which `system 3` and `source 3` are told by name.
    #[must_use]
    pub fn tell(&self, text: &str) -> String {
        for word in ["system ", "source "] {
            for (number, name) in &self.0 {
                let head = format!("{word}{number}:");
                if let Some(rest) = text.strip_prefix(&head) {
                    return format!("{word}{name}:{rest}");
                }
            }
        }
        text.to_owned()
    }
}
