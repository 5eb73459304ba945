//! What every emulated CRM offers to the sandbox around it.
//!
//! Promises: `handle` is the only way in; it is synchronous, takes the time as an argument and draws no randomness,
//! so one sequence of requests gives one state. Leaves to others: when a request is applied at all (`faults`).

use serde_json::Value;

use crate::exchange::{Millis, Request, Response};

/// One emulated CRM account.
pub trait Crm: Send {
    /// `salesforce` or `hubspot`: the name in fault scripts, state files and control paths.
    fn name(&self) -> &'static str;

    /// Applies the request and answers it; quota is counted here, on arrival.
    fn handle(&mut self, request: &Request, now: Millis) -> Response;

    /// The operation's name in fault scripts (`token`, `create`, `update`, `upsert`, `delete`, `read`, `query`, …).
    fn operation(&self, request: &Request) -> &'static str;

    /// External keys (`Syncline_Id__c` / `syncline_id` values) and record ids that each input of a write names, in input order.
    fn inputs(&self, request: &Request) -> Vec<Vec<String>>;

    /// How many inputs the request carries: 1 for a single-record write, 0 for what is no write. Cheaper than `inputs` where that parses much.
    fn input_count(&self, request: &Request) -> usize {
        self.inputs(request).len()
    }

    /// A copy of the request that holds only the inputs for which `keep` is true (for half-applied batches); None if it has no inputs.
    fn subset(&self, request: &Request, keep: &dyn Fn(usize) -> bool) -> Option<Request>;

    /// The answer of this CRM for a fault: a status with the vendor's own body and headers (`503`, `429`, `401`, …) or a named body.
    fn fault_response(&mut self, status: u16, body: Option<&str>, now: Millis) -> Response;

    /// Makes the listed inputs (index, field, message) fail validation in the vendor's own shape while the others are applied.
    fn handle_with_invalid(&mut self, request: &Request, invalid: &[InvalidInput], now: Millis) -> Response;

    /// Whole state as JSON (records, schema, tokens, quota windows), enough to `restore` from.
    fn snapshot(&self) -> Value;

    /// Replaces the state by an earlier `snapshot`.
    ///
    /// # Errors
    /// A text that says what in the value cannot be read.
    fn restore(&mut self, state: &Value) -> Result<(), String>;

    /// What changed since the last call, as JSON entries for the journal; `replay` of them in order restores the state.
    fn drain_journal(&mut self) -> Vec<Value>;

    /// Drops what `drain_journal` would answer, for a sandbox that keeps no journal.
    fn forget_journal(&mut self) {
        drop(self.drain_journal());
    }

    /// Applies one journal entry of `drain_journal`.
    ///
    /// # Errors
    /// A text that says what in the entry cannot be read.
    fn replay(&mut self, entry: &Value) -> Result<(), String>;

    /// Creates or changes a record as a person in the CRM's own pages would (not counted, no token needed), or deletes it when
    /// `fields` is None. `id` None creates. Answers the record's id.
    ///
    /// # Errors
    /// A text that says why the edit is impossible.
    fn edit(&mut self, object: &str, id: Option<&str>, fields: Option<&serde_json::Map<String, Value>>, now: Millis) -> Result<String, String>;

    /// Makes one record out of two as a person in the CRM's own pages would; answers the survivor's id.
    ///
    /// # Errors
    /// A text that says why that is impossible.
    fn merge(&mut self, primary: &str, other: &str, now: Millis) -> Result<String, String> {
        let _ = (primary, other, now);
        Err(format!("{} merges through its interface only", self.name()))
    }

    /// Brings a deleted record back as a person in the CRM's own pages would.
    ///
    /// # Errors
    /// A text that says why that is impossible.
    fn bring_back(&mut self, id: &str, now: Millis) -> Result<(), String> {
        let _ = (id, now);
        Err(format!("{} brings records back through its interface only", self.name()))
    }

    /// Every record, live and deleted, with the CRM's own field names, for tests and for the oracle.
    fn records(&self) -> Vec<StoredRecord>;
}

/// One input that a fault rule wants refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidInput {
    /// Position in the request's inputs.
    pub index: usize,
    /// The field to blame, in the CRM's spelling.
    pub field: String,
    /// The message, where the vendor's shape has room for one.
    pub message: String,
    /// One of the CRM's own codes for such a failure; the usual one when absent.
    pub code: Option<String>,
}

/// One record as a CRM holds it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct StoredRecord {
    /// `Lead`, `Contact` or `contacts`.
    pub object: String,
    /// The CRM's id.
    pub id: String,
    /// Values by the CRM's field name; an unset field is absent.
    pub fields: std::collections::BTreeMap<String, String>,
    /// In the recycle bin or archived.
    pub deleted: bool,
    /// How often it was written, creation included.
    pub writes: u32,
}
