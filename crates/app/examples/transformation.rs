//! One event in each CRM's form and back, and where the three ready-made routings send each contact type.
//!
//! Run: `cargo run --example transformation`

use syncline::config::{Config, load};
use syncline::consumer::{SourceSettings, decode};
use syncline::generator::CONTACT_TYPES;

const EVENT: &str = r#"{"record":"contacts","operation":"create","timestamp":"2024-01-15T10:30:00Z","item":{"id":"A1234",
    "name":"Alice van der Berg","email":"Alice@Example.com","phone":"+1-555-123-4567","contact":"customer"}}"#;

fn config(routing: &str) -> Result<Config, Box<dyn std::error::Error>> {
    let text = format!(
        "systems:\n  internal: {{ kind: stdin }}\n  salesforce: {{ kind: salesforce, url: https://acme.my.salesforce.com, auth: \
         {{ client_credentials: {{ id: unset, secret: '${{SECRET}}' }} }} }}\n  hubspot: {{ kind: hubspot, token: '${{SECRET}}' }}\n\
         routing: {routing}\n"
    );
    Ok(load(&text, "example.yaml", &|name| (name == "SECRET").then(|| "unset".to_owned()))?)
}

/// Shows forms, then routes.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mixed = config("{ lead: [salesforce], customer: [hubspot, salesforce] }")?;
    let event = decode(EVENT.as_bytes(), &mixed.schemas, &SourceSettings::default())?;
    for adapter in mixed.adapters("contacts") {
        println!("{} takes {}", adapter.name(), adapter.capabilities().join(", "));
        let external = adapter.to_external(&event).map_err(|fault| fault.message)?;
        println!("  {} {}", external.object, external.json);
        assert!(adapter.validate_external(&external.object, &external.json).is_empty());
        let back = adapter.from_external(&external.json).map_err(|faults| format!("{faults:?}"))?;
        println!("  and back: {}", serde_json::to_string(&back)?);
    }
    for routing in ["default", "salesforce_only", "hubspot_only"] {
        let config = config(routing)?;
        let adapters = config.adapters("contacts");
        println!("{routing}:");
        for contact in CONTACT_TYPES {
            let takers = adapters.iter().filter(|adapter| adapter.capabilities().contains(&contact));
            println!("  {contact:<9} -> {}", takers.map(|adapter| adapter.name()).collect::<Vec<_>>().join(", "));
        }
    }
    Ok(())
}
