//! The `token` table: what lets callers in.
//!
//! Promises: one row by name, never taken away; it holds a digest and no secret.
//! Leaves to others: comparing digests (the app's doors).

use rusqlite::Connection;
use syncline_core::time::Timestamp;
use syncline_core::token::{Token, TokenScope};
use syncline_engine::error::Result;

use super::super::faults::fault;
use super::super::row::{Group, Table, get, get_code, int, maybe_int, run, seal, text};
use super::counter::Tally;

pub(in super::super) const TABLE: Table = Table { name: "token", key: &["name"], groups: &[ROW] };
const ROW: Group = Group { columns: &["name", "scope", "tenant", "digest", "created_at", "revoked_at"], seal: "seal" };
const UPDATE: &str = "UPDATE token SET scope = ?2, tenant = ?3, digest = ?4, created_at = ?5, revoked_at = ?6, seal = ?7 WHERE name = ?1";
const INSERT: &str = "INSERT INTO token (name, scope, tenant, digest, created_at, revoked_at, seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/// Writes tokens, whole.
pub(in super::super) fn put(connection: &Connection, tokens: &[Token], tally: &mut Tally) -> Result<()> {
    let doing = |error| fault("a token is written", error);
    for token in tokens {
        let scope = match token.scope {
            TokenScope::Events => 0,
        };
        let revoked = maybe_int(token.revoked_at.map(|at| at.0));
        let parts = [text(&token.name), int(scope), text(&token.tenant), text(&token.digest), int(token.created_at.0), revoked];
        let seal = [int(seal(&ROW, &parts))];
        if connection.prepare_cached(UPDATE).and_then(|mut update| run(&mut update, &[&parts, &seal])).map_err(doing)? == 0 {
            connection.prepare_cached(INSERT).and_then(|mut insert| run(&mut insert, &[&parts, &seal])).map_err(doing)?;
            tally.row("token", 0, 1);
        }
    }
    Ok(())
}

/// Every token, by name.
pub(in super::super) fn list(connection: &Connection) -> Result<Vec<Token>> {
    let doing = |error| fault("tokens are read", error);
    let sql = "SELECT name, scope, tenant, digest, created_at, revoked_at FROM token ORDER BY name";
    let mut statement = connection.prepare_cached(sql).map_err(doing)?;
    let mut rows = statement.query([]).map_err(doing)?;
    let mut tokens = Vec::new();
    while let Some(row) = rows.next().map_err(doing)? {
        tokens.push(Token {
            name: get(row, 0)?,
            scope: get_code(row, 1, &TokenScope::ALL)?,
            tenant: get(row, 2)?,
            digest: get(row, 3)?,
            created_at: Timestamp(get(row, 4)?),
            revoked_at: get::<Option<i64>>(row, 5)?.map(Timestamp),
        });
    }
    Ok(tokens)
}
