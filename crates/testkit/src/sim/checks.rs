//! Judges a run from outside: the emitted lines, the CRMs' contents, the requests they saw, and the ledger.
//!
//! Promises: says what is wrong and of which record; a record with a waiting letter is excused from convergence, nothing else is.
//! Leaves to others: what the CRMs must hold (the sandbox's oracle).

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use syncline_adapters::stores::sqlite::Memory;
use syncline_core::time::Timestamp;
use syncline_engine::ports::store::Store;
use syncline_engine::workers::dispatcher::LaneStatus;
use syncline_sandbox::crm::StoredRecord;
use syncline_sandbox::exchange::System;
use syncline_sandbox::oracle::{Oracle, Routing};
use syncline_sandbox::sandbox::Sandbox;

use super::workload::Line;

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// What is wrong.
    pub violations: Vec<String>,
    /// What happened, for the report.
    pub faults: BTreeMap<&'static str, u64>,
    /// The ledger's counters at the end.
    pub ledger: BTreeMap<String, u64>,
}

/// The judge of one run.
pub struct Judge {
    oracle: Oracle,
    /// Records of theirs whose life ended with an accepted delete: they must not be live at the end.
    doomed: BTreeSet<(System, String)>,
    /// Records that bore our key before we wrote any.
    planted: BTreeSet<(System, String)>,
    /// Keys whose record was to be nowhere at some time: deleted, or of a type that no place takes.
    homeless: BTreeSet<String>,
    /// Keys that some place holds, as last looked at.
    held: BTreeSet<String>,
    verdict: Verdict,
}

impl Default for Judge {
    fn default() -> Self {
        Self::new()
    }
}

impl Judge {
    /// A judge who has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            oracle: Oracle::new(Routing::Default),
            doomed: BTreeSet::new(),
            planted: BTreeSet::new(),
            homeless: BTreeSet::new(),
            held: BTreeSet::new(),
            verdict: Verdict::default(),
        }
    }

    /// Somebody else's store wrote a record with our key into every CRM, before this run.
    pub fn plant(&mut self, key: &str, sandbox: &Arc<Mutex<Sandbox>>, at: Timestamp) {
        let places = [
            (System::Salesforce, "Lead", serde_json::json!({"Syncline_Id__c": key, "LastName": "Before", "Company": "[not provided]"})),
            (System::HubSpot, "contacts", serde_json::json!({"syncline_id": key, "lastname": "Before", "email": format!("{key}@before.example.com")})),
        ];
        for (system, object, fields) in places {
            let mut sandbox = sandbox.lock().unwrap_or_else(PoisonError::into_inner);
            let id = sandbox.edit(system, object, None, fields.as_object(), at.as_millis()).expect("a record can be planted");
            self.planted.insert((system, id));
        }
        self.count("record that was there before", 1);
    }

    /// A planted record that nothing of ours was meant for: no event brought its key there.
    fn is_untouched(&self, system: System, record: &StoredRecord) -> bool {
        record.writes <= 1 && self.planted.contains(&(system, record.id.clone()))
    }

    /// A line appeared in the source.
    pub fn observe(&mut self, line: &Line, sandbox: &Arc<Mutex<Sandbox>>) {
        if line.is_repeat {
            self.verdict.faults.entry("repeated event").and_modify(|count| *count += 1).or_insert(1);
            return;
        }
        self.oracle.observe(line.raw.as_bytes());
        self.homeless.extend(homeless_by(line));
        if let Some(key) = &line.deletes {
            for (system, record) in all_records(sandbox) {
                if !record.deleted && key_of(&record) == Some(key) && !self.is_untouched(system, &record) {
                    self.doomed.insert((system, record.id));
                }
            }
        }
    }

    /// Something happened on the wire: a record that nobody took away must be somewhere all the time, also while it moves.
    pub fn look_at(&mut self, sandbox: &Arc<Mutex<Sandbox>>, now: Timestamp) {
        let live = all_records(sandbox).into_iter().filter(|(_, record)| !record.deleted);
        let held: BTreeSet<String> = live.filter_map(|(_, record)| key_of(&record).cloned()).collect();
        for key in self.held.difference(&held).filter(|key| !self.homeless.contains(*key)) {
            self.verdict.violations.push(format!("I3: {key} was nowhere at {} although nobody took it away", now.as_millis()));
        }
        self.held = held;
    }

    /// Whether nothing is open but what waits for a letter.
    pub fn is_drained(&self, memory: &Memory, lines: usize) -> bool {
        let connection = memory.connection();
        let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
        let one = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a count");
        let offered = one("SELECT coalesce(sum(position), 0) FROM checkpoint");
        offered == i64::try_from(lines).unwrap_or(-1) && one(OPEN) == 0
    }

    /// The run did not drain in time.
    pub fn stuck(&mut self, memory: &Memory) {
        let connection = memory.connection();
        let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = connection
            .prepare("SELECT link.id, key, system, object, link.state, opened, closed, until, external_id FROM link JOIN record ON record.id = link.record WHERE opened > closed OR link.state > 1")
            .expect("a query");
        let rows = statement
            .query_map([], |row| {
                Ok(format!(
                    "link {} {} system {} {} state {} opened {} closed {} until {:?} external {:?}",
                    row.get::<_, i64>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, i64>(2)?,
                    row.get::<_, String>(3)?,
                    row.get::<_, i64>(4)?,
                    row.get::<_, i64>(5)?,
                    row.get::<_, i64>(6)?,
                    row.get::<_, Option<i64>>(7)?,
                    row.get::<_, Option<String>>(8)?,
                ))
            })
            .expect("rows");
        let open: Vec<String> = rows.map(|row| row.expect("a row")).collect();
        self.verdict.violations.push(format!("not drained: {}", open.join("; ")));
    }

    /// Says where the lanes stand, if something is wrong already.
    pub fn note_statuses(&mut self, statuses: &[Arc<Mutex<LaneStatus>>]) {
        if self.verdict.violations.is_empty() {
            return;
        }
        for status in statuses {
            let status = status.lock().unwrap_or_else(PoisonError::into_inner);
            self.verdict.violations.push(format!(
                "lane {} is {}, waits for {}, paused {:?}, error {:?}, last error {:?}, pools {:?}",
                status.system, status.phase, status.waits_for, status.paused, status.error, status.report.last_error, status.pools
            ));
        }
    }

    /// The ledger's equations and the seals of all rows.
    pub fn audit(&mut self, store: &dyn Store) {
        let audit = now(store.audit());
        match audit {
            Ok(audit) => {
                for imbalance in audit.imbalances {
                    self.verdict.violations.push(format!("I2: {} is {} = {}", imbalance.account, imbalance.left, imbalance.right));
                }
                for row in audit.altered {
                    self.verdict.violations.push(format!("I2: {} {}: {}", row.table, row.row, row.why));
                }
            }
            Err(error) => self.verdict.violations.push(format!("audit failed: {error}")),
        }
    }

    /// What the CRMs finally hold against what they must hold, and what they refused.
    pub fn final_state(&mut self, memory: &Memory, sandbox: &Arc<Mutex<Sandbox>>, is_poisoned: bool) {
        self.verdict.ledger = counters(memory);
        let excused = excused_keys(memory);
        let records: Vec<_> = all_records(sandbox).into_iter().filter(|(system, record)| !self.is_untouched(*system, record)).collect();
        for difference in self.oracle.compare(&records, &|_, key| excused.contains(key)) {
            self.verdict.violations.push(format!("I9: {difference}; {}", links_of(memory, &difference.key)));
        }
        for (system, record) in &records {
            let key = key_of(record).cloned().unwrap_or_default();
            if !record.deleted && self.doomed.contains(&(*system, record.id.clone())) && !excused.contains(&key) {
                self.verdict.violations.push(format!("I3: {system} {} of {key} lives on although its life was ended", record.id));
            }
        }
        let sandbox = sandbox.lock().unwrap_or_else(PoisonError::into_inner);
        for request in sandbox.requests().iter() {
            let limited = request.status == Some(429);
            if limited && request.faults.is_empty() {
                self.verdict.violations.push(format!("I6: {} {} was over quota at {}", request.system, request.operation, request.at));
            }
        }
        if !self.verdict.violations.is_empty() {
            self.verdict.violations.extend(intake_letters(memory));
        }
        for (code, field) in letters(memory) {
            if !is_deserved(&code, &field, is_poisoned) {
                self.verdict.violations.push(format!("I9: a letter of {code} {field}, which nothing in this world deserves"));
            }
            *self.verdict.ledger.entry(format!("letter of {code} {field}")).or_default() += 1;
        }
        if !excused.is_empty() {
            self.count("record with a letter", excused.len() as u64);
        }
    }

    fn count(&mut self, what: &'static str, count: u64) {
        *self.verdict.faults.entry(what).or_default() += count;
    }

    /// What was found in all.
    #[must_use]
    pub fn verdict(self) -> Verdict {
        self.verdict
    }
}

/// Open links that are not waiting behind a dead one of the same record.
const OPEN: &str = "SELECT count(*) FROM link WHERE (opened > closed OR state > 1) \
    AND NOT (state = 5 AND record IN (SELECT record FROM link WHERE state = 1))";

/// Whether that attempt is durable.
#[must_use]
pub fn attempt_exists(memory: &Memory, attempt: i64) -> bool {
    let connection = memory.connection();
    let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
    connection.query_row("SELECT count(*) FROM attempt WHERE id = ?1", [attempt], |row| row.get::<_, i64>(0)).is_ok_and(|count| count == 1)
}

fn counters(memory: &Memory) -> BTreeMap<String, u64> {
    let connection = memory.connection();
    let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
    let mut statement =
        connection.prepare("SELECT scope || ' ' || name, sum(value) FROM counter WHERE scope <> 'rows' GROUP BY 1").expect("a query");
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?.unsigned_abs())));
    rows.expect("rows").map(|row| row.expect("a row")).collect()
}

fn intake_letters(memory: &Memory) -> Vec<String> {
    let connection = memory.connection();
    let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
    let mut statement = connection.prepare("SELECT place, code, message FROM letter WHERE link IS NULL").expect("a query");
    let rows = statement.query_map([], |row| {
        Ok(format!("letter {} {} {}", row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
    });
    rows.expect("rows").map(|row| row.expect("a row")).collect()
}

/// Whether the load or the fault script gives cause for such a letter: phones that are not to their liking, names that are missing, and
/// addresses that another record holds.
fn is_deserved(code: &str, field: &str, is_poisoned: bool) -> bool {
    match field.to_ascii_lowercase().as_str() {
        "phone" => is_poisoned,
        "lastname" => matches!(code, "required" | "REQUIRED_FIELD_MISSING"),
        "email" => matches!(code, "identity_collision" | "taken"),
        _ => false,
    }
}

/// Code and field of every letter of a link.
fn letters(memory: &Memory) -> Vec<(String, String)> {
    let connection = memory.connection();
    let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
    let mut statement = connection.prepare("SELECT code, coalesce(field, '-') FROM letter WHERE link IS NOT NULL").expect("a query");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
    rows.map(|row| row.expect("a row")).collect()
}

/// The links of a record, for the report of what is wrong with it.
fn links_of(memory: &Memory, key: &str) -> String {
    let connection = memory.connection();
    let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
    let mut statement = connection
        .prepare(
            "SELECT link.id, system, object, link.state, opened, closed, desired, coalesce(external_id, '-'), generation \
             FROM link JOIN record ON record.id = link.record WHERE key = ?1",
        )
        .expect("a query");
    let rows = statement.query_map([key], |row| {
        let number = |column| row.get::<_, i64>(column);
        Ok(format!(
            "link {} system {} {} state {} opened {} closed {} desired {} external {} generation {}",
            number(0)?,
            number(1)?,
            row.get::<_, String>(2)?,
            number(3)?,
            number(4)?,
            number(5)?,
            number(6)?,
            row.get::<_, String>(7)?,
            number(8)?,
        ))
    });
    let links = rows.expect("rows").map(|row| row.expect("a row")).collect::<Vec<_>>().join(", ");
    let mut statement = connection
        .prepare(
            "SELECT position, event.operation, routing, opened FROM event JOIN record ON record.id = event.record WHERE key = ?1 ORDER BY event.id",
        )
        .expect("a query");
    let rows = statement.query_map([key], |row| {
        Ok(format!("{}:{}:{}:{}", row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?, row.get::<_, String>(3)?))
    });
    format!("{links}; events {}", rows.expect("rows").map(|row| row.expect("a row")).collect::<Vec<_>>().join(" "))
}

fn excused_keys(memory: &Memory) -> BTreeSet<String> {
    let connection = memory.connection();
    let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
    let mut statement = connection
        .prepare("SELECT DISTINCT key FROM record JOIN link ON link.record = record.id JOIN letter ON letter.link = link.id WHERE letter.state = 0")
        .expect("a query");
    let keys = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
    keys.map(|key| key.expect("a key")).collect()
}

fn all_records(sandbox: &Arc<Mutex<Sandbox>>) -> Vec<(System, StoredRecord)> {
    let sandbox = sandbox.lock().unwrap_or_else(PoisonError::into_inner);
    [System::Salesforce, System::HubSpot]
        .into_iter()
        .flat_map(|system| sandbox.records(system).into_iter().map(move |record| (system, record)))
        .collect()
}

/// The record that a line deletes, or sends to where no place takes it.
fn homeless_by(line: &Line) -> Option<String> {
    let event: serde_json::Value = serde_json::from_str(&line.raw).ok()?;
    let is_routed = event["item"]["contact"].as_str().is_none_or(|kind| kind != "robot");
    let key = event["item"]["id"].as_str().filter(|_| !is_routed);
    line.deletes.clone().or_else(|| key.map(str::to_owned))
}

fn key_of(record: &StoredRecord) -> Option<&String> {
    record.fields.get("Syncline_Id__c").or_else(|| record.fields.get("syncline_id"))
}

/// The value of a future that waits for nothing.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a read of the database in memory waits for nothing"),
    }
}
