//! The command line's end: asks the running process, or opens the store if none runs.
//!
//! Promises: a store that is not there is not made; one that another process has open without answering is left alone.
//! Leaves to others: what a request does (`operate`).

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;

use syncline_engine::error::{Error, Kind};
use tokio::runtime::Runtime;

use super::{Answer, Offline, Place, Refusal, Reply, Request, operate};
use crate::config::Config;
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
        let socket = place.socket();
        match UnixStream::connect(&socket) {
            Ok(stream) => return Ok(Self::Process(BufReader::new(stream))),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {}
            Err(error) => {
                let remedy = "be the user that the process runs as, or name another data directory (--data DIR)";
                return Err(Refusal::new(format!("cannot ask the process at {}", socket.display()), remedy, 77).caused_by(&error));
            }
        }
        if !place.store.exists() {
            let remedy = "name the data directory (--data DIR) or the configuration (-c FILE) of what you mean";
            return Err(Refusal::new(format!("no process answers at {} and there is no store {}", socket.display(), place.store.display()), remedy, 66));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.map_err(|error| Error::new(Kind::Internal, "no runtime could be made").caused_by(error))?;
        let open = wiring::open_store(&place.store)?;
        Ok(Self::Store(runtime, Box::new(Offline::new(open, config))))
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
                Err(error) => {
                    let remedy = "ask again; what was asked for may have been done";
                    Err(Refusal::new("the process went away before it answered", remedy, 75).caused_by(&error))
                }
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
