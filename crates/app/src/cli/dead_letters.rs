//! `syncline dead-letters`: what was given up, trying it again, and letting it go.
//!
//! Promises: `list` is paged; what a source sent is shown by `show` alone; `replay` ends with 1 if a letter could not be replayed.
//! Leaves to others: ending letters (`crate::control`).

use clap::{Args, Subcommand};
use serde::Serialize;

use super::causes::{Cause, all_waiting, group};
use super::console::{Console, Failure, row, say, told};
use super::preview::preview;
use super::target::{Form, Target};
use crate::control::{Answer, Door, LetterView, Replayed, Request};

/// Letters replayed at once.
const CHUNK: usize = 100;

/// `syncline dead-letters`.
#[derive(Debug, Subcommand)]
pub(super) enum DeadLettersCommand {
    /// List them, oldest first
    #[command(before_help = "Examples:\n  syncline dead-letters list\n  syncline dead-letters list --by-cause\n  syncline dead-letters list --all --after 1200 --json")]
    List(ListArgs),
    /// Show one, with the raw input
    #[command(before_help = "Examples:\n  syncline dead-letters show 17")]
    Show(ShowArgs),
    /// Try them again, from the records' present state
    #[command(before_help = "Examples:\n  syncline dead-letters replay 17 18 --preview --values\n  syncline dead-letters replay 17 18\n  syncline dead-letters replay --all-waiting")]
    Replay(ReplayArgs),
    /// Let one go
    #[command(before_help = "Examples:\n  syncline dead-letters discard 17 --reason 'a test record'")]
    Discard(DiscardArgs),
}

/// `syncline dead-letters list`.
#[derive(Debug, Clone, Args)]
pub(super) struct ListArgs {
    /// Those that wait, grouped by what caused them
    #[arg(long, conflicts_with_all = ["all", "after"])]
    by_cause: bool,
    /// Ended ones too
    #[arg(long)]
    all: bool,
    /// Only those behind this one
    #[arg(long, value_name = "ID")]
    after: Option<i64>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    form: Form,
}

/// `syncline dead-letters show`.
#[derive(Debug, Clone, Args)]
pub(super) struct ShowArgs {
    /// Which
    id: i64,
    #[command(flatten)]
    target: Target,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// `syncline dead-letters replay`.
#[derive(Debug, Clone, Args)]
pub(super) struct ReplayArgs {
    /// Which
    #[arg(value_name = "ID", required_unless_present = "all_waiting")]
    ids: Vec<i64>,
    /// All that wait
    #[arg(long, conflicts_with = "ids")]
    all_waiting: bool,
    /// Only show what would be written now, or why it would be refused again
    #[arg(long)]
    preview: bool,
    /// Show values in the preview, too
    #[arg(long, requires = "preview")]
    values: bool,
    #[command(flatten)]
    target: Target,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// `syncline dead-letters discard`.
#[derive(Debug, Clone, Args)]
pub(super) struct DiscardArgs {
    /// Which
    id: i64,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    target: Target,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn dead_letters(command: &DeadLettersCommand, console: &mut Console) -> Result<u8, Failure> {
    match command {
        DeadLettersCommand::List(args) => list(args, console),
        DeadLettersCommand::Show(args) => show(args, console),
        DeadLettersCommand::Replay(args) => replay(args, console),
        DeadLettersCommand::Discard(args) => discard(args, console),
    }
}

fn list(args: &ListArgs, console: &mut Console) -> Result<u8, Failure> {
    if args.by_cause {
        return by_cause(args, console);
    }
    let request = Request::Letters { all: args.all, after: args.after, limit: usize::from(args.limit) };
    let Answer::Letters(page) = args.target.ask(&request)? else { return Err(super::unexpected()) };
    if args.form.json {
        console.json(&page)?;
        return Ok(0);
    }
    if args.form.jsonl {
        page.letters.iter().try_for_each(|letter| console.json_line(letter))?;
        return Ok(0);
    }
    let mut rows = vec![row(["id", "state", "held", "created", "where", "why"])];
    for letter in &page.letters {
        let (id, held) = (letter.id.to_string(), letter.held.to_string());
        rows.push(row([&id, &letter.state, &held, &letter.created_at, &letter.place, &reason(letter)]));
        rows.push(row(["", "", "", "", "", &format!("remedy: {}", letter.remedy)]));
    }
    if page.letters.is_empty() {
        console.line("none")?;
    } else {
        console.list(&rows)?;
    }
    if let Some(last) = page.letters.last().filter(|_| page.more) {
        say(&format!("there are more: --after {}", last.id));
    }
    say(&format!("{} waiting", page.waiting));
    Ok(0)
}

/// Every cause, the most frequent first.
#[derive(Debug, Serialize)]
struct Grouped {
    causes: Vec<Cause>,
}

fn by_cause(args: &ListArgs, console: &mut Console) -> Result<u8, Failure> {
    let mut door = args.target.open()?;
    let letters = all_waiting(&mut door);
    door.close();
    let mut causes = group(letters?);
    causes.truncate(usize::from(args.limit));
    if args.form.json {
        console.json(&Grouped { causes })?;
        return Ok(0);
    }
    if args.form.jsonl {
        causes.iter().try_for_each(|cause| console.json_line(cause))?;
        return Ok(0);
    }
    if causes.is_empty() {
        console.line("none")?;
        return Ok(0);
    }
    let mut rows = vec![row(["letters", "held", "cause", "for example"])];
    for cause in &causes {
        let code = cause.name();
        let example = format!("{} {}: {}", cause.example, cause.example_place, cause.example_message);
        rows.push(row([&cause.count.to_string(), &cause.held.to_string(), &code, &example]));
        rows.push(row(["", "", "", &format!("remedy: {}", cause.remedy)]));
    }
    console.list(&rows)?;
    Ok(0)
}

fn reason(letter: &LetterView) -> String {
    match &letter.field {
        Some(field) => format!("{} ({field}): {} [{}]", letter.code, letter.message, letter.error),
        None => format!("{}: {} [{}]", letter.code, letter.message, letter.error),
    }
}

fn show(args: &ShowArgs, console: &mut Console) -> Result<u8, Failure> {
    let Answer::Letter(letter) = args.target.ask(&Request::Letter { id: args.id })? else { return Err(super::unexpected()) };
    if args.json {
        console.json(&letter)?;
        return Ok(0);
    }
    let mut rows = vec![
        row(["letter", &letter.id.to_string()]),
        row(["state", &letter.state]),
        row(["where", &letter.place]),
    ];
    let mut maybe = |name: &str, value: Option<String>| rows.extend(value.map(|value| row([name, &value])));
    maybe("source", letter.source.clone());
    maybe("link", letter.link.map(|link| link.to_string()));
    maybe("why", Some(reason(&letter)));
    maybe("remedy", Some(letter.remedy.clone()));
    maybe("holds", letter.link.map(|_| format!("{} deliveries", letter.held)));
    maybe("created", Some(letter.created_at.clone()));
    maybe("ended", letter.ended_at.clone());
    maybe("note", letter.note.clone());
    maybe("raw", letter.raw.clone());
    maybe("raw (hex)", letter.raw_hex.clone());
    console.table(0, &rows)?;
    Ok(0)
}

fn replay(args: &ReplayArgs, console: &mut Console) -> Result<u8, Failure> {
    let mut door = args.target.open()?;
    if args.preview {
        let ids = chosen(&mut door, args);
        let shown = ids.and_then(|ids| preview(&mut door, &ids, args.json, args.values, console));
        door.close();
        return shown;
    }
    let replayed = replay_all(&mut door, args);
    door.close();
    let replayed = replayed?;
    let failed = replayed.letters.iter().filter(|letter| letter.refused.is_some()).count();
    if args.json {
        console.json(&replayed)?;
    } else {
        for letter in &replayed.letters {
            if let Some(done) = &letter.done {
                console.line(&format!("{}: {done}", letter.id))?;
            }
            if let Some(refused) = &letter.refused {
                say(&format!("{}: {}", letter.id, told(refused)));
            }
        }
        say(&format!("{} replayed, {failed} not", replayed.letters.len() - failed));
    }
    Ok(u8::from(failed > 0))
}

/// The letters that are meant.
fn chosen(door: &mut Door, args: &ReplayArgs) -> Result<Vec<i64>, Failure> {
    Ok(if args.all_waiting { all_waiting(door)?.iter().map(|letter| letter.id).collect() } else { args.ids.clone() })
}

fn replay_all(door: &mut Door, args: &ReplayArgs) -> Result<Replayed, Failure> {
    // A replay that fails makes a new letter: which wait is settled before the first one is replayed.
    let ids = chosen(door, args)?;
    let mut all = Replayed { letters: Vec::with_capacity(ids.len()) };
    for chunk in ids.chunks(CHUNK) {
        let Answer::Replayed(replayed) = door.ask(&Request::Replay { ids: chunk.to_vec() })? else { return Err(super::unexpected()) };
        all.letters.extend(replayed.letters);
    }
    Ok(all)
}

fn discard(args: &DiscardArgs, console: &mut Console) -> Result<u8, Failure> {
    let request = Request::Discard { id: args.id, reason: args.reason.clone() };
    let Answer::Discarded(ended) = args.target.ask(&request)? else { return Err(super::unexpected()) };
    if args.json {
        console.json(&ended)?;
    } else {
        console.line(&format!("{}: {}", ended.id, ended.done.unwrap_or_default()))?;
    }
    Ok(0)
}
