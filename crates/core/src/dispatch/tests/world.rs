//! A mini world around one lane: a store, the other side, a clock and a script that decides what happens next.
//!
//! Promises: a script is the whole of a run; where it ends everything is friendly. At every send it is checked that no request
//! of the same record is under way or may still land, but for the one that is being repeated.
//! Leaves to others: what a run must come to (`tests`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::other_side::{KEY, Late, OtherSide};
use super::store::{Numbers, Store};
use crate::attempt::Operation;
use crate::boundary::{RecordAuthority, SyncBoundary};
use crate::change_set::{ChangeSet, PauseScope};
use crate::dispatch::batch::{Batch, Call, Item, Profile, ReadBatch};
use crate::dispatch::guard::GuardSettings;
use crate::dispatch::lane::{Effect, Input, Lane, LaneSettings};
use crate::dispatch::planted::Planted;
use crate::dispatch::quota::{PoolSpec, Window};
use crate::event::{Change as Event, ChangeKind};
use crate::ids::{ChargeId, LinkId, RecordId, SourceId, SystemId};
use crate::intake::{Intake, Offered, Routes};
use crate::link::{Known, Link, Presence, SideState};
use crate::outcome::{ExternalFields, Found, Look, Misfit, Outcome, Rejection, Verdict};
use crate::patch::{Change, Patch};
use crate::plan::mapping::{Codec, Row, encode_record, project};
use crate::record::{Fields, RecordState, Value};
use crate::schema::FieldType;
use crate::terms::{OnExisting, OnGone, Terms};
use crate::time::Timestamp;

pub(super) const SYSTEM: SystemId = SystemId(1);
const SOURCE: SourceId = SourceId(1);
const TIMEOUT: Duration = Duration::from_secs(10);
const OWNED: [&str; 2] = ["Name", "Note"];

/// What decides: numbers, and zeros once they are used up. Zero is always the friendly choice.
#[derive(Debug)]
pub(super) struct Script {
    numbers: VecDeque<u16>,
}

impl Script {
    pub fn new(numbers: Vec<u16>) -> Self {
        Self { numbers: numbers.into() }
    }

    fn choose(&mut self, of: usize) -> usize {
        usize::from(self.numbers.pop_front().unwrap_or(0)) % of
    }
}

/// Something that the lane will be told.
#[derive(Debug)]
enum Coming {
    Due(Vec<LinkId>),
    Loaded(Vec<LinkId>, Vec<(LinkId, Known)>),
    Answer(Batch, Timestamp),
    Read(ReadBatch, Option<Vec<Option<Found>>>),
    Renewed(ChargeId),
    Looked(ChargeId, String),
}

#[derive(Debug, Clone)]
enum Then {
    Committed(ChargeId),
    Settled(u64, Vec<LinkId>),
}

#[derive(Debug)]
pub(super) struct World {
    pub lane: Lane,
    pub settings: LaneSettings,
    pub now: Timestamp,
    pub ids: Numbers,
    pub store: Store,
    pub other: OtherSide,
    pub sent: Vec<Batch>,
    /// Refuses the batches that hold such an item, without saying which it is.
    pub bad_key: Option<String>,
    pub reject_all: bool,
    /// Renewals fail for good.
    pub sign_in_ended: bool,
    /// Whether scripts change the schema over there.
    pub may_drift: bool,
    /// Objects that have lost a mapped field.
    pub drifted: BTreeSet<String>,
    /// Whether writes tell so, or reject each record.
    pub drift_is_told: bool,
    script: Script,
    routes: BTreeMap<String, Routes>,
    position: i64,
    commits: VecDeque<(ChangeSet, Then)>,
    coming: Vec<Coming>,
    durable: BTreeSet<ChargeId>,
    under_way: BTreeMap<ChargeId, BTreeSet<RecordId>>,
}

pub(super) fn terms() -> Terms {
    let row = |name: &str, theirs: &str, authority| {
        Row::new(name, vec![name.into()], vec![theirs.into()], Codec::Same, authority, FieldType::Text).unwrap()
    };
    Terms {
        boundary: SyncBoundary::new("contacts", "internal", "crm"),
        objects: BTreeMap::new(),
        key_field: KEY.into(),
        marker: None,
        rows: vec![
            row("name", "Name", RecordAuthority::SystemA),
            row("note", "Note", RecordAuthority::SystemA),
            row("status", "Status", RecordAuthority::SystemB),
        ],
        fillers: BTreeMap::new(),
        rules: BTreeMap::new(),
        on_existing: OnExisting::Dead,
        on_gone: OnGone::Recreate,
    }
}

pub(super) fn settings() -> LaneSettings {
    let pool = PoolSpec { name: "burst".into(), limit: 50, window: Window::Rolling(Duration::from_secs(1)) };
    LaneSettings {
        system: SYSTEM,
        name: "crm".into(),
        account: "account".into(),
        terms: BTreeMap::from([("contacts".into(), terms())]),
        profile: Profile {
            batch_max: Operation::ALL.into_iter().map(|operation| (operation, 4)).collect(),
            read_max: 3,
            timeout: TIMEOUT,
            linger_max: Duration::from_secs(20),
            concurrency: 3,
            pools: vec![pool],
            draws: [Call::Write, Call::Read, Call::Token, Call::Look].into_iter().map(|call| (call, vec!["burst".into()])).collect(),
        },
        backoff: crate::retry_policy::Backoff::default(),
        guard: GuardSettings { fuse_min: 10_000, reject_min: 10_000, ..GuardSettings::default() },
        share_permille: 1000,
        batch_wait: Duration::from_millis(100),
        memory_max: 1000,
        planted: Planted::NONE,
        look_every: Duration::from_secs(3600),
    }
}

fn rejection(code: &str) -> Rejection {
    Rejection { code: code.into(), field: None, message: "no".into(), remedy: "other data".into() }
}

impl World {
    pub fn new(settings: LaneSettings, script: Vec<u16>) -> Self {
        let place = |object: &str| vec![(SYSTEM, object.to_owned())];
        let places = BTreeMap::from([("lead".into(), place("Lead")), ("customer".into(), place("Contact"))]);
        let routes = Routes { routing_field: Some("type".into()), places };
        Self {
            lane: Lane::new(settings.clone(), false),
            settings,
            now: Timestamp::from_millis(1_000_000),
            ids: Numbers::default(),
            store: Store::default(),
            other: OtherSide::default(),
            sent: Vec::new(),
            bad_key: None,
            reject_all: false,
            sign_in_ended: false,
            may_drift: false,
            drifted: BTreeSet::new(),
            drift_is_told: true,
            script: Script::new(script),
            routes: BTreeMap::from([("contacts".into(), routes)]),
            position: 0,
            commits: VecDeque::new(),
            coming: Vec::new(),
            durable: BTreeSet::new(),
            under_way: BTreeMap::new(),
        }
    }

    pub fn tell(&mut self, input: Input) {
        self.lane.handle(input, self.now, &mut self.ids);
        self.drain();
    }

    /// Does all that the lane asks for now.
    fn drain(&mut self) {
        while let Some(effect) = self.lane.poll(self.now, &mut self.ids) {
            self.perform(effect);
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Load(links) => {
                let loaded = links.iter().filter_map(|link| self.store.known(*link)).collect();
                self.coming.push(Coming::Loaded(links, loaded));
            }
            Effect::Persist(charge, set) => self.commits.push_back((set, Then::Committed(charge))),
            Effect::Settle { ticket, set, release } => {
                let release = release.into_iter().map(|(_, link)| link).collect();
                self.commits.push_back((set, Then::Settled(ticket, release)));
            }
            Effect::Send(batch) => self.send(batch),
            Effect::Read(batch) => {
                assert!(self.durable.contains(&batch.charge), "a read whose charge is not durable");
                let early = (self.script.choose(2) == 1).then(|| self.other.read(&batch));
                self.coming.push(Coming::Read(batch, early));
            }
            Effect::Look(charge, object) => {
                assert!(self.durable.contains(&charge), "a look whose charge is not durable");
                self.coming.push(Coming::Looked(charge, object));
            }
            Effect::Renew(charge) => self.coming.push(Coming::Renewed(charge)),
            Effect::Release(links) => self.coming.push(Coming::Due(links.into_iter().map(|(_, link)| link).collect())),
            Effect::FindHolder { .. } => panic!("nothing is unique here"),
            Effect::Rescan => self.coming.push(Coming::Due(self.store.unsettled())),
        }
    }

    fn send(&mut self, batch: Batch) {
        assert!(self.durable.contains(&batch.charge), "sent before its attempts are durable");
        let mut records = BTreeSet::new();
        for item in &batch.items {
            let attempt = &self.store.attempts[&item.attempt];
            assert!(records.insert(attempt.record), "a record twice in a batch");
            assert!(!self.under_way.values().any(|others| others.contains(&attempt.record)), "two requests of a record");
            let of_record = |id| self.store.attempts[&id].record == attempt.record;
            for late in self.other.may_land(of_record) {
                let earlier = &self.store.attempts[&late.item.attempt];
                let same = (earlier.link, earlier.operation, &earlier.values) == (attempt.link, attempt.operation, &attempt.values);
                assert!(same, "{attempt:?} is sent while {earlier:?} may still land");
            }
        }
        self.under_way.insert(batch.charge, records);
        self.sent.push(batch.clone());
        self.coming.push(Coming::Answer(batch, self.now.plus(TIMEOUT)));
    }

    pub fn commit_next(&mut self) {
        let Some((set, then)) = self.commits.pop_front() else { return };
        self.store.apply(set);
        self.store.check();
        match then {
            Then::Committed(charge) => {
                self.durable.insert(charge);
                self.tell(Input::Committed(charge));
            }
            Then::Settled(ticket, release) => {
                self.tell(Input::Settled(ticket));
                self.tell(Input::Due { links: release, more: false });
            }
        }
    }

    pub fn deliver(&mut self, which: usize) {
        if self.coming.is_empty() {
            return;
        }
        let at = which % self.coming.len();
        match self.coming.remove(at) {
            Coming::Due(links) => self.tell(Input::Due { links, more: false }),
            Coming::Loaded(asked, loaded) => self.tell(Input::Loaded { asked, loaded }),
            Coming::Answer(batch, deadline) => self.answer(&batch, deadline),
            Coming::Read(batch, early) => {
                let found = match self.script.choose(5) {
                    4 => Err("reset".into()),
                    _ => Ok(early.unwrap_or_else(|| self.other.read(&batch))),
                };
                self.tell(Input::ReadDone(batch.charge, found, Verdict::default()));
            }
            Coming::Looked(charge, object) => {
                let look = match self.script.choose(5) {
                    4 => Err("reset".into()),
                    _ => Ok(self.look(&object)),
                };
                self.tell(Input::Looked(charge, look, Verdict::default()));
            }
            Coming::Renewed(charge) => {
                let result = match self.script.choose(3) {
                    _ if self.sign_in_ended => Err((None, "refused for good".into())),
                    2 => Err((Some(Duration::from_secs(1)), "busy".into())),
                    _ => Ok(()),
                };
                self.tell(Input::Renewed(charge, result));
            }
        }
    }

    fn look(&self, object: &str) -> Look {
        let misfit = |object| Misfit { stops: true, found: format!("{object}.Note not found"), remedy: format!("create {object}.Note") };
        Look { misfits: self.drifted.get(object).map(misfit).into_iter().collect(), ..Look::default() }
    }

    /// What a start looks at.
    pub fn look_at_start(&mut self) {
        for object in ["Contact", "Lead"] {
            let look = self.look(object);
            self.lane.looked_at_start(object, look, self.now);
        }
        self.drain();
    }

    fn answer(&mut self, batch: &Batch, deadline: Timestamp) {
        let whole = if self.now >= deadline { 5 } else { self.script.choose(9) };
        let not_sent = || vec![Outcome::NotSent { why: "no route".into() }; batch.items.len()];
        let (outcomes, verdict) = match whole {
            5 => {
                batch.items.iter().for_each(|item| self.lose(batch, item));
                (Vec::new(), Verdict::default())
            }
            7 => (not_sent(), Verdict::default()),
            8 => (not_sent(), Verdict { unauthorised: true, ..Verdict::default() }),
            _ if self.drifted.contains(&batch.object) && self.drift_is_told => {
                (not_sent(), Verdict { boundary: Some(rejection("no_such_field")), ..Verdict::default() })
            }
            _ if self.drifted.contains(&batch.object) => {
                (vec![Outcome::Rejected(rejection("no_number")); batch.items.len()], Verdict { doubt: true, ..Verdict::default() })
            }
            _ if batch.items.iter().any(|item| self.bad_key.as_ref() == Some(&item.key)) => {
                (vec![Outcome::Suspect(rejection("bad_row")); batch.items.len()], Verdict::default())
            }
            _ => (batch.items.iter().map(|item| self.outcome(batch, item)).collect(), Verdict::default()),
        };
        self.under_way.remove(&batch.charge);
        self.tell(Input::Answered(batch.charge, outcomes, verdict));
    }

    fn outcome(&mut self, batch: &Batch, item: &Item) -> Outcome {
        match self.script.choose(10) {
            _ if self.reject_all => Outcome::Rejected(rejection("one")),
            6 => Outcome::Retry { code: "busy".into(), after: None },
            7 => Outcome::Rejected(rejection(["one", "other"][self.script.choose(2)])),
            8 | 9 => {
                self.lose(batch, item);
                Outcome::Unknown { why: "reset".into() }
            }
            _ => self.other.land(batch.operation, &batch.object, item),
        }
    }

    /// Nobody hears what becomes of an item: it is never done, done at once, or done at some time before its horizon.
    fn lose(&mut self, batch: &Batch, item: &Item) {
        let horizon = self.store.attempts[&item.attempt].horizon;
        match self.script.choose(4) {
            0 => {}
            1 => drop(self.other.land(batch.operation, &batch.object, item)),
            _ => {
                let part = u32::try_from(self.script.choose(100)).unwrap();
                let at = self.now.plus(horizon.since(self.now) * part / 100).min(Timestamp(horizon.0 - 1));
                let (operation, object, item) = (batch.operation, batch.object.clone(), item.clone());
                self.other.late.push(Late { at, operation, object, item });
            }
        }
    }

    /// Lets time pass, up to `span`; a request is given up when its time is over.
    fn pass(&mut self, span: Duration) {
        let deadline = |coming: &Coming| if let Coming::Answer(_, deadline) = coming { Some(*deadline) } else { None };
        let first = self.coming.iter().enumerate().filter_map(|(at, coming)| Some((deadline(coming)?, at))).min();
        let until = self.now.plus(span);
        let given_up = first.filter(|(deadline, _)| *deadline <= until);
        self.now = given_up.map_or(until, |(deadline, _)| deadline).max(self.now);
        self.other.land_late(self.now);
        if let Some((_, at)) = given_up {
            self.deliver(at);
        }
        self.drain();
    }

    pub fn event(&mut self, key: &str, operation: ChangeKind, fields: &[(&str, &str)]) {
        self.position += 1;
        let patch = fields.iter().map(|(name, value)| ((*name).to_owned(), Change::Set(Value::text(*value)))).collect();
        let event = Event {
            record_type: "contacts".into(),
            key: key.into(),
            operation,
            occurred_at: self.now,
            patch: Patch(patch),
            event_id: None,
            order: None,
            digest: self.position,
        };
        let mut intake = Intake::new(&self.routes, SOURCE, 1, true, self.now);
        if let Some((id, _)) = self.store.records.iter().find(|(_, record)| record.key == key) {
            intake.know(self.store.known_record(*id));
        }
        let offered = Offered { position: self.position, place: String::new(), raw: Vec::new(), event: Ok(event) };
        intake.offer(offered, &mut self.ids);
        let taken = intake.finish(None);
        self.store.apply(taken.set);
        self.store.check();
        self.coming.extend(taken.due.into_values().map(Coming::Due));
    }

    fn random_event(&mut self) {
        let key = ["k0", "k1", "k2", "k3"][self.script.choose(4)];
        let value = ["a", "b", "c"][self.script.choose(3)];
        let kind = ["lead", "customer", "vendor"][[0, 1, 0, 1, 2][self.script.choose(5)]];
        match self.script.choose(8) {
            0 | 1 => self.event(key, ChangeKind::Create, &[("name", value), ("type", kind)]),
            2 => self.event(key, ChangeKind::Update, &[("note", value)]),
            3 | 4 => self.event(key, ChangeKind::Update, &[("name", value)]),
            5 => self.event(key, ChangeKind::Update, &[("type", kind)]),
            6 => self.event(key, ChangeKind::Delete, &[]),
            _ => self.event(key, ChangeKind::Create, &[("name", value), ("note", value), ("type", kind), ("status", "new")]),
        }
    }

    /// Goes on to the first send, whose item lands after `landing` or never, while the process ends.
    pub fn lose_first(&mut self, landing: Option<Duration>) {
        while self.sent.is_empty() {
            self.deliver(0);
            self.commit_next();
        }
        let batch = self.sent[0].clone();
        self.coming.clear();
        if let Some(landing) = landing {
            let (at, object) = (self.now.plus(landing), batch.object);
            self.other.late.push(Late { at, operation: batch.operation, object, item: batch.items[0].clone() });
            self.other.land_late(self.now);
        }
        self.restart();
    }

    /// The process ends, with whatever is not durable, and another one begins.
    fn crash(&mut self) {
        for coming in std::mem::take(&mut self.coming) {
            if let Coming::Answer(batch, _) = coming {
                batch.items.iter().for_each(|item| self.lose(&batch, item));
            }
        }
        self.restart();
    }

    pub fn restart(&mut self) {
        self.commits.clear();
        self.coming.clear();
        self.under_way.clear();
        self.lane = Lane::new(self.settings.clone(), false);
        for (scope, reason) in self.store.paused() {
            self.lane.restore_pause(scope, reason);
        }
        self.look_at_start();
        let proven = self.store.links.values().filter(|link| link.side.external_id.is_some()).count();
        self.lane.set_scene(proven as u64, BTreeSet::new());
        self.tell(Input::Recovered(self.store.open_attempts()));
        self.tell(Input::Due { links: self.store.unsettled(), more: false });
    }

    /// Somebody takes a field away over there, or gives it back, and time goes by.
    fn drift(&mut self) {
        let object = ["Lead", "Contact"][self.script.choose(2)].to_owned();
        self.drift_is_told = self.script.choose(2) == 0;
        if !self.drifted.remove(&object) {
            self.drifted.insert(object);
        }
        let span = [1, 700, 4000][self.script.choose(3)];
        self.pass(Duration::from_secs(span));
    }

    /// Somebody deletes a record over there.
    fn meddle(&mut self) {
        let at = self.script.choose(self.other.rows.len().max(1));
        if let Some(place) = self.other.rows.keys().nth(at).cloned() {
            self.other.rows.remove(&place);
        }
    }

    /// Runs the script to its end; answers whether somebody deleted records over there.
    pub fn run(&mut self, with_meddling: bool) -> bool {
        let mut meddled = false;
        while !self.script.numbers.is_empty() {
            match self.script.choose(24) {
                0..=6 => self.commit_next(),
                7..=13 => {
                    let which = self.script.choose(97);
                    self.deliver(which);
                }
                14..=18 => self.random_event(),
                19 => self.pass(Duration::from_millis(30)),
                20 if self.may_drift => self.drift(),
                20 => self.pass(Duration::from_secs(3)),
                21 if self.script.choose(2) == 0 => self.crash(),
                21 => self.tell(Input::Pause(PauseScope::Writes, "maintenance".into())),
                22 if with_meddling => {
                    self.meddle();
                    meddled = true;
                }
                22 => self.pass(Duration::from_secs(20)),
                _ => self.tell(Input::Resume),
            }
        }
        meddled
    }

    /// Everything friendly from now on, until nothing is left to do.
    pub fn calm_down(&mut self) {
        self.script.numbers.clear();
        self.drifted.clear();
        if !self.lane.paused().is_empty() {
            self.tell(Input::Resume);
        }
        self.come_to_rest();
    }

    /// Goes on until nothing is left to do.
    pub fn come_to_rest(&mut self) {
        for _ in 0..20_000 {
            self.drain();
            if !self.commits.is_empty() {
                self.commit_next();
            } else if !self.coming.is_empty() {
                self.deliver(0);
            } else if let Some(at) = self.next_moment() {
                self.pass(at.since(self.now).max(Duration::from_nanos(1)));
            } else {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    fn next_moment(&self) -> Option<Timestamp> {
        let late = self.other.late.iter().map(|late| late.at).min();
        // Looks come again for ever.
        let soon = self.now.plus(Duration::from_secs(1800));
        [self.lane.next_wake().map(|(at, _)| at).filter(|at| *at < soon), late].into_iter().flatten().min()
    }

    /// Everything is closed, and every link without a letter is as the record is.
    pub fn check_rest(&self, compare: bool) {
        assert!(self.lane.is_quiet());
        assert!(self.store.open_attempts().is_empty());
        for link in self.store.links.values() {
            if link.side.state == SideState::Waiting && self.successor_is_dead(link) {
                continue;
            }
            assert_eq!(link.open(), 0, "{link:?}");
            assert!(matches!(link.side.state, SideState::Idle | SideState::Dead), "{link:?}");
            if !compare || !link.side.letters.is_empty() {
                continue;
            }
            let record = &self.store.records[&link.record];
            let theirs = self.other.by_key(&link.object, &record.key);
            let wanted = record.state == RecordState::Live && link.duty.desired == Presence::Present;
            assert_eq!(theirs.len(), usize::from(wanted), "{record:?} {link:?} {theirs:?}");
            assert_eq!(link.side.external_id.as_ref(), theirs.first().map(|(id, _)| *id), "{link:?}");
            if let Some((_, fields)) = theirs.first() {
                assert_eq!(owned(fields), owned(&ours(&record.fields, &record.key)), "{record:?} {link:?}");
            }
        }
    }
}

impl World {
    /// A record does not leave its old place before the new one has it, and that one was given up.
    fn successor_is_dead(&self, link: &Link) -> bool {
        let mut others = self.store.links.values().filter(|other| other.record == link.record && other.id != link.id);
        others.any(|other| other.duty.desired == Presence::Present && !other.side.letters.is_empty())
    }
}

fn ours(fields: &Fields, key: &str) -> ExternalFields {
    encode_record(&terms(), "Lead", key, &project(&terms(), "Lead", key, fields).unwrap().values, true).unwrap()
}

fn owned(fields: &ExternalFields) -> Vec<Option<String>> {
    OWNED.iter().map(|field| fields.get(*field).cloned().flatten()).collect()
}
