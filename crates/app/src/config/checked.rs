//! A configuration that was found to be in order, in the form in which it is wired.
//!
//! Promises: every name that one part uses of another exists; every terms' objects, rows and routes fit together; secrets are of a
//! type that cannot be printed, so `Debug` and `describe` are fit for a log.
//! Leaves to others: reading it from a file (`load`), asking the accounts themselves (the adapters), running it (wiring).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use syncline_adapters::systems::file::config::FileSettings;
use syncline_adapters::systems::generator::GeneratorSettings;
use syncline_adapters::systems::{hubspot, salesforce};
use syncline_core::dispatch::guard::GuardSettings;
use syncline_core::event::SourceSettings;
use syncline_core::ids::SystemId;
use syncline_core::intake::Routes;
use syncline_core::retry_policy::Backoff;
use syncline_core::routing::Routing;
use syncline_core::schema::Schemas;
use syncline_core::terms::Terms;

use super::api::ApiConfig;

/// A whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The store's file, below `data` unless it is absolute.
    pub store: PathBuf,
    /// The directory for everything that Syncline writes.
    pub data: Option<PathBuf>,
    /// What is logged: a level, or directives such as `info,syncline=debug`.
    pub log: String,
    /// Every party, in the order of the file.
    pub systems: Vec<SystemConfig>,
    /// Every record type.
    pub schemas: Schemas,
    /// Systems by value of the routing field, by record type; a record type without such a field has routes for the empty value.
    pub routing: BTreeMap<String, Routing>,
    /// How work goes out.
    pub dispatch: DispatchConfig,
    /// How events come in.
    pub intake: IntakeConfig,
    /// Where callers are listened to, if anywhere.
    pub api: Option<ApiConfig>,
}

/// One configured party.
#[derive(Debug, Clone)]
pub struct SystemConfig {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
}

/// What a system is, with its settings.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Makes up events.
    Generator(GeneratorConfig),
    /// Reads a file of JSON lines.
    File(FileConfig),
    /// Reads JSON lines that are piped in.
    Stdin(StdinConfig),
    /// Takes events from callers over HTTP.
    Http(HttpConfig),
    /// A Salesforce org.
    Salesforce(SalesforceConfig),
    /// A HubSpot account.
    HubSpot(HubSpotConfig),
}

/// A generator.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneratorConfig {
    /// What it draws.
    pub settings: GeneratorSettings,
    /// Makes the stream reproducible.
    pub seed: u64,
    /// How many events there are; None for a stream without end.
    pub events: Option<u64>,
}

/// A file of events.
#[derive(Debug, Clone, PartialEq)]
pub struct FileConfig {
    /// Which file, and how far.
    pub settings: FileSettings,
    /// How its events are read.
    pub source: SourceSettings,
}

/// Piped events.
#[derive(Debug, Clone, PartialEq)]
pub struct StdinConfig {
    /// The longest line in bytes.
    pub line_max: usize,
    /// How its events are read.
    pub source: SourceSettings,
}

/// Events from callers.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpConfig {
    /// How their events are read.
    pub source: SourceSettings,
}

/// A Salesforce org.
#[derive(Debug, Clone)]
pub struct SalesforceConfig {
    /// Address, credentials and limits.
    pub settings: salesforce::config::Settings,
    /// What was agreed with it, and how much of its quota is ours.
    pub agreed: Agreed,
}

/// A HubSpot account.
#[derive(Debug, Clone)]
pub struct HubSpotConfig {
    /// Address, credentials and limits.
    pub settings: hubspot::config::Settings,
    /// What was agreed with it, and how much of its quota is ours.
    pub agreed: Agreed,
}

/// What was agreed with an external system.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreed {
    /// The terms by record type.
    pub terms: BTreeMap<String, Terms>,
    /// Thousandths of each pool of its quota that are ours.
    pub share_permille: u64,
}

/// How work goes out.
#[derive(Debug, Clone, PartialEq)]
pub struct DispatchConfig {
    /// Waits between tries.
    pub backoff: Backoff,
    /// How long a batch may wait to become fuller.
    pub batch_wait: Duration,
    /// How often the schema of each object is looked at.
    pub schema_check: Duration,
    /// Links in memory at most.
    pub memory_links: usize,
    /// When a lane stops itself.
    pub guard: GuardSettings,
}

impl Default for DispatchConfig {
    fn default() -> Self {
        Self { backoff: Backoff::default(), batch_wait: Duration::from_secs(2), schema_check: Duration::from_secs(3600), memory_links: 20_000, guard: GuardSettings::default() }
    }
}

/// How events come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntakeConfig {
    /// How long explicit event ids are remembered.
    pub remember_ids: Duration,
}

impl Default for IntakeConfig {
    fn default() -> Self {
        Self { remember_ids: Duration::from_secs(7 * 86_400) }
    }
}

impl Kind {
    /// The kind's name in configuration.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Generator(_) => "generator",
            Self::File(_) => "file",
            Self::Stdin(_) => "stdin",
            Self::Http(_) => "http",
            Self::Salesforce(_) => "salesforce",
            Self::HubSpot(_) => "hubspot",
        }
    }

    /// What was agreed with it, if it is an external system.
    #[must_use]
    pub const fn agreed(&self) -> Option<&Agreed> {
        match self {
            Self::Salesforce(system) => Some(&system.agreed),
            Self::HubSpot(system) => Some(&system.agreed),
            Self::Generator(_) | Self::File(_) | Self::Stdin(_) | Self::Http(_) => None,
        }
    }

    /// How its events are read, if it reports any.
    #[must_use]
    pub fn source(&self) -> Option<SourceSettings> {
        match self {
            Self::Generator(_) => Some(SourceSettings::default()),
            Self::File(file) => Some(file.source.clone()),
            Self::Stdin(stdin) => Some(stdin.source.clone()),
            Self::Http(http) => Some(http.source.clone()),
            Self::Salesforce(_) | Self::HubSpot(_) => None,
        }
    }
}

impl Config {
    /// Where the store's file is.
    #[must_use]
    pub fn store_path(&self) -> PathBuf {
        self.data.as_ref().map_or_else(|| self.store.clone(), |data| data.join(&self.store))
    }

    /// The file of a system's refresh token, where the other side replaces it at every use: beside the store.
    #[must_use]
    pub fn token_path(&self, system: &str) -> PathBuf {
        self.store_path().with_file_name("tokens").join(format!("{system}.json"))
    }

    /// The system of that name.
    #[must_use]
    pub fn system(&self, name: &str) -> Option<&SystemConfig> {
        self.systems.iter().find(|system| system.name == name)
    }

    /// The places of every record type, once each system has its number.
    #[must_use]
    pub fn routes(&self, number: &dyn Fn(&str) -> SystemId) -> BTreeMap<String, Routes> {
        let routes = |(record_type, routing): (&String, &Routing)| {
            let routing_field = self.schemas.get(record_type).and_then(|schema| schema.routing_field.clone());
            let places = |(value, systems): (&String, &Vec<String>)| {
                let place = |name: &String| {
                    let terms = self.system(name)?.kind.agreed()?.terms.get(record_type)?;
                    Some((number(name), terms.objects.get(value)?.clone()))
                };
                (value.clone(), systems.iter().filter_map(place).collect())
            };
            (record_type.clone(), Routes { routing_field, places: routing.by_type.iter().map(places).collect() })
        };
        self.routing.iter().map(routes).collect()
    }

    /// What is configured, for people: a line for each system and each route. Shows no secret.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut lines = vec![format!("store: sqlite:{}", self.store_path().display()), format!("log: {}", self.log)];
        for system in &self.systems {
            let detail = match &system.kind {
                Kind::Generator(generator) => {
                    format!("{} events per second, seed {}", generator.settings.events_per_second, generator.seed)
                }
                Kind::File(file) => file.settings.path.display().to_string(),
                Kind::Stdin(_) => "piped in".to_owned(),
                Kind::Http(_) => self.api.as_ref().map_or_else(String::new, |api| format!("listens on {}", api.listen)),
                Kind::Salesforce(system) => format!("{} version {}", system.settings.url, system.settings.api_version),
                Kind::HubSpot(system) => format!("{} version {}", system.settings.url, system.settings.api_version),
            };
            lines.push(format!("system {}: {}, {detail}", system.name, system.kind.name()));
            for (record_type, terms) in system.kind.agreed().into_iter().flat_map(|agreed| &agreed.terms) {
                lines.push(format!("  {record_type}: fields {}", terms.boundary.synced_fields().join(", ")));
            }
        }
        for (record_type, routing) in &self.routing {
            for (value, systems) in &routing.by_type {
                let value = if value.is_empty() { "all" } else { value };
                let systems = if systems.is_empty() { "nowhere".to_owned() } else { systems.join(", ") };
                lines.push(format!("route {record_type} {value}: {systems}"));
            }
        }
        lines.join("\n")
    }
}
