//! Talks to one HubSpot account: the only place of this system that does I/O.
//!
//! Promises: every call bears the token; a refusal of it is noted. A refused static token is reported once by the next renewal, so
//! that the lane waits and a person is told; the renewal after that lets a trial pass, since it can be good again. An OAuth refresh
//! token that was replaced is kept before the token that came with it is used. One request per call.
//! Leaves to others: what to ask (`encode`) and what was answered (`decode`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use secrecy::ExposeSecret;
use syncline_engine::error;
use url::Url;

use super::auth::{self, Grant};
use super::config::{Settings, SignIn};
use crate::systems::answers;
use crate::systems::means::Means;
use crate::systems::tokens::{Token, Tokens};
use crate::transport::{Call, HttpRequest, HttpResponse, TransportError};

/// A connection to one account.
pub struct Client {
    means: Means,
    way: SignIn,
    tokens: Tokens<Grant>,
    /// Whether the static token was refused since the last renewal.
    refused: AtomicBool,
    url: Url,
    version: String,
    timeout: Duration,
}

impl Client {
    /// A client of the settings' account. A static token is at hand at once.
    #[must_use]
    pub fn new(means: Means, settings: &Settings) -> Self {
        let tokens = Tokens::default();
        if let SignIn::Token(secret) = &settings.sign_in {
            tokens.replace(Grant { secret: secret.clone(), scopes: None }, None);
        }
        Self {
            means,
            way: settings.sign_in.clone(),
            tokens,
            refused: AtomicBool::new(false),
            url: settings.url.clone(),
            version: settings.api_version.clone(),
            timeout: settings.timeout,
        }
    }

    /// The token in use, unless there is none, it was refused, or its end is near.
    #[must_use]
    pub fn token(&self) -> Option<Arc<Token<Grant>>> {
        self.tokens.current(self.means.clock.now())
    }

    /// Fetches a token unless there is a good one by the time that it is our turn; reports a static token's refusal once.
    ///
    /// # Errors
    /// `AuthRefused`, `AuthEnded`, `Unreachable`, `Protocol`; `StoreUnavailable` if a new refresh token cannot be kept.
    pub async fn renew(&self) -> error::Result<()> {
        let app = match &self.way {
            SignIn::Token(_) => {
                let refused = self.refused.swap(false, Ordering::SeqCst);
                return if refused { Err(auth::static_refused()) } else { Ok(()) };
            }
            SignIn::OAuth(app) => app,
        };
        let _turn = self.tokens.turn().await;
        if self.token().is_some() {
            return Ok(());
        }
        let mut kept = self.means.vault.take(&app.refresh_token)?;
        let asked_at = self.means.clock.now();
        let call = auth::request(&self.version, app, kept.token());
        let headers =
            vec![("content-type", "application/x-www-form-urlencoded".to_owned()), ("accept", "application/json".to_owned())];
        let answer = self.exchange(call, headers).await;
        let response = answer.map_err(|error| answers::unanswered_call("fetching a HubSpot token", error))?;
        let fetched = auth::fetched(&response)?;
        if let Some(refresh) = fetched.refresh {
            kept.replace(refresh)?;
        }
        self.tokens.replace(fetched.grant, Some(asked_at.plus(fetched.life)));
        Ok(())
    }

    /// Sends one call with that token.
    ///
    /// # Errors
    /// As the transport has it.
    pub async fn call(&self, token: &Token<Grant>, call: Call) -> Result<HttpResponse, TransportError> {
        let bearer = format!("Bearer {}", token.grant.secret.expose_secret());
        let mut headers = vec![("authorization", bearer), ("accept", "application/json".to_owned())];
        if !call.body.is_empty() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        let response = self.exchange(call, headers).await?;
        if auth::is_refusal(&response) {
            match &self.way {
                SignIn::Token(_) => self.refused.store(true, Ordering::SeqCst),
                SignIn::OAuth(_) => self.tokens.refuse(token.epoch),
            }
        }
        Ok(response)
    }

    async fn exchange(&self, call: Call, headers: Vec<(&'static str, String)>) -> Result<HttpResponse, TransportError> {
        let url =
            self.url.join(&call.target).map_err(|error| TransportError::NotSent(format!("no address can be made: {error}")))?;
        let request = HttpRequest { method: call.method, url, headers, body: call.body, timeout: self.timeout };
        self.means.transport.exchange(request).await
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
