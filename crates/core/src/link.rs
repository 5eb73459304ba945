//! A link: one record in one (system, object), and everything owed to it.
//!
//! Promises: deliveries of a link are numbered from 1 as they open and close in that order, so what is open is the range
//! `closed+1 ..= opened`; intake alone writes `Duty`, the link's lane alone writes `Side`, so neither overwrites the other.
//! Leaves to others: what is to be done (`plan`), when (`dispatch`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{LetterId, LinkId, RecordId, SystemId};
use crate::record::Value;
use crate::time::Timestamp;
use crate::version::Generation;

/// Whether the record should be present in the link's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// The routes name this place.
    Present,
    /// The routes name another place, or the record is deleted.
    Absent,
}

/// Intake's half of a link: what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duty {
    /// Deliveries opened so far.
    pub opened: u64,
    /// How many had been opened when the record's present generation began, or its present stay here after it had left: a delete that
    /// makes way for that generation covers up to here, and so does a removal that is on the way still.
    pub generation_start: u64,
    /// Whether the record should be here.
    pub desired: Presence,
    /// Since when something has been open; a re-marked link keeps its place in line.
    pub due_since: Timestamp,
}

/// The lane's half of a link: what was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Where the link stands; `Idle` reads as clean or due by what is open.
    pub state: SideState,
    /// Deliveries closed so far.
    pub closed: u64,
    /// How many of them ended `unchanged`: no attempt and no letter tells of these.
    pub unchanged: u64,
    /// How many of them ended `superseded`.
    pub superseded: u64,
    /// The CRM's id of the record; present if and only if the link is proven.
    pub external_id: Option<String>,
    /// What both sides held when they last agreed.
    pub base: Option<Base>,
    /// Failed tries since the last success, for the backoff.
    pub failures: u32,
    /// When the present run of transient failures began, for the time budget.
    pub failing_since: Option<Timestamp>,
    /// When the link may be tried again, if it backs off.
    pub until: Option<Timestamp>,
    /// The waiting letters of this link, one per cause.
    pub letters: Vec<LetterRef>,
    /// The link that this one waits for because it holds a value that this one needs.
    pub waits_for: Option<LinkId>,
}

impl Default for Side {
    fn default() -> Self {
        Self {
            state: SideState::Idle,
            closed: 0,
            unchanged: 0,
            superseded: 0,
            external_id: None,
            base: None,
            failures: 0,
            failing_since: None,
            until: None,
            letters: Vec::new(),
            waits_for: None,
        }
    }
}

/// A waiting letter and its cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterRef {
    /// The letter.
    #[serde(rename = "l")]
    pub id: LetterId,
    /// The cause: the rejection's code and field.
    #[serde(rename = "c")]
    pub cause: String,
}

/// What the lane stores of a link's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SideState {
    /// Nothing under way: clean if nothing is open, else due.
    Idle,
    /// An attempt is durable and not settled.
    InFlight,
    /// An attempt's fate is unknown.
    Held,
    /// Waits to be tried again.
    BackingOff,
    /// Waits for another link: the new side of a move, or the holder of a value.
    Waiting,
    /// Stopped until an operator resumes.
    Paused,
    /// Given up: a letter holds it until a newer event or a replay.
    Dead,
}

/// One link as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its id.
    pub id: LinkId,
    /// The record of ours.
    pub record: RecordId,
    /// The system it is in.
    pub system: SystemId,
    /// The object in that system (`Lead`, `contacts`).
    pub object: String,
    /// What was asked for.
    pub duty: Duty,
    /// What was done.
    pub side: Side,
    /// Deliveries up to this one are planned as if nothing were known of theirs: a resync wished it so. 0 is none.
    pub forced_to: u64,
}

impl Link {
    /// What both sides held when they last agreed, unless a resync wishes that forgotten.
    #[must_use]
    pub fn base(&self) -> Option<&Base> {
        self.side.base.as_ref().filter(|_| self.side.closed >= self.forced_to)
    }

    /// How many deliveries are open.
    #[must_use]
    pub const fn open(&self) -> u64 {
        self.duty.opened.saturating_sub(self.side.closed)
    }

    /// Where the link stands, as people are told.
    #[must_use]
    pub const fn state(&self) -> LinkState {
        match self.side.state {
            SideState::Idle | SideState::Dead if self.open() > 0 => LinkState::Due,
            SideState::Idle => LinkState::Clean,
            SideState::InFlight => LinkState::InFlight,
            SideState::Held => LinkState::Held,
            SideState::BackingOff => LinkState::BackingOff,
            SideState::Waiting => LinkState::Waiting,
            SideState::Paused => LinkState::Paused,
            SideState::Dead => LinkState::Dead,
        }
    }

    /// Whether an event of the record concerns this link although no route names it: it is proven, or has open work or a letter.
    #[must_use]
    pub fn is_concerned(&self) -> bool {
        self.side.external_id.is_some() || self.open() > 0 || !self.side.letters.is_empty()
    }
}

/// Whether every other place that should hold the record's present generation is proven to, by a delivery of its present stay: a place
/// that was left and is wanted again may have its removal on the way still, and that closes earlier deliveries only.
#[must_use]
pub fn successors_proven(links: &[Link], link: LinkId, generation: Generation) -> bool {
    let holds = |other: &Link| {
        let is_there = other.side.external_id.is_some() && other.side.base.as_ref().is_some_and(|base| base.generation == generation);
        is_there && other.side.closed > other.duty.generation_start
    };
    links.iter().filter(|other| other.id != link && other.duty.desired == Presence::Present).all(holds)
}

/// Where a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// Nothing open.
    Clean,
    /// Something open, nothing under way.
    Due,
    /// An attempt is under way.
    InFlight,
    /// An attempt's fate is unknown.
    Held,
    /// Waits to be tried again.
    BackingOff,
    /// Waits for another link.
    Waiting,
    /// Stopped until an operator resumes.
    Paused,
    /// Given up.
    Dead,
}

impl LinkState {
    /// Every state.
    pub const ALL: [Self; 8] =
        [Self::Clean, Self::Due, Self::InFlight, Self::Held, Self::BackingOff, Self::Waiting, Self::Paused, Self::Dead];

    /// The state's name in tables and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Due => "due",
            Self::InFlight => "in flight",
            Self::Held => "held",
            Self::BackingOff => "backing off",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Dead => "dead",
        }
    }
}

/// What both sides held when they last agreed, one entry per mapping row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// The generation of ours that this speaks of.
    #[serde(rename = "g")]
    pub generation: Generation,
    /// Entries by row name; a missing row reads as never synced.
    #[serde(rename = "r")]
    pub rows: BTreeMap<String, BaseRow>,
}

/// One mapping row's halves in canonical internal form. Null is a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseRow {
    /// The row's digest; another digest reads as never synced.
    #[serde(rename = "d")]
    pub digest: u32,
    /// What we held.
    #[serde(rename = "o")]
    pub ours: Option<Value>,
    /// What they held, only where it differs from ours after their normalisation.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none", deserialize_with = "told")]
    pub theirs: Option<Option<Value>>,
}

impl BaseRow {
    /// Their half.
    #[must_use]
    pub fn their_half(&self) -> &Option<Value> {
        self.theirs.as_ref().unwrap_or(&self.ours)
    }
}

/// A record of ours with all its links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The record's id.
    pub id: RecordId,
    /// The record.
    pub record: crate::record::Record,
    /// Its links in every system, by id.
    pub links: Vec<Link>,
}

/// A null that is written down is a value, not an absence.
fn told<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<Value>>, D::Error> {
    Option::<Value>::deserialize(from).map(Some)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Base, Duty, Link, Presence, Side, successors_proven};
    use crate::ids::{LinkId, RecordId, SystemId};
    use crate::time::Timestamp;

    fn link(id: i64, desired: Presence, generation_start: u64) -> Link {
        let base = Base { generation: 1, rows: BTreeMap::new() };
        Link {
            id: LinkId(id),
            record: RecordId(1),
            system: SystemId(1),
            object: "Lead".into(),
            duty: Duty { opened: 5, generation_start, desired, due_since: Timestamp(0) },
            side: Side { closed: 3, external_id: Some("x".into()), base: Some(base), ..Side::default() },
            forced_to: 0,
        }
    }

    /// Left, then wanted again while its removal was on the way: it counts once a delivery of the new stay is closed.
    #[test]
    fn a_successor_is_proven_by_a_delivery_of_its_present_stay() {
        let old = link(1, Presence::Absent, 0);
        let proven = |start, generation| successors_proven(&[old.clone(), link(2, Presence::Present, start)], LinkId(1), generation);
        assert!(proven(0, 1) && proven(2, 1));
        assert!(!proven(3, 1) && !proven(4, 1));
        assert!(!proven(0, 2));
    }
}
