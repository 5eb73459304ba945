//! Reads a configuration: what is in order is described, what is not is told all at once.
//!
//! Run: `cargo run --example configuration`

use syncline::config::load;

const GOOD: &str = r"
systems:
  internal: { kind: generator, events_per_second: 20 }
  hubspot:  { kind: hubspot, token: ${HUBSPOT_TOKEN} }
routing: hubspot_only
";

const BROKEN: &str = r"
systems:
  internal: { kind: generator, events_per_second: fast }
  hubspot:  { kind: hubspot, tokn: ${HUBSPOT_TOKEN} }
routing: hubspot_onyl
";

/// Reads both.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let environment = |name: &str| (name == "HUBSPOT_TOKEN").then(|| "pat-na1-not-a-real-one".to_owned());
    let config = load(GOOD, "good.yaml", &environment)?;
    println!("{}\n", config.describe());
    match load(BROKEN, "broken.yaml", &environment) {
        Ok(_) => Err("a broken configuration was taken".into()),
        Err(faults) => {
            println!("{faults}");
            assert!(faults.all().len() >= 3, "every fault is told in one go");
            Ok(())
        }
    }
}
