//! The other side in memory, with requests that land late.
//!
//! Promises: a create by a key that is there changes that record; an id is never used twice; a late item lands once, at its time.
//! Leaves to others: what is answered (`world`).

use std::collections::BTreeMap;

use crate::attempt::Operation;
use crate::dispatch::batch::{Item, ReadBatch, ReadBy};
use crate::ids::AttemptId;
use crate::outcome::{ExternalFields, Found, Outcome};
use crate::time::Timestamp;

pub(super) const KEY: &str = "Key__c";

#[derive(Debug, Clone)]
pub(super) struct Late {
    pub at: Timestamp,
    pub operation: Operation,
    pub object: String,
    pub item: Item,
}

#[derive(Debug, Default)]
pub(super) struct OtherSide {
    pub rows: BTreeMap<(String, String), ExternalFields>,
    pub late: Vec<Late>,
    next_id: u32,
}

impl OtherSide {
    pub fn by_key(&self, object: &str, key: &str) -> Vec<(&String, &ExternalFields)> {
        let bears = |fields: &ExternalFields| fields.get(KEY).and_then(Option::as_deref) == Some(key);
        self.rows.iter().filter(|((of, _), fields)| of == object && bears(fields)).map(|((_, id), fields)| (id, fields)).collect()
    }

    /// Carries an item out.
    pub fn land(&mut self, operation: Operation, object: &str, item: &Item) -> Outcome {
        let found = self.by_key(object, &item.key).first().map(|(id, _)| (*id).clone());
        let (id, existed) = match (operation, &item.external_id) {
            (Operation::Create, _) => {
                self.next_id += 1;
                (found.clone().unwrap_or_else(|| format!("x{}", self.next_id)), found.is_some())
            }
            (Operation::Update | Operation::Delete, Some(id)) if self.rows.contains_key(&(object.to_owned(), id.clone())) => {
                (id.clone(), true)
            }
            (Operation::Update | Operation::Delete, _) => return Outcome::Gone,
        };
        let place = (object.to_owned(), id.clone());
        if operation == Operation::Delete {
            self.rows.remove(&place);
        } else {
            self.rows.entry(place).or_default().extend(item.fields.clone());
        }
        Outcome::Written { external_id: id, existed, returned: None }
    }

    /// Lets everything land that is due by `now`, in order of time.
    pub fn land_late(&mut self, now: Timestamp) {
        self.late.sort_by_key(|late| (late.at, late.item.attempt));
        while self.late.first().is_some_and(|late| late.at <= now) {
            let late = self.late.remove(0);
            self.land(late.operation, &late.object, &late.item);
        }
    }

    /// The items still on their way that would do something if they landed now.
    pub fn may_land<'a>(&'a self, of: impl Fn(AttemptId) -> bool + 'a) -> impl Iterator<Item = &'a Late> {
        self.late.iter().filter(move |late| of(late.item.attempt)).filter(|late| {
            late.operation == Operation::Create
                || late.item.external_id.as_ref().is_some_and(|id| self.rows.contains_key(&(late.object.clone(), id.clone())))
        })
    }

    pub fn read(&self, batch: &ReadBatch) -> Vec<Option<Found>> {
        let one = |name: &String| match batch.by {
            ReadBy::Id => self
                .rows
                .get(&(batch.object.clone(), name.clone()))
                .map(|fields| Found { external_id: name.clone(), fields: fields.clone() }),
            ReadBy::Key => self
                .by_key(&batch.object, name)
                .first()
                .map(|(id, fields)| Found { external_id: (*id).clone(), fields: (*fields).clone() }),
        };
        batch.names.iter().map(one).collect()
    }
}
