//! The examples of docs/sandbox.md, run: what the page says of a clause of the grammar is what the clause does.
//!
//! Promises: every key and word of the grammar has an example on the page, and no example goes unchecked; the tables of operations and
//! bodies are those of the CRMs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{End, Faults, bodies, codes, operations};
use crate::exchange::{Request, Response, System};
use crate::sandbox::{Applied, Sandbox, SandboxConfig, Verdict};

const PAGE: &str = include_str!("../../../../docs/sandbox.md");
const START: i64 = 1_788_256_800_250;
const SPACED_MS: i64 = 1_000;

/// Clause and script of every example: a fence after a line that begins with the clause in bold.
fn examples() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut clause = None;
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        if let Some((name, _)) = line.strip_prefix("**`").and_then(|rest| rest.split_once("`**")) {
            clause = Some(name.to_owned());
        }
        if line == "```yaml"
            && let Some(clause) = clause.take()
        {
            let script: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            found.insert(clause, script.join("\n"));
        }
    }
    found
}

/// The names that the grammar itself lists after a wrong one.
fn known(script: &str) -> BTreeSet<String> {
    let reason = Faults::parse(script).unwrap_err().reason;
    let (_, names) = reason.split_once("there are ").unwrap();
    names.split(", ").map(str::to_owned).collect()
}

#[test]
fn every_clause_has_an_example() {
    let parts = [("on", "- on: {zzz: 1}\n  do: {}"), ("record", "- on: {record: {zzz: 1}}\n  do: {}"), ("do", "- do: {zzz: 1}"), ("then", "- do: {then: zzz}")];
    let clauses = parts.iter().flat_map(|(part, script)| known(script).into_iter().map(move |name| format!("{part}.{name}")));
    // These two are told by the names within them.
    let clauses: BTreeSet<String> = clauses.filter(|clause| clause != "on.record" && clause != "do.then").collect();
    assert_eq!(examples().into_keys().collect::<BTreeSet<_>>(), clauses);
}

/// A sandbox under a script, with a clock that moves on between calls.
struct Bench {
    sandbox: Sandbox,
    now: i64,
    token: String,
}

impl Bench {
    fn new(script: &str) -> Self {
        let sandbox = Sandbox::new(SandboxConfig { faults: script.to_owned(), ..SandboxConfig::default() }).unwrap();
        let mut bench = Self { sandbox, now: START, token: String::new() };
        let form = "grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret";
        let answer = bench.salesforce("POST", "/services/oauth2/token", &Value::String(form.to_owned())).response;
        let body = Self::body(&answer);
        bench.token = body["access_token"].as_str().unwrap_or_default().to_owned();
        bench
    }

    fn send(&mut self, system: System, method: &str, path: &str, body: &Value) -> Verdict {
        let token = if system == System::HubSpot { "pat-sandbox-1" } else { &self.token };
        let is_form = body.is_string();
        let kind = if is_form { "application/x-www-form-urlencoded" } else { "application/json" };
        let headers = [("authorization", format!("Bearer {token}")), ("content-type", kind.to_owned())];
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: Vec::new(),
            headers: headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            body: body.as_str().map_or_else(|| body.to_string(), str::to_owned).into_bytes(),
        };
        self.now += SPACED_MS;
        self.sandbox.receive(system, &request, self.now)
    }

    fn salesforce(&mut self, method: &str, path: &str, body: &Value) -> Verdict {
        self.send(System::Salesforce, method, path, body)
    }

    fn limits(&mut self) -> u16 {
        self.salesforce("GET", "/services/data/v62.0/limits", &Value::Null).response.status
    }

    fn list(&mut self) -> Verdict {
        self.send(System::HubSpot, "GET", "/crm/v3/objects/contacts", &Value::Null)
    }

    fn lists(&mut self, count: usize) -> Vec<u16> {
        (0..count).map(|_| self.list().response.status).collect()
    }

    /// An upsert of contacts with these keys, each with a trace id of its own.
    fn upsert(&mut self, keys: &[&str]) -> Verdict {
        let input = |key: &&str| json!({"id": key, "idProperty": "syncline_id", "objectWriteTraceId": key, "properties": {"syncline_id": key}});
        let inputs: Vec<Value> = keys.iter().map(input).collect();
        self.send(System::HubSpot, "POST", "/crm/v3/objects/contacts/batch/upsert", &json!({"inputs": inputs}))
    }

    /// Keys that one upsert of all of them had refused.
    fn refused(&mut self, keys: &[&str]) -> BTreeSet<String> {
        let body = Self::body(&self.upsert(keys).response);
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().filter_map(|error| Some(error["context"]["objectWriteTraceId"][0].as_str()?.to_owned())).collect()
    }

    fn kept(&self) -> usize {
        self.sandbox.records(System::HubSpot).len()
    }

    fn body(response: &Response) -> Value {
        serde_json::from_slice(&response.body).unwrap_or(Value::Null)
    }
}

fn header<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
    response.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Positions of the requests that failed, counted from 1.
fn failed(statuses: &[u16]) -> Vec<usize> {
    (1..=statuses.len()).filter(|at| statuses[at - 1] != 200).collect()
}

#[test]
fn on_does_what_its_examples_say() {
    let scripts = examples();
    let bench = |clause: &str| Bench::new(&scripts[clause]);
    let mut one = bench("on.system");
    assert_eq!((one.limits(), one.lists(1)), (503, vec![200]));
    let mut one = bench("on.operation");
    assert_eq!((one.lists(1), one.upsert(&["A-1"]).response.status), (vec![200], 503));
    assert_eq!(failed(&bench("on.nth").lists(12)), [3, 4, 5]);
    assert_eq!(failed(&bench("on.every").lists(9)), [4, 8]);
    let of_share = failed(&bench("on.share").lists(200));
    assert!((10..30).contains(&of_share.len()) && of_share == failed(&bench("on.share").lists(200)), "{of_share:?}");
    let of_seed = failed(&bench("on.seed").lists(200));
    assert!((10..30).contains(&of_seed.len()) && of_seed != of_share, "{of_seed:?}");
}

#[test]
fn record_does_what_its_examples_say() {
    let scripts = examples();
    let keys: Vec<String> = (0..100).map(|number| format!("A-{number}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let refused = |clause: &str| Bench::new(&scripts[clause]).refused(&keys);
    assert_eq!(refused("record.keys"), BTreeSet::from(["A-17".to_owned()]));
    let of_share = refused("record.share");
    assert!((1..20).contains(&of_share.len()), "{of_share:?}");
    let mut again = Bench::new(&scripts["record.share"]);
    for key in &keys {
        assert_eq!(again.refused(&[key]).len(), usize::from(of_share.contains(*key)), "{key} is refused always or never");
    }
    assert!(refused("record.seed") != of_share);
    let of_every = refused("record.every");
    assert!((1..20).contains(&of_every.len()), "{of_every:?}");
}

#[test]
fn do_does_what_its_examples_say() {
    let scripts = examples();
    let bench = |clause: &str| Bench::new(&scripts[clause]);
    let mut one = bench("do.apply");
    assert_eq!((one.upsert(&["A-1", "A-2", "A-3", "A-4"]).applied, one.kept()), (Applied::First(2), 2));
    let mut one = bench("do.status");
    let answer = one.upsert(&["A-1"]);
    assert_eq!((answer.applied, answer.response.status, one.kept()), (Applied::None, 502, 0));
    assert_eq!(Bench::body(&answer.response)["message"], "Bad gateway");
    let answer = bench("do.headers").list().response;
    assert_eq!((answer.status, header(&answer, "retry-after")), (429, Some("7")));
    let answer = Bench::body(&bench("do.body").list().response);
    assert_eq!(answer["policyName"], "DAILY");
    let mut one = bench("do.invalid");
    let answer = one.upsert(&["A-1", "A-2"]).response;
    assert_eq!((answer.status, one.kept()), (207, 0));
    let told = Bench::body(&answer)["errors"][0]["message"].as_str().unwrap().to_owned();
    assert!(told.contains("refused by a rule of the account") && told.contains("\"error\":\"INVALID_ALPHA\""), "{told}");
    let answer = bench("do.delay_ms").list();
    assert_eq!((answer.delay_ms, answer.end, answer.response.status), (2_500, End::Answer, 200));
    let mut one = bench("do.late_ms");
    let answer = one.upsert(&["A-1"]);
    let (late_ms, request) = answer.later.unwrap();
    assert_eq!((answer.applied, answer.end, late_ms, one.kept()), (Applied::Later, End::Hang, 30_000, 0));
    one.sandbox.apply_late(System::HubSpot, &request, one.now + 30_000);
    assert_eq!(one.kept(), 1);
    let mut one = bench("do.expire_tokens");
    assert_eq!((one.limits(), one.limits(), one.limits()), (200, 401, 401));
}

#[test]
fn then_does_what_its_examples_say() {
    let scripts = examples();
    for (word, end) in [("answer", End::Answer), ("close_half", End::CloseHalf), ("reset", End::Reset), ("hang", End::Hang)] {
        let mut one = Bench::new(&scripts[&format!("then.{word}")]);
        let answer = one.upsert(&["A-1"]);
        assert_eq!((answer.applied, answer.end, one.kept()), (Applied::All, end, 1), "{word}");
        let counts = one.sandbox.counters().of(System::HubSpot, "batch_upsert");
        assert_eq!(counts.unanswered, u64::from(end != End::Answer));
    }
}

/// The names in backticks of a line that begins so.
fn listed(start: &str) -> Vec<&'static str> {
    let line = PAGE.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no line begins with {start}"));
    line[start.len()..].split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_page_lists_operations_bodies_and_codes() {
    for (system, name) in [(System::Salesforce, "Salesforce"), (System::HubSpot, "HubSpot")] {
        assert_eq!(listed(&format!("- Operations of {name}:")), operations(system), "operations of {name}");
        assert_eq!(listed(&format!("- Bodies of {name}:")), bodies(system), "bodies of {name}");
        assert_eq!(listed(&format!("- Codes of {name}:")), codes(system), "codes of {name}");
    }
}

#[test]
fn the_settings_are_settings() {
    let blocks = PAGE.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let settings: Vec<&str> = blocks.filter(|block| block.starts_with("salesforce:") || block.starts_with("hubspot:")).collect();
    assert!(settings.len() >= 2);
    for block in settings {
        let read: Result<SandboxConfig, _> = serde_saphyr::from_str(block);
        assert!(read.is_ok(), "{block}: {}", read.unwrap_err());
    }
}

#[test]
fn the_recipes_are_scripts() {
    let (_, rest) = PAGE.split_once("### Recipes").unwrap();
    let script = rest.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(Faults::parse(script).unwrap().rules.len(), 6);
}
