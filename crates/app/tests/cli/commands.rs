//! Commands that need no store: map, check, generate, sandbox, and how the command line itself fails.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use syncline_sandbox::exchange::System;
use syncline_sandbox::sandbox::SandboxConfig;
use tempfile::TempDir;

use crate::world::{World, binary, spawn, syncline, syncline_with};

fn event(operation: &str, item: &str) -> String {
    format!(r#"{{"record":"contacts","operation":"{operation}","timestamp":"2024-01-15T10:30:00Z","item":{item}}}"#)
}

fn map(item: &str, operation: &str, more: &[&str]) -> crate::world::Ended {
    let folder = TempDir::new().unwrap();
    let event = event(operation, item);
    syncline(folder.path(), &[&["map", "--event", &event], more].concat())
}

#[test]
fn map_shows_what_an_event_becomes_field_by_field() {
    let lead = r#"{"id":"A1","name":"Alice Mary Smith","email":"A.Smith@Example.com","phone":"+1-555-123-4567","contact":"lead"}"#;
    insta::assert_snapshot!("map_create_lead", map(lead, "create", &[]).told());
    insta::assert_snapshot!("map_create_customer", map(&lead.replace("lead", "customer"), "create", &[]).told());
    insta::assert_snapshot!("map_update_without_type", map(r#"{"id":"A1","name":"Cher","email":null}"#, "update", &[]).told());
    insta::assert_snapshot!("map_delete", map(r#"{"id":"A1"}"#, "delete", &[]).told());
    let json = map(lead, "create", &["--json"]);
    assert_eq!((json.exit, json.json()["systems"][0]["form"]["LastName"].as_str()), (0, Some("Smith")));
    assert!(json.out.starts_with("{\n  \"format_version\": 1,"));
}

#[test]
fn map_tells_what_is_refused_with_field_and_remedy() {
    insta::assert_snapshot!("map_refused_type", map(r#"{"id":"A1","contact":"alien"}"#, "create", &[]).told());
    insta::assert_snapshot!("map_refused_operation", map(r#"{"id":"A1"}"#, "upsert", &[]).told());
    let long = format!(r#"{{"id":"A1","name":"{}","contact":"employee"}}"#, "x".repeat(81));
    insta::assert_snapshot!("map_too_long", map(&long, "create", &[]).told());
    let refused = map(r#"{"id":"A1","contact":"alien"}"#, "create", &["--json"]);
    assert_eq!((refused.exit, refused.json()["refused"]["field"].as_str()), (65, Some("/item/contact")));
}

#[test]
fn map_follows_the_configuration_and_reads_the_standard_input() {
    let folder = TempDir::new().unwrap();
    let config = "systems:\n  people: { kind: stdin }\n  crm: { kind: hubspot, token: \"${HUBSPOT_TOKEN}\" }\nrouting: { customer: [crm] }\nboundaries:\n  crm:\n    fields:\n      name: { to: fullname, codec: [trim, upper], authority: system_a }\n      phone: { to: phone, authority: system_b }\n";
    std::fs::write(folder.path().join("syncline.yaml"), config).unwrap();
    let update = event("update", r#"{"id":"A1","name":"Cher","phone":"1","contact":"customer"}"#);
    insta::assert_snapshot!("map_configured", syncline_with(folder.path(), &["map"], &update).told());
    let lead = event("create", r#"{"id":"A1","name":"Cher","contact":"lead"}"#);
    insta::assert_snapshot!("map_unrouted", syncline_with(folder.path(), &["map", "--event", "-"], &lead).told());
}

#[test]
fn check_tells_every_fault_and_ends_with_78() {
    let folder = TempDir::new().unwrap();
    let broken = "systems:\n  internal: { kind: generatr }\n  hubspot: { kind: hubspot, token: pat-secret-in-plain-text }\nroutng: default\n";
    std::fs::write(folder.path().join("syncline.yaml"), broken).unwrap();
    let checked = syncline(folder.path(), &["check"]);
    assert!(!checked.err.contains("pat-secret"));
    insta::assert_snapshot!("check_broken", checked.told());
    let missing = syncline(folder.path(), &["check", "-c", "nowhere.yaml"]);
    insta::assert_snapshot!("check_missing", missing.told());
    let good = "systems:\n  internal: { kind: stdin }\n  hubspot: { kind: hubspot, token: \"${HUBSPOT_TOKEN}\" }\nrouting: { customer: [hubspot] }\n";
    std::fs::write(folder.path().join("good.yaml"), good).unwrap();
    insta::assert_snapshot!("check_good", syncline(folder.path(), &["check", "-c", "good.yaml"]).told());
}

#[test]
fn flags_and_variables_win_over_the_file_wherever_a_configuration_is_read() {
    let folder = TempDir::new().unwrap();
    let text = "systems:\n  internal: { kind: stdin }\n  hubspot: { kind: hubspot, token: \"${HUBSPOT_TOKEN}\" }\nrouting: { customer: [hubspot] }\n";
    std::fs::write(folder.path().join("syncline.yaml"), text).unwrap();
    let checked = |args: &[&str]| {
        let mut command = binary(folder.path());
        command.env("SYNCLINE_ROUTING__LEAD", "[hubspot]").env("SYNCLINE_LOG", "warn");
        let output = command.arg("check").args(args).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (exit, out, _) = checked(&["--set", "log=debug"]);
    assert_eq!(exit, Some(0));
    assert!(out.contains("log: debug") && out.contains("route contacts lead: hubspot"), "{out}");
    let (exit, _, err) = checked(&["--set", "systems.hubspot.token=pat-plain-secret", "--set", "log=loud"]);
    assert_eq!(exit, Some(78));
    assert!(err.contains("--> --set systems.hubspot.token") && err.contains("--> --set log") && !err.contains("pat-plain"), "{err}");
    let (exit, _, err) = checked(&["--set", "log"]);
    assert_eq!(exit, Some(64), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_looks_at_the_accounts_when_asked() {
    let world = World::make(SandboxConfig::default()).await;
    let checked = world.syncline(&["check", "--live", "--json"]);
    assert_eq!(checked.exit, 0, "{}", checked.err);
    assert_eq!(checked.json()["accounts"][1]["pools"]["day"]["limit"], 250_000);
    assert_eq!(world.syncline(&["check", "--connect"]).exit, 0, "the former name goes on to work");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tells_every_finding_with_place_and_remedy() {
    let mut settings = SandboxConfig::default();
    settings.hubspot.has_external_key = false;
    settings.salesforce.external_key = syncline_sandbox::salesforce::ExternalKey::NotUnique;
    let world = World::make(settings).await;
    let boundaries = "boundaries:\n  salesforce:\n    fillers: { Lead: { Company: x, Status: Nowhere, Nickname__c: y } }\n  hubspot:\n    fields:\n      phone: { to: nickname, authority: system_a }\n";
    world.extend(boundaries);
    let checked = world.syncline(&["check", "--live"]);
    assert_eq!(checked.exit, 78);
    insta::assert_snapshot!("check_live", checked.told().replace(&world.addresses()[0], "SALESFORCE").replace(&world.addresses()[1], "HUBSPOT").replace(&world.path().display().to_string(), "DIR"));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn setup_tells_creates_and_finds_nothing_more_to_do() {
    let mut settings = SandboxConfig::default();
    settings.hubspot.has_external_key = false;
    settings.salesforce.external_key = syncline_sandbox::salesforce::ExternalKey::Absent;
    let world = World::make(settings).await;
    world.extend("boundaries:\n  hubspot:\n    fields:\n      phone: { to: nickname, authority: system_a }\n");
    let planned = world.syncline(&["setup", "hubspot", "--dry-run"]);
    assert_eq!((planned.exit, planned.out.lines().count()), (0, 2), "{}{}", planned.out, planned.err);
    assert_eq!(world.syncline(&["setup", "hubspot"]).exit, 64, "nobody can be asked");
    let done = world.syncline(&["setup", "hubspot", "--yes"]);
    assert_eq!(done.exit, 0, "{}", done.err);
    assert_eq!(done.out, "hubspot: created: contacts.syncline_id: text with unique values\nhubspot: created: contacts.nickname: text\n");
    let again = world.syncline(&["setup", "hubspot", "--yes"]);
    assert_eq!((again.exit, again.out.as_str()), (0, "hubspot: nothing is to be done\n"));
    let org = world.syncline(&["setup", "salesforce", "--yes"]);
    assert_eq!(org.exit, 0, "{}", org.err);
    insta::assert_snapshot!(org.out, @r"
    salesforce: created: Contact.Syncline_Id__c: Text(64), External ID, Unique, case-sensitive
    salesforce: created: Lead.Syncline_Id__c: Text(64), External ID, Unique, case-sensitive
    salesforce: created: permission set Syncline_Fields
    salesforce: created: Syncline_Fields assigned to the integration user
    salesforce: created: read and edit access to Contact.Syncline_Id__c in Syncline_Fields
    salesforce: created: read and edit access to Lead.Syncline_Id__c in Syncline_Fields
    ");
    let again = world.syncline(&["setup", "salesforce", "--yes"]);
    assert_eq!((again.exit, again.out.as_str()), (0, "salesforce: nothing is to be done\n"), "{}", again.err);
    let checked = world.syncline(&["check", "--live"]);
    assert_eq!(checked.exit, 0, "{}{}", checked.out, checked.err);
    assert_eq!(world.syncline(&["setup", "hubspot", "--system", "nobody"]).exit, 78);
    world.end().await;
}

/// Text fields for the number of the last write: made by the set-up, found by the check, and written by a run.
#[tokio::test(flavor = "multi_thread")]
async fn a_marker_is_set_up_checked_and_written() {
    let world = World::make(SandboxConfig::default()).await;
    world.extend("boundaries:\n  hubspot:\n    match: { external_id: syncline_id, marker: syncline_write }\n  salesforce:\n    match: { external_id: Syncline_Id__c, marker: Syncline_Write__c }\n");
    let lacking = world.syncline(&["check", "--live"]);
    assert_eq!(lacking.exit, 78, "{}", lacking.out);
    assert!(lacking.out.contains("syncline_write") && lacking.out.contains("Syncline_Write__c"), "{}", lacking.out);
    for vendor in ["hubspot", "salesforce"] {
        let done = world.syncline(&["setup", vendor, "--yes"]);
        assert_eq!(done.exit, 0, "{}{}", done.out, done.err);
    }
    let checked = world.syncline(&["check", "--live"]);
    assert_eq!(checked.exit, 0, "{}{}", checked.out, checked.err);
    let process = world.start().await;
    process.settle().await;
    process.stop().await;
    for (system, key) in [(System::Salesforce, "Syncline_Write__c"), (System::HubSpot, "syncline_write")] {
        let held = world.sandbox.lock().unwrap().records(system);
        let marked: Vec<&String> = held.iter().filter_map(|record| record.fields.get(key)).collect();
        assert!(!marked.is_empty() && marked.iter().all(|mark| mark.parse::<i64>().is_ok()), "{system}: {marked:?}");
    }
    world.end().await;
}

#[test]
fn generate_repeats_itself_to_the_byte() {
    let folder = TempDir::new().unwrap();
    let generate = |more: &[&str]| syncline(folder.path(), &[&["generate"], more].concat());
    let first = generate(&["--events", "50", "--seed", "7"]);
    assert_eq!((first.exit, first.out.lines().count(), first.err.as_str()), (0, 50, ""));
    assert_eq!(first.out, generate(&["--events", "50", "--seed", "7"]).out);
    assert_ne!(first.out, generate(&["--events", "50", "--seed", "8"]).out);
    assert_eq!(generate(&[]).out.lines().count(), 10);
    assert_eq!(first.out, first.out);
}

#[test]
fn generate_loads_first_and_writes_files() {
    let folder = TempDir::new().unwrap();
    let written = syncline(folder.path(), &["generate", "--events", "20", "--load-first", "--out", "events.jsonl"]);
    assert_eq!((written.exit, written.out.as_str()), (0, ""));
    let text = std::fs::read_to_string(folder.path().join("events.jsonl")).unwrap();
    let creates: Vec<bool> = text.lines().map(|line| line.contains(r#""operation":"create""#)).collect();
    assert_eq!(creates, [vec![true; 20], vec![false; 20]].concat());
    assert_eq!(syncline(folder.path(), &["generate", "--out", "nowhere/events.jsonl"]).exit, 73);
    assert_eq!(syncline(folder.path(), &["generate", "--rate", "0"]).exit, 64);
}

/// An address that gives these answers, one a connection; what it was sent comes back when they are used up.
#[allow(clippy::disallowed_methods, reason = "a test is a run loop of its own")]
fn address(answers: &'static [&'static str]) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/events", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let serve = |answer: &&str| {
            let mut reader = BufReader::new(listener.accept().unwrap().0);
            let (mut head, mut length) = (String::new(), 0);
            while !head.ends_with("\r\n\r\n") {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(told) = line.to_lowercase().strip_prefix("content-length:") {
                    length = told.trim().parse().unwrap();
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let (status, body_out) = answer.split_once('|').unwrap();
            let answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body_out}", body_out.len());
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
            format!("{head}{}", String::from_utf8(body).unwrap())
        };
        answers.iter().map(serve).collect()
    });
    (url, served)
}

#[test]
fn generate_sends_to_an_address_and_waits_as_it_is_told() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("token"), "canary-token\n").unwrap();
    let taken = r#"202 Accepted|{"accepted":3,"duplicates":0,"refused":0,"results":[]}"#;
    let (url, served) = address(Box::leak(Box::new(["429 Too Many Requests\r\nretry-after: 0|", taken, taken])));
    let sent = syncline(folder.path(), &["generate", "--events", "6", "--batch", "3", "--to", &url, "--token-file", "token"]);
    assert_eq!((sent.exit, sent.out.as_str()), (0, "6 accepted, 0 duplicates, 0 refused\n"), "{}", sent.err);
    let requests = served.join().unwrap();
    let key = |request: &String| request.lines().find(|line| line.to_lowercase().starts_with("idempotency-key:")).unwrap().to_owned();
    assert_eq!((&requests[0], key(&requests[0]) == key(&requests[2])), (&requests[1], false), "a repeat is the same request");
    assert!(requests.iter().all(|request| request.contains("earer canary-token") && request.contains("application/x-ndjson")));
    assert_eq!(requests[2].split("\r\n\r\n").nth(1).unwrap().lines().count(), 3);

    let refuse: &'static [&'static str] = Box::leak(Box::new([r#"401 Unauthorized|{"code":"unauthorized","remedy":"send a token"}"#]));
    let (url, served) = address(refuse);
    let refused = syncline(folder.path(), &["generate", "--to", &url, "--token-file", "token"]);
    served.join().unwrap();
    assert_eq!(refused.exit, 77);
    assert!(refused.err.contains("remedy: send a token") && !refused.err.contains("canary"), "{}", refused.err);
    assert_eq!(syncline(folder.path(), &["generate", "--to", &url]).exit, 69, "nobody listens there any more");
}

#[test]
fn a_reader_that_goes_away_ends_a_command_quietly() {
    let folder = TempDir::new().unwrap();
    let mut child = spawn(binary(folder.path()).args(["generate", "--events", "1000000"]).stdout(Stdio::piped()).stderr(Stdio::piped()));
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with('{'));
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}

#[test]
fn a_wrong_command_line_ends_with_64() {
    let folder = TempDir::new().unwrap();
    for args in [&["genrate"][..], &[], &["dead-letters", "replay"], &["generate", "--load-first"], &["dead-letters", "discard", "1"]] {
        let ended = syncline(folder.path(), args);
        assert_eq!((ended.exit, ended.out.as_str()), (64, ""), "{args:?}");
    }
    for command in ["demo", "run", "sandbox", "generate", "check", "setup", "map", "ledger", "quota", "pause", "resume"] {
        let help = syncline(folder.path(), &[command, "--help"]);
        assert_eq!(help.exit, 0);
        assert!(help.out.starts_with("Examples:\n  syncline "), "{command}: {}", help.out);
        assert!(!help.out.contains('\u{1b}'));
    }
    assert_eq!(syncline(folder.path(), &["--version"]).exit, 0);
}

#[test]
fn the_sandbox_says_where_it_is_and_keeps_its_state() {
    let folder = TempDir::new().unwrap();
    let args = ["sandbox", "--salesforce", "127.0.0.1:0", "--hubspot", "127.0.0.1:0", "--state", "crm"];
    let mut child = spawn(binary(folder.path()).args(args).stdout(Stdio::piped()).stderr(Stdio::null()));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (salesforce, hubspot) = (lines.next().unwrap().unwrap(), lines.next().unwrap().unwrap());
    assert!(salesforce.starts_with("salesforce http://127.0.0.1:") && hubspot.starts_with("hubspot http://127.0.0.1:"));
    let stopped = spawn(Command::new("sh").args(["-c", &format!("kill -TERM {}", child.id())])).wait().unwrap();
    assert!(stopped.success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(folder.path().join("crm").read_dir().unwrap().next().is_some());
    std::fs::create_dir(folder.path().join("old")).unwrap();
    std::fs::write(folder.path().join("old/state-1.json"), "{}").unwrap();
    let refused = syncline(folder.path(), &["sandbox", "--state", "old"]);
    assert_eq!(refused.exit, 65);
    assert!(refused.err.contains("has format 1") && refused.err.contains("remedy: name an empty directory"), "{}", refused.err);
    std::fs::write(folder.path().join("faults.yaml"), "- on: {system: hubspt}\n  do: {status: 503}\n").unwrap();
    let refused = syncline(folder.path(), &["sandbox", "--faults", "faults.yaml"]);
    assert_eq!(refused.exit, 78);
    assert!(refused.err.contains("faults.yaml") && refused.err.contains("did you mean hubspot?") && refused.err.contains("remedy: "), "{}", refused.err);
    std::fs::write(folder.path().join("crm.yaml"), "hubspot: { quota: 5 }\n").unwrap();
    assert_eq!(syncline(folder.path(), &["sandbox", "--config", "crm.yaml"]).exit, 78);
}
