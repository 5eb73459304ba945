//! Judges a demo: the CRMs' contents against the oracle, the ledger, the quotas; and puts the summary together.
//!
//! Promises: the oracle sees only the events as emitted; a record is excused only by a waiting dead letter of its own.
//! Leaves to others: the expected contents (`syncline_sandbox::oracle`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::PoisonError;

use serde::Serialize;
use serde_json::json;
use syncline_adapters::systems::generator::Generator;
use syncline_adapters::systems::generator::feed::START;
use syncline_engine::error::{Error, Kind, Result};
use syncline_engine::ports::store::{Audit, LetterFilter, Store};
use syncline_engine::workers::dispatcher::LaneStatus;
use syncline_sandbox::crm::StoredRecord;
use syncline_sandbox::exchange::System;
use syncline_sandbox::oracle::{Oracle, Routing, digest};

use super::demo::{DemoArgs, Stage};
use super::demo_watch::{Watched, groups};
use crate::config::Kind as SystemKind;
use crate::run::Running;

/// What a demo came to.
pub struct Summary {
    args: DemoArgs,
    seconds: f64,
    lanes: Vec<LaneStatus>,
    audit: Audit,
    settled: bool,
    open: i64,
    letters: Vec<LetterLine>,
    differences: Vec<String>,
    digest: String,
    events: u64,
    over_quota: BTreeMap<&'static str, u64>,
    faulted: bool,
    second_load: Option<SecondLoad>,
}

/// A waiting letter, for the summary.
#[derive(Debug, Clone, Serialize)]
pub struct LetterLine {
    place: String,
    code: String,
    field: Option<String>,
    remedy: String,
}

/// What the second load cost, against the least that it could have cost.
#[derive(Debug, Clone, Serialize)]
pub struct SecondLoad {
    requests: u64,
    items: u64,
    groups: usize,
    least: u64,
    bound: f64,
}

/// Puts the summary together after everything has stopped.
///
/// # Errors
/// What the store says.
pub async fn summary(args: &DemoArgs, stage: &Stage, running: &Running, watched: &Watched, seconds: f64) -> Result<Summary> {
    let ledger = running.store.ledger().await?;
    let audit = running.store.audit().await?;
    let records = contents(stage);
    let excused = excused(running).await?;
    let offered: i64 = ledger
        .sources()
        .into_iter()
        .map(|source| ledger.counts.get(syncline_core::ledger::Counter::Source(source, syncline_core::ledger::Offer::Offered)))
        .sum();
    let events = offered.unsigned_abs();
    let settled = running.is_settled().await?;
    let differences = if settled { differences(args, running, events, &records, &excused)? } else { Vec::new() };
    let over_quota = {
        let sandbox = stage.sandbox.lock().unwrap_or_else(PoisonError::into_inner);
        [System::Salesforce, System::HubSpot].map(|system| (system.name(), sandbox.counters().over_limit(system)))
    };
    Ok(Summary {
        args: args.clone(),
        seconds,
        lanes: running.statuses.iter().map(|status| status.lock().unwrap_or_else(PoisonError::into_inner).clone()).collect(),
        audit,
        settled,
        open: ledger.open.values().sum(),
        letters: letters(running).await?,
        differences,
        digest: digest(&records),
        events,
        over_quota: over_quota.into_iter().collect(),
        faulted: args.faults.is_some(),
        second_load: watched.before_second.as_ref().map(|before| second_load(running, before)),
    })
}

fn contents(stage: &Stage) -> Vec<(System, StoredRecord)> {
    let sandbox = stage.sandbox.lock().unwrap_or_else(PoisonError::into_inner);
    [System::Salesforce, System::HubSpot]
        .into_iter()
        .flat_map(|system| sandbox.records(system).into_iter().map(move |record| (system, record)))
        .collect()
}

async fn letters(running: &Running) -> Result<Vec<LetterLine>> {
    let filter = LetterFilter { waiting_only: true, after: None, limit: 1_000_000 };
    let letters = running.store.letters(&filter).await?;
    Ok(letters
        .into_iter()
        .map(|letter| LetterLine {
            place: letter.place,
            code: letter.rejection.code,
            field: letter.rejection.field,
            remedy: letter.rejection.remedy,
        })
        .collect())
}

/// Keys of records with a waiting letter.
async fn excused(running: &Running) -> Result<BTreeSet<String>> {
    let filter = LetterFilter { waiting_only: true, after: None, limit: 1_000_000 };
    let links: Vec<_> = running.store.letters(&filter).await?.into_iter().filter_map(|letter| letter.link).collect();
    Ok(running.store.load(&links).await?.into_iter().map(|(_, known)| known.record.key).collect())
}

fn differences(
    args: &DemoArgs,
    running: &Running,
    events: u64,
    records: &[(System, StoredRecord)],
    excused: &BTreeSet<String>,
) -> Result<Vec<String>> {
    let config = running.reloading.config();
    let settings = config.systems.iter().find_map(|system| match &system.kind {
        SystemKind::Generator(config) => Some(&config.settings),
        SystemKind::File(_) | SystemKind::Stdin(_) | SystemKind::Http(_) | SystemKind::Salesforce(_) | SystemKind::HubSpot(_) => None,
    });
    let settings = settings.ok_or_else(|| Error::new(Kind::Internal, "the demo has no generator"))?;
    let stream = match (args.load_first, args.events) {
        (true, Some(first)) => Generator::phased(settings, args.seed, START, first),
        (true, None) | (false, _) => Generator::new(settings, args.seed, START),
    };
    let mut stream = stream.map_err(|_| Error::new(Kind::Internal, "the demo's generator was refused"))?;
    let mut oracle = Oracle::new(Routing::Default);
    for _ in 0..events {
        oracle.observe(stream.next_event().to_json().as_bytes());
    }
    let found = oracle.compare(records, &|_, key| excused.contains(key));
    Ok(found.iter().map(ToString::to_string).collect())
}

fn second_load(running: &Running, before: &BTreeMap<String, (u64, u64)>) -> SecondLoad {
    let mut load = SecondLoad { requests: 0, items: 0, groups: 0, least: 0, bound: 0.0 };
    for (name, (requests, items)) in groups(running) {
        let (old_requests, old_items) = before.get(&name).copied().unwrap_or_default();
        let (requests, items) = (requests - old_requests, items - old_items);
        if items > 0 {
            let batch = if name.starts_with("hubspot") { 100 } else { 200 };
            load.requests += requests;
            load.items += items;
            load.groups += 1;
            load.least += items.div_ceil(batch);
        }
    }
    load.bound = load.least as f64 * 1.02 + load.groups as f64;
    load
}

impl Summary {
    /// Whether nothing is off.
    #[must_use]
    pub fn is_right(&self) -> bool {
        let balanced = self.is_balanced();
        let quota_kept = self.faulted || self.over_quota.values().all(|count| *count == 0);
        let letters_expected = self.faulted || self.letters.is_empty();
        let over = self.settled || !self.args.exit;
        balanced && quota_kept && letters_expected && self.differences.is_empty() && over
    }

    fn is_balanced(&self) -> bool {
        self.audit.imbalances.is_empty() && self.audit.altered.is_empty()
    }

    /// The summary for scripts.
    #[must_use]
    pub fn json(&self) -> String {
        let lanes: BTreeMap<&str, serde_json::Value> = self.lanes.iter().map(|lane| (lane.system.as_str(), lane_json(lane))).collect();
        let value = json!({
            "format_version": 1,
            "ok": self.is_right(),
            "settled": self.settled,
            "seed": self.args.seed,
            "events": self.events,
            "seconds": self.seconds,
            "events_per_second": self.events as f64 / self.seconds.max(0.001),
            "peak_memory_bytes": peak_memory(),
            "ledger": {
                "balanced": self.is_balanced(),
                "verified_rows": self.audit.rows,
                "imbalances": self.audit.imbalances,
                "altered": self.audit.altered,
                "open": self.open,
            },
            "lanes": lanes,
            "over_quota": self.over_quota,
            "dead_letters": { "waiting": self.letters.len(), "letters": self.letters },
            "oracle": { "differences": self.differences.len(), "first": self.differences.iter().take(20).collect::<Vec<_>>() },
            "state": self.digest,
            "second_load": self.second_load,
        });
        serde_json::to_string_pretty(&value).unwrap_or_default()
    }

    /// The summary for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |label: &str, value: String| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{label:<14}{value}");
        };
        line("", String::new());
        line("events", format!("{} in {:.1} s", self.events, self.seconds));
        for lane in &self.lanes {
            let requests: u64 = lane.report.requests.values().sum();
            let items: u64 = lane.report.items.values().sum();
            line(&lane.system, format!("{requests} write requests with {items} items, {} reads, {} tokens", lane.report.reads, lane.report.tokens));
        }
        let balanced = if self.is_balanced() { "balanced, every row verified" } else { "NOT BALANCED: see `syncline ledger --verify`" };
        line("ledger", format!("{balanced} ({} rows), {} deliveries open", self.audit.rows, self.open));
        line("dead letters", self.letters.len().to_string());
        let over: Vec<_> = self.over_quota.iter().map(|(system, count)| format!("{system} {count}")).collect();
        line("over quota", over.join(", "));
        match (self.settled, self.differences.len()) {
            (true, 0) => line("CRM contents", format!("as the events say ({})", self.digest)),
            (true, count) => line("CRM contents", format!("{count} DIFFERENCES, the first: {}", self.differences.first().map_or("", String::as_str))),
            (false, _) => line("CRM contents", "not compared: work is left; run the demo again with the same --data to go on".into()),
        }
        if let Some(load) = &self.second_load {
            line("second load", format!("{} requests for {} items in {} groups; at least {}", load.requests, load.items, load.groups, load.least));
        }
        text
    }
}

fn lane_json(lane: &LaneStatus) -> serde_json::Value {
    json!({
        "phase": lane.phase,
        "requests": lane.report.requests.values().sum::<u64>(),
        "items": lane.report.items.values().sum::<u64>(),
        "requests_by_group": lane.report.requests,
        "items_by_group": lane.report.items,
        "reads": lane.report.reads,
        "tokens": lane.report.tokens,
        "throttled": lane.report.throttled,
        "pools": lane.pools,
        "paused": lane.paused,
        "error": lane.error,
    })
}

/// The most memory that the process held, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}
