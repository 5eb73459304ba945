//! Every way to sign in to an org against the emulator: a token that expires in mid-run, rotation across a restart, and refusals.

use std::io::Write;
use std::path::Path;

use syncline_sandbox::exchange::System;
use syncline_sandbox::sandbox::SandboxConfig;

use crate::world::World;

const KEY: &str = include_str!("../../src/config/test_key.pem");
const PUBLIC: &str = include_str!("test_key.pub.pem");

/// Puts another way to sign in in place of the client credentials; its secrets are in files.
fn sign_in_by(world: &World, way: &str) {
    for (name, text) in [("secret", "sandbox-secret"), ("refresh", "sandbox-refresh-token"), ("key.pem", KEY)] {
        std::fs::write(world.path().join(name), text).unwrap();
    }
    let file = world.path().join("syncline.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, after) = text.split_once("auth: {").unwrap();
    let (_, after) = after.split_once("} }").unwrap();
    let way = way.replace("DIR", &world.path().display().to_string());
    std::fs::write(&file, format!("{before}auth: {{ {way} }}{after}")).unwrap();
}

const REFRESH: &str = "refresh_token: { client_id: sandbox-client, client_secret: \"file:DIR/secret\", refresh_token: \"file:DIR/refresh\" }";

/// Runs all events through and counts the tokens that were asked for.
async fn run(world: &World) {
    let process = world.start().await;
    process.settle().await;
    process.stop().await;
}

fn is_balanced(world: &World) -> bool {
    world.syncline(&["ledger", "--verify"]).exit == 0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_assertion_opens_the_org() {
    let mut settings = SandboxConfig::default();
    settings.salesforce.jwt_certificate = PUBLIC.to_owned();
    let world = World::make(settings).await;
    sign_in_by(&world, "jwt_bearer: { client_id: sandbox-client, username: integration@sandbox.example, key: \"file:DIR/key.pem\" }");
    run(&world).await;
    assert!(is_balanced(&world));
    let shown = world.syncline(&["records", "show", "contacts", "A1"]);
    assert!(shown.out.contains("00Q"), "the lead has its id: {}{}", shown.out, shown.err);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_for_another_audience_is_refused_with_its_remedy() {
    let mut settings = SandboxConfig::default();
    settings.salesforce.jwt_certificate = PUBLIC.to_owned();
    let world = World::make(settings).await;
    let way = "jwt_bearer: { client_id: sandbox-client, username: integration@sandbox.example, key: \"file:DIR/key.pem\", audience: https://nowhere.example }";
    sign_in_by(&world, way);
    let checked = world.syncline(&["check", "--live"]);
    assert_eq!(checked.exit, 77, "{}", checked.out);
    assert!(checked.out.contains("stop at systems.salesforce.auth") && checked.out.contains("set audience to"), "{}", checked.out);
    world.end().await;
}

/// Parts that the events come in.
const ROUNDS: usize = 10;

const CREATES: [(System, &str); 2] = [(System::Salesforce, "collection_upsert"), (System::HubSpot, "batch_upsert")];

/// Runs many events through a CRM that ends every token again and again; answers how many tokens the lane fetched in mid-run.
async fn run_with_ending_tokens(world: &World, system: System) -> u64 {
    let name = system.name();
    let made = world.syncline(&["generate", "--events", "400", "--seed", "11", "--out", "contacts.jsonl"]);
    assert_eq!(made.exit, 0, "{}", made.err);
    let configured = world.path().join("syncline.yaml");
    let text = std::fs::read_to_string(&configured).unwrap().replace("follow: false", "follow: true");
    std::fs::write(&configured, text + "dispatch: { batch_wait: 1ms }\n").unwrap();
    let rule = |operation: &str| format!("- on: {{system: {name}, operation: {operation}, every: 3}}\n  do: {{expire_tokens: true}}\n");
    let rules: String = CREATES.iter().filter(|(of, _)| *of == system).map(|(_, operation)| rule(operation)).collect();
    world.sandbox.lock().unwrap().set_faults(&rules).unwrap();
    let file = world.path().join("contacts.jsonl");
    let events = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = events.split_inclusive('\n').collect();
    std::fs::write(&file, "").unwrap();
    let process = world.start().await;
    // A round at a time, since one batch would take them all.
    for round in 1..=ROUNDS {
        let (from, count) = (lines.len() * (round - 1) / ROUNDS, lines.len() * round / ROUNDS);
        let mut appended = std::fs::OpenOptions::new().append(true).open(&file).unwrap();
        appended.write_all(lines[from..count].concat().as_bytes()).unwrap();
        while process.running.intake.lock().unwrap().offered < count as u64 || !process.running.is_quiet().await.unwrap() {
            tokio::task::yield_now().await;
        }
    }
    let lanes: Vec<_> = process.running.statuses.iter().map(|status| status.lock().unwrap().clone()).collect();
    process.stop().await;
    let ledger = world.syncline(&["ledger", "--verify", "--json"]).json();
    assert_eq!((&ledger["balanced"], ledger["dead_letters"]["created"].as_i64().unwrap_or(0)), (&true.into(), 0), "{ledger}");
    assert!(ledger["systems"].as_array().unwrap().iter().all(|system| system["open"] == 0), "{ledger}");
    let sandbox = world.sandbox.lock().unwrap();
    let of = |operation: &str| sandbox.counters().of(system, operation).requests;
    let fetched = lanes.iter().find(|lane| lane.system == name).unwrap().report.tokens;
    assert!(of("token") >= fetched && fetched >= 3, "{fetched} of {} tokens", of("token"));
    fetched
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_end_in_mid_run_are_renewed_and_the_run_ends_right() {
    for way in [
        "client_credentials: { id: sandbox-client, secret: \"file:DIR/secret\" }",
        "jwt_bearer: { client_id: sandbox-client, username: integration@sandbox.example, key: \"file:DIR/key.pem\" }",
    ] {
        let mut settings = SandboxConfig::default();
        settings.salesforce.jwt_certificate = PUBLIC.to_owned();
        let world = World::make(settings).await;
        sign_in_by(&world, way);
        run_with_ending_tokens(&world, System::Salesforce).await;
        world.end().await;
    }
}

/// Signs in to the portal by OAuth; its secrets are in files.
fn sign_in_by_oauth(world: &World) {
    for (name, text) in [("app-secret", "sandbox-app-secret"), ("portal-refresh", "eu1-sandbox-refresh-1")] {
        std::fs::write(world.path().join(name), text).unwrap();
    }
    let file = world.path().join("syncline.yaml");
    let dir = world.path().display();
    let oauth = format!("oauth: {{ client_id: sandbox-app, client_secret: \"file:{dir}/app-secret\", refresh_token: \"file:{dir}/portal-refresh\" }}");
    let text = std::fs::read_to_string(&file).unwrap().replace("token: \"${HUBSPOT_TOKEN}\"", &oauth);
    std::fs::write(&file, text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portals_token_that_ends_in_mid_run_is_renewed_and_its_refresh_token_kept_over_a_restart() {
    let mut settings = SandboxConfig::default();
    settings.hubspot.oauth.rotates_refresh_token = true;
    let world = World::make(settings).await;
    sign_in_by_oauth(&world);
    run_with_ending_tokens(&world, System::HubSpot).await;
    world.sandbox.lock().unwrap().set_faults("").unwrap();
    let kept = || std::fs::read_to_string(world.path().join("tokens/hubspot.json")).unwrap();
    let first = kept();
    assert!(!first.contains("eu1-sandbox-refresh-1"), "the configured token was replaced");
    // Only the kept token opens the account now.
    let process = world.start().await;
    while !process.running.is_quiet().await.unwrap() {
        tokio::task::yield_now().await;
    }
    process.stop().await;
    assert_ne!(kept(), first);
    let checked = world.syncline(&["check", "--live"]);
    assert_eq!(checked.exit, 0, "{}", checked.out);
    std::fs::remove_file(world.path().join("tokens/hubspot.json")).unwrap();
    let checked = world.syncline(&["check", "--live"]);
    assert_eq!(checked.exit, 77, "{}", checked.out);
    assert!(checked.out.contains("connect the account again"), "{}", checked.out);
    let text = std::fs::read_to_string(world.path().join("syncline.yaml")).unwrap();
    let (line, column) = text.lines().enumerate().find_map(|(line, text)| Some((line + 1, text.find("oauth:")? + 1))).unwrap();
    let place = format!("stop at systems.hubspot.oauth (syncline.yaml:{line}:{column})");
    assert!(checked.out.contains(&place), "{place}: {}", checked.out);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portals_token_is_renewed_before_its_end_by_the_clock() {
    let mut settings = SandboxConfig::default();
    settings.hubspot.oauth.access_token_seconds = 1;
    let world = World::make(settings).await;
    sign_in_by_oauth(&world);
    run(&world).await;
    assert!(is_balanced(&world));
    let tokens = world.sandbox.lock().unwrap().counters().of(System::HubSpot, "token").requests;
    assert!(tokens >= 1, "{tokens}");
    world.end().await;
}

fn kept(path: &Path) -> String {
    std::fs::read_to_string(path.join("tokens/salesforce.json")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_refresh_token_is_used_after_a_restart() {
    let mut settings = SandboxConfig::default();
    settings.salesforce.rotates_refresh_token = true;
    let world = World::make(settings).await;
    sign_in_by(&world, REFRESH);
    run(&world).await;
    let first = kept(world.path());
    assert!(!first.contains("sandbox-refresh-token"));
    // The configured token is dead by now; only its successor opens the org.
    let checked = world.syncline(&["check", "--live"]);
    assert_eq!(checked.exit, 0, "{}", checked.out);
    assert_ne!(kept(world.path()), first);
    run(&world).await;
    assert!(is_balanced(&world));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_refresh_token_stops_the_lane_alone() {
    let world = World::make(SandboxConfig::default()).await;
    sign_in_by(&world, REFRESH);
    std::fs::write(world.path().join("refresh"), "another-token").unwrap();
    let checked = world.syncline(&["check", "--live"]);
    assert_eq!(checked.exit, 77, "{}", checked.out);
    assert!(checked.out.contains("configure the new refresh token"), "{}", checked.out);
    assert!(checked.out.contains("account hubspot: 4400123"), "{}", checked.out);
    assert!(!checked.told().contains("another-token"));
    world.end().await;
}
