//! What the org's automation does to a row while it is saved: assignment rules of leads, and triggers that change values.
//!
//! Promises: an assignment rule gives every lead that a client creates or changes to its owner, unless `Sforce-Auto-Assign: FALSE` came
//! along; a trigger changes each value of its field that anybody writes.
//! Leaves to others: automation that fails (fault scripts, `invalid` with its codes).

use serde::{Deserialize, Serialize};

use super::org::{Actor, Org};
use super::schema::Sobject;
use super::write::{Draft, Stamp};

/// A trigger that changes one field's values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// `Lead`, `Contact` or `Account`.
    pub object: String,
    /// The field, by API name.
    pub field: String,
    /// What becomes of its values.
    pub becomes: Becomes,
}

/// What a trigger makes of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Becomes {
    /// Capital letters.
    Upper,
    /// Small letters.
    Lower,
    /// Its digits alone.
    Digits,
}

impl Becomes {
    fn of(self, value: &str) -> String {
        match self {
            Self::Upper => value.to_uppercase(),
            Self::Lower => value.to_lowercase(),
            Self::Digits => value.chars().filter(char::is_ascii_digit).collect(),
        }
    }
}

impl Org {
    /// Lets the automation change a draft that passed validation.
    pub(super) fn automate(&self, object: Sobject, draft: &mut Draft, stamp: Stamp) {
        let schema = &self.table(object).schema;
        for trigger in self.config.triggers.iter().filter(|trigger| Sobject::named(&trigger.object) == Some(object)) {
            if let Some(number) = schema.stored_number(&trigger.field) {
                draft.change(number, |value| trigger.becomes.of(value));
            }
        }
        let owner = self.config.lead_assignment_owner.as_str();
        let assigns = object == Sobject::Lead && stamp.actor == Actor::Client && stamp.wish.auto_assign && !owner.is_empty();
        if let Some(number) = schema.stored_number("OwnerId").filter(|_| assigns) {
            draft.set(number, owner);
        }
    }
}
