//! Runs seeds of the simulator: `sim --seeds N --from B [--bug NAME] [--seed S] [--trace]`.
//!
//! Promises: exits with 1 if a seed fails, or if a planted bug is not caught, or if a fault or a move never occurred.
//! Leaves to others: the runs themselves (`syncline_testkit::sim`).

use std::process::ExitCode;

fn main() -> ExitCode {
    syncline_testkit::sim::command::main(std::env::args().skip(1).collect())
}
