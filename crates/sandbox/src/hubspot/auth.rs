//! Who makes a call, and whether that token may make it.
//!
//! Promises: no, malformed and unknown tokens get one and the same 401, an OAuth token that ran out another one; a token
//! without the scope of the route gets 403 with the scope's name.
//! Leaves to others: giving tokens out (`oauth`).

use super::account::Account;
use super::errors::Refusal;
use super::quota::App;
use super::route::Route;
use crate::exchange::{Millis, Request};

/// The kind of app behind a call, or why it may not pass.
pub(super) fn check(account: &Account, request: &Request, route: &Route, now: Millis) -> Result<App, Refusal> {
    let header = request.headers.get("authorization").map(String::as_str).unwrap_or_default();
    let token = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    let token = token.ok_or_else(Refusal::unauthenticated)?;
    let need = route.scope();
    if account.config.tokens.iter().any(|known| known == token) {
        return Ok(App::Private);
    }
    if let Some(scoped) = account.config.scoped_tokens.iter().find(|known| known.token == token) {
        let may = need.is_none_or(|need| scoped.scopes.iter().any(|scope| scope == need));
        return if may { Ok(App::Private) } else { Err(Refusal::missing_scope(need.unwrap_or_default())) };
    }
    let access = account.grants.access(token).ok_or_else(Refusal::unauthenticated)?;
    if access.ends_at <= now {
        return Err(Refusal::expired((now - access.ends_at) / 1000));
    }
    match need.filter(|need| !access.scopes.contains(*need)) {
        Some(need) => Err(Refusal::missing_scope(need)),
        None => Ok(App::OAuth),
    }
}
