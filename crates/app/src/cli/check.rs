//! `syncline check`: is the configuration right, and are the accounts set up for it?
//!
//! Promises: without `--connect` nobody is asked; with it every account is looked at, whatever the others say, and nothing is
//! written. The few calls that this takes are outside the quota's books. Ends with the first fault's exit code.
//! Leaves to others: the faults (`crate::config`), what an account must have (the adapters).

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use syncline_engine::ports::writer::Account;

use super::console::{Console, Failure, say, told};
use super::target::{CONFIG, read_config};
use crate::config::Config;
use crate::control::Refusal;
use crate::wiring;

pub(super) const EXAMPLES: &str = "\
Examples:
  syncline check                                 syncline.yaml of this directory
  syncline check -c production.yaml --connect    asks the accounts, too, and writes nothing";

/// `syncline check`.
#[derive(Debug, Clone, Args)]
pub(super) struct CheckArgs {
    /// The configuration
    #[arg(short, long, default_value = CONFIG, value_name = "FILE")]
    config: PathBuf,
    /// Look at every account: who it is, its key fields, its limits
    #[arg(long)]
    connect: bool,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Checked {
    ok: bool,
    /// Systems and routes, a line each.
    configured: Vec<String>,
    /// Values of routing fields that no system takes.
    unrouted: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accounts: Option<Vec<Finding>>,
}

/// What an account says.
#[derive(Debug, Serialize)]
struct Finding {
    system: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// Its pools: name and limit.
    pools: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Refusal>,
}

pub(super) fn check(args: &CheckArgs, console: &mut Console) -> Result<u8, Failure> {
    let config = read_config(&args.config)?;
    let accounts = if args.connect { Some(super::block_on(connect(&config))?) } else { None };
    let exit = accounts.iter().flatten().find_map(|finding| finding.refused.as_ref()).map_or(0, |refused| refused.exit);
    let configured = config.describe().lines().map(str::to_owned).collect();
    let checked = Checked { ok: exit == 0, configured, unrouted: unrouted(&config), accounts };
    if args.json {
        console.json(&checked)?;
    } else {
        show(&args.config.display().to_string(), &checked, console)?;
    }
    Ok(exit)
}

fn unrouted(config: &Config) -> Vec<String> {
    let of = |(record_type, schema): (&str, &syncline_core::schema::Schema)| {
        let values = schema.routing_field.as_ref().and_then(|field| schema.field(field));
        let values = match values {
            Some(syncline_core::schema::FieldType::Choice(values)) => values.clone(),
            Some(_) | None => Vec::new(),
        };
        let is_lost = |value: &String| config.routing.get(record_type).is_none_or(|routing| !routing.is_routed(value));
        values.into_iter().filter(is_lost).map(|value| format!("{record_type} {value}")).collect::<Vec<_>>()
    };
    config.schemas.iter().map(|schema| (schema.record_type.as_str(), schema)).flat_map(of).collect()
}

async fn connect(config: &Config) -> Result<Vec<Finding>, Failure> {
    let mut findings: Vec<Finding> = Vec::new();
    for system in &config.systems {
        let Some((writer, _)) = wiring::writer(config, system)? else { continue };
        say(&format!("asking {} …", system.name));
        let mut finding = Finding { system: system.name.clone(), account: None, pools: BTreeMap::new(), refused: None };
        match writer.connect().await {
            Err(error) => finding.refused = Some(error.into()),
            Ok(Account { id, profile }) => {
                finding.pools = profile.pools.into_iter().map(|pool| (pool.name, pool.limit)).collect();
                if let Some(other) = findings.iter().find(|other| other.account.as_ref() == Some(&id)) {
                    let message = format!("{} and {} are one account", other.system, system.name);
                    finding.refused = Some(Refusal::new(message, "configure the account once", 78));
                }
                finding.account = Some(id);
            }
        }
        findings.push(finding);
    }
    Ok(findings)
}

fn show(file: &str, checked: &Checked, console: &mut Console) -> Result<(), Failure> {
    for line in &checked.configured {
        console.line(line)?;
    }
    if !checked.unrouted.is_empty() {
        console.line(&format!("no system takes: {} (counted as unrouted, never dropped in silence)", checked.unrouted.join(", ")))?;
    }
    for finding in checked.accounts.iter().flatten() {
        match (&finding.refused, &finding.account) {
            (Some(refused), _) => console.line(&format!("\naccount {}: refused\n{}", finding.system, told(refused)))?,
            (None, account) => {
                let pools: Vec<_> = finding.pools.iter().map(|(pool, limit)| format!("{pool} {limit}")).collect();
                let account = account.as_deref().unwrap_or_default();
                console.line(&format!("\naccount {}: {account}, quota {}; it is set up as it must be", finding.system, pools.join(", ")))?;
            }
        }
    }
    let verdict = match (checked.ok, &checked.accounts) {
        (true, Some(_)) => "in order, accounts included",
        (true, None) => "in order; --connect asks the accounts, too",
        (false, _) => "the accounts are not set up for it",
    };
    console.flush()?;
    say(&format!("{file}: {verdict}"));
    Ok(())
}
