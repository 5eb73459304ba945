//! `syncline pause` and `syncline resume`: stopping a system's writes, and letting them go on.
//!
//! Promises: what they did is durable when they end. Leaves to others: doing it (`crate::control`).

use clap::Args;

use super::console::{Console, Failure};
use super::target::Target;
use crate::control::{Answer, PauseView, Request};

pub(super) const PAUSE_EXAMPLES: &str = "Examples:\n  syncline pause salesforce --reason 'their release weekend'";
pub(super) const RESUME_EXAMPLES: &str = "Examples:\n  syncline resume salesforce      also after the fuse, after too many rejections, or once a changed schema is mended";

/// `syncline pause`.
#[derive(Debug, Clone, Args)]
pub(super) struct PauseArgs {
    /// The system, as the configuration names it
    system: String,
    /// Why, for whoever finds it paused
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    target: Target,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// `syncline resume`.
#[derive(Debug, Clone, Args)]
pub(super) struct ResumeArgs {
    /// The system, as the configuration names it
    system: String,
    #[command(flatten)]
    target: Target,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn pause(args: &PauseArgs, console: &mut Console) -> Result<u8, Failure> {
    let request = Request::Pause { system: args.system.clone(), reason: args.reason.clone() };
    tell(args.target.ask(&request)?, args.json, console).map(|_| 0)
}

pub(super) fn resume(args: &ResumeArgs, console: &mut Console) -> Result<u8, Failure> {
    let stands_still = tell(args.target.ask(&Request::Resume { system: args.system.clone() })?, args.json, console)?;
    Ok(u8::from(stands_still))
}

/// Shows what was done; whether something stands still.
fn tell(answer: Answer, json: bool, console: &mut Console) -> Result<bool, Failure> {
    let Answer::Pause(view) = answer else { return Err(super::unexpected()) };
    let stands_still = !view.paused.is_empty();
    if json {
        console.json(&view)?;
        return Ok(stands_still);
    }
    let PauseView { system, paused, resumed, looked_at } = view;
    for scope in &paused {
        console.line(&format!("{system}: {} stand still since {}: {}", scope.scope, scope.since, scope.reason))?;
    }
    for scope in &resumed {
        console.line(&format!("{system}: {} go on; they stood still since {}: {}", scope.scope, scope.since, scope.reason))?;
    }
    for scope in &looked_at {
        console.line(&format!("{system}: {} go on if a look at the schema finds nothing, which is under way; see `syncline top`", scope.scope))?;
    }
    if paused.is_empty() && resumed.is_empty() && looked_at.is_empty() {
        console.line(&format!("{system}: nothing stood still"))?;
    }
    Ok(stands_still)
}
