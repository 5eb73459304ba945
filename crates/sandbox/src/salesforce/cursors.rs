//! Open queries: what their further pages hold.
//!
//! Promises: a cursor keeps the rows that were found at first; the oldest is closed when too many are open.
//! Leaves to others: how long a locator lives, and the pages (`query`).

use std::collections::BTreeMap;

use super::children::Children;
use super::parents::Column;
use super::schema::Sobject;
use crate::exchange::Millis;

/// Most locators kept open.
const OPEN_MAX: usize = 10;

/// Open queries with more than one page, by locator; locators rise with time.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    by_locator: BTreeMap<String, Cursor>,
    /// The number of the next locator.
    pub(super) next: u64,
    /// Locators opened since the last call of `drain`.
    fresh: Vec<String>,
}

/// What one query found.
#[derive(Debug)]
pub(super) struct Cursor {
    pub(super) object: Sobject,
    /// The fields that were asked for.
    pub(super) numbers: Vec<u16>,
    /// The parents' fields that were asked for.
    pub(super) parents: Vec<Column>,
    /// The queries over children of each row.
    pub(super) children: Vec<Children>,
    /// The rows in the query's order.
    pub(super) serials: Vec<u64>,
    pub(super) opened: Millis,
    /// The query, from which a restart resolves the fields anew.
    pub(super) text: String,
}

impl Cursors {
    /// The cursor of a locator.
    pub(super) fn get(&self, locator: &str) -> Option<&Cursor> {
        self.by_locator.get(locator)
    }

    /// Keeps a cursor for further pages.
    pub(super) fn open(&mut self, locator: String, cursor: Cursor) {
        self.fresh.push(locator.clone());
        self.by_locator.insert(locator, cursor);
        while self.by_locator.len() > OPEN_MAX {
            self.by_locator.pop_first();
        }
    }

    /// Every open cursor with its locator.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Cursor)> {
        self.by_locator.iter().map(|(locator, cursor)| (locator.as_str(), cursor))
    }

    /// The cursors that were opened since the last call and are still open.
    pub(super) fn drain(&mut self) -> Vec<(&str, &Cursor)> {
        let fresh = std::mem::take(&mut self.fresh);
        fresh.iter().filter_map(|locator| self.by_locator.get_key_value(locator)).map(|(locator, cursor)| (locator.as_str(), cursor)).collect()
    }
}
