//! Collections: duplicates within a request, all or none, bounds.

use serde_json::{Value, json};

use super::Bench;
use crate::crm::Crm;

fn contact(key: &str, last: &str) -> Value {
    json!({ "attributes": { "type": "Contact" }, "Syncline_Id__c": key, "LastName": last })
}

fn codes(body: &Value) -> Vec<&str> {
    body.as_array().unwrap().iter().map(|result| result["errors"][0]["statusCode"].as_str().unwrap_or("ok")).collect()
}

#[test]
fn s9_a_key_twice_in_one_call_fails_on_all_its_rows() {
    let mut bench = Bench::new();
    let records = [contact("a", "1"), contact("b", "2"), contact("a", "3"), contact("A", "4")];
    let body = json!({ "records": records });
    let (_, answer) = bench.patch("/composite/sobjects/Contact/Syncline_Id__c", &body);
    assert_eq!(codes(&answer), ["DUPLICATE_VALUE", "ok", "DUPLICATE_VALUE", "ok"]);
    let (_, answer) = bench.post("/composite/sobjects", &body);
    assert_eq!(codes(&answer), ["DUPLICATE_VALUE", "DUPLICATE_VALUE", "DUPLICATE_VALUE", "DUPLICATE_VALUE"]);
    assert!(answer[0]["errors"][0]["message"].as_str().unwrap().starts_with("Duplicate external id specified: a"));
    assert!(answer[1]["errors"][0]["message"].as_str().unwrap().starts_with("duplicate value found: Syncline_Id__c duplicates"));
}

#[test]
fn s2_8_an_id_twice_in_one_call_fails_on_all_its_rows() {
    let mut bench = Bench::new();
    let (a, b) = (bench.contact("a", "A"), bench.contact("b", "B"));
    let record = |id: &str| json!({ "attributes": { "type": "Contact" }, "Id": id, "Title": "x" });
    let (_, answer) = bench.patch("/composite/sobjects", &json!({ "records": [record(&a), record(&b), record(&a[..15])] }));
    assert_eq!(codes(&answer), ["DUPLICATE_VALUE", "ok", "DUPLICATE_VALUE"]);
    let (_, answer) = bench.delete(&format!("/composite/sobjects?ids={a},{b},{a}"));
    assert_eq!(codes(&answer), ["DUPLICATE_VALUE", "ok", "DUPLICATE_VALUE"]);
}

#[test]
fn s2_8_all_or_none_keeps_nothing_of_a_bad_request() {
    let mut bench = Bench::new();
    let id = bench.contact("a", "A");
    let before = bench.org.records();
    let records = [contact("a", "Changed"), contact("b", "New"), contact("c", "")];
    let (status, body) = bench.patch("/composite/sobjects/Contact/Syncline_Id__c", &json!({ "allOrNone": true, "records": records }));
    assert_eq!((status, codes(&body)[2]), (200, "REQUIRED_FIELD_MISSING"));
    let message = "Record rolled back because not all records were valid and the request was using AllOrNone header";
    let rolled_back = json!([{ "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK", "message": message, "fields": [] }]);
    assert_eq!(body[0], json!({ "id": id, "success": false, "errors": rolled_back }));
    assert_eq!(bench.org.records(), before);
    let (_, body) = bench.post("/composite/sobjects", &json!({ "allOrNone": true, "records": [contact("b", "New"), contact("c", "")] }));
    assert_eq!((codes(&body)[0], body[0].get("id")), ("ALL_OR_NONE_OPERATION_ROLLED_BACK", None));
    let (_, body) = bench.post("/composite/sobjects", &json!({ "allOrNone": true, "records": [contact("b", "New")] }));
    assert_eq!(codes(&body), ["ok"], "the key is free again");
}

#[test]
fn s2_8_bad_ids_in_updates() {
    let mut bench = Bench::new();
    let record = |id: &str| json!({ "attributes": { "type": "Contact" }, "id": id, "Title": "x" });
    let lead = "00Q5g00000Lm2BcEAJ";
    let (_, body) = bench
        .patch("/composite/sobjects", &json!({ "records": [record(lead), record("003zz"), record("0035g00000Qa1ZxAAJ"), record("")] }));
    assert_eq!(codes(&body), ["MALFORMED_ID", "MALFORMED_ID", "INVALID_CROSS_REFERENCE_KEY", "MISSING_ARGUMENT"]);
    assert_eq!(body[0]["errors"][0]["message"], format!("Contact ID: id value of incorrect type: {lead}"));
    assert_eq!(body[1]["errors"][0]["message"], "malformed id 003zz");
}

#[test]
fn s2_8_requests_that_are_malformed_themselves() {
    let mut bench = Bench::new();
    let many: Vec<Value> = (0..201).map(|number| contact(&number.to_string(), "x")).collect();
    assert_eq!(bench.post("/composite/sobjects", &json!({ "records": many })).0, 400);
    assert_eq!(bench.post("/composite/sobjects", &json!({ "records": many[..200] })).0, 200);
    assert_eq!(bench.post("/composite/sobjects", &json!({ "rows": [] })).0, 400);
    let account = json!({ "attributes": { "type": "Case" }, "Name": "x" });
    assert_eq!(bench.post("/composite/sobjects", &json!({ "records": [account] })).1[0]["errorCode"], "INVALID_TYPE");
    let mixed: Vec<Value> = (0..11)
        .map(|number| json!({ "attributes": { "type": if number % 2 == 0 { "Lead" } else { "Contact" } }, "LastName": "x" }))
        .collect();
    assert_eq!(bench.post("/composite/sobjects", &json!({ "records": mixed })).0, 400);
    assert_eq!(bench.patch("/composite/sobjects/Contact/Title", &json!({ "records": [] })).0, 404);
    let ids = vec!["0035g00000Qa1ZxAAJ"; 201].join(",");
    assert_eq!(bench.delete(&format!("/composite/sobjects?ids={ids}")).0, 400);
}
