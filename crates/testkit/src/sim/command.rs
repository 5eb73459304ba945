//! The simulator's command line, and runs over many seeds.
//!
//! Promises: what is printed is enough to repeat a failure. Leaves to others: single runs (`run`).

use std::collections::BTreeMap;
use std::process::ExitCode;

use syncline_core::dispatch::moves::MOVES;
use syncline_core::dispatch::planted::{Bug, Planted};

use super::run::{Outcome, run};

/// What must occur at least once over enough seeds.
pub const FAULTS: [&str; 16] = [
    "503",
    "429",
    "401",
    "answer lost",
    "request lost",
    "not sent",
    "half batch or late",
    "zombie landed",
    "arrived after its sender gave up",
    "crash",
    "record with a letter",
    "repeated event",
    "pause lifted",
    "record that was there before",
    "refit",
    "resync",
];

/// Facts of the ledger that must occur at least once over enough seeds.
pub const FACTS: [&str; 4] = ["fact adopted", "fact detoured", "fact unknown", "letters overtaken"];

/// What many seeds came to.
#[derive(Debug, Default)]
pub struct Summary {
    /// Seeds run.
    pub seeds: u64,
    /// The first failures, with what was wrong.
    pub failed: Vec<(u64, Vec<String>)>,
    /// Faults by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// Moves by name.
    pub moves: BTreeMap<String, u64>,
    /// The ledgers' counters.
    pub ledger: BTreeMap<String, u64>,
}

impl Summary {
    /// Runs seeds `from ..`; stops at the first failure if told so.
    #[must_use]
    pub fn of(from: u64, seeds: u64, planted: Planted, stop_at_first: bool) -> Self {
        let mut summary = Self::default();
        for seed in from..from + seeds {
            summary.add(run(seed, planted));
            if stop_at_first && !summary.failed.is_empty() {
                break;
            }
        }
        summary
    }

    fn add(&mut self, outcome: Outcome) {
        self.seeds += 1;
        for (name, count) in outcome.faults {
            *self.faults.entry(name).or_default() += count;
        }
        for (name, count) in outcome.moves {
            *self.moves.entry(name).or_default() += count;
        }
        for (name, count) in outcome.ledger {
            *self.ledger.entry(name).or_default() += count;
        }
        if !outcome.violations.is_empty() {
            self.failed.push((outcome.seed, outcome.violations));
        }
    }

    /// Faults and legal moves that never occurred.
    #[must_use]
    pub fn never(&self) -> Vec<String> {
        let faults = FAULTS.iter().filter(|name| !self.faults.contains_key(**name)).map(|name| (*name).to_owned());
        let moves = MOVES.iter().map(|(from, to)| format!("{} -> {}", from.name(), to.name()));
        let moves = moves.filter(|name| !self.moves.contains_key(name));
        let facts = FACTS.iter().filter(|name| self.ledger.get(**name).is_none_or(|count| *count == 0)).map(|name| (*name).to_owned());
        faults.chain(moves).chain(facts).collect()
    }
}

struct Wish {
    seeds: u64,
    from: u64,
    bug: Option<Bug>,
    trace: bool,
}

/// The command.
#[must_use]
pub fn main(arguments: Vec<String>) -> ExitCode {
    let wish = match parse(arguments) {
        Ok(wish) => wish,
        Err(text) => {
            eprintln!("{text}\nusage: sim [--seeds N] [--from B] [--seed S] [--bug NAME] [--trace]");
            return ExitCode::from(64);
        }
    };
    if wish.trace {
        for line in run(wish.from, wish.bug.map_or(Planted::NONE, Planted::dangerously)).trace {
            println!("{line}");
        }
    }
    match wish.bug {
        Some(bug) => hunt(bug, &wish),
        None => check(&wish),
    }
}

fn hunt(bug: Bug, wish: &Wish) -> ExitCode {
    let summary = Summary::of(wish.from, wish.seeds, Planted::dangerously(bug), true);
    match summary.failed.first() {
        Some((seed, violations)) => {
            println!("{}: caught at seed {seed}: {}", bug.name(), violations.first().map_or("", String::as_str));
            ExitCode::SUCCESS
        }
        None => {
            println!("{}: survived {} seeds", bug.name(), summary.seeds);
            ExitCode::FAILURE
        }
    }
}

fn check(wish: &Wish) -> ExitCode {
    let summary = Summary::of(wish.from, wish.seeds, Planted::NONE, false);
    for (name, count) in &summary.faults {
        println!("fault  {count:>9}  {name}");
    }
    for (name, count) in &summary.moves {
        println!("move   {count:>9}  {name}");
    }
    for (name, count) in &summary.ledger {
        println!("ledger {count:>9}  {name}");
    }
    for (seed, violations) in summary.failed.iter().take(10) {
        println!("seed {seed} failed:");
        for violation in violations.iter().take(8) {
            println!("    {violation}");
        }
    }
    let never = if wish.seeds >= 300 { summary.never() } else { Vec::new() };
    for name in &never {
        println!("never occurred: {name}");
    }
    println!("{} passed, {} failed", summary.seeds - summary.failed.len() as u64, summary.failed.len());
    if summary.failed.is_empty() && never.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn parse(arguments: Vec<String>) -> Result<Wish, String> {
    let mut wish = Wish { seeds: 300, from: 0, bug: None, trace: false };
    let mut arguments = arguments.into_iter();
    while let Some(flag) = arguments.next() {
        if flag == "--trace" {
            wish.trace = true;
            continue;
        }
        let value = arguments.next().ok_or_else(|| format!("{flag} needs a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{flag} needs a number, not {value}"));
        match flag.as_str() {
            "--seeds" => wish.seeds = number()?,
            "--from" => wish.from = number()?,
            "--seed" => (wish.from, wish.seeds) = (number()?, 1),
            "--bug" => {
                let bug = Bug::ALL.iter().copied().find(|bug| bug.name() == value);
                let names: Vec<_> = Bug::ALL.iter().map(|bug| bug.name()).collect();
                wish.bug = Some(bug.ok_or_else(|| format!("no planted bug {value}; there are {}", names.join(", ")))?);
            }
            _ => return Err(format!("unknown flag {flag}")),
        }
    }
    Ok(wish)
}
