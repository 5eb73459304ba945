//! An event with its delivery state: what is accepted, how often it was tried, how it ended.
//!
//! Promises: the published transitions, figures and audit line, exactly; a schema version that we do not know is refused,
//! not guessed. Time is an argument.
//! Leaves to others: deriving the status of an event from its deliveries (`engine::status`), dead letters (`letter`).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::retry_policy::RetryPolicy;
use crate::time::Timestamp;

/// The one schema version that we understand.
pub const SCHEMA_VERSION: &str = "1.0";

/// What makes two offers of one event the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdempotencyKey(pub String);

impl IdempotencyKey {
    /// A key from its text.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The key's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far an event has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// Not tried yet.
    #[default]
    Pending,
    /// Handed over.
    Dispatched,
    /// Taken by the other side.
    Acknowledged,
    /// Done.
    Processed,
    /// Failed, and to be tried again.
    Retrying,
    /// Given up.
    Failed,
    /// Not to be done.
    Skipped,
}

impl DeliveryStatus {
    /// Every status.
    pub const ALL: [Self; 7] =
        [Self::Pending, Self::Dispatched, Self::Acknowledged, Self::Processed, Self::Retrying, Self::Failed, Self::Skipped];

    /// The status's name on the wire and in the audit line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Dispatched => "dispatched",
            Self::Acknowledged => "acknowledged",
            Self::Processed => "processed",
            Self::Retrying => "retrying",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// Whether nothing follows it.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Processed | Self::Failed | Self::Skipped => true,
            Self::Pending | Self::Dispatched | Self::Acknowledged | Self::Retrying => false,
        }
    }
}

/// The event was made for a schema version that we do not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("schema version {found:?} is not known; send the event as version \"1.0\", or upgrade this program")]
pub struct UnknownSchemaVersion {
    /// The version that the event names.
    pub found: String,
}

/// An event and its delivery state.
#[derive(Debug, Clone, PartialEq)]
pub struct EventEnvelope {
    /// Its id; the same id means the same event.
    pub event_id: IdempotencyKey,
    /// `<domain>.<entity>.<action>`.
    pub event_type: String,
    /// Who sent it.
    pub source_system: String,
    /// What it says.
    pub payload: serde_json::Value,
    /// What it belongs to; empty if nothing.
    pub correlation_id: String,
    schema_version: &'static str,
    /// When the envelope was made.
    pub created_at: Timestamp,
    /// How far it has come.
    pub status: DeliveryStatus,
    /// How often it was dispatched.
    pub attempt_count: u32,
    /// When to try again and when to give up.
    pub retry_policy: RetryPolicy,
    /// Whatever else is to be known of it.
    pub tags: BTreeMap<String, String>,
}

impl EventEnvelope {
    /// A pending event of the known schema version, with the default policy.
    pub fn new(
        event_id: IdempotencyKey,
        event_type: impl Into<String>,
        source_system: impl Into<String>,
        payload: serde_json::Value,
        created_at: Timestamp,
    ) -> Self {
        Self {
            event_id,
            event_type: event_type.into(),
            source_system: source_system.into(),
            payload,
            correlation_id: String::new(),
            schema_version: SCHEMA_VERSION,
            created_at,
            status: DeliveryStatus::default(),
            attempt_count: 0,
            retry_policy: RetryPolicy::default(),
            tags: BTreeMap::new(),
        }
    }

    /// The same, made for schema version `version`.
    ///
    /// # Errors
    /// If that version is not known.
    pub fn with_schema_version(mut self, version: &str) -> Result<Self, UnknownSchemaVersion> {
        if version != SCHEMA_VERSION {
            return Err(UnknownSchemaVersion { found: version.to_owned() });
        }
        self.schema_version = SCHEMA_VERSION;
        Ok(self)
    }

    /// The schema version that it was made for.
    #[must_use]
    pub const fn schema_version(&self) -> &'static str {
        self.schema_version
    }

    /// It was handed over once more.
    pub const fn mark_dispatched(&mut self) {
        self.attempt_count = self.attempt_count.saturating_add(1);
        self.status = DeliveryStatus::Dispatched;
    }

    /// The other side took it.
    pub const fn mark_acknowledged(&mut self) {
        self.status = DeliveryStatus::Acknowledged;
    }

    /// It is done.
    pub const fn mark_processed(&mut self) {
        self.status = DeliveryStatus::Processed;
    }

    /// The attempt failed: the event is given up if its policy is exhausted, else it is to be tried again.
    pub const fn mark_failed_attempt(&mut self) {
        self.status = if self.retry_policy.is_exhausted(self.attempt_count) {
            DeliveryStatus::Failed
        } else {
            DeliveryStatus::Retrying
        };
    }

    /// It is not to be done; a `reason` that says something is kept as the tag `skip_reason`.
    pub fn mark_skipped(&mut self, reason: Option<&str>) {
        self.status = DeliveryStatus::Skipped;
        if let Some(reason) = reason.filter(|reason| !reason.is_empty()) {
            self.tags.insert("skip_reason".to_owned(), reason.to_owned());
        }
    }

    /// Whether nothing more will happen to it.
    #[must_use]
    pub const fn is_terminal(&self) -> bool {
        self.status.is_terminal()
    }

    /// How long to wait before the next try; zero unless it is to be tried again.
    #[must_use]
    pub fn next_retry_wait(&self) -> Duration {
        if self.status == DeliveryStatus::Retrying { self.retry_policy.wait(self.attempt_count) } else { Duration::ZERO }
    }

    /// The audit line; one line whatever the event's texts hold.
    #[must_use]
    pub fn audit_line(&self) -> String {
        let correlation = if self.correlation_id.is_empty() { "none" } else { &self.correlation_id };
        format!(
            "[INTEGRATION_EVENT] event_id={} type={} source={} status={} attempts={} correlation={} schema={} created={}",
            one_line(self.event_id.as_str()),
            one_line(&self.event_type),
            one_line(&self.source_system),
            self.status.name(),
            self.attempt_count,
            one_line(correlation),
            self.schema_version,
            self.created_at,
        )
    }
}

fn one_line(text: &str) -> std::borrow::Cow<'_, str> {
    let breaks = |c: char| c.is_control() || c == '\u{2028}' || c == '\u{2029}';
    if !text.contains(breaks) {
        return text.into();
    }
    text.chars().map(|c| if breaks(c) { c.escape_default().to_string() } else { c.to_string() }).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{DeliveryStatus, EventEnvelope, IdempotencyKey, UnknownSchemaVersion};
    use crate::retry_policy::RetryPolicy;
    use crate::time::Timestamp;

    fn envelope() -> EventEnvelope {
        let key = IdempotencyKey::new("evt-1");
        EventEnvelope::new(key, "crm.contact.updated", "internal", serde_json::json!({"a": 1}), Timestamp::from_millis(1500))
    }

    #[test]
    fn a_new_event_has_the_published_defaults() {
        let event = envelope();
        assert_eq!((event.correlation_id.as_str(), event.schema_version()), ("", "1.0"));
        assert_eq!((event.status, event.attempt_count), (DeliveryStatus::Pending, 0));
        assert_eq!(event.retry_policy, RetryPolicy::default());
        assert!(event.tags.is_empty());
    }

    #[test]
    fn an_unexpected_schema_version_is_refused() {
        assert!(envelope().with_schema_version("1.0").is_ok());
        for version in ["1.1", "2.0", "1", ""] {
            let refused = UnknownSchemaVersion { found: version.to_owned() };
            assert_eq!(envelope().with_schema_version(version), Err(refused));
        }
    }

    #[test]
    fn statuses_have_their_published_names_and_three_are_terminal() {
        let names: Vec<_> = DeliveryStatus::ALL.iter().map(|status| status.name()).collect();
        assert_eq!(names, ["pending", "dispatched", "acknowledged", "processed", "retrying", "failed", "skipped"]);
        let terminal: Vec<_> = DeliveryStatus::ALL.into_iter().filter(|status| status.is_terminal()).collect();
        assert_eq!(terminal, [DeliveryStatus::Processed, DeliveryStatus::Failed, DeliveryStatus::Skipped]);
    }

    #[test]
    fn a_failing_event_retries_until_its_policy_is_exhausted() {
        let mut event = envelope();
        let mut waits = Vec::new();
        for _ in 0..3 {
            event.mark_dispatched();
            assert_eq!((event.status, event.next_retry_wait()), (DeliveryStatus::Dispatched, Duration::ZERO));
            event.mark_failed_attempt();
            waits.push((event.status.name(), event.attempt_count, event.next_retry_wait().as_secs()));
        }
        assert_eq!(waits, [("retrying", 1, 60), ("retrying", 2, 120), ("failed", 3, 0)]);
        assert!(event.is_terminal());
    }

    #[test]
    fn acknowledged_processed_and_skipped_are_as_named() {
        let mut event = envelope();
        event.mark_acknowledged();
        assert_eq!((event.status, event.attempt_count, event.is_terminal()), (DeliveryStatus::Acknowledged, 0, false));
        event.mark_processed();
        assert!(event.status == DeliveryStatus::Processed && event.is_terminal());
        event.mark_skipped(None);
        event.mark_skipped(Some(""));
        assert!(event.status == DeliveryStatus::Skipped && event.is_terminal() && event.tags.is_empty());
        event.mark_skipped(Some("unchanged"));
        assert_eq!(event.tags.get("skip_reason").map(String::as_str), Some("unchanged"));
    }

    #[test]
    fn attempts_do_not_overflow() {
        let mut event = envelope();
        event.attempt_count = u32::MAX;
        event.mark_dispatched();
        assert_eq!(event.attempt_count, u32::MAX);
        event.retry_policy.max_attempts = u32::MAX;
        event.attempt_count = u32::MAX - 1;
        event.mark_failed_attempt();
        assert_eq!(event.next_retry_wait(), Duration::from_secs(3600));
    }

    #[test]
    fn the_audit_line_is_one_exact_line() {
        let mut event = envelope();
        assert_eq!(
            event.audit_line(),
            "[INTEGRATION_EVENT] event_id=evt-1 type=crm.contact.updated source=internal status=pending attempts=0 \
             correlation=none schema=1.0 created=1970-01-01T00:00:01.5Z"
        );
        event.correlation_id = "run\n7".into();
        event.mark_dispatched();
        assert_eq!(
            event.audit_line(),
            "[INTEGRATION_EVENT] event_id=evt-1 type=crm.contact.updated source=internal status=dispatched attempts=1 \
             correlation=run\\n7 schema=1.0 created=1970-01-01T00:00:01.5Z"
        );
    }
}
