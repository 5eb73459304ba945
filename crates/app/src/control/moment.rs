//! Points in time, as operators are told them.
//!
//! Promises: UTC, to the millisecond, always as long. Leaves to others: times that are data (`core::time`).

use syncline_core::time::Timestamp;

/// A time for an operator.
pub(crate) fn told(at: Timestamp) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(at.0)).map_or_else(|_| at.to_rfc3339(), |time| format!("{time:.3}"))
}
