//! `syncline sandbox`: both CRMs, emulated, until Ctrl-C.
//!
//! Promises: their addresses go to stdout once they answer; with `--state` what they answered outlives the process.
//! Leaves to others: everything that the CRMs do (`syncline-sandbox`).

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use syncline_sandbox::journal::JournalError;
use syncline_sandbox::sandbox::{Sandbox, SandboxConfig, SandboxError};
use syncline_sandbox::server::{self, Tls};
use tokio::signal::unix::{SignalKind, signal};

use super::console::{Console, Failure, say};
use crate::control::Refusal;

const DAMAGED: &str = "name an empty directory, or bring the files back as the sandbox left them";

pub(super) const EXAMPLES: &str = "\
Examples:
  syncline sandbox
  syncline sandbox --tls certificates               for clients that insist on https; trust certificates/cert.pem
  syncline sandbox --state crm-state --faults faults.yaml
  curl http://127.0.0.1:8182/_sandbox/state          what they hold; docs/sandbox.md has the rest";

/// `syncline sandbox`.
#[derive(Debug, Clone, Args)]
pub(super) struct SandboxArgs {
    /// Where Salesforce listens; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8181", value_name = "ADDR")]
    salesforce: SocketAddr,
    /// Where HubSpot listens; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8182", value_name = "ADDR")]
    hubspot: SocketAddr,
    /// Keep their state in this directory
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// What is to go wrong: a fault script
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Take TLS beside plain HTTP, with DIR/cert.pem and DIR/key.pem; they are made for loopback if both are missing
    #[arg(long, value_name = "DIR")]
    tls: Option<PathBuf>,
    /// Their settings, YAML or JSON
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn serve(args: &SandboxArgs, console: &mut Console) -> Result<u8, Failure> {
    let config = settings(args)?;
    let script = args.faults.as_deref().or(args.config.as_deref()).map_or_else(String::new, |file| file.display().to_string());
    let sandbox = match &args.state {
        Some(directory) => Sandbox::open(config, directory),
        None => Sandbox::new(config),
    };
    let sandbox = Arc::new(Mutex::new(sandbox.map_err(|error| unusable(error, &script))?));
    super::block_on(run(args, sandbox, console))
}

fn settings(args: &SandboxArgs) -> Result<SandboxConfig, Failure> {
    let mut config = match &args.config {
        None => SandboxConfig::default(),
        Some(file) => serde_saphyr::from_str(&read(file)?).map_err(|error| {
            let remedy = "docs/sandbox.md and the documentation of SandboxConfig list the settings";
            Refusal::new(format!("{}: {error}", file.display()), remedy, 78)
        })?,
    };
    if let Some(file) = &args.faults {
        config.faults = read(file)?;
    }
    Ok(config)
}

fn read(file: &Path) -> Result<String, Failure> {
    let cannot = |error: std::io::Error| Refusal::new(format!("{} cannot be read", file.display()), "name a file that this user may read", 66).caused_by(&error);
    Ok(std::fs::read_to_string(file).map_err(cannot)?)
}

fn unusable(error: SandboxError, script: &str) -> Failure {
    match error {
        SandboxError::Script(error) => Failure::new(format!("{script}: {error}"), "docs/sandbox.md has the grammar of fault scripts", 78),
        SandboxError::Journal(error @ JournalError::Content { .. }) => Failure::new(error.to_string(), DAMAGED, 65),
        SandboxError::Journal(error @ JournalError::File { .. }) => Failure::new(error.to_string(), "name a directory that this user may write and no other sandbox uses", 74),
        SandboxError::State { .. } => Failure::new(error.to_string(), DAMAGED, 65),
        SandboxError::Format { .. } => {
            let remedy = "name an empty directory: records of emulated CRMs are not carried over; to look at these, use the release that wrote them";
            Failure::new(error.to_string(), remedy, 65)
        }
    }
}

async fn run(args: &SandboxArgs, sandbox: Arc<Mutex<Sandbox>>, console: &mut Console) -> Result<u8, Failure> {
    let no_signals = |error: std::io::Error| Refusal::new("cannot listen for signals", "report this", 70).caused_by(&error);
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
    let tls = args.tls.as_deref().map(Tls::open).transpose().map_err(|error| {
        Refusal::new(format!("no certificate: {error}"), "name a directory with cert.pem and key.pem, or an empty one that may be written", 74)
    })?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let serving = server::serve_tls(Arc::clone(&sandbox), args.salesforce, args.hubspot, tls.clone()).await.map_err(|error| {
        let message = format!("cannot listen on {} and {}", args.salesforce, args.hubspot);
        Refusal::new(message, "name free ports with --salesforce and --hubspot; port 0 takes a free one", 69).caused_by(&error)
    })?;
    console.line(&format!("salesforce {scheme}://{}", serving.salesforce))?;
    console.line(&format!("hubspot {scheme}://{}", serving.hubspot))?;
    if let Some(tls) = &tls {
        console.line(&format!("certificate {}", tls.certificate().display()))?;
    }
    console.flush()?;
    say("Ctrl-C stops them; credentials and control paths are in docs/sandbox.md");
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    serving.shutdown().await;
    let sandbox = sandbox.lock().unwrap_or_else(PoisonError::into_inner);
    match sandbox.journal_failure() {
        None => Ok(0),
        Some(why) => Err(Failure::new(format!("their state was not kept: {why}"), "see that the state directory can be written", 74)),
    }
}
