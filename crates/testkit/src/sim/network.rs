//! The network between the writers and the sandbox: travel times, requests that never arrive, answers that never come back.
//!
//! Promises: a request that its sender gave up may still arrive, but never after its horizon; every arrival and every answer is an
//! entry of the trace. Leaves to others: what the CRMs do wrong (the sandbox's fault script).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use syncline_adapters::transport::{HttpRequest, HttpResponse, Transport, TransportError};
use syncline_core::time::Timestamp;
use syncline_engine::ports::clock::Clock;
use syncline_sandbox::exchange::{Request, System};
use syncline_sandbox::faults::End;
use syncline_sandbox::sandbox::Sandbox;

use super::executor::SimClock;
use super::parties::LINGER;
use super::world::World;
use crate::sandbox_transport::{answered, arrived};

/// What happens on the wire at some time.
enum Event {
    Arrive(u64),
    Late(System, Request),
    Deliver(u64, Result<HttpResponse, TransportError>),
}

struct Exchange {
    system: System,
    request: Option<Request>,
    answer: Option<Result<HttpResponse, TransportError>>,
    done: bool,
    waker: Option<Waker>,
    names: BTreeSet<String>,
    /// After this time nothing of it can happen any more.
    dies_at: Timestamp,
}

/// The wire with everything under way on it.
pub struct Network {
    state: Mutex<State>,
    clock: SimClock,
    /// The sandbox behind it.
    pub sandbox: Arc<Mutex<Sandbox>>,
}

struct State {
    rng: ChaCha8Rng,
    world: World,
    healed: bool,
    events: BTreeMap<(Timestamp, u64), Event>,
    next: u64,
    exchanges: BTreeMap<u64, Exchange>,
    tally: Tally,
    trace: Vec<String>,
    violations: Vec<String>,
    is_durable: Option<Box<dyn Fn(i64) -> bool + Send>>,
}

/// How often each thing happened on the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(pub BTreeMap<&'static str, u64>);

impl Tally {
    /// Counts one.
    pub fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }
}

impl Network {
    /// A network in that world.
    #[must_use]
    pub fn new(world: &World, clock: SimClock, sandbox: Arc<Mutex<Sandbox>>) -> Arc<Self> {
        let state = State {
            rng: ChaCha8Rng::seed_from_u64(world.seed ^ 0x6e65_7477),
            world: world.clone(),
            healed: false,
            events: BTreeMap::new(),
            next: 0,
            exchanges: BTreeMap::new(),
            tally: Tally::default(),
            trace: Vec::new(),
            violations: Vec::new(),
            is_durable: None,
        };
        Arc::new(Self { state: Mutex::new(state), clock, sandbox })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks this whenever an attempt's trace id goes out: whether the attempt is durable.
    pub fn check_intents(&self, is_durable: Box<dyn Fn(i64) -> bool + Send>) {
        self.lock().is_durable = Some(is_durable);
    }

    /// No more faults.
    pub fn heal(&self) {
        self.lock().healed = true;
    }

    /// A crash of the sender: what is on its way stays on its way, nobody waits for answers.
    pub fn forget_senders(&self) {
        for exchange in self.lock().exchanges.values_mut() {
            exchange.done = true;
            exchange.waker = None;
        }
    }

    /// When the next thing happens on the wire.
    pub fn next_event(&self) -> Option<Timestamp> {
        self.lock().events.keys().next().map(|(at, _)| *at)
    }

    /// Adds a line to the trace.
    pub fn trace(&self, line: String) {
        let now = self.clock.now().as_millis();
        self.lock().trace.push(format!("{now} {line}"));
    }

    /// Counts a fault or an event for the report.
    pub fn count(&self, what: &'static str) {
        self.lock().tally.count(what);
    }

    /// What was seen, to be judged and reported.
    pub fn take_report(&self) -> (Tally, Vec<String>, Vec<String>) {
        let mut state = self.lock();
        (state.tally.clone(), std::mem::take(&mut state.trace), std::mem::take(&mut state.violations))
    }

    /// Lets everything happen whose time has come; answers whether anything did.
    pub fn run_due(&self) -> bool {
        let now = self.clock.now();
        let mut happened = false;
        loop {
            let event = {
                let mut state = self.lock();
                match state.events.first_entry().filter(|entry| entry.key().0 <= now) {
                    Some(entry) => entry.remove(),
                    None => return happened,
                }
            };
            happened = true;
            match event {
                Event::Arrive(id) => self.arrive(id, now),
                Event::Late(system, request) => {
                    let response = self.sandbox.lock().unwrap_or_else(PoisonError::into_inner).apply_late(system, &request, now.as_millis());
                    self.count("zombie landed");
                    self.trace(format!("late {system:?} {} {} -> {}", request.method, request.path, response.status));
                }
                Event::Deliver(id, answer) => self.deliver(id, answer),
            }
        }
    }

    fn arrive(&self, id: u64, now: Timestamp) {
        let (system, request, abandoned, dies_at) = {
            let mut state = self.lock();
            let Some(exchange) = state.exchanges.get_mut(&id) else { return };
            let Some(request) = exchange.request.take().filter(|_| now <= exchange.dies_at) else { return };
            (exchange.system, request, exchange.done, exchange.dies_at)
        };
        let verdict = self.sandbox.lock().unwrap_or_else(PoisonError::into_inner).receive(system, &request, now.as_millis());
        let status = verdict.response.status;
        let body = String::from_utf8_lossy(&request.body);
        self.trace(format!("arrive {id} {system:?} {} {} {body} -> {status} {:?} {:?}", request.method, request.path, verdict.applied, verdict.end));
        let mut state = self.lock();
        if abandoned {
            state.tally.count("arrived after its sender gave up");
        }
        if status == 503 || status == 429 {
            state.tally.count(if status == 503 { "503" } else { "429" });
        }
        if status == 401 {
            state.tally.count("401");
        }
        if verdict.end != End::Answer {
            state.tally.count("answer lost");
        }
        if !matches!(verdict.applied, syncline_sandbox::sandbox::Applied::All | syncline_sandbox::sandbox::Applied::None) {
            state.tally.count("half batch or late");
        }
        if let Some((after, late)) = verdict.later {
            let at = now.plus(Duration::from_millis(after));
            if at <= dies_at {
                state.push(at, Event::Late(system, late));
            }
        }
        let back = state.travel();
        let at = now.plus(Duration::from_millis(verdict.delay_ms)).plus(back);
        match verdict.end {
            End::Answer => state.push(at, Event::Deliver(id, Ok(answered(verdict.response)))),
            End::Reset => state.push(at, Event::Deliver(id, Err(TransportError::Lost("connection reset".into())))),
            End::CloseHalf => state.push(at, Event::Deliver(id, Err(TransportError::Lost("the answer broke off".into())))),
            End::Hang => {}
        }
    }

    fn deliver(&self, id: u64, answer: Result<HttpResponse, TransportError>) {
        let waker = {
            let mut state = self.lock();
            let Some(exchange) = state.exchanges.get_mut(&id).filter(|exchange| !exchange.done) else { return };
            exchange.done = true;
            exchange.answer = Some(answer);
            exchange.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl State {
    fn push(&mut self, at: Timestamp, event: Event) {
        self.next += 1;
        self.events.insert((at, self.next), event);
    }

    fn travel(&mut self) -> Duration {
        let slow = !self.healed && self.world.slow > 0.0 && self.rng.random_bool(self.world.slow);
        let millis = if slow { self.rng.random_range(500..8_000) } else { self.rng.random_range(1..120) };
        Duration::from_millis(millis)
    }

    /// A request leaves. Checks that no record has two under way and that every intent is durable.
    fn depart(&mut self, system: System, request: Request, names: BTreeSet<String>, timeout: Duration, now: Timestamp) -> u64 {
        for other in self.exchanges.values().filter(|other| other.system == system && !other.done) {
            if let Some(name) = other.names.intersection(&names).next() {
                self.violations.push(format!("I3: two requests for {name} of {system:?} under way at once"));
            }
        }
        if let Some(is_durable) = &self.is_durable {
            for attempt in trace_ids(&request) {
                if !is_durable(attempt) {
                    self.violations.push(format!("I4: attempt {attempt} was sent before it was durable"));
                }
            }
        }
        self.next += 1;
        let id = self.next;
        self.exchanges.insert(id, Exchange { system, request: Some(request), answer: None, done: false, waker: None, names, dies_at: now.plus(timeout).plus(LINGER) });
        let lost = !self.healed && self.world.request_lost > 0.0 && self.rng.random_bool(self.world.request_lost);
        let there = self.travel();
        if lost {
            self.tally.count("request lost");
        } else {
            self.push(now.plus(there), Event::Arrive(id));
        }
        self.push(now.plus(timeout), Event::Deliver(id, Err(TransportError::Lost("timeout".into()))));
        id
    }
}

/// The trace ids of a write's inputs.
fn trace_ids(request: &Request) -> Vec<i64> {
    let Ok(body) = serde_json::from_slice::<serde_json::Value>(&request.body) else { return Vec::new() };
    let inputs = body.get("inputs").and_then(|inputs| inputs.as_array()).cloned().unwrap_or_default();
    inputs.iter().filter_map(|input| input.get("objectWriteTraceId")?.as_str()?.parse().ok()).collect()
}

/// One system's way onto the network.
pub struct SimTransport {
    /// The wire.
    pub network: Arc<Network>,
    /// Where it leads.
    pub system: System,
}

#[async_trait]
impl Transport for SimTransport {
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let now = self.network.clock.now();
        let timeout = request.timeout;
        let request = arrived(request);
        let names = if request.method == "GET" || request.path.ends_with("/read") {
            BTreeSet::new()
        } else {
            let sandbox = self.network.sandbox.lock().unwrap_or_else(PoisonError::into_inner);
            sandbox.inputs(self.system, &request).into_iter().flatten().collect()
        };
        let id = {
            let mut state = self.network.lock();
            let refused = !state.healed && state.world.not_sent > 0.0 && {
                let share = state.world.not_sent;
                state.rng.random_bool(share)
            };
            if refused {
                state.tally.count("not sent");
                return Err(TransportError::NotSent("connection refused".into()));
            }
            state.depart(self.system, request, names, timeout, now)
        };
        std::future::poll_fn(|cx| {
            let mut state = self.network.lock();
            let Some(exchange) = state.exchanges.get_mut(&id) else { return Poll::Pending };
            match exchange.answer.take() {
                Some(answer) => Poll::Ready(answer),
                None => {
                    exchange.waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}
