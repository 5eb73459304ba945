//! The rolling allowance of API requests, and the limits resource.
//!
//! Promises: every data call counts on arrival, whatever becomes of it, except one that is refused because the
//! allowance is spent; calls are kept as counts per minute, and a minute leaves the window only when all of it is
//! older than 24 hours, so the count is never below the exact one and above it by less than a minute's calls.
//! Leaves to others: the header on answers (`mod`), pacing (the client).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::exchange::Millis;

const MINUTE_MS: Millis = 60_000;
/// From then on a request counts as a long one.
const LONG_MS: Millis = 20_000;
/// Bulk batches in 24 hours.
const BATCHES_MAX: usize = 15_000;
const WINDOW_MINUTES: i64 = 24 * 60;

/// Arrivals in the last 24 hours.
#[derive(Debug, Default)]
pub(super) struct Quota {
    minutes: BTreeMap<i64, u32>,
    total: u32,
    changed: BTreeSet<i64>,
}

impl Quota {
    /// Counts one arrival; false if the allowance is spent.
    pub(super) fn arrive(&mut self, max: u32, now: Millis) -> bool {
        let minute = now.div_euclid(MINUTE_MS);
        self.forget_before(minute - WINDOW_MINUTES);
        self.changed.insert(minute);
        let admitted = self.total < max;
        if admitted {
            *self.minutes.entry(minute).or_insert(0) += 1;
            self.total += 1;
        }
        admitted
    }

    /// The count as of the last arrival.
    pub(super) fn used(&self) -> u32 {
        self.total
    }

    /// The count as of that time.
    pub(super) fn used_at(&self, now: Millis) -> u32 {
        self.minutes.range(now.div_euclid(MINUTE_MS) - WINDOW_MINUTES..).map(|(_, count)| count).sum()
    }

    /// Every minute with its count.
    pub(super) fn all(&self) -> Vec<(i64, u32)> {
        self.minutes.iter().map(|(minute, count)| (*minute, *count)).collect()
    }

    /// Minutes whose count changed since the last call, with their counts.
    pub(super) fn drain(&mut self) -> Vec<(i64, u32)> {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().map(|minute| (minute, self.minutes.get(&minute).copied().unwrap_or(0))).collect()
    }

    /// Sets one minute's count, as an arrival in it would have left the window.
    pub(super) fn set(&mut self, minute: i64, count: u32) {
        self.forget_before(minute - WINDOW_MINUTES);
        let before = if count == 0 { self.minutes.remove(&minute) } else { self.minutes.insert(minute, count) };
        self.total = self.total - before.unwrap_or(0) + count;
    }

    fn forget_before(&mut self, first: i64) {
        while let Some(oldest) = self.minutes.first_entry().filter(|oldest| *oldest.key() < first) {
            self.total -= oldest.remove();
        }
    }
}

/// Requests that run for some time, which a fault script makes them do; a restart ends them.
#[derive(Debug, Default)]
pub(super) struct Running(Vec<(Millis, Millis)>);

impl Running {
    /// Notes a request that runs from one time to another.
    pub(super) fn note(&mut self, from: Millis, until: Millis) {
        self.0.retain(|(_, ends)| *ends > from);
        self.0.push((from, until));
    }

    /// How many run and have done so for twenty seconds or longer.
    pub(super) fn long(&self, now: Millis) -> usize {
        self.0.iter().filter(|(from, until)| now - from >= LONG_MS && now < *until).count()
    }
}

/// The body of the limits resource.
pub(super) fn body(used: u32, max: u32, batches: usize) -> Value {
    json!({
        "DailyApiRequests": { "Max": max, "Remaining": max.saturating_sub(used) },
        "DailyBulkApiBatches": { "Max": BATCHES_MAX, "Remaining": BATCHES_MAX.saturating_sub(batches) },
        "DailyBulkV2QueryJobs": { "Max": 10_000, "Remaining": 10_000 },
        "DailyBulkV2QueryFileStorageMB": { "Max": 976_562, "Remaining": 976_562 },
        "DataStorageMB": { "Max": 5, "Remaining": 5 },
        "HourlyPublishedPlatformEvents": { "Max": 50_000, "Remaining": 50_000 }
    })
}

#[cfg(test)]
mod tests {
    use super::{Quota, Running};

    #[test]
    fn s3_a_request_is_long_from_its_twentieth_second_to_its_end() {
        let mut running = Running::default();
        running.note(0, 30_000);
        running.note(5_000, 10_000);
        assert_eq!([19_999, 20_000, 29_999, 30_000].map(|now| running.long(now)), [0, 1, 1, 0]);
    }

    #[test]
    fn s3_a_minute_leaves_the_window_only_when_all_of_it_is_a_day_old() {
        let mut quota = Quota::default();
        let day = 24 * 60 * 60_000;
        assert!(quota.arrive(2, 30_000));
        assert!(quota.arrive(2, 59_999));
        assert!(!quota.arrive(2, 60_000));
        assert_eq!(quota.used(), 2, "a refused call is not counted");
        assert!(!quota.arrive(2, 59_999 + day));
        assert_eq!(quota.used_at(59_999 + day), 2);
        assert_eq!(quota.used_at(60_000 + day), 0);
        assert!(quota.arrive(2, 60_000 + day));
        assert_eq!(quota.used(), 1);
    }
}
