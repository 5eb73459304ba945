//! What a replay of a letter would write, without doing it.
//!
//! Promises: the plan and the form are made by the code that a lane makes them with, from what is known now; nothing is changed and
//! no id is used up. What a system will answer is not foreseen, nor what another replay of the same moment would change.
//! Leaves to others: words (the app).

use std::collections::BTreeMap;

use syncline_core::change_set::EventRouting;
use syncline_core::dispatch::planted::Planted;
use syncline_core::ids::{AttemptId, ChargeId, EventId, Ids, LetterId, LinkId, RecordId, SystemId};
use syncline_core::intake::{Routes, Taken};
use syncline_core::letter::Letter;
use syncline_core::link::{Known, Link, successors_proven};
use syncline_core::outcome::{Rejection, Theirs};
use syncline_core::plan::mapping::encode_record;
use syncline_core::plan::reconcile::{Ours, Plan, reconcile};
use syncline_core::record::Value;
use syncline_core::schema::Schemas;
use syncline_core::terms::Terms;
use syncline_core::time::Timestamp;

use super::resync::AllTerms;
use super::{offer_anew, waiting_letter};
use crate::error::{Error, Kind, Result};
use crate::ports::store::Store;

/// What a replay would come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The letter.
    pub letter: Letter,
    /// Why its input would be refused again.
    pub refused: Option<Rejection>,
    /// What its input would come to: `routed`, `unrouted` or `stale`, or `duplicate`; None for a letter of a link.
    pub came_to: Option<&'static str>,
    /// What would be written.
    pub writes: Vec<Write>,
}

/// What would be written in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The system.
    pub system: SystemId,
    /// The object there.
    pub object: String,
    /// The record type.
    pub record_type: String,
    /// The record's key.
    pub key: String,
    /// What would be done.
    pub act: Act,
}

/// What would be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// It would be brought into being.
    Create(Vec<FieldChange>),
    /// It would be changed.
    Update(Vec<FieldChange>),
    /// It would be removed.
    Delete,
    /// There is nothing to write.
    Nothing,
    /// It would wait until the place that the record moves to is proven.
    Wait,
    /// It would be refused before it is sent.
    Refused(Rejection),
    /// The configuration does not speak of the system or the record type any more.
    NoRules,
}

/// One field of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// The mapping row.
    pub row: String,
    /// What they were last known to hold.
    pub old: Option<Value>,
    /// What they would hold.
    pub new: Option<Value>,
    /// Whether the two differ for them.
    pub is_changed: bool,
}

/// Says what a replay of a letter would write now.
///
/// # Errors
/// `Operator` if there is no such waiting letter; what the store says.
pub async fn preview(
    store: &dyn Store,
    schemas: &Schemas,
    routes: &BTreeMap<String, Routes>,
    terms: &AllTerms,
    id: LetterId,
    now: Timestamp,
) -> Result<Preview> {
    let letter = waiting_letter(store, id).await?;
    if let Some(link) = letter.link {
        let known = store.load(&[link]).await?.pop();
        let known = known.ok_or_else(|| Error::new(Kind::Internal, format!("dead letter {id} names a link that is not there")))?.1;
        let writes = known.links.iter().filter(|candidate| candidate.id == link).map(|link| write(&known, link, terms)).collect();
        return Ok(Preview { letter, refused: None, came_to: None, writes });
    }
    let Taken { set, due, .. } = offer_anew(store, schemas, routes, &letter, now, &mut NoIds(0)).await?;
    let mut writes = Vec::new();
    for (id, record) in &set.records {
        let mut known = Known { id: *id, record: record.clone(), links: store.record(*id).await?.map(|known| known.links).unwrap_or_default() };
        known.links.extend(set.links_new.iter().filter(|link| link.record == *id).cloned());
        for link in &mut known.links {
            if let Some((_, duty)) = set.duties.iter().find(|(owner, _)| *owner == link.id) {
                link.duty = duty.clone();
            }
        }
        let is_due = |link: &&Link| due.get(&link.system).is_some_and(|due| due.contains(&link.id));
        writes.extend(known.links.iter().filter(is_due).map(|link| write(&known, link, terms)));
    }
    let refused = set.letters_new.into_iter().next().map(|letter| letter.rejection);
    let came_to = match set.events.first().map(|event| &event.routing) {
        Some(EventRouting::Routed(_)) => Some("routed"),
        Some(EventRouting::Unrouted) => Some("unrouted"),
        Some(EventRouting::Stale) => Some("stale"),
        None if refused.is_some() => None,
        None => Some("duplicate"),
    };
    Ok(Preview { letter, refused, came_to, writes })
}

fn write(known: &Known, link: &Link, terms: &AllTerms) -> Write {
    let record = &known.record;
    let act = terms.get(&link.system).and_then(|terms| terms.get(&record.record_type)).map_or(Act::NoRules, |terms| act(known, link, terms));
    Write { system: link.system, object: link.object.clone(), record_type: record.record_type.clone(), key: record.key.clone(), act }
}

fn act(known: &Known, link: &Link, terms: &Terms) -> Act {
    let record = &known.record;
    let ours = Ours { record, successors_proven: successors_proven(&known.links, link.id, record.generation) };
    let (values, is_create) = match reconcile(ours, &Theirs::NotRead, link, terms, Planted::NONE) {
        Plan::Nothing => return Act::Nothing,
        Plan::WaitForMove => return Act::Wait,
        Plan::Delete { .. } => return Act::Delete,
        Plan::Refuse(rejection) => return Act::Refused(rejection),
        Plan::Create(values) => (values, true),
        Plan::Update(values) => (values, false),
    };
    if let Err(rejection) = encode_record(terms, &link.object, &record.key, &values, is_create) {
        return Act::Refused(rejection);
    }
    let base = link.side.base.as_ref().filter(|_| !is_create);
    let changes = values.into_iter().map(|(row, new)| {
        let held = base.and_then(|base| base.rows.get(&row));
        let old = held.and_then(|held| held.their_half().clone());
        let agrees = match held {
            Some(_) => terms.rows.iter().find(|known| known.name == row).is_some_and(|known| known.agrees(&old, &new)),
            None => is_create && new.is_none(),
        };
        FieldChange { row, old, new, is_changed: !agrees }
    });
    let changes = changes.collect();
    if is_create { Act::Create(changes) } else { Act::Update(changes) }
}

/// Ids of what is only looked at: below every id of the store's.
struct NoIds(i64);

impl NoIds {
    const fn next(&mut self) -> i64 {
        self.0 -= 1;
        self.0
    }
}

impl Ids for NoIds {
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
