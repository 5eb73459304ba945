//! Which process or store an operator means, and reading configurations.
//!
//! Promises: `-c FILE` names it by its configuration and `--data DIR` by its directory; with neither it is `syncline.yaml` of the
//! current directory, or that directory itself. Leaves to others: asking it (`crate::control`).

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use super::console::Failure;
use super::overrides::SetArgs;
use crate::config::{self, Config, Faults, process_env};
use crate::control::{Door, Place, Refusal, Request};

/// The configuration's name where none is named.
pub(super) const CONFIG: &str = "syncline.yaml";

/// The longest configuration in bytes.
const CONFIG_BYTES_MAX: u64 = 4 * 1024 * 1024;

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

/// Reads and checks a configuration.
pub(super) fn read_config(file: &Path, set: &SetArgs) -> Result<Config, Failure> {
    let text = read_text(file)?;
    load(&text, file, &process_env, set).map_err(|faults| Failure::Faults(Box::new(faults)))
}

/// Reads and checks a configuration for a command that talks to no account: a variable that is not set here does not matter to it.
pub(super) fn read_config_without_secrets(file: &Path, set: &SetArgs) -> Result<Config, Failure> {
    let text = read_text(file)?;
    let faults = match load(&text, file, &process_env, set) {
        Ok(config) => return Ok(config),
        Err(faults) => faults,
    };
    load(&text, file, &whatever_is_unset(&text), set).map_err(|_| Failure::Faults(Box::new(faults)))
}

fn load(text: &str, file: &Path, env: &dyn Fn(&str) -> Option<String>, set: &SetArgs) -> Result<Config, Faults> {
    config::load_with(text, &file.display().to_string(), env, &set.overrides())
}

/// The environment, with a word for every variable that the text names and that is not set.
fn whatever_is_unset(text: &str) -> impl Fn(&str) -> Option<String> {
    move |name| process_env(name).or_else(|| text.contains(&format!("${{{name}}}")).then(|| "unset".to_owned()))
}

fn read_text(file: &Path) -> Result<String, Failure> {
    let name = file.display().to_string();
    let cannot = |remedy: &str, error: &std::io::Error| Refusal::new(format!("the configuration {name} cannot be read"), remedy, 78).caused_by(error);
    let unreadable = |error: std::io::Error| {
        let is_no_text = error.kind() == ErrorKind::InvalidData;
        let remedy = if is_no_text { "save the file as UTF-8" } else { "name the configuration with -c FILE; config/default.yaml shows every key" };
        cannot(remedy, &error)
    };
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(unreadable)?;
    opened.take(CONFIG_BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > CONFIG_BYTES_MAX {
        let remedy = "name the configuration itself with -c FILE; a whole one has a few hundred lines";
        return Err(Failure::new(format!("the configuration {name} holds more than {CONFIG_BYTES_MAX} bytes"), remedy, 78));
    }
    Ok(text)
}

/// The configuration that lies in a data directory, as the demo leaves it, if it is in order.
fn kept_config(directory: &Path, set: &SetArgs) -> Option<Config> {
    let text = std::fs::read_to_string(directory.join(CONFIG)).ok()?;
    let mut config = load(&text, Path::new(CONFIG), &whatever_is_unset(&text), set).ok()?;
    config.data = Some(directory.to_owned());
    Some(config)
}
