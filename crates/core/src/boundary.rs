//! The contract between system A and one system B for one record type: who owns which field.
//!
//! Promises: a field without an authority is not synced; an excluded field is not synced whatever its authority; fields are
//! told in the order in which they were declared.
//! Leaves to others: how fields map (`plan::mapping`), what is written (`plan::reconcile`), disagreement (`conflict`).

use serde::{Deserialize, Serialize};

/// Who is right about a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordAuthority {
    /// System A: its change goes out, a change in B is overwritten or queued for review.
    SystemA,
    /// System B: its change comes in.
    SystemB,
    /// Either side may change it; if both did, the last writer is right.
    Shared,
    /// A person decides before anything is written.
    Manual,
}

impl RecordAuthority {
    /// Every authority.
    pub const ALL: [Self; 4] = [Self::SystemA, Self::SystemB, Self::Shared, Self::Manual];

    /// The authority's name in configuration and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SystemA => "system_a",
            Self::SystemB => "system_b",
            Self::Shared => "shared",
            Self::Manual => "manual",
        }
    }
}

/// What two systems agreed on for one record type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncBoundary {
    /// The record type.
    pub record_type: String,
    /// The internal system.
    pub system_a_id: String,
    /// The external system.
    pub system_b_id: String,
    /// Who owns each mapped field, in declaration order. Of two entries for one field the last counts.
    #[serde(default)]
    pub field_authority: Vec<(String, RecordAuthority)>,
    /// Fields that are never synced.
    #[serde(default)]
    pub excluded_fields: Vec<String>,
    /// Whether a change in B of a field that A owns is queued for review instead of overwritten.
    #[serde(default)]
    pub allow_system_b_override: bool,
}

impl SyncBoundary {
    /// A boundary that syncs nothing yet.
    pub fn new(record_type: impl Into<String>, system_a_id: impl Into<String>, system_b_id: impl Into<String>) -> Self {
        Self {
            record_type: record_type.into(),
            system_a_id: system_a_id.into(),
            system_b_id: system_b_id.into(),
            field_authority: Vec::new(),
            excluded_fields: Vec::new(),
            allow_system_b_override: false,
        }
    }

    /// The same with `field` under `authority`; a field that has one keeps its place.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>, authority: RecordAuthority) -> Self {
        let field = field.into();
        match self.field_authority.iter_mut().find(|(name, _)| *name == field) {
            Some(entry) => entry.1 = authority,
            None => self.field_authority.push((field, authority)),
        }
        self
    }

    /// The same without `field`, whatever its authority.
    #[must_use]
    pub fn without(mut self, field: impl Into<String>) -> Self {
        self.excluded_fields.push(field.into());
        self
    }

    /// Who owns `field`; none if it is excluded or unmapped.
    #[must_use]
    pub fn authority_for(&self, field: &str) -> Option<RecordAuthority> {
        if self.is_excluded(field) {
            return None;
        }
        self.field_authority.iter().rev().find(|(name, _)| name == field).map(|(_, authority)| *authority)
    }

    /// Whether `field` is mapped and not excluded.
    #[must_use]
    pub fn is_synced(&self, field: &str) -> bool {
        self.authority_for(field).is_some()
    }

    /// Mapped fields less excluded ones, in declaration order.
    #[must_use]
    pub fn synced_fields(&self) -> Vec<&str> {
        self.fields(|_| true)
    }

    /// The synced fields under `authority`, in declaration order.
    #[must_use]
    pub fn fields_owned_by(&self, authority: RecordAuthority) -> Vec<&str> {
        self.fields(|owner| owner == authority)
    }

    fn is_excluded(&self, field: &str) -> bool {
        self.excluded_fields.iter().any(|excluded| excluded == field)
    }

    fn fields(&self, wanted: impl Fn(RecordAuthority) -> bool) -> Vec<&str> {
        let mut fields: Vec<&str> = Vec::new();
        for (name, _) in &self.field_authority {
            if !fields.contains(&name.as_str()) && self.authority_for(name).is_some_and(&wanted) {
                fields.push(name);
            }
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::{RecordAuthority, SyncBoundary};

    fn boundary() -> SyncBoundary {
        SyncBoundary::new("contacts", "internal", "crm")
            .with_field("phone", RecordAuthority::SystemB)
            .with_field("name", RecordAuthority::SystemA)
            .with_field("email", RecordAuthority::SystemA)
            .with_field("note", RecordAuthority::Shared)
            .with_field("owner", RecordAuthority::Manual)
            .without("email")
    }

    #[test]
    fn an_excluded_or_unmapped_field_has_no_authority() {
        let boundary = boundary();
        assert_eq!(boundary.authority_for("name"), Some(RecordAuthority::SystemA));
        assert_eq!(boundary.authority_for("email"), None);
        assert_eq!(boundary.authority_for("colour"), None);
        assert!(boundary.is_synced("phone") && !boundary.is_synced("email") && !boundary.is_synced("colour"));
    }

    #[test]
    fn synced_fields_keep_the_order_of_declaration() {
        let boundary = boundary();
        assert_eq!(boundary.synced_fields(), ["phone", "name", "note", "owner"]);
        assert_eq!(boundary.fields_owned_by(RecordAuthority::SystemA), ["name"]);
        assert_eq!(boundary.fields_owned_by(RecordAuthority::Shared), ["note"]);
        assert_eq!(SyncBoundary::new("contacts", "a", "b").synced_fields(), Vec::<&str>::new());
    }

    #[test]
    fn a_field_that_is_declared_twice_is_listed_once_under_its_last_authority() {
        let mut boundary = SyncBoundary::new("contacts", "a", "b").with_field("name", RecordAuthority::SystemA);
        boundary.field_authority.push(("name".into(), RecordAuthority::Manual));
        assert_eq!(boundary.synced_fields(), ["name"]);
        assert_eq!(boundary.authority_for("name"), Some(RecordAuthority::Manual));
    }

    #[test]
    fn names_and_defaults_are_the_published_ones() {
        let names: Vec<_> = RecordAuthority::ALL.iter().map(|authority| authority.name()).collect();
        assert_eq!(names, ["system_a", "system_b", "shared", "manual"]);
        for authority in RecordAuthority::ALL {
            assert_eq!(serde_json::to_string(&authority).unwrap(), format!("\"{}\"", authority.name()));
        }
        let bare = r#"{"record_type":"contacts","system_a_id":"a","system_b_id":"b"}"#;
        let boundary: SyncBoundary = serde_json::from_str(bare).unwrap();
        assert_eq!(boundary, SyncBoundary::new("contacts", "a", "b"));
        assert!(!boundary.allow_system_b_override);
    }
}
