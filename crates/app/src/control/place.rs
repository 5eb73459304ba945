//! Where a process keeps its store and its socket.
//!
//! Promises: whoever names the same configuration or directory finds the same store and the same socket.
//! Leaves to others: opening either (`client`, `server`).

use std::path::{Path, PathBuf};

use crate::config::Config;

/// The socket's name in the data directory.
const SOCKET: &str = "syncline.sock";
/// The store's name unless a configuration names another.
const STORE: &str = "syncline.db";

/// Where things are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The directory of the socket.
    pub directory: PathBuf,
    /// The store's file.
    pub store: PathBuf,
}

impl Place {
    /// Of a data directory without a configuration.
    #[must_use]
    pub fn at(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), store: directory.join(STORE) }
    }

    /// Of a configuration.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self::of_store(&config.store, config.data.as_deref())
    }

    /// Of a store, below the data directory if there is one.
    #[must_use]
    pub fn of_store(store: &Path, data: Option<&Path>) -> Self {
        let store = data.map_or_else(|| store.to_owned(), |data| data.join(store));
        let directory = data.map(Path::to_owned).or_else(|| store.parent().map(Path::to_owned)).unwrap_or_default();
        Self { directory, store }
    }

    /// The socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        socket(&self.directory)
    }
}

/// The socket of a data directory.
pub(super) fn socket(directory: &Path) -> PathBuf {
    directory.join(SOCKET)
}
