//! Exchanges with the emulated org, judged against the wire reference; test names cite its sections.
//!
//! Promises: times and ids are fixed, so bodies are compared whole.
//! Leaves to others: sockets and faults, which the sandbox around the emulator adds.

mod auth;
mod bulk;
mod collections;
mod collections_failing;
mod composite;
mod crm;
mod describe;
mod fields;
mod grants;
mod journal;
mod lifecycle;
mod quota;
mod replication;
mod rows;
mod rows_failing;
mod search;
mod shapes;
mod soql;
mod soql_more;
mod validation;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Salesforce, SalesforceConfig};
use crate::crm::Crm;
use crate::exchange::{Millis, Request, Response};

/// 2026-01-02T03:04:05Z.
const START: Millis = 1_767_323_045_000;
const FORM: &str = "application/x-www-form-urlencoded";

/// An org with a client that is logged in.
struct Bench {
    org: Salesforce,
    now: Millis,
    token: String,
}

impl Bench {
    fn new() -> Self {
        Self::with(SalesforceConfig::default())
    }

    fn with(config: SalesforceConfig) -> Self {
        let mut bench = Self { org: Salesforce::new(config), now: START, token: String::new() };
        bench.login();
        bench
    }

    fn login(&mut self) {
        let body = "grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret";
        let answer = self.org.handle(&request("POST", "/services/oauth2/token", Some((FORM, body))), self.now);
        self.token = body_of(&answer)["access_token"].as_str().unwrap().to_owned();
    }

    /// A request below the newest version's path, with the token.
    fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Request {
        let text = body.map(Value::to_string);
        let path = if path.starts_with("/services") || path.starts_with("/id/") { path.to_owned() } else { format!("/services/data/v67.0{path}") };
        let mut request = request(method, &path, text.as_deref().map(|text| ("application/json", text)));
        request.headers.insert("authorization".to_owned(), format!("Bearer {}", self.token));
        request
    }

    fn send(&mut self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let request = self.request(method, path, body);
        let answer = self.org.handle(&request, self.now);
        (answer.status, body_of(&answer))
    }

    fn get(&mut self, path: &str) -> (u16, Value) {
        self.send("GET", path, None)
    }

    fn post(&mut self, path: &str, body: &Value) -> (u16, Value) {
        self.send("POST", path, Some(body))
    }

    fn patch(&mut self, path: &str, body: &Value) -> (u16, Value) {
        self.send("PATCH", path, Some(body))
    }

    fn delete(&mut self, path: &str) -> (u16, Value) {
        self.send("DELETE", path, None)
    }

    fn query(&mut self, soql: &str) -> (u16, Value) {
        let mut request = self.request("GET", "/query", None);
        request.query.push(("q".to_owned(), soql.to_owned()));
        let answer = self.org.handle(&request, self.now);
        (answer.status, body_of(&answer))
    }

    /// Creates a Contact with that key and last name; answers its id.
    fn contact(&mut self, key: &str, last: &str) -> String {
        let (status, body) = self.post("/sobjects/Contact", &json!({ "Syncline_Id__c": key, "LastName": last }));
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }
}

fn request(method: &str, path: &str, body: Option<(&str, &str)>) -> Request {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let query = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut headers = BTreeMap::new();
    if let Some((content, _)) = body {
        headers.insert("content-type".to_owned(), content.to_owned());
    }
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.collect(),
        headers,
        body: body.map(|(_, text)| text.as_bytes().to_vec()).unwrap_or_default(),
    }
}

fn body_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or(Value::Null)
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn error(code: &str, message: &str) -> Value {
    json!([{ "errorCode": code, "message": message }])
}

fn row_error(code: &str, message: &str, fields: &[&str]) -> Value {
    json!([{ "errorCode": code, "message": message, "fields": fields }])
}
