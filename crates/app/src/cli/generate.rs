//! `syncline generate`: made-up contact events, one a line.
//!
//! Promises: the same flags give the same bytes, on every machine. Leaves to others: what the events are (the
//! generator), sending them (`generate_http`).

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use syncline_adapters::systems::generator::feed::START;
use reqwest::Url;
use syncline_adapters::systems::generator::{GeneratedEvent, Generator, GeneratorSettings};
use syncline_core::time::Timestamp;
use syncline_engine::ports::clock::Clock;

use super::console::{Console, Failure};
use super::generate_http::Posting;
use crate::clock::WallClock;
use crate::control::Refusal;

pub(super) const EXAMPLES: &str = "\
Examples:
  syncline generate --events 1000 --seed 7 --out contacts.jsonl
  syncline generate --events 500 --load-first --move-share 0.1     500 creates, then 500 updates, moves and deletes
  syncline generate --events 1000 --to http://127.0.0.1:8480/v1/events
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
    /// Send them to this address instead
    #[arg(long, value_name = "URL", conflicts_with = "out")]
    to: Option<Url>,
    /// The file that holds the caller's token; without it the variable SYNCLINE_TOKEN
    #[arg(long, value_name = "FILE", requires = "to")]
    token_file: Option<PathBuf>,
    /// Events in one request
    #[arg(long, value_name = "N", default_value_t = 100, requires = "to", value_parser = clap::value_parser!(u16).range(1..=1000))]
    batch: u16,
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
    if let Some(url) = &args.to {
        return super::block_on(send(args, url, events, console));
    }
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

async fn send(args: &GenerateArgs, url: &Url, events: impl Iterator<Item = GeneratedEvent>, console: &mut Console) -> Result<u8, Failure> {
    let mut posting = Posting::open(url, args.token_file.as_ref())?;
    let started = WallClock.now();
    let mut batch = Vec::new();
    for (number, event) in events.enumerate() {
        batch.push(event.to_json());
        if args.pace {
            crate::run::pause(due(started, number, args.rate).since(WallClock.now())).await;
        }
        if args.pace || batch.len() >= usize::from(args.batch) {
            posting.post(&batch).await?;
            batch.clear();
        }
    }
    if !batch.is_empty() {
        posting.post(&batch).await?;
    }
    console.line(&posting.told())?;
    Ok(u8::from(posting.counts.refused > 0))
}

/// When the event of that number is due.
fn due(started: Timestamp, number: usize, rate: f64) -> Timestamp {
    started.plus(Duration::try_from_secs_f64(number as f64 / rate).unwrap_or(Duration::MAX))
}

fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    let cannot = |error: std::io::Error| {
        Refusal::new(format!("{} cannot be created", path.display()), "name a file in a directory that can be written", 73).caused_by(&error)
    };
    Ok(BufWriter::new(File::create(path).map_err(cannot)?))
}

async fn paced(events: impl Iterator<Item = GeneratedEvent>, rate: f64, out: &mut Out<'_>) -> Result<(), Failure> {
    let started = WallClock.now();
    for (number, event) in events.enumerate() {
        let wait = due(started, number, rate).since(WallClock.now());
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
