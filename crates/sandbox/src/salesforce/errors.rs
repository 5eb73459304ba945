//! Error bodies in Salesforce's shapes, with its codes and texts.
//!
//! Promises: a fault renders as `errorCode` in a single answer and as `statusCode` inside a collections result;
//! `fields` is absent for faults that do not come from saving a row.
//! Leaves to others: when a fault is due.

use serde_json::{Value, json};

use super::wire;
use crate::exchange::Response;

/// Codes of a row that is not saved, which a fault script may ask for.
pub const ROW_CODES: &[&str] = &[
    "FIELD_CUSTOM_VALIDATION_EXCEPTION",
    "FIELD_INTEGRITY_EXCEPTION",
    "REQUIRED_FIELD_MISSING",
    "STRING_TOO_LONG",
    "INVALID_EMAIL_ADDRESS",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
    "INVALID_FIELD_FOR_INSERT_UPDATE",
    "INVALID_CROSS_REFERENCE_KEY",
    "DUPLICATE_VALUE",
    "DUPLICATES_DETECTED",
    "UNABLE_TO_LOCK_ROW",
    "ENTITY_IS_DELETED",
    "ENTITY_IS_LOCKED",
    "DELETE_FAILED",
    "CANNOT_UPDATE_CONVERTED_LEAD",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
    "CANNOT_EXECUTE_FLOW_TRIGGER",
    "APEX_ERROR",
    "INACTIVE_OWNER_OR_USER",
    "INSUFFICIENT_ACCESS_OR_READONLY",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
    "STORAGE_LIMIT_EXCEEDED",
];

/// The status of a single answer with that code.
pub(super) fn row_status(code: &str) -> u16 {
    match code {
        "ENTITY_IS_DELETED" | "INVALID_CROSS_REFERENCE_KEY" => 404,
        "INSUFFICIENT_ACCESS_OR_READONLY" => 403,
        _ => 400,
    }
}

/// One error of an answer or of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Status of the answer if this fault is the answer.
    pub(super) status: u16,
    /// Salesforce's code.
    pub(super) code: &'static str,
    /// Salesforce's text.
    pub(super) message: String,
    /// Blamed fields; None if this kind of error never names any.
    pub(super) fields: Option<Vec<String>>,
    /// What a duplicate rule found, which single answers tell and results do not.
    pub(super) details: Option<Box<Value>>,
}

impl Fault {
    /// An error about the request.
    pub(super) fn request(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), fields: None, details: None }
    }

    /// An error about saving a row.
    pub(super) fn row(code: &'static str, message: impl Into<String>, fields: &[&str]) -> Self {
        let fields = Some(fields.iter().map(|field| (*field).to_owned()).collect());
        Self { status: 400, code, message: message.into(), fields, details: None }
    }

    /// The element inside a collections result.
    pub(super) fn in_result(&self) -> Value {
        json!({ "statusCode": self.code, "message": self.message, "fields": self.fields.clone().unwrap_or_default() })
    }

    fn in_answer(&self) -> Value {
        if let Some(details) = &self.details {
            // The key is spelled so on the wire.
            return json!({ "duplicateResut": details, "errorCode": self.code, "message": self.message });
        }
        self.fields.as_ref().map_or_else(
            || json!({ "message": self.message, "errorCode": self.code }),
            |fields| json!({ "message": self.message, "errorCode": self.code, "fields": fields }),
        )
    }
}

/// The answer that consists of these faults.
pub(super) fn answer(faults: &[Fault]) -> Response {
    let status = faults.first().map_or(500, |fault| fault.status);
    wire::json(status, &Value::Array(faults.iter().map(Fault::in_answer).collect()))
}

pub(super) fn session_invalid() -> Fault {
    Fault::request(401, "INVALID_SESSION_ID", "Session expired or invalid")
}

pub(super) fn quota_spent() -> Fault {
    Fault::request(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
}

pub(super) fn too_many_at_once() -> Fault {
    Fault::request(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
}

pub(super) fn not_found() -> Fault {
    Fault::request(404, "NOT_FOUND", "The requested resource does not exist")
}

pub(super) fn no_such_key(name: &str) -> Fault {
    Fault::request(404, "NOT_FOUND", format!("Provided external ID field does not exist or is not accessible: {name}"))
}

pub(super) fn no_such_column(name: &str, object: &str) -> Fault {
    Fault::request(400, "INVALID_FIELD", format!("No such column '{name}' on sobject of type {object}"))
}

pub(super) fn not_in_body(name: &str) -> Fault {
    Fault::request(400, "INVALID_FIELD", format!("The {name} field should not be specified in the sobject data."))
}

pub(super) fn method_not_allowed(method: &str, allowed: &str) -> Fault {
    Fault::request(405, "METHOD_NOT_ALLOWED", format!("HTTP Method '{method}' not allowed. Allowed are {allowed}"))
}

pub(super) fn unreadable_json(body: &[u8], error: &serde_json::Error) -> Fault {
    let text = String::from_utf8_lossy(body);
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or("");
    let what = line.chars().nth(error.column().saturating_sub(1)).filter(|_| !error.is_eof()).map_or_else(
        || "Unexpected end-of-input".to_owned(),
        |found| format!("Unexpected character ('{found}' (code {}))", u32::from(found)),
    );
    Fault::request(400, "JSON_PARSER_ERROR", format!("{what} at [line:{}, column:{}]", error.line(), error.column()))
}

pub(super) fn unexpected_json(what: &str) -> Fault {
    Fault::request(400, "JSON_PARSER_ERROR", format!("{what} or request may be missing a required field at [line:1, column:1]"))
}

pub(super) fn row_deleted() -> Fault {
    Fault { status: 404, ..Fault::row("ENTITY_IS_DELETED", "entity is deleted", &[]) }
}

pub(super) fn row_missing() -> Fault {
    Fault { status: 404, ..Fault::row("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[]) }
}

pub(super) fn rolled_back() -> Fault {
    Fault::row(
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "Record rolled back because not all records were valid and the request was using AllOrNone header",
        &[],
    )
}
