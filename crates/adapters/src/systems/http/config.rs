//! How much may wait between the callers and intake.
//!
//! Promises: sensible bounds without a word of configuration. Leaves to others: parsing the configuration.

/// Bounds on what waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSettings {
    /// Events that wait for intake at most.
    pub events_max: usize,
    /// Bytes of their bodies at most.
    pub bytes_max: usize,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self { events_max: 10_000, bytes_max: 64 << 20 }
    }
}
