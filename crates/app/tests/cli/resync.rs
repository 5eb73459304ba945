//! `syncline resync`: a change of routes reaches records that are known already, over the store and through a running process.

use syncline_sandbox::sandbox::SandboxConfig;

use crate::world::World;

fn needs(json: &serde_json::Value) -> Vec<String> {
    let words = |need: &serde_json::Value| {
        let of = |key: &str| need[key].as_str().unwrap().to_owned();
        format!("{} {} {} {}", of("system"), of("object"), of("need"), need["records"])
    };
    json["needs"].as_array().unwrap().iter().map(words).collect()
}

/// (system, state, operations of the attempts) of every link of a record.
fn links(world: &World, key: &str) -> Vec<(String, String, Vec<String>)> {
    let record = world.syncline(&["records", "show", "contacts", key, "--json"]).json();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let link = |link: &serde_json::Value| {
        let attempts = link["attempts"].as_array().unwrap().iter().map(|attempt| text(&attempt["operation"])).collect();
        (text(&link["system"]), text(&link["external_id"]), attempts)
    };
    record["links"].as_array().unwrap().iter().map(link).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn known_records_follow_a_change_of_routes_when_they_are_told_to() {
    let world = World::make(SandboxConfig::default()).await;
    let process = world.start().await;
    process.settle().await;
    let nothing = world.syncline(&["resync", "--dry-run"]);
    assert_eq!((nothing.exit, nothing.out.lines().last()), (0, Some("nothing is to be written")), "{}", nothing.err);
    process.stop().await;

    world.extend("routing: hubspot_only\n");
    let priced = world.syncline(&["resync", "--dry-run"]);
    assert_eq!(priced.exit, 0);
    insta::assert_snapshot!("resync_dry_run", priced.told());
    let unasked = world.syncline(&["resync"]);
    assert_eq!(unasked.exit, 64, "{}", unasked.told());
    assert!(unasked.err.contains("add --yes, or --dry-run"));
    let fused = world.syncline(&["resync", "--yes", "--max-removals", "0"]);
    assert_eq!(fused.exit, 75, "{}", fused.told());
    assert!(fused.err.contains("--max-removals 1"), "{}", fused.err);
    let before = world.syncline(&["ledger", "--json"]).json();
    assert_eq!(before["systems"][0]["opened"]["resync"], 0, "{before}");

    let opened = world.syncline(&["resync", "--yes", "--json"]).json();
    assert_eq!((opened["outcome"].as_str(), opened["opened"].as_u64()), (Some("opened"), Some(3)));
    assert_eq!(needs(&opened), ["hubspot contacts create 2", "salesforce Lead leave 1"]);
    let again = world.syncline(&["resync", "--yes", "--json"]).json();
    assert_eq!((again["outcome"].as_str(), again["due_already"].as_u64()), (Some("nothing_to_do"), Some(4)), "{again}");

    let process = world.start().await;
    process.settle().await;
    let moved = links(&world, "A1");
    let of = |system: &str| moved.iter().find(|link| link.0 == system).cloned().unwrap();
    assert_eq!((of("salesforce").1.as_str(), of("salesforce").2.first().map(String::as_str)), ("", Some("delete")), "{moved:?}");
    assert!(!of("hubspot").1.is_empty(), "{moved:?}");

    let forced = world.syncline(&["resync", "--key", "A1", "--force", "--yes", "--json"]).json();
    assert_eq!(needs(&forced), ["hubspot contacts update 1"]);
    process.settle().await;
    assert_eq!(links(&world, "A1").iter().find(|link| link.0 == "hubspot").unwrap().2, ["update", "create"]);
    assert_eq!(needs(&world.syncline(&["resync", "--key", "A1", "--yes", "--json"]).json()), Vec::<String>::new(), "what is forced is forced once");
    let ledger = world.syncline(&["ledger", "--verify", "--json"]);
    assert_eq!(ledger.exit, 0, "{}", ledger.told());
    process.stop().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_named_with_what_does() {
    let world = World::make(SandboxConfig::default()).await;
    let process = world.start().await;
    process.settle().await;
    for (args, expected) in [
        (&["resync", "--system", "salesfroce", "--yes"][..], "did you mean salesforce?"),
        (&["resync", "--system", "internal", "--yes"], "there are salesforce, hubspot"),
        (&["resync", "--type", "contact", "--yes"], "did you mean contacts?"),
    ] {
        let refused = world.syncline(args);
        assert_eq!(refused.exit, 1, "{}", refused.told());
        assert!(refused.err.contains(expected), "{}", refused.err);
    }
    process.stop().await;
    world.end().await;
}
