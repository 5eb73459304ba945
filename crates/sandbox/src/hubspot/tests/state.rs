//! Snapshots, journals, edits by hand.

use serde_json::{Map, Value, json};

use super::super::{HubSpot, HubSpotConfig};
use super::{CONTACTS, START, Stage};
use crate::crm::Crm;

/// Many kinds of change; the journal is drained after each call.
fn busy() -> (Stage, Vec<Value>) {
    let mut stage = Stage::new();
    let mut journal = Vec::new();
    let property = json!({"name": "ext_key", "label": "K", "type": "string", "fieldType": "text", "groupName": "contactinformation",
                          "hasUniqueValue": true});
    let create = |email: &str, key: &str| json!({"properties": {"email": email, "ext_key": key}});
    let swap = json!({"inputs": [{"id": "88012345601", "properties": {"ext_key": ""}}, {"id": "88012345602", "properties": {"ext_key": "1"}}]});
    for (method, target, body) in [
        ("POST", "/crm/v3/properties/contacts".to_owned(), property),
        ("POST", CONTACTS.to_owned(), create("a@acme.example", "1")),
        ("POST", CONTACTS.to_owned(), create("b@acme.example", "2")),
        ("POST", CONTACTS.to_owned(), create("a@acme.example", "3")),
        ("POST", format!("{CONTACTS}/batch/update"), swap),
        ("DELETE", format!("{CONTACTS}/88012345601"), Value::Null),
        ("POST", CONTACTS.to_owned(), create("a@acme.example", "4")),
        ("POST", format!("{CONTACTS}/search"), json!({})),
    ] {
        stage.send(method, &target, &body);
        stage.now += 700;
        journal.extend(stage.hubspot.drain_journal());
    }
    (stage, journal)
}

#[test]
fn state_survives_snapshot_and_restore() {
    let (stage, _) = busy();
    let mut copy = HubSpot::new(HubSpotConfig::default());
    copy.restore(&stage.hubspot.snapshot()).unwrap();
    assert_eq!(copy.snapshot(), stage.hubspot.snapshot());
    assert_eq!(copy.drain_journal(), [] as [Value; 0]);
    assert!(copy.restore(&json!({"contacts": 7})).is_err());
}

#[test]
fn state_survives_replay_of_the_journal() {
    let (mut stage, journal) = busy();
    let mut copy = HubSpot::new(HubSpotConfig::default());
    for entry in &journal {
        copy.replay(entry).unwrap();
    }
    assert_eq!(copy.snapshot(), stage.hubspot.snapshot());
    // Indexes and quota windows go on alike.
    let request = super::request("POST", CONTACTS, &json!({"properties": {"email": "a@acme.example"}}));
    assert_eq!(copy.handle(&request, stage.now), stage.hubspot.handle(&request, stage.now));
    assert!(copy.replay(&json!({"nonsense": 1})).is_err());
}

#[test]
fn edits_by_hand_follow_the_rules_but_not_the_quota() {
    let mut stage = Stage::with(HubSpotConfig { quota_ten_seconds: 0, ..HubSpotConfig::default() });
    let fields = |value: Value| value.as_object().cloned().unwrap_or_else(Map::new);
    let ada = stage.hubspot.edit("contacts", None, Some(&fields(json!({"email": "ada@acme.example"}))), START).unwrap();
    let taken = stage.hubspot.edit("contacts", None, Some(&fields(json!({"email": "ada@acme.example"}))), START);
    assert_eq!(taken.unwrap_err(), format!("Contact already exists. Existing ID: {ada}"));
    stage.hubspot.edit("contacts", Some(&ada), Some(&fields(json!({"email": null, "city": "Ulm"}))), START).unwrap();
    stage.hubspot.edit("contacts", Some(&ada), None, START).unwrap();
    let record = &stage.hubspot.records()[0];
    assert_eq!((record.deleted, record.writes, record.fields.get("email")), (true, 3, None));
    assert!(stage.hubspot.edit("contacts", Some(&ada), None, START).is_err());
    assert!(stage.hubspot.edit("companies", None, None, START).is_err());
}
