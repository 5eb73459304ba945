//! `syncline ledger`: where every event, delivery and letter is, and whether the sums agree.
//!
//! Promises: ends with 1 if they do not; every row and account that does not agree is named. Leaves to others: the figures.

use std::collections::BTreeMap;

use clap::Args;
use syncline_core::ledger::{Cause, Ending, Offer, Post, Routing};

use super::console::{Console, Failure};
use super::target::Target;
use crate::control::{Answer, AuditView, LedgerView, Request, SourceAccount, SystemAccount};

pub(super) const EXAMPLES: &str = "\
Examples:
  syncline ledger -c syncline.yaml
  syncline ledger --verify --data syncline-demo      count every row again and look at its seal";

/// `syncline ledger`.
#[derive(Debug, Clone, Args)]
pub(super) struct LedgerArgs {
    #[command(flatten)]
    target: Target,
    /// Count every row again and compare it with its seal
    #[arg(long)]
    verify: bool,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn ledger(args: &LedgerArgs, console: &mut Console) -> Result<u8, Failure> {
    let Answer::Ledger(view) = args.target.ask(&Request::Ledger { verify: args.verify })? else { return Err(super::unexpected()) };
    if args.json {
        console.json(&view)?;
    } else {
        show(&view, console)?;
    }
    Ok(u8::from(!view.balanced))
}

fn show(view: &LedgerView, console: &mut Console) -> Result<(), Failure> {
    let mut rows = Vec::new();
    rows.extend(view.sources.iter().map(source));
    let tenant = |routing: Routing| of(&view.tenant, routing.name());
    rows.push(vec![
        "in all".to_owned(),
        format!("accepted {}", tenant(Routing::Accepted)),
        format!("= routed {} + unrouted {} + stale {}", tenant(Routing::Routed), tenant(Routing::Unrouted), tenant(Routing::Stale)),
    ]);
    rows.extend(view.systems.iter().map(system));
    let post = |post: &str| of(&view.dead_letters, post);
    rows.push(vec![
        "dead letters".to_owned(),
        format!("created {}", post(Post::Created.name())),
        format!(
            "= waiting {} + replayed {} + discarded {} + overtaken {}",
            post("waiting"),
            post(Post::Replayed.name()),
            post(Post::Discarded.name()),
            post(Post::Overtaken.name())
        ),
    ]);
    console.table(0, &rows)?;
    for account in &view.systems {
        links(account, console)?;
    }
    console.line("")?;
    for unequal in &view.imbalances {
        console.line(&format!("does not hold: {} ({} against {})", unequal.account, unequal.left, unequal.right))?;
    }
    if let Some(found) = &view.audit {
        audit(found, console)?;
    }
    console.line(if view.balanced { "balanced" } else { "NOT BALANCED" })
}

fn of(account: &BTreeMap<String, i64>, name: &str) -> i64 {
    account.get(name).copied().unwrap_or(0)
}

fn source(account: &SourceAccount) -> Vec<String> {
    let get = |offer: Offer| of(&account.inputs, offer.name());
    vec![
        format!("source {}", account.source),
        format!("offered {}", get(Offer::Offered)),
        format!("= accepted {} + duplicate {} + refused {}", get(Offer::Accepted), get(Offer::Duplicate), get(Offer::Refused)),
    ]
}

fn system(account: &SystemAccount) -> Vec<String> {
    let causes: Vec<_> = Cause::ALL.iter().map(|cause| (cause.name(), of(&account.opened, cause.name()))).collect();
    let endings = Ending::ALL.iter().map(|ending| (ending.name(), of(&account.closed, ending.name())));
    let opened: i64 = causes.iter().map(|(_, count)| count).sum();
    let by: Vec<_> = causes.iter().filter(|(_, count)| *count != 0).map(|(name, count)| format!("{name} {count}")).collect();
    let by = if by.len() > 1 { format!(" ({})", by.join(", ")) } else { String::new() };
    let closed: Vec<_> = endings.filter(|(_, count)| *count != 0).map(|(name, count)| format!("{name} {count} + ")).collect();
    vec![format!("system {}", account.system), format!("opened {opened}{by}"), format!("= {}open {}", closed.concat(), account.open)]
}

fn links(account: &SystemAccount, console: &mut Console) -> Result<(), Failure> {
    let states: Vec<_> = account.links.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let facts: Vec<_> = account.facts.iter().map(|(fact, count)| format!("{count} {fact}")).collect();
    let since = account.due_since.as_ref().map(|since| format!("; the oldest due one since {since}")).unwrap_or_default();
    let facts = if facts.is_empty() { String::new() } else { format!("; {}", facts.join(", ")) };
    console.line(&format!("links of {}: {}{since}{facts}", account.system, states.join(", ")))
}

fn audit(found: &AuditView, console: &mut Console) -> Result<(), Failure> {
    for row in &found.altered {
        let place = if row.row.is_empty() { row.table.clone() } else { format!("table {}, row {}", row.table, row.row) };
        console.line(&format!("not as it was written: {place}: {}", row.why))?;
    }
    for unequal in &found.imbalances {
        console.line(&format!("does not agree: {} ({} against {})", unequal.account, unequal.left, unequal.right))?;
    }
    console.line(&format!("{} rows looked at", found.rows))
}
