//! What the sandbox around the emulator asks of it: names of operations, inputs, subsets, faults, edits.

use serde_json::{Value, json};

use super::{Bench, body_of, error, header, row_error};
use crate::crm::{Crm, InvalidInput};

#[test]
fn every_route_has_an_operation_name() {
    let bench = Bench::new();
    let cases = [
        ("POST", "/services/oauth2/token", "token"),
        ("GET", "/sobjects/Lead/describe", "describe"),
        ("GET", "/limits", "limits"),
        ("GET", "/query", "query"),
        ("GET", "/queryAll/01g5g0000000001AAA-2000", "query"),
        ("POST", "/sobjects/Lead/", "create"),
        ("PATCH", "/sobjects/Lead/00Q5g00000Lm2BcEAJ", "update"),
        ("PATCH", "/sobjects/Lead/Syncline_Id__c/x", "upsert"),
        ("DELETE", "/sobjects/Lead/00Q5g00000Lm2BcEAJ", "delete"),
        ("GET", "/sobjects/Lead/00Q5g00000Lm2BcEAJ", "get"),
        ("GET", "/sobjects/Lead/Syncline_Id__c/x", "get"),
        ("POST", "/composite/sobjects", "collection_create"),
        ("PATCH", "/composite/sobjects", "collection_update"),
        ("PATCH", "/composite/sobjects/Lead/Syncline_Id__c", "collection_upsert"),
        ("DELETE", "/composite/sobjects", "collection_delete"),
        ("POST", "/composite/sobjects/Lead", "collection_read"),
        ("GET", "/composite/sobjects/Lead", "collection_read"),
        ("GET", "/somewhere", "unknown"),
    ];
    for (method, path, expected) in cases {
        assert_eq!(bench.org.operation(&bench.request(method, path, None)), expected, "{method} {path}");
    }
}

#[test]
fn inputs_are_named_in_order() {
    let bench = Bench::new();
    let id = "0035g00000Qa1ZxAAJ";
    let records = json!({ "records": [{ "id": id[..15], "syncline_id__c": "a" }, { "LastName": "x" }, { "Syncline_Id__c": "b" }] });
    let named = |method: &str, path: &str, body: Option<&Value>| bench.org.inputs(&bench.request(method, path, body));
    let expected: Vec<Vec<String>> = vec![vec!["a".into(), id.into()], vec![], vec!["b".into()]];
    assert_eq!(named("PATCH", "/composite/sobjects", Some(&records)), expected);
    assert_eq!(named("PATCH", "/composite/sobjects/Contact/Syncline_Id__c", Some(&records)), expected);
    assert_eq!(named("DELETE", &format!("/composite/sobjects?ids={},zz", &id[..15]), None), [[id], ["zz"]]);
    assert_eq!(named("PATCH", "/sobjects/Contact/Syncline_Id__c/a%20b", Some(&json!({}))), [["a b"]]);
    assert_eq!(named("PATCH", &format!("/sobjects/Contact/{id}"), Some(&json!({ "Syncline_Id__c": "k" }))), [[id, "k"]]);
    assert_eq!(named("POST", "/sobjects/Contact", Some(&json!({ "LastName": "x" }))), [Vec::<String>::new()]);
    assert_eq!(named("GET", &format!("/composite/sobjects/Contact?ids={id}"), None), Vec::<Vec<String>>::new());
}

#[test]
fn a_subset_holds_the_kept_inputs_only() {
    let mut bench = Bench::new();
    let record = |key: &str| json!({ "LastName": "x", "Syncline_Id__c": key });
    let body = json!({ "records": [record("a"), record("b"), record("c")] });
    let whole = bench.request("PATCH", "/composite/sobjects/Contact/Syncline_Id__c", Some(&body));
    let half = bench.org.subset(&whole, &|index| index != 1).unwrap();
    assert_eq!(bench.org.inputs(&half), [["a"], ["c"]]);
    assert_eq!(bench.org.handle(&half, bench.now).status, 200);
    assert_eq!(bench.org.records().len(), 2);
    assert_eq!(bench.org.subset(&whole, &|_| false), None);
    let deletion = bench.request("DELETE", "/composite/sobjects?ids=x,y&allOrNone=false", None);
    assert_eq!(bench.org.subset(&deletion, &|index| index == 1).unwrap().query_value("ids"), Some("y"));
    let single = bench.request("PATCH", "/sobjects/Contact/Syncline_Id__c/a", Some(&json!({})));
    assert_eq!(bench.org.subset(&single, &|_| true), Some(single.clone()));
    assert_eq!(bench.org.subset(&single, &|_| false), None);
    assert_eq!(bench.org.subset(&bench.request("GET", "/limits", None), &|_| true), None);
}

#[test]
fn s2_17_answers_of_faults() {
    let mut bench = Bench::new();
    let mut fault = |status: u16, body: Option<&str>| bench.org.fault_response(status, body, bench.now);
    for (status, body) in [(503, None), (502, None), (504, None), (420, None)] {
        let answer = fault(status, body);
        assert_eq!((answer.status, header(&answer, "Content-Type")), (status, Some("text/html; charset=UTF-8")));
    }
    assert_eq!(body_of(&fault(503, Some("json")))[0]["errorCode"], "SERVER_UNAVAILABLE");
    assert!(fault(503, Some("empty")).body.is_empty());
    assert_eq!(body_of(&fault(401, None)), error("INVALID_SESSION_ID", "Session expired or invalid"));
    let concurrent = fault(403, Some("concurrent"));
    let text = "ConcurrentRequests (Concurrent API Requests) Limit exceeded.";
    assert_eq!(body_of(&concurrent), error("REQUEST_LIMIT_EXCEEDED", text));
    let daily = fault(403, Some("daily"));
    assert_eq!(body_of(&daily), error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."));
    assert_eq!(header(&daily, "Sforce-Limit-Info"), Some("api-usage=15000/15000"));
    assert_eq!(body_of(&fault(500, None))[0]["errorCode"], "UNKNOWN_EXCEPTION");
    assert_eq!(body_of(&fault(400, None))[0]["errorCode"], "UNABLE_TO_LOCK_ROW");
    assert_eq!(
        body_of(&fault(400, Some("invalid_grant"))),
        json!({ "error": "invalid_grant", "error_description": "authentication failure" })
    );
}

#[test]
fn s2_17_inputs_refused_by_a_rule_leave_the_others_applied() {
    let mut bench = Bench::new();
    let record = |key: &str| json!({ "LastName": "x", "Syncline_Id__c": key });
    let body = json!({ "records": [record("a"), record("b"), record("c")] });
    let asked = bench.request("PATCH", "/composite/sobjects/Contact/Syncline_Id__c", Some(&body));
    let invalid = [InvalidInput { index: 1, field: "Title".to_owned(), message: "Title is odd".to_owned(), code: None }];
    let answer = body_of(&bench.org.handle_with_invalid(&asked, &invalid, bench.now));
    let refused = json!([{ "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "Title is odd", "fields": ["Title"] }]);
    assert_eq!(answer[1], json!({ "success": false, "errors": refused }));
    assert_eq!((&answer[0]["success"], &answer[2]["success"]), (&json!(true), &json!(true)));
    let single = bench.request("POST", "/sobjects/Contact", Some(&record("d")));
    let invalid = [InvalidInput { index: 0, field: String::new(), message: "No".to_owned(), code: None }];
    let answer = bench.org.handle_with_invalid(&single, &invalid, bench.now);
    assert_eq!((answer.status, body_of(&answer)), (400, row_error("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No", &[])));
    assert_eq!(bench.org.records().len(), 2);
}

#[test]
fn a_persons_edit_is_not_counted_and_shows_who_made_it() {
    let mut bench = Bench::new();
    let id = bench.contact("c-1", "Okafor");
    let used = bench.org.requests_counted(bench.now);
    let fields = json!({ "Title": "Buyer" });
    assert_eq!(bench.org.edit("Contact", Some(&id), fields.as_object(), bench.now + 1_000), Ok(id.clone()));
    assert_eq!(bench.org.requests_counted(bench.now), used);
    let (_, row) = bench.get(&format!("/sobjects/Contact/{id}"));
    assert_eq!((&row["LastModifiedById"], &row["CreatedById"]), (&json!("0055g000007Xy9aAAC"), &json!("0055g000007Xy9ZAAS")));
    let stored = bench.org.records().remove(0);
    assert_eq!((stored.writes, stored.deleted, stored.fields.get("Title").map(String::as_str)), (2, false, Some("Buyer")));
    assert_eq!(bench.org.edit("Contact", Some(&id), None, bench.now), Ok(id.clone()));
    assert!(bench.org.edit("Contact", Some(&id), fields.as_object(), bench.now).unwrap_err().contains("ENTITY_IS_DELETED"));
    assert!(bench.org.edit("Account", None, fields.as_object(), bench.now).is_err());
    assert!(bench.org.records()[0].deleted);
}
