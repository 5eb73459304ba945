//! The law of the state: whatever happened, a sandbox that is opened anew is the one that was closed.
//!
//! Promises: calls of both CRMs, edits by hand, merges and restarts come in any order; after each restart state, counters and the
//! answers to further calls are those of a sandbox that never stopped.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use serde_json::{Value, json};

use super::{Sandbox, SandboxConfig};
use crate::exchange::{Request, System};
use crate::salesforce::{DuplicateAction, DuplicateRule};

const START: i64 = 1_788_256_800_250;
const CONTACTS: &str = "/crm/v3/objects/contacts";
const DATA: &str = "/services/data/v62.0";
const FIRST: u64 = 88_012_345_601;

/// One thing that happens; numbers choose among a few records and values, so that steps meet.
#[derive(Debug, Clone)]
enum Step {
    HubSpot(u8, u8, u8),
    Salesforce(u8, u8, u8),
    ByHand(u8, u8),
    Wait(i64),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let number = || 0..6_u8;
    prop_oneof![
        6 => (0..14_u8, number(), number()).prop_map(|(call, one, two)| Step::HubSpot(call, one, two)),
        6 => (0..16_u8, number(), number()).prop_map(|(call, one, two)| Step::Salesforce(call, one, two)),
        1 => (number(), number()).prop_map(|(one, two)| Step::ByHand(one, two)),
        2 => (1..20_000_i64).prop_map(Step::Wait),
        2 => Just(Step::Restart),
    ]
}

fn config() -> SandboxConfig {
    let mut config = SandboxConfig::default();
    config.hubspot.search_lag_ms = 5_000;
    config.hubspot.quota_ten_seconds = 40;
    config.salesforce.page_rows_max = 1;
    config.salesforce.duplicate_rules = vec![DuplicateRule {
        object: "Contact".to_owned(),
        against: Vec::new(),
        fields: vec!["Title".to_owned(), "LastName".to_owned()],
        action: DuplicateAction::Alert,
        name: String::new(),
        message: "Use one of these records?".to_owned(),
    }];
    config
}

fn request(token: &str, method: &str, target: &str, body: &Value) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned()));
    let kind = if body.is_string() { "text/csv" } else { "application/json" };
    let headers = [("authorization", format!("Bearer {token}")), ("content-type", kind.to_owned())];
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.collect(),
        headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        body: match body {
            Value::Null => Vec::new(),
            Value::String(text) => text.clone().into_bytes(),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => body.to_string().into_bytes(),
        },
    }
}

fn hubspot_call(call: u8, one: u8, two: u8) -> Request {
    let id = FIRST + u64::from(one);
    let other = FIRST + u64::from(two);
    let key = format!("A-{one}");
    let properties = json!({"email": format!("p{one}@acme.example"), "city": format!("c{two}"), "syncline_id": key});
    let input = json!({"id": key, "idProperty": "syncline_id", "properties": properties});
    let (method, target, body) = match call {
        0 => ("POST", CONTACTS.to_owned(), json!({"properties": properties})),
        1 => ("PATCH", format!("{CONTACTS}/{id}"), json!({"properties": {"city": format!("c{two}"), "lifecyclestage": "customer"}})),
        2 => ("POST", format!("{CONTACTS}/batch/upsert"), json!({"inputs": [input, {"id": "A-9", "idProperty": "syncline_id", "properties": {"email": "x"}}]})),
        3 => ("POST", format!("{CONTACTS}/batch/upsert"), json!({"inputs": [input]})),
        4 => ("DELETE", format!("{CONTACTS}/{id}"), Value::Null),
        5 => ("POST", format!("{CONTACTS}/merge"), json!({"primaryObjectId": id.to_string(), "objectIdToMerge": other.to_string()})),
        6 => ("POST", format!("{CONTACTS}/gdpr-delete"), json!({"objectId": format!("p{one}@acme.example"), "idProperty": "email"})),
        7 => ("POST", "/crm/v3/objects/companies".to_owned(), json!({"properties": {"name": "Acme"}})),
        8 => ("PUT", format!("/crm/v4/objects/contacts/{id}/associations/default/companies/{other}"), Value::Null),
        9 => ("DELETE", format!("/crm/v3/objects/companies/{id}"), Value::Null),
        10 => ("POST", "/crm/v3/properties/contacts".to_owned(), json!({"name": format!("extra{one}"), "label": "x", "type": "string", "fieldType": "text", "groupName": "contactinformation", "hasUniqueValue": true})),
        11 => ("POST", format!("{CONTACTS}/search"), json!({"properties": ["city"]})),
        12 => ("GET", format!("{CONTACTS}/{id}?propertiesWithHistory=city"), Value::Null),
        _ => ("GET", format!("{CONTACTS}?associations=companies"), Value::Null),
    };
    request("pat-sandbox-1", method, &target, &body)
}

/// The id of one of the first jobs.
fn job(number: u8) -> String {
    format!("7505g000000000{}", number + 1)
}

fn salesforce_call(token: &str, call: u8, one: u8, two: u8, next: &str) -> Request {
    let key = format!("k-{one}");
    let record = json!({"attributes": {"type": "Contact"}, "Syncline_Id__c": key, "LastName": format!("l{two}"), "Title": format!("t{one}")});
    let by_key = format!("{DATA}/sobjects/Contact/Syncline_Id__c/{key}");
    let (method, target, body) = match call {
        0 => ("PATCH", by_key, json!({"LastName": format!("l{two}")})),
        1 => ("PATCH", format!("{DATA}/composite/sobjects/Contact/Syncline_Id__c"), json!({"allOrNone": true, "records": [record, {"attributes": {"type": "Contact"}, "Syncline_Id__c": "bad"}]})),
        2 => ("PATCH", format!("{DATA}/composite/sobjects/Contact/Syncline_Id__c"), json!({"records": [record]})),
        3 => ("DELETE", by_key, Value::Null),
        4 => ("GET", format!("{DATA}/query?q=SELECT Id, Account.Name FROM Contact"), Value::Null),
        5 => ("GET", next.to_owned(), Value::Null),
        6 => ("POST", format!("{DATA}/tooling/sobjects/CustomField"), json!({"FullName": format!("Lead.Extra{one}__c"), "Metadata": {"type": "Text", "label": "x", "length": 64}})),
        7 => ("POST", format!("{DATA}/sobjects/Account"), json!({"Name": format!("a{one}")})),
        8 => ("GET", format!("{DATA}/sobjects/Lead/describe"), Value::Null),
        9 => ("GET", "/services/oauth2/authorize?response_type=code&client_id=sandbox-client&redirect_uri=https://a.example/cb".to_owned(), Value::Null),
        10 => ("POST", format!("{DATA}/jobs/ingest"), json!({"object": "Contact", "operation": "upsert", "externalIdFieldName": "Syncline_Id__c"})),
        11 => ("PUT", format!("{DATA}/jobs/ingest/{}/batches", job(one)), Value::String(format!("Syncline_Id__c,LastName\n{key},bulk\nbad,\n"))),
        12 => ("PATCH", format!("{DATA}/jobs/ingest/{}", job(one)), json!({"state": "UploadComplete"})),
        13 => ("DELETE", format!("{DATA}/jobs/ingest/{}", job(one)), Value::Null),
        14 => ("GET", format!("{DATA}/queryAll?q=SELECT Id FROM Contact WHERE IsDeleted = true"), Value::Null),
        _ => ("GET", format!("{DATA}/limits"), Value::Null),
    };
    request(token, method, &target, &body)
}

/// The same sandbox twice: one that stops and opens again, and one that never does.
struct Pair {
    restarted: Sandbox,
    steady: Sandbox,
    directory: tempfile::TempDir,
    now: i64,
    token: String,
    next: String,
}

impl Pair {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (restarted, steady) = (Sandbox::open(config(), directory.path()).unwrap(), Sandbox::new(config()).unwrap());
        let mut pair = Self { restarted, steady, directory, now: START, token: String::new(), next: format!("{DATA}/query/01g5g0000000000AAA-1") };
        let mut login = request("", "POST", "/services/oauth2/token", &Value::Null);
        login.headers = BTreeMap::from([("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())]);
        login.body = b"grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret".to_vec();
        let body = pair.both(System::Salesforce, &login).unwrap();
        body["access_token"].as_str().unwrap().clone_into(&mut pair.token);
        pair
    }

    /// Sends a request to both and holds their answers against each other.
    fn both(&mut self, system: System, request: &Request) -> Result<Value, TestCaseError> {
        let (one, two) = (self.restarted.receive(system, request, self.now), self.steady.receive(system, request, self.now));
        prop_assert_eq!(&one, &two);
        Ok(serde_json::from_slice(&one.response.body).unwrap_or(Value::Null))
    }

    fn take(&mut self, step: &Step) -> TestCaseResult {
        match step {
            Step::HubSpot(call, one, two) => drop(self.both(System::HubSpot, &hubspot_call(*call, *one, *two))?),
            Step::Salesforce(call, one, two) => {
                let body = self.both(System::Salesforce, &salesforce_call(&self.token, *call, *one, *two, &self.next))?;
                if let Some(next) = body["nextRecordsUrl"].as_str() {
                    next.clone_into(&mut self.next);
                }
            }
            Step::ByHand(one, two) => {
                let id = (FIRST + u64::from(*one)).to_string();
                let fields = json!({"city": format!("h{two}")});
                let secure = json!({"object": "Contact", "field": "Title", "read": *one > 1, "edit": *two > 1}).to_string();
                for sandbox in [&mut self.restarted, &mut self.steady] {
                    sandbox.salesforce_command("security", secure.as_bytes(), self.now).unwrap().unwrap();
                    // What is impossible is so for both.
                    let _ = sandbox.edit(System::HubSpot, "contacts", Some(&id), fields.as_object(), self.now);
                    let _ = sandbox.bring_back(System::HubSpot, &id, self.now);
                }
            }
            Step::Wait(time) => self.now += time,
            Step::Restart => self.restarted = Sandbox::open(config(), self.directory.path()).unwrap(),
        }
        prop_assert_eq!(self.restarted.snapshot(), self.steady.snapshot());
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn state_after_a_restart_is_the_state_before(steps in proptest::collection::vec(step(), 1..60)) {
        let mut pair = Pair::new();
        for step in &steps {
            pair.take(step)?;
        }
        pair.take(&Step::Restart)?;
    }
}
