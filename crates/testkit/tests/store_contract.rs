//! Runs the store's contract suite against SQLite in memory, stepped by hand, and in a file, with the committer on a thread.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;

use syncline_adapters::stores::sqlite::{Committer, Memory, SqliteStore};
use syncline_engine::ports::store::Store;
use syncline_testkit::contract::store::{Case, Harness, cases};
use tempfile::TempDir;

/// One connection; the harness steps the committer while it waits.
struct InMemory {
    memory: Memory,
    open: Mutex<(Arc<SqliteStore>, Committer)>,
}

impl InMemory {
    fn make() -> Self {
        let (store, committer, memory) = SqliteStore::memory().unwrap();
        Self { memory, open: Mutex::new((Arc::new(store), committer)) }
    }
}

impl Harness for InMemory {
    fn store(&self) -> Arc<dyn Store> {
        self.open.lock().unwrap().0.clone()
    }

    fn wait(&self, mut future: Pin<&mut dyn Future<Output = ()>>) {
        let mut context = Context::from_waker(Waker::noop());
        while future.as_mut().poll(&mut context).is_pending() {
            self.open.lock().unwrap().1.step().unwrap();
        }
    }

    fn reopen(&self) {
        let (store, committer) = SqliteStore::over(&self.memory).unwrap();
        *self.open.lock().unwrap() = (Arc::new(store), committer);
    }
}

/// A file with its committer on a thread.
struct InFile {
    folder: TempDir,
    open: Mutex<Option<(Arc<SqliteStore>, JoinHandle<()>)>>,
}

impl InFile {
    fn make() -> Self {
        let harness = Self { folder: TempDir::new().unwrap(), open: Mutex::new(None) };
        harness.reopen();
        harness
    }
}

impl Harness for InFile {
    fn store(&self) -> Arc<dyn Store> {
        self.open.lock().unwrap().as_ref().unwrap().0.clone()
    }

    fn wait(&self, future: Pin<&mut dyn Future<Output = ()>>) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future);
    }

    #[expect(clippy::disallowed_methods, reason = "a test is a run loop of its own")]
    fn reopen(&self) {
        let mut open = self.open.lock().unwrap();
        if let Some((store, thread)) = open.take() {
            drop(Arc::into_inner(store).expect("nobody holds the old store"));
            thread.join().unwrap();
        }
        let (store, committer) = SqliteStore::open(&self.folder.path().join("store.db")).unwrap();
        *open = Some((Arc::new(store), std::thread::spawn(move || committer.run_until_closed())));
    }
}

fn keep(make: impl Fn() -> Box<dyn Harness>) {
    for Case { name, run } in cases() {
        println!("{name}");
        run(&*make());
    }
}

#[test]
fn sqlite_in_memory_keeps_the_contract() {
    keep(|| Box::new(InMemory::make()));
}

#[test]
fn sqlite_in_a_file_keeps_the_contract() {
    keep(|| Box::new(InFile::make()));
}

#[test]
fn names_of_cases_begin_with_a_number_of_the_specification_and_differ() {
    let specification = include_str!("../../../docs/spec/store.md");
    let mut names: Vec<_> = cases().iter().map(|case| case.name).collect();
    for name in &names {
        let number = name.split('_').next().unwrap().to_uppercase();
        assert!(specification.contains(&format!("**{number}**")), "{name}: the specification has no {number}");
    }
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn a_waiter_learns_that_the_committer_has_ended() {
    let (store, committer, _memory) = SqliteStore::memory().unwrap();
    let mut waiting = store.register("acme");
    let mut context = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    drop(committer);
    assert!(matches!(waiting.as_mut().poll(&mut context), Poll::Ready(Err(_))));
    let mut late = store.register("acme");
    assert!(matches!(late.as_mut().poll(&mut context), Poll::Ready(Err(_))));
}
