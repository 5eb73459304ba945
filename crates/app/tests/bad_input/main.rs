//! One table of bad input with exact outcomes: each row is sent over a real socket, and every row that comes out otherwise is named.
//!
//! Promises: a row is data (`events.yaml`); a new subject is a new file of rows and a runner beside this one. Whatever the rows did,
//! the ledger balances afterwards and no letter was made, since every one of them had a caller.
//! Leaves to others: what is right about good input (`http`).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod crm;
#[path = "../http/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Deserialize;
use serde_json::Value;

use world::{Answer, World};

/// One row of `events.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    #[serde(default = "open")]
    on: String,
    #[serde(default = "post")]
    method: String,
    #[serde(default = "events")]
    path: String,
    #[serde(default = "json")]
    r#type: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    repeat_header: Option<usize>,
    raw: Option<String>,
    #[serde(default)]
    body: String,
    hex: Option<String>,
    hex_before: Option<String>,
    repeat: Option<Repeat>,
    #[serde(default)]
    chunked: bool,
    #[serde(default)]
    before: Vec<String>,
    status: u16,
    code: Option<String>,
    pointer: Option<String>,
    says: Option<String>,
    #[serde(default)]
    accepted: u64,
    #[serde(default)]
    duplicates: u64,
    #[serde(default)]
    refused: u64,
}

/// A body that is too long to be written down; `N` in the part is its number.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeat {
    before: String,
    part: String,
    after: String,
    times: usize,
}

fn open() -> String {
    "open".into()
}
fn post() -> String {
    "POST".into()
}
fn events() -> String {
    "/v1/events".into()
}
fn json() -> String {
    "application/json".into()
}

impl Row {
    fn filled(&self, number: usize, text: &str) -> String {
        let id = format!("row-{number}");
        let item = format!(r#"{{"id":"{id}","name":"Alice","contact":"lead"}}"#);
        let event = format!(r#"{{"record":"contacts","operation":"create","timestamp":"2024-01-15T10:30:00Z","item":{item}}}"#);
        let cloud = format!(r#""specversion":"1.0","id":"{id}","source":"/a","type":"com.example.contact.created","time":"2024-01-15T10:30:00Z""#);
        text.replace("EVENT", &event).replace("ITEM", &item).replace("CLOUD", &cloud).replace("ID", &id)
    }

    fn body(&self, number: usize) -> Vec<u8> {
        let mut body = self.hex_before.as_deref().map(bytes).unwrap_or_default();
        if let Some(hex) = &self.hex {
            body.extend(bytes(hex));
        } else if let Some(Repeat { before, part, after, times }) = &self.repeat {
            body.extend(self.filled(number, before).bytes());
            for one in 0..*times {
                body.extend(part.replace('N', &one.to_string()).bytes());
            }
            body.extend(after.bytes());
        } else {
            body.extend(self.filled(number, &self.body).bytes());
        }
        body
    }

    fn request(&self, number: usize, body: &[u8]) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.clone().into_bytes();
        }
        let mut head = format!("{} {} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n", self.method, self.path);
        if !self.r#type.is_empty() {
            write!(head, "content-type: {}\r\n", self.r#type).unwrap();
        }
        for (name, value) in &self.headers {
            write!(head, "{name}: {}\r\n", self.filled(number, value)).unwrap();
        }
        if let Some(times) = self.repeat_header {
            write!(head, "x-long: {}\r\n", "a".repeat(times)).unwrap();
        }
        if self.chunked {
            write!(head, "transfer-encoding: chunked\r\n\r\n{:x}\r\n", body.len()).unwrap();
            return [head.as_bytes(), body, b"\r\n0\r\n\r\n"].concat();
        }
        write!(head, "content-length: {}\r\n\r\n", body.len()).unwrap();
        [head.as_bytes(), body].concat()
    }

    /// What is not as the row says.
    fn judge(&self, answer: &Answer) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut check = |what: &str, found: String, wanted: String| {
            if found != wanted {
                wrong.push(format!("{what} is {found}, not {wanted}"));
            }
        };
        check("status", answer.status.to_string(), self.status.to_string());
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if let Some(code) = &self.code {
            check("code", text(&body["code"]), code.clone());
            check("content type", answer.header("content-type").unwrap_or_default().to_owned(), "application/problem+json".into());
            check("status in the body", body["status"].to_string(), self.status.to_string());
            check("a remedy", (!text(&body["remedy"]).is_empty()).to_string(), "true".into());
            check("request id", text(&body["request_id"]), answer.header("x-request-id").unwrap_or_default().to_owned());
        }
        if let Some(pointer) = &self.pointer {
            check("pointer", text(&body["errors"][0]["pointer"]), pointer.clone());
        }
        if let Some(says) = &self.says {
            check("detail", if text(&body["detail"]).contains(says) { says.clone() } else { text(&body["detail"]) }, says.clone());
        }
        if matches!(self.status, 429 | 503) {
            check("Retry-After", answer.header("retry-after").is_some().to_string(), "true".into());
        }
        if self.status == 202 {
            for (what, wanted) in [("accepted", self.accepted), ("duplicates", self.duplicates), ("refused", self.refused)] {
                check(what, body[what].to_string(), wanted.to_string());
            }
        }
        wrong
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect()
}

#[tokio::test]
async fn every_row_of_bad_events_is_answered_exactly() {
    let rows: Vec<Row> = serde_saphyr::from_str(include_str!("events.yaml")).unwrap();
    assert!(rows.len() >= 100, "{} rows", rows.len());
    // SHA-256 of "test".
    let tokens = "tokens: [{ name: t, sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 }]";
    let worlds = [
        ("open", World::start("").await),
        ("guarded", World::start(tokens).await),
        ("limited", World::start("limits: { rate: 1 }").await),
    ];
    let worlds = BTreeMap::from(worlds);
    let mut wrong = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let world = &worlds[row.on.as_str()];
        for before in &row.before {
            let body = row.filled(number, before).into_bytes();
            let answer = world.send(&row.request(number, &body)).await;
            assert_eq!(answer.status, 202, "{}: what is sent first is answered {}", row.name, answer.text());
        }
        let answer = world.send(&row.request(number, &row.body(number))).await;
        for fault in row.judge(&answer) {
            wrong.push(format!("{}: {fault}\n    {}", row.name, answer.text().chars().take(400).collect::<String>()));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
    for world in worlds.into_values() {
        let ledger = world.end().await;
        assert_eq!(ledger.imbalances(), vec![]);
        assert_eq!(ledger.waiting, 0);
    }
}
