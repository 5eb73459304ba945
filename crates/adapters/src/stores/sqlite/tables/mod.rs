//! One file per noun: its table's columns, how its rows are written, and the queries over it.
//!
//! Promises: every column of every table is under a seal. Leaves to others: transactions (`committer`, `reads`).

pub(super) mod attempt;
pub(super) mod call;
pub(super) mod charge;
pub(super) mod config_entry;
pub(super) mod counter;
pub(super) mod event;
pub(super) mod letter;
pub(super) mod link;
pub(super) mod pause;
pub(super) mod pause_object;
pub(super) mod record;
pub(super) mod resync;
pub(super) mod source;
pub(super) mod system;
pub(super) mod token;

use super::row::Table;

/// Every table.
pub(super) const ALL: [&Table; 16] = [
    &system::TABLE,
    &source::CHECKPOINT,
    &source::SEEN,
    &record::TABLE,
    &link::TABLE,
    &resync::TABLE,
    &event::TABLE,
    &attempt::TABLE,
    &charge::TABLE,
    &letter::TABLE,
    &pause::TABLE,
    &pause_object::TABLE,
    &call::TABLE,
    &token::TABLE,
    &config_entry::TABLE,
    &counter::TABLE,
];
