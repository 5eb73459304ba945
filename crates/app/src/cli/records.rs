//! `syncline records show`: why a record is as it is.
//!
//! Promises: what each link waits for comes first, its history after it. Leaves to others: finding it (`crate::control`).

use clap::{Args, Subcommand};
use syncline_core::record::Value;

use super::console::{Console, Failure, row};
use super::target::Target;
use crate::control::{Answer, EventView, LinkView, RecordView, Request};

/// `syncline records`.
#[derive(Debug, Subcommand)]
pub(super) enum RecordsCommand {
    /// Show one with its links, newest events, attempts and letters
    #[command(before_help = "Examples:\n  syncline records show contacts A1234\n  syncline records show contacts A1234 --json")]
    Show(ShowArgs),
}

/// `syncline records show`.
#[derive(Debug, Clone, Args)]
pub(super) struct ShowArgs {
    /// The record type
    #[arg(value_name = "TYPE")]
    record_type: String,
    /// The record's key
    key: String,
    #[command(flatten)]
    target: Target,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn records(command: &RecordsCommand, console: &mut Console) -> Result<u8, Failure> {
    let RecordsCommand::Show(args) = command;
    let request = Request::Record { record_type: args.record_type.clone(), key: args.key.clone() };
    let Answer::Record(view) = args.target.ask(&request)? else { return Err(super::unexpected()) };
    if args.json {
        console.json(&view)?;
    } else {
        show(&view, console)?;
    }
    Ok(0)
}

/// A value for people.
pub(super) fn shown(value: Option<&Value>) -> String {
    match value {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Bool(flag)) => flag.to_string(),
        Some(Value::Number { number }) => number.clone(),
        None => "null".to_owned(),
    }
}

fn show(view: &RecordView, console: &mut Console) -> Result<(), Failure> {
    let version = &view.version;
    console.line(&format!("{} {}: {}, generation {}", view.record_type, view.key, view.state, view.generation))?;
    console.line(&format!("newest change: {}, epoch {}, {}", version.source, version.epoch, version.order))?;
    let fields: Vec<_> = view.fields.iter().map(|(name, value)| row([name, &shown(Some(value))])).collect();
    console.table(2, &fields)?;
    if view.links.is_empty() {
        console.line("\nno links: no route has ever named a system for it")?;
    }
    for link in &view.links {
        show_link(link, console)?;
    }
    console.line("\nevents, newest first")?;
    let events: Vec<_> = view.events.iter().map(event).collect();
    console.table(2, &events)
}

fn show_link(link: &LinkView, console: &mut Console) -> Result<(), Failure> {
    console.line(&format!("\n{} {}: {}", link.system, link.object, link.state))?;
    let id = link.external_id.as_deref().unwrap_or("-");
    let mut rows = vec![
        row(["why", &link.why]),
        row(["link", &link.id.to_string()]),
        row(["their id", id]),
        row(["should be", &link.desired]),
        row(["deliveries", &format!("{} opened, {} closed, {} open", link.opened, link.closed, link.open)]),
    ];
    if let Some(base) = &link.base {
        let held = base.ours.iter().map(|(name, value)| {
            let theirs = base.theirs.get(name).map(|theirs| format!(" (there: {})", shown(theirs.as_ref()))).unwrap_or_default();
            format!("{name} {}{theirs}", shown(value.as_ref()))
        });
        let held: Vec<_> = held.collect();
        rows.push(row(["agreed on", &format!("generation {}: {}", base.generation, held.join(", "))]));
    }
    for attempt in &link.attempts {
        let covers = format!("deliveries {} to {}", attempt.covers_after + 1, attempt.covers_to);
        let text = format!("{} {}: {}, {}, {covers}", attempt.id, attempt.operation, attempt.fate, attempt.opened_at);
        rows.push(row(["attempt", &text]));
    }
    for replaced in &link.replaced {
        let why = replaced.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        rows.push(row(["replaced", &format!("{} by {}{why}", replaced.row, replaced.instead)]));
    }
    for resync in &link.resyncs {
        let forced = if resync.forced { ", by force" } else { "" };
        rows.push(row(["resync", &format!("delivery {}, {}{forced}", resync.number, resync.at)]));
    }
    for letter in &link.letters {
        rows.push(row(["letter", &format!("{} {}: {}", letter.id, letter.code, letter.message)]));
        rows.push(row(["", &format!("remedy: {}", letter.remedy)]));
    }
    console.table(2, &rows)
}

fn event(event: &EventView) -> Vec<String> {
    let opened = event.opened.iter().map(|opened| {
        let note = if opened.is_move { " (leaves)" } else { "" };
        let end = if opened.is_open { "open" } else { "closed" };
        format!("{} {}{note} {end}", opened.system, opened.number)
    });
    let opened: Vec<_> = opened.collect();
    row([
        &event.accepted_at,
        &event.operation,
        &format!("{} {}:{}", event.source, event.epoch, event.position),
        &event.came_to,
        &opened.join(", "),
    ])
}
