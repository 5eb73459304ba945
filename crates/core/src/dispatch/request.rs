//! Forms the next request: which kind, which group, whether now.
//!
//! Promises: every call is booked on its pools and made durable before it goes out; a batch goes out at once when its group is
//! idle, and with a backlog it waits to become full, because while quota is the bottleneck a part-filled batch spends a call
//! that a full one needs. Leaves to others: what is in the groups (`arrive`), sending (`engine`).

use std::time::Duration;

use crate::attempt::{Attempt, Charge, Fate, Operation};
use crate::change_set::{ChangeSet, PauseScope};
use crate::dispatch::batch::{Batch, Call, Item, ReadBatch, ReadBy};
use crate::dispatch::entry::{Entry, Hold, Intent, Stage};
use crate::dispatch::lane::{Effect, Lane, Request};
use crate::dispatch::planted::Bug;
use crate::dispatch::queue::Group;
use crate::dispatch::quota::Wait;
use crate::ids::{Ids, AttemptId, ChargeId, LinkId};
use crate::link::{LinkState, SideState};
use crate::outcome::{ExternalFields, Outcome, Rejection, Verdict};
use crate::plan::mapping::encode_record;
use crate::plan::reconcile::new_base;
use crate::time::Timestamp;

/// A request whose attempts took longer than this to become durable is not sent; horizons allow for it.
const COMMIT_MAX: Duration = Duration::from_secs(5);
/// With a backlog, a part-filled batch waits so many times longer.
const BACKLOG_PATIENCE: u32 = 15;

impl Lane {
    /// The next request that may go out now, made ready to become durable.
    pub(super) fn next_request(&mut self, now: Timestamp, ids: &mut dyn Ids) -> Option<Effect> {
        if self.draining || self.requests.len() >= self.settings.profile.concurrency {
            return None;
        }
        let blocked = self.breaker.blocked_until(now).unwrap_or(Timestamp::MIN).max(self.blocked_until);
        if blocked > now {
            self.hint(blocked, "the system does not answer well");
            return None;
        }
        if self.breaker.is_probing() && !self.requests.is_empty() {
            return None;
        }
        if self.needs_token {
            return self.next_renewal(now, ids);
        }
        self.next_look(now, ids).or_else(|| self.next_read(now, ids)).or_else(|| self.next_write(now, ids))
    }

    fn next_renewal(&mut self, now: Timestamp, ids: &mut dyn Ids) -> Option<Effect> {
        if self.requests.values().any(|request| matches!(request, Request::Renew)) || !self.has_work(now) || !self.affords(Call::Token, now) {
            return None;
        }
        let charge = self.book(Call::Token, Call::Token.name().into(), 1, now, ids);
        self.requests.insert(charge.id, Request::Renew);
        Some(self.persist(charge, ChangeSet::default()))
    }

    fn has_work(&self, now: Timestamp) -> bool {
        let mut waiting = self.queues.waiting();
        let writes = !self.paused.contains_key(&PauseScope::Writes) && waiting.any(|(group, ..)| !self.stands_still(&group.object));
        writes || !self.queues.reads.is_empty() || self.is_look_due(now)
    }

    pub(super) fn affords(&mut self, call: Call, now: Timestamp) -> bool {
        let pools = self.settings.profile.draws.get(&call).cloned().unwrap_or_default();
        match self.quota.check(&pools, now) {
            Ok(()) => true,
            Err(wait) => {
                self.hint(wait.until, wait.why);
                false
            }
        }
    }

    pub(super) fn book(&mut self, call: Call, name: String, items: u64, now: Timestamp, ids: &mut dyn Ids) -> Charge {
        let pools = self.settings.profile.draws.get(&call).cloned().unwrap_or_default();
        let id = ids.charge();
        let horizon = self.horizon(now);
        self.quota.reserve(id, &pools, horizon, now);
        Charge {
            id,
            account: self.settings.account.clone(),
            call: name,
            pools,
            items,
            opened_at: now,
            horizon,
            answered_at: None,
            released: false,
        }
    }

    /// Books the calls of a connect; all of them are to be made durable before the first goes out.
    ///
    /// # Errors
    /// Until when they have to wait.
    pub fn book_start(&mut self, calls: usize, now: Timestamp, ids: &mut dyn Ids) -> Result<ChangeSet, Wait> {
        self.book_calls(Call::Connect, calls, now, ids)
    }

    /// Books one count of keys.
    ///
    /// # Errors
    /// Until when it has to wait.
    pub fn book_count(&mut self, now: Timestamp, ids: &mut dyn Ids) -> Result<ChangeSet, Wait> {
        self.book_calls(Call::Count, 1, now, ids)
    }

    fn book_calls(&mut self, call: Call, calls: usize, now: Timestamp, ids: &mut dyn Ids) -> Result<ChangeSet, Wait> {
        let pools = self.settings.profile.draws.get(&call).cloned().unwrap_or_default();
        self.quota.check_many(&pools, calls, now)?;
        let mut set = ChangeSet::default();
        for _ in 0..calls {
            set.charges_new.push(self.book(call, call.name().into(), 1, now, ids));
        }
        Ok(set)
    }

    /// The calls of a start were answered.
    pub fn close_start(&mut self, charges: &[ChargeId], now: Timestamp) -> ChangeSet {
        for charge in charges {
            self.answer_charge(*charge, now);
        }
        std::mem::take(&mut self.settling.set)
    }

    /// Says whether a token is at hand.
    pub const fn token_fetched(&mut self, fetched: bool) {
        self.needs_token = !fetched;
    }

    /// Takes over what the account can take, as learned.
    pub fn set_profile(&mut self, profile: crate::dispatch::batch::Profile) {
        self.settings.profile = profile;
    }

    /// A pause that was in force when the last process ended.
    pub fn restore_pause(&mut self, scope: PauseScope, reason: String) {
        self.paused.insert(scope, reason);
    }

    fn horizon(&self, now: Timestamp) -> Timestamp {
        now.plus(COMMIT_MAX).plus(self.settings.profile.timeout).plus(self.settings.profile.linger_max)
    }

    pub(super) fn persist(&mut self, charge: Charge, mut set: ChangeSet) -> Effect {
        let id = charge.id;
        set.charges_new.push(charge);
        Effect::Persist(id, set)
    }

    fn next_read(&mut self, now: Timestamp, ids: &mut dyn Ids) -> Option<Effect> {
        let (first_at, first) = self.queues.reads.first().copied()?;
        if first_at > now {
            self.hint(first_at, "read back");
            return None;
        }
        if !self.affords(Call::Read, now) {
            return None;
        }
        let by_id = |entry: &Entry| {
            let by_key = entry.hold.as_ref().is_some_and(Hold::has_create);
            entry.link.side.external_id.clone().filter(|_| !by_key)
        };
        let name_of = |entry: &Entry| match (&entry.stage, by_id(entry)) {
            (Stage::Holding | Stage::Checking(_), Some(id)) => Some((entry.link.object.clone(), ReadBy::Id, id)),
            (Stage::Holding | Stage::Checking(_), None) => Some((entry.link.object.clone(), ReadBy::Key, entry.key.clone())),
            (Stage::Queued(_) | Stage::Under { .. } | Stage::Asking | Stage::Settling, _) => None,
        };
        let Some(shape) = self.entries.get(&first).and_then(name_of) else {
            self.queues.reads.pop_first();
            return self.next_read(now, ids);
        };
        let due: Vec<_> = self.queues.reads.iter().take_while(|(at, _)| *at <= now).copied().collect();
        let (mut links, mut names) = (Vec::new(), Vec::new());
        for (at, link) in due {
            let Some((object, by, name)) = self.entries.get(&link).and_then(name_of) else {
                self.queues.reads.remove(&(at, link));
                continue;
            };
            if (&object, by) == (&shape.0, shape.1) && links.len() < self.settings.profile.read_max {
                self.queues.reads.remove(&(at, link));
                links.push(link);
                names.push(name);
            }
        }
        let terms = self.entries.get(&first).and_then(|entry| self.settings.terms.get(&entry.record_type))?;
        let (key_field, mut fields) = (terms.key_field.clone(), vec![terms.key_field.clone()]);
        fields.extend(terms.marker.clone());
        fields.extend(terms.rows.iter().flat_map(|row| row.theirs.clone()));
        let charge = self.book(Call::Read, format!("read {}", shape.0), links.len() as u64, now, ids);
        let batch = ReadBatch { charge: charge.id, object: shape.0, key_field, by: shape.1, names, fields };
        self.requests.insert(charge.id, Request::Read { batch, links, started: now });
        Some(self.persist(charge, ChangeSet::default()))
    }

    fn next_write(&mut self, now: Timestamp, ids: &mut dyn Ids) -> Option<Effect> {
        if self.paused.contains_key(&PauseScope::Writes) {
            return None;
        }
        loop {
            let group = self.choose_group(now)?;
            if !self.affords(Call::Write, now) {
                return None;
            }
            let max = if self.breaker.is_probing() { 1 } else { self.batch_max(group.operation) };
            let members = self.take_members(&group, max);
            if let Some(effect) = self.form_batch(&group, members, now, ids) {
                return Some(effect);
            }
        }
    }

    fn batch_max(&self, operation: Operation) -> usize {
        self.settings.profile.batch_max.get(&operation).copied().unwrap_or(1)
    }

    /// Full groups first, the oldest first; then part-filled ones that have waited enough or that nothing is gained by keeping.
    fn choose_group(&mut self, now: Timestamp) -> Option<Group> {
        let backlog = self.more_coming || !self.to_load.is_empty() || !self.asked.is_empty();
        let mut best: Option<(bool, Timestamp, Group)> = None;
        let mut wake: Option<Timestamp> = None;
        for (group, count, since) in self.queues.waiting().filter(|(group, ..)| !self.stands_still(&group.object)) {
            let full = count >= self.batch_max(group.operation) || group.cohort.is_some();
            let wait = if backlog { self.settings.batch_wait * BACKLOG_PATIENCE } else { self.settings.batch_wait };
            let idle = !backlog && !self.is_under_way(group);
            if !full && !idle && now.since(since) < wait {
                let ripe = since.plus(wait);
                wake = Some(wake.map_or(ripe, |wake| wake.min(ripe)));
                continue;
            }
            let key = (!full, since, group.clone());
            if best.as_ref().is_none_or(|best| key < *best) {
                best = Some(key);
            }
        }
        if let Some(at) = wake {
            self.hint(at, "a fuller batch");
        }
        best.map(|(.., group)| group)
    }

    fn is_under_way(&self, group: &Group) -> bool {
        self.requests.values().any(|request| match request {
            Request::Write { batch, .. } => batch.operation == group.operation && batch.object == group.object,
            Request::Read { .. } | Request::Look { .. } | Request::Renew => false,
        })
    }

    /// Takes links off a group; those whose record is busy stand aside.
    fn take_members(&mut self, group: &Group, max: usize) -> Vec<LinkId> {
        let mut members = Vec::new();
        while members.len() < max {
            let taken = self.queues.take(group, max - members.len());
            if taken.is_empty() {
                break;
            }
            for (link, since) in taken {
                let Some(entry) = self.entries.get(&link) else { continue };
                match self.busy.get(&entry.record) {
                    Some(holder) if *holder != link && !self.settings.planted.has(Bug::RecordTwiceUnderWay) => self.queues.block(entry.record, group.clone(), link, since),
                    Some(_) | None => {
                        self.busy.insert(entry.record, link);
                        members.push(link);
                    }
                }
            }
        }
        members
    }

    /// Encodes the members; what cannot be encoded is buried, the others share a batch.
    fn form_batch(&mut self, group: &Group, members: Vec<LinkId>, now: Timestamp, ids: &mut dyn Ids) -> Option<Effect> {
        let mut ready = Vec::new();
        for link in members {
            let Some(entry) = self.entries.remove(&link) else { continue };
            let Stage::Queued(intent) = entry.stage.clone() else {
                self.entries.insert(link, entry);
                continue;
            };
            match self.encode(&entry, &intent) {
                Ok(fields) => ready.push((entry, intent, fields)),
                Err(rejection) => self.refuse_unsent(entry, &intent, &rejection, now, ids),
            }
        }
        if ready.is_empty() {
            return None;
        }
        let name = format!("{} {}", group.operation.name(), group.object);
        *self.report.requests.entry(name.clone()).or_default() += 1;
        *self.report.items.entry(name.clone()).or_default() += ready.len() as u64;
        let charge = self.book(Call::Write, name, ready.len() as u64, now, ids);
        let first = ids.attempts(ready.len());
        let (mut set, mut items, mut links) = (ChangeSet::default(), Vec::new(), Vec::new());
        let mut key_field = String::new();
        for (number, (entry, intent, mut fields)) in ready.into_iter().enumerate() {
            let id = AttemptId(first.0.saturating_add(i64::try_from(number).unwrap_or(i64::MAX)));
            if let Some(terms) = self.settings.terms.get(&entry.record_type) {
                key_field.clone_from(&terms.key_field);
                if let Some(marker) = terms.marker.as_ref().filter(|_| intent.operation != Operation::Delete) {
                    fields.insert(marker.clone(), Some(id.to_string()));
                }
            }
            let attempt = self.attempt(&entry, &intent, id, &charge, now);
            items.push(Item { attempt: id, key: entry.key.clone(), external_id: entry.link.side.external_id.clone(), fields });
            links.push(entry.link.id);
            self.go_under(entry, attempt, intent, &mut set);
        }
        let batch =
            Batch { charge: charge.id, operation: group.operation, object: group.object.clone(), key_field, items };
        if self.settings.planted.has(Bug::SendBeforeIntent) {
            self.outbox.push_back(Effect::Send(batch.clone()));
        }
        self.requests.insert(charge.id, Request::Write { batch, links, opened_at: now });
        Some(self.persist(charge, set))
    }

    fn encode(&self, entry: &Entry, intent: &Intent) -> Result<ExternalFields, Rejection> {
        let Some(terms) = self.settings.terms.get(&entry.record_type) else { return Ok(ExternalFields::new()) };
        match intent.operation {
            Operation::Delete => Ok(ExternalFields::new()),
            Operation::Create => encode_record(terms, &entry.link.object, &entry.key, &intent.values, true),
            Operation::Update => {
                let mut fields = encode_record(terms, &entry.link.object, &entry.key, &intent.values, false)?;
                if intent.claims {
                    fields.insert(terms.key_field.clone(), Some(entry.key.clone()));
                }
                Ok(fields)
            }
        }
    }

    fn attempt(&self, entry: &Entry, intent: &Intent, id: AttemptId, charge: &Charge, now: Timestamp) -> Attempt {
        Attempt {
            id,
            link: entry.link.id,
            record: entry.record,
            system: self.settings.system,
            charge: charge.id,
            operation: intent.operation,
            generation: intent.generation,
            covers_after: entry.link.side.closed,
            covers_to: if intent.detour { entry.link.side.closed } else { intent.covers_to },
            values: intent.values.clone(),
            opened_at: now,
            horizon: charge.horizon,
            fate: Fate::Open,
            applied: 0,
            coalesced: 0,
        }
    }

    fn go_under(&mut self, mut entry: Entry, attempt: Attempt, intent: Intent, set: &mut ChangeSet) {
        if entry.hold.is_none() {
            entry.link.side.state = SideState::InFlight;
            self.moved(LinkState::Due, LinkState::InFlight);
            set.sides.push((entry.link.id, entry.link.side.clone()));
        }
        if self.settings.planted.has(Bug::BaseBeforeProof) && attempt.operation == Operation::Update {
            self.believe(&mut entry, &attempt);
        }
        set.attempts_new.push(attempt.clone());
        entry.stage = Stage::Under { attempt, intent };
        self.entries.insert(entry.link.id, entry);
    }

    /// What a planted bug does in place of waiting for the answer.
    fn believe(&self, entry: &mut Entry, attempt: &Attempt) {
        if let Some(terms) = self.settings.terms.get(&entry.record_type) {
            let old = entry.link.side.base.as_ref();
            entry.link.side.base = Some(new_base(terms, attempt.generation, &attempt.values, None, old));
        }
    }

    /// The charge is durable: the request may go.
    pub(super) fn committed(&mut self, charge: ChargeId, now: Timestamp, ids: &mut dyn Ids) {
        match self.requests.get(&charge) {
            Some(Request::Write { batch, opened_at, .. }) => {
                if self.settings.planted.has(Bug::SendBeforeIntent) {
                    return;
                }
                if now.since(*opened_at) > COMMIT_MAX {
                    // Sent now it could land after the horizon that was made durable.
                    let late = Outcome::NotSent { why: "the store took too long to make the attempts durable".into() };
                    let outcomes = vec![late; batch.items.len()];
                    self.answered(charge, outcomes, Verdict::default(), now, ids);
                    return;
                }
                self.outbox.push_back(Effect::Send(batch.clone()));
                if self.settings.planted.has(Bug::QuotaFreeAtSend) {
                    let _ = self.quota.answered(charge, now);
                }
            }
            Some(Request::Read { batch, .. }) => {
                self.report.reads += 1;
                self.outbox.push_back(Effect::Read(batch.clone()));
            }
            Some(Request::Look { object, .. }) => {
                self.report.looks += 1;
                self.outbox.push_back(Effect::Look(charge, object.clone()));
            }
            Some(Request::Renew) => {
                self.report.tokens += 1;
                self.outbox.push_back(Effect::Renew(charge));
            }
            None => {}
        }
    }
}
