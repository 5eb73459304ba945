//! Values that are refused, and how values are kept.

use serde_json::{Value, json};

use super::super::SalesforceConfig;
use super::{Bench, error, row_error};

fn refused(object: &str, body: &Value) -> (u16, Value) {
    Bench::new().post(&format!("/sobjects/{object}"), body)
}

#[test]
fn s2_17_required_fields() {
    let contact = row_error("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", &["LastName"]);
    assert_eq!(refused("Contact", &json!({ "FirstName": "Ngozi" })), (400, contact.clone()));
    let lead = row_error("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName, Company]", &["LastName", "Company"]);
    assert_eq!(refused("Lead", &json!({ "LastName": "", "Company": null })), (400, lead));
    let mut bench = Bench::new();
    let id = bench.contact("c-1", "Okafor");
    assert_eq!(bench.patch(&format!("/sobjects/Contact/{id}"), &json!({ "LastName": null })), (400, contact));
}

#[test]
fn s2_17_too_long_texts_are_never_cut() {
    let name = "é".repeat(81);
    let message = format!("Last Name: data value too large: {name} (max length=80)");
    assert_eq!(refused("Contact", &json!({ "LastName": name })), (400, row_error("STRING_TOO_LONG", &message, &["LastName"])));
    let astral = "😀".repeat(41);
    assert_eq!(refused("Contact", &json!({ "LastName": astral })).0, 400, "astral characters count twice");
    assert_eq!(refused("Contact", &json!({ "LastName": "😀".repeat(40) })).0, 201);
}

#[test]
fn s2_17_email_addresses() {
    let message = "Email: invalid email address: not-an-email";
    let expected = row_error("INVALID_EMAIL_ADDRESS", message, &["Email"]);
    assert_eq!(refused("Contact", &json!({ "LastName": "x", "Email": "not-an-email" })), (400, expected));
    for bad in ["a@b", "a b@c.org", "a@b..org", ".a@b.org", "@b.org", "a@", "a@.org", "jürgen@example.org"] {
        assert_eq!(refused("Contact", &json!({ "LastName": "x", "Email": bad })).0, 400, "{bad}");
    }
    for good in ["a@b.org", "a.b+c@x-y.example.org", "o'neil@example.ie"] {
        assert_eq!(refused("Contact", &json!({ "LastName": "x", "Email": good })).0, 201, "{good}");
    }
}

#[test]
fn s2_2_several_faults_are_several_elements() {
    let (status, body) = refused("Lead", &json!({ "LastName": "x", "Email": "x", "City": "y".repeat(41) }));
    let codes: Vec<&Value> = body.as_array().unwrap().iter().map(|fault| &fault["errorCode"]).collect();
    assert_eq!(status, 400);
    assert_eq!(codes, ["REQUIRED_FIELD_MISSING", "STRING_TOO_LONG", "INVALID_EMAIL_ADDRESS"]);
}

#[test]
fn s2_17_unknown_and_read_only_fields() {
    let unknown = error("INVALID_FIELD", "No such column 'foo' on sobject of type Contact");
    assert_eq!(refused("Contact", &json!({ "LastName": "x", "foo": 1 })), (400, unknown));
    let message = "Unable to create/update fields: CreatedDate. Please check the security settings of this field and verify that it is read/write for your profile or permission set.";
    let expected = row_error("INVALID_FIELD_FOR_INSERT_UPDATE", message, &["CreatedDate"]);
    assert_eq!(refused("Contact", &json!({ "LastName": "x", "CreatedDate": "2026-01-02T03:04:05Z" })), (400, expected));
}

#[test]
fn s6_2_converted_leads_cannot_be_updated() {
    let mut bench = Bench::new();
    let body = json!({ "LastName": "x", "Company": "y", "IsConverted": true });
    let id = bench.post("/sobjects/Lead", &body).1["id"].as_str().unwrap().to_owned();
    let refused = bench.patch(&format!("/sobjects/Lead/{id}"), &json!({ "Title": "z" }));
    assert_eq!(refused, (400, row_error("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", &[])));
}

#[test]
fn s2_17_picklists_and_references() {
    let bad =
        row_error("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Clean Status: bad value for restricted picklist field: X", &["CleanStatus"]);
    assert_eq!(refused("Contact", &json!({ "LastName": "x", "CleanStatus": "X" })), (400, bad));
    assert_eq!(refused("Contact", &json!({ "LastName": "x", "LeadSource": "Anything" })).0, 201, "not restricted");
    let owner = refused("Contact", &json!({ "LastName": "x", "OwnerId": "0055g000007Xy9bAAC" }));
    assert_eq!(owner, (400, row_error("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[])));
    let garbage = refused("Contact", &json!({ "LastName": "x", "OwnerId": "me" }));
    assert_eq!((garbage.0, &garbage.1[0]["errorCode"]), (400, &json!("MALFORMED_ID")));
}

#[test]
fn s2_1_kinds_of_values_and_their_defaults() {
    let mut bench = Bench::new();
    let body = json!({ "LastName": "x", "Company": "y", "AnnualRevenue": 1_250_000, "NumberOfEmployees": "12",
        "EmailBouncedDate": null, "Description": "a\r\nb" });
    let (status, refused) = bench.post("/sobjects/Lead", &body);
    assert_eq!((status, &refused[0]["errorCode"]), (400, &json!("INVALID_FIELD_FOR_INSERT_UPDATE")));
    let mut body = body.as_object().unwrap().clone();
    body.remove("EmailBouncedDate");
    let id = bench.post("/sobjects/Lead", &Value::Object(body)).1["id"].as_str().unwrap().to_owned();
    let path = format!("/sobjects/Lead/{id}");
    assert_eq!(bench.patch(&path, &json!({ "EmailBouncedDate": "2026-01-02T04:04:05.123+01:00" })).0, 204);
    let (_, row) = bench.get(&path);
    assert_eq!((&row["AnnualRevenue"], &row["NumberOfEmployees"]), (&json!(1_250_000.0), &json!(12)));
    assert_eq!((&row["Status"], &row["IsConverted"]), (&json!("Open - Not Contacted"), &json!(false)));
    assert_eq!((&row["EmailBouncedDate"], &row["Description"]), (&json!("2026-01-02T03:04:05.000+0000"), &json!("a\r\nb")));
    let (status, wrong) = bench.patch(&path, &json!({ "City": 5, "NumberOfEmployees": 1.5 }));
    assert_eq!((status, wrong.as_array().unwrap().len(), &wrong[0]["errorCode"]), (400, 2, &json!("JSON_PARSER_ERROR")));
}

#[test]
fn s9_trimming_is_a_switch() {
    for (trims_text, expected) in [(false, json!([" Okafor ", "A@B.org"])), (true, json!(["Okafor", "a@b.org"]))] {
        let mut bench = Bench::with(SalesforceConfig { trims_text, ..SalesforceConfig::default() });
        let body = json!({ "LastName": " Okafor ", "Email": "A@B.org" });
        let id = bench.post("/sobjects/Contact", &body).1["id"].as_str().unwrap().to_owned();
        let (_, row) = bench.get(&format!("/sobjects/Contact/{id}"));
        assert_eq!(json!([row["LastName"], row["Email"]]), expected);
    }
}
