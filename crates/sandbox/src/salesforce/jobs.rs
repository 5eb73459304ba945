//! The jobs of Bulk API 2.0: what a client asked for, what it uploaded, and what became of it.
//!
//! Promises: a job moves from open to closed or aborted and never back; numbers of jobs are not used twice; every changed job is told
//! to the journal.
//! Leaves to others: the calls (`bulk`), the rows (`bulk_rows`).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ids, wire};
use crate::exchange::Millis;

const PREFIX: &str = "750";
/// Records of one batch, into which the org cuts an upload.
const BATCH_RECORDS: usize = 10_000;
const DAY_MS: Millis = 24 * 60 * 60 * 1000;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Operation {
    Insert,
    Update,
    Upsert,
    Delete,
    HardDelete,
    Query,
    QueryAll,
}

impl Operation {
    /// Whether it reads rows.
    pub(super) fn is_query(self) -> bool {
        matches!(self, Self::Query | Self::QueryAll)
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    Open,
    UploadComplete,
    JobComplete,
    Failed,
    Aborted,
}

/// How lines of an upload end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum LineEnding {
    #[default]
    Lf,
    Crlf,
}

/// What stands between the values of a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Delimiter {
    #[default]
    Comma,
    Tab,
    Pipe,
    Semicolon,
    Caret,
    Backquote,
}

impl Delimiter {
    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Tab => b'\t',
            Self::Pipe => b'|',
            Self::Semicolon => b';',
            Self::Caret => b'^',
            Self::Backquote => b'`',
        }
    }
}

/// One job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) serial: u64,
    pub(super) object: String,
    pub(super) operation: Operation,
    /// The field that an upsert finds rows by.
    pub(super) key: Option<String>,
    pub(super) line_ending: LineEnding,
    pub(super) delimiter: Delimiter,
    pub(super) state: State,
    pub(super) version: u16,
    pub(super) created: Millis,
    pub(super) modified: Millis,
    /// What was uploaded.
    pub(super) data: Option<String>,
    pub(super) outcome: Outcome,
    /// Why the job failed.
    pub(super) error: Option<String>,
}

/// What became of a job's rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub(super) processed: usize,
    pub(super) failed: usize,
    /// CSV: rows that were saved.
    pub(super) successful: String,
    /// CSV: rows that were not.
    pub(super) refused: String,
    /// CSV: rows that were never looked at.
    pub(super) unprocessed: String,
    /// Lines of a query's result, the head first.
    pub(super) found: Vec<String>,
}

impl Job {
    pub(super) fn id(&self) -> String {
        ids::make(PREFIX, self.serial)
    }

    /// The job as an answer shows it; only a look at it later tells what became of its rows.
    pub(super) fn shown(&self, with_outcome: bool) -> Value {
        let kind = if self.operation.is_query() { "V2Query" } else { "V2Ingest" };
        let mut shown = json!({
            "id": self.id(), "operation": self.operation, "object": self.object, "createdById": ids::INTEGRATION_USER,
            "createdDate": wire::datetime(self.created), "systemModstamp": wire::datetime(self.modified), "state": self.state,
            "concurrencyMode": "Parallel", "contentType": "CSV", "apiVersion": f64::from(self.version), "jobType": kind,
            "lineEnding": self.line_ending, "columnDelimiter": self.delimiter,
        });
        if !self.operation.is_query() {
            shown["contentUrl"] = json!(format!("services/data/v{}.0/jobs/ingest/{}/batches", self.version, self.id()));
        }
        if let Some(key) = &self.key {
            shown["externalIdFieldName"] = json!(key);
        }
        if with_outcome {
            let times = ["retries", "totalProcessingTime", "apiActiveProcessingTime", "apexProcessingTime"];
            times.iter().for_each(|name| shown[*name] = json!(0));
            shown["numberRecordsProcessed"] = json!(self.outcome.processed);
            shown["numberRecordsFailed"] = json!(self.outcome.failed);
        }
        if let Some(error) = &self.error {
            shown["errorMessage"] = json!(error);
        }
        shown
    }
}

/// All jobs.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    by_serial: BTreeMap<u64, Job>,
    next: u64,
    changed: BTreeSet<u64>,
}

impl Jobs {
    /// The serial number for a new job.
    pub(super) fn take_serial(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// The job of an id of 15 or 18 characters.
    pub(super) fn get(&self, id: &str) -> Option<&Job> {
        ids::read(id).and_then(|id| ids::serial(PREFIX, &id)).and_then(|serial| self.by_serial.get(&serial))
    }

    pub(super) fn put(&mut self, job: Job) {
        self.changed.insert(job.serial);
        self.next = self.next.max(job.serial);
        self.by_serial.insert(job.serial, job);
    }

    pub(super) fn remove(&mut self, serial: u64) {
        self.changed.insert(serial);
        self.by_serial.remove(&serial);
    }

    /// Every job, the newest last.
    pub(super) fn all(&self) -> impl Iterator<Item = &Job> {
        self.by_serial.values()
    }

    /// Batches that jobs of the last 24 hours were cut into.
    pub(super) fn batches(&self, now: Millis) -> usize {
        let recent = self.all().filter(|job| !job.operation.is_query() && now - job.modified < DAY_MS);
        recent.map(|job| job.outcome.processed.div_ceil(BATCH_RECORDS)).sum()
    }

    /// The number of the last job, and every job.
    pub(super) fn kept(&self) -> Value {
        json!([self.next, self.all().map(|job| (job.serial, job)).collect::<Vec<_>>()])
    }

    /// As `kept` with the jobs that changed since the last call, null for those that are gone; None if none did.
    pub(super) fn drain(&mut self) -> Option<Value> {
        let changed = std::mem::take(&mut self.changed);
        let jobs: Vec<(u64, Option<&Job>)> = changed.into_iter().map(|serial| (serial, self.by_serial.get(&serial))).collect();
        (!jobs.is_empty()).then(|| json!([self.next, jobs]))
    }

    /// Takes over what `kept` or `drain` answered.
    pub(super) fn read(&mut self, kept: &Value) -> Result<(), String> {
        let (next, jobs): (u64, Vec<(u64, Option<Job>)>) = Deserialize::deserialize(kept).map_err(|error| format!("jobs: {error}"))?;
        for (serial, job) in jobs {
            match job {
                Some(job) => self.by_serial.insert(serial, job),
                None => self.by_serial.remove(&serial),
            };
        }
        self.next = next;
        Ok(())
    }
}
