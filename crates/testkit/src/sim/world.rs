//! What a seed draws: the faults of a run and how strong they are, the quotas, the load.
//!
//! Promises: every fault is off with probability one third, so that each also meets a calm world.
//! Leaves to others: carrying the faults out (`network`, the sandbox, `run`).

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A world.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// The seed that drew it.
    pub seed: u64,
    /// Records.
    pub records: usize,
    /// Events.
    pub events: usize,
    /// Milliseconds between two events, on average.
    pub pause_ms: u64,
    /// Share of requests that never arrive.
    pub request_lost: f64,
    /// Share of requests that never leave.
    pub not_sent: f64,
    /// Share of slow journeys.
    pub slow: f64,
    /// Crashes.
    pub crashes: usize,
    /// HubSpot's calls in ten seconds.
    pub burst: u32,
    /// Salesforce's calls in a day.
    pub day: u32,
    /// The fuse and the watch on rejections are set to blow at a few.
    pub touchy: bool,
    /// How many records bear our key before we ever wrote one: a restored store.
    pub strangers: usize,
    /// The sandbox's fault script.
    pub script: String,
}

impl World {
    /// The world of a seed.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut script = String::new();
        let mut rule = |rng: &mut ChaCha8Rng, most: f64, act: &str| {
            if let Some(share) = fault(rng, most) {
                let salt = rng.random_range(0..1_000_000_u32);
                script.push_str(&format!("- on: {{share: {share:.4}, seed: {salt}}}\n  do: {act}\n"));
            }
        };
        rule(&mut rng, 0.15, "{then: reset}");
        rule(&mut rng, 0.15, "{apply: none, then: reset}");
        rule(&mut rng, 0.10, "{then: hang}");
        rule(&mut rng, 0.15, "{apply: half, then: reset}");
        rule(&mut rng, 0.20, "{late_ms: 9000, then: reset}");
        rule(&mut rng, 0.10, "{late_ms: 17000, then: hang}");
        rule(&mut rng, 0.20, "{status: 503, apply: none}");
        rule(&mut rng, 0.05, "{status: 500, apply: none}");
        rule(&mut rng, 0.05, "{status: 502, apply: all}");
        if fault(&mut rng, 1.0).is_some() {
            let every = rng.random_range(7..40);
            script.push_str(&format!("- on: {{system: salesforce, every: {every}}}\n  do: {{expire_tokens: true}}\n"));
        }
        if let Some(share) = fault(&mut rng, 0.06) {
            script.push_str(&format!("- on: {{system: hubspot, share: {share:.4}, seed: 5}}\n  do: {{status: 429, apply: none, body: ten_secondly}}\n"));
        }
        if let Some(share) = fault(&mut rng, 0.2) {
            let salt = rng.random_range(0..1_000_u32);
            script.push_str(&format!(
                "- on: {{system: hubspot, record: {{share: {share:.4}, seed: {salt}}}}}\n  do: {{invalid: {{field: phone, message: the phone is not to our liking}}}}\n\
                 - on: {{system: salesforce, record: {{share: {share:.4}, seed: {salt}}}}}\n  do: {{invalid: {{field: Phone, message: the phone is not to our liking}}}}\n"
            ));
        }
        Self {
            seed,
            records: rng.random_range(1..25),
            events: rng.random_range(20..150),
            pause_ms: rng.random_range(10..1500),
            request_lost: fault(&mut rng, 0.15).unwrap_or(0.0),
            not_sent: fault(&mut rng, 0.15).unwrap_or(0.0),
            slow: fault(&mut rng, 0.3).unwrap_or(0.0),
            crashes: if fault(&mut rng, 1.0).is_some() { rng.random_range(1..5) } else { 0 },
            burst: rng.random_range(6..40),
            day: 15_000,
            touchy: fault(&mut rng, 1.0).is_some(),
            strangers: if fault(&mut rng, 1.0).is_some() { rng.random_range(1..5) } else { 0 },
            script,
        }
    }
}

/// A fault's strength up to `most`; off with probability one third.
fn fault(rng: &mut ChaCha8Rng, most: f64) -> Option<f64> {
    let (is_off, strength) = (rng.random_bool(1.0 / 3.0), rng.random_range(0.02..1.0));
    (!is_off).then_some(strength * most)
}
