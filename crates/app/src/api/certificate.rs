//! The certificate of the door, which may be replaced while it is open.
//!
//! Promises: a connection gets the certificate that the files hold when it is made; connections that are there keep theirs. Files that do not
//! fit together, as while one of two is being replaced, leave the certificate in force as it is, and that is said once.
//! Leaves to others: connections (`server`).

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use syncline_engine::error::{Error, Kind, Result};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsFiles;

/// What tells one state of the files from another.
type Stamp = [Option<(SystemTime, u64)>; 2];

/// The certificate in force, and where it comes from.
pub(super) struct Certificate {
    files: TlsFiles,
    stamp: Stamp,
    acceptor: TlsAcceptor,
}

impl Certificate {
    /// Reads the files.
    pub(super) fn read(files: TlsFiles) -> Result<Self> {
        let stamp = stamp(&files);
        Ok(Self { acceptor: acceptor(&files)?, files, stamp })
    }

    /// What greets a new connection; the files are read anew if they have changed.
    pub(super) fn acceptor(&mut self) -> TlsAcceptor {
        let stamp = stamp(&self.files);
        if stamp != self.stamp {
            self.stamp = stamp;
            match acceptor(&self.files) {
                Ok(acceptor) => {
                    self.acceptor = acceptor;
                    tracing::info!("the certificate was replaced");
                }
                Err(error) => tracing::warn!(error = %error, remedy = error.remedy(), "the certificate in force goes on"),
            }
        }
        self.acceptor.clone()
    }
}

fn stamp(files: &TlsFiles) -> Stamp {
    let of = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    [of(&files.cert), of(&files.key)]
}

fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor> {
    let unread = |path: &Path, error: &dyn std::fmt::Display| {
        Error::new(Kind::Config, format!("api.tls: {} does not read: {error}", path.display())).with_remedy("name files in PEM that this user may read")
    };
    let chain: std::result::Result<Vec<_>, _> = CertificateDer::pem_file_iter(&files.cert).and_then(Iterator::collect);
    let chain = chain.map_err(|error| unread(&files.cert, &error))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| unread(&files.key, &error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let refused = |error: rustls::Error| Error::new(Kind::Config, format!("api.tls: the certificate is refused: {error}"));
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(refused)?;
    let mut config = builder.with_no_client_auth().with_single_cert(chain, key).map_err(refused)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
