//! Golden exchanges: requests against a fresh account, answers compared text by text with HubSpot's recorded shapes.
//!
//! Test names begin with the part of HubSpot's interface that they pin down: `contacts`, `batch`, `search`, `properties`,
//! `limits`, `account`, `oauth`, `merge`, `links`, `owners`. Times and ids are arguments, so every answer is stable.

mod batch;
mod contacts;
mod limits;
mod links;
mod oauth;
mod properties;
mod search;
mod shapes;
mod state;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{HubSpot, HubSpotConfig};
use crate::crm::Crm;
use crate::exchange::{Millis, Request, Response};

/// 2026-09-01T10:00:00.250Z
const START: Millis = 1_788_256_800_250;
const CONTACTS: &str = "/crm/v3/objects/contacts";

/// An account and its clock, which stands still unless moved.
struct Stage {
    hubspot: HubSpot,
    now: Millis,
}

impl Stage {
    fn new() -> Self {
        Self::with(HubSpotConfig::default())
    }

    fn with(config: HubSpotConfig) -> Self {
        Self { hubspot: HubSpot::new(config), now: START }
    }

    fn send(&mut self, method: &str, target: &str, body: &Value) -> Response {
        let request = request(method, target, body);
        self.hubspot.handle(&request, self.now)
    }

    /// Status and body; the correlation id is checked against the header and shown as `…`.
    fn text(&mut self, method: &str, target: &str, body: &Value) -> (u16, String) {
        shown(&self.send(method, target, body))
    }

    fn json(&mut self, method: &str, target: &str, body: &Value) -> (u16, Value) {
        let (status, text) = self.text(method, target, body);
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Makes a contact and answers its id.
    fn contact(&mut self, properties: &Value) -> String {
        let (status, body) = self.json("POST", CONTACTS, &json!({"properties": properties}));
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    fn live(&self) -> usize {
        self.hubspot.records().iter().filter(|record| !record.deleted).count()
    }
}

fn request(method: &str, target: &str, body: &Value) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = query.split('&').filter_map(|pair| pair.split_once('='));
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        headers: BTreeMap::from([("authorization".to_owned(), "Bearer pat-sandbox-1".to_owned())]),
        body: if body.is_null() { Vec::new() } else { body.to_string().into_bytes() },
    }
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn shown(response: &Response) -> (u16, String) {
    let id = header(response, "x-hubspot-correlation-id").unwrap();
    if !response.body.is_empty() {
        assert_eq!(header(response, "Content-Type"), Some("application/json;charset=utf-8"));
    }
    (response.status, String::from_utf8(response.body.clone()).unwrap().replace(id, "…"))
}
