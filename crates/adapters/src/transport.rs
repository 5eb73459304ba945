//! The one way to the network: an HTTP request out, an HTTP answer or the reason for none back.
//!
//! Promises: `NotSent` only if the request provably never left (no connection, no TLS, no name); everything after that
//! without a whole answer is `Lost`. One call is one request: no redirects, no repeats, no cookies. Answers are bounded.
//! `Debug` shows neither headers' values nor bodies nor queries, for they hold secrets and field values.
//! Leaves to others: when to call, and what an answer means (each system's `client` and `decode`).

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

/// The longest answer that is taken in; a longer one is as good as lost.
pub const ANSWER_BYTES_MAX: usize = 10 * 1024 * 1024;

/// The verbs that our systems use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

impl Method {
    /// The verb on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One request.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The verb.
    pub method: Method,
    /// The whole address, query included.
    pub url: Url,
    /// Headers, lower-case names first.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// No answer is waited for longer than this.
    pub timeout: Duration,
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({} bytes)", self.method.name(), self.url.path(), self.body.len())
    }
}

/// One whole answer.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// Headers by lower-case name; of a repeated one the last.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// A header's value by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {} ({} bytes)", self.status, self.body.len())
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The request never left us.
    #[error("not sent: {0}")]
    NotSent(String),
    /// It was sent, or may have been, and no whole answer came.
    #[error("no answer: {0}")]
    Lost(String),
}

/// Carries requests.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends one request and waits for its whole answer.
    ///
    /// # Errors
    /// `NotSent` or `Lost`.
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, TransportError>;
}

/// The real network: HTTP/1.1 with kept connections; TLS by the process's rustls provider, which the app installs.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: reqwest::Client,
}

impl HttpTransport {
    /// A transport that connects directly, or through `proxy` where one is given; the environment is not asked.
    ///
    /// # Errors
    /// A text that says why no client could be built (no TLS provider, no usable proxy).
    pub fn new(proxy: Option<&Url>) -> Result<Self, String> {
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .tcp_nodelay(true)
            .connect_timeout(Duration::from_secs(10))
            .pool_idle_timeout(Duration::from_secs(50))
            .user_agent(concat!("syncline/", env!("CARGO_PKG_VERSION")));
        let builder = match proxy {
            Some(url) => builder.proxy(reqwest::Proxy::all(url.as_str()).map_err(|error| causes(&error.without_url()))?),
            None => builder,
        };
        builder.build().map(|client| Self { client }).map_err(|error| causes(&error))
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let headers = headers(&request)?;
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut call = self.client.request(method, request.url).headers(headers).timeout(request.timeout);
        if !request.body.is_empty() {
            call = call.body(request.body);
        }
        let answer = call.send().await.map_err(unanswered)?;
        whole(answer).await
    }
}

fn headers(request: &HttpRequest) -> Result<HeaderMap, TransportError> {
    let mut map = HeaderMap::with_capacity(request.headers.len());
    for (name, value) in &request.headers {
        let unusable = || TransportError::NotSent(format!("header {name} holds what a header cannot"));
        let mut value = HeaderValue::from_str(value).map_err(|_| unusable())?;
        value.set_sensitive(true);
        map.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable())?, value);
    }
    Ok(map)
}

async fn whole(mut answer: reqwest::Response) -> Result<HttpResponse, TransportError> {
    let status = answer.status().as_u16();
    let headers = answer
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| TransportError::Lost(causes(&error.without_url())))? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(TransportError::Lost(format!("HTTP {status} with more than {ANSWER_BYTES_MAX} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpResponse { status, headers, body })
}

/// Only what failed while connecting or before is known not to have been sent.
fn unanswered(error: reqwest::Error) -> TransportError {
    let unsent = error.is_connect() || error.is_builder();
    let why = causes(&error.without_url());
    if unsent { TransportError::NotSent(why) } else { TransportError::Lost(why) }
}

/// The causes of an error in one line; the address is left out, since its query can hold values.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

/// A request less the account's address, its headers and its time: what a system's `encode` makes.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// The verb.
    pub method: Method,
    /// Path and query, percent-encoded, from the root.
    pub target: String,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

impl Call {
    /// A call without a body.
    #[must_use]
    pub const fn bare(method: Method, target: String) -> Self {
        Self { method, target, body: Vec::new() }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.target.split('?').next().unwrap_or_default();
        write!(f, "{} {} ({} bytes)", self.method.name(), path, self.body.len())
    }
}

#[cfg(test)]
#[path = "transport_tests.rs"]
mod tests;
