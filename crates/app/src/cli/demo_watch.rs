//! Watches a demo: a view on a terminal, else one line a second, and when it is over.
//!
//! Promises: progress goes to stderr, so that a pipe gets the summary alone; Ctrl-C ends the watch, not the process.
//! Leaves to others: the view (`demo_view`), stopping the workers, the summary.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use syncline_adapters::systems::generator::feed::Gate;
use syncline_core::ledger::{Counter, Ending, Offer};
use syncline_engine::error::Result;
use syncline_engine::ports::clock::Clock;
use syncline_engine::ports::store::Store;
use syncline_sandbox::sandbox::Sandbox;

use super::demo::DemoArgs;
use super::demo_view::View;
use super::signals::Signals;
use crate::run::{Running, pause};

/// How a watch ended.
#[derive(Debug, Default)]
pub struct Watched {
    /// Requests and items by lane and group when the second load began.
    pub before_second: Option<BTreeMap<String, (u64, u64)>>,
}

/// Watches until all is settled (with `--exit`) or somebody presses Ctrl-C.
///
/// # Errors
/// What the store says.
pub async fn watch(args: &DemoArgs, sandbox: &Mutex<Sandbox>, running: &Running, gate: &Gate, clock: &dyn Clock) -> Result<Watched> {
    let mut watched = Watched::default();
    let mut signals = Signals::listen()?;
    let mut view = if args.is_viewed() { Some(View::open(sandbox)?) } else { None };
    let started = clock.now();
    let (mut shown, mut last) = (started, 0);
    loop {
        tokio::select! {
            _ = signals.next() => return Ok(watched),
            () = pause(Duration::from_millis(100)) => {}
        }
        let now = clock.now();
        if let Some(view) = &mut view {
            if view.turn(running, now).await? {
                return Ok(watched);
            }
        } else if !args.json && now.since(shown) >= Duration::from_secs(1) {
            let (line, applied) = progress(running, now.since(started), now.since(shown), last).await?;
            show(&line);
            (shown, last) = (now, applied);
        }
        if args.load_first && !gate.is_open() && is_first_settled(args, running).await? {
            watched.before_second = Some(groups(running));
            gate.open();
        }
        if args.exit && running.is_settled().await? {
            return Ok(watched);
        }
        if args.exit && refused(running) {
            return Ok(watched);
        }
    }
}

async fn is_first_settled(args: &DemoArgs, running: &Running) -> Result<bool> {
    let offered = running.intake.lock().unwrap_or_else(PoisonError::into_inner).offered;
    let all = offered >= args.events.unwrap_or(0) || offered_ever(running).await? >= args.events.unwrap_or(0);
    Ok(all && running.is_quiet().await?)
}

async fn offered_ever(running: &Running) -> Result<u64> {
    let ledger = running.store.ledger().await?;
    let offered: i64 = ledger.sources().into_iter().map(|source| ledger.counts.get(Counter::Source(source, Offer::Offered))).sum();
    Ok(offered.unsigned_abs())
}

fn refused(running: &Running) -> bool {
    running.statuses.iter().any(|status| status.lock().unwrap_or_else(PoisonError::into_inner).phase == "refused")
}

/// Requests and items so far, by `lane operation object`.
#[must_use]
pub fn groups(running: &Running) -> BTreeMap<String, (u64, u64)> {
    let mut groups = BTreeMap::new();
    for status in &running.statuses {
        let status = status.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, requests) in &status.report.requests {
            let items = status.report.items.get(name).copied().unwrap_or(0);
            groups.insert(format!("{} {name}", status.system), (*requests, items));
        }
    }
    groups
}

async fn progress(running: &Running, since_start: Duration, since_last: Duration, last: u64) -> Result<(String, u64)> {
    let ledger = running.store.ledger().await?;
    let mut lanes = Vec::new();
    let mut closed = 0;
    for status in &running.statuses {
        let status = status.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let id = syncline_core::ids::SystemId(running.numbers.get(&status.system).copied().unwrap_or_default());
        closed += Ending::ALL.iter().map(|ending| ledger.counts.get(Counter::Closed(id, *ending))).sum::<i64>().unsigned_abs();
        let requests: u64 = status.report.requests.values().sum();
        let open = ledger.open.get(&id).copied().unwrap_or(0);
        let quota = status.pools.first().map(|pool| format!("{}/{} {}", pool.used, pool.allowance, pool.pool)).unwrap_or_default();
        let trouble = status.error.as_ref().or(status.paused.first().map(|(_, reason)| reason));
        let trouble = trouble.map(|text| format!("  ! {text}")).unwrap_or_default();
        lanes.push(format!("{}: {open} open, {requests} requests, quota {quota}{trouble}", status.system));
    }
    let offered: i64 = ledger.sources().into_iter().map(|source| ledger.counts.get(Counter::Source(source, Offer::Offered))).sum();
    let rate = closed.saturating_sub(last) as f64 / since_last.as_secs_f64().max(0.001);
    let letters = if ledger.waiting > 0 { format!("  dead letters {}", ledger.waiting) } else { String::new() };
    let line = format!("{:>5.0} s  {offered} events in, {closed} deliveries closed ({rate:.0}/s)  {}{letters}", since_start.as_secs_f64(), lanes.join("  "));
    Ok((line, closed))
}

fn show(line: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[2K{line}");
    } else {
        eprintln!("{line}");
    }
}
