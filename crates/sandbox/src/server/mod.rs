//! Serves both CRMs on loopback, each on a port of its own, and carries out what `Sandbox::receive` decides.
//!
//! Promises: bodies up to 16 MiB; a reset is a TCP reset without a byte of answer; a half answer announces its whole length; a hang holds the connection for five
//! minutes at most; `/_sandbox/` on either port steers the sandbox. The wall clock is asked here and nowhere else in the crate.
//! Leaves to others: what is answered (`crate::sandbox`), what the control paths do (`control`).

mod connection;
mod control;
mod tls;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Request as HttpRequest, Response as HttpResponse};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::connection::{Cut, CuttableListener};
pub use self::tls::{Tls, TlsError};
use crate::exchange::{Millis, Request, Response, System};
use crate::faults::End;
use crate::sandbox::Sandbox;

const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
const HANG: Duration = Duration::from_secs(300);

/// Two running servers.
#[derive(Debug)]
pub struct Serving {
    /// Where the Salesforce emulator listens.
    pub salesforce: SocketAddr,
    /// Where the HubSpot emulator listens.
    pub hubspot: SocketAddr,
    stop: watch::Sender<bool>,
    servers: Vec<JoinHandle<io::Result<()>>>,
}

impl Serving {
    /// Stops accepting, lets running exchanges end (hangs and delays end at once), and waits for that.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        for server in self.servers {
            // A server that already ended has nothing left to stop.
            let _ = server.await;
        }
    }
}

/// Binds both ports (0 chooses a free one), tells Salesforce its own address and serves until `Serving::shutdown`.
///
/// # Errors
/// When a port cannot be bound.
pub async fn serve(sandbox: Arc<Mutex<Sandbox>>, salesforce: SocketAddr, hubspot: SocketAddr) -> io::Result<Serving> {
    serve_tls(sandbox, salesforce, hubspot, None).await
}

/// As `serve`; with a certificate both ports take TLS beside plain HTTP, and Salesforce names itself by https.
///
/// # Errors
/// When a port cannot be bound.
pub async fn serve_tls(
    sandbox: Arc<Mutex<Sandbox>>,
    salesforce: SocketAddr,
    hubspot: SocketAddr,
    tls: Option<Tls>,
) -> io::Result<Serving> {
    let salesforce = TcpListener::bind(salesforce).await?;
    let hubspot = TcpListener::bind(hubspot).await?;
    let addresses = (salesforce.local_addr()?, hubspot.local_addr()?);
    lock(&sandbox).set_salesforce_url(&format!("{}://{}", if tls.is_some() { "https" } else { "http" }, addresses.0));
    let (stop, _) = watch::channel(false);
    let servers = [(System::Salesforce, salesforce), (System::HubSpot, hubspot)]
        .map(|(system, listener)| spawn_server(Door { sandbox: Arc::clone(&sandbox), system, stop: stop.subscribe() }, CuttableListener { tcp: listener, tls: tls.clone() }));
    Ok(Serving { salesforce: addresses.0, hubspot: addresses.1, stop, servers: servers.into() })
}

/// Milliseconds since the Unix epoch by the wall clock: the one place of this crate that asks it.
#[expect(clippy::disallowed_methods, reason = "a server lives in real time; everything behind it takes the time as an argument")]
fn wall_now() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}

/// What the handlers of one port share.
#[derive(Debug, Clone)]
struct Door {
    sandbox: Arc<Mutex<Sandbox>>,
    system: System,
    stop: watch::Receiver<bool>,
}

impl Door {
    /// Waits, but no longer than until the servers stop.
    #[expect(clippy::disallowed_methods, reason = "delays and hangs of a fault script are real time")]
    async fn wait(&self, time: Duration) {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            _ = stop.wait_for(|stopped| *stopped) => {}
        }
    }
}

fn lock(sandbox: &Mutex<Sandbox>) -> MutexGuard<'_, Sandbox> {
    sandbox.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::disallowed_methods, reason = "the servers are the crate's own tasks")]
fn spawn_server(door: Door, listener: CuttableListener) -> JoinHandle<io::Result<()>> {
    let mut stop = door.stop.clone();
    let router = Router::new().fallback(handle).with_state(door);
    let service = router.into_make_service_with_connect_info::<Cut>();
    tokio::spawn(async move {
        let stopped = async move {
            // An error means that the sender is gone, which is a stop as well.
            let _ = stop.wait_for(|stopped| *stopped).await;
        };
        axum::serve(listener, service).with_graceful_shutdown(stopped).await
    })
}

async fn handle(State(door): State<Door>, ConnectInfo(cut): ConnectInfo<Cut>, request: HttpRequest<Body>) -> HttpResponse<Body> {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_BYTES_MAX).await else {
        return http(control::problem(413, "the body is longer than 16 MiB or broke off"));
    };
    let request = Request {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: decode_query(head.uri.query().unwrap_or_default()),
        headers: decode_headers(&head.headers),
        body: body.to_vec(),
    };
    if request.path.starts_with(control::PREFIX) {
        return http(control::answer(&mut lock(&door.sandbox), &request, wall_now()));
    }
    let verdict = lock(&door.sandbox).receive(door.system, &request, wall_now());
    if let Some((late_ms, request)) = verdict.later {
        spawn_late(door.clone(), late_ms, request);
    }
    if verdict.delay_ms > 0 {
        door.wait(Duration::from_millis(verdict.delay_ms)).await;
    }
    match verdict.end {
        End::Answer => http(verdict.response),
        // Without a body there is nothing to halve.
        End::CloseHalf if !verdict.response.body.is_empty() => http_half(verdict.response),
        End::CloseHalf | End::Reset => {
            cut.cut();
            HttpResponse::new(Body::empty())
        }
        End::Hang => {
            door.wait(HANG).await;
            cut.cut();
            HttpResponse::new(Body::empty())
        }
    }
}

/// Applies a request later; a stop applies it at once, as the CRM would finish what it has begun.
#[expect(clippy::disallowed_methods, reason = "a late request outlives its connection")]
fn spawn_late(door: Door, late_ms: u64, request: Request) {
    drop(tokio::spawn(async move {
        door.wait(Duration::from_millis(late_ms)).await;
        lock(&door.sandbox).apply_late(door.system, &request, wall_now());
    }));
}

fn http(response: Response) -> HttpResponse<Body> {
    let body = Body::from(response.body);
    with_body(response.status, &response.headers, body)
}

/// An answer that announces its whole length and breaks off after half of it.
fn http_half(mut response: Response) -> HttpResponse<Body> {
    response.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
    response.headers.push(("Content-Length".to_owned(), response.body.len().to_string()));
    response.body.truncate(response.body.len() / 2);
    let mut half = Some(response.body);
    let mut is_flushed = false;
    let body = futures_util::stream::poll_fn(move |context| {
        if let Some(half) = half.take() {
            return Poll::Ready(Some(Ok(half)));
        }
        if !std::mem::replace(&mut is_flushed, true) {
            // What was handed over leaves before the connection ends.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::ConnectionAborted))))
    });
    with_body(response.status, &response.headers, Body::from_stream(body))
}

fn with_body(status: u16, headers: &[(String, String)], body: Body) -> HttpResponse<Body> {
    let mut builder = HttpResponse::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    // Only a header from a fault script can be malformed.
    builder.body(body).unwrap_or_else(|error| {
        let mut refused = HttpResponse::new(Body::from(error.to_string()));
        *refused.status_mut() = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
        refused
    })
}

fn decode_headers(headers: &HeaderMap) -> std::collections::BTreeMap<String, String> {
    let mut all = std::collections::BTreeMap::<String, String>::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let joined = all.entry(name.as_str().to_owned()).or_default();
        if !joined.is_empty() {
            joined.push_str(", ");
        }
        joined.push_str(&value);
    }
    all
}

/// Pairs of a query string: `+` is a space, percent escapes are resolved.
fn decode_query(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(key, value)| (decode(key), decode(value))).collect()
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let (byte, width) = match (escape, bytes[at]) {
            (Some(byte), _) => (byte, 3),
            (None, b'+') => (b' ', 1),
            (None, byte) => (byte, 1),
        };
        out.push(byte);
        at += width;
    }
    String::from_utf8_lossy(&out).into_owned()
}
