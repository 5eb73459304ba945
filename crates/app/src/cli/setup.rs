//! `syncline setup`: creates in an account what a configuration needs there: fields, and in Salesforce the right to see them.
//!
//! Promises: what will be done is told first, and done after a person agreed or with `--yes`; a second run finds nothing to do, or
//! that a field was there; what the interface cannot do is told as work for a person.
//! Leaves to others: which fields these are and how they are created (the adapters).

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde::Serialize;
use syncline_adapters::systems::caretaker::{Caretaker, Made, SetUp};

use super::console::{Console, Failure, agreed, say};
use super::overrides::SetArgs;
use super::target::{CONFIG, read_config};
use crate::config::{Config, SystemConfig};
use crate::wiring;

pub(super) const EXAMPLES: &str = "\
Examples:
  syncline setup salesforce --dry-run            what would be created?
  syncline setup hubspot -c production.yaml --yes";

/// Which kind of account is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Vendor {
    /// A Salesforce org: custom fields, and a permission set that shows them to the integration user
    Salesforce,
    /// A HubSpot account: properties
    Hubspot,
}

impl Vendor {
    const fn kind(self) -> &'static str {
        match self {
            Self::Salesforce => "salesforce",
            Self::Hubspot => "hubspot",
        }
    }
}

/// `syncline setup`.
#[derive(Debug, Clone, Args)]
pub(super) struct SetupArgs {
    /// What is set up
    vendor: Vendor,
    /// The configuration
    #[arg(short, long, default_value = CONFIG, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    set: SetArgs,
    /// Which system, if there are several of that kind
    #[arg(long, value_name = "NAME")]
    system: Option<String>,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
    /// Tell what would be done, and do nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// What is done, and what is left.
#[derive(Debug, Serialize)]
struct Told {
    system: String,
    /// What is to be done, each with what became of it.
    steps: Vec<Done>,
    /// What a person has to do.
    by_hand: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Done {
    what: String,
    /// `planned`, `created` or `was there`.
    state: &'static str,
}

pub(super) fn setup(args: &SetupArgs, console: &mut Console) -> Result<u8, Failure> {
    let config = read_config(&args.config, &args.set)?;
    let system = find(&config, args)?;
    let Some((caretaker, _)) = wiring::caretaker(&config, system)? else {
        return Err(Failure::new(format!("{} takes no writes", system.name), "name a system that does", 78));
    };
    let set_up = super::block_on(caretaker.lacks())?;
    let planned = set_up.steps.iter().map(|step| Done { what: step.what.clone(), state: "planned" }).collect();
    let mut told = Told { system: system.name.clone(), steps: planned, by_hand: set_up.by_hand.clone() };
    let does = !args.dry_run && !set_up.steps.is_empty();
    if does && !args.yes {
        show(&told, console)?;
        console.flush()?;
        if !agreed(&format!("do these {} things", set_up.steps.len()))? {
            say("nothing was done");
            return Ok(1);
        }
    }
    if does {
        told.steps = super::block_on(carry_out(caretaker, set_up))?;
    }
    if args.json {
        console.json(&told)?;
    } else {
        show(&told, console)?;
    }
    Ok(0)
}

async fn carry_out(caretaker: Arc<dyn Caretaker>, set_up: SetUp) -> Result<Vec<Done>, Failure> {
    let mut done = Vec::new();
    for step in set_up.steps {
        let state = match caretaker.create(&step).await? {
            Made::Created => "created",
            Made::WasThere => "was there",
        };
        say(&format!("{}: {state}", step.what));
        done.push(Done { what: step.what, state });
    }
    Ok(done)
}

fn find<'c>(config: &'c Config, args: &SetupArgs) -> Result<&'c SystemConfig, Failure> {
    let kind = args.vendor.kind();
    let all: Vec<_> = config.systems.iter().filter(|system| system.kind.name() == kind).collect();
    let names: Vec<_> = all.iter().map(|system| system.name.as_str()).collect();
    let listed = if names.is_empty() { "add one to the configuration".to_owned() } else { format!("--system takes {}", names.join(", ")) };
    match (&args.system, all.as_slice()) {
        (Some(name), _) => {
            let found = all.iter().find(|system| system.name == *name).copied();
            found.ok_or_else(|| Failure::new(format!("there is no system {name} of kind {kind}"), listed, 78))
        }
        (None, [one]) => Ok(one),
        (None, []) => Err(Failure::new(format!("there is no system of kind {kind}"), listed, 78)),
        (None, _) => Err(Failure::new(format!("there are several systems of kind {kind}"), listed, 64)),
    }
}

fn show(told: &Told, console: &mut Console) -> Result<(), Failure> {
    if told.steps.is_empty() {
        console.line(&format!("{}: nothing is to be done", told.system))?;
    }
    for step in &told.steps {
        console.line(&format!("{}: {}: {}", told.system, step.state, step.what))?;
    }
    for line in &told.by_hand {
        console.line(&format!("by hand: {line}"))?;
    }
    Ok(())
}
