//! Brings records under the present rules: routes and mapping as they are now, not as they were at each record's last event.
//!
//! Promises: a delivery is opened only where the plan has something to write or the rules name another place; what is due
//! already is left alone unless it is to be forced; looking costs nothing, and opening is the same look with its change set kept.
//! Leaves to others: which records (`engine::operator`), the price in calls (`app`), the writes themselves (`dispatch`).

use std::collections::{BTreeMap, BTreeSet};

use crate::change_set::{ChangeSet, ResyncRow};
use crate::dispatch::planted::Planted;
use crate::ids::{LinkId, SystemId};
use crate::intake::{Routes, new_link};
use crate::ledger::{Cause, Counter};
use crate::link::{Known, Link, Presence, SideState, successors_proven};
use crate::outcome::Theirs;
use crate::plan::mapping::encode_record;
use crate::plan::reconcile::{Ours, Plan, reconcile};
use crate::record::RecordState;
use crate::terms::Terms;
use crate::time::Timestamp;

/// The rules that records are brought under.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// Where records go, by type.
    pub routes: &'a BTreeMap<String, Routes>,
    /// How each system takes them, by system and record type.
    pub terms: &'a BTreeMap<SystemId, BTreeMap<String, Terms>>,
    /// Only links of these systems; empty is all of them. A record that leaves a place is looked at as a whole.
    pub systems: &'a BTreeSet<SystemId>,
    /// Forget what is known of theirs, so that every field that we own is written.
    pub force: bool,
}

/// What a link needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// To be brought into being.
    Create,
    /// To be changed.
    Update,
    /// To be removed, because the record is deleted or lives anew.
    Delete,
    /// To be removed, because the rules name another place or none.
    Leave,
    /// It cannot be written as it is, and becomes a dead letter.
    Refuse,
}

impl Need {
    /// Every need.
    pub const ALL: [Self; 5] = [Self::Create, Self::Update, Self::Delete, Self::Leave, Self::Refuse];

    /// The need's name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Leave => "leave",
            Self::Refuse => "refuse",
        }
    }
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// Records looked at.
    pub records: u64,
    /// Links that are right as they are.
    pub right: u64,
    /// Links that are due already, and are planned by the present rules anyway.
    pub due_already: u64,
    /// Links of systems that no rules speak of; they are left alone.
    pub without_rules: u64,
    /// Links to be written, by system, object and need.
    pub needs: BTreeMap<(SystemId, String, Need), u64>,
}

/// Some records on their way into one change set.
#[derive(Debug)]
pub struct Resync<'a> {
    rules: Rules<'a>,
    now: Timestamp,
    seen: Seen,
    set: ChangeSet,
    due: BTreeMap<SystemId, Vec<LinkId>>,
}

/// What a resync came to.
#[derive(Debug, PartialEq, Eq)]
pub struct Resynced {
    /// What was seen.
    pub seen: Seen,
    /// To be made durable, if it is meant.
    pub set: ChangeSet,
    /// Links that become due by it.
    pub due: BTreeMap<SystemId, Vec<LinkId>>,
}

enum Verdict {
    Right,
    DueAlready,
    WithoutRules,
    Open(Option<Need>),
}

impl<'a> Resync<'a> {
    /// Starts under these rules.
    #[must_use]
    pub fn new(rules: Rules<'a>, now: Timestamp) -> Self {
        Self { rules, now, seen: Seen::default(), set: ChangeSet::default(), due: BTreeMap::new() }
    }

    /// Looks at one record; `next_link` gives ids for places that it has not been in.
    pub fn look(&mut self, mut known: Known, next_link: &mut dyn FnMut() -> LinkId) {
        self.seen.records += 1;
        let is_live = known.record.state == RecordState::Live;
        let routes = self.rules.routes.get(&known.record.record_type).filter(|_| is_live);
        let places = routes.map_or(&[][..], |routes| routes.places_of(&known.record.fields));
        let mut fresh = BTreeSet::new();
        for (system, object) in places {
            if !known.links.iter().any(|link| link.system == *system && link.object == *object) {
                let link = new_link(next_link(), known.id, *system, object, self.now);
                fresh.insert(link.id);
                known.links.push(link);
            }
        }
        let were: Vec<Link> = known.links.clone();
        for link in &mut known.links {
            let wanted = places.iter().any(|(system, object)| link.system == *system && link.object == *object);
            if wanted && link.duty.desired == Presence::Absent {
                link.duty.generation_start = link.duty.opened;
            }
            link.duty.desired = if wanted { Presence::Present } else { Presence::Absent };
        }
        let chosen = self.chosen(&were, &known.links, is_live);
        for (number, was) in were.iter().enumerate() {
            if !chosen.contains(&was.id) || !fresh.contains(&was.id) && !is_concerned(was, &known.links[number]) {
                continue;
            }
            match self.judge(was, &known, number, fresh.contains(&was.id)) {
                Verdict::Right => self.seen.right += 1,
                Verdict::DueAlready => self.seen.due_already += 1,
                Verdict::WithoutRules => self.seen.without_rules += 1,
                Verdict::Open(need) => self.open(&known.links[number], fresh.contains(&was.id), need),
            }
        }
    }

    /// Ends it.
    #[must_use]
    pub fn finish(self) -> Resynced {
        Resynced { seen: self.seen, set: self.set, due: self.due }
    }

    /// The links that are looked at: those of the systems asked for, and all of a record that leaves one of those, because a
    /// place is left only once the new one is proven.
    fn chosen(&self, were: &[Link], now: &[Link], is_live: bool) -> BTreeSet<LinkId> {
        let asked = |link: &Link| self.rules.systems.is_empty() || self.rules.systems.contains(&link.system);
        let leaves = |(was, now): (&Link, &Link)| {
            is_live && asked(was) && was.is_concerned() && now.duty.desired == Presence::Absent
        };
        let whole = were.iter().zip(now).any(leaves);
        now.iter().filter(|link| whole || asked(link)).map(|link| link.id).collect()
    }

    fn judge(&self, was: &Link, known: &Known, number: usize, is_fresh: bool) -> Verdict {
        let mut link = known.links[number].clone();
        let turns = was.duty.desired != link.duty.desired;
        if was.open() > 0 && !turns && !self.rules.force {
            return Verdict::DueAlready;
        }
        let terms = self.rules.terms.get(&link.system).and_then(|terms| terms.get(&known.record.record_type));
        let Some(terms) = terms else { return Verdict::WithoutRules };
        link.duty.opened += 1;
        if self.rules.force {
            link.forced_to = link.duty.opened;
        }
        let ours = Ours { record: &known.record, successors_proven: successors_proven(&known.links, link.id, known.record.generation) };
        let refused = if was.side.state == SideState::Dead && !self.rules.force {
            // A letter tells of it already.
            Verdict::Right
        } else {
            Verdict::Open(Some(Need::Refuse))
        };
        let fits = |values, for_create| encode_record(terms, &link.object, &known.record.key, values, for_create).is_ok();
        match reconcile(ours, &Theirs::NotRead, &link, terms, Planted::NONE) {
            Plan::Create(values) if !fits(&values, true) => refused,
            Plan::Update(values) if !fits(&values, false) => refused,
            Plan::Refuse(_) => refused,
            Plan::Nothing if turns && !is_fresh => Verdict::Open(None),
            Plan::Nothing => Verdict::Right,
            Plan::Create(_) => Verdict::Open(Some(Need::Create)),
            Plan::Update(_) => Verdict::Open(Some(Need::Update)),
            Plan::WaitForMove | Plan::Delete { moved: true, .. } => Verdict::Open(Some(Need::Leave)),
            Plan::Delete { moved: false, .. } => Verdict::Open(Some(Need::Delete)),
        }
    }

    fn open(&mut self, link: &Link, is_fresh: bool, need: Option<Need>) {
        let mut link = link.clone();
        if link.open() == 0 {
            link.duty.due_since = self.now;
        }
        link.duty.opened += 1;
        let number = link.duty.opened;
        match need {
            Some(need) => *self.seen.needs.entry((link.system, link.object.clone(), need)).or_default() += 1,
            None => self.seen.right += 1,
        }
        self.set.counts.add(Counter::Opened(link.system, Cause::Resync), 1);
        self.set.resyncs.push(ResyncRow { link: link.id, number, forced: self.rules.force, at: self.now });
        self.due.entry(link.system).or_default().push(link.id);
        if is_fresh {
            self.set.links_new.push(link);
        } else {
            self.set.duties.push((link.id, link.duty));
        }
    }
}

/// A link that the rules name, or that there is something of.
fn is_concerned(was: &Link, now: &Link) -> bool {
    was.is_concerned() || now.duty.desired == Presence::Present
}

#[cfg(test)]
#[path = "resync_tests.rs"]
mod tests;
