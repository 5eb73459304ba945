//! Describe answers and their consequences.

use serde_json::{Value, json};

use super::super::{CustomField, CustomKind, ExternalKey, SalesforceConfig};
use super::Bench;

fn field(describe: &Value, name: &str) -> Value {
    describe["fields"].as_array().unwrap().iter().find(|field| field["name"] == name).cloned().unwrap_or(Value::Null)
}

fn pick(field: &Value, keys: &[&str]) -> Value {
    keys.iter().map(|key| field[*key].clone()).collect()
}

#[test]
fn s2_4_describe_of_contact_lists_whole_field_rows() {
    let (status, body) = Bench::new().get("/sobjects/Contact/describe");
    assert_eq!(status, 200);
    assert_eq!(pick(&body, &["name", "keyPrefix", "createable", "queryable"]), json!(["Contact", "003", true, true]));
    assert_eq!(body["urls"]["rowTemplate"], "/services/data/v67.0/sobjects/Contact/{ID}");
    let last = field(&body, "LastName");
    let expected = json!({
        "name": "LastName", "label": "Last Name", "type": "string", "soapType": "xsd:string", "length": 80, "byteLength": 240,
        "precision": 0, "scale": 0, "digits": 0, "createable": true, "updateable": true, "nillable": false,
        "defaultedOnCreate": false, "calculated": false, "autoNumber": false, "custom": false, "externalId": false,
        "unique": false, "caseSensitive": false, "idLookup": false, "filterable": true, "sortable": true, "groupable": true,
        "permissionable": false, "restrictedPicklist": false, "picklistValues": [], "referenceTo": [], "relationshipName": null,
        "polymorphicForeignKey": false, "compoundFieldName": "Name", "extraTypeInfo": "personname", "defaultValue": null,
        "inlineHelpText": null
    });
    assert_eq!(last, expected);
    assert_eq!(pick(&field(&body, "Email"), &["type", "length", "idLookup", "unique"]), json!(["email", 80, true, false]));
    assert_eq!(pick(&field(&body, "MailingStreet"), &["type", "length", "compoundFieldName"]), json!(["textarea", 255, "MailingAddress"]));
    assert_eq!(pick(&field(&body, "Description"), &["length", "filterable"]), json!([32_000, false]));
    assert_eq!(pick(&field(&body, "Name"), &["createable", "updateable"]), json!([false, false]));
}

#[test]
fn s6_2_describe_of_lead_has_its_own_required_fields_and_picklists() {
    let (_, body) = Bench::new().get("/sobjects/lead/describe/");
    let required: Vec<&str> = body["fields"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|field| field["createable"] == true && field["nillable"] == false && field["defaultedOnCreate"] == false)
        .map(|field| field["name"].as_str().unwrap())
        .collect();
    assert_eq!(required, ["LastName", "Company"]);
    let status = field(&body, "Status");
    let open =
        json!({ "active": true, "defaultValue": true, "label": "Open - Not Contacted", "validFor": null, "value": "Open - Not Contacted" });
    assert_eq!(status["picklistValues"][0], open);
    assert_eq!(field(&body, "OwnerId")["referenceTo"], json!(["Group", "User"]));
    assert_eq!(field(&body, "Industry")["picklistValues"].as_array().unwrap().len(), 32);
}

#[test]
fn s2_6_the_external_key_is_there_as_configured() {
    let keys = ["type", "length", "externalId", "unique", "caseSensitive", "custom"];
    let cases = [
        (ExternalKey::Unique, json!(["string", 64, true, true, true, true])),
        (ExternalKey::UniqueIgnoringCase, json!(["string", 64, true, true, false, true])),
        (ExternalKey::NotUnique, json!(["string", 64, true, false, false, true])),
        (ExternalKey::Absent, json!([null, null, null, null, null, null])),
    ];
    for (external_key, expected) in cases {
        let mut bench = Bench::with(SalesforceConfig { external_key, ..SalesforceConfig::default() });
        for object in ["Lead", "Contact"] {
            let (_, body) = bench.get(&format!("/sobjects/{object}/describe"));
            assert_eq!(pick(&field(&body, "Syncline_Id__c"), &keys), expected);
        }
    }
}

#[test]
fn s2_4_custom_fields_by_configuration() {
    let tier = CustomField {
        object: "Contact".to_owned(),
        name: "Tier__c".to_owned(),
        label: "Tier".to_owned(),
        kind: CustomKind::Picklist,
        length: 0,
        external_id: false,
        unique: false,
        case_sensitive: false,
        values: vec!["Gold".to_owned(), "Silver".to_owned()],
        restricted: true,
        required: false,
        read_only: false,
        needs_grant: false,
    };
    let mut bench = Bench::with(SalesforceConfig { custom_fields: vec![tier.clone()], ..SalesforceConfig::default() });
    let (_, body) = bench.get("/sobjects/Contact/describe");
    assert_eq!(pick(&field(&body, "Tier__c"), &["label", "type", "restrictedPicklist"]), json!(["Tier", "picklist", true]));
    assert_eq!(bench.post("/sobjects/Contact", &json!({ "LastName": "A", "Tier__c": "Gold" })).0, 201);
    let (status, refused) = bench.post("/sobjects/Contact", &json!({ "LastName": "A", "Tier__c": "Tin" }));
    assert_eq!((status, refused[0]["errorCode"].as_str()), (400, Some("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")));
    assert!(bench.org.add_custom_field(tier).is_err());
}

#[test]
fn s2_4_objects_and_basics() {
    let mut bench = Bench::new();
    let (_, list) = bench.get("/sobjects");
    assert_eq!(list["maxBatchSize"], 200);
    let names: Vec<&Value> = list["sobjects"].as_array().unwrap().iter().map(|object| &object["name"]).collect();
    assert_eq!(names[..3], ["Lead", "Contact", "Account"]);
    assert_eq!(bench.get("/sobjects/Contact").1["objectDescribe"]["keyPrefix"], "003");
}
