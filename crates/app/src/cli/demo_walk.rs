//! The demo's walk: what the product does with one event, a batch and a stream, before the long run begins.
//!
//! Promises: every stage runs the code that a run uses and prints what came of it; nothing is told that was not done.
//! Leaves to others: the run itself (`demo`).

use std::collections::BTreeMap;

use syncline_adapters::systems::generator::feed::START;
use syncline_adapters::systems::generator::{CONTACT_TYPES, Generator, GeneratorSettings};
use syncline_core::event::{Change, SourceSettings, decode};
use syncline_core::outcome::Rejection;
use syncline_engine::error::{Error, Kind, Result};

use crate::config::{Config, load};

/// What is invalid, each in another way.
const INVALID: [(&str, &str); 3] = [
    ("no JSON", "{\"record\": contacts}"),
    ("an unknown operation", r#"{"record":"contacts","operation":"upsert","timestamp":"2024-01-15T10:30:00Z","item":{"id":"A1"}}"#),
    ("an unknown type", r#"{"record":"contacts","operation":"create","timestamp":"2024-01-15T10:30:00Z","item":{"id":"A1","contact":"alien"}}"#),
];

/// Events of the stage that shows the stream.
const STREAM: usize = 200;

/// Walks through the stages; each line goes to `tell`.
pub(super) fn walk(seed: u64, rate: f64, tell: &mut dyn FnMut(&str)) -> Result<()> {
    let settings = GeneratorSettings { events_per_second: rate, ..GeneratorSettings::default() };
    let refused = |faults: Vec<_>| Error::new(Kind::Config, format!("{} settings of the generator are refused", faults.len()));
    let mut generator = Generator::new(&settings, seed, START).map_err(refused)?;
    let config = configured("default")?;
    let event = single(&mut generator, &config, tell)?;
    batch(&mut generator, &config, tell)?;
    stream(&mut generator, &config, rate, tell)?;
    tell("\n4. Configuration: checked as a whole, every fault at once");
    config.describe().lines().for_each(|line| tell(&format!("   {line}")));
    if let Err(faults) = load(&text("defualt"), "syncline.yaml", &unset) {
        faults.to_string().lines().for_each(|line| tell(&format!("   {line}")));
    }
    tell("\n5. Validation: what is invalid is refused with its field, its rule and a remedy");
    for (what, input) in INVALID {
        if let Err(invalid) = decode(input.as_bytes(), &config.schemas, &SourceSettings::default()) {
            let Rejection { field, message, remedy, .. } = invalid.into();
            let field = field.map(|field| format!("{field} ")).unwrap_or_default();
            tell(&format!("   {what}: {field}{message}; remedy: {remedy}"));
        }
    }
    transformation(&event, tell)?;
    tell("\n7. Routing: three are ready-made");
    for name in ["default", "salesforce_only", "hubspot_only"] {
        tell(&format!("   {name:<16} {}", routes(&configured(name)?)));
    }
    tell("\n8. The routing changes, and the same event goes elsewhere");
    let before = destinations(&config, &event);
    let after = destinations(&configured("{ lead: [hubspot], customer: [salesforce], prospect: [hubspot], vendor: [salesforce], partner: [salesforce], employee: [hubspot] }")?, &event);
    tell(&format!("   before: {before}; after: {after}"));
    tell("");
    Ok(())
}

fn single(generator: &mut Generator, config: &Config, tell: &mut dyn FnMut(&str)) -> Result<Change> {
    tell("1. A single event");
    let event = generator.next_event().to_json();
    tell(&format!("   {event}"));
    read(&event, config)
}

fn batch(generator: &mut Generator, config: &Config, tell: &mut dyn FnMut(&str)) -> Result<()> {
    let batch = generator.next_batch();
    tell(&format!("\n2. A batch of {}", batch.len()));
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    for event in &batch {
        *counts.entry(read(&event.to_json(), config)?.operation.name()).or_default() += 1;
    }
    let counts: Vec<_> = counts.iter().map(|(operation, count)| format!("{count} {operation}")).collect();
    tell(&format!("   all valid: {}", counts.join(", ")));
    Ok(())
}

fn stream(generator: &mut Generator, config: &Config, rate: f64, tell: &mut dyn FnMut(&str)) -> Result<()> {
    tell(&format!("\n3. A continuous stream, {rate} a second"));
    let mut valid = 0;
    for batch in generator.batches().take(STREAM.div_ceil(10)) {
        for event in batch {
            read(&event.to_json(), config)?;
            valid += 1;
        }
    }
    tell(&format!("   {valid} more events, all valid; {} records live now", generator.live_count()));
    Ok(())
}

fn transformation(event: &Change, tell: &mut dyn FnMut(&str)) -> Result<()> {
    tell("\n6. Transformation: the first event in each CRM's form, and back");
    let everywhere = configured("{ lead: [salesforce, hubspot], customer: [salesforce, hubspot], prospect: [salesforce, hubspot], vendor: [salesforce, hubspot], partner: [salesforce, hubspot], employee: [salesforce, hubspot] }")?;
    for adapter in everywhere.adapters("contacts") {
        let refused = |fault: Rejection| Error::new(Kind::Internal, format!("the event has no form: {}", fault.message));
        let external = adapter.to_external(event).map_err(refused)?;
        tell(&format!("   {} {}: {}", adapter.name(), external.object, external.json));
        let back = adapter.from_external(&external.json).map_err(|faults| Error::new(Kind::Internal, format!("{} fields do not read back", faults.len())))?;
        let names: Vec<_> = back.keys().map(ToString::to_string).collect();
        tell(&format!("     and back: {}", names.join(", ")));
    }
    Ok(())
}

fn read(event: &str, config: &Config) -> Result<Change> {
    decode(event.as_bytes(), &config.schemas, &SourceSettings::default())
        .map_err(|invalid| Error::new(Kind::Internal, format!("a generated event is refused: {}", invalid.message)))
}

/// Which types go where.
fn routes(config: &Config) -> String {
    let adapters = config.adapters("contacts");
    let takes = adapters.iter().map(|adapter| {
        let types: Vec<_> = CONTACT_TYPES.into_iter().filter(|contact| adapter.capabilities().contains(contact)).collect();
        (adapter.name(), types)
    });
    let takes: Vec<_> = takes.filter(|(_, types)| !types.is_empty()).map(|(name, types)| format!("{name}: {}", types.join(", "))).collect();
    takes.join("; ")
}

/// Where an event goes.
fn destinations(config: &Config, event: &Change) -> String {
    let forms = super::map_forms::forms(config, event);
    forms.systems.iter().filter(|form| form.is_routed).map(|form| form.system.as_str()).collect::<Vec<_>>().join(", ")
}

fn configured(routing: &str) -> Result<Config> {
    load(&text(routing), "syncline.yaml", &unset).map_err(|faults| Error::new(Kind::Internal, faults.to_string()))
}

fn text(routing: &str) -> String {
    format!(
        "systems:\n  internal: {{ kind: generator }}\n  salesforce: {{ kind: salesforce, url: https://example.my.salesforce.com, auth: \
         {{ client_credentials: {{ id: unset, secret: '${{UNSET}}' }} }} }}\n  hubspot: {{ kind: hubspot, token: '${{UNSET}}' }}\nrouting: {routing}\n"
    )
}

/// The walk talks to no account.
fn unset(name: &str) -> Option<String> {
    (name == "UNSET").then(|| "unset".to_owned())
}

#[cfg(test)]
mod tests {
    use super::walk;

    #[test]
    fn the_walk_goes_through_every_stage() {
        let mut lines = Vec::new();
        walk(1, 5.0, &mut |line| lines.push(line.to_owned())).unwrap();
        insta::assert_snapshot!("demo_walk", lines.join("\n"));
    }
}
