//! A schema that changes over there while a machine runs: one object stands still with its remedy, the rest goes on, and once it is
//! mended and resumed nothing was lost.

use syncline::run::Running;
use syncline_sandbox::sandbox::SandboxConfig;

use crate::world::{Process, World};

/// A world whose file of events is followed, with these boundaries.
async fn world(settings: SandboxConfig, boundaries: &str) -> World {
    let world = World::make(settings).await;
    let file = world.path().join("syncline.yaml");
    let text = std::fs::read_to_string(&file).unwrap().replace("follow: false", "follow: true");
    std::fs::write(file, text + boundaries).unwrap();
    std::fs::write(world.path().join("contacts.jsonl"), "").unwrap();
    world
}

/// Writes events of these contacts behind those that are there: key, contact type and phone.
fn happen(world: &World, contacts: &[(&str, &str, &str)]) {
    let file = world.path().join("contacts.jsonl");
    let mut text = std::fs::read_to_string(&file).unwrap();
    for (key, contact, phone) in contacts {
        let item = format!(r#"{{"id":"{key}","name":"Ann {key}","contact":"{contact}","phone":"{phone}"}}"#);
        text += &format!("{{\"record\":\"contacts\",\"operation\":\"create\",\"timestamp\":\"2024-01-15T10:30:00Z\",\"item\":{item}}}\n");
    }
    std::fs::write(file, text).unwrap();
}

/// Lets the machine go on until that is so.
async fn until(process: &Process, what: impl Fn(&Running) -> bool) {
    while !what(&process.running) {
        tokio::task::yield_now().await;
    }
}

fn paused(running: &Running, system: &str) -> Vec<(String, String)> {
    let lanes = running.statuses.iter().map(|status| status.lock().unwrap().clone());
    lanes.filter(|lane| lane.system == system).flat_map(|lane| lane.paused).collect()
}

/// What the ledger says was applied to a system.
fn applied(world: &World, system: &str) -> i64 {
    let ledger = world.syncline(&["ledger", "--json"]).json();
    let systems = ledger["systems"].as_array().unwrap();
    let account = systems.iter().find(|account| account["system"] == system);
    account.and_then(|account| account["closed"]["applied"].as_i64()).unwrap_or(0)
}

async fn until_applied(world: &World, system: &str, count: i64) {
    while applied(world, system) < count {
        tokio::task::yield_now().await;
    }
}

/// Asks an emulated CRM as an administrator of it does.
async fn ask(method: reqwest::Method, url: String, token: &str, body: &str) -> (u16, serde_json::Value) {
    let request = reqwest::Client::new().request(method, url).bearer_auth(token).header("content-type", "application/json");
    let answer = request.body(body.to_owned()).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_property_that_goes_away_stops_its_object_until_it_is_back() {
    let world = world(SandboxConfig::default(), "boundaries:\n  hubspot:\n    fields:\n      phone: { to: nickname, authority: system_a }\n").await;
    assert_eq!(world.syncline(&["setup", "hubspot", "--yes"]).exit, 0);
    let process = world.start().await;
    happen(&world, &[("B1", "customer", "+15550001")]);
    until_applied(&world, "hubspot", 1).await;
    let property = format!("http://{}/crm/v3/properties/contacts/nickname", world.addresses()[1]);
    assert_eq!(ask(reqwest::Method::DELETE, property, "pat-sandbox-1", "").await.0, 204);

    happen(&world, &[("B2", "customer", "+15550002"), ("A2", "lead", "+15550003")]);
    until(&process, |running| !paused(running, "hubspot").is_empty()).await;
    until_applied(&world, "salesforce", 1).await;
    while !process.running.is_quiet().await.unwrap() {
        tokio::task::yield_now().await;
    }
    let (scope, reason) = paused(&process.running, "hubspot").remove(0);
    assert_eq!(scope, "writes to contacts");
    assert!(reason.contains("nickname") && reason.contains("create the property"), "{reason}");
    assert_eq!(paused(&process.running, "salesforce"), []);
    let shown = world.syncline(&["records", "show", "contacts", "B2"]);
    assert!(shown.out.contains("writes to contacts stand still"), "{}", shown.out);
    let quota = world.syncline(&["quota", "--json"]).json();
    assert_eq!(quota["systems"][1]["paused"][0]["code"], "SYN-5103", "{quota}");

    let refused = world.syncline(&["resume", "hubspot"]);
    assert_eq!(refused.exit, 1, "{}{}", refused.out, refused.err);
    assert!(refused.out.contains("contacts does not fit the mapping: nickname not found (create nickname"), "{}", refused.out);
    happen(&world, &[("B3", "customer", "+15550004")]);

    assert_eq!(world.syncline(&["setup", "hubspot", "--yes"]).exit, 0);
    let resumed = world.syncline(&["resume", "hubspot"]);
    assert_eq!(resumed.exit, 0, "{}{}", resumed.out, resumed.err);
    assert!(resumed.out.starts_with("hubspot: writes to contacts go on"), "{}", resumed.out);
    until_applied(&world, "hubspot", 3).await;
    for (key, phone) in [("B2", "+15550002"), ("B3", "+15550004")] {
        let url = format!("http://{}/crm/v3/objects/contacts/{key}?idProperty=syncline_id&properties=nickname", world.addresses()[1]);
        let (status, found) = ask(reqwest::Method::GET, url, "pat-sandbox-1", "").await;
        assert_eq!((status, found["properties"]["nickname"].as_str()), (200, Some(phone)), "{found}");
    }
    process.stop().await;
    let ledger = world.syncline(&["ledger", "--verify", "--json"]).json();
    assert_eq!((&ledger["balanced"], ledger["dead_letters"]["created"].as_i64().unwrap_or(0)), (&true.into(), 0), "{ledger}");
    world.end().await;
}

/// A token of the org, and a query's rows.
async fn administer(org: &str) -> String {
    let form = "grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret";
    let client = reqwest::Client::new().post(format!("http://{org}/services/oauth2/token")).header("content-type", "application/x-www-form-urlencoded");
    let answer = client.body(form).send().await.unwrap().bytes().await.unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_taken_away_stops_leads_and_contacts_go_on() {
    let boundaries = "boundaries:\n  salesforce:\n    fields:\n      name: { to: [FirstName, LastName], codec: split_name, authority: system_a }\n      phone: { to: Direct_Line__c, authority: system_a }\nrouting: salesforce_only\ndispatch: { schema_check: 1s }\n";
    let world = world(SandboxConfig::default(), boundaries).await;
    let set_up = world.syncline(&["setup", "salesforce", "--yes"]);
    assert_eq!(set_up.exit, 0, "{}{}", set_up.out, set_up.err);
    let process = world.start().await;
    happen(&world, &[("A1", "lead", "+15550001"), ("B1", "customer", "+15550002")]);
    until_applied(&world, "salesforce", 2).await;

    let org = &world.addresses()[0];
    let token = administer(org).await;
    let query = "SELECT+Id,ParentId+FROM+FieldPermissions+WHERE+Field='Lead.Direct_Line__c'";
    let (_, found) = ask(reqwest::Method::GET, format!("http://{org}/services/data/v60.0/query?q={query}"), &token, "").await;
    let grant = &found["records"][0];
    let row = format!("http://{org}/services/data/v60.0/sobjects/FieldPermissions/{}", grant["Id"].as_str().unwrap());
    assert_eq!(ask(reqwest::Method::DELETE, row, &token, "").await.0, 204);

    // Nothing is written meanwhile: a look notices it.
    until(&process, |running| !paused(running, "salesforce").is_empty()).await;
    let (scope, reason) = paused(&process.running, "salesforce").remove(0);
    assert_eq!(scope, "writes to Lead");
    assert!(reason.contains("Lead.Direct_Line__c not found"), "{reason}");
    happen(&world, &[("A2", "lead", "+15550003"), ("B2", "customer", "+15550004")]);
    until_applied(&world, "salesforce", 3).await;

    let again = world.syncline(&["setup", "salesforce", "--yes"]);
    assert!(again.out.contains("created: read and edit access to Lead.Direct_Line__c"), "{}{}", again.out, again.err);
    let resumed = world.syncline(&["resume", "salesforce"]);
    assert_eq!(resumed.exit, 0, "{}{}", resumed.out, resumed.err);
    until_applied(&world, "salesforce", 4).await;
    process.stop().await;
    let ledger = world.syncline(&["ledger", "--verify", "--json"]).json();
    assert_eq!((&ledger["balanced"], ledger["dead_letters"]["created"].as_i64().unwrap_or(0)), (&true.into(), 0), "{ledger}");
    world.end().await;
}
