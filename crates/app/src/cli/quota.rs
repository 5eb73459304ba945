//! `syncline quota`: what may be spent of each account's quota, and what is.
//!
//! Promises: says for each lane whether it runs, and why not. Leaves to others: the figures (`crate::control`).

use clap::Args;

use super::console::{Console, Failure, row};
use super::target::Target;
use crate::control::{Answer, LaneView, Request};

pub(super) const EXAMPLES: &str = "Examples:\n  syncline quota -c syncline.yaml\n  syncline quota --json --data syncline-demo";

/// `syncline quota`.
#[derive(Debug, Clone, Args)]
pub(super) struct QuotaArgs {
    #[command(flatten)]
    target: Target,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn quota(args: &QuotaArgs, console: &mut Console) -> Result<u8, Failure> {
    let Answer::Quota(view) = args.target.ask(&Request::Quota)? else { return Err(super::unexpected()) };
    if args.json {
        console.json(&view)?;
        return Ok(0);
    }
    let mut rows = vec![row(["system", "pool", "limit", "ours", "used", "unknown", "blocked until"])];
    for lane in &view.systems {
        for pool in &lane.pools {
            let figures = [pool.limit, pool.ours, pool.used, pool.unknown].map(|figure| figure.to_string());
            let mut cells = row([&lane.system, &pool.pool]);
            cells.extend(figures);
            cells.push(pool.blocked_until.clone().unwrap_or_else(|| "-".to_owned()));
            rows.push(cells);
        }
    }
    console.list(&rows)?;
    console.line("")?;
    for lane in &view.systems {
        console.line(&state(lane))?;
    }
    Ok(0)
}

fn state(lane: &LaneView) -> String {
    let mut text = format!("{}: {}", lane.system, lane.phase);
    if let Some(waits) = &lane.waits_for {
        text.push_str(&format!(", waits for {waits}"));
    }
    if let Some(error) = &lane.error {
        text.push_str(&format!("\n  {error}"));
    }
    for scope in &lane.paused {
        text.push_str(&format!("\n  {} stand still since {}: {}", scope.scope, scope.since, scope.reason));
    }
    text
}
