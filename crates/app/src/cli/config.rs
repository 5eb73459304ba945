//! `syncline config`: the configuration that is in force, its history, and changing it while the process runs.
//!
//! Promises: what is refused changes nothing and ends with 78; no secret is shown; without a process the file alone is looked at and
//! changed. Leaves to others: judging (`crate::config`), changing (`crate::reload`).

use clap::{Args, Subcommand};
use serde::Serialize;
use syncline_core::config_entry::KeyChange;

use super::console::{Console, Failure, say};
use super::target::Target;
use crate::config::{json_schema, process_env};
use crate::control::{Answer, Door, HistoryView, Refusal, Request, ValueView, ValuesView};
use crate::reload::{ConfigWish, Refused, Reloaded, Unread, change_file};

/// `syncline config`.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum ConfigCommand {
    /// Show the value of a key, or of every key below it, and where it comes from
    #[command(before_help = "Examples:\n  syncline config get routing\n  syncline config get systems.hubspot --json\n  syncline config get                          every key")]
    Get(GetArgs),
    /// Show the whole that is in force, as YAML without secrets
    #[command(before_help = "Examples:\n  syncline config show\n  syncline config show --data /var/lib/syncline")]
    Show(ShowArgs),
    /// Set a value in the file; a running process takes it at once, or nothing changes
    #[command(before_help = "Examples:\n  syncline config set dispatch.retry.max 10m\n  syncline config set routing.lead '[salesforce, hubspot]'\n  syncline config set log null                 back to the default")]
    Set(SetValueArgs),
    /// Let the running process read its file anew, as SIGHUP does, and tell what came of it
    #[command(before_help = "Examples:\n  syncline config reload")]
    Reload(ReloadArgs),
    /// Write the JSON Schema of a configuration's file, for editors and checks
    #[command(before_help = "Examples:\n  syncline config schema > syncline.schema.json")]
    Schema,
    /// Show which configurations were in force, newest first
    #[command(before_help = "Examples:\n  syncline config history\n  syncline config history --limit 3 --json     with the whole of each")]
    History(HistoryArgs),
}

/// `syncline config get`.
#[derive(Debug, Clone, Args)]
pub(super) struct GetArgs {
    /// Keys from the root with dots between them; all if it is left out
    path: Option<String>,
    #[command(flatten)]
    target: Target,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// `syncline config show`.
#[derive(Debug, Clone, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    target: Target,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// `syncline config set`.
#[derive(Debug, Clone, Args)]
pub(super) struct SetValueArgs {
    /// Keys from the root with dots between them
    path: String,
    /// The value as it would stand in the file; null is the default
    value: String,
    #[command(flatten)]
    target: Target,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// `syncline config reload`.
#[derive(Debug, Clone, Args)]
pub(super) struct ReloadArgs {
    #[command(flatten)]
    target: Target,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// `syncline config history`.
#[derive(Debug, Clone, Args)]
pub(super) struct HistoryArgs {
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    #[command(flatten)]
    target: Target,
    /// Answer as JSON, with the whole of each
    #[arg(long)]
    json: bool,
}

pub(super) fn config(command: &ConfigCommand, console: &mut Console) -> Result<u8, Failure> {
    match command {
        ConfigCommand::Get(args) => get(args, console),
        ConfigCommand::Show(args) => show(args, console),
        ConfigCommand::Set(args) => {
            let wish = ConfigWish { set: Some((args.path.clone(), args.value.clone())), who: who() };
            tell(&change(&args.target, wish)?, args.json, console)
        }
        ConfigCommand::Reload(args) => {
            let mut door = args.target.process()?.ok_or_else(|| {
                Failure::new("no process runs here, so that nothing is to be read anew", "it reads the file when it starts: `syncline run`", 66)
            })?;
            let Answer::Configured(done) = door.ask(&Request::Configure(ConfigWish { set: None, who: who() }))? else { return Err(super::unexpected()) };
            tell(&done, args.json, console)
        }
        ConfigCommand::Schema => {
            console.bytes(schema_page()?.as_bytes())?;
            Ok(0)
        }
        ConfigCommand::History(args) => history(args, console),
    }
}

/// The schema as it stands in a file.
pub(super) fn schema_page() -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(&json_schema());
    let text = text.map_err(|error| Refusal::new("the schema cannot be written as JSON", "report this", 70).caused_by(&error))?;
    Ok(text + "\n")
}

/// Who asks, as the environment tells.
fn who() -> String {
    ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| process_env(name).filter(|name| !name.is_empty())).unwrap_or_else(|| "unknown".to_owned())
}

/// The values in force, of the process or of the file.
fn values(target: &Target) -> Result<ValuesView, Failure> {
    if let Some(mut door) = target.process()? {
        let Answer::ConfigValues { values } = door.ask(&Request::ConfigValues)? else { return Err(super::unexpected()) };
        let no_file = || Failure::new("the process runs with a configuration that stands in no file", "start it with `syncline run -c FILE`", 78);
        return values.map(|values| *values).ok_or_else(no_file);
    }
    let source = target.source()?;
    let loaded = source.load()?;
    Ok(ValuesView::of(&source.name(), &loaded.written, false, None))
}

fn change(target: &Target, wish: ConfigWish) -> Result<Reloaded, Failure> {
    if let Some(mut door) = target.process()? {
        let Answer::Configured(done) = door.ask(&Request::Configure(wish))? else { return Err(super::unexpected()) };
        return Ok(*done);
    }
    let source = target.source()?;
    if !target.place()?.store.exists() {
        return super::block_on(change_file(&source, &wish, None));
    }
    // Only over a store can it be kept in history; a configuration with faults is mended by what is set.
    let mut door = Door::over_store(&target.place()?, None, Some(source))?;
    let answer = door.ask(&Request::Configure(wish));
    door.close();
    let Answer::Configured(done) = answer? else { return Err(super::unexpected()) };
    Ok(*done)
}

#[derive(Serialize)]
struct Got {
    values: Vec<ValueView>,
}

fn get(args: &GetArgs, console: &mut Console) -> Result<u8, Failure> {
    let view = values(&args.target)?;
    let path = args.path.as_deref().unwrap_or_default();
    let is_asked = |value: &ValueView| path.is_empty() || value.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    let values: Vec<ValueView> = view.values.into_iter().filter(is_asked).collect();
    if values.is_empty() {
        return Err(Failure::new(format!("{path} is written nowhere, and has no default"), "`syncline config get` tells every key that is written or has a default; config/default.yaml explains each", 66));
    }
    if args.json {
        console.json(&Got { values })?;
        return Ok(0);
    }
    let rows: Vec<_> = values.iter().map(|value| vec![value.path.clone(), value.value.clone(), value.from.clone()]).collect();
    console.table(0, &rows)?;
    Ok(0)
}

fn show(args: &ShowArgs, console: &mut Console) -> Result<u8, Failure> {
    let view = values(&args.target)?;
    if args.json {
        console.json(&view)?;
        return Ok(0);
    }
    for line in view.text.lines() {
        console.line(line)?;
    }
    console.flush()?;
    say(&format!("{}: {}", view.file, if view.is_running { "in force" } else { "no process runs here" }));
    if let Some(refused) = &view.refused {
        say(&format!("{} another one was refused:\n{}", refused.at, refused.text));
    }
    Ok(0)
}

fn tell(done: &Reloaded, json: bool, console: &mut Console) -> Result<u8, Failure> {
    if json {
        console.json(done)?;
    }
    match done {
        Reloaded::Refused(Refused { text, .. }) => {
            if !json {
                say(text);
            }
            return Ok(78);
        }
        Reloaded::Applied { changes, is_running, .. } if !json => {
            changes.iter().try_for_each(|change| console.line(&shown(change)))?;
            console.flush()?;
            say(if *is_running { "in force; records that are there meet it at their own next event" } else { "in the file; no process runs here" });
        }
        Reloaded::Unchanged if !json => console.line("nothing differs")?,
        Reloaded::Applied { .. } | Reloaded::Unchanged => {}
    }
    Ok(0)
}

fn shown(change: &KeyChange) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(default)".to_owned());
    if change.before == change.after {
        return format!("{}: another secret", change.path);
    }
    format!("{}: {} -> {}", change.path, value(&change.before), value(&change.after))
}

fn history(args: &HistoryArgs, console: &mut Console) -> Result<u8, Failure> {
    let request = Request::ConfigHistory { limit: usize::from(args.limit) };
    let place = args.target.place()?;
    let mut door = match Door::process(&place)? {
        Some(door) => door,
        None => Door::over_store(&place, None, None)?,
    };
    let answer = door.ask(&request);
    door.close();
    let Answer::ConfigHistory(view) = answer? else { return Err(super::unexpected()) };
    if args.json {
        console.json(&view)?;
        return Ok(0);
    }
    told(&view, console)?;
    Ok(0)
}

/// Changes told of one entry.
const CHANGES_SHOWN: usize = 5;

fn told(view: &HistoryView, console: &mut Console) -> Result<(), Failure> {
    for entry in &view.entries {
        let digest: String = entry.digest.chars().take(12).collect();
        console.line(&format!("{}  {}  {} by {}  {digest}", entry.number, entry.at, entry.cause, entry.who))?;
        for change in entry.changes.iter().take(CHANGES_SHOWN) {
            console.line(&format!("   {}", shown(change)))?;
        }
        if let Some(more) = entry.changes.len().checked_sub(CHANGES_SHOWN).filter(|more| *more > 0) {
            console.line(&format!("   and {more} more; --json shows all"))?;
        }
    }
    if view.entries.is_empty() {
        console.line("none yet; the first start makes one")?;
    }
    Ok(())
}

impl From<Unread> for Failure {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Refused(refusal) => refusal.into(),
            Unread::Faults(faults) => Self::Faults(faults),
        }
    }
}
