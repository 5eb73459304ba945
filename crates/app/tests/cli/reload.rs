//! A running process takes another configuration whole or not at all, by SIGHUP and through the operators' socket.

use std::io::Write;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use syncline_sandbox::sandbox::SandboxConfig;

use crate::world::{Ended, World, binary, spawn, syncline};

/// Looks until something is so; every look takes as long as a command does.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    (0..2000).find_map(|_| look()).unwrap_or_else(|| panic!("it never came about that {what}"))
}

/// The binary, running.
struct Run<'w> {
    world: &'w World,
    child: Child,
}

impl<'w> Run<'w> {
    fn start(world: &'w World) -> Self {
        let mut command = binary(world.path());
        command.args(["run", "--log-format", "json", "--set", "systems.internal.follow=true"]);
        let log = std::fs::File::create(world.path().join("log")).unwrap();
        let run = Self { world, child: spawn(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log)) };
        until("the process answers", || run.ask(&["config", "show", "--json"]).filter(|shown| shown["is_running"] == true));
        run
    }

    fn ask(&self, args: &[&str]) -> Option<Value> {
        let ended = syncline(self.world.path(), args);
        serde_json::from_str(&ended.out).ok()
    }

    fn opened(&self) -> Value {
        let ledger = self.ask(&["ledger", "--json"]).unwrap();
        ledger["systems"].as_array().unwrap().iter().map(|system| system["opened"].clone()).collect()
    }

    fn offer(&self, item: &str) {
        let file = self.world.path().join("contacts.jsonl");
        let mut file = std::fs::OpenOptions::new().append(true).open(file).unwrap();
        writeln!(file, r#"{{"record":"contacts","operation":"update","timestamp":"2024-01-15T11:00:00Z","item":{item}}}"#).unwrap();
    }

    /// The systems in which a record is, and what each holds.
    fn links(&self, key: &str) -> Vec<(String, Value)> {
        let record = self.ask(&["records", "show", "contacts", key, "--json"]).unwrap_or_default();
        let links = record["links"].as_array().cloned().unwrap_or_default();
        links.into_iter().map(|link| (link["system"].as_str().unwrap().to_owned(), link)).collect()
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Stops it in order; its log.
    fn stop(mut self) -> Vec<String> {
        self.signal("TERM");
        let ended = self.child.wait().unwrap();
        let log = std::fs::read_to_string(self.world.path().join("log")).unwrap();
        assert_eq!(ended.code(), Some(0), "{log}");
        log.lines().map(str::to_owned).collect()
    }
}

fn file(world: &World) -> String {
    std::fs::read_to_string(world.path().join("syncline.yaml")).unwrap()
}

fn in_order(ended: &Ended) -> &str {
    assert_eq!(ended.exit, 0, "{}{}", ended.out, ended.err);
    &ended.out
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_set_holds_for_new_events_only_and_outlives_the_process() {
    let world = World::make(SandboxConfig::default()).await;
    world.extend("# Where they go.\nrouting:\n  lead: [salesforce]   # leads\n  customer: [hubspot]\n  employee: [salesforce]\n");
    let run = Run::start(&world);
    until("a lead is there", || run.links("A1").first().filter(|(_, link)| !link["external_id"].is_null()).map(drop));
    let before = run.opened();
    let set = world.syncline(&["config", "set", "routing.lead", "[hubspot]"]);
    assert_eq!(in_order(&set), "routing.lead[0]: salesforce -> hubspot\n");
    assert!(file(&world).contains("# Where they go.\nrouting:\n  lead: [hubspot]   # leads\n"), "{}", file(&world));
    assert_eq!(run.opened(), before, "nothing is made due");
    assert_eq!(run.links("A1").iter().map(|(system, _)| system.as_str()).collect::<Vec<_>>(), ["salesforce"]);
    run.offer(r#"{"id":"N1","name":"Nora New","contact":"lead"}"#);
    until("a new lead is where the new rule says", || run.links("N1").iter().find(|(system, link)| system == "hubspot" && !link["external_id"].is_null()).map(drop));
    run.offer(r#"{"id":"A1","name":"Alice Meets"}"#);
    until("the old lead meets it at its own next event", || run.links("A1").iter().find(|(system, link)| system == "hubspot" && !link["external_id"].is_null()).map(drop));
    in_order(&world.syncline(&["config", "set", "boundaries.hubspot.fields", "{ name: { to: lastname, authority: system_a } }"]));
    run.offer(r#"{"id":"M1","name":"Mia Mapped","contact":"customer"}"#);
    let base = until("a new mapping holds", || run.links("M1").into_iter().find(|(_, link)| !link["external_id"].is_null())).1;
    assert!(base.to_string().contains("Mia Mapped"), "one field takes the whole name: {base}");
    let log = run.stop();
    assert_eq!(log.iter().filter(|line| line.contains("another configuration is in force")).count(), 2, "{log:?}");
    let history = world.syncline(&["config", "history", "--json"]).json();
    let causes: Vec<_> = history["entries"].as_array().unwrap().iter().map(|entry| entry["cause"].as_str().unwrap()).collect();
    assert_eq!(causes, ["set", "set", "start"]);
    let again = Run::start(&world);
    assert_eq!(again.ask(&["config", "history", "--json"]).unwrap()["entries"].as_array().unwrap().len(), 3, "a start with the same is no change");
    again.stop();
    assert_eq!(world.syncline(&["ledger", "--verify"]).exit, 0);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_changes_nothing_and_is_said_everywhere() {
    let world = World::make(SandboxConfig::default()).await;
    let run = Run::start(&world);
    let whole = file(&world);
    let masked = |text: &str| text.replace(&world.path().display().to_string(), "DIR").replace(&world.addresses()[0], "SALESFORCE").replace(&world.addresses()[1], "HUBSPOT");
    for (name, path, value) in [
        ("fault", "dispatch.retry.max", "soon"),
        ("start", "store", "sqlite:other.db"),
        ("secret", "systems.hubspot.token", "pat-in-plain-text"),
        ("overridden", "systems.internal.follow", "false"),
        ("path", "routing..lead", "[]"),
    ] {
        let set = world.syncline(&["config", "set", path, value]);
        assert_eq!((set.exit, file(&world)), (78, whole.clone()), "{}{}", set.out, set.err);
        assert!(!set.err.contains("pat-in-plain"));
        let told = masked(&set.err);
        // The line that is shown holds addresses, whose length differs from run to run.
        let told: Vec<&str> = told.lines().filter(|line| !line.contains('|')).collect();
        insta::assert_snapshot!(format!("reload_refused_{name}"), told.join("\n"));
    }
    std::fs::write(world.path().join("syncline.yaml"), format!("{whole}routng: default\nlog: warn\n")).unwrap();
    run.signal("HUP");
    let refused = until("the refusal is told", || {
        let shown = run.ask(&["config", "show", "--json", "--data", &world.path().display().to_string()])?;
        (shown["refused"]["faults"][0]["path"] == "routng").then_some(shown)
    });
    assert!(!refused["text"].as_str().unwrap().contains("warn"), "the former one is in force");
    let directory = world.path().display().to_string();
    let doctor = world.syncline(&["doctor", "--data", &directory]);
    assert!(doctor.exit == 1 && doctor.out.contains("another configuration is refused") && doctor.out.contains("routng [SYN-1003]"), "{}{}", doctor.out, doctor.err);
    let reload = world.syncline(&["config", "reload"]);
    assert!(reload.exit == 78 && reload.err.contains("syncline.yaml:") && reload.err.contains("nothing was changed"), "{}", reload.err);
    std::fs::write(world.path().join("syncline.yaml"), format!("{whole}log: warn\n")).unwrap();
    run.signal("HUP");
    until("the mended one is in force", || run.ask(&["config", "get", "log", "--json"]).filter(|got| got["values"][0]["value"] == "warn"));
    assert_eq!(run.ask(&["config", "show", "--json"]).unwrap()["refused"], Value::Null);
    assert_eq!(in_order(&world.syncline(&["config", "reload"])), "nothing differs\n");
    let shown = world.syncline(&["config", "history", "--limit", "1"]);
    assert!(shown.out.contains("reload by SIGHUP") && shown.out.contains("   log: (default) -> warn\n"), "{}", shown.out);
    let log = run.stop();
    assert!(log.iter().any(|line| line.contains("another configuration is refused") && line.contains("\"path\":\"routng\"")), "{log:?}");
    assert!(!log.iter().any(|line| line.contains("nothing differs")), "the level changes at once: {log:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_process_the_file_alone_is_shown_and_changed() {
    let world = World::make(SandboxConfig::default()).await;
    let got = world.syncline(&["config", "get", "systems.hubspot.token", "--set", "log=warn"]);
    assert!(in_order(&got).contains("${HUBSPOT_TOKEN}") && got.out.contains("syncline.yaml:5:"), "{}", got.out);
    let got = world.syncline(&["config", "get", "dispatch.retry"]);
    assert_eq!(in_order(&got), "dispatch.retry.base    1s   default\ndispatch.retry.max     5m   default\ndispatch.retry.budget  72h  default\n");
    assert_eq!(world.syncline(&["config", "get", "dispatch.retri"]).exit, 66);
    assert_eq!(world.syncline(&["config", "reload"]).exit, 66);
    assert_eq!(world.syncline(&["config", "history"]).exit, 66, "there is no store yet");
    let set = world.syncline(&["config", "set", "dispatch.batch_wait", "1s"]);
    assert_eq!(in_order(&set), "dispatch.batch_wait: (default) -> 1s\n");
    assert!(file(&world).ends_with("dispatch: { batch_wait: 1s }\n"));
    let process = world.start().await;
    process.settle().await;
    process.stop().await;
    in_order(&world.syncline(&["config", "set", "dispatch.batch_wait", "3s"]));
    let history = world.syncline(&["config", "history", "--json"]).json();
    assert_eq!((history["entries"][0]["cause"].as_str(), history["entries"][0]["number"].as_u64()), (Some("set"), Some(1)));
    world.end().await;
}
