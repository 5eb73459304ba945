//! Bulk API 2.0: jobs, uploads, results, queries, and what is refused.

use serde_json::{Value, json};

use super::super::{CustomField, CustomKind, Salesforce, SalesforceConfig};
use super::{Bench, START};
use crate::crm::Crm;
use crate::exchange::Response;

fn upload(bench: &mut Bench, id: &str, csv: &str) -> u16 {
    let mut sent = bench.request("PUT", &format!("/jobs/ingest/{id}/batches"), None);
    sent.headers.insert("content-type".to_owned(), "text/csv; charset=UTF-8".to_owned());
    sent.body = csv.as_bytes().to_vec();
    bench.org.handle(&sent, bench.now).status
}

fn opened(bench: &mut Bench, job: &Value) -> String {
    let (status, body) = bench.post("/jobs/ingest", job);
    assert_eq!(status, 200, "{body}");
    body["id"].as_str().unwrap().to_owned()
}

fn close(bench: &mut Bench, id: &str) -> Value {
    let (status, closed) = bench.patch(&format!("/jobs/ingest/{id}"), &json!({"state": "UploadComplete"}));
    assert_eq!((status, &closed["state"]), (200, &json!("UploadComplete")));
    bench.get(&format!("/jobs/ingest/{id}")).1
}

/// Runs a job to its end; answers what it tells then.
fn ran(bench: &mut Bench, job: &Value, csv: &str) -> (String, Value) {
    let id = opened(bench, job);
    assert_eq!(upload(bench, &id, csv), 201);
    let told = close(bench, &id);
    (id, told)
}

fn file(bench: &mut Bench, path: &str) -> (Response, String) {
    let sent = bench.request("GET", path, None);
    let answer = bench.org.handle(&sent, bench.now);
    let text = String::from_utf8(answer.body.clone()).unwrap();
    (answer, text)
}

fn upsert() -> Value {
    json!({"object": "Contact", "operation": "upsert", "externalIdFieldName": "Syncline_Id__c", "contentType": "CSV", "lineEnding": "LF"})
}

#[test]
fn s4_an_upsert_tells_every_row_by_its_key() {
    let mut bench = Bench::new();
    let known = bench.contact("c-1", "Old");
    let csv = "\u{feff}Syncline_Id__c,lastname,Title,Id\nc-1,Okafor,\"Buyer, Chief\",\nc-2,,x,\nc-3,New,,\n";
    let (id, told) = ran(&mut bench, &upsert(), csv);
    assert_eq!(
        (&told["state"], &told["numberRecordsProcessed"], &told["numberRecordsFailed"], &told["apiVersion"]),
        (&json!("JobComplete"), &json!(3), &json!(1), &json!(67.0))
    );
    assert_eq!(told["contentUrl"], format!("services/data/v67.0/jobs/ingest/{id}/batches"));
    let (answer, saved) = file(&mut bench, &format!("/jobs/ingest/{id}/successfulResults"));
    assert_eq!(super::header(&answer, "Content-Type"), Some("text/csv"));
    let (_, found) = bench.query("SELECT Id FROM Contact WHERE Syncline_Id__c = 'c-3'");
    let made = found["records"][0]["Id"].as_str().unwrap();
    let head = "\"sf__Id\",\"sf__Created\",\"Syncline_Id__c\",\"lastname\",\"Title\",\"Id\"";
    assert_eq!(saved, format!("{head}\n\"{made}\",\"true\",\"c-3\",\"New\",\"\",\"\"\n\"{known}\",\"false\",\"c-1\",\"Okafor\",\"Buyer, Chief\",\"\"\n"));
    let (_, refused) = file(&mut bench, &format!("/jobs/ingest/{id}/failedResults"));
    let error = "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --";
    assert_eq!(refused, format!("{}\n\"\",\"{error}\",\"c-2\",\"\",\"x\",\"\"\n", head.replace("sf__Created", "sf__Error")));
    for name in ["unprocessedrecords", "unprocessedRecords"] {
        assert_eq!(file(&mut bench, &format!("/jobs/ingest/{id}/{name}")).1, "\"Syncline_Id__c\",\"lastname\",\"Title\",\"Id\"\n");
    }
    assert_eq!(bench.get("/limits").1["DailyBulkApiBatches"]["Remaining"], 14_999);
}

#[test]
fn s4_empty_leaves_alone_and_na_clears() {
    let flag = CustomField {
        name: "Flag__c".to_owned(),
        ..serde_json::from_value(json!({"object": "Contact", "name": "Flag__c", "kind": "boolean"})).unwrap()
    };
    assert_eq!(flag.kind, CustomKind::Boolean);
    let mut bench = Bench::with(SalesforceConfig { custom_fields: vec![flag], ..SalesforceConfig::default() });
    let id = bench.contact("c-1", "Okafor");
    bench.patch(&format!("/sobjects/Contact/{id}"), &json!({"Title": "Buyer", "Phone": "1"}));
    let job = json!({"object": "Contact", "operation": "update", "columnDelimiter": "SEMICOLON", "lineEnding": "CRLF"});
    let (_, told) = ran(&mut bench, &job, &format!("Id;Title;Phone;Flag__c\r\n{id};;#N/A;1\r\n"));
    assert_eq!((&told["state"], &told["numberRecordsFailed"]), (&json!("JobComplete"), &json!(0)));
    let (_, row) = bench.get(&format!("/sobjects/Contact/{id}?fields=Title,Phone,Flag__c"));
    assert_eq!([&row["Title"], &row["Phone"], &row["Flag__c"]], [&json!("Buyer"), &Value::Null, &json!(true)]);
}

#[test]
fn s4_rows_are_inserted_deleted_and_erased() {
    let mut bench = Bench::new();
    let insert = json!({"object": "Lead", "operation": "insert"});
    ran(&mut bench, &insert, "LastName,Company\nByron,Acme\nCole,Acme\n");
    let (_, found) = bench.query("SELECT Id FROM Lead");
    let ids: Vec<&str> = found["records"].as_array().unwrap().iter().map(|row| row["Id"].as_str().unwrap()).collect();
    ran(&mut bench, &json!({"object": "Lead", "operation": "delete"}), &format!("Id\n{}\n", ids[0]));
    let (_, told) = ran(&mut bench, &json!({"object": "Lead", "operation": "hardDelete"}), &format!("Id\n{}\n", ids[1]));
    assert_eq!(told["numberRecordsFailed"], 0);
    let mut all = bench.request("GET", "/queryAll", None);
    all.query.push(("q".to_owned(), "SELECT Id, IsDeleted FROM Lead".to_owned()));
    let body = super::body_of(&bench.org.handle(&all, bench.now));
    assert_eq!((body["totalSize"].as_u64(), &body["records"][0]["IsDeleted"]), (Some(1), &json!(true)));
}

#[test]
fn s4_a_job_fails_as_a_whole_before_any_row() {
    let mut bench = Bench::new();
    for (csv, error) in [
        ("Syncline_Id__c,foo\nc-1,x\n", "InvalidBatch : Field name not found : foo"),
        ("Syncline_Id__c,LastName\r\nc-1,x\r\n", "ClientInputError : LineEnding is invalid on user data"),
    ] {
        let (id, told) = ran(&mut bench, &upsert(), csv);
        assert_eq!((&told["state"], &told["errorMessage"]), (&json!("Failed"), &json!(error)));
        assert_eq!(file(&mut bench, &format!("/jobs/ingest/{id}/unprocessedrecords")).1, csv);
    }
    let (_, told) = ran(&mut bench, &upsert(), "Syncline_Id__c,LastName\nc-1,x,y\n");
    assert!(told["errorMessage"].as_str().unwrap().starts_with("ClientInputError : CSV data cannot be read: "), "{told}");
    assert_eq!(bench.query("SELECT COUNT() FROM Contact").1["totalSize"], 0);
}

#[test]
fn s4_states_only_go_forward() {
    let mut bench = Bench::new();
    let id = opened(&mut bench, &upsert());
    let job = format!("/jobs/ingest/{id}");
    assert_eq!(bench.delete(&job).0, 400);
    assert_eq!(upload(&mut bench, &id, "Syncline_Id__c,LastName\nc-1,x\n"), 201);
    assert_eq!(upload(&mut bench, &id, "Syncline_Id__c\n"), 400, "an upload is taken once");
    assert_eq!(bench.patch(&job, &json!({"state": "Aborted"})).1["state"], "Aborted");
    let (status, body) = bench.patch(&job, &json!({"state": "UploadComplete"}));
    assert_eq!((status, &body[0]["errorCode"]), (400, &json!("INVALIDJOBSTATE")));
    assert_eq!(file(&mut bench, &format!("{job}/unprocessedrecords")).1, "Syncline_Id__c,LastName\nc-1,x\n");
    assert_eq!(bench.get("/jobs/ingest").1["records"][0]["id"], json!(id));
    assert_eq!((bench.delete(&job).0, bench.get(&job).0), (204, 404));
    for (job, code) in [
        (json!({"object": "Nosuch", "operation": "insert"}), "INVALIDENTITY"),
        (json!({"object": "Contact", "operation": "upsert"}), "INVALIDJOB"),
        (json!({"object": "Contact", "operation": "upsert", "externalIdFieldName": "Title"}), "INVALIDJOB"),
        (json!({"operation": "query", "query": "SELECT Id FROM Contact"}), "INVALIDJOB"),
    ] {
        let (status, body) = bench.post("/jobs/ingest", &job);
        assert_eq!((status, &body[0]["errorCode"]), (400, &json!(code)));
    }
}

#[test]
fn s4_a_query_job_gives_its_lines_out_in_parts() {
    let mut bench = Bench::new();
    for last in ["Byron", "Cole", "King"] {
        bench.contact(last, last);
    }
    let query = json!({"operation": "query", "query": "SELECT LastName, Account.Name, IsDeleted FROM Contact ORDER BY LastName"});
    let (status, job) = bench.post("/jobs/query", &query);
    assert_eq!((status, &job["state"], &job["object"]), (200, &json!("UploadComplete"), &json!("Contact")));
    let path = format!("/jobs/query/{}", job["id"].as_str().unwrap());
    assert_eq!(bench.get(&path).1["state"], "JobComplete");
    let head = "\"LastName\",\"Account.Name\",\"IsDeleted\"\n";
    let (answer, text) = file(&mut bench, &format!("{path}/results?maxRecords=2"));
    assert_eq!(text, format!("{head}\"Byron\",\"\",\"false\"\n\"Cole\",\"\",\"false\"\n"));
    assert_eq!((super::header(&answer, "Sforce-Locator"), super::header(&answer, "Sforce-NumberOfRecords")), (Some("2"), Some("2")));
    let (answer, text) = file(&mut bench, &format!("{path}/results?maxRecords=2&locator=2"));
    assert_eq!((text.as_str(), super::header(&answer, "Sforce-Locator")), ("\"LastName\",\"Account.Name\",\"IsDeleted\"\n\"King\",\"\",\"false\"\n", Some("null")));
    for wrong in ["SELECT COUNT() FROM Contact", "SELECT FIELDS(ALL) FROM Contact LIMIT 1", "SELECT Nickname FROM Contact"] {
        assert_eq!(bench.post("/jobs/query", &json!({"operation": "query", "query": wrong})).0, 400);
    }
}

#[test]
fn s4_jobs_outlive_a_restart() {
    let mut bench = Bench::new();
    let open = opened(&mut bench, &upsert());
    let (done, _) = ran(&mut bench, &upsert(), "Syncline_Id__c,LastName\nc-1,x\n");
    let (gone, _) = ran(&mut bench, &upsert(), "Syncline_Id__c,LastName\nc-2,x\n");
    bench.delete(&format!("/jobs/ingest/{gone}"));
    let mut copy = Salesforce::new(SalesforceConfig::default());
    for entry in bench.org.drain_journal() {
        copy.replay(&entry).unwrap();
    }
    assert_eq!(copy.snapshot(), bench.org.snapshot());
    let mut copy = Bench { org: copy, now: START, token: bench.token.clone() };
    assert_eq!(upload(&mut copy, &open, "Syncline_Id__c,LastName\nc-3,x\n"), 201);
    assert_eq!(close(&mut copy, &open)["numberRecordsProcessed"], 1);
    assert!(file(&mut copy, &format!("/jobs/ingest/{done}/successfulResults")).1.contains("c-1"));
    assert_ne!(opened(&mut copy, &upsert()), gone, "a number is not used twice");
}
