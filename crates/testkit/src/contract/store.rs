//! The contract suite of the store port: docs/spec/store.md, promise by promise.
//!
//! Promises: every case gets an empty store of its own; none sleeps. Leaves to others: making and reopening the store
//! (`Harness`), promises that need a file (the file store's own tests).

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;

use syncline_core::change_set::ChangeSet;
use syncline_engine::error::Result;
use syncline_engine::ports::store::Store;

use super::{store_callers, store_commit, store_lanes, store_status};

/// Makes a store, drives it and crashes it.
pub trait Harness {
    /// The store that is open now.
    fn store(&self) -> Arc<dyn Store>;

    /// Polls until ready, doing between polls what the store needs done to go on.
    fn wait(&self, future: Pin<&mut dyn Future<Output = ()>>);

    /// Ends the open store as a crash would and opens another one over the same data. Nobody holds the old one.
    fn reopen(&self);
}

/// One case.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Its name; begins with the number of the promise.
    pub name: &'static str,
    /// Panics if the promise is not kept.
    pub run: fn(&dyn Harness),
}

/// Every case.
#[must_use]
pub fn cases() -> Vec<Case> {
    [store_callers::CASES, store_commit::CASES, store_lanes::CASES, store_status::CASES].concat()
}

/// Waits for a future's answer.
pub fn run<T>(harness: &dyn Harness, future: impl Future<Output = T>) -> T {
    let mut answer = None;
    harness.wait(pin!(async { answer = Some(future.await) }));
    answer.expect("a harness waits until the future is ready")
}

/// Commits one set and says what came of it.
pub fn try_commit(harness: &dyn Harness, set: ChangeSet) -> Result<()> {
    let store = harness.store();
    run(harness, async { store.commit(set).await })
}

/// Commits one set that must succeed.
pub fn commit(harness: &dyn Harness, set: ChangeSet) {
    try_commit(harness, set).expect("the set commits");
}

/// Reads from the store, which must succeed.
macro_rules! ask {
    ($harness:expr, $method:ident ( $($argument:expr),* )) => {{
        let store = $harness.store();
        $crate::contract::store::run($harness, async { store.$method($($argument),*).await }).expect(stringify!($method))
    }};
}
pub(crate) use ask;

/// Lists cases under their own names.
macro_rules! suite {
    ($($name:ident),* $(,)?) => {
        pub(super) const CASES: &[$crate::contract::store::Case] =
            &[$($crate::contract::store::Case { name: stringify!($name), run: $name }),*];
    };
}
pub(crate) use suite;
