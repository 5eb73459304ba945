//! A link arrives in the lane with its record: it is planned, and queued, settled or set aside.
//!
//! Promises: what the plan says is done or made durable; a link that was under way when the process ended is held.
//! Leaves to others: the plan itself (`plan::reconcile`).

use crate::attempt::Operation;
use crate::change_set::PauseScope;
use crate::dispatch::entry::{Entry, Hold, Intent, Stage};
use crate::dispatch::lane::{Effect, Lane};
use crate::dispatch::queue::Group;
use crate::ids::{Ids, LinkId};
use crate::ledger::Ending;
use crate::link::{Known, Link, LinkState, SideState, successors_proven};
use crate::outcome::{Rejection, Theirs};
use crate::plan::reconcile::{Ours, Plan, reconcile};
use crate::time::Timestamp;

impl Lane {
    pub(super) fn loaded(&mut self, asked: &[LinkId], loaded: Vec<(LinkId, Known)>, now: Timestamp, ids: &mut dyn Ids) {
        for (id, known) in loaded {
            let again = self.asked.remove(&id).unwrap_or(false);
            self.arrive(id, &known, now, ids);
            if again {
                match self.entries.get_mut(&id) {
                    Some(entry) => entry.again = true,
                    None => self.to_load.push_back(id),
                }
            }
        }
        for link in asked {
            self.asked.remove(link);
            for attempt in self.recovered.remove(link).unwrap_or_default() {
                self.free_record(attempt.record, *link);
            }
        }
    }

    fn arrive(&mut self, id: LinkId, known: &Known, now: Timestamp, ids: &mut dyn Ids) {
        let Some(link) = known.links.iter().find(|link| link.id == id) else { return };
        if let Some(attempts) = self.recovered.remove(&id) {
            self.hold_recovered(link, known, attempts, now);
            return;
        }
        let is_due = matches!(link.side.state, SideState::Idle | SideState::Dead) && link.open() > 0;
        if self.is_paused(&link.object) && (is_due || self.queues.hints.contains_key(&id)) {
            // The table keeps what is due, and hints are kept here: both are taken up when the object goes on.
            return;
        }
        let theirs = self.queues.hints.remove(&id);
        match link.side.state {
            SideState::BackingOff if link.side.until.is_some_and(|until| until > now) => {
                self.timers.insert((link.side.until.unwrap_or(now), id));
            }
            SideState::Paused if self.still_paused(known) => {}
            SideState::Dead if link.open() == 0 && theirs.is_none() => {}
            SideState::Idle if link.open() == 0 && theirs.is_none() => self.release_left_behind(link, known),
            SideState::Idle
            | SideState::InFlight
            | SideState::Held
            | SideState::BackingOff
            | SideState::Waiting
            | SideState::Paused
            | SideState::Dead => self.plan_link(link, known, theirs, now, ids),
        }
    }

    fn still_paused(&self, known: &Known) -> bool {
        self.paused.contains_key(&PauseScope::Writes)
            || self.paused.contains_key(&PauseScope::Deletes) && known.record.state == crate::record::RecordState::Deleted
    }

    /// A place that the record has left may be waiting although this link has nothing more to do.
    fn release_left_behind(&mut self, link: &Link, known: &Known) {
        if link.side.external_id.is_some() {
            let entry = Entry::new(link.clone(), known, Stage::Settling);
            if !entry.left_behind.is_empty() {
                self.outbox.push_back(Effect::Release(entry.left_behind));
            }
        }
    }

    pub(super) fn plan_link(&mut self, link: &Link, known: &Known, theirs: Option<Theirs>, now: Timestamp, ids: &mut dyn Ids) {
        let Some(terms) = self.settings.terms.get(&known.record.record_type) else { return };
        let theirs = theirs.unwrap_or(Theirs::NotRead);
        let successors_proven = successors_proven(&known.links, link.id, known.record.generation);
        let ours = Ours { record: &known.record, successors_proven };
        let plan = reconcile(ours, &theirs, link, terms, self.settings.planted);
        self.waits.remove(&link.id);
        let mut entry = Entry::new(link.clone(), known, Stage::Settling);
        self.becomes_due(&mut entry);
        if let Theirs::Live { external_id, .. } = &theirs {
            entry.link.side.external_id = Some(external_id.clone());
        }
        entry.theirs = None;
        let covers_to = link.duty.opened;
        match plan {
            Plan::Nothing => self.settle_quietly(entry, Ending::Unchanged, now),
            Plan::Create(_) if theirs == Theirs::NotRead && self.cautious.contains(&link.object) => {
                entry.stage = Stage::Checking(Box::new(known.clone()));
                self.entries.insert(link.id, entry);
                self.queues.reads.insert((now, link.id));
            }
            Plan::Create(values) => self.queue(entry, Operation::Create, values, covers_to, now),
            Plan::Update(values) => self.queue(entry, Operation::Update, values, covers_to, now),
            Plan::Delete { covers_to, moved } => self.queue_delete(entry, covers_to, moved, now),
            Plan::WaitForMove => self.set_aside(entry, SideState::Waiting),
            Plan::Refuse(rejection) => self.bury(entry, &rejection, covers_to, None, now, ids),
        }
    }

    /// Whatever the link waited for is over: it is planned from the start.
    fn becomes_due(&mut self, entry: &mut Entry) {
        let from = match entry.link.side.state {
            SideState::Idle | SideState::InFlight | SideState::Held => LinkState::Clean,
            SideState::Dead => LinkState::Dead,
            SideState::BackingOff => LinkState::BackingOff,
            SideState::Waiting => LinkState::Waiting,
            SideState::Paused => LinkState::Paused,
        };
        self.moved(from, LinkState::Due);
        entry.link.side.state = SideState::Idle;
    }

    fn queue_delete(&mut self, entry: Entry, covers_to: u64, moved: bool, now: Timestamp) {
        let makes_way = entry.link.duty.opened > covers_to;
        if !moved && !makes_way {
            if self.paused.contains_key(&PauseScope::Deletes) {
                self.set_aside(entry, SideState::Paused);
                return;
            }
            if !self.fuse.admits(self.links_proven, self.settings.guard, now) {
                let reason = format!(
                    "the fuse: more than {} % of the links of {} were to be deleted within an hour; if that is meant, `syncline resume {}`",
                    self.settings.guard.fuse_permille / 10,
                    self.settings.name,
                    self.settings.name,
                );
                self.pause(PauseScope::Deletes, reason, now);
                self.set_aside(entry, SideState::Paused);
                return;
            }
        }
        self.queue(entry, Operation::Delete, crate::attempt::RowValues::new(), covers_to, now);
    }

    fn queue(&mut self, entry: Entry, operation: Operation, values: crate::attempt::RowValues, covers_to: u64, now: Timestamp) {
        let generation = match operation {
            Operation::Create | Operation::Update => entry.generation,
            Operation::Delete => entry.link.side.base.as_ref().map_or(entry.generation, |base| base.generation),
        };
        let claims = operation == Operation::Update && entry.link.side.base.is_none();
        let intent = Intent {
            operation,
            values,
            generation,
            covers_to,
            repeat: false,
            claims,
            detour: false,
            cohort: None,
            queued_at: now,
        };
        self.enqueue(entry, intent);
    }

    pub(super) fn enqueue(&mut self, mut entry: Entry, intent: Intent) {
        if self.is_paused(&entry.link.object) && entry.hold.is_none() && entry.link.open() > 0 {
            self.settle(entry);
            return;
        }
        let group =
            Group { object: entry.link.object.clone(), operation: intent.operation, cohort: intent.cohort };
        self.queues.push(group, entry.link.id, intent.queued_at);
        entry.stage = Stage::Queued(intent);
        self.entries.insert(entry.link.id, entry);
    }

    /// The link is stored in that state and leaves memory until something brings it back.
    pub(super) fn set_aside(&mut self, mut entry: Entry, state: SideState) {
        let from = if entry.link.side.state == SideState::InFlight { LinkState::InFlight } else { LinkState::Due };
        entry.link.side.state = state;
        self.moved(from, entry.link.state());
        self.settle(entry);
    }

    /// Makes the entry's side durable and lets go of it afterwards.
    pub(super) fn settle(&mut self, mut entry: Entry) {
        entry.stage = Stage::Settling;
        self.settling.set.sides.push((entry.link.id, entry.link.side.clone()));
        self.settling.links.push(entry.link.id);
        self.entries.insert(entry.link.id, entry);
    }

    pub(super) fn pause(&mut self, scope: PauseScope, reason: String, now: Timestamp) {
        if self.paused.contains_key(&scope) {
            return;
        }
        self.report.last_error = Some(reason.clone());
        self.settling.set.pauses.push(self.pause_change(scope.clone(), true, reason.clone(), now));
        self.paused.insert(scope, reason);
    }

    pub(super) fn resume(&mut self, now: Timestamp) {
        self.report.resumes += 1;
        for (scope, reason) in std::mem::take(&mut self.paused) {
            if let PauseScope::Object(object) = &scope
                && self.ask_to_resume(object)
            {
                self.paused.insert(scope, reason);
                continue;
            }
            let change = self.pause_change(scope, false, reason, now);
            self.settling.set.pauses.push(change);
        }
        self.look_soon(now);
        self.fuse.reset();
        self.watch.reset();
        self.outbox.push_back(Effect::Rescan);
    }

    pub(super) fn pause_change(&self, scope: PauseScope, set: bool, reason: String, at: Timestamp) -> crate::change_set::PauseChange {
        let pause = crate::change_set::Pause { system: self.settings.name.clone(), scope };
        crate::change_set::PauseChange { pause, set, at, reason }
    }

    fn hold_recovered(&mut self, link: &Link, known: &Known, attempts: Vec<crate::attempt::Attempt>, now: Timestamp) {
        let mut entry = Entry::new(link.clone(), known, Stage::Holding);
        let from = entry.link.state();
        entry.link.side.state = SideState::Held;
        self.moved(from, entry.link.state());
        entry.again = true;
        entry.hold = Some(Hold { open: attempts, proven: Vec::new(), expired: Vec::new(), read_at: now, reads: 0, repeats: 0 });
        self.busy.insert(entry.record, link.id);
        self.queues.reads.insert((now, link.id));
        self.settling.set.sides.push((link.id, entry.link.side.clone()));
        self.entries.insert(link.id, entry);
    }

    /// What a refusal says of the account as a whole.
    pub(super) fn account_reason(&self, rejection: &Rejection) -> String {
        format!("{}: {} ({}); then `syncline resume {}`", self.settings.name, rejection.message, rejection.remedy, self.settings.name)
    }
}
