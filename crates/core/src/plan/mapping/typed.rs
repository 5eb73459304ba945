//! Days, times, numbers and truth values as other systems write them.
//!
//! Promises: a day is the same day on both sides and never passes through a local time; a number keeps its exact decimal
//! text and is refused rather than rounded; what was encoded decodes to the same value, for values in canonical form.
//! Leaves to others: which field holds it (`row`), text codecs (`codec`).

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use super::codec::CodecFault;
use crate::schema::moment::{parse_date, parse_instant};

/// The longest plain decimal text of a number that came with an exponent.
const DIGITS_MAX: usize = 128;

/// How a day is written on the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DayForm {
    /// `YYYY-MM-DD`.
    Iso,
    /// Milliseconds since 1970 of the day's midnight in UTC.
    MidnightMs,
    /// By a pattern of `%Y`, `%m` and `%d`, each once, and other characters.
    Pattern(DayPattern),
}

/// A pattern of `%Y`, `%m` and `%d`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayPattern(String);

impl DayPattern {
    /// A pattern, checked.
    ///
    /// # Errors
    /// If a part of the day is missing, stands twice, or something else stands behind a `%`.
    pub fn new(pattern: &str) -> Result<Self, &'static str> {
        let mut parts: Vec<char> = pattern.split('%').skip(1).map(|part| part.chars().next().unwrap_or('%')).collect();
        parts.sort_unstable();
        if parts != ['Y', 'd', 'm'] {
            return Err("a pattern holds %Y, %m and %d once each, and no other %");
        }
        if pattern.split('%').skip(1).any(|part| part.chars().nth(1).is_some_and(|next| next.is_ascii_digit())) {
            return Err("no digit may follow a part of the day, or there is no way back");
        }
        Ok(Self(pattern.to_owned()))
    }

    /// The pattern as it was given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    fn encode(&self, day: Date) -> String {
        let year = format!("{:04}", day.year());
        self.0
            .replace("%Y", &year)
            .replace("%m", &format!("{:02}", day.month()))
            .replace("%d", &format!("{:02}", day.day()))
    }

    fn decode(&self, text: &str) -> Option<Date> {
        let (mut year, mut month, mut day, mut rest) = (None, None, None, text);
        let mut pattern = self.0.as_str();
        while let Some(first) = pattern.chars().next() {
            if first != '%' {
                rest = rest.strip_prefix(first)?;
                pattern = &pattern[first.len_utf8()..];
                continue;
            }
            let (part, width) = if pattern.starts_with("%Y") { (&mut year, 4) } else if pattern.starts_with("%m") { (&mut month, 2) } else { (&mut day, 2) };
            let digits = rest.get(..width).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
            *part = digits.parse::<i16>().ok();
            (rest, pattern) = (&rest[width..], &pattern[2..]);
        }
        let small = |part: Option<i16>| part.and_then(|part| i8::try_from(part).ok());
        if !rest.is_empty() {
            return None;
        }
        Date::new(year?, small(month)?, small(day)?).ok()
    }
}

impl DayForm {
    pub(super) fn encode(&self, text: &str) -> Result<String, CodecFault> {
        let day = parse_date(text.trim()).map_err(|_| CodecFault::NoDay)?;
        Ok(match self {
            Self::Iso => day.to_string(),
            Self::MidnightMs => {
                let midnight = TimeZone::UTC.to_timestamp(day.to_datetime(Time::midnight()));
                midnight.map_err(|_| CodecFault::NoDay)?.as_millisecond().to_string()
            }
            Self::Pattern(pattern) => pattern.encode(day),
        })
    }

    pub(super) fn decode(&self, text: &str) -> Result<String, CodecFault> {
        let text = text.trim();
        let day = match self {
            Self::Iso => iso_day(text),
            Self::MidnightMs => midnight_of(text).or_else(|| iso_day(text)),
            Self::Pattern(pattern) => pattern.decode(text),
        };
        day.map(|day| day.to_string()).ok_or(CodecFault::NoDay)
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Iso => "iso",
            Self::MidnightMs => "midnight_ms",
            Self::Pattern(pattern) => &pattern.0,
        }
    }
}

/// A day, or the day of a midnight in UTC: what else has a time is no day, and nothing is cut off.
fn iso_day(text: &str) -> Option<Date> {
    parse_date(text).ok().or_else(|| {
        let instant = parse_instant(text, &TimeZone::UTC).ok()?.to_zoned(TimeZone::UTC);
        (instant.time() == Time::midnight()).then(|| instant.date())
    })
}

fn midnight_of(text: &str) -> Option<Date> {
    let moment = jiff::Timestamp::from_millisecond(text.parse().ok()?).ok()?.to_zoned(TimeZone::UTC);
    (moment.time() == Time::midnight()).then(|| moment.date())
}

/// How a moment is written on the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MomentForm {
    /// RFC 3339 in UTC.
    Rfc3339,
    /// Milliseconds since 1970; a finer moment loses what is finer.
    Ms,
    /// Seconds since 1970; a finer moment loses what is finer.
    Seconds,
}

impl MomentForm {
    pub(super) fn encode(self, text: &str) -> Result<String, CodecFault> {
        let moment = parse_instant(text.trim(), &TimeZone::UTC).map_err(|_| CodecFault::NoMoment)?;
        Ok(match self {
            Self::Rfc3339 => moment.to_string(),
            Self::Ms => moment.as_nanosecond().div_euclid(1_000_000).to_string(),
            Self::Seconds => moment.as_nanosecond().div_euclid(1_000_000_000).to_string(),
        })
    }

    pub(super) fn decode(self, text: &str) -> Result<String, CodecFault> {
        let text = text.trim();
        let number = text.parse::<i64>().ok();
        let moment = match self {
            Self::Rfc3339 => None,
            Self::Ms => number.and_then(|number| jiff::Timestamp::from_millisecond(number).ok()),
            Self::Seconds => number.and_then(|number| jiff::Timestamp::from_second(number).ok()),
        };
        let moment = moment.map_or_else(|| parse_instant(text, &TimeZone::UTC).map_err(|_| CodecFault::NoMoment), Ok)?;
        Ok(moment.to_string())
    }

    /// The form's name in configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rfc3339 => "rfc3339",
            Self::Ms => "ms",
            Self::Seconds => "seconds",
        }
    }
}

/// A decimal number as plain text: no exponent, no needless zeros, a point as its mark.
pub(super) fn plain_number(text: &str, scale: Option<u32>) -> Result<String, CodecFault> {
    let text = text.trim();
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (negative, mantissa) = mantissa.strip_prefix('-').map_or((false, mantissa), |rest| (true, rest));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(whole, fraction)| (whole, Some(fraction)));
    let is_digits = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || fraction.is_some_and(|fraction| !is_digits(fraction)) {
        return Err(CodecFault::NoNumber);
    }
    let exponent: i64 = exponent.strip_prefix('+').unwrap_or(exponent).parse().map_err(|_| CodecFault::NoNumber)?;
    let mut digits = format!("{whole}{}", fraction.unwrap_or_default());
    if digits.bytes().all(|byte| byte == b'0') {
        return Ok("0".to_owned());
    }
    let point = i64::try_from(whole.len()).unwrap_or(i64::MAX).saturating_add(exponent);
    let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let reach = point.max(length).saturating_sub(point.min(0));
    if usize::try_from(reach).is_ok_and(|reach| reach > DIGITS_MAX.max(text.len())) || reach == i64::MAX {
        return Err(CodecFault::NumberTooLong);
    }
    let missing = |count: i64| "0".repeat(usize::try_from(count.max(0)).unwrap_or(0));
    digits = format!("{}{digits}{}", missing(1 - point), missing(point - length));
    let (whole, fraction) = digits.split_at(usize::try_from(point.max(1)).unwrap_or(1).min(digits.len()));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    if scale.is_some_and(|scale| fraction.len() > usize::try_from(scale).unwrap_or(usize::MAX)) {
        return Err(CodecFault::TooPrecise);
    }
    let sign = if negative { "-" } else { "" };
    let whole = if whole.is_empty() { "0" } else { whole };
    Ok(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

/// Which texts stand for true and false on the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruthForm {
    yes: String,
    no: String,
}

impl Default for TruthForm {
    fn default() -> Self {
        Self { yes: "true".to_owned(), no: "false".to_owned() }
    }
}

impl TruthForm {
    /// Two texts, if they differ and neither is empty.
    #[must_use]
    pub fn new(yes: &str, no: &str) -> Option<Self> {
        let differ = yes != no && !yes.is_empty() && !no.is_empty();
        differ.then(|| Self { yes: yes.to_owned(), no: no.to_owned() })
    }

    pub(super) fn encode(&self, text: &str) -> Result<&str, CodecFault> {
        match text.trim() {
            "true" => Ok(&self.yes),
            "false" => Ok(&self.no),
            _ => Err(CodecFault::NoTruth),
        }
    }

    pub(super) fn decode(&self, text: &str) -> Result<&'static str, CodecFault> {
        if text == self.yes {
            Ok("true")
        } else if text == self.no {
            Ok("false")
        } else {
            Err(CodecFault::NoTruth)
        }
    }

    /// What stands for true, and what for false.
    #[must_use]
    pub fn texts(&self) -> (&str, &str) {
        (&self.yes, &self.no)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::super::codec::CodecFault;
    use super::{DayForm, DayPattern, MomentForm, TruthForm, plain_number};

    fn pattern(text: &str) -> DayForm {
        DayForm::Pattern(DayPattern::new(text).unwrap())
    }

    #[test]
    fn a_day_is_the_same_day_in_every_form() {
        let rows = [
            (DayForm::Iso, "2024-03-31", "2024-03-31"),
            (DayForm::MidnightMs, "2024-03-31", "1711843200000"),
            (DayForm::MidnightMs, "1969-12-31", "-86400000"),
            (pattern("%d.%m.%Y"), "2024-03-31", "31.03.2024"),
            (pattern("%m/%d/%Y"), "0999-01-02", "01/02/0999"),
            (pattern("%Y%m%d"), "2024-02-29", "20240229"),
        ];
        for (form, ours, theirs) in rows {
            assert_eq!(form.encode(ours).unwrap(), theirs);
            assert_eq!(form.decode(theirs).unwrap(), ours);
        }
        assert_eq!(DayForm::Iso.decode("2024-03-31T00:00:00.000Z").unwrap(), "2024-03-31");
        for (form, theirs) in [(DayForm::MidnightMs, "1711843200001"), (DayForm::Iso, "2024-03-31T01:00:00Z"), (pattern("%d.%m.%Y"), "31.02.2024"), (pattern("%d.%m.%Y"), "31.03.2024 ."), (pattern("%d.%m.%Y"), "1.3.2024")] {
            assert_eq!(form.decode(theirs), Err(CodecFault::NoDay), "{theirs}");
        }
    }

    #[test]
    fn a_pattern_that_loses_its_way_back_is_refused() {
        for text in ["", "%Y", "%Y-%m-%m", "%Y-%m-%d%H", "%y-%m-%d", "%Y-%m-%", "%d0%m%Y"] {
            assert!(DayPattern::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_are_plain_and_exact_or_refused() {
        let rows = [
            ("1.50", None, Ok("1.5")),
            ("-0", None, Ok("0")),
            ("007.0", Some(0), Ok("7")),
            ("1e3", None, Ok("1000")),
            ("1.25E-2", None, Ok("0.0125")),
            ("9007199254740993", None, Ok("9007199254740993")),
            ("0.10000000000000001", None, Ok("0.10000000000000001")),
            ("1.005", Some(2), Err(CodecFault::TooPrecise)),
            ("1.500", Some(1), Ok("1.5")),
            ("1,5", None, Err(CodecFault::NoNumber)),
            ("1.", None, Err(CodecFault::NoNumber)),
            ("NaN", None, Err(CodecFault::NoNumber)),
            ("", None, Err(CodecFault::NoNumber)),
            ("1e400", None, Err(CodecFault::NumberTooLong)),
            ("1e-400", None, Err(CodecFault::NumberTooLong)),
            ("1e9223372036854775807", None, Err(CodecFault::NumberTooLong)),
            ("1e-9223372036854775808", None, Err(CodecFault::NumberTooLong)),
        ];
        for (text, scale, wanted) in rows {
            assert_eq!(plain_number(text, scale), wanted.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn truth_has_two_texts_and_no_third() {
        let form = TruthForm::new("Yes", "No").unwrap();
        assert_eq!((form.encode("true"), form.encode(" false ")), (Ok("Yes"), Ok("No")));
        assert_eq!((form.decode("Yes"), form.decode("No")), (Ok("true"), Ok("false")));
        for text in ["yes", "YES", "1", "", "maybe"] {
            assert_eq!((form.encode(text), form.decode(text)), (Err(CodecFault::NoTruth), Err(CodecFault::NoTruth)), "{text}");
        }
        assert!(TruthForm::new("Yes", "Yes").is_none() && TruthForm::new("", "No").is_none());
    }

    proptest! {
        #[test]
        fn out_of_in_is_the_same(year in 1_i16..=9999, month in 1_i8..=12, day in 1_i8..=28, ms in -60_000_000_000_000_i64..200_000_000_000_000, digits in 0_i64.., scale in 0_usize..12, yes in any::<bool>()) {
            let date = jiff::civil::Date::new(year, month, day).unwrap().to_string();
            for form in [DayForm::Iso, DayForm::MidnightMs, pattern("%d.%m.%Y"), pattern("%Y%m%d")] {
                assert_eq!(form.decode(&form.encode(&date).unwrap()).unwrap(), date);
            }
            let moment = jiff::Timestamp::from_millisecond(ms).unwrap();
            let second = jiff::Timestamp::from_second(ms.div_euclid(1000)).unwrap().to_string();
            for (form, text) in [(MomentForm::Ms, moment.to_string()), (MomentForm::Rfc3339, moment.to_string()), (MomentForm::Seconds, second)] {
                assert_eq!(form.decode(&form.encode(&text).unwrap()).unwrap(), text);
            }
            let number = plain_number(&format!("{digits}e-{scale}"), None).unwrap();
            assert_eq!(plain_number(&number, None).unwrap(), number);
            let form = TruthForm::new("ja", "nein").unwrap();
            let ours = if yes { "true" } else { "false" };
            assert_eq!(form.decode(form.encode(ours).unwrap()).unwrap(), ours);
        }

        #[test]
        fn no_text_stops_a_codec(any in any::<String>(), number in "[-+0-9.eE,]{0,24}") {
            for text in [any, number] {
                let _ = (DayForm::Iso.encode(&text), DayForm::MidnightMs.decode(&text), pattern("%d.%m.%Y").decode(&text));
                let _ = (MomentForm::Ms.decode(&text), MomentForm::Seconds.encode(&text));
                let _ = plain_number(&text, Some(2));
            }
        }
    }
}
