//! The `link` table: what is owed to every place of every record, and what was done.
//!
//! Promises: intake's columns and the lane's columns are written by different statements under different seals, so neither
//! overwrites the other; the index over external ids is touched only when an external id changes.
//! Leaves to others: what a state means and which moves are legal (`core::link`).

use rusqlite::{Connection, OptionalExtension, Row};
use syncline_core::ids::{LinkId, RecordId, SystemId};
use syncline_core::link::{Duty, Link, LinkState, Presence, Side, SideState};
use syncline_core::time::Timestamp;
use syncline_engine::error::Result;

use super::super::faults::fault;
use super::super::row::{
    Group, Part, Table, count, get, get_code, get_count, get_maybe_json, get_small, int, json, maybe_int, maybe_text, run, run_one, seal,
    text,
};
use super::counter::{self, Tally};

pub(in super::super) const TABLE: Table = Table { name: "link", key: &["id"], groups: &[PLACE, DUTY, SIDE] };
const PLACE: Group = Group { columns: &["id", "record", "system", "object"], seal: "seal" };
const DUTY: Group = Group { columns: &["id", "opened", "generation_start", "desired", "due_since"], seal: "duty_seal" };
const SIDE: Group = Group {
    columns: &[
        "id", "state", "closed", "unchanged", "superseded", "failures", "failing_since", "until", "letters", "waits_for", "external_id",
        "base",
    ],
    seal: "side_seal",
};
const INSERT: &str = "INSERT INTO link (id, record, system, object, seal, opened, generation_start, desired, due_since, duty_seal,
    state, closed, unchanged, superseded, failures, failing_since, until, letters, waits_for, external_id, base, side_seal)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)";
const SET_DUTY: &str = "UPDATE link SET opened = ?2, generation_start = ?3, desired = ?4, due_since = ?5, duty_seal = ?6 WHERE id = ?1";
const SET_SIDE: &str = "UPDATE link SET state = ?2, closed = ?3, unchanged = ?4, superseded = ?5, failures = ?6, failing_since = ?7,
    until = ?8, letters = ?9, waits_for = ?10, base = ?12, side_seal = ?13 WHERE id = ?1 AND external_id IS ?11";
const SET_SIDE_AND_ID: &str = "UPDATE link SET state = ?2, closed = ?3, unchanged = ?4, superseded = ?5, failures = ?6,
    failing_since = ?7, until = ?8, letters = ?9, waits_for = ?10, external_id = ?11, base = ?12, side_seal = ?13 WHERE id = ?1";
const OF_RECORD: &str = "SELECT id, record, system, object, opened, generation_start, desired, due_since, state, closed, unchanged,
    superseded, failures, failing_since, until, letters, waits_for, external_id, base,
    (SELECT coalesce(max(number), 0) FROM resync WHERE resync.link = link.id AND forced = 1) FROM link WHERE record = ?1 ORDER BY id";
const DUE_BESIDE: &str = "SELECT due_since, id FROM link WHERE system = ?1 AND opened > closed AND state <= 1
    AND due_since = ?2 AND id > ?3 ORDER BY id LIMIT ?4";
const DUE_BEHIND: &str = "SELECT due_since, id FROM link WHERE system = ?1 AND opened > closed AND state <= 1
    AND due_since > ?2 ORDER BY due_since, id LIMIT ?3";
const BUSY: &str = "SELECT id FROM link INDEXED BY link_busy WHERE system = ?1 AND state >= 1 AND state >= 2 ORDER BY id";
const OPEN_DUE: &str = "SELECT system, sum(opened - closed) FROM link INDEXED BY link_due WHERE opened > closed AND state <= 1
    GROUP BY system";
const OPEN_BUSY: &str = "SELECT system, sum(opened - closed) FROM link INDEXED BY link_busy WHERE state >= 1 AND state >= 2 GROUP BY system";

/// The states by code; up to code 1 nothing is under way.
const STATES: [SideState; 7] = [
    SideState::Idle,
    SideState::Dead,
    SideState::InFlight,
    SideState::Held,
    SideState::BackingOff,
    SideState::Waiting,
    SideState::Paused,
];

/// Writes links that did not exist before.
pub(in super::super) fn insert(connection: &Connection, links: &[Link], tally: &mut Tally) -> Result<()> {
    if links.is_empty() {
        return Ok(());
    }
    let doing = |error| fault("a link is written", error);
    let mut statement = connection.prepare_cached(INSERT).map_err(doing)?;
    for link in links {
        let place = [int(link.id.0), int(link.record.0), int(link.system.0), text(&link.object)];
        let duty = duty_parts(link.id, &link.duty);
        let json = SideJson::of(&link.side)?;
        let side = side_parts(link.id, &link.side, &json);
        let seals = [[int(seal(&PLACE, &place))], [int(seal(&DUTY, &duty))], [int(seal(&SIDE, &side))]];
        run(&mut statement, &[&place, &seals[0], &duty[1..], &seals[1], &side[1..], &seals[2]]).map_err(doing)?;
        tally.row("link", link.system.0, 1);
    }
    Ok(())
}

/// Writes intake's half of known links.
pub(in super::super) fn set_duties(connection: &Connection, duties: &[(LinkId, Duty)]) -> Result<()> {
    if duties.is_empty() {
        return Ok(());
    }
    let mut statement = connection.prepare_cached(SET_DUTY).map_err(|error| fault("a duty is written", error))?;
    for (id, duty) in duties {
        let parts = duty_parts(*id, duty);
        run_one(&mut statement, &[&parts, &[int(seal(&DUTY, &parts))]], || format!("the duty of link {id} is written"))?;
    }
    Ok(())
}

/// Writes the lane's half of known links.
pub(in super::super) fn set_sides(connection: &Connection, sides: &[(LinkId, Side)]) -> Result<()> {
    if sides.is_empty() {
        return Ok(());
    }
    let doing = |error| fault("a side is written", error);
    let mut keep_id = connection.prepare_cached(SET_SIDE).map_err(doing)?;
    let mut set_id = connection.prepare_cached(SET_SIDE_AND_ID).map_err(doing)?;
    for (id, side) in sides {
        let json = SideJson::of(side)?;
        let parts = side_parts(*id, side, &json);
        let seal = [int(seal(&SIDE, &parts))];
        if run(&mut keep_id, &[&parts, &seal]).map_err(doing)? == 0 {
            run_one(&mut set_id, &[&parts, &seal], || format!("the side of link {id} is written"))?;
        }
    }
    Ok(())
}

/// The links of a record, by id.
pub(in super::super) fn of_record(connection: &Connection, record: RecordId) -> Result<Vec<Link>> {
    let doing = |error| fault("links are read", error);
    let mut statement = connection.prepare_cached(OF_RECORD).map_err(doing)?;
    let mut rows = statement.query([record.0]).map_err(doing)?;
    let mut links = Vec::new();
    while let Some(row) = rows.next().map_err(doing)? {
        let mut link = read(row)?;
        if !link.side.letters.is_empty() {
            super::letter::retain_waiting(connection, &mut link.side.letters)?;
        }
        links.push(link);
    }
    Ok(links)
}

/// The record that a link is of.
pub(in super::super) fn record_of(connection: &Connection, link: LinkId) -> Result<Option<RecordId>> {
    let doing = |error| fault("a link is read", error);
    let mut statement = connection.prepare_cached("SELECT record FROM link WHERE id = ?1").map_err(doing)?;
    statement.query_row([link.0], |row| row.get(0).map(RecordId)).optional().map_err(doing)
}

/// Due links behind a place in line, oldest first.
pub(in super::super) fn due(
    connection: &Connection,
    system: SystemId,
    after: Option<(Timestamp, LinkId)>,
    limit: usize,
) -> Result<Vec<(Timestamp, LinkId)>> {
    let doing = |error| fault("due links are read", error);
    let place = |row: &Row<'_>| Ok((Timestamp(row.get(0)?), LinkId(row.get(1)?)));
    let (since, id) = after.map_or((i64::MIN, i64::MIN), |(since, id)| (since.0, id.0));
    let rest = |found: usize| i64::try_from(limit.saturating_sub(found)).unwrap_or(i64::MAX);
    let mut beside = connection.prepare_cached(DUE_BESIDE).map_err(doing)?;
    let rows = beside.query_map((system.0, since, id, rest(0)), place).map_err(doing)?;
    let mut due: Vec<_> = rows.collect::<rusqlite::Result<_>>().map_err(doing)?;
    if due.len() < limit {
        let mut behind = connection.prepare_cached(DUE_BEHIND).map_err(doing)?;
        for place in behind.query_map((system.0, since, rest(due.len())), place).map_err(doing)? {
            due.push(place.map_err(doing)?);
        }
    }
    Ok(due)
}

/// Links that are neither idle nor dead, by id.
pub(in super::super) fn busy(connection: &Connection, system: SystemId) -> Result<Vec<LinkId>> {
    let doing = |error| fault("unsettled links are read", error);
    let mut statement = connection.prepare_cached(BUSY).map_err(doing)?;
    let rows = statement.query_map([system.0], |row| row.get(0).map(LinkId)).map_err(doing)?;
    rows.collect::<rusqlite::Result<_>>().map_err(doing)
}

/// The link that bears an external id.
pub(in super::super) fn by_external(connection: &Connection, system: SystemId, object: &str, id: &str) -> Result<Option<LinkId>> {
    let doing = |error| fault("a link is looked up", error);
    let sql = "SELECT id FROM link WHERE system = ?1 AND object = ?2 AND external_id = ?3 ORDER BY id LIMIT 1";
    let mut statement = connection.prepare_cached(sql).map_err(doing)?;
    statement.query_row((system.0, object, id), |row| row.get(0).map(LinkId)).optional().map_err(doing)
}

/// How many links of an object bear an external id.
pub(in super::super) fn proven(connection: &Connection, system: SystemId, object: &str) -> Result<u64> {
    let doing = |error| fault("proven links are counted", error);
    let sql = "SELECT count(*) FROM link WHERE system = ?1 AND object = ?2 AND external_id IS NOT NULL";
    let mut statement = connection.prepare_cached(sql).map_err(doing)?;
    statement.query_row((system.0, object), |row| row.get::<_, i64>(0)).map(i64::unsigned_abs).map_err(doing)
}

/// Open deliveries by system: the sum over all links that have any.
pub(in super::super) fn open(connection: &Connection) -> Result<std::collections::BTreeMap<SystemId, i64>> {
    let doing = |error| fault("open deliveries are counted", error);
    let mut open = std::collections::BTreeMap::new();
    for sql in [OPEN_DUE, OPEN_BUSY] {
        let mut statement = connection.prepare_cached(sql).map_err(doing)?;
        let mut rows = statement.query([]).map_err(doing)?;
        while let Some(row) = rows.next().map_err(doing)? {
            *open.entry(SystemId(get(row, 0)?)).or_default() += get::<i64>(row, 1)?;
        }
    }
    Ok(open)
}

/// How many links are in each state, and since when the oldest due one waits.
pub(in super::super) type States = (Vec<(LinkState, u64)>, Option<Timestamp>);

/// Whether something is due or under way, or waits for more than a dead link of its record. What is due for an object that stands
/// still is no rest.
pub(in super::super) fn has_rest(connection: &Connection) -> Result<bool> {
    let doing = |error| fault("open work is looked for", error);
    let sql = "SELECT EXISTS (SELECT 1 FROM link INDEXED BY link_due WHERE opened > closed AND state <= 1
            AND NOT EXISTS (SELECT 1 FROM pause_object AS still JOIN system ON system.name = still.system
                WHERE system.id = link.system AND still.object = link.object))
        OR EXISTS (SELECT 1 FROM link AS one INDEXED BY link_busy WHERE state >= 1 AND (state BETWEEN 2 AND 4 OR state = 5
            AND NOT EXISTS (SELECT 1 FROM link AS other WHERE other.record = one.record AND other.state = 1)))";
    connection.prepare_cached(sql).and_then(|mut statement| statement.query_row([], |row| row.get(0))).map_err(doing)
}

/// How many links of a system are in each state, and since when the oldest due one waits. Looks at indexes only, but for the
/// dead ones; clean is what is left of all.
pub(in super::super) fn states(connection: &Connection, system: SystemId) -> Result<States> {
    let doing = |error| fault("states are counted", error);
    let number = |sql: &str, state: i64| -> Result<u64> {
        let mut statement = connection.prepare_cached(sql).map_err(doing)?;
        statement.query_row((system.0, state), |row| row.get::<_, i64>(0)).map(i64::unsigned_abs).map_err(doing)
    };
    let due = number("SELECT count(*) FROM link INDEXED BY link_due WHERE system = ?1 AND opened > closed AND state <= 1 AND ?2 = 0", 0)?;
    let dead_and_due = "SELECT count(*) FROM link INDEXED BY link_busy WHERE system = ?1 AND state = ?2 AND state >= 1 AND opened > closed";
    let of_state = "SELECT count(*) FROM link INDEXED BY link_busy WHERE system = ?1 AND state = ?2 AND state >= 1";
    let mut found = vec![(LinkState::Due, due)];
    for (code, state) in (1..).zip([
        LinkState::Dead,
        LinkState::InFlight,
        LinkState::Held,
        LinkState::BackingOff,
        LinkState::Waiting,
        LinkState::Paused,
    ]) {
        let overlap = if state == LinkState::Dead { number(dead_and_due, code)? } else { 0 };
        found.push((state, number(of_state, code)?.saturating_sub(overlap)));
    }
    let others: u64 = found.iter().map(|(_, count)| count).sum();
    found.push((LinkState::Clean, counter::links(connection, system)?.saturating_sub(others)));
    found.sort_unstable();
    let oldest = due_oldest(connection, system)?;
    Ok((found, oldest))
}

fn due_oldest(connection: &Connection, system: SystemId) -> Result<Option<Timestamp>> {
    Ok(due(connection, system, None, 1)?.first().map(|(since, _)| *since))
}

fn duty_parts(id: LinkId, duty: &Duty) -> [Part<'static>; 5] {
    let desired = match duty.desired {
        Presence::Present => 0,
        Presence::Absent => 1,
    };
    [int(id.0), count(duty.opened), count(duty.generation_start), int(desired), int(duty.due_since.0)]
}

/// The columns of a side that are JSON, or null where there is nothing to keep.
struct SideJson {
    base: Option<String>,
    letters: Option<String>,
}

impl SideJson {
    fn of(side: &Side) -> Result<Self> {
        let letters = if side.letters.is_empty() { None } else { Some(json(&side.letters)?) };
        Ok(Self { base: side.base.as_ref().map(json).transpose()?, letters })
    }
}

fn side_parts<'a>(id: LinkId, side: &'a Side, json: &'a SideJson) -> [Part<'a>; 12] {
    [
        int(id.0),
        int(state_code(side.state)),
        count(side.closed),
        count(side.unchanged),
        count(side.superseded),
        int(i64::from(side.failures)),
        maybe_int(side.failing_since.map(|at| at.0)),
        maybe_int(side.until.map(|at| at.0)),
        maybe_text(json.letters.as_deref()),
        maybe_int(side.waits_for.map(|link| link.0)),
        maybe_text(side.external_id.as_deref()),
        maybe_text(json.base.as_deref()),
    ]
}

const fn state_code(state: SideState) -> i64 {
    match state {
        SideState::Idle => 0,
        SideState::Dead => 1,
        SideState::InFlight => 2,
        SideState::Held => 3,
        SideState::BackingOff => 4,
        SideState::Waiting => 5,
        SideState::Paused => 6,
    }
}

fn read(row: &Row<'_>) -> Result<Link> {
    Ok(Link {
        id: LinkId(get(row, 0)?),
        record: RecordId(get(row, 1)?),
        system: SystemId(get(row, 2)?),
        object: get(row, 3)?,
        duty: Duty {
            opened: get_count(row, 4)?,
            generation_start: get_count(row, 5)?,
            desired: get_code(row, 6, &[Presence::Present, Presence::Absent])?,
            due_since: Timestamp(get(row, 7)?),
        },
        side: Side {
            state: get_code(row, 8, &STATES)?,
            closed: get_count(row, 9)?,
            unchanged: get_count(row, 10)?,
            superseded: get_count(row, 11)?,
            failures: get_small(row, 12)?,
            failing_since: get::<Option<i64>>(row, 13)?.map(Timestamp),
            until: get::<Option<i64>>(row, 14)?.map(Timestamp),
            letters: get_maybe_json(row, 15)?.unwrap_or_default(),
            waits_for: get::<Option<i64>>(row, 16)?.map(LinkId),
            external_id: get(row, 17)?,
            base: get_maybe_json(row, 18)?,
        },
        forced_to: get_count(row, 19)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::open;
    use super::{BUSY, DUE_BEHIND, DUE_BESIDE, OF_RECORD};

    #[test]
    fn links_are_found_through_indexes_and_come_in_their_order() {
        let connection = open::memory().expect("a database");
        let plan = |sql: &str| {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a plan");
            let mut steps = statement.raw_query();
            let mut plan = Vec::new();
            while let Some(step) = steps.next().expect("a step") {
                plan.push(step.get::<_, String>(3).expect("words"));
            }
            plan.join("; ")
        };
        assert_eq!(plan(DUE_BESIDE), "SEARCH link USING INDEX link_due (system=? AND due_since=? AND id>?)");
        assert_eq!(plan(DUE_BEHIND), "SEARCH link USING INDEX link_due (system=? AND due_since>?)");
        assert_eq!(plan(BUSY), "SEARCH link USING COVERING INDEX link_busy (system=? AND state>?); USE TEMP B-TREE FOR ORDER BY");
        let of_record = [
            "SEARCH link USING INDEX link_by_record (record=?)",
            "CORRELATED SCALAR SUBQUERY 1",
            "SEARCH resync USING PRIMARY KEY (link=?)",
            "USE TEMP B-TREE FOR ORDER BY",
        ];
        assert_eq!(plan(OF_RECORD), of_record.join("; "));
    }
}
