//! Counts rows and compares them with the counters that changed with them.
//!
//! Promises: every account that rows can prove is compared, in both directions, and the number of rows of every table.
//! Leaves to others: deliveries, which are listed inside events (`deliveries`).

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use syncline_core::ids::{SourceId, SystemId};
use syncline_core::ledger::{Counter, Counts, Ending, Ledger, Offer, Post, Routing};
use syncline_engine::error::Result;

use super::super::faults::fault;
use super::super::tables::{self, counter, event};
use super::Findings;

/// What the rows come to, and open deliveries by system as all links have them.
#[derive(Debug, Default)]
pub(super) struct Recount {
    /// The accounts.
    pub(super) counts: Counts,
    /// Open deliveries by system.
    pub(super) open: BTreeMap<SystemId, i64>,
}

impl Recount {
    /// Adds what a query found.
    pub(super) fn add(&mut self, counter: Counter, found: i64) {
        if found != 0 {
            *self.counts.0.entry(counter).or_default() += found;
        }
    }
}

/// What events, attempts and letters come to.
pub(super) fn from_rows(connection: &Connection) -> Result<Recount> {
    let mut recount = Recount::default();
    let events = "SELECT source, routing, count(*) FROM event GROUP BY source, routing";
    each(connection, events, |[source, routing, found]| {
        recount.add(Counter::Source(SourceId(source), Offer::Accepted), found);
        recount.add(Counter::Tenant(Routing::Accepted), found);
        match routing {
            event::ROUTED => recount.add(Counter::Tenant(Routing::Routed), found),
            event::UNROUTED => recount.add(Counter::Tenant(Routing::Unrouted), found),
            event::STALE => recount.add(Counter::Tenant(Routing::Stale), found),
            _ => {}
        }
    })?;
    let attempts = "SELECT system, sum(applied), sum(coalesced) FROM attempt GROUP BY system";
    each(connection, attempts, |[system, applied, coalesced]| {
        recount.add(Counter::Closed(SystemId(system), Ending::Applied), applied);
        recount.add(Counter::Closed(SystemId(system), Ending::Coalesced), coalesced);
    })?;
    let links = "SELECT system, sum(unchanged), sum(superseded), sum(opened - closed) FROM link GROUP BY system";
    each(connection, links, |[system, unchanged, superseded, open]| {
        recount.add(Counter::Closed(SystemId(system), Ending::Unchanged), unchanged);
        recount.add(Counter::Closed(SystemId(system), Ending::Superseded), superseded);
        *recount.open.entry(SystemId(system)).or_default() += open;
    })?;
    let dead = "SELECT link.system, sum(letter.held) FROM letter JOIN link ON link.id = letter.link GROUP BY link.system";
    each(connection, dead, |[system, held]| recount.add(Counter::Closed(SystemId(system), Ending::Dead), held))?;
    let refused = "SELECT source, count(*) FROM letter WHERE source IS NOT NULL GROUP BY source";
    each(connection, refused, |[source, found]| recount.add(Counter::Source(SourceId(source), Offer::Refused), found))?;
    each(connection, "SELECT state, count(*) FROM letter GROUP BY state", |[state, found]| {
        recount.add(Counter::Letters(Post::Created), found);
        match state {
            1 => recount.add(Counter::Letters(Post::Replayed), found),
            2 => recount.add(Counter::Letters(Post::Discarded), found),
            3 => recount.add(Counter::Letters(Post::Overtaken), found),
            _ => {}
        }
    })?;
    Ok(recount)
}

/// Compares counters and tables.
pub(super) fn compare(connection: &Connection, ledger: &Ledger, recount: &Recount, findings: &mut Findings) -> Result<()> {
    let counters: BTreeSet<Counter> = ledger.counts.0.keys().chain(recount.counts.0.keys()).copied().collect();
    for counter in counters.into_iter().filter(|counter| is_in_rows(*counter)) {
        // What a caller was told is refused and leaves no row.
        let told = match counter {
            Counter::Source(source, Offer::Refused) => ledger.counts.get(Counter::Source(source, Offer::Told)),
            Counter::Source(..) | Counter::Tenant(_) | Counter::Opened(..) | Counter::Closed(..) | Counter::Letters(_) | Counter::Fact(..) => 0,
        };
        findings.equal(ledger.counts.get(counter), recount.counts.get(counter) + told, || format!("{} = rows", words(counter)));
    }
    let systems: BTreeSet<SystemId> = ledger.open.keys().chain(recount.open.keys()).copied().collect();
    for system in systems {
        let of = |open: &BTreeMap<SystemId, i64>| open.get(&system).copied().unwrap_or(0);
        findings.equal(of(&ledger.open), of(&recount.open), || format!("system {system}: open deliveries in lanes = in links"));
    }
    compare_tables(connection, findings)
}

fn compare_tables(connection: &Connection, findings: &mut Findings) -> Result<()> {
    let expected = counter::rows(connection)?;
    let mut found = BTreeMap::new();
    for table in tables::ALL {
        let name = table.name;
        let by_system = "SELECT system, count(*) FROM link GROUP BY system".to_owned();
        let sql = if name == "link" { by_system } else { format!("SELECT 0, count(*) FROM {name}") };
        each(connection, &sql, |[number, rows]| {
            found.insert((name.to_owned(), number), rows);
        })?;
    }
    let keys: BTreeSet<_> = expected.keys().chain(found.keys()).cloned().collect();
    for key in keys {
        let of = |rows: &BTreeMap<(String, i64), i64>| rows.get(&key).copied().unwrap_or(0);
        findings.equal(of(&expected), of(&found), || {
            let of_system = if key.1 == 0 { String::new() } else { format!(" of system {}", key.1) };
            format!("table {}{of_system}: rows written = rows found", key.0)
        });
    }
    Ok(())
}

/// Whether rows can prove an account; what is handed over, was seen before, or was told to a caller leaves no row.
const fn is_in_rows(counter: Counter) -> bool {
    match counter {
        Counter::Source(_, Offer::Accepted | Offer::Refused)
        | Counter::Tenant(_)
        | Counter::Opened(..)
        | Counter::Closed(..)
        | Counter::Letters(_) => true,
        Counter::Source(_, Offer::Offered | Offer::Duplicate | Offer::Told) | Counter::Fact(..) => false,
    }
}

fn words(counter: Counter) -> String {
    match counter {
        Counter::Source(source, offer) => format!("source {source}: {}", offer.name()),
        Counter::Tenant(routing) => format!("tenant: {}", routing.name()),
        Counter::Opened(system, cause) => format!("system {system}: opened by {}", cause.name()),
        Counter::Closed(system, ending) => format!("system {system}: closed as {}", ending.name()),
        Counter::Letters(post) => format!("dead letters: {}", post.name()),
        Counter::Fact(system, fact) => format!("system {system}: {}", fact.name()),
    }
}

/// Hands every row of a query over numbers to `take`.
pub(super) fn each<const N: usize>(connection: &Connection, sql: &str, mut take: impl FnMut([i64; N])) -> Result<()> {
    let doing = |error| fault("rows are counted", error);
    let mut statement = connection.prepare(sql).map_err(doing)?;
    let mut rows = statement.query([]).map_err(doing)?;
    while let Some(row) = rows.next().map_err(doing)? {
        let mut numbers = [0; N];
        for (index, number) in numbers.iter_mut().enumerate() {
            *number = row.get(index).map_err(doing)?;
        }
        take(numbers);
    }
    Ok(())
}
