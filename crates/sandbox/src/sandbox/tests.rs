//! Verdicts under fault scripts, counters, and state that outlives the process.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{Applied, Sandbox, SandboxConfig, Verdict};
use crate::exchange::{Request, System};
use crate::faults::End;

const START: i64 = 1_788_256_800_250;

fn sandbox(faults: &str) -> Sandbox {
    Sandbox::new(SandboxConfig { faults: faults.to_owned(), ..SandboxConfig::default() }).unwrap()
}

fn request(method: &str, path: &str, body: &Value) -> Request {
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: Vec::new(),
        headers: BTreeMap::from([("authorization".to_owned(), "Bearer pat-sandbox-1".to_owned())]),
        body: body.to_string().into_bytes(),
    }
}

fn upsert(keys: std::ops::Range<usize>) -> Request {
    let inputs: Vec<Value> = keys
        .map(|key| {
            let id = format!("A-{key}");
            json!({"id": id, "idProperty": "syncline_id", "properties": {"syncline_id": id, "firstname": "Ada"}, "objectWriteTraceId": id})
        })
        .collect();
    request("POST", "/crm/v3/objects/contacts/batch/upsert", &json!({"inputs": inputs}))
}

fn hubspot(sandbox: &mut Sandbox, request: &Request) -> Verdict {
    sandbox.receive(System::HubSpot, request, START)
}

fn keys(sandbox: &Sandbox) -> Vec<String> {
    sandbox.records(System::HubSpot).into_iter().filter_map(|record| record.fields.get("syncline_id").cloned()).collect()
}

#[test]
fn without_a_script_everything_is_applied_and_answered() {
    let mut sandbox = sandbox("");
    let verdict = hubspot(&mut sandbox, &upsert(0..10));
    assert_eq!((verdict.applied, verdict.end, verdict.delay_ms, verdict.later), (Applied::All, End::Answer, 0, None));
    assert_eq!(verdict.response.status, 200);
    let count = sandbox.counters().of(System::HubSpot, "batch_upsert");
    assert_eq!((count.requests, count.items, count.statuses, count.faulted), (1, 10, BTreeMap::from([(200, 1)]), 0));
}

#[test]
fn half_a_batch_is_applied_and_the_caller_learns_nothing() {
    let mut sandbox = sandbox("- {on: {operation: batch_upsert, nth: 1}, do: {apply: half, then: reset}}");
    let verdict = hubspot(&mut sandbox, &upsert(0..10));
    assert_eq!((verdict.applied, verdict.end), (Applied::First(5), End::Reset));
    assert_eq!(keys(&sandbox), ["A-0", "A-1", "A-2", "A-3", "A-4"]);
    assert_eq!(sandbox.counters().of(System::HubSpot, "batch_upsert").unanswered, 1);
    assert_eq!(hubspot(&mut sandbox, &upsert(0..10)).applied, Applied::All);
    assert_eq!(keys(&sandbox).len(), 10);
}

#[test]
fn part_of_a_batch_answers_for_that_part_only() {
    let mut sandbox = sandbox("- do: {apply: 3}");
    let verdict = hubspot(&mut sandbox, &upsert(0..10));
    let body: Value = serde_json::from_slice(&verdict.response.body).unwrap();
    assert_eq!((verdict.response.status, body["results"].as_array().unwrap().len()), (200, 3));
}

#[test]
fn status_hides_what_was_applied() {
    let script = "- {on: {nth: 1}, do: {status: 503}}\n- {on: {nth: 2}, do: {status: 504, apply: all, delay_ms: 250}}";
    let mut sandbox = sandbox(script);
    let verdict = hubspot(&mut sandbox, &upsert(0..2));
    assert_eq!((verdict.applied, verdict.response.status, keys(&sandbox).len()), (Applied::None, 503, 0));
    let verdict = hubspot(&mut sandbox, &upsert(0..2));
    assert_eq!((verdict.applied, verdict.response.status, keys(&sandbox).len()), (Applied::All, 504, 2));
    assert_eq!(verdict.delay_ms, 250);
}

#[test]
fn late_requests_are_applied_by_the_caller_of_apply_late() {
    let mut sandbox = sandbox("- {on: {nth: 1}, do: {late_ms: 9000}}");
    let verdict = hubspot(&mut sandbox, &upsert(0..1));
    assert_eq!((verdict.applied, verdict.end), (Applied::Later, End::Hang));
    assert!(keys(&sandbox).is_empty());
    let (late_ms, request) = verdict.later.unwrap();
    let response = sandbox.apply_late(System::HubSpot, &request, START + i64::try_from(late_ms).unwrap());
    assert_eq!((response.status, keys(&sandbox)), (200, vec!["A-0".to_owned()]));
}

#[test]
fn poisoned_records_fail_alone_every_time() {
    let mut sandbox = sandbox("- {on: {record: {keys: [A-1]}}, do: {invalid: {field: email, message: poisoned}}}");
    for _ in 0..2 {
        let verdict = hubspot(&mut sandbox, &upsert(0..3));
        let body: Value = serde_json::from_slice(&verdict.response.body).unwrap();
        assert_eq!((verdict.response.status, &body["numErrors"]), (207, &json!(1)));
        assert_eq!(body["errors"][0]["context"]["objectWriteTraceId"], json!(["A-1"]));
    }
    assert_eq!(keys(&sandbox), ["A-0", "A-2"]);
    assert_eq!(sandbox.counters().of(System::HubSpot, "batch_upsert").faulted, 2);
}

#[test]
fn headers_and_raw_bodies_replace_the_real_ones() {
    let script = "- do: {status: 429, headers: {Retry-After: '-1', content-type: text/html}, body: '{\"odd\": true}'}";
    let response = hubspot(&mut sandbox(script), &upsert(0..1)).response;
    assert_eq!(response.body, b"{\"odd\": true}");
    let header = |name: &str| response.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).collect::<Vec<_>>();
    assert_eq!((header("retry-after")[0].1.as_str(), header("content-type").len()), ("-1", 1));
}

#[test]
fn salesforce_tokens_expire_every_so_many_calls() {
    let mut sandbox = sandbox("- {on: {system: salesforce, operation: query, every: 3}, do: {expire_tokens: true}}");
    let mut token = request("POST", "/services/oauth2/token", &Value::Null);
    token.headers.insert("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned());
    token.body = b"grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret".to_vec();
    let answer = sandbox.receive(System::Salesforce, &token, START).response;
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    let mut query = request("GET", "/services/data/v62.0/query", &Value::Null);
    query.query.push(("q".to_owned(), "SELECT Id FROM Contact".to_owned()));
    query.headers.insert("authorization".to_owned(), format!("Bearer {}", body["access_token"].as_str().unwrap()));
    let statuses: Vec<u16> = (0..4).map(|_| sandbox.receive(System::Salesforce, &query, START).response.status).collect();
    assert_eq!(statuses, [200, 200, 401, 401]);
}

#[test]
fn over_limit_answers_are_counted() {
    let mut config = SandboxConfig::default();
    config.hubspot.quota_ten_seconds = 2;
    let mut sandbox = Sandbox::new(config).unwrap();
    for _ in 0..5 {
        hubspot(&mut sandbox, &upsert(0..1));
    }
    assert_eq!(sandbox.counters().over_limit(System::HubSpot), 3);
    assert_eq!(sandbox.requests().iter().last().unwrap().status, Some(429));
}

#[test]
fn request_list_is_bounded() {
    let mut sandbox = Sandbox::new(SandboxConfig { requests_max: 3, ..SandboxConfig::default() }).unwrap();
    for key in 0..5 {
        hubspot(&mut sandbox, &upsert(0..key + 1));
    }
    assert_eq!(sandbox.requests().iter().map(|entry| entry.inputs).collect::<Vec<_>>(), [3, 4, 5]);
}

fn open(directory: &Path) -> Sandbox {
    Sandbox::open(SandboxConfig::default(), directory).unwrap()
}

fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

#[test]
fn state_outlives_a_killed_process() {
    let directory = tempfile::tempdir().unwrap();
    let mut first = open(directory.path());
    hubspot(&mut first, &upsert(0..3));
    let edit = json!({"city": "Ulm"});
    first.edit(System::HubSpot, "contacts", Some("88012345601"), edit.as_object(), START).unwrap();
    // A killed process writes nothing more; what is in its file is all there is.
    let (records, counters, state) = (first.records(System::HubSpot), first.counters().clone(), first.snapshot());
    std::mem::forget(first);

    let second = open(directory.path());
    assert_eq!(second.records(System::HubSpot), records);
    assert_eq!(second.counters(), &counters);
    assert_eq!(second.snapshot(), state);
    assert_eq!(files(directory.path()), ["journal-2.jsonl", "state-2.json"]);
    assert_eq!(open(directory.path()).snapshot(), state);
}

#[test]
fn torn_last_line_is_dropped_and_a_broken_one_before_it_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let mut first = open(directory.path());
    hubspot(&mut first, &upsert(0..1));
    hubspot(&mut first, &upsert(1..2));
    drop(first);
    let journal = directory.path().join("journal-1.jsonl");
    let whole = fs::read(&journal).unwrap();
    fs::write(&journal, &whole[..whole.len() - 7]).unwrap();
    assert_eq!(keys(&open(directory.path())), ["A-0"]);

    let journal = directory.path().join("journal-2.jsonl");
    fs::write(&journal, b"{\"at\": 1,\n{}\n").unwrap();
    let error = Sandbox::open(SandboxConfig::default(), directory.path()).unwrap_err().to_string();
    assert!(error.contains("journal-2.jsonl, line 1: "), "{error}");
}

#[test]
fn state_of_another_format_is_told_from_a_damaged_one() {
    let directory = tempfile::tempdir().unwrap();
    let opened = |state: &str| {
        fs::write(directory.path().join("state-1.json"), state).unwrap();
        let error = Sandbox::open(SandboxConfig::default(), directory.path()).unwrap_err().to_string();
        error.replace(&directory.path().display().to_string(), "DIR")
    };
    let old = "{\"counters\": {}, \"salesforce\": {}, \"hubspot\": {}}";
    assert_eq!(opened(old), "sandbox state DIR has format 1, and this version reads format 2 only");
    assert_eq!(opened("{\"format\": 9}"), "sandbox state DIR has format 9, and this version reads format 2 only");
    let damaged = opened("{\"format\": 2, \"counters\": {\"systems\": {}}}");
    assert_eq!(damaged, "sandbox state DIR cannot be restored: custom: invalid type: null, expected a sequence");
    assert_eq!(files(directory.path()), ["state-1.json"], "what cannot be read is left alone");
}

#[test]
fn crash_while_a_generation_begins_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut first = open(directory.path());
    hubspot(&mut first, &upsert(0..2));
    drop(first);
    // The next generation's journal and a half-written state exist, the rename never came.
    fs::write(directory.path().join("journal-2.jsonl"), b"").unwrap();
    fs::write(directory.path().join("state.draft"), b"{\"counters\":").unwrap();
    assert_eq!(keys(&open(directory.path())), ["A-0", "A-1"]);
    // The rename came, the old files were not yet removed.
    fs::write(directory.path().join("journal-1.jsonl"), b"nonsense\n").unwrap();
    fs::write(directory.path().join("state-1.json"), b"nonsense").unwrap();
    assert_eq!(keys(&open(directory.path())), ["A-0", "A-1"]);
    assert_eq!(files(directory.path()), ["journal-3.jsonl", "state-3.json"]);
}

#[test]
fn reset_forgets_records_but_keeps_the_script() {
    let directory = tempfile::tempdir().unwrap();
    let mut sandbox = open(directory.path());
    hubspot(&mut sandbox, &upsert(0..2));
    sandbox.set_faults("- {on: {nth: 2}, do: {status: 503}}").unwrap();
    sandbox.reset().unwrap();
    assert!(keys(&sandbox).is_empty() && sandbox.counters().systems.is_empty());
    assert_eq!([200, 503], [0, 1].map(|_| hubspot(&mut sandbox, &upsert(0..1)).response.status));
    drop(sandbox);
    assert_eq!(keys(&open(directory.path())), ["A-0"]);
}
