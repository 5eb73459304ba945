//! Reading answers: what is the same for every system that speaks HTTP and JSON.
//!
//! Promises: pure; an answer that is not plainly JSON is never read as one; a wait is never shorter than they ask.
//! Leaves to others: what a body means (each system's `decode`).

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use serde::de::DeserializeOwned;
use syncline_core::outcome::{Outcome, Rejection, Verdict};
use syncline_engine::error::{Error, Kind};
use syncline_engine::ports::writer::{Answer, ReadAnswer};

use crate::transport::{HttpResponse, TransportError};

/// The body as JSON, or what speaks against reading it so.
///
/// # Errors
/// What was seen, less the body's text.
pub fn json<T: DeserializeOwned>(response: &HttpResponse) -> Result<T, String> {
    let status = response.status;
    if response.body.is_empty() {
        return Err(format!("HTTP {status} with an empty body"));
    }
    if let Some(kind) = response.header("content-type")
        && !kind.to_ascii_lowercase().contains("json")
    {
        return Err(format!("HTTP {status} with a body that is not JSON"));
    }
    serde_json::from_slice(&response.body).map_err(|error| {
        format!("HTTP {status} with a body of unexpected form at line {}, column {}", error.line(), error.column())
    })
}

/// How long they ask us to wait: seconds, or a date told against the answer's own `date`.
#[must_use]
pub fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let text = response.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let parser = DateTimeParser::new();
    let then = parser.parse_timestamp(text).ok()?;
    let now = parser.parse_timestamp(response.header("date")?.trim()).ok()?;
    Some(Duration::from_secs(u64::try_from(then.as_second() - now.as_second()).unwrap_or(0)))
}

/// The same outcome for every item.
#[must_use]
pub fn uniform(items: usize, outcome: &Outcome, verdict: Verdict) -> Answer {
    Answer { outcomes: vec![outcome.clone(); items], verdict }
}

/// An item that cannot be put on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsendable {
    /// Its position in the batch.
    pub index: usize,
    /// What it lacks.
    pub why: String,
}

/// The item that cannot be put on the wire is given up; the others go out with the next request.
#[must_use]
pub fn unsendable(items: usize, lacking: &Unsendable) -> Answer {
    let mut answer = uniform(items, &Outcome::NotSent { why: "another item could not be sent".to_owned() }, Verdict::default());
    if let Some(outcome) = answer.outcomes.get_mut(lacking.index) {
        *outcome = Outcome::Rejected(Rejection {
            code: "unsendable".to_owned(),
            field: None,
            message: lacking.why.clone(),
            remedy: "sync the record anew with `syncline resync`".to_owned(),
        });
    }
    answer
}

/// A write that got no answer.
#[must_use]
pub fn unanswered_write(items: usize, error: TransportError) -> Answer {
    let outcome = match error {
        TransportError::NotSent(why) => Outcome::NotSent { why },
        TransportError::Lost(why) => Outcome::Unknown { why },
    };
    uniform(items, &outcome, Verdict::default())
}

/// A read that got no answer.
#[must_use]
pub fn unanswered_read(error: &TransportError) -> ReadAnswer {
    ReadAnswer { found: Err(error.to_string()), verdict: Verdict::default() }
}

/// A call that got no answer, where nothing but success will do.
#[must_use]
pub fn unanswered_call(doing: &str, error: TransportError) -> Error {
    Error::new(Kind::Unreachable, format!("{doing}: {error}")).caused_by(error)
}

/// A whole answer that cannot be read, where nothing but success will do.
#[must_use]
pub fn unreadable_call(doing: &str, why: &str) -> Error {
    Error::new(Kind::Protocol, format!("{doing}: {why}"))
}

/// Text in their form: an empty text is no value, as both CRMs hold it.
#[must_use]
pub fn text_of(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::Null | serde_json::Value::Object(_) | serde_json::Value::Array(_) => None,
        serde_json::Value::Bool(flag) => Some(flag.to_string()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::String(text) => (!text.is_empty()).then(|| text.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[(&str, &str)]) -> HttpResponse {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        HttpResponse { status: 503, headers, body: Vec::new() }
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        assert_eq!(retry_after(&answer(&[("retry-after", " 7 ")])), Some(Duration::from_secs(7)));
        let dated = [("retry-after", "Fri, 02 Jan 2026 03:05:05 GMT"), ("date", "Fri, 02 Jan 2026 03:04:05 GMT")];
        assert_eq!(retry_after(&answer(&dated)), Some(Duration::from_secs(60)));
        let past = [("retry-after", "Fri, 02 Jan 2026 03:04:05 GMT"), ("date", "Fri, 02 Jan 2026 03:05:05 GMT")];
        assert_eq!(retry_after(&answer(&past)), Some(Duration::ZERO));
        assert_eq!(retry_after(&answer(&[("retry-after", "Fri, 02 Jan 2026 03:05:05 GMT")])), None);
        assert_eq!(retry_after(&answer(&[("retry-after", "soon")])), None);
        assert_eq!(retry_after(&answer(&[])), None);
    }
}
