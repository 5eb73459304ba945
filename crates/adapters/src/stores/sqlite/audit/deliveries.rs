//! Follows every delivery: what events, replays and resyncs opened against what links count, and what was closed by whom.
//!
//! Promises: holds a window of links in memory at a time, and reads the events once per window.
//! Leaves to others: sums by system (`recount`, which it feeds).

use rusqlite::Connection;
use syncline_core::ids::SystemId;
use syncline_core::ledger::{Cause, Counter};
use syncline_engine::error::Result;

use super::super::faults::fault;
use super::super::tables::event;
use super::Findings;
use super::recount::{Recount, each};

/// Links looked at together.
const WINDOW: i64 = 1 << 18;

/// One link as its row has it and as others tell of it.
#[derive(Debug, Clone, Copy, Default)]
struct Told {
    is_there: bool,
    system: i64,
    opened: i64,
    closed: i64,
    quiet: i64,
    by_event: i64,
    by_move: i64,
    by_replay: i64,
    by_resync: i64,
    ended: i64,
}

/// Compares every link with what was opened and closed for it.
pub(super) fn check(connection: &Connection, recount: &mut Recount, findings: &mut Findings) -> Result<()> {
    let mut last = 0;
    each(connection, "SELECT coalesce(max(id), 0) FROM link", |[id]| last = id)?;
    let mut first = 1;
    while first <= last {
        let end = first.saturating_add(WINDOW).min(last.saturating_add(1));
        check_window(connection, (first, end), recount, findings)?;
        first = end;
    }
    check_strays(connection, last, findings)
}

fn check_window(connection: &Connection, (first, end): (i64, i64), recount: &mut Recount, findings: &mut Findings) -> Result<()> {
    let mut window = vec![Told::default(); usize::try_from(end - first).unwrap_or(0)];
    let place = |link: i64| usize::try_from(link - first).ok();
    let links = format!("SELECT id, system, opened, closed, unchanged + superseded FROM link WHERE id >= {first} AND id < {end}");
    each(connection, &links, |[id, system, opened, closed, quiet]| {
        if let Some(told) = place(id).and_then(|place| window.get_mut(place)) {
            *told = Told { is_there: true, system, opened, closed, quiet, ..Told::default() };
        }
    })?;
    each_delivery(connection, |_, link, is_move| {
        if let Some(told) = place(link).and_then(|place| window.get_mut(place)) {
            *(if is_move { &mut told.by_move } else { &mut told.by_event }) += 1;
        }
    })?;
    let attempts = format!("SELECT link, applied + coalesced FROM attempt WHERE link >= {first} AND link < {end}");
    each(connection, &attempts, |[link, ended]| {
        if let Some(told) = place(link).and_then(|place| window.get_mut(place)) {
            told.ended += ended;
        }
    })?;
    let letters = format!("SELECT link, held, state = 1 FROM letter WHERE link >= {first} AND link < {end}");
    each(connection, &letters, |[link, held, is_replayed]| {
        if let Some(told) = place(link).and_then(|place| window.get_mut(place)) {
            told.ended += held;
            told.by_replay += is_replayed;
        }
    })?;
    let resyncs = format!("SELECT link FROM resync WHERE link >= {first} AND link < {end}");
    each(connection, &resyncs, |[link]| {
        if let Some(told) = place(link).and_then(|place| window.get_mut(place)) {
            told.by_resync += 1;
        }
    })?;
    for (id, told) in (first..).zip(&window) {
        judge(id, told, recount, findings);
    }
    Ok(())
}

fn judge(id: i64, told: &Told, recount: &mut Recount, findings: &mut Findings) {
    let opened = told.by_event + told.by_move + told.by_replay + told.by_resync;
    if !told.is_there {
        findings.equal(0, opened, || format!("link {id}: is not there, but deliveries were opened for it"));
        return;
    }
    findings.equal(told.opened, opened, || format!("link {id}: opened = deliveries that events, replays and resyncs list"));
    let closed = told.quiet + told.ended;
    findings.equal(told.closed, closed, || format!("link {id}: closed = deliveries that attempts, letters and itself tell of"));
    findings.equal(told.closed.max(told.opened), told.opened, || format!("link {id}: closed is at most opened"));
    let system = SystemId(told.system);
    recount.add(Counter::Opened(system, Cause::Event), told.by_event);
    recount.add(Counter::Opened(system, Cause::Move), told.by_move);
    recount.add(Counter::Opened(system, Cause::Replay), told.by_replay);
    recount.add(Counter::Opened(system, Cause::Resync), told.by_resync);
}

/// Deliveries of links above the last one.
fn check_strays(connection: &Connection, last: i64, findings: &mut Findings) -> Result<()> {
    each_delivery(connection, |event, link, _| {
        if link > last || link < 1 {
            findings.equal(0, 1, || format!("event {event}: link {link} is not there, but a delivery was opened for it"));
        }
    })?;
    let resyncs = format!("SELECT link FROM resync WHERE link > {last} OR link < 1");
    each(connection, &resyncs, |[link]| {
        findings.equal(0, 1, || format!("resync: link {link} is not there, but a delivery was opened for it"));
    })
}

/// Hands (event, link, is a move) of every delivery to `take`; what does not read is found by its seal.
fn each_delivery(connection: &Connection, mut take: impl FnMut(i64, i64, bool)) -> Result<()> {
    let doing = |error| fault("events are looked at", error);
    let mut statement = connection.prepare("SELECT id, opened FROM event").map_err(doing)?;
    let mut rows = statement.query([]).map_err(doing)?;
    while let Some(row) = rows.next().map_err(doing)? {
        let id = row.get(0).map_err(doing)?;
        let opened = row.get_ref(1).map_err(doing)?.as_str().unwrap_or_default();
        for delivery in event::deliveries(opened).flatten() {
            take(id, delivery.link.0, delivery.is_move);
        }
    }
    Ok(())
}
