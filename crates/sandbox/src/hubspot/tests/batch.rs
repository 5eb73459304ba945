//! Batches: who fails alone, what refuses everything, and how results find their inputs.

use serde_json::{Value, json};

use super::{CONTACTS, Stage, header};
use crate::crm::{Crm, InvalidInput};

fn path(verb: &str) -> String {
    format!("{CONTACTS}/batch/{verb}")
}

fn upsert(key: &str, properties: &Value, trace_id: Option<&str>) -> Value {
    let mut properties = properties.clone();
    properties["syncline_id"] = json!(key);
    let mut input = json!({"id": key, "idProperty": "syncline_id", "properties": properties});
    if let Some(trace_id) = trace_id {
        input["objectWriteTraceId"] = json!(trace_id);
    }
    input
}

#[test]
fn batch_create_answers_201_and_echoes_trace_ids_in_another_order() {
    let mut stage = Stage::new();
    let inputs: Vec<Value> = (0..100)
        .map(|row| json!({"properties": {"email": format!("A{row}@Acme.example")}, "objectWriteTraceId": format!("row-{row}")}))
        .collect();
    let (status, body) = stage.json("POST", &path("create"), &json!({"inputs": inputs}));
    assert_eq!(status, 201);
    assert_eq!((&body["status"], &body["startedAt"]), (&json!("COMPLETE"), &json!("2026-09-01T10:00:00.250Z")));
    assert_eq!((body.get("errors"), body.get("numErrors")), (None, None));
    let results = body["results"].as_array().unwrap();
    assert_eq!(results.len(), 100);
    let traces: Vec<&str> = results.iter().map(|result| result["objectWriteTraceId"].as_str().unwrap()).collect();
    let sent: Vec<String> = (0..100).map(|row| format!("row-{row}")).collect();
    assert_ne!(traces, sent);
    for result in results {
        let row = result["objectWriteTraceId"].as_str().unwrap().trim_start_matches("row-");
        assert_eq!(result["properties"]["email"], format!("a{row}@acme.example"));
        assert_eq!(result.get("new"), None);
    }
}

#[test]
fn batch_upsert_says_new_and_then_not_new() {
    let mut stage = Stage::new();
    let body = json!({"inputs": [upsert("A-1", &json!({"email": "Ada@Acme.example"}), Some("row-1"))]});
    let (status, text) = stage.text("POST", &path("upsert"), &body);
    assert_eq!(status, 200);
    assert_eq!(
        text,
        r#"{"status":"COMPLETE","results":[{"id":"88012345601","properties":{"createdate":"2026-09-01T10:00:00.250Z","email":"ada@acme.example","hs_all_contact_vids":"88012345601","hs_email_domain":"acme.example","hs_full_name_or_email":"ada@acme.example","hs_is_contact":"true","hs_is_unworked":"true","hs_lifecyclestage_lead_date":"2026-09-01T10:00:00.250Z","hs_marketable_status":"false","hs_marketable_until_renewal":"false","hs_object_id":"88012345601","hs_object_source":"INTEGRATION","hs_object_source_id":"77001","hs_object_source_label":"INTEGRATION","hs_pipeline":"contacts-lifecycle-pipeline","lastmodifieddate":"2026-09-01T10:00:00.250Z","lifecyclestage":"lead","syncline_id":"A-1"},"createdAt":"2026-09-01T10:00:00.250Z","updatedAt":"2026-09-01T10:00:00.250Z","archived":false,"new":true,"objectWriteTraceId":"row-1","url":"https://app.hubspot.com/contacts/4400123/record/0-1/88012345601"}],"startedAt":"2026-09-01T10:00:00.250Z","completedAt":"2026-09-01T10:00:00.250Z"}"#
    );
    let (_, again) = stage.json("POST", &path("upsert"), &body);
    assert_eq!(again["results"][0]["new"], json!(false));
    assert_eq!(stage.live(), 1);
    assert_eq!(stage.hubspot.records()[0].writes, 2);
}

#[test]
fn batch_with_own_trace_ids_fails_row_by_row() {
    let mut stage = Stage::new();
    stage.contact(&json!({"email": "taken@acme.example", "syncline_id": "X"}));
    let inputs = [
        upsert("A-1", &json!({"email": "a@acme.example"}), Some("row-1")),
        upsert("A-2", &json!({"email": "taken@acme.example"}), Some("row-2")),
        upsert("A-3", &json!({"email": "nonsense"}), Some("row-3")),
        upsert("A-4", &json!({"email": "d@acme.example"}), Some("row-4")),
    ];
    let (status, body) = stage.json("POST", &path("upsert"), &json!({"inputs": inputs}));
    assert_eq!(status, 207);
    assert_eq!(body["results"].as_array().unwrap().len(), 2);
    assert_eq!(body["numErrors"], 2);
    assert_eq!(
        body["errors"][0],
        json!({"status": "error", "category": "CONFLICT", "message": "Contact already exists. Existing ID: 88012345601",
               "context": {"objectWriteTraceId": ["row-2"], "existingId": ["88012345601"]}})
    );
    assert_eq!(
        body["errors"][1],
        json!({"status": "error", "category": "VALIDATION_ERROR",
               "message": "Property values were not valid: [{\"isValid\":false,\"message\":\"Email address nonsense is invalid\",\"error\":\"INVALID_EMAIL\",\"name\":\"email\",\"localizedErrorMessage\":\"Email address nonsense is invalid\",\"portalId\":4400123}]",
               "context": {"objectWriteTraceId": ["row-3"]}})
    );
    assert_eq!(stage.live(), 3);
}

#[test]
fn batch_unique_clash_is_an_entry_with_trace_ids_and_400_without() {
    for (trace_id, status) in [(Some("row-1"), 207), (None, 400)] {
        let mut stage = Stage::new();
        let first = stage.contact(&json!({"syncline_id": "A-1"}));
        let second = stage.contact(&json!({"syncline_id": "A-2"}));
        let mut input = json!({"id": second, "properties": {"syncline_id": "A-1"}});
        if let Some(trace_id) = trace_id {
            input["objectWriteTraceId"] = json!(trace_id);
        }
        let (got, body) = stage.json("POST", &path("update"), &json!({"inputs": [input]}));
        assert_eq!(got, status);
        let message = if status == 207 { &body["errors"][0]["message"] } else { &body["message"] };
        assert!(message.as_str().unwrap().ends_with(&format!("value=A-1}} on {second}. {first} already has that value.")), "{body}");
    }
}

#[test]
fn batch_without_trace_ids_writes_nothing_when_one_row_is_bad() {
    let mut stage = Stage::new();
    stage.contact(&json!({"email": "old@acme.example", "city": "Ulm", "syncline_id": "A-1"}));
    for same_trace in [None, Some("row")] {
        let inputs = [
            upsert("A-1", &json!({"email": "moved@acme.example", "city": ""}), same_trace),
            upsert("A-2", &json!({"email": "old@acme.example"}), same_trace),
            upsert("A-3", &json!({"email": "nonsense"}), same_trace),
        ];
        let (status, body) = stage.json("POST", &path("upsert"), &json!({"inputs": inputs}));
        assert_eq!((status, &body["category"]), (400, &json!("VALIDATION_ERROR")));
        assert_eq!(body["errors"][0]["code"], "INVALID_EMAIL");
        let records = stage.hubspot.records();
        assert_eq!((records.len(), records[0].writes), (1, 1));
        assert_eq!((records[0].fields["email"].as_str(), records[0].fields["city"].as_str()), ("old@acme.example", "Ulm"));
    }
    // The undone rows left no trace in the indexes.
    let inputs = [upsert("A-9", &json!({"email": "moved@acme.example"}), None)];
    assert_eq!(stage.json("POST", &path("upsert"), &json!({"inputs": inputs})).0, 200);
}

#[test]
fn batch_conflict_without_trace_ids_is_409_and_several_name_nobody() {
    let mut stage = Stage::new();
    stage.contact(&json!({"email": "a@acme.example"}));
    stage.contact(&json!({"email": "b@acme.example"}));
    let create = |email: &str| json!({"properties": {"email": email}});
    let (status, body) = stage.json("POST", &path("create"), &json!({"inputs": [create("c@acme.example"), create("a@acme.example")]}));
    assert_eq!((status, &body["message"]), (409, &json!("Contact already exists. Existing ID: 88012345601")));
    let (status, body) = stage.json("POST", &path("create"), &json!({"inputs": [create("b@acme.example"), create("a@acme.example")]}));
    assert_eq!((status, &body["message"]), (409, &json!("Contact already exists")));
    let (status, body) = stage.json("POST", &path("create"), &json!({"inputs": [create("n@acme.example"), create("N@acme.example")]}));
    assert_eq!((status, &body["message"]), (409, &json!("Contact already exists")));
    assert_eq!(stage.live(), 2);
}

#[test]
fn batch_duplicates_refuse_everything_trace_ids_or_not() {
    let mut stage = Stage::new();
    let inputs = [upsert("501", &json!({}), Some("row-1")), upsert("501", &json!({}), Some("row-2"))];
    assert_eq!(
        stage.text("POST", &path("upsert"), &json!({"inputs": inputs})),
        (400, r#"{"status":"error","message":"Duplicate IDs found in batch input: [501]. IDs must be unique","correlationId":"…","context":{"ids":["501"]},"category":"VALIDATION_ERROR"}"#.to_owned())
    );
    let by_email = |email: &str, row: &str| json!({"id": email, "idProperty": "email", "properties": {"email": email}, "objectWriteTraceId": row});
    let inputs = [by_email("a@acme.example", "1"), by_email("A@acme.example", "2")];
    assert_eq!(stage.json("POST", &path("upsert"), &json!({"inputs": inputs})).0, 400);
    assert_eq!(stage.live(), 0);
}

#[test]
fn batch_unknown_ids_share_one_entry_of_207() {
    let mut stage = Stage::new();
    let id = stage.contact(&json!({"email": "a@acme.example"}));
    let input = |id: &str, row: &str| json!({"id": id, "properties": {"city": "Ulm"}, "objectWriteTraceId": row});
    let inputs = [input("998", "row-1"), input(&id, "row-2"), input("999", "row-3")];
    let (status, body) = stage.json("POST", &path("update"), &json!({"inputs": inputs}));
    assert_eq!((status, &body["numErrors"]), (207, &json!(1)));
    assert_eq!(
        body["errors"][0],
        json!({"status": "error", "category": "OBJECT_NOT_FOUND",
               "message": "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.",
               "context": {"ids": ["998", "999"], "objectWriteTraceId": ["row-1", "row-3"]}})
    );
    let read = json!({"inputs": [{"id": "998"}, {"id": id}, {"id": "999"}], "properties": ["city", "phone"]});
    let (status, body) = stage.json("POST", &path("read"), &read);
    assert_eq!((status, &body["errors"][0]["context"]), (207, &json!({"ids": ["998", "999"]})));
    assert_eq!(body["results"][0]["properties"]["city"], "Ulm");
    assert_eq!(body["results"][0]["properties"]["phone"], Value::Null);
}

#[test]
fn batch_read_by_key_and_archived() {
    let mut stage = Stage::new();
    let id = stage.contact(&json!({"email": "a@acme.example", "syncline_id": "A-1"}));
    let by_key = json!({"idProperty": "syncline_id", "inputs": [{"id": "A-1"}], "properties": ["syncline_id"]});
    assert_eq!(stage.json("POST", &path("read"), &by_key).1["results"][0]["id"], json!(id));
    assert_eq!(stage.text("POST", &path("archive"), &json!({"inputs": [{"id": id}, {"id": "999"}]})), (204, String::new()));
    assert_eq!(stage.json("POST", &path("read"), &by_key).0, 207);
    let (status, body) = stage.json("POST", &format!("{}?archived=true", path("read")), &json!({"inputs": [{"id": id}]}));
    assert_eq!((status, &body["results"][0]["archived"]), (200, &json!(true)));
}

#[test]
fn batch_takes_100_inputs_and_50_with_history() {
    let mut stage = Stage::new();
    let inputs = |count: usize| (0..count).map(|id| json!({"id": id.to_string()})).collect::<Vec<_>>();
    for verb in ["read", "update", "create", "upsert", "archive"] {
        let (status, body) = stage.json("POST", &path(verb), &json!({"inputs": inputs(101)}));
        assert_eq!((status, &body["category"]), (400, &json!("VALIDATION_ERROR")), "{verb}");
    }
    let (status, body) = stage.json("POST", &path("read"), &json!({"inputs": inputs(51), "propertiesWithHistory": ["email"]}));
    assert_eq!(status, 400);
    assert_eq!(body["message"], "The maximum number of inputs supported in a batch request for property histories is 50");
}

#[test]
fn batch_keys_must_be_unique_properties() {
    let mut stage = Stage::new();
    let input = |name: &str| json!({"inputs": [{"id": "x", "idProperty": name, "properties": {}}]});
    for (verb, name) in [("update", "email"), ("update", "firstname"), ("upsert", "firstname")] {
        let (status, body) = stage.json("POST", &path(verb), &input(name));
        assert_eq!(status, 400);
        assert_eq!(body["message"], format!("Unable to perform {verb} by non-unique 0-1 property {name}"));
    }
    let (status, body) = stage.json("POST", &path("update"), &input("syncline_id"));
    assert_eq!((status, &body["errors"][0]["context"]), (207, &json!({"missingObjectPropertyValueCoordinates": ["x"]})));
}

#[test]
fn batch_upsert_leaves_the_key_out_when_properties_lack_it() {
    let mut stage = Stage::new();
    let body = json!({"inputs": [{"id": "A-1", "idProperty": "syncline_id", "properties": {"city": "Ulm"}}]});
    for _ in 0..2 {
        assert_eq!(stage.json("POST", &path("upsert"), &body).1["results"][0]["new"], json!(true));
    }
    assert_eq!(stage.live(), 2);
}

#[test]
fn batch_inputs_that_a_fault_refuses_fail_in_hubspots_own_shape() {
    let invalid = [InvalidInput { index: 1, field: "phone".to_owned(), message: "+49 is no phone".to_owned(), code: None }];
    for (trace, status, live) in [(true, 207, 1), (false, 400, 0)] {
        let mut stage = Stage::new();
        let inputs: Vec<Value> =
            (0..2).map(|row| upsert(&format!("A-{row}"), &json!({}), trace.then_some(["r0", "r1"][row]))).collect();
        let request = super::request("POST", &path("upsert"), &json!({"inputs": inputs}));
        let response = stage.hubspot.handle_with_invalid(&request, &invalid, super::START);
        assert_eq!((response.status, stage.live()), (status, live));
        let text = super::shown(&response).1;
        assert!(text.contains("INVALID_ALPHA") && text.contains("+49 is no phone"), "{text}");
        assert_eq!(header(&response, "X-HubSpot-RateLimit-Remaining"), Some("99"));
    }
}

#[test]
fn batch_inputs_are_named_counted_and_divided() {
    let mut stage = Stage::new();
    let id = stage.contact(&json!({"syncline_id": "A-9"}));
    let inputs = [upsert("A-1", &json!({}), None), upsert("A-9", &json!({}), None)];
    let request = super::request("POST", &path("upsert"), &json!({"inputs": inputs}));
    assert_eq!(stage.hubspot.inputs(&request), [vec!["A-1".to_owned()], vec!["A-9".to_owned(), id.clone()]]);
    assert_eq!((stage.hubspot.input_count(&request), stage.hubspot.operation(&request)), (2, "batch_upsert"));
    let half = stage.hubspot.subset(&request, &|index| index == 1).unwrap();
    assert_eq!(stage.hubspot.inputs(&half), [vec!["A-9".to_owned(), id.clone()]]);
    let update = super::request("PATCH", &format!("{CONTACTS}/{id}"), &json!({"properties": {}}));
    assert_eq!(stage.hubspot.inputs(&update), [vec!["A-9".to_owned(), id]]);
}
