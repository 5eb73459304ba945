//! Forgets what no longer counts: old charges, event ids and answers to calls beyond their time.
//!
//! Promises: open work, links, bases, versions and tombstones are never touched.
//! Leaves to others: what is still needed of the quota (`core::dispatch::quota`).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use syncline_core::time::Timestamp;

use crate::error::Result;
use crate::ports::clock::Clock;
use crate::ports::store::Store;
use crate::workers::exchange::Exchange;
use crate::workers::intake::KEEP_CALLS;
use crate::workers::{Step, Worker};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(600);
/// How long charges are kept: two of the longest windows.
const CHARGES: Duration = Duration::from_secs(48 * 3600);

/// The upkeep worker.
pub struct Upkeep {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    remember_ids: Duration,
    next: Timestamp,
    exchange: Arc<Exchange<Duration>>,
}

impl Upkeep {
    /// Remembers explicit event ids for `remember_ids`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, remember_ids: Duration) -> Self {
        let next = clock.now().plus(EVERY);
        Self { store, clock, remember_ids, next, exchange: Arc::default() }
    }

    /// Takes another time for which ids are remembered.
    #[must_use]
    pub fn exchange(&self) -> Arc<Exchange<Duration>> {
        Arc::clone(&self.exchange)
    }
}

#[async_trait]
impl Worker for Upkeep {
    fn name(&self) -> String {
        "upkeep".into()
    }

    async fn step(&mut self) -> Result<Step> {
        let now = self.clock.now();
        if now < self.next {
            return Ok(Step::Idle { until: Some(self.next), why: "upkeep" });
        }
        self.next = now.plus(EVERY);
        self.remember_ids = self.exchange.take().unwrap_or(self.remember_ids);
        self.store.prune(now.minus(CHARGES), now.minus(self.remember_ids)).await?;
        self.store.forget_calls(now.minus(KEEP_CALLS)).await?;
        Ok(Step::Worked)
    }

    async fn ready(&mut self) {
        std::future::pending().await
    }

    fn drain(&mut self) {
        self.next = Timestamp::MAX;
    }

    fn is_idle(&self) -> bool {
        true
    }
}
