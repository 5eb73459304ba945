//! Who the integration user is: the identity URL and the OpenID user info.
//!
//! Promises: both are answered for a live token only and count against nothing.
//! Leaves to others: tokens (`sessions`).

use serde_json::{Value, json};

use super::config::SalesforceConfig;
use super::org::Org;
use super::sessions::bearer;
use super::{ids, wire};
use crate::exchange::{Millis, Request, Response};

/// The identity URL of a token answer.
pub(super) fn url(config: &SalesforceConfig) -> String {
    url_at(config, if config.login_url.is_empty() { &config.instance_url } else { &config.login_url })
}

/// The identity URL at a host.
pub(super) fn url_at(config: &SalesforceConfig, host: &str) -> String {
    format!("{host}/id/{}/{}", config.org_id, ids::INTEGRATION_USER)
}

/// Answers the identity URL.
pub(super) fn identity(org: &mut Org, request: &Request, path: (&str, &str), now: Millis) -> Response {
    let asked = request.query_value("oauth_token").is_some_and(|token| org.tokens.admit_token(token, &org.config, now));
    if !asked && !org.tokens.admit(request, &org.config, now) {
        let mut response = wire::html(403, "Forbidden");
        response.body = if bearer(request).is_some() { b"Bad_OAuth_Token".to_vec() } else { b"Missing_OAuth_Token".to_vec() };
        return response;
    }
    let config = &org.config;
    if ids::read(path.0).as_deref() != Some(config.org_id.as_str()) || ids::read(path.1).as_deref() != Some(ids::INTEGRATION_USER) {
        return wire::html(404, "Not Found");
    }
    let mut body = json!({
        "id": url(config), "asserted_user": true, "user_id": ids::INTEGRATION_USER, "organization_id": config.org_id,
        "username": config.username, "nick_name": "integration", "display_name": "Integration User", "email": config.username,
        "email_verified": true, "first_name": "Integration", "last_name": "User", "active": true, "user_type": "STANDARD",
        "language": "en_US", "locale": "en_US", "utcOffset": 0, "is_app_installed": true, "last_modified_date": wire::datetime(now)
    });
    body["urls"] = urls(config);
    wire::json(200, &body)
}

/// Answers the user info endpoint.
pub(super) fn user_info(org: &mut Org, request: &Request, now: Millis) -> Response {
    if !org.tokens.admit(request, &org.config, now) {
        let mut response = wire::html(403, "Forbidden");
        response.body = b"Bad_OAuth_Token".to_vec();
        return response;
    }
    let config = &org.config;
    let mut body = json!({
        "sub": url(config), "user_id": ids::INTEGRATION_USER, "organization_id": config.org_id,
        "preferred_username": config.username, "nickname": "integration", "name": "Integration User", "email": config.username,
        "email_verified": true, "given_name": "Integration", "family_name": "User", "zoneinfo": "Etc/UTC", "active": true,
        "user_type": "STANDARD", "language": "en_US", "locale": "en_US", "utcOffset": 0, "updated_at": wire::datetime(now)
    });
    body["urls"] = urls(config);
    wire::json(200, &body)
}

fn urls(config: &SalesforceConfig) -> Value {
    let at = |path: &str| format!("{}/services/{path}", config.instance_url);
    json!({
        "rest": at("data/v{version}/"), "sobjects": at("data/v{version}/sobjects/"), "search": at("data/v{version}/search/"),
        "query": at("data/v{version}/query/"), "partner": at(&format!("Soap/u/{{version}}/{}", &config.org_id[..15.min(config.org_id.len())]))
    })
}
