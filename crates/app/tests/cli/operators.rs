//! Operators' commands, through the socket of a machine that runs and over the store that it left.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::types::Value;
use syncline::control;
use syncline::wiring::open_store;
use syncline_engine::error::Kind;
use syncline_engine::ports::store::Store;
use syncline_sandbox::sandbox::SandboxConfig;
use tempfile::TempDir;

use crate::world::{World, close, syncline, timeless};

const QUESTIONS: [&[&str]; 20] = [
    &["doctor"],
    &["events", "list"],
    &["events", "list", "--record", "contacts", "A1", "--limit", "1"],
    &["events", "list", "--came-to", "stale", "--jsonl"],
    &["events", "show", "1"],
    &["events", "trace", "1"],
    &["events", "trace", "1", "--values"],
    &["events", "trace", "999", "--json"],
    &["events", "list", "--state", "failed", "--since", "2h"],
    &["events", "list", "--until", "2h", "--source", "internal"],
    &["ledger"],
    &["ledger", "--verify", "--json"],
    &["records", "show", "contacts", "A1"],
    &["records", "show", "contacts", "C1"],
    &["records", "show", "contacts", "A1", "--json"],
    &["records", "show", "contacts", "nobody"],
    &["dead-letters", "list"],
    &["dead-letters", "list", "--all", "--json"],
    &["dead-letters", "show", "1"],
    &["dead-letters", "show", "99"],
];

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_answered_alike_by_a_process_and_over_its_store() {
    let world = World::make(SandboxConfig::default()).await;
    let process = world.start().await;
    process.settle().await;
    let online: Vec<_> = QUESTIONS.iter().map(|args| world.syncline(args).told()).collect();
    let pools = world.syncline(&["quota", "--json"]).json();
    assert_eq!((pools["systems"][0]["phase"].as_str(), pools["systems"][0]["pools"][0]["ours"].as_u64()), (Some("running"), Some(12_000)));
    process.stop().await;
    for (args, online) in QUESTIONS.iter().zip(online) {
        let offline = world.syncline(args).told();
        assert_eq!(online, offline, "{args:?}");
        insta::assert_snapshot!(format!("operators_{}", args.join("_").replace("--", "")), without_attempts(&offline));
    }
    let pools = world.syncline(&["quota", "--json"]).json();
    assert_eq!(pools["systems"][0]["phase"], "stopped");
    assert_eq!(pools["systems"][0]["pools"][0]["ours"], 12_000);
    assert!(pools["systems"][0]["pools"][0]["used"].as_u64().unwrap() >= 4, "{pools}");
    world.end().await;
}

/// Lanes draw attempt numbers from one pot, so who gets which is chance.
fn without_attempts(text: &str) -> String {
    let mut told = text.to_owned();
    for head in ["attempt", "\"attempts\": [\n        {\n          \"id\": "] {
        let mut from = 0;
        while let Some(at) = told[from..].find(head).map(|at| from + at + head.len()) {
            let start = at + told[at..].bytes().take_while(|byte| *byte == b' ').count();
            let digits = told[start..].bytes().take_while(u8::is_ascii_digit).count();
            if digits > 0 {
                told.replace_range(start..start + digits, "N");
            }
            from = at;
        }
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_machine_obeys() {
    let world = World::make(SandboxConfig::default()).await;
    let process = world.start().await;
    process.settle().await;
    let paused = world.syncline(&["pause", "salesforce", "--reason", "a release there"]);
    insta::assert_snapshot!(paused.told(), @r"
    salesforce: writes stand still since TIME: paused by an operator: a release there; then `syncline resume salesforce`
    --- exit 0
    ");
    let lane = Arc::clone(&process.running.statuses[0]);
    while lane.lock().unwrap().paused.is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.syncline(&["resume", "salesforce", "--json"]).json()["resumed"][0]["scope"], "writes");
    while !lane.lock().unwrap().paused.is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.syncline(&["resume", "salesforce"]).out, "salesforce: nothing stood still\n");
    let wrong = world.syncline(&["pause", "internal"]);
    insta::assert_snapshot!(wrong.told(), @r"
    --- stderr
    error[SYN-7001]: internal is no system that is written to
    remedy: name one of hubspot, salesforce
    see: https://github.com/syncline/syncline/blob/main/docs/reference/errors.md#syn-7001
    --- exit 1
    ");

    let made = world.syncline(&["tokens", "create", "bridge", "--json"]);
    assert!(made.exit == 0 && made.json()["name"] == "bridge", "{}{}", made.out, made.err);
    assert_eq!(world.syncline(&["tokens", "list", "--json"]).json()["tokens"][0]["name"], "bridge");
    assert_eq!(world.syncline(&["tokens", "revoke", "bridge"]).exit, 0);

    let ended = world.syncline(&["dead-letters", "discard", "1", "--reason", "a test"]);
    assert_eq!((ended.exit, ended.out.as_str()), (0, "1: contacts.jsonl:4 is discarded\n"), "{}", ended.err);
    let replayed = world.syncline(&["dead-letters", "replay", "--all-waiting", "--json"]);
    assert_eq!(replayed.json()["letters"].as_array().unwrap().len(), 1, "{}", replayed.out);
    process.settle().await;
    let again = world.syncline(&["dead-letters", "replay", "1", "2"]);
    assert_eq!(again.exit, 1);
    assert!(again.err.contains("1: error[SYN-7001]: dead letter 1 is discarded already") && again.err.contains("0 replayed, 2 not"), "{}", again.err);
    let ledger = world.syncline(&["ledger", "--verify", "--json"]).json();
    assert_eq!((&ledger["balanced"], &ledger["dead_letters"]["discarded"]), (&true.into(), &1.into()));
    process.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wished_over_a_store_is_there_for_the_next_process() {
    let world = World::make(SandboxConfig::default()).await;
    let process = world.start().await;
    process.settle().await;
    process.stop().await;
    let replayed = world.syncline(&["dead-letters", "replay", "--all-waiting"]);
    assert_eq!((replayed.exit, timeless(&replayed.out).lines().count()), (0, 2), "{}", replayed.err);
    assert!(replayed.out.contains("contacts.jsonl:4 is still refused"), "{}", replayed.out);
    assert_eq!(world.syncline(&["pause", "hubspot"]).exit, 0);
    let record = world.syncline(&["records", "show", "contacts", "C1", "--json"]).json();
    assert_eq!(record["links"][0]["state"], "due");
    assert!(world.syncline(&["ledger"]).out.ends_with("\nbalanced\n"));

    let process = world.start().await;
    let lane = Arc::clone(&process.running.statuses[1]);
    // Both replays fail again, each with a new letter.
    while process.running.store.ledger().await.unwrap().waiting < 2 || lane.lock().unwrap().paused.is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(world.syncline(&["quota"]).out.contains("hubspot: running"));
    let list = world.syncline(&["dead-letters", "list", "--json"]).json();
    let ids: Vec<_> = list["letters"].as_array().unwrap().iter().map(|letter| letter["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [3, 4]);
    assert_eq!(world.syncline(&["ledger", "--verify"]).exit, 0);
    process.stop().await;
    world.end().await;
}

/// A column of every table.
const COLUMNS: [(&str, &str); 11] = [
    ("system", "name"),
    ("checkpoint", "cursor"),
    ("seen", "digest"),
    ("record", "fields"),
    ("link", "due_since"),
    ("event", "occurred_at"),
    ("attempt", "row_values"),
    ("charge", "items"),
    ("letter", "message"),
    ("pause", "reason"),
    ("counter", "value"),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_row_of_any_table_is_named() {
    let world = World::make(SandboxConfig::default()).await;
    let process = world.start().await;
    process.settle().await;
    process.stop().await;
    assert_eq!(world.syncline(&["pause", "hubspot"]).exit, 0);
    assert_eq!(world.syncline(&["ledger", "--verify"]).exit, 0);
    let file = world.path().join("syncline.db");
    // All of it into the one file, so that this can be put back.
    Connection::open(&file).unwrap().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let honest = std::fs::read(&file).unwrap();
    for (table, column) in COLUMNS {
        alter(&Connection::open(&file).unwrap(), table, column);
        let found = world.syncline(&["ledger", "--verify"]);
        assert_eq!(found.exit, 1, "{table}: {}{}", found.out, found.err);
        assert!(found.out.contains(&format!("not as it was written: table {table}, row ")), "{table}: {}", found.out);
        assert!(found.out.ends_with("NOT BALANCED\n"));
        for journal in ["syncline.db-wal", "syncline.db-shm"] {
            // It is there or not, as the last connection left it.
            let _ = std::fs::remove_file(world.path().join(journal));
        }
        std::fs::write(&file, &honest).unwrap();
    }
    assert_eq!(world.syncline(&["ledger", "--verify"]).exit, 0);
    world.end().await;
}

/// Alters one value behind the store's back.
fn alter(store: &Connection, table: &str, column: &str) {
    let old = store.query_row(&format!("SELECT {column} FROM {table} LIMIT 1"), [], |row| row.get(0)).unwrap();
    let new = match &old {
        Value::Integer(number) => Value::Integer(number + 1),
        Value::Text(text) => Value::Text(format!("{text} ")),
        Value::Null | Value::Real(_) | Value::Blob(_) => panic!("{table}.{column}: {old:?}"),
    };
    assert!(store.execute(&format!("UPDATE {table} SET {column} = ?1 WHERE {column} = ?2"), [&new, &old]).unwrap() > 0);
}

#[test]
fn a_store_that_is_not_there_is_not_made_and_one_in_use_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let missing = syncline(folder.path(), &["ledger", "--data", "nowhere"]);
    insta::assert_snapshot!(missing.told(), @r"
    --- stderr
    error[SYN-7003]: no process answers at nowhere/syncline.sock and there is no store nowhere/syncline.db
    remedy: name the data directory (--data DIR) or the configuration (-c FILE) of what you mean
    see: https://github.com/syncline/syncline/blob/main/docs/reference/errors.md#syn-7003
    --- exit 66
    ");
    assert!(folder.path().read_dir().unwrap().next().is_none());
    let open = open_store(&folder.path().join("syncline.db")).unwrap();
    let owned = syncline(folder.path(), &["ledger"]);
    assert_eq!(owned.exit, 75);
    assert!(owned.err.starts_with("error[SYN-6005]: another process has syncline.db open\nremedy: "), "{}", owned.err);
    close(open);
    assert_eq!(syncline(folder.path(), &["ledger"]).exit, 0);
    let quota = syncline(folder.path(), &["quota"]);
    assert!(quota.exit == 78 && quota.err.contains("remedy: name the configuration with -c FILE"), "{}", quota.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_the_owners_alone_and_goes_with_the_process() {
    let world = World::make(SandboxConfig::default()).await;
    let socket = world.path().join("syncline.sock");
    // A process that was killed leaves its socket behind.
    drop(UnixListener::bind(&socket).unwrap());
    let process = world.start().await;
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let second = control::start(world.path(), Arc::clone(&process.running)).err().unwrap();
    assert_eq!(second.kind, Kind::StoreOwned);

    let mut stream = BufReader::new(UnixStream::connect(&socket).unwrap());
    let mut ask = |line: &str| {
        stream.get_mut().write_all(line.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_line(&mut answer).unwrap();
        serde_json::from_str::<serde_json::Value>(&answer).unwrap()
    };
    assert_eq!(ask("{\"do\":\"dance\"}\n")["refused"]["exit"], 64);
    assert_eq!(ask("{\"do\":\"ledger\",\"verify\":false}\n")["done"]["balanced"], true);
    let endless = format!("{{\"do\":\"{}", "x".repeat(64 * 1024));
    assert_eq!(ask(&endless[..64 * 1024])["refused"]["exit"], 64);
    process.stop().await;
    assert!(!socket.exists());
    std::fs::write(&socket, "no socket").unwrap();
    assert_eq!(world.syncline(&["ledger"]).exit, 0);
    world.end().await;
}
