//! Counts calls against HubSpot's three limits: rolling ten seconds, search second, account day.
//!
//! Promises: a call counts when it arrives and is let in; a refused call counts nowhere. The windows hold one entry per
//! millisecond and never more than the limit. The day starts at midnight in the account's zone.
//! Leaves to others: the 429 bodies (`errors`), which calls ask (`mod`: not those without a valid token).

use std::collections::VecDeque;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::exchange::Millis;

const TEN_SECONDS: Millis = 10_000;
const ONE_SECOND: Millis = 1_000;

/// Which kind of app makes a call: each has a window of its own, and OAuth apps have no day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum App {
    /// A private app or a service key.
    Private,
    /// An app with OAuth tokens.
    OAuth,
}

/// Which limit refused a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// The rolling window of ten seconds.
    TenSeconds,
    /// The rolling window of an OAuth app.
    OAuthTenSeconds,
    /// The account's search rate.
    Second,
    /// The day's allowance.
    Day,
}

/// What the account has used.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Quota {
    window: Window,
    #[serde(default)]
    oauth_window: Window,
    searches: Window,
    day_ends: Millis,
    day_used: u64,
    /// Calls let in since the account exists; numbers the correlation ids.
    pub(super) total: u64,
}

/// The limits in force and the zone of the day.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    pub(super) ten_seconds: u32,
    pub(super) oauth_ten_seconds: u32,
    pub(super) search_second: u32,
    pub(super) day: u64,
    pub(super) zone: TimeZone,
}

impl Quota {
    /// Counts a call, or says which limit forbids it.
    pub(super) fn admit(&mut self, limits: &Limits, app: App, is_search: bool, now: Millis) -> Result<(), Limit> {
        self.turn_day(limits, now);
        if app == App::Private && self.day_used >= limits.day {
            return Err(Limit::Day);
        }
        let (window, span, max, limit) = match app {
            _ if is_search => (&mut self.searches, ONE_SECOND, limits.search_second, Limit::Second),
            App::Private => (&mut self.window, TEN_SECONDS, limits.ten_seconds, Limit::TenSeconds),
            App::OAuth => (&mut self.oauth_window, TEN_SECONDS, limits.oauth_ten_seconds, Limit::OAuthTenSeconds),
        };
        window.expire(now, span);
        if window.count >= max {
            return Err(limit);
        }
        window.add(now);
        self.day_used += u64::from(app == App::Private);
        self.total += 1;
        Ok(())
    }

    /// Counts a call again that was let in before a restart.
    pub(super) fn replay(&mut self, limits: &Limits, app: App, is_search: bool, at: Millis) {
        self.turn_day(limits, at);
        let (window, span) = match app {
            _ if is_search => (&mut self.searches, ONE_SECOND),
            App::Private => (&mut self.window, TEN_SECONDS),
            App::OAuth => (&mut self.oauth_window, TEN_SECONDS),
        };
        window.expire(at, span);
        window.add(at);
        self.day_used += u64::from(app == App::Private);
        self.total += 1;
    }

    /// Calls of the day so far.
    pub(super) fn day_used(&mut self, limits: &Limits, now: Millis) -> u64 {
        self.turn_day(limits, now);
        self.day_used
    }

    /// Calls left in the window of ten seconds.
    pub(super) fn ten_seconds_left(&mut self, limits: &Limits, app: App, now: Millis) -> u32 {
        let (window, max) = match app {
            App::Private => (&mut self.window, limits.ten_seconds),
            App::OAuth => (&mut self.oauth_window, limits.oauth_ten_seconds),
        };
        window.expire(now, TEN_SECONDS);
        max.saturating_sub(window.count)
    }

    /// When the day's count starts anew.
    pub(super) fn day_ends(&mut self, limits: &Limits, now: Millis) -> Millis {
        self.turn_day(limits, now);
        self.day_ends
    }

    /// Milliseconds until the refusing limit lets a call in again.
    pub(super) fn wait_ms(&self, limit: Limit, now: Millis) -> Millis {
        let oldest = |window: &Window, span: Millis| window.arrivals.front().map_or(0, |(at, _)| (at + span - now).max(0));
        match limit {
            Limit::TenSeconds => oldest(&self.window, TEN_SECONDS),
            Limit::OAuthTenSeconds => oldest(&self.oauth_window, TEN_SECONDS),
            Limit::Second => oldest(&self.searches, ONE_SECOND),
            Limit::Day => (self.day_ends - now).max(0),
        }
    }

    fn turn_day(&mut self, limits: &Limits, now: Millis) {
        if now >= self.day_ends {
            self.day_ends = next_midnight(&limits.zone, now);
            self.day_used = 0;
        }
    }
}

fn next_midnight(zone: &TimeZone, now: Millis) -> Millis {
    let today = Timestamp::from_millisecond(now).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.clone());
    let next = today.tomorrow().and_then(|day| day.start_of_day());
    next.map_or(now + 86_400_000, |midnight| midnight.timestamp().as_millisecond())
}

/// Arrivals inside one span, as (time, how many at that time), oldest first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Window {
    arrivals: VecDeque<(Millis, u32)>,
    count: u32,
}

impl Window {
    fn expire(&mut self, now: Millis, span: Millis) {
        while let Some((at, calls)) = self.arrivals.front().copied() {
            if now - at < span {
                break;
            }
            self.arrivals.pop_front();
            self.count -= calls;
        }
    }

    fn add(&mut self, now: Millis) {
        self.count += 1;
        match self.arrivals.back_mut() {
            Some((at, calls)) if *at >= now => *calls += 1,
            _ => self.arrivals.push_back((now, 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::{App, Limit, Limits, Quota};

    fn limits(ten_seconds: u32, day: u64) -> Limits {
        Limits { ten_seconds, oauth_ten_seconds: 110, search_second: 5, day, zone: TimeZone::get("Europe/Berlin").unwrap() }
    }

    #[test]
    fn ten_second_window_rolls() {
        let limits = limits(3, 100);
        let mut quota = Quota::default();
        let start = 1_788_256_800_000;
        for offset in [0, 1, 5_000] {
            assert_eq!(quota.admit(&limits, App::Private, false, start + offset), Ok(()));
        }
        assert_eq!(quota.admit(&limits, App::Private, false, start + 9_999), Err(Limit::TenSeconds));
        assert_eq!(quota.wait_ms(Limit::TenSeconds, start + 9_999), 1);
        assert_eq!(quota.admit(&limits, App::Private, false, start + 10_000), Ok(()));
        assert_eq!(quota.admit(&limits, App::Private, false, start + 10_000), Err(Limit::TenSeconds));
        assert_eq!(quota.admit(&limits, App::Private, false, start + 10_001), Ok(()));
    }

    #[test]
    fn refused_calls_count_nowhere() {
        let limits = limits(1, 100);
        let mut quota = Quota::default();
        for _ in 0..50 {
            let _ = quota.admit(&limits, App::Private, false, 1_788_256_800_000);
        }
        assert_eq!(quota.day_used(&limits, 1_788_256_800_000), 1);
        assert_eq!(quota.admit(&limits, App::Private, false, 1_788_256_810_000), Ok(()));
    }

    #[test]
    fn searches_have_their_own_second() {
        let limits = limits(1, 100);
        let mut quota = Quota::default();
        for _ in 0..5 {
            assert_eq!(quota.admit(&limits, App::Private, true, 1_788_256_800_000), Ok(()));
        }
        assert_eq!(quota.admit(&limits, App::Private, true, 1_788_256_800_999), Err(Limit::Second));
        assert_eq!(quota.admit(&limits, App::Private, false, 1_788_256_800_999), Ok(()));
        assert_eq!(quota.admit(&limits, App::Private, true, 1_788_256_801_000), Ok(()));
    }

    #[test]
    fn day_turns_at_local_midnight() {
        let limits = limits(100, 1);
        let mut quota = Quota::default();
        // 23:59:59.999 in Berlin in summer is 21:59:59.999 UTC.
        let midnight = 1_788_300_000_000;
        assert_eq!(quota.admit(&limits, App::Private, false, midnight - 1), Ok(()));
        assert_eq!(quota.admit(&limits, App::Private, false, midnight - 1), Err(Limit::Day));
        assert_eq!(quota.wait_ms(Limit::Day, midnight - 1), 1);
        assert_eq!(quota.admit(&limits, App::Private, false, midnight), Ok(()));
        assert_eq!(quota.day_ends(&limits, midnight), midnight + 86_400_000);
    }
}
