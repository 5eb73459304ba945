//! Snapshot and journal.

use serde_json::{Value, json};

use super::super::{CustomField, CustomKind, Salesforce, SalesforceConfig};
use super::Bench;
use crate::crm::Crm;

/// Plays a mixture of everything that changes state, handing out the journal after each step.
fn play(bench: &mut Bench, mut journaled: impl FnMut(&mut Bench)) {
    let id = bench.contact("c-1", "Okafor");
    journaled(bench);
    bench.now += 1_234;
    bench.patch(&format!("/sobjects/Contact/{id}"), &json!({ "Title": "Buyer", "Birthdate": "1980-01-01" }));
    journaled(bench);
    let records = [json!({ "LastName": "x", "Company": "y", "Syncline_Id__c": "l-1" }), json!({ "Syncline_Id__c": "l-2" })];
    bench.patch("/composite/sobjects/Lead/Syncline_Id__c", &json!({ "records": records }));
    bench.patch("/composite/sobjects/Lead/Syncline_Id__c", &json!({ "allOrNone": true, "records": records }));
    journaled(bench);
    bench.delete(&format!("/sobjects/Contact/{id}"));
    journaled(bench);
    bench.now += 25 * 60 * 60 * 1000;
    bench.login();
    bench.get("/limits");
    journaled(bench);
    let field = json!({ "object": "Lead", "name": "Score__c", "kind": "double" });
    let field: CustomField = serde_json::from_value(field).unwrap();
    assert_eq!(field.kind, CustomKind::Double);
    bench.org.add_custom_field(field).unwrap();
    let fields = json!({ "LastName": "Hand", "Company": "Made", "Score__c": 1.5 });
    let edited = bench.org.edit("Lead", None, fields.as_object(), bench.now).unwrap();
    journaled(bench);
    bench.org.edit("Lead", Some(&edited), None, bench.now).unwrap();
    bench.org.expire_tokens();
    bench.login();
    journaled(bench);
}

#[test]
fn replaying_the_journal_gives_an_equal_snapshot() {
    let mut bench = Bench::new();
    let mut entries = Vec::new();
    play(&mut bench, |bench| entries.extend(bench.org.drain_journal()));
    let mut other = Salesforce::new(SalesforceConfig::default());
    for entry in &entries {
        other.replay(entry).unwrap();
    }
    assert_eq!(other.snapshot(), bench.org.snapshot());
    assert_eq!(other.records(), bench.org.records());
    assert_eq!(other.drain_journal(), Vec::<Value>::new());
    assert_eq!(bench.org.drain_journal(), Vec::<Value>::new());
}

#[test]
fn a_restored_snapshot_answers_as_the_original_does() {
    let mut bench = Bench::new();
    play(&mut bench, |bench| {
        let snapshot = bench.org.snapshot();
        let mut other = Salesforce::new(SalesforceConfig::default());
        other.restore(&snapshot).unwrap();
        assert_eq!(other.snapshot(), snapshot);
    });
    let mut other = Salesforce::new(SalesforceConfig::default());
    other.restore(&bench.org.snapshot()).unwrap();
    let asked = bench.request("PATCH", "/sobjects/Lead/Syncline_Id__c/l-1", Some(&json!({ "Title": "z" })));
    assert_eq!(other.handle(&asked, bench.now), bench.org.handle(&asked, bench.now));
    let made = bench.request("POST", "/sobjects/Lead", Some(&json!({ "LastName": "z", "Company": "z" })));
    assert_eq!(other.handle(&made, bench.now), bench.org.handle(&made, bench.now));
}

#[test]
fn a_journal_entry_holds_what_changed_and_no_more() {
    let mut bench = Bench::new();
    let (one, two) = (bench.contact("c-1", "Okafor"), bench.contact("c-2", "Other"));
    bench.org.drain_journal();
    bench.patch(&format!("/sobjects/Contact/{two}"), &json!({ "Title": "Buyer" }));
    let entries = bench.org.drain_journal();
    let [entry] = entries.as_slice() else { panic!("one entry, not {entries:?}") };
    let members: Vec<&String> = entry.as_object().unwrap().keys().collect();
    assert_eq!(members, ["quota", "rows", "tokens"]);
    let rows: Vec<Value> = serde_json::from_str(entry["rows"].as_str().unwrap()).unwrap();
    assert_eq!(rows.len(), 1);
    assert!(!entry.to_string().contains(&one));
}

#[test]
fn what_cannot_be_read_is_said() {
    let mut org = Salesforce::new(SalesforceConfig::default());
    let before = org.snapshot();
    assert!(org.restore(&json!({})).unwrap_err().contains("custom"));
    assert!(org.replay(&json!([])).is_err());
    assert!(org.replay(&json!({ "rows": "[[\"Lead\", \"nonsense\", null]]" })).unwrap_err().contains("nonsense"));
    assert_eq!(org.snapshot(), before);
}
