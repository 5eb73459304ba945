//! The systems of a simulated run: the real writers over the simulated network, with the default terms.
//!
//! Promises: times are short, so that horizons pass within a run. Leaves to others: everything that the systems do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use syncline_adapters::systems::means::Means;
use syncline_adapters::systems::object_use::uses;
use syncline_adapters::systems::{hubspot, salesforce};
use syncline_core::dispatch::guard::GuardSettings;
use syncline_core::dispatch::lane::LaneSettings;
use syncline_core::dispatch::planted::Planted;
use syncline_core::ids::SystemId;
use syncline_core::intake::Routes;
use syncline_core::retry_policy::Backoff;
use syncline_core::schema::{Schema, Schemas};
use syncline_core::terms::Terms;
use syncline_engine::ports::clock::Clock;
use syncline_engine::ports::writer::Writer;
use syncline_sandbox::exchange::System;
use syncline_sandbox::sandbox::SandboxConfig;

use super::network::{Network, SimTransport};
use super::world::World;

/// Where the simulated Salesforce answers.
pub const SALESFORCE_URL: &str = "http://salesforce.test";
const HUBSPOT_URL: &str = "http://hubspot.test";
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long after its timeout a request may still be carried out; horizons add a second for the way to the wire.
pub const LINGER: Duration = Duration::from_secs(20);

/// The record types of a run.
#[must_use]
pub fn schemas() -> Schemas {
    Schemas::default()
}

/// The ready-made default routing with the default objects.
#[must_use]
pub fn routes(salesforce: SystemId, hubspot: SystemId) -> BTreeMap<String, Routes> {
    let place = |kind: &str| match kind {
        "lead" | "prospect" => vec![(salesforce, "Lead".to_owned())],
        "employee" => vec![(salesforce, "Contact".to_owned())],
        _ => vec![(hubspot, "contacts".to_owned())],
    };
    let kinds = ["lead", "customer", "prospect", "vendor", "partner", "employee"];
    let places = kinds.into_iter().map(|kind| (kind.to_owned(), place(kind))).collect();
    let routes = Routes { routing_field: Schema::contacts().routing_field, places };
    BTreeMap::from([("contacts".to_owned(), routes)])
}

const fn marker(system: System) -> &'static str {
    match system {
        System::Salesforce => "Syncline_Write__c",
        System::HubSpot => "syncline_write",
    }
}

/// Gives the accounts a field for the number of the last write.
///
/// # Panics
/// If the emulators' settings are of another shape.
pub fn add_markers(config: &mut SandboxConfig) {
    let field = |object: &str| serde_json::json!({"object": object, "name": marker(System::Salesforce), "kind": "text", "length": 20});
    let fields = ["Lead", "Contact"].map(|object| serde_json::from_value(field(object)).expect("a field"));
    config.salesforce.custom_fields.extend(fields);
    let property = serde_json::json!({"name": marker(System::HubSpot), "type": "string"});
    config.hubspot.properties.push(serde_json::from_value(property).expect("a property"));
}

/// One system's writer and its lane's settings.
#[must_use]
pub fn writer(network: &Arc<Network>, clock: Arc<dyn Clock>, system: System, number: SystemId, planted: Planted, world: &World) -> (Arc<dyn Writer>, LaneSettings) {
    let means = Means::new(Arc::new(SimTransport { network: network.clone(), system }), clock, "no-token.json".into());
    let mut terms = match system {
        System::Salesforce => salesforce::config::default_terms("internal", "salesforce"),
        System::HubSpot => hubspot::config::default_terms("internal", "hubspot"),
    }
    .expect("the default terms are sound");
    // Of one seed in three every write is marked.
    if world.seed % 3 == 2 {
        terms.marker = Some(marker(system).into());
    }
    let writer: Arc<dyn Writer> = match system {
        System::Salesforce => {
            let url = SALESFORCE_URL.parse().expect("an address");
            let used = uses(&terms);
            let mut settings = salesforce::config::Settings::new(url, "sandbox-client".into(), "sandbox-secret".to_owned().into(), used);
            settings.timeout = TIMEOUT;
            settings.linger_max = LINGER + Duration::from_secs(1);
            Arc::new(salesforce::writer::SalesforceWriter::new(means, settings).expect("a writer"))
        }
        System::HubSpot => {
            let url = HUBSPOT_URL.parse().expect("an address");
            let used = uses(&terms);
            let mut settings = hubspot::config::Settings::new(url, "pat-sandbox-1".to_owned().into(), used);
            settings.timeout = TIMEOUT;
            settings.linger_max = LINGER + Duration::from_secs(1);
            settings.burst_limit = u64::from(world.burst);
            Arc::new(hubspot::writer::HubSpotWriter::new(means, settings).expect("a writer"))
        }
    };
    let settings = lane_settings(number, system.name(), terms, &*writer, planted, world.touchy);
    (writer, settings)
}

fn lane_settings(system: SystemId, name: &str, terms: Terms, writer: &dyn Writer, planted: Planted, touchy: bool) -> LaneSettings {
    let calm = GuardSettings { fuse_permille: 1000, fuse_min: 10_000, reject_permille: 1000, reject_min: 100_000 };
    let touchy_guard = GuardSettings { fuse_permille: 100, fuse_min: 2, reject_permille: 300, reject_min: 12 };
    LaneSettings {
        system,
        name: name.to_owned(),
        account: name.to_owned(),
        terms: BTreeMap::from([("contacts".to_owned(), terms)]),
        profile: writer.profile().clone(),
        backoff: Backoff { base: Duration::from_secs(1), max: Duration::from_secs(60), budget: Duration::from_secs(72 * 3600) },
        guard: if touchy { touchy_guard } else { calm },
        share_permille: 1000,
        batch_wait: Duration::from_secs(2),
        memory_max: 20_000,
        planted,
        look_every: Duration::from_secs(600),
    }
}
