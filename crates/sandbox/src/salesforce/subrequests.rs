//! Requests within a request: Composite, with references between them, and Composite Batch, without.
//!
//! Promises: parts run in their order; with all-or-none a failing part keeps its own answer and every other one reads
//! `PROCESSING_HALTED`; a composite is one call, a batch as many as it has parts.
//! Leaves to others: what a part does (`mod`), which may be anything but another composite.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::call::{Answer, Call};
use super::errors::{self, Fault};
use super::org::Org;
use super::route::{Resource, Route};
use super::{dispatch, form, references, wire};
use crate::exchange::{Request, Response};

/// Most parts.
const PARTS_MAX: usize = 25;
/// Most parts that are queries or collections.
const HEAVY_MAX: usize = 5;
const HALTED: &str = "The transaction was rolled back since another operation in the same transaction failed.";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Composite {
    #[serde(default)]
    all_or_none: bool,
    composite_request: Vec<Part>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    method: String,
    url: String,
    reference_id: String,
    body: Option<Value>,
    http_headers: Option<BTreeMap<String, String>>,
}

/// POST on composite.
pub(super) fn composite(org: &mut Org, call: &Call<'_>) -> Answer {
    let asked: Composite = call.body()?;
    check(&asked.composite_request)?;
    if asked.all_or_none {
        org.begin();
    }
    let mut answers: Vec<(Response, &str)> = Vec::new();
    let mut bodies: BTreeMap<&str, Option<Value>> = BTreeMap::new();
    let mut failing = None;
    for (index, part) in asked.composite_request.iter().enumerate() {
        let response = part.run(org, call, &bodies);
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let failed = response.status >= 400 || asked.all_or_none && holds_failure(&body);
        bodies.insert(&part.reference_id, (response.status < 400).then_some(body));
        answers.push((response, &part.reference_id));
        if failed && asked.all_or_none {
            failing = Some(index);
            break;
        }
    }
    if asked.all_or_none {
        if failing.is_some() { org.rollback() } else { org.commit() }
    }
    let parts = asked.composite_request.iter().enumerate().map(|(index, part)| match (failing, answers.get(index)) {
        (Some(failing), _) if failing != index => {
            let halted = errors::answer(&[Fault::request(400, "PROCESSING_HALTED", HALTED)]);
            shown(&halted, &part.reference_id)
        }
        (_, Some((response, reference))) => shown(response, reference),
        (_, None) => Value::Null,
    });
    let parts: Vec<Value> = parts.collect();
    Ok(wire::json(200, &json!({ "compositeResponse": parts })))
}

fn check(parts: &[Part]) -> Result<(), Vec<Fault>> {
    let refused = |message: String| Err(vec![Fault::request(400, "INVALID_INPUT", message)]);
    if parts.len() > PARTS_MAX {
        return refused(format!("Composite request limit exceeded: at most {PARTS_MAX} subrequests"));
    }
    let is_heavy = |part: &&Part| ["/query", "/queryAll", "/composite/sobjects"].iter().any(|path| part.url.contains(path));
    if parts.iter().filter(is_heavy).count() > HEAVY_MAX {
        return refused(format!("Composite request limit exceeded: at most {HEAVY_MAX} query and collections subrequests"));
    }
    let mut seen = std::collections::BTreeSet::new();
    for part in parts {
        let id = part.reference_id.as_str();
        let fine = id.starts_with(|c: char| c.is_ascii_alphanumeric()) && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !fine || !seen.insert(id) {
            return refused(format!("Provided referenceId ('{id}') must start with a letter or a number, can contain only letters, numbers and underscores ('_'), and must be unique"));
        }
    }
    Ok(())
}

/// Whether the results of a collections part hold a failure.
fn holds_failure(body: &Value) -> bool {
    body.as_array().is_some_and(|results| results.iter().any(|result| result["success"] == json!(false)))
}

impl Part {
    fn run(&self, org: &mut Org, call: &Call<'_>, bodies: &BTreeMap<&str, Option<Value>>) -> Response {
        let resolved = references::fill_text(&self.url, bodies)
            .and_then(|url| self.body.as_ref().map(|body| references::fill(body, bodies)).transpose().map(|body| (url, body)));
        let (url, body) = match resolved {
            Ok(resolved) => resolved,
            Err(reference) => {
                let message = format!("Invalid reference specified. No value for {reference} found");
                return errors::answer(&[Fault::request(400, "PROCESSING_HALTED", message)]);
            }
        };
        inner(org, call, &self.method, &url, body.as_ref(), self.http_headers.as_ref())
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Batch {
    #[serde(default)]
    halt_on_error: bool,
    batch_requests: Vec<BatchPart>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchPart {
    method: String,
    url: String,
    rich_input: Option<Value>,
}

/// POST on composite/batch.
pub(super) fn batch(org: &mut Org, call: &Call<'_>) -> Answer {
    let asked: Batch = call.body()?;
    if asked.batch_requests.len() > PARTS_MAX {
        let message = format!("Batch request limit exceeded: at most {PARTS_MAX} subrequests");
        return Err(vec![Fault::request(400, "INVALID_INPUT", message)]);
    }
    let mut results = Vec::new();
    let mut has_errors = false;
    for (index, part) in asked.batch_requests.iter().enumerate() {
        let response = if has_errors && asked.halt_on_error {
            errors::answer(&[Fault::request(412, "BATCH_PROCESSING_HALTED", "Batch processing halted per request")])
        } else if index > 0 && !org.quota.arrive(org.config.quota_day, call.now) {
            // The batch itself was counted when it came: that is its first part.
            errors::answer(&[errors::quota_spent()])
        } else {
            let url = format!("/services/data/{}", part.url.trim_start_matches('/').trim_start_matches("services/data/"));
            inner(org, call, &part.method, &url, part.rich_input.as_ref(), None)
        };
        has_errors |= response.status >= 400;
        results.push(json!({ "statusCode": response.status, "result": body_of(&response) }));
    }
    Ok(wire::json(200, &json!({ "hasErrors": has_errors, "results": results })))
}

/// Runs one part as if it had come alone.
fn inner(org: &mut Org, call: &Call<'_>, method: &str, url: &str, body: Option<&Value>, headers: Option<&BTreeMap<String, String>>) -> Response {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut all = BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]);
    all.extend(headers.into_iter().flatten().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())));
    let request = Request {
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        query: form::pairs(query.as_bytes()),
        headers: all,
        body: body.map_or_else(Vec::new, |body| body.to_string().into_bytes()),
    };
    let route = Route::of(&request);
    if matches!(route.resource, Resource::Composite | Resource::Batch | Resource::Outside(_)) {
        return errors::answer(&[Fault::request(400, "INVALID_INPUT", "This resource is not available in a subrequest")]);
    }
    dispatch(org, &request, &route, &BTreeMap::new(), call.now).unwrap_or_else(|faults| errors::answer(&faults))
}

fn body_of(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_default()
}

fn shown(response: &Response, reference: &str) -> Value {
    let headers = response.headers.iter().filter(|(name, _)| matches!(name.as_str(), "Location" | "ETag" | "Last-Modified"));
    let headers: Map<String, Value> = headers.map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({ "body": body_of(response), "httpHeaders": headers, "httpStatusCode": response.status, "referenceId": reference })
}
