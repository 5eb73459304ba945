//! What happens in the process, one thing after another: events taken in, items written or not, letters, pauses.
//!
//! Promises: what is told is durable. Followed, nothing is told twice or out of order, and what a slow follower missed is counted; of the
//! past, the newest things are told, oldest first. Leaves to others: seeing commits (`crate::witness`), the conversation (`server`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use syncline_core::attempt::{Attempt, Fate, RowValues};
use syncline_core::change_set::{EventRow, LetterEnd, PauseChange};
use syncline_core::ids::{AttemptId, LinkId, SystemId};
use syncline_core::letter::Letter;
use syncline_core::link::Known;
use syncline_core::time::Timestamp;
use syncline_engine::error::{Error, Kind, Result};

use super::{Context, LetterView, Names, moment, record};
use crate::config::nearest;
use crate::witness::Durable;

/// Attempts under way that a follower remembers.
const UNDER_WAY_MAX: usize = 50_000;

/// Which things are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Only those of these systems and sources; all, if there are none.
    pub of: Vec<String>,
    /// Only what went wrong.
    pub failed: bool,
}

/// Things of the past.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Past {
    /// The things, oldest first.
    pub happenings: Vec<Happening>,
    /// Whether older ones were left out.
    pub more: bool,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Happening {
    /// An event was accepted.
    Event {
        /// When.
        at: String,
        /// Its id with us.
        id: i64,
        /// Who offered it.
        source: String,
        /// `create`, `update` or `delete`.
        operation: String,
        /// The record type.
        record_type: String,
        /// The record's key.
        key: String,
        /// `routed`, `unrouted` or `stale`.
        came_to: String,
    },
    /// It became known what an attempt to write came to.
    Attempt {
        /// When; of the past, when it was decided.
        at: String,
        /// Its id; also the trace id on the wire.
        id: i64,
        /// The system.
        system: String,
        /// The object in that system.
        object: String,
        /// `create`, `update` or `delete`.
        operation: String,
        /// The record type.
        record_type: String,
        /// The record's key.
        key: String,
        /// `proven`, `not done`, `unknown` or `expired`.
        fate: String,
        /// The mapping rows that it carries.
        fields: Vec<String>,
        /// What it carries, by mapping row.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        values: Option<RowValues>,
    },
    /// Something was given up.
    Letter {
        /// When.
        at: String,
        /// The system that it was meant for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        system: Option<String>,
        /// The letter.
        letter: LetterView,
    },
    /// A letter ended.
    LetterEnded {
        /// When.
        at: String,
        /// The letter.
        id: i64,
        /// The system or source that it was of.
        of: String,
        /// Where the input stood, or the record's name.
        place: String,
        /// `replayed`, `discarded` or `overtaken`.
        state: String,
        /// Who ended it and why.
        note: String,
    },
    /// Something of a system stands still.
    Pause {
        /// Since when.
        at: String,
        /// The system.
        system: String,
        /// `writes` or `deletes`.
        scope: String,
        /// Why, with the remedy.
        reason: String,
    },
    /// It goes on.
    Resume {
        /// When.
        at: String,
        /// The system.
        system: String,
        /// `writes` or `deletes`.
        scope: String,
    },
    /// The follower was too slow for some commits.
    Missed {
        /// How many.
        commits: u64,
    },
}

impl Happening {
    /// Whether it is wanted.
    fn fits(&self, wish: &Wish) -> bool {
        let (of, is_failure) = match self {
            Self::Event { source, .. } => (Some(source), false),
            Self::Attempt { system, fate, .. } => (Some(system), fate != record::fate(Fate::Proven)),
            Self::Letter { system, letter, .. } => (system.as_ref().or(letter.source.as_ref()), true),
            Self::LetterEnded { of, .. } => (Some(of), false),
            Self::Pause { system, .. } => (Some(system), true),
            Self::Resume { system, .. } => (Some(system), false),
            Self::Missed { .. } => return true,
        };
        (wish.of.is_empty() || of.is_some_and(|of| wish.of.contains(of))) && (is_failure || !wish.failed)
    }
}

/// Refuses names that nobody bears.
async fn check(context: &dyn Context, wish: &Wish) -> Result<Names> {
    let names = Names::of(context.store()).await?;
    let known: Vec<&str> = names.all().map(|(_, name)| name).collect();
    let Some(wrong) = wish.of.iter().find(|name| !known.contains(&name.as_str())) else { return Ok(names) };
    let remedy = match nearest(wrong, known.iter().copied()) {
        Some(meant) => format!("did you mean {meant}? there are {}", known.join(", ")),
        None => format!("name one of {}", known.join(", ")),
    };
    Err(Error::new(Kind::Operator, format!("there is no system or source {wrong}")).with_remedy(remedy))
}

/// Tells a follower what becomes durable.
pub(super) struct Teller<'a> {
    context: &'a dyn Context,
    names: Names,
    wish: Wish,
    under_way: BTreeMap<AttemptId, Attempt>,
}

impl<'a> Teller<'a> {
    /// Begins with what is under way; what becomes durable meanwhile must be received already.
    pub(super) async fn begin(context: &'a dyn Context, wish: Wish) -> Result<Self> {
        let names = check(context, &wish).await?;
        let mut under_way = BTreeMap::new();
        for (number, _) in names.all() {
            let open = context.store().open_attempts(SystemId(number)).await?;
            under_way.extend(open.into_iter().map(|attempt| (attempt.id, attempt)));
        }
        Ok(Self { context, names, wish, under_way })
    }

    /// What a set tells.
    pub(super) async fn tell(&mut self, durable: &Durable) -> Result<Vec<Happening>> {
        let Durable { at, records, set } = durable;
        for attempt in &set.attempts_new {
            self.under_way.insert(attempt.id, attempt.clone());
            if self.under_way.len() > UNDER_WAY_MAX {
                self.under_way.pop_first();
            }
        }
        let mut told = Vec::new();
        for event in &set.events {
            let written = records.iter().find(|(id, ..)| *id == event.record).map(|(_, record_type, key)| (record_type.clone(), key.clone()));
            told.push(self.event(event, written).await?);
        }
        let mut settled = Vec::new();
        for fate in &set.attempts_settled {
            let attempt = if fate.fate.is_open() { self.under_way.get(&fate.id).cloned() } else { self.under_way.remove(&fate.id) };
            settled.extend(attempt.map(|attempt| (*at, Attempt { fate: fate.fate, ..attempt })));
        }
        told.extend(attempts(self.context, &self.names, &settled).await?);
        for letter in &set.letters_new {
            told.push(self::letter(self.context, &self.names, letter).await?);
        }
        for end in &set.letters_ended {
            told.extend(letter_end(self.context, &self.names, end).await?);
        }
        told.extend(set.pauses.iter().map(pause));
        told.retain(|happening| happening.fits(&self.wish));
        Ok(told)
    }

    async fn event(&self, event: &EventRow, written: Option<(String, String)>) -> Result<Happening> {
        Ok(match written {
            Some((record_type, key)) => event_happening(event, &self.names, record_type, key),
            None => past_event(self.context, &self.names, event).await?,
        })
    }
}

fn event_happening(event: &EventRow, names: &Names, record_type: String, key: String) -> Happening {
    let came_to = super::events::routing(event).to_owned();
    let (at, source) = (moment::told(event.accepted_at), names.name(event.source.0));
    Happening::Event { at, id: event.id.0, source, operation: event.operation.to_owned(), record_type, key, came_to }
}

async fn past_event(context: &dyn Context, names: &Names, event: &EventRow) -> Result<Happening> {
    let known = super::events::known(context, event).await?;
    Ok(event_happening(event, names, known.record.record_type, known.record.key))
}

/// Attempts with what they came to.
async fn attempts(context: &dyn Context, names: &Names, settled: &[(Timestamp, Attempt)]) -> Result<Vec<Happening>> {
    let links: Vec<LinkId> = settled.iter().map(|(_, attempt)| attempt.link).collect();
    let loaded: BTreeMap<LinkId, Known> = context.store().load(&links).await?.into_iter().collect();
    let told = settled.iter().filter_map(|(at, attempt)| {
        let known = loaded.get(&attempt.link)?;
        let link = known.links.iter().find(|link| link.id == attempt.link)?;
        Some(Happening::Attempt {
            at: moment::told(*at),
            id: attempt.id.0,
            system: names.name(attempt.system.0),
            object: link.object.clone(),
            operation: attempt.operation.name().to_owned(),
            record_type: known.record.record_type.clone(),
            key: known.record.key.clone(),
            fate: record::fate(attempt.fate).to_owned(),
            fields: attempt.values.keys().cloned().collect(),
            values: Some(attempt.values.clone()),
        })
    });
    Ok(told.collect())
}

async fn system_of(context: &dyn Context, names: &Names, letter: &Letter) -> Result<Option<String>> {
    let Some(id) = letter.link else { return Ok(None) };
    let loaded = context.store().load(&[id]).await?;
    let link = loaded.iter().flat_map(|(_, known)| &known.links).find(|link| link.id == id);
    Ok(link.map(|link| names.name(link.system.0)))
}

async fn letter(context: &dyn Context, names: &Names, letter: &Letter) -> Result<Happening> {
    let system = system_of(context, names, letter).await?;
    Ok(Happening::Letter { at: moment::told(letter.created_at), system, letter: LetterView::of(letter, names) })
}

async fn letter_end(context: &dyn Context, names: &Names, end: &LetterEnd) -> Result<Option<Happening>> {
    let Some(letter) = context.store().letter(end.id).await? else { return Ok(None) };
    let system = system_of(context, names, &letter).await?;
    let of = system.or_else(|| letter.source.map(|source| names.name(source.0))).unwrap_or_default();
    let (state, note) = (end.state.name().to_owned(), end.note.clone());
    Ok(Some(Happening::LetterEnded { at: moment::told(end.at), id: end.id.0, of, place: letter.place, state, note }))
}

fn pause(change: &PauseChange) -> Happening {
    let (at, system, scope) = (moment::told(change.at), change.pause.system.clone(), change.pause.scope.name().to_owned());
    if change.set {
        Happening::Pause { at, system, scope, reason: change.reason.clone() }
    } else {
        Happening::Resume { at, system, scope }
    }
}

/// Things that happened since, the newest of them.
pub(super) async fn past(context: &dyn Context, wish: &Wish, since: Timestamp, limit: usize) -> Result<Past> {
    let names = check(context, wish).await?;
    let limit = limit.clamp(1, past::MAX);
    let mut found = past::events(context, &names, since, limit).await?;
    found.extend(past::attempts(context, &names, since, limit).await?);
    found.extend(past::letters(context, &names, since).await?);
    for row in context.store().pauses().await?.into_iter().filter(|row| row.since >= since) {
        let change = PauseChange { pause: row.pause, set: true, at: row.since, reason: row.reason };
        found.push((change.at, pause(&change)));
    }
    found.retain(|(_, happening)| happening.fits(wish));
    found.sort_by_key(|(at, _)| *at);
    let more = found.len() > limit;
    let newest = found.split_off(found.len().saturating_sub(limit));
    Ok(Past { happenings: newest.into_iter().map(|(_, happening)| happening).collect(), more })
}

/// Looking back through the store's tables.
mod past {
    use syncline_core::change_set::LetterEnd;
    use syncline_core::ids::{EventId, LetterId};
    use syncline_engine::ports::store::LetterFilter;

    use super::*;

    /// Things of a kind that are looked at, at most.
    pub(super) const MAX: usize = 10_000;
    /// Rows read at once.
    const CHUNK: usize = 500;

    type Dated = Vec<(Timestamp, Happening)>;

    pub(super) async fn events(context: &dyn Context, names: &Names, since: Timestamp, limit: usize) -> Result<Dated> {
        let (mut found, mut last): (Dated, Option<EventId>) = (Vec::new(), None);
        loop {
            let chunk = context.store().log(last, CHUNK).await?;
            let is_last = chunk.len() < CHUNK || found.len() > limit;
            last = chunk.last().map(|event| event.id);
            for event in &chunk {
                if event.accepted_at < since {
                    return Ok(found);
                }
                found.push((event.accepted_at, past_event(context, names, event).await?));
            }
            if is_last {
                return Ok(found);
            }
        }
    }

    pub(super) async fn attempts(context: &dyn Context, names: &Names, since: Timestamp, limit: usize) -> Result<Dated> {
        let (mut found, mut last): (Vec<(Timestamp, Attempt)>, Option<AttemptId>) = (Vec::new(), None);
        loop {
            let chunk = context.store().attempt_log(last, CHUNK).await?;
            // Lanes draw ids side by side, so the first one that is too old is not always behind all the others.
            let is_last = chunk.len() < CHUNK || found.len() > limit || chunk.iter().all(|attempt| attempt.opened_at < since);
            last = chunk.last().map(|attempt| attempt.id);
            let settled = chunk.into_iter().filter(|attempt| attempt.opened_at >= since && attempt.fate != Fate::Open);
            found.extend(settled.map(|attempt| (attempt.opened_at, attempt)));
            if is_last {
                break;
            }
        }
        let mut told = Vec::with_capacity(found.len());
        for chunk in found.chunks(CHUNK) {
            let times = chunk.iter().map(|(at, _)| *at);
            told.extend(times.zip(super::attempts(context, names, chunk).await?));
        }
        Ok(told)
    }

    /// Letters made or ended since.
    pub(super) async fn letters(context: &dyn Context, names: &Names, since: Timestamp) -> Result<Dated> {
        let (mut found, mut last): (Dated, Option<LetterId>) = (Vec::new(), None);
        loop {
            let filter = LetterFilter { waiting_only: false, after: last, limit: CHUNK };
            let chunk = context.store().letters(&filter).await?;
            for letter in &chunk {
                if letter.created_at >= since {
                    found.push((letter.created_at, super::letter(context, names, letter).await?));
                }
                if let Some(at) = letter.ended_at.filter(|at| *at >= since) {
                    let end = LetterEnd { id: letter.id, state: letter.state, at, note: letter.note.clone().unwrap_or_default() };
                    found.extend(letter_end(context, names, &end).await?.map(|happening| (at, happening)));
                }
            }
            last = chunk.last().map(|letter| letter.id);
            if chunk.len() < CHUNK {
                return Ok(found);
            }
            found.sort_by_key(|(at, _)| *at);
            drop(found.drain(..found.len().saturating_sub(MAX + 1)));
        }
    }
}
