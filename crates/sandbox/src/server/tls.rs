//! The certificate that the servers show to clients who speak TLS.
//!
//! Promises: a directory holds `cert.pem` and `key.pem`; where both are missing they are made, for `localhost` and the loopback
//! addresses, and a client that trusts `cert.pem` can connect. The key is readable by its owner alone.
//! Leaves to others: telling TLS from plain HTTP (`connection`).

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// Names that a certificate made here is good for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A certificate that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Certificate and key are no PEM, or do not fit each other.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The directory.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// A certificate with its key.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    certificate: PathBuf,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the certificate and key of a directory, which are made if neither is there.
    ///
    /// # Errors
    /// When a file cannot be read or written, or is no certificate or key.
    pub fn open(directory: &Path) -> Result<Self, TlsError> {
        let (certificate, key) = (directory.join("cert.pem"), directory.join("key.pem"));
        if !certificate.exists() && !key.exists() {
            make(directory, &certificate, &key)?;
        }
        let wrong = |reason: &dyn std::fmt::Display| TlsError::Content { path: directory.to_owned(), reason: reason.to_string() };
        let chain = CertificateDer::pem_slice_iter(&fs::read(&certificate).map_err(at(&certificate))?)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| wrong(&error))?;
        let key = PrivateKeyDer::from_pem_slice(&fs::read(&key).map_err(at(&key))?).map_err(|error| wrong(&error))?;
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(&error))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| wrong(&error))?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), certificate })
    }

    /// The file that a client must trust.
    #[must_use]
    pub fn certificate(&self) -> &Path {
        &self.certificate
    }

    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }
}

fn make(directory: &Path, certificate: &Path, key: &Path) -> Result<(), TlsError> {
    fs::create_dir_all(directory).map_err(at(directory))?;
    let names = NAMES.map(str::to_owned).to_vec();
    let made = rcgen::generate_simple_self_signed(names)
        .map_err(|error| TlsError::Content { path: directory.to_owned(), reason: error.to_string() })?;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(key).map_err(at(key))?;
    file.write_all(made.signing_key.serialize_pem().as_bytes()).map_err(at(key))?;
    fs::write(certificate, made.cert.pem()).map_err(at(certificate))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> TlsError {
    let path = path.to_owned();
    move |source| TlsError::File { path, source }
}
