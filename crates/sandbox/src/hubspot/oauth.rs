//! The OAuth endpoints: the consent page, tokens, introspection, revocation, and their first-version forms.
//!
//! Promises: every token path answers alike; refusals are 400 with the RFC 6749 pair and HubSpot's own pair, not the CRM
//! envelope. The consent page consents at once: its redirect carries a code, or `access_denied` with `sandbox_refuse=true`.
//! Leaves to others: keeping grants (`grants`), checking the bearer token of other calls (`auth`).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::account::Account;
use super::answer::{Answer, Call, Outcome};
use super::config::OAuthApp;
use super::errors::Refusal;
use super::form::{self, Form};
use super::grants;
use crate::exchange::Millis;

/// A refusal of the token endpoints: HTTP status, RFC 6749 code, HubSpot's code, text.
struct Bad(u16, &'static str, &'static str, &'static str);

const BAD_CLIENT_ID: Bad = Bad(400, "invalid_client", "BAD_CLIENT_ID", "missing or unknown client id");
const BAD_CLIENT_SECRET: Bad = Bad(400, "invalid_client", "BAD_CLIENT_SECRET", "missing or invalid client secret");
const BAD_GRANT_TYPE: Bad = Bad(400, "unsupported_grant_type", "BAD_GRANT_TYPE", "missing or unknown grant type");
const BAD_REFRESH_TOKEN: Bad = Bad(400, "invalid_grant", "BAD_REFRESH_TOKEN", "refresh token is invalid, expired or revoked");
const BAD_AUTH_CODE: Bad = Bad(400, "invalid_grant", "BAD_AUTH_CODE", "missing or unknown auth code");
const EXPIRED_AUTH_CODE: Bad = Bad(400, "invalid_grant", "EXPIRED_AUTH_CODE", "auth code is expired");
const BAD_REDIRECT_URI: Bad = Bad(400, "invalid_grant", "BAD_REDIRECT_URI", "missing or invalid redirect uri");
const BAD_CODE_VERIFIER: Bad = Bad(400, "invalid_grant", "BAD_CODE_VERIFIER", "missing or invalid code verifier");
const BAD_SCOPES: Bad = Bad(400, "invalid_scope", "BAD_SCOPES", "one or more scopes are invalid");
const BAD_HUB: Bad = Bad(400, "access_denied", "BAD_HUB", "missing or unknown hub id");

impl Bad {
    fn answer(self) -> Outcome {
        let Self(status, error, own, text) = self;
        Answer::json(status, &json!({"error": error, "error_description": text, "status": own, "message": text}))
    }
}

/// The refusal of that name in fault scripts.
pub(super) fn named(name: &str) -> Option<Outcome> {
    let bad = match name {
        "bad_refresh_token" => BAD_REFRESH_TOKEN,
        "bad_auth_code" => BAD_AUTH_CODE,
        "bad_client_secret" => BAD_CLIENT_SECRET,
        "bad_hub" => BAD_HUB,
        _ => return None,
    };
    Some(bad.answer())
}

/// `GET /oauth/authorize`: where the browser goes next.
pub(super) fn authorize(account: &mut Account, call: &Call<'_>) -> Outcome {
    let value = |name: &str| call.request.query_value(name).unwrap_or_default();
    let app = &account.config.oauth;
    if value("client_id") != app.client_id {
        return BAD_CLIENT_ID.answer();
    }
    let target = value("redirect_uri");
    if !app.redirect_uris.is_empty() && !app.redirect_uris.iter().any(|known| known == target) || target.is_empty() {
        return BAD_REDIRECT_URI.answer();
    }
    let asked: BTreeSet<String> = value("scope").split_whitespace().map(str::to_owned).collect();
    if asked.is_empty() || !asked.iter().all(|scope| app.scopes.contains(scope)) {
        return BAD_SCOPES.answer();
    }
    let optional = value("optional_scope").split_whitespace().filter(|scope| app.scopes.iter().any(|known| known == scope));
    let scopes: BTreeSet<String> = optional.map(str::to_owned).chain(asked).collect();
    let mut pairs = if call.flag("sandbox_refuse") {
        vec![("error", "access_denied".to_owned()), ("error_description", "The user refused".to_owned())]
    } else {
        let challenge = call.request.query_value("code_challenge").map(str::to_owned);
        vec![("code", account.grants_mut().issue_code(target, scopes, challenge, call.now))]
    };
    pairs.extend(call.request.query_value("state").map(|state| ("state", state.to_owned())));
    let joint = if target.contains('?') { '&' } else { '?' };
    Ok(Answer { status: 302, body: Vec::new(), location: Some(format!("{target}{joint}{}", form::encode(&pairs))) })
}

/// `POST /oauth/{version}/token`
pub(super) fn token(account: &mut Account, call: &Call<'_>, version: &str) -> Outcome {
    let form = read(call, version);
    let scopes = match check_app(&account.config.oauth, &form).and_then(|()| granted(account, &form, call.now)) {
        Ok(found) => found,
        Err(bad) => return bad.answer(),
    };
    let (scopes, refresh_token) = scopes;
    let seconds = account.config.oauth.access_token_seconds;
    let access_token = account.grants_mut().issue_access(scopes.clone(), seconds, call.now);
    let mut answer = json!({
        "token_type": "bearer",
        "access_token": access_token,
        "expires_in": seconds,
        "hub_id": account.config.portal_id,
        "user_id": account.config.oauth.user_id,
        "scopes": scopes,
        "token_use": "access_token",
    });
    if let Some(refresh_token) = refresh_token {
        answer["refresh_token"] = json!(refresh_token);
    }
    Answer::json(200, &answer)
}

/// The first version took its values in the query as well.
fn read(call: &Call<'_>, version: &str) -> Form {
    let mut form = Form::read(&call.request.body);
    if version == "v1" {
        form.extend(&call.request.query);
    }
    form
}

fn check_app(app: &OAuthApp, form: &Form) -> Result<(), Bad> {
    if form.get("client_id") != app.client_id {
        return Err(BAD_CLIENT_ID);
    }
    if form.get("client_secret") != app.client_secret {
        return Err(BAD_CLIENT_SECRET);
    }
    if app.is_uninstalled { Err(BAD_HUB) } else { Ok(()) }
}

/// The scopes of the new access token, and the refresh token beside it.
fn granted(account: &mut Account, form: &Form, now: Millis) -> Result<(BTreeSet<String>, Option<String>), Bad> {
    match form.get("grant_type") {
        "refresh_token" => {
            let token = form.get("refresh_token");
            let scopes = account.grants.refresh_scopes(token).cloned().ok_or(BAD_REFRESH_TOKEN)?;
            if !account.config.oauth.rotates_refresh_token {
                return Ok((scopes, Some(token.to_owned())));
            }
            account.grants_mut().revoke(token);
            let next = account.grants_mut().issue_refresh(scopes.clone());
            Ok((scopes, Some(next)))
        }
        "authorization_code" => {
            let code = account.grants_mut().take_code(form.get("code")).ok_or(BAD_AUTH_CODE)?;
            if code.ends_at <= now {
                return Err(EXPIRED_AUTH_CODE);
            }
            if code.redirect_uri != form.get("redirect_uri") {
                return Err(BAD_REDIRECT_URI);
            }
            if code.challenge.is_some_and(|challenge| challenge != grants::digest(form.get("code_verifier"))) {
                return Err(BAD_CODE_VERIFIER);
            }
            let refresh = account.grants_mut().issue_refresh(code.scopes.clone());
            Ok((code.scopes, Some(refresh)))
        }
        "client_credentials" => {
            let scopes: BTreeSet<String> = form.get("scope").split_whitespace().map(str::to_owned).collect();
            let known = !scopes.is_empty() && scopes.iter().all(|scope| scope.starts_with("developer."));
            if known { Ok((scopes, None)) } else { Err(BAD_SCOPES) }
        }
        _ => Err(BAD_GRANT_TYPE),
    }
}

/// `POST /oauth/{version}/token/introspect`
pub(super) fn introspect(account: &Account, call: &Call<'_>) -> Outcome {
    let form = read(call, "");
    if let Err(bad) = check_app(&account.config.oauth, &form) {
        return bad.answer();
    }
    Answer::json(200, &about(account, form.token(), call.now).unwrap_or_else(|| json!({"active": false})))
}

/// `POST /oauth/{version}/token/revoke`
pub(super) fn revoke(account: &mut Account, call: &Call<'_>) -> Outcome {
    let form = read(call, "");
    if let Err(bad) = check_app(&account.config.oauth, &form) {
        return bad.answer();
    }
    account.grants_mut().revoke(form.token());
    Answer::empty()
}

/// What there is to say about a live token.
fn about(account: &Account, token: &str, now: Millis) -> Option<Value> {
    let app = &account.config.oauth;
    let (token_use, scopes, expires_in) = match (account.grants.access(token), account.grants.refresh_scopes(token)) {
        (Some(access), _) if access.ends_at > now => ("access_token", &access.scopes, Some((access.ends_at - now) / 1000)),
        (_, Some(scopes)) => ("refresh_token", scopes, None),
        (_, None) => return None,
    };
    let mut answer = json!({
        "active": true,
        "token_use": token_use,
        "token_type": "bearer",
        "token": token,
        "client_id": app.client_id,
        "app_id": app.app_id,
        "hub_id": account.config.portal_id,
        "hub_domain": "acme.example",
        "user": app.user,
        "user_id": app.user_id,
        "scopes": scopes,
        "is_private_distribution": false,
    });
    if let Some(seconds) = expires_in {
        answer["expires_in"] = json!(seconds);
    }
    Some(answer)
}

/// `GET /oauth/v1/access-tokens/{token}`, `GET /oauth/v1/refresh-tokens/{token}`
pub(super) fn look_up(account: &Account, call: &Call<'_>, token: &str, token_use: &str) -> Outcome {
    let found = about(account, token, call.now).filter(|about| about["token_use"] == token_use);
    match found {
        Some(mut about) => {
            if token_use == "access_token" {
                about["token_type"] = json!("access");
            } else {
                about["token_type"] = json!("refresh");
            }
            Answer::json(200, &about)
        }
        None => Err(Refusal::new(404, "OBJECT_NOT_FOUND", format!("missing or invalid {}", token_use.replace('_', " ")))),
    }
}

/// `DELETE /oauth/v1/refresh-tokens/{token}`
pub(super) fn delete(account: &mut Account, token: &str) -> Outcome {
    if account.grants.refresh_scopes(token).is_none() {
        return Err(Refusal::new(404, "OBJECT_NOT_FOUND", "missing or invalid refresh token"));
    }
    account.grants_mut().revoke(token);
    Answer::empty()
}
