//! The clock: the one place that is asked what time it is.

use syncline_core::time::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, in wall time.
    fn now(&self) -> Timestamp;
}
