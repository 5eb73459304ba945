//! Sees that a database file has one owner.
//!
//! Promises: while an `Ownership` lives, no other process and no other store opens the same file; it ends with the process,
//! however that ends. Leaves to others: talking to the owner (its control socket).

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use syncline_engine::error::{Error, Kind, Result};

/// The right to a database file, held by an advisory lock on a file beside it.
#[derive(Debug)]
pub(super) struct Ownership {
    _file: File,
}

impl Ownership {
    /// Takes the right, or says that another has it.
    pub(super) fn take(database: &Path) -> Result<Self> {
        let path = beside(database);
        let unavailable = |error: std::io::Error| Error::new(Kind::StoreUnavailable, format!("{} cannot be opened", path.display())).caused_by(error);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(unavailable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::new(Kind::StoreOwned, format!("another process has {} open", database.display()))),
            Err(TryLockError::Error(error)) => Err(unavailable(error)),
        }
    }
}

fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}
