//! The project's own commands: `cargo xtask test`, `sim`, `clients`, `bench` and `tidy`.
//!
//! Promises: needs nothing but Rust and a C compiler, and for `clients` Python and Node; every command is shown before it runs, and the first that fails ends the
//! run with its name. Leaves to others: the tests themselves (`crates/*/tests`), the rules of the tree (`tests/tidy`).

mod bench;
mod clients;
mod run;
mod steps;
mod tally;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

const USAGE: &str = "\
The project's own commands.

  cargo xtask test [FILTER]                       every test, then clippy and rustdoc; with a filter only tests whose name holds it
  cargo xtask sim [--seeds N] [--from B] [--bug NAME]   the simulator, its arguments passed on
  cargo xtask clients [FILTER]                    real client libraries against the sandbox; needs python3 with pip, node with npm
  cargo xtask bench http [--clients N] [--seconds N] [--idle N] [--binary FILE]   events over HTTP against the built binary
  cargo xtask bench end-to-end [--events N] [--singles N] [--json] [--binary FILE]   events to both CRMs, the built binary
  cargo xtask reference                           the pages of docs/reference that are made from the code, anew
  cargo xtask tidy                                the rules of the source tree alone
";
/// The exit code for a command line that makes no sense.
const EXIT_USAGE: u8 = 64;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => root().and_then(|root| run::all(&root, &steps::test(&root)?)),
        ["test", filter] if !filter.starts_with('-') => root().and_then(|root| run::all(&root, &steps::filtered(&root, filter)?)),
        ["sim", rest @ ..] => root().and_then(|root| run::plainly(&root, &steps::sim(rest))),
        ["clients"] => root().and_then(|root| clients::run(&root, "")),
        ["clients", filter] if !filter.starts_with('-') => root().and_then(|root| clients::run(&root, filter)),
        ["bench", "end-to-end", rest @ ..] => root().and_then(|root| bench::end_to_end::run(&root, rest)),
        ["bench", "http", rest @ ..] => root().and_then(|root| bench::http::run(&root, rest)),
        ["reference"] => root().and_then(|root| run::plainly(&root, &steps::reference())),
        ["tidy"] => root().and_then(|root| run::all(&root, &[steps::tidy()])),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(EXIT_USAGE);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn root() -> Result<std::path::PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no folder above it")?;
    Ok(root.to_owned())
}
