//! An event with its delivery state: dispatched, failed, retried, given up, each with its audit line.
//!
//! Run: `cargo run --example envelope`

use syncline::envelope::{self, DeliveryStatus, IdempotencyKey, RetryPolicy};

/// Lets an event fail until its policy is exhausted.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let payload = serde_json::json!({ "id": "A1234", "email": "alice.smith@example.com" });
    let mut event = envelope::new(IdempotencyKey::new("evt-1"), "crm.contact.updated", "internal", payload);
    event.retry_policy = RetryPolicy { max_attempts: 4, ..RetryPolicy::default() };
    event.tags.insert("run".to_owned(), "example".to_owned());
    println!("{}", event.audit_line());
    while !event.is_terminal() {
        event.mark_dispatched();
        event.mark_failed_attempt();
        println!("{}\n  next try in {} s", event.audit_line(), event.next_retry_wait().as_secs());
    }
    assert_eq!((event.status, event.attempt_count), (DeliveryStatus::Failed, 4));
    let refused = event.with_schema_version("2.0").err().ok_or("an unknown version was taken")?;
    println!("{refused}");
    Ok(())
}
