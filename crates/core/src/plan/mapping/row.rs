//! One mapping row: our field or fields, theirs, the codec between them, and who is right.
//!
//! Promises: a row is whole (its codec, its fields and its digest agree) from the moment it is made; another codec, field
//! or type gives another digest, so that a base that was agreed under other terms is not mistaken for one of these.
//! Leaves to others: rows of a whole record (`record`), what was agreed (`link::Base`).

use std::borrow::Cow;

use jiff::tz::TimeZone;

use super::codec::{Codec, CodecFault};
use super::expression::Expression;
use super::name;
use super::project::OnInvalid;
use crate::boundary::RecordAuthority;
use crate::outcome::{ExternalFields, Rejection};
use crate::patch::{Change, Patch};
use crate::record::{FieldName, Fields, Value};
use crate::schema::{FieldType, canonical_eq};
use crate::seal::Seal;

/// One mapping row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The row's name: our field's, unless it maps two.
    pub name: String,
    /// Our fields.
    pub ours: Vec<FieldName>,
    /// Their fields.
    pub theirs: Vec<String>,
    /// How the value is written on their side.
    pub codec: Codec,
    /// Who is right.
    pub authority: RecordAuthority,
    /// The type of our field, or of what is computed.
    pub field_type: FieldType,
    /// What the value is computed from, in place of fields of ours. It goes out and never comes home.
    pub compute: Option<Expression>,
    /// What stands for a null of ours. No part of the digest: another default is another value.
    pub default: Option<Value>,
    /// What becomes of a value that does not fit.
    pub on_invalid: OnInvalid,
    /// Of codec, fields, expression and type; a base with another digest was agreed under other terms.
    pub digest: u32,
}

/// A row that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row {row}: {message}")]
pub struct RowFault {
    /// The row.
    pub row: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Row {
    /// A row, checked.
    ///
    /// # Errors
    /// If the codec does not take so many fields, or is a chain that does not lead back.
    pub fn new(
        name: impl Into<String>,
        ours: Vec<FieldName>,
        theirs: Vec<String>,
        codec: Codec,
        authority: RecordAuthority,
        field_type: FieldType,
    ) -> Result<Self, RowFault> {
        let name = name.into();
        let (ours_wanted, theirs_wanted) = codec.arity();
        let fault = |message: String| Err(RowFault { row: name.clone(), message });
        if ours.len() != ours_wanted || theirs.len() != theirs_wanted {
            return fault(format!("{} maps {ours_wanted} of our fields to {theirs_wanted} of theirs", codec.name()));
        }
        if let Codec::Chain(links) = &codec
            && let Some(link) = links.iter().find(|link| !link.is_link())
        {
            return fault(format!("{} cannot stand in a chain; give it a row of its own", link.name()));
        }
        if !codec.is_invertible() {
            return fault(
                "the chain does not lead back; let the picklist be its last link, in the spelling that reaches it".into(),
            );
        }
        if !codec.takes(&field_type) {
            let (wanted, found) = (codec.field_type().name(), field_type.name());
            return fault(format!("{} writes values of type {wanted} or text, and the field is of type {found}", codec.name()));
        }
        let digest = digest(&ours, &theirs, &codec, &field_type, None);
        let (compute, default, on_invalid) = (None, None, OnInvalid::Fail);
        Ok(Self { name, ours, theirs, codec, authority, field_type, compute, default, on_invalid, digest })
    }

    /// A row whose value is computed: ours by authority, and of the type that its codec writes.
    ///
    /// # Errors
    /// As of `new`.
    pub fn computed(name: impl Into<String>, compute: Expression, theirs: Vec<String>, codec: Codec) -> Result<Self, RowFault> {
        let name = name.into();
        let field_type = codec.field_type();
        let row = Self::new(&name, vec![name.clone()], theirs, codec, RecordAuthority::SystemA, field_type)?;
        let digest = digest(&[], &row.theirs, &row.codec, &row.field_type, Some(compute.source()));
        Ok(Self { ours: Vec::new(), compute: Some(compute), digest, ..row })
    }

    /// The same with something in place of nulls.
    #[must_use]
    pub fn with_default(self, default: Option<Value>) -> Self {
        Self { default, ..self }
    }

    /// The same with a rule for values that do not fit.
    #[must_use]
    pub fn with_on_invalid(self, on_invalid: OnInvalid) -> Self {
        Self { on_invalid, ..self }
    }

    /// The row's value in canonical internal form; of two fields the joined text. A computed row has none here.
    #[must_use]
    pub fn value(&self, fields: &Fields) -> Option<Value> {
        match self.ours.as_slice() {
            [field] => fields.get(field).cloned(),
            several => name::join(several.iter().map(|field| fields.get(field).and_then(Value::as_text))).map(Value::Text),
        }
    }

    /// What our fields become if the row's value comes from their side.
    #[must_use]
    pub fn patch(&self, value: &Option<Value>) -> Patch {
        let change = |text: Option<&str>| text.map_or(Change::Clear, |text| Change::Set(Value::text(text)));
        let changes = match (self.ours.as_slice(), value) {
            ([first, last], Some(Value::Text(text))) => {
                let (first_part, last_part) = name::split(text);
                vec![(first.clone(), change(first_part)), (last.clone(), change(last_part))]
            }
            (fields, Some(value)) => fields.iter().map(|field| (field.clone(), Change::Set(value.clone()))).collect(),
            (fields, None) => fields.iter().map(|field| (field.clone(), Change::Clear)).collect(),
        };
        Patch(changes.into_iter().collect())
    }

    /// Writes the row's value into `out` as they spell it; null becomes null in each of their fields.
    ///
    /// # Errors
    /// If the codec cannot write the value.
    pub fn encode(&self, value: &Option<Value>, out: &mut ExternalFields) -> Result<(), Rejection> {
        let text: Option<Cow<'_, str>> = value.as_ref().map(wire);
        let parts = match (&self.codec, &text) {
            (Codec::SplitName, Some(text)) => {
                let (first, last) = name::split(text);
                [first.map(str::to_owned), last.map(str::to_owned)]
            }
            (codec, Some(text)) => {
                let refused = |fault| self.refusal(value.as_ref().map_or("null", Value::kind), fault);
                let encoded = codec.encode(text).map_err(refused)?;
                [Some(encoded.into_owned()).filter(|text| !text.is_empty()), None]
            }
            (_, None) => [None, None],
        };
        for (field, part) in self.theirs.iter().zip(parts) {
            out.insert(field.clone(), part);
        }
        Ok(())
    }

    /// Reads the row's value from what they hold; a field that is missing is null.
    ///
    /// # Errors
    /// If what they hold is not valid in our field, or not in the codec's table.
    pub fn decode(&self, external: &ExternalFields) -> Result<Option<Value>, Rejection> {
        let held = |field: &String| external.get(field).and_then(Option::as_deref);
        let text = match self.theirs.as_slice() {
            [field] => held(field).map(Cow::Borrowed),
            several => name::join(several.iter().map(held)).map(Cow::Owned),
        };
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
        let ours = self.codec.decode(&text).map_err(|fault| self.refusal("text", fault))?;
        self.field_type.parse_text(ours, &TimeZone::UTC).map_err(|fault| Rejection {
            code: fault.code.to_owned(),
            field: self.theirs.first().cloned(),
            message: format!("{} {}", self.theirs.join(", "), fault.message),
            remedy: "correct the value in the external system, or the row's type and codec".to_owned(),
        })
    }

    /// Whether two of the row's values are the same once the other system has had its way with them.
    #[must_use]
    pub fn agrees(&self, a: &Option<Value>, b: &Option<Value>) -> bool {
        a == b || canonical_eq(&self.field_type, &self.settled(a), &self.settled(b))
    }

    /// What a value is after a journey there and back; itself if it cannot make it.
    fn settled<'a>(&self, value: &'a Option<Value>) -> Cow<'a, Option<Value>> {
        if self.codec == Codec::Same {
            return Cow::Borrowed(value);
        }
        let mut external = ExternalFields::new();
        match self.encode(value, &mut external).and_then(|()| self.decode(&external)) {
            Ok(settled) => Cow::Owned(settled),
            Err(_) => Cow::Borrowed(value),
        }
    }

    fn refusal(&self, kind: &str, fault: CodecFault) -> Rejection {
        let (why, remedy) = fault.told(&self.name);
        Rejection {
            code: "invalid_value".to_owned(),
            field: self.theirs.first().cloned(),
            message: format!("{}: {kind} that {why}", self.theirs.join(", ")),
            remedy,
        }
    }
}

/// A value as text on the wire.
fn wire(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Text(text) => text.into(),
        Value::Bool(true) => "true".into(),
        Value::Bool(false) => "false".into(),
        Value::Number { number } => number.into(),
    }
}

fn digest(ours: &[FieldName], theirs: &[String], codec: &Codec, field_type: &FieldType, compute: Option<&str>) -> u32 {
    let names = |seal: Seal, names: &[String]| {
        let seal = seal.number(i64::try_from(names.len()).unwrap_or(i64::MAX));
        names.iter().fold(seal, |seal, name| seal.text(name))
    };
    let seal = names(names(Seal::default(), ours), theirs).text(field_type.name());
    let seal = compute.map_or(seal, |source| seal.text("compute").text(source));
    let [a, b, c, d, e, f, g, h] = codec.seal(seal).finish().to_le_bytes();
    u32::from_le_bytes([a, b, c, d]) ^ u32::from_le_bytes([e, f, g, h])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

    use super::Row;
    use crate::boundary::RecordAuthority::SystemA;
    use crate::outcome::ExternalFields;
    use crate::patch::Change;
    use crate::plan::mapping::{Codec, DayForm, DayPattern, Expression, MomentForm, Picklist, TruthForm};
    use crate::record::{Fields, Value};
    use crate::schema::FieldType;

    fn row(codec: Codec, field_type: FieldType) -> Row {
        Row::new("field", vec!["field".into()], vec!["Field__c".into()], codec, SystemA, field_type).unwrap()
    }

    fn name_row() -> Row {
        let theirs = vec!["FirstName".into(), "LastName".into()];
        Row::new("name", vec!["name".into()], theirs, Codec::SplitName, SystemA, FieldType::Text).unwrap()
    }

    fn joined_row() -> Row {
        let ours = vec!["first".into(), "last".into()];
        Row::new("name", ours, vec!["fullname".into()], Codec::JoinName, SystemA, FieldType::Text).unwrap()
    }

    fn computed(source: &str) -> Row {
        Row::computed("field", Expression::compile(source, &[]).unwrap(), vec!["Field__c".into()], Codec::Same).unwrap()
    }

    fn table() -> Codec {
        Codec::Picklist(Picklist::new([("lead".to_owned(), "Open".to_owned())].into()).unwrap())
    }

    fn encoded(row: &Row, value: &Option<Value>) -> ExternalFields {
        let mut out = ExternalFields::new();
        row.encode(value, &mut out).unwrap();
        out
    }

    fn external(fields: &[(&str, Option<&str>)]) -> ExternalFields {
        fields.iter().map(|(field, text)| ((*field).to_owned(), text.map(str::to_owned))).collect()
    }

    #[test]
    fn a_name_is_split_and_joined() {
        let row = name_row();
        let rows = [("Jan van Berg", Some("Jan van"), Some("Berg")), ("Cher", None, Some("Cher"))];
        for (name, first, last) in rows {
            let out = encoded(&row, &Some(Value::text(name)));
            assert_eq!(out, external(&[("FirstName", first), ("LastName", last)]));
            assert_eq!(row.decode(&out).unwrap(), Some(Value::text(name)));
        }
        assert_eq!(encoded(&row, &None), external(&[("FirstName", None), ("LastName", None)]));
        assert_eq!(row.decode(&ExternalFields::new()).unwrap(), None);
    }

    #[test]
    fn two_fields_of_ours_are_joined_and_split() {
        let row = joined_row();
        let fields = Fields::from([("first".into(), Value::text("Ann")), ("last".into(), Value::text("Lee"))]);
        let value = row.value(&fields);
        assert_eq!(value, Some(Value::text("Ann Lee")));
        assert_eq!(encoded(&row, &value), external(&[("fullname", Some("Ann Lee"))]));
        assert_eq!(row.decode(&encoded(&row, &value)).unwrap(), value);
        let mut back = Fields::new();
        row.patch(&value).apply_to(&mut back);
        assert_eq!(back, fields);
        assert_eq!(row.patch(&Some(Value::text("Cher"))).0["first"], Change::Clear);
        row.patch(&None).apply_to(&mut back);
        assert!(back.is_empty() && row.value(&back).is_none());
    }

    #[test]
    fn values_are_text_on_the_wire() {
        let number = Value::Number { number: "1.50".into() };
        let rows = [(FieldType::Number, number, "1.50"), (FieldType::Bool, Value::Bool(true), "true")];
        for (field_type, value, text) in rows {
            let row = row(Codec::Same, field_type);
            let out = encoded(&row, &Some(value.clone()));
            assert_eq!(out, external(&[("Field__c", Some(text))]));
            assert_eq!(row.decode(&out).unwrap(), Some(value));
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_without_its_value() {
        let secret = Some(Value::text("s3cret"));
        let refusal = row(table(), FieldType::Text).encode(&secret, &mut ExternalFields::new()).unwrap_err();
        assert_eq!((refusal.code.as_str(), refusal.field.as_deref()), ("invalid_value", Some("Field__c")));
        assert_eq!(refusal.message, "Field__c: text that is not in the row's table");
        let held = external(&[("Field__c", Some("s3cret"))]);
        for (codec, field_type) in
            [(table(), FieldType::Text), (Codec::Same, FieldType::Number), (Codec::Same, FieldType::DateTime)]
        {
            let refusal = row(codec, field_type).decode(&held).unwrap_err();
            assert!(!format!("{refusal:?}").contains("s3cret"), "{refusal:?}");
        }
    }

    #[test]
    fn a_row_that_cannot_be_is_refused() {
        let new = |ours: usize, theirs: usize, codec| {
            let names = |count| (0..count).map(|at| format!("f{at}")).collect::<Vec<_>>();
            Row::new("name", names(ours), names(theirs), codec, SystemA, FieldType::Text)
        };
        assert!(
            new(1, 2, Codec::Same).is_err() && new(1, 1, Codec::SplitName).is_err() && new(1, 1, Codec::JoinName).is_err()
        );
        assert!(new(1, 1, Codec::Chain(vec![Codec::SplitName])).is_err());
        assert!(new(1, 1, Codec::Chain(vec![table(), Codec::Upper])).is_err());
        assert!(new(1, 1, Codec::Chain(vec![Codec::Trim, table()])).is_ok());
        let number = Codec::Number { scale: None };
        let of = |field_type| Row::new("n", vec!["n".into()], vec!["n".into()], number.clone(), SystemA, field_type);
        assert!(of(FieldType::Bool).is_err() && of(FieldType::Number).is_ok() && of(FieldType::Text).is_ok());
    }

    #[test]
    fn another_codec_field_or_type_gives_another_digest() {
        let mut digests = vec![
            row(Codec::Same, FieldType::Text).digest,
            row(Codec::Lower, FieldType::Text).digest,
            row(Codec::Same, FieldType::Email).digest,
            row(Codec::Phone { region: None }, FieldType::Text).digest,
            row(Codec::Phone { region: Some("US".into()) }, FieldType::Text).digest,
            row(table(), FieldType::Text).digest,
            name_row().digest,
            joined_row().digest,
            row(Codec::Date(DayForm::Iso), FieldType::Date).digest,
            row(Codec::Date(DayForm::MidnightMs), FieldType::Date).digest,
            row(Codec::Number { scale: Some(2) }, FieldType::Number).digest,
            row(Codec::Number { scale: None }, FieldType::Number).digest,
            computed("{{ key }}").digest,
            computed("{{ key }}!").digest,
        ];
        let count = digests.len();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), count);
        assert_eq!(row(Codec::Same, FieldType::Text).digest, row(Codec::Same, FieldType::Text).digest);
    }

    #[test]
    fn values_agree_once_the_other_system_had_its_way() {
        let agrees = |row: &Row, a: &str, b: &str| row.agrees(&Some(Value::text(a)), &Some(Value::text(b)));
        assert!(agrees(&row(Codec::Lower, FieldType::Email), "Ann@Example.com", "ann@example.com"));
        assert!(!agrees(&row(Codec::Same, FieldType::Email), "Ann@example.com", "ann@example.com"));
        let german = row(Codec::Phone { region: Some("DE".into()) }, FieldType::Phone);
        assert!(agrees(&german, "030 901820", "+49 30 901820"));
        assert!(agrees(&name_row(), "Ann  Lee", "Ann Lee") && !agrees(&name_row(), "Ann Lee", "Ann Leo"));
        assert!(!agrees(&row(table(), FieldType::Text), "lead", "unknown"));
        assert!(name_row().agrees(&None, &Some(Value::text(" "))) && !name_row().agrees(&None, &Some(Value::text("x"))));
    }

    fn rows() -> impl Strategy<Value = Row> {
        prop_oneof![
            Just(row(Codec::Same, FieldType::Text)),
            Just(row(Codec::Same, FieldType::Email)),
            Just(row(Codec::Lower, FieldType::Email)),
            Just(row(Codec::Upper, FieldType::Text)),
            Just(row(Codec::Trim, FieldType::Text)),
            Just(row(Codec::Phone { region: None }, FieldType::Phone)),
            Just(row(Codec::Phone { region: Some("US".into()) }, FieldType::Phone)),
            Just(row(Codec::Same, FieldType::Number)),
            Just(row(Codec::Same, FieldType::DateTime)),
            Just(row(Codec::Same, FieldType::Date)),
            Just(row(Codec::Same, FieldType::Bool)),
            Just(row(table(), FieldType::Text)),
            Just(row(Codec::Date(DayForm::MidnightMs), FieldType::Date)),
            Just(row(Codec::Date(DayForm::Pattern(DayPattern::new("%d.%m.%Y").unwrap())), FieldType::Text)),
            Just(row(Codec::DateTime(MomentForm::Ms), FieldType::DateTime)),
            Just(row(Codec::DateTime(MomentForm::Seconds), FieldType::Text)),
            Just(row(Codec::Number { scale: Some(3) }, FieldType::Number)),
            Just(row(Codec::Number { scale: None }, FieldType::Text)),
            Just(row(Codec::Bool(TruthForm::new("Yes", "No").unwrap()), FieldType::Bool)),
            Just(row(Codec::Chain(vec![Codec::Trim, Codec::Bool(TruthForm::default())]), FieldType::Text)),
            Just(row(Codec::Chain(vec![Codec::Trim, Codec::Lower, table()]), FieldType::Text)),
            Just(name_row()),
            Just(joined_row()),
        ]
    }

    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "[A-Za-z ]{1,12}@[a-zA-Z.]{1,9}",
            "[+0-9 ()-]{1,15}",
            "-?[0-9]{1,20}(\\.[0-9]{1,9})?",
            "20[0-9]{2}-0[1-9]-1[0-9](T1[0-9]:00:00(\\.[0-9]{1,9})?Z)?",
            "(true|false|lead|Lead| lead|Open)",
            "[A-Za-z]{1,5}( {1,2}[A-Za-z]{1,5}){0,3}",
        ]
    }

    proptest! {
        /// Ours to theirs and back agrees with ours; theirs, once it came from us, comes back letter by letter.
        #[test]
        fn out_of_in_is_the_same(row in rows(), text in texts()) {
            let Ok(value) = row.field_type.parse_text(text.into(), &jiff::tz::TimeZone::UTC) else { return Ok(()) };
            let mut out = ExternalFields::new();
            if row.encode(&value, &mut out).is_err() {
                return Ok(());
            }
            let back = row.decode(&out).unwrap();
            assert!(row.agrees(&value, &back), "{value:?} {back:?}");
            assert_eq!(encoded(&row, &back), out);
        }

        #[test]
        fn agreement_is_an_equivalence(row in rows(), texts in proptest::collection::vec(texts(), 3)) {
            let [a, b, c] = [0, 1, 2].map(|at: usize| Some(Value::text(texts[at].clone())));
            assert!(row.agrees(&a, &a) && row.agrees(&a, &b) == row.agrees(&b, &a));
            assert!(!(row.agrees(&a, &b) && row.agrees(&b, &c)) || row.agrees(&a, &c));
        }
    }
}
