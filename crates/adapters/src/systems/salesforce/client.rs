//! Talks to one org: the only place of this system that does I/O.
//!
//! Promises: every call bears the token and says who we are and that no assignment rule shall run; a refused token is
//! noted, so that the next renewal fetches another; a refresh token that was replaced is kept before the token that came with it is
//! used. One request per call.
//! Leaves to others: what to ask (`encode`) and what was answered (`decode`).

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use syncline_engine::error;
use url::Url;

use super::auth::{self, Grant};
use super::config::SignIn;
use crate::systems::answers;
use crate::systems::means::Means;
use crate::systems::tokens::{Token, Tokens};
use crate::transport::{Call, HttpRequest, HttpResponse, TransportError};

/// A connection to one org.
pub struct Client {
    means: Means,
    tokens: Tokens<Grant>,
    url: Url,
    way: SignIn,
    timeout: Duration,
}

impl Client {
    /// A client without a token.
    #[must_use]
    pub fn new(means: Means, settings: &super::config::Settings) -> Self {
        Self {
            means,
            tokens: Tokens::default(),
            url: settings.url.clone(),
            way: settings.sign_in.clone(),
            timeout: settings.timeout,
        }
    }

    /// The token in use, unless there is none or it was refused.
    #[must_use]
    pub fn token(&self) -> Option<Arc<Token<Grant>>> {
        self.tokens.current(self.means.clock.now())
    }

    /// Fetches a token unless there is a good one by the time that it is our turn.
    ///
    /// # Errors
    /// `AuthEnded`, `AuthRefused`, `Unreachable`, `Protocol`; `StoreUnavailable` if a new refresh token cannot be kept.
    pub async fn renew(&self) -> error::Result<()> {
        let _turn = self.tokens.turn().await;
        if self.token().is_some() {
            return Ok(());
        }
        let mut kept = match &self.way {
            SignIn::RefreshToken { refresh_token, .. } => Some(self.means.vault.take(refresh_token)?),
            SignIn::ClientCredentials { .. } | SignIn::JwtBearer { .. } => None,
        };
        let refresh = kept.as_ref().map(|kept| kept.token());
        let call = auth::request(&self.way, refresh, self.means.clock.now())?;
        let headers =
            vec![("content-type", "application/x-www-form-urlencoded".to_owned()), ("accept", "application/json".to_owned())];
        let answer = self.exchange(&self.url, call, headers).await;
        let response = answer.map_err(|error| answers::unanswered_call("fetching a Salesforce token", error))?;
        let fetched = auth::fetched(&self.url, &self.way, &response)?;
        if let (Some(kept), Some(rotated)) = (&mut kept, fetched.rotated) {
            kept.replace(rotated)?;
        }
        self.tokens.replace(fetched.grant, None);
        Ok(())
    }

    /// Sends one data call with that token.
    ///
    /// # Errors
    /// As the transport has it.
    pub async fn call(&self, token: &Token<Grant>, call: Call) -> Result<HttpResponse, TransportError> {
        let mut headers = vec![
            ("authorization", format!("Bearer {}", token.grant.secret.expose_secret())),
            ("accept", "application/json".to_owned()),
            ("sforce-call-options", "client=Syncline".to_owned()),
            ("sforce-auto-assign", "FALSE".to_owned()),
        ];
        if !call.body.is_empty() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        let response = self.exchange(&token.grant.instance, call, headers).await?;
        if response.status == 401 {
            self.tokens.refuse(token.epoch);
        }
        Ok(response)
    }

    async fn exchange(
        &self,
        base: &Url,
        call: Call,
        headers: Vec<(&'static str, String)>,
    ) -> Result<HttpResponse, TransportError> {
        let url = base.join(&call.target).map_err(|error| TransportError::NotSent(format!("no address can be made: {error}")))?;
        self.means.transport.exchange(HttpRequest { method: call.method, url, headers, body: call.body, timeout: self.timeout }).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::systems::salesforce::config::Settings;
use crate::transport::Transport;

    struct Still;

    impl syncline_engine::ports::clock::Clock for Still {
        fn now(&self) -> syncline_core::time::Timestamp {
            syncline_core::time::Timestamp::from_millis(0)
        }
    }

    /// Answers token requests as told, once there is a permit.
    struct Gate {
        open: Semaphore,
        asked: AtomicUsize,
        fails_first: bool,
    }

    #[async_trait]
    impl Transport for Gate {
        async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
            let turn = self.asked.fetch_add(1, Ordering::SeqCst);
            self.open.acquire().await.map_err(|_| TransportError::Lost("closed".to_owned()))?.forget();
            if request.url.path() != "/services/oauth2/token" {
                return Ok(HttpResponse { status: 401, ..HttpResponse::default() });
            }
            if turn == 0 && self.fails_first {
                return Err(TransportError::Lost("reset".to_owned()));
            }
            let body = format!(
                r#"{{"access_token":"t{turn}","instance_url":"https://acme.my.salesforce.com","id":"https://login.salesforce.com/id/00D5g000004Kp7QEAS/0055g000007Xy9ZAAS"}}"#
            );
            Ok(HttpResponse { status: 200, body: body.into_bytes(), ..HttpResponse::default() })
        }
    }

    fn client(fails_first: bool) -> (Arc<Gate>, Client) {
        let gate = Arc::new(Gate { open: Semaphore::new(0), asked: AtomicUsize::new(0), fails_first });
        let url = Url::parse("https://acme.my.salesforce.com").unwrap();
        let settings = Settings::new(url, "id".into(), "secret".to_owned().into(), Default::default());
        let means = Means::new(gate.clone(), Arc::new(Still), "unused".into());
        (gate, Client::new(means, &settings))
    }

    #[tokio::test]
    async fn renewals_at_once_fetch_one_token() {
        let (gate, client) = client(false);
        let opener = async { gate.open.add_permits(5) };
        let (first, second, third, ()) = tokio::join!(client.renew(), client.renew(), client.renew(), opener);
        assert!(first.is_ok() && second.is_ok() && third.is_ok());
        assert_eq!(gate.asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn who_waited_for_a_renewal_that_failed_tries_again() {
        let (gate, client) = client(true);
        gate.open.add_permits(5);
        let (first, second) = tokio::join!(client.renew(), client.renew());
        assert!(first.is_err() && second.is_ok());
        assert_eq!(gate.asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_late_refusal_of_an_old_token_leaves_the_new_one() {
        let (gate, client) = client(false);
        gate.open.add_permits(9);
        client.renew().await.unwrap();
        let old = client.token().unwrap();
        let call = || Call::bare(crate::transport::Method::Get, "/services/data".to_owned());
        client.call(&old, call()).await.unwrap();
        assert!(client.token().is_none());
        client.renew().await.unwrap();
        let new = client.token().unwrap();
        client.call(&old, call()).await.unwrap();
        assert_eq!(client.token().unwrap().epoch, new.epoch);
        client.renew().await.unwrap();
        assert_eq!(gate.asked.load(Ordering::SeqCst), 4);
    }
}
