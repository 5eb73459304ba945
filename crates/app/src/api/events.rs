//! `POST /v1/events`: takes events and says of each what became of it.
//!
//! Promises: 202 after the commit, never before; a body that is refused as a whole, or of which nothing could be taken, is a
//! problem, and of any other each event has a result of its own. What a caller is refused is counted with the next commit.
//! Leaves to others: reading bodies (`adapters::systems::http::decode`), judging (intake), status codes and words (`problem`).

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use syncline_adapters::systems::http::decode::{self, Form, Read, Refused};
use syncline_adapters::systems::http::queue::{Failed, NotTaken, Reply};
use syncline_core::event::{Change, Invalid};
use syncline_core::ids::EventId;
use syncline_core::outcome::Judgement;
use syncline_core::seal::Seal;
use syncline_engine::error::Kind;
use syncline_engine::ports::feed::{Answer, Call, CallKey};

use super::admission::admit;
use super::auth::Bearer;
use super::follow::location;
use super::problem::{Code, Fault, Problem};
use super::router::{Gate, RequestId};
use crate::run::Callers;

/// How long a commit may take before the caller is told that nobody knows yet.
const COMMIT_TIME: Duration = Duration::from_secs(30);
/// The longest `Idempotency-Key`.
const KEY_MAX: usize = 255;

type Inputs = Vec<Result<Change, Invalid>>;

/// What became of the events of a request.
#[derive(Debug, Serialize)]
struct Taken {
    accepted: usize,
    duplicates: usize,
    refused: usize,
    results: Vec<Outcome>,
}

/// What became of one event.
#[derive(Debug, Serialize)]
struct Outcome {
    index: usize,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<EventId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Fault>,
}

pub(super) async fn take(State(gate): State<Arc<Gate>>, Extension(id): Extension<RequestId>, request: Request) -> Response<Body> {
    let (standing, admitted) = admit(&gate, request.headers());
    let answered = match admitted {
        Ok(bearer) => answer(&gate, &bearer, request).await,
        Err(problem) => Err(problem),
    };
    let mut response = match answered {
        Ok((taken, was_kept)) => accepted(&taken, was_kept),
        Err(problem) => problem.response(&id.0),
    };
    standing.tell(response.headers_mut());
    response
}

async fn answer(gate: &Gate, bearer: &Bearer, request: Request) -> Result<(Taken, bool), Problem> {
    let (head, body) = request.into_parts();
    let callers = gate.running.callers.as_ref().ok_or_else(|| {
        Problem::with_detail(Code::NotFound, "no system of kind http is configured, so no events are taken here")
    })?;
    let form = form(&head.headers)?;
    let key = key(&head.headers, bearer)?;
    let body = bytes(gate, &head.headers, body).await?;
    let limit = gate.config.limits.events;
    let read = decode::read(&form, &body, &gate.running.reloading.config().schemas, &callers.source, limit);
    let Read { inputs, is_list } = read.map_err(|refused| whole(callers, refused, limit))?;
    if inputs.iter().all(Result::is_err) {
        callers.queue.told(inputs.len() as u64);
        return Err(Problem::of_faults(faults(inputs, is_list)));
    }
    let key = key.map(|key| CallKey { key, digest: Seal::default().text(&format!("{form:?}")).bytes(&body).finish() });
    let length = body.len();
    drop(body);
    let reply = callers.queue.offer(Call { inputs, key }, length).map_err(not_taken)?;
    let reply = crate::run::within(COMMIT_TIME, reply).await.ok_or(Code::Unconfirmed)?.map_err(|_| Code::Stopping)?;
    judged(reply, is_list)
}

fn form(headers: &HeaderMap) -> Result<Form, Problem> {
    if headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(Code::ContentEncoding.into());
    }
    let attributes: Vec<(&str, &[u8])> =
        headers.iter().filter_map(|(name, value)| Some((name.as_str().strip_prefix("ce-")?, value.as_bytes()))).collect();
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    decode::form(content_type, &attributes).map_err(|refused| match refused {
        Refused::ContentType | Refused::TooMany => {
            Problem::with_detail(Code::ContentType, format!("the body must be {} in UTF-8", decode::CONTENT_TYPES))
        }
        Refused::Invalid(invalid) => Problem::of_faults(vec![Fault::invalid("", invalid)]),
    })
}

/// The caller's key, with whom it belongs to.
fn key(headers: &HeaderMap, bearer: &Bearer) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().map_err(|_| Code::BadKey)?.trim();
    let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    if bare.is_empty() || bare.len() > KEY_MAX || !bare.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"') {
        return Err(Code::BadKey.into());
    }
    Ok(Some(format!("{} {bare}", bearer.name)))
}

async fn bytes(gate: &Gate, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let limits = &gate.config.limits;
    let too_large = || Problem::with_detail(Code::TooLarge, format!("the body may have {} bytes at most", limits.body));
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > limits.body) {
        return Err(too_large());
    }
    match crate::run::within(limits.body_time, Limited::new(body, limits.body).collect()).await {
        Some(Ok(body)) => Ok(body.to_bytes()),
        Some(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Some(Err(_)) => Err(Problem::with_detail(Code::BodyTimeout, "the body broke off")),
        None => Err(Code::BodyTimeout.into()),
    }
}

fn whole(callers: &Callers, refused: Refused, limit: usize) -> Problem {
    match refused {
        Refused::ContentType => Code::ContentType.into(),
        Refused::TooMany => Problem::with_detail(Code::TooMany, format!("a request may hold {limit} events at most")),
        Refused::Invalid(invalid) => {
            callers.queue.told(1);
            Problem::of_faults(vec![Fault::invalid("", invalid)])
        }
    }
}

fn place(index: usize, is_list: bool) -> String {
    if is_list { format!("/{index}") } else { String::new() }
}

fn faults(inputs: Inputs, is_list: bool) -> Vec<Fault> {
    let refused = inputs.into_iter().enumerate().filter_map(|(index, input)| Some((index, input.err()?)));
    refused.map(|(index, invalid)| Fault::invalid(&place(index, is_list), invalid)).collect()
}

fn not_taken(why: NotTaken) -> Problem {
    match why {
        NotTaken::Full => Code::QueueFull.into(),
        NotTaken::InProgress => Code::KeyInProgress.into(),
        NotTaken::Stopping => Code::Stopping.into(),
    }
}

fn failed(failed: &Failed) -> Problem {
    let code = match failed.kind {
        Kind::StoreFull => Code::StoreFull,
        Kind::StoreUnavailable => Code::StoreUnavailable,
        Kind::Config
        | Kind::StoreNewer
        | Kind::StoreCorrupt
        | Kind::StoreOwned
        | Kind::FeedUnavailable
        | Kind::Unreachable
        | Kind::AuthRefused
        | Kind::AuthEnded
        | Kind::Protocol
        | Kind::BoundaryRefused
        | Kind::Operator
        | Kind::Internal => Code::Internal,
    };
    code.into()
}

fn judged(reply: Reply, is_list: bool) -> Result<(Taken, bool), Problem> {
    let (judged, was_kept) = match reply {
        Ok(Answer::Judged(judged)) => (judged, false),
        Ok(Answer::Kept(judged)) => (judged, true),
        Ok(Answer::KeyTaken) => return Err(Code::KeyReused.into()),
        Err(error) => return Err(failed(&error)),
    };
    let mut taken = Taken { accepted: 0, duplicates: 0, refused: 0, results: Vec::with_capacity(judged.len()) };
    for (index, judgement) in judged.into_iter().enumerate() {
        let (status, event, error) = match judgement {
            Judgement::Accepted(event) => ("accepted", Some(event), None),
            Judgement::Duplicate => ("duplicate", None, None),
            Judgement::Refused(rejection) => ("refused", None, Some(Fault::of(&place(index, is_list), &rejection))),
        };
        match status {
            "accepted" => taken.accepted += 1,
            "duplicate" => taken.duplicates += 1,
            _ => taken.refused += 1,
        }
        taken.results.push(Outcome { index, status, event, error });
    }
    if taken.refused == taken.results.len() {
        return Err(Problem::of_faults(taken.results.into_iter().filter_map(|outcome| outcome.error).collect()));
    }
    Ok((taken, was_kept))
}

fn accepted(taken: &Taken, was_kept: bool) -> Response<Body> {
    let mut response = Response::new(Body::from(serde_json::to_vec(taken).unwrap_or_default()));
    *response.status_mut() = StatusCode::ACCEPTED;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // Of several events each has its id in its result.
    let mut events = taken.results.iter().filter_map(|outcome| outcome.event);
    if let (Some(event), None) = (events.next(), events.next()) {
        headers.extend(location(event.0).map(|place| (header::LOCATION, place)));
    }
    if was_kept {
        headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    response
}

#[cfg(test)]
mod tests {
    use syncline_adapters::systems::http::queue::Failed;
    use syncline_core::ids::EventId;
    use syncline_core::outcome::{Judgement, Rejection};
    use syncline_engine::error::Kind;
    use syncline_engine::ports::feed::Answer;

    use super::judged;
    use crate::api::problem::Code;

    fn refused(code: &str) -> Judgement {
        let field = Some("/item/id".to_owned());
        Judgement::Refused(Rejection { code: code.into(), field, message: "is wrong".into(), remedy: "mend it".into() })
    }

    #[test]
    fn a_store_that_cannot_be_written_is_503_with_a_time_to_come_back() {
        let fail = |kind| judged(Err(Failed { kind, message: "no".into(), remedy: "wait".into() }), false).map(|_| ()).unwrap_err();
        for (kind, code) in [(Kind::StoreFull, Code::StoreFull), (Kind::StoreUnavailable, Code::StoreUnavailable)] {
            let problem = fail(kind);
            assert_eq!((problem.code, problem.code.status(), problem.retry_after), (code, 503, Some(1)));
        }
        assert_eq!(fail(Kind::Internal).code.status(), 500);
    }

    #[test]
    fn what_was_judged_is_told_by_item_and_a_problem_only_if_nothing_was_taken() {
        let (taken, was_kept) = judged(Ok(Answer::Kept(vec![Judgement::Accepted(EventId(7)), refused("missing_field")])), true).unwrap();
        assert!(was_kept);
        assert_eq!((taken.accepted, taken.duplicates, taken.refused), (1, 0, 1));
        assert_eq!(taken.results[1].error.as_ref().unwrap().pointer, "/1/item/id");
        let problem = judged(Ok(Answer::Judged(vec![refused("id_reuse"), refused("id_reuse")])), true).map(|_| ()).unwrap_err();
        assert_eq!((problem.code, problem.errors.len()), (Code::IdReuse, 2));
        let problem = judged(Ok(Answer::Judged(vec![refused("id_reuse"), refused("missing_field")])), true).map(|_| ()).unwrap_err();
        assert_eq!((problem.code, problem.errors[0].pointer.as_str()), (Code::Invalid, "/0/item/id"));
    }
}
