//! The generator as a feed: unpaced up to a number of events, or a continuous stream at its mean rate.
//!
//! Promises: the port's; the checkpoint is seed and counter, and the same seed gives the same inputs in every process. Between
//! the two phases of a load the feed waits until it is told that the first is settled.
//! Leaves to others: what the events are (`stream`), knowing when a phase is settled (whoever owns the `Gate`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use syncline_core::checkpoint::Checkpoint;
use syncline_core::ids::SourceId;
use syncline_core::time::Timestamp;
use syncline_engine::error::{Error, Kind, Result};
use syncline_engine::ports::feed::{Feed, FeedGroup, FeedInput, Polled};

use super::{Generator, GeneratorSettings};

/// When the generated stream begins, so that a seed makes it reproducible to the byte: 2024-01-15T10:30:00Z.
pub const START: jiff::Timestamp = jiff::Timestamp::constant(1_705_314_600, 0);
/// How often a closed gate is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// What is generated, and how fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// A stream without end at the settings' rate.
    Continuous,
    /// So many events, as fast as they are taken.
    Events(u64),
    /// So many creates, then, once the gate opens, as many updates, moves and deletes.
    Phased(u64),
}

/// Holds the second phase back until the first is settled.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<AtomicBool>);

impl Gate {
    /// Lets the second phase begin.
    pub fn open(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether it is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Cursor {
    seed: u64,
    counter: u64,
}

/// The feed.
#[derive(Debug)]
pub struct GeneratorFeed {
    source: SourceId,
    settings: GeneratorSettings,
    seed: u64,
    load: Load,
    gate: Gate,
    stream: Generator,
    epoch: i64,
    /// When the counter had which value, for the pace of a continuous stream.
    pace: Option<(Timestamp, u64)>,
}

impl GeneratorFeed {
    /// A feed that was not sought yet.
    ///
    /// # Errors
    /// `Config` with every fault of the settings.
    pub fn new(source: SourceId, settings: GeneratorSettings, seed: u64, load: Load, gate: Gate) -> Result<Self> {
        let stream = make(&settings, seed, load)?;
        Ok(Self { source, settings, seed, load, gate, stream, epoch: 1, pace: None })
    }

    /// How many more events may be handed over now; None once there will never be any.
    fn allowed(&mut self, now: Timestamp) -> Option<u64> {
        let counter = self.stream.counter();
        match self.load {
            Load::Events(events) => (counter < events).then(|| events - counter),
            Load::Phased(first) if counter < first => Some(first - counter),
            Load::Phased(first) if counter >= first * 2 => None,
            Load::Phased(first) => Some(if self.gate.is_open() { first * 2 - counter } else { 0 }),
            Load::Continuous => {
                let (since, then) = *self.pace.get_or_insert((now, counter));
                let due = (now.since(since).as_secs_f64() * self.settings.events_per_second) as u64;
                Some((then + due).saturating_sub(counter))
            }
        }
    }
}

fn make(settings: &GeneratorSettings, seed: u64, load: Load) -> Result<Generator> {
    let made = match load {
        Load::Phased(first) => Generator::phased(settings, seed, START, first),
        Load::Continuous | Load::Events(_) => Generator::new(settings, seed, START),
    };
    made.map_err(|faults| {
        let texts: Vec<_> = faults.iter().map(ToString::to_string).collect();
        Error::new(Kind::Config, format!("the generator's settings: {}", texts.join("; ")))
    })
}

#[async_trait]
impl Feed for GeneratorFeed {
    async fn seek(&mut self, checkpoint: Option<Checkpoint>) -> Result<()> {
        self.stream = make(&self.settings, self.seed, self.load)?;
        self.pace = None;
        let Some(known) = checkpoint else { return Ok(()) };
        let cursor: Cursor = serde_json::from_str(&known.cursor)
            .map_err(|error| Error::new(Kind::StoreCorrupt, "cannot read the generator's checkpoint").caused_by(error))?;
        if cursor.seed == self.seed {
            self.epoch = known.epoch;
            self.stream.skip_to(cursor.counter);
        } else {
            // Another seed is another log.
            self.epoch = known.epoch + 1;
        }
        Ok(())
    }

    async fn poll(&mut self, max: usize, now: Timestamp) -> Result<Polled> {
        let Some(allowed) = self.allowed(now) else { return Ok(Polled::Ended) };
        if allowed == 0 {
            return Ok(Polled::Idle { until: now.plus(LOOK) });
        }
        let first = self.stream.counter();
        let count = allowed.min(max as u64);
        let inputs: Vec<_> = (first..first + count)
            .map(|number| FeedInput {
                raw: self.stream.next_event().to_json().into_bytes(),
                place: format!("generator:{number}"),
                broken: None,
            })
            .collect();
        let counter = self.stream.counter();
        let cursor = serde_json::to_string(&Cursor { seed: self.seed, counter })
            .map_err(|error| Error::new(Kind::Internal, "cannot write the generator's checkpoint").caused_by(error))?;
        let position = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let checkpoint = Checkpoint { source: self.source, epoch: self.epoch, position: position(counter), cursor };
        let more = allowed > count;
        Ok(Polled::Group(FeedGroup { epoch: self.epoch, first_position: position(first), inputs, checkpoint, more }))
    }
}
