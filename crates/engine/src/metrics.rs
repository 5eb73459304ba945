//! Every metric by name, once, and what a running machine's figures come to.
//!
//! Promises: names, helps and labels stand in one table; a figure that is known is told from the first scrape on, with 0; labels
//! hold names of the configuration and words of ours only, never a key, an id or a value.
//! Leaves to others: gathering what the figures are made from, and the format in which they are told (the app).

use std::collections::BTreeMap;

use syncline_core::dispatch::quota::PoolStatus;
use syncline_core::ids::{SourceId, SystemId};
use syncline_core::ledger::{Cause, Counter, Ending, Fact, Ledger, Offer, Post, Routing};
use syncline_core::link::LinkState;
use syncline_core::time::Timestamp;

use crate::measures::{Histogram, Measured};
use crate::workers::dispatcher::LaneStatus;

/// Whether a figure only rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// It only rises; its name on the wire ends in `_total`.
    Counter,
    /// It rises and falls.
    Gauge,
    /// How often something fell into each of several ranges; its name on the wire ends in `_bucket`, `_sum` and `_count`.
    Histogram,
}

/// One metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name, less a counter's `_total`.
    pub name: &'static str,
    /// Whether it only rises.
    pub shape: Shape,
    /// What it tells.
    pub help: &'static str,
    /// Its labels.
    pub labels: &'static [&'static str],
}

macro_rules! metrics {
    ($($id:ident: $shape:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $id: Metric = Metric { name: $name, shape: Shape::$shape, help: $help, labels: &[$($label),*] };
        )*
        /// Every metric, in the order in which they are told.
        pub const ALL: &[Metric] = &[$($id),*];
    };
}

metrics! {
    BUILD_INFO: Gauge "syncline_build_info" ["version", "store"] "Which release runs, with which store; always 1";
    EVENTS_RECEIVED: Counter "syncline_events_received" ["source", "outcome"] "Events that a source offered, by what came of them: accepted, duplicate, refused";
    EVENTS_ROUTED: Counter "syncline_events_accepted" ["outcome"] "Accepted events by where they went: routed, unrouted, stale";
    EVENTS_UNACCOUNTED: Gauge "syncline_events_unaccounted" [] "By how much the ledger's equations do not hold; must be 0";
    DELIVERIES_OPENED: Counter "syncline_deliveries_opened" ["connection", "cause"] "Deliveries opened toward a system, by cause";
    DELIVERIES_CLOSED: Counter "syncline_events_terminal" ["connection", "outcome"] "Deliveries of a system closed, by how they ended";
    DELIVERIES_OPEN: Gauge "syncline_deliveries_open" ["connection"] "Deliveries of a system that are open";
    LINKS: Gauge "syncline_events_pending" ["connection", "state"] "Links of a system that are not clean, by state";
    OLDEST_DUE: Gauge "syncline_oldest_pending_timestamp_seconds" ["connection"] "Since when the oldest due link of a system waits; 0 if none does";
    LAST_APPLIED: Gauge "syncline_last_applied_timestamp_seconds" ["connection"] "When a write to a system was last proven, since the process began; 0 if none was";
    REQUESTS: Counter "syncline_dispatch_requests" ["connection", "operation"] "Requests sent since the process began";
    RECORDS: Counter "syncline_dispatch_records" ["connection", "operation"] "Items sent in write requests since the process began";
    THROTTLED: Counter "syncline_throttled" ["connection"] "Times that a CRM said a quota was used up since the process began";
    UNKNOWN: Counter "syncline_ambiguous_outcomes" ["connection"] "Attempts whose answer was lost or said nothing";
    FACTS: Counter "syncline_record_facts" ["connection", "fact"] "Records that were adopted, linked, altered by the other side, or written in two steps";
    QUOTA_LIMIT: Gauge "syncline_quota_limit" ["connection", "window"] "Calls that the account may make in a window";
    QUOTA_OURS: Gauge "syncline_quota_ours" ["connection", "window"] "Calls of those that are ours";
    QUOTA_USED: Gauge "syncline_quota_used" ["connection", "window"] "Calls that count as spent now";
    QUOTA_UNKNOWN: Gauge "syncline_quota_reserved" ["connection", "window"] "Calls of unknown fate among those spent";
    LANE_STATE: Gauge "syncline_connection_state" ["connection", "state"] "1 for the state that a system's lane is in: connecting, running, paused, refused";
    LETTERS: Gauge "syncline_dead_letters" [] "Dead letters that wait";
    LETTERS_MADE: Counter "syncline_dead_letters_made" ["outcome"] "Dead letters by what happened to them: created, replayed, discarded, overtaken";
    CONFIG_RELOADS: Counter "syncline_config_reloads" ["outcome"] "Times that the configuration was read again since the process began, by what came of it: applied, unchanged, refused";
    CONFIG_OK: Gauge "syncline_config_last_reload_successful" [] "0 if the configuration was refused when it was read last, else 1";
    CONFIG_AT: Gauge "syncline_config_last_reload_timestamp_seconds" [] "When the configuration was read again last; 0 if it never was";
    CONFIG_NUMBER: Gauge "syncline_config_generation" [] "The number in history of the configuration that is in force; 0 if none is kept";
    STORE_BYTES: Gauge "syncline_store_size_bytes" [] "Size of the store's files";
    LATENCY: Histogram "syncline_end_to_end_latency_seconds" ["connection"] "From the acceptance of an event to the proof of the write that carried it, since the process began";
    STAGE_TIME: Histogram "syncline_stage_duration_seconds" ["connection", "stage"] "The two parts of that: queue, until the intent to send, and dispatch, from there to the proof";
    BATCH_RECORDS: Histogram "syncline_dispatch_batch_records" ["connection"] "Items of each write request, since the process began";
    REQUEST_TIME: Histogram "syncline_dispatch_request_duration_seconds" ["connection", "operation"] "From the intent of a request to its answer, since the process began";
    COMMIT_TIME: Histogram "syncline_store_commit_duration_seconds" [] "How long commits of the store took, since the process began";
    COMMIT_ROWS: Histogram "syncline_store_commit_records" [] "Rows that shared a commit of the store, since the process began";
}

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Of which metric.
    pub metric: Metric,
    /// The labels' values, in the metric's order.
    pub labels: Vec<String>,
    /// The figure.
    pub value: f64,
}

/// How many links are in each state, and since when the oldest due one waits.
pub type States = (Vec<(LinkState, u64)>, Option<Timestamp>);

/// What figures are made from, all of one moment or close to it.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    /// The release.
    pub version: String,
    /// The store's kind.
    pub store: String,
    /// The accounts.
    pub ledger: Ledger,
    /// Sources by number.
    pub sources: BTreeMap<i64, String>,
    /// Systems that are written to, by number.
    pub systems: BTreeMap<i64, String>,
    /// Links of each of those systems.
    pub states: BTreeMap<i64, States>,
    /// What each lane looks like.
    pub lanes: Vec<LaneStatus>,
    /// What became of changes to the configuration.
    pub reloads: Reloads,
    /// Size of the store's files in bytes.
    pub store_bytes: u64,
    /// Times and sizes.
    pub measured: Measured,
}

/// One histogram.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// Of which metric.
    pub metric: Metric,
    /// The labels' values, in the metric's order.
    pub labels: Vec<String>,
    /// What was observed.
    pub histogram: Histogram,
}

/// What was measured, as histograms, in the metrics' order; those of a system are there from the first scrape on.
#[must_use]
pub fn spreads(gathered: &Gathered) -> Vec<Spread> {
    let mut spreads = Vec::new();
    let mut add = |metric: Metric, labels: &[&str], histogram: &Histogram| {
        spreads.push(Spread { metric, labels: labels.iter().map(|label| (*label).to_owned()).collect(), histogram: histogram.clone() });
    };
    let measured = &gathered.measured;
    for (number, name) in &gathered.systems {
        let system = measured.systems.get(&SystemId(*number)).cloned().unwrap_or_default();
        add(LATENCY, &[name], &system.latency);
        add(STAGE_TIME, &[name, "queue"], &system.queue);
        add(STAGE_TIME, &[name, "dispatch"], &system.dispatch);
        add(BATCH_RECORDS, &[name], &system.batch);
        for operation in ["create", "update", "delete"].map(str::to_owned) {
            let key = (name.clone(), operation);
            if !measured.requests.contains_key(&key) {
                add(REQUEST_TIME, &[&key.0, &key.1], &Measured::no_request());
            }
        }
    }
    for ((system, operation), times) in &measured.requests {
        add(REQUEST_TIME, &[system, operation], times);
    }
    add(COMMIT_TIME, &[], &measured.commits);
    add(COMMIT_ROWS, &[], &measured.commit_rows);
    spreads.sort_by_key(|spread| ALL.iter().position(|metric| *metric == spread.metric));
    spreads
}

/// What became of changes to the configuration since the process began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reloads {
    /// How often another one came into force.
    pub applied: u64,
    /// How often nothing differed.
    pub unchanged: u64,
    /// How often it was refused.
    pub refused: u64,
    /// Whether the last time it was.
    pub is_refused: bool,
    /// When that was.
    pub last: Option<Timestamp>,
    /// The number in history of the one in force.
    pub number: u64,
}

/// What was gathered, as figures, in the metrics' order.
#[must_use]
pub fn figures(gathered: &Gathered) -> Vec<Figure> {
    let mut figures = Figures::default();
    figures.add(BUILD_INFO, &[&gathered.version, &gathered.store], 1.0);
    events(gathered, &mut figures);
    deliveries(gathered, &mut figures);
    for lane in &gathered.lanes {
        figures.lane(lane);
    }
    let count = |counter| gathered.ledger.counts.get(counter) as f64;
    figures.add(LETTERS, &[], gathered.ledger.waiting as f64);
    for post in Post::ALL {
        figures.add(LETTERS_MADE, &[post.name()], count(Counter::Letters(*post)));
    }
    let reloads = &gathered.reloads;
    for (result, count) in [("applied", reloads.applied), ("unchanged", reloads.unchanged), ("refused", reloads.refused)] {
        figures.add(CONFIG_RELOADS, &[result], count as f64);
    }
    figures.add(CONFIG_OK, &[], if reloads.is_refused { 0.0 } else { 1.0 });
    figures.add(CONFIG_AT, &[], reloads.last.map_or(0.0, |at| at.0 as f64 / 1e9));
    figures.add(CONFIG_NUMBER, &[], reloads.number as f64);
    figures.add(STORE_BYTES, &[], gathered.store_bytes as f64);
    figures.in_order()
}

fn events(gathered: &Gathered, figures: &mut Figures) {
    let count = |counter| gathered.ledger.counts.get(counter) as f64;
    for (number, name) in &gathered.sources {
        for offer in [Offer::Accepted, Offer::Duplicate, Offer::Refused] {
            figures.add(EVENTS_RECEIVED, &[name, offer.name()], count(Counter::Source(SourceId(*number), offer)));
        }
    }
    for routing in [Routing::Routed, Routing::Unrouted, Routing::Stale] {
        figures.add(EVENTS_ROUTED, &[routing.name()], count(Counter::Tenant(routing)));
    }
    let unaccounted: i64 = gathered.ledger.imbalances().iter().map(|found| (found.left - found.right).abs()).sum();
    figures.add(EVENTS_UNACCOUNTED, &[], unaccounted as f64);
}

fn deliveries(gathered: &Gathered, figures: &mut Figures) {
    let count = |counter| gathered.ledger.counts.get(counter) as f64;
    for (number, name) in &gathered.systems {
        let system = SystemId(*number);
        for cause in Cause::ALL {
            figures.add(DELIVERIES_OPENED, &[name, cause.name()], count(Counter::Opened(system, *cause)));
        }
        for ending in Ending::ALL {
            figures.add(DELIVERIES_CLOSED, &[name, ending.name()], count(Counter::Closed(system, *ending)));
        }
        figures.add(DELIVERIES_OPEN, &[name], gathered.ledger.open.get(&system).copied().unwrap_or(0) as f64);
        let (states, oldest) = gathered.states.get(number).cloned().unwrap_or_default();
        for state in LinkState::ALL.into_iter().filter(|state| *state != LinkState::Clean) {
            let links = states.iter().find(|(found, _)| *found == state).map_or(0, |(_, links)| *links);
            figures.add(LINKS, &[name, &word(state.name())], links as f64);
        }
        figures.add(OLDEST_DUE, &[name], oldest.map_or(0.0, |at| at.0 as f64 / 1e9));
        let proven_at = gathered.measured.systems.get(&system).and_then(|measures| measures.proven_at);
        figures.add(LAST_APPLIED, &[name], proven_at.map_or(0.0, |at| at.0 as f64 / 1e9));
        for fact in Fact::ALL {
            match fact {
                Fact::Unknown => figures.add(UNKNOWN, &[name], count(Counter::Fact(system, Fact::Unknown))),
                Fact::Adopted | Fact::Linked | Fact::Altered | Fact::Detoured => {
                    figures.add(FACTS, &[name, fact.name()], count(Counter::Fact(system, *fact)));
                }
            }
        }
    }
}

/// Words of ours as a label: spaces become underscores.
fn word(text: &str) -> String {
    text.replace(' ', "_")
}

#[derive(Default)]
struct Figures(Vec<Figure>);

impl Figures {
    fn add(&mut self, metric: Metric, labels: &[&str], value: f64) {
        self.0.push(Figure { metric, labels: labels.iter().map(|label| (*label).to_owned()).collect(), value });
    }

    fn lane(&mut self, lane: &LaneStatus) {
        let name = lane.system.as_str();
        for (metric, told) in [(REQUESTS, &lane.report.requests), (RECORDS, &lane.report.items)] {
            let mut by_operation = BTreeMap::from([("create", 0), ("update", 0), ("delete", 0)]);
            for (what, count) in told {
                let operation = what.split(' ').next().unwrap_or_default();
                *by_operation.entry(operation).or_default() += count;
            }
            for (operation, count) in by_operation {
                self.add(metric, &[name, operation], count as f64);
            }
        }
        self.add(REQUESTS, &[name, "read"], lane.report.reads as f64);
        self.add(REQUESTS, &[name, "token"], lane.report.tokens as f64);
        self.add(THROTTLED, &[name], lane.report.throttled as f64);
        for pool in &lane.pools {
            self.pool(name, pool);
        }
        let state = if lane.phase == "running" && !lane.paused.is_empty() { "paused" } else { lane.phase };
        for known in ["connecting", "running", "paused", "refused"] {
            self.add(LANE_STATE, &[name, known], f64::from(u8::from(state == known)));
        }
    }

    fn pool(&mut self, name: &str, pool: &PoolStatus) {
        let figures =
            [(QUOTA_LIMIT, pool.limit), (QUOTA_OURS, pool.allowance), (QUOTA_USED, pool.used), (QUOTA_UNKNOWN, pool.unknown)];
        for (metric, count) in figures {
            self.add(metric, &[name, &pool.pool], count as f64);
        }
    }

    fn in_order(self) -> Vec<Figure> {
        let place = |figure: &Figure| ALL.iter().position(|metric| metric.name == figure.metric.name);
        let mut figures = self.0;
        figures.sort_by_key(place);
        figures
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn gathered() -> Gathered {
        let mut ledger = Ledger { waiting: 2, ..Ledger::default() };
        ledger.counts.add(Counter::Source(SourceId(1), Offer::Offered), 5);
        ledger.counts.add(Counter::Source(SourceId(1), Offer::Accepted), 5);
        ledger.counts.add(Counter::Tenant(Routing::Accepted), 5);
        ledger.counts.add(Counter::Tenant(Routing::Routed), 5);
        ledger.counts.add(Counter::Opened(SystemId(2), Cause::Event), 5);
        ledger.counts.add(Counter::Letters(Post::Created), 2);
        ledger.open.insert(SystemId(2), 4);
        let mut lane = LaneStatus { system: "crm".into(), phase: "running", ..LaneStatus::default() };
        lane.report.requests.insert("create Lead".into(), 3);
        lane.report.requests.insert("create Contact".into(), 4);
        lane.paused.push(("writes".into(), "a release there".into()));
        Gathered {
            version: "0.1.0".into(),
            store: "embedded".into(),
            ledger,
            sources: [(1, "orders".to_owned())].into(),
            systems: [(2, "crm".to_owned())].into(),
            states: [(2, (vec![(LinkState::InFlight, 3)], Some(Timestamp(1_500_000_000))))].into(),
            lanes: vec![lane],
            reloads: Reloads { applied: 2, refused: 1, is_refused: true, last: Some(Timestamp(2_500_000_000)), ..Reloads::default() },
            store_bytes: 4096,
            measured: Measured::default(),
        }
    }

    #[test]
    fn figures_are_told_from_the_first_scrape_on_in_the_table_s_order() {
        let figures = figures(&gathered());
        let of = |metric: Metric, labels: &[&str]| {
            figures.iter().find(|figure| figure.metric == metric && figure.labels == labels).map(|figure| figure.value)
        };
        assert_eq!(of(EVENTS_RECEIVED, &["orders", "accepted"]), Some(5.0));
        assert_eq!(of(EVENTS_RECEIVED, &["orders", "refused"]), Some(0.0));
        assert_eq!(of(EVENTS_UNACCOUNTED, &[]), Some(1.0), "one delivery that no link holds");
        assert_eq!(of(LINKS, &["crm", "in_flight"]), Some(3.0));
        assert_eq!(of(OLDEST_DUE, &["crm"]), Some(1.5));
        assert_eq!([of(CONFIG_RELOADS, &["refused"]), of(CONFIG_OK, &[]), of(CONFIG_AT, &[])], [Some(1.0), Some(0.0), Some(2.5)]);
        assert_eq!(of(REQUESTS, &["crm", "create"]), Some(7.0));
        assert_eq!(of(LANE_STATE, &["crm", "paused"]), Some(1.0));
        assert_eq!(of(LANE_STATE, &["crm", "running"]), Some(0.0));
        assert_eq!(of(LETTERS_MADE, &["created"]), Some(2.0));
        let told: Vec<_> = figures.iter().filter_map(|figure| ALL.iter().position(|metric| *metric == figure.metric)).collect();
        assert!(told.is_sorted() && told.len() == figures.len());
    }

    #[test]
    fn names_and_labels_follow_the_conventions() {
        let allowed = ["source", "connection", "operation", "outcome", "state", "cause", "fact", "window", "version", "store", "stage"];
        let names: BTreeSet<_> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len(), "a name stands twice");
        for metric in ALL {
            assert!(metric.name.starts_with("syncline_") && !metric.name.ends_with("_total"), "{}", metric.name);
            assert!(metric.labels.iter().all(|label| allowed.contains(label)), "{}: {:?}", metric.name, metric.labels);
            assert!(!metric.labels.is_empty() || metric.shape != Shape::Counter, "{}: a counter without a label", metric.name);
            assert!(metric.help.split_whitespace().count() >= 4, "{} has no usable help", metric.name);
        }
        for figure in figures(&gathered()) {
            assert_eq!(figure.labels.len(), figure.metric.labels.len(), "{}", figure.metric.name);
        }
        for spread in spreads(&gathered()) {
            assert_eq!(spread.labels.len(), spread.metric.labels.len(), "{}", spread.metric.name);
        }
    }

    #[test]
    fn every_metric_is_told_of_a_machine_that_has_done_nothing_yet() {
        let mut told: BTreeSet<_> = figures(&gathered()).iter().map(|figure| figure.metric.name).collect();
        told.extend(spreads(&gathered()).iter().map(|spread| spread.metric.name));
        let missing: Vec<_> = ALL.iter().map(|metric| metric.name).filter(|name| !told.contains(name)).collect();
        // What a quota has is known once its account has been looked at.
        assert_eq!(missing, ["syncline_quota_limit", "syncline_quota_ours", "syncline_quota_used", "syncline_quota_reserved"]);
    }
}
