//! The control paths under `/_sandbox/`: look at what the sandbox holds, and steer it.
//!
//! Promises: never counted against a quota, never touched by fault rules, no token needed; bodies are JSON, scripts are text.
//! Leaves to others: everything that the CRMs themselves serve (`super`).

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::exchange::{Millis, Request, Response, System};
use crate::sandbox::Sandbox;

/// The prefix of all control paths.
pub(super) const PREFIX: &str = "/_sandbox/";

/// The body of an edit; `fields` null deletes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    system: System,
    object: String,
    #[serde(default)]
    id: Option<String>,
    fields: Option<Map<String, Value>>,
}

/// The body of a merge.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Merge {
    system: System,
    primary: String,
    other: String,
}

/// The body of a restore.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Restore {
    system: System,
    id: String,
}

fn merge(sandbox: &mut Sandbox, body: &[u8], now: Millis) -> Response {
    match serde_json::from_slice::<Merge>(body) {
        Ok(merge) => match sandbox.merge(merge.system, &merge.primary, &merge.other, now) {
            Ok(id) => json_response(200, &json!({"id": id})),
            Err(reason) => problem(422, &reason),
        },
        Err(error) => problem(400, &error.to_string()),
    }
}

fn restore(sandbox: &mut Sandbox, body: &[u8], now: Millis) -> Response {
    match serde_json::from_slice::<Restore>(body) {
        Ok(restore) => match sandbox.bring_back(restore.system, &restore.id, now) {
            Ok(()) => json_response(200, &json!({"id": restore.id})),
            Err(reason) => problem(422, &reason),
        },
        Err(error) => problem(400, &error.to_string()),
    }
}

/// Answers one control request.
pub(super) fn answer(sandbox: &mut Sandbox, request: &Request, now: Millis) -> Response {
    let name = request.path.strip_prefix(PREFIX).unwrap_or_default();
    match (request.method.as_str(), name) {
        ("GET", "state") => state(sandbox, request.query_value("system")),
        ("GET", "requests") => json_response(200, &json!({"requests": sandbox.requests().iter().collect::<Vec<_>>()})),
        ("GET", "counters") => json_response(200, &json!(sandbox.counters())),
        ("POST", "reset") => match sandbox.reset() {
            Ok(()) => empty(),
            Err(error) => problem(500, &error.to_string()),
        },
        ("POST", "merge") => merge(sandbox, &request.body, now),
        ("POST", "restore") => restore(sandbox, &request.body, now),
        ("POST", "edit") => edit(sandbox, &request.body, now),
        ("GET", "faults") => text(sandbox.fault_script()),
        ("PUT", "faults") => set_faults(sandbox, &String::from_utf8_lossy(&request.body)),
        ("DELETE", "faults") => set_faults(sandbox, ""),
        ("PUT", "certificate") => {
            sandbox.set_salesforce_certificate(&String::from_utf8_lossy(&request.body));
            empty()
        }
        (_, "state" | "requests" | "counters" | "reset" | "edit" | "merge" | "restore" | "faults" | "certificate") => problem(405, "wrong method for this path"),
        ("POST", name) if name.starts_with("salesforce/") => {
            match sandbox.salesforce_command(name.trim_start_matches("salesforce/"), &request.body, now) {
                Some(Ok(done)) => json_response(200, &done),
                Some(Err(reason)) => problem(422, &reason),
                None => problem(404, "no such command"),
            }
        }
        _ => problem(404, "no such control path"),
    }
}

fn state(sandbox: &Sandbox, only: Option<&str>) -> Response {
    let mut all = Map::new();
    for system in [System::Salesforce, System::HubSpot] {
        if only.is_none_or(|only| only == system.name()) {
            all.insert(system.name().to_owned(), json!(sandbox.records(system)));
        }
    }
    json_response(200, &Value::Object(all))
}

fn edit(sandbox: &mut Sandbox, body: &[u8], now: Millis) -> Response {
    let edit: Edit = match serde_json::from_slice(body) {
        Ok(edit) => edit,
        Err(error) => return problem(400, &error.to_string()),
    };
    match sandbox.edit(edit.system, &edit.object, edit.id.as_deref(), edit.fields.as_ref(), now) {
        Ok(id) => json_response(200, &json!({"id": id})),
        Err(reason) => problem(422, &reason),
    }
}

fn set_faults(sandbox: &mut Sandbox, script: &str) -> Response {
    match sandbox.set_faults(script) {
        Ok(()) => empty(),
        Err(error) => problem(400, &error.to_string()),
    }
}

/// A refusal with its reason.
pub(super) fn problem(status: u16, reason: &str) -> Response {
    json_response(status, &json!({"error": reason}))
}

fn json_response(status: u16, body: &Value) -> Response {
    Response {
        status,
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: body.to_string().into_bytes(),
    }
}

fn text(body: &str) -> Response {
    let headers = vec![("Content-Type".to_owned(), "application/yaml".to_owned())];
    Response { status: 200, headers, body: body.as_bytes().to_vec() }
}

fn empty() -> Response {
    Response { status: 204, headers: Vec::new(), body: Vec::new() }
}
