//! The events of a run, and the feed that emits them.
//!
//! Promises: lines in the bare form, some of them malformed or repeated; a record's events name it by key; phones are unique per
//! event, so that a CRM's content tells which event it stems from. Leaves to others: what becomes of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use syncline_core::checkpoint::Checkpoint;
use syncline_core::ids::SourceId;
use syncline_core::time::Timestamp;
use syncline_engine::error::Result;
use syncline_engine::ports::feed::{Feed, FeedGroup, FeedInput, Polled};

use super::world::World;

/// One line with the time at which it appears.
#[derive(Debug, Clone)]
pub struct Line {
    /// When.
    pub at: Timestamp,
    /// The bytes.
    pub raw: String,
    /// The key of the record that it deletes, if it does.
    pub deletes: Option<String>,
    /// A repeat of an earlier line under the same event id.
    pub is_repeat: bool,
}

/// The lines of a world.
#[must_use]
pub fn lines(world: &World, start: Timestamp) -> Vec<Line> {
    let mut rng = ChaCha8Rng::seed_from_u64(world.seed ^ 0x776f_726b);
    let mut at = start;
    let mut lines: Vec<Line> = Vec::new();
    let mut addresses: BTreeMap<String, String> = BTreeMap::new();
    for number in 0..world.events {
        at = at.plus(Duration::from_millis(rng.random_range(0..=world.pause_ms * 2)));
        if rng.random_bool(0.1) && !lines.is_empty() {
            let again = lines[rng.random_range(0..lines.len())].raw.clone();
            if again.contains("event_id") || rng.random_bool(0.3) {
                let is_repeat = again.contains("event_id");
                let raw = if is_repeat { again } else { String::from("{\"record\": \"contacts\"") };
                lines.push(Line { at, raw, deletes: None, is_repeat });
                continue;
            }
        }
        if rng.random_bool(0.08) && addresses.len() > 1 {
            lines.extend(swap(&mut rng, &mut addresses, at));
            continue;
        }
        let line = line(&mut rng, world, number, at);
        remember(&line, &mut addresses);
        lines.push(line);
    }
    lines
}

/// Keeps the address that a line gives its record; a deleted record has none.
fn remember(line: &Line, addresses: &mut BTreeMap<String, String>) {
    let Ok(event) = serde_json::from_str::<serde_json::Value>(&line.raw) else { return };
    let Some(key) = event["item"]["id"].as_str() else { return };
    match (&line.deletes, event["item"]["email"].as_str()) {
        (Some(_), _) => drop(addresses.remove(key)),
        (None, Some(address)) if event["operation"] == "create" || addresses.contains_key(key) => {
            addresses.insert(key.to_owned(), address.to_owned());
        }
        (None, _) => {}
    }
}

/// Two records swap their addresses, which a CRM with unique addresses refuses in either order.
fn swap(rng: &mut ChaCha8Rng, addresses: &mut BTreeMap<String, String>, at: Timestamp) -> Vec<Line> {
    let keys: Vec<_> = addresses.keys().cloned().collect();
    let one = keys[rng.random_range(0..keys.len())].clone();
    let two = keys[rng.random_range(0..keys.len())].clone();
    let (first, second) = (addresses[&one].clone(), addresses[&two].clone());
    let mut lines = Vec::new();
    for (key, address) in [(one, second), (two, first)] {
        let raw = format!(
            "{{\"record\": \"contacts\", \"operation\": \"update\", \"timestamp\": \"{}\", \"item\": {{\"id\": \"{key}\", \"email\": \"{address}\"}}}}",
            at.to_rfc3339()
        );
        addresses.insert(key, address);
        lines.push(Line { at, raw, deletes: None, is_repeat: false });
    }
    lines
}

fn line(rng: &mut ChaCha8Rng, world: &World, number: usize, at: Timestamp) -> Line {
    let key = format!("A{:04}", rng.random_range(0..world.records));
    let types = ["lead", "customer", "prospect", "vendor", "partner", "employee"];
    let contact = types[rng.random_range(0..types.len())];
    let name = format!("Ada{number} Byron{number}");
    // Addresses come from a small stock now and then, so that records claim and swap them.
    let email = if rng.random_bool(0.1) { format!("shared{}@example.com", rng.random_range(0..3)) } else { format!("a{number}@example.com") };
    let id = if rng.random_bool(0.2) { format!("\"event_id\": \"e{number}\", ") } else { String::new() };
    let phone = format!("+1555{number:07}");
    let head = |operation: &str| format!("{{{id}\"record\": \"contacts\", \"operation\": \"{operation}\", \"timestamp\": \"{}\", \"item\": ", at.to_rfc3339());
    let draw = rng.random_range(0..100);
    let (raw, deletes) = match draw {
        0..40 => {
            let item = format!("{{\"id\": \"{key}\", \"name\": \"{name}\", \"email\": \"{email}\", \"phone\": \"{phone}\", \"contact\": \"{contact}\"}}");
            (format!("{}{item}}}", head("create")), None)
        }
        40..65 => (format!("{}{{\"id\": \"{key}\", \"phone\": \"{phone}\", \"name\": \"{name}\"}}}}", head("update")), None),
        65..72 => (format!("{}{{\"id\": \"{key}\", \"phone\": null, \"email\": \"{email}\"}}}}", head("update")), None),
        72..80 => (format!("{}{{\"id\": \"{key}\", \"contact\": \"{contact}\", \"phone\": \"{phone}\"}}}}", head("update")), None),
        80..83 => (format!("{}{{\"id\": \"{key}\", \"name\": null}}}}", head("update")), None),
        83..97 => (format!("{}{{\"id\": \"{key}\"}}}}", head("delete")), Some(key)),
        _ => (format!("{}{{\"id\": \"{key}\", \"contact\": \"robot\"}}}}", head("create")), None),
    };
    Line { at, raw, deletes, is_repeat: false }
}

/// The log of a run: what has appeared so far, and who watches it appear.
#[derive(Clone)]
pub struct Log {
    lines: Arc<Vec<Line>>,
    emitted: Arc<Mutex<usize>>,
}

impl Log {
    /// A log of these lines.
    #[must_use]
    pub fn new(lines: Vec<Line>) -> Self {
        Self { lines: Arc::new(lines), emitted: Arc::new(Mutex::new(0)) }
    }

    /// All lines.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Lines that appeared since the last call, in order.
    pub fn appear(&self, now: Timestamp) -> &[Line] {
        let mut emitted = self.emitted.lock().unwrap_or_else(PoisonError::into_inner);
        let from = *emitted;
        while self.lines.get(*emitted).is_some_and(|line| line.at <= now) {
            *emitted += 1;
        }
        &self.lines[from..*emitted]
    }

    fn emitted(&self) -> usize {
        *self.emitted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A feed over the log.
pub struct LogFeed {
    source: SourceId,
    log: Log,
    position: usize,
}

impl LogFeed {
    /// A feed that was not sought yet.
    #[must_use]
    pub const fn new(source: SourceId, log: Log) -> Self {
        Self { source, log, position: 0 }
    }
}

#[async_trait]
impl Feed for LogFeed {
    async fn seek(&mut self, checkpoint: Option<Checkpoint>) -> Result<()> {
        self.position = checkpoint.map_or(0, |known| usize::try_from(known.position).unwrap_or(0));
        Ok(())
    }

    async fn poll(&mut self, max: usize, now: Timestamp) -> Result<Polled> {
        let end = self.log.emitted().min(self.position + max.min(7));
        if end == self.position {
            return Ok(Polled::Idle { until: now.plus(Duration::from_millis(50)) });
        }
        let inputs: Vec<_> = self.log.lines[self.position..end]
            .iter()
            .enumerate()
            .map(|(offset, line)| FeedInput {
                raw: line.raw.clone().into_bytes(),
                place: format!("log:{}", self.position + offset),
                broken: None,
            })
            .collect();
        let first_position = i64::try_from(self.position).unwrap_or(i64::MAX);
        self.position = end;
        let position = i64::try_from(end).unwrap_or(i64::MAX);
        let checkpoint = Checkpoint { source: self.source, epoch: 1, position, cursor: String::from("{}") };
        Ok(Polled::Group(FeedGroup { epoch: 1, first_position, inputs, checkpoint, more: end < self.log.emitted() }))
    }
}
