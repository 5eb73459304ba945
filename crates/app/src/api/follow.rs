//! `GET /v1/events/{id}`: how far an accepted event has come.
//!
//! Promises: tells states and names of systems, never a value nor the record's key. What is told is what `syncline events trace` tells.
//! Leaves to others: finding it (`crate::control`).

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Response, header};
use serde::Serialize;
use syncline_engine::error::Kind;

use super::admission::admit;
use super::problem::{Code, Problem};
use super::router::{Gate, RequestId};
use crate::control::{Answer, Request, TraceView, operate};

/// How long the store may take to answer.
const STORE_TIME: Duration = Duration::from_secs(5);

/// An event on its way.
#[derive(Debug, Serialize)]
struct Followed {
    event: i64,
    /// `pending`, `dispatched`, `processed`, `retrying`, `failed` or `skipped`.
    status: String,
    operation: String,
    /// `routed`, `unrouted` or `stale`.
    came_to: String,
    accepted_at: String,
    deliveries: Vec<Place>,
}

/// What became of it in one place.
#[derive(Debug, Serialize)]
struct Place {
    system: String,
    object: String,
    state: String,
}

impl From<TraceView> for Followed {
    fn from(view: TraceView) -> Self {
        let TraceView { event, status, deliveries, .. } = view;
        let place = deliveries.into_iter().map(|delivery| Place { system: delivery.system, object: delivery.object, state: delivery.came_to });
        Self {
            event: event.id,
            status,
            operation: event.operation,
            came_to: event.came_to,
            accepted_at: event.accepted_at,
            deliveries: place.collect(),
        }
    }
}

/// Where an event can be followed.
pub(super) fn location(event: i64) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("/v1/events/{event}")).ok()
}

pub(super) async fn show(
    State(gate): State<Arc<Gate>>,
    Extension(id): Extension<RequestId>,
    Path(event): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let (standing, admitted) = admit(&gate, &headers);
    let mut response = match admitted {
        Err(problem) => problem.response(&id.0),
        Ok(_) => match followed(&gate, &event).await {
            Ok(followed) => told(&followed),
            Err(problem) => problem.response(&id.0),
        },
    };
    standing.tell(response.headers_mut());
    response
}

async fn followed(gate: &Gate, event: &str) -> Result<Followed, Problem> {
    let missing = || Problem::with_detail(Code::NotFound, "no event bears this id");
    let request = Request::Trace { id: event.parse().map_err(|_| missing())? };
    match crate::run::within(STORE_TIME, operate(&request, &*gate.running)).await {
        Some(Ok(Answer::Trace(view))) => Ok(Followed::from(*view)),
        Some(Err(error)) if error.kind == Kind::Operator => Err(missing()),
        Some(Ok(_)) => Err(Code::Internal.into()),
        Some(Err(error)) => {
            tracing::warn!(error = %error, remedy = error.remedy(), "an event could not be followed");
            Err(Code::StoreUnavailable.into())
        }
        None => Err(Code::StoreUnavailable.into()),
    }
}

fn told(followed: &Followed) -> Response<Body> {
    let mut response = Response::new(Body::from(serde_json::to_vec(followed).unwrap_or_default()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
