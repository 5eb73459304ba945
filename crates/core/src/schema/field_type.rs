//! What is valid in a field, and its one canonical form.
//!
//! Promises: text stays as it came; an e-mail is trimmed and its domain in lower case; a phone is trimmed and else as it
//! came; a time is RFC 3339 in UTC to the nanosecond; a number is its exact decimal text. Empty text is null.
//! Leaves to others: JSON as a whole (`event`), what an external system makes of a value (`plan::mapping`).

use std::borrow::Cow;

use jiff::tz::TimeZone;
use serde_json::value::RawValue;

use super::moment::{parse_date, parse_instant};
use crate::record::Value;

/// The longest text in bytes.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldType {
    /// Any text.
    Text,
    /// One e-mail address.
    Email,
    /// A phone number, however it is written.
    Phone,
    /// A decimal number.
    Number,
    /// True or false.
    Bool,
    /// A day.
    Date,
    /// A moment.
    DateTime,
    /// One of these texts.
    Choice(Vec<String>),
}

/// Why a value is not valid. Holds no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueFault {
    /// `wrong_type`, `invalid_value`, `bad_timestamp`, `too_long` or `invalid_json`.
    pub code: &'static str,
    /// What is wrong, to be read after the field's name.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl ValueFault {
    fn new(code: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code, message: message.into(), remedy: remedy.into() }
    }
}

impl FieldType {
    /// The type's name in configuration and messages.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Number => "number",
            Self::Bool => "bool",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Choice(_) => "choice",
        }
    }

    /// Reads a JSON value into canonical form; null and empty text are None. Times without a zone are read in `zone`.
    ///
    /// # Errors
    /// If the value is of the wrong type or breaks the type's rule.
    pub fn parse(&self, raw: &RawValue, zone: &TimeZone) -> Result<Option<Value>, ValueFault> {
        let json = raw.get();
        let wrong = |found: &str| {
            let message = format!("must be {}, not {found}", self.wanted());
            Err(ValueFault::new("wrong_type", message, format!("send {} or null", self.wanted())))
        };
        match (json.as_bytes().first(), self) {
            (Some(b'n'), _) => Ok(None),
            (Some(b'"'), Self::Number | Self::Bool) => wrong("text"),
            (Some(b'"'), _) => self.parse_text(decode_text(raw)?, zone),
            (Some(b't'), Self::Bool) => Ok(Some(Value::Bool(true))),
            (Some(b'f'), Self::Bool) => Ok(Some(Value::Bool(false))),
            (Some(b't' | b'f'), _) => wrong("a boolean"),
            (Some(b'['), _) => wrong("an array"),
            (Some(b'{'), _) => wrong("an object"),
            (_, Self::Number) => Ok(Some(number(json))),
            (_, _) => wrong("a number"),
        }
    }

    /// Reads text into canonical form, also numbers and booleans written as text, as external systems do; empty text is
    /// None.
    ///
    /// # Errors
    /// If the text breaks the type's rule.
    pub fn parse_text(&self, text: Cow<'_, str>, zone: &TimeZone) -> Result<Option<Value>, ValueFault> {
        let shown =
            || format!("{} of {} characters", if text.is_ascii() { "text" } else { "non-ASCII text" }, text.chars().count());
        let invalid =
            |code, why: &str, remedy: &str| Err(ValueFault::new(code, format!("{why} (found {})", shown()), remedy));
        let trimmed = text.trim();
        if text.is_empty() || (trimmed.is_empty() && *self != Self::Text) {
            return Ok(None);
        }
        let canonical = match self {
            Self::Text => text.into_owned(),
            Self::Phone => trimmed.to_owned(),
            Self::Email => match email(trimmed) {
                Ok(email) => email,
                Err(why) => return invalid("invalid_value", why, "send one address, or null"),
            },
            Self::Date => match parse_date(trimmed) {
                Ok(date) => date.to_string(),
                Err(why) => return invalid("invalid_value", why, "send a day as YYYY-MM-DD"),
            },
            Self::DateTime => match parse_instant(trimmed, zone) {
                Ok(instant) => instant.to_string(),
                Err(why) => return invalid("bad_timestamp", why, "send a time as RFC 3339"),
            },
            Self::Choice(choices) if choices.iter().any(|choice| choice == trimmed) => trimmed.to_owned(),
            Self::Choice(choices) => {
                return invalid(
                    "invalid_value",
                    "is not one of the values that the field takes",
                    &format!("send one of {}", choices.join(", ")),
                );
            }
            Self::Number if is_number(trimmed) => return Ok(Some(number(trimmed))),
            Self::Number => return invalid("invalid_value", "is no decimal number", "send digits with a decimal point"),
            Self::Bool => match trimmed {
                "true" => return Ok(Some(Value::Bool(true))),
                "false" => return Ok(Some(Value::Bool(false))),
                _ => return invalid("invalid_value", "is neither true nor false", "send true or false"),
            },
        };
        Ok(Some(Value::Text(canonical)))
    }

    const fn wanted(&self) -> &'static str {
        match self {
            Self::Text | Self::Email | Self::Phone | Self::Choice(_) => "text",
            Self::Number => "a number",
            Self::Bool => "true or false",
            Self::Date => "a day as text",
            Self::DateTime => "a time as text",
        }
    }
}

/// The text of a JSON string, borrowed where it holds no escape.
///
/// # Errors
/// If an escape is half a surrogate pair, or the text holds NUL or is too long.
pub fn decode_text(raw: &RawValue) -> Result<Cow<'_, str>, ValueFault> {
    let json = raw.get();
    let inner = json.get(1..json.len().saturating_sub(1)).unwrap_or_default();
    let text: Cow<'_, str> = if inner.contains('\\') {
        let read = serde_json::from_str::<String>(json);
        let remedy = "send both halves of a surrogate pair, or the character itself";
        Cow::Owned(read.map_err(|_| ValueFault::new("invalid_json", "is text with an escape that is no character", remedy))?)
    } else {
        Cow::Borrowed(inner)
    };
    check_text(&text)?;
    Ok(text)
}

/// Checks what holds for every text.
///
/// # Errors
/// If the text holds NUL or is too long.
pub fn check_text(text: &str) -> Result<(), ValueFault> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("is text of {} bytes, more than the {TEXT_BYTES_MAX} that are taken", text.len());
        return Err(ValueFault::new("too_long", message, "send shorter text"));
    }
    if let Some(at) = text.find('\0') {
        return Err(ValueFault::new(
            "invalid_value",
            format!("holds a NUL character at byte {at}"),
            "send text without NUL",
        ));
    }
    Ok(())
}

fn number(text: &str) -> Value {
    Value::Number { number: text.to_owned() }
}

/// Whether text is a number as JSON writes it.
fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && serde_json::from_str::<&RawValue>(text).is_ok()
}

/// Trims an address and lowers its domain.
fn email(text: &str) -> Result<String, &'static str> {
    let (local, domain) = text.rsplit_once('@').ok_or("is no e-mail address: it has no @")?;
    let quoted = local.len() > 1 && local.starts_with('"') && local.ends_with('"');
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | ',' | ';' | '<' | '>');
    if local.is_empty() || domain.is_empty() {
        return Err("is no e-mail address: a side of its @ is empty");
    }
    if domain.contains(odd) || (!quoted && local.contains(odd)) || local.contains(char::is_control) {
        return Err("is not one e-mail address: it holds a character that none has");
    }
    Ok(format!("{local}@{}", domain.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::{any, proptest};
    use serde_json::value::RawValue;

    use super::{FieldType, TEXT_BYTES_MAX};
    use crate::record::Value;

    fn parse(field_type: &FieldType, json: &str) -> Result<Option<Value>, &'static str> {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        field_type.parse(raw, &TimeZone::UTC).map_err(|fault| fault.code)
    }

    fn text(text: &str) -> Result<Option<Value>, &'static str> {
        Ok(Some(Value::text(text)))
    }

    fn choice() -> FieldType {
        FieldType::Choice(vec!["lead".into(), "vendor".into()])
    }

    #[test]
    fn canonical_forms_are_the_published_ones() {
        assert_eq!(parse(&FieldType::Text, r#"" O'Brien\n ""#), text(" O'Brien\n "));
        assert_eq!(parse(&FieldType::Email, r#"" Alice+x@EXAMPLE.com ""#), text("Alice+x@example.com"));
        assert_eq!(parse(&FieldType::Email, r#""\"a@b c\"@Bücher.Example""#), text("\"a@b c\"@bücher.example"));
        assert_eq!(parse(&FieldType::Email, r#""a@b.inc""#), text("a@b.inc"));
        assert_eq!(parse(&FieldType::Phone, r#"" +1-555-123-4567 x9""#), text("+1-555-123-4567 x9"));
        assert_eq!(parse(&FieldType::Date, r#""2024-02-29""#), text("2024-02-29"));
        assert_eq!(parse(&FieldType::DateTime, r#""2024-01-15T10:30:00.1+01:00""#), text("2024-01-15T09:30:00.1Z"));
        assert_eq!(parse(&choice(), r#""lead""#), text("lead"));
        assert_eq!(parse(&FieldType::Bool, "true"), Ok(Some(Value::Bool(true))));
        for number in ["1e400", "-0", "9007199254740993", "1.10", "0.1"] {
            assert_eq!(parse(&FieldType::Number, number), Ok(Some(Value::Number { number: number.into() })));
        }
    }

    #[test]
    fn null_and_empty_text_are_null() {
        let types = [FieldType::Text, FieldType::Email, FieldType::Phone, FieldType::Date, FieldType::DateTime, choice()];
        for field_type in types {
            assert_eq!(parse(&field_type, "null"), Ok(None));
            assert_eq!(parse(&field_type, r#""""#), Ok(None));
        }
        assert_eq!(parse(&FieldType::Number, "null"), Ok(None));
        assert_eq!(parse(&FieldType::Email, r#""  ""#), Ok(None));
        assert_eq!(parse(&FieldType::Text, r#""  ""#), text("  "));
    }

    #[test]
    fn what_breaks_the_rule_is_refused() {
        let rows = [
            (FieldType::Text, "5", "wrong_type"),
            (FieldType::Text, "true", "wrong_type"),
            (FieldType::Text, "[]", "wrong_type"),
            (FieldType::Text, "{}", "wrong_type"),
            (FieldType::Number, r#""5""#, "wrong_type"),
            (FieldType::Bool, r#""yes""#, "wrong_type"),
            (FieldType::Bool, "1", "wrong_type"),
            (FieldType::Email, r#""nobody""#, "invalid_value"),
            (FieldType::Email, r#""@example.com""#, "invalid_value"),
            (FieldType::Email, r#""a@""#, "invalid_value"),
            (FieldType::Email, r#""a@x.com, b@x.com""#, "invalid_value"),
            (FieldType::Email, r#""a@x.com b@x.com""#, "invalid_value"),
            (FieldType::Date, r#""15.01.2024""#, "invalid_value"),
            (FieldType::DateTime, r#""yesterday""#, "bad_timestamp"),
            (choice(), r#""boss""#, "invalid_value"),
            (choice(), r#""Lead""#, "invalid_value"),
            (FieldType::Text, r#""a\u0000b""#, "invalid_value"),
            (FieldType::Text, r#""\ud800""#, "invalid_json"),
        ];
        for (field_type, json, code) in rows {
            assert_eq!(parse(&field_type, json), Err(code), "{} {json}", field_type.name());
        }
        let long = |length: usize| format!("\"{}\"", "x".repeat(length));
        assert!(parse(&FieldType::Text, &long(TEXT_BYTES_MAX)).is_ok());
        assert_eq!(parse(&FieldType::Text, &long(TEXT_BYTES_MAX + 1)), Err("too_long"));
    }

    #[test]
    fn a_number_or_boolean_written_as_text_is_read_from_outside() {
        let read = |field_type: FieldType, text: &str| {
            field_type.parse_text(text.into(), &TimeZone::UTC).map_err(|fault| fault.code)
        };
        assert_eq!(read(FieldType::Number, "1.50"), Ok(Some(Value::Number { number: "1.50".into() })));
        assert_eq!(read(FieldType::Bool, "false"), Ok(Some(Value::Bool(false))));
        for text in ["1,5", "NaN", "0x1", "1 2", "null", "[1]", "+1"] {
            assert_eq!(read(FieldType::Number, text), Err("invalid_value"), "{text}");
        }
        assert_eq!(read(FieldType::Bool, "yes"), Err("invalid_value"));
    }

    proptest! {
        #[test]
        fn a_canonical_form_stays_as_it_is(email in "[a-zA-Z+.]{1,9}@[a-zA-ZÄΣİ.]{1,9} ?", any in any::<String>()) {
            for (field_type, given) in [(FieldType::Email, email), (FieldType::Phone, any.clone()), (FieldType::Text, any)] {
                let Ok(Some(once)) = field_type.parse_text(given.into(), &TimeZone::UTC) else { continue };
                let again = field_type.parse_text(once.as_text().unwrap().into(), &TimeZone::UTC).unwrap();
                assert_eq!(again, Some(once));
            }
        }

        #[test]
        fn no_message_quotes_a_value(secret in "[a-z]{12}") {
            use FieldType::{Bool, Date, DateTime, Email, Number};
            for field_type in [Email, Date, DateTime, Number, Bool, choice()] {
                let fault = field_type.parse_text(secret.clone().into(), &TimeZone::UTC).unwrap_err();
                assert!(!fault.message.contains(&secret) && !fault.remedy.contains(&secret));
            }
        }
    }
}
