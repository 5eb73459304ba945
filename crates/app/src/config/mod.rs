//! The configuration: read from YAML, checked as a whole, and handed over in the form in which it is wired.
//!
//! Promises: what `load` gives back is in order; what is not is told all at once, each fault with its place, its key, what is
//! wrong and what to do. Secrets come from the environment or from files, and neither `Debug` nor any fault shows one.
//! Leaves to others: finding the file and exiting with 78 (the command line), asking the accounts themselves (the adapters).

mod accounts;
mod api;
mod boundaries;
mod checked;
mod codecs;
mod faults;
mod layers;
#[cfg(test)]
mod layers_tests;
mod mapping_tests;
mod raw;
mod read;
mod record_types;
mod routing;
mod row_rules;
mod rows;
mod running;
mod secrets;
mod sign_in;
mod systems;
#[cfg(test)]
mod tests;
mod vendors;

use std::path::PathBuf;

pub use api::{ApiConfig, ApiLimits, TENANT, TlsFiles, TokenConfig};
pub use checked::{
    Agreed, Config, DispatchConfig, FileConfig, GeneratorConfig, HttpConfig, HubSpotConfig, IntakeConfig, Kind, SalesforceConfig, StdinConfig,
    SystemConfig,
};
pub use faults::{Fault, Faults, Place, nearest};
pub use layers::Overrides;
pub use mapping_tests::{MappingTest, load_tests};
pub use secrets::{process_env, process_variables};

pub(crate) use read::duration;
use read::{Reader, Section};

const KEYS: [&str; 11] =
    ["store", "data", "log", "systems", "routing", "boundaries", "record_types", "dispatch", "intake", "api", "tenants"];

/// Reads a configuration; `file_name` is what faults call it, `env` looks up environment variables.
///
/// # Errors
/// Every fault at once.
pub fn load(text: &str, file_name: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Config, Faults> {
    load_with(text, file_name, env, &Overrides::default())
}

/// The same, under what the environment and the command line say besides.
///
/// # Errors
/// Every fault at once.
pub fn load_with(text: &str, file_name: &str, env: &dyn Fn(&str) -> Option<String>, overrides: &Overrides) -> Result<Config, Faults> {
    let mut reader = Reader::new(env);
    let mut root = match raw::parse(text) {
        Ok(root) => root,
        Err(fault) => return Err(Faults::no_yaml(file_name, text, fault)),
    };
    reader.faults = layers::lay(&mut root, overrides, env);
    let config = reader.section(&root, &KEYS).and_then(|section| read(&mut reader, section));
    match config.filter(|_| reader.faults.is_empty()) {
        Some(config) => Ok(config),
        None => Err(Faults::new(file_name, text, reader.faults, &reader.hidden)),
    }
}

fn read(reader: &mut Reader<'_>, section: Section<'_>) -> Option<Config> {
    if let Some(node) = section.get("tenants") {
        faults::hide(node, &mut reader.hidden);
        reader.fault(node, "there is one tenant for now", "write its systems under systems:, and run one Syncline for each tenant");
    }
    let store = running::store(reader, section.get("store"));
    let data = section.get("data").map(|node| reader.text(node, "a directory").map(PathBuf::from));
    let log = running::log(reader, section.get("log"));
    let dispatch = running::dispatch(reader, section.get("dispatch"));
    let intake = running::intake(reader, section.get("intake"));
    let api = api::read(reader, section.get("api"));
    let schemas = record_types::read(reader, section.get("record_types"));
    let named = match section.get("tenants") {
        Some(_) => section.get("systems"),
        None => reader.required(section, "systems", "write systems: { internal: { kind: generator }, … }"),
    };
    let named = named?;
    let mut drafts = systems::read(reader, named, &schemas);
    boundaries::read(reader, section.get("boundaries"), &mut drafts, &schemas);
    let routing = routing::read(reader, named, section.get("routing"), section.get("record_types"), &drafts, &schemas);
    let systems: Option<Vec<SystemConfig>> =
        drafts.into_iter().map(|draft| Some(SystemConfig { name: draft.name, kind: draft.kind? })).collect();
    let has_callers = systems.iter().flatten().any(|system| matches!(system.kind, Kind::Http(_)));
    let api = api.or_else(|| has_callers.then(ApiConfig::default));
    Some(Config { api, store: store?, data: data.flatten(), log: log?, systems: systems?, schemas, routing, dispatch, intake })
}
