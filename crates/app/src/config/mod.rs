//! The configuration: read from YAML, checked as a whole, and handed over in the form in which it is wired.
//!
//! Promises: what `load` gives back is in order; what is not is told all at once, each fault with its place, its key, what is
//! wrong and what to do. Secrets come from the environment or from files, and neither `Debug` nor any fault shows one.
//! Leaves to others: finding the file and exiting with 78 (the command line), asking the accounts themselves (the adapters).

mod accounts;
mod api;
mod boundaries;
mod checked;
#[cfg(test)]
mod change_tests;
mod codecs;
mod edit;
mod faults;
mod layers;
#[cfg(test)]
mod layers_tests;
mod live;
mod mapping_tests;
mod raw;
mod read;
mod record_types;
mod routing;
mod row_rules;
mod rows;
mod running;
mod secrets;
mod schema;
#[cfg(test)]
mod schema_tests;
mod shape;
mod sign_in;
mod systems;
#[cfg(test)]
mod tests;
mod vendors;
mod written;

use std::path::PathBuf;

pub use api::{ApiConfig, ApiLimits, TENANT, TlsFiles, TokenConfig};
pub use checked::{
    Agreed, Config, DispatchConfig, FileConfig, GeneratorConfig, HttpConfig, HubSpotConfig, IntakeConfig, Kind, SalesforceConfig, StdinConfig,
    SystemConfig,
};
pub use faults::{Fault, Faults, Place, nearest};
pub use layers::Overrides;
pub use mapping_tests::{MappingTest, load_tests};
pub use schema::{SCHEMA_ADDRESS, json_schema};
pub use written::{HIDDEN, Written, WrittenValue};
pub use secrets::{process_env, process_variables};

pub(crate) use read::duration;
use syncline_core::config_entry::KeyChange;

use read::{Reader, Section};

/// A configuration that is in order, and how it was written.
#[derive(Clone)]
pub struct Loaded {
    /// In the form in which it is wired.
    pub config: Config,
    /// As it was written.
    pub written: Written,
}

/// Reads a configuration; `file_name` is what faults call it, `env` looks up environment variables.
///
/// # Errors
/// Every fault at once.
pub fn load(text: &str, file_name: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Config, Faults> {
    load_with(text, file_name, env, &Overrides::default()).map(|loaded| loaded.config)
}

/// The same, under what the environment and the command line say besides.
///
/// # Errors
/// Every fault at once.
pub fn load_with(text: &str, file_name: &str, env: &dyn Fn(&str) -> Option<String>, overrides: &Overrides) -> Result<Loaded, Faults> {
    let mut reader = Reader::new(env);
    let mut root = match raw::parse(text) {
        Ok(root) => root,
        Err(fault) => return Err(Faults::no_yaml(file_name, text, fault)),
    };
    reader.faults = layers::lay(&mut root, overrides, env);
    let config = reader.section(&root, shape::ROOT).and_then(|section| read(&mut reader, section));
    match config.filter(|_| reader.faults.is_empty()) {
        Some(config) => Ok(Loaded { config, written: Written::new(root, reader.secrets) }),
        None => Err(Faults::new(file_name, text, reader.faults, &reader.hidden)),
    }
}

/// The text with another value at a path, everything else as it stands; an empty value is the default.
///
/// # Errors
/// If the text is no YAML, the path leads nowhere, or the value cannot be changed on the spot.
pub fn edit(text: &str, file_name: &str, path: &str, value: &str) -> Result<String, Faults> {
    edit::edit(text, path, value).map_err(|fault| Faults::no_yaml(file_name, text, fault).of_change())
}

/// Faults of what differs between two configurations and cannot change while a process runs; none if all can.
#[must_use]
pub fn judge_change(file_name: &str, text: &str, written: &Written, changes: &[KeyChange], has_api: bool) -> Option<Faults> {
    live::judge(file_name, text, written, changes, has_api)
}

/// Store and data directory, as far as they can be told of a text with faults.
#[must_use]
pub fn locate(text: &str, env: &dyn Fn(&str) -> Option<String>, overrides: &Overrides) -> Option<(PathBuf, Option<PathBuf>)> {
    let mut root = raw::parse(text).ok()?;
    layers::lay(&mut root, overrides, env);
    let mut reader = Reader::new(env);
    let store = running::store(&mut reader, root.at("store"))?;
    let data = root.at("data").and_then(|node| reader.text(node, "a directory")).map(PathBuf::from);
    reader.faults.is_empty().then_some((store, data))
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
