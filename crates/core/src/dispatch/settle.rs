//! What an answer means for each item, made ready to become durable.
//!
//! Promises: a delivery closes only by a proven write, by having nothing to write, or by a letter; base is stored only for what
//! is proven; a letter exists for every delivery that closes as dead. Leaves to others: items of unknown fate (`hold`), values
//! that another record holds (`taken`).

use std::time::Duration;

use crate::attempt::{Attempt, Fate, Operation};
use crate::change_set::{AttemptFate, ChargeClose, LetterEnd, PauseScope};
use crate::dispatch::entry::{Cohort, Entry, Intent, Stage};
use crate::dispatch::lane::{Lane, Request};
use crate::dispatch::planted::Bug;
use crate::ids::{Ids, ChargeId, LinkId};
use crate::ledger::{Counter, Ending, Fact, Post};
use crate::letter::{Letter, LetterState};
use crate::link::{LetterRef, LinkState, SideState};
use crate::outcome::{ExternalFields, Outcome, Rejection, Verdict};
use crate::plan::reconcile::new_base;
use crate::record::Fields;
use crate::terms::{OnGone, Terms};
use crate::time::Timestamp;

/// A wait that they ask for beyond this is no retry but a pause.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);

impl Lane {
    pub(super) fn answered(
        &mut self,
        charge: ChargeId,
        mut outcomes: Vec<Outcome>,
        verdict: Verdict,
        now: Timestamp,
        ids: &mut dyn Ids,
    ) {
        let Some(Request::Write { batch, links, .. }) = self.requests.remove(&charge) else { return };
        if self.settings.planted.has(Bug::PartialResultsIgnored)
            && outcomes.iter().any(|outcome| matches!(outcome, Outcome::Written { .. }))
        {
            self.pretend_written(&links, &mut outcomes);
        }
        outcomes.resize_with(links.len(), || Outcome::Unknown { why: "the answer does not cover this item".into() });
        self.misread_unknown(&links, &mut outcomes);
        self.close_charge(charge, &outcomes, now);
        self.count_call(&outcomes, now);
        self.heed(&verdict, Some(&batch.object), now);
        if verdict.doubt && self.doubts(&batch.object, now) {
            put_back(&mut outcomes);
        }
        let size = links.len();
        for (position, (link, outcome)) in links.into_iter().zip(outcomes).enumerate() {
            let half = u8::from(position * 2 >= size);
            self.settle_item(link, outcome, Cohort { of: charge, half }, size, now, ids);
        }
    }

    /// What two planted bugs take a lost answer for.
    fn misread_unknown(&self, links: &[LinkId], outcomes: &mut [Outcome]) {
        let planted = self.settings.planted;
        if planted.has(Bug::UnknownIsSuccess) && outcomes.iter().all(|outcome| matches!(outcome, Outcome::Unknown { .. })) {
            self.pretend_written(links, outcomes);
        }
        if planted.has(Bug::UnknownIsFailure) {
            for outcome in outcomes.iter_mut().filter(|outcome| matches!(outcome, Outcome::Unknown { .. })) {
                *outcome = Outcome::Retry { code: "lost".into(), after: None };
            }
        }
    }

    fn pretend_written(&self, links: &[LinkId], outcomes: &mut [Outcome]) {
        for (link, outcome) in links.iter().zip(outcomes) {
            if !matches!(outcome, Outcome::Written { .. })
                && let Some(entry) = self.entries.get(link)
            {
                let external_id = entry.link.side.external_id.clone().unwrap_or_else(|| entry.key.clone());
                *outcome = Outcome::Written { external_id, existed: false, returned: None };
            }
        }
    }

    /// An answer, whatever it says, ends the call's time on the quota; a lost one counts until its horizon.
    fn close_charge(&mut self, charge: ChargeId, outcomes: &[Outcome], now: Timestamp) {
        if outcomes.iter().all(|outcome| matches!(outcome, Outcome::NotSent { .. })) && !outcomes.is_empty() {
            self.release_charge(charge, now);
        } else if outcomes.iter().all(|outcome| matches!(outcome, Outcome::Unknown { .. })) {
            self.quota.lost(charge);
        } else {
            self.answer_charge(charge, now);
        }
    }

    pub(super) fn answer_charge(&mut self, charge: ChargeId, now: Timestamp) {
        let _ = self.quota.answered(charge, now);
        self.settling.set.charges_closed.push(ChargeClose { id: charge, answered_at: now, released: false });
    }

    pub(super) fn release_charge(&mut self, charge: ChargeId, now: Timestamp) {
        self.quota.released(charge);
        self.settling.set.charges_closed.push(ChargeClose { id: charge, answered_at: now, released: true });
    }

    fn count_call(&mut self, outcomes: &[Outcome], now: Timestamp) {
        let bad = |outcome: &Outcome| matches!(outcome, Outcome::Unknown { .. } | Outcome::Retry { .. });
        self.breaker.count(!outcomes.is_empty() && outcomes.iter().all(bad), now);
        let not_sent = |outcome: &Outcome| matches!(outcome, Outcome::NotSent { .. });
        if !outcomes.is_empty() && outcomes.iter().all(not_sent) {
            if let Some(Outcome::NotSent { why }) = outcomes.first() {
                self.report.last_error = Some(why.clone());
            }
            self.blocked_until = self.blocked_until.max(now.plus(Duration::from_millis(500)));
        }
    }

    /// Acts on what concerns the whole answer.
    pub(super) fn heed(&mut self, verdict: &Verdict, object: Option<&str>, now: Timestamp) {
        for report in &verdict.limits {
            self.quota.learn(report, now);
        }
        if verdict.unauthorised {
            // Requests that were under way with one token count as one refusal.
            self.tokens_refused += u32::from(!self.needs_token);
            self.needs_token = true;
            // A refused token is no trouble with the system; but a second new token that is refused is no expiry.
            let wait = if self.tokens_refused > 2 { Duration::from_secs(60) } else { Duration::ZERO };
            self.blocked_until = now.plus(wait);
        } else {
            self.tokens_refused = 0;
        }
        if let Some(throttle) = &verdict.throttled {
            self.report.throttled += 1;
            if throttle.after.is_some_and(|after| after > RETRY_AFTER_MAX) {
                let reason = format!("{} asks to wait for more than a day; then `syncline resume {}`", self.settings.name, self.settings.name);
                self.pause(PauseScope::Writes, reason, now);
            }
            self.quota.throttle(throttle, now);
            self.blocked_until = self.blocked_until.min(now);
        }
        if let Some(rejection) = &verdict.account {
            let reason = self.account_reason(rejection);
            self.pause(PauseScope::Writes, reason, now);
        }
        if let (Some(rejection), Some(object)) = (&verdict.boundary, object) {
            self.pause_for(object, rejection, now);
        }
    }

    pub(super) fn renewed(&mut self, charge: ChargeId, result: Result<(), (Option<Duration>, String)>, now: Timestamp) {
        self.requests.remove(&charge);
        match result {
            Ok(()) => {
                self.answer_charge(charge, now);
                self.needs_token = false;
            }
            Err((wait, why)) => {
                self.quota.lost(charge);
                // What is held is read on with what we have, and a paused lane must not beat on the other side for it.
                self.blocked_until = now.plus(wait.unwrap_or(Duration::from_secs(60)));
                if wait.is_none() {
                    let reason = format!("{why}; then `syncline resume {}`", self.settings.name);
                    self.pause(PauseScope::Writes, reason, now);
                }
                self.report.last_error = Some(why);
            }
        }
    }

    fn settle_item(&mut self, link: LinkId, outcome: Outcome, cohort: Cohort, size: usize, now: Timestamp, ids: &mut dyn Ids) {
        let Some(mut entry) = self.entries.remove(&link) else { return };
        let Stage::Under { attempt, intent } = std::mem::replace(&mut entry.stage, Stage::Settling) else {
            self.entries.insert(link, entry);
            return;
        };
        if entry.hold.is_some() {
            self.repeat_answered(entry, attempt, &outcome, now);
            return;
        }
        let reason = match &outcome {
            Outcome::Rejected(rejection) => Some(rejection.cause()),
            Outcome::Written { .. }
            | Outcome::Gone
            | Outcome::Taken { .. }
            | Outcome::Retry { .. }
            | Outcome::Suspect(_)
            | Outcome::NotSent { .. }
            | Outcome::Unknown { .. } => None,
        };
        match outcome {
            Outcome::Written { external_id, existed, returned } => {
                self.written(entry, &attempt, &intent, external_id, existed, returned.as_ref());
            }
            Outcome::Gone => self.gone(entry, &attempt, &intent, now, ids),
            Outcome::Taken { by, field } => self.taken(entry, attempt, intent, by, &field, now, ids),
            Outcome::Rejected(rejection) => self.bury(entry, &rejection, intent.covers_to, Some(&attempt), now, ids),
            Outcome::Suspect(rejection) if size == 1 => {
                self.bury(entry, &rejection, intent.covers_to, Some(&attempt), now, ids);
            }
            Outcome::Suspect(_) => self.split(entry, &attempt, intent, cohort),
            Outcome::Retry { code, after } => self.back_off(entry, &attempt, intent.covers_to, &code, after, now, ids),
            Outcome::NotSent { .. } => self.again_at_once(entry, &attempt),
            Outcome::Unknown { .. } => self.hold_unknown(entry, attempt, now),
        }
        if let Some(reason) = self.watch.count(reason.as_deref(), self.settings.guard, now) {
            let name = self.settings.name.clone();
            let text = format!("{name}: a fifth of the last ten minutes' items were rejected for {reason}; correct that, then `syncline resume {name}`");
            self.pause(PauseScope::Writes, text, now);
        }
    }

    /// The write is proven.
    fn written(
        &mut self,
        mut entry: Entry,
        attempt: &Attempt,
        intent: &Intent,
        external_id: String,
        existed: bool,
        returned: Option<&ExternalFields>,
    ) {
        if existed && attempt.operation == Operation::Create {
            self.fact(Fact::Adopted);
        }
        let Some(terms) = self.settings.terms.get(&entry.record_type) else { return };
        let returned = returned.map(|fields| decode_rows(terms, fields));
        let was_proven = entry.link.side.external_id.is_some() && entry.link.side.base.is_some();
        match attempt.operation {
            Operation::Create | Operation::Update => {
                let old = entry.link.side.base.as_ref();
                let base = new_base(terms, intent.generation, &intent.values, returned.as_ref(), old);
                let altered = base.rows.values().any(|row| row.theirs.is_some());
                entry.link.side.base = Some(base);
                entry.link.side.external_id = Some(external_id);
                self.links_proven += u64::from(!was_proven);
                if altered {
                    self.fact(Fact::Altered);
                }
            }
            Operation::Delete => self.forget(&mut entry),
        }
        self.close_by(entry, attempt);
    }

    pub(super) fn forget(&mut self, entry: &mut Entry) {
        entry.link.side.external_id = None;
        entry.link.side.base = None;
        self.links_proven = self.links_proven.saturating_sub(1);
    }

    /// Closes what a proven attempt covers and lets the link go.
    pub(super) fn close_by(&mut self, mut entry: Entry, attempt: &Attempt) {
        let covered = attempt.covers_to.saturating_sub(entry.link.side.closed);
        let newer = u64::from(entry.again && self.settings.planted.has(Bug::SettleClosesNewer));
        let (applied, coalesced) = (covered.min(1), covered.saturating_sub(1) + newer);
        self.count(Counter::Closed(self.settings.system, Ending::Applied), applied);
        if !self.settings.planted.has(Bug::CoalescedUncounted) {
            self.count(Counter::Closed(self.settings.system, Ending::Coalesced), coalesced);
        }
        self.settling.set.attempts_settled.push(AttemptFate { id: attempt.id, fate: Fate::Proven, applied, coalesced });
        let from = entry.link.state();
        entry.link.side.closed = entry.link.side.closed.max(attempt.covers_to) + newer;
        self.calm(&mut entry);
        self.end_letters(&mut entry, attempt.opened_at, "a newer write of the link was applied");
        self.moved(from, entry.link.state());
        entry.again |= entry.link.open() > 0;
        if entry.link.side.external_id.is_some() && !self.settings.planted.has(Bug::WaitersForgotten) {
            self.settling.release.append(&mut entry.left_behind);
        }
        self.settle(entry);
    }

    fn calm(&mut self, entry: &mut Entry) {
        let side = &mut entry.link.side;
        side.state = SideState::Idle;
        side.failures = 0;
        side.failing_since = None;
        side.until = None;
        side.waits_for = None;
    }

    /// Closes everything open as needing no write.
    pub(super) fn settle_quietly(&mut self, mut entry: Entry, ending: Ending, now: Timestamp) {
        let open = entry.link.open();
        self.count(Counter::Closed(self.settings.system, ending), open);
        entry.link.side.closed += open;
        entry.link.side.unchanged += open;
        self.calm(&mut entry);
        self.end_letters(&mut entry, now, "there is nothing left to write");
        self.moved(LinkState::Due, entry.link.state());
        if entry.link.side.external_id.is_some() {
            self.settling.release.append(&mut entry.left_behind);
        }
        self.settle(entry);
    }

    pub(super) fn end_letters(&mut self, entry: &mut Entry, at: Timestamp, note: &str) {
        for letter in entry.link.side.letters.drain(..) {
            self.settling.set.letters_ended.push(LetterEnd { id: letter.id, state: LetterState::Overtaken, at, note: note.to_owned() });
        }
    }

    /// Gives up: a letter takes what the link has open up to `covers_to`.
    pub(super) fn bury(
        &mut self,
        mut entry: Entry,
        rejection: &Rejection,
        covers_to: u64,
        attempt: Option<&Attempt>,
        now: Timestamp,
        ids: &mut dyn Ids,
    ) {
        if let Some(attempt) = attempt {
            self.not_done(attempt);
        }
        let held = covers_to.saturating_sub(entry.link.side.closed);
        let from = if attempt.is_some() { LinkState::InFlight } else { LinkState::Due };
        self.calm(&mut entry);
        entry.link.side.closed = entry.link.side.closed.max(covers_to);
        entry.link.side.state = SideState::Dead;
        self.count(Counter::Closed(self.settings.system, Ending::Dead), held);
        let cause = rejection.cause();
        match entry.link.side.letters.iter().find(|letter| letter.cause == cause) {
            Some(known) => self.settling.set.letters_grown.push((known.id, held)),
            None if self.settings.planted.has(Bug::LetterLost) => {}
            None => {
                let id = ids.letter();
                entry.link.side.letters.push(LetterRef { id, cause });
                self.count(Counter::Letters(Post::Created), 1);
                self.settling.set.letters_new.push(Letter {
                    id,
                    link: Some(entry.link.id),
                    source: None,
                    place: format!("{} {} -> {} {}", entry.record_type, entry.key, self.settings.name, entry.link.object),
                    rejection: rejection.clone(),
                    raw: None,
                    held,
                    created_at: now,
                    state: LetterState::Waiting,
                    ended_at: None,
                    note: None,
                });
            }
        }
        self.report.last_error = Some(format!("{}: {}", rejection.message, rejection.remedy));
        self.moved(from, LinkState::Dead);
        entry.again |= entry.link.open() > 0;
        self.settle(entry);
    }

    /// An item that could not be encoded: it never left us.
    pub(super) fn refuse_unsent(&mut self, entry: Entry, intent: &Intent, rejection: &Rejection, now: Timestamp, ids: &mut dyn Ids) {
        if let Some(hold) = &entry.hold {
            // A repeat that can no longer be encoded waits for the horizon instead.
            let horizon = hold.horizon().max(now);
            self.wait_for_read(entry, horizon);
            return;
        }
        self.watch.count(None, self.settings.guard, now);
        self.bury(entry, rejection, intent.covers_to, None, now, ids);
    }

    fn gone(&mut self, mut entry: Entry, attempt: &Attempt, intent: &Intent, now: Timestamp, ids: &mut dyn Ids) {
        let Some(terms) = self.settings.terms.get(&entry.record_type) else { return };
        match (attempt.operation, terms.on_gone) {
            (Operation::Delete, _) => {
                self.forget(&mut entry);
                self.close_by(entry, attempt);
            }
            (Operation::Create | Operation::Update, OnGone::Recreate) => {
                self.forget(&mut entry);
                self.again_at_once(entry, attempt);
            }
            (Operation::Create | Operation::Update, OnGone::Dead) => {
                let rejection = Rejection {
                    code: "gone".into(),
                    field: None,
                    message: format!("the record is no longer in {}: somebody deleted it there", self.settings.name),
                    remedy: "restore it there and replay, or set `on_gone: recreate` for this system and replay".into(),
                };
                self.bury(entry, &rejection, intent.covers_to, Some(attempt), now, ids);
            }
        }
    }

    pub(super) fn not_done(&mut self, attempt: &Attempt) {
        self.settling.set.attempts_settled.push(AttemptFate { id: attempt.id, fate: Fate::NotDone, applied: 0, coalesced: 0 });
    }

    /// Nothing was done and nothing is wrong with the item: it is planned anew.
    pub(super) fn again_at_once(&mut self, mut entry: Entry, attempt: &Attempt) {
        self.not_done(attempt);
        let from = entry.link.state();
        entry.link.side.state = SideState::Idle;
        if from != entry.link.state() {
            self.moved(from, entry.link.state());
        }
        entry.again = true;
        self.settle(entry);
    }

    /// One row of the batch is at fault and the answer does not say which: each half goes again on its own.
    fn split(&mut self, mut entry: Entry, attempt: &Attempt, mut intent: Intent, cohort: Cohort) {
        self.not_done(attempt);
        let from = entry.link.state();
        entry.link.side.state = SideState::Idle;
        self.moved(from, entry.link.state());
        self.settling.set.sides.push((entry.link.id, entry.link.side.clone()));
        intent.cohort = Some(cohort);
        self.free_record(entry.record, entry.link.id);
        self.enqueue(entry, intent);
    }

    #[expect(clippy::too_many_arguments, reason = "one item's settlement, passed on whole")]
    fn back_off(
        &mut self,
        mut entry: Entry,
        attempt: &Attempt,
        covers_to: u64,
        code: &str,
        after: Option<Duration>,
        now: Timestamp,
        ids: &mut dyn Ids,
    ) {
        let since = *entry.link.side.failing_since.get_or_insert(now);
        if now.since(since) >= self.settings.backoff.budget {
            let rejection = Rejection {
                code: "gave_up".into(),
                field: None,
                message: format!("{} answered {code} for {} hours", self.settings.name, now.since(since).as_secs() / 3600),
                remedy: "see what is wrong over there, then replay".into(),
            };
            self.bury(entry, &rejection, covers_to, Some(attempt), now, ids);
            return;
        }
        self.not_done(attempt);
        // One draw per request, so that a batch that was turned away comes back as a batch.
        let jitter = spread(attempt.charge.0.unsigned_abs());
        let wait = self.settings.backoff.wait(entry.link.side.failures, jitter).max(after.unwrap_or_default());
        let from = entry.link.state();
        let until = now.plus(wait);
        entry.link.side.failures += 1;
        entry.link.side.until = Some(until);
        entry.link.side.state = SideState::BackingOff;
        self.moved(from, entry.link.state());
        self.timers.insert((until, entry.link.id));
        self.settle(entry);
    }

    pub(super) fn count(&mut self, counter: Counter, count: u64) {
        self.settling.set.counts.add(counter, count);
    }

    pub(super) fn fact(&mut self, fact: Fact) {
        self.count(Counter::Fact(self.settings.system, fact), 1);
    }
}

/// What was refused waits for a look at the schema: nothing of it was done.
fn put_back(outcomes: &mut [Outcome]) {
    for outcome in outcomes {
        if let Outcome::Rejected(rejection) | Outcome::Suspect(rejection) = outcome {
            *outcome = Outcome::NotSent { why: std::mem::take(&mut rejection.code) };
        }
    }
}

/// Their fields as row values in canonical internal form; what cannot be read is left out.
pub(super) fn decode_rows(terms: &Terms, fields: &ExternalFields) -> Fields {
    terms
        .rows
        .iter()
        .filter_map(|row| row.decode(fields).ok().flatten().map(|value| (row.name.clone(), value)))
        .collect()
}

/// Spreads consecutive numbers over 64 bits.
pub(super) const fn spread(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)
}
