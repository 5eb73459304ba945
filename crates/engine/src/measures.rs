//! What durable change sets tell of times and sizes: how long data takes to get through, and how much goes at once.
//!
//! Promises: every figure is made from rows that are durable, so none is of work that a crash undid; what is remembered between
//! two sets is bounded, and what does not fit is left out of the figures. Of events that an earlier process accepted nothing is told.
//! Leaves to others: names and labels (`metrics`), seeing the sets (`ports::store::Witness`).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use syncline_core::attempt::{Attempt, Charge, Fate};
use syncline_core::change_set::{AttemptFate, ChangeSet, ChargeClose, EventRouting, EventRow};
use syncline_core::ids::{AttemptId, ChargeId, LinkId, SystemId};
use syncline_core::link::Side;
use syncline_core::time::Timestamp;

/// Deliveries whose time of acceptance is remembered.
const DELIVERIES_MAX: usize = 100_000;
/// Attempts and requests that are remembered, of each.
const UNDER_WAY_MAX: usize = 50_000;

/// From the acceptance of an event to the proof of its write: up to three days, since a system may be away for long.
const LATENCY: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21_600.0, 86_400.0, 259_200.0];
/// From a request to its answer.
const REQUEST: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0];
/// One commit: mostly one sync of a disk.
const COMMIT: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];
/// Items of one request.
const BATCH: &[f64] = &[1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 150.0, 200.0];
/// Rows of one commit.
const ROWS: &[f64] = &[1.0, 10.0, 50.0, 100.0, 500.0, 1000.0, 5000.0, 20_000.0];

/// How often something fell into each of several ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    bounds: &'static [f64],
    counts: Vec<u64>,
    sum: f64,
}

impl Histogram {
    const fn empty(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: Vec::new(), sum: 0.0 }
    }

    fn observe(&mut self, value: f64) {
        self.counts.resize(self.bounds.len() + 1, 0);
        let place = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
        }
        self.sum += value;
    }

    fn observe_time(&mut self, time: Duration) {
        self.observe(time.as_secs_f64());
    }

    /// The upper bound of each range with how many fell into it alone; the last bound is infinite.
    #[must_use]
    pub fn ranges(&self) -> Vec<(f64, u64)> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        bounds.enumerate().map(|(place, bound)| (bound, self.counts.get(place).copied().unwrap_or(0))).collect()
    }

    /// How many were observed.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// What they came to together.
    #[must_use]
    pub const fn sum(&self) -> f64 {
        self.sum
    }
}

/// The times and sizes of one system.
#[derive(Debug, Clone, PartialEq)]
pub struct SystemMeasures {
    /// From the acceptance of an event to the proof of the write that carried it.
    pub latency: Histogram,
    /// From the acceptance of an event to the intent to send it.
    pub queue: Histogram,
    /// From the intent to the proof.
    pub dispatch: Histogram,
    /// Items of each write request.
    pub batch: Histogram,
    /// When a write was last proven.
    pub proven_at: Option<Timestamp>,
}

impl Default for SystemMeasures {
    fn default() -> Self {
        let [latency, queue, dispatch] = [LATENCY; 3].map(Histogram::empty);
        Self { latency, queue, dispatch, batch: Histogram::empty(BATCH), proven_at: None }
    }
}

/// Times and sizes so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// By system.
    pub systems: BTreeMap<SystemId, SystemMeasures>,
    /// From request to answer, by system's name and what the request did.
    pub requests: BTreeMap<(String, String), Histogram>,
    /// How long commits took.
    pub commits: Histogram,
    /// How many rows each of them had.
    pub commit_rows: Histogram,
}

impl Default for Measured {
    fn default() -> Self {
        Self { systems: BTreeMap::new(), requests: BTreeMap::new(), commits: Histogram::empty(COMMIT), commit_rows: Histogram::empty(ROWS) }
    }
}

impl Measured {
    /// What no request has been measured for.
    #[must_use]
    pub const fn no_request() -> Histogram {
        Histogram::empty(REQUEST)
    }
}

#[derive(Debug, Clone, Copy)]
struct Intent {
    link: LinkId,
    system: SystemId,
    covers_after: u64,
    covers_to: u64,
    at: Timestamp,
}

/// Makes figures from durable sets.
#[derive(Debug, Default)]
pub struct Measures {
    measured: Measured,
    /// Open deliveries by link: their numbers, rising, and when their events were accepted.
    accepted: HashMap<LinkId, VecDeque<(u64, Timestamp)>>,
    remembered: usize,
    intents: BTreeMap<AttemptId, Intent>,
    requests: BTreeMap<ChargeId, ((String, String), Timestamp)>,
}

impl Measures {
    /// Looks at sets that became durable together.
    pub fn committed(&mut self, sets: &[&ChangeSet], took: Duration, now: Timestamp) {
        self.measured.commits.observe_time(took);
        self.measured.commit_rows.observe(sets.iter().map(|set| set.rows()).sum::<usize>() as f64);
        for set in sets {
            set.events.iter().for_each(|event| self.accept(event));
            self.intend(&set.attempts_new);
            set.attempts_settled.iter().for_each(|fate| self.settle(fate, now));
            set.sides.iter().for_each(|(link, side)| self.close(*link, side));
            set.charges_new.iter().for_each(|charge| self.send(charge));
            set.charges_closed.iter().for_each(|close| self.answer(close));
        }
    }

    /// What was measured so far.
    #[must_use]
    pub const fn measured(&self) -> &Measured {
        &self.measured
    }

    fn accept(&mut self, event: &EventRow) {
        let EventRouting::Routed(opened) = &event.routing else { return };
        for delivery in opened {
            if self.remembered < DELIVERIES_MAX {
                self.accepted.entry(delivery.link).or_default().push_back((delivery.number, event.accepted_at));
                self.remembered += 1;
            }
        }
    }

    fn intend(&mut self, attempts: &[Attempt]) {
        let mut batches: BTreeMap<(SystemId, ChargeId), u32> = BTreeMap::new();
        for attempt in attempts {
            *batches.entry((attempt.system, attempt.charge)).or_default() += 1;
            let Attempt { link, system, covers_after, covers_to, opened_at, .. } = *attempt;
            let measures = self.measured.systems.entry(system).or_default();
            for (number, accepted) in self.accepted.get(&link).into_iter().flatten() {
                if covers_after < *number && *number <= covers_to {
                    measures.queue.observe_time(opened_at.since(*accepted));
                }
            }
            self.intents.insert(attempt.id, Intent { link, system, covers_after, covers_to, at: opened_at });
            if self.intents.len() > UNDER_WAY_MAX {
                self.intents.pop_first();
            }
        }
        for ((system, _), items) in batches {
            self.measured.systems.entry(system).or_default().batch.observe(f64::from(items));
        }
    }

    fn settle(&mut self, settled: &AttemptFate, now: Timestamp) {
        if settled.fate.is_open() {
            return;
        }
        let Some(intent) = self.intents.remove(&settled.id) else { return };
        if settled.fate != Fate::Proven {
            return;
        }
        let measures = self.measured.systems.entry(intent.system).or_default();
        measures.proven_at = Some(now);
        measures.dispatch.observe_time(now.since(intent.at));
        for (number, accepted) in self.accepted.get(&intent.link).into_iter().flatten() {
            if intent.covers_after < *number && *number <= intent.covers_to {
                measures.latency.observe_time(now.since(*accepted));
            }
        }
    }

    /// What is closed needs no memory.
    fn close(&mut self, link: LinkId, side: &Side) {
        let Some(open) = self.accepted.get_mut(&link) else { return };
        let closed = open.partition_point(|(number, _)| *number <= side.closed);
        open.drain(..closed);
        self.remembered -= closed;
        if open.is_empty() {
            self.accepted.remove(&link);
        }
    }

    fn send(&mut self, charge: &Charge) {
        let operation = charge.call.split(' ').next().unwrap_or_default();
        self.requests.insert(charge.id, ((charge.account.clone(), operation.to_owned()), charge.opened_at));
        if self.requests.len() > UNDER_WAY_MAX {
            self.requests.pop_first();
        }
    }

    fn answer(&mut self, close: &ChargeClose) {
        let Some((of, sent)) = self.requests.remove(&close.id) else { return };
        if !close.released {
            self.measured.requests.entry(of).or_insert_with(Measured::no_request).observe_time(close.answered_at.since(sent));
        }
    }
}

#[cfg(test)]
mod tests {
    use syncline_core::attempt::Operation;
    use syncline_core::change_set::OpenedDelivery;
    use syncline_core::ids::{EventId, RecordId, SourceId};

    use super::*;

    const CRM: SystemId = SystemId(2);
    const LINK: LinkId = LinkId(7);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn event(number: u64, accepted: i64) -> EventRow {
        let opened = OpenedDelivery { link: LINK, system: CRM, number, is_move: false };
        EventRow {
            id: EventId(1),
            source: SourceId(1),
            epoch: 0,
            position: 0,
            record: RecordId(1),
            operation: "update",
            occurred_at: at(0),
            accepted_at: at(accepted),
            routing: EventRouting::Routed(vec![opened]),
        }
    }

    fn attempt(id: i64, covers_after: u64, covers_to: u64, opened: i64) -> Attempt {
        Attempt {
            id: AttemptId(id),
            link: LINK,
            record: RecordId(1),
            system: CRM,
            charge: ChargeId(9),
            operation: Operation::Update,
            generation: 0,
            covers_after,
            covers_to,
            values: BTreeMap::new(),
            opened_at: at(opened),
            horizon: at(opened + 60_000),
            fate: Fate::Open,
            applied: 0,
            coalesced: 0,
        }
    }

    fn fate(id: i64, fate: Fate) -> AttemptFate {
        AttemptFate { id: AttemptId(id), fate, applied: 0, coalesced: 0 }
    }

    #[test]
    fn each_delivery_is_timed_from_its_own_event_to_the_proof() {
        let mut measures = Measures::default();
        let mut commit = |set: ChangeSet, now: i64| measures.committed(&[&set], Duration::from_millis(2), at(now));
        commit(ChangeSet { events: vec![event(1, 0), event(2, 400)], ..ChangeSet::default() }, 401);
        commit(ChangeSet { attempts_new: vec![attempt(1, 0, 2, 500)], ..ChangeSet::default() }, 501);
        commit(ChangeSet { events: vec![event(3, 600)], ..ChangeSet::default() }, 601);
        // A first try of unknown fate proves nothing yet.
        commit(ChangeSet { attempts_settled: vec![fate(1, Fate::Unknown)], ..ChangeSet::default() }, 700);
        let side = Side { closed: 2, ..Side::default() };
        commit(ChangeSet { attempts_settled: vec![fate(1, Fate::Proven)], sides: vec![(LINK, side)], ..ChangeSet::default() }, 1000);
        let system = measures.measured.systems[&CRM].clone();
        assert_eq!((system.latency.count(), system.latency.sum()), (2, 1.0 + 0.6));
        assert_eq!((system.queue.count(), system.queue.sum()), (2, 0.5 + 0.1));
        assert_eq!((system.dispatch.count(), system.dispatch.sum(), system.batch.sum()), (1, 0.5, 1.0));
        assert_eq!(system.proven_at, Some(at(1000)));
        assert_eq!((measures.remembered, measures.intents.len(), measures.measured.commits.count()), (1, 0, 5));
        assert_eq!(measures.accepted[&LINK], [(3, at(600))]);
    }

    #[test]
    fn an_answered_request_is_timed_and_one_that_never_went_out_is_not() {
        let charge = |id| Charge {
            id: ChargeId(id),
            account: "crm".into(),
            call: "create Lead".into(),
            pools: Vec::new(),
            items: 1,
            opened_at: at(0),
            horizon: at(60_000),
            answered_at: None,
            released: false,
        };
        let close = |id, released| ChargeClose { id: ChargeId(id), answered_at: at(250), released };
        let set = ChangeSet { charges_new: vec![charge(1), charge(2), charge(3)], charges_closed: vec![close(1, false), close(2, true)], ..ChangeSet::default() };
        let mut measures = Measures::default();
        measures.committed(&[&set], Duration::ZERO, at(300));
        let times = &measures.measured.requests[&("crm".to_owned(), "create".to_owned())];
        assert_eq!((times.count(), times.sum(), measures.requests.len()), (1, 0.25, 1));
        assert_eq!(times.ranges().iter().find(|(_, count)| *count > 0), Some(&(0.25, 1)));
    }

    #[test]
    fn a_range_holds_its_upper_bound_and_the_last_one_all_above() {
        let mut histogram = Histogram::empty(&[1.0, 2.0]);
        [0.5, 1.0, 1.5, 2.0, 9.0].into_iter().for_each(|value| histogram.observe(value));
        assert_eq!(histogram.ranges(), [(1.0, 2), (2.0, 2), (f64::INFINITY, 1)]);
    }
}
