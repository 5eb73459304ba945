//! Which process or store an operator means, and reading configurations.
//!
//! Promises: `-c FILE` names it by its configuration and `--data DIR` by its directory; with neither it is `syncline.yaml` of the
//! current directory, or that directory itself. Leaves to others: asking it (`crate::control`).

use std::path::{Path, PathBuf};

use clap::Args;

use super::console::Failure;
use super::overrides::SetArgs;
use crate::config::{self, Config, Faults, process_env};
use crate::control::{Door, Place, Request};
use crate::reload::Source;

/// The configuration's name where none is named.
pub(super) const CONFIG: &str = "syncline.yaml";

/// Which process or store is meant.
#[derive(Debug, Clone, Args)]
pub(super) struct Target {
    /// The configuration of the process or store that is meant
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    set: SetArgs,
    /// Its data directory
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// How a list is answered.
#[derive(Debug, Clone, Args)]
pub(super) struct Form {
    /// Answer as JSON
    #[arg(long, conflicts_with = "jsonl")]
    pub(super) json: bool,
    /// Answer as JSON, an entry a line
    #[arg(long)]
    pub(super) jsonl: bool,
}

impl Target {
    /// Asks one question.
    pub(super) fn ask(&self, request: &Request) -> Result<crate::control::Answer, Failure> {
        let mut door = self.open()?;
        let answer = door.ask(request);
        door.close();
        Ok(answer?)
    }

    /// Finds the process or opens the store.
    pub(super) fn open(&self) -> Result<Door, Failure> {
        let (place, config) = self.find()?;
        Ok(Door::open(&place, config)?)
    }

    /// The configuration's file, whatever is in it.
    pub(super) fn source(&self) -> Result<Source, Failure> {
        let file = self.config.clone().or_else(|| self.data.as_ref().map(|data| data.join(CONFIG)));
        let source = Source { data: self.data.clone(), ..source(&file.unwrap_or_else(|| PathBuf::from(CONFIG)), &self.set) };
        Ok(source)
    }

    /// Where the process or store is, also if the configuration has faults.
    pub(super) fn place(&self) -> Result<Place, Failure> {
        if let (None, Some(data)) = (&self.config, &self.data) {
            return Ok(self.find().map_or_else(|_| Place::at(data), |(place, _)| place));
        }
        let source = self.source()?;
        if self.config.is_none() && !source.file.exists() {
            return Ok(Place::at(Path::new("")));
        }
        let text = source.read()?;
        let located = config::locate(&text, &process_env, &source.overrides);
        let (store, data) = match located {
            Some(located) => located,
            None => return Ok(Place::of(&source.load()?.config)),
        };
        Ok(Place::of_store(&store, self.data.as_deref().or(data.as_deref())))
    }

    /// The process, if one runs.
    pub(super) fn process(&self) -> Result<Option<Door>, Failure> {
        Ok(Door::process(&self.place()?)?)
    }

    /// Where the process or store is, and its configuration if one is known.
    pub(super) fn find(&self) -> Result<(Place, Option<Config>), Failure> {
        let here = Path::new(CONFIG);
        let named = self.config.as_deref().or_else(|| (self.data.is_none() && here.exists()).then_some(here));
        if let Some(file) = named {
            let mut config = read_config_without_secrets(file, &self.set)?;
            if self.data.is_some() {
                config.data.clone_from(&self.data);
            }
            return Ok((Place::of(&config), Some(config)));
        }
        let directory = self.data.clone().unwrap_or_default();
        Ok((Place::at(&directory), kept_config(&directory, &self.set)))
    }
}

/// The source of a configuration with what the command line and the environment say over it.
pub(super) fn source(file: &Path, set: &SetArgs) -> Source {
    Source { file: file.to_owned(), overrides: set.overrides(), env: process_env, data: None, behind_proxy: false }
}

/// Reads and checks a configuration.
pub(super) fn read_config(file: &Path, set: &SetArgs) -> Result<Config, Failure> {
    Ok(source(file, set).load()?.config)
}

/// Reads and checks a configuration for a command that talks to no account: a variable that is not set here does not matter to it.
pub(super) fn read_config_without_secrets(file: &Path, set: &SetArgs) -> Result<Config, Failure> {
    let text = source(file, set).read()?;
    let faults = match load(&text, file, &process_env, set) {
        Ok(config) => return Ok(config),
        Err(faults) => faults,
    };
    load(&text, file, &whatever_is_unset(&text), set).map_err(|_| Failure::Faults(Box::new(faults)))
}

fn load(text: &str, file: &Path, env: &dyn Fn(&str) -> Option<String>, set: &SetArgs) -> Result<Config, Faults> {
    config::load_with(text, &file.display().to_string(), env, &set.overrides()).map(|loaded| loaded.config)
}

/// The environment, with a word for every variable that the text names and that is not set.
fn whatever_is_unset(text: &str) -> impl Fn(&str) -> Option<String> {
    move |name| process_env(name).or_else(|| text.contains(&format!("${{{name}}}")).then(|| "unset".to_owned()))
}

/// The configuration that lies in a data directory, as the demo leaves it, if it is in order.
fn kept_config(directory: &Path, set: &SetArgs) -> Option<Config> {
    let text = std::fs::read_to_string(directory.join(CONFIG)).ok()?;
    let mut config = load(&text, Path::new(CONFIG), &whatever_is_unset(&text), set).ok()?;
    config.data = Some(directory.to_owned());
    Some(config)
}
