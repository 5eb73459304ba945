//! Bad and odd input, value by value, with what exactly stands on the other side: one table for all rows and rules.

use std::collections::BTreeMap;

use super::{Codec, DayForm, Expression, OnInvalid, Picklist, Row, TruthForm, encode_record, project};
use crate::boundary::{RecordAuthority, SyncBoundary};
use crate::record::{Fields, Value};
use crate::schema::FieldType;
use crate::terms::{FieldRule, OnExisting, OnGone, Terms};

fn terms(row: Row) -> Terms {
    let rule = |field: &str, length_max, required| (field.to_owned(), FieldRule { length_max: Some(length_max), required });
    let people = [rule("FirstName", 40, false), rule("LastName", 80, true)].into();
    let tasks = [rule("Note", 80, false)].into();
    Terms {
        boundary: SyncBoundary::new("contacts", "internal", "crm"),
        objects: BTreeMap::new(),
        key_field: "Key__c".into(),
        marker: None,
        rows: vec![row],
        fillers: BTreeMap::new(),
        rules: [("Lead".to_owned(), people), ("Task".to_owned(), tasks)].into(),
        on_existing: OnExisting::default(),
        on_gone: OnGone::default(),
    }
}

/// What `text` becomes in the row's fields, one after the other, or the code and field of its refusal. `-` is null, and
/// nothing at all is a row that is left out.
fn becomes(row: &Row, text: Option<&str>) -> String {
    let ours = if row.compute.is_some() { &FieldType::Text } else { &row.field_type };
    let parse = |text: &str| ours.parse_text(text.to_owned().into(), &jiff::tz::TimeZone::UTC);
    let value = match text.map(parse).transpose() {
        Ok(value) => value.flatten(),
        Err(fault) => return format!("intake {}", fault.code),
    };
    let fields: Fields = value.into_iter().map(|value| ("f".to_owned(), value)).collect();
    let terms = terms(row.clone());
    let object = if row.theirs == ["Note"] { "Task" } else { "Lead" };
    let sent = project(&terms, object, "K", &fields).and_then(|projected| encode_record(&terms, object, "K", &projected.values, true));
    match sent {
        Err(rejection) => {
            let long = text.filter(|text| text.len() > 6);
            assert!(!long.is_some_and(|text| format!("{rejection:?}").contains(text)), "{rejection:?}");
            format!("{} {}", rejection.code, rejection.field.unwrap_or_default())
        }
        Ok(mut form) => {
            form.remove("Key__c");
            let shown: Vec<String> = row.theirs.iter().filter_map(|field| Some(form.get(field)?.clone().unwrap_or_else(|| "-".to_owned()))).collect();
            shown.join("|")
        }
    }
}

fn plain(theirs: &[&str], codec: Codec, field_type: FieldType) -> Row {
    let theirs = theirs.iter().map(|field| (*field).to_owned()).collect();
    Row::new("f", vec!["f".into()], theirs, codec, RecordAuthority::SystemA, field_type).unwrap()
}

fn name() -> Row {
    plain(&["FirstName", "LastName"], Codec::SplitName, FieldType::Text)
}

fn note(codec: Codec) -> Row {
    plain(&["Note"], codec, FieldType::Text)
}

fn table() -> Codec {
    Codec::Picklist(Picklist::new([("open".to_owned(), "Open".to_owned()), ("other".to_owned(), "Other".to_owned())].into()).unwrap())
}

#[test]
fn names_are_split_or_refused_and_a_rule_helps() {
    let (map, default) = (name().with_on_invalid(OnInvalid::Map(Value::text("Unknown"))), name().with_default(Some(Value::text("Unknown"))));
    let long = "x".repeat(300);
    let rows = [
        (name(), Some("Ann Lee"), "Ann|Lee"),
        (name(), None, "required LastName"),
        (name(), Some(" "), "required LastName"),
        (name(), Some("Cher"), "-|Cher"),
        (name(), Some("Jan van der Berg"), "Jan van der|Berg"),
        (name(), Some("Miles O'Brien"), "Miles|O'Brien"),
        (name(), Some("محمد علي"), "محمد|علي"),
        (name(), Some("👩‍👩‍👧 👋"), "👩‍👩‍👧|👋"),
        (name(), Some(long.as_str()), "too_long LastName"),
        (map.clone(), Some(long.as_str()), "-|Unknown"),
        (map.clone(), None, "-|Unknown"),
        (map, Some("Ann Lee"), "Ann|Lee"),
        (default.clone(), None, "-|Unknown"),
        (default.clone(), Some("Cher"), "-|Cher"),
        (default, Some(long.as_str()), "too_long LastName"),
        (name().with_on_invalid(OnInvalid::Keep), Some(long.as_str()), "required LastName"),
        (name().with_on_invalid(OnInvalid::Null), Some(long.as_str()), "required LastName"),
    ];
    for (row, text, wanted) in rows {
        assert_eq!(becomes(&row, text), wanted, "{text:?} {:?}", row.on_invalid);
    }
}

#[test]
fn addresses_and_numbers_are_put_in_order_or_kept_or_refused_at_intake() {
    let email = |codec| plain(&["Note"], codec, FieldType::Email);
    let phone = |region: Option<&str>| plain(&["Note"], Codec::Phone { region: region.map(str::to_owned) }, FieldType::Phone);
    let rows = [
        (email(Codec::Same), None, "-"),
        (email(Codec::Same), Some("a@b.com, c@d.com"), "intake invalid_value"),
        (email(Codec::Same), Some("none"), "intake invalid_value"),
        (email(Codec::Same), Some("Ann.LEE@EXAMPLE.com"), "Ann.LEE@example.com"),
        (email(Codec::Lower), Some("Ann.LEE@EXAMPLE.com"), "ann.lee@example.com"),
        (email(Codec::Same), Some("ann+crm@example.com"), "ann+crm@example.com"),
        (email(Codec::Same), Some("ann@example.com "), "ann@example.com"),
        (email(Codec::Same), Some("a@b.inc"), "a@b.inc"),
        (email(Codec::Same), Some("ann@bücher.example"), "ann@bücher.example"),
        (email(Codec::Same), Some("\"ann lee\"@example.com"), "\"ann lee\"@example.com"),
        (phone(None), Some("+1 (650) 253-0000"), "+16502530000"),
        (phone(None), Some("0044 20 7946 0958"), "+442079460958"),
        (phone(None), Some("650 253 0000"), "650 253 0000"),
        (phone(Some("US")), Some("650 253 0000"), "+16502530000"),
        (phone(Some("US")), Some("650 253 0000 x5"), "650 253 0000 x5"),
        (phone(Some("US")), Some("1-800-FLOWERS"), "1-800-FLOWERS"),
    ];
    for (row, text, wanted) in rows {
        assert_eq!(becomes(&row, text), wanted, "{text:?}");
    }
}

#[test]
fn what_a_codec_cannot_write_goes_by_the_row_s_rule() {
    let number = || Codec::Number { scale: Some(2) };
    let truth = || Codec::Bool(TruthForm::default());
    // The codec, the bad text, the value of `map`, and a good text with its form.
    let codecs = [
        (table(), "closed", ("other", "Other"), ("open", "Open")),
        (Codec::Date(DayForm::Iso), "15.01.2024", ("1970-01-01", "1970-01-01"), ("2024-01-15", "2024-01-15")),
        (Codec::Date(DayForm::MidnightMs), "next week", ("1970-01-01", "0"), ("2024-01-15", "1705276800000")),
        (Codec::Date(DayForm::Iso), "2023-02-29", ("1970-01-01", "1970-01-01"), ("2024-02-29", "2024-02-29")),
        (truth(), "yes", ("false", "false"), ("true", "true")),
        (truth(), "no", ("false", "false"), ("false", "false")),
        (number(), "1,5", ("0", "0"), ("1.50", "1.5")),
        (number(), "1.005", ("0", "0"), ("1e2", "100")),
        (number(), "1e400", ("0", "0"), ("-0", "0")),
        (number(), "NaN", ("0", "0"), ("9007199254740993", "9007199254740993")),
    ];
    for (codec, bad, (map, mapped), (good, form)) in codecs {
        let rules = [
            (OnInvalid::Fail, "invalid_value Note"),
            (OnInvalid::Null, "-"),
            (OnInvalid::Keep, ""),
            (OnInvalid::Map(Value::text(map)), mapped),
        ];
        for (rule, wanted) in rules {
            let row = note(codec.clone()).with_on_invalid(rule);
            assert_eq!(becomes(&row, Some(bad)), wanted, "{} {bad}", codec.name());
            assert_eq!(becomes(&row, Some(good)), form, "{} {good}", codec.name());
            assert_eq!(becomes(&row, None), "-", "{} of null", codec.name());
        }
    }
}

#[test]
fn data_is_data_whatever_it_looks_like() {
    let expression = Expression::compile("{{ record.f }}", &["f"]).unwrap();
    let computed = Row::computed("c", expression, vec!["Note".into()], Codec::Same).unwrap();
    let texts = [
        "<script>alert(1)</script>",
        "=cmd|'/C calc'!A0",
        "{{ 7 * 7 }}",
        "{% for x in y %}",
        "{# note #}",
        "${HOME}",
        "Robert'); DROP TABLE contacts;--",
        "one\ntwo\r\nthree",
        "\u{1b}[31mred\u{1b}[0m",
        "../../etc/passwd",
        "%s%n",
        "null",
    ];
    for text in texts {
        for row in [note(Codec::Same), computed.clone()] {
            assert_eq!(becomes(&row, Some(text)), text);
        }
    }
}

#[test]
fn an_expression_that_fails_for_a_record_goes_by_the_row_s_rule() {
    let row = |codec| {
        let expression = Expression::compile("{{ record.f }}", &["f"]).unwrap();
        Row::computed("c", expression, vec!["Note".into()], codec).unwrap()
    };
    let long = "x".repeat(81);
    let rows = [
        (row(Codec::Same), None, "expression Note"),
        (row(Codec::Same).with_on_invalid(OnInvalid::Keep), None, ""),
        (row(Codec::Same).with_on_invalid(OnInvalid::Null), None, "-"),
        (row(Codec::Same).with_on_invalid(OnInvalid::Map(Value::text("none"))), None, "none"),
        (row(Codec::Number { scale: None }), Some("1,5"), "expression Note"),
        (row(Codec::Number { scale: None }).with_on_invalid(OnInvalid::Null), Some("1,5"), "-"),
        (row(Codec::Number { scale: None }), Some("1.50"), "1.5"),
        (row(Codec::Same), Some(long.as_str()), "too_long Note"),
        (row(Codec::Same).with_on_invalid(OnInvalid::Keep), Some(long.as_str()), ""),
    ];
    for (row, text, wanted) in rows {
        assert_eq!(becomes(&row, text), wanted, "{text:?}");
    }
}
