//! Plans of one link: laws over random fields, and the table of one field pair.

use std::collections::BTreeMap;

use proptest::prelude::{Strategy, any, prop_oneof, proptest};

use super::{FieldPlan, Ours, Plan, field_plan, new_base, reconcile};
use crate::attempt::RowValues;
use crate::boundary::RecordAuthority::{self, Manual, Shared, SystemA, SystemB};
use crate::boundary::SyncBoundary;
use crate::dispatch::planted::Planted;
use crate::ids::{LinkId, RecordId, SourceId, SystemId};
use crate::link::{Base, BaseRow, Duty, Link, Presence, Side};
use crate::outcome::Theirs;
use crate::plan::mapping::{Codec, DayForm, Expression, OnInvalid, Row, encode_record, project};
use crate::record::{Fields, Record, RecordState, Value};
use crate::schema::FieldType;
use crate::terms::{OnExisting, OnGone, Terms};
use crate::time::Timestamp;
use crate::version::Version;

fn row(name: &str, authority: RecordAuthority) -> Row {
    Row::new(name, vec![name.into()], vec![format!("{name}__c")], Codec::Same, authority, FieldType::Text).unwrap()
}

fn terms() -> Terms {
    Terms {
        boundary: SyncBoundary::new("contacts", "internal", "crm"),
        objects: BTreeMap::new(),
        key_field: "Key__c".into(),
        marker: None,
        rows: vec![row("a", SystemA), row("b", SystemA), row("c", SystemB)],
        fillers: BTreeMap::new(),
        rules: BTreeMap::new(),
        on_existing: OnExisting::Dead,
        on_gone: OnGone::Dead,
    }
}

fn row_values(terms: &Terms, fields: &Fields) -> RowValues {
    project(terms, "Contact", "k", fields).unwrap().values
}

fn record(generation: u32, fields: Fields) -> Record {
    Record {
        record_type: "contacts".into(),
        key: "k".into(),
        state: RecordState::Live,
        generation,
        version: Version { source: SourceId(1), epoch: 1, order: 1 },
        field_orders: BTreeMap::new(),
        fields,
    }
}

fn link(base: Option<Base>) -> Link {
    let external_id = base.is_some().then(|| "x1".to_owned());
    Link {
        id: LinkId(1),
        record: RecordId(1),
        system: SystemId(1),
        object: "Contact".into(),
        duty: Duty { opened: 7, generation_start: 4, desired: Presence::Present, due_since: Timestamp(0) },
        side: Side { external_id, base, closed: 3, ..Side::default() },
        forced_to: 0,
    }
}

fn planned(record: &Record, theirs: &Theirs, link: &Link) -> Plan {
    reconcile(Ours { record, successors_proven: true }, theirs, link, &terms(), Planted::NONE)
}

fn synced(generation: u32, fields: &Fields) -> Base {
    new_base(&terms(), generation, &row_values(&terms(), fields), None, None)
}

fn fields() -> impl Strategy<Value = Fields> {
    let value = prop_oneof![(0_u8..3).prop_map(|n| n.to_string()), "[a-z]{1,3}"].prop_map(Value::text);
    proptest::collection::btree_map("[abc]", value, 0..4)
}

fn theirs() -> impl Strategy<Value = Theirs> {
    let live = fields().prop_map(|rows| Theirs::Live { external_id: "x1".into(), rows });
    prop_oneof![proptest::strategy::Just(Theirs::NotRead), live]
}

proptest! {
    #[test]
    fn another_life_over_there_is_deleted_first(now in fields(), before in fields(), theirs in theirs(), lives in (1_u32..9, 1_u32..9)) {
        let (record, link) = (record(lives.0, now), link(Some(synced(lives.1, &before))));
        let plan = planned(&record, &theirs, &link);
        let makes_way = plan == Plan::Delete { covers_to: 4, moved: false };
        assert_eq!(makes_way, lives.0 != lives.1, "{plan:?}");
    }

    #[test]
    fn nothing_if_all_that_we_own_is_as_it_was_and_else_all_of_it(now in fields(), before in fields()) {
        let (record, link) = (record(1, now.clone()), link(Some(synced(1, &before))));
        let same = ["a", "b"].iter().all(|name| now.get(*name) == before.get(*name));
        match planned(&record, &Theirs::NotRead, &link) {
            Plan::Nothing => assert!(same),
            Plan::Update(values) => {
                assert!(!same);
                let all: Vec<_> = ["a", "b"].iter().map(|name| ((*name).to_owned(), now.get(*name).cloned())).collect();
                assert_eq!(values.into_iter().collect::<Vec<_>>(), all, "theirs is written in creates only");
            }
            plan @ (Plan::Create(_) | Plan::Delete { .. } | Plan::WaitForMove | Plan::Refuse(_)) => panic!("{plan:?}"),
        }
    }

    #[test]
    fn what_is_not_there_is_created_with_every_row(now in fields(), before in proptest::option::of(fields()), life in 1_u32..3) {
        let record = record(1, now.clone());
        let expected = Plan::Create(row_values(&terms(), &now));
        let base = before.map(|before| synced(life, &before));
        assert_eq!(planned(&record, &Theirs::Absent, &link(base)), expected);
        assert_eq!(planned(&record, &Theirs::NotRead, &link(None)), expected);
    }

    #[test]
    fn a_value_of_ours_that_they_changed_is_put_right(ours in fields(), rows in fields()) {
        let link = link(Some(synced(1, &ours)));
        let theirs = Theirs::Live { external_id: "x1".into(), rows: rows.clone() };
        let differs = ["a", "b"].iter().any(|name| ours.get(*name) != rows.get(*name));
        assert_eq!(matches!(planned(&record(1, ours), &theirs, &link), Plan::Update(_)), differs);
    }

    #[test]
    fn once_written_there_is_nothing_to_do(now in fields(), before in proptest::option::of(fields()), theirs in theirs()) {
        let record = record(1, now);
        let link_now = link(before.map(|before| synced(1, &before)));
        let (Plan::Create(values) | Plan::Update(values)) = planned(&record, &theirs, &link_now) else { return Ok(()) };
        let base = new_base(&terms(), 1, &values, None, link_now.side.base.as_ref());
        assert_eq!(planned(&record, &Theirs::NotRead, &link(Some(base))), Plan::Nothing);
    }

    #[test]
    fn a_record_that_leaves_is_there_until_its_successors_are(now in fields(), proven in any::<bool>(), there in any::<bool>()) {
        let record = record(1, now.clone());
        let mut link = link(there.then(|| synced(1, &now)));
        link.duty.desired = Presence::Absent;
        let plan = reconcile(Ours { record: &record, successors_proven: proven }, &Theirs::NotRead, &link, &terms(), Planted::NONE);
        let expected = match (there, proven) {
            (false, _) => Plan::Nothing,
            (true, false) => Plan::WaitForMove,
            (true, true) => Plan::Delete { covers_to: 7, moved: true },
        };
        assert_eq!(plan, expected);
    }
}

/// Rows with every rule for what does not fit, over text fields that may hold anything.
fn lenient() -> Terms {
    let day = |name: &str, rule| {
        let day = Codec::Date(DayForm::MidnightMs);
        let row = Row::new(name, vec![name.into()], vec![format!("{name}__c")], day, SystemA, FieldType::Text);
        row.unwrap().with_on_invalid(rule)
    };
    let expression = Expression::compile("{{ record.a | int + 1 }}", &["a"]).unwrap();
    let number = Codec::Number { scale: None };
    let computed = Row::computed("d", expression, vec!["d__c".into()], number).unwrap().with_on_invalid(OnInvalid::Keep);
    let rows = vec![
        day("a", OnInvalid::Null).with_default(Some(Value::text("2024-01-01"))),
        day("b", OnInvalid::Keep),
        day("c", OnInvalid::Map(Value::text("1970-01-01"))),
        computed,
    ];
    Terms { rows, ..terms() }
}

fn days() -> impl Strategy<Value = Fields> {
    let value = prop_oneof!["2024-0[1-3]-1[0-2]", "[0-9]{1,2}", "soon"].prop_map(Value::text);
    proptest::collection::btree_map("[abc]", value, 0..4)
}

proptest! {
    #[test]
    fn what_does_not_fit_makes_no_record_due_for_ever(lives in proptest::collection::vec(days(), 1..5)) {
        let (terms, mut base, mut theirs) = (lenient(), None, BTreeMap::new());
        for fields in lives {
            let record = record(1, fields);
            let plan = |link: &Link| reconcile(Ours { record: &record, successors_proven: true }, &Theirs::NotRead, link, &terms, Planted::NONE);
            if let Plan::Create(values) | Plan::Update(values) = plan(&link(base.clone())) {
                theirs.extend(encode_record(&terms, "Contact", "k", &values, false).unwrap());
                base = Some(new_base(&terms, 1, &values, None, base.as_ref()));
            }
            assert_eq!(plan(&link(base.clone())), Plan::Nothing);
            for row in &terms.rows {
                let wanted = project(&terms, "Contact", "k", &record.fields).unwrap().values.get(&row.name).cloned();
                if let Some(wanted) = wanted {
                    assert!(row.agrees(&row.decode(&theirs).unwrap(), &wanted), "{}", row.name);
                }
            }
        }
    }
}

#[test]
fn an_expression_that_fails_is_a_refusal_unless_the_row_says_otherwise() {
    let with = |rule| {
        let expression = Expression::compile("{{ record.a }}", &["a"]).unwrap();
        let row = Row::computed("x", expression, vec!["X__c".into()], Codec::Same).unwrap().with_on_invalid(rule);
        Terms { rows: vec![row], ..terms() }
    };
    let plan = |terms: &Terms| {
        let record = record(1, Fields::new());
        reconcile(Ours { record: &record, successors_proven: true }, &Theirs::NotRead, &link(None), terms, Planted::NONE)
    };
    let Plan::Refuse(rejection) = plan(&with(OnInvalid::Fail)) else { panic!() };
    assert_eq!((rejection.code.as_str(), rejection.field.as_deref()), ("expression", Some("X__c")));
    assert_eq!(plan(&with(OnInvalid::Keep)), Plan::Create(RowValues::new()));
    assert_eq!(plan(&with(OnInvalid::Null)), Plan::Create(RowValues::from([("x".into(), None)])));
    let mapped = Some(Value::text("none"));
    assert_eq!(plan(&with(OnInvalid::Map(Value::text("none")))), Plan::Create(RowValues::from([("x".into(), mapped)])));
}

#[test]
fn a_deleted_record_is_deleted_only_where_it_is() {
    let gone = Record { state: RecordState::Deleted, ..record(1, Fields::new()) };
    let sent = link(Some(synced(1, &Fields::new())));
    assert_eq!(planned(&gone, &Theirs::NotRead, &link(None)), Plan::Nothing);
    assert_eq!(planned(&gone, &Theirs::Absent, &sent), Plan::Nothing);
    let unproven = Ours { record: &gone, successors_proven: false };
    let plan = reconcile(unproven, &Theirs::NotRead, &sent, &terms(), Planted::NONE);
    assert_eq!(plan, Plan::Delete { covers_to: 7, moved: false }, "a delete waits for nothing");
}

#[test]
fn a_field_pair_is_decided_by_who_is_right_and_who_changed() {
    use FieldPlan::{Agree, Pull, Push, Review};
    let value = |text: &str| Some(Value::text(text));
    // Ours, theirs (None is not read), and the plan for each authority, where both held "0" when they last agreed.
    let table = [
        ("0", None, [Agree, Agree, Agree, Agree]),
        ("0", Some("0"), [Agree, Agree, Agree, Agree]),
        ("1", None, [Push, Agree, Push, Review]),
        ("1", Some("0"), [Push, Agree, Push, Review]),
        ("0", Some("1"), [Push, Pull, Pull, Review]),
        ("1", Some("2"), [Push, Pull, Review, Review]),
        ("1", Some("1"), [Agree, Agree, Agree, Agree]),
    ];
    for (ours, theirs, plans) in table {
        for (authority, plan) in [SystemA, SystemB, Shared, Manual].into_iter().zip(plans) {
            let row = row("a", authority);
            let entry = BaseRow { digest: row.digest, ours: value("0"), theirs: None };
            let base = Base { generation: 1, rows: BTreeMap::from([("a".into(), entry)]) };
            let theirs = theirs.map(value);
            assert_eq!(field_plan(&row, &value(ours), theirs.as_ref(), Some(&base)), plan, "{authority:?} {ours} {theirs:?}");
        }
    }
}

#[test]
fn a_pair_that_never_agreed_is_pushed_by_us_and_pulled_by_them() {
    let (ours, theirs) = (Some(Value::text("1")), Some(Value::text("2")));
    let plan = |authority, base: Option<&Base>| field_plan(&row("a", authority), &ours, Some(&theirs), base);
    let entry = BaseRow { digest: row("a", SystemA).digest ^ 1, ours: ours.clone(), theirs: Some(theirs.clone()) };
    let other_terms = Base { generation: 1, rows: BTreeMap::from([("a".into(), entry)]) };
    for base in [None, Some(&other_terms)] {
        assert_eq!([SystemA, SystemB, Shared].map(|authority| plan(authority, base)), [
            FieldPlan::Push,
            FieldPlan::Pull,
            FieldPlan::Review
        ]);
    }
}

#[test]
fn base_keeps_their_half_only_where_it_differs_and_forgets_another_life() {
    let sent = row_values(&terms(), &Fields::from([("a".into(), Value::text("A")), ("b".into(), Value::text("B"))]));
    let returned = Fields::from([("a".into(), Value::text("a")), ("b".into(), Value::text("B"))]);
    let base = new_base(&terms(), 1, &sent, Some(&returned), None);
    assert_eq!(base.rows["a"].theirs, Some(Some(Value::text("a"))));
    assert_eq!(base.rows["b"].theirs, None);
    let part = BTreeMap::from([("a".to_owned(), None)]);
    let next = new_base(&terms(), 1, &part, None, Some(&base));
    assert_eq!((&next.rows["a"].ours, &next.rows["b"]), (&None, &base.rows["b"]));
    assert_eq!(new_base(&terms(), 2, &part, None, Some(&base)).rows.len(), 1);
}
