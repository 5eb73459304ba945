//! The org's own words for faults that a script asks for: edge pages, overload, lost sessions, spent allowances.
//!
//! Promises: an answer of an edge node is HTML and never reached the org; an answer of the org is its error array.
//! Leaves to others: when a fault strikes and whether the request was applied (the fault rules around the emulator).

use super::errors::{self, Fault};
use super::{auth, wire};
use crate::exchange::Response;

/// Bodies that a fault script may ask for by name; `response` says of which status each is.
pub const FAULT_BODIES: &[&str] =
    &["html", "json", "empty", "concurrent", "daily", "session", "api", "lock", "timeout", "storage", "invalid_grant", "invalid_client_id"];

/// The answer of that status; `body` chooses among several, and an unknown choice is the usual one.
///
/// Bodies: 503 and 502, 504, 420 `html` (usual) or `empty`, 503 also `json`; 403 `concurrent` (usual) or `daily`;
/// 401 `session` (usual), `api` for a session that is not valid for REST; 400 `lock` (usual), `timeout`, `storage`,
/// `invalid_grant`, `invalid_client_id` (the last two are the token endpoint's).
pub(super) fn response(status: u16, body: Option<&str>) -> Response {
    match (status, body.unwrap_or("")) {
        (420 | 502 | 503 | 504, "empty") => wire::empty(status),
        (503, "json") => errors::answer(&[Fault::request(503, "SERVER_UNAVAILABLE", "The server is temporarily unavailable")]),
        (420 | 502 | 503 | 504, _) => wire::html(status, title(status)),
        (401, "api") => errors::answer(&[Fault::request(401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API")]),
        (401, _) => errors::answer(&[errors::session_invalid()]),
        (403, "daily") => errors::answer(&[errors::quota_spent()]),
        (403, _) => errors::answer(&[errors::too_many_at_once()]),
        (400, "invalid_grant") => auth::refused(400, "invalid_grant", "authentication failure"),
        (400, "invalid_client_id") => auth::refused(400, "invalid_client_id", "client identifier invalid"),
        (400, "timeout") => errors::answer(&[Fault::request(400, "QUERY_TIMEOUT", "Your query request was running for too long.")]),
        (400, "storage") => errors::answer(&[Fault::row("STORAGE_LIMIT_EXCEEDED", "storage limit exceeded", &[])]),
        (400, _) => errors::answer(&[Fault::row("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record or 1 records: 0015g00000Ab3CdAAJ", &[])]),
        (404, _) => errors::answer(&[errors::not_found()]),
        (500, _) => errors::answer(&[Fault::request(
            500,
            "UNKNOWN_EXCEPTION",
            "An unexpected error occurred. Please include this ErrorId if you contact support: 1785672000-12345 (-1234567890)",
        )]),
        (status, _) => wire::html(status, title(status)),
    }
}

/// Whether an answer of that status comes from the org, so that its call counts against the allowance.
pub(super) fn reached_the_org(status: u16, body: Option<&str>) -> bool {
    matches!(status, 400 | 401 | 404 | 500) && !body.is_some_and(|body| body.starts_with("invalid_"))
        || status == 503 && body == Some("json")
        || status == 403 && body != Some("daily")
}

fn title(status: u16) -> &'static str {
    match status {
        420 => "No routing for this organization",
        429 => "Too Many Requests",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Error",
    }
}
