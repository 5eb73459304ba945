//! The terms of one boundary: its authority, how fields map, where records go, and what to do about strangers.
//!
//! Promises: everything that `plan` needs to know of a system, with no vendor's name in it.
//! Leaves to others: reading it from a file (`app::config`), the vendor's defaults (`adapters`).

use std::collections::BTreeMap;

use crate::boundary::SyncBoundary;
use crate::plan::mapping::Row;

/// What was agreed for one record type with one system.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// Who owns which field.
    pub boundary: SyncBoundary,
    /// The object that takes each value of the routing field (contact type -> `Lead`).
    pub objects: BTreeMap<String, String>,
    /// Their field that holds our key.
    pub key_field: String,
    /// Their field into which every write puts its attempt's number, so that a read proves just which write landed.
    pub marker: Option<String>,
    /// How fields map, in declaration order.
    pub rows: Vec<Row>,
    /// Values that a create needs and that we do not own, by object: (their field, value).
    pub fillers: BTreeMap<String, Vec<(String, String)>>,
    /// Rules of their fields by object and field, as far as known.
    pub rules: BTreeMap<String, BTreeMap<String, FieldRule>>,
    /// What to do when a create meets a record that is not ours.
    pub on_existing: OnExisting,
    /// What to do when an update meets nothing.
    pub on_gone: OnGone,
}

/// What is known of one of their fields before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldRule {
    /// The longest value in characters.
    pub length_max: Option<usize>,
    /// Must be set on create.
    pub required: bool,
}

/// What to do when a create meets a record that does not bear our key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnExisting {
    /// Take it as the link's record.
    Link,
    /// Give up with a letter.
    #[default]
    Dead,
}

/// What to do when an update by id meets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnGone {
    /// Create it anew.
    Recreate,
    /// Give up with a letter.
    #[default]
    Dead,
}
