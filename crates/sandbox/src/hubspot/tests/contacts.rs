//! Single contacts: the record, create, read, change, archive, and the errors of each.

use serde_json::json;

use super::super::config::{HubSpotConfig, Switches};
use super::{CONTACTS, Stage, header};
use serde_json::Value;

const RECORD: &str = r#"{"id":"88012345601","properties":{"createdate":"2026-09-01T10:00:00.250Z","email":"ada@acme.example","firstname":"Ada","hs_object_id":"88012345601","lastmodifieddate":"2026-09-14T07:31:02Z","lastname":"Byron"},"createdAt":"2026-09-01T10:00:00.250Z","updatedAt":"2026-09-14T07:31:02Z","archived":false,"url":"https://app.hubspot.com/contacts/4400123/record/0-1/88012345601"}"#;

#[test]
fn contacts_create_answers_201_with_stored_and_computed_properties() {
    let mut stage = Stage::new();
    let body = json!({"properties": {"email": "Ada@Acme.example", "firstname": "Ada", "lastname": "Byron"}});
    let response = stage.send("POST", CONTACTS, &body);
    assert_eq!(header(&response, "Location"), Some("https://api.hubapi.com/crm/v3/objects/contacts/88012345601"));
    let (status, text) = super::shown(&response);
    assert_eq!(status, 201);
    assert_eq!(
        text,
        r#"{"id":"88012345601","properties":{"createdate":"2026-09-01T10:00:00.250Z","email":"ada@acme.example","firstname":"Ada","hs_all_contact_vids":"88012345601","hs_email_domain":"acme.example","hs_full_name_or_email":"Ada Byron","hs_is_contact":"true","hs_is_unworked":"true","hs_lifecyclestage_lead_date":"2026-09-01T10:00:00.250Z","hs_marketable_status":"false","hs_marketable_until_renewal":"false","hs_object_id":"88012345601","hs_object_source":"INTEGRATION","hs_object_source_id":"77001","hs_object_source_label":"INTEGRATION","hs_pipeline":"contacts-lifecycle-pipeline","lastmodifieddate":"2026-09-01T10:00:00.250Z","lastname":"Byron","lifecyclestage":"lead"},"createdAt":"2026-09-01T10:00:00.250Z","updatedAt":"2026-09-01T10:00:00.250Z","archived":false,"url":"https://app.hubspot.com/contacts/4400123/record/0-1/88012345601"}"#
    );
}

#[test]
fn contacts_read_shows_defaults_or_what_is_asked_for_under_every_prefix() {
    let mut stage = Stage::new();
    let id = stage.contact(&json!({"email": "ada@acme.example", "lastname": "Byron"}));
    stage.now = 1_789_371_062_000;
    assert_eq!(stage.json("PATCH", &format!("{CONTACTS}/{id}"), &json!({"properties": {"firstname": "Ada"}})).0, 200);
    for prefix in [
        "/crm/v3/objects/contacts",
        "/crm/objects/2026-03/contacts",
        "/crm/objects/2026-09/contacts",
        "/crm/objects/2026-09/0-1",
        "/crm/v3/objects/contact",
    ] {
        assert_eq!(stage.text("GET", &format!("{prefix}/{id}"), &Value::Null), (200, RECORD.to_owned()));
    }
    for target in ["ada%40acme.example?idProperty=email", "Ada@acme.example?idProperty=email"] {
        assert_eq!(stage.text("GET", &format!("{CONTACTS}/{target}"), &Value::Null), (200, RECORD.to_owned()));
    }
    // Asked for but unset: null; asked for but not defined: left out; lists repeated or comma-joined.
    let (_, body) = stage.json("GET", &format!("{CONTACTS}/{id}?properties=phone,email&properties=nosuch"), &Value::Null);
    let keys: Vec<&String> = body["properties"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["createdate", "email", "hs_object_id", "lastmodifieddate", "phone"]);
    assert_eq!(body["properties"]["phone"], Value::Null);
}

#[test]
fn contacts_not_found_has_two_shapes() {
    let mut stage = Stage::new();
    assert_eq!(
        stage.text("GET", &format!("{CONTACTS}/998"), &Value::Null),
        (404, r#"{"status":"error","message":"resource not found","correlationId":"…"}"#.to_owned())
    );
    assert_eq!(
        stage.text("PATCH", &format!("{CONTACTS}/nobody@x.example?idProperty=email"), &json!({"properties": {}})),
        (404, r#"{"status":"error","message":"Object not found.  objectId are usually numeric.","correlationId":"…","context":{"id":["nobody@x.example"]},"category":"OBJECT_NOT_FOUND"}"#.to_owned())
    );
    assert_eq!(
        stage.text("PATCH", &format!("{CONTACTS}/Ada?idProperty=firstname"), &json!({"properties": {}})).1,
        r#"{"status":"error","message":"Unable to perform update by non-unique 0-1 property firstname","correlationId":"…","category":"VALIDATION_ERROR"}"#
    );
    assert_eq!(
        stage.text("GET", "/crm/v3/objects/butterflies", &Value::Null),
        (400, r#"{"status":"error","message":"Unable to infer object type from: butterflies","correlationId":"…"}"#.to_owned())
    );
}

#[test]
fn contacts_taken_email_is_409_in_create_and_change() {
    let mut stage = Stage::new();
    stage.contact(&json!({"email": "ada@acme.example"}));
    let bob = stage.contact(&json!({"email": "bob@acme.example"}));
    let want = (
        409,
        r#"{"status":"error","message":"Contact already exists. Existing ID: 88012345601","correlationId":"…","category":"CONFLICT"}"#
            .to_owned(),
    );
    let body = json!({"properties": {"email": "ADA@acme.example"}});
    assert_eq!(stage.text("POST", CONTACTS, &body), want);
    assert_eq!(stage.text("PATCH", &format!("{CONTACTS}/{bob}"), &body), want);
    // A contact's own email is no conflict, and an archived contact frees its email.
    assert_eq!(stage.json("PATCH", &format!("{CONTACTS}/88012345601"), &body).0, 200);
    assert_eq!(stage.json("DELETE", &format!("{CONTACTS}/88012345601"), &Value::Null).0, 204);
    assert_eq!(stage.json("POST", CONTACTS, &body).0, 201);
}

#[test]
fn contacts_invalid_values_are_all_named_and_nothing_is_written() {
    let mut stage = Stage::new();
    let (status, text) = stage.text("POST", CONTACTS, &json!({"properties": {"favcolor": "red", "firstname": "Ada"}}));
    assert_eq!(status, 400);
    assert_eq!(
        text,
        r#"{"status":"error","message":"Property values were not valid: [{\"isValid\":false,\"message\":\"Property \\\"favcolor\\\" does not exist\",\"error\":\"PROPERTY_DOESNT_EXIST\",\"name\":\"favcolor\",\"localizedErrorMessage\":\"Property \\\"favcolor\\\" does not exist\",\"portalId\":4400123}]","correlationId":"…","errors":[{"message":"Property \"favcolor\" does not exist","code":"PROPERTY_DOESNT_EXIST","context":{"propertyName":["favcolor"]}}],"category":"VALIDATION_ERROR"}"#
    );
    let bad = json!({"email": "a@b.con", "hs_email_domain": "x", "hs_lead_status": "new", "lastname": "x".repeat(65_537)});
    let (_, body) = stage.json("POST", CONTACTS, &json!({"properties": bad}));
    let codes: Vec<&str> = body["errors"].as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["INVALID_EMAIL", "READ_ONLY_VALUE", "INVALID_OPTION", "PROPERTY_VALUE_TOO_LONG"]);
    assert_eq!(body["errors"][0]["message"], "Email address a@b.con is invalid");
    assert_eq!(body["errors"][1]["message"], "\"hs_email_domain\" is a calculated property; its value cannot be set.");
    let option = body["errors"][2]["message"].as_str().unwrap();
    assert!(option.starts_with("new was not one of the allowed options: [label: \"NEW\"\nvalue: \"NEW\"\ndisplay_order: 0\n"), "{option}");
    assert_eq!(stage.live(), 0);
}

#[test]
fn contacts_unique_custom_property_clash_is_400_with_the_other_id() {
    let mut stage = Stage::new();
    stage.contact(&json!({"syncline_id": "A-17"}));
    let other = stage.contact(&json!({"syncline_id": "A-18"}));
    let (status, text) = stage.text("PATCH", &format!("{CONTACTS}/{other}"), &json!({"properties": {"syncline_id": "A-17"}}));
    assert_eq!(status, 400);
    assert_eq!(
        text,
        r#"{"status":"error","message":"Cannot set PropertyValueCoordinates{portalId=4400123, objectTypeId=ObjectTypeId{legacyObjectType=CONTACT}, propertyName=syncline_id, value=A-17} on 88012345602. 88012345601 already has that value.","correlationId":"…","category":"VALIDATION_ERROR"}"#
    );
}

#[test]
fn contacts_bad_json_names_the_place_or_the_missing_attribute() {
    let mut stage = Stage::new();
    assert_eq!(
        stage.json("POST", CONTACTS, &json!({})).1["message"],
        "Invalid input JSON: some of required attributes are not set [properties]"
    );
    assert_eq!(
        stage.json("POST", CONTACTS, &json!({"properties": {"email": ["a"]}})).1["message"],
        "Invalid input JSON on line 1, column 24: invalid type: sequence, expected a text, number, boolean or null"
    );
}

#[test]
fn contacts_change_clears_with_empty_text_and_leaves_the_rest() {
    let mut stage = Stage::new();
    let id = stage.contact(&json!({"email": "ada@acme.example", "phone": "+49 1", "city": "Ulm", "zip": 89073}));
    let (_, body) = stage.json("PATCH", &format!("{CONTACTS}/{id}"), &json!({"properties": {"phone": "", "city": null}}));
    assert_eq!(body["properties"]["zip"], "89073");
    assert_eq!(body["properties"].get("phone"), None);
    assert_eq!(body["properties"].get("city"), None);
    // The key may change in the call that uses it.
    let target = format!("{CONTACTS}/ada@acme.example?idProperty=email");
    let (_, body) = stage.json("PATCH", &target, &json!({"properties": {"email": "new@acme.example"}}));
    assert_eq!(body["properties"]["email"], "new@acme.example");
    assert_eq!(stage.json("GET", &target, &Value::Null).0, 404);
}

#[test]
fn contacts_lifecycle_stage_moves_forward_only_and_says_nothing() {
    let mut stage = Stage::new();
    let id = stage.contact(&json!({"lifecyclestage": "customer"}));
    let target = format!("{CONTACTS}/{id}");
    let set = |stage: &str, on: &mut Stage| on.json("PATCH", &target, &json!({"properties": {"lifecyclestage": stage}}));
    assert_eq!(set("lead", &mut stage).1["properties"]["lifecyclestage"], "customer");
    assert_eq!(set("", &mut stage).0, 200);
    assert_eq!(set("lead", &mut stage).1["properties"]["lifecyclestage"], "lead");
}

#[test]
fn contacts_archive_twice_is_204_and_reads_404_unless_asked() {
    let mut stage = Stage::new();
    let id = stage.contact(&json!({"email": "ada@acme.example"}));
    let target = format!("{CONTACTS}/{id}");
    for _ in 0..2 {
        assert_eq!(stage.text("DELETE", &target, &Value::Null), (204, String::new()));
    }
    assert_eq!(stage.json("GET", &target, &Value::Null).0, 404);
    assert_eq!(stage.json("PATCH", &target, &json!({"properties": {"city": "Ulm"}})).0, 404);
    let (status, body) = stage.json("GET", &format!("{target}?archived=True"), &Value::Null);
    assert_eq!((status, &body["archived"], &body["archivedAt"]), (200, &json!(true), &json!("2026-09-01T10:00:00.250Z")));
}

#[test]
fn contacts_list_pages_by_id_and_the_last_page_has_no_paging() {
    let mut stage = Stage::new();
    for number in 0..3 {
        stage.contact(&json!({"email": format!("a{number}@acme.example")}));
    }
    let (_, first) = stage.json("GET", &format!("{CONTACTS}?limit=2"), &Value::Null);
    assert_eq!(first["results"].as_array().unwrap().len(), 2);
    assert_eq!(
        first["paging"],
        json!({"next": {"after": "88012345603", "link": "https://api.hubapi.com/crm/v3/objects/contacts?after=88012345603&limit=2"}})
    );
    let (_, last) = stage.json("GET", &format!("{CONTACTS}?limit=2&after=88012345603"), &Value::Null);
    assert_eq!(last["results"][0]["id"], "88012345603");
    assert_eq!(last.get("paging"), None);
    assert_eq!(stage.json("GET", &format!("{CONTACTS}?limit=101"), &Value::Null).0, 400);
    assert_eq!(stage.json("GET", &format!("{CONTACTS}?archived=true"), &Value::Null).1, json!({"results": []}));
}

#[test]
fn contacts_without_identity_are_refused_when_the_switch_says_so() {
    let switches = Switches { identity_required: true, ..Switches::default() };
    let mut stage = Stage::with(HubSpotConfig { switches, ..HubSpotConfig::default() });
    assert_eq!(stage.json("POST", CONTACTS, &json!({"properties": {"city": "Ulm"}})).0, 400);
    assert_eq!(stage.json("POST", CONTACTS, &json!({"properties": {"city": "Ulm", "lastname": "Byron"}})).0, 201);
}
