//! Both emulated CRMs with the fault engine, the counters and the journal around them.
//!
//! Promises: `receive` is the one way in for a request; it takes the time as an argument and waits for nothing. What it
//! answers is in the journal first, if there is one. Whoever calls it carries out delays, resets and late requests.
//! Leaves to others: sockets and clocks (`crate::server`), the CRMs' own behaviour (`crate::hubspot`, `crate::salesforce`).

#[cfg(test)]
mod law_tests;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::crm::{Crm, StoredRecord};
use crate::exchange::{Millis, Request, Response, System};
use crate::faults::{End, Faults, Plan, ScriptError, names, operations};
use crate::hubspot::{HubSpot, HubSpotConfig};
use crate::journal::{Found, Journal, JournalError};
use crate::salesforce::{Salesforce, SalesforceConfig};
use crate::traffic::{Counters, LoggedRequest, RequestLog, Tally};

/// A journal longer than this is folded into a new state file.
const JOURNAL_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// The form of the state files; a change that older files do not fit gives it the next number.
const FORMAT: u64 = 2;

/// Everything that can be set on a sandbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxConfig {
    /// The Salesforce org.
    pub salesforce: SalesforceConfig,
    /// The HubSpot account.
    pub hubspot: HubSpotConfig,
    /// Fault script, YAML; empty for none.
    pub faults: String,
    /// How many of the last requests are listed.
    pub requests_max: usize,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self { salesforce: SalesforceConfig::default(), hubspot: HubSpotConfig::default(), faults: String::new(), requests_max: 1000 }
    }
}

/// A sandbox that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The fault script is wrong.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// The state directory cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Another version of the sandbox wrote the state in the directory.
    #[error("sandbox state {} has format {found}, and this version reads format {FORMAT} only", directory.display())]
    Format {
        /// Where it lies.
        directory: PathBuf,
        /// The format that the state names; version 0.1 named none, which counts as 1.
        found: u64,
    },
    /// The state in the directory is damaged.
    #[error("sandbox state {} cannot be restored: {reason}", directory.display())]
    State {
        /// Where it lies.
        directory: PathBuf,
        /// What cannot be read.
        reason: String,
    },
}

/// How much of a request was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// The whole request.
    All,
    /// Nothing of it.
    None,
    /// Only so many inputs, from the first on.
    First(usize),
    /// Nothing yet; see `Verdict::later`.
    Later,
}

/// What the caller is to make of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How much was applied.
    pub applied: Applied,
    /// The answer, to be sent only when `end` says so.
    pub response: Response,
    /// Wait so long before the end.
    pub delay_ms: u64,
    /// How the exchange ends.
    pub end: End,
    /// Hand this request to `apply_late` after so many milliseconds.
    pub later: Option<(u64, Request)>,
}

/// Both CRMs and what surrounds them.
#[derive(Debug)]
pub struct Sandbox {
    config: SandboxConfig,
    salesforce: Salesforce,
    hubspot: HubSpot,
    faults: Faults,
    counters: Counters,
    requests: RequestLog,
    journal: Option<Journal>,
    journal_failure: Option<String>,
}

/// One line of the journal.
#[derive(Serialize, Deserialize)]
struct Line {
    at: Millis,
    system: System,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tally: Option<Tally>,
    entries: Vec<Value>,
}

impl Sandbox {
    /// A fresh sandbox in memory.
    ///
    /// # Errors
    /// When the configuration's fault script is wrong.
    pub fn new(config: SandboxConfig) -> Result<Self, SandboxError> {
        Ok(Self {
            salesforce: Salesforce::new(config.salesforce.clone()),
            hubspot: HubSpot::new(config.hubspot.clone()),
            faults: Faults::parse(&config.faults)?,
            counters: Counters::default(),
            requests: RequestLog::new(config.requests_max),
            journal: None,
            journal_failure: None,
            config,
        })
    }

    /// The sandbox whose state lies in a directory, or a fresh one that keeps its state there.
    ///
    /// # Errors
    /// When the fault script, the directory or what it holds is wrong.
    pub fn open(config: SandboxConfig, directory: &Path) -> Result<Self, SandboxError> {
        let mut sandbox = Self::new(config)?;
        let found = Found::read(directory)?;
        if let Some(state) = &found.state {
            let format = state["format"].as_u64().unwrap_or(1);
            if format != FORMAT {
                return Err(SandboxError::Format { directory: directory.to_owned(), found: format });
            }
            sandbox.restore(state).map_err(|reason| SandboxError::State { directory: directory.to_owned(), reason })?;
        }
        found.each_line(directory, |line| sandbox.replay(line))?;
        sandbox.journal = Some(found.begin(directory, &sandbox.snapshot())?);
        Ok(sandbox)
    }

    /// Takes a request in and says what becomes of it.
    pub fn receive(&mut self, system: System, request: &Request, now: Millis) -> Verdict {
        let (crm, faults) = match system {
            System::Salesforce => (&self.salesforce as &dyn Crm, &mut self.faults),
            System::HubSpot => (&self.hubspot as &dyn Crm, &mut self.faults),
        };
        let operation = crm.operation(request);
        debug_assert!(operations(system).contains(&operation), "{system} names an operation that scripts cannot: {operation}");
        let items = crm.input_count(request);
        let plan = faults.plan(system, operation, || crm.inputs(request));
        if plan.act.expire_tokens {
            match system {
                System::Salesforce => self.salesforce.expire_tokens(),
                System::HubSpot => self.hubspot.expire_tokens(now),
            }
        }
        let mut verdict = self.carry_out(system, request, items, &plan, now);
        let runs_ms = verdict.delay_ms.max(verdict.later.as_ref().map_or(0, |(late_ms, _)| *late_ms));
        if system == System::Salesforce && runs_ms > 0 {
            self.salesforce.note_running(now, now.saturating_add_unsigned(runs_ms));
        }
        let tally = Tally {
            system,
            operation: operation.to_owned(),
            items,
            status: (verdict.end == End::Answer).then_some(verdict.response.status),
            over_limit: says_limit(&verdict.response),
            faulted: !plan.fired.is_empty(),
        };
        self.counters.add(&tally);
        self.requests.push(LoggedRequest {
            at: now,
            system,
            operation: operation.to_owned(),
            method: request.method.clone(),
            path: request.path.clone(),
            status: tally.status,
            inputs: items,
            faults: plan.fired,
        });
        if !self.write_line(system, Some(tally), now) {
            // What is not in the journal is not confirmed: the caller gets no answer.
            verdict.end = End::Reset;
        }
        verdict
    }

    /// Applies a request whose time has come; nobody gets its answer.
    pub fn apply_late(&mut self, system: System, request: &Request, now: Millis) -> Response {
        let response = self.crm(system).handle(request, now);
        self.write_line(system, None, now);
        response
    }

    fn carry_out(&mut self, system: System, request: &Request, items: usize, plan: &Plan, now: Millis) -> Verdict {
        let act = &plan.act;
        let delay_ms = act.delay_ms.unwrap_or(0);
        if let Some(late_ms) = act.late_ms {
            let response = self.crm(system).fault_response(504, None, now);
            let end = act.then.filter(|end| *end != End::Answer).unwrap_or(End::Hang);
            return Verdict { applied: Applied::Later, response, delay_ms, end, later: Some((late_ms, request.clone())) };
        }
        let crm = self.crm(system);
        let (applied, real) = apply(crm, request, items, plan, now);
        let body = act.body.as_ref().map(|body| body.value.as_str());
        let mut response = match (act.status, real) {
            (None, Some(response)) => response,
            (status, _) => crm.fault_response(status.unwrap_or(503), body, now),
        };
        if let Some(body) = body.filter(|body| names::is_raw(body)) {
            response.body = body.as_bytes().to_vec();
        }
        for (name, value) in &act.headers {
            response.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            response.headers.push((name.clone(), value.clone()));
        }
        Verdict { applied, response, delay_ms, end: act.then.unwrap_or(End::Answer), later: None }
    }

    fn crm(&mut self, system: System) -> &mut dyn Crm {
        match system {
            System::Salesforce => &mut self.salesforce,
            System::HubSpot => &mut self.hubspot,
        }
    }

    /// Creates, changes or deletes a record as a person in the CRM's own pages would; `fields` None deletes.
    ///
    /// # Errors
    /// A text that says why the edit is impossible.
    pub fn edit(
        &mut self,
        system: System,
        object: &str,
        id: Option<&str>,
        fields: Option<&Map<String, Value>>,
        now: Millis,
    ) -> Result<String, String> {
        let edited = self.crm(system).edit(object, id, fields, now);
        self.write_line(system, None, now);
        edited
    }

    /// Makes one record out of two as a person in the CRM's own pages would; answers the survivor's id.
    ///
    /// # Errors
    /// A text that says why that is impossible.
    pub fn merge(&mut self, system: System, primary: &str, other: &str, now: Millis) -> Result<String, String> {
        let merged = self.crm(system).merge(primary, other, now);
        self.write_line(system, None, now);
        merged
    }

    /// Brings a deleted record back as a person in the CRM's own pages would.
    ///
    /// # Errors
    /// A text that says why that is impossible.
    pub fn bring_back(&mut self, system: System, id: &str, now: Millis) -> Result<(), String> {
        let back = self.crm(system).bring_back(id, now);
        self.write_line(system, None, now);
        back
    }

    /// Every record of one CRM, live and deleted.
    #[must_use]
    pub fn records(&self, system: System) -> Vec<StoredRecord> {
        match system {
            System::Salesforce => self.salesforce.records(),
            System::HubSpot => self.hubspot.records(),
        }
    }

    /// External keys and record ids that each input of a write names, in input order.
    #[must_use]
    pub fn inputs(&self, system: System, request: &Request) -> Vec<Vec<String>> {
        match system {
            System::Salesforce => self.salesforce.inputs(request),
            System::HubSpot => self.hubspot.inputs(request),
        }
    }

    /// Totals since the sandbox exists or was reset.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The last requests, oldest first.
    #[must_use]
    pub fn requests(&self) -> &RequestLog {
        &self.requests
    }

    /// The fault script in force.
    #[must_use]
    pub fn fault_script(&self) -> &str {
        self.faults.script()
    }

    /// Puts another fault script in force; its counting starts anew.
    ///
    /// # Errors
    /// The place and the reason when the text is no script; the old one stays.
    pub fn set_faults(&mut self, script: &str) -> Result<(), ScriptError> {
        self.faults = Faults::parse(script)?;
        Ok(())
    }

    /// Where Salesforce's token answers send clients.
    pub fn set_salesforce_url(&mut self, url: &str) {
        url.clone_into(&mut self.config.salesforce.instance_url);
        self.salesforce.set_instance_url(url);
    }

    /// Carries out what a person does in Salesforce's pages (`merge`, `convert`, `undelete`, `erase`, `security`); None if there is no such command.
    pub fn salesforce_command(&mut self, name: &str, body: &[u8], now: Millis) -> Option<Result<Value, String>> {
        let done = self.salesforce.command(name, body, now);
        self.write_line(System::Salesforce, None, now);
        done
    }

    /// The certificate or RSA public key, PEM, that signed assertions are checked against from now on.
    pub fn set_salesforce_certificate(&mut self, pem: &str) {
        pem.clone_into(&mut self.config.salesforce.jwt_certificate);
        self.salesforce.set_jwt_certificate(pem);
    }

    /// Forgets all records, tokens, quotas, counters and requests; the fault script in force starts anew.
    ///
    /// # Errors
    /// When the journal cannot be begun anew.
    pub fn reset(&mut self) -> Result<(), SandboxError> {
        let script = std::mem::take(&mut self.faults).script().to_owned();
        let journal = self.journal.take();
        *self = Self { journal, faults: Faults::parse(&script)?, ..Self::new(self.config.clone())? };
        self.compact()
    }

    /// Why the journal could not be written, if that ever happened.
    #[must_use]
    pub fn journal_failure(&self) -> Option<&str> {
        self.journal_failure.as_deref()
    }

    fn write_line(&mut self, system: System, tally: Option<Tally>, now: Millis) -> bool {
        if self.journal.is_none() {
            self.crm(system).forget_journal();
            return true;
        }
        let entries = self.crm(system).drain_journal();
        let Some(journal) = &mut self.journal else { return true };
        let written = journal.append(&Line { at: now, system, tally, entries });
        let is_long = journal.bytes() > JOURNAL_BYTES_MAX;
        let written = written.map_err(|error| error.to_string());
        let kept = written.and_then(|()| if is_long { self.compact().map_err(|error| error.to_string()) } else { Ok(()) });
        match kept {
            Ok(()) => true,
            Err(reason) => {
                self.journal_failure = Some(reason);
                false
            }
        }
    }

    fn compact(&mut self) -> Result<(), SandboxError> {
        let state = self.journal.is_some().then(|| self.snapshot());
        if let (Some(journal), Some(state)) = (&mut self.journal, state) {
            journal.compact(&state)?;
        }
        Ok(())
    }

    fn snapshot(&self) -> Value {
        json!({"format": FORMAT, "counters": self.counters, "salesforce": self.salesforce.snapshot(), "hubspot": self.hubspot.snapshot()})
    }

    fn restore(&mut self, state: &Value) -> Result<(), String> {
        let counters = Counters::deserialize(&state["counters"]).map_err(|error| format!("counters: {error}"))?;
        self.salesforce.restore(&state["salesforce"])?;
        self.hubspot.restore(&state["hubspot"])?;
        self.counters = counters;
        Ok(())
    }

    fn replay(&mut self, line: &[u8]) -> Result<(), String> {
        let line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        for entry in &line.entries {
            self.crm(line.system).replay(entry)?;
        }
        if let Some(tally) = &line.tally {
            self.counters.add(tally);
        }
        Ok(())
    }
}

/// Applies what the plan lets through; the second part is the CRM's own answer, None when nothing was applied.
fn apply(crm: &mut dyn Crm, request: &Request, items: usize, plan: &Plan, now: Millis) -> (Applied, Option<Response>) {
    match plan.applied(items) {
        None if plan.invalid.is_empty() => (Applied::All, Some(crm.handle(request, now))),
        None => (Applied::All, Some(crm.handle_with_invalid(request, &plan.invalid, now))),
        Some(0) => (Applied::None, None),
        Some(count) => match crm.subset(request, &|index| index < count) {
            None => (Applied::None, None),
            Some(part) => {
                let invalid: Vec<_> = plan.invalid.iter().filter(|refused| refused.index < count).cloned().collect();
                (Applied::First(count), Some(crm.handle_with_invalid(&part, &invalid, now)))
            }
        },
    }
}

/// Whether an answer says that a quota is spent.
fn says_limit(response: &Response) -> bool {
    let names_limit = || response.body.windows(22).any(|text| text == b"REQUEST_LIMIT_EXCEEDED");
    response.status == 429 || (response.status == 403 && names_limit())
}
