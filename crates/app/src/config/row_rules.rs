//! Reads what a mapping row computes, and what stands in place of a value that is missing or does not fit.
//!
//! Promises: an expression is compiled here, and its faults are told at their place within it; a value that is put in place is valid
//! in the row, can be written by its codec, and fits every object. Leaves to others: the row itself (`rows`).

use std::borrow::Cow;

use syncline_core::boundary::RecordAuthority;
use syncline_core::outcome::ExternalFields;
use syncline_core::plan::mapping::{Expression, ExpressionFault, OnInvalid, Row, row_fault};
use syncline_core::record::Value as FieldValue;
use syncline_core::schema::Schema;
use syncline_core::terms::Terms;

use super::faults::{Place, nearest};
use super::raw::{Node, Value};
use super::shape;
use super::read::{Reader, Section};

/// Compiles what a row computes.
pub(super) fn compute(reader: &mut Reader<'_>, section: Section<'_>, node: &Node, schema: &Schema) -> Option<Expression> {
    if let Some(from) = section.get("from") {
        reader.fault(from, "stands beside compute", "keep one of the two: a computed row reads its fields in its expression");
    }
    let authorities = RecordAuthority::ALL.map(|authority| (authority.name(), authority));
    if let Some(node) = section.get("authority")
        && reader.choice(node, "authority", &authorities).is_some_and(|authority| authority != RecordAuthority::SystemA)
    {
        reader.fault(node, "must be system_a: what is computed goes out only", "write authority: system_a, or leave it out");
    }
    let source = reader.text(node, "text with {{ expressions }}")?;
    let fields: Vec<&str> = schema.fields.iter().map(|(name, _)| name.as_str()).collect();
    match Expression::compile(&source, &fields) {
        Ok(expression) => Some(expression),
        Err(fault) => {
            tell(reader, node, &source, &fault);
            None
        }
    }
}

/// Tells an expression's fault at its place in the file, where that can be told from the expression's text.
fn tell(reader: &mut Reader<'_>, node: &Node, source: &str, fault: &ExpressionFault) {
    let shift = match &node.place {
        Place::File { length, .. } if source.contains('\n') || source.contains('\\') || *length == 0 => None,
        Place::File { length, .. } => match length.checked_sub(source.chars().count()) {
            Some(0) => Some(0),
            Some(2) => Some(1),
            Some(_) | None => None,
        },
        Place::Environment(_) | Place::Flag(_) => None,
    };
    let (place, within) = match (&node.place, shift, fault.column) {
        (Place::File { line, column, .. }, Some(shift), Some(at)) => {
            (Place::File { line: *line, column: column + shift + at - 1, length: fault.length }, String::new())
        }
        (place, _, Some(at)) => (place.clone(), format!(" (line {}, column {at} of the expression)", fault.line)),
        (place, _, None) => (place.clone(), format!(" (line {} of the expression)", fault.line)),
    };
    let remedy = match &fault.name {
        Some((name, known)) => {
            let meant = nearest(name, known.iter().map(String::as_str));
            let meant = meant.map(|meant| format!("did you mean {meant}? ")).unwrap_or_default();
            format!("{meant}there are {}", known.join(", "))
        }
        None => "write text with {{ expressions }}, such as {{ record.name | upper }}".to_owned(),
    };
    reader.fault_at(&place, &node.path, format!("{}{within}", fault.message), remedy);
}

/// The row with its rules.
pub(super) fn rules(reader: &mut Reader<'_>, section: Section<'_>, row: Row) -> Option<Row> {
    let before = reader.faults.len();
    let default = section.get("default").and_then(|node| substitute(reader, node, &row));
    let on_invalid = on_invalid(reader, section, &row);
    (reader.faults.len() == before).then(|| row.with_default(default).with_on_invalid(on_invalid.unwrap_or_default()))
}

fn on_invalid(reader: &mut Reader<'_>, section: Section<'_>, row: &Row) -> Option<OnInvalid> {
    const REMEDY: &str = "write fail, null, keep, or { map: VALUE }";
    let entry = section.node.entries().iter().find(|entry| entry.key == "on_invalid")?;
    match &entry.node.value {
        // A null that is written out is the rule of that name; one that is not written at all is a value that was forgotten.
        Value::Null if matches!(entry.node.place, Place::File { length: 1.., .. }) => Some(OnInvalid::Null),
        Value::Null => {
            reader.fault_at(&entry.place, &entry.node.path, "is missing", REMEDY);
            None
        }
        Value::Map(_) => {
            let section = reader.section(&entry.node, shape::ON_INVALID)?;
            let value = reader.required(section, "map", "write on_invalid: { map: VALUE }")?;
            substitute(reader, value, row).map(OnInvalid::Map)
        }
        Value::Scalar(_) | Value::Seq(_) => match reader.written(&entry.node, "fail, null, keep or { map: VALUE }")? {
            "fail" => Some(OnInvalid::Fail),
            "null" => Some(OnInvalid::Null),
            "keep" => Some(OnInvalid::Keep),
            other => {
                reader.unknown(&entry.node.place, &entry.node.path, "rule", other, &["fail", "null", "keep", "map"]);
                None
            }
        },
    }
}

/// A value that is to stand in place of another: valid in the row, and one that its codec can write.
fn substitute(reader: &mut Reader<'_>, node: &Node, row: &Row) -> Option<FieldValue> {
    let text = reader.text(node, "a value")?;
    let remedy = "write a value that the row's field and codec take";
    match row.field_type.parse_text(Cow::Owned(text), &jiff::tz::TimeZone::UTC) {
        Ok(Some(value)) => match row.encode(&Some(value.clone()), &mut ExternalFields::new()) {
            Ok(()) => Some(value),
            Err(rejection) => {
                reader.fault(node, format!("cannot be written: {}", rejection.message), remedy);
                None
            }
        },
        Ok(None) => {
            reader.fault(node, "is empty, which is null", "write a value, or leave the key out");
            None
        }
        Err(fault) => {
            reader.fault(node, fault.message, fault.remedy);
            None
        }
    }
}

/// What stands in place of a value fits every object: else it would be refused each time it is needed.
pub(super) fn judge(reader: &mut Reader<'_>, fields: &Node, terms: &Terms) {
    for row in &terms.rows {
        let other = if let OnInvalid::Map(value) = &row.on_invalid { Some(value) } else { None };
        let substitutes = [("default", row.default.as_ref()), ("on_invalid", other)];
        let fault = |value: &FieldValue| terms.objects.values().find_map(|object| row_fault(terms, object, row, &Some(value.clone())));
        for (key, rejection) in substitutes.into_iter().filter_map(|(key, value)| Some((key, fault(value?)?))) {
            let entries = fields.entries().iter().find(|entry| entry.key == row.name);
            let node = entries.and_then(|entry| entry.node.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.node));
            if let Some(node) = node {
                reader.fault(node, format!("does not fit: {}", rejection.message), "write a value that fits");
            }
        }
    }
}
