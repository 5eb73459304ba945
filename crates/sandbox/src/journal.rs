//! Keeps the sandbox's state in a directory, so that it outlives the process.
//!
//! Two files of one generation: `state-<n>.json`, the whole state when the generation began, and `journal-<n>.jsonl`, one line
//! for each request since. Opening reads both and begins the next generation.
//! Promises: a line is handed to the system with write(2) before the answer goes out, so nothing answered is lost when the
//! process is killed; a torn last line is dropped. A power cut may lose the newest lines: nothing is synced to the disk.
//! Leaves to others: what the lines mean (`crate::sandbox`).

use std::fs::{self, File};
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A state directory that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A file cannot be read or written.
    #[error("sandbox state {}: {source}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file holds something that cannot be read back.
    #[error("sandbox state {}, line {line}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// What a directory held when it was opened.
#[derive(Debug, Default)]
pub struct Found {
    /// The state at the beginning of the generation.
    pub state: Option<Value>,
    generation: u64,
}

/// The open journal of one generation.
#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
    generation: u64,
    file: File,
    line: Vec<u8>,
    bytes: u64,
}

impl Found {
    /// Reads the state of the newest generation in a directory, which is made if it does not exist.
    ///
    /// # Errors
    /// When the directory cannot be read or the state is broken.
    pub fn read(directory: &Path) -> Result<Self, JournalError> {
        fs::create_dir_all(directory).map_err(at(directory))?;
        let Some(generation) = newest(directory)? else { return Ok(Self::default()) };
        let path = state_path(directory, generation);
        let bytes = fs::read(&path).map_err(at(&path))?;
        let state = serde_json::from_slice(&bytes).map_err(|error| content(&path, error.line(), &error))?;
        Ok(Self { state: Some(state), generation })
    }

    /// Hands over every whole line since the state, in order.
    ///
    /// # Errors
    /// When the file cannot be read, or a line is refused.
    pub fn each_line(&self, directory: &Path, mut take: impl FnMut(&[u8]) -> Result<(), String>) -> Result<(), JournalError> {
        let path = journal_path(directory, self.generation);
        let mut file = match File::open(&path) {
            Ok(file) => io::BufReader::new(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(at(&path)(error)),
        };
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            file.read_until(b'\n', &mut line).map_err(at(&path))?;
            // What follows the last line end was never finished.
            let Some(text) = line.strip_suffix(b"\n") else { break };
            take(text).map_err(|reason| content(&path, number, &reason))?;
        }
        Ok(())
    }

    /// Begins the next generation with that state and drops the files of earlier ones.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn begin(&self, directory: &Path, state: &Value) -> Result<Journal, JournalError> {
        Journal::begin(directory.to_owned(), self.generation + 1, state)
    }
}

impl Journal {
    fn begin(directory: PathBuf, generation: u64, state: &Value) -> Result<Self, JournalError> {
        let journal = journal_path(&directory, generation);
        let file = File::create(&journal).map_err(at(&journal))?;
        // The state file names the generation: it appears whole, by a rename, once its journal exists.
        let draft = directory.join("state.draft");
        let write = |path: &Path| -> io::Result<()> {
            let mut out = io::BufWriter::new(File::create(path)?);
            serde_json::to_writer(&mut out, state)?;
            out.flush()?;
            fs::rename(path, state_path(&directory, generation))
        };
        write(&draft).map_err(at(&draft))?;
        drop_earlier(&directory, generation)?;
        Ok(Self { directory, generation, file, line: Vec::new(), bytes: 0 })
    }

    /// Begins a new generation with that state.
    ///
    /// # Errors
    /// When a file cannot be written; the present generation then stays in use.
    pub fn compact(&mut self, state: &Value) -> Result<(), JournalError> {
        *self = Self::begin(self.directory.clone(), self.generation + 1, state)?;
        Ok(())
    }

    /// Adds one line with a single write.
    ///
    /// # Errors
    /// When the system does not take it.
    pub fn append(&mut self, line: &impl serde::Serialize) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line)?;
        self.line.push(b'\n');
        self.file.write_all(&self.line)?;
        self.bytes += self.line.len() as u64;
        Ok(())
    }

    /// Bytes since the generation began.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

fn state_path(directory: &Path, generation: u64) -> PathBuf {
    directory.join(format!("state-{generation}.json"))
}

fn journal_path(directory: &Path, generation: u64) -> PathBuf {
    directory.join(format!("journal-{generation}.jsonl"))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::File { path, source }
}

fn content(path: &Path, line: usize, reason: &dyn std::fmt::Display) -> JournalError {
    JournalError::Content { path: path.to_owned(), line, reason: reason.to_string() }
}

fn generations(directory: &Path, prefix: &str, suffix: &str) -> Result<Vec<u64>, JournalError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(at(directory))? {
        let name = entry.map_err(at(directory))?.file_name();
        let number: Option<u64> = name.to_str().and_then(|name| name.strip_prefix(prefix)?.strip_suffix(suffix)?.parse().ok());
        found.extend(number);
    }
    Ok(found)
}

fn newest(directory: &Path) -> Result<Option<u64>, JournalError> {
    Ok(generations(directory, "state-", ".json")?.into_iter().max())
}

fn drop_earlier(directory: &Path, generation: u64) -> Result<(), JournalError> {
    for earlier in generations(directory, "state-", ".json")?.into_iter().filter(|number| *number < generation) {
        let path = state_path(directory, earlier);
        fs::remove_file(&path).map_err(at(&path))?;
    }
    for earlier in generations(directory, "journal-", ".jsonl")?.into_iter().filter(|number| *number < generation) {
        let path = journal_path(directory, earlier);
        fs::remove_file(&path).map_err(at(&path))?;
    }
    Ok(())
}
