//! A store in memory: change sets are applied whole, in order, and checked as they come.
//!
//! Promises: an attempt is settled once, a letter ends once, no more closes than was opened.
//! Leaves to others: when a set is applied (`world`).

use std::collections::BTreeMap;

use crate::attempt::Attempt;
use crate::change_set::{ChangeSet, PauseChange, PauseScope};
use crate::ids::{AttemptId, ChargeId, EventId, Ids, LetterId, LinkId, RecordId};
use crate::ledger::{Counter, Counts, Ledger, Post};
use crate::letter::{Letter, LetterState};
use crate::link::{Known, Link, SideState};
use crate::record::Record;

#[derive(Debug, Default)]
pub(super) struct Store {
    pub records: BTreeMap<RecordId, Record>,
    pub links: BTreeMap<LinkId, Link>,
    pub attempts: BTreeMap<AttemptId, Attempt>,
    pub letters: BTreeMap<LetterId, Letter>,
    pub pauses: Vec<PauseChange>,
    pub counts: Counts,
}

impl Store {
    pub fn apply(&mut self, set: ChangeSet) {
        self.counts.merge(&set.counts);
        self.records.extend(set.records);
        self.links.extend(set.links_new.into_iter().map(|link| (link.id, link)));
        for (link, duty) in set.duties {
            self.links.get_mut(&link).expect("a duty of a link that exists").duty = duty;
        }
        for (id, side) in set.sides {
            let link = self.links.get_mut(&id).expect("a side of a link that exists");
            assert!(side.closed >= link.side.closed && side.closed <= link.duty.opened, "{link:?} -> {side:?}");
            link.side = side;
        }
        for attempt in set.attempts_new {
            assert!(self.attempts.insert(attempt.id, attempt).is_none());
        }
        for settled in set.attempts_settled {
            let attempt = self.attempts.get_mut(&settled.id).expect("an attempt that was made durable");
            assert!(attempt.fate.is_open(), "settled twice: {attempt:?} {settled:?}");
            (attempt.fate, attempt.applied, attempt.coalesced) = (settled.fate, settled.applied, settled.coalesced);
        }
        for letter in set.letters_new {
            self.letters.insert(letter.id, letter);
        }
        for (letter, held) in set.letters_grown {
            self.letters.get_mut(&letter).expect("a letter that exists").held += held;
        }
        for end in set.letters_ended {
            let letter = self.letters.get_mut(&end.id).expect("a letter that exists");
            assert_eq!(letter.state, LetterState::Waiting);
            letter.state = end.state;
            self.counts.add(Counter::Letters(Post::Overtaken), 1);
        }
        self.pauses.extend(set.pauses);
    }

    /// Pauses in force.
    pub fn paused(&self) -> BTreeMap<PauseScope, String> {
        let mut paused = BTreeMap::new();
        for change in &self.pauses {
            paused.remove(&change.pause.scope);
            if change.set {
                paused.insert(change.pause.scope.clone(), change.reason.clone());
            }
        }
        paused
    }

    pub fn known(&self, link: LinkId) -> Option<(LinkId, Known)> {
        let record = self.links.get(&link)?.record;
        Some((link, self.known_record(record)))
    }

    pub fn known_record(&self, id: RecordId) -> Known {
        let links = self.links.values().filter(|link| link.record == id).cloned().collect();
        Known { id, record: self.records[&id].clone(), links }
    }

    /// Links with something open or not at rest.
    pub fn unsettled(&self) -> Vec<LinkId> {
        let at_rest = |link: &Link| matches!(link.side.state, SideState::Idle | SideState::Dead) && link.open() == 0;
        self.links.values().filter(|link| !at_rest(link)).map(|link| link.id).collect()
    }

    pub fn open_attempts(&self) -> Vec<Attempt> {
        self.attempts.values().filter(|attempt| attempt.fate.is_open()).cloned().collect()
    }

    pub fn waiting(&self) -> Vec<&Letter> {
        self.letters.values().filter(|letter| letter.state == LetterState::Waiting).collect()
    }

    pub fn ledger(&self) -> Ledger {
        let mut open = BTreeMap::new();
        for link in self.links.values() {
            *open.entry(link.system).or_default() += i64::try_from(link.open()).unwrap();
        }
        let waiting = i64::try_from(self.waiting().len()).unwrap();
        Ledger { counts: self.counts.clone(), open, waiting }
    }

    /// What links closed is told by attempts, letters and the links themselves, each delivery once.
    pub fn check(&self) {
        assert_eq!(self.ledger().imbalances(), vec![]);
        for link in self.links.values() {
            let of_link = |attempt: &&Attempt| attempt.link == link.id;
            let written: u64 = self.attempts.values().filter(of_link).map(|attempt| attempt.applied + attempt.coalesced).sum();
            let dead: u64 = self.letters.values().filter(|letter| letter.link == Some(link.id)).map(|letter| letter.held).sum();
            assert_eq!(link.side.closed, written + dead + link.side.unchanged + link.side.superseded, "{link:?}");
        }
    }
}

/// One number for every id, rising.
#[derive(Debug, Default)]
pub(super) struct Numbers(i64);

impl Numbers {
    fn next(&mut self, count: usize) -> i64 {
        let first = self.0 + 1;
        self.0 += i64::try_from(count).unwrap();
        first
    }
}

impl Ids for Numbers {
    fn record(&mut self) -> RecordId {
        RecordId(self.next(1))
    }
    fn link(&mut self) -> LinkId {
        LinkId(self.next(1))
    }
    fn event(&mut self) -> EventId {
        EventId(self.next(1))
    }
    fn attempts(&mut self, count: usize) -> AttemptId {
        AttemptId(self.next(count))
    }
    fn charge(&mut self) -> ChargeId {
        ChargeId(self.next(1))
    }
    fn letter(&mut self) -> LetterId {
        LetterId(self.next(1))
    }
}
