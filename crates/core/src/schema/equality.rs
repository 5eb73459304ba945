//! When two values are the same: canonical equality by field type.
//!
//! Promises: an equivalence, because it compares one form of each value; what an external system does to a value on the way
//! (trimming, line ends, the case of an e-mail's domain, the writing of a phone, 1.0 for 1, a day for its midnight) makes no
//! difference; empty text is null. Leaves to others: what one system does beyond that (the mapping row's codec).

use std::borrow::Cow;

use jiff::tz::TimeZone;

use super::field_type::FieldType;
use super::moment::{parse_date, parse_instant};
use super::phone::e164;
use crate::record::Value;

/// Whether `a` and `b` are the same value of a field of `field_type`.
#[must_use]
pub fn canonical_eq(field_type: &FieldType, a: &Option<Value>, b: &Option<Value>) -> bool {
    if a == b {
        return true;
    }
    if let (FieldType::Phone, Some(Value::Text(a)), Some(Value::Text(b))) = (field_type, a, b)
        && !tail(a).eq(tail(b))
    {
        return false;
    }
    form(field_type, a) == form(field_type, b)
}

/// What stands for a value in a comparison.
#[derive(PartialEq)]
enum Form<'a> {
    Null,
    Text(Cow<'a, str>),
    Number(Decimal),
    Instant(jiff::Timestamp),
}

fn form<'a>(field_type: &FieldType, value: &'a Option<Value>) -> Form<'a> {
    let text = match value {
        None => return Form::Null,
        Some(Value::Bool(true)) => "true",
        Some(Value::Bool(false)) => "false",
        Some(Value::Number { number }) => number,
        Some(Value::Text(text)) => text,
    }
    .trim();
    if text.is_empty() {
        return Form::Null;
    }
    let plain = Form::Text(Cow::Borrowed(text));
    match field_type {
        FieldType::Text if text.contains('\r') => Form::Text(text.replace("\r\n", "\n").replace('\r', "\n").into()),
        FieldType::Text | FieldType::Bool | FieldType::Choice(_) => plain,
        FieldType::Email => text
            .rsplit_once('@')
            .map_or(plain, |(local, domain)| Form::Text(format!("{local}@{}", domain.to_lowercase()).into())),
        FieldType::Phone => Form::Text(phone(text)),
        FieldType::Number => Decimal::parse(text).map_or(plain, Form::Number),
        FieldType::Date | FieldType::DateTime => instant(text).map_or(plain, Form::Instant),
    }
}

/// The last characters that count, from the last. E.164 keeps them, so numbers that differ here need no numbering plan.
fn tail(phone: &str) -> impl Iterator<Item = char> {
    phone.chars().rev().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_lowercase()).take(4)
}

/// E.164 without its plus where that is beyond doubt, else what is left without spaces and punctuation.
fn phone(text: &str) -> Cow<'static, str> {
    if let Some(number) = e164(text, None) {
        return number[1..].to_owned().into();
    }
    let kept: String = text.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect();
    if kept.is_empty() { text.to_owned().into() } else { kept.into() }
}

fn instant(text: &str) -> Option<jiff::Timestamp> {
    if let Ok(date) = parse_date(text) {
        return TimeZone::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).ok();
    }
    parse_instant(text, &TimeZone::UTC).ok()
}

/// A decimal number without leading and trailing zeros: sign, digits, and the power of ten of the last digit.
#[derive(PartialEq, Eq)]
struct Decimal {
    negative: bool,
    digits: String,
    power: i64,
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (negative, mantissa) = mantissa.strip_prefix('-').map_or((false, mantissa), |rest| (true, rest));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        if whole.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = all.trim_start_matches('0').trim_end_matches('0');
        if digits.is_empty() {
            return Some(Self { negative: false, digits: String::new(), power: 0 });
        }
        let dropped = all.len() - all.trim_end_matches('0').len();
        let shift = i64::try_from(dropped).ok()? - i64::try_from(fraction.len()).ok()?;
        let power = exponent.parse::<i64>().ok()?.checked_add(shift)?;
        Some(Self { negative, digits: digits.to_owned(), power })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

    use super::{FieldType, canonical_eq};
    use crate::record::Value;

    fn same(field_type: &FieldType, a: &str, b: &str) -> bool {
        canonical_eq(field_type, &Some(Value::text(a)), &Some(Value::text(b)))
    }

    #[test]
    fn what_a_system_does_to_a_value_is_no_difference() {
        let rows = [
            (FieldType::Text, " Ann ", "Ann"),
            (FieldType::Text, "a\r\nb", "a\nb"),
            (FieldType::Email, "Ann@EXAMPLE.com ", "Ann@example.com"),
            (FieldType::Phone, "+1 (650) 253-0000", "16502530000"),
            (FieldType::Phone, "+44 (0)20 7946 0958", "+442079460958"),
            (FieldType::Phone, "0044 20 7946 0958", "+44.20.7946.0958"),
            (FieldType::Phone, "555-1234", "5551234"),
            (FieldType::DateTime, "2024-01-15T10:00:00Z", "2024-01-15T11:00:00.000+01:00"),
            (FieldType::DateTime, "2024-01-15", "2024-01-15T00:00:00Z"),
            (FieldType::Date, "2024-01-15T00:00:00.000Z", "2024-01-15"),
            (FieldType::Bool, "true", "true "),
            (FieldType::Choice(vec![]), "lead ", "lead"),
        ];
        for (field_type, a, b) in rows {
            assert!(same(&field_type, a, b), "{} {a} {b}", field_type.name());
        }
    }

    #[test]
    fn what_a_person_changed_is_a_difference() {
        let rows = [
            (FieldType::Text, "Ann", "ann"),
            (FieldType::Email, "Ann@example.com", "ann@example.com"),
            (FieldType::Phone, "+1 650 253 0000 x5", "+1 650 253 0000"),
            (FieldType::Phone, "+1 650 253 0000 x5", "+1 650 253 00005"),
            (FieldType::Phone, "+", "-"),
            (FieldType::DateTime, "2024-01-15T10:00:00.1Z", "2024-01-15T10:00:00Z"),
            (FieldType::Date, "2024-01-15", "2024-01-16"),
            (FieldType::Number, "1", "one"),
            (FieldType::Choice(vec![]), "lead", "vendor"),
        ];
        for (field_type, a, b) in rows {
            assert!(!same(&field_type, a, b), "{} {a} {b}", field_type.name());
        }
    }

    #[test]
    fn null_is_empty_text_and_nothing_else() {
        assert!(canonical_eq(&FieldType::Text, &None, &Some(Value::text("  "))));
        assert!(canonical_eq(&FieldType::Text, &None, &None));
        assert!(!canonical_eq(&FieldType::Number, &None, &Some(Value::text("0"))));
        assert!(!canonical_eq(&FieldType::Bool, &None, &Some(Value::Bool(false))));
        assert!(canonical_eq(&FieldType::Bool, &Some(Value::text("true")), &Some(Value::Bool(true))));
    }

    #[test]
    fn numbers_are_compared_exactly() {
        for (a, b) in [("1.0", "1"), ("-0", "0.00"), ("1e3", "1000"), ("12.50E-1", "1.25"), ("007", "7")] {
            assert!(same(&FieldType::Number, a, b), "{a} {b}");
        }
        for (a, b) in
            [("9007199254740993", "9007199254740992"), ("1e400", "1e401"), ("1", "-1"), ("0.1", "0.10000000000000001")]
        {
            assert!(!same(&FieldType::Number, a, b), "{a} {b}");
        }
        assert!(same(&FieldType::Number, "1e99999999999999999999", "1e99999999999999999999"));
    }

    fn types() -> impl Strategy<Value = FieldType> {
        prop_oneof![
            Just(FieldType::Text),
            Just(FieldType::Email),
            Just(FieldType::Phone),
            Just(FieldType::Number),
            Just(FieldType::Bool),
            Just(FieldType::Date),
            Just(FieldType::DateTime),
        ]
    }

    proptest! {
        #[test]
        fn equality_is_an_equivalence(field_type in types(), texts in vec("[+0-9a-zé@. \r\n-]{0,12}", 3)) {
            let [a, b, c] = [0, 1, 2].map(|i: usize| Some(Value::text(texts[i].clone())));
            let eq = |x, y| canonical_eq(&field_type, x, y);
            assert!(eq(&a, &a) && eq(&a, &b) == eq(&b, &a));
            assert!(!(eq(&a, &b) && eq(&b, &c)) || eq(&a, &c));
        }

        #[test]
        fn e164_keeps_the_tail(number in "(\\+|00)[1-9][0-9 ()-]{7,14}") {
            if let Some(e164) = super::e164(&number, None) {
                assert!(super::tail(&number).eq(super::tail(&e164)));
            }
        }

        #[test]
        fn no_text_stops_the_comparison(field_type in types(), a in any::<String>(), b in "[+0-9. eE:TZ-]{0,30}") {
            let _ = same(&field_type, &a, &b);
            assert!(same(&field_type, &b, &format!(" {b}\n")));
        }
    }
}
