//! Every way to sign in to an org against the emulator: a token that expires in mid-run, rotation across a restart, and refusals.

use std::path::Path;

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
