//! Folds events into contacts, one after another.
//!
//! Promises: a create is a snapshot, an update a patch, a delete leaves a tombstone; an update of the unknown is a
//! create, an update of the deleted is stale, a delete of the unknown or deleted changes nothing. An event strictly
//! older than the newest of its record is stale; of a patch only those fields are that something newer has set, where a
//! snapshot sets every field.
//! Leaves to others: what a line says (`event`), where records belong (`place`).

use std::collections::{BTreeMap, BTreeSet};

use super::event::{Event, FIELDS, Operation};
use super::place::{Place, Routing};

/// One contact, live or deleted.
#[derive(Debug, Clone, Default)]
pub(super) struct Contact {
    live: bool,
    newest: i128,
    values: [Option<String>; FIELDS.len()],
    stamps: [i128; FIELDS.len()],
    places: BTreeSet<Place>,
    arrivals: BTreeMap<Place, u32>,
}

/// What an event came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Folded,
    Stale,
    Unchanged,
}

/// Folds one event in.
pub(super) fn fold(contacts: &mut BTreeMap<String, Contact>, event: &Event) -> Fate {
    let Some(contact) = contacts.get_mut(&event.id) else {
        if event.operation == Operation::Delete {
            return Fate::Unchanged;
        }
        let mut contact = Contact::default();
        contact.replace(event);
        contacts.insert(event.id.clone(), contact);
        return Fate::Folded;
    };
    match (event.operation, contact.live) {
        (Operation::Create, _) if event.stamp < contact.newest => Fate::Stale,
        (Operation::Create, _) => {
            contact.replace(event);
            Fate::Folded
        }
        (Operation::Update, true) => contact.patch(event),
        (Operation::Update, false) => Fate::Stale,
        (Operation::Delete, true) if event.stamp < contact.newest => Fate::Stale,
        (Operation::Delete, true) => {
            contact.delete(event);
            Fate::Folded
        }
        (Operation::Delete, false) => {
            contact.newest = contact.newest.max(event.stamp);
            Fate::Unchanged
        }
    }
}

impl Contact {
    fn replace(&mut self, event: &Event) {
        self.live = true;
        self.newest = event.stamp;
        self.values = event.said.clone().map(Option::flatten);
        self.stamps = [event.stamp; FIELDS.len()];
    }

    fn patch(&mut self, event: &Event) -> Fate {
        let mut fate = if event.stamp < self.newest { Fate::Stale } else { Fate::Folded };
        self.newest = self.newest.max(event.stamp);
        let slots = self.values.iter_mut().zip(&mut self.stamps);
        for ((value, stamp), said) in slots.zip(&event.said) {
            if let Some(said) = said
                && event.stamp >= *stamp
            {
                value.clone_from(said);
                *stamp = event.stamp;
                fate = Fate::Folded;
            }
        }
        fate
    }

    fn delete(&mut self, event: &Event) {
        self.live = false;
        self.newest = event.stamp;
        self.values = Default::default();
    }

    /// Puts the record where `routing` wants it, and counts where it was not before.
    pub(super) fn route(&mut self, routing: &Routing) {
        let places = match self.contact_type() {
            Some(contact_type) if self.live => routing.places(contact_type),
            _ => BTreeSet::new(),
        };
        for place in places.difference(&self.places) {
            *self.arrivals.entry(*place).or_default() += 1;
        }
        self.places = places;
    }

    /// Where the record must be; nowhere if it is deleted or has no route.
    pub(super) const fn places(&self) -> &BTreeSet<Place> {
        &self.places
    }

    /// How often the record came to be at `place`.
    pub(super) fn arrivals(&self, place: Place) -> u32 {
        self.arrivals.get(&place).copied().unwrap_or(0)
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.values[0].as_deref()
    }

    pub(super) fn email(&self) -> Option<&str> {
        self.values[1].as_deref()
    }

    pub(super) fn phone(&self) -> Option<&str> {
        self.values[2].as_deref()
    }

    fn contact_type(&self) -> Option<&str> {
        self.values[3].as_deref()
    }
}
