//! Compares every row with its seals, and asks SQLite whether the file is well formed.
//!
//! Promises: looks at every column of every table. Leaves to others: rows that are gone (`recount`).

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use syncline_core::seal::Seal;
use syncline_engine::error::Result;

use super::super::faults::fault;
use super::super::row::{Group, Table, sealed};
use super::super::tables;
use super::Findings;

/// Looks at every row of every table.
pub(super) fn check(connection: &Connection, findings: &mut Findings) -> Result<()> {
    well_formed(connection, findings)?;
    for table in tables::ALL {
        check_table(connection, table, findings)?;
    }
    Ok(())
}

fn well_formed(connection: &Connection, findings: &mut Findings) -> Result<()> {
    let doing = |error| fault("the file is looked at", error);
    let mut statement = connection.prepare("PRAGMA quick_check").map_err(doing)?;
    let mut rows = statement.query([]).map_err(doing)?;
    while let Some(row) = rows.next().map_err(doing)? {
        let said: String = row.get(0).map_err(doing)?;
        if said != "ok" {
            findings.altered("the file", String::new(), &said);
        }
    }
    Ok(())
}

fn check_table(connection: &Connection, table: &Table, findings: &mut Findings) -> Result<()> {
    let doing = |error| fault("rows are looked at", error);
    let columns: Vec<&str> = table.groups.iter().flat_map(|group| group.columns.iter().copied().chain([group.seal])).collect();
    let sql = format!("SELECT {}, {} FROM {}", table.key.join(", "), columns.join(", "), table.name);
    let mut statement = connection.prepare(&sql).map_err(doing)?;
    let mut rows = statement.query([]).map_err(doing)?;
    while let Some(row) = rows.next().map_err(doing)? {
        findings.rows += 1;
        let mut first = table.key.len();
        for group in table.groups {
            if !holds(row, first, group).map_err(doing)? {
                let why = format!("the seal over {} does not match", group.columns.join(", "));
                findings.altered(table.name, name(row, table.key.len()).map_err(doing)?, &why);
            }
            first += group.columns.len() + 1;
        }
    }
    Ok(())
}

/// Whether the columns from `first` on match the seal behind them.
fn holds(row: &Row<'_>, first: usize, group: &Group) -> rusqlite::Result<bool> {
    let mut seal = Seal::default().text(group.seal);
    let end = first + group.columns.len();
    for index in first..end {
        seal = sealed(seal, row.get_ref(index)?);
    }
    Ok(row.get_ref(end)? == ValueRef::Integer(seal.finish()))
}

/// The row's key in words.
fn name(row: &Row<'_>, parts: usize) -> rusqlite::Result<String> {
    let mut name = Vec::new();
    for index in 0..parts {
        name.push(match row.get_ref(index)? {
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => "?".to_owned(),
        });
    }
    Ok(name.join(" "))
}
