//! What a change says of each field: set it, clear it, or keep it.
//!
//! Promises: absent, null and empty are three things; a patch has no opinion on a field that it does not name.
//! Leaves to others: which fields may be named (`schema`), whose turn it is (`intake`).

use std::collections::BTreeMap;

use crate::record::{FieldName, Fields, Value};

/// A change of one field. A field that a patch lacks is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Becomes this value.
    Set(Value),
    /// Becomes null.
    Clear,
}

/// Changes by field name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Patch(pub BTreeMap<FieldName, Change>);

impl Patch {
    /// Alters `fields` as the patch says.
    pub fn apply_to(&self, fields: &mut Fields) {
        for (name, change) in &self.0 {
            match change {
                Change::Set(value) => {
                    fields.insert(name.clone(), value.clone());
                }
                Change::Clear => {
                    fields.remove(name);
                }
            }
        }
    }
}
