//! Cases of the writer contract on requests that are answered: W5 to W12, W19 and W20 of docs/spec/writer.md.
//!
//! Promises: what the writer says is held against what the sandbox holds. Leaves to others: faults.

use syncline_core::attempt::Operation;
use syncline_core::dispatch::batch::ReadBy;
use syncline_core::outcome::Outcome;

use super::writer::{Bench, Facts, ready, written_id};

/// W5.
pub fn w5_one_call_is_one_request(facts: &'static Facts) {
    let bench = Bench::connected(facts);
    let counted = |call: &dyn Fn()| {
        let before = bench.requests();
        call();
        bench.requests() - before
    };
    assert_eq!(counted(&|| drop(bench.created("A-1", "Byron"))), 1);
    assert_eq!(counted(&|| drop(bench.read(ReadBy::Key, &["A-1", "A-2"]))), 1);
    assert_eq!(counted(&|| drop(ready(bench.writer.count(facts.object)))), 1);
    bench.faults("- on: {}\n  do: {status: 503}\n");
    assert_eq!(counted(&|| drop(bench.send(Operation::Create, vec![bench.person("A-3", "Cole")]))), 1);
    assert_eq!(counted(&|| drop(bench.read_answer(ReadBy::Key, &["A-1"]))), 1);
}

/// W6.
pub fn w6_a_create_repeated_leaves_one_record(facts: &'static Facts) {
    let bench = Bench::connected(facts);
    let first = bench.send(Operation::Create, vec![bench.person("A-1", "Byron")]);
    let second = bench.send(Operation::Create, vec![bench.person("A-1", "Lovelace")]);
    assert!(matches!(first.outcomes[0], Outcome::Written { existed: false, .. }), "{:?}", first.outcomes);
    assert!(matches!(second.outcomes[0], Outcome::Written { existed: true, .. }), "{:?}", second.outcomes);
    assert_eq!(written_id(&first.outcomes[0]), written_id(&second.outcomes[0]));
    let records = bench.records();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].fields.get(facts.key_field).map(String::as_str), Some("A-1"));
    assert_eq!(records[0].fields.get(facts.name_field).map(String::as_str), Some("Lovelace"));
    let Outcome::Written { returned, .. } = &second.outcomes[0] else { return };
    assert_eq!(returned.is_some(), facts.returns_values);
    if let Some(returned) = returned {
        assert_eq!(returned.get(facts.name_field), Some(&Some("Lovelace".to_owned())));
    }
}

/// W7.
pub fn w7_an_update_changes_what_it_names(facts: &'static Facts) {
    let bench = Bench::connected(facts);
    let id = bench.created("A-1", "Byron");
    let other = bench.created("A-2", "Cole");
    let answer = bench.send(Operation::Update, vec![bench.item("A-1", Some(&id), &[(facts.phone_field, None)])]);
    assert_eq!(written_id(&answer.outcomes[0]), id);
    let found = bench.read(ReadBy::Id, &[&id, &other]);
    let values = |at: usize, field: &str| found[at].as_ref().and_then(|record| record.fields.get(field).cloned().flatten());
    assert_eq!(values(0, facts.name_field).as_deref(), Some("Byron"));
    assert_eq!(values(0, facts.phone_field), None);
    assert!(values(1, facts.phone_field).is_some());
}

/// W8.
pub fn w8_an_update_of_nothing_is_gone(facts: &'static Facts) {
    let bench = Bench::connected(facts);
    let deleted = bench.created("A-1", "Byron");
    let live = bench.created("A-2", "Cole");
    bench.send(Operation::Delete, vec![bench.item("A-1", Some(&deleted), &[])]);
    let fields = [(facts.phone_field, Some("+1 555 0199"))];
    let items = [deleted.as_str(), facts.no_id, &live].map(|id| bench.item("A", Some(id), &fields));
    let outcomes = bench.send(Operation::Update, items.into()).outcomes;
    assert!(matches!(outcomes[..], [Outcome::Gone, Outcome::Gone, Outcome::Written { .. }]), "{outcomes:?}");
    assert_eq!(bench.records().len(), 1);
}

/// W9.
pub fn w9_a_delete_may_be_repeated(facts: &'static Facts) {
    let bench = Bench::connected(facts);
    let first = bench.created("A-1", "Byron");
    let second = bench.created("A-2", "Cole");
    let outcomes = bench.send(Operation::Delete, vec![bench.item("A-1", Some(&first), &[])]).outcomes;
    assert_eq!(written_id(&outcomes[0]), first);
    let items = [first.as_str(), &second].map(|id| bench.item("A", Some(id), &[]));
    let outcomes = bench.send(Operation::Delete, items.into()).outcomes;
    assert!(matches!(outcomes[0], Outcome::Written { .. } | Outcome::Gone), "{outcomes:?}");
    assert_eq!(written_id(&outcomes[1]), second);
    assert!(bench.records().is_empty());
    assert_eq!(bench.read(ReadBy::Id, &[&first, &second]), [None, None]);
}

/// W10.
pub fn w10_a_read_answers_in_the_order_of_names(facts: &'static Facts) {
    let bench = Bench::connected(facts);
    let keys = ["O'Brien \\ \"x\"", "A-2", "ä+&%"];
    let ids = keys.map(|key| bench.created(key, "Byron"));
    let by_key = bench.read(ReadBy::Key, &[keys[2], "A-9", keys[0], keys[1]]);
    let found: Vec<Option<&str>> = by_key.iter().map(|found| found.as_ref().map(|record| record.external_id.as_str())).collect();
    assert_eq!(found, [Some(ids[2].as_str()), None, Some(&ids[0]), Some(&ids[1])]);
    let by_id = bench.read(ReadBy::Id, &[&ids[1], facts.no_id, &ids[0]]);
    let found: Vec<Option<&str>> = by_id.iter().map(|found| found.as_ref().map(|record| record.external_id.as_str())).collect();
    assert_eq!(found, [Some(ids[1].as_str()), None, Some(&ids[0])]);
    for record in by_id.iter().chain(&by_key).flatten() {
        assert_eq!(record.fields.get(facts.name_field), Some(&Some("Byron".to_owned())));
        assert!(record.fields.contains_key(facts.phone_field));
    }
}

/// W11.
pub fn w11_a_count_counts_our_keys(facts: &'static Facts) {
    let bench = Bench::connected(facts);
    assert!(matches!(ready(bench.writer.count(facts.object)), Ok(0)));
    bench.created("A-1", "Byron");
    bench.created("A-2", "Cole");
    assert!(matches!(ready(bench.writer.count(facts.object)), Ok(2)));
}

/// W12.
pub fn w12_one_bad_item_does_not_stop_the_others(facts: &'static Facts) {
    let bench = Bench::connected(facts);
    bench.faults(&format!(
        "- on: {{operation: {}, record: {{keys: [A-2]}}}}\n  do: {{invalid: {{field: {}, message: about S3cretson}}}}\n",
        facts.operation(Operation::Create),
        facts.name_field
    ));
    let items = vec![bench.person("A-1", "Byron"), bench.person("A-2", "S3cretson"), bench.person("A-3", "Cole")];
    let outcomes = bench.send(Operation::Create, items).outcomes;
    assert!(matches!(outcomes[0], Outcome::Written { .. }) && matches!(outcomes[2], Outcome::Written { .. }), "{outcomes:?}");
    let Outcome::Rejected(rejection) = &outcomes[1] else { panic!("not rejected: {:?}", outcomes[1]) };
    assert_eq!(rejection.field.as_deref(), Some(facts.name_field));
    assert!(!rejection.remedy.is_empty());
    assert_eq!(bench.records().len(), 2);
}

/// W19.
pub fn w19_an_answer_tells_the_quota(facts: &'static Facts) {
    let bench = Bench::connected(facts);
    let used = |bench: &Bench| {
        let verdict = bench.send(Operation::Create, vec![bench.person("A-1", "Byron")]).verdict;
        verdict.limits.iter().find(|report| report.pool == facts.told_pool).map(|report| report.used)
    };
    let (first, second) = (used(&bench), used(&bench));
    assert!(first.is_some() && second > first, "{first:?} {second:?}");
}

/// W20.
pub fn w20_a_taken_value_names_its_holder(facts: &'static Facts) {
    let bench = Bench::connected(facts);
    let badge = |key: &str| bench.item(key, None, &[(facts.name_field, Some("Byron")), (facts.unique_field, Some("B-17"))]);
    let holder = written_id(&bench.send(Operation::Create, vec![badge("A-1")]).outcomes[0]);
    let other = bench.created("A-2", "Cole");
    let items = vec![bench.item("A-2", Some(&other), &[(facts.unique_field, Some("B-17"))])];
    let updated = bench.send(Operation::Update, items).outcomes.remove(0);
    let created = bench.send(Operation::Create, vec![badge("A-3")]).outcomes.remove(0);
    for outcome in [updated, created] {
        assert_eq!(outcome, Outcome::Taken { by: Some(holder.clone()), field: facts.unique_field.to_owned() });
    }
}
