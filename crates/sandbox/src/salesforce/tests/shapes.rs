//! Golden answers: the whole answer of every kind of call and of every kind of error, one file per part of the interface.
//!
//! Promises: times and ids are fixed, so a file changes only when an answer does.

use serde_json::{Value, json};

use super::super::{Becomes, DuplicateAction, DuplicateRule, FAULT_BODIES, Salesforce, SalesforceConfig, Trigger};
use super::{Bench, FORM, body_of, request};
use crate::crm::Crm;
use crate::exchange::Response;

/// One answer as text: status, headers, body in lines.
fn text(what: &str, response: &Response) -> String {
    let headers: String = response.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let body = serde_json::from_slice::<Value>(&response.body);
    let body = body.map_or_else(|_| String::from_utf8_lossy(&response.body).into_owned(), |body| format!("{body:#}"));
    format!("> {what}\n{}\n{headers}{body}\n", response.status)
}

fn tell(bench: &mut Bench, calls: &[(&str, String, Value)]) -> String {
    let mut all = Vec::new();
    for (method, path, body) in calls {
        let sent = bench.request(method, path, (!body.is_null()).then_some(body));
        let response = bench.org.handle(&sent, bench.now);
        let shown = if body.is_null() { String::new() } else { format!(" {body}") };
        all.push(text(&format!("{method} {path}{shown}"), &response));
        bench.now += 1_000;
    }
    all.join("\n")
}

#[test]
fn rows_shapes() {
    let mut bench = Bench::new();
    let id = bench.contact("c-1", "Okafor");
    let row = format!("/sobjects/Contact/{id}");
    let calls = [
        ("POST", "/sobjects/Contact/".to_owned(), json!({"LastName": "Byron", "Email": "ada@acme.example"})),
        ("GET", row.clone(), Value::Null),
        ("GET", format!("{row}?fields=LastName,Email"), Value::Null),
        ("HEAD", row.clone(), Value::Null),
        ("GET", "/sobjects/Contact/Syncline_Id__c/c-1".to_owned(), Value::Null),
        ("PATCH", row.clone(), json!({"Title": "Buyer"})),
        ("PATCH", "/sobjects/Contact/Syncline_Id__c/c-1".to_owned(), json!({"Title": "Buyer"})),
        ("PATCH", "/sobjects/Contact/Syncline_Id__c/c-2".to_owned(), json!({"LastName": "New"})),
        ("PATCH", "/services/data/v45.0/sobjects/Contact/Syncline_Id__c/c-2".to_owned(), json!({"LastName": "Newer"})),
        ("DELETE", row.clone(), Value::Null),
        ("DELETE", row.clone(), Value::Null),
        ("GET", row, Value::Null),
    ];
    insta::assert_snapshot!(tell(&mut bench, &calls));
}

#[test]
fn rows_error_shapes() {
    let mut bench = Bench::new();
    bench.contact("c-1", "Okafor");
    let contacts = || "/sobjects/Contact".to_owned();
    let calls = [
        ("GET", "/sobjects/Nosuch/describe".to_owned(), Value::Null),
        ("GET", "/sobjects/Contact/garbage".to_owned(), Value::Null),
        ("PATCH", "/sobjects/Contact/0035g00000Zz9ZzAAJ".to_owned(), json!({"Title": "x"})),
        ("POST", "/sobjects/Lead".to_owned(), json!({"FirstName": "Ada"})),
        ("POST", contacts(), json!({"LastName": "x".repeat(81), "Email": "not-an-email"})),
        ("POST", contacts(), json!({"LastName": "x", "foo": 1})),
        ("POST", contacts(), json!({"LastName": "x", "CreatedDate": "2026-01-01T00:00:00Z"})),
        ("POST", contacts(), json!({"LastName": "x", "Syncline_Id__c": "c-1"})),
        ("POST", contacts(), json!({"LastName": "x", "CleanStatus": "X"})),
        ("POST", contacts(), json!({"LastName": "x", "ReportsToId": "0035g00000Zz9ZzAAJ"})),
        ("PATCH", contacts(), json!({"LastName": "x"})),
        ("PATCH", "/sobjects/Contact/Nosuch__c/1".to_owned(), json!({"LastName": "x"})),
        ("GET", "/services/data/v20.0/limits".to_owned(), Value::Null),
        ("GET", "/services/data/v99.0/limits".to_owned(), Value::Null),
    ];
    insta::assert_snapshot!(tell(&mut bench, &calls));
}

#[test]
fn collections_shapes() {
    let mut bench = Bench::new();
    let typed = |fields: Value| {
        let mut record = json!({"attributes": {"type": "Contact"}});
        record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        record
    };
    let id = bench.contact("c-1", "Okafor");
    let records = json!([typed(json!({"LastName": "A", "Syncline_Id__c": "k-1"})), typed(json!({"Syncline_Id__c": "k-2"}))]);
    let calls = [
        ("POST", "/composite/sobjects".to_owned(), json!({"allOrNone": true, "records": records})),
        ("POST", "/composite/sobjects".to_owned(), json!({"records": records})),
        ("PATCH", "/composite/sobjects".to_owned(), json!({"records": [typed(json!({"id": id, "Title": "x"})), typed(json!({"id": "003zz"})), typed(json!({"id": "0015g00000Ab3CdAAJ"}))]})),
        ("PATCH", "/composite/sobjects/Contact/Syncline_Id__c".to_owned(), json!({"records": [typed(json!({"Syncline_Id__c": "k-1", "Title": "y"})), typed(json!({"Syncline_Id__c": "k-3", "LastName": "C"}))]})),
        ("PATCH", "/composite/sobjects/Contact/Syncline_Id__c".to_owned(), json!({"records": [typed(json!({"Syncline_Id__c": "k-1"})), typed(json!({"Syncline_Id__c": "k-1"}))]})),
        ("POST", "/composite/sobjects/Contact".to_owned(), json!({"ids": [id, "0035g00000Zz9ZzAAJ"], "fields": ["LastName", "Title"]})),
        ("DELETE", format!("/composite/sobjects?ids={id},{id}"), Value::Null),
        ("DELETE", format!("/composite/sobjects?ids={id}&allOrNone=false"), Value::Null),
        ("POST", "/composite/sobjects".to_owned(), json!({"records": vec![typed(json!({"LastName": "x"})); 201]})),
    ];
    let most = tell(&mut bench, &calls[..8]);
    let last = bench.request("POST", "/composite/sobjects", Some(&calls[8].2));
    insta::assert_snapshot!(format!("{most}\n{}", text("POST 201 records", &bench.org.handle(&last, bench.now))));
}

#[test]
fn composite_shapes() {
    let mut bench = Bench::new();
    let path = |rest: &str| format!("/services/data/v67.0{rest}");
    let account = json!({"method": "POST", "url": path("/sobjects/Account"), "referenceId": "acc", "body": {"Name": "Harbour Cranes Ltd"}});
    let contact = json!({"method": "POST", "url": path("/sobjects/Contact"), "referenceId": "con", "body": {"LastName": "Okafor", "AccountId": "@{acc.id}"}});
    let bad = json!({"method": "POST", "url": path("/sobjects/Contact"), "referenceId": "bad", "body": {"FirstName": "x"}});
    let back = json!({"method": "GET", "url": path("/sobjects/Contact/@{con.id}?fields=LastName"), "referenceId": "back"});
    let calls = [
        ("POST", "/composite".to_owned(), json!({"allOrNone": true, "compositeRequest": [account, contact, back]})),
        ("POST", "/composite".to_owned(), json!({"allOrNone": true, "compositeRequest": [account, bad]})),
        ("POST", "/composite/batch".to_owned(), json!({"batchRequests": [{"method": "GET", "url": "v67.0/sobjects/Contact/garbage"}, {"method": "GET", "url": "v67.0/limits/recordCount?sObjects=Contact"}]})),
        ("POST", "/composite/batch".to_owned(), json!({"haltOnError": true, "batchRequests": [{"method": "GET", "url": "v67.0/nosuch"}, {"method": "GET", "url": "v67.0/limits"}]})),
        ("POST", "/composite/tree/Contact".to_owned(), json!({"records": [{"attributes": {"type": "Contact", "referenceId": "r1"}, "LastName": "Okafor"}]})),
        ("POST", "/composite/tree/Contact".to_owned(), json!({"records": [{"attributes": {"type": "Contact", "referenceId": "r1"}, "LastName": "x".repeat(81)}]})),
    ];
    insta::assert_snapshot!(tell(&mut bench, &calls));
}

#[test]
fn query_shapes() {
    let mut bench = Bench::with(SalesforceConfig { page_rows_max: 1, ..SalesforceConfig::default() });
    for last in ["Byron", "Cole"] {
        bench.contact(last, last);
    }
    let query = |soql: &str| ("GET", format!("/query?q={soql}"), Value::Null);
    let calls = [
        query("SELECT Id, LastName, Account.Name FROM Contact ORDER BY LastName"),
        ("GET", "/query/01g5g0000000000AAA-1".to_owned(), Value::Null),
        ("GET", "/query/01g5g0000000000AAA-7".to_owned(), Value::Null),
        query("SELECT COUNT() FROM Contact"),
        query("SELECT LastName, COUNT(Id) n FROM Contact GROUP BY LastName HAVING COUNT(Id) > 0"),
        query("SELECT Id, Nickname FROM Contact"),
        query("SELECT Id FORM Contact"),
        query("SELECT Id FROM Xyz"),
        query("SELECT FIELDS(ALL) FROM Contact"),
        ("GET", "/search?q=FIND {Byron} IN ALL FIELDS RETURNING Contact(Id, LastName)".to_owned(), Value::Null),
        ("GET", "/sobjects/Contact/updated?start=2026-01-02T03:00:00Z&end=2026-01-02T04:00:00Z".to_owned(), Value::Null),
        ("GET", "/sobjects/Contact/deleted/?start=2026-01-02T03:00:00Z&end=2026-01-02T04:00:00Z".to_owned(), Value::Null),
        ("GET", "/sobjects/Contact/deleted/?start=2026-01-02T04:00:00Z&end=2026-01-02T03:00:00Z".to_owned(), Value::Null),
    ];
    insta::assert_snapshot!(tell(&mut bench, &calls));
}

#[test]
fn resources_shapes() {
    let mut bench = Bench::new();
    let get = |path: &str| ("GET", path.to_owned(), Value::Null);
    let field = json!({"FullName": "Lead.Score__c", "Metadata": {"type": "Text", "label": "Score", "length": 64}});
    let calls = [
        get("/services/data"),
        get("/services/data/v67.0"),
        get("/limits"),
        get("/sobjects"),
        get("/sobjects/Contact"),
        ("POST", "/tooling/sobjects/CustomField".to_owned(), field.clone()),
        ("POST", "/tooling/sobjects/CustomField".to_owned(), field),
        get("/nosuch"),
    ];
    insta::assert_snapshot!(tell(&mut bench, &calls));
}

#[test]
fn describe_shapes() {
    let mut bench = Bench::new();
    let (_, mut body) = bench.get("/sobjects/Contact/describe");
    let wanted = ["LastName", "Email", "LeadSource", "AccountId", "Syncline_Id__c", "SystemModstamp"];
    let all = body["fields"].take();
    let fields = all.as_array().unwrap();
    let shown: Vec<&Value> = fields.iter().filter(|field| wanted.contains(&field["name"].as_str().unwrap())).collect();
    let names: Vec<&str> = fields.iter().map(|field| field["name"].as_str().unwrap()).collect();
    insta::assert_snapshot!(format!("{body:#}\n{names:?}\n{:#}", json!(shown)));
}

#[test]
fn token_shapes() {
    let mut bench = Bench::new();
    let secret = "client_id=sandbox-client&client_secret=sandbox-secret";
    let mut all = Vec::new();
    for (path, form) in [
        ("/services/oauth2/token", format!("grant_type=client_credentials&{secret}")),
        ("/services/oauth2/token", format!("grant_type=refresh_token&refresh_token=sandbox-refresh-token&{secret}")),
        ("/services/oauth2/token", format!("grant_type=refresh_token&refresh_token=x&{secret}")),
        ("/services/oauth2/token", "grant_type=client_credentials&client_id=sandbox-client&client_secret=x".to_owned()),
        ("/services/oauth2/token", "grant_type=client_credentials&client_id=x&client_secret=x".to_owned()),
        ("/services/oauth2/token", format!("grant_type=magic&{secret}")),
        ("/services/oauth2/introspect", format!("token=sandbox-refresh-token&token_type_hint=refresh_token&{secret}")),
        ("/services/oauth2/revoke", "token=sandbox-refresh-token".to_owned()),
    ] {
        let response = bench.org.handle(&request("POST", path, Some((FORM, form.as_str()))), bench.now);
        all.push(text(&format!("POST {path} {form}"), &response));
    }
    bench.token = "bogus".to_owned();
    all.push(tell(&mut bench, &[("GET", "/limits".to_owned(), Value::Null)]));
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn fault_shapes() {
    let mut bench = Bench::new();
    let of = |body: &str| match body {
        "html" | "json" | "empty" => 503,
        "concurrent" | "daily" => 403,
        "session" | "api" => 401,
        _ => 400,
    };
    let named = FAULT_BODIES.iter().map(|body| (of(body), Some(*body)));
    let plain = [400, 401, 403, 404, 420, 500, 502, 503, 504].map(|status| (status, None));
    let all: Vec<String> = plain
        .into_iter()
        .chain(named)
        .map(|(status, body)| text(&format!("fault {status} {}", body.unwrap_or("")), &bench.org.fault_response(status, body, bench.now)))
        .collect();
    insta::assert_snapshot!(all.join("\n"));
}

fn with_rules(action: DuplicateAction) -> Bench {
    let rule = DuplicateRule {
        object: "Contact".to_owned(),
        against: vec!["Contact".to_owned(), "Lead".to_owned()],
        fields: vec!["Email".to_owned()],
        action,
        name: String::new(),
        message: "Use one of these records?".to_owned(),
    };
    let mut bench = Bench::with(SalesforceConfig { duplicate_rules: vec![rule], ..SalesforceConfig::default() });
    bench.post("/sobjects/Contact", &json!({"LastName": "Byron", "Email": "ada@acme.example"}));
    bench.post("/sobjects/Lead", &json!({"LastName": "Byron", "Company": "Acme", "Email": "Ada@acme.example"}));
    bench
}

#[test]
fn duplicate_rule_shapes() {
    let mut bench = with_rules(DuplicateAction::Alert);
    let again = json!({"LastName": "King", "Email": "ADA@acme.example"});
    let typed = json!({"attributes": {"type": "Contact"}, "LastName": "King", "Email": "ADA@acme.example"});
    let calls = [
        ("POST", "/sobjects/Contact".to_owned(), again),
        ("POST", "/composite/sobjects".to_owned(), json!({"records": [typed]})),
        ("PATCH", "/sobjects/Contact/Syncline_Id__c/k-1".to_owned(), json!({"LastName": "King", "Email": "ada@acme.example"})),
    ];
    insta::assert_snapshot!(tell(&mut bench, &calls));
}

#[test]
fn duplicate_alerts_can_be_passed_and_blocks_cannot() {
    let again = json!({"LastName": "King", "Email": "ada@acme.example"});
    for (action, version, header, want) in [
        (DuplicateAction::Alert, 67, "allowSave=true", 201),
        (DuplicateAction::Alert, 67, "allowSave=true; includeRecordDetails=false; runAsCurrentUser=true", 201),
        (DuplicateAction::Alert, 67, "allowSave=false", 400),
        (DuplicateAction::Alert, 51, "allowSave=true", 400),
        (DuplicateAction::Block, 67, "allowSave=true", 400),
    ] {
        let mut bench = with_rules(action);
        let mut sent = bench.request("POST", &format!("/services/data/v{version}.0/sobjects/Contact"), Some(&again));
        sent.headers.insert("sforce-duplicate-rule-header".to_owned(), header.to_owned());
        let answer = bench.org.handle(&sent, bench.now);
        assert_eq!(answer.status, want, "{action:?} {version} {header}");
        if want == 400 {
            assert_eq!(body_of(&answer)[0]["duplicateResut"]["allowSave"], json!(action == DuplicateAction::Alert));
        }
    }
    // A change of another field is no reason to look, nor is a row like itself.
    let mut bench = with_rules(DuplicateAction::Block);
    let (_, found) = bench.query("SELECT Id FROM Contact");
    let row = format!("/sobjects/Contact/{}", found["records"][0]["Id"].as_str().unwrap());
    assert_eq!(bench.patch(&row, &json!({"Title": "Countess"})).0, 204);
    assert_eq!(bench.patch(&row, &json!({"Email": "ada@acme.example"})).0, 400, "the lead is like it");
    let mut sent = bench.request("POST", "/sobjects/Contact", Some(&again));
    sent.headers.insert("sforce-duplicate-rule-header".to_owned(), "includeRecordDetails=true".to_owned());
    let told = body_of(&bench.org.handle(&sent, bench.now));
    assert_eq!(told[0]["duplicateResut"]["matchResults"][1]["matchRecords"][0]["record"]["Company"], "Acme");
    let person = json!({"LastName": "King", "Email": "ada@acme.example"});
    bench.org.edit("Contact", None, person.as_object(), bench.now).unwrap();
}

#[test]
fn automation_changes_what_is_saved_unless_it_is_told_not_to_assign() {
    let trigger = |field: &str, becomes| Trigger { object: "Lead".to_owned(), field: field.to_owned(), becomes };
    let queue = "00G5g000001AbCdEAK";
    let mut bench = Bench::with(SalesforceConfig {
        lead_assignment_owner: queue.to_owned(),
        triggers: vec![trigger("Phone", Becomes::Digits), trigger("LastName", Becomes::Upper), trigger("Email", Becomes::Lower)],
        ..SalesforceConfig::default()
    });
    let lead = json!({"LastName": "Byron", "Company": "Acme", "Phone": "+49 (731) 1", "Email": "Ada@Acme.example", "Fax": "+49 1"});
    let (_, made) = bench.post("/sobjects/Lead", &lead);
    let row = format!("/sobjects/Lead/{}", made["id"].as_str().unwrap());
    let read = |bench: &mut Bench| bench.get(&format!("{row}?fields=OwnerId,LastName,Phone,Email,Fax")).1;
    let saved = read(&mut bench);
    assert_eq!([&saved["OwnerId"], &saved["LastName"], &saved["Phone"]], [&json!(queue), &json!("BYRON"), &json!("497311")]);
    assert_eq!([&saved["Email"], &saved["Fax"]], [&json!("ada@acme.example"), &json!("+49 1")]);
    let own = json!({"OwnerId": "0055g000007Xy9ZAAS", "Phone": "none"});
    let mut sent = bench.request("PATCH", &row, Some(&own));
    sent.headers.insert("sforce-auto-assign".to_owned(), "FALSE".to_owned());
    assert_eq!(bench.org.handle(&sent, bench.now).status, 204);
    let saved = read(&mut bench);
    assert_eq!([&saved["OwnerId"], &saved["Phone"]], [&json!("0055g000007Xy9ZAAS"), &Value::Null]);
    bench.patch(&row, &json!({"Title": "Countess"}));
    assert_eq!(read(&mut bench)["OwnerId"], queue, "a change without the header is assigned as well");
}

#[test]
fn long_requests_are_few_at_a_time() {
    let mut bench = Bench::with(SalesforceConfig { concurrent_long_max: 2, ..SalesforceConfig::default() });
    let start = bench.now;
    for _ in 0..2 {
        bench.org.note_running(start, start + 60_000);
    }
    bench.now = start + 19_999;
    assert_eq!(bench.get("/limits").0, 200);
    bench.now = start + 20_000;
    let (status, body) = bench.get("/limits");
    assert_eq!((status, &body[0]["message"]), (403, &json!("ConcurrentRequests (Concurrent API Requests) Limit exceeded.")));
    bench.now = start + 60_000;
    assert_eq!(bench.get("/limits").0, 200);
}

#[test]
fn open_queries_codes_and_describe_stamps_outlive_a_restart() {
    let mut bench = Bench::with(SalesforceConfig { page_rows_max: 1, ..SalesforceConfig::default() });
    let (first, second) = (bench.contact("1", "Byron"), bench.contact("2", "Cole"));
    bench.get("/services/oauth2/authorize?response_type=code&client_id=sandbox-client&redirect_uri=https://a.example/cb");
    let (_, page) = bench.query("SELECT Id, LastName, Account.Name FROM Contact");
    let next = page["nextRecordsUrl"].as_str().unwrap().to_owned();
    let field = json!({"FullName": "Lead.Score__c", "Metadata": {"type": "Text", "label": "Score", "length": 64}});
    bench.post("/tooling/sobjects/CustomField", &field);
    let mut replayed = Salesforce::new(bench.org.config().clone());
    for entry in bench.org.drain_journal() {
        replayed.replay(&entry).unwrap();
    }
    let mut restored = Salesforce::new(bench.org.config().clone());
    restored.restore(&bench.org.snapshot()).unwrap();
    assert_eq!(replayed.snapshot(), bench.org.snapshot());
    assert_eq!(restored.snapshot(), bench.org.snapshot());
    for org in [replayed, restored] {
        let mut bench = Bench { org, now: bench.now, token: bench.token.clone() };
        let (status, page) = bench.get(&next);
        assert_eq!((status, &page["records"][0]["Id"]), (200, &json!(second)), "{first} was on the first page");
        assert_eq!(bench.org.snapshot()["codes"].as_object().unwrap().len(), 1);
    }
}
