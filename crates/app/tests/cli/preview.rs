//! `syncline dead-letters replay --preview`: what a replay would write, before and after what was wrong is mended; and what a
//! record says of values that stand in for its own.

use syncline_sandbox::sandbox::SandboxConfig;

use crate::world::World;

const PREVIEW: [&str; 4] = ["dead-letters", "replay", "--all-waiting", "--preview"];

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_tells_what_a_replay_then_does_and_changes_nothing() {
    let world = World::make(SandboxConfig::default()).await;
    let process = world.start().await;
    process.settle().await;
    let before = world.syncline(&["ledger", "--json"]).out;
    let online = world.syncline(&PREVIEW).told();
    insta::assert_snapshot!("preview_refused_again", online);
    let again = world.syncline(&[&PREVIEW[..], &["--json"]].concat()).json();
    assert_eq!((&again["letters"][0]["refused"]["code"], &again["letters"][1]["writes"][0]["refused"]["code"]), (&"unknown_operation".into(), &"required".into()));
    assert_eq!(world.syncline(&["ledger", "--json"]).out, before);
    process.stop().await;
    assert_eq!(world.syncline(&PREVIEW).told(), online);
    assert_eq!(world.syncline(&["ledger", "--json"]).out, before);

    // The mapping is mended: now the second letter's record can be written.
    world.extend("boundaries: { salesforce: { fillers: { Contact: { LastName: Unknown } } } }\n");
    let mended = world.syncline(&["dead-letters", "replay", "2", "--preview", "--values"]);
    insta::assert_snapshot!("preview_mended", mended.told());
    let process = world.start().await;
    assert_eq!(world.syncline(&["dead-letters", "replay", "2"]).exit, 0);
    process.settle().await;
    let record = world.syncline(&["records", "show", "contacts", "C1", "--json"]).json();
    assert_eq!((&record["links"][0]["state"], &record["links"][0]["attempts"][0]["operation"]), (&"clean".into(), &"create".into()));
    let ended = world.syncline(&["dead-letters", "replay", "2", "99", "--preview"]);
    assert!(ended.exit == 1 && ended.err.contains("dead letter 2 is replayed already") && ended.err.contains("there is no dead letter 99"), "{}", ended.err);
    assert_eq!(world.syncline(&["dead-letters", "replay", "1", "--values"]).exit, 64);
    process.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_tells_the_fields_from_old_to_new() {
    let world = World::make(SandboxConfig::default()).await;
    let process = world.start().await;
    process.settle().await;
    process.stop().await;
    // A Lead must have a name, and A1 loses hers; then the mapping says nothing of names any more.
    let mut events = std::fs::read_to_string(world.path().join("contacts.jsonl")).unwrap();
    events.push_str(r#"{"record":"contacts","operation":"update","timestamp":"2024-01-15T11:00:00Z","item":{"id":"A1","phone":"+1-555-000-0000","name":""}}"#);
    std::fs::write(world.path().join("contacts.jsonl"), events + "\n").unwrap();
    let process = world.start().await;
    process.settle().await;
    process.stop().await;
    let list = world.syncline(&["dead-letters", "list", "--json"]).json();
    assert_eq!(list["letters"].as_array().map(Vec::len), Some(3), "{list}");
    world.extend("boundaries: { salesforce: { fields: { email: { to: Email, authority: system_a }, phone: { to: Phone, authority: system_a } }, fillers: { Lead: { Company: x, LastName: x } } } }\n");
    insta::assert_snapshot!("preview_update", world.syncline(&["dead-letters", "replay", "3", "--preview", "--values"]).told());
    insta::assert_snapshot!("preview_update_hidden", world.syncline(&["dead-letters", "replay", "3", "--preview"]).told());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_tells_which_of_its_values_stand_in_for_others() {
    let world = World::make(SandboxConfig::default()).await;
    world.extend(
        "boundaries:\n  salesforce:\n    fillers: { Lead: { Company: x } }\n    fields:\n      name: { to: LastName, authority: system_a, default: Nobody }\n      \
         email: { to: Email, authority: system_a }\n      phone: { to: Phone, authority: system_a }\n",
    );
    let process = world.start().await;
    process.settle().await;
    let shown = world.syncline(&["records", "show", "contacts", "C1", "--json"]).json();
    let replaced = &shown["links"][0]["replaced"];
    assert_eq!((replaced[0]["row"].as_str(), replaced[0]["instead"].as_str()), (Some("name"), Some("default")), "{shown}");
    let words = world.syncline(&["records", "show", "contacts", "C1"]);
    assert!(words.out.contains("name by default"), "{}", words.out);
    process.stop().await;
    world.end().await;
}
