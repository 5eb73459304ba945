//! The `syncline` binary: gives TLS its provider, and hands over to the command line.
//!
//! Promises: ends with the exit code that the command line answers, and with 70 after a panic. Leaves to others: everything else (`syncline::cli`).

use std::process::ExitCode;

fn main() -> ExitCode {
    // A provider that is there already serves as well.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    // A panic is a defect of ours, which has told itself by now.
    ExitCode::from(std::panic::catch_unwind(syncline::cli::main).unwrap_or(70))
}
