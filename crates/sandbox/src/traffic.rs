//! What came in: totals per operation, and the last requests one by one.
//!
//! Promises: totals never forget; the list of requests holds the newest and no more than its limit.
//! Leaves to others: counting against quotas (each CRM).

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::exchange::{Millis, System};

/// Totals per system and operation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// System, then operation.
    pub systems: BTreeMap<System, BTreeMap<String, OperationCount>>,
}

/// Totals of one operation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationCount {
    /// Requests that arrived.
    pub requests: u64,
    /// Inputs that those requests carried.
    pub items: u64,
    /// Answers by HTTP status.
    pub statuses: BTreeMap<u16, u64>,
    /// Requests whose caller got no answer.
    pub unanswered: u64,
    /// Answers that said a limit is reached: 429 of HubSpot, 403 `REQUEST_LIMIT_EXCEEDED` of Salesforce.
    pub over_limit: u64,
    /// Requests that a fault rule touched.
    pub faulted: u64,
}

/// What became of one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Which CRM.
    pub system: System,
    /// The operation's name.
    pub operation: String,
    /// Inputs it carried.
    pub items: usize,
    /// Status of the answer; None when the caller got none.
    pub status: Option<u16>,
    /// The answer said that a limit is reached.
    pub over_limit: bool,
    /// A fault rule touched it.
    pub faulted: bool,
}

impl Counters {
    /// Adds one request.
    pub fn add(&mut self, tally: &Tally) {
        let operations = self.systems.entry(tally.system).or_default();
        if !operations.contains_key(&tally.operation) {
            operations.insert(tally.operation.clone(), OperationCount::default());
        }
        let Some(count) = operations.get_mut(&tally.operation) else { return };
        count.requests += 1;
        count.items += tally.items as u64;
        count.over_limit += u64::from(tally.over_limit);
        count.faulted += u64::from(tally.faulted);
        match tally.status {
            Some(status) => *count.statuses.entry(status).or_default() += 1,
            None => count.unanswered += 1,
        }
    }

    /// The totals of one operation, zero if it never came.
    #[must_use]
    pub fn of(&self, system: System, operation: &str) -> OperationCount {
        self.systems.get(&system).and_then(|operations| operations.get(operation)).cloned().unwrap_or_default()
    }

    /// Answers of one system that said a limit is reached.
    #[must_use]
    pub fn over_limit(&self, system: System) -> u64 {
        self.systems.get(&system).map_or(0, |operations| operations.values().map(|count| count.over_limit).sum())
    }
}

/// One request in the list of the last ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoggedRequest {
    /// When it arrived.
    pub at: Millis,
    /// Which CRM.
    pub system: System,
    /// The operation's name.
    pub operation: String,
    /// HTTP verb.
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// Status of the answer; None when the caller got none.
    pub status: Option<u16>,
    /// Inputs it carried.
    pub inputs: usize,
    /// Numbers of the fault rules that touched it, counted from 1.
    pub faults: Vec<usize>,
}

/// The last requests, oldest first.
#[derive(Debug, Default)]
pub struct RequestLog {
    entries: VecDeque<LoggedRequest>,
    entries_max: usize,
}

impl RequestLog {
    /// An empty list that keeps that many.
    #[must_use]
    pub fn new(entries_max: usize) -> Self {
        Self { entries: VecDeque::new(), entries_max }
    }

    /// Adds a request and forgets the oldest beyond the limit.
    pub fn push(&mut self, entry: LoggedRequest) {
        if self.entries_max == 0 {
            return;
        }
        if self.entries.len() >= self.entries_max {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// Oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &LoggedRequest> {
        self.entries.iter()
    }
}
