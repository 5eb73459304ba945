//! How long to wait before another try, and when to give up.
//!
//! Promises: `RetryPolicy` keeps the published figures exactly and overflows for no number of attempts; `Backoff` never
//! waits zero and never more than its maximum.
//! Leaves to others: whether to try again at all (`dispatch::settle`), the random bits that a jitter needs (`engine`).

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The retry policy of one event, where it sets one: waits without jitter, a budget of attempts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryPolicy {
    /// How many attempts there may be, the first included.
    pub max_attempts: u32,
    /// The first wait, or every wait if it does not grow.
    pub backoff_seconds: u64,
    /// Whether the wait doubles from attempt to attempt.
    pub exponential: bool,
    /// The longest wait of a growing one.
    pub max_backoff_seconds: u64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { max_attempts: 3, backoff_seconds: 30, exponential: true, max_backoff_seconds: 3600 }
    }
}

impl RetryPolicy {
    /// The wait for attempt `n`, counted from zero.
    #[must_use]
    pub fn wait(&self, n: u32) -> Duration {
        if !self.exponential {
            return Duration::from_secs(self.backoff_seconds);
        }
        let grown = self.backoff_seconds.saturating_mul(2_u64.saturating_pow(n));
        Duration::from_secs(grown.min(self.max_backoff_seconds))
    }

    /// Whether `n` attempts are all that there may be.
    #[must_use]
    pub const fn is_exhausted(&self, n: u32) -> bool {
        n >= self.max_attempts
    }
}

/// The dispatcher's own backoff: full jitter, and a budget of time instead of attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The wait's ceiling before it has doubled once.
    pub base: Duration,
    /// The highest ceiling.
    pub max: Duration,
    /// How long a run of transient failures may last before its work is given up.
    pub budget: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_secs(1), max: Duration::from_secs(300), budget: Duration::from_secs(72 * 3600) }
    }
}

impl Backoff {
    /// The shortest wait.
    pub const MIN: Duration = Duration::from_millis(10);

    /// The wait after `failures` failed tries: `jitter`, 64 random bits, spread over zero to `ceiling`, and at least `MIN`.
    #[must_use]
    pub fn wait(&self, failures: u32, jitter: u64) -> Duration {
        let ceiling = u64::try_from(self.ceiling(failures).as_nanos()).unwrap_or(u64::MAX);
        let spread = ((u128::from(ceiling) + 1) * u128::from(jitter)) >> 64;
        Duration::from_nanos(u64::try_from(spread).unwrap_or(ceiling)).max(Self::MIN)
    }

    /// The longest wait after `failures` failed tries: the base, doubled by each, up to the maximum.
    #[must_use]
    pub fn ceiling(&self, failures: u32) -> Duration {
        self.base.saturating_mul(2_u32.saturating_pow(failures)).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::{any, proptest};

    use super::{Backoff, RetryPolicy};

    #[test]
    fn the_defaults_are_the_published_figures() {
        let policy = RetryPolicy::default();
        assert_eq!((policy.max_attempts, policy.backoff_seconds), (3, 30));
        assert_eq!((policy.exponential, policy.max_backoff_seconds), (true, 3600));
        assert_eq!(serde_json::from_str::<RetryPolicy>("{}").unwrap(), policy);
    }

    #[test]
    fn an_exponential_wait_doubles_up_to_its_maximum_and_never_overflows() {
        let policy = RetryPolicy::default();
        let waits: Vec<_> = (0..9).map(|n| policy.wait(n).as_secs()).collect();
        assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
        for n in [31, 32, 58, 59, 60, 63, 64, 65, 1_000_000, u32::MAX] {
            assert_eq!(policy.wait(n), Duration::from_secs(3600), "attempt {n}");
        }
        let huge = RetryPolicy { backoff_seconds: u64::MAX, max_backoff_seconds: u64::MAX, ..policy.clone() };
        assert_eq!(huge.wait(u32::MAX), Duration::from_secs(u64::MAX));
        let none = RetryPolicy { backoff_seconds: 0, ..policy };
        assert_eq!(none.wait(u32::MAX), Duration::ZERO);
    }

    #[test]
    fn a_fixed_wait_stays_the_same_even_above_the_maximum() {
        let policy = RetryPolicy { exponential: false, backoff_seconds: 7200, ..RetryPolicy::default() };
        assert_eq!(policy.wait(0), Duration::from_secs(7200));
        assert_eq!(policy.wait(u32::MAX), Duration::from_secs(7200));
    }

    #[test]
    fn attempts_are_exhausted_from_the_maximum_on() {
        let policy = RetryPolicy::default();
        assert_eq!([0, 2, 3, 4].map(|n| policy.is_exhausted(n)), [false, false, true, true]);
        assert!(RetryPolicy { max_attempts: 0, ..policy }.is_exhausted(0));
    }

    #[test]
    fn the_backoff_has_its_published_bounds() {
        let backoff = Backoff::default();
        assert_eq!((backoff.base, backoff.max), (Duration::from_secs(1), Duration::from_secs(300)));
        assert_eq!(backoff.budget, Duration::from_secs(259_200));
        assert_eq!(backoff.wait(0, 0), Backoff::MIN);
        assert_eq!(backoff.wait(0, u64::MAX), Duration::from_secs(1));
        assert_eq!(backoff.wait(1, u64::MAX), Duration::from_secs(2));
        assert_eq!(backoff.wait(1, 1 << 63), Duration::from_secs(1));
        for failures in [9, 31, 32, 64, u32::MAX] {
            assert_eq!(backoff.wait(failures, u64::MAX), Duration::from_secs(300), "after {failures}");
        }
    }

    proptest! {
        #[test]
        fn a_wait_is_never_zero_and_never_above_its_ceiling(failures in any::<u32>(), jitter in any::<u64>()) {
            let backoff = Backoff::default();
            let wait = backoff.wait(failures, jitter);
            assert!(wait >= Backoff::MIN && wait <= backoff.ceiling(failures));
        }
    }
}
