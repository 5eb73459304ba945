//! The command line's end: asks the running process, or opens the store if none runs.
//!
//! Promises: a store that is not there is not made; one that another process has open without answering is left alone.
//! Leaves to others: what a request does (`operate`).

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use syncline_engine::error::{Error, Kind};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;

use super::{Answer, Offline, Place, Refusal, Reply, Request, operate};
use crate::config::Config;
use crate::reload::Source;
use crate::wiring;

/// Where requests go.
pub enum Door {
    /// To the running process.
    Process(BufReader<UnixStream>),
    /// To the store, which nobody else has open.
    Store(Runtime, Box<Offline>),
}

impl Door {
    /// Finds the process or opens the store.
    ///
    /// # Errors
    /// If there is no store, or another process has it open and does not answer.
    pub fn open(place: &Place, config: Option<Config>) -> Result<Self, Refusal> {
        match Self::process(place)? {
            Some(door) => Ok(door),
            None => Self::over_store(place, config, None),
        }
    }

    /// Finds the process, if one runs.
    ///
    /// # Errors
    /// If it cannot be asked.
    pub fn process(place: &Place) -> Result<Option<Self>, Refusal> {
        let socket = place.socket();
        match UnixStream::connect(&socket) {
            Ok(stream) => Ok(Some(Self::Process(BufReader::new(stream)))),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => Ok(None),
            Err(error) => Err(barred(&socket, &error)),
        }
    }

    /// Opens the store, which no process has open.
    ///
    /// # Errors
    /// If there is none, or another process has it open all the same.
    pub fn over_store(place: &Place, config: Option<Config>, source: Option<Source>) -> Result<Self, Refusal> {
        if !place.store.exists() {
            let remedy = "name the data directory (--data DIR) or the configuration (-c FILE) of what you mean";
            let message = format!("no process answers at {} and there is no store {}", place.socket().display(), place.store.display());
            return Err(Refusal::new(message, remedy, 66));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.map_err(|error| Error::new(Kind::Internal, "no runtime could be made").caused_by(error))?;
        let open = wiring::open_store(&place.store)?;
        let offline = Offline::new(open, config);
        Ok(Self::Store(runtime, Box::new(match source {
            Some(source) => offline.with_source(source),
            None => offline,
        })))
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// Why the request was not carried out.
    pub fn ask(&mut self, request: &Request) -> Result<Answer, Refusal> {
        match self {
            Self::Store(runtime, offline) => Ok(runtime.block_on(operate(request, &**offline))?),
            Self::Process(stream) => match exchange(stream, request) {
                Ok(Reply::Done(answer)) => Ok(answer),
                Ok(Reply::Refused(refusal)) => Err(refusal),
                Err(error) => Err(unanswered(&error)),
            },
        }
    }

    /// Lets go of the process or the store.
    pub fn close(self) {
        match self {
            Self::Process(_) => {}
            Self::Store(_, offline) => offline.close(),
        }
    }
}

/// A conversation with the running process, for a command that waits for other things as well.
pub struct Conversation(tokio::io::BufReader<tokio::net::UnixStream>);

impl Conversation {
    /// Finds the process.
    ///
    /// # Errors
    /// If none runs there, or it may not be asked.
    pub async fn begin(place: &Place) -> Result<Self, Refusal> {
        let socket = place.socket();
        match tokio::net::UnixStream::connect(&socket).await {
            Ok(stream) => Ok(Self(tokio::io::BufReader::new(stream))),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                let remedy = "start it, or name the data directory (--data DIR) or the configuration (-c FILE) of the one you mean";
                Err(Refusal::new(format!("no process answers at {}", socket.display()), remedy, 69).caused_by(&error))
            }
            Err(error) => Err(barred(&socket, &error)),
        }
    }

    /// Asks, and waits for the first answer.
    ///
    /// # Errors
    /// Why the request was not carried out.
    pub async fn ask(&mut self, request: &Request) -> Result<Answer, Refusal> {
        let asked = async {
            let mut line = serde_json::to_vec(request)?;
            line.push(b'\n');
            self.0.get_mut().write_all(&line).await
        };
        asked.await.map_err(|error| unanswered(&error))?;
        self.next().await?.ok_or_else(|| unanswered(&ErrorKind::UnexpectedEof.into()))
    }

    /// The next answer; None once the process has left. To stop waiting for it ends the conversation.
    ///
    /// # Errors
    /// Why there are no more.
    pub async fn next(&mut self) -> Result<Option<Answer>, Refusal> {
        let mut line = Vec::new();
        match self.0.read_until(b'\n', &mut line).await {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(None),
            Err(error) => return Err(unanswered(&error)),
        }
        match serde_json::from_slice(&line).map_err(|error| unanswered(&error.into()))? {
            Reply::Done(answer) => Ok(Some(answer)),
            Reply::Refused(refusal) => Err(refusal),
        }
    }
}

fn barred(socket: &Path, error: &std::io::Error) -> Refusal {
    let remedy = "be the user that the process runs as, or name another data directory (--data DIR)";
    Refusal::new(format!("cannot ask the process at {}", socket.display()), remedy, 77).caused_by(error)
}

fn unanswered(error: &std::io::Error) -> Refusal {
    Refusal::new("the process went away before it answered", "ask again; what was asked for may have been done", 75).caused_by(error)
}

fn exchange(stream: &mut BufReader<UnixStream>, request: &Request) -> std::io::Result<Reply> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.get_mut().write_all(&line)?;
    line.clear();
    if stream.read_until(b'\n', &mut line)? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(&line)?)
}
