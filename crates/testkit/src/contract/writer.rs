//! The contract suite of the writer port: what docs/spec/writer.md promises, tried on a writer before the sandbox.
//!
//! Promises: every case makes its own bench, so cases do not meet; how vendors differ is data (`Facts`), never a branch on a name.
//! Leaves to others: the cases themselves (`writer_set_up`, `writer_writes`, `writer_faults`).

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use syncline_adapters::systems::means::Means;
use syncline_adapters::systems::object_use::{ObjectUse, ObjectUses};
use syncline_core::attempt::Operation;
use syncline_core::dispatch::batch::{Batch, Item, ReadBatch, ReadBy};
use syncline_core::ids::{AttemptId, ChargeId};
use syncline_core::outcome::{ExternalFields, Found, Outcome};
use syncline_core::time::Timestamp;
use syncline_engine::ports::clock::Clock;
use syncline_engine::ports::writer::{Answer, ReadAnswer, Writer};
use syncline_sandbox::crm::StoredRecord;
use syncline_sandbox::exchange::System;
use syncline_sandbox::sandbox::{Sandbox, SandboxConfig};

use crate::sandbox_transport::SandboxTransport;

/// What the suite needs to know of a vendor.
pub struct Facts {
    /// Which emulator answers.
    pub system: System,
    /// A writer of that vendor, with the sandbox's own credentials.
    pub make: fn(Means, ObjectUses) -> Arc<dyn Writer>,
    /// Sets the sandbox up with the suite's unique field.
    pub prepare: fn(&mut SandboxConfig),
    /// Makes the key field useless, for W2.
    pub spoil_key: fn(&mut SandboxConfig),
    /// The account's id in the sandbox.
    pub account: &'static str,
    /// The object that is written.
    pub object: &'static str,
    /// Its field that holds our key.
    pub key_field: &'static str,
    /// A text field that a create needs.
    pub name_field: &'static str,
    /// A text field that can be cleared.
    pub phone_field: &'static str,
    /// A field whose values must be unique.
    pub unique_field: &'static str,
    /// A field that does not exist.
    pub no_field: &'static str,
    /// An id of the right form that nothing bears.
    pub no_id: &'static str,
    /// The emulator's name of each write.
    pub operations: [(Operation, &'static str); 3],
    /// The status and body by which the emulator says that a limit is reached, and the pool that it means.
    pub limited: (u16, &'static str, &'static str),
    /// The pool of which every answer to a write tells.
    pub told_pool: &'static str,
    /// Whether a token is fetched.
    pub fetches_token: bool,
    /// Whether the answer to a write holds values.
    pub returns_values: bool,
}

impl Facts {
    /// The emulator's name of a write.
    #[must_use]
    pub fn operation(&self, wanted: Operation) -> &'static str {
        self.operations.iter().find(|(operation, _)| *operation == wanted).map_or("any", |(_, name)| name)
    }
}

/// A clock that stands until it is moved.
#[derive(Debug)]
pub struct HandClock(AtomicI64);

impl HandClock {
    /// Moves it on.
    pub fn advance_ms(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A writer before a sandbox of its own.
pub struct Bench {
    /// The vendor.
    pub facts: &'static Facts,
    /// The writer under test.
    pub writer: Arc<dyn Writer>,
    /// Its way to the sandbox.
    pub transport: Arc<SandboxTransport>,
    /// The clock of both.
    pub clock: Arc<HandClock>,
    sandbox: Arc<Mutex<Sandbox>>,
    attempts: AtomicI64,
}

impl Bench {
    /// A writer that has connected.
    #[must_use]
    pub fn connected(facts: &'static Facts) -> Self {
        let bench = Self::new(facts, |_| {}, &[]);
        match ready(bench.writer.connect()) {
            Ok(_) => bench,
            Err(error) => panic!("connect: {error} ({})", error.remedy()),
        }
    }

    /// A writer that has not connected, before a sandbox with that change and with further mapped fields.
    #[must_use]
    pub fn new(facts: &'static Facts, change: impl FnOnce(&mut SandboxConfig), fields: &[&str]) -> Self {
        let mut config = SandboxConfig::default();
        (facts.prepare)(&mut config);
        change(&mut config);
        let sandbox = match Sandbox::new(config) {
            Ok(sandbox) => Arc::new(Mutex::new(sandbox)),
            Err(error) => panic!("sandbox: {error}"),
        };
        // 2026-01-02T03:04:05Z
        let clock = Arc::new(HandClock(AtomicI64::new(1_767_323_045_000)));
        let transport = Arc::new(SandboxTransport::new(sandbox.clone(), facts.system, clock.clone()));
        let written = [facts.name_field, facts.phone_field, facts.unique_field]
            .iter()
            .chain(fields)
            .map(|name| (*name).to_owned())
            .collect();
        let used = ObjectUse { key_field: facts.key_field.to_owned(), written, ..ObjectUse::default() };
        // No way to sign in that the suite uses keeps a refresh token.
        let means = Means::new(transport.clone(), clock.clone(), "no-token.json".into());
        let writer = (facts.make)(means, [(facts.object.to_owned(), used)].into());
        Self { facts, writer, transport, clock, sandbox, attempts: AtomicI64::new(0) }
    }

    /// An item; fields are (name, value or null).
    pub fn item(&self, key: &str, id: Option<&str>, fields: &[(&str, Option<&str>)]) -> Item {
        let attempt = AttemptId(self.attempts.fetch_add(1, Ordering::SeqCst) + 1);
        let fields: ExternalFields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect();
        Item { attempt, key: key.to_owned(), external_id: id.map(str::to_owned), fields }
    }

    /// A create item that every vendor takes.
    pub fn person(&self, key: &str, name: &str) -> Item {
        self.item(key, None, &[(self.facts.name_field, Some(name)), (self.facts.phone_field, Some("+1 555 0100"))])
    }

    /// Sends a batch.
    pub fn send(&self, operation: Operation, items: Vec<Item>) -> Answer {
        let batch = Batch {
            charge: ChargeId(1),
            operation,
            object: self.facts.object.to_owned(),
            key_field: self.facts.key_field.to_owned(),
            items,
        };
        let answer = ready(self.writer.send(&batch));
        assert_eq!(answer.outcomes.len(), batch.items.len(), "one outcome per item");
        answer
    }

    /// Creates one record and tells its id.
    pub fn created(&self, key: &str, name: &str) -> String {
        written_id(&self.send(Operation::Create, vec![self.person(key, name)]).outcomes[0])
    }

    /// Reads records with the suite's fields.
    pub fn read_answer(&self, by: ReadBy, names: &[&str]) -> ReadAnswer {
        let batch = ReadBatch {
            charge: ChargeId(1),
            object: self.facts.object.to_owned(),
            key_field: self.facts.key_field.to_owned(),
            by,
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            fields: vec![self.facts.name_field.to_owned(), self.facts.phone_field.to_owned()],
        };
        ready(self.writer.read(&batch))
    }

    /// Reads records that must be readable.
    pub fn read(&self, by: ReadBy, names: &[&str]) -> Vec<Option<Found>> {
        match self.read_answer(by, names).found {
            Ok(found) => found,
            Err(why) => panic!("read: {why}"),
        }
    }

    /// Puts a fault script in force.
    pub fn faults(&self, script: &str) {
        if let Err(error) = self.lock().set_faults(script) {
            panic!("{error}");
        }
    }

    /// The live records that the sandbox holds.
    #[must_use]
    pub fn records(&self) -> Vec<StoredRecord> {
        self.lock().records(self.facts.system).into_iter().filter(|record| !record.deleted).collect()
    }

    /// How many requests of all kinds have arrived.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.lock()
            .counters()
            .systems
            .get(&self.facts.system)
            .map_or(0, |operations| operations.values().map(|count| count.requests).sum())
    }

    fn lock(&self) -> MutexGuard<'_, Sandbox> {
        self.sandbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The result of a future that has no reason to wait.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    match future.now_or_never() {
        Some(value) => value,
        None => panic!("a call waited, though its transport does not"),
    }
}

/// The id of a proven write.
#[must_use]
pub fn written_id(outcome: &Outcome) -> String {
    let Outcome::Written { external_id, .. } = outcome else { panic!("not written: {outcome:?}") };
    external_id.clone()
}

/// One test per case, for the writer with these facts.
#[macro_export]
macro_rules! writer_contract {
    ($facts:expr) => {
        $crate::writer_contract!($facts;
            writer_set_up: w1_connect_names_the_account_and_its_pools, w2_connect_refuses_a_key_field_that_is_not_unique,
                w3_connect_refuses_a_missing_field_by_name, w4_a_good_token_is_not_fetched_again,
                w23_a_look_names_what_does_not_fit;
            writer_writes: w5_one_call_is_one_request, w6_a_create_repeated_leaves_one_record, w7_an_update_changes_what_it_names,
                w8_an_update_of_nothing_is_gone, w9_a_delete_may_be_repeated, w10_a_read_answers_in_the_order_of_names,
                w11_a_count_counts_our_keys, w12_one_bad_item_does_not_stop_the_others, w19_an_answer_tells_the_quota,
                w20_a_taken_value_names_its_holder;
            writer_faults: w13_without_an_answer_all_is_unknown, w14_what_never_left_is_not_sent, w15_server_errors_are_told_apart,
                w16_a_refused_token_stops_before_anything_is_done, w17_a_limit_is_told_by_its_pool,
                w18_what_is_wrong_for_all_blames_none, w21_an_unreadable_success_is_unknown, w22_no_value_is_told;
        );
    };
    ($facts:expr; $($subject:ident: $($case:ident),+;)+) => {$($(
        #[test]
        fn $case() {
            $crate::contract::$subject::$case(&$facts);
        }
    )+)+};
}
