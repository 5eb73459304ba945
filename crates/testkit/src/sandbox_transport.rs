//! The sandbox behind the transport port: no sockets, no waiting, one sequence of calls gives one result.
//!
//! Promises: an answer that the sandbox withholds, or that comes later than the request waits, is `Lost`; requests that land
//! late are applied once the clock has passed their time and another request comes in, or when told so.
//! Leaves to others: the time (`Clock`), what goes wrong (the sandbox's fault script).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use syncline_adapters::transport::{HttpRequest, HttpResponse, Transport, TransportError};
use syncline_engine::ports::clock::Clock;
use syncline_sandbox::exchange::{Millis, Request, System};
use syncline_sandbox::faults::End;
use syncline_sandbox::sandbox::Sandbox;

/// One emulated CRM as a transport.
pub struct SandboxTransport {
    sandbox: Arc<Mutex<Sandbox>>,
    system: System,
    clock: Arc<dyn Clock>,
    reachable: AtomicBool,
    late: Mutex<BTreeMap<(Millis, u64), Request>>,
}

impl SandboxTransport {
    /// A transport to that CRM of the sandbox.
    #[must_use]
    pub fn new(sandbox: Arc<Mutex<Sandbox>>, system: System, clock: Arc<dyn Clock>) -> Self {
        Self { sandbox, system, clock, reachable: AtomicBool::new(true), late: Mutex::new(BTreeMap::new()) }
    }

    /// Whether requests reach the CRM at all.
    pub fn set_reachable(&self, reachable: bool) {
        self.reachable.store(reachable, Ordering::SeqCst);
    }

    /// Applies the late requests whose time has come; tells when the next one's will.
    pub fn apply_due(&self) -> Option<Millis> {
        let now = self.now();
        let mut late = locked(&self.late);
        while let Some(entry) = late.first_entry().filter(|entry| entry.key().0 <= now) {
            let request = entry.remove();
            locked(&self.sandbox).apply_late(self.system, &request, now);
        }
        late.keys().next().map(|(at, _)| *at)
    }

    fn now(&self) -> Millis {
        self.clock.now().as_millis()
    }
}

/// Every change behind these locks is a single step, so a panic elsewhere leaves it whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Transport for SandboxTransport {
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        if !self.reachable.load(Ordering::SeqCst) {
            return Err(TransportError::NotSent("connection refused".to_owned()));
        }
        self.apply_due();
        let timeout = request.timeout;
        let arrived = arrived(request);
        let now = self.now();
        let verdict = locked(&self.sandbox).receive(self.system, &arrived, now);
        if let Some((after_ms, request)) = verdict.later {
            let mut late = locked(&self.late);
            let turn = late.len() as u64;
            late.insert((now.saturating_add_unsigned(after_ms), turn), request);
        }
        let in_time = Duration::from_millis(verdict.delay_ms) <= timeout;
        match verdict.end {
            End::Answer if in_time => Ok(answered(verdict.response)),
            End::CloseHalf if in_time => Err(TransportError::Lost("the answer broke off".to_owned())),
            End::Answer | End::CloseHalf | End::Hang => Err(TransportError::Lost("no answer in time".to_owned())),
            End::Reset => Err(TransportError::Lost("connection reset".to_owned())),
        }
    }
}

pub(crate) fn arrived(request: HttpRequest) -> Request {
    Request {
        method: request.method.name().to_owned(),
        path: request.url.path().to_owned(),
        query: request.url.query_pairs().into_owned().collect(),
        headers: request.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect(),
        body: request.body,
    }
}

pub(crate) fn answered(response: syncline_sandbox::exchange::Response) -> HttpResponse {
    let headers = response.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    HttpResponse { status: response.status, headers, body: response.body }
}
