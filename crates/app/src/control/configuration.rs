//! The configuration as it is in force, its history, and changing it.
//!
//! Promises: shows no secret; the same answers from a process and over its store. Leaves to others: changing it (`crate::reload`).

use serde::{Deserialize, Serialize};
use syncline_core::config_entry::{ConfigEntry, KeyChange};
use syncline_engine::error::Result;

use super::{Context, moment};
use crate::config::{Faults, Place, Written};
use crate::reload::Refused;

/// One fault of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultView {
    /// Its code in the registry.
    pub code: String,
    /// File, line and column, variable, or flag.
    pub place: String,
    /// Keys from the root, with dots between them.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// The values that are in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValuesView {
    /// The file.
    pub file: String,
    /// Whether a process runs with them.
    pub is_running: bool,
    /// Every value that is written somewhere, and then every default that holds.
    pub values: Vec<ValueView>,
    /// The whole as YAML, without secrets.
    pub text: String,
    /// The last configuration that was refused, if none came into force since.
    pub refused: Option<Refused>,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueView {
    /// Keys from the root, with dots between them.
    pub path: String,
    /// The value, or `[hidden]`.
    pub value: String,
    /// Where it comes from: file, line and column, variable, flag, or default.
    pub from: String,
}

/// What was in force, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryView {
    /// The entries.
    pub entries: Vec<EntryView>,
}

/// One configuration that came into force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryView {
    /// Counts from 1.
    pub number: u64,
    /// When.
    pub at: String,
    /// `start`, `reload` or `set`.
    pub cause: String,
    /// Who asked for it.
    pub who: String,
    /// What differs from the entry before.
    pub changes: Vec<KeyChange>,
    /// SHA-256 of the text.
    pub digest: String,
    /// The whole, as YAML without secrets.
    pub text: String,
}

impl From<ConfigEntry> for EntryView {
    fn from(entry: ConfigEntry) -> Self {
        let ConfigEntry { number, at, cause, who, changes, digest, text } = entry;
        Self { number, at: moment::told(at), cause: cause.name().to_owned(), who, changes, digest, text }
    }
}

impl Place {
    /// Where that is, in words.
    #[must_use]
    pub fn told(&self, file: &str) -> String {
        match self {
            Self::File { line, column, .. } => format!("{file}:{line}:{column}"),
            Self::Environment(name) => format!("variable {name}"),
            Self::Flag(path) => format!("--set {path}"),
        }
    }
}

impl Faults {
    /// The faults one by one.
    #[must_use]
    pub fn views(&self) -> Vec<FaultView> {
        let view = |fault: &crate::config::Fault| FaultView {
            code: fault.code.to_string(),
            place: fault.place.told(self.file()),
            path: fault.path.clone(),
            message: fault.message.clone(),
            remedy: fault.remedy.clone(),
        };
        self.all().iter().map(view).collect()
    }
}

impl ValuesView {
    /// Of a configuration as it was written.
    #[must_use]
    pub fn of(file: &str, written: &Written, is_running: bool, refused: Option<Refused>) -> Self {
        let value = |value: crate::config::WrittenValue| ValueView { from: value.place.told(file), path: value.path, value: value.value };
        let default = |(path, value): (String, &str)| ValueView { path, value: value.to_owned(), from: "default".to_owned() };
        let values = written.values().into_iter().map(value).chain(written.defaults().into_iter().map(default)).collect();
        Self { file: file.to_owned(), is_running, values, text: written.text(), refused }
    }
}

/// The newest entries of the history.
pub(super) async fn history(context: &dyn Context, limit: usize) -> Result<HistoryView> {
    let entries = context.store().configs(limit).await?;
    Ok(HistoryView { entries: entries.into_iter().map(EntryView::from).collect() })
}
