//! `syncline tail`: what the running process does, as it happens, and what it did.
//!
//! Promises: what is told is durable, each thing once; a line each for a person, or a JSON object a line. Values are hidden unless they are
//! asked for. Ctrl-C, the end of the process and a reader that goes away end it with 0. Leaves to others: what happens (`crate::control`).

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use clap::Args;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::console::{Console, Failure, say};
use super::moment::Moment;
use super::records::shown;
use super::signals::Signals;
use super::target::Target;
use crate::control::{Answer, Conversation, Happening, Past, Place, Request, Wish};
use crate::run::pause;

pub(super) const EXAMPLES: &str = "\
Examples:
  syncline tail
  syncline tail --failed --system salesforce
  syncline tail --since 15m --no-follow --jsonl";

/// Things of the past that are told at most.
const PAST_MAX: usize = 10_000;
/// How far `--no-follow` looks back by itself.
const BACK: Moment = Moment::Ago(Duration::from_secs(15 * 60));

/// How often it is looked whether somebody reads.
const LOOK: Duration = Duration::from_millis(500);

/// `syncline tail`.
#[derive(Debug, Clone, Args)]
pub(super) struct TailArgs {
    /// Only what concerns this system's writes; again for more
    #[arg(long, value_name = "NAME")]
    system: Vec<String>,
    /// Only what this source brought; again for more
    #[arg(long, value_name = "NAME")]
    source: Vec<String>,
    /// Only what went wrong: letters, pauses, and writes that were not done or of which nobody knows
    #[arg(long)]
    failed: bool,
    /// First what happened since: 30s, 15m, 2h, 7d or 2026-01-31T12:00:00Z
    #[arg(long, value_name = "WHEN")]
    since: Option<Moment>,
    /// Only what happened until now, by itself of the last 15 minutes; no process need run
    #[arg(long)]
    no_follow: bool,
    /// Show what was written, too
    #[arg(long)]
    values: bool,
    #[command(flatten)]
    target: Target,
    /// Answer as JSON, a thing a line
    #[arg(long)]
    jsonl: bool,
}

pub(super) fn tail(args: &TailArgs, console: &mut Console) -> Result<u8, Failure> {
    let wish = Wish { of: args.system.iter().chain(&args.source).cloned().collect(), failed: args.failed };
    let mut printer = Printer { console, jsonl: args.jsonl, values: args.values, shown: BTreeSet::new() };
    let since = args.since.or_else(|| args.no_follow.then_some(BACK)).map(Moment::seen_now);
    let look_back = since.map(|since| Request::Past { wish: wish.clone(), since, limit: PAST_MAX });
    match look_back {
        Some(request) if args.no_follow => {
            let Answer::Past(past) = args.target.ask(&request)? else { return Err(super::unexpected()) };
            printer.past(past)?;
        }
        look_back => {
            let (place, _) = args.target.find()?;
            super::block_on(follow(&place, wish, look_back, &mut printer))?;
        }
    }
    Ok(0)
}

async fn follow(place: &Place, wish: Wish, look_back: Option<Request>, printer: &mut Printer<'_>) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let mut unread = pin!(unread());
    let mut process = Conversation::begin(place).await?;
    // Nothing is lost between the past and what follows: the latter is received first.
    let Answer::Following = process.ask(&Request::Follow { wish }).await? else { return Err(super::unexpected()) };
    if let Some(request) = look_back {
        let Answer::Past(past) = Conversation::begin(place).await?.ask(&request).await? else { return Err(super::unexpected()) };
        printer.past(past)?;
    }
    loop {
        let told = tokio::select! {
            told = process.next() => told?,
            _ = signals.next() => return Ok(()),
            () = unread.as_mut() => return Ok(()),
        };
        match told {
            Some(Answer::Happening(happening)) => printer.print(*happening)?,
            Some(Answer::FollowingEnded) => {
                say("the process has ended");
                return Ok(());
            }
            Some(_) => return Err(super::unexpected()),
            None => {
                let remedy = "see what the process did last with `syncline tail --no-follow`";
                return Err(Failure::new("the process broke off before it had told everything", remedy, 75));
            }
        }
    }
}

/// Returns once nobody reads the output any more, so that a tail with nothing to say ends with its reader as well; never, where the output
/// is nothing that has a reader.
async fn unread() {
    loop {
        pause(LOOK).await;
        let output = std::io::stdout();
        let mut watched = [PollFd::new(&output, PollFlags::empty())];
        // What cannot be watched is found out by the next write.
        let looked = poll(&mut watched, Some(&Timespec::default()));
        if looked.is_ok() && watched[0].revents().intersects(PollFlags::ERR) {
            return;
        }
    }
}

/// Prints each thing once.
struct Printer<'c> {
    console: &'c mut Console,
    jsonl: bool,
    values: bool,
    /// What was told of the past, which may be told anew.
    shown: BTreeSet<(&'static str, i64)>,
}

impl Printer<'_> {
    fn past(&mut self, past: Past) -> Result<(), Failure> {
        if past.more {
            say(&format!("only the newest {} are shown", past.happenings.len()));
        }
        for happening in past.happenings {
            let identity = identity(&happening);
            self.print(happening)?;
            self.shown.extend(identity);
        }
        Ok(())
    }

    fn print(&mut self, mut happening: Happening) -> Result<(), Failure> {
        if identity(&happening).is_some_and(|identity| self.shown.remove(&identity)) {
            return Ok(());
        }
        if let (Happening::Attempt { values, .. }, false) = (&mut happening, self.values) {
            *values = None;
        }
        if self.jsonl {
            self.console.json_line(&happening)?;
        } else {
            self.console.line(&line(&happening))?;
        }
        self.console.flush()
    }
}

/// What tells two things apart, where one may be told twice.
fn identity(happening: &Happening) -> Option<(&'static str, i64)> {
    match happening {
        Happening::Event { id, .. } => Some(("event", *id)),
        // What is unknown may still be settled.
        Happening::Attempt { id, fate, .. } => Some((if fate == "unknown" { "unknown" } else { "attempt" }, *id)),
        Happening::Letter { letter, .. } => Some(("letter", letter.id)),
        Happening::LetterEnded { id, .. } => Some(("ended", *id)),
        Happening::Pause { .. } | Happening::Resume { .. } | Happening::Missed { .. } => None,
    }
}

fn line(happening: &Happening) -> String {
    match happening {
        Happening::Event { at, id, source, operation, record_type, key, came_to } => {
            format!("{at}  event {id}  {source}: {operation} {record_type} {key}, {came_to}")
        }
        Happening::Attempt { at, id, system, object, operation, record_type, key, fate, fields, values } => {
            let held = match values {
                Some(values) => values.iter().map(|(name, value)| format!("{name}={}", shown(value.as_ref()))).collect(),
                None => fields.clone(),
            };
            let held = if held.is_empty() { String::new() } else { format!(" ({})", held.join(", ")) };
            format!("{at}  attempt {id}  {system} {object}: {operation} {record_type} {key}, {fate}{held}")
        }
        Happening::Letter { at, system, letter } => {
            let of = system.as_ref().or(letter.source.as_ref()).map(|of| format!("{of}: ")).unwrap_or_default();
            let field = letter.field.as_ref().map(|field| format!(" ({field})")).unwrap_or_default();
            format!("{at}  letter {}  {of}{}: {}{field}: {} [{}]", letter.id, letter.place, letter.code, letter.message, letter.error)
        }
        Happening::LetterEnded { at, id, of, place, state, note } => format!("{at}  letter {id}  {of}: {place}: {state}: {note}"),
        Happening::Pause { at, system, scope, reason } => format!("{at}  pause  {system}: {scope} stand still: {reason}"),
        Happening::Resume { at, system, scope } => format!("{at}  resume  {system}: {scope} go on"),
        Happening::Missed { commits } => format!("missed {commits} commits: too slow for what happens"),
    }
}
