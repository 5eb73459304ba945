//! Drives one lane: carries out its effects and tells it what came of them.
//!
//! Promises: an effect that must be durable is committed before the lane hears of it; after any failure of the store the lane is
//! thrown away and built anew from what is durable, so a failure is never worse than a crash.
//! Leaves to others: every decision (`core::dispatch`), the wire (`ports::writer`).

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{BoxFuture, poll_fn};
use futures_util::stream::{FuturesUnordered, StreamExt};
use syncline_core::attempt::{Fate, Operation};
use syncline_core::change_set::PauseScope;
use syncline_core::dispatch::lane::{Effect, Input, Lane, LaneReport, LaneSettings};
use syncline_core::dispatch::planted::Bug;
use syncline_core::dispatch::quota::PoolStatus;
use syncline_core::ids::{ChargeId, LinkId, SystemId};
use syncline_core::link::{Known, SideState};
use syncline_core::time::Timestamp;

use crate::error::{Again, Error, Kind, Result, policy};
use crate::ports::clock::Clock;
use crate::ports::store::Store;
use crate::ports::writer::{Account, Answer, LookAnswer, ReadAnswer, Writer};
use crate::workers::exchange::Exchange;
use crate::workers::inbox::{Hub, Wish};
use crate::workers::{Step, StoreIds, Worker};

/// Links asked of the table at once.
const SCAN_MAX: usize = 2000;
/// How often a lane that leaves is looked at; what ends meanwhile wakes it.
const LEAVING: Duration = Duration::from_millis(100);

/// What a lane looks like from outside.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct LaneStatus {
    /// The system's name.
    pub system: String,
    /// `connecting`, `running`, `refused`.
    pub phase: &'static str,
    /// What it did.
    pub report: LaneReport,
    /// Its pools.
    pub pools: Vec<PoolStatus>,
    /// Links in memory.
    pub in_memory: usize,
    /// What stands still, and why.
    pub paused: Vec<(String, String)>,
    /// Objects that an operator resumed and that are looked at before they go on.
    pub resuming: Vec<String>,
    /// Nothing that the lane decided waits to become durable.
    pub is_settled: bool,
    /// What it waits for.
    pub waits_for: &'static str,
    /// Nothing is under way and nothing is known to be due.
    pub is_quiet: bool,
    /// What stopped it, with the remedy.
    pub error: Option<String>,
}

enum Done {
    Committed(ChargeId),
    Settled(u64, Vec<(SystemId, LinkId)>),
    Loaded(Vec<LinkId>, Vec<(LinkId, Known)>),
    Answered(ChargeId, Answer),
    Read(ChargeId, ReadAnswer),
    Looked(ChargeId, LookAnswer),
    Renewed(ChargeId, std::result::Result<(), (Option<Duration>, String)>),
    Holder(LinkId, Option<(LinkId, bool)>),
    Failed(Error),
}

/// What a lane is to go on with.
#[derive(Clone)]
pub struct Refit {
    /// How it is set up.
    pub settings: LaneSettings,
    /// The way to the account.
    pub writer: Arc<dyn Writer>,
}

/// The dispatcher of one system.
pub struct Dispatcher {
    store: Arc<dyn Store>,
    writer: Arc<dyn Writer>,
    clock: Arc<dyn Clock>,
    hub: Arc<Hub>,
    settings: LaneSettings,
    lane: Option<Lane>,
    under_way: FuturesUnordered<BoxFuture<'static, Done>>,
    finished: VecDeque<Done>,
    scan: Scan,
    status: Arc<Mutex<LaneStatus>>,
    carried: LaneReport,
    draining: bool,
    exchange: Arc<Exchange<Refit>>,
    /// Ends what is under way, to go on with another set-up.
    leaves: bool,
}

/// Looking for due links in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scan {
    Off,
    From(Option<(Timestamp, LinkId)>),
}

impl Dispatcher {
    /// A dispatcher that has not looked at its account yet.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, writer: Arc<dyn Writer>, clock: Arc<dyn Clock>, hub: Arc<Hub>, settings: LaneSettings) -> Self {
        let status = LaneStatus { system: settings.name.clone(), phase: "connecting", ..LaneStatus::default() };
        Self {
            store,
            writer,
            clock,
            hub,
            settings,
            lane: None,
            under_way: FuturesUnordered::new(),
            finished: VecDeque::new(),
            scan: Scan::Off,
            status: Arc::new(Mutex::new(status)),
            carried: LaneReport::default(),
            draining: false,
            exchange: Arc::default(),
            leaves: false,
        }
    }

    /// The status, kept up to date by every step.
    #[must_use]
    pub fn status(&self) -> Arc<Mutex<LaneStatus>> {
        Arc::clone(&self.status)
    }

    /// Takes another set-up: the lane ends what is under way, begins nothing meanwhile, and is built anew as after a start.
    #[must_use]
    pub fn exchange(&self) -> Arc<Exchange<Refit>> {
        Arc::clone(&self.exchange)
    }

    /// Goes on with what was handed over. Whatever the lane had in memory is due in the table.
    fn refit(&mut self) {
        let Some(Refit { settings, writer }) = self.exchange.take() else { return };
        if let Some(lane) = self.lane.take() {
            merge(&mut self.carried, lane.report());
        }
        (self.settings, self.writer, self.leaves) = (settings, writer, false);
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        status.phase = "connecting";
        status.is_quiet = false;
    }

    /// Whether the lane has nothing under way and nothing in memory.
    fn is_quiet(&self) -> bool {
        self.under_way.is_empty() && self.finished.is_empty() && self.lane.as_ref().is_some_and(|lane| lane.is_quiet() && lane.in_memory() == 0)
    }

    fn fall(&mut self, error: Error) -> Error {
        if let Some(lane) = self.lane.take() {
            merge(&mut self.carried, lane.report());
        }
        self.under_way = FuturesUnordered::new();
        self.finished.clear();
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        status.phase = if policy(error.kind).again == Again::Never { "refused" } else { "connecting" };
        status.error = Some(format!("{error}: {}", error.remedy()));
        status.is_quiet = false;
        drop(status);
        error
    }

    /// Looks at what is done without waiting for it.
    async fn collect(&mut self) {
        let Self { under_way, finished, .. } = self;
        poll_fn(|cx| {
            while let Poll::Ready(Some(done)) = under_way.poll_next_unpin(cx) {
                finished.push_back(done);
            }
            Poll::Ready(())
        })
        .await;
    }

    fn tell(&mut self, done: Done) {
        let now = self.clock.now();
        let input = match done {
            Done::Committed(charge) => Input::Committed(charge),
            Done::Settled(ticket, release) => {
                self.hub.release(&release);
                Input::Settled(ticket)
            }
            Done::Loaded(asked, loaded) => Input::Loaded { asked, loaded },
            Done::Answered(charge, answer) => Input::Answered(charge, answer.outcomes, answer.verdict),
            Done::Read(charge, answer) => Input::ReadDone(charge, answer.found, answer.verdict),
            Done::Looked(charge, answer) => Input::Looked(charge, answer.look, answer.verdict),
            Done::Renewed(charge, result) => Input::Renewed(charge, result),
            Done::Holder(link, holder) => Input::Holder(link, holder),
            Done::Failed(_) => return,
        };
        self.handle(input, now);
    }

    fn handle(&mut self, input: Input, now: Timestamp) {
        if let Some(lane) = &mut self.lane {
            lane.handle(input, now, &mut StoreIds(&*self.store));
        }
    }

    async fn take_inbox(&mut self) -> Result<bool> {
        let now = self.clock.now();
        let room = self.lane.as_ref().map_or(0, Lane::room);
        let hub = Arc::clone(&self.hub);
        let Some(inbox) = hub.inbox(self.settings.system) else { return Ok(false) };
        let taken = inbox.take(room.min(SCAN_MAX));
        let mut worked = !taken.links.is_empty() || !taken.wishes.is_empty();
        for wish in taken.wishes {
            self.handle(match wish {
                Wish::Pause(scope, reason) => Input::Pause(scope, reason),
                Wish::Resume => Input::Resume,
            }, now);
        }
        if taken.overflowed {
            self.scan = Scan::From(None);
        }
        let mut links = taken.links;
        // What was handed over in memory comes first; the table has the rest.
        if let (Scan::From(after), true, true) = (self.scan, links.is_empty(), room > SCAN_MAX) {
            let found = self.store.due(self.settings.system, after, SCAN_MAX).await?;
            self.scan = match found.last() {
                Some(last) if found.len() == SCAN_MAX => Scan::From(Some(*last)),
                Some(_) | None => Scan::Off,
            };
            worked |= !found.is_empty();
            links = found.into_iter().map(|(_, link)| link).collect();
        }
        let more = taken.more || self.scan != Scan::Off;
        self.handle(Input::Due { links, more }, now);
        Ok(worked)
    }

    /// Starts every effect that the lane has for now.
    fn carry_out(&mut self) -> bool {
        let mut worked = false;
        loop {
            let now = self.clock.now();
            let Some(lane) = &mut self.lane else { return worked };
            let Some(effect) = lane.poll(now, &mut StoreIds(&*self.store)) else { return worked };
            worked = true;
            self.start_effect(effect);
        }
    }

    fn start_effect(&mut self, effect: Effect) {
        let (store, writer) = (Arc::clone(&self.store), Arc::clone(&self.writer));
        let system = self.settings.system;
        let future: BoxFuture<'static, Done> = match effect {
            Effect::Load(links) => Box::pin(async move {
                store.load(&links).await.map_or_else(Done::Failed, |loaded| Done::Loaded(links, loaded))
            }),
            Effect::Persist(charge, set) => {
                Box::pin(async move { store.commit(set).await.map_or_else(Done::Failed, |()| Done::Committed(charge)) })
            }
            Effect::Settle { ticket, set, release } => Box::pin(async move {
                store.commit(set).await.map_or_else(Done::Failed, |()| Done::Settled(ticket, release))
            }),
            Effect::Send(batch) => Box::pin(async move { Done::Answered(batch.charge, writer.send(&batch).await) }),
            Effect::Read(batch) => Box::pin(async move { Done::Read(batch.charge, writer.read(&batch).await) }),
            Effect::Look(charge, object) => Box::pin(async move { Done::Looked(charge, writer.look(&object).await) }),
            Effect::Renew(charge) => Box::pin(async move {
                Done::Renewed(charge, writer.renew().await.map_err(|error| (wait_after(&error), format!("{error}: {}", error.remedy()))))
            }),
            Effect::FindHolder { link, object, external_id } => Box::pin(async move {
                find_holder(&*store, system, &object, &external_id).await.map_or_else(Done::Failed, |holder| Done::Holder(link, holder))
            }),
            Effect::Release(links) => {
                self.hub.release(&links);
                return;
            }
            Effect::Rescan => {
                self.scan = Scan::From(None);
                Box::pin(async move {
                    match store.unsettled(system).await {
                        Ok(links) => match store.load(&links).await {
                            Ok(_) => Done::Settled(u64::MAX, links.into_iter().map(|link| (system, link)).collect()),
                            Err(error) => Done::Failed(error),
                        },
                        Err(error) => Done::Failed(error),
                    }
                })
            }
        };
        self.under_way.push(future);
    }

    fn publish(&self, now: Timestamp, waits_for: &'static str) {
        let Some(lane) = &self.lane else { return };
        let mut report = self.carried.clone();
        merge(&mut report, lane.report());
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        status.phase = "running";
        status.report = report;
        status.pools = lane.pools(now);
        status.in_memory = lane.in_memory();
        status.paused = lane.paused().iter().map(|(scope, reason)| (scope.name(), reason.clone())).collect();
        status.resuming = lane.resuming();
        status.is_settled = lane.is_settled();
        status.waits_for = waits_for;
        // A lane that takes nothing in while it is paused has nothing under way either.
        status.is_quiet = self.is_quiet() && (self.scan == Scan::Off || lane.room() == 0);
        status.error = None;
    }

    // Starting.

    /// Restores the quota, looks at the account, and finds what was under way when the last process ended.
    async fn start(&mut self) -> Result<Step> {
        let now = self.clock.now();
        let mut lane = Lane::new(self.settings.clone(), self.writer.needs_token());
        if !self.settings.planted.has(Bug::QuotaLostAtRestart) {
            let since = now.minus(lane.quota().memory());
            for charge in self.store.charges(&self.settings.account, since).await? {
                lane.quota().restore(&charge);
            }
        }
        for row in self.store.pauses().await? {
            if row.pause.system == self.settings.name {
                lane.restore_pause(row.pause.scope, row.reason);
            }
        }
        let account = match self.connect(&mut lane).await? {
            Connected::Wait(step) => return Ok(step),
            Connected::Account(account) => account,
        };
        for (object, look) in account.looks {
            lane.looked_at_start(&object, look, self.clock.now());
        }
        let system = self.settings.system;
        let attempts = self.store.open_attempts(system).await?;
        let cautious = match self.count_keys(&mut lane, &attempts).await? {
            Counted::Wait(step) => return Ok(step),
            Counted::Objects(cautious) => cautious,
        };
        let mut proven = 0;
        for object in self.objects() {
            proven += self.store.proven(system, &object).await?;
        }
        lane.set_scene(proven, cautious);
        let mut ids = StoreIds(&*self.store);
        let now = self.clock.now();
        let planted = self.settings.planted;
        let recovered = if planted.has(Bug::IntentsLostAtRestart) { Vec::new() } else { attempts };
        lane.handle(Input::Recovered(recovered), now, &mut ids);
        let unsettled = self.store.unsettled(system).await?;
        lane.handle(Input::Due { links: unsettled, more: true }, now, &mut ids);
        self.scan = if planted.has(Bug::DueLostAtRestart) { Scan::Off } else { Scan::From(None) };
        self.lane = Some(lane);
        Ok(Step::Worked)
    }

    async fn connect(&mut self, lane: &mut Lane) -> Result<Connected> {
        let booked = lane.book_start(self.writer.connect_calls(), self.clock.now(), &mut StoreIds(&*self.store));
        let set = match booked {
            Ok(set) => set,
            Err(wait) => return Ok(Connected::Wait(Step::Idle { until: Some(wait.until), why: wait.why })),
        };
        let charges: Vec<_> = set.charges_new.iter().map(|charge| charge.id).collect();
        self.store.commit(set).await?;
        let account = self.writer.connect().await;
        self.close_calls(lane, &charges, account.as_ref().err()).await?;
        let account = account?;
        if !self.hub.claim(&account.id, self.settings.system) {
            let text = format!("{} is the account of another system in this configuration", self.settings.name);
            let remedy = "name each account once; one system can take every contact type";
            return Err(Error::new(Kind::BoundaryRefused, text).with_remedy(remedy));
        }
        lane.quota().set_specs(&account.profile.pools);
        lane.token_fetched(!self.writer.needs_token());
        self.settings.profile = account.profile.clone();
        lane.set_profile(account.profile.clone());
        Ok(Connected::Account(account))
    }

    /// An answer, good or bad, ends the calls' time on the quota; calls that nobody answered count until their horizon.
    async fn close_calls(&mut self, lane: &mut Lane, charges: &[ChargeId], error: Option<&Error>) -> Result<()> {
        if error.is_some_and(|error| error.kind == Kind::Unreachable) {
            return Ok(());
        }
        let closed = lane.close_start(charges, self.clock.now());
        self.store.commit(closed).await
    }

    fn objects(&self) -> BTreeSet<String> {
        self.settings.terms.values().flat_map(|terms| terms.objects.values().cloned()).collect()
    }

    /// Where more records bear our key than we have links for, a create has to read first.
    async fn count_keys(&mut self, lane: &mut Lane, attempts: &[syncline_core::attempt::Attempt]) -> Result<Counted> {
        let mut cautious = BTreeSet::new();
        let creates = attempts.iter().filter(|attempt| attempt.operation == Operation::Create && attempt.fate != Fate::Proven).count() as u64;
        for object in self.objects() {
            if lane.paused().contains_key(&PauseScope::Object(object.clone())) {
                // Its key field may be what is amiss, so nothing is asked by it.
                cautious.insert(object);
                continue;
            }
            let booked = lane.book_count(self.clock.now(), &mut StoreIds(&*self.store));
            let set = match booked {
                Ok(set) => set,
                Err(wait) => return Ok(Counted::Wait(Step::Idle { until: Some(wait.until), why: wait.why })),
            };
            let charges: Vec<_> = set.charges_new.iter().map(|charge| charge.id).collect();
            self.store.commit(set).await?;
            let count = self.writer.count(&object).await;
            self.close_calls(lane, &charges, count.as_ref().err()).await?;
            if count? > self.store.proven(self.settings.system, &object).await? + creates {
                cautious.insert(object);
            }
        }
        Ok(Counted::Objects(cautious))
    }
}

#[async_trait]
impl Worker for Dispatcher {
    fn name(&self) -> String {
        format!("lane {}", self.settings.name)
    }

    async fn step(&mut self) -> Result<Step> {
        if self.lane.is_none() {
            if self.draining {
                return Ok(Step::Idle { until: None, why: "draining" });
            }
            self.refit();
            return match self.start().await {
                Ok(step) => Ok(step),
                Err(error) => Err(self.fall(error)),
            };
        }
        self.collect().await;
        let mut worked = false;
        while let Some(done) = self.finished.pop_front() {
            worked = true;
            if let Done::Failed(error) = done {
                return Err(self.fall(error));
            }
            self.tell(done);
        }
        if !self.exchange.is_waiting() {
            match self.take_inbox().await {
                Ok(took) => worked |= took,
                Err(error) => return Err(self.fall(error)),
            }
        }
        // Looked at after the inbox: links that came under new rules are never planned under the old terms.
        self.leaves = self.exchange.is_waiting();
        if let (true, Some(lane)) = (self.leaves, &mut self.lane) {
            lane.drain();
        }
        worked |= self.carry_out();
        if self.leaves && !self.draining && self.is_idle() {
            self.refit();
            return Ok(Step::Worked);
        }
        let now = self.clock.now();
        let wake = self.lane.as_ref().and_then(Lane::next_wake);
        let why = wake.map_or("work", |(_, why)| why);
        self.publish(now, why);
        // A lane that leaves takes nothing up, so a time that it would have done so at wakes nobody.
        let until = if self.leaves { Some(now.plus(LEAVING)) } else { wake.map(|(at, _)| at) };
        if worked { Ok(Step::Worked) } else { Ok(Step::Idle { until, why }) }
    }

    async fn ready(&mut self) {
        let Self { under_way, finished, hub, settings, lane, exchange, leaves, .. } = self;
        let running = lane.is_some();
        poll_fn(|cx| {
            if let Poll::Ready(Some(done)) = under_way.poll_next_unpin(cx) {
                finished.push_back(done);
                return Poll::Ready(());
            }
            // A lane that leaves already waits for what is under way.
            if !*leaves && exchange.poll_waiting(cx).is_ready() {
                return Poll::Ready(());
            }
            match hub.inbox(settings.system) {
                Some(inbox) if running && !*leaves => inbox.poll_news(cx),
                Some(_) | None => Poll::Pending,
            }
        })
        .await;
    }

    fn drain(&mut self) {
        self.draining = true;
        if let Some(lane) = &mut self.lane {
            lane.drain();
        }
    }

    fn is_idle(&self) -> bool {
        self.under_way.is_empty() && self.finished.is_empty() && self.lane.as_ref().is_none_or(Lane::is_quiet)
    }
}

enum Connected {
    Wait(Step),
    Account(Account),
}

enum Counted {
    Wait(Step),
    Objects(BTreeSet<String>),
}

/// When a renewal is worth another try; None if a person has to act first.
fn wait_after(error: &Error) -> Option<Duration> {
    match policy(error.kind).again {
        Again::After(wait) => Some(wait),
        Again::Never => None,
    }
}

async fn find_holder(store: &dyn Store, system: SystemId, object: &str, external_id: &str) -> Result<Option<(LinkId, bool)>> {
    let Some(holder) = store.link_by_external(system, object, external_id).await? else { return Ok(None) };
    let loaded = store.load(&[holder]).await?;
    let open = loaded.iter().any(|(_, known)| {
        // A place that waits behind a dead one of its record frees nothing until somebody looks into that.
        let stuck = known.links.iter().any(|link| link.side.state == SideState::Dead);
        known.links.iter().any(|link| link.id == holder && link.open() > 0 && !(stuck && link.side.state == SideState::Waiting))
    });
    Ok(Some((holder, open)))
}

fn merge(into: &mut LaneReport, from: &LaneReport) {
    for (name, count) in &from.requests {
        *into.requests.entry(name.clone()).or_default() += count;
    }
    for (name, count) in &from.items {
        *into.items.entry(name.clone()).or_default() += count;
    }
    for (name, count) in &from.moves {
        *into.moves.entry(name.clone()).or_default() += count;
    }
    into.reads += from.reads;
    into.tokens += from.tokens;
    into.looks += from.looks;
    into.resumes += from.resumes;
    into.throttled += from.throttled;
    if from.last_error.is_some() {
        into.last_error.clone_from(&from.last_error);
    }
}

/// Stops something of a system through its lane.
pub fn pause(hub: &Hub, system: SystemId, reason: &str) {
    if let Some(inbox) = hub.inbox(system) {
        inbox.wish(Wish::Pause(PauseScope::Writes, reason.to_owned()));
    }
}

/// Lets everything of a system go on.
pub fn resume(hub: &Hub, system: SystemId) {
    if let Some(inbox) = hub.inbox(system) {
        inbox.wish(Wish::Resume);
    }
}
