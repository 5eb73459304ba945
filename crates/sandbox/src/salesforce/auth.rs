//! The token endpoint with every grant, and revocation and introspection of what it gave out.
//!
//! Promises: the client is named in the form or by HTTP Basic; an error is one bare object that is never cached; a
//! signature is the HMAC that a client can check with its secret.
//! Leaves to others: what lives how long (`sessions`), signed assertions (`assertion`), who the user is (`identity`).

use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::config::SalesforceConfig;
use super::org::Org;
use super::sessions::{Code, Tokens};
use super::{assertion, form, identity, wire};
use crate::exchange::{Millis, Request, Response};

/// How long an authorization code can be exchanged.
const CODE_LIFE_MS: Millis = 15 * 60 * 1000;

/// The fields of a form with what HTTP Basic says of the client.
struct Asked {
    pairs: Vec<(String, String)>,
    basic: Option<(String, String)>,
}

impl Asked {
    fn of(request: &Request) -> Self {
        Self { pairs: form::pairs(&request.body), basic: basic(request) }
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn needed(&self, name: &str) -> Result<&str, Response> {
        self.value(name).ok_or_else(|| refused(400, "invalid_request", &format!("missing required parameter: {name}")))
    }

    /// Checks who the client is; `secret_needed` false is for grants that a public client may use.
    fn client(&self, config: &SalesforceConfig, secret_needed: bool) -> Result<(), Response> {
        let (id, secret) = match &self.basic {
            Some((id, secret)) => (Some(id.as_str()), Some(secret.as_str())),
            None => (self.value("client_id"), self.value("client_secret")),
        };
        let missing = || refused(400, "invalid_request", "missing required parameter: client_id or client_secret");
        let id = id.ok_or_else(missing)?;
        if id != config.client_id {
            return Err(refused(400, "invalid_client_id", "client identifier invalid"));
        }
        match secret {
            None if secret_needed => Err(missing()),
            Some(secret) if secret != config.client_secret => {
                Err(refused(config.invalid_client_status, "invalid_client", "invalid client credentials"))
            }
            None | Some(_) => Ok(()),
        }
    }
}

/// Answers the token endpoint.
pub(super) fn token(org: &mut Org, request: &Request, now: Millis) -> Response {
    if request.method != "POST" {
        return refused(400, "invalid_request", "must use HTTP POST");
    }
    let asked = Asked::of(request);
    let granted = match asked.value("grant_type") {
        Some("client_credentials") => asked.client(&org.config, true).map(|()| signed(org, now)),
        Some("urn:ietf:params:oauth:grant-type:jwt-bearer") => assertion(org, request, &asked, now),
        Some("refresh_token") => refresh(org, &asked, now),
        Some("authorization_code") => code(org, &asked, now),
        Some("password") if org.config.allows_password => password(org, &asked, now),
        Some(_) => Err(refused(400, "unsupported_grant_type", "grant type not supported")),
        None => Err(refused(400, "invalid_request", "missing required parameter: grant_type")),
    };
    not_stored(granted.map_or_else(|refusal| refusal, |body| wire::json(200, &Value::Object(body))))
}

fn assertion(org: &mut Org, request: &Request, asked: &Asked, now: Millis) -> Result<Map<String, Value>, Response> {
    let host = request.headers.get("host").map_or("", String::as_str);
    assertion::check(asked.needed("assertion")?, &org.config, host, now)
        .map_err(|refusal| refused(400, refusal.error(), refusal.description()))?;
    let mut body = plain(org, now);
    body.insert("scope".to_owned(), json!("api web"));
    Ok(body)
}

fn refresh(org: &mut Org, asked: &Asked, now: Millis) -> Result<Map<String, Value>, Response> {
    let token = asked.needed("refresh_token")?.to_owned();
    asked.client(&org.config, org.config.refresh_needs_secret)?;
    if !org.tokens.may_refresh(&token) {
        return Err(refused(400, "invalid_grant", "expired access/refresh token"));
    }
    let mut body = signed(org, now);
    if org.config.rotates_refresh_token {
        org.tokens.end_refresh(&token);
        body.insert("refresh_token".to_owned(), json!(org.tokens.issue_refresh(now)));
    }
    Ok(body)
}

fn code(org: &mut Org, asked: &Asked, now: Millis) -> Result<Map<String, Value>, Response> {
    let code = asked.needed("code")?;
    asked.client(&org.config, false)?;
    let expired = || refused(400, "invalid_grant", "expired authorization code");
    let given = org.tokens.take_code(code).ok_or_else(expired)?;
    if now - given.given >= CODE_LIFE_MS {
        return Err(expired());
    }
    if asked.value("redirect_uri") != Some(given.redirect_uri.as_str()) {
        return Err(refused(400, "redirect_uri_mismatch", "redirect_uri must match configuration"));
    }
    match (&given.challenge, asked.value("code_verifier")) {
        (Some(challenge), Some(verifier)) if form::base64_url(&Sha256::digest(verifier.as_bytes())) == *challenge => {}
        (Some(_), _) => return Err(refused(400, "invalid_grant", "invalid code verifier")),
        // A client without a proof of its own proves itself by its secret.
        (None, _) => asked.client(&org.config, true)?,
    }
    let mut body = signed(org, now);
    body.insert("refresh_token".to_owned(), json!(org.tokens.issue_refresh(now)));
    body.insert("scope".to_owned(), json!("refresh_token api"));
    Ok(body)
}

fn password(org: &mut Org, asked: &Asked, now: Millis) -> Result<Map<String, Value>, Response> {
    asked.client(&org.config, true)?;
    let (user, password) = (asked.needed("username")?, asked.needed("password")?);
    if !is_user(&org.config, user, password) {
        return Err(refused(400, "invalid_grant", "authentication failure"));
    }
    Ok(signed(org, now))
}

/// Whether that is the user with the password and the security token behind it.
pub(super) fn is_user(config: &SalesforceConfig, user: &str, password: &str) -> bool {
    user.eq_ignore_ascii_case(&config.username) && password.strip_prefix(config.password.as_str()) == Some(config.security_token.as_str())
}

fn plain(org: &mut Org, now: Millis) -> Map<String, Value> {
    let token = org.tokens.issue(&org.config, now);
    let entries = [
        ("access_token", token),
        ("scope", "api".to_owned()),
        ("instance_url", org.config.instance_url.clone()),
        ("id", identity::url(&org.config)),
        ("token_type", "Bearer".to_owned()),
    ];
    entries.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect()
}

fn signed(org: &mut Org, now: Millis) -> Map<String, Value> {
    let mut body = plain(org, now);
    let message = format!("{}{now}", identity::url(&org.config));
    body.insert("signature".to_owned(), json!(signature(&message, &org.config.client_secret)));
    body.insert("issued_at".to_owned(), json!(now.to_string()));
    body
}

/// The HMAC-SHA256 of a message in Base64; the empty text if the library refuses the key, which it does for none.
fn signature(message: &str, secret: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    let signed = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap_or_default();
    let padding = "=".repeat((4 - signed.len() % 4) % 4);
    format!("{}{padding}", signed.replace('-', "+").replace('_', "/"))
}

/// Answers the page on which a user allows the client to act; this user always does.
pub(super) fn authorize(tokens: &mut Tokens, config: &SalesforceConfig, request: &Request, now: Millis) -> Response {
    let value = |name: &str| request.query_value(name);
    let Some(back) = value("redirect_uri").filter(|uri| uri.starts_with("http://") || uri.starts_with("https://")) else {
        return wire::html(400, "error=redirect_uri_mismatch&error_description=redirect_uri must match configuration");
    };
    let state = value("state").map_or_else(String::new, |state| format!("&state={}", form::encode(state)));
    let to = |parameters: &str| {
        let joint = if back.contains('?') { '&' } else { '?' };
        let mut response = wire::empty(302);
        response.headers.push(("Location".to_owned(), format!("{back}{joint}{parameters}{state}")));
        response
    };
    if value("client_id") != Some(config.client_id.as_str()) {
        return to("error=invalid_client_id&error_description=client%20identifier%20invalid");
    }
    if value("response_type") != Some("code") {
        return to("error=unsupported_response_type&error_description=response%20type%20not%20supported");
    }
    let challenge = value("code_challenge").map(str::to_owned);
    let code = tokens.issue_code(Code { redirect_uri: back.to_owned(), challenge, given: now }, now);
    to(&format!("code={}", form::encode(&code)))
}

/// Answers the revocation endpoint.
pub(super) fn revoke(tokens: &mut Tokens, request: &Request) -> Response {
    let posted = form::pairs(&request.body).into_iter().find(|(name, _)| name == "token").map(|(_, value)| value);
    let token = posted.or_else(|| request.query_value("token").map(str::to_owned));
    match token {
        Some(token) if tokens.end(&token) || tokens.end_refresh(&token) => wire::empty(200),
        Some(_) | None => refused(400, "unsupported_token_type", "this token type is not supported"),
    }
}

/// Answers the introspection endpoint.
pub(super) fn introspect(org: &Org, request: &Request, now: Millis) -> Response {
    let asked = Asked::of(request);
    if let Err(refusal) = asked.client(&org.config, true) {
        return refusal;
    }
    let token = asked.value("token").unwrap_or("");
    let used = org.tokens.last_use(token, org.config.token_life_ms, now);
    if used.is_none() && !org.tokens.may_refresh(token) {
        return not_stored(wire::json(200, &json!({ "active": false })));
    }
    let mut body = json!({
        "active": true, "scope": "api", "client_id": org.config.client_id, "username": org.config.username,
        "sub": identity::url(&org.config), "iss": org.config.instance_url,
        "token_type": if used.is_some() { "access_token" } else { "refresh_token" }
    });
    if let Some(used) = used {
        body["exp"] = json!((used + org.config.token_life_ms).div_euclid(1000));
    }
    not_stored(wire::json(200, &body))
}

/// A token error: one bare object.
pub(super) fn refused(status: u16, error: &str, description: &str) -> Response {
    not_stored(wire::json(status, &json!({ "error": error, "error_description": description })))
}

fn not_stored(mut response: Response) -> Response {
    if !response.headers.iter().any(|(name, _)| name == "Cache-Control") {
        response.headers.push(("Cache-Control".to_owned(), "no-store".to_owned()));
    }
    response
}

fn basic(request: &Request) -> Option<(String, String)> {
    let (scheme, encoded) = request.headers.get("authorization")?.split_once(' ')?;
    let text = String::from_utf8(form::read_base64(encoded.trim()).filter(|_| scheme.eq_ignore_ascii_case("basic"))?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((form::percent(id), form::percent(secret)))
}
