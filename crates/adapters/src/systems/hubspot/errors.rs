//! What HubSpot's statuses, categories and codes mean and what a person can do about each.
//!
//! Promises: every documented one is listed once; the status decides before the body, as HubSpot asks for; messages are read for
//! what HubSpot says nowhere else (who holds a value, which property) and never repeated.
//! Leaves to others: which item an error belongs to (`decode`).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use syncline_core::attempt::Operation;

use super::config::{BURST, DAY, SEARCH};
use super::limits;
use crate::systems::answers;
use crate::systems::refusals::{Class, Entry, Refusal, clean_name, entry, lookup};
use crate::transport::HttpResponse;

/// Ours for a clash on a unique property, which HubSpot tells only in its message.
const TAKEN: &str = "UNIQUE_VALUE_TAKEN";
/// Ours for a key property that is not unique, likewise.
const NOT_UNIQUE: &str = "NON_UNIQUE_PROPERTY";
/// Ours for an object type that does not exist, likewise.
const NO_OBJECT: &str = "UNKNOWN_OBJECT_TYPE";

/// The status of a refused token.
pub const UNAUTHORISED: u16 = 401;

/// Statuses, categories, codes of properties, policies and codes of the token endpoint.
pub const TABLE: &[Entry] = &[
    entry("VALIDATION_ERROR", Class::Permanent, "correct the record so that it meets the account's property definitions"),
    entry("PROPERTY_DOESNT_EXIST", Class::BoundaryWide, "create the property in HubSpot, or remove it from the mapping"),
    entry("READ_ONLY_VALUE", Class::BoundaryWide, "remove the property from the mapping: HubSpot computes its value"),
    entry(
        "INVALID_EMAIL",
        Class::Permanent,
        "correct the e-mail address at its source; HubSpot also checks its top-level domain",
    ),
    entry("INVALID_OPTION", Class::Doubtful, "map the value to one of the property's options, or add the option in HubSpot"),
    entry("INVALID_INTEGER", Class::Doubtful, "map the property to a field that holds plain numbers"),
    entry("INVALID_LONG", Class::Doubtful, "map the property to a field that holds a point in time, or whole numbers"),
    entry("INVALID_DATE", Class::Doubtful, "map the property to a field that holds a calendar day"),
    entry("LEADING_TRAILING_WHITESPACE", Class::Permanent, "trim the value at its source or in the mapping"),
    entry("INVALID_ALPHA", Class::Permanent, "correct the value so that the property's validation rule passes"),
    entry("MISSING_REQUIRED_PROPERTY", Class::Permanent, "give the record a value for the property, or configure a filler"),
    entry(
        "MISSING_CONDITIONAL_REQUIRED_PROPERTY",
        Class::Permanent,
        "give the record a value for the property that another one's value makes required",
    ),
    entry(
        "GDPR_BLACKLISTED_EMAIL",
        Class::Permanent,
        "the address was deleted for privacy: only HubSpot's support can unblock it",
    ),
    entry(
        "CONFLICT",
        Class::Conflict,
        "see which of the two contacts should hold the e-mail address and clear it on the other, or merge them",
    ),
    entry("OBJECT_ALREADY_EXISTS", Class::Conflict, "merge the two records in HubSpot, or choose what follows with on_existing"),
    entry(TAKEN, Class::Conflict, "see which of the two contacts should hold the value and clear it on the other, or merge them"),
    entry("OBJECT_NOT_FOUND", Class::Gone, "restore the contact in HubSpot, or choose what follows with on_gone"),
    entry(NOT_UNIQUE, Class::BoundaryWide, "name a key property that was created with unique values"),
    entry(NO_OBJECT, Class::BoundaryWide, "correct the object's name in the boundary"),
    entry("INVALID_AUTHENTICATION", Class::Auth, "make a new token in the account and put it into the configuration"),
    entry("EXPIRED_AUTHENTICATION", Class::Auth, "use a token that does not expire (a service key), or renew it"),
    entry(
        "MISSING_SCOPES",
        Class::BoundaryWide,
        "grant the token the scopes crm.objects.contacts.read and .write and crm.schemas.contacts.read",
    ),
    entry("BAD_REFRESH_TOKEN", Class::Auth, "connect the account again: its refresh token is no longer good"),
    entry("BAD_AUTH_CODE", Class::Auth, "connect the account again: the code is not good"),
    entry("EXPIRED_AUTH_CODE", Class::Auth, "connect the account again: the code is too old"),
    entry("BAD_CLIENT_ID", Class::Auth, "correct the app's client id"),
    entry("BAD_CLIENT_SECRET", Class::Auth, "correct the app's client secret"),
    entry("BAD_REDIRECT_URI", Class::Auth, "register the redirect address with the app"),
    entry("BAD_GRANT_TYPE", Class::Auth, "use a grant that the app allows"),
    entry("BAD_SCOPES", Class::Auth, "ask only for scopes that the app declares"),
    entry("BAD_CODE_VERIFIER", Class::Auth, "connect the account again: the code's proof does not fit"),
    entry("BAD_HUB", Class::Auth, "the account is gone: connect another one"),
    entry("RATE_LIMIT", Class::Throttled, "lower other apps' share of the account's calls, or raise its limit"),
    entry("TEN_SECONDLY_ROLLING", Class::Throttled, "nothing to do: the ten-second limit frees itself; other users share it"),
    entry("SECONDLY", Class::Throttled, "nothing to do: the limit of searches frees itself; other users share it"),
    entry("DAILY", Class::Throttled, "wait for midnight in the account's time zone, or raise its daily limit"),
    entry("HTTP 400", Class::Permanent, "correct the record so that it meets the account's property definitions"),
    entry("HTTP 401", Class::Auth, "make a new token in the account and put it into the configuration"),
    entry("HTTP 403", Class::BoundaryWide, "grant the token access to the object, and see that the account's plan covers it"),
    entry("HTTP 404", Class::AccountWide, "see that the address is right and that the API version is still served"),
    entry("HTTP 409", Class::Permanent, "see which other record holds the same value, and clear it on one of the two"),
    entry(
        "HTTP 414",
        Class::Permanent,
        "the record has too many merged identities, or a name is too long: correct it in HubSpot",
    ),
    entry("HTTP 423", Class::Transient, "nothing to do: another large operation holds the records"),
    entry("HTTP 429", Class::Throttled, "lower other apps' share of the account's calls, or raise its limit"),
    entry("HTTP 477", Class::Transient, "nothing to do: HubSpot is moving the account to another data centre"),
    entry("HTTP 500", Class::Ambiguous, "nothing to do at first; if it persists, see status.hubspot.com"),
    entry("HTTP 502", Class::Ambiguous, "nothing to do: the records are read back before anything is repeated"),
    entry("HTTP 503", Class::Transient, "nothing to do: HubSpot turned the request away for now"),
    entry("HTTP 504", Class::Ambiguous, "nothing to do: the records are read back before anything is repeated"),
    entry("HTTP 521", Class::Transient, "nothing to do: HubSpot's edge cannot reach its servers"),
    entry("HTTP 522", Class::Ambiguous, "nothing to do: the records are read back before anything is repeated"),
    entry("HTTP 523", Class::Transient, "nothing to do: HubSpot's edge cannot reach its servers"),
    entry("HTTP 524", Class::Ambiguous, "nothing to do: the records are read back before anything is repeated"),
    entry("HTTP 525", Class::Transient, "nothing to do at first; if it persists, see status.hubspot.com"),
    entry("HTTP 526", Class::Transient, "nothing to do at first; if it persists, see status.hubspot.com"),
];

/// One error as HubSpot writes it, as a whole body or as an entry of a partial answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ErrorEntry {
    message: String,
    category: Option<String>,
    policy_name: Option<String>,
    errors: Option<Vec<Detail>>,
    context: Option<BTreeMap<String, Value>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Detail {
    code: Option<String>,
    context: Option<BTreeMap<String, Value>>,
}

/// A property's fault as it stands inside a message.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Embedded {
    error: Option<String>,
    name: Option<String>,
}

impl ErrorEntry {
    /// A list of the entry's context; numbers and a lone text are taken too.
    #[must_use]
    pub fn listed(&self, name: &str) -> Vec<String> {
        texts(self.context.as_ref(), name)
    }
}

/// What an answer other than 2xx says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// Of the request.
    pub refusal: Refusal,
    /// The record at fault, where HubSpot names it.
    pub record: Option<String>,
}

/// What an answer other than 2xx says of the whole request.
#[must_use]
pub fn whole(response: &HttpResponse) -> Whole {
    let error = answers::json::<ErrorEntry>(response).unwrap_or_default();
    let status = response.status;
    let mut refusal = match status {
        401 | 403 | 423 | 477 | 500.. => by_status(status, &error),
        429 => throttled(&error, response),
        400..=499 => read(&error).unwrap_or_else(|| by_status(status, &error)),
        _ => by_status(status, &error),
    };
    let asked = answers::retry_after(response);
    refusal.after = match status {
        423 => Some(asked.unwrap_or_default().max(Duration::from_secs(2))),
        _ => asked.or(refusal.after),
    };
    Whole { refusal, record: clash(&error.message).and_then(|clash| clash.on) }
}

/// What an entry of a partial answer means for the items that it names.
#[must_use]
pub fn row(operation: Operation, error: &ErrorEntry) -> Refusal {
    let unlisted = || {
        Refusal::new(
            Class::Permanent,
            error.category.as_deref().unwrap_or("uncategorised"),
            None,
            "look the category up in HubSpot's documentation, correct the cause, then replay",
        )
    };
    let mut refusal = read(error).unwrap_or_else(unlisted);
    if refusal.class == Class::Gone && operation == Operation::Create {
        refusal.class = Class::Permanent;
    }
    refusal
}

/// What the body alone says; None if it holds nothing that is listed.
fn read(error: &ErrorEntry) -> Option<Refusal> {
    if let Some(clash) = clash(&error.message) {
        let mut refusal = listed(TAKEN, clash.property)?;
        refusal.by = clash.by;
        return Some(refusal);
    }
    if error.message.contains("by non-unique") {
        return listed(NOT_UNIQUE, None);
    }
    if error.message.starts_with("Unable to infer object type") {
        return listed(NO_OBJECT, None);
    }
    let worst = property_faults(error)
        .into_iter()
        .rev()
        .filter_map(|(code, field)| listed(&code, field))
        .max_by_key(|refusal| refusal.class);
    if worst.is_some() {
        return worst;
    }
    if let Some((code, field)) = property_faults(error).into_iter().next() {
        // An account's own validation rules have codes of their own.
        return Some(Refusal::new(
            Class::Permanent,
            &code,
            field,
            "correct the value so that the property's validation rule passes",
        ));
    }
    let category = error.category.as_deref()?;
    let is_conflict = matches!(category, "CONFLICT" | "OBJECT_ALREADY_EXISTS");
    let mut refusal = listed(category, is_conflict.then(|| "email".to_owned()))?;
    if is_conflict {
        refusal.by = existing(error);
    }
    Some(refusal)
}

fn listed(code: &str, field: Option<String>) -> Option<Refusal> {
    lookup(TABLE, code).map(|entry| Refusal::new(entry.class, entry.code, field, entry.remedy))
}

/// Codes and properties of a validation error; the list and the one inside the message complete each other.
fn property_faults(error: &ErrorEntry) -> Vec<(String, Option<String>)> {
    let mut faults = Vec::new();
    for detail in error.errors.iter().flatten() {
        let Some(code) = detail.code.clone() else { continue };
        faults.push((code, texts(detail.context.as_ref(), "propertyName").first().and_then(|name| clean_name(name))));
    }
    let embedded = error
        .message
        .strip_prefix("Property values were not valid: ")
        .and_then(|list| serde_json::from_str::<Vec<Embedded>>(list).ok());
    for fault in embedded.into_iter().flatten() {
        if let Some(code) = fault.error {
            faults.push((code, fault.name.as_deref().and_then(clean_name)));
        }
    }
    faults
}

fn existing(error: &ErrorEntry) -> Option<String> {
    let told =
        error.message.split("Existing ID: ").nth(1).map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    error.listed("existingId").into_iter().next().or(told).filter(|id| is_id(id))
}

struct Clash {
    property: Option<String>,
    on: Option<String>,
    by: Option<String>,
}

/// `… propertyName=P, value=… on O. B already has that value.` The value can hold anything, so the ends are read from outside.
fn clash(message: &str) -> Option<Clash> {
    let body = message.strip_suffix('.').unwrap_or(message).strip_suffix(" already has that value")?;
    let (rest, by) = body.rsplit_once(". ")?;
    let on = rest.rsplit_once(" on ").map(|(_, on)| on.to_owned()).filter(|id| is_id(id));
    let property = message.split("propertyName=").nth(1).and_then(|rest| rest.split(',').next()).and_then(clean_name);
    Some(Clash { property, on, by: Some(by.to_owned()).filter(|id| is_id(id)) })
}

/// Whether a text is a record id of HubSpot's.
#[must_use]
pub fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit())
}

fn throttled(error: &ErrorEntry, response: &HttpResponse) -> Refusal {
    let policy = error.policy_name.as_deref().and_then(|policy| lookup(TABLE, policy)).map_or("HTTP 429", |entry| entry.code);
    let mut refusal = listed(policy, None).unwrap_or_else(|| by_status(429, error));
    let interval = limits::interval(response).unwrap_or(Duration::from_secs(10));
    (refusal.pool, refusal.after) = match policy {
        "TEN_SECONDLY_ROLLING" => (Some(BURST), Some(interval)),
        "SECONDLY" => (Some(SEARCH), Some(Duration::from_secs(1))),
        "DAILY" => (Some(DAY), None),
        _ => (None, Some(interval)),
    };
    refusal
}

fn by_status(status: u16, error: &ErrorEntry) -> Refusal {
    let code = format!("HTTP {status}");
    let category = error.category.as_deref().and_then(|category| lookup(TABLE, category));
    let Some(entry) = lookup(TABLE, &code) else {
        let class = if (400..500).contains(&status) && status != 408 { Class::Permanent } else { Class::Ambiguous };
        return Refusal::new(class, &code, None, "look the status up in HubSpot's documentation, correct the cause, then replay");
    };
    // The category names the cause more closely where it does not contradict the status.
    let named = category.filter(|category| category.class == entry.class).unwrap_or(entry);
    let mut refusal = Refusal::new(named.class, named.code, None, named.remedy);
    let mut scopes: Vec<String> = error
        .errors
        .iter()
        .flatten()
        .flat_map(|detail| texts(detail.context.as_ref(), "requiredGranularScopes"))
        .filter_map(|scope| clean_name(&scope))
        .collect();
    scopes.sort();
    if named.code == "MISSING_SCOPES" && !scopes.is_empty() {
        refusal.rejection.remedy = format!("grant the token the scope {}", scopes.join(", "));
    }
    refusal
}

fn texts(context: Option<&BTreeMap<String, Value>>, name: &str) -> Vec<String> {
    match context.and_then(|context| context.get(name)) {
        Some(Value::Array(list)) => list.iter().filter_map(answers::text_of).collect(),
        Some(value) => answers::text_of(value).into_iter().collect(),
        None => Vec::new(),
    }
}

#[cfg(test)]
#[path = "errors_tests.rs"]
mod tests;
