//! Answers as HubSpot gives them, and answers that nobody should give.

use std::time::Duration;

use syncline_core::ids::{AttemptId, ChargeId};
use syncline_core::outcome::{Rejection, Throttle};

use super::*;

fn batch(operation: Operation, items: usize) -> Batch {
    let item = |index: usize| {
        let external_id = (operation != Operation::Create).then(|| format!("{}", 501 + index));
        let fields = [("email".to_owned(), Some(format!("{index}@X.example"))), ("phone".to_owned(), None)].into();
        Item { attempt: AttemptId(index as i64 + 1), key: format!("A-{index}"), external_id, fields }
    };
    let items = (0..items).map(item).collect();
    Batch {
        charge: ChargeId(1),
        operation,
        object: "contacts".into(),
        key_field: "syncline_id".into(),
        items,
    }
}

fn answer(status: u16, body: &str) -> HttpResponse {
    let headers = [("content-type".to_owned(), "application/json;charset=utf-8".to_owned())].into();
    HttpResponse { status, headers, body: body.as_bytes().to_vec() }
}

fn outcomes(operation: Operation, items: usize, status: u16, body: &str) -> Vec<Outcome> {
    let answer = write(&batch(operation, items), &answer(status, body));
    assert_eq!(answer.outcomes.len(), items);
    answer.outcomes
}

fn row(id: u32, trace: u32, more: &str) -> String {
    format!(
        r#"{{"id":"{id}","properties":{{"email":"{trace}@x.example","phone":null,"hs_email_domain":"x.example"}},"objectWriteTraceId":"{trace}"{more}}}"#
    )
}

fn envelope(results: &[String], errors: &[&str]) -> String {
    format!(
        r#"{{"status":"COMPLETE","results":[{}],"numErrors":{},"errors":[{}]}}"#,
        results.join(","),
        errors.len(),
        errors.join(",")
    )
}

#[test]
fn results_are_matched_by_trace_id_in_any_order() {
    let body = envelope(&[row(502, 2, r#","new":false"#), row(900, 77, ""), row(501, 1, r#","new":true"#)], &[]);
    let outcomes = outcomes(Operation::Create, 2, 200, &body);
    let returned =
        |trace: u32| Some([("email".to_owned(), Some(format!("{trace}@x.example"))), ("phone".to_owned(), None)].into());
    assert_eq!(outcomes[0], Outcome::Written { external_id: "501".into(), existed: false, returned: returned(1) });
    assert_eq!(outcomes[1], Outcome::Written { external_id: "502".into(), existed: true, returned: returned(2) });
}

#[test]
fn a_partial_answer_blames_whom_it_names() {
    let errors = [
        r#"{"status":"error","category":"CONFLICT","message":"Contact already exists. Existing ID: 88012345601","context":{"objectWriteTraceId":["2"],"existingId":["88012345601"]}}"#,
        r#"{"status":"error","category":"VALIDATION_ERROR","message":"Property values were not valid: [{\"error\":\"INVALID_EMAIL\",\"name\":\"email\",\"message\":\"s3cret\"}]","context":{"objectWriteTraceId":["3"]}}"#,
        r#"{"status":"error","category":"SOMETHING_NEW","message":"s3cret","context":{"objectWriteTraceId":["4"]}}"#,
        r#"{"status":"error","category":"VALIDATION_ERROR","message":"for nobody"}"#,
    ];
    let outcomes = outcomes(Operation::Create, 5, 207, &envelope(&[row(501, 1, "")], &errors));
    assert!(matches!(outcomes[0], Outcome::Written { .. }));
    assert_eq!(outcomes[1], Outcome::Taken { by: Some("88012345601".into()), field: "email".into() });
    assert!(
        matches!(&outcomes[2], Outcome::Rejected(Rejection { code, field: Some(field), .. }) if code == "INVALID_EMAIL" && field == "email")
    );
    assert!(matches!(&outcomes[3], Outcome::Rejected(Rejection { code, .. }) if code == "SOMETHING_NEW"));
    assert!(matches!(outcomes[4], Outcome::Unknown { .. }));
    assert!(!format!("{outcomes:?}").contains("s3cret"));
}

#[test]
fn missing_records_share_one_entry() {
    let missing = r#"{"status":"error","category":"OBJECT_NOT_FOUND","message":"Could not get some CONTACT objects","context":{"ids":["502","999"],"objectWriteTraceId":["2"]}}"#;
    let outcomes = outcomes(Operation::Update, 3, 207, &envelope(&[row(501, 1, "")], &[missing]));
    assert!(matches!(outcomes[..], [Outcome::Written { .. }, Outcome::Gone, Outcome::Unknown { .. }]));
}

#[test]
fn an_archive_is_covered_by_its_status() {
    let done = outcomes(Operation::Delete, 2, 204, "");
    assert_eq!(done[1], Outcome::Written { external_id: "502".into(), existed: false, returned: None });
    let strange = outcomes(Operation::Delete, 2, 200, &envelope(&[row(501, 1, "")], &[]));
    assert!(strange.iter().all(|outcome| matches!(outcome, Outcome::Unknown { .. })));
}

#[test]
fn what_does_not_fit_is_unknown() {
    let other = envelope(&[row(777, 1, "")], &[]);
    let twice = envelope(&[row(501, 1, ""), row(501, 1, "")], &[]);
    let contradiction =
        envelope(&[row(501, 1, "")], &[r#"{"category":"VALIDATION_ERROR","message":"","context":{"objectWriteTraceId":["1"]}}"#]);
    let untraced = envelope(&[r#"{"id":"501","properties":{}}"#.to_owned()], &[]);
    let garbled = envelope(&[r#"{"id":"5o1","properties":{},"objectWriteTraceId":"1"}"#.to_owned()], &[]);
    let truncated = other[..other.len() - 9].to_owned();
    let deep = "[".repeat(100_000);
    for body in [
        other.as_str(),
        &twice,
        &contradiction,
        &untraced,
        &garbled,
        &truncated,
        &deep,
        "",
        "<html>",
        "null",
        "[]",
        "{}",
        r#"{"results":null}"#,
    ] {
        for status in [200, 201, 207] {
            let outcomes = outcomes(Operation::Update, 1, status, body);
            assert!(matches!(outcomes[0], Outcome::Unknown { .. }), "{status} {}", &body[..body.len().min(200)]);
        }
    }
    let mut html = answer(200, &envelope(&[row(501, 1, "")], &[]));
    html.headers.insert("content-type".into(), "text/html".into());
    assert!(matches!(write(&batch(Operation::Update, 1), &html).outcomes[0], Outcome::Unknown { .. }));
    let foreign = envelope(&[r#"{"id":"501","properties":{"syncline_id":"A-9"},"objectWriteTraceId":"1"}"#.to_owned()], &[]);
    assert!(matches!(outcomes(Operation::Create, 1, 200, &foreign)[0], Outcome::Unknown { .. }));
    let one_id = outcomes(Operation::Create, 3, 200, &envelope(&[row(501, 1, ""), row(501, 2, ""), row(502, 3, "")], &[]));
    assert!(matches!(one_id[..], [Outcome::Unknown { .. }, Outcome::Unknown { .. }, Outcome::Written { .. }]));
}

#[test]
fn a_status_says_whether_anything_can_have_been_done() {
    let invalid = r#"{"status":"error","message":"Property values were not valid: []","category":"VALIDATION_ERROR"}"#;
    let unknown = r#"{"status":"error","message":"Property \"p\" does not exist","errors":[{"code":"PROPERTY_DOESNT_EXIST","context":{"propertyName":["p"]}}],"category":"VALIDATION_ERROR"}"#;
    let huge = format!(r#"{{"status":"error","message":"{}"}}"#, "x".repeat(9 * 1024 * 1024));
    let cases: [(u16, &str, &str); 18] = [
        (400, invalid, "suspect"),
        (400, "<html>", "suspect"),
        (400, unknown, "not sent"),
        (400, r#"{"status":"error","message":"Unable to perform upsert by non-unique 0-1 property syncline_id"}"#, "not sent"),
        (401, "", "not sent"),
        (403, "", "not sent"),
        (404, "", "not sent"),
        (409, r#"{"message":"Contact already exists","category":"CONFLICT"}"#, "suspect"),
        (423, "", "retry"),
        (477, "", "retry"),
        (500, "", "unknown"),
        (500, &huge, "unknown"),
        (502, "<html>", "unknown"),
        (503, "<html>", "retry"),
        (504, "", "unknown"),
        (520, "", "unknown"),
        (524, "", "unknown"),
        (302, "", "unknown"),
    ];
    for (status, body, expected) in cases {
        for outcome in outcomes(Operation::Create, 2, status, body) {
            let seen = match &outcome {
                Outcome::Unknown { .. } => "unknown",
                Outcome::Retry { .. } => "retry",
                Outcome::Suspect(_) => "suspect",
                Outcome::NotSent { .. } => "not sent",
                Outcome::Written { .. } | Outcome::Gone | Outcome::Taken { .. } | Outcome::Rejected(_) => "other",
            };
            assert_eq!(seen, expected, "HTTP {status}");
        }
    }
    assert!(matches!(outcomes(Operation::Create, 1, 400, invalid)[0], Outcome::Rejected(_)));
    assert!(matches!(outcomes(Operation::Create, 1, 409, cases[7].1)[0], Outcome::Taken { .. }));
}

#[test]
fn a_named_record_bears_the_blame_alone() {
    let body = r#"{"category":"VALIDATION_ERROR","message":"Cannot set PropertyValueCoordinates{portalId=1, propertyName=ext_key, value=A-17} on 502. 77 already has that value."}"#;
    let named = outcomes(Operation::Update, 3, 400, body);
    assert!(matches!(named[..], [Outcome::NotSent { .. }, Outcome::Taken { .. }, Outcome::NotSent { .. }]));
}

#[test]
fn limits_are_matters_of_the_whole_account() {
    let daily = write(&batch(Operation::Update, 1), &answer(429, r#"{"policyName":"DAILY","errorType":"RATE_LIMIT"}"#));
    assert_eq!(daily.verdict.throttled, Some(Throttle { pool: Some("day".into()), after: None }));
    assert!(matches!(daily.outcomes[0], Outcome::NotSent { .. }));
    let names = wanted(ReadBy::Id, &["501"]);
    let locked = read(&names, &answer(423, ""));
    assert_eq!(locked.verdict.throttled, Some(Throttle { pool: None, after: Some(Duration::from_secs(2)) }));
    assert!(read(&names, &answer(401, "")).verdict.unauthorised);
}

fn wanted(by: ReadBy, names: &[&str]) -> ReadBatch {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    ReadBatch {
        charge: ChargeId(1),
        object: "contacts".into(),
        key_field: "syncline_id".into(),
        by,
        names,
        fields: vec!["email".into()],
    }
}

#[test]
fn a_record_is_missing_only_if_hubspot_says_so() {
    let missing = r#"{"status":"error","category":"OBJECT_NOT_FOUND","message":"…","context":{"ids":["502"]}}"#;
    let record = r#"{"id":"501","properties":{"email":"a@x.example","hs_merged_object_ids":"77;78"}}"#.to_owned();
    let both = wanted(ReadBy::Id, &["502", "501"]);
    let found = read(&both, &answer(207, &envelope(std::slice::from_ref(&record), &[missing]))).found.unwrap();
    assert_eq!(found[0], None);
    assert_eq!(
        found[1],
        Some(Found { external_id: "501".into(), fields: [("email".to_owned(), Some("a@x.example".to_owned()))].into() })
    );
    assert!(read(&both, &answer(200, &envelope(std::slice::from_ref(&record), &[]))).found.is_err());
    let merged = read(&wanted(ReadBy::Id, &["78"]), &answer(200, &envelope(&[record], &[]))).found.unwrap();
    assert_eq!(merged[0].as_ref().unwrap().external_id, "501");
    let keyed = r#"{"id":"501","properties":{"email":null,"syncline_id":"A-1"}}"#.to_owned();
    let found = read(&wanted(ReadBy::Key, &["A-1"]), &answer(200, &envelope(&[keyed], &[]))).found.unwrap();
    assert_eq!(found[0].as_ref().unwrap().fields["email"], None);
}

#[test]
fn the_account_and_counts_are_read() {
    let details = account(&answer(200, r#"{"portalId":4400123,"timeZone":"Europe/Berlin","accountType":"STANDARD"}"#)).unwrap();
    assert_eq!(details, Details { portal: "4400123".into(), zone: "Europe/Berlin".into() });
    assert!(account(&answer(200, r#"{"portalId":null}"#)).is_err());
    assert_eq!(count(&answer(200, r#"{"total":4213,"results":[]}"#)), Ok(4213));
    assert!(count(&answer(200, "<html>")).is_err());
}
