//! Which path is answered by whom.
//!
//! Promises: what is not there and what is not allowed are problems like any other; routes of others (metrics) are merged in and
//! answer as they like. Every answer bears a request id: the caller's own if it is fit to be shown, else one of ours.
//! Leaves to others: the answers (`events`, `health`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response};
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::{get, post};
use uuid::Uuid;

use super::auth::TokenBook;
use super::limits::Rate;
use super::problem::{Code, Problem};
use super::{events, follow, health, metrics};
use crate::config::ApiConfig;
use crate::run::Running;

/// What the handlers share.
pub struct Gate {
    /// The running machine.
    pub running: Arc<Running>,
    /// Who may ask.
    pub tokens: Arc<TokenBook>,
    /// How much.
    pub config: ApiConfig,
    pub(super) rate: Rate,
    requests: AtomicU64,
    life: String,
}

impl Gate {
    /// A gate before a running machine.
    #[must_use]
    pub fn new(running: Arc<Running>, tokens: Arc<TokenBook>, config: ApiConfig) -> Self {
        let rate = Rate::new(config.limits.rate);
        Self { running, tokens, config, rate, requests: AtomicU64::new(0), life: Uuid::now_v7().simple().to_string() }
    }

    fn request_id(&self, headers: &HeaderMap) -> RequestId {
        let is_fit = |text: &&str| !text.is_empty() && text.len() <= ID_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
        let given = headers.get(&REQUEST_ID).and_then(|value| value.to_str().ok()).filter(is_fit);
        RequestId(given.map_or_else(
            || Arc::from(format!("{}-{:x}", self.life, self.requests.fetch_add(1, Ordering::Relaxed))),
            Arc::from,
        ))
    }
}

/// By what a request is found in logs.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub Arc<str>);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id of a caller's own.
const ID_MAX: usize = 128;

/// All routes; `more` are those of others.
pub fn router(gate: Arc<Gate>, more: Router) -> Router {
    let other = |allowed: &'static str| {
        move |State(_): State<Arc<Gate>>, id: axum::Extension<RequestId>| async move {
            let mut response = Problem::from(Code::Method).response(&id.0.0);
            response.headers_mut().insert(axum::http::header::ALLOW, HeaderValue::from_static(allowed));
            response
        }
    };
    let events = post(events::take).fallback(other("POST"));
    let one = get(follow::show).fallback(other("GET, HEAD"));
    Router::new()
        .route("/v1/events", events)
        .route("/v1/events/{id}", one)
        .route("/livez", get(health::livez))
        .route("/healthz", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::scrape))
        .fallback(|id: axum::Extension<RequestId>| async move { Problem::from(Code::NotFound).response(&id.0.0) })
        .with_state(gate.clone())
        .merge(more)
        .layer(from_fn_with_state(gate, name))
}

/// Names the request in its answer.
async fn name(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response<Body> {
    let id = gate.request_id(request.headers());
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}
