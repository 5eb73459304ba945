//! Takes groups of inputs from feeds, judges and folds them, and makes them durable with the checkpoint behind them.
//!
//! Promises: one group at a time; a feed goes on only behind what is durable; after an error the feed is sought back to its
//! checkpoint, so nothing is skipped and nothing is offered twice. Callers are answered after the commit (`calls`). Leaves to
//! others: judging and folding (`core::intake`), reading the source (`ports::feed`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::future::{BoxFuture, select_all};
use syncline_core::change_set::ChangeSet;
use syncline_core::dispatch::planted::{Bug, Planted};
use syncline_core::event::{self, Invalid, OrderBy, SourceSettings};
use syncline_core::ids::SourceId;
use syncline_core::intake::{Intake, Offered, Routes, Taken};
use syncline_core::schema::Schemas;
use syncline_core::time::Timestamp;

use crate::error::Result;
use crate::operator::{self, LetterWish, Order, Orders};
use crate::ports::clock::Clock;
use crate::ports::feed::{Feed, FeedGroup, Polled};
use crate::ports::store::Store;
use crate::workers::exchange::Exchange;
use crate::workers::inbox::Hub;
use crate::workers::{Step, StoreIds, Worker};

mod calls;

pub use calls::KEEP_CALLS;

/// Inputs in a group at most.
pub const GROUP_MAX: usize = 1000;

/// A feed with what is known of its source.
pub struct FeedSlot {
    /// The source's number.
    pub source: SourceId,
    /// How its events are read.
    pub settings: SourceSettings,
    /// The feed.
    pub feed: Box<dyn Feed>,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Unsought,
    Ready,
    Idle(Timestamp),
    Ended,
}

impl FeedSlot {
    /// A feed that was not sought yet.
    #[must_use]
    pub fn new(source: SourceId, settings: SourceSettings, feed: Box<dyn Feed>) -> Self {
        Self { source, settings, feed, phase: Phase::Unsought }
    }
}

/// What intake did so far in this process, for reports.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct IntakeReport {
    /// Inputs offered.
    pub offered: u64,
    /// Groups made durable.
    pub groups: u64,
    /// Whether every feed has ended.
    pub ended: bool,
}

/// What intake judges and routes events by.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Every record type.
    pub schemas: Schemas,
    /// Their places.
    pub routes: BTreeMap<String, Routes>,
}

/// The intake worker.
pub struct IntakeWorker {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    hub: Arc<Hub>,
    schemas: Schemas,
    routes: BTreeMap<String, Routes>,
    feeds: Vec<FeedSlot>,
    next: usize,
    orders: Arc<Orders>,
    planted: Planted,
    draining: bool,
    /// Nobody waits for an answer any more.
    emptied: bool,
    report: IntakeReport,
    shared: Arc<Mutex<IntakeReport>>,
    exchange: Arc<Exchange<Rules>>,
}

impl IntakeWorker {
    /// A worker over these feeds.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        hub: Arc<Hub>,
        orders: Arc<Orders>,
        schemas: Schemas,
        routes: BTreeMap<String, Routes>,
        feeds: Vec<FeedSlot>,
    ) -> Self {
        Self {
            store,
            clock,
            hub,
            schemas,
            routes,
            feeds,
            next: 0,
            orders,
            planted: Planted::NONE,
            draining: false,
            emptied: false,
            report: IntakeReport::default(),
            shared: Arc::default(),
            exchange: Arc::default(),
        }
    }

    /// With a bug planted, for the simulator.
    #[must_use]
    pub const fn with_planted(mut self, planted: Planted) -> Self {
        self.planted = planted;
        self
    }

    /// What was done so far, kept up to date by every step.
    #[must_use]
    pub fn report(&self) -> Arc<Mutex<IntakeReport>> {
        Arc::clone(&self.shared)
    }

    /// Takes other rules, which hold for whatever is taken in from the next step on.
    #[must_use]
    pub fn exchange(&self) -> Arc<Exchange<Rules>> {
        Arc::clone(&self.exchange)
    }

    fn publish(&self) {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&self.report);
    }

    async fn poll_feed(&mut self, index: usize, now: Timestamp) -> Result<bool> {
        let slot = &mut self.feeds[index];
        if slot.phase == Phase::Unsought {
            let checkpoint = self.store.checkpoint(slot.source).await?;
            slot.feed.seek(checkpoint).await?;
            slot.phase = Phase::Ready;
        }
        match slot.feed.poll(GROUP_MAX, now).await? {
            Polled::Group(group) => {
                slot.phase = Phase::Ready;
                if let Err(error) = self.take_in(index, group).await {
                    self.feeds[index].phase = Phase::Unsought;
                    return Err(error);
                }
                Ok(true)
            }
            Polled::Calls(group) => {
                slot.phase = Phase::Ready;
                if let Err(error) = self.take_calls(index, group).await {
                    self.feeds[index].feed.answer(Err(&error));
                    self.feeds[index].phase = Phase::Unsought;
                    return Err(error);
                }
                Ok(true)
            }
            Polled::Idle { until } => {
                slot.phase = Phase::Idle(until);
                Ok(false)
            }
            Polled::Ended => {
                slot.phase = Phase::Ended;
                Ok(false)
            }
        }
    }

    async fn take_in(&mut self, index: usize, group: FeedGroup) -> Result<()> {
        let (more, epoch) = (group.more, group.epoch);
        let count = group.inputs.len() as u64;
        let (source, offered, by_position) = {
            let slot = &self.feeds[index];
            let mut offered = decode_all(&group, &self.schemas, &slot.settings);
            if self.planted.has(Bug::EventIdsIgnored) {
                offered.iter_mut().filter_map(|offered| offered.event.as_mut().ok()).for_each(|event| event.event_id = None);
            }
            (slot.source, offered, matches!(slot.settings.order_by, OrderBy::Position))
        };
        if self.planted.has(Bug::AcknowledgeBeforeDurable) {
            let early = ChangeSet { checkpoints: vec![group.checkpoint.clone()], ..ChangeSet::default() };
            self.store.commit(early).await?;
        }
        let mut intake = Intake::new(&self.routes, source, epoch, by_position, self.clock.now());
        bring_known(&*self.store, source, &offered, &mut intake).await?;
        let mut ids = StoreIds(&*self.store);
        for input in offered {
            intake.offer(input, &mut ids);
        }
        let Taken { set, due, .. } = intake.finish(Some(group.checkpoint));
        self.store.commit(set).await?;
        self.report.offered += count;
        self.report.groups += 1;
        self.publish();
        self.hub.deliver(&due, more);
        Ok(())
    }

    /// Answers callers that were taken in before the end; other feeds go on from their checkpoints another time.
    async fn empty(&mut self) -> Result<Step> {
        let now = self.clock.now();
        for index in 0..self.feeds.len() {
            if self.feeds[index].feed.has_callers() && self.poll_feed(index, now).await? {
                return Ok(Step::Worked);
            }
        }
        self.emptied = true;
        Ok(Step::Worked)
    }

    async fn obey(&mut self, order: Order) {
        let now = self.clock.now();
        match order {
            Order::Letter(wish, reply) => {
                let done = match &wish {
                    LetterWish::Replay { letter } => operator::replay(&*self.store, &self.schemas, &self.routes, *letter, now).await,
                    LetterWish::Discard { letter, reason } => operator::discard(&*self.store, *letter, reason, now).await,
                };
                if let Ok(done) = &done {
                    self.hub.deliver(&done.due, false);
                }
                drop(reply.send(done.map(|done| done.text)));
            }
            Order::Resync(asked, reply) => {
                let page = operator::resync::open(&*self.store, &self.routes, &asked, now).await;
                if let Ok(page) = &page {
                    self.hub.deliver(&page.due, page.next.is_some());
                }
                drop(reply.send(page));
            }
        }
    }
}

#[async_trait]
impl Worker for IntakeWorker {
    fn name(&self) -> String {
        "intake".into()
    }

    async fn step(&mut self) -> Result<Step> {
        if let Some(Rules { schemas, routes }) = self.exchange.take() {
            (self.schemas, self.routes) = (schemas, routes);
        }
        if let Some(order) = self.orders.next() {
            self.obey(order).await;
            return Ok(Step::Worked);
        }
        if self.draining {
            return self.empty().await;
        }
        let now = self.clock.now();
        let mut until: Option<Timestamp> = None;
        for _ in 0..self.feeds.len() {
            let index = self.next % self.feeds.len();
            self.next += 1;
            match self.feeds[index].phase {
                Phase::Ended => {}
                Phase::Idle(at) if at > now => until = Some(until.map_or(at, |until| until.min(at))),
                Phase::Unsought | Phase::Ready | Phase::Idle(_) => {
                    if self.poll_feed(index, now).await? {
                        return Ok(Step::Worked);
                    }
                    if let Phase::Idle(at) = self.feeds[index].phase {
                        until = Some(until.map_or(at, |until| until.min(at)));
                    }
                }
            }
        }
        self.report.ended = self.feeds.iter().all(|slot| slot.phase == Phase::Ended);
        self.publish();
        self.hub.deliver(&BTreeMap::new(), false);
        Ok(Step::Idle { until, why: "no input" })
    }

    async fn ready(&mut self) {
        let orders = &self.orders;
        let mut waits: Vec<BoxFuture<'_, ()>> = vec![Box::pin(async move { orders.wait().await })];
        waits.extend(self.feeds.iter_mut().map(|slot| slot.feed.ready()));
        let (_, first, waits) = select_all(waits).await;
        drop(waits);
        if let Some(slot) = first.checked_sub(1).and_then(|index| self.feeds.get_mut(index)) {
            slot.phase = if slot.phase == Phase::Unsought { Phase::Unsought } else { Phase::Ready };
        }
    }

    fn drain(&mut self) {
        self.draining = true;
    }

    fn is_idle(&self) -> bool {
        self.emptied || !self.feeds.iter().any(|slot| slot.feed.has_callers())
    }
}

fn decode_all(group: &FeedGroup, schemas: &Schemas, settings: &SourceSettings) -> Vec<Offered> {
    let mut offered = Vec::with_capacity(group.inputs.len());
    for (number, input) in group.inputs.iter().enumerate() {
        let event = match &input.broken {
            Some(why) => Err(Invalid {
                code: "too_long",
                pointer: String::new(),
                message: why.clone(),
                remedy: "split the record or raise the source's bound".into(),
            }),
            None => event::decode(&input.raw, schemas, settings),
        };
        offered.push(Offered {
            position: group.first_position.saturating_add(i64::try_from(number).unwrap_or(i64::MAX)),
            place: input.place.clone(),
            // Only a refusal needs the bytes again.
            raw: if event.is_err() || settings_has_ids(&event) { input.raw.clone() } else { Vec::new() },
            event,
        });
    }
    offered
}

fn settings_has_ids(event: &std::result::Result<event::Change, Invalid>) -> bool {
    event.as_ref().is_ok_and(|event| event.event_id.is_some())
}

/// Brings what is known of every record and explicit event id of the group.
pub(crate) async fn bring_known(store: &dyn Store, source: SourceId, offered: &[Offered], intake: &mut Intake<'_>) -> Result<()> {
    let mut keys: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut event_ids = Vec::new();
    for event in offered.iter().filter_map(|offered| offered.event.as_ref().ok()) {
        keys.entry(&event.record_type).or_default().insert(&event.key);
        event_ids.extend(event.event_id.as_deref());
    }
    for (record_type, keys) in keys {
        let keys: Vec<_> = keys.into_iter().collect();
        for known in store.known(record_type, &keys).await?.into_iter().flatten() {
            intake.know(known);
        }
    }
    if !event_ids.is_empty() {
        for (id, digest) in event_ids.iter().zip(store.seen(source, &event_ids).await?) {
            if let Some(digest) = digest {
                intake.know_seen((*id).to_owned(), digest);
            }
        }
    }
    Ok(())
}
