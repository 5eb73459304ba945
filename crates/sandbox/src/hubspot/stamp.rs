//! Times as HubSpot writes and reads them.
//!
//! Promises: UTC with `Z`; three digits of fraction, or none when the milliseconds are zero.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::exchange::Millis;

/// `2026-09-01T10:00:00.250Z`, `2026-09-01T10:00:00Z`.
pub(super) fn iso(at: Millis) -> String {
    let time = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    let time = TimeZone::UTC.to_datetime(time);
    let mut text = String::with_capacity(24);
    for (value, width, end) in [
        (i32::from(time.year()), 1000, '-'),
        (time.month().into(), 10, '-'),
        (time.day().into(), 10, 'T'),
        (time.hour().into(), 10, ':'),
        (time.minute().into(), 10, ':'),
        (time.second().into(), 10, if time.millisecond() == 0 { 'Z' } else { '.' }),
    ] {
        push_digits(&mut text, value, width);
        text.push(end);
    }
    if time.millisecond() != 0 {
        push_digits(&mut text, time.millisecond().into(), 100);
        text.push('Z');
    }
    text
}

/// Decimal digits with leading zeros; `width` is the weight of the first one.
fn push_digits(text: &mut String, value: i32, mut width: i32) {
    while width > 0 {
        let digit = (value / width).rem_euclid(10);
        text.push(char::from(b'0' + u8::try_from(digit).unwrap_or(0)));
        width /= 10;
    }
}

/// The time that a text names, as ISO 8601 with a zone or as milliseconds.
pub(super) fn read_datetime(text: &str) -> Option<Millis> {
    if let Ok(at) = text.parse::<i64>() {
        return Some(at);
    }
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// The calendar day of a midnight in UTC, or None if the time is no midnight.
pub(super) fn midnight_day(at: Millis) -> Option<String> {
    let zoned = Timestamp::from_millisecond(at).ok()?.to_zoned(TimeZone::UTC);
    (at.rem_euclid(86_400_000) == 0).then(|| zoned.date().to_string())
}

/// `4:0:0.0`, the clock time in HubSpot's complaint about a date that is no midnight.
pub(super) fn clock_text(at: Millis) -> String {
    let ms = at.rem_euclid(86_400_000);
    format!("{}:{}:{}.{}", ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::{iso, read_datetime};

    #[test]
    fn fraction_is_dropped_when_zero() {
        assert_eq!(iso(1_788_256_800_000), "2026-09-01T10:00:00Z");
        assert_eq!(iso(1_788_256_800_250), "2026-09-01T10:00:00.250Z");
        assert_eq!(read_datetime("2026-09-01T12:00:00.25+02:00"), Some(1_788_256_800_250));
    }
}
