//! Answers as Salesforce gives them, and answers that nobody should give.

use std::time::Duration;

use syncline_core::dispatch::batch::Item;
use syncline_core::ids::{AttemptId, ChargeId};
use syncline_core::outcome::{Rejection, Throttle};

use super::*;

const IDS: [&str; 3] = ["0035g00000Qa1ZxAAJ", "0035g00000Qa1ZyAAJ", "0035g00000Qa1ZzAAJ"];

fn batch(operation: Operation, items: usize) -> Batch {
    let item = |index: usize| {
        let external_id = (operation != Operation::Create).then(|| IDS[index].to_owned());
        Item { attempt: AttemptId(index as i64 + 1), key: format!("c-{index}"), external_id, fields: ExternalFields::new() }
    };
    let items = (0..items).map(item).collect();
    Batch {
        charge: ChargeId(1),
        operation,
        object: "Contact".into(),
        key_field: "Sync_Key__c".into(),
        items,
    }
}

fn answer(status: u16, body: &str) -> HttpResponse {
    let headers = [("content-type".to_owned(), "application/json;charset=UTF-8".to_owned())].into();
    HttpResponse { status, headers, body: body.as_bytes().to_vec() }
}

fn outcomes(operation: Operation, items: usize, status: u16, body: &str) -> Vec<Outcome> {
    let answer = write(&batch(operation, items), &answer(status, body));
    assert_eq!(answer.outcomes.len(), items);
    answer.outcomes
}

fn saved(id: &str) -> String {
    format!(r#"{{"id":"{id}","success":true,"errors":[]}}"#)
}

fn failed(code: &str, fields: &str) -> String {
    format!(r#"{{"success":false,"errors":[{{"statusCode":"{code}","message":"about v4lue","fields":[{fields}]}}]}}"#)
}

#[test]
fn results_cover_items_by_position() {
    let body = format!(
        r#"[{{"id":"{}","success":true,"errors":[],"created":true}},{},{{"id":"{}","success":true,"errors":[],"created":false}}]"#,
        IDS[0],
        failed("STRING_TOO_LONG", "\"LastName\""),
        IDS[2]
    );
    let outcomes = outcomes(Operation::Create, 3, 200, &body);
    assert_eq!(outcomes[0], Outcome::Written { external_id: IDS[0].into(), existed: false, returned: None });
    assert!(
        matches!(&outcomes[1], Outcome::Rejected(Rejection { code, field: Some(field), .. }) if code == "STRING_TOO_LONG" && field == "LastName")
    );
    assert!(!format!("{:?}", outcomes[1]).contains("v4lue"));
    assert_eq!(outcomes[2], Outcome::Written { external_id: IDS[2].into(), existed: true, returned: None });
}

#[test]
fn item_errors_have_the_outcome_of_their_class() {
    let one = |operation, code: &str, fields: &str| outcomes(operation, 1, 200, &format!("[{}]", failed(code, fields))).remove(0);
    assert_eq!(one(Operation::Update, "ENTITY_IS_DELETED", ""), Outcome::Gone);
    assert_eq!(one(Operation::Delete, "ENTITY_IS_DELETED", ""), Outcome::Gone);
    assert_eq!(one(Operation::Update, "INVALID_CROSS_REFERENCE_KEY", ""), Outcome::Gone);
    assert_eq!(
        one(Operation::Create, "UNABLE_TO_LOCK_ROW", ""),
        Outcome::Retry { code: "UNABLE_TO_LOCK_ROW".into(), after: Some(Duration::from_secs(1)) }
    );
    assert_eq!(one(Operation::Update, "DUPLICATE_VALUE", "\"Email\""), Outcome::Taken { by: None, field: "Email".into() });
    assert!(matches!(one(Operation::Update, "CANNOT_UPDATE_CONVERTED_LEAD", ""), Outcome::Rejected(_)));
    assert!(matches!(one(Operation::Update, "UNKNOWN_EXCEPTION", ""), Outcome::Retry { .. }));
    // Whatever the code, the row says that it was not saved.
    assert!(matches!(one(Operation::Update, "SOMETHING_NEW", ""), Outcome::Rejected(_)));
    assert!(
        matches!(one(Operation::Update, "x' --", ""), Outcome::Rejected(Rejection { code, .. }) if code == "unreadable code")
    );
    assert!(matches!(outcomes(Operation::Update, 1, 200, r#"[{"success":false,"errors":[]}]"#)[0], Outcome::Retry { .. }));
}

#[test]
fn what_is_wrong_for_every_record_pauses_the_boundary_and_blames_none() {
    let body = format!("[{},{}]", saved(IDS[0]), failed("INVALID_FIELD", "\"Nickname\""));
    let answer = write(&batch(Operation::Update, 2), &answer(200, &body));
    assert!(matches!(answer.outcomes[0], Outcome::Written { .. }));
    assert!(matches!(answer.outcomes[1], Outcome::NotSent { .. }));
    assert_eq!(answer.verdict.boundary.unwrap().field.as_deref(), Some("Nickname"));
}

#[test]
fn an_answer_that_does_not_fit_makes_every_item_unknown() {
    let short = format!("[{}]", saved(IDS[0]));
    let long = format!("[{},{},{}]", saved(IDS[0]), saved(IDS[1]), saved(IDS[2]));
    let swapped = format!("[{},{}]", saved(IDS[1]), saved(IDS[0]));
    let twice = format!("[{},{}]", saved(IDS[0]), saved(IDS[0]));
    let garbled = format!("[{},{}]", saved(IDS[0]), saved("no id"));
    let truncated = format!("[{},{{\"id\":\"00", saved(IDS[0]));
    let object = saved(IDS[0]);
    let deep = "[".repeat(100_000);
    for body in [
        short.as_str(),
        &long,
        &swapped,
        &twice,
        &garbled,
        &truncated,
        &object,
        &deep,
        "",
        "<html>",
        "null",
        "[]",
        "[null,null]",
        "\u{0}",
    ] {
        let outcomes = outcomes(Operation::Update, 2, 200, body);
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Unknown { .. })), "{}", &body[..body.len().min(60)]);
    }
    let created = outcomes(Operation::Create, 2, 200, &twice);
    assert!(created.iter().all(|outcome| matches!(outcome, Outcome::Unknown { .. })));
    let mut html = answer(200, &format!("[{}]", saved(IDS[0])));
    html.headers.insert("content-type".into(), "text/html".into());
    assert!(matches!(write(&batch(Operation::Update, 1), &html).outcomes[0], Outcome::Unknown { .. }));
}

#[test]
fn a_status_says_whether_anything_can_have_been_done() {
    let error = |code: &str| format!(r#"[{{"message":"about v4lue","errorCode":"{code}"}}]"#);
    let unavailable = error("SERVER_UNAVAILABLE");
    let exception = error("UNKNOWN_EXCEPTION");
    let lock = error("UNABLE_TO_LOCK_ROW");
    let new = error("SOMETHING_NEW");
    let huge = format!(r#"[{{"message":"{}","errorCode":"UNKNOWN_EXCEPTION"}}]"#, "x".repeat(9 * 1024 * 1024));
    let cases: [(u16, &str, &str); 17] = [
        (500, &exception, "unknown"),
        (500, &huge, "unknown"),
        (500, "<html>", "unknown"),
        (500, &lock, "retry"),
        (502, "", "unknown"),
        (503, &unavailable, "retry"),
        (503, "<html>", "retry"),
        (504, "<html>", "unknown"),
        (524, "", "unknown"),
        (599, "", "unknown"),
        (302, "<html>", "unknown"),
        (408, "", "unknown"),
        (420, "<html>", "retry"),
        (400, &new, "suspect"),
        (400, "<html>", "suspect"),
        (404, &error("NOT_FOUND"), "not sent"),
        (403, &error("API_DISABLED_FOR_ORG"), "not sent"),
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
            assert!(!format!("{outcome:?}").contains("v4lue"));
        }
    }
    assert!(matches!(outcomes(Operation::Create, 1, 400, &new)[0], Outcome::Rejected(_)));
}

#[test]
fn limits_and_tokens_are_matters_of_the_whole_account() {
    let total = write(
        &batch(Operation::Update, 2),
        &answer(403, r#"[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#),
    );
    assert_eq!(total.verdict.throttled, Some(Throttle { pool: Some("day".into()), after: Some(Duration::from_secs(300)) }));
    assert!(matches!(total.outcomes[..], [Outcome::NotSent { .. }, Outcome::NotSent { .. }]));
    let concurrent =
        r#"[{"message":"ConcurrentRequests (Concurrent API Requests) Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#;
    let concurrent = write(&batch(Operation::Update, 1), &answer(403, concurrent));
    assert_eq!(concurrent.verdict.throttled, Some(Throttle { pool: None, after: Some(Duration::from_secs(2)) }));
    let mut slow = answer(429, "");
    slow.headers.insert("retry-after".into(), "90".into());
    assert_eq!(
        write(&batch(Operation::Update, 1), &slow).verdict.throttled,
        Some(Throttle { pool: None, after: Some(Duration::from_secs(90)) })
    );
    let expired = write(
        &batch(Operation::Update, 1),
        &answer(401, r#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#),
    );
    assert!(expired.verdict.unauthorised && matches!(expired.outcomes[0], Outcome::NotSent { .. }));
    let set_up = r#"[{"message":"This session is not valid for use with the REST API","errorCode":"INVALID_SESSION_ID"}]"#;
    let set_up = write(&batch(Operation::Update, 1), &answer(401, set_up));
    assert!(!set_up.verdict.unauthorised && set_up.verdict.account.is_some());
    let mut told = answer(200, &format!("[{}]", saved(IDS[0])));
    told.headers.insert("sforce-limit-info".into(), "api-usage=18/5000".into());
    assert_eq!(write(&batch(Operation::Update, 1), &told).verdict.limits[0].used, 18);
}

fn wanted(by: ReadBy, names: &[&str]) -> ReadBatch {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    ReadBatch {
        charge: ChargeId(1),
        object: "Contact".into(),
        key_field: "Sync_Key__c".into(),
        by,
        names,
        fields: vec!["Email".into()],
    }
}

#[test]
fn a_read_by_id_takes_null_for_missing_and_nothing_else() {
    let names = wanted(ReadBy::Id, &[IDS[0], IDS[1]]);
    let row = format!(r#"{{"attributes":{{"type":"Contact"}},"Id":"{}","Email":"","Other":1}}"#, IDS[0]);
    let found = read(&names, &answer(200, &format!("[{row},null]"))).found.unwrap();
    assert_eq!(found, [Some(Found { external_id: IDS[0].into(), fields: [("Email".to_owned(), None)].into() }), None]);
    for body in [
        format!("[{row}]"),
        format!("[null,{row}]"),
        "[null,null".into(),
        String::new(),
        format!(r#"[{{"Id":"{}"}},null]"#, IDS[0]),
    ] {
        assert!(read(&names, &answer(200, &body)).found.is_err(), "{body}");
    }
    assert!(read(&names, &answer(404, r#"[{"errorCode":"NOT_FOUND","message":""}]"#)).found.is_err());
}

#[test]
fn a_read_by_key_matches_rows_by_their_key() {
    let names = wanted(ReadBy::Key, &["c-1", "c-2"]);
    let row = |key: &str, id: &str| format!(r#"{{"Id":"{id}","Email":"a@x.example","Sync_Key__c":"{key}"}}"#);
    let page =
        |done: bool, rows: &[String]| format!(r#"{{"totalSize":{},"done":{done},"records":[{}]}}"#, rows.len(), rows.join(","));
    let found = read(&names, &answer(200, &page(true, &[row("c-2", IDS[1])]))).found.unwrap();
    assert_eq!(found[0], None);
    assert_eq!(found[1].as_ref().unwrap().external_id, IDS[1]);
    for body in
        [page(false, &[]), page(true, &[row("c-1", IDS[0]), row("c-1", IDS[1])]), page(true, &[row("c-1", "?")]), "{}".into()]
    {
        assert!(read(&names, &answer(200, &body)).found.is_err(), "{body}");
    }
    assert_eq!(count(&answer(200, r#"{"totalSize":812,"done":true,"records":[]}"#)), Ok(812));
    assert!(count(&answer(200, "{}")).is_err());
}

#[test]
fn short_ids_become_long_ones() {
    assert_eq!(long_id("0035500001H9cak").as_deref(), Some("0035500001H9cakAAB"));
    assert_eq!(long_id("0012300000bVTq1").as_deref(), Some("0012300000bVTq1AAG"));
    assert_eq!(long_id(IDS[0]).as_deref(), Some(IDS[0]));
    assert_eq!(long_id("<unknown>"), None);
}
