//! What stands where while a test is carried out: records, links, and what they came to.
//!
//! Promises: each write is taken for proven at once, with what was sent as its base, so that the next event meets what a run would meet
//! once everything had settled. Leaves to others: every decision (`syncline_core`).

use std::collections::BTreeMap;

use syncline_core::attempt::RowValues;
use syncline_core::dispatch::planted::Planted;
use syncline_core::event;
use syncline_core::ids::{AttemptId, ChargeId, EventId, Ids, LetterId, LinkId, RecordId, SourceId, SystemId};
use syncline_core::intake::{Intake, Offered, Routes};
use syncline_core::link::{Known, Link, Presence, successors_proven};
use syncline_core::outcome::{ExternalFields, Rejection, Theirs};
use syncline_core::plan::mapping::{Instead, encode_record, project};
use syncline_core::plan::reconcile::{Ours, Plan, new_base, reconcile};
use syncline_core::record::{Fields, Record, RecordState};
use syncline_core::terms::Terms;
use syncline_core::time::Timestamp;

use super::coverage::Coverage;
use super::outcome::{Outcome, Step};
use crate::config::Config;

const SOURCE: SourceId = SourceId(0);
const NOW: Timestamp = Timestamp::from_millis(0);

/// Everything that one test knows.
pub(super) struct World<'t> {
    config: &'t Config,
    there: &'t BTreeMap<String, ExternalFields>,
    routes: BTreeMap<String, Routes>,
    known: BTreeMap<RecordId, Known>,
    seen: BTreeMap<String, i64>,
    numbers: Numbers,
    position: i64,
    /// What the newest event came to.
    pub(super) outcome: Outcome,
}

impl<'t> World<'t> {
    pub(super) fn new(config: &'t Config, there: &'t BTreeMap<String, ExternalFields>) -> Self {
        let number = |name: &str| {
            let at = config.systems.iter().position(|system| system.name == name);
            SystemId(at.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1))
        };
        Self {
            config,
            there,
            routes: config.routes(&number),
            known: BTreeMap::new(),
            seen: BTreeMap::new(),
            numbers: Numbers(0),
            position: 0,
            outcome: Outcome::default(),
        }
    }

    /// Takes in one event and does all that it owes.
    pub(super) fn offer(&mut self, raw: &[u8], mut coverage: Option<&mut Coverage>) {
        let written_to = self.config.systems.iter().filter(|system| system.kind.agreed().is_some());
        self.outcome = Outcome { systems: written_to.map(|system| (system.name.clone(), Vec::new())).collect(), ..Outcome::default() };
        let settings = self.config.systems.iter().find_map(|system| system.kind.source()).unwrap_or_default();
        let mut intake = Intake::new(&self.routes, SOURCE, 0, true, NOW);
        self.known.values().for_each(|known| intake.know(known.clone()));
        self.seen.iter().for_each(|(id, digest)| intake.know_seen(id.clone(), *digest));
        self.position += 1;
        let event = event::decode(raw.trim_ascii(), &self.config.schemas, &settings);
        intake.offer(Offered { position: self.position, place: String::new(), raw: raw.to_vec(), event }, &mut self.numbers);
        let set = intake.finish(None).set;
        self.seen.extend(set.seen.into_iter().map(|seen| (seen.event_id, seen.digest)));
        self.outcome.event = set.letters_new.into_iter().next().map(|letter| letter.rejection);
        let mut touched: Vec<RecordId> = set.records.iter().map(|(id, _)| *id).collect();
        for (id, record) in set.records {
            let known = self.known.entry(id).or_insert_with(|| Known { id, record: record.clone(), links: Vec::new() });
            known.record = record;
        }
        for link in set.links_new {
            touched.push(link.record);
            if let Some(known) = self.known.get_mut(&link.record) {
                known.links.push(link);
            }
        }
        for (id, duty) in set.duties {
            for known in self.known.values_mut() {
                if let Some(link) = known.links.iter_mut().find(|link| link.id == id) {
                    link.duty = duty.clone();
                    touched.push(known.id);
                }
            }
        }
        touched.sort_unstable();
        touched.dedup();
        for id in touched {
            let Some(mut known) = self.known.remove(&id) else { continue };
            self.settle(&mut known, coverage.as_deref_mut());
            self.known.insert(id, known);
        }
    }

    /// Plans every link until nothing is owed any more.
    fn settle(&mut self, known: &mut Known, mut coverage: Option<&mut Coverage>) {
        let present = known.links.iter().filter(|link| link.duty.desired == Presence::Present && known.record.state == RecordState::Live);
        self.outcome.routes = present.filter_map(|link| Some(format!("{} {}", self.name_of(link)?, link.object))).collect();
        if let Some(coverage) = coverage.as_deref_mut().filter(|_| known.record.state == RecordState::Live) {
            let field = self.routes.get(&known.record.record_type).and_then(|routes| routes.routing_field.as_ref());
            let value = field.map_or(Some(""), |field| known.record.fields.get(field).and_then(|value| value.as_text()));
            value.into_iter().for_each(|value| coverage.reach_route(&known.record.record_type, value));
        }
        let mut goes_on = true;
        while goes_on {
            goes_on = false;
            for at in 0..known.links.len() {
                goes_on |= known.links[at].open() > 0 && self.step(known, at, coverage.as_deref_mut());
            }
        }
    }

    fn name_of(&self, link: &Link) -> Option<&'t str> {
        usize::try_from(link.system.0).ok().and_then(|at| self.config.systems.get(at)).map(|system| system.name.as_str())
    }

    /// Does what one link needs; false if it waits.
    fn step(&mut self, known: &mut Known, at: usize, coverage: Option<&mut Coverage>) -> bool {
        let Known { record, links, .. } = known.clone();
        let link = &mut known.links[at];
        let name = self.name_of(link);
        let terms = name.and_then(|name| self.config.system(name)?.kind.agreed()?.terms.get(&record.record_type));
        let (Some(name), Some(terms)) = (name, terms) else {
            link.side.closed = link.duty.opened;
            return true;
        };
        let ours = Ours { record: &record, successors_proven: successors_proven(&links, link.id, record.generation) };
        let theirs = self.found(name, link, terms);
        if let Theirs::Live { external_id, .. } = &theirs {
            link.side.external_id = Some(external_id.clone());
        }
        let mut step = Step { operation: "refused", object: link.object.clone(), fields: ExternalFields::new(), refused: None };
        let plan = reconcile(ours, &theirs, link, terms, Planted::NONE);
        let mut covers_to = link.duty.opened;
        match plan {
            Plan::Nothing => {
                link.side.closed = covers_to;
                return true;
            }
            Plan::WaitForMove => return false,
            Plan::Refuse(rejection) => step.refused = Some(rejection),
            Plan::Delete { covers_to: to, .. } => {
                (step.operation, covers_to) = ("delete", to);
                (link.side.external_id, link.side.base) = (None, None);
            }
            Plan::Create(values) => write(&mut step, "create", link, &record, terms, &values),
            Plan::Update(values) => write(&mut step, "update", link, &record, terms, &values),
        }
        link.side.closed = link.side.closed.max(covers_to);
        if let Some(coverage) = coverage.filter(|_| matches!(step.operation, "create" | "update")) {
            reached(coverage, name, &record, &step.object, terms);
        }
        self.outcome.systems.entry(name.to_owned()).or_default().push(step);
        true
    }

    /// What the test says that the system holds, the first time that the record comes there.
    fn found(&self, name: &str, link: &Link, terms: &Terms) -> Theirs {
        match self.there.get(name) {
            Some(fields) if link.side.external_id.is_none() && link.side.closed == 0 => {
                let held = |row: &syncline_core::plan::mapping::Row| Some((row.name.clone(), row.decode(fields).ok().flatten()?));
                Theirs::Live { external_id: "there".to_owned(), rows: terms.rows.iter().filter_map(held).collect::<Fields>() }
            }
            Some(_) | None => Theirs::NotRead,
        }
    }
}

/// Writes the values, which are taken for proven if they can be written at all.
fn write(step: &mut Step, operation: &'static str, link: &mut Link, record: &Record, terms: &Terms, values: &RowValues) {
    let encoded: Result<ExternalFields, Rejection> = encode_record(terms, &link.object, &record.key, values, operation == "create");
    match encoded {
        Ok(fields) => {
            (step.operation, step.fields) = (operation, fields);
            link.side.base = Some(new_base(terms, record.generation, values, None, link.side.base.as_ref()));
            link.side.external_id.get_or_insert_with(|| "written".to_owned());
        }
        Err(rejection) => step.refused = Some(rejection),
    }
}

/// Marks what a write reached.
fn reached(coverage: &mut Coverage, system: &str, record: &Record, object: &str, terms: &Terms) {
    let Ok(projected) = project(terms, object, &record.key, &record.fields) else { return };
    for row in projected.values.keys() {
        coverage.reach_row(system, &record.record_type, row, "");
    }
    for substitution in &projected.substitutions {
        let what = if substitution.instead == Instead::Default { ": default" } else { ": on_invalid" };
        coverage.reach_row(system, &record.record_type, &substitution.row, what);
    }
}

/// Numbers for what a test makes.
struct Numbers(i64);

impl Numbers {
    const fn next(&mut self) -> i64 {
        self.0 += 1;
        self.0
    }
}

impl Ids for Numbers {
    fn record(&mut self) -> RecordId {
        RecordId(self.next())
    }

    fn link(&mut self) -> LinkId {
        LinkId(self.next())
    }

    fn event(&mut self) -> EventId {
        EventId(self.next())
    }

    fn attempts(&mut self, _count: usize) -> AttemptId {
        AttemptId(self.next())
    }

    fn charge(&mut self) -> ChargeId {
        ChargeId(self.next())
    }

    fn letter(&mut self) -> LetterId {
        LetterId(self.next())
    }
}
