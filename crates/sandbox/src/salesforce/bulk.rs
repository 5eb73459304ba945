//! Bulk API 2.0: jobs that take a CSV file in, and jobs that give one out.
//!
//! Promises: an upload is taken once and exactly while the job is open; a closed job has run by the time anybody looks at it again; a job
//! that completed may hold failed rows, one that failed holds rows that nobody looked at.
//! Leaves to others: rows and values (`bulk_rows`); parents named by a key of theirs, and the upload that comes with the job.

use serde::Deserialize;
use serde_json::{Value, json};

use super::bulk_rows;
use super::call::{Answer, Call};
use super::errors::{self, Fault};
use super::jobs::{Delimiter, Job, LineEnding, Operation, Outcome, State};
use super::org::Org;
use super::schema::Sobject;
use super::{query, wire};
use crate::exchange::Response;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    operation: Operation,
    #[serde(default)]
    object: Option<String>,
    #[serde(default)]
    external_id_field_name: Option<String>,
    #[serde(default)]
    line_ending: LineEnding,
    #[serde(default)]
    column_delimiter: Delimiter,
    #[serde(default)]
    query: Option<String>,
}

#[derive(Deserialize)]
struct Change {
    state: State,
}

/// Which result file of an ingest job is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum File {
    Successful,
    Failed,
    Unprocessed,
}

fn invalid(message: impl Into<String>) -> Vec<Fault> {
    vec![Fault::request(400, "INVALIDJOB", message)]
}

/// POST on jobs/ingest or jobs/query.
pub(super) fn create(org: &mut Org, call: &Call<'_>, is_query: bool) -> Answer {
    let asked: Asked = call.body()?;
    if asked.operation.is_query() != is_query {
        return Err(invalid(format!("The operation {} is not one of this resource", json!(asked.operation))));
    }
    let (object, outcome) = if is_query {
        let all = asked.operation == Operation::QueryAll;
        let (object, found) = query::lines(org, call, asked.query.as_deref().unwrap_or(""), all, asked.column_delimiter.byte())?;
        (object, Outcome { processed: found.len().saturating_sub(1), found, ..Outcome::default() })
    } else {
        let name = asked.object.as_deref().unwrap_or("");
        let object = Sobject::named(name).filter(|object| object.holds_data());
        let object = object.ok_or_else(|| vec![Fault::request(400, "INVALIDENTITY", format!("Entity '{name}' is not supported by the Bulk API."))])?;
        check_key(org, object, &asked)?;
        (object, Outcome::default())
    };
    let mut job = Job {
        serial: org.jobs.take_serial(),
        object: object.name().to_owned(),
        operation: asked.operation,
        key: asked.external_id_field_name,
        line_ending: asked.line_ending,
        delimiter: asked.column_delimiter,
        state: if is_query { State::UploadComplete } else { State::Open },
        version: call.version,
        created: call.now,
        modified: call.now,
        data: None,
        outcome,
        error: None,
    };
    let shown = job.shown(false);
    if is_query {
        job.state = State::JobComplete;
    }
    org.jobs.put(job);
    Ok(wire::json(200, &shown))
}

fn check_key(org: &Org, object: Sobject, asked: &Asked) -> Result<(), Vec<Fault>> {
    match (&asked.external_id_field_name, asked.operation) {
        (None, Operation::Upsert) => Err(invalid("InvalidJob : An external ID field must be named for an upsert")),
        (Some(name), Operation::Upsert) => {
            let schema = &org.table(object).schema;
            let usable = schema.number(name).is_some_and(|number| schema.field(number).is_key());
            let message = || format!("InvalidJob : Field name provided, {name} does not match an External ID, Salesforce Id, or indexed field for {}", object.name());
            if usable { Ok(()) } else { Err(invalid(message())) }
        }
        (_, _) => Ok(()),
    }
}

/// GET on jobs/ingest or jobs/query.
pub(super) fn list(org: &Org, is_query: bool) -> Answer {
    let jobs: Vec<Value> = org.jobs.all().filter(|job| job.operation.is_query() == is_query).map(|job| job.shown(false)).collect();
    Ok(wire::json(200, &json!({ "done": true, "records": jobs, "nextRecordsUrl": null })))
}

fn job<'o>(org: &'o Org, is_query: bool, id: &str) -> Result<&'o Job, Vec<Fault>> {
    org.jobs.get(id).filter(|job| job.operation.is_query() == is_query).ok_or_else(|| vec![errors::not_found()])
}

fn wrong_state(job: &Job, what: &str) -> Vec<Fault> {
    vec![Fault::request(400, "INVALIDJOBSTATE", format!("{what} is not allowed for a job in the state {}", json!(job.state).as_str().unwrap_or("")))]
}

/// PUT on the batches of a job.
pub(super) fn upload(org: &mut Org, call: &Call<'_>, id: &str) -> Answer {
    let content = call.request.headers.get("content-type").map_or("", String::as_str);
    if !content.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("text/csv") {
        let message = format!("Content type specified in the request '{content}' is not supported");
        return Err(vec![Fault::request(415, "UNSUPPORTED_MEDIA_TYPE", message)]);
    }
    let mut job = job(org, false, id)?.clone();
    if job.state != State::Open || job.data.is_some() {
        return Err(wrong_state(&job, "An upload"));
    }
    job.data = Some(String::from_utf8_lossy(&call.request.body).into_owned());
    job.modified = call.now;
    org.jobs.put(job);
    let mut response = wire::empty(201);
    response.headers.push(("Content-Length".to_owned(), "0".to_owned()));
    Ok(response)
}

/// PATCH on a job: closes it, which runs it, or aborts it.
pub(super) fn change(org: &mut Org, call: &Call<'_>, is_query: bool, id: &str) -> Answer {
    let change: Change = call.body()?;
    let mut job = job(org, is_query, id)?.clone();
    match (job.state, change.state) {
        (State::Open | State::UploadComplete, State::Aborted) => job.state = State::Aborted,
        (State::Open, State::UploadComplete) => job.state = State::UploadComplete,
        (_, _) => return Err(wrong_state(&job, "This change")),
    }
    job.modified = call.now;
    let shown = job.shown(false);
    if job.state == State::UploadComplete {
        bulk_rows::run(org, call, &mut job);
    } else {
        job.outcome.unprocessed = job.data.clone().unwrap_or_default();
    }
    org.jobs.put(job);
    Ok(wire::json(200, &shown))
}

/// GET on a job.
pub(super) fn read(org: &Org, is_query: bool, id: &str) -> Answer {
    Ok(wire::json(200, &job(org, is_query, id)?.shown(true)))
}

/// DELETE on a job that has ended.
pub(super) fn remove(org: &mut Org, is_query: bool, id: &str) -> Answer {
    let job = job(org, is_query, id)?;
    if matches!(job.state, State::Open | State::UploadComplete) {
        return Err(wrong_state(job, "A deletion"));
    }
    let serial = job.serial;
    org.jobs.remove(serial);
    Ok(wire::empty(204))
}

/// GET on a result file of an ingest job.
pub(super) fn results(org: &Org, id: &str, file: File) -> Answer {
    let job = job(org, false, id)?;
    let text = match file {
        File::Successful => &job.outcome.successful,
        File::Failed => &job.outcome.refused,
        File::Unprocessed => &job.outcome.unprocessed,
    };
    Ok(csv(text.clone()))
}

/// GET on the results of a query job, some lines at a time.
pub(super) fn found(org: &Org, call: &Call<'_>, id: &str) -> Answer {
    let job = job(org, true, id)?;
    let number = |name: &str| call.request.query_value(name).filter(|text| !text.is_empty()).map(str::parse::<usize>);
    let (Some(Ok(_)) | None, Some(Ok(_)) | None) = (number("maxRecords"), number("locator")) else {
        return Err(vec![Fault::request(400, "INVALIDQUERYLOCATOR", "invalid locator")]);
    };
    let (max, from) = (number("maxRecords").and_then(Result::ok).unwrap_or(usize::MAX), number("locator").and_then(Result::ok).unwrap_or(0));
    let lines = job.outcome.found.get(1..).unwrap_or_default();
    let page = lines.iter().skip(from).take(max.max(1));
    let text: String = job.outcome.found.first().into_iter().chain(page.clone()).map(String::as_str).collect();
    let count = page.count();
    let next = from + count;
    let mut response = csv(text);
    let locator = if next < lines.len() { next.to_string() } else { "null".to_owned() };
    response.headers.push(("Sforce-Locator".to_owned(), locator));
    response.headers.push(("Sforce-NumberOfRecords".to_owned(), count.to_string()));
    Ok(response)
}

fn csv(text: String) -> Response {
    Response { status: 200, headers: vec![("Content-Type".to_owned(), "text/csv".to_owned())], body: text.into_bytes() }
}
