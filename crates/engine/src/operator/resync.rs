//! Brings records under the present rules, a page of them at a time, or only says what that would write.
//!
//! Promises: a page is one read and one commit, so that a resync which ends in the middle has done whole pages and goes on behind
//! the last of them. Leaves to others: what a record needs (`core::resync`), the price, and going through the pages (the app).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use syncline_core::ids::{LinkId, RecordId, SystemId};
use syncline_core::intake::Routes;
use syncline_core::resync::{Resync, Resynced, Rules, Seen};
use syncline_core::terms::Terms;
use syncline_core::time::Timestamp;

use crate::error::Result;
use crate::ports::store::{IdKind, Known, Store};

/// The terms of every system, by its number and the record type.
pub type AllTerms = BTreeMap<SystemId, BTreeMap<String, Terms>>;

/// Which records, and how.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Only records of this type.
    pub record_type: Option<String>,
    /// Only those under these keys; they need a type. Empty is all of them.
    pub keys: Vec<String>,
    /// Only links of these systems; empty is all of them.
    pub systems: BTreeSet<SystemId>,
    /// Forget what is known of theirs.
    pub force: bool,
    /// Only records behind this one.
    pub after: Option<RecordId>,
    /// At most so many.
    pub limit: usize,
    /// How each system takes records.
    pub terms: Arc<AllTerms>,
}

/// What a page came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// What was seen.
    pub seen: Seen,
    /// The last record of the page, if more may lie behind it.
    pub next: Option<RecordId>,
    /// Links that became due by it; empty if it was only looked at.
    pub due: BTreeMap<SystemId, Vec<LinkId>>,
}

/// Says what a page of records needs; opens nothing.
///
/// # Errors
/// What the store says.
pub async fn look(store: &dyn Store, routes: &BTreeMap<String, Routes>, asked: &Asked, now: Timestamp) -> Result<Page> {
    let mut unused = 0;
    let mut next_link = || {
        unused -= 1;
        LinkId(unused)
    };
    let (resynced, next) = page(store, routes, asked, now, &mut next_link).await?;
    Ok(Page { seen: resynced.seen, next, due: BTreeMap::new() })
}

/// Opens what a page of records needs. Only intake may do so, or whoever owns a store that no process runs over.
///
/// # Errors
/// What the store says.
pub async fn open(store: &dyn Store, routes: &BTreeMap<String, Routes>, asked: &Asked, now: Timestamp) -> Result<Page> {
    let mut next_link = || LinkId(store.allocate(IdKind::Link, 1));
    let (Resynced { seen, set, due }, next) = page(store, routes, asked, now, &mut next_link).await?;
    if !set.is_empty() {
        store.commit(set).await?;
    }
    Ok(Page { seen, next, due })
}

async fn page(
    store: &dyn Store,
    routes: &BTreeMap<String, Routes>,
    asked: &Asked,
    now: Timestamp,
    next_link: &mut (dyn FnMut() -> LinkId + Send),
) -> Result<(Resynced, Option<RecordId>)> {
    let (records, next) = find(store, asked).await?;
    let rules = Rules { routes, terms: &asked.terms, systems: &asked.systems, force: asked.force };
    let mut resync = Resync::new(rules, now);
    for known in records {
        resync.look(known, next_link);
    }
    Ok((resync.finish(), next))
}

async fn find(store: &dyn Store, asked: &Asked) -> Result<(Vec<Known>, Option<RecordId>)> {
    if let (Some(record_type), false) = (&asked.record_type, asked.keys.is_empty()) {
        let keys: BTreeSet<&str> = asked.keys.iter().map(String::as_str).collect();
        let keys: Vec<&str> = keys.into_iter().collect();
        return Ok((store.known(record_type, &keys).await?.into_iter().flatten().collect(), None));
    }
    let records = store.records(asked.record_type.as_deref(), asked.after, asked.limit).await?;
    let next = records.last().filter(|_| records.len() >= asked.limit).map(|known| known.id);
    Ok((records, next))
}
