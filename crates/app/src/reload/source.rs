//! Where a configuration comes from: its file, and what the environment and the command line say over it.
//!
//! Promises: a file is replaced whole, by a draft beside it, with the rights that it had; what is refused leaves it alone.
//! Leaves to others: what is in it (`crate::config`), letting it come into force (`crate::reload`).

use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use syncline_core::time::Timestamp;
use syncline_engine::codes::Code;

use super::Refused;
use crate::config::{self, Faults, Loaded, Overrides, Place};
use crate::control::{FaultView, Refusal, moment};

/// The longest configuration in bytes.
const BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Where a configuration comes from.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its file.
    pub file: PathBuf,
    /// What wins over the file.
    pub overrides: Overrides,
    /// Looks variables up.
    pub env: fn(&str) -> Option<String>,
    /// The data directory that the command line names.
    pub data: Option<PathBuf>,
    /// Whether the command line says that a proxy ends TLS.
    pub behind_proxy: bool,
}

/// Why a configuration could not be read.
#[derive(Debug)]
pub enum Unread {
    /// The file itself.
    Refused(Refusal),
    /// What is in it.
    Faults(Box<Faults>),
}

/// A configuration that is in order, on its way into force.
pub struct Changed {
    /// It.
    pub loaded: Loaded,
    /// Its text.
    pub text: String,
    file: PathBuf,
    /// What the file holds, if it is to hold another text.
    original: Option<String>,
}

impl Source {
    /// The file's name, for messages.
    #[must_use]
    pub fn name(&self) -> String {
        self.file.display().to_string()
    }

    /// Reads the file.
    ///
    /// # Errors
    /// If it is not there, too long, or no text.
    pub fn read(&self) -> Result<String, Refusal> {
        let name = self.name();
        let unreadable = |error: std::io::Error| {
            let is_no_text = error.kind() == ErrorKind::InvalidData;
            let remedy = if is_no_text { "save the file as UTF-8" } else { "name the configuration with -c FILE; config/default.yaml shows every key" };
            Refusal::new(format!("the configuration {name} cannot be read"), remedy, 78).coded(Code::ConfigurationUnreadable).caused_by(&error)
        };
        let mut text = String::new();
        let opened = std::fs::File::open(&self.file).map_err(unreadable)?;
        opened.take(BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
        if text.len() as u64 > BYTES_MAX {
            let remedy = "name the configuration itself with -c FILE; a whole one has a few hundred lines";
            return Err(Refusal::new(format!("the configuration {name} holds more than {BYTES_MAX} bytes"), remedy, 78));
        }
        Ok(text)
    }

    /// Reads the file, and judges what is in it.
    ///
    /// # Errors
    /// Why it cannot be read, or every fault.
    pub fn load(&self) -> Result<Loaded, Unread> {
        let text = self.read().map_err(Unread::Refused)?;
        self.judge(&text).map_err(|faults| Unread::Faults(Box::new(faults)))
    }

    fn judge(&self, text: &str) -> Result<Loaded, Faults> {
        let mut loaded = config::load_with(text, &self.name(), &self.env, &self.overrides)?;
        if self.data.is_some() {
            loaded.config.data.clone_from(&self.data);
        }
        if let (true, Some(api)) = (self.behind_proxy, &mut loaded.config.api) {
            api.behind_proxy = true;
        }
        Ok(loaded)
    }

    /// What the file would be with a value set in it, judged; nothing is written yet.
    ///
    /// # Errors
    /// Why it cannot be read, every fault, or what wins over the file in that place.
    pub fn change(&self, set: Option<&(String, String)>) -> Result<Changed, Unread> {
        let original = self.read().map_err(Unread::Refused)?;
        let of_change = |faults: Faults| Unread::Faults(Box::new(faults.of_change()));
        let Some((path, value)) = set else {
            let loaded = self.judge(&original).map_err(of_change)?;
            return Ok(Changed { loaded, text: original, file: self.file.clone(), original: None });
        };
        let text = config::edit(&original, &self.name(), path, value).map_err(of_change)?;
        let loaded = self.judge(&text).map_err(of_change)?;
        match loaded.written.place(path) {
            Place::File { .. } => {}
            place @ (Place::Environment(_) | Place::Flag(_)) => {
                let message = format!("{path} is set by {}, which wins over the file", place.told(&self.name()));
                return Err(Unread::Refused(Refusal::new(message, "set it there, and start the process anew", 78)));
            }
        }
        Ok(Changed { loaded, text, file: self.file.clone(), original: Some(original) })
    }
}

impl Unread {
    /// In words and one by one.
    #[must_use]
    pub fn told(self, at: Timestamp) -> Refused {
        let at = moment::told(at);
        match self {
            Self::Faults(faults) => Refused { at, text: faults.to_string(), faults: faults.views() },
            Self::Refused(refusal) => {
                let Refusal { code, message, causes, remedy, exit: _ } = refusal;
                let message = [vec![message], causes].concat().join(": ");
                let text = format!("error[{code}]: {message}\nremedy: {remedy}");
                Refused { at, text, faults: vec![FaultView { code, place: String::new(), path: String::new(), message, remedy }] }
            }
        }
    }
}

impl Changed {
    /// Writes the file, if it is to hold another text.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self) -> Result<(), Refusal> {
        match &self.original {
            Some(original) if *original != self.text => replace(&self.file, &self.text).map_err(|error| {
                let remedy = "let this user write the file and its directory, or change it where it comes from and `syncline config reload`";
                Refusal::new(format!("the configuration {} cannot be written", self.file.display()), remedy, 73).caused_by(&error)
            }),
            Some(_) | None => Ok(()),
        }
    }

    /// Writes the former text again, since the new one does not come into force.
    pub fn put_back(&self) {
        if let Some(original) = &self.original
            && let Err(error) = replace(&self.file, original)
        {
            tracing::error!(file = %self.file.display(), error = %error, "the configuration's file could not be put back; what it holds comes into force at the next start");
        }
    }
}

/// Replaces a file by a draft beside it, which is on disk before it bears the name.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    let file = std::fs::canonicalize(file)?;
    let mut draft = file.as_os_str().to_owned();
    draft.push(".draft");
    let draft = PathBuf::from(draft);
    let written = write_draft(&file, &draft, text).and_then(|()| std::fs::rename(&draft, &file));
    if written.is_err() {
        // A draft that was never made cannot be removed either.
        let _ = std::fs::remove_file(&draft);
    }
    written?;
    // The name is on disk once its directory is; a file system that cannot do that keeps it as it can.
    let _ = file.parent().map(|directory| std::fs::File::open(directory).and_then(|directory| directory.sync_all()));
    Ok(())
}

fn write_draft(file: &Path, draft: &Path, text: &str) -> std::io::Result<()> {
    let rights = std::fs::metadata(file)?.permissions();
    let mut out = std::fs::File::create(draft)?;
    out.set_permissions(rights)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()
}
