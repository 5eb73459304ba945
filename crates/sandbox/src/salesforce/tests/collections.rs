//! Collections: results in order, one per row.

use serde_json::{Value, json};

use super::Bench;

fn contact(fields: Value) -> Value {
    let mut record = json!({ "attributes": { "type": "Contact" } });
    record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    record
}

fn missing() -> Value {
    json!([{ "statusCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [LastName]", "fields": ["LastName"] }])
}

#[test]
fn s2_8_create_answers_in_order_and_one_fault_spares_the_others() {
    let mut bench = Bench::new();
    let records = [contact(json!({ "LastName": "A" })), contact(json!({})), contact(json!({ "LastName": "C" }))];
    let (status, body) = bench.post("/composite/sobjects", &json!({ "allOrNone": false, "records": records }));
    assert_eq!(status, 200);
    let (a, c) = (body[0]["id"].clone(), body[2]["id"].clone());
    let expected = json!([
        { "id": a, "success": true, "errors": [] },
        { "success": false, "errors": missing() },
        { "id": c, "success": true, "errors": [] }
    ]);
    assert_eq!(body, expected);
    assert!(a.as_str() < c.as_str());
}

#[test]
fn s2_8_update_takes_id_in_any_case() {
    let mut bench = Bench::new();
    let (a, b) = (bench.contact("a", "A"), bench.contact("b", "B"));
    let records = [contact(json!({ "id": a, "Title": "x" })), contact(json!({ "Id": b[..15], "LastName": "" }))];
    let (status, body) = bench.patch("/composite/sobjects", &json!({ "records": records }));
    assert_eq!((status, &body[0]), (200, &json!({ "id": a, "success": true, "errors": [] })));
    assert_eq!(body[1], json!({ "id": b, "success": false, "errors": missing() }));
    assert_eq!(bench.get(&format!("/sobjects/Contact/{a}")).1["Title"], "x");
}

#[test]
fn s2_8_upsert_says_created() {
    let mut bench = Bench::new();
    let id = bench.contact("c-1001", "Okafor");
    let records = [
        contact(json!({ "Syncline_Id__c": "c-1001", "Title": "Buyer" })),
        contact(json!({ "Syncline_Id__c": "c-1002", "LastName": "New" })),
        contact(json!({ "Syncline_Id__c": "c-1003" })),
        contact(json!({ "Syncline_Id__c": null, "LastName": "New" })),
    ];
    let (status, body) = bench.patch("/composite/sobjects/Contact/Syncline_Id__c", &json!({ "records": records }));
    assert_eq!(status, 200);
    assert_eq!(body[0], json!({ "id": id, "success": true, "errors": [], "created": false }));
    assert_eq!(body[1], json!({ "id": body[1]["id"], "success": true, "errors": [], "created": true }));
    assert_eq!(body[2], json!({ "success": false, "errors": missing() }));
    assert_eq!(body[3]["errors"][0]["statusCode"], "MISSING_ARGUMENT");
}

#[test]
fn s2_8_upsert_by_id_inserts_where_it_is_null() {
    let mut bench = Bench::new();
    let id = bench.contact("c-1", "Okafor");
    let records = [contact(json!({ "Id": null, "LastName": "New" })), contact(json!({ "Id": id, "Title": "x" }))];
    let (_, body) = bench.patch("/composite/sobjects/Contact/Id", &json!({ "records": records }));
    assert_eq!((&body[0]["created"], &body[1]["created"]), (&json!(true), &json!(false)));
}

#[test]
fn s2_8_upsert_by_email_updates_the_one_match() {
    let mut bench = Bench::new();
    bench.post("/sobjects/Contact", &json!({ "LastName": "A", "Email": "a@example.org" }));
    let records = [contact(json!({ "Email": "A@example.org", "Title": "x" }))];
    let (_, body) = bench.patch("/composite/sobjects/Contact/Email", &json!({ "records": records }));
    assert_eq!(body[0]["created"], false);
}

#[test]
fn s2_8_delete_by_ids() {
    let mut bench = Bench::new();
    let (a, b) = (bench.contact("a", "A"), bench.contact("b", "B"));
    bench.delete(&format!("/sobjects/Contact/{b}"));
    let (status, body) = bench.delete(&format!("/composite/sobjects?ids={a},{b},003zz&allOrNone=false"));
    let deleted = json!([{ "statusCode": "ENTITY_IS_DELETED", "message": "entity is deleted", "fields": [] }]);
    let malformed = json!([{ "statusCode": "MALFORMED_ID", "message": "malformed id 003zz", "fields": ["Id"] }]);
    let expected = json!([
        { "id": a, "success": true, "errors": [] },
        { "id": b, "success": false, "errors": deleted },
        { "success": false, "errors": malformed }
    ]);
    assert_eq!((status, body), (200, expected));
}

#[test]
fn s2_8_reads_answer_null_for_rows_that_are_not_there() {
    let mut bench = Bench::new();
    let (a, b) = (bench.contact("a", "A"), bench.contact("b", "B"));
    bench.delete(&format!("/sobjects/Contact/{b}"));
    let attributes = json!({ "type": "Contact", "url": format!("/services/data/v67.0/sobjects/Contact/{a}") });
    let expected = json!([null, { "attributes": attributes, "LastName": "A", "Syncline_Id__c": "a" }, null]);
    let got = bench.get(&format!("/composite/sobjects/Contact?ids={b},{a},zz&fields=LastName,Syncline_Id__c"));
    assert_eq!(got, (200, expected.clone()));
    let posted = bench.post("/composite/sobjects/Contact", &json!({ "ids": [b, a, "zz"], "fields": ["LastName", "Syncline_Id__c"] }));
    assert_eq!(posted, (200, expected));
    let unknown = bench.post("/composite/sobjects/Contact", &json!({ "ids": [a], "fields": ["Foo"] }));
    assert_eq!((unknown.0, &unknown.1[0]["errorCode"]), (400, &json!("INVALID_FIELD")));
}

#[test]
fn s2_8_create_takes_mixed_objects() {
    let mut bench = Bench::new();
    let lead = json!({ "attributes": { "type": "Lead" }, "LastName": "L", "Company": "C" });
    let records = [contact(json!({ "LastName": "A" })), lead];
    let (_, body) = bench.post("/composite/sobjects", &json!({ "records": records }));
    assert!(body[0]["id"].as_str().unwrap().starts_with("003"));
    assert!(body[1]["id"].as_str().unwrap().starts_with("00Q"));
}
