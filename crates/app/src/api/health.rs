//! Whether the process lives, and whether it is ready to take events.
//!
//! Promises: `/livez` asks nothing of anybody, so a slow store kills no process; `/readyz` is 200 if and only if events can be made
//! durable. A lane that stands still is shown and makes nobody unready, since events are taken all the same. What is shown in full
//! needs a token where events do.
//! Leaves to others: figures (metrics), records (the operators' door).

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use syncline_engine::ports::store::Store;

use super::problem::{Code, Problem};
use super::router::{Gate, RequestId};

/// How long the store may take to answer.
const STORE_TIME: Duration = Duration::from_secs(2);

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    name: String,
    /// `ok`, `stalled` or `failed`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

#[derive(Debug, Serialize)]
struct Ready {
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checks: Vec<Check>,
}

pub(super) async fn livez() -> Response<Body> {
    answer(StatusCode::OK, &Ready { status: "live", checks: Vec::new() })
}

pub(super) async fn readyz(
    State(gate): State<Arc<Gate>>,
    RawQuery(query): RawQuery,
    Extension(id): Extension<RequestId>,
    headers: HeaderMap,
) -> Response<Body> {
    let is_verbose = query.is_some_and(|query| query.split('&').any(|word| word == "verbose" || word.starts_with("verbose=")));
    if is_verbose && gate.tokens.bearer(&headers).is_none() {
        return Problem::from(Code::Unauthorized).response(&id.0);
    }
    let store = store(&gate).await;
    let is_ready = store.status == "ok";
    let mut checks = Vec::new();
    if is_verbose {
        checks.push(store);
        checks.push(intake(&gate));
        checks.push(configuration(&gate));
        checks.extend(lanes(&gate));
    }
    let (code, status) = if is_ready { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "unready") };
    answer(code, &Ready { status, checks })
}

async fn store(gate: &Gate) -> Check {
    let asked = crate::run::within(STORE_TIME, gate.running.store.pauses()).await;
    let (status, detail) = match asked {
        Some(Ok(_)) => ("ok", None),
        Some(Err(error)) => ("failed", Some(format!("{error}; {}", error.remedy()))),
        None => ("failed", Some("the store does not answer".to_owned())),
    };
    Check { name: "store".into(), status, detail }
}

/// A configuration that was refused makes nobody unready: the former one is in force.
fn configuration(gate: &Gate) -> Check {
    let refused = gate.running.reloading.refused();
    let told = |refused: crate::reload::Refused| format!("since {} another one is refused ({} faults); the former one stays", refused.at, refused.faults.len());
    Check { name: "configuration".into(), status: if refused.is_some() { "stalled" } else { "ok" }, detail: refused.map(told) }
}

fn intake(gate: &Gate) -> Check {
    let waiting = gate.running.callers.as_ref().map(|callers| callers.queue.events());
    Check { name: "intake".into(), status: "ok", detail: waiting.map(|count| format!("{count} events of callers wait")) }
}

fn lanes(gate: &Gate) -> impl Iterator<Item = Check> + '_ {
    gate.running.statuses.iter().map(|status| {
        let lane = status.lock().unwrap_or_else(PoisonError::into_inner);
        let stands = lane.error.clone().or_else(|| {
            let paused: Vec<_> = lane.paused.iter().map(|(scope, why)| format!("{scope} paused: {why}")).collect();
            (!paused.is_empty()).then(|| paused.join("; "))
        });
        let status = if stands.is_some() || lane.phase != "running" { "stalled" } else { "ok" };
        Check { name: format!("lane {}", lane.system), status, detail: stands.or_else(|| Some(lane.phase.to_owned())) }
    })
}

fn answer(code: StatusCode, ready: &Ready) -> Response<Body> {
    let mut response = Response::new(Body::from(serde_json::to_vec(ready).unwrap_or_default()));
    *response.status_mut() = code;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
