//! A whole record in another system's form, checked against what is known of its fields.
//!
//! Promises: the key and the fillers are part of a create and of nothing else; a filler never takes the place of a value of
//! ours; a value that is longer than its field takes is refused, never cut.
//! Leaves to others: which rows are written (`plan::reconcile`), the request (the adapters).

use crate::attempt::RowValues;
use crate::outcome::{ExternalFields, Rejection};
use crate::terms::{FieldRule, Terms};

/// What is sent of `values` to `object`, by their field names.
///
/// # Errors
/// If a value is not in its row's table, is longer than its field takes, or is missing where a create needs it.
pub fn encode_record(
    terms: &Terms,
    object: &str,
    key: &str,
    values: &RowValues,
    for_create: bool,
) -> Result<ExternalFields, Rejection> {
    let mut out = ExternalFields::new();
    for row in &terms.rows {
        if let Some(value) = values.get(&row.name) {
            row.encode(value, &mut out)?;
        }
    }
    if for_create {
        out.insert(terms.key_field.clone(), Some(key.to_owned()));
        for (field, filler) in terms.fillers.get(object).into_iter().flatten() {
            let value = out.entry(field.clone()).or_default();
            value.get_or_insert_with(|| filler.clone());
        }
    }
    for (field, rule) in terms.rules.get(object).into_iter().flatten() {
        check(object, field, rule, &out, for_create)?;
    }
    Ok(out)
}

pub(super) fn check(object: &str, field: &str, rule: &FieldRule, out: &ExternalFields, for_create: bool) -> Result<(), Rejection> {
    let value = out.get(field).and_then(Option::as_ref);
    let refuse = |code: &str, message: String, remedy: String| {
        Err(Rejection { code: code.to_owned(), field: Some(field.to_owned()), message, remedy })
    };
    match (value, rule.length_max) {
        (None, _) if rule.required && for_create => refuse(
            "required",
            format!("{object}.{field}: null where a value is required"),
            format!("give the record a value for {field}, or configure a filler for it"),
        ),
        (Some(text), Some(max)) if text.chars().nth(max).is_some() => refuse(
            "too_long",
            format!(
                "{object}.{field}: text of {} characters is longer than the {max} that the field takes",
                text.chars().count()
            ),
            format!("shorten the value, or lengthen {field} in the external system"),
        ),
        (_, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::encode_record;
    use crate::attempt::RowValues;
    use crate::boundary::{RecordAuthority, SyncBoundary};
    use crate::outcome::ExternalFields;
    use crate::plan::mapping::{Codec, Row};
    use crate::record::Value;
    use crate::schema::FieldType;
    use crate::terms::{FieldRule, OnExisting, OnGone, Terms};

    fn terms() -> Terms {
        let row = |name: &str, theirs: &[&str], codec| {
            let theirs = theirs.iter().map(|field| (*field).to_owned()).collect();
            Row::new(name, vec![name.to_owned()], theirs, codec, RecordAuthority::SystemA, FieldType::Text).unwrap()
        };
        let rule =
            |field: &str, length_max, required| (field.to_owned(), FieldRule { length_max: Some(length_max), required });
        Terms {
            boundary: SyncBoundary::new("contacts", "internal", "crm"),
            objects: BTreeMap::new(),
            key_field: "Key__c".into(),
            marker: None,
            rows: vec![row("name", &["FirstName", "LastName"], Codec::SplitName), row("company", &["Company"], Codec::Same)],
            fillers: [("Lead".into(), vec![("Company".into(), "[not provided]".into())])].into(),
            rules: [("Lead".into(), [rule("LastName", 5, true), rule("Company", 20, true), rule("Key__c", 4, true)].into())]
                .into(),
            on_existing: OnExisting::default(),
            on_gone: OnGone::default(),
        }
    }

    fn values(pairs: &[(&str, Option<&str>)]) -> RowValues {
        pairs.iter().map(|(row, text)| ((*row).to_owned(), text.map(Value::text))).collect()
    }

    fn external(fields: &[(&str, Option<&str>)]) -> ExternalFields {
        fields.iter().map(|(field, text)| ((*field).to_owned(), text.map(str::to_owned))).collect()
    }

    #[test]
    fn a_create_carries_key_and_fillers_and_an_update_does_not() {
        let values = values(&[("name", Some("Ann Lee"))]);
        let names = [("FirstName", Some("Ann")), ("LastName", Some("Lee"))];
        let update = encode_record(&terms(), "Lead", "A1", &values, false).unwrap();
        assert_eq!(update, external(&names));
        let create = encode_record(&terms(), "Lead", "A1", &values, true).unwrap();
        assert_eq!(create, external(&[names[0], names[1], ("Company", Some("[not provided]")), ("Key__c", Some("A1"))]));
        let contact = encode_record(&terms(), "Contact", "A1", &values, true).unwrap();
        assert_eq!(contact, external(&[names[0], names[1], ("Key__c", Some("A1"))]));
    }

    #[test]
    fn a_filler_takes_no_value_s_place_but_fills_a_null() {
        let company = |text| {
            let values = values(&[("name", Some("Lee")), ("company", text)]);
            encode_record(&terms(), "Lead", "A1", &values, true).unwrap()["Company"].clone()
        };
        assert_eq!(company(Some("Acme")).as_deref(), Some("Acme"));
        assert_eq!(company(None).as_deref(), Some("[not provided]"));
        let update = encode_record(&terms(), "Lead", "A1", &values(&[("company", None)]), false).unwrap();
        assert_eq!(update, external(&[("Company", None)]));
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name_and_rule() {
        let refused = |key, name| encode_record(&terms(), "Lead", key, &values(&[("name", name)]), true).unwrap_err();
        let long = refused("A1", Some("Ann Müller"));
        assert_eq!((long.code.as_str(), long.field.as_deref()), ("too_long", Some("LastName")));
        assert_eq!(long.message, "Lead.LastName: text of 6 characters is longer than the 5 that the field takes");
        let missing = refused("A1", None);
        assert_eq!((missing.code.as_str(), missing.field.as_deref()), ("required", Some("LastName")));
        assert_eq!(refused("A1234", Some("Lee")).field.as_deref(), Some("Key__c"));
        assert!(encode_record(&terms(), "Lead", "A1", &values(&[("name", Some("Ann Müßig"))]), true).is_ok());
        assert!(encode_record(&terms(), "Lead", "A1", &values(&[("name", None)]), false).is_ok());
    }
}
