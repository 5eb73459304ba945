//! `syncline check`: is the configuration right, and are the accounts set up for it?
//!
//! Promises: without `--live` nobody is asked. Ends with the first fault's exit code.
//! Leaves to others: the faults (`crate::config`), looking at them (`accounts`).

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::console::{Console, Failure, say};
use super::accounts;
use super::overrides::SetArgs;
use super::target::{CONFIG, source};
use crate::config::Config;

pub(super) const EXAMPLES: &str = "\
Examples:
  syncline check                                 syncline.yaml of this directory
  syncline check -c production.yaml --live       asks the accounts, too, and writes nothing";

/// `syncline check`.
#[derive(Debug, Clone, Args)]
pub(super) struct CheckArgs {
    /// The configuration
    #[arg(short, long, default_value = CONFIG, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    set: SetArgs,
    /// Look at every account: sign-in, scopes, key, mapped fields, quota
    #[arg(long, alias = "connect")]
    live: bool,
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
    accounts: Option<Vec<accounts::Account>>,
}

pub(super) fn check(args: &CheckArgs, console: &mut Console) -> Result<u8, Failure> {
    let loaded = source(&args.config, &args.set).load()?;
    let config = &loaded.config;
    let accounts = if args.live { Some(super::block_on(accounts::examine(&loaded))?) } else { None };
    let exit = accounts.as_deref().map_or(0, accounts::exit);
    let configured = config.describe().lines().map(str::to_owned).collect();
    let checked = Checked { ok: exit == 0, configured, unrouted: unrouted(config), accounts };
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

fn show(file: &str, checked: &Checked, console: &mut Console) -> Result<(), Failure> {
    for line in &checked.configured {
        console.line(line)?;
    }
    if !checked.unrouted.is_empty() {
        console.line(&format!("no system takes: {} (counted as unrouted, never dropped in silence)", checked.unrouted.join(", ")))?;
    }
    accounts::show(file, checked.accounts.as_deref().unwrap_or_default(), console)?;
    let verdict = match (checked.ok, &checked.accounts) {
        (true, Some(_)) => "in order, accounts included",
        (true, None) => "in order; --live asks the accounts, too",
        (false, _) => "the accounts are not set up for it",
    };
    console.flush()?;
    say(&format!("{file}: {verdict}"));
    Ok(())
}
