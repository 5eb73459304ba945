//! Fields that a client creates, and the grants that show them.
//!
//! Promises: describe, rows and queries agree about what is visible. Leaves to others: fields of the configuration (`describe`).

use serde_json::json;

use super::super::{ExternalKey, Salesforce, SalesforceConfig};
use super::{Bench, error};
use crate::crm::Crm;

fn names(bench: &mut Bench) -> Vec<String> {
    let (_, body) = bench.get("/sobjects/Lead/describe");
    body["fields"].as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_administrator_takes_a_field_away_and_gives_it_back() {
    let mut bench = Bench::new();
    let id = bench.contact("c-1", "Okafor");
    let row = format!("/sobjects/Contact/{id}");
    bench.patch(&row, &json!({"Phone": "1"}));
    let secure = |bench: &mut Bench, read: bool, edit: bool| {
        bench.now += 5_000;
        let asked = json!({"object": "Contact", "field": "phone", "read": read, "edit": edit}).to_string();
        bench.org.command("security", asked.as_bytes(), bench.now).unwrap().unwrap();
        let mut copy = Bench { org: Salesforce::new(SalesforceConfig::default()), now: bench.now, token: bench.token.clone() };
        copy.org.restore(&bench.org.snapshot()).unwrap();
        assert_eq!(copy.org.snapshot(), bench.org.snapshot());
        copy
    };
    let shows = |bench: &mut Bench| bench.get("/sobjects/Contact/describe").1.to_string().contains("\"Phone\"");
    let mut copy = secure(&mut bench, false, false);
    for bench in [&mut bench, &mut copy] {
        assert!(!shows(bench));
        assert_eq!(bench.patch(&row, &json!({"Phone": "2"})).1[0]["errorCode"], "INVALID_FIELD");
        assert_eq!(bench.query("SELECT Phone FROM Contact").1[0]["errorCode"], "INVALID_FIELD");
    }
    secure(&mut bench, true, false);
    assert!(shows(&mut bench));
    assert_eq!(bench.get(&row).1["Phone"], "1");
    assert_eq!(bench.patch(&row, &json!({"Phone": "2"})).1[0]["errorCode"], "INVALID_FIELD_FOR_INSERT_UPDATE");
    secure(&mut bench, true, true);
    assert_eq!(bench.patch(&row, &json!({"Phone": "2"})).0, 204);
    let unknown = json!({"object": "Contact", "field": "Nosuch", "read": true, "edit": true}).to_string();
    assert_eq!(bench.org.command("security", unknown.as_bytes(), bench.now), Some(Err("Contact has no field Nosuch".to_owned())));
}

#[test]
fn s2_99_a_new_field_is_seen_once_it_is_granted() {
    let mut bench = Bench::with(SalesforceConfig { external_key: ExternalKey::Absent, ..SalesforceConfig::default() });
    let field = json!({
        "FullName": "Lead.Syncline_Id__c",
        "Metadata": { "type": "Text", "label": "Syncline Id", "length": 64, "externalId": true, "unique": true, "caseSensitive": true, "required": false }
    });
    let (status, body) = bench.post("/tooling/sobjects/CustomField", &field);
    assert_eq!(status, 201, "{body}");
    assert!(body["id"].as_str().unwrap().starts_with("00N") && body["warnings"] == json!([]) && body["infos"] == json!([]), "{body}");
    let twice = bench.post("/tooling/sobjects/CustomField", &field);
    assert_eq!(twice, (400, error("DUPLICATE_DEVELOPER_NAME", "There is already a field named Syncline_Id on Lead.")));
    assert!(!names(&mut bench).contains(&"Syncline_Id__c".to_owned()));
    assert_eq!(bench.patch("/sobjects/Lead/Syncline_Id__c/a-1", &json!({ "LastName": "Okafor", "Company": "Acme" })).0, 404);

    let made = |answer: (u16, serde_json::Value)| {
        assert_eq!(answer.0, 201, "{}", answer.1);
        answer.1["id"].as_str().unwrap().to_owned()
    };
    let set = made(bench.post("/sobjects/PermissionSet", &json!({ "Name": "Sync", "Label": "Sync" })));
    let grant = json!({
        "ParentId": set, "SobjectType": "Lead", "Field": "Lead.Syncline_Id__c", "PermissionsRead": true, "PermissionsEdit": true
    });
    let grant = made(bench.post("/sobjects/FieldPermissions", &grant));
    assert!(!names(&mut bench).contains(&"Syncline_Id__c".to_owned()), "the set is assigned to nobody");
    let (_, users) = bench.query("SELECT Id FROM User WHERE Username = 'integration@sandbox.example'");
    made(bench.post("/sobjects/PermissionSetAssignment", &json!({ "PermissionSetId": set, "AssigneeId": users["records"][0]["Id"] })));
    assert!(names(&mut bench).contains(&"Syncline_Id__c".to_owned()));
    assert_eq!(bench.patch("/sobjects/Lead/Syncline_Id__c/a-1", &json!({ "LastName": "Okafor", "Company": "Acme" })).0, 201);

    // What is kept and read back shows the same; a grant that is withdrawn hides the field and keeps its values.
    let state = bench.org.snapshot();
    bench.org.restore(&state).unwrap();
    assert_eq!(bench.get("/sobjects/Lead/Syncline_Id__c/a-1").0, 200);
    assert_eq!(bench.delete(&format!("/sobjects/FieldPermissions/{grant}")).0, 204);
    assert_eq!(bench.get("/sobjects/Lead/Syncline_Id__c/a-1").0, 404);
    assert_eq!(bench.org.records()[0].fields["Syncline_Id__c"], "a-1");
}

#[test]
fn s2_99_a_grant_needs_a_field_and_a_set() {
    let mut bench = Bench::new();
    let grant = |parent: &str, field: &str| json!({ "ParentId": parent, "SobjectType": "Lead", "Field": field, "PermissionsRead": true });
    let (status, set) = bench.post("/sobjects/PermissionSet", &json!({ "Name": "Sync", "Label": "Sync" }));
    assert_eq!(status, 201);
    let set = set["id"].as_str().unwrap();
    assert_eq!(bench.post("/sobjects/PermissionSet", &json!({ "Name": "Sync", "Label": "Sync" })).1[0]["errorCode"], "DUPLICATE_VALUE");
    let (_, body) = bench.post("/sobjects/FieldPermissions", &grant(set, "Lead.Nothing__c"));
    assert_eq!(body[0]["errorCode"], "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
    let (_, body) = bench.post("/sobjects/FieldPermissions", &grant("0PS5g000000000AAAA", "Lead.Company"));
    assert_eq!(body[0]["errorCode"], "MALFORMED_ID", "{body}");
    for (name, kind) in [("Lead.Plain", "Text"), ("Lead.Odd__c", "Formula"), ("Case.Text__c", "Text")] {
        let asked = json!({ "FullName": name, "Metadata": { "type": kind, "label": "A", "length": 10 } });
        let (status, body) = bench.post("/tooling/sobjects/CustomField", &asked);
        assert_eq!((status, &body[0]["errorCode"]), (400, &json!("FIELD_INTEGRITY_EXCEPTION")), "{name}");
    }
}
