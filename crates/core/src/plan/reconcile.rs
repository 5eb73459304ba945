//! What one link needs, from ours, theirs and base.
//!
//! Promises: pure; the same three give the same plan; a generation of ours that is not base's plans a delete before anything
//! else; a field whose authority is theirs is written on create only; a value that keeps theirs makes no plan. Leaves to others: when it is done (`dispatch`),
//! reading theirs (without a feed it is `NotRead`, and a due write carries every field that we own).

use std::collections::BTreeMap;

use crate::attempt::RowValues;
use crate::boundary::RecordAuthority;
use crate::dispatch::planted::{Bug, Planted};
use crate::link::{Base, Link, Presence};
use crate::outcome::{Rejection, Theirs};
use crate::plan::mapping::{Row, project};
use crate::record::{Fields, Record, RecordState, Value};
use crate::terms::Terms;

/// Our side of a link.
#[derive(Debug, Clone, Copy)]
pub struct Ours<'a> {
    /// The record.
    pub record: &'a Record,
    /// Whether every place that should hold it now is proven to; a place that it leaves waits for that.
    pub successors_proven: bool,
}

/// What one link needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Nothing is to be written.
    Nothing,
    /// Bring it into being with these values.
    Create(RowValues),
    /// Change it, by their id, to these values.
    Update(RowValues),
    /// Remove it, by their id; `covers_to` is the last delivery that this settles.
    Delete {
        /// Up to which delivery.
        covers_to: u64,
        /// Whether the record goes on living elsewhere.
        moved: bool,
    },
    /// The new side of a move is not proven yet.
    WaitForMove,
    /// It cannot be written as it is.
    Refuse(Rejection),
}

/// What is to be done about one field pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldPlan {
    /// Both hold the same.
    Agree,
    /// Ours goes out.
    Push,
    /// Theirs comes in.
    Pull,
    /// Both changed, and nobody can say who is right: a person decides.
    Review,
}

/// Plans one link.
#[must_use]
pub fn reconcile(ours: Ours<'_>, theirs: &Theirs, link: &Link, terms: &Terms, planted: Planted) -> Plan {
    let record = ours.record;
    let there = match theirs {
        Theirs::NotRead => link.side.external_id.is_some(),
        Theirs::Absent => false,
        Theirs::Live { .. } => true,
    };
    let gone_or_leaving = record.state == RecordState::Deleted || link.duty.desired == Presence::Absent;
    if gone_or_leaving {
        let successors_proven = ours.successors_proven || planted.has(Bug::MoveDeletesFirst);
        return plan_absence(Ours { successors_proven, ..ours }, link, there);
    }
    let base_generation = link.side.base.as_ref().map(|base| base.generation);
    let other_life = base_generation.is_some_and(|generation| generation != record.generation);
    if there && other_life && !planted.has(Bug::CoalesceAcrossDelete) {
        return Plan::Delete { covers_to: link.duty.generation_start, moved: false };
    }
    plan_presence(record, theirs, link, terms, there)
}

fn plan_absence(ours: Ours<'_>, link: &Link, there: bool) -> Plan {
    let moved = ours.record.state == RecordState::Live;
    match (there, moved && !ours.successors_proven) {
        (false, _) => Plan::Nothing,
        (true, true) => Plan::WaitForMove,
        (true, false) => Plan::Delete { covers_to: link.duty.opened, moved },
    }
}

fn plan_presence(record: &Record, theirs: &Theirs, link: &Link, terms: &Terms, there: bool) -> Plan {
    let values = match project(terms, &link.object, &record.key, &record.fields) {
        Ok(projected) => projected.values,
        Err(rejection) => return Plan::Refuse(rejection),
    };
    if !there {
        return Plan::Create(values);
    }
    let base = link.base();
    let mut owned = RowValues::new();
    let mut changed = false;
    for row in &terms.rows {
        // A row that keeps theirs is as if it were not mapped: it says nothing, and makes nothing due.
        let Some(ours) = values.get(&row.name).cloned() else { continue };
        let plan = field_plan(row, &ours, their_value(theirs, &row.name).as_ref(), base);
        let writes = match row.authority {
            RecordAuthority::SystemA => {
                changed |= plan == FieldPlan::Push;
                true
            }
            RecordAuthority::Shared => {
                changed |= plan == FieldPlan::Push;
                plan == FieldPlan::Push
            }
            RecordAuthority::SystemB | RecordAuthority::Manual => false,
        };
        if writes {
            owned.insert(row.name.clone(), ours);
        }
    }
    if changed { Plan::Update(owned) } else { Plan::Nothing }
}

fn their_value(theirs: &Theirs, row: &str) -> Option<Option<Value>> {
    match theirs {
        Theirs::NotRead | Theirs::Absent => None,
        Theirs::Live { rows, .. } => Some(rows.get(row).cloned()),
    }
}

/// Decides one field pair. `theirs` None is not read: what base says of them is taken for present.
#[must_use]
pub fn field_plan(row: &Row, ours: &Option<Value>, theirs: Option<&Option<Value>>, base: Option<&Base>) -> FieldPlan {
    let base = base.and_then(|base| base.rows.get(&row.name)).filter(|base| base.digest == row.digest);
    let ours_changed = base.is_none_or(|base| !row.agrees(&base.ours, ours));
    let theirs_changed = match (theirs, base) {
        (None, _) => false,
        (Some(theirs), Some(base)) => !row.agrees(base.their_half(), theirs),
        (Some(_), None) => true,
    };
    if let Some(theirs) = theirs
        && row.agrees(ours, theirs)
    {
        return FieldPlan::Agree;
    }
    match (row.authority, ours_changed, theirs_changed) {
        (_, false, false) => FieldPlan::Agree,
        (RecordAuthority::SystemA, _, _) | (RecordAuthority::Shared, true, false) => FieldPlan::Push,
        (RecordAuthority::SystemB, _, true) | (RecordAuthority::Shared, false, true) => FieldPlan::Pull,
        (RecordAuthority::SystemB, true, false) => FieldPlan::Agree,
        (RecordAuthority::Shared, true, true) | (RecordAuthority::Manual, _, _) => FieldPlan::Review,
    }
}

/// What base becomes once `values` are proven written: our half as sent, theirs as returned or read, where known.
#[must_use]
pub fn new_base(terms: &Terms, generation: u32, values: &RowValues, returned: Option<&Fields>, old: Option<&Base>) -> Base {
    let mut rows: BTreeMap<_, _> =
        old.filter(|old| old.generation == generation).map(|old| old.rows.clone()).unwrap_or_default();
    for row in &terms.rows {
        let Some(ours) = values.get(&row.name) else { continue };
        let theirs = returned.map(|fields| fields.get(&row.name).cloned()).filter(|theirs| theirs != ours);
        rows.insert(row.name.clone(), crate::link::BaseRow { digest: row.digest, ours: ours.clone(), theirs });
    }
    Base { generation, rows }
}

#[cfg(test)]
#[path = "reconcile_tests.rs"]
mod tests;
