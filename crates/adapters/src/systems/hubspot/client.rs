//! Talks to one HubSpot account: the only place of this system that does I/O.
//!
//! Promises: every call bears the token; a refusal of it is noted. One request per call.
//! Leaves to others: what to ask (`encode`) and what was answered (`decode`).

use std::sync::Arc;
use std::time::Duration;

use syncline_engine::error;
use url::Url;

use super::auth::StaticToken;
use super::config::Settings;
use crate::transport::{Call, HttpRequest, HttpResponse, Transport, TransportError};

/// A connection to one account.
pub struct Client {
    transport: Arc<dyn Transport>,
    token: StaticToken,
    url: Url,
    timeout: Duration,
}

impl Client {
    /// A client of the settings' account.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, settings: &Settings) -> Self {
        Self { transport, token: StaticToken::new(settings.token.clone()), url: settings.url.clone(), timeout: settings.timeout }
    }

    /// Reports a refusal of the token once.
    ///
    /// # Errors
    /// `AuthRefused`.
    pub fn renew(&self) -> error::Result<()> {
        self.token.renew()
    }

    /// Sends one call.
    ///
    /// # Errors
    /// As the transport has it.
    pub async fn call(&self, call: Call) -> Result<HttpResponse, TransportError> {
        let url =
            self.url.join(&call.target).map_err(|error| TransportError::NotSent(format!("no address can be made: {error}")))?;
        let mut headers = vec![("authorization", self.token.authorization()), ("accept", "application/json".to_owned())];
        if !call.body.is_empty() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        let request = HttpRequest { method: call.method, url, headers, body: call.body, timeout: self.timeout };
        let response = self.transport.exchange(request).await?;
        if response.status == 401 {
            self.token.refuse();
        }
        Ok(response)
    }
}
