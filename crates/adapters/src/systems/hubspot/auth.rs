//! HubSpot's static token: nothing to fetch, but it can be refused.
//!
//! Promises: after a refusal the next renewal reports it once, so that the lane pauses and a person is told; the one after
//! that lets a trial pass, since a refused token can be good again (HubSpot does not promise otherwise). Never printed.
//! Leaves to others: how long to pause (`engine::error::policy`).

use std::sync::atomic::{AtomicBool, Ordering};

use secrecy::{ExposeSecret, SecretString};
use syncline_engine::error::{Error, Kind, Result};

/// The token and whether it was refused since the last renewal.
#[derive(Debug)]
pub struct StaticToken {
    secret: SecretString,
    refused: AtomicBool,
}

impl StaticToken {
    /// A token that nobody has refused yet.
    #[must_use]
    pub const fn new(secret: SecretString) -> Self {
        Self { secret, refused: AtomicBool::new(false) }
    }

    /// The header's value.
    #[must_use]
    pub fn authorization(&self) -> String {
        format!("Bearer {}", self.secret.expose_secret())
    }

    /// Notes that HubSpot refused it.
    pub fn refuse(&self) {
        self.refused.store(true, Ordering::SeqCst);
    }

    /// Reports a refusal once.
    ///
    /// # Errors
    /// `AuthRefused` if the token was refused since the last call.
    pub fn renew(&self) -> Result<()> {
        if self.refused.swap(false, Ordering::SeqCst) {
            let error = Error::new(Kind::AuthRefused, "HubSpot refused the token");
            return Err(error
                .with_remedy("make a new token in the account's service keys or private app and put it into the configuration"));
        }
        Ok(())
    }
}
