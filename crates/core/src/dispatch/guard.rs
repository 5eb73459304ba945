//! What stops a lane before harm is done: the fuse on deletes, the watch on rejections, and the breaker.
//!
//! Promises: the fuse counts real deletes only, never the delete half of a move; the breaker never drops work, it only waits.
//! Leaves to others: making a pause durable (`settle`), lifting it (an operator's resume).

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::time::Timestamp;

/// When the fuse and the watch act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardSettings {
    /// Deletes within an hour, as thousandths of the system's links, that blow the fuse.
    pub fuse_permille: u64,
    /// The fuse never blows below so many.
    pub fuse_min: u64,
    /// Thousandths of items rejected for one reason within ten minutes that pause the lane.
    pub reject_permille: u64,
    /// The lane is never paused for rejections below so many items.
    pub reject_min: u64,
}

impl Default for GuardSettings {
    fn default() -> Self {
        Self { fuse_permille: 250, fuse_min: 100, reject_permille: 200, reject_min: 200 }
    }
}

/// Stops a mass delete.
#[derive(Debug, Clone, Default)]
pub struct Fuse {
    deletes: VecDeque<(Timestamp, u64)>,
}

impl Fuse {
    /// Counts one delete that is about to be queued; false if it would be one too many.
    pub fn admits(&mut self, links: u64, settings: GuardSettings, now: Timestamp) -> bool {
        let hour = Duration::from_secs(3600);
        while self.deletes.front().is_some_and(|(at, _)| now.since(*at) >= hour) {
            self.deletes.pop_front();
        }
        let spent: u64 = self.deletes.iter().map(|(_, count)| count).sum();
        let limit = (links.saturating_mul(settings.fuse_permille) / 1000).max(settings.fuse_min);
        if spent >= limit {
            return false;
        }
        match self.deletes.back_mut().filter(|(at, _)| now.since(*at) < Duration::from_secs(60)) {
            Some((_, count)) => *count += 1,
            None => self.deletes.push_back((now, 1)),
        }
        true
    }

    /// Starts counting anew, after an operator's resume.
    pub fn reset(&mut self) {
        self.deletes.clear();
    }
}

/// Notices when too many items are rejected for one reason.
#[derive(Debug, Clone, Default)]
pub struct RejectWatch {
    minutes: VecDeque<(Timestamp, u64, BTreeMap<String, u64>)>,
}

impl RejectWatch {
    /// Counts one settled item; answers the reason if the lane must pause for it.
    pub fn count(&mut self, rejected_for: Option<&str>, settings: GuardSettings, now: Timestamp) -> Option<String> {
        while self.minutes.front().is_some_and(|(at, ..)| now.since(*at) >= Duration::from_secs(600)) {
            self.minutes.pop_front();
        }
        if self.minutes.back().is_none_or(|(at, ..)| now.since(*at) >= Duration::from_secs(60)) {
            self.minutes.push_back((now, 0, BTreeMap::new()));
        }
        let (_, items, reasons) = self.minutes.back_mut()?;
        *items += 1;
        let reason = rejected_for?;
        *reasons.entry(reason.to_owned()).or_default() += 1;
        let all: u64 = self.minutes.iter().map(|(_, items, _)| items).sum();
        let these: u64 = self.minutes.iter().filter_map(|(_, _, reasons)| reasons.get(reason)).sum();
        let over = all >= settings.reject_min && these.saturating_mul(1000) >= all.saturating_mul(settings.reject_permille);
        over.then(|| reason.to_owned())
    }

    /// Starts counting anew, after an operator's resume.
    pub fn reset(&mut self) {
        self.minutes.clear();
    }
}

/// Keeps a lane from beating on a system that does not answer well.
#[derive(Debug, Clone, Default)]
pub struct Breaker {
    calls: VecDeque<(Timestamp, bool)>,
    open_until: Option<Timestamp>,
    opened: u32,
}

impl Breaker {
    /// Calls looked at, and the time that they span at most.
    const WINDOW: Duration = Duration::from_secs(60);
    const CALLS_MIN: usize = 20;

    /// Counts a call's result; more than half of twenty or more within a minute failing opens the breaker.
    pub fn count(&mut self, failed: bool, now: Timestamp) {
        if self.open_until.is_some() && !failed {
            *self = Self::default();
            return;
        }
        while self.calls.front().is_some_and(|(at, _)| now.since(*at) >= Self::WINDOW) {
            self.calls.pop_front();
        }
        self.calls.push_back((now, failed));
        let failures = self.calls.iter().filter(|(_, failed)| *failed).count();
        let probing = self.open_until.is_some_and(|until| until <= now);
        if probing && failed || self.calls.len() >= Self::CALLS_MIN && failures * 2 > self.calls.len() {
            self.opened = self.opened.saturating_add(1);
            let wait = Duration::from_secs(1 << self.opened.min(6));
            self.open_until = Some(now.plus(wait));
            self.calls.clear();
        }
    }

    /// Until when nothing but a probe may go out; None if the breaker is closed.
    #[must_use]
    pub fn blocked_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.open_until.filter(|until| *until > now)
    }

    /// Whether the next call is a probe: one at a time until one succeeds.
    #[must_use]
    pub fn is_probing(&self) -> bool {
        self.open_until.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Breaker, Fuse, GuardSettings, RejectWatch};
    use crate::time::Timestamp;

    const START: Timestamp = Timestamp::from_millis(0);

    #[test]
    fn the_fuse_takes_a_quarter_of_the_links_within_an_hour() {
        let (mut fuse, settings) = (Fuse::default(), GuardSettings::default());
        assert_eq!((0..1000).filter(|_| fuse.admits(1000, settings, START)).count(), 250);
        assert!(!fuse.admits(1000, settings, START.plus(Duration::from_secs(3599))));
        assert!(fuse.admits(1000, settings, START.plus(Duration::from_secs(3600))));
        let mut small = Fuse::default();
        assert_eq!((0..1000).filter(|_| small.admits(10, settings, START)).count(), 100);
    }

    #[test]
    fn the_watch_acts_at_a_fifth_of_two_hundred_items() {
        let (mut watch, settings) = (RejectWatch::default(), GuardSettings::default());
        let acted = (0..199).filter_map(|n| watch.count((n % 2 == 0).then_some("E"), settings, START)).count();
        assert_eq!(acted, 0);
        assert_eq!(watch.count(Some("E"), settings, START), Some("E".into()));
        watch.reset();
        assert_eq!((0..1000).filter_map(|n| watch.count((n % 6 == 0).then_some("E"), settings, START)).count(), 0);
    }

    #[test]
    fn the_breaker_opens_and_closes_by_a_probe() {
        let mut breaker = Breaker::default();
        for n in 0..20 {
            assert_eq!(breaker.blocked_until(START), None, "{n}");
            breaker.count(n % 20 != 0, START);
        }
        let until = breaker.blocked_until(START).unwrap();
        assert!(breaker.is_probing());
        breaker.count(true, until);
        assert!(breaker.blocked_until(until).is_some());
        breaker.count(false, until.plus(Duration::from_secs(60)));
        assert!(!breaker.is_probing());
    }
}
