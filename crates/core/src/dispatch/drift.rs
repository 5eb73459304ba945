//! Notices that an object's schema no longer fits the mapping, and lets that object alone stand still.
//!
//! Promises: each object is looked at again and again, at a call's price; what was there at the start and does not stop every record is
//! no drift; an object in doubt sends nothing until it was looked at, and a young look is believed. What is due for a paused object stays
//! due in the store and leaves memory, so that other objects go on; a resume takes effect after a look that finds nothing.
//! Leaves to others: holding a schema against the mapping (each writer), what a refusal means otherwise (`settle`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::change_set::{ChangeSet, PauseScope};
use crate::dispatch::batch::Call;
use crate::dispatch::entry::Stage;
use crate::dispatch::lane::{Effect, Lane, Request};
use crate::ids::{ChargeId, Ids};
use crate::outcome::{Look, Misfit, Rejection, Shape, Verdict};
use crate::time::Timestamp;

/// A look that failed is tried again after this.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// A look that is younger than this is believed: what is refused then is the record's fault.
const BELIEVED: Duration = Duration::from_secs(600);

/// What is known of an object's schema.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    /// When the last look that was answered began.
    looked: Timestamp,
    /// When the next is due.
    next: Timestamp,
    /// Refusals that may come from a changed schema wait for a look.
    in_doubt: bool,
    /// An operator wants it to go on, if it fits.
    resuming: bool,
    /// What was found when the lane began, and does not stop every record.
    accepted: BTreeSet<String>,
    shapes: BTreeMap<String, Shape>,
}

impl Watched {
    /// What is new since the lane began, or stops every record.
    fn drift(&self, object: &str, look: &Look) -> Vec<Misfit> {
        let news = look.misfits.iter().filter(|misfit| misfit.stops || !self.accepted.contains(&misfit.found));
        let narrowed = look.shapes.iter().filter_map(|(field, shape)| narrowed(object, field, self.shapes.get(field)?, shape));
        news.cloned().chain(narrowed).collect()
    }
}

fn narrowed(object: &str, field: &str, was: &Shape, is: &Shape) -> Option<Misfit> {
    let found = match (was.length, is.length) {
        _ if is.is_listed && !was.is_listed => format!("{object}.{field} takes listed values alone now, and took any"),
        (Some(was), Some(is)) if is < was => format!("{object}.{field} takes {is} characters now, and took {was}"),
        (None, Some(is)) => format!("{object}.{field} takes {is} characters now, and took any number"),
        (Some(_) | None, _) => return None,
    };
    let remedy = format!("take the change of {object}.{field} back, or accept it by a new start after which it is resumed");
    Some(Misfit { stops: false, found, remedy })
}

impl Lane {
    /// Takes over what was seen of an object when the lane began; what stops every record lets the object stand still.
    pub fn looked_at_start(&mut self, object: &str, look: Look, now: Timestamp) {
        let stops: Vec<Misfit> = look.misfits.iter().filter(|misfit| misfit.stops).cloned().collect();
        let accepted = look.misfits.into_iter().filter(|misfit| !misfit.stops).map(|misfit| misfit.found).collect();
        let next = now.plus(self.settings.look_every);
        let watched = Watched { looked: now, next, in_doubt: false, resuming: false, accepted, shapes: look.shapes };
        self.watched.insert(object.to_owned(), watched);
        if !stops.is_empty() {
            let reason = self.drift_reason(object, &stops);
            self.pause_object(object, reason, now);
        }
    }

    /// Objects that an operator resumed and that have not been looked at since.
    #[must_use]
    pub fn resuming(&self) -> Vec<String> {
        self.watched.iter().filter(|(_, watched)| watched.resuming).map(|(object, _)| object.clone()).collect()
    }

    pub(super) fn is_paused(&self, object: &str) -> bool {
        // Most lanes have no pause at all, and this is asked for every link.
        !self.paused.is_empty() && self.paused.contains_key(&PauseScope::Object(object.to_owned()))
    }

    /// Whether nothing may be sent to an object for now.
    pub(super) fn stands_still(&self, object: &str) -> bool {
        self.is_paused(object) || self.watched.get(object).is_some_and(|watched| watched.in_doubt)
    }

    /// Whether a refusal shall wait for a look, since the last one is too old to be believed.
    pub(super) fn doubts(&mut self, object: &str, now: Timestamp) -> bool {
        let Some(watched) = self.watched.get_mut(object) else { return false };
        if now.since(watched.looked) < BELIEVED.min(self.settings.look_every) {
            return false;
        }
        watched.in_doubt = true;
        watched.next = now;
        true
    }

    /// Notes that an operator wants an object to go on; false if it is not mapped any more, so that nothing speaks against it.
    pub(super) fn ask_to_resume(&mut self, object: &str) -> bool {
        let Some(watched) = self.watched.get_mut(object) else { return false };
        watched.resuming = true;
        true
    }

    /// Every object is looked at as soon as it can be.
    pub(super) fn look_soon(&mut self, now: Timestamp) {
        for watched in self.watched.values_mut() {
            watched.next = now;
        }
    }

    pub(super) fn is_look_due(&self, now: Timestamp) -> bool {
        self.wanted().any(|(at, _)| at <= now)
    }

    /// Looks that are wanted, with their times. While all writes stand still only those that something waits for are.
    fn wanted(&self) -> impl Iterator<Item = (Timestamp, &str)> {
        let stands_still = self.paused.contains_key(&PauseScope::Writes);
        let under_way = |object: &str| {
            self.requests.values().any(|request| match request {
                Request::Look { object: looked_at, .. } => looked_at == object,
                Request::Write { .. } | Request::Read { .. } | Request::Renew => false,
            })
        };
        let wanted = self.watched.iter().filter(move |(_, watched)| !stands_still || watched.resuming);
        wanted.filter(move |(object, _)| !under_way(object)).map(|(object, watched)| (watched.next, object.as_str()))
    }

    pub(super) fn next_look(&mut self, now: Timestamp, ids: &mut dyn Ids) -> Option<Effect> {
        let (at, object) = self.wanted().min().map(|(at, object)| (at, object.to_owned()))?;
        if at > now {
            self.hint(at, "work");
            return None;
        }
        if !self.affords(Call::Look, now) {
            return None;
        }
        let charge = self.book(Call::Look, format!("look {object}"), 1, now, ids);
        self.requests.insert(charge.id, Request::Look { object, started: now });
        Some(self.persist(charge, ChangeSet::default()))
    }

    pub(super) fn looked(&mut self, charge: ChargeId, look: Result<Look, String>, verdict: &Verdict, now: Timestamp) {
        let Some(Request::Look { object, started }) = self.requests.remove(&charge) else { return };
        let is_put_off = verdict.unauthorised || verdict.throttled.is_some();
        match &look {
            Err(why) if !is_put_off => {
                self.quota.lost(charge);
                self.report.last_error = Some(why.clone());
            }
            Ok(_) | Err(_) => self.answer_charge(charge, now),
        }
        self.breaker.count(look.is_err() && !is_put_off && verdict.boundary.is_none() && verdict.account.is_none(), now);
        self.heed(verdict, Some(&object), now);
        let every = self.settings.look_every;
        let Some(watched) = self.watched.get_mut(&object) else { return };
        let Ok(look) = look else {
            let refused = verdict.boundary.as_ref().filter(|_| std::mem::take(&mut watched.resuming));
            watched.next = if is_put_off { now } else { now.plus(LOOK_AGAIN) };
            if !is_put_off {
                // Nobody can tell, so refusals are the records' own again.
                watched.in_doubt = false;
                watched.looked = now;
            }
            if let Some(rejection) = refused {
                self.pause_object(&object, self.object_reason(&object, rejection), now);
            }
            return;
        };
        watched.looked = started;
        watched.next = now.plus(every);
        watched.in_doubt = false;
        let is_resumed = std::mem::take(&mut watched.resuming);
        let drift = watched.drift(&object, &look);
        if drift.is_empty() {
            // What was mended is drift if it comes again.
            watched.accepted.retain(|found| look.misfits.iter().any(|misfit| misfit.found == *found));
            if is_resumed {
                self.lift(&object, now);
            }
        } else if is_resumed || !self.is_paused(&object) {
            let reason = self.drift_reason(&object, &drift);
            self.pause_object(&object, reason, now);
        }
    }

    fn drift_reason(&self, object: &str, drift: &[Misfit]) -> String {
        let list = |text: fn(&Misfit) -> &str| drift.iter().map(text).collect::<Vec<_>>().join("; ");
        let name = &self.settings.name;
        let (found, remedies) = (list(|misfit| &misfit.found), list(|misfit| &misfit.remedy));
        format!("{name}: {object} does not fit the mapping: {found} ({remedies}); then `syncline resume {name}`")
    }

    /// A refusal that holds for every record of the object.
    pub(super) fn pause_for(&mut self, object: &str, rejection: &Rejection, now: Timestamp) {
        if !self.is_paused(object) {
            self.pause_object(object, self.object_reason(object, rejection), now);
        }
    }

    fn object_reason(&self, object: &str, rejection: &Rejection) -> String {
        let name = &self.settings.name;
        format!("{name}: {object}: {} ({}); then `syncline resume {name}`", rejection.message, rejection.remedy)
    }

    /// Lets an object stand still, or says anew why it does.
    fn pause_object(&mut self, object: &str, reason: String, now: Timestamp) {
        let scope = PauseScope::Object(object.to_owned());
        self.paused.remove(&scope);
        self.pause(scope, reason, now);
        self.clear_out(object, now);
    }

    /// What waits for a batch leaves memory; what is held is read on.
    fn clear_out(&mut self, object: &str, now: Timestamp) {
        for (group, link, since) in self.queues.take_object(object) {
            let Some(entry) = self.entries.remove(&link) else { continue };
            let is_queued = matches!(entry.stage, Stage::Queued(_));
            match &entry.hold {
                Some(hold) if is_queued => {
                    let at = hold.horizon().max(now);
                    self.wait_for_read(entry, at);
                }
                None if is_queued && entry.link.open() > 0 => self.settle(entry),
                Some(_) | None => {
                    self.queues.push(group, link, since);
                    self.entries.insert(link, entry);
                }
            }
        }
    }

    /// The object goes on, with all that has waited.
    fn lift(&mut self, object: &str, now: Timestamp) {
        let scope = PauseScope::Object(object.to_owned());
        let Some(reason) = self.paused.remove(&scope) else { return };
        let change = self.pause_change(scope, false, reason, now);
        self.settling.set.pauses.push(change);
        let held = self.entries.values().filter(|entry| entry.link.object == object && matches!(entry.stage, Stage::Holding));
        let held: BTreeSet<_> = held.map(|entry| entry.link.id).collect();
        self.queues.reads.retain(|(_, link)| !held.contains(link));
        self.queues.reads.extend(held.into_iter().map(|link| (now, link)));
        self.to_load.extend(self.queues.hints.keys().copied());
        self.outbox.push_back(Effect::Rescan);
    }
}
