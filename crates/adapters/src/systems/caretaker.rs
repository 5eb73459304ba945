//! Looking after an account before anything is synced: examining it, and creating what a configuration needs there.
//!
//! Promises: an examination writes nothing and goes on after a finding; a set-up is told before it is done, and creating what is
//! there already is no error.
//! Leaves to others: asking a person (`app::cli`), the wire (each system's `client`).

use async_trait::async_trait;
use syncline_engine::error::{Error, Result, policy};
use syncline_engine::ports::writer::Writer;

use super::findings::{Finding, Severity, Spot};
use crate::transport::Call;

/// What was seen of an account.
#[derive(Debug, Default)]
pub struct Examination {
    /// Its id, if it told.
    pub account: Option<String>,
    /// Its pools as it tells of them: name, limit, used.
    pub pools: Vec<(String, u64, u64)>,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl Examination {
    /// Notes a call that failed.
    pub fn failed(&mut self, spot: Spot, error: &Error) {
        let exit = policy(error.kind).exit;
        self.findings.push(Finding { severity: Severity::Stop, spot, found: error.to_string(), remedy: error.remedy().to_owned(), exit });
    }

    /// Notes a pool, and that little is left of it.
    pub fn pool(&mut self, name: &str, limit: u64, used: u64) {
        if used.saturating_mul(10) >= limit.saturating_mul(9) {
            let text = format!("{used} of the {limit} calls of the pool {name} are used");
            let remedy = "wait until the pool fills again, lower other users' share, or raise the account's limit";
            self.findings.push(Finding::new(Severity::Warning, Spot::Setting("quota"), text, remedy));
        }
        self.pools.push((name.to_owned(), limit, used));
    }
}

/// What stands in a step's body for the id that it looks up first.
pub(crate) const PLACE_OF_ID: &str = "$ID";

/// One thing that is to be created.
#[derive(Debug, Clone)]
pub struct Step {
    /// What will be created, for people.
    pub what: String,
    pub(crate) call: Call,
    /// Asks for the id of what it belongs to, which an earlier step may have made.
    pub(crate) looks_up: Option<Call>,
}

/// What an account lacks.
#[derive(Debug, Default)]
pub struct SetUp {
    /// What can be created.
    pub steps: Vec<Step>,
    /// What a person has to do.
    pub by_hand: Vec<String>,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// It is new.
    Created,
    /// It was there.
    WasThere,
}

/// A writer that can also look after its account.
#[async_trait]
pub trait Caretaker: Writer {
    /// Looks at everything that a person would want to know before the start.
    async fn examine(&self) -> Examination;

    /// What the account lacks.
    ///
    /// # Errors
    /// As `connect`, less `BoundaryRefused` for what is lacking.
    async fn lacks(&self) -> Result<SetUp>;

    /// Carries a step out.
    ///
    /// # Errors
    /// As `connect`.
    async fn create(&self, step: &Step) -> Result<Made>;
}
