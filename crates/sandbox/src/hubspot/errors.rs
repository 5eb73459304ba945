//! HubSpot's error bodies: the CRM envelope, the other envelope of 429, and the entries of a partial batch result.
//!
//! Promises: keys in the order of the wire (status, message, correlationId, context, errors, links, category); texts as
//! recorded from the service, since clients parse some of them.
//! Leaves to others: when an error applies (`write`, `batch`, `quota`), headers (`mod`).

use std::collections::BTreeMap;

use serde::Serialize;

use super::quota::Limit;

/// A call that is answered with an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) message: String,
    pub(super) category: Option<&'static str>,
    /// Set for 429, whose body has another shape.
    pub(super) limit: Option<Limit>,
    pub(super) rest: Box<Rest>,
}

/// The parts of the envelope that few errors have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Rest {
    pub(super) sub_category: Option<&'static str>,
    pub(super) context: BTreeMap<&'static str, Vec<String>>,
    pub(super) errors: Vec<Detail>,
    pub(super) links: BTreeMap<&'static str, &'static str>,
}

/// One entry of `errors` in the envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Detail {
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<String>,
    pub(super) context: BTreeMap<&'static str, Vec<String>>,
}

/// One property value that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Invalid {
    pub(super) property: String,
    pub(super) code: String,
    pub(super) message: String,
}

/// The envelope on the wire.
#[derive(Serialize)]
struct Envelope<'a> {
    status: &'static str,
    message: &'a str,
    #[serde(rename = "correlationId")]
    correlation_id: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    context: &'a BTreeMap<&'static str, Vec<String>>,
    #[serde(skip_serializing_if = "no_details")]
    errors: &'a [Detail],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    links: &'a BTreeMap<&'static str, &'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'static str>,
    #[serde(rename = "subCategory", skip_serializing_if = "Option::is_none")]
    sub_category: Option<&'static str>,
}

fn no_details(details: &&[Detail]) -> bool {
    details.is_empty()
}

/// The body of a 429.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LimitEnvelope<'a> {
    status: &'static str,
    message: &'a str,
    error_type: &'static str,
    correlation_id: &'a str,
    policy_name: &'static str,
    request_id: &'a str,
    group_name: String,
}

/// One entry of the property list that HubSpot embeds as text in the message.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Embedded<'a> {
    is_valid: bool,
    message: &'a str,
    error: &'a str,
    name: &'a str,
    localized_error_message: &'a str,
    portal_id: u64,
}

impl Refusal {
    /// An error with a category.
    pub(super) fn new(status: u16, category: &'static str, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), category: Some(category), ..Self::default() }
    }

    /// An error whose envelope names no category.
    pub(super) fn plain(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), ..Self::default() }
    }

    /// A 400 about the request as a whole.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "VALIDATION_ERROR", message)
    }

    /// A 400 for a body that is not the JSON the route wants.
    pub(super) fn bad_json(error: &serde_json::Error) -> Self {
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or(&text);
        if let Some(field) = reason.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
            return Self::bad_request(format!("Invalid input JSON: some of required attributes are not set [{field}]"));
        }
        Self::bad_request(format!("Invalid input JSON on line {}, column {}: {reason}", error.line(), error.column()))
    }

    /// A numeric id that no live contact has.
    pub(super) fn unknown_id() -> Self {
        Self::plain(404, "resource not found")
    }

    /// A lookup value that is no id, or an `idProperty` value that no contact holds.
    pub(super) fn unknown_key(key: &str) -> Self {
        let mut refusal = Self::new(404, "OBJECT_NOT_FOUND", "Object not found.  objectId are usually numeric.");
        refusal.rest.context.insert("id", vec![key.to_owned()]);
        refusal
    }

    /// Property values that were refused, all of them at once.
    pub(super) fn invalid(portal_id: u64, invalid: &[Invalid]) -> Self {
        let mut refusal = Self::bad_request(invalid_message(portal_id, invalid));
        refusal.rest.errors = invalid
            .iter()
            .map(|entry| Detail {
                message: entry.message.clone(),
                code: Some(entry.code.clone()),
                context: BTreeMap::from([("propertyName", vec![entry.property.clone()])]),
            })
            .collect();
        refusal
    }

    /// An email address that another live contact has.
    pub(super) fn conflict(existing: Option<u64>) -> Self {
        Self::new(409, "CONFLICT", conflict_message(existing))
    }

    /// No usable token.
    pub(super) fn unauthenticated() -> Self {
        Self::new(
            401,
            "INVALID_AUTHENTICATION",
            "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at \
             https://developers.hubspot.com/docs/methods/auth/oauth-overview",
        )
    }

    /// A token that ran out.
    pub(super) fn expired(seconds: i64) -> Self {
        Self::new(401, "EXPIRED_AUTHENTICATION", format!("The OAuth token used to make this call expired {seconds} second(s) ago."))
    }

    /// A token without the scope of the route.
    pub(super) fn missing_scope(scope: &str) -> Self {
        let mut refusal = Self::new(
            403,
            "MISSING_SCOPES",
            "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: \
             https://developers.hubspot.com/scopes.",
        );
        refusal.rest.errors.push(Detail {
            message: "One or more of the following scopes are required.".to_owned(),
            code: None,
            context: BTreeMap::from([("requiredGranularScopes", vec![scope.to_owned()])]),
        });
        refusal.rest.links.insert("scopes", "https://developers.hubspot.com/scopes");
        refusal
    }

    /// A call over a limit.
    pub(super) fn limited(limit: Limit) -> Self {
        Self { status: 429, limit: Some(limit), ..Self::default() }
    }

    /// The body as it goes out.
    pub(super) fn body(&self, correlation_id: &str, portal_id: u64) -> Vec<u8> {
        let text = match self.limit {
            Some(limit) => serde_json::to_vec(&limit_envelope(limit, correlation_id, portal_id)),
            None => serde_json::to_vec(&Envelope {
                status: "error",
                message: &self.message,
                correlation_id,
                context: &self.rest.context,
                errors: &self.rest.errors,
                links: &self.rest.links,
                category: self.category,
                sub_category: self.rest.sub_category,
            }),
        };
        text.unwrap_or_default()
    }
}

fn limit_envelope(limit: Limit, correlation_id: &str, portal_id: u64) -> LimitEnvelope<'_> {
    let (policy_name, message, group) = match limit {
        Limit::TenSeconds => {
            ("TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit.", "publicapi:private-app-api-calls-ten-secondly")
        }
        Limit::OAuthTenSeconds => {
            ("TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit.", "publicapi:crm:oauth-app-ten-secondly")
        }
        Limit::Second => ("SECONDLY", "You have reached your secondly limit.", "publicapi:crm:search"),
        Limit::Day => ("DAILY", "You have reached your daily limit.", "publicapi:private-app-api-calls-daily"),
    };
    LimitEnvelope {
        status: "error",
        message,
        error_type: "RATE_LIMIT",
        correlation_id,
        policy_name,
        request_id: correlation_id,
        group_name: format!("{group}:{portal_id}"),
    }
}

/// `Property values were not valid: [...]` with the entries embedded as JSON text.
pub(super) fn invalid_message(portal_id: u64, invalid: &[Invalid]) -> String {
    let entries: Vec<Embedded<'_>> = invalid
        .iter()
        .map(|entry| Embedded {
            is_valid: false,
            message: &entry.message,
            error: &entry.code,
            name: &entry.property,
            localized_error_message: &entry.message,
            portal_id,
        })
        .collect();
    format!("Property values were not valid: {}", serde_json::to_string(&entries).unwrap_or_default())
}

/// `Contact already exists`, with the other contact's id when it is told.
pub(super) fn conflict_message(existing: Option<u64>) -> String {
    existing.map_or_else(|| "Contact already exists".to_owned(), |id| format!("Contact already exists. Existing ID: {id}"))
}
