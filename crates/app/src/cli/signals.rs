//! Ctrl-C and SIGTERM: the first asks a command to end in order, the second ends it at once. SIGHUP asks to read the configuration anew.
//!
//! Promises: a forced end is as safe as a crash, and exits with 130 or 143 as shells expect. Leaves to others: ending in order.

use syncline_engine::error::{Error, Kind, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end a command.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Begins to listen: from now on none of them ends the process by itself.
    pub(super) fn listen() -> Result<Self> {
        let failed = |error| Error::new(Kind::Internal, "cannot listen for signals").caused_by(error);
        Ok(Self { interrupt: signal(SignalKind::interrupt()).map_err(failed)?, terminate: signal(SignalKind::terminate()).map_err(failed)? })
    }

    /// Waits for the next one; answers the exit code of a process that it ends.
    pub(super) async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 130,
            _ = self.terminate.recv() => 143,
        }
    }

    /// Carries something out in order; a signal meanwhile ends the process at once.
    pub(super) async fn or_at_once<T>(&mut self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            done = work => done,
            exit = self.next() => std::process::exit(i32::from(exit)),
        }
    }
}

/// SIGHUPs that came.
pub(super) struct Hangups(Signal);

impl Hangups {
    /// Begins to listen: from now on none of them ends the process.
    pub(super) fn listen() -> Result<Self> {
        let failed = |error| Error::new(Kind::Internal, "cannot listen for signals").caused_by(error);
        Ok(Self(signal(SignalKind::hangup()).map_err(failed)?))
    }

    /// Waits for the next one; several that come at once are one.
    pub(super) async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}
