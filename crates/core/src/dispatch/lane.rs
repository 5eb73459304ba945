//! Keeps order per record inside a lane, which is all outgoing work of one account.
//!
//! Promises: at most one request of a record is under way; what becomes due meanwhile waits and is planned anew once that is
//! settled; a request leaves only after its attempts are durable; an entry leaves memory only after its settlement is.
//! Leaves to others: planning one link (`plan`), what shares a request (`queue`), what an outcome means (`settle`, `hold`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::attempt::Attempt;
use crate::change_set::{ChangeSet, PauseScope};
use crate::dispatch::batch::{Batch, Profile, ReadBatch};
use crate::dispatch::drift::Watched;
use crate::dispatch::entry::{Entry, Stage};
use crate::dispatch::guard::{Breaker, Fuse, GuardSettings, RejectWatch};
use crate::dispatch::planted::Planted;
use crate::dispatch::queue::Queues;
use crate::dispatch::quota::{PoolStatus, Quota};
use crate::dispatch::taken::Clash;
use crate::ids::{ChargeId, Ids, LinkId, RecordId, SystemId};
use crate::link::Known;
use crate::outcome::{Found, Look, Outcome, Verdict};
use crate::retry_policy::Backoff;
use crate::terms::Terms;
use crate::time::Timestamp;

/// How a lane is set up.
#[derive(Debug, Clone)]
pub struct LaneSettings {
    /// The system's number.
    pub system: SystemId,
    /// The system's name.
    pub name: String,
    /// Its account's id, for charges.
    pub account: String,
    /// The terms by record type.
    pub terms: BTreeMap<String, Terms>,
    /// What the writer can take.
    pub profile: Profile,
    /// Waits between tries.
    pub backoff: Backoff,
    /// Fuse and watch.
    pub guard: GuardSettings,
    /// Thousandths of each pool that are ours.
    pub share_permille: u64,
    /// How long a batch may wait to become fuller.
    pub batch_wait: Duration,
    /// Links in memory at most.
    pub memory_max: usize,
    /// A bug planted for the simulator.
    pub planted: Planted,
    /// How often each object's schema is looked at.
    pub look_every: Duration,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// Links are due; `more` says that more are known to come at once.
    Due {
        /// Which.
        links: Vec<LinkId>,
        /// Whether the backlog goes on.
        more: bool,
    },
    /// Links as they stand, asked for by `Effect::Load`; one that does not exist is missing in the answer.
    Loaded {
        /// Which were asked for.
        asked: Vec<LinkId>,
        /// What was found.
        loaded: Vec<(LinkId, Known)>,
    },
    /// Attempts found open at start: nobody knows what became of them.
    Recovered(Vec<Attempt>),
    /// A `Persist` is durable.
    Committed(ChargeId),
    /// A `Settle` is durable.
    Settled(u64),
    /// A write was answered, one outcome per item.
    Answered(ChargeId, Vec<Outcome>, Verdict),
    /// A read was answered.
    ReadDone(ChargeId, Result<Vec<Option<Found>>, String>, Verdict),
    /// A look at an object's schema was answered.
    Looked(ChargeId, Result<Look, String>, Verdict),
    /// A token was fetched, or not: then when to try again, or that a person has to act first.
    Renewed(ChargeId, Result<(), (Option<Duration>, String)>),
    /// Whose record stands in the way of a link: one of ours with open work or without, or a stranger's.
    Holder(LinkId, Option<(LinkId, bool)>),
    /// An operator's pause.
    Pause(PauseScope, String),
    /// An operator's resume.
    Resume,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Bring these links.
    Load(Vec<LinkId>),
    /// Make this durable; then say `Committed`.
    Persist(ChargeId, ChangeSet),
    /// Send a write.
    Send(Batch),
    /// Send a read.
    Read(ReadBatch),
    /// Look at an object's schema.
    Look(ChargeId, String),
    /// Fetch a token.
    Renew(ChargeId),
    /// Make this durable, then say `Settled`; then tell the lanes of these links that they are due.
    Settle {
        /// Its number.
        ticket: u64,
        /// What to commit.
        set: ChangeSet,
        /// Links that waited for this.
        release: Vec<(SystemId, LinkId)>,
    },
    /// Tell the lanes of these links that they are due.
    Release(Vec<(SystemId, LinkId)>),
    /// Say whose record this is.
    FindHolder {
        /// Who asks.
        link: LinkId,
        /// The record's object.
        object: String,
        /// Its id.
        external_id: String,
    },
    /// Look for unsettled and due links in the store again.
    Rescan,
}

/// One account's outgoing work.
#[derive(Debug)]
pub struct Lane {
    pub(super) settings: LaneSettings,
    pub(super) quota: Quota,
    pub(super) entries: BTreeMap<LinkId, Entry>,
    pub(super) queues: Queues,
    /// Which link of a record is under way or held.
    pub(super) busy: BTreeMap<RecordId, LinkId>,
    pub(super) to_load: VecDeque<LinkId>,
    /// Links asked for; true if they were marked due again meanwhile.
    pub(super) asked: BTreeMap<LinkId, bool>,
    pub(super) timers: BTreeSet<(Timestamp, LinkId)>,
    pub(super) requests: BTreeMap<ChargeId, Request>,
    pub(super) outbox: VecDeque<Effect>,
    pub(super) settling: Settling,
    /// Links to be tried again when the key's link is settled.
    pub(super) waiters: BTreeMap<LinkId, Vec<LinkId>>,
    /// Which link waits for which because that one holds its value.
    pub(super) waits: BTreeMap<LinkId, LinkId>,
    pub(super) asking: BTreeMap<LinkId, Clash>,
    pub(super) recovered: BTreeMap<LinkId, Vec<Attempt>>,
    pub(super) cautious: BTreeSet<String>,
    pub(super) links_proven: u64,
    pub(super) paused: BTreeMap<PauseScope, String>,
    /// What is known of each object's schema.
    pub(super) watched: BTreeMap<String, Watched>,
    pub(super) needs_token: bool,
    pub(super) tokens_refused: u32,
    pub(super) blocked_until: Timestamp,
    pub(super) more_coming: bool,
    pub(super) draining: bool,
    pub(super) fuse: Fuse,
    pub(super) watch: RejectWatch,
    pub(super) breaker: Breaker,
    pub(super) wake_hint: Option<(Timestamp, &'static str)>,
    pub(super) report: LaneReport,
}

/// A request that was decided and is not settled.
#[derive(Debug, Clone)]
pub(super) enum Request {
    Write { batch: Batch, links: Vec<LinkId>, opened_at: Timestamp },
    Read { batch: ReadBatch, links: Vec<LinkId>, started: Timestamp },
    Look { object: String, started: Timestamp },
    Renew,
}

/// What is to be made durable next.
#[derive(Debug, Default)]
pub(super) struct Settling {
    pub set: ChangeSet,
    pub links: Vec<LinkId>,
    pub release: Vec<(SystemId, LinkId)>,
    pub next_ticket: u64,
    pub under_way: BTreeMap<u64, Vec<LinkId>>,
}

/// What a lane did so far in this process, for reports.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct LaneReport {
    /// Write requests sent, by `operation object`.
    pub requests: BTreeMap<String, u64>,
    /// Items sent, by `operation object`.
    pub items: BTreeMap<String, u64>,
    /// Read requests sent.
    pub reads: u64,
    /// Token requests sent.
    pub tokens: u64,
    /// Looks at schemas sent.
    pub looks: u64,
    /// Resumes heard.
    pub resumes: u64,
    /// Times they said that a quota was used up.
    pub throttled: u64,
    /// Moves of links from state to state.
    pub moves: BTreeMap<String, u64>,
    /// The last thing that went wrong, with its remedy.
    pub last_error: Option<String>,
}

impl Lane {
    /// Settlement commits under way at most.
    const SETTLES_MAX: usize = 8;
    /// Links asked for at once.
    const LOAD_MAX: usize = 500;

    /// A lane with nothing to do.
    #[must_use]
    pub fn new(settings: LaneSettings, needs_token: bool) -> Self {
        let quota = Quota::new(&settings.profile.pools, settings.share_permille);
        Self {
            quota,
            entries: BTreeMap::new(),
            queues: Queues::default(),
            busy: BTreeMap::new(),
            to_load: VecDeque::new(),
            asked: BTreeMap::new(),
            timers: BTreeSet::new(),
            requests: BTreeMap::new(),
            outbox: VecDeque::new(),
            settling: Settling::default(),
            waiters: BTreeMap::new(),
            waits: BTreeMap::new(),
            asking: BTreeMap::new(),
            tokens_refused: 0,
            recovered: BTreeMap::new(),
            cautious: BTreeSet::new(),
            links_proven: 0,
            paused: BTreeMap::new(),
            watched: BTreeMap::new(),
            needs_token,
            blocked_until: Timestamp::MIN,
            more_coming: false,
            draining: false,
            fuse: Fuse::default(),
            watch: RejectWatch::default(),
            breaker: Breaker::default(),
            wake_hint: None,
            report: LaneReport::default(),
            settings,
        }
    }

    /// The account's quota, for restoring charges and for reports.
    pub const fn quota(&mut self) -> &mut Quota {
        &mut self.quota
    }

    /// The pools as they stand.
    #[must_use]
    pub fn pools(&self, now: Timestamp) -> Vec<PoolStatus> {
        self.quota.status(now)
    }

    /// What was done so far.
    #[must_use]
    pub const fn report(&self) -> &LaneReport {
        &self.report
    }

    /// What stands still, and why.
    #[must_use]
    pub const fn paused(&self) -> &BTreeMap<PauseScope, String> {
        &self.paused
    }

    /// Says how many links are proven, for the fuse, and on which objects creates must read first because more records bear our
    /// key than we have links for.
    pub fn set_scene(&mut self, links_proven: u64, cautious: BTreeSet<String>) {
        self.links_proven = links_proven;
        self.cautious = cautious;
    }

    /// How many more links the lane takes into memory.
    #[must_use]
    pub fn room(&self) -> usize {
        if self.draining || self.paused.contains_key(&PauseScope::Writes) {
            return 0;
        }
        self.settings.memory_max.saturating_sub(self.entries.len() + self.to_load.len() + self.asked.len())
    }

    /// Links in memory.
    #[must_use]
    pub fn in_memory(&self) -> usize {
        self.entries.len() + self.to_load.len() + self.asked.len()
    }

    /// Whether nothing is under way, nothing waits to be made durable, and nothing can be done before `next_wake`.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.requests.is_empty() && self.settling.under_way.is_empty() && self.settling.set.is_empty() && self.outbox.is_empty()
    }

    /// Whether nothing that was decided waits to become durable.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.settling.under_way.is_empty() && self.settling.set.is_empty()
    }

    /// From now on begins no request; what is under way is settled.
    pub const fn drain(&mut self) {
        self.draining = true;
    }

    /// Takes in what happened.
    pub fn handle(&mut self, input: Input, now: Timestamp, ids: &mut dyn Ids) {
        match input {
            Input::Due { links, more } => {
                self.more_coming = more;
                for link in links {
                    self.mark_due(link);
                }
            }
            Input::Loaded { asked, loaded } => self.loaded(&asked, loaded, now, ids),
            Input::Recovered(attempts) => {
                for attempt in attempts {
                    self.to_load.push_back(attempt.link);
                    // Another link of the record may be loaded before this one.
                    self.busy.insert(attempt.record, attempt.link);
                    self.recovered.entry(attempt.link).or_default().push(attempt);
                }
            }
            Input::Committed(charge) => self.committed(charge, now, ids),
            Input::Settled(ticket) => self.settled(ticket),
            Input::Answered(charge, outcomes, verdict) => self.answered(charge, outcomes, verdict, now, ids),
            Input::ReadDone(charge, found, verdict) => self.read_done(charge, found, &verdict, now, ids),
            Input::Looked(charge, look, verdict) => self.looked(charge, look, &verdict, now),
            Input::Renewed(charge, result) => self.renewed(charge, result, now),
            Input::Holder(link, holder) => self.holder_found(link, holder, now, ids),
            Input::Pause(scope, reason) => self.pause(scope, reason, now),
            Input::Resume => self.resume(now),
        }
    }

    /// The next thing to do, if there is one now.
    pub fn poll(&mut self, now: Timestamp, ids: &mut dyn Ids) -> Option<Effect> {
        self.wake_hint = None;
        self.fire_timers(now);
        if let Some(effect) = self.outbox.pop_front() {
            return Some(effect);
        }
        if let Some(effect) = self.load_next() {
            return Some(effect);
        }
        if !self.settling.set.is_empty() && self.settling.under_way.len() < Self::SETTLES_MAX {
            return Some(self.settle_next());
        }
        self.next_request(now, ids)
    }

    /// When to poll again though nothing happens, and why.
    #[must_use]
    pub fn next_wake(&self) -> Option<(Timestamp, &'static str)> {
        let timer = self.timers.first().map(|(at, _)| (*at, "backoff"));
        [timer, self.wake_hint].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn mark_due(&mut self, link: LinkId) {
        if let Some(entry) = self.entries.get_mut(&link) {
            entry.again = true;
        } else if let Some(again) = self.asked.get_mut(&link) {
            // The answer to the load may be older than this mark.
            *again = true;
        } else {
            self.to_load.push_back(link);
        }
    }

    fn load_next(&mut self) -> Option<Effect> {
        let mut links = Vec::new();
        while links.len() < Self::LOAD_MAX {
            let Some(link) = self.to_load.pop_front() else { break };
            if let Some(entry) = self.entries.get_mut(&link) {
                entry.again = true;
            } else if self.asked.insert(link, false).is_none() {
                links.push(link);
            }
        }
        (!links.is_empty()).then_some(Effect::Load(links))
    }

    fn fire_timers(&mut self, now: Timestamp) {
        while let Some((_, link)) = self.timers.first().copied().filter(|(at, _)| *at <= now) {
            self.timers.pop_first();
            self.mark_due(link);
        }
    }

    fn settle_next(&mut self) -> Effect {
        let ticket = self.settling.next_ticket;
        self.settling.next_ticket += 1;
        let set = std::mem::take(&mut self.settling.set);
        self.settling.under_way.insert(ticket, std::mem::take(&mut self.settling.links));
        Effect::Settle { ticket, set, release: std::mem::take(&mut self.settling.release) }
    }

    fn settled(&mut self, ticket: u64) {
        for link in self.settling.under_way.remove(&ticket).unwrap_or_default() {
            // A held entry stays in memory: only its state was made durable.
            if self.entries.get(&link).is_some_and(|entry| matches!(entry.stage, Stage::Settling))
                && let Some(entry) = self.entries.remove(&link)
            {
                self.free_record(entry.record, link);
                if let Some(theirs) = entry.theirs {
                    self.queues.hints.insert(link, theirs);
                }
                if entry.again {
                    self.to_load.push_back(link);
                }
                for waiter in self.waiters.remove(&link).unwrap_or_default() {
                    self.mark_due(waiter);
                }
            }
        }
    }

    pub(super) fn free_record(&mut self, record: RecordId, link: LinkId) {
        if self.busy.get(&record) == Some(&link) {
            self.busy.remove(&record);
            self.queues.unblock(record);
        }
    }

    pub(super) fn hint(&mut self, at: Timestamp, why: &'static str) {
        if self.wake_hint.is_none_or(|(known, _)| at < known) {
            self.wake_hint = Some((at, why));
        }
    }

    /// Counts a move of a link's state, for reports; a move that the table does not know is a defect.
    pub(super) fn moved(&mut self, from: crate::link::LinkState, to: crate::link::LinkState) {
        debug_assert!(crate::dispatch::moves::is_legal(from, to), "{} -> {}", from.name(), to.name());
        *self.report.moves.entry(format!("{} -> {}", from.name(), to.name())).or_default() += 1;
    }
}
