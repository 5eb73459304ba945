//! Does what core decides: ports, workers as steps, and the operator's acts.
//!
//! Loops, spawning and sleeping are not here: a worker is an `async fn step`, and whoever drives it (the binary or the
//! simulator) owns the loop.

pub mod codes;
pub mod consumer;
pub mod error;
pub mod measures;
pub mod metrics;
pub mod operator;
pub mod ports;
pub mod status;
pub mod workers;
