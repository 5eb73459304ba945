//! How a row is written, sealed and read back, whatever its table.
//!
//! Promises: a row's seal is computed over its stored columns in their declared order, by the same code when it is
//! written and when it is audited. Leaves to others: which columns a table has (`tables`).

use rusqlite::types::{FromSql, ToSqlOutput, ValueRef};
use rusqlite::{Row, Statement};
use serde::Serialize;
use serde::de::DeserializeOwned;
use syncline_core::seal::Seal;
use syncline_engine::error::{Error, Kind, Result};

use super::faults::{corrupt, fault, misfit};

/// One column's content as it is stored.
pub(super) type Part<'a> = ValueRef<'a>;

/// A table, as far as an audit needs to know it.
#[derive(Debug)]
pub(super) struct Table {
    /// Its name.
    pub(super) name: &'static str,
    /// The columns that name a row.
    pub(super) key: &'static [&'static str],
    /// The groups of columns that are written together; each has a seal.
    pub(super) groups: &'static [Group],
}

/// Columns under one seal.
#[derive(Debug)]
pub(super) struct Group {
    /// The columns in the order in which they are sealed.
    pub(super) columns: &'static [&'static str],
    /// The column that holds the seal.
    pub(super) seal: &'static str,
}

/// A whole number.
pub(super) const fn int(number: i64) -> Part<'static> {
    ValueRef::Integer(number)
}

/// A count.
pub(super) fn count(number: u64) -> Part<'static> {
    ValueRef::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

/// A whole number, or null.
pub(super) fn maybe_int(number: Option<i64>) -> Part<'static> {
    number.map_or(ValueRef::Null, ValueRef::Integer)
}

/// Text.
pub(super) const fn text(text: &str) -> Part<'_> {
    ValueRef::Text(text.as_bytes())
}

/// Text, or null.
pub(super) fn maybe_text(text: Option<&str>) -> Part<'_> {
    text.map_or(ValueRef::Null, |text| ValueRef::Text(text.as_bytes()))
}

/// Anything as JSON text.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::new(Kind::Internal, "a value does not become JSON").caused_by(error))
}

/// The seal over a group of columns of one row.
pub(super) fn seal(group: &Group, parts: &[Part<'_>]) -> i64 {
    parts.iter().fold(Seal::default().text(group.seal), |seal, part| sealed(seal, *part)).finish()
}

/// Takes one more column in.
pub(super) fn sealed(seal: Seal, part: Part<'_>) -> Seal {
    match part {
        ValueRef::Null => seal.number(0),
        ValueRef::Integer(number) => seal.number(1).number(number),
        ValueRef::Text(bytes) => seal.number(2).bytes(bytes),
        ValueRef::Blob(bytes) => seal.number(3).bytes(bytes),
        ValueRef::Real(number) => seal.number(4).number(i64::from_le_bytes(number.to_le_bytes())),
    }
}

/// Runs a statement with these parameters and answers how many rows it changed.
pub(super) fn run(statement: &mut Statement<'_>, groups: &[&[Part<'_>]]) -> rusqlite::Result<usize> {
    let mut index = 0_usize;
    for part in groups.iter().copied().flatten() {
        index += 1;
        statement.raw_bind_parameter(index, ToSqlOutput::Borrowed(*part))?;
    }
    statement.raw_execute()
}

/// Runs a statement that must change exactly one row.
pub(super) fn run_one(statement: &mut Statement<'_>, groups: &[&[Part<'_>]], what: impl Fn() -> String) -> Result<()> {
    let changed = run(statement, groups).map_err(|error| fault(&what(), error))?;
    if changed == 1 { Ok(()) } else { Err(misfit(format!("{}: there is no such row", what()))) }
}

/// One column of a row.
pub(super) fn get<T: FromSql>(row: &Row<'_>, index: usize) -> Result<T> {
    row.get(index).map_err(|error| fault("a column does not read", error))
}

/// A column that holds a count.
pub(super) fn get_count(row: &Row<'_>, index: usize) -> Result<u64> {
    u64::try_from(get::<i64>(row, index)?).map_err(|_| corrupt(format!("a count is negative (column {index})")))
}

/// A column that holds a small count.
pub(super) fn get_small(row: &Row<'_>, index: usize) -> Result<u32> {
    u32::try_from(get::<i64>(row, index)?).map_err(|_| corrupt(format!("a count is out of bounds (column {index})")))
}

/// A column that holds JSON.
pub(super) fn get_json<T: DeserializeOwned>(row: &Row<'_>, index: usize) -> Result<T> {
    let text = row.get_ref(index).map_err(|error| fault("a column does not read", error))?;
    let bytes = text.as_bytes().map_err(|_| corrupt(format!("a column is not text (column {index})")))?;
    parsed(bytes, index)
}

/// A column that holds JSON or null.
pub(super) fn get_maybe_json<T: DeserializeOwned>(row: &Row<'_>, index: usize) -> Result<Option<T>> {
    let text = row.get_ref(index).map_err(|error| fault("a column does not read", error))?;
    match text.as_bytes_or_null() {
        Ok(Some(bytes)) => parsed(bytes, index).map(Some),
        Ok(None) => Ok(None),
        Err(_) => Err(corrupt(format!("a column is not text (column {index})"))),
    }
}

/// The entry of a list of codes that a column names.
pub(super) fn get_code<T: Clone>(row: &Row<'_>, index: usize, codes: &[T]) -> Result<T> {
    let code = get::<i64>(row, index)?;
    usize::try_from(code).ok().and_then(|code| codes.get(code)).cloned().ok_or_else(|| corrupt(format!("unknown code {code}")))
}

fn parsed<T: DeserializeOwned>(bytes: &[u8], index: usize) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|_| corrupt(format!("a column is not the JSON that we write (column {index})")))
}
