//! Where a refresh token is kept that the other side replaces at every use.
//!
//! Promises: a replaced token is on disk, whole and readable by our user alone, before anything that came with it is used; a token
//! that a person configures anew wins over the one that is kept; one process at a time uses the token.
//! Leaves to others: talking to the token endpoint (each system's `client`). The reasons are in ADR 13.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use syncline_engine::error::{Error, Kind, Result};

/// The place of one system's refresh token.
#[derive(Debug)]
pub struct Vault {
    file: PathBuf,
    /// A token that could not be written: the one before it may be dead already.
    unsaved: Mutex<Option<SecretString>>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    format_version: u32,
    /// Digest of the configured token that this one descends from.
    origin: String,
    refresh_token: String,
}

const FORMAT: u32 = 1;

impl Vault {
    /// A vault in that file, which need not exist.
    #[must_use]
    pub const fn new(file: PathBuf) -> Self {
        Self { file, unsaved: Mutex::new(None) }
    }

    /// Takes the token out for use: the newest that descends from the configured one. Nobody else can until it is let go.
    ///
    /// # Errors
    /// `Unreachable` while another process uses it; `StoreUnavailable` if the file cannot be read or written.
    pub fn take(&self, configured: &SecretString) -> Result<Taken<'_>> {
        let lock = self.lock()?;
        let origin = STANDARD_NO_PAD.encode(Sha256::digest(configured.expose_secret().as_bytes()));
        let unsaved = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut taken = Taken { vault: self, origin, token: configured.clone(), _lock: lock };
        match unsaved {
            Some(token) => taken.replace(token)?,
            None => {
                if let Some(token) = self.read(&taken.origin)? {
                    taken.token = token;
                }
            }
        }
        Ok(taken)
    }

    fn lock(&self) -> Result<File> {
        if let Some(directory) = directory(&self.file) {
            make_private(directory).map_err(|error| self.trouble(error))?;
        }
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        let lock = private(&mut options).open(self.file.with_extension("lock")).map_err(|error| self.trouble(error))?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(TryLockError::WouldBlock) => {
                Err(Error::new(Kind::Unreachable, "another process is renewing this system's token").with_remedy("nothing to do: it is tried again"))
            }
            Err(TryLockError::Error(error)) => Err(self.trouble(error)),
        }
    }

    fn read(&self, origin: &str) -> Result<Option<SecretString>> {
        let text = match std::fs::read(&self.file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.trouble(error)),
        };
        let kept: Kept = serde_json::from_slice(&text).map_err(|_| self.trouble(io::Error::other("it is not as it was written")))?;
        Ok((kept.format_version == FORMAT && kept.origin == origin).then(|| SecretString::from(kept.refresh_token)))
    }

    fn write(&self, kept: &Kept) -> io::Result<()> {
        let draft = self.file.with_extension("new");
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true);
        let mut file = private(&mut options).open(&draft)?;
        file.write_all(&serde_json::to_vec(kept)?)?;
        file.sync_all()?;
        std::fs::rename(&draft, &self.file)?;
        // The rename itself must outlive a crash of the machine.
        directory(&self.file).map_or(Ok(()), |directory| File::open(directory)?.sync_all())
    }

    fn trouble(&self, error: io::Error) -> Error {
        let text = format!("the refresh token in {} cannot be kept", self.file.display());
        Error::new(Kind::StoreUnavailable, text).caused_by(error).with_remedy("let this user read and write that file and its directory")
    }
}

/// The token while it is in use.
#[derive(Debug)]
pub struct Taken<'v> {
    vault: &'v Vault,
    origin: String,
    token: SecretString,
    _lock: File,
}

impl Taken<'_> {
    /// The token to send.
    #[must_use]
    pub const fn token(&self) -> &SecretString {
        &self.token
    }

    /// Keeps the token that they sent in its place; one that did not change costs nothing.
    ///
    /// # Errors
    /// `StoreUnavailable`; the token is then kept in memory and written before the next use.
    pub fn replace(&mut self, token: SecretString) -> Result<()> {
        if token.expose_secret() == self.token.expose_secret() {
            return Ok(());
        }
        let kept = Kept { format_version: FORMAT, origin: self.origin.clone(), refresh_token: token.expose_secret().to_owned() };
        if let Err(error) = self.vault.write(&kept) {
            *self.vault.unsaved.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
            return Err(self.vault.trouble(error));
        }
        self.token = token;
        Ok(())
    }
}

fn directory(file: &Path) -> Option<&Path> {
    file.parent().filter(|directory| !directory.as_os_str().is_empty())
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn make_private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

#[cfg(not(unix))]
fn make_private(directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    fn vault(folder: &tempfile::TempDir) -> Vault {
        Vault::new(folder.path().join("tokens").join("crm.json"))
    }

    #[test]
    fn a_replaced_token_outlives_the_process_and_a_configured_one_wins() {
        let folder = tempfile::tempdir().unwrap();
        let first = vault(&folder);
        let mut taken = first.take(&secret("r1")).unwrap();
        assert_eq!(taken.token().expose_secret(), "r1");
        taken.replace(secret("r2")).unwrap();
        drop(taken);
        let again = vault(&folder);
        assert_eq!(again.take(&secret("r1")).unwrap().token().expose_secret(), "r2");
        assert_eq!(again.take(&secret("new")).unwrap().token().expose_secret(), "new");
    }

    #[test]
    fn one_at_a_time_uses_the_token() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (vault(&folder), vault(&folder));
        let taken = one.take(&secret("r1")).unwrap();
        assert_eq!(two.take(&secret("r1")).unwrap_err().kind, Kind::Unreachable);
        drop(taken);
        assert!(two.take(&secret("r1")).is_ok());
    }

    #[test]
    fn a_token_that_cannot_be_written_is_written_before_the_next_use() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(&folder);
        let mut taken = vault.take(&secret("r1")).unwrap();
        // A directory stands where the draft would be written.
        let draft = folder.path().join("tokens").join("crm.new");
        std::fs::create_dir(&draft).unwrap();
        let error = taken.replace(secret("r2")).unwrap_err();
        assert_eq!(error.kind, Kind::StoreUnavailable);
        assert!(!format!("{error}{taken:?}").contains("r2"));
        drop(taken);
        assert_eq!(vault.take(&secret("r1")).unwrap_err().kind, Kind::StoreUnavailable);
        std::fs::remove_dir(&draft).unwrap();
        assert_eq!(vault.take(&secret("r1")).unwrap().token().expose_secret(), "r2");
        assert_eq!(self::vault(&folder).take(&secret("r1")).unwrap().token().expose_secret(), "r2");
    }

    #[cfg(unix)]
    #[test]
    fn only_our_user_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(&folder);
        vault.take(&secret("r1")).unwrap().replace(secret("r2")).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.path().join("tokens/crm.json")), 0o600);
        assert_eq!(mode(&folder.path().join("tokens")), 0o700);
    }

    #[test]
    fn a_spoiled_file_is_told_without_its_text() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(&folder);
        drop(vault.take(&secret("r1")).unwrap());
        std::fs::write(folder.path().join("tokens/crm.json"), "{\"refresh_token\":\"hush\"").unwrap();
        let error = vault.take(&secret("r1")).unwrap_err();
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
    }
}
