//! The `letter` table: dead letters and how they ended.
//!
//! Promises: only a waiting letter grows or ends, so it ends once; a row whose seal was already broken keeps it broken.
//! Leaves to others: when a letter is made or ended (`core::dispatch`, the operator).

use rusqlite::{Connection, OptionalExtension, Row};
use syncline_core::change_set::LetterEnd;
use syncline_core::ids::{LetterId, LinkId, SourceId};
use syncline_core::ledger::{Counter, Post};
use syncline_core::letter::{Letter, LetterState};
use syncline_core::link::LetterRef;
use syncline_core::outcome::Rejection;
use syncline_core::time::Timestamp;
use syncline_engine::error::Result;
use syncline_engine::ports::store::LetterFilter;

use super::super::faults::{fault, misfit};
use super::super::row::{
    Group, Part, Table, count, get, get_code, get_count, int, maybe_int, maybe_text, run, seal, text,
};
use super::counter::Tally;

pub(in super::super) const TABLE: Table = Table { name: "letter", key: &["id"], groups: &[MATTER, END] };
const MATTER: Group = Group {
    columns: &["id", "link", "source", "place", "code", "field", "message", "remedy", "raw", "created_at"],
    seal: "seal",
};
const END: Group = Group { columns: &["id", "held", "state", "ended_at", "note"], seal: "end_seal" };
const INSERT: &str = "INSERT INTO letter (id, link, source, place, code, field, message, remedy, raw, created_at, seal, held, state,
    ended_at, note, end_seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
const WAITING: &str = "SELECT held, end_seal FROM letter WHERE id = ?1 AND state = 0";
const SET_END: &str = "UPDATE letter SET held = ?2, state = ?3, ended_at = ?4, note = ?5, end_seal = ?6 WHERE id = ?1";
const SELECT: &str = "SELECT id, link, source, place, code, field, message, remedy, raw, created_at, held, state, ended_at, note
    FROM letter";

/// States by code.
const STATES: [LetterState; 4] = [LetterState::Waiting, LetterState::Replayed, LetterState::Discarded, LetterState::Overtaken];

/// Writes new letters.
pub(in super::super) fn insert(connection: &Connection, letters: &[Letter], tally: &mut Tally) -> Result<()> {
    if letters.is_empty() {
        return Ok(());
    }
    let doing = |error| fault("a letter is written", error);
    let mut statement = connection.prepare_cached(INSERT).map_err(doing)?;
    for letter in letters {
        let matter = [
            int(letter.id.0),
            maybe_int(letter.link.map(|link| link.0)),
            maybe_int(letter.source.map(|source| source.0)),
            text(&letter.place),
            text(&letter.rejection.code),
            maybe_text(letter.rejection.field.as_deref()),
            text(&letter.rejection.message),
            text(&letter.rejection.remedy),
            letter.raw.as_deref().map_or(Part::Null, Part::Blob),
            int(letter.created_at.0),
        ];
        let end = end_parts(letter.id, letter.held, letter.state, letter.ended_at, letter.note.as_deref());
        let seals = [[int(seal(&MATTER, &matter))], [int(seal(&END, &end))]];
        run(&mut statement, &[&matter, &seals[0], &end[1..], &seals[1]]).map_err(doing)?;
    }
    tally.row("letter", 0, i64::try_from(letters.len()).unwrap_or(i64::MAX));
    Ok(())
}

/// Adds deliveries to waiting letters.
pub(in super::super) fn grow(connection: &Connection, grown: &[(LetterId, u64)]) -> Result<()> {
    for (id, more) in grown {
        if !change(connection, *id, |held| (held.saturating_add(*more), LetterState::Waiting, None, None))? {
            return Err(misfit(format!("letter {id} grows: no such letter waits")));
        }
    }
    Ok(())
}

/// Ends those of the letters that still wait, and counts them; an operator may have been faster.
pub(in super::super) fn end(connection: &Connection, ends: &[LetterEnd], tally: &mut Tally) -> Result<()> {
    for end in ends {
        if change(connection, end.id, |held| (held, end.state, Some(end.at), Some(end.note.as_str())))? {
            let post = match end.state {
                LetterState::Waiting => continue,
                LetterState::Replayed => Post::Replayed,
                LetterState::Discarded => Post::Discarded,
                LetterState::Overtaken => Post::Overtaken,
            };
            tally.counts.add(Counter::Letters(post), 1);
        }
    }
    Ok(())
}

/// Keeps those of a link's letters that still wait.
pub(in super::super) fn retain_waiting(connection: &Connection, letters: &mut Vec<LetterRef>) -> Result<()> {
    let doing = |error| fault("a link's letters are read", error);
    let mut waiting = Vec::with_capacity(letters.len());
    for letter in letters.drain(..) {
        let mut find = connection.prepare_cached(WAITING).map_err(doing)?;
        if find.exists([letter.id.0]).map_err(doing)? {
            waiting.push(letter);
        }
    }
    *letters = waiting;
    Ok(())
}

/// Letters, oldest first.
pub(in super::super) fn list(connection: &Connection, filter: &LetterFilter) -> Result<Vec<Letter>> {
    let doing = |error| fault("letters are read", error);
    let waiting = if filter.waiting_only { "INDEXED BY letter_waiting WHERE state = 0 AND" } else { "WHERE" };
    let mut statement = connection.prepare_cached(&format!("{SELECT} {waiting} id > ?1 ORDER BY id LIMIT ?2")).map_err(doing)?;
    let after = filter.after.map_or(i64::MIN, |after| after.0);
    let mut rows = statement.query((after, i64::try_from(filter.limit).unwrap_or(i64::MAX))).map_err(doing)?;
    let mut letters = Vec::new();
    while let Some(row) = rows.next().map_err(doing)? {
        letters.push(read(row)?);
    }
    Ok(letters)
}

/// Every letter of a link, oldest first.
pub(in super::super) fn of_link(connection: &Connection, link: LinkId) -> Result<Vec<Letter>> {
    let doing = |error| fault("a link's letters are read", error);
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE link = ?1 ORDER BY id")).map_err(doing)?;
    let mut rows = statement.query([link.0]).map_err(doing)?;
    let mut letters = Vec::new();
    while let Some(row) = rows.next().map_err(doing)? {
        letters.push(read(row)?);
    }
    Ok(letters)
}

/// One letter.
pub(in super::super) fn by_id(connection: &Connection, id: LetterId) -> Result<Option<Letter>> {
    let doing = |error| fault("a letter is read", error);
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE id = ?1")).map_err(doing)?;
    statement.query_row([id.0], |row| Ok(read(row))).optional().map_err(doing)?.transpose()
}

/// How many letters wait.
pub(in super::super) fn waiting(connection: &Connection) -> Result<i64> {
    let doing = |error| fault("waiting letters are counted", error);
    let sql = "SELECT count(*) FROM letter INDEXED BY letter_waiting WHERE state = 0";
    connection.prepare_cached(sql).and_then(|mut statement| statement.query_row([], |row| row.get(0))).map_err(doing)
}

type End<'a> = (u64, LetterState, Option<Timestamp>, Option<&'a str>);

fn change<'a>(connection: &Connection, id: LetterId, to: impl Fn(u64) -> End<'a>) -> Result<bool> {
    let doing = |error| fault("a letter is changed", error);
    let mut find = connection.prepare_cached(WAITING).map_err(doing)?;
    let found = find.query_row([id.0], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))).optional().map_err(doing)?;
    let Some((held, old_seal)) = found else { return Ok(false) };
    let held = held.unsigned_abs();
    let difference = old_seal ^ seal(&END, &end_parts(id, held, LetterState::Waiting, None, None));
    let (held, state, ended_at, note) = to(held);
    let parts = end_parts(id, held, state, ended_at, note);
    let mut write = connection.prepare_cached(SET_END).map_err(doing)?;
    run(&mut write, &[&parts, &[int(seal(&END, &parts) ^ difference)]]).map_err(doing)?;
    Ok(true)
}

fn end_parts<'a>(id: LetterId, held: u64, state: LetterState, ended_at: Option<Timestamp>, note: Option<&'a str>) -> [Part<'a>; 5] {
    let state = match state {
        LetterState::Waiting => 0,
        LetterState::Replayed => 1,
        LetterState::Discarded => 2,
        LetterState::Overtaken => 3,
    };
    [int(id.0), count(held), int(state), maybe_int(ended_at.map(|at| at.0)), maybe_text(note)]
}

fn read(row: &Row<'_>) -> Result<Letter> {
    Ok(Letter {
        id: LetterId(get(row, 0)?),
        link: get::<Option<i64>>(row, 1)?.map(LinkId),
        source: get::<Option<i64>>(row, 2)?.map(SourceId),
        place: get(row, 3)?,
        rejection: Rejection { code: get(row, 4)?, field: get(row, 5)?, message: get(row, 6)?, remedy: get(row, 7)? },
        raw: get(row, 8)?,
        created_at: Timestamp(get(row, 9)?),
        held: get_count(row, 10)?,
        state: get_code(row, 11, &STATES)?,
        ended_at: get::<Option<i64>>(row, 12)?.map(Timestamp),
        note: get(row, 13)?,
    })
}
