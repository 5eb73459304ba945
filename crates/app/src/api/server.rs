//! Listens, and serves each connection for itself.
//!
//! Promises: an address that others can reach is refused without tokens, and without TLS unless a proxy in front has it;
//! connections are bounded, in all and by address, and one too many is told so at once; a connection without a request is closed after its time; a stop
//! lets requests under way end, within a bound.
//! Leaves to others: the answers (`router`), spawning (`crate::run`).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use syncline_engine::error::{Error, Kind, Result};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::certificate::Certificate;
use super::connection::Patient;
use super::peers::{Peers, Place};
use super::router::{Gate, router};
use crate::config::ApiConfig;
use crate::run::{pause, spawn, within};

/// How long a stop waits for requests under way.
const STOP_TIME: Duration = Duration::from_secs(10);
/// How long a TLS handshake may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// The pause after an accept that failed, which is a lack of the machine's.
const RETRY: Duration = Duration::from_millis(50);
/// The longest request head in bytes.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Connections of one address, where others can reach the door without a proxy in front, unless another number is configured.
const PER_ADDRESS: usize = 1000;
/// Files that the process needs besides its connections.
const FILES: u64 = 256;
/// What a connection too many is told.
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// A door that is open.
pub struct Serving {
    /// Where it listens.
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Serving {
    /// Takes no new connection, lets requests under way end, and waits for that.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // A task that panicked serves nobody any more.
        let _ = self.task.await;
    }
}

/// Opens the door; `more` are routes of others.
///
/// # Errors
/// `Config` if the address is not safe to listen on or TLS's files do not read; `Unreachable` if it cannot be listened on.
pub async fn serve(gate: Arc<Gate>, more: Router) -> Result<Serving> {
    let config = gate.config.clone();
    judge(&gate, &config)?;
    let certificate = config.tls.clone().map(Certificate::read).transpose()?;
    let cannot = |error| Error::new(Kind::Unreachable, format!("cannot listen on {}", config.listen)).caused_by(error);
    let listener = TcpListener::bind(config.listen).await.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let (stop, stopped) = watch::channel(false);
    let connections = connections(config.limits.connections);
    let others = !config.listen.ip().is_loopback() && !config.behind_proxy;
    let peers = Peers::new(config.limits.connections_per_address.or_else(|| others.then_some(PER_ADDRESS)));
    let door = Door { router: router(gate, more), config, free: Arc::new(Semaphore::new(connections)), connections, peers, stopped };
    tracing::info!(%address, connections, "takes callers");
    Ok(Serving { address, stop, task: spawn(door.listen(listener, certificate)) })
}

/// Refuses an address that others can reach if anybody could send there, or read what is sent.
fn judge(gate: &Gate, config: &ApiConfig) -> Result<()> {
    if config.listen.ip().is_loopback() {
        return Ok(());
    }
    let refuse = |why: &str, remedy: &str| Err(Error::new(Kind::Config, format!("api.listen: {} {why}", config.listen)).with_remedy(remedy));
    if config.tls.is_none() && !config.behind_proxy {
        return refuse("can be reached by others, and there is no TLS", "add api.tls, or --behind-proxy if a proxy in front ends TLS");
    }
    if gate.tokens.is_empty() {
        return refuse("can be reached by others, and there is no token", "make one with `syncline tokens create NAME`");
    }
    Ok(())
}

/// As many connections as were asked for, if the process may have so many files.
fn connections(wanted: usize) -> usize {
    let files = rlimit::increase_nofile_limit(wanted as u64 + FILES).unwrap_or(1024);
    let room = usize::try_from(files.saturating_sub(FILES)).unwrap_or(usize::MAX).max(1);
    if room < wanted {
        tracing::warn!(wanted, room, "fewer connections than asked for: the process may not have more files (LimitNOFILE)");
    }
    wanted.min(room)
}

/// What every connection needs.
#[derive(Clone)]
struct Door {
    router: Router,
    config: ApiConfig,
    free: Arc<Semaphore>,
    connections: usize,
    peers: Peers,
    stopped: watch::Receiver<bool>,
}

impl Door {
    async fn listen(self, listener: TcpListener, mut certificate: Option<Certificate>) {
        let mut stopped = self.stopped.clone();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                // An error means that the handle is gone, which is a stop as well.
                _ = stopped.wait_for(|stopped| *stopped) => break,
            };
            match accepted {
                Ok((stream, peer)) => self.welcome(stream, peer.ip(), certificate.as_mut()),
                Err(error) => {
                    tracing::warn!(error = %error, "a caller could not connect");
                    pause(RETRY).await;
                }
            }
        }
        drop(listener);
        let all = u32::try_from(self.connections).unwrap_or(u32::MAX);
        if within(STOP_TIME, self.free.acquire_many(all)).await.is_none() {
            tracing::warn!("some requests did not end in time");
        }
    }

    fn welcome(&self, stream: TcpStream, peer: IpAddr, certificate: Option<&mut Certificate>) {
        let (Some(place), Ok(permit)) = (self.peers.admit(peer), self.free.clone().try_acquire_owned()) else {
            // Whoever is not told reads a closed connection.
            let _ = stream.try_write(BUSY);
            return;
        };
        // Answers are written whole; a failure here costs speed, no more.
        let _ = stream.set_nodelay(true);
        let (door, tls) = (self.clone(), certificate.map(Certificate::acceptor));
        drop(spawn(door.converse(stream, tls, (place, permit))));
    }

    async fn converse(self, stream: TcpStream, tls: Option<TlsAcceptor>, held: (Place, OwnedSemaphorePermit)) {
        match tls {
            None => self.serve(stream).await,
            Some(tls) => {
                if let Some(Ok(stream)) = within(HANDSHAKE_TIME, tls.accept(stream)).await {
                    self.serve(stream).await;
                }
            }
        }
        drop(held);
    }

    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let limits = &self.config.limits;
        let stream = TokioIo::new(Patient::new(stream, limits.body_time));
        let service = TowerToHyperService::new(self.router.clone());
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(limits.idle).max_header_size(HEAD_BYTES_MAX);
        let mut connection = std::pin::pin!(builder.serve_connection(stream, service));
        let mut stopped = self.stopped.clone();
        tokio::select! {
            // A connection that breaks off is its peer's affair.
            _ = connection.as_mut() => return,
            () = async { drop(stopped.wait_for(|stopped| *stopped).await) } => {
                connection.as_mut().graceful_shutdown();
            }
        }
        // One that was told to end ends behind the request under way.
        let _ = connection.await;
    }
}
