//! The pools of an account: what may be spent, what is spent, and when it comes back.
//!
//! Promises: a call counts from the moment it is decided until one window after its answer, or after its horizon where there is
//! none, because a delayed network squeezes two windows into one; so no window of theirs ever sees more than the allowance,
//! whatever the delays. Leaves to others: making charges durable (`ChangeSet`), what a call draws on (`Profile`).

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::attempt::Charge;
use crate::ids::ChargeId;
use crate::outcome::{LimitReport, Throttle};
use crate::time::Timestamp;

/// One pool as configured or learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolSpec {
    /// Its name in reports (`burst`, `day`, `search`).
    pub name: String,
    /// How many calls a window allows, all users of the account together.
    pub limit: u64,
    /// When what was spent comes back.
    pub window: Window,
}

/// When what was spent comes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Window {
    /// One window after the answer.
    Rolling(Duration),
    /// At midnight in this time zone (IANA name).
    Midnight(String),
}

impl Window {
    /// When a call that ended at `end` stops counting. Rounded up to a thousandth of the window, to keep the books small.
    #[must_use]
    pub fn release(&self, end: Timestamp) -> Timestamp {
        match self {
            Self::Rolling(window) => {
                let grain = i64::try_from(window.as_nanos() / 1000).unwrap_or(i64::MAX).max(1);
                let exact = end.plus(*window).0;
                Timestamp(exact.div_euclid(grain).saturating_add(1).saturating_mul(grain))
            }
            Self::Midnight(zone) => next_midnight(zone, end),
        }
    }

    fn length(&self) -> Duration {
        match self {
            Self::Rolling(window) => *window,
            Self::Midnight(_) => Duration::from_secs(24 * 3600),
        }
    }
}

/// The first midnight in a zone after a time; an unknown zone reads as UTC.
#[must_use]
pub fn next_midnight(zone: &str, after: Timestamp) -> Timestamp {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    jiff::Timestamp::from_nanosecond(i128::from(after.0))
        .ok()
        .map(|time| time.to_zoned(zone))
        .and_then(|time| time.tomorrow().ok())
        .and_then(|time| time.start_of_day().ok())
        .and_then(|time| i64::try_from(time.timestamp().as_nanosecond()).ok())
        .map_or(Timestamp::MAX, Timestamp)
}

/// A pool's state, for status pages.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PoolStatus {
    /// Its name.
    pub pool: String,
    /// What the account may spend in a window.
    pub limit: u64,
    /// What of it is ours.
    pub allowance: u64,
    /// What of it counts as spent now.
    pub used: u64,
    /// Calls of unknown fate among those.
    pub unknown: u64,
    /// No call before this time (nanoseconds since the epoch), if they said so.
    pub blocked_until: Option<Timestamp>,
}

/// Why a call has to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Until when at least.
    pub until: Timestamp,
    /// For what.
    pub why: &'static str,
}

#[derive(Debug, Clone)]
struct Pool {
    spec: PoolSpec,
    allowance: u64,
    under_way: BTreeMap<ChargeId, Timestamp>,
    unknown: BTreeMap<ChargeId, Timestamp>,
    spent: BTreeMap<Timestamp, u64>,
    spent_sum: u64,
    foreign: u64,
    foreign_until: Timestamp,
    blocked_until: Timestamp,
    next_slot: Timestamp,
}

/// All pools of one account.
#[derive(Debug, Clone)]
pub struct Quota {
    pools: BTreeMap<String, Pool>,
    share_permille: u64,
}

impl Quota {
    /// Pools of which `share_permille` thousandths are ours.
    #[must_use]
    pub fn new(specs: &[PoolSpec], share_permille: u64) -> Self {
        let mut quota = Self { pools: BTreeMap::new(), share_permille: share_permille.clamp(1, 1000) };
        quota.set_specs(specs);
        quota
    }

    /// Takes over what was learned at connect; what is spent stays spent.
    pub fn set_specs(&mut self, specs: &[PoolSpec]) {
        for spec in specs {
            let allowance = self.allowance(spec.limit);
            self.pools
                .entry(spec.name.clone())
                .and_modify(|pool| {
                    pool.spec = spec.clone();
                    pool.allowance = allowance;
                })
                .or_insert_with(|| Pool::new(spec.clone(), allowance));
        }
    }

    fn allowance(&self, limit: u64) -> u64 {
        (limit.saturating_mul(self.share_permille) / 1000).max(1)
    }

    /// Lets go of what no longer counts.
    pub fn advance(&mut self, now: Timestamp) {
        for pool in self.pools.values_mut() {
            pool.advance(now);
        }
    }

    /// Whether a call on these pools may go out now.
    ///
    /// # Errors
    /// Until when it has to wait, and for what.
    pub fn check(&mut self, pools: &[String], now: Timestamp) -> Result<(), Wait> {
        let mut longest: Option<Wait> = None;
        for name in pools {
            let Some(pool) = self.pools.get_mut(name) else { continue };
            pool.advance(now);
            if let Err(wait) = pool.check(now)
                && longest.as_ref().is_none_or(|longest| wait.until > longest.until)
            {
                longest = Some(wait);
            }
        }
        longest.map_or(Ok(()), Err)
    }

    /// Whether so many calls at once fit; they are too few to be paced.
    ///
    /// # Errors
    /// Until when they have to wait, and for what.
    pub fn check_many(&mut self, pools: &[String], calls: usize, now: Timestamp) -> Result<(), Wait> {
        self.check(pools, now)?;
        for pool in pools.iter().filter_map(|name| self.pools.get(name)) {
            if pool.used() + calls as u64 > pool.allowance {
                return Err(Wait { until: pool.next_release(now), why: "quota" });
            }
        }
        Ok(())
    }

    /// Books a call that was decided.
    pub fn reserve(&mut self, charge: ChargeId, pools: &[String], horizon: Timestamp, now: Timestamp) {
        for pool in pools {
            if let Some(pool) = self.pools.get_mut(pool) {
                pool.under_way.insert(charge, horizon);
                let gap = pool.gap();
                pool.next_slot = pool.next_slot.max(now).plus(gap);
            }
        }
    }

    /// The call was answered, or is proven to have been carried out: from now it counts for one window.
    /// Answers whether it was still booked.
    pub fn answered(&mut self, charge: ChargeId, now: Timestamp) -> bool {
        let mut booked = false;
        for pool in self.pools.values_mut() {
            let unknown = pool.unknown.remove(&charge).is_some();
            if pool.under_way.remove(&charge).is_some() || unknown {
                pool.spend(now);
                booked = true;
            }
        }
        booked
    }

    /// The call never went out.
    pub fn released(&mut self, charge: ChargeId) {
        for pool in self.pools.values_mut() {
            pool.under_way.remove(&charge);
        }
    }

    /// No answer came: it counts until its horizon, and one window more.
    pub fn lost(&mut self, charge: ChargeId) {
        for pool in self.pools.values_mut() {
            if let Some(horizon) = pool.under_way.remove(&charge) {
                pool.unknown.insert(charge, horizon);
            }
        }
    }

    /// Books a charge found in the store at start.
    pub fn restore(&mut self, charge: &Charge) {
        for name in &charge.pools {
            let Some(pool) = self.pools.get_mut(name) else { continue };
            match (charge.released, charge.answered_at) {
                (true, _) => {}
                (false, Some(at)) => pool.spend(at),
                (false, None) => {
                    pool.unknown.insert(charge.id, charge.horizon);
                }
            }
        }
    }

    /// How far back charges still count, at most.
    #[must_use]
    pub fn memory(&self) -> Duration {
        self.pools.values().map(|pool| pool.spec.window.length()).max().unwrap_or_default() * 2
    }

    /// What their headers say: a new limit, and what others spend of it.
    pub fn learn(&mut self, report: &LimitReport, now: Timestamp) {
        let allowance = self.allowance(report.limit);
        if let Some(pool) = self.pools.get_mut(&report.pool) {
            pool.advance(now);
            pool.spec.limit = report.limit;
            pool.allowance = allowance;
            pool.foreign = report.used.saturating_sub(pool.used());
            pool.foreign_until = now.plus(pool.spec.window.length().min(Duration::from_secs(900)));
        }
    }

    /// They say that a pool is empty: nothing goes out before they said.
    pub fn throttle(&mut self, throttle: &Throttle, now: Timestamp) {
        for (name, pool) in &mut self.pools {
            if throttle.pool.as_ref().is_none_or(|named| named == name) {
                let until = throttle.after.map_or_else(|| pool.spec.window.release(now), |after| now.plus(after));
                pool.blocked_until = pool.blocked_until.max(until);
            }
        }
    }

    /// Every pool's state.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Vec<PoolStatus> {
        self.pools
            .iter()
            .map(|(name, pool)| PoolStatus {
                pool: name.clone(),
                limit: pool.spec.limit,
                allowance: pool.allowance,
                used: pool.used(),
                unknown: pool.unknown.len() as u64,
                blocked_until: Some(pool.blocked_until).filter(|until| *until > now),
            })
            .collect()
    }
}

impl Pool {
    fn new(spec: PoolSpec, allowance: u64) -> Self {
        Self {
            spec,
            allowance,
            under_way: BTreeMap::new(),
            unknown: BTreeMap::new(),
            spent: BTreeMap::new(),
            spent_sum: 0,
            foreign: 0,
            foreign_until: Timestamp::MIN,
            blocked_until: Timestamp::MIN,
            next_slot: Timestamp::MIN,
        }
    }

    fn used(&self) -> u64 {
        (self.under_way.len() + self.unknown.len()) as u64 + self.spent_sum
    }

    fn spend(&mut self, end: Timestamp) {
        *self.spent.entry(self.spec.window.release(end)).or_default() += 1;
        self.spent_sum += 1;
    }

    fn advance(&mut self, now: Timestamp) {
        let past: Vec<_> = self.unknown.iter().filter(|(_, horizon)| **horizon <= now).map(|(id, end)| (*id, *end)).collect();
        for (id, horizon) in past {
            self.unknown.remove(&id);
            self.spend(horizon);
        }
        while let Some(first) = self.spent.first_entry().filter(|first| *first.key() <= now) {
            self.spent_sum -= first.remove();
        }
        if self.foreign_until <= now {
            self.foreign = 0;
        }
    }

    /// The pause between two calls that spreads the allowance over a short window; day-long windows are not paced.
    fn gap(&self) -> Duration {
        match self.spec.window {
            Window::Rolling(window) if window <= Duration::from_secs(60) => {
                window / u32::try_from(self.allowance).unwrap_or(u32::MAX).max(1)
            }
            Window::Rolling(_) | Window::Midnight(_) => Duration::ZERO,
        }
    }

    fn check(&self, now: Timestamp) -> Result<(), Wait> {
        if self.blocked_until > now {
            return Err(Wait { until: self.blocked_until, why: "they asked us to wait" });
        }
        if self.unknown.len() as u64 >= (self.allowance / 4).max(1) {
            let until = self.unknown.values().min().copied().unwrap_or(now);
            return Err(Wait { until, why: "a quarter of the quota is of unknown fate" });
        }
        let used = self.used();
        if used >= self.allowance || used + self.foreign >= self.spec.limit {
            return Err(Wait { until: self.next_release(now), why: "quota" });
        }
        let gap = self.gap();
        let tolerance = gap * u32::try_from(self.allowance / 10).unwrap_or(u32::MAX).max(1);
        let slot = self.next_slot.minus(tolerance);
        if slot > now {
            return Err(Wait { until: slot, why: "pacing" });
        }
        Ok(())
    }

    fn next_release(&self, now: Timestamp) -> Timestamp {
        let spent = self.spent.keys().next().copied();
        let unknown = self.unknown.values().min().copied();
        let foreign = Some(self.foreign_until).filter(|_| self.foreign > 0);
        let soonest = [spent, unknown, foreign].into_iter().flatten().min();
        soonest.unwrap_or_else(|| now.plus(self.spec.window.length() / 100)).max(now.plus(Duration::from_millis(1)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{PoolSpec, Quota, Window, next_midnight};
    use crate::ids::ChargeId;
    use crate::time::Timestamp;

    fn burst(limit: u64) -> Vec<PoolSpec> {
        vec![PoolSpec { name: "burst".into(), limit, window: Window::Rolling(Duration::from_secs(10)) }]
    }

    proptest! {
        /// Whatever the delays, and with answers lost, no ten seconds of theirs see more than the limit.
        #[test]
        fn no_window_is_ever_over(
            limit in 1_u64..12,
            calls in prop::collection::vec((0_i64..3_000, 0_i64..8_000, 0_i64..8_000, any::<bool>()), 1..150),
        ) {
            let mut quota = Quota::new(&burst(limit), 1000);
            let pools = vec!["burst".to_owned()];
            let (mut now, mut arrivals) = (Timestamp::from_millis(0), Vec::new());
            let mut ends: Vec<(Timestamp, ChargeId, bool)> = Vec::new();
            for (number, (pause, travel, way_back, lost)) in calls.into_iter().enumerate() {
                let id = ChargeId(i64::try_from(number).unwrap());
                now = now.plus(Duration::from_millis(pause.unsigned_abs()));
                loop {
                    ends.sort_by_key(|end| end.0);
                    let due: Vec<_> = ends.iter().filter(|end| end.0 <= now).copied().collect();
                    ends.retain(|end| end.0 > now);
                    for (at, id, lost) in due {
                        if lost { quota.lost(id) } else { quota.answered(id, at); }
                    }
                    match quota.check(&pools, now) {
                        Ok(()) => break,
                        Err(wait) => {
                            prop_assert!(wait.until > now);
                            let next_end = ends.first().map_or(wait.until, |end| end.0.max(now.plus(Duration::from_millis(1))));
                            now = wait.until.min(next_end);
                        }
                    }
                }
                let horizon = now.plus(Duration::from_secs(20));
                quota.reserve(id, &pools, horizon, now);
                arrivals.push(now.plus(Duration::from_millis(travel.unsigned_abs())));
                ends.push((now.plus(Duration::from_millis((travel + way_back).unsigned_abs())), id, lost));
            }
            arrivals.sort();
            for (index, first) in arrivals.iter().enumerate() {
                let inside = arrivals[index..].iter().take_while(|at| at.since(*first) < Duration::from_secs(10)).count();
                prop_assert!(inside as u64 <= limit, "{inside} of {limit}");
            }
        }
    }

    #[test]
    fn unknown_calls_stop_the_lane_at_a_quarter() {
        let mut quota = Quota::new(&burst(8), 1000);
        let pools = vec!["burst".to_owned()];
        let now = Timestamp::from_millis(0);
        for id in 0..2 {
            quota.reserve(ChargeId(id), &pools, now.plus(Duration::from_secs(5)), now);
            quota.lost(ChargeId(id));
        }
        let later = now.plus(Duration::from_secs(3));
        assert_eq!(quota.check(&pools, later).unwrap_err().why, "a quarter of the quota is of unknown fate");
        quota.answered(ChargeId(0), later);
        assert_eq!(quota.check(&pools, later), Ok(()));
    }

    #[test]
    fn a_day_ends_at_midnight_where_the_account_is() {
        let noon = Timestamp::from_millis(1_700_000_000_000);
        let midnight = next_midnight("Europe/Berlin", noon);
        assert_eq!(midnight.to_rfc3339(), "2023-11-14T23:00:00Z");
        assert_eq!(next_midnight("Nowhere/Land", noon).to_rfc3339(), "2023-11-15T00:00:00Z");
    }
}
