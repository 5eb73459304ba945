//! Golden answers: the whole answer of every kind of call and of every kind of error, one file per part of the interface.
//!
//! Promises: times and ids are arguments, so a file changes only when an answer does.

use serde_json::{Value, json};

use super::super::{FAULT_BODIES, HubSpotConfig, Switches};
use super::{CONTACTS, Stage, request};
use crate::crm::Crm;
use crate::exchange::Response;

const PROPERTIES: &str = "/crm/v3/properties/contacts";
const COMPANIES: &str = "/crm/v3/objects/companies";
const ADA: u64 = 88_012_345_601;

/// One answer as text: status, headers but those of limits, body in lines.
fn text(what: &str, response: &Response) -> String {
    let headers = response.headers.iter().filter(|(name, _)| !name.starts_with("X-HubSpot-RateLimit") && name != "x-hubspot-correlation-id");
    let headers: String = headers.map(|(name, value)| format!("{name}: {value}\n")).collect();
    let body = serde_json::from_slice::<Value>(&response.body);
    let body = body.map_or_else(|_| String::from_utf8_lossy(&response.body).into_owned(), |body| format!("{body:#}"));
    format!("> {what}\n{}\n{headers}{body}\n", response.status)
}

fn tell(stage: &mut Stage, calls: &[(&str, String, Value)]) -> String {
    let mut all = Vec::new();
    for (method, target, body) in calls {
        let response = stage.send(method, target, body);
        let sent = if body.is_null() { String::new() } else { format!(" {body}") };
        all.push(text(&format!("{method} {target}{sent}"), &response));
        stage.now += 1_000;
    }
    all.join("\n")
}

fn properties(properties: Value) -> Value {
    json!({"properties": properties})
}

#[test]
fn contacts_shapes() {
    let mut stage = Stage::new();
    let calls = [
        ("POST", CONTACTS.to_owned(), properties(json!({"email": "Ada@Acme.example", "firstname": "Ada", "lastname": "Byron"}))),
        ("GET", format!("{CONTACTS}/{ADA}"), Value::Null),
        ("GET", format!("{CONTACTS}/ada@acme.example?idProperty=email&properties=city"), Value::Null),
        ("PATCH", format!("{CONTACTS}/{ADA}"), properties(json!({"lifecyclestage": "customer", "city": "Ulm"}))),
        ("PATCH", format!("{CONTACTS}/{ADA}"), properties(json!({"city": ""}))),
        ("GET", format!("{CONTACTS}/{ADA}?propertiesWithHistory=city,lifecyclestage,hs_object_id,phone,nosuch"), Value::Null),
        ("POST", CONTACTS.to_owned(), properties(json!({"lastname": "Cole"}))),
        ("GET", format!("{CONTACTS}?limit=1"), Value::Null),
        ("GET", format!("{CONTACTS}?limit=51&propertiesWithHistory=city"), Value::Null),
        ("DELETE", format!("{CONTACTS}/{ADA}"), Value::Null),
        ("GET", format!("{CONTACTS}/{ADA}?archived=true"), Value::Null),
    ];
    insta::assert_snapshot!(tell(&mut stage, &calls));
}

#[test]
fn contacts_error_shapes() {
    let mut stage = Stage::with(HubSpotConfig { required_properties: vec!["firstname".to_owned()], ..HubSpotConfig::default() });
    stage.contact(&json!({"email": "ada@acme.example", "syncline_id": "A-1"}));
    let calls = [
        ("POST", CONTACTS.to_owned(), json!({})),
        ("POST", CONTACTS.to_owned(), properties(json!({"email": "Ada@acme.example"}))),
        ("POST", CONTACTS.to_owned(), properties(json!({"email": "a@b.con", "favcolor": "x", "hs_lead_status": "Nice", "hs_object_id": "1"}))),
        ("POST", CONTACTS.to_owned(), properties(json!({"syncline_id": "A-1"}))),
        ("POST", "/crm/objects/2026-09/contacts".to_owned(), properties(json!({"email": "new@acme.example"}))),
        ("PATCH", format!("/crm/objects/2026-09/contacts/{ADA}"), properties(json!({"firstname": ""}))),
        ("GET", format!("{CONTACTS}/{ADA}?archived=true"), Value::Null),
        ("GET", format!("{CONTACTS}/7"), Value::Null),
        ("GET", format!("{CONTACTS}/nobody@x.example"), Value::Null),
        ("GET", format!("{CONTACTS}/x?idProperty=city"), Value::Null),
        ("PUT", format!("{CONTACTS}/{ADA}"), json!({})),
        ("GET", "/crm/v3/objects/butterflies".to_owned(), Value::Null),
    ];
    insta::assert_snapshot!(tell(&mut stage, &calls));
}

#[test]
fn batch_shapes() {
    let mut stage = Stage::new();
    let row = |id: &str, first: &str| json!({"id": id, "idProperty": "syncline_id", "objectWriteTraceId": id, "properties": {"syncline_id": id, "firstname": first}});
    let bad = json!({"id": "A-3", "idProperty": "syncline_id", "objectWriteTraceId": "A-3", "properties": {"syncline_id": "A-3", "email": "nonsense"}});
    let batch = |verb: &str| format!("{CONTACTS}/batch/{verb}");
    let calls = [
        ("POST", batch("upsert"), json!({"inputs": [row("A-1", "Ada"), row("A-2", "Bob"), bad]})),
        ("POST", batch("create"), json!({"inputs": [{"properties": {"email": "c@acme.example"}}]})),
        ("POST", batch("update"), json!({"inputs": [{"id": "7", "properties": {"city": "Ulm"}}, {"id": ADA, "properties": {"city": "Ulm"}}]})),
        ("POST", batch("read"), json!({"inputs": [{"id": ADA}, {"id": "8"}], "properties": ["city"], "propertiesWithHistory": ["city"]})),
        ("POST", batch("update"), json!({"inputs": [{"id": ADA, "properties": {}}, {"id": ADA, "properties": {}}]})),
        ("POST", batch("create"), json!({"inputs": [{"properties": {"email": "c@acme.example"}}, {"properties": {"email": "d@acme.example"}}]})),
        ("POST", batch("archive"), json!({"inputs": [{"id": ADA}]})),
    ];
    insta::assert_snapshot!(tell(&mut stage, &calls));
}

#[test]
fn search_shapes() {
    let mut stage = Stage::new();
    for email in ["a@acme.example", "b@acme.example"] {
        stage.contact(&json!({"email": email}));
    }
    let filter = |property: &str, operator: &str| json!({"filters": [{"propertyName": property, "operator": operator, "value": "a@acme.example"}]});
    let search = || format!("{CONTACTS}/search");
    let calls = [
        ("POST", search(), json!({"limit": 1, "properties": ["email"]})),
        ("POST", search(), json!({"filterGroups": [filter("email", "EQ")]})),
        ("POST", search(), json!({"filterGroups": vec![filter("email", "EQ"); 6]})),
        ("POST", search(), json!({"filterGroups": [filter("nosuch", "EQ")]})),
        ("POST", search(), json!({"after": "10001"})),
    ];
    insta::assert_snapshot!(tell(&mut stage, &calls));
}

#[test]
fn properties_shapes() {
    let mut stage = Stage::with(HubSpotConfig { properties_in_use: vec!["tier".to_owned()], ..HubSpotConfig::default() });
    let tier = json!({"name": "tier", "label": "Tier", "type": "enumeration", "fieldType": "select", "groupName": "contactinformation",
                      "options": [{"label": "Gold", "value": "gold"}]});
    let calls = [
        ("POST", PROPERTIES.to_owned(), tier.clone()),
        ("POST", PROPERTIES.to_owned(), tier),
        ("POST", PROPERTIES.to_owned(), json!({"name": "Bad Name", "label": "x", "type": "string", "fieldType": "text", "groupName": "contactinformation"})),
        ("POST", PROPERTIES.to_owned(), json!({"name": "lost", "label": "x", "type": "string", "fieldType": "text", "groupName": "nosuch"})),
        ("GET", format!("{PROPERTIES}/email"), Value::Null),
        ("GET", format!("{PROPERTIES}/nosuch"), Value::Null),
        ("PATCH", format!("{PROPERTIES}/tier"), json!({"label": "Level"})),
        ("DELETE", format!("{PROPERTIES}/tier"), Value::Null),
        ("DELETE", format!("{PROPERTIES}/email"), Value::Null),
        ("POST", format!("{PROPERTIES}/batch/read"), json!({"inputs": [{"name": "tier"}]})),
        ("POST", format!("{PROPERTIES}/groups"), json!({"name": "sync", "label": "Sync"})),
        ("GET", format!("{PROPERTIES}/groups"), Value::Null),
        ("GET", format!("{PROPERTIES}/groups/nosuch"), Value::Null),
    ];
    insta::assert_snapshot!(tell(&mut stage, &calls));
}

#[test]
fn companies_shapes() {
    let mut stage = Stage::new();
    let ada = stage.contact(&json!({"email": "ada@acme.example"}));
    let company = ADA + 1;
    let linked = json!({"filterGroups": [{"filters": [{"propertyName": "associations.company", "operator": "EQ", "value": company.to_string()}]}]});
    let link = format!("/crm/v4/objects/contacts/{ada}/associations");
    let calls = [
        ("POST", COMPANIES.to_owned(), properties(json!({"name": "Acme", "domain": "acme.example"}))),
        ("POST", COMPANIES.to_owned(), properties(json!({"nosuch": "x", "createdate": "1"}))),
        ("PATCH", format!("{COMPANIES}/{company}"), properties(json!({"city": "Ulm"}))),
        ("POST", format!("{COMPANIES}/search"), json!({"filters": [{"propertyName": "domain", "operator": "EQ", "value": "ACME.example"}]})),
        ("PUT", format!("{link}/default/companies/{company}"), Value::Null),
        ("PUT", format!("{link}/companies/{company}"), json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}])),
        ("PUT", format!("{link}/companies/{company}"), json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 2}])),
        ("GET", format!("{link}/companies"), Value::Null),
        ("GET", format!("{CONTACTS}/{ada}?associations=companies"), Value::Null),
        ("POST", format!("{CONTACTS}/search"), linked),
        ("GET", "/crm/v4/associations/contacts/companies/labels".to_owned(), Value::Null),
        ("POST", "/crm/v4/associations/contacts/companies/batch/read".to_owned(), json!({"inputs": [{"id": ada}, {"id": "7"}]})),
        ("POST", format!("{CONTACTS}/batch/create"), json!({"inputs": [{"properties": {"email": "c@acme.example"}, "associations": [{"to": {"id": company}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]}]}]})),
        ("POST", format!("{CONTACTS}/batch/create"), json!({"inputs": [{"properties": {"email": "d@acme.example"}, "associations": [{"to": {"id": "7"}, "types": []}]}]})),
        ("GET", format!("/crm/v4/objects/companies/{company}/associations/contacts"), Value::Null),
        ("DELETE", format!("{COMPANIES}/{company}"), Value::Null),
        ("GET", format!("{COMPANIES}/{company}"), Value::Null),
        ("GET", format!("{COMPANIES}?archived=true"), Value::Null),
        ("GET", format!("{link}/companies"), Value::Null),
        ("POST", CONTACTS.to_owned(), json!({"properties": {"email": "b@acme.example"}, "associations": [{"to": {"id": company.to_string()}, "types": []}]})),
    ];
    insta::assert_snapshot!(tell(&mut stage, &calls));
}

#[test]
fn merge_shapes() {
    let mut stage = Stage::new();
    stage.contact(&json!({"email": "ada@acme.example", "city": "Ulm"}));
    stage.now += 1_000;
    stage.contact(&json!({"email": "ada@old.example", "city": "Bonn", "phone": "1"}));
    let calls = [
        ("POST", format!("{CONTACTS}/merge"), json!({"primaryObjectId": ADA.to_string(), "objectIdToMerge": (ADA + 1).to_string()})),
        ("GET", format!("{CONTACTS}/{ADA}?propertiesWithHistory=city,email"), Value::Null),
        ("POST", format!("{CONTACTS}/merge"), json!({"primaryObjectId": ADA.to_string(), "objectIdToMerge": ADA.to_string()})),
        ("POST", format!("{CONTACTS}/gdpr-delete"), json!({"objectId": ADA.to_string()})),
        ("GET", format!("{CONTACTS}/{ADA}"), Value::Null),
        ("POST", format!("{CONTACTS}/gdpr-delete"), json!({"objectId": "gone@acme.example", "idProperty": "email"})),
        ("POST", CONTACTS.to_owned(), properties(json!({"email": "gone@acme.example"}))),
    ];
    insta::assert_snapshot!(tell(&mut stage, &calls));
}

#[test]
fn account_shapes() {
    let mut stage = Stage::new();
    let get = |path: &str| ("GET", path.to_owned(), Value::Null);
    let calls = [
        get("/account-info/v3/details"),
        get("/account-info/v3/api-usage/daily/private-apps"),
        get("/crm/v3/owners"),
        get("/crm/v3/owners/991?idProperty=userId"),
        get("/crm/v3/owners/7"),
        get("/nosuch"),
    ];
    insta::assert_snapshot!(tell(&mut stage, &calls));
}

#[test]
fn oauth_shapes() {
    let mut stage = Stage::new();
    let secret = "client_id=sandbox-app&client_secret=sandbox-app-secret";
    let mut all = Vec::new();
    for (path, form) in [
        ("/oauth/v3/token", format!("grant_type=refresh_token&refresh_token=eu1-sandbox-refresh-1&{secret}")),
        ("/oauth/v3/token", format!("grant_type=refresh_token&refresh_token=nonsense&{secret}")),
        ("/oauth/v3/token", format!("grant_type=authorization_code&code=nonsense&redirect_uri=https://a.example&{secret}")),
        ("/oauth/v3/token", format!("grant_type=magic&{secret}")),
        ("/oauth/v3/token", "grant_type=refresh_token&refresh_token=eu1-sandbox-refresh-1&client_id=sandbox-app&client_secret=x".to_owned()),
        ("/oauth/v3/token/introspect", format!("token=eu1-sandbox-refresh-1&token_type_hint=refresh_token&{secret}")),
        ("/oauth/v3/token/revoke", format!("token=eu1-sandbox-refresh-1&{secret}")),
    ] {
        let mut sent = request("POST", path, &Value::Null);
        sent.headers.clear();
        sent.body = form.clone().into_bytes();
        all.push(text(&format!("POST {path} {form}"), &stage.hubspot.handle(&sent, stage.now)));
    }
    let mut sent = request("GET", CONTACTS, &Value::Null);
    sent.headers.clear();
    all.push(text("GET /contacts without a token", &stage.hubspot.handle(&sent, stage.now)));
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn fault_shapes() {
    let mut stage = Stage::new();
    let of = |body: &str| match body {
        "expired" => 401,
        bad if bad.starts_with("bad_") => 400,
        _ => 429,
    };
    let named = FAULT_BODIES.iter().map(|body| (of(body), Some(*body)));
    let plain = [400, 401, 403, 404, 409, 423, 429, 477, 500, 502, 503, 504, 521].map(|status| (status, None));
    let all: Vec<String> = plain
        .into_iter()
        .chain(named)
        .map(|(status, body)| text(&format!("fault {status} {}", body.unwrap_or("")), &stage.hubspot.fault_response(status, body, stage.now)))
        .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn switches_choose_among_unconfirmed_answers() {
    let switches = Switches {
        second_archive_missing: true,
        email_change_clash_invalid: true,
        batch_read_follows_merges: true,
        ..Switches::default()
    };
    let mut stage = Stage::with(HubSpotConfig { switches, ..HubSpotConfig::default() });
    let (ada, bob, cy) = (stage.contact(&json!({"email": "a@x.example"})), stage.contact(&json!({"email": "b@x.example"})), stage.contact(&json!({"email": "c@x.example"})));
    let clash = properties(json!({"email": "b@x.example"}));
    assert_eq!(stage.json("PATCH", &format!("{CONTACTS}/{ada}"), &clash).0, 400);
    let (_, merged) = stage.json("POST", &format!("{CONTACTS}/merge"), &json!({"primaryObjectId": ada, "objectIdToMerge": bob}));
    let (status, read) = stage.json("POST", &format!("{CONTACTS}/batch/read"), &json!({"inputs": [{"id": ada}]}));
    assert_eq!((status, &read["results"][0]["id"]), (200, &merged["id"]));
    let archive = format!("{CONTACTS}/{cy}");
    assert_eq!([204, 404], [stage.send("DELETE", &archive, &Value::Null).status, stage.send("DELETE", &archive, &Value::Null).status]);
}

#[test]
fn search_lags_behind_changes_and_reads_do_not() {
    let mut stage = Stage::with(HubSpotConfig { search_lag_ms: 5_000, ..HubSpotConfig::default() });
    let found = |stage: &mut Stage| {
        let (_, body) = stage.json("POST", &format!("{CONTACTS}/search"), &json!({"properties": ["city"]}));
        body["results"].as_array().unwrap().iter().map(|row| row["properties"]["city"].as_str().unwrap_or("").to_owned()).collect::<Vec<_>>()
    };
    let ada = stage.contact(&json!({"email": "a@x.example", "city": "Ulm"}));
    assert_eq!(found(&mut stage), [] as [&str; 0]);
    stage.now += 5_000;
    assert_eq!(found(&mut stage), ["Ulm"]);
    for city in ["Bonn", "Köln"] {
        stage.send("PATCH", &format!("{CONTACTS}/{ada}"), &properties(json!({"city": city})));
        stage.now += 2_000;
    }
    assert_eq!(found(&mut stage), ["Ulm"]);
    assert_eq!(stage.json("GET", &format!("{CONTACTS}/{ada}?properties=city"), &Value::Null).1["properties"]["city"], "Köln");
    // A batch that is refused as a whole leaves no trace.
    let refused = json!({"inputs": [{"id": ada, "properties": {"city": "Rom"}}, {"id": "8", "properties": {"email": "x"}}, {"id": ada.clone() + "0", "properties": {}}]});
    stage.send("POST", &format!("{CONTACTS}/batch/update"), &refused);
    let state = stage.hubspot.snapshot();
    let mut copy = Stage::with(HubSpotConfig { search_lag_ms: 5_000, ..HubSpotConfig::default() });
    copy.hubspot.restore(&state).unwrap();
    assert_eq!(copy.hubspot.snapshot(), state);
    stage.now += 1_000;
    copy.now = stage.now;
    assert_eq!((found(&mut stage), found(&mut copy)), (vec!["Bonn".to_owned()], vec!["Bonn".to_owned()]));
    stage.now += 2_500;
    assert_eq!(found(&mut stage), ["Köln"]);
}

#[test]
fn history_keeps_the_newest_versions() {
    let mut stage = Stage::new();
    let mut copy = Stage::new();
    let ada = stage.contact(&json!({"email": "a@x.example"}));
    for number in 0..30 {
        stage.send("PATCH", &format!("{CONTACTS}/{ada}"), &properties(json!({"city": format!("c{number}")})));
        stage.now += 1_000;
        let told = stage.hubspot.drain_journal();
        assert!(number == 0 || told.iter().all(|entry| entry.to_string().matches("integration").count() <= 1), "only what is new is told");
        told.iter().for_each(|entry| copy.hubspot.replay(entry).unwrap());
    }
    assert_eq!(copy.hubspot.snapshot(), stage.hubspot.snapshot());
    stage.hubspot.edit("contacts", Some(&ada), json!({"city": "by hand"}).as_object(), stage.now).unwrap();
    let (_, body) = stage.json("GET", &format!("{CONTACTS}/{ada}?propertiesWithHistory=city"), &Value::Null);
    let versions = body["propertiesWithHistory"]["city"].as_array().unwrap();
    assert_eq!((versions.len(), &versions[0]["value"], &versions[0]["sourceType"]), (20, &json!("by hand"), &json!("CRM_UI")));
    assert_eq!((&versions[1]["value"], &versions[1]["sourceType"]), (&json!("c29"), &json!("INTEGRATION")));
    assert_eq!(body["properties"]["city"], "by hand");
}
