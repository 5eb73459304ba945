//! Made-up contact events: one, a batch, and a stream, the same for everybody who uses the same seed.
//!
//! Run: `cargo run --example generator`

use syncline::generator::{Generator, GeneratorSettings};
use syncline::generator::feed::START;

/// Shows the three ways to use a generator.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let settings = GeneratorSettings { batch_size: 4, move_share: 0.2, ..GeneratorSettings::default() };
    let make = || Generator::new(&settings, 7, START).map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));

    let mut generator = make()?;
    println!("one event:\n  {}", generator.next_event().to_json());

    println!("a batch of {}:", settings.batch_size);
    for event in generator.next_batch() {
        println!("  {}", event.to_json());
    }

    let places: Vec<_> = generator.batches().take(3).map(|batch| batch.len()).collect();
    println!("three batches of the stream hold {places:?} events; {} records are live", generator.live_count());

    // A seed and a counter are all that it takes to go on elsewhere.
    let mut elsewhere = make()?;
    elsewhere.skip_to(generator.counter());
    assert_eq!(elsewhere.next_event().to_json(), generator.next_event().to_json());
    println!("event {} is the same wherever it is made", generator.counter());
    Ok(())
}
