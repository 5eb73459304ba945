//! What `check --live` finds in the accounts.
//!
//! Promises: every account is looked at, whatever the others say; nothing is written; findings hold no value of a record and no
//! secret, each has its place in the configuration and a remedy. The few calls that this takes are outside the quota's books.
//! Leaves to others: what an account must have (the adapters).

use std::collections::BTreeMap;

use serde::Serialize;
use syncline_adapters::systems::findings::{self, Severity, Spot};

use super::console::{Console, Failure, say};
use crate::config::{Loaded, Place, Written};
use crate::wiring;

/// The keys that a way to sign in stands under.
const SIGN_IN: [&str; 4] = ["auth", "token", "service_key", "oauth"];

/// What an account says.
#[derive(Debug, Serialize)]
pub(super) struct Account {
    system: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// Its pools by name.
    pools: BTreeMap<String, Pool>,
    /// What was found, the worst first.
    findings: Vec<Finding>,
    #[serde(skip)]
    exit: u8,
}

#[derive(Debug, Serialize)]
struct Pool {
    limit: u64,
    used: u64,
}

#[derive(Debug, Serialize)]
struct Finding {
    severity: &'static str,
    place: String,
    /// Where that stands in the file, or what is nearest above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    found: String,
    remedy: String,
}

/// The exit code that the accounts are worth: the first that is not in order.
pub(super) fn exit(accounts: &[Account]) -> u8 {
    accounts.iter().map(|account| account.exit).find(|exit| *exit != 0).unwrap_or(0)
}

/// Looks at every account.
pub(super) async fn examine(loaded: &Loaded) -> Result<Vec<Account>, Failure> {
    let config = &loaded.config;
    let mut accounts: Vec<Account> = Vec::new();
    for system in &config.systems {
        let Some((caretaker, _)) = wiring::caretaker(config, system)? else { continue };
        say(&format!("asking {} …", system.name));
        let mut seen = caretaker.examine().await;
        let same = accounts.iter().find(|other| seen.account.is_some() && other.account == seen.account);
        if let Some(other) = same {
            let text = format!("{} and {} are one account", other.system, system.name);
            seen.findings.push(findings::Finding::new(Severity::Stop, Spot::SignIn, text, "configure the account once"));
        }
        seen.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        let exit = seen.findings.iter().find(|finding| finding.severity >= Severity::Error).map_or(0, |finding| finding.exit);
        let told = |finding: &findings::Finding| told(finding, &system.name, &loaded.written);
        accounts.push(Account {
            system: system.name.clone(),
            account: seen.account,
            pools: seen.pools.into_iter().map(|(name, limit, used)| (name, Pool { limit, used })).collect(),
            findings: seen.findings.iter().map(told).collect(),
            exit,
        });
    }
    Ok(accounts)
}

fn told(finding: &findings::Finding, system: &str, written: &Written) -> Finding {
    let values = written.values();
    let is_written = |key: &&&str| {
        let path = format!("systems.{system}.{key}");
        values.iter().any(|value| value.path.strip_prefix(&path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    };
    let sign_in = SIGN_IN.iter().find(is_written).copied().unwrap_or("auth");
    let place = finding.spot.path(system, sign_in);
    // Behind a path may stand which object is meant.
    let (line, column) = match written.place(place.split(' ').next().unwrap_or_default()) {
        Place::File { line, column, .. } => (Some(line), Some(column)),
        Place::Environment(_) | Place::Flag(_) => (None, None),
    };
    Finding { severity: finding.severity.name(), place, line, column, found: finding.found.clone(), remedy: finding.remedy.clone() }
}

/// Tells people.
pub(super) fn show(file: &str, accounts: &[Account], console: &mut Console) -> Result<(), Failure> {
    for account in accounts {
        let pools: Vec<_> = account.pools.iter().map(|(name, pool)| format!("{name} {} of {} used", pool.used, pool.limit)).collect();
        let quota = if pools.is_empty() { String::new() } else { format!(", quota: {}", pools.join(", ")) };
        let verdict = if account.exit == 0 { "it is set up as it must be" } else { "it is not set up for this configuration" };
        let id = account.account.as_deref().unwrap_or("unknown");
        console.line(&format!("\naccount {}: {id}{quota}; {verdict}", account.system))?;
        for finding in &account.findings {
            let place = match (finding.line, finding.column) {
                (Some(line), Some(column)) => format!("{} ({file}:{line}:{column})", finding.place),
                (Some(_) | None, _) => finding.place.clone(),
            };
            console.line(&format!("  {} at {place}: {}", finding.severity, finding.found))?;
            console.line(&format!("    remedy: {}", finding.remedy))?;
        }
    }
    Ok(())
}
