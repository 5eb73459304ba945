//! Merges, permanent deletes, restores, companies with their links, and owners.

use serde_json::{Value, json};

use super::super::config::{HubSpotConfig, Switches};
use super::super::HubSpot;
use super::{CONTACTS, START, Stage};
use crate::crm::Crm;

const COMPANIES: &str = "/crm/v3/objects/companies";

fn pair(stage: &mut Stage) -> (String, String) {
    let ada = stage.contact(&json!({"email": "ada@acme.example", "firstname": "Ada"}));
    (ada, stage.contact(&json!({"email": "old@acme.example", "firstname": "Old", "city": "Ulm"})))
}

fn merge(stage: &mut Stage, primary: &str, other: &str) -> (u16, Value) {
    stage.json("POST", &format!("{CONTACTS}/merge"), &json!({"primaryObjectId": primary, "objectIdToMerge": other}))
}

#[test]
fn merge_gives_a_new_id_and_old_ids_lead_to_it_in_single_calls_only() {
    let mut stage = Stage::new();
    let (ada, old) = pair(&mut stage);
    let (status, body) = merge(&mut stage, &ada, &old);
    let id = body["id"].as_str().unwrap().to_owned();
    assert_eq!(status, 200);
    assert!(id != ada && id != old);
    for (name, want) in [("email", "ada@acme.example"), ("firstname", "Ada"), ("city", "Ulm"), ("hs_additional_emails", "old@acme.example")] {
        assert_eq!(body["properties"][name], want, "{name}");
    }
    assert_eq!(body["properties"]["hs_merged_object_ids"], format!("{ada};{old}"));
    for key in [ada.as_str(), &old, "old@acme.example?idProperty=email"] {
        assert_eq!(stage.json("GET", &format!("{CONTACTS}/{key}"), &Value::Null).1["id"], id, "{key}");
    }
    let (status, body) =
        stage.json("POST", &format!("{CONTACTS}/batch/update"), &json!({"inputs": [{"id": old, "properties": {"city": "Bonn"}}]}));
    assert_eq!((status, &body["results"], body.get("errors")), (200, &json!([]), None));
    let taken = stage.json("POST", CONTACTS, &json!({"properties": {"email": "old@acme.example"}}));
    assert_eq!((taken.0, &taken.1["message"]), (409, &json!(format!("Contact already exists. Existing ID: {id}"))));
    assert_eq!(stage.live(), 1);
    assert_eq!(merge(&mut stage, &id, &ada).0, 400);
}

#[test]
fn merge_may_keep_the_primary_id() {
    let switches = Switches { merge_keeps_id: true, ..Switches::default() };
    let mut stage = Stage::with(HubSpotConfig { switches, ..HubSpotConfig::default() });
    let (ada, old) = pair(&mut stage);
    let (_, body) = merge(&mut stage, &ada, &old);
    assert_eq!((&body["id"], &body["properties"]["hs_merged_object_ids"]), (&json!(ada), &json!(old)));
}

#[test]
fn contacts_deleted_for_good_are_gone_and_unknown_emails_are_blocked() {
    let mut stage = Stage::new();
    let (ada, _) = pair(&mut stage);
    let path = format!("{CONTACTS}/gdpr-delete");
    assert_eq!(stage.json("POST", &path, &json!({"objectId": ada})).0, 204);
    assert_eq!(stage.json("GET", &format!("{CONTACTS}/{ada}?archived=true"), &Value::Null).0, 404);
    assert_eq!(stage.json("POST", &path, &json!({"objectId": "Never@acme.example", "idProperty": "email"})).0, 204);
    let (status, body) = stage.json("POST", CONTACTS, &json!({"properties": {"email": "never@acme.example"}}));
    assert_eq!((status, &body["errors"][0]["code"]), (400, &json!("GDPR_BLACKLISTED_EMAIL")));
    assert_eq!(stage.json("POST", &path, &json!({"objectId": "7"})).0, 404);
}

#[test]
fn contacts_come_back_unless_their_email_is_taken() {
    let mut stage = Stage::new();
    let (ada, _) = pair(&mut stage);
    stage.send("DELETE", &format!("{CONTACTS}/{ada}"), &Value::Null);
    stage.hubspot.bring_back(&ada, START).unwrap();
    assert_eq!(stage.json("GET", &format!("{CONTACTS}/{ada}"), &Value::Null).0, 200);
    assert!(stage.hubspot.bring_back(&ada, START).is_err());
    stage.send("DELETE", &format!("{CONTACTS}/{ada}"), &Value::Null);
    stage.contact(&json!({"email": "ada@acme.example"}));
    assert!(stage.hubspot.bring_back(&ada, START).unwrap_err().contains("already has that email"));
}

#[test]
fn links_are_seen_from_both_sides_and_outlive_a_restart() {
    let mut stage = Stage::new();
    let company = stage.json("POST", COMPANIES, &json!({"properties": {"name": "Acme"}})).1["id"].as_str().unwrap().to_owned();
    let link = json!([{"to": {"id": company}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]}]);
    let body = json!({"properties": {"email": "ada@acme.example"}, "associations": link});
    let ada = stage.json("POST", CONTACTS, &body).1["id"].as_str().unwrap().to_owned();
    let from_ada = format!("/crm/v4/objects/contacts/{ada}/associations");
    let (_, body) = stage.json("GET", &format!("{from_ada}/companies"), &Value::Null);
    let unlabelled = json!({"category": "HUBSPOT_DEFINED", "typeId": 279, "label": null});
    assert_eq!(body["results"], json!([{"toObjectId": company, "associationTypes": [unlabelled]}]));
    let (_, body) = stage.json("GET", &format!("/crm/v4/objects/companies/{company}/associations/contacts"), &Value::Null);
    assert_eq!(body["results"][0]["associationTypes"][0]["typeId"], 280);
    let (_, body) = stage.json("GET", &format!("{CONTACTS}/{ada}?associations=companies"), &Value::Null);
    assert_eq!(body["associations"], json!({"companies": {"results": [{"id": company, "type": "contact_to_company"}]}}));
    let primary = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]);
    assert_eq!(stage.json("PUT", &format!("{from_ada}/companies/{company}"), &primary).0, 201);
    let wrong = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 280}]);
    assert_eq!(stage.json("PUT", &format!("{from_ada}/companies/{company}"), &wrong).0, 400);
    let inputs = json!({"inputs": [{"id": ada}, {"id": "7"}]});
    let (status, body) = stage.json("POST", "/crm/v4/associations/contacts/companies/batch/read", &inputs);
    assert_eq!((status, body["results"][0]["to"][0]["associationTypes"].as_array().unwrap().len()), (207, 2));

    let mut copy = HubSpot::new(HubSpotConfig::default());
    for entry in stage.hubspot.drain_journal() {
        copy.replay(&entry).unwrap();
    }
    assert_eq!(copy.snapshot(), stage.hubspot.snapshot());
    assert_eq!(stage.json("DELETE", &format!("{from_ada}/companies/{company}"), &Value::Null).0, 204);
    assert_eq!(stage.json("GET", &format!("{from_ada}/companies"), &Value::Null).1["results"], json!([]));
}

#[test]
fn owners_are_found_by_id_and_by_user() {
    let mut stage = Stage::new();
    let (_, body) = stage.json("GET", "/crm/v3/owners", &Value::Null);
    let id = body["results"][0]["id"].as_str().unwrap();
    assert_eq!(stage.json("GET", &format!("/crm/v3/owners/{id}"), &Value::Null).1["userId"], 991);
    assert_eq!(stage.json("GET", "/crm/v3/owners/991?idProperty=userId", &Value::Null).1["id"], id);
    assert_eq!(stage.json("GET", "/crm/v3/owners/991", &Value::Null).0, 404);
}

#[test]
fn properties_change_leave_and_come_back() {
    let mut stage = Stage::with(HubSpotConfig { properties_in_use: vec!["syncline_id".to_owned()], ..HubSpotConfig::default() });
    let all = "/crm/v3/properties/contacts";
    let tier = json!({"name": "tier", "label": "Tier", "type": "string", "fieldType": "text", "groupName": "contactinformation"});
    assert_eq!(stage.json("POST", &format!("{all}/batch/create"), &json!({"inputs": [tier]})).0, 201);
    assert_eq!(stage.json("PATCH", &format!("{all}/tier"), &json!({"label": "Level"})).1["label"], "Level");
    let ada = stage.contact(&json!({"tier": "gold"}));
    assert_eq!(stage.json("DELETE", &format!("{all}/tier"), &Value::Null).0, 204);
    assert_eq!(stage.json("PATCH", &format!("{CONTACTS}/{ada}"), &json!({"properties": {"tier": "x"}})).0, 400);
    assert_eq!(stage.json("GET", &format!("{all}?archived=true"), &Value::Null).1["results"][0]["name"], "tier");
    assert_eq!(stage.json("POST", all, &tier).0, 201);
    assert_eq!(stage.json("GET", &format!("{CONTACTS}/{ada}?properties=tier"), &Value::Null).1["properties"]["tier"], "gold");
    let (status, body) = stage.json("DELETE", &format!("{all}/syncline_id"), &Value::Null);
    assert_eq!((status, &body["subCategory"]), (400, &json!("PropertyValidationError.CANNOT_DELETE_PROPERTY_IN_USE")));
    let group = json!({"name": "sync", "label": "Sync"});
    assert_eq!(stage.json("POST", &format!("{all}/groups"), &group).0, 201);
    assert_eq!(stage.json("POST", &format!("{all}/groups"), &group).0, 409);
    assert_eq!(stage.json("DELETE", &format!("{all}/groups/sync"), &Value::Null).0, 204);
    assert_eq!(stage.json("DELETE", &format!("{all}/groups/contactinformation"), &Value::Null).0, 400);
}
