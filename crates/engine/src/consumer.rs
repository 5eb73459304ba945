//! Takes raw events one by one or in batches, judges each, and counts what it saw.
//!
//! Promises: judges with the code that intake judges with; every event is counted once, as valid or as invalid with its reason;
//! one bad event stops no other; a decision is logged without a field value, a refusal at `warn` and the rest at `debug`.
//! Leaves to others: folding and storing (`workers::intake`), the time (an argument).

use std::collections::BTreeMap;

use serde::Serialize;
use syncline_core::event::{Change, Invalid, SourceSettings, decode};
use syncline_core::patch;
use syncline_core::schema::Schemas;
use syncline_core::time::Timestamp;

/// What a consumer saw so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Statistics {
    /// Events offered.
    pub received: u64,
    /// Events that are in order.
    pub valid: u64,
    /// Refused events by the refusal's code.
    pub invalid: BTreeMap<String, u64>,
    /// Valid events by operation.
    pub by_operation: BTreeMap<String, u64>,
    /// Valid events by what they say of the routing field (the contact type); those that do not say are not here.
    pub by_contact_type: BTreeMap<String, u64>,
    /// When the first and the last event came.
    #[serde(skip)]
    span: Option<(Timestamp, Timestamp)>,
}

impl Statistics {
    /// Events per second between the first and the last one; none before there is a time between them.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        let (first, last) = self.span?;
        let seconds = last.since(first).as_secs_f64();
        (seconds > 0.0).then(|| (self.received.saturating_sub(1)) as f64 / seconds)
    }

    /// Refused events.
    #[must_use]
    pub fn invalid_total(&self) -> u64 {
        self.invalid.values().sum()
    }

    fn offered(&mut self, now: Timestamp) {
        self.received += 1;
        self.span = Some(self.span.map_or((now, now), |(first, _)| (first, now)));
    }
}

/// Judges events of one source.
#[derive(Debug, Clone, Default)]
pub struct Consumer {
    schemas: Schemas,
    settings: SourceSettings,
    statistics: Statistics,
}

impl Consumer {
    /// A consumer of the record types of `schemas`, which reads events as `settings` say.
    #[must_use]
    pub fn new(schemas: Schemas, settings: SourceSettings) -> Self {
        Self { schemas, settings, statistics: Statistics::default() }
    }

    /// What it saw so far.
    #[must_use]
    pub const fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Judges one event.
    ///
    /// # Errors
    /// What is wrong with it, where, and what to do about it.
    pub fn consume(&mut self, raw: &[u8], now: Timestamp) -> Result<Change, Invalid> {
        self.statistics.offered(now);
        match decode(raw, &self.schemas, &self.settings) {
            Ok(change) => {
                self.count(&change);
                Ok(change)
            }
            Err(invalid) => {
                *self.statistics.invalid.entry(invalid.code.to_owned()).or_default() += 1;
                tracing::warn!(code = invalid.code, place = invalid.pointer, remedy = invalid.remedy, "event refused");
                Err(invalid)
            }
        }
    }

    /// Judges several events; the answers are in their order.
    pub fn consume_batch<'r>(
        &mut self,
        batch: impl IntoIterator<Item = &'r [u8]>,
        now: Timestamp,
    ) -> Vec<Result<Change, Invalid>> {
        batch.into_iter().map(|raw| self.consume(raw, now)).collect()
    }

    fn count(&mut self, change: &Change) {
        self.statistics.valid += 1;
        *self.statistics.by_operation.entry(change.operation.name().to_owned()).or_default() += 1;
        let field = self.schemas.get(&change.record_type).and_then(|schema| schema.routing_field.as_ref());
        if let Some(patch::Change::Set(value)) = field.and_then(|field| change.patch.0.get(field))
            && let Some(contact) = value.as_text()
        {
            *self.statistics.by_contact_type.entry(contact.to_owned()).or_default() += 1;
        }
        tracing::debug!(record_type = change.record_type, operation = change.operation.name(), "event taken");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(operation: &str, item: &str) -> Vec<u8> {
        format!(r#"{{"record":"contacts","operation":"{operation}","timestamp":"2024-01-15T10:30:00Z","item":{item}}}"#).into_bytes()
    }

    #[test]
    fn every_event_is_counted_once_and_a_bad_one_stops_no_other() {
        let mut consumer = Consumer::default();
        let events = [
            event("create", r#"{"id":"A1","contact":"lead"}"#),
            event("update", r#"{"id":"A1","contact":"customer"}"#),
            event("update", r#"{"id":"A1"}"#),
            event("upsert", r#"{"id":"A1"}"#),
            event("create", r#"{"id":"A2","contact":"stranger"}"#),
            b"{".to_vec(),
            event("delete", r#"{"id":"A1"}"#),
        ];
        let answers = consumer.consume_batch(events.iter().map(Vec::as_slice), Timestamp(5));
        assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, true, false, false, false, true]);
        let seen = consumer.statistics();
        let counts = |map: &BTreeMap<String, u64>| map.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>();
        assert_eq!((seen.received, seen.valid, seen.invalid_total()), (7, 4, 3));
        assert_eq!(counts(&seen.invalid), ["invalid_json 1", "invalid_value 1", "unknown_operation 1"]);
        assert_eq!(counts(&seen.by_operation), ["create 1", "delete 1", "update 2"]);
        assert_eq!(counts(&seen.by_contact_type), ["customer 1", "lead 1"]);
    }

    #[test]
    fn the_rate_needs_a_time_between_two_events() {
        let mut consumer = Consumer::default();
        let event = event("update", r#"{"id":"A1"}"#);
        let second = 1_000_000_000;
        assert_eq!(consumer.statistics().rate(), None);
        for at in [0, second / 2, second] {
            consumer.consume(&event, Timestamp(at)).unwrap();
        }
        assert_eq!(consumer.statistics().rate(), Some(2.0));
    }
}
