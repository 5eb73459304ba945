//! A point in time as a person names it: so long ago, or at a date.
//!
//! Promises: what has no zone is UTC. Leaves to others: asking what time it is (`crate::clock`).

use std::str::FromStr;
use std::time::Duration;

use syncline_core::time::Timestamp;
use syncline_engine::ports::clock::Clock;

use crate::clock::WallClock;
use crate::config::duration;

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// So long before now.
    Ago(Duration),
    /// Then.
    At(Timestamp),
}

impl Moment {
    /// The point in time, seen from now.
    pub(super) fn seen_now(self) -> Timestamp {
        self.seen(WallClock.now())
    }

    fn seen(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(span) => now.minus(span),
            Self::At(at) => at,
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(span) = duration(text) {
            return Ok(Self::Ago(span));
        }
        let of_day = |text: &str| Some(text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp());
        let at = text.parse::<jiff::Timestamp>().ok().or_else(|| of_day(text));
        let at = at.and_then(|at| i64::try_from(at.as_nanosecond()).ok());
        at.map(|at| Self::At(Timestamp(at))).ok_or_else(|| "say how long ago (30s, 15m, 2h, 7d) or when (2026-01-31T12:00:00Z)".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_before_now_and_a_date_is_itself() {
        let seen = |text: &str| text.parse::<Moment>().map(|moment| moment.seen(Timestamp::from_millis(86_400_000)).as_millis());
        assert_eq!(seen("2h"), Ok(86_400_000 - 7_200_000));
        assert_eq!(seen("1970-01-02T00:00:01Z"), Ok(86_401_000));
        assert_eq!(seen("1970-01-02T02:00:01+02:00"), Ok(86_401_000));
        assert_eq!(seen("1970-01-02"), Ok(86_400_000));
        assert_eq!(seen("1970-01-02T00:00"), Ok(86_400_000));
        assert!(seen("yesterday").is_err() && seen("0s").is_err() && seen("").is_err());
    }
}
