//! Values and secrets that must not be seen: planted in every field and credential, and looked for in all that a run says.
//!
//! Promises: at `info` no value and no secret is in logs, metrics or what operators' lists print; at `debug` no secret is.
//! Leaves to others: commands whose purpose is to show values (`records show`, `events trace`, `dead-letters show`).

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use syncline_sandbox::sandbox::SandboxConfig;

use crate::world::{World, binary, spawn};

/// A word that stands in every planted value.
const VALUE: &str = "canaryvalue";
/// The secrets of the emulated CRMs, and what begins every token that Salesforce gives out.
const SECRETS: [&str; 3] = ["sandbox-secret", "pat-sandbox-1", "00D5g000004Kp7Q!"];

/// Two good records, one that the CRM's field is too short for, one with a bad e-mail, and a line that is no event.
fn events() -> String {
    let event = |key: &str, contact: &str, name: &str, email: &str| {
        format!(
            r#"{{"record":"contacts","operation":"create","timestamp":"2024-01-15T10:30:00Z","item":{{"id":"{key}","name":"{name}","email":"{email}","phone":"+1 {VALUE}","contact":"{contact}"}}}}"#
        )
    };
    let good = format!("{VALUE}@example.com");
    let lines = [
        event("A1", "lead", &format!("Ann {VALUE}"), &good),
        event("B1", "customer", &format!("Bo {VALUE}"), &format!("b{good}")),
        event("C1", "employee", &VALUE.repeat(20), &format!("c{good}")),
        event("D1", "lead", "Dee", &format!("{VALUE} at home")),
        format!("{VALUE} is no event"),
    ];
    lines.join("\n") + "\n"
}

fn scrape(address: &str) -> String {
    let mut text = String::new();
    if let Ok(mut stream) = TcpStream::connect(address) {
        stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
        // An answer that breaks off is asked for again.
        let _ = stream.read_to_string(&mut text);
    }
    text
}

/// Runs the product over the planted values until all is settled; answers what it logged, and what was asked of it meanwhile.
async fn run(level: &str) -> (String, String) {
    let world = World::make(SandboxConfig::default()).await;
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let config = world.path().join("syncline.yaml");
    let text = std::fs::read_to_string(&config).unwrap().replace("follow: false", "follow: true");
    std::fs::write(&config, text).unwrap();
    world.extend(&format!("api: {{ listen: \"{address}\" }}\nlog: {level}\n"));
    std::fs::write(world.path().join("contacts.jsonl"), events()).unwrap();
    let mut command = binary(world.path());
    // Files, because nobody reads while the process runs, and a pipe that is full would stop it.
    let [out, err] = ["run.out", "run.err"].map(|name| world.path().join(name));
    let [to_out, to_err] = [&out, &err].map(|path| std::fs::File::create(path).unwrap());
    command.args(["run", "--log-format", "json"]).stdin(Stdio::null()).stdout(to_out).stderr(to_err);
    let mut child = spawn(&mut command);
    let done = [
        "syncline_dead_letters 3.0",
        "syncline_events_terminal_total{connection=\"hubspot\",outcome=\"applied\"} 1.0",
        "syncline_end_to_end_latency_seconds_count{connection=\"hubspot\"} 1\n",
        "syncline_stage_duration_seconds_count{connection=\"hubspot\",stage=\"dispatch\"} 1\n",
        "syncline_dispatch_batch_records_bucket{le=\"1.0\",connection=\"hubspot\"} 1\n",
        "syncline_dispatch_request_duration_seconds_count{connection=\"hubspot\",operation=\"create\"} 1\n",
    ];
    let metrics = loop {
        let metrics = scrape(&address);
        if done.iter().all(|line| metrics.contains(line)) {
            break metrics;
        }
        tokio::task::yield_now().await;
    };
    let asked = [
        &["events", "list", "--json"][..],
        &["dead-letters", "list"],
        &["dead-letters", "list", "--by-cause", "--json"],
        &["ledger", "--verify", "--json"],
        &["quota", "--json"],
        &["doctor", "--json"],
        &["doctor", "--out", "bundle.json"],
    ];
    let asked: String = asked.iter().map(|args| world.syncline(args).told()).collect();
    let bundle = std::fs::read_to_string(world.path().join("bundle.json")).unwrap();
    assert!(bundle.contains("\"dead_letters\"") && bundle.contains("salesforce"), "{bundle}");
    let asked = asked + &bundle;
    let shown = world.syncline(&["records", "show", "contacts", "A1"]).told();
    assert!(shown.contains(VALUE), "the planted values are there to be seen: {shown}");
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    child.wait().unwrap();
    let logged = std::fs::read_to_string(err).unwrap() + &std::fs::read_to_string(out).unwrap();
    world.end().await;
    (logged, metrics + &asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_value_and_no_secret_is_said_at_info() {
    let (logged, asked) = run("info").await;
    assert!(logged.contains("takes callers") && asked.contains("too_long"), "{logged}{asked}");
    for word in SECRETS.iter().chain(&[VALUE]) {
        assert!(!logged.contains(word), "{word} in the log:\n{logged}");
        assert!(!asked.contains(word), "{word} in an answer:\n{asked}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_said_at_debug() {
    let (logged, asked) = run("debug").await;
    for word in SECRETS {
        assert!(!logged.contains(word), "{word} in the log");
        assert!(!asked.contains(word), "{word} in an answer");
    }
}
