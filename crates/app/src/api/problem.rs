//! What a caller is told when something is refused: a problem after RFC 9457.
//!
//! Promises: every refusal of the door is a line of the one table here, with its status; a problem names the place as a JSON
//! pointer, says what to do, and holds no field value and no secret.
//! Leaves to others: what is wrong with an event (`core::event`), whose codes are passed on.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use syncline_core::event::Invalid;
use syncline_core::outcome::Rejection;
use syncline_engine::codes;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $status:literal, $title:literal, $remedy:literal;)*) => {
        /// Why a request is refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $variant),* }
        impl Code {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// The code in problems.
            #[must_use]
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $name),* } }
            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 { match self { $(Self::$variant => $status),* } }
            /// The kind of problem, in words.
            #[must_use]
            pub const fn title(self) -> &'static str { match self { $(Self::$variant => $title),* } }
            /// What to do about it.
            #[must_use]
            pub const fn remedy(self) -> &'static str { match self { $(Self::$variant => $remedy),* } }
        }
    };
}

codes! {
    /// Nothing of what was sent is an event that can be taken.
    Invalid = "invalid_events", 400, "no event could be taken", "correct the events that errors names and send them again";
    /// The `Idempotency-Key` is none.
    BadKey = "bad_idempotency_key", 400, "the Idempotency-Key does not read", "send 1 to 255 visible ASCII characters, in quotes or bare";
    /// No token, or none that is known.
    Unauthorized = "unauthorized", 401, "a token is needed", "send Authorization: Bearer and a token that is in force";
    /// Nothing is there.
    NotFound = "not_found", 404, "there is no such resource", "see the documentation of the API for its paths";
    /// The path knows other methods.
    Method = "method_not_allowed", 405, "the resource has no such method", "use one of the methods in Allow";
    /// The body came too slowly.
    BodyTimeout = "body_timeout", 408, "the body did not come in time", "send the body without pauses, or in smaller requests";
    /// The same id with another body.
    IdReuse = "id_reuse", 409, "an event with this id but another body was accepted before", "give every event an id of its own";
    /// A request with this key is under way.
    KeyInProgress = "key_in_progress", 409, "a request with this Idempotency-Key is under way", "wait for its answer, then ask again";
    /// The body is too long.
    TooLarge = "body_too_large", 413, "the body is too large", "send fewer events in one request";
    /// Too many events at once.
    TooMany = "too_many_events", 413, "the request holds too many events", "send fewer events in one request";
    /// The content type is none of ours.
    ContentType = "unsupported_content_type", 415, "the content type is not taken", "name the body's type in Content-Type";
    /// The body is compressed.
    ContentEncoding = "unsupported_content_encoding", 415, "the content encoding is not taken", "send the body as it is, without Content-Encoding";
    /// The key belongs to another request.
    KeyReused = "key_reused", 422, "this Idempotency-Key belongs to another request", "use a key of its own for every request";
    /// The token asks too often.
    RateLimited = "too_many_requests", 429, "the token asks too often", "wait as long as Retry-After says";
    /// A defect of ours.
    Internal = "internal", 500, "the process has a defect", "send the events again under the same ids; report this with the request id";
    /// Too much waits already.
    QueueFull = "queue_full", 503, "too many events wait already", "wait as long as Retry-After says, then send the events again";
    /// The store cannot be written.
    StoreUnavailable = "store_unavailable", 503, "the store cannot be written for now", "send the events again under the same ids";
    /// The disk is full.
    StoreFull = "store_full", 503, "the store's disk is full", "send the events again under the same ids once there is room";
    /// The process ends.
    Stopping = "stopping", 503, "the process is stopping", "send the events again under the same ids";
    /// The answer did not come in time, so nobody knows yet.
    Unconfirmed = "not_confirmed", 503, "it is not known yet whether the events were taken", "send them again under the same ids or Idempotency-Key";
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Its code.
    pub code: String,
    /// What is wrong.
    pub detail: String,
    /// Where, as a JSON pointer into the body; empty for the whole of it.
    pub pointer: String,
    /// What to do about it.
    pub remedy: String,
}

impl Fault {
    /// A fault of one event; `place` is the event's own pointer, empty if the body is the event.
    #[must_use]
    pub fn of(place: &str, rejection: &Rejection) -> Self {
        let inner = rejection.field.as_deref().unwrap_or_default();
        Self {
            code: rejection.code.clone(),
            detail: rejection.message.clone(),
            pointer: format!("{place}{inner}"),
            remedy: rejection.remedy.clone(),
        }
    }

    /// A fault of an event that does not read.
    #[must_use]
    pub fn invalid(place: &str, invalid: Invalid) -> Self {
        Self {
            code: invalid.code.to_owned(),
            detail: invalid.message,
            pointer: format!("{place}{}", invalid.pointer),
            remedy: invalid.remedy,
        }
    }
}

/// A refusal on its way to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Why.
    pub code: Code,
    /// More than the code says.
    pub detail: Option<String>,
    /// The places.
    pub errors: Vec<Fault>,
    /// Seconds after which it may be asked again.
    pub retry_after: Option<u64>,
}

/// How long a caller waits before it asks again, where nothing better is known.
const RETRY_SECONDS: u64 = 1;

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        let retry_after = matches!(code.status(), 429 | 503).then_some(RETRY_SECONDS);
        Self { code, detail: None, errors: Vec::new(), retry_after }
    }
}

#[derive(Serialize)]
struct Told<'p> {
    r#type: String,
    /// The code in the registry of errors.
    error: String,
    title: &'static str,
    status: u16,
    detail: &'p str,
    code: &'p str,
    remedy: &'p str,
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    errors: &'p [Fault],
    request_id: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

impl Problem {
    /// A problem with more words.
    #[must_use]
    pub fn with_detail(code: Code, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::from(code) }
    }

    /// A problem with these faults; a single one gives its own code to the whole.
    #[must_use]
    pub fn of_faults(errors: Vec<Fault>) -> Self {
        let is_reuse = !errors.is_empty() && errors.iter().all(|fault| fault.code == Code::IdReuse.name());
        let code = if is_reuse { Code::IdReuse } else { Code::Invalid };
        Self { errors, ..Self::from(code) }
    }

    /// The response.
    #[must_use]
    pub fn response(self, request_id: &str) -> Response<Body> {
        let only = if let [only] = &self.errors[..] { Some(only) } else { None };
        let code = only.map_or(self.code.name(), |only| only.code.as_str());
        let registered = codes::Code::of_refusal(code);
        let told = Told {
            r#type: registered.link(),
            error: registered.to_string(),
            title: self.code.title(),
            status: self.code.status(),
            detail: self.detail.as_deref().or(only.map(|only| only.detail.as_str())).unwrap_or(self.code.title()),
            code,
            remedy: only.map_or(self.code.remedy(), |only| only.remedy.as_str()),
            errors: &self.errors,
            request_id,
            retry_after: self.retry_after,
        };
        let body = serde_json::to_vec(&told).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code == Code::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, codes};

    #[test]
    fn every_refusal_of_the_door_is_in_the_registry() {
        for code in Code::ALL {
            let registered = codes::Code::of_word(code.name());
            assert!(registered.is_some_and(|code| code.to_string().starts_with("SYN-3") || code == codes::Code::IdReuse), "{}", code.name());
        }
    }
}
