//! Golden requests, one per call that HubSpot sees.

use syncline_core::ids::{AttemptId, ChargeId};
use syncline_core::outcome::ExternalFields;

use super::*;

fn batch(operation: Operation, items: Vec<Item>) -> Batch {
    Batch {
        charge: ChargeId(1),
        operation,
        object: "contacts".into(),
        key_field: "syncline_id".into(),
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
fn a_create_upserts_by_our_key_with_a_trace_id_each() {
    let items = vec![
        item(41, "A-1", None, &[("email", Some("ada@acme.example")), ("phone", None)]),
        item(42, "A-2", None, &[("lastname", Some("Ōkafor"))]),
    ];
    insta::assert_snapshot!(shown(&write("v3", &batch(Operation::Create, items)).unwrap()), @r#"
    POST /crm/v3/objects/contacts/batch/upsert
    {"inputs":[{"id":"A-1","idProperty":"syncline_id","properties":{"email":"ada@acme.example","phone":"","syncline_id":"A-1"},"objectWriteTraceId":"41"},{"id":"A-2","idProperty":"syncline_id","properties":{"lastname":"Ōkafor","syncline_id":"A-2"},"objectWriteTraceId":"42"}]}
    "#);
}

#[test]
fn an_update_goes_by_id_and_leaves_the_key_alone() {
    let call = write("2026-03", &batch(Operation::Update, vec![item(41, "A-1", Some("501"), &[("email", None)])])).unwrap();
    insta::assert_snapshot!(shown(&call), @r#"
    POST /crm/objects/2026-03/contacts/batch/update
    {"inputs":[{"id":"501","properties":{"email":""},"objectWriteTraceId":"41"}]}
    "#);
}

#[test]
fn a_delete_archives() {
    let call = write("v3", &batch(Operation::Delete, vec![item(41, "A-1", Some("501"), &[]), item(42, "A-2", Some("502"), &[])]))
        .unwrap();
    insta::assert_snapshot!(shown(&call), @r#"
    POST /crm/v3/objects/contacts/batch/archive
    {"inputs":[{"id":"501"},{"id":"502"}]}
    "#);
    let lacking = write("v3", &batch(Operation::Delete, vec![item(41, "A-1", None, &[])])).unwrap_err();
    assert_eq!(lacking.index, 0);
}

#[test]
fn reads_ask_for_what_matches_them() {
    let wanted = |by, names: &[&str]| ReadBatch {
        charge: ChargeId(1),
        object: "contacts".into(),
        key_field: "syncline_id".into(),
        by,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        fields: vec!["email".into()],
    };
    insta::assert_snapshot!(shown(&read("v3", &wanted(ReadBy::Id, &["501"]))), @r#"
    POST /crm/v3/objects/contacts/batch/read
    {"properties":["email","hs_merged_object_ids"],"inputs":[{"id":"501"}]}
    "#);
    insta::assert_snapshot!(shown(&read("2026-09", &wanted(ReadBy::Key, &["A-1"]))), @r#"
    POST /crm/objects/2026-09/contacts/batch/read
    {"properties":["email","syncline_id"],"idProperty":"syncline_id","inputs":[{"id":"A-1"}]}
    "#);
}

#[test]
fn the_other_calls_are_plain() {
    insta::assert_snapshot!(shown(&count("v3", "contacts", "syncline_id")), @r#"
    POST /crm/v3/objects/contacts/search
    {"filterGroups":[{"filters":[{"propertyName":"syncline_id","operator":"HAS_PROPERTY"}]}],"properties":["syncline_id"],"limit":1}
    "#);
    assert_eq!(account().target, "/account-info/v3/details");
    assert_eq!(properties("v3", "contacts").target, "/crm/v3/properties/contacts");
    assert_eq!(properties("2026-03", "contacts").target, "/crm/properties/2026-03/contacts");
}
