//! What Salesforce's error codes mean and what a person can do about each.
//!
//! Promises: every code that Salesforce documents for this use is listed once; statuses decide only where no code is listed;
//! messages are read for what Salesforce says nowhere else (which limit, which record holds a value) and never repeated.
//! Leaves to others: which item an error belongs to (`decode`).

use std::time::Duration;

use serde::Deserialize;
use syncline_core::attempt::Operation;

use crate::systems::answers;
use crate::systems::refusals::{Class, Entry, Refusal, clean_name, entry, lookup};
use crate::transport::HttpResponse;

/// How long to wait for a rolling day's quota: some of it comes back all the time.
const DAY_PROBE: Duration = Duration::from_secs(300);
const STORAGE_PROBE: Duration = Duration::from_secs(900);

/// Codes of data resources.
pub const TABLE: &[Entry] = &[
    entry(
        "INVALID_SESSION_ID",
        Class::Auth,
        "nothing to do: a new token is fetched; if it persists, see the app's session policies",
    ),
    entry("REQUEST_LIMIT_EXCEEDED", Class::Throttled, "lower other users' share of the org's API requests, buy more, or wait"),
    entry(
        "SERVER_UNAVAILABLE",
        Class::Transient,
        "nothing to do: Salesforce is overloaded or in maintenance; see status.salesforce.com",
    ),
    entry(
        "UNKNOWN_EXCEPTION",
        Class::Ambiguous,
        "nothing to do at first; if it persists, give the request's time to Salesforce support",
    ),
    entry(
        "QUERY_TIMEOUT",
        Class::Transient,
        "nothing to do at first; if it persists, ask Salesforce for an index on the key field",
    ),
    entry("UNABLE_TO_LOCK_ROW", Class::Transient, "nothing to do: another transaction holds the record or its account"),
    entry("DUPLICATE_VALUE", Class::Conflict, "see which of the two records should hold the value and clear it on the other"),
    entry(
        "DUPLICATES_DETECTED",
        Class::Permanent,
        "merge with the record that the org's duplicate rule found, or let the integration user pass that rule",
    ),
    entry("DUPLICATE_EXTERNAL_ID", Class::Permanent, "merge the records that bear the same key, and mark the key field Unique"),
    entry("ENTITY_IS_DELETED", Class::Gone, "restore the record from the recycle bin, or choose what follows with on_gone"),
    entry(
        "INVALID_CROSS_REFERENCE_KEY",
        Class::Gone,
        "the record, or one that a lookup field names, does not exist: correct the lookup or choose on_gone",
    ),
    entry("NOT_FOUND", Class::Gone, "see that the object and its key field exist and that the integration user may see them"),
    entry("MALFORMED_ID", Class::Permanent, "the stored id is of another object: let go of the link and sync the record anew"),
    entry(
        "REQUIRED_FIELD_MISSING",
        Class::Doubtful,
        "give the record a value for the field, map one to it, or configure a filler",
    ),
    entry("STRING_TOO_LONG", Class::Doubtful, "shorten the value at its source, or widen the field"),
    entry("INVALID_EMAIL_ADDRESS", Class::Permanent, "correct the e-mail address at its source"),
    entry(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        Class::Doubtful,
        "map the value to one of the picklist's values, or add it to the picklist",
    ),
    entry(
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        Class::Permanent,
        "correct the record so that the org's validation rule passes, or exempt the integration user",
    ),
    entry("FIELD_INTEGRITY_EXCEPTION", Class::Permanent, "correct the value: it does not fit the field's list or range"),
    entry(
        "INVALID_FIELD",
        Class::BoundaryWide,
        "create the field or grant the integration user access to it, or remove it from the mapping",
    ),
    entry(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        Class::BoundaryWide,
        "grant the integration user edit access to the field, or remove it from the mapping",
    ),
    entry(
        "INSUFFICIENT_ACCESS_OR_READONLY",
        Class::Permanent,
        "grant the integration user edit access to the object and to this record",
    ),
    entry(
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        Class::Permanent,
        "grant the integration user access to the record that a lookup field or the owner names",
    ),
    entry(
        "CANNOT_UPDATE_CONVERTED_LEAD",
        Class::Permanent,
        "the lead was converted: link the record to its contact, or grant View and Edit Converted Leads",
    ),
    entry(
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        Class::Permanent,
        "see which trigger or flow of the org fails for this record and repair it",
    ),
    entry("APEX_ERROR", Class::Permanent, "see which trigger of the org fails for this record and repair it"),
    entry("CANNOT_EXECUTE_FLOW_TRIGGER", Class::Permanent, "see which flow of the org fails for this record and repair it"),
    entry("INACTIVE_OWNER_OR_USER", Class::Permanent, "give the record an active owner"),
    entry("ENTITY_IS_LOCKED", Class::Permanent, "finish the approval that locks the record, then replay"),
    entry("DELETE_FAILED", Class::Permanent, "remove what depends on the record, then replay"),
    entry("STORAGE_LIMIT_EXCEEDED", Class::Transient, "free or buy data storage in the org; work goes on by itself"),
    entry("API_DISABLED_FOR_ORG", Class::AccountWide, "turn API access on for the org's edition"),
    entry("API_CURRENTLY_DISABLED", Class::AccountWide, "grant the integration user the API Enabled permission"),
    entry("INVALID_QUERY_LOCATOR", Class::Transient, "nothing to do: the query starts anew"),
    entry("JSON_PARSER_ERROR", Class::Doubtful, "report this: the request was malformed"),
    entry("INVALID_TYPE", Class::BoundaryWide, "see that the object exists and that the integration user may see it"),
    entry("MALFORMED_QUERY", Class::Permanent, "report this: the query was malformed"),
    entry("METHOD_NOT_ALLOWED", Class::AccountWide, "use an API version that serves sObject Collections (46.0 or later)"),
    entry("UNSUPPORTED_MEDIA_TYPE", Class::AccountWide, "see whether a proxy changes the requests' content type"),
    entry(
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        Class::Transient,
        "nothing to do: the row is sent again without the one that failed",
    ),
    entry("PROCESSING_HALTED", Class::Transient, "nothing to do: the row is sent again without the one that failed"),
    entry("BATCH_PROCESSING_HALTED", Class::Transient, "nothing to do: the row is sent again without the one that failed"),
];

/// Codes of the token endpoint.
pub const TOKEN_TABLE: &[Entry] = &[
    entry(
        "invalid_grant",
        Class::Auth,
        "see that the app has an active execution user and allows the client credentials flow from this address",
    ),
    entry("invalid_client_id", Class::Auth, "correct the client id: the org knows no app with this consumer key"),
    entry("invalid_client", Class::Auth, "correct the client secret"),
    entry("invalid_request", Class::Auth, "see that url is the org's My Domain address, not login.salesforce.com"),
    entry("unsupported_grant_type", Class::Auth, "turn this way to sign in on in the app's OAuth settings"),
];

/// One error as Salesforce writes it: `errorCode` in bodies, `statusCode` in results.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ErrorEntry {
    #[serde(alias = "statusCode", rename = "errorCode", default)]
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    fields: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ErrorBody {
    Several(Vec<ErrorEntry>),
    One(ErrorEntry),
}

/// What an answer other than 2xx says of the whole request.
#[must_use]
pub fn whole(response: &HttpResponse) -> Refusal {
    let entries = match answers::json::<ErrorBody>(response) {
        Ok(ErrorBody::Several(entries)) => entries,
        Ok(ErrorBody::One(entry)) => vec![entry],
        Err(_) => Vec::new(),
    };
    let first = worst(&entries);
    let listed = first.and_then(|error| lookup(TABLE, &error.code).map(|entry| (error, entry.class)));
    let status = response.status;
    let believed = match (status, listed) {
        // A server error may have happened after the work was done, unless its code says that none was.
        (500.., Some((_, class))) => matches!(class, Class::Transient | Class::Throttled),
        (_, listed) => listed.is_some(),
    };
    let mut refusal = match listed {
        Some((error, _)) if believed => read(error),
        _ => by_status(status, first.map_or("", |error| error.code.as_str())),
    };
    if refusal.rejection.code == "NOT_FOUND" {
        refusal.class = Class::BoundaryWide;
    }
    if status == 403 && refusal.class == Class::Permanent {
        refusal.class = Class::BoundaryWide;
    }
    if let Some(asked) = answers::retry_after(response) {
        refusal.after = Some(asked);
    }
    refusal
}

/// What the errors of one row mean; None if the row has none.
#[must_use]
pub fn row(operation: Operation, entries: &[ErrorEntry]) -> Option<Refusal> {
    let error = worst(entries)?;
    let mut refusal = read(error);
    let names_field = error.fields.as_ref().is_some_and(|fields| !fields.is_empty());
    refusal.class = match (refusal.class, operation) {
        // The row says that it was not saved, so nothing is open about it.
        (Class::Ambiguous, Operation::Create | Operation::Update | Operation::Delete) => Class::Transient,
        (Class::Gone, Operation::Create) => Class::Permanent,
        (Class::Gone, Operation::Update) if names_field => Class::Permanent,
        // Whether a record may be created does not depend on the record.
        (Class::Permanent, Operation::Create) if error.code == "INSUFFICIENT_ACCESS_OR_READONLY" => Class::BoundaryWide,
        (class, Operation::Create | Operation::Update | Operation::Delete) => class,
    };
    Some(refusal)
}

/// The error that decides where a row has several: what no retry mends comes first.
fn worst(entries: &[ErrorEntry]) -> Option<&ErrorEntry> {
    entries.iter().rev().max_by_key(|error| lookup(TABLE, &error.code).map_or(Class::Permanent, |entry| entry.class))
}

fn read(error: &ErrorEntry) -> Refusal {
    let field =
        holder_field(error).or_else(|| error.fields.as_ref().and_then(|fields| fields.first()).and_then(|name| clean_name(name)));
    let Some(listed) = lookup(TABLE, &error.code) else {
        return Refusal::new(
            Class::Permanent,
            &error.code,
            field,
            "look the code up in Salesforce's list of status codes, correct the cause, then replay",
        );
    };
    let mut refusal = Refusal::new(listed.class, listed.code, field, listed.remedy);
    match listed.code {
        "REQUEST_LIMIT_EXCEEDED" if error.message.starts_with("Concurrent") => refusal.after = Some(Duration::from_secs(2)),
        "REQUEST_LIMIT_EXCEEDED" => {
            refusal.pool = Some(super::config::DAY);
            refusal.after = Some(DAY_PROBE);
        }
        "UNABLE_TO_LOCK_ROW" => refusal.after = Some(Duration::from_secs(1)),
        "STORAGE_LIMIT_EXCEEDED" => refusal.after = Some(STORAGE_PROBE),
        "DUPLICATE_VALUE" => refusal.by = holder(&error.message),
        // A trigger that ran into a lock passes the lock's code on in its own text.
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" if error.message.contains("UNABLE_TO_LOCK_ROW") => {
            refusal.class = Class::Transient
        }
        "INVALID_SESSION_ID" if is_set_up(&error.message) => {
            refusal.class = Class::AccountWide;
            "allow the REST API for the app's sessions and attach the app to its agent".clone_into(&mut refusal.rejection.remedy);
        }
        _ => {}
    }
    refusal
}

/// Two texts under the session code mean set-up; no new token helps.
fn is_set_up(message: &str) -> bool {
    message.contains("not valid for use with the REST API") || message.contains("Connected app is not attached to Agent")
}

/// `duplicate value found: F duplicates value on record with id: I`: F.
fn holder_field(error: &ErrorEntry) -> Option<String> {
    clean_name(error.message.strip_prefix("duplicate value found: ")?.split(' ').next()?)
}

/// The same: I.
fn holder(message: &str) -> Option<String> {
    let id = message.rsplit("record with id: ").next()?.trim();
    super::decode::long_id(id)
}

fn by_status(status: u16, code: &str) -> Refusal {
    let (class, remedy) = match status {
        401 => (Class::Auth, "see that the app's token is still allowed"),
        403 => (Class::AccountWide, "grant the integration user API access from this address"),
        404 | 405 | 410 | 415 => (Class::AccountWide, "see that the address is right and that the API version is still served"),
        420 | 503 => (Class::Transient, "nothing to do: Salesforce turned the request away for now"),
        429 => (Class::Throttled, "nothing to do: Salesforce asks for a slower pace"),
        400 | 402 | 406 | 407 | 409 | 411..=414 | 416..=419 | 421..=428 | 430..=499 => {
            (Class::Permanent, "look the status and code up in Salesforce's documentation, correct the cause, then replay")
        }
        _ => (Class::Ambiguous, "nothing to do: the records are read back before anything is repeated"),
    };
    let code = if code.is_empty() { format!("HTTP {status}") } else { code.to_owned() };
    let after = (status == 429).then_some(Duration::from_secs(1));
    Refusal::new(class, &code, None, remedy).after(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every code of the catalogue, in its order.
    const DOCUMENTED: &str = "INVALID_SESSION_ID REQUEST_LIMIT_EXCEEDED SERVER_UNAVAILABLE UNKNOWN_EXCEPTION QUERY_TIMEOUT UNABLE_TO_LOCK_ROW \
        DUPLICATE_VALUE DUPLICATES_DETECTED DUPLICATE_EXTERNAL_ID ENTITY_IS_DELETED INVALID_CROSS_REFERENCE_KEY NOT_FOUND MALFORMED_ID \
        REQUIRED_FIELD_MISSING STRING_TOO_LONG INVALID_EMAIL_ADDRESS INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST \
        FIELD_CUSTOM_VALIDATION_EXCEPTION FIELD_INTEGRITY_EXCEPTION INVALID_FIELD INVALID_FIELD_FOR_INSERT_UPDATE \
        INSUFFICIENT_ACCESS_OR_READONLY INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY CANNOT_UPDATE_CONVERTED_LEAD \
        CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY APEX_ERROR CANNOT_EXECUTE_FLOW_TRIGGER INACTIVE_OWNER_OR_USER ENTITY_IS_LOCKED DELETE_FAILED \
        STORAGE_LIMIT_EXCEEDED API_DISABLED_FOR_ORG API_CURRENTLY_DISABLED INVALID_QUERY_LOCATOR JSON_PARSER_ERROR INVALID_TYPE \
        MALFORMED_QUERY ALL_OR_NONE_OPERATION_ROLLED_BACK PROCESSING_HALTED BATCH_PROCESSING_HALTED METHOD_NOT_ALLOWED UNSUPPORTED_MEDIA_TYPE";

    #[test]
    fn every_documented_code_is_listed_once_with_a_remedy() {
        for code in DOCUMENTED.split_whitespace() {
            assert_eq!(TABLE.iter().filter(|entry| entry.code == code).count(), 1, "{code}");
        }
        for code in ["invalid_grant", "invalid_client_id", "invalid_client", "invalid_request", "unsupported_grant_type"] {
            assert_eq!(TOKEN_TABLE.iter().filter(|entry| entry.code == code).count(), 1, "{code}");
        }
        for entry in TABLE.iter().chain(TOKEN_TABLE) {
            assert!(entry.remedy.split_whitespace().count() >= 4, "{} has no usable remedy", entry.code);
        }
    }

    fn error(code: &str, message: &str, fields: &[&str]) -> ErrorEntry {
        ErrorEntry {
            code: code.into(),
            message: message.into(),
            fields: Some(fields.iter().map(|name| (*name).to_owned()).collect()),
        }
    }

    #[test]
    fn the_holder_of_a_value_is_read_from_the_message_and_nothing_else_is() {
        let text = "duplicate value found: Email duplicates value on record with id: 0035g00000Qa1Zx";
        let refusal = row(Operation::Update, &[error("DUPLICATE_VALUE", text, &[])]).unwrap();
        assert_eq!(refusal.by.as_deref(), Some("0035g00000Qa1ZxAAJ"));
        assert_eq!(refusal.rejection.field.as_deref(), Some("Email"));
        let unnamed = error("DUPLICATE_VALUE", "duplicate value found: Email duplicates value on record with id: <unknown>", &[]);
        assert_eq!(row(Operation::Update, &[unnamed]).unwrap().by, None);
        let long = error("STRING_TOO_LONG", "Last Name: data value too large: Secretsson (max length=80)", &["LastName"]);
        let rejection = row(Operation::Create, &[long]).unwrap().rejection;
        assert!(!format!("{rejection:?}").contains("Secretsson"));
        assert_eq!(rejection.field.as_deref(), Some("LastName"));
    }

    #[test]
    fn a_missing_record_is_gone_but_a_bad_lookup_is_not() {
        let bare = [error("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &[])];
        let lookup = [error("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", &["AccountId"])];
        assert_eq!(row(Operation::Update, &bare).unwrap().class, Class::Gone);
        assert_eq!(row(Operation::Delete, &bare).unwrap().class, Class::Gone);
        assert_eq!(row(Operation::Create, &bare).unwrap().class, Class::Permanent);
        assert_eq!(row(Operation::Update, &lookup).unwrap().class, Class::Permanent);
    }

    #[test]
    fn the_worst_of_several_errors_decides() {
        let several = [
            error("UNABLE_TO_LOCK_ROW", "", &[]),
            error("STRING_TOO_LONG", "", &["LastName"]),
            error("INVALID_EMAIL_ADDRESS", "", &["Email"]),
        ];
        assert_eq!(row(Operation::Create, &several).unwrap().rejection.code, "STRING_TOO_LONG");
        assert_eq!(row(Operation::Create, &[]), None);
    }
}
