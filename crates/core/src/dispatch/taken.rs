//! A value that must be unique is held by another record.
//!
//! Promises: if the holder is ours and its open work may free the value, the link waits for it; in a ring the lowest link is first
//! written without the value, and that extra write is reported; a stranger's record is linked or buried as the terms say; two
//! records of ours are never merged. Leaves to others: finding whose record it is (`Effect::FindHolder`).

use std::collections::BTreeSet;
use std::time::Duration;

use crate::attempt::{Attempt, Operation};
use crate::dispatch::entry::{Entry, Intent, Stage};
use crate::dispatch::lane::{Effect, Lane};
use crate::ids::{Ids, LinkId};
use crate::ledger::Fact;
use crate::link::SideState;
use crate::outcome::Rejection;
use crate::terms::OnExisting;
use crate::time::Timestamp;

/// A link that waits for a value tries again after this at the latest.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

impl Lane {
    /// An item met another record that holds its value.
    #[expect(clippy::too_many_arguments, reason = "one item's settlement, passed on whole")]
    pub(super) fn taken(
        &mut self,
        mut entry: Entry,
        attempt: Attempt,
        intent: Intent,
        by: Option<String>,
        field: &str,
        now: Timestamp,
        ids: &mut dyn Ids,
    ) {
        let Some(external_id) = by else {
            let rejection = stranger(&self.settings.name, field);
            self.bury(entry, &rejection, intent.covers_to, Some(&attempt), now, ids);
            return;
        };
        entry.stage = Stage::Asking;
        self.asking.insert(entry.link.id, Clash { attempt, intent, field: field.to_owned(), external_id: external_id.clone() });
        self.outbox.push_back(Effect::FindHolder { link: entry.link.id, object: entry.link.object.clone(), external_id });
        self.entries.insert(entry.link.id, entry);
    }

    pub(super) fn holder_found(&mut self, link: LinkId, holder: Option<(LinkId, bool)>, now: Timestamp, ids: &mut dyn Ids) {
        let (Some(entry), Some(clash)) = (self.entries.remove(&link), self.asking.remove(&link)) else { return };
        match holder {
            None => self.met_stranger(entry, clash, now, ids),
            Some((holder, _)) if holder == link => self.again_at_once(entry, &clash.attempt),
            Some((holder, has_open_work)) => {
                let busy = has_open_work || self.entries.contains_key(&holder) || self.asked.contains_key(&holder);
                if busy { self.wait_for_holder(entry, clash, holder, now) } else { self.bury_collision(entry, &clash, holder, now, ids) }
            }
        }
    }

    fn met_stranger(&mut self, mut entry: Entry, clash: Clash, now: Timestamp, ids: &mut dyn Ids) {
        let on_existing = self.settings.terms.get(&entry.record_type).map(|terms| terms.on_existing).unwrap_or_default();
        if on_existing == OnExisting::Link && clash.attempt.operation == Operation::Create {
            self.fact(Fact::Linked);
            entry.link.side.external_id = Some(clash.external_id);
            self.again_at_once(entry, &clash.attempt);
        } else {
            let rejection = stranger(&self.settings.name, &clash.field);
            self.bury(entry, &rejection, clash.intent.covers_to, Some(&clash.attempt), now, ids);
        }
    }

    fn wait_for_holder(&mut self, mut entry: Entry, clash: Clash, holder: LinkId, now: Timestamp) {
        let link = entry.link.id;
        let ring = self.ring(link, holder);
        self.not_done(&clash.attempt);
        if ring.first() == Some(&link) {
            // The lowest of the ring steps aside for a moment.
            self.fact(Fact::Detoured);
            let mut intent = clash.intent;
            self.leave_out(&entry, &mut intent, &clash.field);
            intent.detour = true;
            let from = entry.link.state();
            entry.link.side.state = SideState::Idle;
            self.moved(from, entry.link.state());
            self.free_record(entry.record, link);
            self.enqueue(entry, intent);
            return;
        }
        entry.link.side.waits_for = Some(holder);
        self.waits.insert(link, holder);
        self.waiters.entry(holder).or_default().push(link);
        if let Some(lowest) = ring.first().filter(|lowest| !self.entries.contains_key(lowest)) {
            // The ring is closed by this link, but another one has to step aside: it tries again and finds that out.
            self.to_load.push_back(*lowest);
        }
        // Whoever frees the value says so; should that be missed, the link finds out by itself.
        self.timers.insert((now.plus(LOOK_AGAIN), link));
        self.set_aside(entry, SideState::Waiting);
    }

    /// The links that wait for each other if `link` waits for `holder`, lowest first; empty if that closes no ring.
    fn ring(&self, link: LinkId, holder: LinkId) -> Vec<LinkId> {
        let (mut seen, mut at) = (BTreeSet::from([link]), holder);
        while seen.insert(at) {
            match self.waits.get(&at) {
                Some(next) if *next == link => return seen.into_iter().collect(),
                Some(next) => at = *next,
                None => return Vec::new(),
            }
        }
        Vec::new()
    }

    fn leave_out(&self, entry: &Entry, intent: &mut Intent, field: &str) {
        let Some(terms) = self.settings.terms.get(&entry.record_type) else { return };
        for row in terms.rows.iter().filter(|row| row.theirs.iter().any(|theirs| theirs.eq_ignore_ascii_case(field))) {
            intent.values.insert(row.name.clone(), None);
        }
    }

    fn bury_collision(&mut self, entry: Entry, clash: &Clash, holder: LinkId, now: Timestamp, ids: &mut dyn Ids) {
        let rejection = Rejection {
            code: "identity_collision".into(),
            field: Some(clash.field.clone()),
            message: format!("link {} and link {holder} of ours claim the same {} in {}", entry.link.id, clash.field, self.settings.name),
            remedy: "correct one of the two records; the other is tried again when the value is free".into(),
        };
        self.waiters.entry(holder).or_default().push(entry.link.id);
        self.bury(entry, &rejection, clash.intent.covers_to, Some(&clash.attempt), now, ids);
    }
}

/// A clash that is being looked into.
#[derive(Debug, Clone)]
pub(super) struct Clash {
    attempt: Attempt,
    intent: Intent,
    field: String,
    external_id: String,
}

fn stranger(system: &str, field: &str) -> Rejection {
    Rejection {
        code: "taken".into(),
        field: Some(field.to_owned()),
        message: format!("another record in {system}, not one of ours, holds this {field}"),
        remedy: "merge or correct the two over there and replay, or set `on_existing: link` for this system and replay".into(),
    }
}
