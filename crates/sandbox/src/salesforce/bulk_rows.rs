//! Runs the rows of a CSV upload, and writes what became of them.
//!
//! Promises: an empty value leaves a field alone and `#N/A` clears it; a row's fault leaves the others alone; a column that the object
//! does not have fails the job before any row; results come in another order than the upload.
//! Leaves to others: one row's write (`collections`).

use std::borrow::Cow;

use csv::{QuoteStyle, ReaderBuilder, StringRecord, Terminator, WriterBuilder};
use serde_json::Value;

use super::call::Call;
use super::collections::{self, Outcome as RowOutcome};
use super::errors::Fault;
use super::jobs::{Job, LineEnding, Operation, State};
use super::org::Org;
use super::record::Record;
use super::schema::{Kind, Sobject};

/// Rows that are saved together.
const CHUNK: usize = 200;

/// Runs a job that was closed.
pub(super) fn run(org: &mut Org, call: &Call<'_>, job: &mut Job) {
    let data = job.data.clone().unwrap_or_default();
    match read(org, job, data.trim_start_matches('\u{feff}')) {
        Ok(upload) => finish(org, call, job, &upload),
        Err(reason) => {
            job.state = State::Failed;
            job.error = Some(reason);
            job.outcome.unprocessed = data;
        }
    }
}

/// An upload that can be run.
struct Upload {
    object: Sobject,
    head: StringRecord,
    rows: Vec<StringRecord>,
}

fn read(org: &Org, job: &Job, data: &str) -> Result<Upload, String> {
    let object = Sobject::named(&job.object).ok_or("InvalidJob : the object is gone")?;
    let first = data.split_inclusive('\n').next().unwrap_or("");
    let ends = if first.ends_with("\r\n") { LineEnding::Crlf } else { LineEnding::Lf };
    if first.ends_with('\n') && ends != job.line_ending {
        return Err("ClientInputError : LineEnding is invalid on user data".to_owned());
    }
    let mut reader = ReaderBuilder::new().delimiter(job.delimiter.byte()).from_reader(data.as_bytes());
    let broken = |error: csv::Error| format!("ClientInputError : CSV data cannot be read: {error}");
    let head = reader.headers().map_err(broken)?.clone();
    let schema = &org.table(object).schema;
    if let Some(unknown) = head.iter().find(|name| schema.number(name).is_none()) {
        return Err(format!("InvalidBatch : Field name not found : {unknown}"));
    }
    let rows = reader.records().collect::<Result<Vec<StringRecord>, csv::Error>>().map_err(broken)?;
    Ok(Upload { object, head, rows })
}

fn finish(org: &mut Org, call: &Call<'_>, job: &mut Job, upload: &Upload) {
    let mut outcomes = Vec::with_capacity(upload.rows.len());
    for chunk in upload.rows.chunks(CHUNK) {
        let records: Vec<Record<'_>> = chunk.iter().map(|row| record(org, upload, row)).collect();
        outcomes.extend(collections::chunk(org, call, upload.object, job.operation, job.key.as_deref(), records));
    }
    let delimiter = job.delimiter.byte();
    let (mut saved, mut refused) = (Table::new(&["sf__Id", "sf__Created"], upload, delimiter), Table::new(&["sf__Id", "sf__Error"], upload, delimiter));
    for (row, outcome) in upload.rows.iter().zip(&outcomes).rev() {
        let id = outcome.id.as_deref().unwrap_or("");
        if outcome.faults.is_empty() {
            let created = outcome.created.unwrap_or(job.operation == Operation::Insert);
            saved.add([id, if created { "true" } else { "false" }], row);
        } else {
            refused.add([id, &told(outcome)], row);
        }
    }
    job.state = State::JobComplete;
    job.outcome.processed = outcomes.len();
    job.outcome.failed = outcomes.iter().filter(|outcome| !outcome.faults.is_empty()).count();
    job.outcome.successful = saved.text();
    job.outcome.refused = refused.text();
    job.outcome.unprocessed = Table::new(&[], upload, delimiter).text();
}

/// A row's members; what is empty is none.
fn record<'a>(org: &Org, upload: &'a Upload, row: &'a StringRecord) -> Record<'a> {
    let schema = &org.table(upload.object).schema;
    let cells = upload.head.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
    let members = cells.map(|(name, cell)| {
        let is_flag = schema.number(name).is_some_and(|number| schema.field(number).kind == Kind::Boolean);
        let value = match cell {
            "#N/A" => Value::Null,
            "1" if is_flag => Value::Bool(true),
            "0" if is_flag => Value::Bool(false),
            text => Value::String(text.to_owned()),
        };
        (Cow::Borrowed(name), value)
    });
    Record(members.collect())
}

/// `CODE:message:Field1, Field2 --`
fn told(outcome: &RowOutcome) -> String {
    let of = |fault: &Fault| {
        let fields = fault.fields.clone().unwrap_or_default().join(", ");
        let fields = if fields.is_empty() { String::new() } else { format!("{fields} ") };
        format!("{}:{}:{fields}--", fault.code, fault.message)
    };
    outcome.faults.iter().map(of).collect::<Vec<_>>().join(";")
}

/// Writes CSV with every value in quotes.
fn writer(delimiter: u8) -> csv::Writer<Vec<u8>> {
    WriterBuilder::new().quote_style(QuoteStyle::Always).delimiter(delimiter).terminator(Terminator::Any(b'\n')).from_writer(Vec::new())
}

/// One line of a query's result.
pub(super) fn line(cells: &[String], delimiter: u8) -> String {
    let mut writer = writer(delimiter);
    let written = writer.write_record(cells);
    debug_assert!(written.is_ok(), "memory takes every line");
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// A result file under way: every value in quotes.
struct Table(csv::Writer<Vec<u8>>);

impl Table {
    fn new(own: &[&str], upload: &Upload, delimiter: u8) -> Self {
        let mut table = Self(writer(delimiter));
        table.line(own.iter().copied().chain(&upload.head));
        table
    }

    fn add(&mut self, own: [&str; 2], row: &StringRecord) {
        self.line(own.into_iter().chain(row));
    }

    fn line<'a>(&mut self, cells: impl Iterator<Item = &'a str>) {
        let written = self.0.write_record(cells);
        debug_assert!(written.is_ok(), "memory takes every line of as many cells as the head has");
    }

    fn text(self) -> String {
        self.0.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
    }
}
