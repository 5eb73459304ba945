//! The writer port for one Salesforce org.
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
use super::config::Settings;
use super::{decode, encode, errors, limits, schema};
use crate::systems::{answers, findings};
use crate::systems::means::Means;
use crate::systems::tokens::Token;
use crate::transport::{Call, HttpResponse};

/// Writes to one org.
pub struct SalesforceWriter {
    pub(super) client: Client,
    pub(super) settings: Settings,
    profile: Profile,
}

impl SalesforceWriter {
    /// A writer that has not talked to the org yet.
    ///
    /// # Errors
    /// `Config` if the settings contradict themselves.
    pub fn new(means: Means, settings: Settings) -> Result<Self> {
        if let Some(complaint) = settings.complaint() {
            return Err(Error::new(Kind::Config, format!("salesforce: {complaint}")));
        }
        let profile = settings.profile(settings.day_limit);
        Ok(Self { client: Client::new(means, &settings), settings, profile })
    }

    /// One call for which nothing but success will do.
    pub(super) async fn ask(&self, token: &Token<Grant>, doing: &str, call: Call) -> Result<HttpResponse> {
        let response = self.client.call(token, call).await.map_err(|error| answers::unanswered_call(doing, error))?;
        if (200..300).contains(&response.status) { Ok(response) } else { Err(errors::whole(&response).into_error(doing)) }
    }

    pub(super) async fn token(&self) -> Result<Arc<Token<Grant>>> {
        if self.needs_token() {
            self.client.renew().await?;
        }
        self.client.token().ok_or_else(|| Error::new(Kind::AuthRefused, "Salesforce refused a new token at once"))
    }

    pub(super) async fn check_version(&self, token: &Token<Grant>) -> Result<()> {
        let doing = "asking Salesforce for its API versions";
        let response = self.ask(token, doing, encode::versions()).await?;
        let served = decode::versions(&response).map_err(|why| answers::unreadable_call(doing, &why))?;
        let wanted = &self.settings.api_version;
        if served.contains(wanted) {
            return Ok(());
        }
        let newest = served.last().map_or("none", String::as_str);
        let refused = Error::new(Kind::BoundaryRefused, format!("{doing}: version {wanted} is not served"));
        Err(refused.with_remedy(format!("set api_version to one that the org serves; its newest is {newest}")))
    }

    /// The day's limit as the org tells it; its integration user may not be allowed to ask.
    async fn day_limit(&self, token: &Token<Grant>) -> Result<u64> {
        let call = encode::limits(&self.settings.api_version);
        let answer = self.client.call(token, call).await;
        let response = answer.map_err(|error| answers::unanswered_call("asking Salesforce for its limits", error))?;
        let header = limits::from_headers(&response).map(|report| report.limit);
        Ok(limits::from_resource(&response).or(header).unwrap_or(self.settings.day_limit))
    }
}

/// A write or read for which there is no good token.
fn no_token() -> Verdict {
    Verdict { unauthorised: true, ..Verdict::default() }
}

#[async_trait]
impl Writer for SalesforceWriter {
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
        self.settings.objects.len() + 2
    }

    async fn connect(&self) -> Result<Account> {
        let token = self.token().await?;
        self.check_version(&token).await?;
        let mut looks = BTreeMap::new();
        for (object, used) in &self.settings.objects {
            let call = encode::describe(&self.settings.api_version, object);
            let look = match self.ask(&token, &format!("looking at Salesforce's {object}"), call).await {
                Ok(response) => schema::look(object, used, &response)?,
                Err(error) => findings::absent(error)?,
            };
            looks.insert(object.clone(), look);
        }
        findings::admit("Salesforce", &looks)?;
        let day_limit = self.day_limit(&token).await?;
        Ok(Account { id: token.grant.org.clone(), profile: self.settings.profile(day_limit), looks })
    }

    async fn count(&self, object: &str) -> Result<u64> {
        let doing = format!("counting our records among Salesforce's {object}");
        let used =
            self.settings.objects.get(object).ok_or_else(|| Error::new(Kind::Internal, format!("{doing}: it is not in use")))?;
        let token = self.token().await?;
        let response = self.ask(&token, &doing, encode::count(&self.settings.api_version, object, &used.key_field)).await?;
        decode::count(&response).map_err(|why| answers::unreadable_call(&doing, &why))
    }

    async fn send(&self, batch: &Batch) -> Answer {
        let items = batch.items.len();
        let call = match encode::write(&self.settings.api_version, batch) {
            Ok(call) => call,
            Err(lacking) => return answers::unsendable(items, &lacking),
        };
        let Some(token) = self.client.token() else {
            return answers::uniform(items, &Outcome::NotSent { why: "no token".to_owned() }, no_token());
        };
        match self.client.call(&token, call).await {
            Ok(response) => decode::write(batch, &response),
            Err(error) => answers::unanswered_write(items, error),
        }
    }

    async fn read(&self, batch: &ReadBatch) -> ReadAnswer {
        let call = match encode::read(&self.settings.api_version, batch) {
            Ok(call) => call,
            Err(why) => return ReadAnswer { found: Err(why), verdict: Verdict::default() },
        };
        let Some(token) = self.client.token() else {
            return ReadAnswer { found: Err("no token".to_owned()), verdict: no_token() };
        };
        match self.client.call(&token, call).await {
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
        match self.client.call(&token, encode::describe(&self.settings.api_version, object)).await {
            Ok(response) if (200..300).contains(&response.status) => {
                let look = schema::look(object, used, &response).map_err(|error| error.to_string());
                LookAnswer { look, verdict: limits::verdict(&response) }
            }
            Ok(response) => errors::whole(&response).into_look_answer(limits::verdict(&response)),
            Err(error) => LookAnswer { look: Err(error.to_string()), verdict: Verdict::default() },
        }
    }
}
