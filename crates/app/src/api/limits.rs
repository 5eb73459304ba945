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

impl Rate {
    /// So many requests a second; None for any number.
    pub(super) fn new(per_second: Option<u32>) -> Self {
        Self { per_second, buckets: Mutex::default() }
    }

    /// Takes one request out of a token's bucket.
    ///
    /// # Errors
    /// The whole seconds after which it holds one again.
    pub(super) fn take(&self, token: &Arc<str>, now: Timestamp) -> Result<(), u64> {
        let Some(per_second) = self.per_second.map(i64::from) else { return Ok(()) };
        let full = per_second.saturating_mul(SECOND);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(token.clone()).or_insert(Bucket { held: full, at: now });
        // A clock that was set back fills nothing.
        let gone = now.0.saturating_sub(bucket.at.0).max(0);
        bucket.held = bucket.held.saturating_add(gone.saturating_mul(per_second)).min(full);
        bucket.at = now;
        if bucket.held >= SECOND {
            bucket.held -= SECOND;
            return Ok(());
        }
        let missing = (SECOND - bucket.held) / per_second;
        Err(u64::try_from(missing / SECOND).unwrap_or(0) + 1)
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
        let at = |millis| Timestamp::from_millis(millis);
        assert_eq!([rate.take(&one, at(0)), rate.take(&one, at(0)), rate.take(&one, at(0))], [Ok(()), Ok(()), Err(1)]);
        assert_eq!(rate.take(&other, at(0)), Ok(()));
        assert_eq!([rate.take(&one, at(500)), rate.take(&one, at(500))], [Ok(()), Err(1)]);
        assert_eq!([rate.take(&one, at(100)), rate.take(&one, at(10_000))], [Err(1), Ok(())]);
    }

    #[test]
    fn without_a_rate_nobody_waits() {
        let rate = Rate::new(None);
        let token = Arc::from("one");
        assert!((0..10_000).all(|_| rate.take(&token, Timestamp(0)).is_ok()));
    }
}
