//! The writer port for one HubSpot account.
//!
//! Promises (docs/spec/writer.md): one request per call, one outcome per item; creates go by our key, updates and deletes by id.
//! Leaves to others: bytes (`encode`, `decode`), the connection (`client`), when to call (`core::dispatch`).

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use syncline_core::dispatch::batch::{Batch, Profile, ReadBatch};
use syncline_core::outcome::{Outcome, Verdict};
use syncline_engine::error::{Error, Kind, Result};
use syncline_engine::ports::writer::{Account, Answer, LookAnswer, ReadAnswer, Writer};

use super::auth::Grant;
use super::client::Client;
use super::config::{BURST, DAY, Settings};
use super::{decode, encode, errors, limits, schema};
use crate::systems::{answers, findings};
use crate::systems::means::Means;
use crate::systems::tokens::Token;
use crate::transport::{Call, HttpResponse};

/// Writes to one account.
pub struct HubSpotWriter {
    pub(super) client: Client,
    pub(super) settings: Settings,
    profile: Profile,
}

impl HubSpotWriter {
    /// A writer that has not talked to the account yet.
    ///
    /// # Errors
    /// `Config` if the settings contradict themselves.
    pub fn new(means: Means, settings: Settings) -> Result<Self> {
        if let Some(complaint) = settings.complaint() {
            return Err(Error::new(Kind::Config, format!("hubspot: {complaint}")));
        }
        let profile = settings.profile(&settings.allowance());
        Ok(Self { client: Client::new(means, &settings), settings, profile })
    }

    /// One call for which nothing but success will do.
    pub(super) async fn ask(&self, doing: &str, call: Call) -> Result<HttpResponse> {
        let token = self.token().await?;
        let response = self.client.call(&token, call).await.map_err(|error| answers::unanswered_call(doing, error))?;
        if (200..300).contains(&response.status) { Ok(response) } else { Err(errors::whole(&response).refusal.into_error(doing)) }
    }

    pub(super) async fn token(&self) -> Result<Arc<Token<Grant>>> {
        if self.needs_token() {
            self.client.renew().await?;
        }
        self.client.token().ok_or_else(|| Error::new(Kind::AuthRefused, "HubSpot refused a new token at once"))
    }
}

/// A write or read for which there is no good token.
fn no_token() -> Verdict {
    Verdict { unauthorised: true, ..Verdict::default() }
}

#[async_trait]
impl Writer for HubSpotWriter {
    fn profile(&self) -> &Profile {
        &self.profile
    }

    async fn renew(&self) -> Result<()> {
        self.client.renew().await
    }

    fn needs_token(&self) -> bool {
        self.client.token().is_none()
    }

    fn connect_calls(&self) -> usize {
        self.settings.objects.len() + 1
    }

    async fn connect(&self) -> Result<Account> {
        let doing = "asking HubSpot for the account's details";
        let response = self.ask(doing, encode::account()).await?;
        let details = decode::account(&response).map_err(|why| answers::unreadable_call(doing, &why))?;
        let mut allowance = self.settings.allowance();
        allowance.zone = details.zone;
        let mut reports = limits::from_headers(&response);
        let mut looks = BTreeMap::new();
        for (object, used) in &self.settings.objects {
            let call = encode::properties(&self.settings.api_version, object);
            let look = match self.ask(&format!("looking at HubSpot's {object}"), call).await {
                Ok(response) => {
                    reports.extend(limits::from_headers(&response));
                    schema::look(object, used, &response)?
                }
                Err(error) => findings::absent(error)?,
            };
            looks.insert(object.clone(), look);
        }
        findings::admit("HubSpot", &looks)?;
        for report in reports {
            match report.pool.as_str() {
                BURST => allowance.burst = report.limit,
                DAY => allowance.day = report.limit,
                _ => {}
            }
        }
        Ok(Account { id: details.portal, profile: self.settings.profile(&allowance), looks })
    }

    async fn count(&self, object: &str) -> Result<u64> {
        let doing = format!("counting our records among HubSpot's {object}");
        let used =
            self.settings.objects.get(object).ok_or_else(|| Error::new(Kind::Internal, format!("{doing}: it is not in use")))?;
        let response = self.ask(&doing, encode::count(&self.settings.api_version, object, &used.key_field)).await?;
        decode::count(&response).map_err(|why| answers::unreadable_call(&doing, &why))
    }

    async fn send(&self, batch: &Batch) -> Answer {
        let call = match encode::write(&self.settings.api_version, batch) {
            Ok(call) => call,
            Err(lacking) => return answers::unsendable(batch.items.len(), &lacking),
        };
        let Some(token) = self.client.token() else {
            return answers::uniform(batch.items.len(), &Outcome::NotSent { why: "no token".to_owned() }, no_token());
        };
        match self.client.call(&token, call).await {
            Ok(response) => decode::write(batch, &response),
            Err(error) => answers::unanswered_write(batch.items.len(), error),
        }
    }

    async fn read(&self, batch: &ReadBatch) -> ReadAnswer {
        let Some(token) = self.client.token() else {
            return ReadAnswer { found: Err("no token".to_owned()), verdict: no_token() };
        };
        match self.client.call(&token, encode::read(&self.settings.api_version, batch)).await {
            Ok(response) => decode::read(batch, &response),
            Err(error) => answers::unanswered_read(&error),
        }
    }

    async fn look(&self, object: &str) -> LookAnswer {
        let Some(used) = self.settings.objects.get(object) else {
            return LookAnswer { look: Err(format!("{object} is not in use")), verdict: Verdict::default() };
        };
        let Some(token) = self.client.token() else {
            return LookAnswer { look: Err("no token".to_owned()), verdict: no_token() };
        };
        match self.client.call(&token, encode::properties(&self.settings.api_version, object)).await {
            Ok(response) if (200..300).contains(&response.status) => {
                let look = schema::look(object, used, &response).map_err(|error| error.to_string());
                LookAnswer { look, verdict: limits::verdict(&response) }
            }
            Ok(response) => errors::whole(&response).refusal.into_look_answer(limits::verdict(&response)),
            Err(error) => LookAnswer { look: Err(error.to_string()), verdict: Verdict::default() },
        }
    }
}
