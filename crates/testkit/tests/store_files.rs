//! What only SQLite itself can show: rows altered behind the store's back (S22), and files (S24 to S27).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::future::Future;
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use syncline_adapters::stores::sqlite::{Committer, Memory, SqliteStore};
use syncline_core::change_set::ChangeSet;
use syncline_core::ids::{RecordId, SourceId};
use syncline_core::ledger::{Counter, Offer};
use syncline_core::record::{Record, RecordState, Value};
use syncline_core::version::Version;
use syncline_engine::error::{Kind, Result};
use syncline_engine::ports::store::{Audit, Store};
use syncline_testkit::contract::store::{Harness, commit, run, try_commit};
use syncline_testkit::contract::live;
use tempfile::TempDir;

/// A store whose committer the test steps.
struct Stepped {
    store: Arc<SqliteStore>,
    committer: Mutex<Committer>,
}

impl Stepped {
    fn over((store, committer): (SqliteStore, Committer)) -> Self {
        Self { store: Arc::new(store), committer: Mutex::new(committer) }
    }

    fn in_file(path: &Path) -> Self {
        Self::over(SqliteStore::open(path).unwrap())
    }

    fn in_memory() -> (Self, Memory) {
        let (store, committer, memory) = SqliteStore::memory().unwrap();
        (Self::over((store, committer)), memory)
    }

    fn audit(&self) -> Audit {
        run(self, self.store.audit()).unwrap()
    }
}

impl Harness for Stepped {
    fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    fn wait(&self, mut future: Pin<&mut dyn Future<Output = ()>>) {
        let mut context = Context::from_waker(Waker::noop());
        while future.as_mut().poll(&mut context).is_pending() {
            // A fault of the store is told to whoever waits.
            let _ = self.committer.lock().unwrap().step();
        }
    }

    fn reopen(&self) {}
}

/// Every table but the migrations' own, with its columns.
fn tables(connection: &Connection) -> Vec<(String, Vec<String>)> {
    let sql = "SELECT t.name, c.name FROM pragma_table_list AS t JOIN pragma_table_info(t.name) AS c
        WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE 'refinery%' ORDER BY t.name, c.cid";
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    let mut statement = connection.prepare(sql).unwrap();
    for row in statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap() {
        let (table, column): (String, String) = row.unwrap();
        match tables.last_mut().filter(|last| last.0 == table) {
            Some(last) => last.1.push(column),
            None => tables.push((table, vec![column])),
        }
    }
    tables
}

/// Something else of the same kind.
fn other(cell: &Cell) -> Cell {
    match cell {
        Cell::Null => Cell::Null,
        Cell::Integer(number) => Cell::Integer(number.wrapping_add(1_000)),
        Cell::Real(number) => Cell::Real(number + 1.0),
        Cell::Text(text) => Cell::Text(format!("{text} ")),
        Cell::Blob(bytes) => Cell::Blob([bytes.as_slice(), b"!"].concat()),
    }
}

/// What a nullable column takes instead of null.
fn instead_of_null(connection: &Connection, table: &str, column: &str) -> Cell {
    let sql = "SELECT type FROM pragma_table_info(?1) WHERE name = ?2";
    match connection.query_row(sql, [table, column], |row| row.get::<_, String>(0)).unwrap().as_str() {
        "INTEGER" => Cell::Integer(0),
        "TEXT" => Cell::Text(String::new()),
        "BLOB" => Cell::Blob(Vec::new()),
        kind => panic!("no value for {kind}"),
    }
}

/// A life in memory and the connection by which it is altered.
fn lived() -> (Stepped, Arc<Mutex<Connection>>) {
    let (store, memory) = Stepped::in_memory();
    live(&store);
    (store, memory.connection())
}

#[test]
fn s22_any_altered_column_of_any_row_is_named() {
    let (store, connection) = lived();
    let all = tables(&connection.lock().unwrap());
    assert_eq!(all.len(), 16);
    let mut altered = 0;
    for (table, columns) in all {
        let count: i64 = connection.lock().unwrap().query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert!(count > 0, "the life has no row in {table}");
        for column in columns {
            for offset in 0..count {
                alter(&connection.lock().unwrap(), &table, &column, offset);
                let found = store.audit();
                assert!(found.altered.iter().any(|row| row.table == table && !row.row.is_empty()), "{table}.{column}: {found:?}");
                restore(&connection.lock().unwrap(), &table);
                altered += 1;
            }
        }
    }
    let found = store.audit();
    assert_eq!((found.altered, found.imbalances), (vec![], vec![]));
    assert!(altered > 400, "{altered}");
}

/// Alters one cell of the row at that place; a copy of the table is kept for `restore`.
fn alter(connection: &Connection, table: &str, column: &str, offset: i64) {
    connection.execute_batch(&format!("CREATE TEMP TABLE kept AS SELECT * FROM {table}")).unwrap();
    let place = format!("({key}) IN (SELECT {key} FROM {table} ORDER BY {key} LIMIT 1 OFFSET {offset})", key = key(table));
    let old = connection.query_row(&format!("SELECT {column} FROM {table} WHERE {place}"), [], |row| row.get(0)).unwrap();
    let new = if old == Cell::Null { instead_of_null(connection, table, column) } else { other(&old) };
    let changed = connection.execute(&format!("UPDATE {table} SET {column} = ?1 WHERE {place}"), [new]).unwrap();
    assert_eq!(changed, 1, "{table}.{column}");
}

fn restore(connection: &Connection, table: &str) {
    connection.execute_batch(&format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept; DROP TABLE kept")).unwrap();
}

#[test]
fn s22_any_lost_row_is_named_by_its_table() {
    let tables = tables(&lived().1.lock().unwrap());
    for (table, _) in tables {
        let (store, connection) = lived();
        let order = if table == "counter" { "ORDER BY scope = 'rows', scope DESC" } else { "" };
        let limited = format!("DELETE FROM {table} WHERE ({}) IN (SELECT {} FROM {table} {order} LIMIT 1)", key(&table), key(&table));
        assert_eq!(connection.lock().unwrap().execute(&limited, []).unwrap(), 1);
        let found = store.audit();
        assert!(found.imbalances.iter().any(|imbalance| imbalance.account.starts_with(&format!("table {table}"))), "{table}: {found:?}");
    }
}

fn key(table: &str) -> &'static str {
    match table {
        "seen" => "source, event_id",
        "pause" => "system, scope",
        "pause_object" => "system, object",
        "counter" => "scope, number, name",
        "checkpoint" => "source",
        "call" => "source, key",
        "token" => "name",
        "resync" => "link, number",
        _ => "id",
    }
}

#[test]
fn s22_a_write_does_not_heal_what_was_altered() {
    let (store, connection) = lived();
    connection.lock().unwrap().execute_batch("UPDATE counter SET value = value + 1; UPDATE letter SET held = held + 1 WHERE state = 0").unwrap();
    let before = store.audit().altered;
    let waiting = run(&store, store.store.letters(&Default::default())).unwrap();
    assert_eq!(waiting, vec![], "a filter without a limit lists nothing");
    let mut set = ChangeSet::default();
    set.counts.add(Counter::Source(SourceId(1), Offer::Offered), 1);
    set.letters_grown.push((syncline_core::ids::LetterId(4), 2));
    commit(&store, set);
    let after = store.audit().altered;
    assert_eq!(after, before);
    assert!(after.iter().any(|row| row.table == "letter" && row.row == "4"), "{after:?}");
    assert!(after.iter().any(|row| row.table == "counter" && row.row == "source 1 offered"), "{after:?}");
}

/// Writes one record.
fn one(number: i64) -> ChangeSet {
    let record = Record {
        record_type: "contacts".into(),
        key: format!("c-{number}"),
        state: RecordState::Live,
        generation: 1,
        version: Version { source: SourceId(1), epoch: 1, order: number },
        field_orders: [].into(),
        fields: [("note".to_owned(), Value::text("x".repeat(2_000)))].into(),
    };
    ChangeSet { records: vec![(RecordId(number), record)], ..ChangeSet::default() }
}

#[test]
fn s24_a_newer_database_is_refused_and_left_as_it_is() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    drop(Stepped::in_file(&path));
    let other = Connection::open(&path).unwrap();
    other.execute_batch("INSERT INTO refinery_schema_history SELECT version + 1000, name, applied_on, checksum FROM refinery_schema_history").unwrap();
    drop(other);
    let bytes = std::fs::read(&path).unwrap();
    let error = SqliteStore::open(&path).expect_err("it is newer");
    assert_eq!(error.kind, Kind::StoreNewer);
    assert!(error.remedy().contains("release"), "{}", error.remedy());
    assert!(bytes == std::fs::read(&path).unwrap(), "the file was touched");
}

#[test]
fn s24_opening_again_runs_no_migration_twice() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    for number in 1..4 {
        commit(&Stepped::in_file(&path), one(number));
    }
    let store = Stepped::in_file(&path);
    let known = run(&store, store.store.known("contacts", &["c-1", "c-2", "c-3"])).unwrap();
    assert!(known.iter().all(Option::is_some));
}

#[test]
fn s25_a_database_has_one_owner() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    let first = Stepped::in_file(&path);
    let error = SqliteStore::open(&path).expect_err("it is open");
    assert_eq!(error.kind, Kind::StoreOwned);
    assert!(error.remedy().contains("stop the other process"), "{}", error.remedy());
    let Stepped { store, committer } = first;
    drop(store);
    assert_eq!(SqliteStore::open(&path).expect_err("its committer lives").kind, Kind::StoreOwned);
    drop(committer);
    drop(Stepped::in_file(&path));
}

#[test]
fn s26_a_full_disk_is_told_and_work_goes_on_once_there_is_room() {
    let (store, memory) = Stepped::in_memory();
    let pages = |count: i64| memory.connection().lock().unwrap().query_row(&format!("PRAGMA max_page_count = {count}"), [], |_| Ok(())).unwrap();
    pages(1);
    let (mut last, mut error) = (0, None);
    while error.is_none() {
        last += 1;
        error = try_commit(&store, one(last)).err();
    }
    assert_eq!(error.map(|error| error.kind), Some(Kind::StoreFull));
    pages(100_000);
    commit(&store, one(last));
    let found = store.audit();
    assert_eq!((found.altered, found.imbalances), (vec![], vec![]));
}

#[test]
fn s26_a_locked_file_is_unavailable_and_nothing_of_the_group_is_applied() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    let store = Stepped::in_file(&path);
    let intruder = Connection::open(&path).unwrap();
    intruder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let kinds: Vec<_> = {
        let (one, two) = run(&store, futures_util::future::join(store.store.commit(one(1)), store.store.commit(one(2))));
        [one, two].into_iter().map(|answer: Result<()>| answer.expect_err("the file is locked").kind).collect()
    };
    assert_eq!(kinds, [Kind::StoreUnavailable; 2]);
    intruder.execute_batch("ROLLBACK").unwrap();
    commit(&store, one(1));
}

#[test]
fn s26_what_is_no_database_is_corrupt() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("store.db");
    std::fs::write(&path, "this is a letter to my mother, and it is long enough to be looked at as a database of some kind ".repeat(20)).unwrap();
    assert_eq!(SqliteStore::open(&path).expect_err("it is none").kind, Kind::StoreCorrupt);
    let nowhere = SqliteStore::open(&folder.path().join("missing").join("store.db")).expect_err("there is no folder");
    assert_eq!(nowhere.kind, Kind::StoreUnavailable);
}

#[test]
fn s27_sets_that_wait_together_share_one_write() {
    let (store, _memory) = Stepped::in_memory();
    let mut commits: Vec<_> = (1..=50).map(|number| store.store.commit(one(number))).collect();
    let mut context = Context::from_waker(Waker::noop());
    for commit in &mut commits {
        assert!(pin!(commit).poll(&mut context).is_pending());
    }
    let mut committer = store.committer.lock().unwrap();
    assert_eq!(committer.waiting(), 50);
    assert_eq!(committer.step().unwrap(), 50);
    assert_eq!(committer.step().unwrap(), 0);
    for commit in &mut commits {
        assert!(pin!(commit).poll(&mut context).is_ready());
    }
}
