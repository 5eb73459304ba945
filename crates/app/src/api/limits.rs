//! How often a token may ask.
//!
//! Promises: a token's bucket holds one second's requests and fills evenly; the caller is told in whole seconds when to ask again.
//! Leaves to others: what else is bounded (`connection`, `events`, the queue).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use syncline_core::time::Timestamp;

const SECOND: i64 = 1_000_000_000;

/// Buckets by token.
#[derive(Debug)]
pub(super) struct Rate {
    per_second: Option<u32>,
    buckets: Mutex<BTreeMap<Arc<str>, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// What it holds, in billionths of a request.
    held: i64,
    at: Timestamp,
}

/// How a token stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// Requests that it may make in a second.
    pub(super) per_second: i64,
    /// Requests that it may make at once.
    pub(super) left: i64,
    /// Whole seconds until it may make a whole second's at once again.
    pub(super) full_in: u64,
    /// Whole seconds to wait, if this request was one too many.
    pub(super) wait: Option<u64>,
}

impl Rate {
    /// So many requests a second; None for any number.
    pub(super) fn new(per_second: Option<u32>) -> Self {
        Self { per_second, buckets: Mutex::default() }
    }

    /// Takes one request out of a token's bucket, and tells how the token stands; None where there is no rate.
    pub(super) fn take(&self, token: &Arc<str>, now: Timestamp) -> Option<Standing> {
        let per_second = self.per_second.map(i64::from)?;
        let full = per_second.saturating_mul(SECOND);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(token.clone()).or_insert(Bucket { held: full, at: now });
        // A clock that was set back fills nothing.
        let gone = now.0.saturating_sub(bucket.at.0).max(0);
        bucket.held = bucket.held.saturating_add(gone.saturating_mul(per_second)).min(full);
        bucket.at = now;
        let is_in = bucket.held >= SECOND;
        bucket.held -= if is_in { SECOND } else { 0 };
        let seconds = |missing: i64| u64::try_from(missing / per_second / SECOND).unwrap_or(0) + 1;
        Some(Standing {
            per_second,
            left: bucket.held / SECOND,
            full_in: if bucket.held == full { 0 } else { seconds(full - bucket.held - 1) },
            wait: (!is_in).then(|| seconds(SECOND - bucket.held)),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use syncline_core::time::Timestamp;

    use super::Rate;

    #[test]
    fn a_bucket_holds_one_second_and_fills_evenly_each_token_for_itself() {
        let rate = Rate::new(Some(2));
        let (one, other) = (Arc::from("one"), Arc::from("other"));
        let take = |token, millis| {
            let standing = rate.take(token, Timestamp::from_millis(millis)).unwrap();
            (standing.left, standing.full_in, standing.wait)
        };
        assert_eq!([take(&one, 0), take(&one, 0), take(&one, 0)], [(1, 1, None), (0, 1, None), (0, 1, Some(1))]);
        assert_eq!(take(&other, 0), (1, 1, None));
        assert_eq!([take(&one, 500), take(&one, 500)], [(0, 1, None), (0, 1, Some(1))]);
        assert_eq!([take(&one, 100), take(&one, 10_000)], [(0, 1, Some(1)), (1, 1, None)]);
    }

    #[test]
    fn without_a_rate_nobody_waits() {
        let rate = Rate::new(None);
        let token = Arc::from("one");
        assert!((0..10_000).all(|_| rate.take(&token, Timestamp(0)).is_none()));
    }
}
