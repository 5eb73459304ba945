//! Judges events, good and bad, and counts what it saw.
//!
//! Run: `cargo run --example consumer`

use syncline::boundary::Timestamp;
use syncline::consumer::Consumer;
use syncline::generator::feed::START;
use syncline::generator::{Generator, GeneratorSettings};

/// Feeds a consumer from the generator, with a few bad events in between.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut consumer = Consumer::default();
    let mut generator = Generator::new(&GeneratorSettings::default(), 7, START).map_err(|faults| format!("{faults:?}"))?;
    let events: Vec<String> = generator.next_batch().iter().map(|event| event.to_json()).collect();
    let taken = consumer.consume_batch(events.iter().map(|event| event.as_bytes()), Timestamp(0));
    println!("{} of {} events are in order", taken.iter().filter(|answer| answer.is_ok()).count(), taken.len());

    let bad = [
        r#"{"record":"contacts","operation":"create","timestamp":"2024-01-15T10:30:00Z","item":{"id":"A1","contact":"stranger"}}"#,
        r#"{"record":"contacts","operation":"create","timestamp":"soon","item":{"id":"A1"}}"#,
        r#"{"record":"contacts","operation":"create""#,
    ];
    for event in bad {
        match consumer.consume(event.as_bytes(), Timestamp(1_000_000_000)) {
            Ok(_) => return Err("a bad event was taken".into()),
            Err(invalid) => println!("refused ({}): {invalid}", invalid.code),
        }
    }
    let seen = consumer.statistics();
    println!("{}", serde_json::to_string_pretty(seen)?);
    println!("{:.0} events per second", seen.rate().unwrap_or_default());
    assert_eq!((seen.received, seen.invalid_total()), (13, 3));
    Ok(())
}
