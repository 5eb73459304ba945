//! The one writer: carries out what has gathered in the queue, a group in one transaction.
//!
//! Promises: a group is applied in the order in which its sets were handed in; nothing of a set that fails is applied, and
//! it fails alone; whoever waits is answered after the transaction is durable, never before.
//! Leaves to others: the thread that it runs on (the app), how rows are written (`tables`).

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use syncline_core::change_set::ChangeSet;
use syncline_engine::error::{Error, Result};
use syncline_engine::ports::store::Witness;

use super::faults::{concerns_every_set, fault, repeated};
use super::lock::Ownership;
use super::queue::{Queue, Request, Task};
use super::tables::counter::Tally;
use super::tables::{attempt, call, charge, config_entry, event, letter, link, pause, record, resync, source, system, token};

/// A group is closed at about this many rows, so that no waiter waits long for the others.
const GROUP_ROWS_MAX: usize = 20_000;

/// Carries out what was handed to the store.
pub struct Committer {
    connection: Arc<Mutex<Connection>>,
    queue: Arc<Queue>,
    witness: Option<Arc<dyn Witness>>,
    _ownership: Option<Arc<Ownership>>,
}

impl Committer {
    pub(super) fn new(connection: Arc<Mutex<Connection>>, queue: Arc<Queue>, ownership: Option<Arc<Ownership>>) -> Self {
        Self { connection, queue, witness: None, _ownership: ownership }
    }

    /// Tells this witness of every set that becomes durable from now on.
    #[must_use]
    pub fn witnessed(mut self, witness: Arc<dyn Witness>) -> Self {
        self.witness = Some(witness);
        self
    }

    /// How many requests wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// Carries out what has gathered, as one group, and answers how many requests it answered, well or ill.
    ///
    /// # Errors
    /// A fault of the store itself; those who waited have been told.
    pub fn step(&mut self) -> Result<usize> {
        let group = self.queue.gather(GROUP_ROWS_MAX);
        if group.is_empty() {
            return Ok(0);
        }
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let answered = group.len();
        let witness = self.witness.as_deref();
        let begins = || witness.into_iter().for_each(Witness::begins);
        begins();
        match apply(&mut connection, &group) {
            Ok(numbers) => {
                drop(connection);
                bear_witness(witness, &group);
                for (request, number) in group.into_iter().zip(numbers) {
                    answer(request, Ok(number));
                }
                Ok(answered)
            }
            Err(error) if concerns_every_set(error.kind) => {
                for request in group {
                    answer(request, Err(repeated(&error)));
                }
                Err(error)
            }
            Err(error) if answered == 1 => {
                group.into_iter().for_each(|request| answer(request, Err(repeated(&error))));
                Ok(answered)
            }
            Err(_) => {
                for request in group {
                    begins();
                    let number = apply(&mut connection, std::slice::from_ref(&request)).map(|numbers| numbers.into_iter().sum());
                    if number.is_ok() {
                        bear_witness(witness, std::slice::from_ref(&request));
                    }
                    answer(request, number);
                }
                Ok(answered)
            }
        }
    }

    /// Carries out whatever comes until the store's handle is gone and nothing waits. Blocks while there is nothing to do.
    pub fn run_until_closed(mut self) {
        while self.queue.wait() {
            if let Err(error) = self.step() {
                tracing::warn!(error = %error, remedy = error.remedy(), "commit group failed");
            }
        }
    }
}

impl std::fmt::Debug for Committer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Committer").field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.queue.abandon();
    }
}

/// Tells of the change sets of a group that is durable.
fn bear_witness(witness: Option<&dyn Witness>, group: &[Request]) {
    let Some(witness) = witness else { return };
    let sets = group.iter().filter_map(|request| match &request.task {
        Task::Commit(set) => Some(&**set),
        Task::Register(_) | Task::Forget(..) | Task::ForgetCalls(..) => None,
    });
    let sets: Vec<&ChangeSet> = sets.collect();
    if !sets.is_empty() {
        witness.committed(&sets);
    }
}

/// A waiter that went away does not want the answer.
fn answer(request: Request, result: Result<i64>) {
    drop(request.answer.send(result));
}

/// Applies a group in one transaction; on an error nothing of it is applied.
fn apply(connection: &mut Connection, group: &[Request]) -> Result<Vec<i64>> {
    let failed = |error| fault("a group is committed", error);
    let transaction = Transaction::new(connection, TransactionBehavior::Immediate).map_err(failed)?;
    let mut tally = Tally::default();
    let numbers: Vec<i64> = group.iter().map(|request| carry_out(&transaction, request, &mut tally)).collect::<Result<_>>()?;
    tally.write(&transaction)?;
    transaction.commit().map_err(|error| -> Error { fault("a group is committed", error) })?;
    Ok(numbers)
}

fn carry_out(connection: &Connection, request: &Request, tally: &mut Tally) -> Result<i64> {
    match &request.task {
        Task::Commit(set) => write(connection, set, tally).map(|()| 0),
        Task::Register(name) => system::register(connection, name, tally),
        Task::Forget(charges, seen) => {
            Ok(charge::forget(connection, charges, tally)? + source::forget_seen(connection, seen, tally)?)
        }
        Task::ForgetCalls(calls, before) => call::forget(connection, calls, *before, tally),
    }
}

/// Writes one change set: first what others refer to, new rows before changes to them.
fn write(connection: &Connection, set: &ChangeSet, tally: &mut Tally) -> Result<()> {
    record::put(connection, &set.records, tally)?;
    link::insert(connection, &set.links_new, tally)?;
    link::set_duties(connection, &set.duties)?;
    link::set_sides(connection, &set.sides)?;
    resync::insert(connection, &set.resyncs, tally)?;
    event::insert(connection, &set.events, tally)?;
    source::insert_seen(connection, &set.seen, tally)?;
    call::put(connection, &set.calls, tally)?;
    token::put(connection, &set.tokens, tally)?;
    config_entry::insert(connection, &set.configs, tally)?;
    source::put_checkpoints(connection, &set.checkpoints, tally)?;
    charge::insert(connection, &set.charges_new, tally)?;
    charge::close(connection, &set.charges_closed)?;
    attempt::insert(connection, &set.attempts_new, tally)?;
    attempt::settle(connection, &set.attempts_settled)?;
    letter::insert(connection, &set.letters_new, tally)?;
    letter::grow(connection, &set.letters_grown)?;
    letter::end(connection, &set.letters_ended, tally)?;
    pause::change(connection, &set.pauses, tally)?;
    tally.counts.merge(&set.counts);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use syncline_core::change_set::{Pause, PauseChange, PauseScope};
    use syncline_core::time::Timestamp;
    use syncline_engine::ports::store::Store;

    use super::super::SqliteStore;
    use super::*;

    #[derive(Debug, Default)]
    struct Seen(Mutex<Vec<String>>);

    impl Witness for Seen {
        fn begins(&self) {
            self.0.lock().unwrap().push("begins".into());
        }

        fn committed(&self, sets: &[&ChangeSet]) {
            let told = sets.iter().flat_map(|set| &set.pauses).map(|change| change.reason.clone());
            self.0.lock().unwrap().push(told.collect::<Vec<_>>().join(" "));
        }
    }

    fn set(reason: &str) -> ChangeSet {
        let pause = Pause { system: reason.to_owned(), scope: PauseScope::Writes };
        let change = PauseChange { pause, set: true, at: Timestamp(0), reason: reason.to_owned() };
        ChangeSet { pauses: vec![change], ..ChangeSet::default() }
    }

    /// Settles a charge that is not there, which fails.
    fn unfit() -> ChangeSet {
        let close = syncline_core::change_set::ChargeClose { id: syncline_core::ids::ChargeId(99), answered_at: Timestamp(0), released: false };
        ChangeSet { charges_closed: vec![close], ..set("unfit") }
    }

    #[test]
    fn a_witness_sees_each_durable_set_once_in_order_and_none_that_failed() {
        let seen = Arc::new(Seen::default());
        let (store, committer, _) = SqliteStore::memory().unwrap();
        let mut committer = committer.witnessed(seen.clone());
        let mut context = Context::from_waker(Waker::noop());
        let (mut a, mut b) = (pin!(store.commit(set("a"))), pin!(store.commit(set("b"))));
        assert!(a.as_mut().poll(&mut context).is_pending() && b.as_mut().poll(&mut context).is_pending());
        committer.step().unwrap();
        assert!(a.as_mut().poll(&mut context).is_ready());
        let (mut c, mut d) = (pin!(store.commit(set("c"))), pin!(store.commit(unfit())));
        assert!(c.as_mut().poll(&mut context).is_pending() && d.as_mut().poll(&mut context).is_pending());
        committer.step().unwrap();
        assert_eq!(*seen.0.lock().unwrap(), ["begins", "a b", "begins", "begins", "c", "begins"]);
    }
}
