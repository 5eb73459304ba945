//! `syncline top`: a running process at a glance, again and again.
//!
//! Promises: on a terminal a view that is drawn anew every second; in a pipe, or with `--once`, lines or JSON. Pauses and resumes on a key.
//! Leaves to others: the figures (`live`, `crate::control`).

use std::io::IsTerminal;
use std::time::Duration;

use clap::Args;
use syncline_engine::ports::clock::Clock;

use super::console::{Console, Failure};
use super::live::{Glance, Key, Screen};
use super::target::Target;
use crate::clock::WallClock;
use crate::control::{Answer, Door, Request};

pub(super) const EXAMPLES: &str = "\
Examples:
  syncline top -c syncline.yaml
  syncline top --data syncline-demo --once --json";

const KEYS: &str = "tab: next lane   p: pause or resume it   q: quit";
const EVERY: Duration = Duration::from_secs(1);
/// Letters asked for; the newest of them are shown.
const LETTERS_MAX: usize = 1000;

/// `syncline top`.
#[derive(Debug, Clone, Args)]
pub(super) struct TopArgs {
    #[command(flatten)]
    target: Target,
    /// One look instead of a view
    #[arg(long)]
    once: bool,
    /// Answer as JSON
    #[arg(long, requires = "once")]
    json: bool,
}

pub(super) fn top(args: &TopArgs, console: &mut Console) -> Result<u8, Failure> {
    let mut door = args.target.open()?;
    let done = watch(args, &mut door, console);
    door.close();
    done.map(|()| 0)
}

fn watch(args: &TopArgs, door: &mut Door, console: &mut Console) -> Result<(), Failure> {
    let first = look(door, None)?;
    let is_viewed = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    if args.once || !is_viewed {
        return if args.json { console.json(&first) } else { first.lines().iter().try_for_each(|line| console.line(line)) };
    }
    let mut screen = Screen::take()?;
    let (mut glance, mut marked, mut note) = (first, 0, String::new());
    loop {
        screen.show(&glance, marked, "syncline top", KEYS, &note)?;
        match screen.key(EVERY)? {
            Some(Key::Quit) => return Ok(()),
            Some(Key::Next) => marked = glance.after(marked),
            Some(Key::Other('p')) => note = glance.lane(marked).map_or(Ok(String::new()), |(system, is_paused)| switch(door, system, is_paused))?,
            Some(Key::Other(_)) => {}
            None => glance = look(door, Some(&glance))?,
        }
    }
}

fn look(door: &mut Door, before: Option<&Glance>) -> Result<Glance, Failure> {
    let Answer::Ledger(ledger) = door.ask(&Request::Ledger { verify: false })? else { return Err(super::unexpected()) };
    let Answer::Quota(quota) = door.ask(&Request::Quota)? else { return Err(super::unexpected()) };
    let Answer::Letters(letters) = door.ask(&Request::Letters { all: false, after: None, limit: LETTERS_MAX })? else { return Err(super::unexpected()) };
    Ok(Glance::of(&ledger, &quota, &letters.letters, WallClock.now(), before))
}

fn switch(door: &mut Door, system: &str, is_paused: bool) -> Result<String, Failure> {
    door.ask(&wish(system, is_paused))?;
    Ok(format!("{system} {}", if is_paused { "goes on" } else { "is paused" }))
}

/// The wish that turns a lane's state into the other one.
pub(super) fn wish(system: &str, is_paused: bool) -> Request {
    if is_paused {
        Request::Resume { system: system.to_owned() }
    } else {
        Request::Pause { system: system.to_owned(), reason: Some("paused in a terminal view".to_owned()) }
    }
}
