//! Accepted events, and one event followed through its deliveries to what each CRM answered.
//!
//! Promises: of every delivery is told what became of it and why; values are shown, for this is what an operator asks to see.
//! A search looks at a bounded number of events and says where to go on. Leaves to others: the record's whole story (`record`).

use serde::{Deserialize, Serialize};
use syncline_core::attempt::{Attempt, Fate};
use syncline_core::change_set::{EventRouting, EventRow, OpenedDelivery};
use syncline_core::envelope::DeliveryStatus;
use syncline_core::ids::EventId;
use syncline_core::letter::Letter;
use syncline_core::link::{Known, Link};
use syncline_core::time::Timestamp;
use syncline_engine::error::{Error, Kind, Result};
use syncline_engine::ports::store::Store;
use syncline_engine::status::{Stage, of_event};

use super::record::{self, AttemptView, EventView};
use super::{Context, LetterView, Names};

/// Events in one answer at most.
const PAGE_MAX: usize = 1000;
/// Events that one search looks at.
const LOOK_MAX: usize = 20_000;
/// Events that are read at once.
const CHUNK: usize = 500;
/// How many events finding the state of one costs.
const STATE_PRICE: usize = 9;
/// Attempts of a link that are looked through.
const ATTEMPTS_MAX: usize = 1000;

/// Which events are wanted.
pub(super) struct Wanted<'a> {
    /// Only of this record.
    pub(super) record: Option<&'a (String, String)>,
    /// Only of this source.
    pub(super) source: Option<&'a str>,
    /// Only those that came to this.
    pub(super) came_to: Option<&'a str>,
    /// Only those accepted then or later.
    pub(super) since: Option<Timestamp>,
    /// Only those accepted before.
    pub(super) until: Option<Timestamp>,
    /// Only those that have come so far.
    pub(super) state: Option<&'a str>,
}

/// An event with the record that it is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventEntry {
    /// The record type.
    pub record_type: String,
    /// The record's key.
    pub key: String,
    /// The event.
    pub event: EventView,
    /// How far it has come, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// Some events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventPage {
    /// The events, newest first.
    pub events: Vec<EventEntry>,
    /// Where to go on (`before`), if older ones were not looked at.
    pub next: Option<i64>,
}

/// An event and all that came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TraceView {
    /// The record type.
    pub record_type: String,
    /// The record's key.
    pub key: String,
    /// The event.
    pub event: EventView,
    /// How far it has come: `pending`, `dispatched`, `processed`, `retrying`, `failed` or `skipped`.
    pub status: String,
    /// What became of each delivery.
    pub deliveries: Vec<DeliveryView>,
}

/// What became of one delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliveryView {
    /// The system.
    pub system: String,
    /// The object in that system.
    pub object: String,
    /// Their id of the record.
    pub external_id: Option<String>,
    /// The link.
    pub link: i64,
    /// Its number at the link.
    pub number: u64,
    /// Whether the record left this place for another.
    pub is_move: bool,
    /// `applied`, `coalesced`, `unchanged`, `dead`, or the link's state while it is open.
    pub came_to: String,
    /// Why, in words.
    pub why: String,
    /// The attempts that covered it, oldest first.
    pub attempts: Vec<AttemptView>,
    /// The letters that may hold it.
    pub letters: Vec<LetterView>,
}

/// Lists events.
pub(super) async fn list(context: &dyn Context, wanted: &Wanted<'_>, before: Option<i64>, limit: usize) -> Result<EventPage> {
    let store = context.store();
    let names = Names::of(store).await?;
    let limit = limit.clamp(1, PAGE_MAX);
    let of_record = match wanted.record {
        Some((record_type, key)) => Some(store.known(record_type, &[key]).await?.pop().flatten().ok_or_else(|| unknown_record(record_type))?.id),
        None => None,
    };
    let mut events = Vec::new();
    let (mut last, mut looked) = (before, 0);
    loop {
        let chunk = store.log(last.map(EventId), CHUNK).await?;
        for event in &chunk {
            if wanted.since.is_some_and(|since| event.accepted_at < since) {
                return Ok(EventPage { events, next: None });
            }
            (last, looked) = (Some(event.id.0), looked + 1);
            let fits = of_record.is_none_or(|record| event.record == record)
                && wanted.source.is_none_or(|source| names.name(event.source.0) == source)
                && wanted.until.is_none_or(|until| event.accepted_at < until)
                && wanted.came_to.is_none_or(|came_to| routing(event) == came_to);
            if !fits {
                continue;
            }
            let known = known(context, event).await?;
            let status = match wanted.state {
                Some(_) => Some(status(store, event, &known).await?.name().to_owned()),
                None => None,
            };
            // Whoever asks for a state has each event looked into, which is dear.
            looked += if status.is_some() { STATE_PRICE } else { 0 };
            if status.as_deref() != wanted.state {
                continue;
            }
            let (record_type, key) = (known.record.record_type, known.record.key);
            events.push(EventEntry { record_type, key, event: record::event_view(event.clone(), &known.links, &names), status });
            if events.len() == limit {
                return Ok(EventPage { events, next: last });
            }
        }
        if chunk.len() < CHUNK {
            return Ok(EventPage { events, next: None });
        }
        if looked >= LOOK_MAX {
            return Ok(EventPage { events, next: last });
        }
    }
}

/// Follows one event.
pub(super) async fn trace(context: &dyn Context, id: i64) -> Result<TraceView> {
    let store = context.store();
    let found = store.log(Some(EventId(id.saturating_add(1))), 1).await?.pop().filter(|event| event.id.0 == id);
    let missing = || Error::new(Kind::Operator, format!("there is no event {id}")).with_remedy("`syncline events list` shows the newest ones");
    let event = found.ok_or_else(missing)?;
    let names = Names::of(store).await?;
    let known = known(context, &event).await?;
    let pauses = store.pauses().await?;
    let opened = opened(&event);
    let (mut deliveries, mut stages) = (Vec::new(), Vec::new());
    for delivery in opened {
        let Some(link) = known.links.iter().find(|link| link.id == delivery.link) else { continue };
        let attempts = store.attempts(link.id, ATTEMPTS_MAX).await?;
        let letters = store.letters_of(link.id).await?;
        let (stage, why) = stage(link, delivery, &attempts, &letters, event.accepted_at);
        let why = match why {
            Some(why) => why,
            None => record::link_view(context, link, &names, &pauses).await?.why,
        };
        stages.push(stage);
        let covering = attempts.iter().rev().filter(|attempt| covers(attempt, delivery.number));
        let holding = letters.iter().filter(|letter| stage == Stage::Dead && letter.created_at >= event.accepted_at);
        deliveries.push(DeliveryView {
            system: names.name(link.system.0),
            object: link.object.clone(),
            external_id: link.side.external_id.clone(),
            link: link.id.0,
            number: delivery.number,
            is_move: delivery.is_move,
            came_to: stage.name().to_owned(),
            why,
            attempts: covering.map(record::attempt_view).collect(),
            letters: holding.map(|letter| LetterView::of(letter, &names)).collect(),
        });
    }
    let (record_type, key) = (known.record.record_type, known.record.key);
    let status = of_event(&stages).name().to_owned();
    Ok(TraceView { record_type, key, status, deliveries, event: record::event_view(event, &known.links, &names) })
}

fn opened(event: &EventRow) -> Vec<OpenedDelivery> {
    match &event.routing {
        EventRouting::Routed(opened) => opened.clone(),
        EventRouting::Unrouted | EventRouting::Stale => Vec::new(),
    }
}

/// How far an event has come.
async fn status(store: &dyn Store, event: &EventRow, known: &Known) -> Result<DeliveryStatus> {
    let mut stages = Vec::new();
    for delivery in opened(event) {
        let Some(link) = known.links.iter().find(|link| link.id == delivery.link) else { continue };
        let (attempts, letters) = (store.attempts(link.id, ATTEMPTS_MAX).await?, store.letters_of(link.id).await?);
        stages.push(stage(link, delivery, &attempts, &letters, event.accepted_at).0);
    }
    Ok(of_event(&stages))
}

/// What became of a delivery; without words where the link's own tell it.
fn stage(link: &Link, delivery: OpenedDelivery, attempts: &[Attempt], letters: &[Letter], accepted_at: Timestamp) -> (Stage, Option<String>) {
    if delivery.number > link.side.closed {
        return (Stage::Open(link.state()), None);
    }
    let proven = attempts.iter().find(|attempt| attempt.fate == Fate::Proven && covers(attempt, delivery.number));
    if let Some(attempt) = proven {
        if attempt.covers_to == delivery.number {
            return (Stage::Applied, Some(format!("attempt {} is proven", attempt.id)));
        }
        let why = format!("attempt {} carried the record as a newer event had left it", attempt.id);
        return (Stage::Coalesced, Some(why));
    }
    match letters.iter().find(|letter| letter.created_at >= accepted_at) {
        Some(letter) => {
            let why = format!("letter {} is {}: {}; {}", letter.id, letter.state.name(), letter.rejection.message, letter.rejection.remedy);
            (Stage::Dead, Some(why))
        }
        None => (Stage::Unchanged, Some("there was nothing left to write when its turn came".to_owned())),
    }
}

const fn covers(attempt: &Attempt, number: u64) -> bool {
    attempt.covers_after < number && number <= attempt.covers_to
}

pub(super) const fn routing(event: &EventRow) -> &'static str {
    match event.routing {
        EventRouting::Routed(_) => "routed",
        EventRouting::Unrouted => "unrouted",
        EventRouting::Stale => "stale",
    }
}

pub(super) async fn known(context: &dyn Context, event: &EventRow) -> Result<Known> {
    let found = context.store().record(event.record).await?;
    found.ok_or_else(|| Error::new(Kind::StoreCorrupt, format!("event {} is of a record that is not there", event.id)))
}

fn unknown_record(record_type: &str) -> Error {
    Error::new(Kind::Operator, format!("there is no record of type {record_type} with that key"))
        .with_remedy("check type and key; an event that was refused has made no record: `syncline dead-letters list`")
}
