//! Made-up events to an address over HTTP, as any caller would send them.
//!
//! Promises: events go in order and one batch at a time; a 429 or 503 is waited out as its Retry-After says, so nothing is sent twice
//! nor skipped; what is refused is counted and told. Leaves to others: what the events are (`generate`), taking them (`crate::api`).

use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, StatusCode, Url};
use serde::Serialize;

use super::console::{Failure, say};
use crate::config::process_env;
use crate::control::Refusal;

/// Where the token stands if no file is named.
const TOKEN: &str = "SYNCLINE_TOKEN";
/// The longest wait that an answer may ask for.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// The first wait where an answer names none; it doubles.
const WAIT: Duration = Duration::from_secs(1);
/// Waits in a row before it is given up.
const WAITS_MAX: u32 = 10;

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, serde::Deserialize)]
#[serde(default)]
pub(super) struct Counts {
    pub(super) accepted: u64,
    pub(super) duplicates: u64,
    pub(super) refused: u64,
}

/// Events on their way to an address.
pub(super) struct Posting {
    client: Client,
    url: Url,
    token: Option<String>,
    /// Requests of this command bear keys that begin so.
    run: String,
    requests: u64,
    pub(super) counts: Counts,
}

impl Posting {
    /// Reads the token; nobody is asked yet.
    pub(super) fn open(url: &Url, token_file: Option<&PathBuf>) -> Result<Self, Failure> {
        let token = match token_file {
            None => process_env(TOKEN),
            Some(file) => Some(std::fs::read_to_string(file).map_err(|error| {
                Refusal::new(format!("{} cannot be read", file.display()), "name a file that this user may read", 66).caused_by(&error)
            })?),
        };
        let no_client = |error: reqwest::Error| Refusal::new("no HTTP client", "report this", 70).caused_by(&error);
        let builder = Client::builder().redirect(reqwest::redirect::Policy::none()).connect_timeout(Duration::from_secs(10)).timeout(Duration::from_secs(60));
        let mut bytes = [0; 12];
        getrandom::fill(&mut bytes).map_err(|_| Failure::new("the machine gives no randomness", "report this", 70))?;
        Ok(Self {
            client: builder.build().map_err(no_client)?,
            url: url.clone(),
            token: token.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty()),
            run: bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            requests: 0,
            counts: Counts::default(),
        })
    }

    /// Sends one batch and waits until it is taken.
    pub(super) async fn post(&mut self, events: &[String]) -> Result<(), Failure> {
        self.requests += 1;
        let mut wait = WAIT;
        for _ in 0..WAITS_MAX {
            let mut request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/x-ndjson");
            request = request.header("Idempotency-Key", format!("{}-{}", self.run, self.requests)).body(events.join("\n"));
            if let Some(token) = &self.token {
                request = request.bearer_auth(token);
            }
            let answer = request.send().await.map_err(|error| self.lost(&error.without_url()))?;
            let status = answer.status();
            if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE {
                let asked = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
                let pause = asked.map_or(wait, Duration::from_secs).min(WAIT_MAX);
                say(&format!("{status}: waits {} s", pause.as_secs()));
                crate::run::pause(pause).await;
                wait = (wait * 2).min(WAIT_MAX);
                continue;
            }
            let text = answer.text().await.map_err(|error| self.lost(&error.without_url()))?;
            return self.count(status, &text, events.len());
        }
        Err(Failure::new(format!("{} takes no events; {}", self.url, self.told()), "see why the process is busy, and go on later", 75))
    }

    fn count(&mut self, status: StatusCode, text: &str, events: usize) -> Result<(), Failure> {
        if status.is_success() {
            let counts: Counts = serde_json::from_str(text).map_err(|error| self.lost(&error))?;
            self.counts.accepted += counts.accepted;
            self.counts.duplicates += counts.duplicates;
            self.counts.refused += counts.refused;
            return Ok(());
        }
        let problem: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        if status == StatusCode::BAD_REQUEST && problem.get("errors").is_some() {
            self.counts.refused += u64::try_from(events).unwrap_or(u64::MAX);
            return Ok(());
        }
        let said = |name: &str| problem.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
        let message = format!("{} answers {status} ({}); {}", self.url, said("code").unwrap_or_default(), self.told());
        let (remedy, exit) = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => (format!("put a token that is in force into {TOKEN}, or name a file with --token-file"), 77),
            _ if status.is_server_error() => ("go on once the process is well again".to_owned(), 69),
            _ => ("see that the address ends in /v1/events".to_owned(), 65),
        };
        Err(Failure::new(message, said("remedy").unwrap_or(remedy), exit))
    }

    fn lost(&self, error: &dyn std::error::Error) -> Failure {
        let remedy = "see that a process listens there (`api.listen` of its configuration)";
        Refusal::new(format!("{} gave no answer; {}", self.url, self.told()), remedy, 69).caused_by(error).into()
    }

    /// What has been answered so far, in words.
    pub(super) fn told(&self) -> String {
        let Counts { accepted, duplicates, refused } = self.counts;
        format!("{accepted} accepted, {duplicates} duplicates, {refused} refused")
    }
}
