//! `syncline tail`: a process followed as it works, and the same told afterwards.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use syncline_sandbox::sandbox::SandboxConfig;

use crate::world::{EVENTS, World, binary, spawn};

/// A world whose file is empty and is followed.
async fn waiting() -> World {
    let world = World::make(SandboxConfig::default()).await;
    let config = world.path().join("syncline.yaml");
    let text = std::fs::read_to_string(&config).unwrap().replace("follow: false", "follow: true");
    std::fs::write(&config, text).unwrap();
    std::fs::write(world.path().join("contacts.jsonl"), "").unwrap();
    world
}

fn follow(world: &World, args: &[&str]) -> Child {
    spawn(binary(world.path()).arg("tail").args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))
}

fn write(world: &World) {
    std::fs::write(world.path().join("contacts.jsonl"), EVENTS).unwrap();
}

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

/// What a thing is, without when it was and the numbers that are chance.
fn told(thing: &Value) -> String {
    let word = |name: &str| thing[name].as_str().unwrap_or_default();
    match word("what") {
        "event" => format!("event {} {} {}", word("operation"), word("key"), word("came_to")),
        "attempt" => format!("attempt {} {} {} {}", word("system"), word("operation"), word("key"), word("fate")),
        "letter" => format!("letter {} {}", thing["letter"]["place"], thing["letter"]["code"]),
        other => format!("{other} {thing}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_told_once_as_it_happens_and_the_same_afterwards() {
    let world = waiting().await;
    let process = world.start().await;
    let mut child = follow(&world, &["--since", "1h", "--jsonl", "--values"]);
    write(&world);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // Four events are accepted, three records are written to, one of them is refused, and one line is no event.
    let mut live: Vec<Value> = Vec::new();
    let is_done = |live: &[Value]| {
        let count = |what: &str| live.iter().filter(|thing| thing["what"] == what).count();
        let has_phone = |thing: &Value| thing["what"] == "attempt" && thing["key"] == "A1" && !thing["values"]["phone"].is_null();
        count("event") == 4 && count("letter") == 2 && live.iter().any(has_phone) && live.iter().any(|thing| thing["key"] == "B1" && thing["what"] == "attempt")
    };
    while !is_done(&live) {
        live.push(serde_json::from_str(&lines.next().expect("it follows").unwrap()).unwrap());
    }
    assert!(live.iter().all(|thing| thing["format_version"] == 1));
    let fates: BTreeSet<_> = live.iter().map(told).collect();
    for line in ["event create A1 routed", "attempt hubspot create B1 proven", "letter \"contacts.jsonl:4\" \"unknown_operation\""] {
        assert!(fates.contains(line), "{line}: {fates:#?}");
    }
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    process.stop().await;

    let past = world.syncline(&["tail", "--no-follow", "--jsonl"]);
    let past: Vec<Value> = past.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(past.iter().all(|thing| thing["values"].is_null()) && past.iter().any(|thing| thing["fields"][0] == "email"), "{past:#?}");
    let sorted = |things: &[Value]| {
        let mut told: Vec<_> = things.iter().map(told).collect();
        told.sort();
        told
    };
    assert_eq!(sorted(&live), sorted(&past));
    let failed = world.syncline(&["tail", "--no-follow", "--failed", "--system", "salesforce", "--source", "internal"]);
    assert!(failed.out.lines().count() == 2 && failed.out.lines().all(|line| line.contains("  letter ")), "{}", failed.out);
    let quiet = world.syncline(&["tail", "--no-follow", "--source", "internal"]);
    assert!(quiet.out.lines().count() == 5 && !quiet.out.contains("alice@example.com"), "{}", quiet.out);
    let shown = world.syncline(&["tail", "--no-follow", "--values", "--since", "2024-01-15"]);
    assert!(shown.out.contains("email=alice@example.com"), "{}", shown.out);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_ends_with_the_process_or_its_reader_and_wants_names_that_exist() {
    let world = waiting().await;
    let nobody = world.syncline(&["tail"]);
    assert!(nobody.exit == 69 && nobody.err.contains("no process answers") && nobody.err.contains("remedy: start it"), "{}", nobody.err);
    let process = world.start().await;
    let wrong = world.syncline(&["tail", "--system", "hubsport"]);
    assert!(wrong.exit == 1 && wrong.err.contains("did you mean hubspot?"), "{}", wrong.err);
    assert_eq!(world.syncline(&["tail", "--since", "yesterday"]).exit, 64);
    let mut unread = follow(&world, &["--since", "1h"]);
    drop(unread.stdout.take());
    assert_eq!(unread.wait().unwrap().code(), Some(0), "it ends with its reader, although nothing happens");
    let mut last = follow(&world, &["--since", "1h"]);
    write(&world);
    let mut first = [0; 1];
    last.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    process.stop().await;
    let ended = last.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8(ended.stderr).unwrap().as_str()), (Some(0), "the process has ended\n"));
    world.end().await;
}
