//! Queries beyond one object's fields: parents, groups, date literals, classes of fields; and conditional requests.
//!
//! Promises: as in the wire reference. Leaves to others: plain conditions, order and pages (`soql`).

use serde_json::{Value, json};

use super::Bench;
use crate::crm::Crm;

fn names(bench: &mut Bench, rest: &str) -> Vec<String> {
    let (status, body) = bench.query(&format!("SELECT LastName FROM Contact {rest}"));
    assert_eq!(status, 200, "{rest}: {body}");
    body["records"].as_array().unwrap().iter().map(|row| row["LastName"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn s2_12_parents_are_nested_and_filtered_by() {
    let mut bench = Bench::new();
    let (_, account) = bench.post("/sobjects/Account", &json!({ "Name": "Harbour Cranes Ltd" }));
    bench.post("/sobjects/Contact", &json!({ "LastName": "Okafor", "AccountId": account["id"] }));
    bench.contact("a-2", "Adeyemi");
    let (status, body) = bench.query("SELECT LastName, Account.Name, Owner.Email, Account.Owner.LastName FROM Contact ORDER BY LastName DESC");
    assert_eq!(status, 200, "{body}");
    let row = &body["records"][0];
    assert_eq!(row["Account"]["Name"], "Harbour Cranes Ltd");
    let url = format!("/services/data/v67.0/sobjects/Account/{}", account["id"].as_str().unwrap());
    assert_eq!(row["Account"]["attributes"], json!({ "type": "Account", "url": url }));
    assert_eq!((&row["Owner"]["Email"], &row["Account"]["Owner"]["LastName"]), (&json!("integration@sandbox.example"), &json!("User")));
    assert_eq!(body["records"][1]["Account"], Value::Null);
    assert_eq!(names(&mut bench, "WHERE Account.Name LIKE 'harbour%'"), ["Okafor"]);
    assert_eq!(names(&mut bench, "WHERE CreatedBy.Username = 'integration@sandbox.example' AND Account.Name = null"), Vec::<String>::new());
    let (status, body) = bench.query("SELECT Account.Nickname FROM Contact");
    assert_eq!((status, &body[0]["errorCode"]), (400, &json!("INVALID_FIELD")));
}

#[test]
fn s2_12_groups_are_counted() {
    let mut bench = Bench::new();
    for (last, email) in [("a", Some("x@example.org")), ("b", Some("X@example.org")), ("c", Some("y@example.org")), ("d", None)] {
        bench.post("/sobjects/Contact", &json!({ "LastName": last, "Email": email }));
    }
    let (status, body) = bench.query("SELECT Email, COUNT(Id) FROM Contact WHERE Email != null GROUP BY Email HAVING COUNT(Id) > 1");
    let group = json!({ "attributes": { "type": "AggregateResult" }, "Email": "x@example.org", "expr0": 2 });
    assert_eq!((status, body), (200, json!({ "totalSize": 1, "done": true, "records": [group] })));
    let (_, body) = bench.query("SELECT COUNT(Email) mails, COUNT(Id) FROM Contact");
    assert_eq!((&body["records"][0]["mails"], &body["records"][0]["expr0"]), (&json!(3), &json!(4)));
    let (_, body) = bench.query("SELECT Email FROM Contact GROUP BY Email LIMIT 2");
    assert_eq!(body["records"].as_array().map(Vec::len), Some(2));
    for wrong in ["SELECT LastName, COUNT(Id) FROM Contact GROUP BY Email", "SELECT Email FROM Contact GROUP BY Email HAVING Email = 'x'", "SELECT SUM(Id) FROM Contact"] {
        let (status, body) = bench.query(wrong);
        assert_eq!((status, &body[0]["errorCode"]), (400, &json!("MALFORMED_QUERY")), "{wrong}");
    }
}

#[test]
fn s2_12_days_are_counted_from_today() {
    let mut bench = Bench::new();
    bench.post("/sobjects/Contact", &json!({ "LastName": "old", "Birthdate": "2026-01-01" }));
    bench.now += 24 * 60 * 60 * 1000;
    bench.login();
    bench.post("/sobjects/Contact", &json!({ "LastName": "new", "Birthdate": "2026-01-03" }));
    for (rest, found) in [
        ("WHERE CreatedDate = TODAY", vec!["new"]),
        ("WHERE CreatedDate = YESTERDAY", vec!["old"]),
        ("WHERE CreatedDate < TODAY", vec!["old"]),
        ("WHERE CreatedDate >= LAST_N_DAYS:1", vec!["old", "new"]),
        ("WHERE CreatedDate > TODAY", vec![]),
        ("WHERE CreatedDate != TODAY", vec!["old"]),
        ("WHERE Birthdate = TODAY", vec!["new"]),
        ("WHERE Birthdate = LAST_N_DAYS:2", vec!["old", "new"]),
    ] {
        assert_eq!(names(&mut bench, rest), found, "{rest}");
    }
    assert_eq!(bench.query("SELECT Id FROM Contact WHERE LastName = TODAY").1[0]["errorCode"], "INVALID_FIELD");
}

#[test]
fn s2_12_classes_of_fields() {
    let mut bench = Bench::new();
    bench.contact("a-1", "Okafor");
    let (_, body) = bench.query("SELECT FIELDS(CUSTOM) FROM Contact LIMIT 1");
    assert_eq!(body["records"][0]["Syncline_Id__c"], "a-1");
    assert_eq!(body["records"][0].get("LastName"), None);
    let (_, body) = bench.query("SELECT FIELDS(STANDARD) FROM Contact");
    assert_eq!((&body["records"][0]["LastName"], body["records"][0].get("Syncline_Id__c")), (&json!("Okafor"), None));
    assert_eq!(bench.query("SELECT FIELDS(CUSTOM) FROM Contact").0, 400);
}

#[test]
fn s2_7_describe_is_sent_again_only_if_it_changed() {
    let mut bench = Bench::new();
    let mut asked = bench.request("GET", "/sobjects/Lead/describe", None);
    let modified = super::header(&bench.org.handle(&asked, bench.now), "Last-Modified").unwrap().to_owned();
    assert_eq!(modified, "Thu, 01 Jan 2026 00:00:00 GMT");
    asked.headers.insert("if-modified-since".to_owned(), modified);
    let unchanged = bench.org.handle(&asked, bench.now);
    assert_eq!((unchanged.status, unchanged.body.is_empty()), (304, true));
    let field = json!({ "FullName": "Lead.More__c", "Metadata": { "type": "Text", "label": "More", "length": 10 } });
    assert_eq!(bench.post("/tooling/sobjects/CustomField", &field).0, 201);
    assert_eq!(bench.org.handle(&asked, bench.now).status, 200);
    let id = bench.contact("a-1", "Okafor");
    let mut asked = bench.request("PATCH", &format!("/sobjects/Contact/{id}"), Some(&json!({ "Title": "x" })));
    asked.headers.insert("if-unmodified-since".to_owned(), "yesterday".to_owned());
    assert_eq!(bench.org.handle(&asked, bench.now).status, 400);
}

#[test]
fn s2_12_a_query_within_a_query_shows_the_contacts_of_each_account() {
    let mut bench = Bench::new();
    let mut account = |name: &str| bench.post("/sobjects/Account", &json!({ "Name": name })).1["id"].as_str().unwrap().to_owned();
    let (acme, _) = (account("Acme"), account("Bare"));
    for last in ["Cole", "Byron", "King"] {
        bench.post("/sobjects/Contact", &json!({ "LastName": last, "AccountId": acme, "Title": "x" }));
    }
    let soql = "SELECT Name, (SELECT LastName, Account.Name FROM Contacts WHERE Title = 'x' ORDER BY LastName LIMIT 2) FROM Account ORDER BY Name";
    let (status, body) = bench.query(soql);
    assert_eq!(status, 200, "{body}");
    let inner = &body["records"][0]["Contacts"];
    let names: Vec<&str> = inner["records"].as_array().unwrap().iter().map(|row| row["LastName"].as_str().unwrap()).collect();
    assert_eq!((&inner["totalSize"], &inner["done"], names), (&json!(2), &json!(true), vec!["Byron", "Cole"]));
    assert_eq!(inner["records"][0]["Account"]["Name"], "Acme");
    assert_eq!(body["records"][1]["Contacts"], Value::Null);
    for (wrong, code) in [
        ("SELECT Name, (SELECT Id FROM Leads) FROM Account", "INVALID_TYPE"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Contact", "INVALID_TYPE"),
        ("SELECT Name, (SELECT Nickname FROM Contacts) FROM Account", "INVALID_FIELD"),
        ("SELECT Name, (SELECT Id, (SELECT Id FROM Contacts) FROM Contacts) FROM Account", "MALFORMED_QUERY"),
        ("SELECT Name, (SELECT Id FROM Contacts FROM Account", "MALFORMED_QUERY"),
    ] {
        let (status, body) = bench.query(wrong);
        assert_eq!((status, &body[0]["errorCode"]), (400, &json!(code)), "{wrong}");
    }
}
