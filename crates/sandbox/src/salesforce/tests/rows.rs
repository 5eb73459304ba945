//! Single rows that go well.

use serde_json::json;

use super::super::{ExternalKey, SalesforceConfig};
use super::{Bench, header};
use crate::crm::Crm;

#[test]
fn s2_5_create_answers_201_with_the_location() {
    let mut bench = Bench::new();
    let asked = bench.request("POST", "/sobjects/Contact/", Some(&json!({ "LastName": "Okafor" })));
    let answer = bench.org.handle(&asked, bench.now);
    let body = super::body_of(&answer);
    assert_eq!((answer.status, &body["success"], &body["errors"]), (201, &json!(true), &json!([])));
    let made = body["id"].as_str().unwrap();
    assert_eq!((made.len(), &made[..9]), (18, "0035g0000"));
    assert_eq!(header(&answer, "Location"), Some(format!("/services/data/v67.0/sobjects/Contact/{made}").as_str()));
    assert_eq!(header(&answer, "Content-Type"), Some("application/json;charset=UTF-8"));
}

#[test]
fn s2_5_get_shows_every_field_and_unset_ones_as_null() {
    let mut bench = Bench::new();
    let body = json!({ "LastName": "Okafor", "firstname": "Ngozi", "Email": "n.okafor@example.org", "Phone": "",
        "MailingCity": "Lagos", "Birthdate": "1980-02-29", "attributes": { "type": "Contact" } });
    let id = bench.post("/sobjects/Contact", &body).1["id"].as_str().unwrap().to_owned();
    bench.now += 1_999;
    let (status, row) = bench.get(&format!("/sobjects/Contact/{}", &id[..15]));
    assert_eq!(status, 200);
    assert_eq!(row["attributes"], json!({ "type": "Contact", "url": format!("/services/data/v67.0/sobjects/Contact/{id}") }));
    assert_eq!((&row["Id"], &row["Name"], &row["FirstName"]), (&json!(id), &json!("Ngozi Okafor"), &json!("Ngozi")));
    assert_eq!((&row["Phone"], &row["IsDeleted"], &row["OwnerId"]), (&json!(null), &json!(false), &json!("0055g000007Xy9ZAAS")));
    assert_eq!((&row["CreatedDate"], &row["Birthdate"]), (&json!("2026-01-02T03:04:05.000+0000"), &json!("1980-02-29")));
    let address = json!({ "city": "Lagos", "country": null, "geocodeAccuracy": null, "latitude": null, "longitude": null,
        "postalCode": null, "state": null, "street": null });
    assert_eq!((&row["MailingAddress"], &row["OtherAddress"]), (&address, &json!(null)));
}

#[test]
fn s2_5_get_with_a_field_list() {
    let mut bench = Bench::new();
    let id = bench.contact("c-1", "Okafor");
    let (status, row) = bench.get(&format!("/sobjects/Contact/{id}?fields=LastName,email"));
    let attributes = json!({ "type": "Contact", "url": format!("/services/data/v67.0/sobjects/Contact/{id}") });
    assert_eq!((status, row), (200, json!({ "attributes": attributes, "LastName": "Okafor", "Email": null, "Id": id })));
    let unknown = bench.get(&format!("/sobjects/Contact/{id}?fields=Nickname"));
    assert_eq!(unknown, (400, super::error("INVALID_FIELD", "No such column 'Nickname' on sobject of type Contact")));
}

#[test]
fn s2_5_update_answers_204_without_body_and_moves_the_stamp() {
    let mut bench = Bench::new();
    let id = bench.contact("c-1", "Okafor");
    bench.now += 5_000;
    let asked = bench.request("PATCH", &format!("/sobjects/Contact/{id}"), Some(&json!({ "Title": "Buyer" })));
    let answer = bench.org.handle(&asked, bench.now);
    assert_eq!((answer.status, answer.body.len(), header(&answer, "Content-Type")), (204, 0, None));
    let (_, row) = bench.get(&format!("/sobjects/Contact/{id}"));
    assert_eq!((&row["Title"], &row["LastName"]), (&json!("Buyer"), &json!("Okafor")));
    assert_eq!(row["SystemModstamp"], "2026-01-02T03:04:10.000+0000");
    assert_eq!(row["CreatedDate"], "2026-01-02T03:04:05.000+0000");
}

#[test]
fn s2_1_patch_can_be_tunnelled_through_post() {
    let mut bench = Bench::new();
    let id = bench.contact("c-1", "Okafor");
    let (status, _) = bench.post(&format!("/sobjects/Contact/{id}?_HttpMethod=PATCH"), &json!({ "Title": null }));
    assert_eq!(status, 204);
}

#[test]
fn s2_6_upsert_inserts_then_updates() {
    let mut bench = Bench::new();
    let path = "/sobjects/Contact/Syncline_Id__c/a%2Fb%20c";
    let (status, body) = bench.patch(path, &json!({ "LastName": "Okafor" }));
    let id = body["id"].as_str().unwrap().to_owned();
    assert_eq!((status, body), (201, json!({ "id": id, "success": true, "errors": [], "created": true })));
    let (status, body) = bench.patch(path, &json!({ "Title": "Buyer" }));
    assert_eq!((status, body), (200, json!({ "id": id, "success": true, "errors": [], "created": false })));
    let (status, row) = bench.get(path);
    assert_eq!((status, &row["Syncline_Id__c"], &row["Title"]), (200, &json!("a/b c"), &json!("Buyer")));
}

#[test]
fn s2_6_upsert_before_version_46_has_no_created_and_no_body_on_update() {
    let mut bench = Bench::new();
    let path = "/services/data/v45.0/sobjects/Lead/Syncline_Id__c/l-1";
    let (status, body) = bench.patch(path, &json!({ "LastName": "Okafor", "Company": "Harbour Cranes" }));
    assert_eq!((status, body.get("created")), (201, None));
    assert_eq!(bench.patch(path, &json!({ "Title": "Buyer" })), (204, json!(null)));
}

#[test]
fn s2_6_keys_match_with_regard_to_case_and_deleted_rows_match_nothing() {
    let mut bench = Bench::new();
    let first = bench.contact("Key", "Okafor");
    let (status, _) = bench.patch("/sobjects/Contact/Syncline_Id__c/key", &json!({ "LastName": "Other" }));
    assert_eq!(status, 201, "another case is another key");
    assert_eq!(bench.delete(&format!("/sobjects/Contact/{first}")), (204, json!(null)));
    let (status, body) = bench.patch("/sobjects/Contact/Syncline_Id__c/Key", &json!({ "LastName": "Okafor" }));
    assert_eq!((status, body["id"] != json!(first)), (201, true));
}

#[test]
fn s2_6_a_key_that_is_not_unique_can_mean_several_rows() {
    let mut bench = Bench::with(SalesforceConfig { external_key: ExternalKey::NotUnique, ..SalesforceConfig::default() });
    let (one, two) = (bench.contact("k", "A"), bench.contact("K", "B"));
    let paths = json!([format!("/services/data/v67.0/sobjects/Contact/{one}"), format!("/services/data/v67.0/sobjects/Contact/{two}")]);
    assert_eq!(bench.get("/sobjects/Contact/Syncline_Id__c/k"), (300, paths.clone()));
    assert_eq!(bench.patch("/sobjects/Contact/Syncline_Id__c/k", &json!({ "LastName": "C" })), (300, paths));
}

#[test]
fn s2_7_conditional_requests() {
    let mut bench = Bench::new();
    let id = bench.contact("c-1", "Okafor");
    let path = format!("/sobjects/Contact/{id}");
    let mut read = bench.request("GET", &path, None);
    read.headers.insert("if-modified-since".to_owned(), "Fri, 02 Jan 2026 03:04:05 GMT".to_owned());
    assert_eq!(bench.org.handle(&read, bench.now).status, 304);
    let mut write = bench.request("PATCH", &path, Some(&json!({ "Title": "Buyer" })));
    write.headers.insert("if-unmodified-since".to_owned(), "Fri, 02 Jan 2026 03:04:05 GMT".to_owned());
    bench.now += 1_000;
    assert_eq!(bench.org.handle(&write, bench.now).status, 204);
    assert_eq!(bench.org.handle(&write, bench.now).status, 412);
    assert_eq!(bench.org.handle(&read, bench.now).status, 200);
}
