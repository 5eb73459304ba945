//! Answers in Salesforce's spelling: JSON, nothing at all, edge HTML; and its spelling of instants.
//!
//! Promises: JSON answers say `application/json;charset=UTF-8`; an empty answer has neither body nor content type;
//! instants go out as `2026-01-02T03:04:05.000+0000` and are cut to whole seconds.
//! Leaves to others: which answer is due (`rows`, `collections`, `errors`, …).

use jiff::Timestamp;
use serde_json::Value;

use crate::exchange::{Millis, Response};

/// A JSON answer.
pub(super) fn json(status: u16, body: &Value) -> Response {
    Response {
        status,
        headers: vec![("Content-Type".to_owned(), "application/json;charset=UTF-8".to_owned())],
        body: body.to_string().into_bytes(),
    }
}

/// An answer without body.
pub(super) fn empty(status: u16) -> Response {
    Response { status, headers: Vec::new(), body: Vec::new() }
}

/// What an edge node in front of the org says: a page for people.
pub(super) fn html(status: u16, title: &str) -> Response {
    let body = format!("<html><head><title>{title}</title></head><body><h1>{status} {title}</h1></body></html>");
    Response { status, headers: vec![("Content-Type".to_owned(), "text/html; charset=UTF-8".to_owned())], body: body.into_bytes() }
}

/// An instant as Salesforce prints it.
pub(super) fn datetime(at: Millis) -> String {
    let instant = Timestamp::from_second(at.div_euclid(1000)).unwrap_or(Timestamp::UNIX_EPOCH);
    instant.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string()
}

/// An instant as clients may write it: ISO 8601 with `Z`, `+00:00` or `+0000`.
pub(super) fn read_datetime(text: &str) -> Option<Millis> {
    text.parse::<Timestamp>().ok().map(|instant| instant.as_second() * 1000)
}

/// An instant as an HTTP-date header.
pub(super) fn http_date(at: Millis) -> String {
    let instant = Timestamp::from_second(at.div_euclid(1000)).unwrap_or(Timestamp::UNIX_EPOCH);
    instant.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The instant of an HTTP-date header.
pub(super) fn read_http_date(text: &str) -> Option<Millis> {
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp().as_second() * 1000)
}

#[cfg(test)]
mod tests {
    use super::{datetime, read_datetime, read_http_date};

    #[test]
    fn s2_1_instants_have_milliseconds_and_an_offset_without_colon() {
        let at = 1_767_323_045_000;
        assert_eq!(datetime(at + 987), "2026-01-02T03:04:05.000+0000");
        for text in ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00", "2026-01-02T03:04:05.123+0000", "2026-01-02T04:04:05+01:00"] {
            assert_eq!(read_datetime(text), Some(at), "{text}");
        }
        assert_eq!(read_datetime("2026-01-02"), None);
        assert_eq!(read_http_date("Fri, 02 Jan 2026 03:04:05 GMT"), Some(at));
    }
}
