//! Queries: what they find, how they page, how they fail.

use serde_json::{Value, json};

use super::super::SalesforceConfig;
use super::{Bench, error};
use crate::crm::Crm;

fn filled() -> Bench {
    let mut bench = Bench::new();
    let rows = [
        ("a", "Okafor", Some("n@example.org"), Some(10)),
        ("b", "okafor", None, Some(20)),
        ("c", "O'Neil", Some("o@example.org"), None),
        ("d", "Ivanova", None, Some(30)),
    ];
    for (key, last, email, staff) in rows {
        let body = json!({ "LastName": last, "Company": "C", "Syncline_Id__c": key, "Email": email, "NumberOfEmployees": staff });
        assert_eq!(bench.post("/sobjects/Lead", &body).0, 201);
        bench.now += 60_000;
    }
    bench
}

fn keys(bench: &mut Bench, rest: &str) -> String {
    let (status, body) = bench.query(&format!("SELECT Syncline_Id__c FROM Lead {rest}"));
    assert_eq!(status, 200, "{rest}: {body}");
    body["records"].as_array().unwrap().iter().map(|record| record["Syncline_Id__c"].as_str().unwrap_or("-")).collect()
}

#[test]
fn s2_12_rows_carry_attributes_and_the_asked_fields() {
    let mut bench = Bench::new();
    let id = bench.contact("c-1", "Okafor");
    let (status, body) = bench.query("select Id, lastname, Email, SystemModstamp from Contact");
    let attributes = json!({ "type": "Contact", "url": format!("/services/data/v67.0/sobjects/Contact/{id}") });
    let record = json!({ "attributes": attributes, "Id": id, "LastName": "Okafor", "Email": null,
        "SystemModstamp": "2026-01-02T03:04:05.000+0000" });
    assert_eq!((status, body), (200, json!({ "totalSize": 1, "done": true, "records": [record] })));
}

#[test]
fn s2_12_conditions() {
    let mut bench = filled();
    let cases = [
        ("", "abcd"),
        ("WHERE Syncline_Id__c = 'a'", "a"),
        ("WHERE Syncline_Id__c = 'A'", ""),
        ("WHERE Syncline_Id__c IN ('c','a','x','a')", "ac"),
        ("WHERE Syncline_Id__c NOT IN ('c','a')", "bd"),
        ("WHERE LastName = 'OKAFOR'", "ab"),
        ("WHERE LastName = 'O\\'Neil'", "c"),
        ("WHERE LastName LIKE 'ok%'", "ab"),
        ("WHERE LastName LIKE '%an_va'", "d"),
        ("WHERE Email != null", "ac"),
        ("WHERE Email = null AND LastName = 'Okafor'", "b"),
        ("WHERE Email = 'N@EXAMPLE.ORG'", "a"),
        ("WHERE Email != 'n@example.org'", "bcd"),
        ("WHERE (Syncline_Id__c = 'a' OR Syncline_Id__c = 'd') AND Email = null", "d"),
        ("WHERE NOT (Email = null)", "ac"),
        ("WHERE NumberOfEmployees > 10", "bd"),
        ("WHERE NumberOfEmployees <= 20", "ab"),
        ("WHERE IsConverted = false AND SystemModstamp > 2026-01-02T03:05:05Z", "cd"),
        ("WHERE SystemModstamp >= 2026-01-02T03:05:05.000+0000 AND SystemModstamp < 2026-01-02T03:07:05Z", "bc"),
        ("WHERE Email IN (null, 'o@example.org')", "bcd"),
        ("ORDER BY Id LIMIT 2", "ab"),
        ("ORDER BY Id DESC LIMIT 2 OFFSET 1", "cb"),
        ("ORDER BY NumberOfEmployees", "cabd"),
        ("ORDER BY NumberOfEmployees DESC NULLS LAST", "dbac"),
        ("ORDER BY LastName ASC, Id DESC", "dcba"),
    ];
    for (rest, expected) in cases {
        assert_eq!(keys(&mut bench, rest), expected, "{rest}");
    }
}

#[test]
fn s2_12_ids_match_in_both_lengths() {
    let mut bench = Bench::new();
    let id = bench.contact("c-1", "Okafor");
    for text in [&id[..15], &id[..]] {
        assert_eq!(bench.query(&format!("SELECT Id FROM Contact WHERE Id = '{text}'")).1["totalSize"], 1);
    }
}

#[test]
fn s2_12_counts() {
    let mut bench = filled();
    let counted = (200, json!({ "totalSize": 4, "done": true, "records": [] }));
    assert_eq!(bench.query("SELECT COUNT() FROM Lead"), counted);
    assert_eq!(bench.query("SELECT count() FROM Lead WHERE Email != null").1["totalSize"], 2);
    let record = json!({ "attributes": { "type": "AggregateResult" }, "expr0": 2 });
    assert_eq!(bench.query("SELECT COUNT(Email) FROM Lead").1["records"], json!([record]));
}

#[test]
fn s2_12_query_all_shows_the_recycle_bin() {
    let mut bench = filled();
    let id = bench.query("SELECT Id FROM Lead WHERE Syncline_Id__c = 'b'").1["records"][0]["Id"].as_str().unwrap().to_owned();
    bench.delete(&format!("/sobjects/Lead/{id}"));
    assert_eq!(keys(&mut bench, ""), "acd");
    let mut asked = bench.request("GET", "/queryAll", None);
    asked.query.push(("q".to_owned(), "SELECT Id, IsDeleted FROM Lead WHERE Syncline_Id__c = 'b'".to_owned()));
    let body = super::body_of(&bench.org.handle(&asked, bench.now));
    assert_eq!((&body["totalSize"], &body["records"][0]["IsDeleted"]), (&json!(1), &json!(true)));
}

#[test]
fn s2_12_pages_until_done() {
    let mut bench = Bench::with(SalesforceConfig { page_rows_max: 2, ..SalesforceConfig::default() });
    for key in ["a", "b", "c", "d", "e"] {
        bench.contact(key, key);
    }
    let (_, mut body) = bench.query("SELECT Syncline_Id__c FROM Contact ORDER BY Id");
    let mut seen = String::new();
    let mut pages = 0;
    loop {
        pages += 1;
        assert_eq!(body["totalSize"], 5);
        let records = body["records"].as_array().unwrap();
        seen.extend(records.iter().map(|record| record["Syncline_Id__c"].as_str().unwrap()));
        if body["done"] == true {
            assert_eq!(body.get("nextRecordsUrl"), None);
            break;
        }
        let next = body["nextRecordsUrl"].as_str().unwrap().to_owned();
        assert!(next.starts_with("/services/data/v67.0/query/01g") && next.ends_with(&format!("-{}", pages * 2)));
        body = bench.get(&next.replace("/query/", if pages == 1 { "/query/" } else { "/queryAll/" })).1;
    }
    assert_eq!((seen.as_str(), pages), ("abcde", 3));
}

#[test]
fn s2_12_default_and_asked_page_sizes() {
    let mut bench = Bench::new();
    for batch in 0..13 {
        let records: Vec<Value> = (0..200)
            .map(|row| json!({ "attributes": { "type": "Contact" }, "LastName": "x", "Syncline_Id__c": format!("{batch}-{row}") }))
            .collect();
        bench.post("/composite/sobjects", &json!({ "records": records }));
    }
    let (_, body) = bench.query("SELECT Id FROM Contact");
    assert_eq!((body["records"].as_array().unwrap().len(), &body["totalSize"]), (2_000, &json!(2_600)));
    let next = body["nextRecordsUrl"].as_str().unwrap().to_owned();
    let mut asked = bench.request("GET", "/query", None);
    asked.query.push(("q".to_owned(), "SELECT Id FROM Contact".to_owned()));
    asked.headers.insert("sforce-query-options".to_owned(), "batchSize=50".to_owned());
    let small = super::body_of(&bench.org.handle(&asked, bench.now));
    assert_eq!(small["records"].as_array().unwrap().len(), 200);
    bench.now += 48 * 60 * 60 * 1000;
    bench.login();
    let (status, gone) = bench.get(&next);
    assert_eq!((status, &gone[0]["errorCode"]), (400, &json!("INVALID_QUERY_LOCATOR")));
}

#[test]
fn s2_12_errors_point_at_the_place() {
    let mut bench = Bench::new();
    let message = "\nSELECT Id, Nickname FROM Contact\n           ^\nERROR at Row:1:Column:12\nNo such column 'Nickname' on entity 'Contact'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.";
    assert_eq!(bench.query("SELECT Id, Nickname FROM Contact"), (400, error("INVALID_FIELD", message)));
    assert_eq!(bench.query("SELECT Id FORM Contact"), (400, error("MALFORMED_QUERY", "unexpected token: 'FORM'")));
    let (_, body) = bench.query("SELECT Id FROM Xyz");
    assert_eq!(body[0]["errorCode"], "INVALID_TYPE");
    assert!(body[0]["message"].as_str().unwrap().starts_with("sObject type 'Xyz' is not supported."));
    let cases = [
        ("SELECT FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Email = 'a' AND Phone = 'b' OR Title = 'c'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Email = 'a", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact LIMIT x", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact GROUP BY Email", "MALFORMED_QUERY"),
        ("SELECT FIELDS(ALL) FROM Contact", "MALFORMED_QUERY"),
        ("SELECT Id FROM Contact WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Contact ORDER BY Description", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE NumberOfEmployees = '5'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE City = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Contact LIMIT 1 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("", "MALFORMED_QUERY"),
    ];
    for (soql, code) in cases {
        let (status, body) = bench.query(soql);
        assert_eq!((status, &body[0]["errorCode"]), (400, &json!(code)), "{soql}");
    }
}

#[test]
fn s3_a_statement_beyond_the_uri_limit_answers_414() {
    let mut bench = Bench::new();
    let statement = |keys: usize| format!("SELECT Id FROM Contact WHERE Syncline_Id__c IN ('{}')", vec!["k"; keys].join("','"));
    assert_eq!(bench.query(&statement(1_500)).0, 200);
    assert_eq!(bench.query(&statement(1_700)).0, 414);
}

#[test]
fn s2_12_all_fields_need_a_limit() {
    let mut bench = filled();
    let (_, body) = bench.query("SELECT FIELDS(ALL) FROM Lead LIMIT 1");
    assert_eq!(body["records"][0]["LastName"], "Okafor");
}
