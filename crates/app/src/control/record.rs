//! Why a record is as it is: its state, its links with what is owed to them, its newest events, attempts and letters.
//!
//! Promises: every link says in words what it waits for. Values are shown, for this is what an operator asks to see.
//! Leaves to others: what the states mean (`core::link`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use syncline_core::attempt::{Attempt, Fate, RowValues};
use syncline_core::change_set::{EventRouting, EventRow, PauseScope, ResyncRow};
use syncline_core::link::{Base, Known, Link, LinkState, Presence};
use syncline_core::plan::mapping::{Substitution, project};
use syncline_core::record::{Fields, Record, RecordState, Value};
use syncline_engine::error::{Error, Kind, Result};
use syncline_engine::ports::store::PauseRow;

use super::{Context, LetterView, Names, moment};
use crate::config::nearest;

/// Events of the record that are shown.
const EVENTS: usize = 10;
/// Attempts of each link that are shown.
const ATTEMPTS: usize = 5;

/// A record and all that hangs on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordView {
    /// The record type.
    pub record_type: String,
    /// Its key.
    pub key: String,
    /// `live` or `deleted`.
    pub state: String,
    /// Which of its lives this is.
    pub generation: u32,
    /// The newest change that was folded in.
    pub version: VersionView,
    /// Its fields.
    pub fields: Fields,
    /// Its links.
    pub links: Vec<LinkView>,
    /// Its newest events, newest first.
    pub events: Vec<EventView>,
}

/// How new a record's state is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionView {
    /// Whose order it is.
    pub source: String,
    /// The life of the source's log.
    pub epoch: i64,
    /// The place in it.
    pub order: i64,
}

/// One link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinkView {
    /// Its id.
    pub id: i64,
    /// The system.
    pub system: String,
    /// The object in that system.
    pub object: String,
    /// Where it stands.
    pub state: String,
    /// Why, in words.
    pub why: String,
    /// `present` or `absent`: whether the record should be there.
    pub desired: String,
    /// Their id.
    pub external_id: Option<String>,
    /// Deliveries opened.
    pub opened: u64,
    /// Deliveries closed.
    pub closed: u64,
    /// Deliveries open.
    pub open: u64,
    /// What both sides held when they last agreed.
    pub base: Option<BaseView>,
    /// Its newest attempts, newest first.
    pub attempts: Vec<AttemptView>,
    /// The newest deliveries that resyncs opened, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resyncs: Vec<ResyncView>,
    /// Mapping rows that do not hold the record's value, by the rules as they are now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<ReplacedView>,
    /// Its waiting letters.
    pub letters: Vec<LetterView>,
}

/// A mapping row that does not hold the record's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplacedView {
    /// The row.
    pub row: String,
    /// What stands there: `default`, `null`, `map`, or `keep` where theirs is left alone.
    pub instead: String,
    /// Why the record's value does not fit; nothing for a default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A delivery that a resync opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResyncView {
    /// Its number at the link.
    pub number: u64,
    /// Whether what was known of theirs was forgotten for it.
    pub forced: bool,
    /// When.
    pub at: String,
}

/// What both sides held when they last agreed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BaseView {
    /// The life of the record that it speaks of.
    pub generation: u32,
    /// What we held, by mapping row.
    pub ours: BTreeMap<String, Option<Value>>,
    /// What they held, where it differed.
    pub theirs: BTreeMap<String, Option<Value>>,
}

/// One intended request item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttemptView {
    /// Its id; also the trace id on the wire.
    pub id: i64,
    /// `create`, `update` or `delete`.
    pub operation: String,
    /// What became of it.
    pub fate: String,
    /// When it was decided.
    pub opened_at: String,
    /// After this it can no longer land.
    pub horizon: String,
    /// The deliveries that it covers: behind this one …
    pub covers_after: u64,
    /// … up to this one.
    pub covers_to: u64,
    /// The mapping rows that it carries.
    pub fields: Vec<String>,
    /// What it carries, by mapping row, where values are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<RowValues>,
}

/// One accepted event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventView {
    /// Its id with us.
    pub id: i64,
    /// `create`, `update` or `delete`.
    pub operation: String,
    /// Who offered it.
    pub source: String,
    /// The life of the source's log.
    pub epoch: i64,
    /// Its position there.
    pub position: i64,
    /// When it happened.
    pub occurred_at: String,
    /// When it was accepted.
    pub accepted_at: String,
    /// `routed`, `unrouted` or `stale`.
    pub came_to: String,
    /// The deliveries that it opened.
    pub opened: Vec<OpenedView>,
}

/// A delivery that an event opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedView {
    /// The system.
    pub system: String,
    /// The link.
    pub link: i64,
    /// Its number at the link.
    pub number: u64,
    /// Whether the record left this place for another.
    pub is_move: bool,
    /// Whether it is open still.
    pub is_open: bool,
}

/// Shows a record.
pub(super) async fn show(context: &dyn Context, record_type: &str, key: &str) -> Result<RecordView> {
    let store = context.store();
    let missing = || Error::new(Kind::Operator, format!("there is no record of type {record_type} with that key")).with_remedy(remedy(context, record_type));
    let Known { id, record, links } = store.known(record_type, &[key]).await?.pop().flatten().ok_or_else(missing)?;
    let names = Names::of(store).await?;
    let pauses = store.pauses().await?;
    let mut views = Vec::with_capacity(links.len());
    for link in &links {
        let mut view = link_view(context, link, &names, &pauses).await?;
        if record.state == RecordState::Live && link.duty.desired == Presence::Present {
            view.replaced = replaced(context, &view.system, &link.object, &record);
        }
        views.push(view);
    }
    let events = store.events(id, EVENTS).await?;
    Ok(RecordView {
        record_type: record.record_type,
        key: record.key,
        state: match record.state {
            RecordState::Live => "live".to_owned(),
            RecordState::Deleted => "deleted".to_owned(),
        },
        generation: record.generation,
        version: VersionView { source: names.name(record.version.source.0), epoch: record.version.epoch, order: record.version.order },
        fields: record.fields,
        links: views,
        events: events.into_iter().map(|event| event_view(event, &links, &names)).collect(),
    })
}

/// What to do about a record that is not found.
fn remedy(context: &dyn Context, record_type: &str) -> String {
    let config = context.config();
    let types: Vec<_> = config.iter().flat_map(|config| config.schemas.iter()).map(|schema| schema.record_type.as_str()).collect();
    match nearest(record_type, types.iter().copied()) {
        Some(meant) if !types.contains(&record_type) => format!("did you mean {meant}? there are {}", types.join(", ")),
        Some(_) | None => "check type and key; an event that was refused has made no record: `syncline dead-letters list`".to_owned(),
    }
}

pub(super) async fn link_view(context: &dyn Context, link: &Link, names: &Names, pauses: &[PauseRow]) -> Result<LinkView> {
    let store = context.store();
    let attempts = store.attempts(link.id, ATTEMPTS).await?;
    let resync = |row: &ResyncRow| ResyncView { number: row.number, forced: row.forced, at: moment::told(row.at) };
    let resyncs = store.resyncs(link.id, ATTEMPTS).await?.iter().map(resync).collect();
    let mut letters = Vec::new();
    for waiting in &link.side.letters {
        letters.extend(store.letter(waiting.id).await?.map(|letter| LetterView::of(&letter, names)));
    }
    let system = names.name(link.system.0);
    let pauses: Vec<_> = pauses.iter().filter(|row| row.pause.system == system).collect();
    Ok(LinkView {
        id: link.id.0,
        object: link.object.clone(),
        state: link.state().name().to_owned(),
        why: why(link, &attempts, &letters, &pauses),
        desired: match link.duty.desired {
            Presence::Present => "present".to_owned(),
            Presence::Absent => "absent".to_owned(),
        },
        external_id: link.side.external_id.clone(),
        opened: link.duty.opened,
        closed: link.side.closed,
        open: link.open(),
        base: link.side.base.as_ref().map(base_view),
        attempts: attempts.iter().map(attempt_view).collect(),
        resyncs,
        replaced: Vec::new(),
        letters,
        system,
    })
}

/// Rows whose value is not the record's, if the configuration is known.
fn replaced(context: &dyn Context, system: &str, object: &str, record: &Record) -> Vec<ReplacedView> {
    let config = context.config();
    let agreed = config.as_deref().and_then(|config| config.system(system)?.kind.agreed());
    let Some(terms) = agreed.and_then(|agreed| agreed.terms.get(&record.record_type)) else { return Vec::new() };
    // What cannot be projected at all is told by a letter.
    let projected = project(terms, object, &record.key, &record.fields).unwrap_or_default();
    let view = |substitution: Substitution| ReplacedView {
        row: substitution.row,
        instead: substitution.instead.name().to_owned(),
        why: substitution.why.map(|why| why.message),
    };
    projected.substitutions.into_iter().map(view).collect()
}

/// What a link waits for, in words.
fn why(link: &Link, attempts: &[Attempt], letters: &[LetterView], pauses: &[&PauseRow]) -> String {
    let paused = |scope: PauseScope| pauses.iter().find(|row| row.pause.scope == scope).map(|row| row.reason.as_str());
    let object = || paused(PauseScope::Object(link.object.clone()));
    match link.state() {
        LinkState::Clean if link.side.external_id.is_some() => "it holds what was asked for".to_owned(),
        LinkState::Clean => match link.duty.desired {
            Presence::Present => "nothing is owed to it, and nothing was ever written".to_owned(),
            Presence::Absent => "it is not there, and should not be".to_owned(),
        },
        LinkState::Due => match paused(PauseScope::Writes) {
            Some(reason) => format!("due since {}, but all writes stand still: {reason}", moment::told(link.duty.due_since)),
            None => match object() {
                Some(reason) => format!("due since {}, but writes to {} stand still: {reason}", moment::told(link.duty.due_since), link.object),
                None => format!("due since {}: waits for its turn", moment::told(link.duty.due_since)),
            },
        },
        LinkState::InFlight => "its request is under way".to_owned(),
        LinkState::Held => match attempts.iter().filter(|attempt| attempt.fate.is_open()).map(|attempt| attempt.horizon).max() {
            Some(horizon) => format!("the answer to its request was lost; it is read back until that is proven, or cannot land any more after {}", moment::told(horizon)),
            None => "it is read once more before anything else is sent".to_owned(),
        },
        LinkState::BackingOff => {
            let until = link.side.until.map_or_else(String::new, |until| format!(" at {}", moment::told(until)));
            format!("failed {} times since the last success; tried again{until}", link.side.failures)
        }
        LinkState::Waiting => match link.side.waits_for {
            Some(holder) => format!("waits for link {holder}, which holds a value that it needs"),
            None => "waits until the place that the record moves to is proven".to_owned(),
        },
        LinkState::Paused => paused(PauseScope::Deletes).or_else(|| paused(PauseScope::Writes)).unwrap_or("waits for a resume").to_owned(),
        LinkState::Dead => match letters.first() {
            Some(letter) => format!("given up by letter {}: {}; {}", letter.id, letter.message, letter.remedy),
            None => "given up; its letter was discarded, and a new event of the record tries again".to_owned(),
        },
    }
}

fn base_view(base: &Base) -> BaseView {
    let theirs = base.rows.iter().filter_map(|(name, row)| Some((name.clone(), row.theirs.clone()?)));
    BaseView {
        generation: base.generation,
        ours: base.rows.iter().map(|(name, row)| (name.clone(), row.ours.clone())).collect(),
        theirs: theirs.collect(),
    }
}

pub(super) fn attempt_view(attempt: &Attempt) -> AttemptView {
    AttemptView {
        id: attempt.id.0,
        operation: attempt.operation.name().to_owned(),
        fate: fate(attempt.fate).to_owned(),
        opened_at: moment::told(attempt.opened_at),
        horizon: moment::told(attempt.horizon),
        covers_after: attempt.covers_after,
        covers_to: attempt.covers_to,
        fields: attempt.values.keys().cloned().collect(),
        values: Some(attempt.values.clone()),
    }
}

pub(super) const fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Open => "open",
        Fate::Unknown => "unknown",
        Fate::Proven => "proven",
        Fate::NotDone => "not done",
        Fate::Expired => "expired",
    }
}

pub(super) fn event_view(event: EventRow, links: &[Link], names: &Names) -> EventView {
    let (came_to, opened) = match event.routing {
        EventRouting::Routed(opened) => ("routed", opened),
        EventRouting::Unrouted => ("unrouted", Vec::new()),
        EventRouting::Stale => ("stale", Vec::new()),
    };
    let opened = opened.into_iter().map(|opened| OpenedView {
        system: names.name(opened.system.0),
        link: opened.link.0,
        number: opened.number,
        is_move: opened.is_move,
        is_open: links.iter().any(|link| link.id == opened.link && link.side.closed < opened.number),
    });
    EventView {
        id: event.id.0,
        operation: event.operation.to_owned(),
        source: names.name(event.source.0),
        epoch: event.epoch,
        position: event.position,
        occurred_at: event.occurred_at.to_rfc3339(),
        accepted_at: moment::told(event.accepted_at),
        came_to: came_to.to_owned(),
        opened: opened.collect(),
    }
}
