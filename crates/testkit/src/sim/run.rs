//! One simulated run: boots the workers, lets faults and crashes happen, heals, waits until all is drained, and judges.
//!
//! Promises: a crash loses what was not committed and nothing else; after it the workers are built anew over the same database.
//! Leaves to others: what is judged (`checks`), what goes wrong (`world`).

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::future::select;
use rand::RngExt;
use syncline_adapters::stores::sqlite::{Committer, Memory, SqliteStore};
use syncline_core::dispatch::planted::Planted;
use syncline_core::ids::{SourceId, SystemId};
use syncline_core::time::Timestamp;
use syncline_engine::error::{Again, Error, policy};
use syncline_engine::operator::Orders;
use syncline_engine::operator::resync::{AllTerms, Asked};
use syncline_engine::ports::clock::Clock;
use syncline_engine::ports::store::Store;
use syncline_engine::workers::{Step, Worker};
use syncline_engine::workers::dispatcher::{self, Dispatcher, LaneStatus, Refit};
use syncline_engine::workers::exchange::Exchange;
use syncline_engine::workers::inbox::Hub;
use syncline_engine::workers::intake::{FeedSlot, IntakeWorker};
use syncline_sandbox::exchange::System;
use syncline_sandbox::sandbox::{Sandbox, SandboxConfig};

use super::checks::{Judge, Verdict};
use super::executor::{Executor, SimClock, yield_once};
use super::network::Network;
use super::parties;
use super::workload::{Log, LogFeed, lines};
use super::world::World;

/// When every run begins: noon of a winter day.
const START: Timestamp = Timestamp::from_millis(1_767_268_800_000);
/// After healing everything must be drained within this.
const DRAIN: Duration = Duration::from_secs(3 * 3600);
/// Faults end so long after the last event.
const AFTER: Duration = Duration::from_secs(40);

/// What a run came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// What is wrong; empty means that all held.
    pub violations: Vec<String>,
    /// A hash over the whole trace.
    pub trace_hash: u64,
    /// The trace.
    pub trace: Vec<String>,
    /// How often each fault occurred.
    pub faults: BTreeMap<&'static str, u64>,
    /// How often each move of a link's state occurred.
    pub moves: BTreeMap<String, u64>,
    /// The ledger's counters at the end.
    pub ledger: BTreeMap<String, u64>,
}

struct Process {
    store: Arc<SqliteStore>,
    committer: Committer,
    statuses: Vec<Arc<Mutex<LaneStatus>>>,
    hub: Arc<Hub>,
    lanes: [SystemId; 2],
    orders: Arc<Orders>,
    terms: Arc<AllTerms>,
    refits: Vec<(Arc<Exchange<Refit>>, Refit)>,
}

struct Simulation {
    world: World,
    clock: SimClock,
    executor: Executor,
    network: Arc<Network>,
    memory: Memory,
    log: Log,
    planted: Planted,
    judge: Judge,
    moves: BTreeMap<String, u64>,
    /// The last step was a commit.
    committed: bool,
    /// How often the operator looked.
    looks: u64,
}

/// Runs one seed.
#[must_use]
pub fn run(seed: u64, planted: Planted) -> Outcome {
    let world = World::draw(seed);
    let clock = SimClock::at(START);
    let mut config = SandboxConfig { faults: world.script.clone(), requests_max: 1_000_000, ..SandboxConfig::default() };
    config.hubspot.quota_ten_seconds = world.burst;
    config.salesforce.quota_day = world.day;
    config.salesforce.instance_url = parties::SALESFORCE_URL.into();
    parties::add_markers(&mut config);
    let sandbox = Arc::new(Mutex::new(Sandbox::new(config).expect("a drawn fault script parses")));
    let mut judge = Judge::new();
    for number in 0..world.strangers {
        judge.plant(&format!("A{number:04}"), &sandbox, START);
    }
    let network = Network::new(&world, clock.clone(), sandbox);
    let (_, _, memory) = SqliteStore::memory().expect("memory for a database");
    let log = Log::new(lines(&world, START));
    let mut simulation = Simulation {
        executor: Executor::new(seed),
        clock,
        network,
        memory,
        judge,
        log,
        planted,
        world,
        moves: BTreeMap::new(),
        committed: false,
        looks: 0,
    };
    simulation.live();
    simulation.end()
}

impl Simulation {
    fn live(&mut self) {
        let end_of_load = self.log.lines().last().map_or(START, |line| line.at);
        let heal_at = end_of_load.plus(AFTER);
        let mut crashes: Vec<Timestamp> = (0..self.world.crashes)
            .map(|_| START.plus(Duration::from_millis(self.executor.rng().random_range(0..heal_at.since(START).as_millis() as u64))))
            .collect();
        crashes.sort_unstable();
        crashes.reverse();
        let mut process = self.boot();
        let (mut healed, mut look_at) = (false, START);
        loop {
            let now = self.clock.now();
            for line in self.log.appear(now) {
                self.network.trace(format!("line {}", line.raw));
                self.judge.observe(line, &self.network.sandbox);
            }
            if self.network.run_due() {
                self.judge.look_at(&self.network.sandbox, now);
            }
            // The moments right after a commit are the ones that tell: what was made durable, what not yet.
            let likely = if std::mem::take(&mut self.committed) { 0.4 } else { 0.03 };
            if crashes.last().is_some_and(|at| *at <= now) && self.executor.rng().random_bool(likely) {
                crashes.pop();
                process = self.crash(process);
                continue;
            }
            if !healed && now >= heal_at && crashes.is_empty() {
                healed = true;
                self.network.heal();
                self.network.sandbox.lock().unwrap_or_else(PoisonError::into_inner).set_faults("").expect("no rules parse");
            }
            if self.go_on(&mut process) {
                continue;
            }
            if now >= look_at {
                look_at = now.plus(Duration::from_secs(20));
                self.resume(&process);
                self.resync(&process);
                self.refit(&process);
                continue;
            }
            if healed && self.judge.is_drained(&self.memory, self.log.lines().len()) && quiet(&process) {
                break;
            }
            if now > heal_at.plus(DRAIN) {
                self.judge.stuck(&self.memory);
                break;
            }
            if !self.pass_time(now, heal_at, healed, crashes.last().copied(), look_at) {
                self.judge.stuck(&self.memory);
                break;
            }
        }
        self.collect_moves(&process);
        self.judge.note_statuses(&process.statuses);
        let is_poisoned = self.world.script.contains("invalid:");
        self.judge.final_state(&self.memory, &self.network.sandbox, is_poisoned);
        self.judge.audit(&*process.store);
    }

    /// One step of one task or of the committer, drawn by the seed.
    fn go_on(&mut self, process: &mut Process) -> bool {
        let waiting = process.committer.waiting() > 0;
        if waiting && self.executor.rng().random_bool(0.3) {
            return self.commit(process);
        }
        self.executor.poll_one() || waiting && self.commit(process)
    }

    /// The operator: looks now and then, and resumes what stands still.
    fn resume(&self, process: &Process) {
        for (status, lane) in process.statuses.iter().zip(process.lanes) {
            if !status.lock().unwrap_or_else(PoisonError::into_inner).paused.is_empty() {
                self.network.count("pause lifted");
                dispatcher::resume(&process.hub, lane);
            }
        }
    }

    /// Of one seed in five the operator also brings every record under the rules at each look, and by force at every other one.
    fn resync(&mut self, process: &Process) {
        self.looks += 1;
        if self.world.seed % 5 == 1 && self.looks <= 6 {
            self.network.count("resync");
            let (force, terms) = (self.looks.is_multiple_of(2), Arc::clone(&process.terms));
            // Nobody waits for the answer; what came of it shows in the ledger.
            drop(process.orders.resync(Asked { force, limit: 1000, terms, ..Asked::default() }));
        }
    }

    /// Of one seed in eight the lanes are handed their set-up anew at each look, as a reload does, whatever they have under way.
    fn refit(&self, process: &Process) {
        if self.world.seed % 8 == 6 && self.looks <= 6 {
            self.network.count("refit");
            process.refits.iter().for_each(|(exchange, refit)| exchange.put(refit.clone()));
        }
    }

    fn commit(&mut self, process: &mut Process) -> bool {
        self.committed = true;
        match process.committer.step() {
            Ok(count) => self.network.trace(format!("commit {count}")),
            Err(error) => self.network.trace(format!("commit failed: {error}")),
        }
        true
    }

    fn pass_time(&self, now: Timestamp, heal_at: Timestamp, healed: bool, crash: Option<Timestamp>, look_at: Timestamp) -> bool {
        let line = self.log.lines().iter().map(|line| line.at).find(|at| *at > now);
        let heal = (!healed).then_some(heal_at.max(now.plus(Duration::from_millis(1))));
        // A crash that is due strikes at some moment soon, not at a known one.
        let crash = crash.map(|at| at.max(now.plus(Duration::from_millis(3))));
        let next = [self.clock.next_wake(), self.network.next_event(), line, heal, crash, Some(look_at)].into_iter().flatten().min();
        next.is_some_and(|at| {
            self.clock.advance_to(at.max(now.plus(Duration::from_nanos(1))));
            true
        })
    }

    fn boot(&mut self) -> Process {
        let (store, mut committer) = SqliteStore::over(&self.memory).expect("the database opens");
        let store = Arc::new(store);
        let names = ["internal", "salesforce", "hubspot"];
        let numbers: Vec<i64> = names.iter().map(|name| pump(&mut committer, store.register(name)).expect("a system is registered")).collect();
        let (source, salesforce, hubspot) = (SourceId(numbers[0]), SystemId(numbers[1]), SystemId(numbers[2]));
        let shared: Arc<dyn Store> = store.clone();
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let hub = Arc::new(Hub::new([salesforce, hubspot]));
        let (mut statuses, mut terms) = (Vec::new(), AllTerms::new());
        let mut refits = Vec::new();
        for (system, number) in [(System::Salesforce, salesforce), (System::HubSpot, hubspot)] {
            let (writer, settings) = parties::writer(&self.network, clock.clone(), system, number, self.planted, &self.world);
            terms.insert(number, settings.terms.clone());
            let refit = Refit { settings: settings.clone(), writer: writer.clone() };
            let dispatcher = Dispatcher::new(shared.clone(), writer, clock.clone(), hub.clone(), settings);
            refits.push((dispatcher.exchange(), refit));
            statuses.push(dispatcher.status());
            self.executor.add(Box::pin(drive(dispatcher, self.clock.clone())));
        }
        let feed = FeedSlot::new(source, syncline_core::event::SourceSettings::default(), Box::new(LogFeed::new(source, self.log.clone())));
        let routes = parties::routes(salesforce, hubspot);
        let orders = Arc::new(Orders::default());
        let intake = IntakeWorker::new(shared, clock, hub.clone(), orders.clone(), parties::schemas(), routes, vec![feed])
            .with_planted(self.planted);
        self.executor.add(Box::pin(drive(intake, self.clock.clone())));
        let memory = self.memory.clone();
        self.network.check_intents(Box::new(move |attempt| super::checks::attempt_exists(&memory, attempt)));
        Process { store, committer, statuses, hub, lanes: [salesforce, hubspot], orders, terms: Arc::new(terms), refits }
    }

    fn crash(&mut self, process: Process) -> Process {
        self.network.count("crash");
        self.network.trace("crash".into());
        self.collect_moves(&process);
        self.executor.clear();
        self.network.forget_senders();
        drop(process);
        let process = self.boot();
        self.judge.audit(&*process.store);
        process
    }

    fn collect_moves(&mut self, process: &Process) {
        for status in &process.statuses {
            for (name, count) in &status.lock().unwrap_or_else(PoisonError::into_inner).report.moves {
                *self.moves.entry(name.clone()).or_default() += count;
            }
        }
    }

    fn end(self) -> Outcome {
        let (tally, trace, wire) = self.network.take_report();
        let Verdict { mut violations, faults, ledger } = self.judge.verdict();
        violations.extend(wire);
        let mut counted = tally.0;
        for (name, count) in faults {
            *counted.entry(name).or_default() += count;
        }
        let mut trace_hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in trace.iter().flat_map(|line| line.bytes().chain([b'\n'])) {
            trace_hash = (trace_hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Outcome { seed: self.world.seed, violations, trace_hash, trace, faults: counted, moves: self.moves, ledger }
    }
}

fn quiet(process: &Process) -> bool {
    process.statuses.iter().all(|status| status.lock().unwrap_or_else(PoisonError::into_inner).is_quiet)
}

/// Waits for a future that only needs the committer.
pub fn pump<T>(committer: &mut Committer, future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
        committer.step().expect("the committer works");
    }
}

async fn rest(clock: &SimClock, error: &Error) {
    let wait = match policy(error.kind).again {
        Again::After(wait) => wait,
        Again::Never => Duration::from_secs(60),
    };
    clock.sleep_until(clock.now().plus(wait)).await;
}

async fn drive(mut worker: impl Worker, clock: SimClock) {
    loop {
        match worker.step().await {
            Ok(Step::Worked) => yield_once().await,
            Ok(Step::Idle { until, .. }) => {
                let sleep = std::pin::pin!(clock.sleep_until(until.unwrap_or(Timestamp::MAX)));
                select(worker.ready(), sleep).await;
            }
            Ok(Step::Ended) => return,
            Err(error) => rest(&clock, &error).await,
        }
    }
}
