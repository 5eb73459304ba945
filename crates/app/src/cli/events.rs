//! `syncline events`: what was accepted, and one event followed to the CRMs' answers.
//!
//! Promises: `list` is paged, newest first, and says where to go on; `trace` tells what became of every delivery and why, and shows values
//! only where they are asked for.
//! Leaves to others: finding it (`crate::control`).

use clap::{Args, Subcommand};

use super::console::{Console, Failure, row, say};
use super::moment::Moment;
use super::records::shown;
use super::target::Target;
use crate::control::{Answer, DeliveryView, EventEntry, Request, TraceView};

/// `syncline events`.
#[derive(Debug, Subcommand)]
pub(super) enum EventsCommand {
    /// List accepted events, newest first
    #[command(before_help = "Examples:\n  syncline events list\n  syncline events list --record contacts A1234\n  \
        syncline events list --since 2h --state failed --jsonl")]
    List(ListArgs),
    /// Show one event and the deliveries that it opened
    #[command(before_help = "Examples:\n  syncline events show 17\n  syncline events show 17 --json")]
    Show(OneArgs),
    /// Follow one event to each CRM's answer
    #[command(before_help = "Examples:\n  syncline events trace 17\n  syncline events trace 17 --values")]
    Trace(TraceArgs),
}

/// `syncline events list`.
#[derive(Debug, Clone, Args)]
pub(super) struct ListArgs {
    /// Only of this record
    #[arg(long, num_args = 2, value_names = ["TYPE", "KEY"])]
    record: Option<Vec<String>>,
    /// Only of this source
    #[arg(long, value_name = "SYSTEM")]
    source: Option<String>,
    /// Only those that came to this
    #[arg(long, value_name = "WHAT", value_parser = ["routed", "unrouted", "stale"])]
    came_to: Option<String>,
    /// Only those accepted since: 30s, 15m, 2h, 7d ago or 2026-01-31T12:00:00Z
    #[arg(long, value_name = "WHEN")]
    since: Option<Moment>,
    /// Only those accepted before
    #[arg(long, value_name = "WHEN")]
    until: Option<Moment>,
    /// Only those that have come so far
    #[arg(long, value_name = "STATE", value_parser = ["pending", "dispatched", "processed", "retrying", "failed", "skipped"])]
    state: Option<String>,
    /// Only those before this one
    #[arg(long, value_name = "ID")]
    before: Option<i64>,
    /// At most so many
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    #[command(flatten)]
    target: Target,
    /// Answer as JSON
    #[arg(long, conflicts_with = "jsonl")]
    json: bool,
    /// Answer as JSON, one event a line
    #[arg(long)]
    jsonl: bool,
}

/// Which event, and how it is answered.
#[derive(Debug, Clone, Args)]
pub(super) struct OneArgs {
    /// Which
    id: i64,
    #[command(flatten)]
    target: Target,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// `syncline events trace`.
#[derive(Debug, Clone, Args)]
pub(super) struct TraceArgs {
    #[command(flatten)]
    one: OneArgs,
    /// Show what was written, too
    #[arg(long)]
    values: bool,
}

pub(super) fn events(command: &EventsCommand, console: &mut Console) -> Result<u8, Failure> {
    match command {
        EventsCommand::List(args) => list(args, console),
        EventsCommand::Show(args) => {
            let view = traced(args)?;
            let entry = EventEntry { record_type: view.record_type, key: view.key, event: view.event, status: Some(view.status) };
            if args.json {
                console.json(&entry)?;
            } else {
                console.table(0, &[line(&entry)])?;
                let opened = entry.event.opened.iter().map(|opened| {
                    let note = if opened.is_move { "leaves" } else { "" };
                    row([&opened.system, &format!("delivery {}", opened.number), if opened.is_open { "open" } else { "closed" }, note])
                });
                console.table(2, &opened.collect::<Vec<_>>())?;
            }
            Ok(0)
        }
        EventsCommand::Trace(args) => {
            let mut view = traced(&args.one)?;
            if !args.values {
                view.deliveries.iter_mut().flat_map(|delivery| &mut delivery.attempts).for_each(|attempt| attempt.values = None);
            }
            if args.one.json {
                console.json(&view)?;
            } else {
                trace(&view, console)?;
            }
            Ok(0)
        }
    }
}

fn traced(args: &OneArgs) -> Result<TraceView, Failure> {
    let Answer::Trace(view) = args.target.ask(&Request::Trace { id: args.id })? else { return Err(super::unexpected()) };
    Ok(*view)
}

fn list(args: &ListArgs, console: &mut Console) -> Result<u8, Failure> {
    let record = args.record.as_ref().and_then(|words| Some((words.first()?.clone(), words.get(1)?.clone())));
    let request = Request::Events {
        record,
        source: args.source.clone(),
        came_to: args.came_to.clone(),
        since: args.since.map(Moment::seen_now),
        until: args.until.map(Moment::seen_now),
        state: args.state.clone(),
        before: args.before,
        limit: usize::from(args.limit),
    };
    let Answer::Events(page) = args.target.ask(&request)? else { return Err(super::unexpected()) };
    if args.json {
        console.json(&page)?;
        return Ok(0);
    }
    if args.jsonl {
        for entry in &page.events {
            console.json_line(entry)?;
        }
    } else {
        let lines: Vec<_> = page.events.iter().map(line).collect();
        console.table(0, &lines)?;
        if lines.is_empty() {
            console.line("no such event")?;
        }
    }
    if let Some(next) = page.next {
        say(&format!("older ones: --before {next}"));
    }
    Ok(0)
}

fn line(entry: &EventEntry) -> Vec<String> {
    let event = &entry.event;
    row([
        &event.id.to_string(),
        &event.accepted_at,
        &event.operation,
        &format!("{} {}", entry.record_type, entry.key),
        &format!("{} {}:{}", event.source, event.epoch, event.position),
        entry.status.as_ref().unwrap_or(&event.came_to),
    ])
}

fn trace(view: &TraceView, console: &mut Console) -> Result<(), Failure> {
    let event = &view.event;
    console.line(&format!("event {}: {} {} {}, {}", event.id, event.operation, view.record_type, view.key, view.status))?;
    let place = format!("{}, epoch {}, position {}", event.source, event.epoch, event.position);
    let came_to = match event.came_to.as_str() {
        "stale" => "stale: something newer was known of the record",
        "unrouted" => "unrouted: no route names a system for it",
        routed => routed,
    };
    let rows = [
        row(["happened", &event.occurred_at]),
        row(["accepted", &event.accepted_at]),
        row(["from", &place]),
        row(["came to", came_to]),
    ];
    console.table(2, &rows)?;
    for delivery in &view.deliveries {
        console.line("")?;
        show_delivery(delivery, console)?;
    }
    Ok(())
}

fn show_delivery(delivery: &DeliveryView, console: &mut Console) -> Result<(), Failure> {
    let note = if delivery.is_move { ", which the record leaves" } else { "" };
    console.line(&format!("{} {}{note}: {}", delivery.system, delivery.object, delivery.came_to))?;
    let mut rows = vec![
        row(["why", &delivery.why]),
        row(["delivery", &format!("{} of link {}", delivery.number, delivery.link)]),
        row(["their id", delivery.external_id.as_deref().unwrap_or("-")]),
    ];
    for attempt in &delivery.attempts {
        rows.push(row(["attempt", &format!("{} {}: {}, {}", attempt.id, attempt.operation, attempt.fate, attempt.opened_at)]));
        let values: Vec<_> = match &attempt.values {
            Some(values) => values.iter().map(|(name, value)| format!("{name} {}", shown(value.as_ref()))).collect(),
            None => attempt.fields.clone(),
        };
        if !values.is_empty() {
            rows.push(row(["", &values.join(", ")]));
        }
    }
    for letter in &delivery.letters {
        rows.push(row(["letter", &format!("{} {}, {}", letter.id, letter.code, letter.state)]));
    }
    console.table(2, &rows)
}
