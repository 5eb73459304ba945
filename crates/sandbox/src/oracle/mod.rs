//! Says from the events alone what both CRMs must finally hold, and judges what they do hold.
//!
//! Promises: shares no code with what it judges; sees events as the raw lines that were offered, in their order, and
//! CRMs as their stored records; one sequence of lines gives one answer.
//! Leaves to others: which records may be excused (dead letters), the field lengths and e-mail rules by which an
//! event would be refused, edits by people in a CRM, quotas and request order.

mod compare;
mod digest;
mod event;
mod expect;
mod fold;
mod place;

use std::collections::BTreeMap;

pub use compare::{Difference, DifferenceKind};
pub use digest::digest;
pub use expect::Expected;
pub use crate::exchange::System;
pub use place::Routing;

use event::Event;
use fold::{Contact, Fate};
use place::Place;

/// A model of all contacts, folded from events.
#[derive(Debug, Clone)]
pub struct Oracle {
    routing: Routing,
    by_timestamp: bool,
    canonical: bool,
    contacts: BTreeMap<String, Contact>,
    tally: Tally,
}

/// What became of the lines so far; `lines` is the sum of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Lines observed.
    pub lines: u64,
    /// Lines that are no event of a contact: ignored.
    pub malformed: u64,
    /// Events that came too late, or patched what was deleted: ignored.
    pub stale: u64,
    /// Deletes of the unknown and the deleted.
    pub unchanged: u64,
    /// Events that were folded in.
    pub folded: u64,
}

impl Oracle {
    /// An oracle that has seen nothing; later lines are newer.
    #[must_use]
    pub const fn new(routing: Routing) -> Self {
        let tally = Tally { lines: 0, malformed: 0, stale: 0, unchanged: 0, folded: 0 };
        Self { routing, by_timestamp: false, canonical: false, contacts: BTreeMap::new(), tally }
    }

    /// Orders a record's events by their own timestamps (UTC where they lack a zone): the strictly older is ignored,
    /// of patches field by field. A line without a readable timestamp is then malformed.
    #[must_use]
    pub const fn order_by_timestamp(mut self) -> Self {
        self.by_timestamp = true;
        self
    }

    /// Takes values for equal that differ only in surrounding blanks, the case of an e-mail's domain, or a phone's
    /// punctuation. For streams whose spelling varies; otherwise values must be equal to the letter.
    #[must_use]
    pub const fn canonical_equality(mut self) -> Self {
        self.canonical = true;
        self
    }

    /// Changes the routing: a record meets it at its own next event.
    pub fn reroute(&mut self, routing: Routing) {
        self.routing = routing;
    }

    /// Lets every record meet the present routing at once.
    pub fn resync(&mut self) {
        for contact in self.contacts.values_mut() {
            contact.route(&self.routing);
        }
    }

    /// Folds in one event in the bare form.
    pub fn observe(&mut self, line: &[u8]) {
        self.tally.lines += 1;
        let Some(event) = Event::parse(line, self.by_timestamp) else {
            self.tally.malformed += 1;
            return;
        };
        let fate = fold::fold(&mut self.contacts, &event);
        match fate {
            Fate::Stale => self.tally.stale += 1,
            Fate::Unchanged => self.tally.unchanged += 1,
            Fate::Folded => self.tally.folded += 1,
        }
        if fate == Fate::Folded
            && let Some(contact) = self.contacts.get_mut(&event.id)
        {
            contact.route(&self.routing);
        }
    }

    /// What became of the lines so far.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// What the CRMs must hold, ordered by key and system.
    #[must_use]
    pub fn expected(&self) -> Vec<Expected> {
        self.contacts
            .iter()
            .flat_map(|(key, contact)| contact.places().iter().map(move |place| expect::expected(*place, key, contact)))
            .collect()
    }

    /// How often each record could rightly come into being at each place.
    fn arrivals(&self, key: &str, place: Place) -> u32 {
        self.contacts.get(key).map_or(0, |contact| contact.arrivals(place))
    }
}

#[cfg(test)]
mod tests;
