//! `--set PATH=VALUE`: what a command line says over the configuration's file.
//!
//! Promises: the same flag on every command that reads a configuration; the environment's variables come along.
//! Leaves to others: laying it over the file (`crate::config`).

use clap::Args;

use crate::config::{Overrides, process_variables};

/// Values for keys of the configuration.
#[derive(Debug, Clone, Default, Args)]
pub struct SetArgs {
    /// A value that wins over the file and the environment, such as dispatch.retry.max=10m; may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
}

impl SetArgs {
    /// What the command line and the environment say.
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        Overrides { variables: process_variables(), flags: self.set.clone() }
    }
}

/// A message never holds the value.
fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (path, value) = text.split_once('=').ok_or("write PATH=VALUE, such as dispatch.retry.max=10m")?;
    Ok((path.trim().to_owned(), value.to_owned()))
}
