//! The oracle on cases whose answer is known by hand.
//!
//! Promises: events are written as they stand on the wire, CRM records as the emulators tell them.
//! Leaves to others: single lines (`event`), single values (`expect`).

use serde_json::{Value, json};

use super::*;
use crate::crm::StoredRecord;

const SF: System = System::Salesforce;
const HS: System = System::HubSpot;

fn observe(oracle: &mut Oracle, operation: &str, second: u32, item: &Value) {
    let timestamp = format!("2024-01-15T10:30:{second:02}");
    let event = json!({ "record": "contacts", "operation": operation, "timestamp": timestamp, "item": item });
    oracle.observe(event.to_string().as_bytes());
}

fn folded(routing: Routing, events: &[(&str, Value)]) -> Oracle {
    let mut oracle = Oracle::new(routing);
    for (operation, item) in events {
        observe(&mut oracle, operation, 0, item);
    }
    oracle
}

fn alice(contact: &str) -> Value {
    json!({
        "id": "A1", "name": "Alice van Smith", "email": "Alice@Example.com", "phone": "+1-212-555-0123", "contact": contact
    })
}

/// Expected records as `system object key {fields}`.
fn told(oracle: &Oracle) -> Vec<String> {
    let line = |record: Expected| {
        let fields: Vec<String> = record.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{} {} {} {}", record.system, record.object, record.key, fields.join(";"))
    };
    oracle.expected().into_iter().map(line).collect()
}

fn stored(system: System, object: &str, id: &str, fields: &[(&str, &str)]) -> (System, StoredRecord) {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    (system, StoredRecord { object: object.to_owned(), id: id.to_owned(), fields, deleted: false, writes: 1 })
}

fn alice_lead(id: &str) -> (System, StoredRecord) {
    let fields = [
        ("Syncline_Id__c", "A1"),
        ("FirstName", "Alice van"),
        ("LastName", "Smith"),
        ("Email", "Alice@Example.com"),
        ("Phone", "+1-212-555-0123"),
        ("Company", "[not provided]"),
        ("OwnerId", "005000000000001"),
    ];
    stored(SF, "Lead", id, &fields)
}

fn alice_hubspot(id: &str) -> (System, StoredRecord) {
    let fields = [
        ("syncline_id", "A1"),
        ("firstname", "Alice van"),
        ("lastname", "Smith"),
        ("email", "alice@example.com"),
        ("phone", "+1-212-555-0123"),
        ("hs_object_id", id),
    ];
    stored(HS, "contacts", id, &fields)
}

fn deleted(mut record: (System, StoredRecord)) -> (System, StoredRecord) {
    record.1.deleted = true;
    record
}

fn differences(oracle: &Oracle, actual: &[(System, StoredRecord)]) -> Vec<String> {
    oracle.compare(actual, &|_, _| false).iter().map(ToString::to_string).collect()
}

#[test]
fn each_type_goes_to_its_object_in_the_default_form() {
    let lead = folded(Routing::Default, &[("create", alice("lead"))]);
    let lead_line = "salesforce Lead A1 Company=[not provided];Email=Alice@Example.com;FirstName=Alice van;\
                     LastName=Smith;Phone=+1-212-555-0123;Syncline_Id__c=A1";
    assert_eq!(told(&lead), [lead_line]);
    assert_eq!(told(&folded(Routing::Default, &[("create", alice("prospect"))])), [lead_line]);
    let employee = lead_line.replace("Lead", "Contact").replace("Company=[not provided];", "");
    assert_eq!(told(&folded(Routing::Default, &[("create", alice("employee"))])), [employee]);
    let customer = "hubspot contacts A1 email=alice@example.com;firstname=Alice van;lastname=Smith;\
                    phone=+1-212-555-0123;syncline_id=A1";
    for contact in ["customer", "partner", "vendor"] {
        assert_eq!(told(&folded(Routing::Default, &[("create", alice(contact))])), [customer]);
    }
}

#[test]
fn the_other_routings_send_as_they_say() {
    let places = |routing: &Routing, contact: &str| -> Vec<(System, &str)> {
        let oracle = folded(routing.clone(), &[("create", alice(contact))]);
        oracle.expected().iter().map(|record| (record.system, record.object)).collect()
    };
    assert_eq!(places(&Routing::SalesforceOnly, "vendor"), [(SF, "Contact")]);
    assert_eq!(places(&Routing::SalesforceOnly, "lead"), [(SF, "Lead")]);
    assert_eq!(places(&Routing::HubSpotOnly, "lead"), [(HS, "contacts")]);
    let custom = Routing::Custom([("lead".to_owned(), [SF, HS].into())].into());
    assert_eq!(places(&custom, "lead"), [(SF, "Lead"), (HS, "contacts")]);
    assert_eq!(places(&custom, "vendor"), []);
}

#[test]
fn a_patch_keeps_what_is_absent_and_clears_null_and_empty() {
    let events = [
        ("create", json!({ "id": "A1", "name": "Cher", "email": "c@x.org", "phone": "+1", "contact": "lead" })),
        ("update", json!({ "id": "A1", "email": null, "phone": "" })),
    ];
    let line = "salesforce Lead A1 Company=[not provided];LastName=Cher;Syncline_Id__c=A1";
    assert_eq!(told(&folded(Routing::Default, &events)), [line]);
}

#[test]
fn a_create_of_a_live_record_clears_what_it_lacks() {
    let events = [("create", alice("lead")), ("create", json!({ "id": "A1", "name": "Bob Gray", "contact": "lead" }))];
    let oracle = folded(Routing::Default, &events);
    assert_eq!(told(&oracle), [
        "salesforce Lead A1 Company=[not provided];FirstName=Bob;LastName=Gray;Syncline_Id__c=A1"
    ]);
    assert_eq!(oracle.arrivals("A1", Place { system: SF, object: "Lead" }), 1, "no new generation");
}

#[test]
fn an_update_of_the_unknown_creates_and_of_the_deleted_does_nothing() {
    let mut oracle = folded(Routing::Default, &[("update", alice("lead"))]);
    assert_eq!(oracle.expected().len(), 1);
    observe(&mut oracle, "delete", 0, &json!({ "id": "A1" }));
    assert_eq!(oracle.expected(), []);
    observe(&mut oracle, "update", 0, &alice("lead"));
    assert_eq!(oracle.expected(), []);
    observe(&mut oracle, "delete", 0, &json!({ "id": "A1" }));
    observe(&mut oracle, "delete", 0, &json!({ "id": "A2" }));
    oracle.observe(b"{");
    let tally = Tally { lines: 6, malformed: 1, stale: 1, unchanged: 2, folded: 2 };
    assert_eq!(oracle.tally(), tally);
    observe(&mut oracle, "create", 0, &json!({ "id": "A1", "name": "New Life", "contact": "customer" }));
    assert_eq!(told(&oracle), ["hubspot contacts A1 firstname=New;lastname=Life;syncline_id=A1"]);
}

#[test]
fn a_move_leaves_the_old_place() {
    let moved = |to: &str| folded(Routing::Default, &[("create", alice("lead")), ("update", json!({ "id": "A1", "contact": to }))]);
    assert_eq!(differences(&moved("customer"), &[deleted(alice_lead("00Q1")), alice_hubspot("1")]), [""; 0]);
    assert_eq!(differences(&moved("customer"), &[alice_lead("00Q1"), alice_hubspot("1")]), [
        "salesforce Lead A1: 00Q1 should not be there"
    ]);
    assert_eq!(differences(&moved("employee"), &[alice_lead("00Q1")]), [
        "salesforce Contact A1: missing",
        "salesforce Lead A1: 00Q1 should not be there",
    ]);
    assert_eq!(differences(&moved("prospect"), &[alice_lead("00Q1")]), [""; 0], "the same object");
    let mut contact = alice_lead("0031");
    contact.1.object = "Contact".to_owned();
    contact.1.fields.remove("Company");
    assert_eq!(differences(&moved("employee"), &[alice_lead("00Q1"), contact]), [
        "salesforce Contact A1: 2 live records: Contact 0031 Lead 00Q1",
        "salesforce Lead A1: 00Q1 should not be there",
    ]);
}

#[test]
fn differences_name_both_values() {
    let oracle = folded(Routing::Default, &[("create", alice("lead"))]);
    assert_eq!(differences(&oracle, &[alice_lead("00Q1")]), [""; 0]);
    assert_eq!(differences(&oracle, &[]), ["salesforce Lead A1: missing"]);
    assert_eq!(differences(&oracle, &[deleted(alice_lead("00Q1"))]), ["salesforce Lead A1: missing"]);
    let mut wrong = alice_lead("00Q1");
    wrong.1.fields.insert("Phone".to_owned(), "+2".to_owned());
    wrong.1.fields.remove("Email");
    assert_eq!(differences(&oracle, &[wrong]), [
        "salesforce Lead A1: 00Q1 has Email unset, must have \"Alice@Example.com\"",
        "salesforce Lead A1: 00Q1 has Phone \"+2\", must have \"+1-212-555-0123\"",
    ]);
    let cleared = folded(Routing::Default, &[("create", alice("lead")), ("update", json!({ "id": "A1", "phone": null }))]);
    assert_eq!(differences(&cleared, &[alice_lead("00Q1")]), [
        "salesforce Lead A1: 00Q1 has Phone \"+1-212-555-0123\", must have unset"
    ]);
}

#[test]
fn two_live_records_of_one_key_are_never_excused() {
    let oracle = folded(Routing::Default, &[("create", alice("lead"))]);
    let twice = [alice_lead("00Q2"), alice_lead("00Q1")];
    let line = "salesforce Lead A1: 2 live records: Lead 00Q1 Lead 00Q2";
    assert_eq!(differences(&oracle, &twice), [line]);
    let excused = oracle.compare(&twice, &|system, key| *system == SF && key == "A1");
    assert_eq!(excused.iter().map(ToString::to_string).collect::<Vec<_>>(), [line]);
}

#[test]
fn excused_records_and_records_without_our_key_are_left_alone() {
    let oracle = folded(Routing::Default, &[("create", alice("lead"))]);
    let foreign = stored(SF, "Lead", "00Q9", &[("LastName", "Someone")]);
    let stray = alice_hubspot("7");
    assert_eq!(oracle.compare(&[foreign.clone(), stray.clone()], &|_, key| key == "A1"), []);
    let missing_only = oracle.compare(&[foreign, stray], &|system, _| *system == SF);
    assert_eq!(missing_only[0].kind, DifferenceKind::Extra { id: "7".to_owned() });
    assert_eq!(missing_only.len(), 1);
}

#[test]
fn a_record_may_be_created_again_after_a_delete_and_not_otherwise() {
    let actual = [deleted(alice_lead("00Q1")), alice_lead("00Q2")];
    let again = [("create", alice("lead")), ("delete", json!({ "id": "A1" })), ("create", alice("lead"))];
    let recreated = folded(Routing::Default, &again);
    assert_eq!(differences(&recreated, &actual), [""; 0]);
    assert_eq!(recreated.excess_creates(&actual), []);
    let once = folded(Routing::Default, &[("create", alice("lead")), ("create", alice("lead"))]);
    assert_eq!(differences(&once, &actual), [""; 0]);
    let excess = once.excess_creates(&actual);
    assert_eq!(excess.len(), 1);
    assert_eq!(excess[0].to_string(), "salesforce Lead A1: created 2 times, 1 at most were called for");
}

#[test]
fn by_timestamp_the_older_is_ignored_field_by_field() {
    let mut oracle = Oracle::new(Routing::Default).order_by_timestamp();
    observe(&mut oracle, "create", 10, &json!({ "id": "A1", "name": "Al", "phone": "1", "contact": "lead" }));
    observe(&mut oracle, "update", 30, &json!({ "id": "A1", "phone": "3" }));
    observe(&mut oracle, "update", 20, &json!({ "id": "A1", "phone": "2", "email": "e2@x.org" }));
    observe(&mut oracle, "update", 5, &json!({ "id": "A1", "name": "Old" }));
    observe(&mut oracle, "delete", 29, &json!({ "id": "A1" }));
    observe(&mut oracle, "create", 29, &json!({ "id": "A1", "name": "Old", "contact": "lead" }));
    let line = "salesforce Lead A1 Company=[not provided];Email=e2@x.org;LastName=Al;Phone=3;Syncline_Id__c=A1";
    assert_eq!(told(&oracle), [line]);
    assert_eq!(oracle.tally().stale, 3);
    observe(&mut oracle, "delete", 30, &json!({ "id": "A1" }));
    assert_eq!(oracle.expected(), [], "a tie applies");
    observe(&mut oracle, "create", 29, &alice("lead"));
    assert_eq!(oracle.expected(), [], "older than the tombstone");
    observe(&mut oracle, "create", 31, &alice("lead"));
    assert_eq!(oracle.expected().len(), 1);
}

#[test]
fn by_position_timestamps_mean_nothing() {
    let mut oracle = Oracle::new(Routing::Default);
    observe(&mut oracle, "create", 30, &alice("lead"));
    observe(&mut oracle, "delete", 10, &json!({ "id": "A1" }));
    assert_eq!(oracle.expected(), []);
}

#[test]
fn a_changed_routing_meets_a_record_at_its_next_event() {
    let mut oracle = folded(Routing::Default, &[("create", alice("lead"))]);
    oracle.reroute(Routing::HubSpotOnly);
    assert_eq!(oracle.expected()[0].system, SF);
    let mut by_resync = oracle.clone();
    by_resync.resync();
    observe(&mut oracle, "update", 0, &json!({ "id": "A1", "updated_at": "2024-01-15T10:30:00" }));
    assert_eq!(oracle.expected()[0].system, HS);
    assert_eq!(by_resync.expected(), oracle.expected());
}

#[test]
fn spelling_counts_unless_the_oracle_is_told_otherwise() {
    let respelled = [("create", alice("lead")), ("update", json!({ "id": "A1", "phone": "+1 212 555 0123" }))];
    let oracle = folded(Routing::Default, &respelled);
    assert_eq!(differences(&oracle, &[alice_lead("00Q1")]).len(), 1);
    assert_eq!(differences(&oracle.canonical_equality(), &[alice_lead("00Q1")]), [""; 0]);
}

#[test]
fn the_digest_sees_contents_and_not_ids_order_or_the_deleted() {
    let one = digest(&[alice_lead("00Q1"), alice_hubspot("1")]);
    let other = digest(&[alice_hubspot("2"), deleted(alice_lead("00Q8")), alice_lead("00Q9")]);
    assert_eq!(one, other);
    assert!(one.starts_with("2-") && one.len() == 18, "{one}");
    let mut changed = alice_lead("00Q1");
    changed.1.fields.insert("Phone".to_owned(), "+2".to_owned());
    assert_ne!(one, digest(&[changed, alice_hubspot("1")]));
    assert_ne!(one, digest(&[alice_lead("00Q1")]));
    assert_eq!(digest(&[]), "0-cbf29ce484222325");
}
