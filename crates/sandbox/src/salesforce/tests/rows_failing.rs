//! Single rows that fail, with the service's statuses, codes and texts.

use serde_json::json;

use super::super::{BinGetCode, SalesforceConfig};
use super::{Bench, error, row_error};
use crate::crm::Crm;

const NOT_THERE: &str = "0035g00000ZZZZZ";

fn not_there() -> String {
    super::super::ids::read(NOT_THERE).unwrap()
}

#[test]
fn s2_5_unknown_objects_and_garbage_ids() {
    let mut bench = Bench::new();
    let missing = (404, error("NOT_FOUND", "The requested resource does not exist"));
    assert_eq!(bench.get("/sobjects/Case/describe"), missing);
    assert_eq!(bench.post("/sobjects/Case", &json!({ "Name": "x" })), missing);
    assert_eq!(bench.get("/nothing/here"), missing);
    let garbage = (404, error("NOT_FOUND", "Provided external ID field does not exist or is not accessible: xyz"));
    assert_eq!(bench.get("/sobjects/Contact/xyz"), garbage);
    assert_eq!(bench.patch("/sobjects/Contact/xyz", &json!({})), garbage);
    assert_eq!(bench.delete("/sobjects/Contact/xyz"), garbage);
}

#[test]
fn s2_5_well_formed_ids_without_a_row() {
    let mut bench = Bench::new();
    let path = format!("/sobjects/Contact/{}", not_there());
    let cross = (404, row_error("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[]));
    assert_eq!(bench.patch(&path, &json!({ "Title": "x" })), cross);
    assert_eq!(bench.delete(&path), cross);
    assert_eq!(bench.get(&path), (404, error("NOT_FOUND", "The requested resource does not exist")));
    let lead = "00Q5g00000Lm2BcEAJ";
    let (status, body) = bench.patch(&format!("/sobjects/Contact/{lead}"), &json!({ "Title": "x" }));
    assert_eq!((status, &body[0]["errorCode"]), (400, &json!("MALFORMED_ID")));
    assert_eq!(body[0]["message"], format!("Contact ID: id value of incorrect type: {lead}"));
}

#[test]
fn s2_5_deleted_rows() {
    let mut bench = Bench::new();
    let id = bench.contact("c-1", "Okafor");
    let path = format!("/sobjects/Contact/{id}");
    assert_eq!(bench.delete(&path).0, 204);
    let deleted = (404, row_error("ENTITY_IS_DELETED", "entity is deleted", &[]));
    assert_eq!(bench.delete(&path), deleted);
    assert_eq!(bench.patch(&path, &json!({ "Title": "x" })), deleted);
    assert_eq!(bench.get(&path), deleted);
    assert_eq!(bench.get("/sobjects/Contact/Syncline_Id__c/c-1").0, 404);
}

#[test]
fn s9_a_get_on_the_bin_can_say_not_found() {
    let mut bench = Bench::with(SalesforceConfig { bin_get_code: BinGetCode::NotFound, ..SalesforceConfig::default() });
    let id = bench.contact("c-1", "Okafor");
    bench.delete(&format!("/sobjects/Contact/{id}"));
    let (status, body) = bench.get(&format!("/sobjects/Contact/{id}"));
    assert_eq!((status, &body[0]["errorCode"]), (404, &json!("NOT_FOUND")));
}

#[test]
fn s2_5_wrong_verbs_types_and_broken_json() {
    let mut bench = Bench::new();
    let wrong = (405, error("METHOD_NOT_ALLOWED", "HTTP Method 'PATCH' not allowed. Allowed are HEAD,GET,POST"));
    assert_eq!(bench.patch("/sobjects/Contact", &json!({})), wrong);
    let mut asked = bench.request("POST", "/sobjects/Contact", Some(&json!({ "LastName": "x" })));
    asked.body = b"{oops}".to_vec();
    let answer = bench.org.handle(&asked, bench.now);
    let broken = error("JSON_PARSER_ERROR", "Unexpected character ('o' (code 111)) at [line:1, column:2]");
    assert_eq!((answer.status, super::body_of(&answer)), (400, broken));
    asked.headers.insert("content-type".to_owned(), "text/plain".to_owned());
    let answer = bench.org.handle(&asked, bench.now);
    assert_eq!((answer.status, &super::body_of(&answer)[0]["errorCode"]), (415, &json!("UNSUPPORTED_MEDIA_TYPE")));
    let list = bench.post("/sobjects/Contact", &json!([]));
    assert_eq!((list.0, &list.1[0]["errorCode"]), (400, &json!("JSON_PARSER_ERROR")));
}

#[test]
fn s2_6_upserts_that_cannot_be() {
    let mut bench = Bench::new();
    let no_key = (404, error("NOT_FOUND", "Provided external ID field does not exist or is not accessible: Nope__c"));
    assert_eq!(bench.patch("/sobjects/Contact/Nope__c/1", &json!({ "LastName": "x" })), no_key);
    let not_a_key = bench.patch("/sobjects/Contact/Title/1", &json!({ "LastName": "x" }));
    assert_eq!(not_a_key.0, 404);
    let in_body = bench.patch("/sobjects/Contact/Syncline_Id__c/1", &json!({ "LastName": "x", "Syncline_Id__c": "1" }));
    assert_eq!(in_body, (400, error("INVALID_FIELD", "The Syncline_Id__c field should not be specified in the sobject data.")));
    let update_only = bench.patch("/sobjects/Contact/Syncline_Id__c/1?updateOnly=true", &json!({ "LastName": "x" }));
    assert_eq!(update_only.0, 404);
    let id = bench.contact("c-1", "Okafor");
    let (status, body) = bench.patch(&format!("/sobjects/Contact/{id}"), &json!({ "Id": id }));
    assert_eq!((status, &body[0]["errorCode"]), (400, &json!("INVALID_FIELD")));
}

#[test]
fn s2_17_a_second_row_with_the_key_is_refused_and_names_the_first() {
    let mut bench = Bench::new();
    let id = bench.contact("c-1", "Okafor");
    let message = format!("duplicate value found: Syncline_Id__c duplicates value on record with id: {id}");
    let refused = bench.post("/sobjects/Contact", &json!({ "LastName": "x", "Syncline_Id__c": "c-1" }));
    assert_eq!(refused, (400, row_error("DUPLICATE_VALUE", &message, &[])));
    let other = bench.contact("c-2", "Other");
    let moved = bench.patch(&format!("/sobjects/Contact/{other}"), &json!({ "Syncline_Id__c": "c-1" }));
    assert_eq!(moved.1[0]["errorCode"], "DUPLICATE_VALUE");
    let kept = bench.patch(&format!("/sobjects/Contact/{other}"), &json!({ "Syncline_Id__c": "c-2" }));
    assert_eq!(kept.0, 204, "its own value is no duplicate");
}
