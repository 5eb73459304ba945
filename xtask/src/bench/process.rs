//! The processes that a measurement starts, and what the system says of them.
//!
//! Promises: a process goes with its guard; processor time and memory are that process's alone, out of /proc.
//! Leaves to others: what is measured (`http`, `end_to_end`).

use std::net::{SocketAddr, TcpStream};
use std::process::Child;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::run::Watch;

const START_TIME: Duration = Duration::from_secs(20);
/// Clock ticks a second in /proc, on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

/// The product's process; it goes with the measurement.
pub(super) struct Process(pub(super) Child);

impl Drop for Process {
    fn drop(&mut self) {
        // One that ended already needs no end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A loopback address that nobody uses.
pub(super) fn free_address() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Returns when somebody listens there.
pub(super) fn wait_until_live(address: SocketAddr) -> Result<()> {
    let watch = Watch::start();
    while watch.elapsed() < START_TIME {
        if TcpStream::connect(address).is_ok() {
            return Ok(());
        }
        std::thread::yield_now();
    }
    bail!("the process does not listen")
}

/// What the process has spent so far, in user and system mode.
pub(super) fn cpu_seconds(process: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).context("processor times are read from /proc")?;
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| -> Result<f64> { Ok(fields.get(index).context("no processor time")?.parse()?) };
    Ok((ticks(11)? + ticks(12)?) / TICKS)
}

/// What of the process is in memory now.
pub(super) fn resident_bytes(process: u32) -> Result<u64> {
    memory(process, "VmRSS:")
}

/// The most that was in memory at once.
pub(super) fn peak_bytes(process: u32) -> Result<u64> {
    memory(process, "VmHWM:")
}

fn memory(process: u32, name: &str) -> Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).context("no memory")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
