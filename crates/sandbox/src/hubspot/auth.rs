//! Checks the bearer token of a call.
//!
//! Promises: no, malformed and unknown tokens get one and the same 401.

use super::config::HubSpotConfig;
use super::errors::Refusal;
use crate::exchange::Request;

/// Whether the call may pass.
pub(super) fn check(config: &HubSpotConfig, request: &Request) -> Result<(), Refusal> {
    let header = request.headers.get("authorization").map(String::as_str).unwrap_or_default();
    let token = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    match token {
        Some(token) if config.tokens.iter().any(|known| known == token) => Ok(()),
        _ => Err(Refusal::unauthenticated()),
    }
}
