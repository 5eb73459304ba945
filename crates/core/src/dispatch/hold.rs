//! Finds out what became of attempts that nobody answered.
//!
//! Promises: while an attempt may still land, nothing but a repeat of it is sent for its record; a repeat's success does not end
//! the hold; the hold ends when every attempt is proven or past its horizon and the record was read after that; no delivery
//! closes before. Leaves to others: the reads themselves (`request`), what is planned afterwards (`arrive`).

use std::time::Duration;

use crate::attempt::{Attempt, Fate, Operation};
use crate::change_set::{AttemptFate, ChargeClose};
use crate::dispatch::entry::{Entry, Hold, Intent, Stage};
use crate::dispatch::lane::{Lane, Request};
use crate::dispatch::planted::Bug;
use crate::dispatch::settle::decode_rows;
use crate::ids::{Ids, ChargeId, LinkId};
use crate::ledger::{Counter, Ending, Fact};
use crate::link::{Base, SideState};
use crate::outcome::{Found, Outcome, Theirs, Verdict};
use crate::plan::reconcile::new_base;
use crate::terms::Terms;
use crate::time::Timestamp;

/// How often an attempt is repeated at most while its fate is unknown.
const REPEATS_MAX: u32 = 3;
/// The first pause between two reads; it doubles.
const READ_PAUSE: Duration = Duration::from_millis(200);
/// The pause between two reads of a hold that could end, while its object stands still.
const PAUSED_READ: Duration = Duration::from_secs(60);

impl Lane {
    /// An item's fate is unknown: the record is held and read.
    pub(super) fn hold_unknown(&mut self, mut entry: Entry, mut attempt: Attempt, now: Timestamp) {
        self.fact(Fact::Unknown);
        attempt.fate = Fate::Unknown;
        self.fate(&attempt);
        let from = entry.link.state();
        entry.link.side.state = SideState::Held;
        self.moved(from, entry.link.state());
        self.settling.set.sides.push((entry.link.id, entry.link.side.clone()));
        entry.hold = Some(Hold { open: vec![attempt], proven: Vec::new(), expired: Vec::new(), read_at: now, reads: 0, repeats: 0 });
        self.wait_for_read(entry, now);
    }

    /// A proof counts as the answer for the quota, once per request.
    fn prove_charge(&mut self, charge: ChargeId, now: Timestamp) {
        if self.quota.answered(charge, now) {
            self.settling.set.charges_closed.push(ChargeClose { id: charge, answered_at: now, released: false });
        }
    }

    fn fate(&mut self, attempt: &Attempt) {
        self.settling.set.attempts_settled.push(AttemptFate { id: attempt.id, fate: attempt.fate, applied: 0, coalesced: 0 });
    }

    pub(super) fn wait_for_read(&mut self, mut entry: Entry, at: Timestamp) {
        entry.stage = Stage::Holding;
        if let Some(hold) = &mut entry.hold {
            hold.read_at = at;
        }
        self.queues.reads.insert((at, entry.link.id));
        self.entries.insert(entry.link.id, entry);
    }

    /// A repeat was answered. Whatever it says, the first attempt may still land.
    pub(super) fn repeat_answered(&mut self, mut entry: Entry, mut attempt: Attempt, outcome: &Outcome, now: Timestamp) {
        let Some(hold) = &mut entry.hold else { return };
        match outcome {
            Outcome::Written { external_id, .. } => {
                attempt.fate = Fate::Proven;
                if attempt.operation != Operation::Delete {
                    entry.link.side.external_id = Some(external_id.clone());
                }
                hold.proven.push(attempt.clone());
            }
            Outcome::Gone if attempt.operation == Operation::Delete => {
                attempt.fate = Fate::Proven;
                hold.proven.push(attempt.clone());
            }
            Outcome::Unknown { .. } => {
                attempt.fate = Fate::Unknown;
                hold.open.push(attempt.clone());
            }
            Outcome::Gone
            | Outcome::Taken { .. }
            | Outcome::Rejected(_)
            | Outcome::Retry { .. }
            | Outcome::Suspect(_)
            | Outcome::NotSent { .. } => attempt.fate = Fate::NotDone,
        }
        let ends_hold = attempt.fate == Fate::Proven && self.settings.planted.has(Bug::RepeatEndsHold);
        let next = if attempt.fate == Fate::Proven { hold.horizon() } else { now.plus(READ_PAUSE) };
        let open = if ends_hold { std::mem::take(&mut hold.open) } else { Vec::new() };
        if attempt.fate != Fate::Proven {
            self.fate(&attempt);
        }
        hold.expired.extend(open);
        self.settling.set.sides.push((entry.link.id, entry.link.side.clone()));
        self.wait_for_read(entry, if ends_hold { now } else { next });
    }

    pub(super) fn read_done(
        &mut self,
        charge: ChargeId,
        found: Result<Vec<Option<Found>>, String>,
        verdict: &Verdict,
        now: Timestamp,
        ids: &mut dyn Ids,
    ) {
        let Some(Request::Read { batch, links, started }) = self.requests.remove(&charge) else { return };
        match &found {
            Ok(_) => self.answer_charge(charge, now),
            Err(_) if verdict.unauthorised || verdict.throttled.is_some() => self.answer_charge(charge, now),
            Err(why) => {
                self.quota.lost(charge);
                self.report.last_error = Some(why.clone());
            }
        }
        self.breaker.count(found.is_err() && !verdict.unauthorised && verdict.throttled.is_none(), now);
        self.heed(verdict, Some(&batch.object), now);
        let Ok(found) = found else {
            for link in links {
                self.read_again(link, now);
            }
            return;
        };
        for (position, link) in links.into_iter().enumerate() {
            let found = found.get(position).cloned().flatten();
            self.read_of(link, found, started, now, ids);
        }
    }

    /// The read itself failed: again later, and the hold stays.
    fn read_again(&mut self, link: LinkId, now: Timestamp) {
        let Some(entry) = self.entries.get_mut(&link) else { return };
        let reads = entry.hold.as_mut().map_or(1, |hold| {
            hold.reads += 1;
            hold.reads
        });
        let pause = READ_PAUSE * 2_u32.pow(reads.min(8));
        self.queues.reads.insert((now.plus(pause), link));
    }

    fn read_of(&mut self, link: LinkId, found: Option<Found>, started: Timestamp, now: Timestamp, ids: &mut dyn Ids) {
        let Some(mut entry) = self.entries.remove(&link) else { return };
        let Some(terms) = self.settings.terms.get(&entry.record_type) else { return };
        let marked = found.as_ref().and_then(|found| found.fields.get(terms.marker.as_ref()?)?.clone());
        let theirs = found.map_or(Theirs::Absent, |found| Theirs::Live {
            rows: decode_rows(terms, &found.fields),
            external_id: found.external_id,
        });
        match std::mem::replace(&mut entry.stage, Stage::Holding) {
            Stage::Checking(known) => self.checked(&entry, &known, theirs, now, ids),
            Stage::Holding if entry.hold.is_some() => self.weigh(entry, theirs, marked.as_deref(), started, now),
            stage @ (Stage::Holding | Stage::Queued(_) | Stage::Under { .. } | Stage::Asking | Stage::Settling) => {
                entry.stage = stage;
                self.entries.insert(link, entry);
            }
        }
    }

    /// A create read its key first: who bears our key is ours.
    fn checked(&mut self, entry: &Entry, known: &crate::link::Known, theirs: Theirs, now: Timestamp, ids: &mut dyn Ids) {
        if matches!(theirs, Theirs::Live { .. }) {
            self.fact(Fact::Adopted);
        }
        let again = entry.again;
        let link = entry.link.id;
        if let Some(found) = known.links.iter().find(|candidate| candidate.id == link) {
            self.plan_link(found, known, Some(theirs), now, ids);
        }
        match self.entries.get_mut(&link) {
            Some(entry) => entry.again |= again,
            None if again => self.to_load.push_back(link),
            None => {}
        }
    }

    /// Weighs what a read says of every attempt that may still land.
    fn weigh(&mut self, mut entry: Entry, theirs: Theirs, marked: Option<&str>, started: Timestamp, now: Timestamp) {
        let Some(mut hold) = entry.hold.take() else { return };
        hold.reads += 1;
        let base = entry.link.side.base.clone();
        let open = std::mem::take(&mut hold.open);
        for (position, attempt) in open.iter().enumerate() {
            let mut attempt = attempt.clone();
            let others = open.iter().enumerate().filter(|(other, _)| *other != position).map(|(_, other)| other);
            // One that expired may have landed before it did.
            let others: Vec<_> = others.chain(&hold.proven).chain(&hold.expired).collect();
            if marked == Some(attempt.id.to_string().as_str()) || self.proves(&entry, &attempt, &theirs, base.as_ref(), &others) {
                attempt.fate = Fate::Proven;
                self.prove_charge(attempt.charge, now);
                hold.proven.push(attempt);
            } else if attempt.horizon <= started || self.settings.planted.has(Bug::ReadEndsHold) {
                attempt.fate = Fate::Expired;
                hold.expired.push(attempt);
            } else {
                hold.open.push(attempt);
            }
        }
        let is_paused = self.is_paused(&entry.link.object);
        if hold.open.is_empty() {
            if is_paused {
                // What the record needs next could not be sent, and only the hold remembers why.
                entry.hold = Some(hold);
                self.wait_for_read(entry, now.plus(PAUSED_READ));
            } else {
                self.end_hold(entry, &hold, theirs);
            }
            return;
        }
        let horizon = hold.horizon();
        let next = now.plus(READ_PAUSE * 2_u32.pow(hold.reads.min(8))).min(horizon.max(now));
        let repeatable = !is_paused && hold.proven.is_empty() && hold.repeats < REPEATS_MAX;
        let newest = hold.open.last().cloned();
        if let Some(attempt) = newest.filter(|_| repeatable) {
            hold.repeats += 1;
            entry.hold = Some(hold);
            self.repeat(entry, &attempt, now);
        } else {
            entry.hold = Some(hold);
            self.wait_for_read(entry, next);
        }
    }

    /// A read proves an attempt if it shows what only this attempt can have brought about.
    fn proves(&self, entry: &Entry, attempt: &Attempt, theirs: &Theirs, base: Option<&Base>, others: &[&Attempt]) -> bool {
        let Some(terms) = self.settings.terms.get(&entry.record_type) else { return false };
        match (attempt.operation, theirs) {
            (Operation::Delete, Theirs::Absent) => true,
            (Operation::Create | Operation::Update, Theirs::Live { rows, .. }) => terms.rows.iter().any(|row| {
                let Some(sent) = attempt.values.get(&row.name) else { return false };
                let shown = rows.get(&row.name).cloned();
                let known = base.and_then(|base| base.rows.get(&row.name)).map(|base| &base.ours);
                let is_news = known.is_none_or(|known| !row.agrees(known, sent)) && sent.is_some();
                let only_this = others.iter().all(|other| {
                    other.values.get(&row.name).is_none_or(|value| !row.agrees(value, sent))
                });
                is_news && only_this && row.agrees(&shown, sent)
            }),
            (Operation::Delete, Theirs::Live { .. } | Theirs::NotRead)
            | (Operation::Create | Operation::Update, Theirs::Absent | Theirs::NotRead) => false,
        }
    }

    fn repeat(&mut self, entry: Entry, attempt: &Attempt, now: Timestamp) {
        let intent = Intent {
            operation: attempt.operation,
            values: attempt.values.clone(),
            generation: attempt.generation,
            covers_to: attempt.covers_to,
            repeat: true,
            claims: false,
            detour: false,
            cohort: None,
            queued_at: now,
        };
        self.enqueue(entry, intent);
    }

    /// Every attempt is proven or past its horizon, and `theirs` was read after that: now the books can be closed.
    fn end_hold(&mut self, mut entry: Entry, hold: &Hold, theirs: Theirs) {
        let Some(terms) = self.settings.terms.get(&entry.record_type) else { return };
        let shown = hold.expired.iter().filter(|attempt| shows_all(terms, attempt, &theirs)).max_by_key(|attempt| attempt.id);
        let proof = hold.proven.iter().max_by_key(|attempt| attempt.id).or(shown).cloned();
        match &theirs {
            Theirs::Live { external_id, .. } => {
                entry.link.side.external_id = Some(external_id.clone());
                let newest = hold.expired.iter().max_by_key(|attempt| attempt.id);
                if entry.link.side.base.is_none()
                    && let Some(landed) = newest.filter(|_| proof.is_none())
                {
                    // Some of it may have landed: which life it belongs to is known, what agrees is not.
                    entry.link.side.base = Some(Base { generation: landed.generation, rows: std::collections::BTreeMap::new() });
                    self.links_proven += 1;
                }
                if let Some(proof) = proof.as_ref().filter(|proof| proof.operation != Operation::Delete) {
                    let old = entry.link.side.base.as_ref();
                    self.links_proven += u64::from(old.is_none());
                    // What was read beside the proof may be anybody's: it is weighed as theirs, not taken for what we wrote.
                    entry.link.side.base = Some(new_base(terms, proof.generation, &proof.values, None, old));
                }
            }
            Theirs::Absent | Theirs::NotRead => {
                let was_there = entry.link.side.base.is_some();
                let by_us = proof.as_ref().is_some_and(|proof| proof.operation == Operation::Delete);
                if by_us || !was_there {
                    entry.link.side.external_id = None;
                    entry.link.side.base = None;
                    self.links_proven = self.links_proven.saturating_sub(u64::from(was_there));
                }
            }
        }
        let theirs_known = !matches!(theirs, Theirs::Absent) || entry.link.side.external_id.is_none();
        entry.theirs = theirs_known.then_some(theirs);
        entry.again = true;
        for attempt in hold.proven.iter().chain(&hold.expired).filter(|attempt| proof.as_ref().is_none_or(|proof| proof.id != attempt.id)) {
            let fate = if attempt.fate == Fate::Proven { Fate::Proven } else { Fate::Expired };
            self.settling.set.attempts_settled.push(AttemptFate { id: attempt.id, fate, applied: 0, coalesced: 0 });
        }
        self.close_held(entry, proof.as_ref());
    }

    fn close_held(&mut self, mut entry: Entry, proof: Option<&Attempt>) {
        let from = entry.link.state();
        entry.link.side.state = SideState::Idle;
        if let Some(proof) = proof {
            let covered = proof.covers_to.saturating_sub(entry.link.side.closed);
            let (applied, coalesced) = (covered.min(1), covered.saturating_sub(1));
            self.count(Counter::Closed(self.settings.system, Ending::Applied), applied);
            self.count(Counter::Closed(self.settings.system, Ending::Coalesced), coalesced);
            self.settling.set.attempts_settled.push(AttemptFate { id: proof.id, fate: Fate::Proven, applied, coalesced });
            entry.link.side.closed = entry.link.side.closed.max(proof.covers_to);
            entry.link.side.failures = 0;
            entry.link.side.failing_since = None;
            self.end_letters(&mut entry, proof.opened_at, "a newer write of the link was applied");
            if entry.link.side.external_id.is_some() {
                self.settling.release.append(&mut entry.left_behind);
            }
        }
        entry.hold = None;
        self.moved(from, entry.link.state());
        self.settle(entry);
    }
}

/// Whether what was read is what the attempt sent, whole.
fn shows_all(terms: &Terms, attempt: &Attempt, theirs: &Theirs) -> bool {
    match (attempt.operation, theirs) {
        (Operation::Delete, Theirs::Absent) => true,
        (Operation::Create | Operation::Update, Theirs::Live { rows, .. }) => terms.rows.iter().all(|row| {
            attempt.values.get(&row.name).is_none_or(|sent| row.agrees(&rows.get(&row.name).cloned(), sent))
        }),
        (Operation::Delete, Theirs::Live { .. } | Theirs::NotRead)
        | (Operation::Create | Operation::Update, Theirs::Absent | Theirs::NotRead) => false,
    }
}
