//! Property definitions, and which account this is.

use serde_json::{Value, json};

use super::super::config::{ExtraProperty, HubSpotConfig};
use super::{CONTACTS, Stage};

const PROPERTIES: &str = "/crm/v3/properties/contacts";

#[test]
fn properties_external_key_exists_unless_configured_away() {
    let mut stage = Stage::new();
    let (status, body) = stage.json("GET", &format!("{PROPERTIES}/syncline_id"), &Value::Null);
    assert_eq!(status, 200);
    for (key, want) in [
        ("type", json!("string")),
        ("fieldType", json!("text")),
        ("groupName", json!("contactinformation")),
        ("hasUniqueValue", json!(true)),
        ("hubspotDefined", json!(false)),
        ("modificationMetadata", json!({"archivable": true, "readOnlyDefinition": false, "readOnlyValue": false})),
    ] {
        assert_eq!(body[key], want, "{key}");
    }
    let mut bare = Stage::with(HubSpotConfig { has_external_key: false, ..HubSpotConfig::default() });
    let (status, body) = bare.json("GET", "/crm/properties/2026-09/contacts/syncline_id", &Value::Null);
    assert_eq!((status, &body["category"]), (404, &json!("OBJECT_NOT_FOUND")));
}

#[test]
fn properties_list_tells_what_is_read_only() {
    let mut stage = Stage::new();
    let (_, body) = stage.json("GET", PROPERTIES, &Value::Null);
    let results = body["results"].as_array().unwrap();
    let read_only = |name: &str| {
        let property = results.iter().find(|property| property["name"] == name).unwrap();
        property["modificationMetadata"]["readOnlyValue"].as_bool().unwrap()
    };
    assert_eq!((read_only("hs_object_id"), read_only("email"), read_only("lastmodifieddate")), (true, false, true));
}

#[test]
fn properties_create_makes_a_usable_key_and_refuses_taken_names() {
    let mut stage = Stage::with(HubSpotConfig { has_external_key: false, ..HubSpotConfig::default() });
    let body = json!({"name": "ext_key", "label": "External key", "type": "string", "fieldType": "text",
                      "groupName": "contactinformation", "hasUniqueValue": true, "formField": false});
    assert_eq!(stage.json("POST", PROPERTIES, &body).0, 201);
    assert_eq!(
        stage.text("POST", PROPERTIES, &body),
        (409, r#"{"status":"error","message":"A property named 'ext_key' already exists.","correlationId":"…","category":"OBJECT_ALREADY_EXISTS","subCategory":"Properties.PROPERTY_WITH_NAME_EXISTS"}"#.to_owned())
    );
    stage.contact(&json!({"ext_key": "A-1"}));
    assert_eq!(stage.json("GET", &format!("{CONTACTS}/A-1?idProperty=ext_key"), &Value::Null).0, 200);
    let (status, _) = stage.json("POST", CONTACTS, &json!({"properties": {"ext_key": "A-1"}}));
    assert_eq!(status, 400);
    assert_eq!(stage.json("POST", PROPERTIES, &json!({"name": "x", "label": "X"})).0, 400);
}

#[test]
fn properties_can_be_configured() {
    let extra = ExtraProperty { name: "tier".into(), kind: "enumeration".into(), unique: false, options: vec!["gold".into()] };
    let mut stage = Stage::with(HubSpotConfig { properties: vec![extra], ..HubSpotConfig::default() });
    stage.contact(&json!({"tier": "gold"}));
    assert_eq!(stage.json("POST", CONTACTS, &json!({"properties": {"tier": "Gold"}})).1["errors"][0]["code"], "INVALID_OPTION");
}

#[test]
fn account_details_name_the_portal_and_its_zone() {
    let mut stage = Stage::new();
    let (_, body) = stage.json("GET", "/account-info/v3/details", &Value::Null);
    for (key, want) in [
        ("portalId", json!(4_400_123)),
        ("timeZone", json!("Europe/Berlin")),
        ("utcOffset", json!("+02:00")),
        ("utcOffsetMilliseconds", json!(7_200_000)),
    ] {
        assert_eq!(body[key], want, "{key}");
    }
    let (_, body) = stage.json("GET", "/account-info/v3/api-usage/daily/private-apps", &Value::Null);
    assert_eq!(
        body["results"][0],
        json!({"name": "private-apps-api-calls-daily", "usageLimit": 250_000, "currentUsage": 2, "fetchStatus": "SUCCESS",
               "collectedAt": "2026-09-01T10:00:00.250Z", "resetsAt": "2026-09-01T22:00:00Z"})
    );
}
