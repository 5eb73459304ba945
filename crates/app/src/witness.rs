//! Sees every change set that becomes durable: measures it, and hands it on to whoever follows the process.
//!
//! Promises: costs next to nothing while nobody follows; whoever follows too slowly loses sets and is told how many, and keeps
//! nobody else. No set is seen before it is durable. Leaves to others: figures (`engine::measures`), words (`control`).

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use syncline_core::change_set::ChangeSet;
use syncline_core::ids::RecordId;
use syncline_core::letter::Letter;
use syncline_core::time::Timestamp;
use syncline_engine::measures::{Measured, Measures};
use syncline_engine::ports::clock::Clock;
use syncline_engine::ports::store::Witness;
use tokio::sync::broadcast;

use crate::clock::WallClock;

/// Sets that a follower may be behind.
const BEHIND_MAX: usize = 256;

/// What became durable, for whoever follows.
#[derive(Debug)]
pub struct Durable {
    /// When.
    pub at: Timestamp,
    /// Types and keys of the records that were written.
    pub records: Vec<(RecordId, String, String)>,
    /// Events, attempts, letters and pauses of the set; nothing else of it.
    pub set: ChangeSet,
}

/// The witness of a store's commits.
#[derive(Debug)]
pub struct CommitWitness {
    measures: Mutex<Measures>,
    began: AtomicI64,
    followers: broadcast::Sender<Arc<Durable>>,
}

impl Default for CommitWitness {
    fn default() -> Self {
        Self { measures: Mutex::default(), began: AtomicI64::new(0), followers: broadcast::channel(BEHIND_MAX).0 }
    }
}

impl CommitWitness {
    /// Everything that becomes durable from now on.
    #[must_use]
    pub fn follow(&self) -> broadcast::Receiver<Arc<Durable>> {
        self.followers.subscribe()
    }

    /// What was measured so far.
    #[must_use]
    pub fn measured(&self) -> Measured {
        self.measures.lock().unwrap_or_else(PoisonError::into_inner).measured().clone()
    }
}

impl Witness for CommitWitness {
    fn begins(&self) {
        self.began.store(WallClock.now().0, Ordering::Relaxed);
    }

    fn committed(&self, sets: &[&ChangeSet]) {
        let now = WallClock.now();
        let took = now.since(Timestamp(self.began.load(Ordering::Relaxed)));
        self.measures.lock().unwrap_or_else(PoisonError::into_inner).committed(sets, took, now);
        if self.followers.receiver_count() > 0 {
            for set in sets {
                // The last follower may just have left.
                let _ = self.followers.send(Arc::new(durable(set, now)));
            }
        }
    }
}

fn durable(set: &ChangeSet, at: Timestamp) -> Durable {
    let without_raw = |letter: &Letter| Letter { raw: None, ..letter.clone() };
    Durable {
        at,
        records: set.records.iter().map(|(id, record)| (*id, record.record_type.clone(), record.key.clone())).collect(),
        set: ChangeSet {
            events: set.events.clone(),
            attempts_new: set.attempts_new.clone(),
            attempts_settled: set.attempts_settled.clone(),
            letters_new: set.letters_new.iter().map(without_raw).collect(),
            letters_ended: set.letters_ended.clone(),
            pauses: set.pauses.clone(),
            ..ChangeSet::default()
        },
    }
}
