//! Answers operators through a socket in the data directory while the process runs.
//!
//! Promises: only the owner of the process may connect; a socket that nobody answers is replaced, one that somebody answers is
//! left alone; the socket's file goes with the process. One line is one request, of bounded length; connections are bounded too.
//! Leaves to others: what a request does (`operate`), spawning (`crate::run`).

use std::fs::Permissions;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream as Probe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use syncline_engine::error::{Error, Kind, Result};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::happenings::Teller;
use super::{Answer, Happening, Refusal, Reply, Request, Wish, operate, place};
use crate::run::Running;

/// The longest request in bytes.
const REQUEST_BYTES_MAX: u64 = 64 * 1024;
/// How long a stop waits for what operators are being told.
const FAREWELL: Duration = Duration::from_secs(3);
/// The pause after a connection that failed, which is a lack of the machine's.
const RETRY: Duration = Duration::from_millis(100);
/// Operators at the same time.
const CONNECTIONS_MAX: usize = 32;

/// The socket of a running process.
pub struct Control {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Control {
    /// Stops answering, and lets go of the process's handles.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // A task that panicked answers nobody any more.
        let _ = self.task.await;
    }
}

/// Begins to answer operators.
///
/// # Errors
/// `StoreOwned` if another process answers there; `StoreUnavailable` if the socket cannot be made.
pub fn start(directory: &Path, running: Arc<Running>) -> Result<Control> {
    let door = Listening::begin(directory)?;
    let (stop, stopped) = watch::channel(false);
    let task = crate::run::spawn(async move { serve(&door.listener, &running, stopped).await });
    Ok(Control { stop, task })
}

/// A socket that listens; its file goes with it.
struct Listening {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Listening {
    fn drop(&mut self) {
        // Whoever finds a socket that nobody answers replaces it.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Listening {
    fn begin(directory: &Path) -> Result<Self> {
        let path = place::socket(directory);
        make_way(&path)?;
        let cannot = |error: std::io::Error| {
            Error::new(Kind::StoreUnavailable, format!("the operators' socket {} cannot be made", path.display()))
                .caused_by(error)
                .with_remedy("name a data directory that can be written and has a short path (--data DIR)")
        };
        let listener = UnixListener::bind(&path).map_err(cannot)?;
        let listening = Self { listener, path: path.clone() };
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(cannot)?;
        Ok(listening)
    }
}

/// Removes a socket that nobody answers.
fn make_way(path: &Path) -> Result<()> {
    let unusable = |why: &str| {
        Err(Error::new(Kind::StoreUnavailable, format!("{} {why}", path.display())).with_remedy("remove it, or name another data directory (--data DIR)"))
    };
    let Ok(found) = std::fs::symlink_metadata(path) else { return Ok(()) };
    if !found.file_type().is_socket() {
        return unusable("is no socket of ours");
    }
    match Probe::connect(path) {
        Ok(_) => Err(Error::new(Kind::StoreOwned, format!("another process answers at {}", path.display()))),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => match std::fs::remove_file(path) {
            Ok(()) => Ok(()),
            Err(error) => unusable(&format!("cannot be replaced: {error}")),
        },
        Err(error) => unusable(&format!("cannot be asked whether a process answers there: {error}")),
    }
}

/// Answers until it is told to stop; who is being told something then is told the rest of it, within a bound.
async fn serve(listener: &UnixListener, running: &Running, mut stopped: watch::Receiver<bool>) {
    let mut connections = FuturesUnordered::new();
    loop {
        let others = stopped.clone();
        tokio::select! {
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => match accepted {
                Ok((stream, _)) => connections.push(converse(stream, running, others)),
                Err(error) => {
                    tracing::warn!(error = %error, "an operator could not connect");
                    crate::run::pause(RETRY).await;
                }
            },
            Some(()) = connections.next() => {}
            () = told(&mut stopped) => break,
        }
    }
    // Whoever takes longer finds the conversation broken off.
    let _ = crate::run::within(FAREWELL, async { while connections.next().await.is_some() {} }).await;
}

/// Returns once it is time to stop.
async fn told(stopped: &mut watch::Receiver<bool>) {
    // An error means that the handle is gone, which is a stop as well.
    drop(stopped.wait_for(|stopped| *stopped).await);
}

/// Answers one operator until they leave, or it is time to stop.
async fn converse(mut stream: UnixStream, running: &Running, mut stopped: watch::Receiver<bool>) {
    let (input, mut output) = stream.split();
    let mut input = BufReader::new(input);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut bounded = (&mut input).take(REQUEST_BYTES_MAX);
        let read = tokio::select! {
            read = bounded.read_until(b'\n', &mut line) => read,
            () = told(&mut stopped) => return,
        };
        if !matches!(read, Ok(1..)) {
            return;
        }
        let reply = match serde_json::from_slice::<Request>(&line) {
            Ok(Request::Follow { wish }) => {
                tokio::select! {
                    () = follow(wish, running, stopped, &mut output) => {}
                    // Whatever a follower says, it ends the conversation.
                    _ = input.fill_buf() => {}
                }
                return;
            }
            Ok(request) => operate(&request, running).await.map_or_else(|error| Reply::Refused(error.into()), Reply::Done),
            Err(error) => Reply::Refused(misunderstood(&error)),
        };
        // An operator that went away does not want the answer, and a request without an end has no successor.
        if say(&mut output, &reply).await.is_err() || !line.ends_with(b"\n") {
            return;
        }
    }
}

fn misunderstood(error: &serde_json::Error) -> Refusal {
    let remedy = "use the same release as the running process";
    Refusal::new("the running process does not understand the request", remedy, 64).caused_by(error)
}

async fn say(output: &mut (impl AsyncWrite + Unpin), reply: &Reply) -> std::io::Result<()> {
    let mut text = match serde_json::to_vec(reply) {
        Ok(text) => text,
        // Whoever asked must not be left without an answer, for what was asked for may have been done.
        Err(error) => {
            let refusal = Refusal::new("the answer cannot be written as JSON", "report this; what was asked for may have been done", 70);
            serde_json::to_vec(&Reply::Refused(refusal.caused_by(&error)))?
        }
    };
    text.push(b'\n');
    output.write_all(&text).await
}

/// Tells an operator what becomes durable, until they leave or all is told that there will be.
async fn follow(wish: Wish, running: &Running, mut stopped: watch::Receiver<bool>, output: &mut (impl AsyncWrite + Unpin)) {
    let mut durable = running.witness.follow();
    let done = async {
        let mut teller = Teller::begin(running, wish).await.map_err(Some)?;
        say(output, &Reply::Done(Answer::Following)).await.map_err(|_| None)?;
        loop {
            let received = tokio::select! {
                // What is there is told before the end is.
                biased;
                received = durable.recv() => received,
                () = told(&mut stopped) => Err(RecvError::Closed),
            };
            let happenings = match received {
                Ok(durable) => teller.tell(&durable).await.map_err(Some)?,
                Err(RecvError::Lagged(commits)) => vec![Happening::Missed { commits }],
                Err(RecvError::Closed) => return say(output, &Reply::Done(Answer::FollowingEnded)).await.map_err(|_| None::<Error>),
            };
            for happening in happenings {
                say(output, &Reply::Done(Answer::Happening(Box::new(happening)))).await.map_err(|_| None)?;
            }
        }
    };
    if let Err(Some(error)) = done.await {
        // An operator that went away does not want to know.
        let _ = say(output, &Reply::Refused(error.into())).await;
    }
}
