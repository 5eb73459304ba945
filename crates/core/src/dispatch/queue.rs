//! Links that wait for a batch, in groups of one operation on one object.
//!
//! Promises: a group keeps its order; a link whose record is busy stands aside and comes back to the front when it is free.
//! Leaves to others: when a batch goes out (`request`).

use std::collections::{BTreeMap, VecDeque};

use crate::attempt::Operation;
use crate::dispatch::entry::Cohort;
use crate::ids::{LinkId, RecordId};
use crate::outcome::Theirs;
use crate::time::Timestamp;

/// What shares a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    pub object: String,
    pub operation: Operation,
    pub cohort: Option<Cohort>,
}

/// All groups, with what stands aside.
#[derive(Debug, Default)]
pub(super) struct Queues {
    groups: BTreeMap<Group, VecDeque<(LinkId, Timestamp)>>,
    blocked: BTreeMap<RecordId, Vec<(Group, LinkId, Timestamp)>>,
    /// Reads wanted: by object and way of naming, when, which link.
    pub reads: std::collections::BTreeSet<(Timestamp, LinkId)>,
    /// What was just read of them, for the next planning of the link.
    pub hints: BTreeMap<LinkId, Theirs>,
}

impl Queues {
    pub fn push(&mut self, group: Group, link: LinkId, since: Timestamp) {
        self.groups.entry(group).or_default().push_back((link, since));
    }

    pub fn block(&mut self, record: RecordId, group: Group, link: LinkId, since: Timestamp) {
        self.blocked.entry(record).or_default().push((group, link, since));
    }

    pub fn unblock(&mut self, record: RecordId) {
        for (group, link, since) in self.blocked.remove(&record).unwrap_or_default() {
            self.groups.entry(group).or_default().push_front((link, since));
        }
    }

    /// Takes up to `max` links from the front of a group.
    pub fn take(&mut self, group: &Group, max: usize) -> Vec<(LinkId, Timestamp)> {
        let Some(queue) = self.groups.get_mut(group) else { return Vec::new() };
        let taken = queue.drain(..max.min(queue.len())).collect();
        if queue.is_empty() {
            self.groups.remove(group);
        }
        taken
    }

    /// Takes everything off that waits for an object.
    pub fn take_object(&mut self, object: &str) -> Vec<(Group, LinkId, Timestamp)> {
        let groups: Vec<_> = self.groups.keys().filter(|group| group.object == object).cloned().collect();
        let queued = groups.into_iter().filter_map(|group| self.groups.remove_entry(&group));
        let mut taken: Vec<_> =
            queued.flat_map(|(group, queue)| queue.into_iter().map(move |(link, since)| (group.clone(), link, since))).collect();
        for waiting in self.blocked.values_mut() {
            taken.extend(waiting.extract_if(.., |(group, ..)| group.object == object));
        }
        self.blocked.retain(|_, waiting| !waiting.is_empty());
        taken
    }

    /// Groups with something in them: how many, and since when the first waits.
    pub fn waiting(&self) -> impl Iterator<Item = (&Group, usize, Timestamp)> {
        self.groups.iter().filter_map(|(group, queue)| queue.front().map(|(_, since)| (group, queue.len(), *since)))
    }
}
