//! Turns one row's value into another system's text and back.
//!
//! Promises: `decode` of `encode` gives the same value, and `encode` of `decode` the same text, if both were canonical: a
//! codec that normalises (case, trim, phone) may be applied twice without further effect.
//! Leaves to others: fields and their types (`row`).

use std::borrow::Cow;

use super::picklist::Picklist;
use super::typed::{DayForm, MomentForm, TruthForm, plain_number};
use crate::schema::{FieldType, phone};
use crate::seal::Seal;

/// How a row's text is written on the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Codec {
    /// As it is, under another name.
    Same,
    /// In lower case; theirs is canonical in lower case.
    Lower,
    /// In upper case; theirs is canonical in upper case.
    Upper,
    /// Without space around it.
    Trim,
    /// In E.164 where that is beyond doubt, else as it is.
    Phone {
        /// Where a number without a country belongs.
        region: Option<String>,
    },
    /// By a table.
    Picklist(Picklist),
    /// A day.
    Date(DayForm),
    /// A moment.
    DateTime(MomentForm),
    /// A decimal number, exact.
    Number {
        /// How many digits the other side takes behind the point; None for any.
        scale: Option<u32>,
    },
    /// True or false.
    Bool(TruthForm),
    /// One name of ours as first and last name of theirs.
    SplitName,
    /// Two fields of ours as one of theirs.
    JoinName,
    /// One after another; back in reverse.
    Chain(Vec<Codec>),
}

/// Why a value cannot be written or read. Holds no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodecFault {
    /// The row's table does not know it.
    NotInTable,
    /// It is no day.
    NoDay,
    /// It is no moment.
    NoMoment,
    /// It is no decimal number.
    NoNumber,
    /// It would have too many digits once it is written out.
    NumberTooLong,
    /// It has more digits behind the point than the other side takes.
    TooPrecise,
    /// It is neither true nor false.
    NoTruth,
}

impl CodecFault {
    /// What is wrong, to be read after the value's kind, and what to do about it in row `row`.
    pub(super) fn told(self, row: &str) -> (&'static str, String) {
        match self {
            Self::NotInTable => ("is not in the row's table", format!("add the value to the table of row {row}, or correct it in the record")),
            Self::NoDay => ("is no day", fix(row, "send a day as YYYY-MM-DD")),
            Self::NoMoment => ("is no time", fix(row, "send a time as RFC 3339")),
            Self::NoNumber => ("is no decimal number", fix(row, "send digits with a decimal point")),
            Self::NumberTooLong => ("has too many digits", fix(row, "send a shorter number")),
            Self::TooPrecise => ("has more digits behind the point than the field takes", fix(row, "round it at the source, or raise the row's scale")),
            Self::NoTruth => ("is neither true nor false", fix(row, "send true or false")),
        }
    }
}

fn fix(row: &str, correction: &str) -> String {
    format!("{correction}, or say with on_invalid in row {row} what becomes of such values")
}

impl Codec {
    /// Our text as theirs. Names are split and joined by the row.
    pub(super) fn encode<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, CodecFault> {
        Ok(match self {
            Self::Same | Self::SplitName | Self::JoinName => text.into(),
            Self::Lower => text.to_lowercase().into(),
            Self::Upper => text.to_uppercase().into(),
            Self::Trim => text.trim().into(),
            Self::Phone { region } => phone::e164(text, region.as_deref()).map_or(Cow::Borrowed(text), Cow::Owned),
            Self::Picklist(picklist) => picklist.encode(text).ok_or(CodecFault::NotInTable)?.to_owned().into(),
            Self::Date(form) => form.encode(text)?.into(),
            Self::DateTime(form) => form.encode(text)?.into(),
            Self::Number { scale } => plain_number(text, *scale)?.into(),
            Self::Bool(form) => form.encode(text)?.to_owned().into(),
            Self::Chain(links) => {
                let mut text = Cow::Borrowed(text);
                for link in links {
                    text = link.encode(&text)?.into_owned().into();
                }
                text
            }
        })
    }

    /// Their text as ours.
    pub(super) fn decode<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, CodecFault> {
        Ok(match self {
            Self::Picklist(picklist) => picklist.decode(text).ok_or(CodecFault::NotInTable)?.to_owned().into(),
            Self::Date(form) => form.decode(text)?.into(),
            Self::DateTime(form) => form.decode(text)?.into(),
            Self::Number { .. } => plain_number(text, None)?.into(),
            Self::Bool(form) => form.decode(text)?.into(),
            Self::Chain(links) => {
                let mut text = Cow::Borrowed(text);
                for link in links.iter().rev() {
                    text = link.decode(&text)?.into_owned().into();
                }
                text
            }
            Self::Same | Self::SplitName | Self::JoinName | Self::Lower | Self::Upper | Self::Trim | Self::Phone { .. } => {
                text.into()
            }
        })
    }

    /// Whether what was encoded decodes to the same value, and back, for everything canonical. Only a chain may fail at it:
    /// where a table is not its last link, or where a link before the table alters what the table expects.
    #[must_use]
    pub fn is_invertible(&self) -> bool {
        let Self::Chain(links) = self else { return true };
        let Some((last, before)) = links.split_last() else { return true };
        let is_table = |link: &Self| matches!(link, Self::Picklist(_)) || link.is_typed();
        if last.is_typed() {
            return before.iter().all(|link| matches!(link, Self::Same | Self::Trim));
        }
        let Self::Picklist(table) = last else { return !before.iter().any(is_table) };
        let leads_back = |ours: &str| before.iter().all(|link| link.encode(ours).is_ok_and(|text| text == ours));
        !before.iter().any(is_table) && table.pairs().all(|(ours, _)| leads_back(ours))
    }

    /// Whether it reads a value of one type, so that only space may be taken off before it.
    const fn is_typed(&self) -> bool {
        match self {
            Self::Date(_) | Self::DateTime(_) | Self::Number { .. } | Self::Bool(_) => true,
            Self::Same
            | Self::Lower
            | Self::Upper
            | Self::Trim
            | Self::Phone { .. }
            | Self::Picklist(_)
            | Self::SplitName
            | Self::JoinName
            | Self::Chain(_) => false,
        }
    }

    /// The type of the values that it writes, where nothing else says so.
    #[must_use]
    pub fn field_type(&self) -> FieldType {
        match self {
            Self::Date(_) => FieldType::Date,
            Self::DateTime(_) => FieldType::DateTime,
            Self::Number { .. } => FieldType::Number,
            Self::Bool(_) => FieldType::Bool,
            Self::Phone { .. } => FieldType::Phone,
            Self::Chain(links) => links.last().map_or(FieldType::Text, Self::field_type),
            Self::Same | Self::Lower | Self::Upper | Self::Trim | Self::Picklist(_) | Self::SplitName | Self::JoinName => {
                FieldType::Text
            }
        }
    }

    /// Whether it can write values of a field of that type.
    #[must_use]
    pub fn takes(&self, field_type: &FieldType) -> bool {
        let wanted = self.field_type();
        let is_typed = if let Self::Chain(links) = self { links.iter().any(Self::is_typed) } else { self.is_typed() };
        !is_typed || wanted == *field_type || *field_type == FieldType::Text
    }

    /// How many fields of ours and of theirs the codec maps.
    #[must_use]
    pub const fn arity(&self) -> (usize, usize) {
        match self {
            Self::SplitName => (1, 2),
            Self::JoinName => (2, 1),
            Self::Same
            | Self::Lower
            | Self::Upper
            | Self::Trim
            | Self::Phone { .. }
            | Self::Picklist(_)
            | Self::Date(_)
            | Self::DateTime(_)
            | Self::Number { .. }
            | Self::Bool(_)
            | Self::Chain(_) => (1, 1),
        }
    }

    /// Whether a chain may hold it: it maps one field to one, and is no chain itself.
    #[must_use]
    pub const fn is_link(&self) -> bool {
        match self {
            Self::Same
            | Self::Lower
            | Self::Upper
            | Self::Trim
            | Self::Phone { .. }
            | Self::Picklist(_)
            | Self::Date(_)
            | Self::DateTime(_)
            | Self::Number { .. }
            | Self::Bool(_) => true,
            Self::SplitName | Self::JoinName | Self::Chain(_) => false,
        }
    }

    /// The codec's name in configuration and messages.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Lower => "lower",
            Self::Upper => "upper",
            Self::Trim => "trim",
            Self::Phone { .. } => "phone",
            Self::Picklist(_) => "picklist",
            Self::Date(_) => "date",
            Self::DateTime(_) => "datetime",
            Self::Number { .. } => "number",
            Self::Bool(_) => "bool",
            Self::SplitName => "split_name",
            Self::JoinName => "join_name",
            Self::Chain(_) => "chain",
        }
    }

    /// Takes the codec into a digest.
    pub(super) fn seal(&self, seal: Seal) -> Seal {
        let seal = seal.text(self.name());
        match self {
            Self::Same | Self::Lower | Self::Upper | Self::Trim | Self::SplitName | Self::JoinName => seal,
            Self::Phone { region } => seal.maybe(region.as_deref()),
            Self::Picklist(picklist) => picklist.pairs().fold(seal, |seal, (ours, theirs)| seal.text(ours).text(theirs)),
            Self::Date(form) => seal.text(form.name()),
            Self::DateTime(form) => seal.text(form.name()),
            Self::Number { scale } => seal.maybe_number(scale.map(i64::from)),
            Self::Bool(form) => seal.text(form.texts().0).text(form.texts().1),
            Self::Chain(links) => links.iter().fold(seal, |seal, link| link.seal(seal)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

    use super::{Codec, CodecFault, Picklist};

    fn table(pairs: &[(&str, &str)]) -> Codec {
        let pairs = pairs.iter().map(|(ours, theirs)| ((*ours).to_owned(), (*theirs).to_owned())).collect();
        Codec::Picklist(Picklist::new(pairs).unwrap())
    }

    #[test]
    fn each_codec_does_what_its_name_says() {
        let phone = |region: Option<&str>| Codec::Phone { region: region.map(str::to_owned) };
        let rows = [
            (Codec::Same, " Ann ", " Ann "),
            (Codec::Lower, "Ann@X.com", "ann@x.com"),
            (Codec::Upper, "straße", "STRASSE"),
            (Codec::Trim, " Ann ", "Ann"),
            (phone(None), "+1 (650) 253-0000", "+16502530000"),
            (phone(Some("US")), "650 253 0000", "+16502530000"),
            (phone(None), "650 253 0000", "650 253 0000"),
            (phone(None), "+1 650 253 0000 x5", "+1 650 253 0000 x5"),
            (table(&[("lead", "Open")]), "lead", "Open"),
            (Codec::Chain(vec![Codec::Trim, Codec::Lower, table(&[("lead", "Open")])]), " Lead", "Open"),
        ];
        for (codec, ours, theirs) in rows {
            assert_eq!(codec.encode(ours).unwrap(), theirs, "{} {ours}", codec.name());
        }
        assert_eq!(table(&[("lead", "Open")]).encode("vendor"), Err(CodecFault::NotInTable));
        assert_eq!(table(&[("lead", "Open")]).decode("lead"), Err(CodecFault::NotInTable));
    }

    #[test]
    fn a_chain_that_loses_its_way_back_is_not_invertible() {
        let chain = |links: Vec<Codec>| Codec::Chain(links).is_invertible();
        assert!(chain(vec![]) && chain(vec![Codec::Trim, Codec::Lower]));
        assert!(chain(vec![Codec::Lower, table(&[("lead", "Open")])]));
        assert!(!chain(vec![Codec::Lower, table(&[("Lead", "Open")])]));
        assert!(!chain(vec![table(&[("lead", "Open")]), Codec::Lower]));
        assert!(!chain(vec![table(&[("a", "b")]), table(&[("b", "c")])]));
        let number = || Codec::Number { scale: None };
        assert!(chain(vec![Codec::Trim, number()]) && !chain(vec![Codec::Upper, number()]) && !chain(vec![number(), Codec::Trim]));
    }

    fn codecs() -> impl Strategy<Value = Codec> {
        let link = prop_oneof![
            Just(Codec::Same),
            Just(Codec::Lower),
            Just(Codec::Upper),
            Just(Codec::Trim),
            Just(Codec::Phone { region: None }),
            Just(Codec::Phone { region: Some("DE".into()) }),
        ];
        prop_oneof![link.clone(), proptest::collection::vec(link, 0..4).prop_map(Codec::Chain)]
    }

    proptest! {
        #[test]
        fn out_of_in_is_the_same(codec in codecs(), any in any::<String>(), number in "[+0]{0,2}[0-9 ]{5,14}") {
            for text in [any, number] {
                let theirs = codec.encode(&text).unwrap();
                let ours = codec.decode(&theirs).unwrap();
                assert_eq!(codec.encode(&ours).unwrap(), theirs);
            }
        }
    }
}
