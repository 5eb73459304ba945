//! Listens, and serves each connection for itself.
//!
//! Promises: an address that others can reach is refused without tokens, and without TLS unless a proxy in front has it;
//! connections are bounded, and one too many is told so at once; a connection without a request is closed after its time; a stop
//! lets requests under way end, within a bound.
//! Leaves to others: the answers (`router`), spawning (`crate::run`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use syncline_engine::error::{Error, Kind, Result};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::connection::Patient;
use super::router::{Gate, router};
use crate::config::{ApiConfig, TlsFiles};
use crate::run::{pause, spawn, within};

/// How long a stop waits for requests under way.
const STOP_TIME: Duration = Duration::from_secs(10);
/// How long a TLS handshake may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// The pause after an accept that failed, which is a lack of the machine's.
const RETRY: Duration = Duration::from_millis(50);
/// The longest request head in bytes.
const HEAD_BYTES_MAX: usize = 32 * 1024;
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
    let tls = config.tls.as_ref().map(acceptor).transpose()?;
    let cannot = |error| Error::new(Kind::Unreachable, format!("cannot listen on {}", config.listen)).caused_by(error);
    let listener = TcpListener::bind(config.listen).await.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let (stop, stopped) = watch::channel(false);
    let connections = connections(config.limits.connections);
    let door = Door { router: router(gate, more), tls, config, free: Arc::new(Semaphore::new(connections)), connections, stopped };
    tracing::info!(%address, connections, "takes callers");
    Ok(Serving { address, stop, task: spawn(door.listen(listener)) })
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

fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor> {
    let unread = |path: &std::path::Path, error: &dyn std::fmt::Display| {
        Error::new(Kind::Config, format!("api.tls: {} does not read: {error}", path.display())).with_remedy("name files in PEM that this user may read")
    };
    let chain: std::result::Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(&files.cert).and_then(Iterator::collect);
    let chain = chain.map_err(|error| unread(&files.cert, &error))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| unread(&files.key, &error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let refused = |error: rustls::Error| Error::new(Kind::Config, format!("api.tls: the certificate is refused: {error}"));
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(refused)?;
    let mut config = builder.with_no_client_auth().with_single_cert(chain, key).map_err(refused)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What every connection needs.
#[derive(Clone)]
struct Door {
    router: Router,
    tls: Option<TlsAcceptor>,
    config: ApiConfig,
    free: Arc<Semaphore>,
    connections: usize,
    stopped: watch::Receiver<bool>,
}

impl Door {
    async fn listen(self, listener: TcpListener) {
        let mut stopped = self.stopped.clone();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                // An error means that the handle is gone, which is a stop as well.
                _ = stopped.wait_for(|stopped| *stopped) => break,
            };
            match accepted {
                Ok((stream, _)) => self.welcome(stream),
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

    fn welcome(&self, stream: TcpStream) {
        let Ok(permit) = self.free.clone().try_acquire_owned() else {
            // Whoever is not told reads a closed connection.
            let _ = stream.try_write(BUSY);
            return;
        };
        // Answers are written whole; a failure here costs speed, no more.
        let _ = stream.set_nodelay(true);
        let door = self.clone();
        drop(spawn(door.converse(stream, permit)));
    }

    async fn converse(self, stream: TcpStream, permit: OwnedSemaphorePermit) {
        match &self.tls {
            None => self.serve(stream).await,
            Some(tls) => {
                if let Some(Ok(stream)) = within(HANDSHAKE_TIME, tls.accept(stream)).await {
                    self.serve(stream).await;
                }
            }
        }
        drop(permit);
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
