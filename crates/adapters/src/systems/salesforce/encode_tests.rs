//! Golden requests, one per call that Salesforce sees.

use syncline_core::ids::{AttemptId, ChargeId};
use syncline_core::outcome::ExternalFields;

use super::*;

fn batch(operation: Operation, items: Vec<Item>) -> Batch {
    Batch {
        charge: ChargeId(1),
        operation,
        object: "Lead".into(),
        key_field: "Syncline_Id__c".into(),
        items,
    }
}

fn item(attempt: i64, key: &str, id: Option<&str>, fields: &[(&str, Option<&str>)]) -> Item {
    let fields: ExternalFields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect();
    Item { attempt: AttemptId(attempt), key: key.into(), external_id: id.map(str::to_owned), fields }
}

fn shown(call: &Call) -> String {
    format!("{} {}\n{}", call.method.name(), call.target, String::from_utf8_lossy(&call.body))
}

#[test]
fn a_create_upserts_by_our_key_and_says_null_plainly() {
    let items = vec![
        item(1, "A-1", None, &[("LastName", Some("Byron \"Ada\"")), ("Email", Some("ada@acme.example")), ("Phone", None)]),
        item(2, "A-2", None, &[("LastName", Some("Ōkafor"))]),
    ];
    let call = write("66.0", &batch(Operation::Create, items)).unwrap();
    insta::assert_snapshot!(shown(&call), @r#"
    PATCH /services/data/v66.0/composite/sobjects/Lead/Syncline_Id__c
    {"allOrNone":false,"records":[{"attributes":{"type":"Lead"},"Email":"ada@acme.example","LastName":"Byron \"Ada\"","Phone":null,"Syncline_Id__c":"A-1"},{"attributes":{"type":"Lead"},"LastName":"Ōkafor","Syncline_Id__c":"A-2"}]}
    "#);
}

#[test]
fn an_update_goes_by_id_and_leaves_the_key_alone() {
    let call =
        write("66.0", &batch(Operation::Update, vec![item(1, "A-1", Some("00Q5g00000Lm2BcEAJ"), &[("Email", None)])])).unwrap();
    insta::assert_snapshot!(shown(&call), @r#"
    PATCH /services/data/v66.0/composite/sobjects
    {"allOrNone":false,"records":[{"attributes":{"type":"Lead"},"id":"00Q5g00000Lm2BcEAJ","Email":null}]}
    "#);
}

#[test]
fn a_delete_names_its_ids_in_the_address() {
    let items = vec![item(1, "A-1", Some("00Q5g00000Lm2BcEAJ"), &[]), item(2, "A-2", Some("00Q5g0000 &evil"), &[])];
    let call = write("66.0", &batch(Operation::Delete, items)).unwrap();
    insta::assert_snapshot!(shown(&call), @"DELETE /services/data/v66.0/composite/sobjects?ids=00Q5g00000Lm2BcEAJ,00Q5g0000+%26evil&allOrNone=false");
}

#[test]
fn an_item_without_an_id_is_named() {
    let items = vec![item(1, "A-1", Some("00Q5g00000Lm2BcEAJ"), &[]), item(2, "A-2", None, &[])];
    assert_eq!(write("66.0", &batch(Operation::Update, items)).unwrap_err().index, 1);
}

fn wanted(by: ReadBy, names: &[&str]) -> ReadBatch {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let fields = vec!["Email".to_owned(), "LastName".to_owned()];
    ReadBatch {
        charge: ChargeId(1),
        object: "Lead".into(),
        key_field: "Syncline_Id__c".into(),
        by,
        names,
        fields,
    }
}

#[test]
fn a_read_by_id_is_posted_and_one_by_key_is_a_query() {
    insta::assert_snapshot!(shown(&read("66.0", &wanted(ReadBy::Id, &["00Q5g00000Lm2BcEAJ"])).unwrap()), @r#"
    POST /services/data/v66.0/composite/sobjects/Lead
    {"ids":["00Q5g00000Lm2BcEAJ"],"fields":["Id","Email","LastName"]}
    "#);
    let call = read("66.0", &wanted(ReadBy::Key, &["A-1", "O'Brien\\"])).unwrap();
    insta::assert_snapshot!(shown(&call), @"GET /services/data/v66.0/query?q=SELECT+Id%2CEmail%2CLastName%2CSyncline_Id__c+FROM+Lead+WHERE+Syncline_Id__c+IN+%28%27A-1%27%2C%27O%5C%27Brien%5C%5C%27%29");
}

#[test]
fn keys_that_do_not_fit_one_address_are_refused_here() {
    let long = "ю".repeat(64);
    let names = vec![long.as_str(); 100];
    assert!(read("66.0", &wanted(ReadBy::Key, &names)).unwrap_err().contains("100 keys"));
    let plain = "x".repeat(64);
    let names = vec![plain.as_str(); super::super::config::READ_MAX];
    assert!(read("66.0", &wanted(ReadBy::Key, &names)).is_ok());
}

#[test]
fn the_other_calls_are_plain_reads() {
    insta::assert_snapshot!(count("66.0", "Lead", "Syncline_Id__c").target, @"/services/data/v66.0/query?q=SELECT+COUNT%28%29+FROM+Lead+WHERE+Syncline_Id__c+%21%3D+null");
    assert_eq!(versions().target, "/services/data");
    assert_eq!(describe("66.0", "Lead").target, "/services/data/v66.0/sobjects/Lead/describe");
    assert_eq!(limits("66.0").target, "/services/data/v66.0/limits");
}

#[test]
fn user_text_cannot_leave_its_literal() {
    assert_eq!(literal("a-1"), "'a-1'");
    assert_eq!(literal("O'Brien\\') OR Id != null --"), "'O\\'Brien\\\\\\') OR Id != null --'");
    assert_eq!(literal("a\nb\u{1}"), "'a\\nb\\u0001'");
}
