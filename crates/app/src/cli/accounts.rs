//! What `check --live` finds in the accounts.
//!
//! Promises: every account is looked at, whatever the others say; nothing is written; findings hold no value of a record and no
//! secret, each has its place in the configuration and a remedy. The few calls that this takes are outside the quota's books.
//! Leaves to others: what an account must have (the adapters).

use std::collections::BTreeMap;

use serde::Serialize;
use syncline_adapters::systems::findings::{self, Severity, Spot};

use super::console::{Console, Failure, say};
use crate::config::Config;
use crate::wiring;

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
    found: String,
    remedy: String,
}

/// The exit code that the accounts are worth: the first that is not in order.
pub(super) fn exit(accounts: &[Account]) -> u8 {
    accounts.iter().map(|account| account.exit).find(|exit| *exit != 0).unwrap_or(0)
}

/// Looks at every account.
pub(super) async fn examine(config: &Config) -> Result<Vec<Account>, Failure> {
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
        let told = |finding: &findings::Finding| Finding {
            severity: finding.severity.name(),
            place: finding.spot.path(&system.name),
            found: finding.found.clone(),
            remedy: finding.remedy.clone(),
        };
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

/// Tells people.
pub(super) fn show(accounts: &[Account], console: &mut Console) -> Result<(), Failure> {
    for account in accounts {
        let pools: Vec<_> = account.pools.iter().map(|(name, pool)| format!("{name} {} of {} used", pool.used, pool.limit)).collect();
        let quota = if pools.is_empty() { String::new() } else { format!(", quota: {}", pools.join(", ")) };
        let verdict = if account.exit == 0 { "it is set up as it must be" } else { "it is not set up for this configuration" };
        let id = account.account.as_deref().unwrap_or("unknown");
        console.line(&format!("\naccount {}: {id}{quota}; {verdict}", account.system))?;
        for finding in &account.findings {
            console.line(&format!("  {} at {}: {}", finding.severity, finding.place, finding.found))?;
            console.line(&format!("    remedy: {}", finding.remedy))?;
        }
    }
    Ok(())
}
