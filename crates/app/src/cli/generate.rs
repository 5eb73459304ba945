//! `syncline generate`: made-up contact events, one a line.
//!
//! Promises: the same flags give the same bytes, on every machine. Leaves to others: what the events are (the generator).

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use syncline_adapters::systems::generator::feed::START;
use syncline_adapters::systems::generator::{Generator, GeneratorSettings};
use syncline_engine::ports::clock::Clock;

use super::console::{Console, Failure};
use crate::clock::WallClock;
use crate::control::Refusal;

pub(super) const EXAMPLES: &str = "\
Examples:
  syncline generate --events 1000 --seed 7 --out contacts.jsonl
  syncline generate --events 500 --load-first --move-share 0.1     500 creates, then 500 updates, moves and deletes
  syncline generate --pace --rate 20 | syncline run                 a stream without end (system kind: stdin)";

/// Events unless another number is named.
const EVENTS: u64 = 10;

/// `syncline generate`.
#[derive(Debug, Clone, Args)]
pub(super) struct GenerateArgs {
    /// So many events [default: 10, and without end with --pace]
    #[arg(long, value_name = "N")]
    events: Option<u64>,
    /// The same seed makes the same events
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// First create N records, then emit as many updates, moves and deletes
    #[arg(long, requires = "events")]
    load_first: bool,
    /// Emit at the mean rate instead of at once
    #[arg(long)]
    pace: bool,
    /// Mean events per second, also the distance of the events' own times
    #[arg(long, default_value_t = 5.0, value_name = "N")]
    rate: f64,
    /// Share of the updates that change the contact type
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    move_share: f64,
    /// Write to this file instead of the standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl GenerateArgs {
    fn generator(&self) -> Result<Generator, Failure> {
        let settings = GeneratorSettings { events_per_second: self.rate, move_share: self.move_share, ..GeneratorSettings::default() };
        let made = match self.events.filter(|_| self.load_first) {
            Some(first) => Generator::phased(&settings, self.seed, START, first),
            None => Generator::new(&settings, self.seed, START),
        };
        made.map_err(|faults| {
            let (messages, remedies): (Vec<_>, Vec<_>) =
                faults.iter().map(|fault| (format!("{} = {} {}", fault.key, fault.value, fault.rule), fault.remedy.clone())).unzip();
            Failure::new(messages.join("; "), remedies.join("; "), super::USAGE)
        })
    }

    /// How many events there are; None without end.
    fn count(&self) -> Option<u64> {
        match self.events {
            Some(events) if self.load_first => Some(events.saturating_mul(2)),
            Some(events) => Some(events),
            None => (!self.pace).then_some(EVENTS),
        }
    }
}

pub(super) fn generate(args: &GenerateArgs, console: &mut Console) -> Result<u8, Failure> {
    let events = args.generator()?.take(usize::try_from(args.count().unwrap_or(u64::MAX)).unwrap_or(usize::MAX));
    let mut out = match &args.out {
        Some(path) => Out::File(create(path)?, path),
        None => Out::Console(console),
    };
    if args.pace {
        super::block_on(paced(events, args.rate, &mut out))?;
    } else {
        for event in events {
            out.line(&event.to_json())?;
        }
    }
    out.flush()?;
    Ok(0)
}

fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    let cannot = |error: std::io::Error| {
        Refusal::new(format!("{} cannot be created", path.display()), "name a file in a directory that can be written", 73).caused_by(&error)
    };
    Ok(BufWriter::new(File::create(path).map_err(cannot)?))
}

async fn paced(events: impl Iterator<Item = syncline_adapters::systems::generator::GeneratedEvent>, rate: f64, out: &mut Out<'_>) -> Result<(), Failure> {
    let started = WallClock.now();
    for (number, event) in events.enumerate() {
        let due = started.plus(Duration::try_from_secs_f64(number as f64 / rate).unwrap_or(Duration::MAX));
        let wait = due.since(WallClock.now());
        if !wait.is_zero() {
            out.flush()?;
            crate::run::pause(wait).await;
        }
        out.line(&event.to_json())?;
    }
    Ok(())
}

/// Where events go.
enum Out<'a> {
    Console(&'a mut Console),
    File(BufWriter<File>, &'a Path),
}

impl Out<'_> {
    fn line(&mut self, line: &str) -> Result<(), Failure> {
        match self {
            Self::Console(console) => console.raw_line(line),
            Self::File(file, path) => writeln!(file, "{line}").map_err(|error| unwritten(path, &error)),
        }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        match self {
            Self::Console(console) => console.flush(),
            Self::File(file, path) => file.flush().map_err(|error| unwritten(path, &error)),
        }
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Refusal::new(format!("{} cannot be written", path.display()), "see that its disk has room", 74).caused_by(error).into()
}
