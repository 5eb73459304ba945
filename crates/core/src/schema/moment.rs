//! Dates and times as text: RFC 3339, and the same without a zone.
//!
//! Promises: nanoseconds survive; a time is read as itself or not at all: a leap second, a 25th hour or a tenth digit of the
//! fraction is refused, never moved to a neighbour. A zone-less time that a clock change skipped or repeated is read as jiff
//! reads it ("compatible": after the gap, before the fold).
//! Leaves to others: which time zone to assume (the source's settings).

use jiff::civil;
use jiff::tz::TimeZone;

use crate::time::Timestamp;

/// Why text is not a time. The sentence never quotes the text.
pub type Reason = &'static str;

/// Reads `YYYY-MM-DD`.
///
/// # Errors
/// If the text is anything else, or no day of the calendar.
pub fn parse_date(text: &str) -> Result<civil::Date, Reason> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 {
        return Err("is not written as YYYY-MM-DD");
    }
    date(bytes)
}

/// Reads an RFC 3339 time, or one without a zone in `zone`.
///
/// # Errors
/// If the text is anything else, or no moment of the calendar.
pub fn parse_instant(text: &str, zone: &TimeZone) -> Result<jiff::Timestamp, Reason> {
    const SHAPE: Reason = "is not written as RFC 3339 (YYYY-MM-DDTHH:MM:SS, then a fraction and a zone)";
    let bytes = text.as_bytes();
    let clock = bytes.get(10..19).ok_or(SHAPE)?;
    if !matches!(clock[0], b'T' | b't' | b' ') || clock[3] != b':' || clock[6] != b':' {
        return Err(SHAPE);
    }
    let day = date(&bytes[..10])?;
    let (hour, minute) = (two(&clock[1..]).ok_or(SHAPE)?, two(&clock[4..]).ok_or(SHAPE)?);
    let second = two(&clock[7..]).ok_or(SHAPE)?;
    if second == 60 {
        return Err("names a leap second");
    }
    let (nanosecond, rest) = fraction(&bytes[19..])?;
    let time =
        civil::Time::new(hour, minute, second, nanosecond).map_err(|_| "names an hour, minute or second that no day has")?;
    let local = day.to_datetime(time);
    let instant = match offset(rest)? {
        Some(offset) => offset.to_timestamp(local),
        None => zone.to_timestamp(local),
    };
    instant.map_err(|_| "is out of range")
}

/// Reads a time that `Timestamp` can tell: the years 1678 to 2261.
///
/// # Errors
/// If it is no time, or out of that range.
pub fn parse_timestamp(text: &str, zone: &TimeZone) -> Result<Timestamp, Reason> {
    const RANGE: Reason = "is not within the years 1678 to 2261";
    let instant = parse_instant(text, zone)?;
    let nanos = i64::try_from(instant.as_nanosecond()).map_err(|_| RANGE)?;
    if (FIRST..END).contains(&nanos) { Ok(Timestamp(nanos)) } else { Err(RANGE) }
}

/// 1678-01-01T00:00:00Z.
const FIRST: i64 = -9_214_560_000_000_000_000;
/// 2262-01-01T00:00:00Z.
const END: i64 = 9_214_646_400_000_000_000;

fn date(bytes: &[u8]) -> Result<civil::Date, Reason> {
    const SHAPE: Reason = "does not begin with a date written as YYYY-MM-DD";
    if bytes[4] != b'-' || bytes[7] != b'-' {
        return Err(SHAPE);
    }
    let (century, year) = (two(bytes).ok_or(SHAPE)?, two(&bytes[2..]).ok_or(SHAPE)?);
    let (month, day) = (two(&bytes[5..]).ok_or(SHAPE)?, two(&bytes[8..]).ok_or(SHAPE)?);
    civil::Date::new(i16::from(century) * 100 + i16::from(year), month, day).map_err(|_| "names a day that no calendar has")
}

/// The two leading digits.
fn two(bytes: &[u8]) -> Option<i8> {
    let (tens, ones) = (bytes.first()?, bytes.get(1)?);
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| (tens - b'0').cast_signed() * 10 + (ones - b'0').cast_signed())
}

/// A fraction of a second in nanoseconds, and what follows it.
fn fraction(bytes: &[u8]) -> Result<(i32, &[u8]), Reason> {
    let Some((b'.' | b',', digits)) = bytes.split_first() else { return Ok((0, bytes)) };
    let length = digits.iter().take_while(|digit| digit.is_ascii_digit()).count();
    if !(1..=9).contains(&length) {
        return Err("has a fraction of no digits or of more than nine");
    }
    let read = digits[..length].iter().fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0'));
    let missing = u32::try_from(9 - length).unwrap_or(0);
    Ok((read * 10_i32.pow(missing), &digits[length..]))
}

/// The zone after the time: None if there is none.
fn offset(bytes: &[u8]) -> Result<Option<jiff::tz::Offset>, Reason> {
    const SHAPE: Reason = "has a zone that is neither Z nor written as +HH:MM";
    match bytes {
        [] => Ok(None),
        [b'Z' | b'z'] => Ok(Some(jiff::tz::Offset::UTC)),
        [sign @ (b'+' | b'-'), hours @ .., b':', _, _] if hours.len() == 2 => {
            let (hours, minutes) = (two(hours).ok_or(SHAPE)?, two(&bytes[4..]).ok_or(SHAPE)?);
            if hours > 23 || minutes > 59 {
                return Err(SHAPE);
            }
            let seconds = i32::from(hours) * 3600 + i32::from(minutes) * 60;
            let seconds = if *sign == b'-' { -seconds } else { seconds };
            jiff::tz::Offset::from_seconds(seconds).map(Some).map_err(|_| SHAPE)
        }
        _ => Err(SHAPE),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::{any, proptest};

    use super::{END, FIRST, parse_date, parse_instant, parse_timestamp};
    use crate::time::Timestamp;

    fn utc(text: &str) -> Result<String, &'static str> {
        parse_instant(text, &TimeZone::UTC).map(|instant| instant.to_string())
    }

    #[test]
    fn a_time_is_read_with_or_without_a_zone() {
        assert_eq!(utc("2024-01-15T10:30:00.123456").unwrap(), "2024-01-15T10:30:00.123456Z");
        assert_eq!(utc("2024-01-15 10:30:00z").unwrap(), "2024-01-15T10:30:00Z");
        assert_eq!(utc("2024-01-15T10:30:00.123456789+14:00").unwrap(), "2024-01-14T20:30:00.123456789Z");
        assert_eq!(utc("2024-01-15T10:30:00-05:30").unwrap(), "2024-01-15T16:00:00Z");
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(parse_instant("2024-07-01T12:00:00", &berlin).unwrap().to_string(), "2024-07-01T10:00:00Z");
        assert_eq!(parse_instant("2024-07-01T12:00:00Z", &berlin).unwrap().to_string(), "2024-07-01T12:00:00Z");
    }

    #[test]
    fn what_is_no_time_is_refused_and_not_moved() {
        let bad = [
            "",
            "now",
            "2024-01-15",
            "2024-01-15T10:30",
            "20240115T103000Z",
            "2024-01-15T10:30:60Z",
            "2024-02-30T00:00:00Z",
            "2024-01-15T24:00:00Z",
            "2024-01-15T10:30:00.Z",
            "2024-01-15T10:30:00.1234567890Z",
            "2024-01-15T10:30:00+0530",
            "2024-01-15T10:30:00+24:00",
            "2024-01-15T10:30:00 Z",
            "2024-01-15T10:30:00Z ",
            "2024-01-15T10:30:00[Europe/Berlin]",
            "2024-01-15T1é:30:00Z",
            "+2024-01-15T10:30:00Z",
        ];
        for text in bad {
            assert!(utc(text).is_err(), "{text}");
        }
        assert!(utc("2024-06-30T23:59:60Z").unwrap_err().contains("leap second"));
    }

    #[test]
    fn a_timestamp_lies_within_1678_to_2261() {
        let read = |text| parse_timestamp(text, &TimeZone::UTC);
        assert_eq!(read("1678-01-01T00:00:00Z"), Ok(Timestamp(FIRST)));
        assert_eq!(read("2261-12-31T23:59:59.999999999Z"), Ok(Timestamp(END - 1)));
        for text in ["0001-01-01T00:00:00Z", "1677-12-31T23:59:59Z", "2262-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_date_is_a_day_of_the_calendar() {
        assert_eq!(parse_date("2024-02-29").unwrap().to_string(), "2024-02-29");
        for text in ["2023-02-29", "2024-1-05", "2024-01-15T00:00:00Z", "15.01.2024", "2024-13-01", "２０２４-01"] {
            assert!(parse_date(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_timestamp_survives_its_text(nanos in FIRST..END) {
            assert_eq!(parse_timestamp(&Timestamp(nanos).to_rfc3339(), &TimeZone::UTC), Ok(Timestamp(nanos)));
        }

        #[test]
        fn no_text_stops_the_parser(text in any::<String>(), zone in "[0-9:T. +-]{0,40}") {
            let _ = utc(&text);
            let _ = utc(&format!("2024-01-15T10:30:00{zone}"));
            let _ = utc(&zone);
            let _ = parse_date(&zone);
        }
    }
}
