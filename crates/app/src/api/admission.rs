//! Whether a request is let in: by its token, and by how often that token asks.
//!
//! Promises: where there is a rate, every answer to a known token tells how it stands (`RateLimit` and `RateLimit-Policy`), refusals
//! included. Leaves to others: tokens (`auth`), buckets (`limits`).

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use syncline_engine::ports::clock::Clock;

use super::auth::Bearer;
use super::limits::Standing;
use super::problem::{Code, Problem};
use super::router::Gate;
use crate::clock::WallClock;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// How a token stands, if there is a rate and the token is known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Told(Option<Standing>);

impl Told {
    /// Puts it into an answer's head.
    pub(super) fn tell(self, headers: &mut HeaderMap) {
        let Some(Standing { per_second, left, full_in, .. }) = self.0 else { return };
        for (name, text) in [(POLICY, format!("\"requests\";q={per_second};w=1")), (LEFT, format!("\"requests\";r={left};t={full_in}"))] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        }
    }
}

/// Lets a request in, or says why not.
pub(super) fn admit(gate: &Gate, headers: &HeaderMap) -> (Told, Result<Bearer, Problem>) {
    let Some(bearer) = gate.tokens.bearer(headers) else { return (Told::default(), Err(Code::Unauthorized.into())) };
    let Some(standing) = gate.rate.take(&bearer.name, WallClock.now()) else { return (Told::default(), Ok(bearer)) };
    let admitted = match standing.wait {
        None => Ok(bearer),
        wait @ Some(_) => Err(Problem { retry_after: wait, ..Code::RateLimited.into() }),
    };
    (Told(Some(standing)), admitted)
}
