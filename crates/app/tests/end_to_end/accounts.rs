//! `syncline run` with a configuration that a user would write for two real accounts; only the addresses are the sandbox's.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;

use super::{directory, syncline};

struct Accounts {
    child: Child,
    salesforce: String,
    hubspot: String,
}

impl Drop for Accounts {
    fn drop(&mut self) {
        // The test is over either way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn accounts() -> Accounts {
    use std::io::BufRead;
    let mut child = syncline().args(["sandbox", "--salesforce", "127.0.0.1:0", "--hubspot", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().expect("a sandbox");
    let mut lines = std::io::BufReader::new(child.stdout.take().expect("its output")).lines();
    let (mut salesforce, mut hubspot) = (None, None);
    while salesforce.is_none() || hubspot.is_none() {
        let line = lines.next().expect("a line").expect("text").to_lowercase();
        let address = line.split_whitespace().find(|word| word.starts_with("http://")).map(|word| word.trim_end_matches('/').to_owned());
        if address.is_some() && line.contains("salesforce") {
            salesforce = address;
        } else if address.is_some() && line.contains("hubspot") {
            hubspot = address;
        }
    }
    Accounts { child, salesforce: salesforce.expect("an address"), hubspot: hubspot.expect("an address") }
}

/// Malformed (3), unknown type (6), stale (5), repeated (8), moved (A2), deleted and recreated (A5), deleted (A6).
const LINES: &str = r#"{"record":"contacts","operation":"create","timestamp":"2024-01-15T10:00:00","item":{"id":"A1","name":"Alice Smith","email":"alice@example.com","phone":"+1-555-0001","contact":"lead"}}
{"record":"contacts","operation":"create","timestamp":"2024-01-15T10:00:00","item":{"id":"A2","name":"Bob Jones","email":"bob@example.com","phone":"+1-555-0002","contact":"customer"}}
{"record":"contacts","operation":"create"
{"record":"contacts","operation":"update","timestamp":"2024-01-15T12:00:00","item":{"id":"A1","email":"alice.smith@example.com"}}
{"record":"contacts","operation":"update","timestamp":"2024-01-15T11:00:00","item":{"id":"A1","email":"stale@example.com","phone":"+1-555-0009"}}
{"record":"contacts","operation":"create","timestamp":"2024-01-15T10:00:00","item":{"id":"A3","name":"Carol King","email":"carol@example.com","contact":"robot"}}
{"event_id":"e1","record":"contacts","operation":"create","timestamp":"2024-01-15T10:00:00","item":{"id":"A4","name":"Dan Poe","email":"dan@example.com","contact":"prospect"}}
{"event_id":"e1","record":"contacts","operation":"create","timestamp":"2024-01-15T10:00:00","item":{"id":"A4","name":"Dan Poe","email":"dan@example.com","contact":"prospect"}}
{"record":"contacts","operation":"update","timestamp":"2024-01-15T13:00:00","item":{"id":"A2","contact":"lead"}}
{"record":"contacts","operation":"create","timestamp":"2024-01-15T10:00:00","item":{"id":"A5","name":"Eve Moss","email":"eve@example.com","contact":"vendor"}}
{"record":"contacts","operation":"delete","timestamp":"2024-01-15T11:00:00","item":{"id":"A5"}}
{"record":"contacts","operation":"create","timestamp":"2024-01-15T12:00:00","item":{"id":"A5","name":"Eve Stone","email":"eve@example.com","contact":"vendor"}}
{"record":"contacts","operation":"create","timestamp":"2024-01-15T10:00:00","item":{"id":"A6","name":"Fay Lee","email":"fay@example.com","contact":"partner"}}
{"record":"contacts","operation":"delete","timestamp":"2024-01-15T11:00:00","item":{"id":"A6"}}
"#;

const SECRETS: [(&str, &str); 3] =
    [("SF_CLIENT_ID", "sandbox-client"), ("SF_SECRET", "sandbox-secret"), ("HUBSPOT_TOKEN", "pat-sandbox-1")];

fn configuration(directory: &Path, accounts: &Accounts) -> PathBuf {
    let contacts = directory.join("contacts.jsonl");
    std::fs::write(&contacts, LINES).expect("a file");
    let text = format!(
        "store: sqlite:{store}\n\
         systems:\n\
        \x20 internal: {{ kind: file, path: {contacts}, follow: false, order_by: timestamp }}\n\
        \x20 salesforce:\n\
        \x20   kind: salesforce\n\
        \x20   url: {salesforce}\n\
        \x20   auth: {{ client_credentials: {{ id: \"${{SF_CLIENT_ID}}\", secret: \"${{SF_SECRET}}\" }} }}\n\
        \x20 hubspot: {{ kind: hubspot, url: \"{hubspot}\", token: \"${{HUBSPOT_TOKEN}}\" }}\n\
         routing: default\n",
        store = directory.join("syncline.db").display(),
        contacts = contacts.display(),
        salesforce = accounts.salesforce,
        hubspot = accounts.hubspot,
    );
    let file = directory.join("syncline.yaml");
    std::fs::write(&file, text).expect("a configuration");
    file
}

fn run(arguments: &[&str], file: &Path) -> (bool, String, String) {
    let output = syncline().args(arguments).arg("-c").arg(file).envs(SECRETS).output().expect("a run");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_file_for_two_accounts_ends_right_and_names_each_refused_line() {
    let (data, accounts) = (directory(), accounts());
    let file = configuration(data.path(), &accounts);
    let (right, _, told) = run(&["run"], &file);
    assert!(right, "{told}");
    let (listed, letters, _) = run(&["dead-letters", "list"], &file);
    assert!(listed, "{letters}");
    for place in ["contacts.jsonl:3", "contacts.jsonl:6"] {
        assert!(told.contains(place), "{place} is not named: {told}");
        assert!(letters.contains(place), "{place} is not listed: {letters}");
    }
    let (balanced, ledger, why) = run(&["ledger", "--verify"], &file);
    assert!(balanced, "{ledger}{why}");
    let salesforce = state(&accounts.salesforce, "Syncline_Id__c", &["LastName", "Email", "Phone"]);
    assert_eq!(salesforce, [
        "A1 Smith alice.smith@example.com +1-555-0009",
        "A2 Jones bob@example.com +1-555-0002",
        "A4 Poe dan@example.com -",
    ]);
    assert_eq!(state(&accounts.hubspot, "syncline_id", &["lastname", "email"]), ["A5 Stone eve@example.com"]);
}

/// The live records of one CRM: key and some fields, sorted.
fn state(address: &str, key: &str, fields: &[&str]) -> Vec<String> {
    let body = get(address, "/_sandbox/state");
    let state: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
    let mut found = Vec::new();
    collect(&state, key, fields, &mut found);
    found.sort();
    found.dedup();
    found
}

fn collect(value: &Value, key: &str, fields: &[&str], found: &mut Vec<String>) {
    if let Some(record) = value.get("fields").filter(|record| record.get(key).is_some()) {
        if value["deleted"] != true {
            let text = |name: &str| record[name].as_str().unwrap_or("-").to_owned();
            let mut words = vec![text(key)];
            words.extend(fields.iter().map(|field| text(field)));
            found.push(words.join(" "));
        }
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, key, fields, found)),
        Value::Object(items) => items.values().for_each(|item| collect(item, key, fields, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn get(address: &str, path: &str) -> String {
    use std::io::{Read, Write};
    let host = address.trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(host).expect("the sandbox listens");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    if head.to_lowercase().contains("transfer-encoding: chunked") { unchunked(body) } else { body.to_owned() }
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).expect("a chunk's size");
        whole.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}
