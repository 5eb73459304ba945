//! The whole program as a user runs it: both emulators over HTTP, faults, kills, and a configuration for two accounts.
//!
//! Runs in the optimised profile; sizes are chosen so that HubSpot's default quota binds, but not for long.

mod accounts;

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

const FAULTS: &str = "\
- on: {share: 0.05, seed: 1}
  do: {status: 503, apply: none}
- on: {share: 0.025, seed: 2}
  do: {apply: all, then: reset}
- on: {share: 0.025, seed: 3}
  do: {apply: none, then: reset}
- on: {system: salesforce, every: 50}
  do: {expire_tokens: true}
- on: {system: salesforce, record: {share: 0.002, seed: 9}}
  do: {invalid: {field: Phone, message: 'the phone is not to our liking'}}
- on: {system: hubspot, record: {share: 0.002, seed: 9}}
  do: {invalid: {field: phone, message: 'the phone is not to our liking'}}
";

/// The program under test.
pub fn syncline() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_syncline"));
    command.stdin(Stdio::null());
    command
}

/// A directory of its own.
pub fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

fn demo(data: &Path, events: u64, more: &[&str]) -> Command {
    let mut command = syncline();
    command.args(["demo", "--seed", "7", "--exit", "--json", "--events", &events.to_string(), "--data"]).arg(data).args(more);
    command
}

fn right(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    let summary: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}\n{told}"));
    assert!(output.status.success(), "{summary:#}\n{told}");
    assert_eq!(summary["ok"], true);
    assert_eq!(summary["ledger"]["balanced"], true);
    assert_eq!(summary["oracle"]["differences"], 0);
    summary
}

#[test]
fn two_runs_of_a_seed_end_in_the_same_state_within_quota() {
    let (one, two) = (directory(), directory());
    let one = right(&demo(one.path(), 8_000, &[]).output().expect("a run"));
    let two = right(&demo(two.path(), 8_000, &[]).output().expect("a run"));
    assert_eq!(one["state"], two["state"]);
    assert_eq!(one["over_quota"], serde_json::json!({ "hubspot": 0, "salesforce": 0 }));
    assert_eq!(one["dead_letters"]["waiting"], 0);
}

#[test]
fn a_second_load_costs_hardly_more_requests_than_the_least() {
    let data = directory();
    let summary = right(&demo(data.path(), 20_000, &["--load-first"]).output().expect("a run"));
    let load = &summary["second_load"];
    let number = |name: &str| load[name].as_f64().expect("a number");
    assert!(number("requests") <= number("bound"), "{load:#}");
    assert!(number("items") > 10_000.0, "{load:#}");
}

#[test]
fn under_faults_healthy_records_are_right_and_poison_ones_are_letters() {
    let data = directory();
    let script = data.path().join("faults.yaml");
    std::fs::write(&script, FAULTS).expect("a script");
    let script = script.display().to_string();
    let summary = right(&demo(data.path(), 8_000, &["--faults", &script]).output().expect("a run"));
    let letters = summary["dead_letters"]["letters"].as_array().expect("letters");
    assert!(!letters.is_empty(), "one record in five hundred is poisoned");
    for letter in letters {
        assert!(letter["field"].as_str().is_some_and(|field| field.eq_ignore_ascii_case("phone")), "{letter}");
        assert!(letter["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{letter}");
    }
}

#[test]
fn killed_again_and_again_it_ends_as_if_undisturbed() {
    let (calm, rough) = (directory(), directory());
    let calm = right(&demo(calm.path(), 12_000, &[]).output().expect("a run"));
    let mut kills = 0;
    for round in 1..=20_u64 {
        let mut child = demo(rough.path(), 12_000, &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a run");
        // Kilobytes of work done since the start tell the moment: spread over the run, early ones included.
        let moment = (round * 2_654_435_761 % 1_500) * 1024;
        let killed = kill_after(&mut child, rough.path(), moment);
        if !killed {
            break;
        }
        kills += 1;
        let ledger = syncline().args(["ledger", "--verify", "--data"]).arg(rough.path()).output().expect("a ledger");
        assert!(ledger.status.success(), "after kill {kills}: {}", String::from_utf8_lossy(&ledger.stdout));
    }
    println!("{kills} kills");
    assert!(kills >= 3, "the run must not be over before it was killed");
    let rough = right(&demo(rough.path(), 12_000, &[]).output().expect("a run"));
    assert_eq!(rough["state"], calm["state"]);
    assert_eq!(rough["over_quota"], serde_json::json!({ "hubspot": 0, "salesforce": 0 }));
}

/// Kills a process once the files under `data` have grown by so many bytes; false if it ended before.
fn kill_after(child: &mut Child, data: &Path, growth: u64) -> bool {
    let (mut sum, mut last) = (0, size(data));
    loop {
        if child.try_wait().expect("a status").is_some() {
            return false;
        }
        let now = size(data);
        sum += now.saturating_sub(last);
        last = now;
        if sum >= growth && last > 0 {
            child.kill().expect("a kill");
            child.wait().expect("an end");
            return true;
        }
        std::thread::yield_now();
    }
}

fn size(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(about) if about.is_dir() => size(&entry.path()),
            Ok(about) => about.len(),
            Err(_) => 0,
        })
        .sum()
}
