//! Opens connections: settings, tables, and the refusal of what a newer release wrote.
//!
//! Promises: a file is in WAL mode and synced at every commit; migrations are embedded and run in order at open; a
//! database with a migration that this binary does not know is left untouched.
//! Leaves to others: who may open it (`lock`), what is done with it (`committer`, `reads`).

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use syncline_engine::error::{Error, Kind, Result};

use super::faults::fault;

mod embedded {
    refinery::embed_migrations!("src/stores/sqlite/migrations");
}

/// How long a statement waits for a lock of another program before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_millis(200);
/// Prepared statements kept by connection; more than there are.
const STATEMENTS_MAX: usize = 64;

/// The writing connection to a file.
pub(super) fn writer(path: &Path) -> Result<Connection> {
    let doing = |error| fault("the database is opened", error);
    let mut connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE))
        .map_err(doing)?;
    refuse_newer(&connection)?;
    settle(&connection)?;
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 8000;
             PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -65536;",
        )
        .map_err(doing)?;
    migrate(&mut connection)?;
    Ok(connection)
}

/// A connection that can only read a file.
pub(super) fn reader(path: &Path) -> Result<Connection> {
    let doing = |error| fault("the database is opened for reading", error);
    let connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_ONLY)).map_err(doing)?;
    settle(&connection)?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -16384;").map_err(doing)?;
    Ok(connection)
}

/// A connection to a new database in memory.
pub(super) fn memory() -> Result<Connection> {
    let mut connection = Connection::open_in_memory().map_err(|error| fault("a database in memory is made", error))?;
    settle(&connection)?;
    migrate(&mut connection)?;
    Ok(connection)
}

fn flags(mode: OpenFlags) -> OpenFlags {
    mode | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

fn settle(connection: &Connection) -> Result<()> {
    let doing = |error| fault("the database is opened", error);
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // Without this SQLite plans a statement anew whenever a bound value might let it use a partial index.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(doing)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(doing)
}

fn migrate(connection: &mut Connection) -> Result<()> {
    embedded::migrations::runner().run(connection).map(|_| ()).map_err(|error| {
        use refinery::error::Kind::{DivergentVersion, MissingVersion};
        let is_foreign = matches!(error.kind(), DivergentVersion(..) | MissingVersion(..));
        let kind = if is_foreign { Kind::StoreCorrupt } else { Kind::StoreUnavailable };
        Error::new(kind, format!("the database is brought up to date: {error}")).caused_by(error)
    })
}

fn refuse_newer(connection: &Connection) -> Result<()> {
    let doing = |error| fault("the database's version is read", error);
    let has_history: Option<i64> = connection
        .query_row("SELECT 1 FROM sqlite_schema WHERE name = 'refinery_schema_history'", [], |row| row.get(0))
        .optional()
        .map_err(doing)?;
    if has_history.is_none() {
        return Ok(());
    }
    let found: i64 = connection
        .query_row("SELECT coalesce(max(version), 0) FROM refinery_schema_history", [], |row| row.get(0))
        .map_err(doing)?;
    let ours = embedded::migrations::runner().get_migrations().iter().map(|migration| i64::from(migration.version())).max().unwrap_or(0);
    if found > ours {
        return Err(Error::new(Kind::StoreNewer, format!("the database has version {found}, this release knows up to {ours}")));
    }
    Ok(())
}
