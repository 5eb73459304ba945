//! Disagreement: both sides changed one field since they last agreed.
//!
//! Promises: a field is in conflict if and only if it is synced, the two values differ, and no last value is known from
//! which only one side differs. There are two forms: the published one compares values as they are and takes an unknown
//! last value and "never" for one thing; the stricter one, which the engine uses, tells `Never` from a last value that was
//! null and compares canonically, so that an external system's normalisation is no edit.
//! Leaves to others: what is done about it (`plan::reconcile`).

use crate::boundary::SyncBoundary;
use crate::record::Value;
use crate::schema::{FieldType, canonical_eq};
use crate::time::Timestamp;

/// One field of one record as both sides hold it.
#[derive(Debug, Clone, Copy)]
pub struct Sighting<'a> {
    /// The field.
    pub field: &'a str,
    /// The record.
    pub record_id: &'a str,
    /// What system A holds.
    pub value_a: &'a Option<Value>,
    /// What system B holds.
    pub value_b: &'a Option<Value>,
    /// When A last changed it, if that is known.
    pub a_modified_at: Option<Timestamp>,
    /// When B last changed it, if that is known.
    pub b_modified_at: Option<Timestamp>,
}

/// What both sides held when they last agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LastSync {
    /// They never have.
    Never,
    /// This value; null is one.
    Value(Option<Value>),
}

/// Both sides changed one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncConflict {
    /// The field.
    pub field: String,
    /// The record.
    pub record_id: String,
    /// What system A holds.
    pub value_a: Option<Value>,
    /// What system B holds.
    pub value_b: Option<Value>,
    /// What both held before, if that is known.
    pub last_sync_value: LastSync,
    /// When A last changed it, if that is known.
    pub a_modified_at: Option<Timestamp>,
    /// When B last changed it, if that is known.
    pub b_modified_at: Option<Timestamp>,
    /// When the conflict was seen.
    pub detected_at: Timestamp,
}

/// One of the two systems of a boundary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// The internal system.
    SystemA,
    /// The external system.
    SystemB,
}

impl SyncConflict {
    /// The side with the later time; none if either time is missing or both are the same.
    #[must_use]
    pub fn last_writer(&self) -> Option<Party> {
        match self.a_modified_at?.cmp(&self.b_modified_at?) {
            std::cmp::Ordering::Less => Some(Party::SystemB),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(Party::SystemA),
        }
    }
}

impl SyncBoundary {
    /// The published form: values as they are; a `last_sync_value` of none is unknown.
    #[must_use]
    pub fn detect_conflict(
        &self,
        seen: Sighting<'_>,
        last_sync_value: Option<&Value>,
        detected_at: Timestamp,
    ) -> Option<SyncConflict> {
        let last = last_sync_value.map_or(LastSync::Never, |value| LastSync::Value(Some(value.clone())));
        self.conflict(seen, last, detected_at, |a, b| a == b)
    }

    /// The stricter form: canonical equality by `field_type`, and null is a value.
    #[must_use]
    pub fn detect_conflict_strictly(
        &self,
        field_type: &FieldType,
        seen: Sighting<'_>,
        last: LastSync,
        detected_at: Timestamp,
    ) -> Option<SyncConflict> {
        self.conflict(seen, last, detected_at, |a, b| canonical_eq(field_type, a, b))
    }

    fn conflict(
        &self,
        seen: Sighting<'_>,
        last: LastSync,
        detected_at: Timestamp,
        same: impl Fn(&Option<Value>, &Option<Value>) -> bool,
    ) -> Option<SyncConflict> {
        if !self.is_synced(seen.field) || same(seen.value_a, seen.value_b) {
            return None;
        }
        if let LastSync::Value(last) = &last
            && (same(seen.value_a, last) || same(seen.value_b, last))
        {
            return None;
        }
        Some(SyncConflict {
            field: seen.field.to_owned(),
            record_id: seen.record_id.to_owned(),
            value_a: seen.value_a.clone(),
            value_b: seen.value_b.clone(),
            last_sync_value: last,
            a_modified_at: seen.a_modified_at,
            b_modified_at: seen.b_modified_at,
            detected_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{LastSync, Party, Sighting};
    use crate::boundary::{RecordAuthority, SyncBoundary};
    use crate::record::Value;
    use crate::schema::FieldType;
    use crate::time::Timestamp;

    const NOW: Timestamp = Timestamp(9);

    fn boundary() -> SyncBoundary {
        SyncBoundary::new("contacts", "internal", "crm")
            .with_field("email", RecordAuthority::SystemA)
            .with_field("note", RecordAuthority::Shared)
            .without("note")
    }

    fn some(text: &str) -> Option<Value> {
        Some(Value::text(text))
    }

    fn seen<'a>(field: &'a str, a: &'a Option<Value>, b: &'a Option<Value>) -> Sighting<'a> {
        let (a_modified_at, b_modified_at) = (Some(Timestamp(1)), Some(Timestamp(2)));
        Sighting { field, record_id: "A1", value_a: a, value_b: b, a_modified_at, b_modified_at }
    }

    #[test]
    fn the_published_form_follows_its_table() {
        let (x, y, z, x_padded) = (some("x"), some("y"), some("z"), some("x "));
        let find = |field, a, b, last: &Option<Value>| boundary().detect_conflict(seen(field, a, b), last.as_ref(), NOW);
        assert_eq!(find("note", &x, &y, &None), None, "excluded");
        assert_eq!(find("colour", &x, &y, &None), None, "unmapped");
        assert_eq!(find("email", &x, &x, &z), None, "equal");
        assert_eq!(find("email", &x, &y, &x), None, "only B changed");
        assert_eq!(find("email", &x, &y, &y), None, "only A changed");
        assert!(find("email", &x, &y, &z).is_some(), "both changed");
        assert!(find("email", &x, &y, &None).is_some(), "no last value");
        assert!(find("email", &None, &y, &None).is_some(), "null is a value of a side");
        assert!(find("email", &x_padded, &x, &None).is_some(), "compares as it is");
    }

    #[test]
    fn a_conflict_carries_all_that_it_was_found_by() {
        let (x, y, z) = (some("x"), some("y"), Value::text("z"));
        let conflict = boundary().detect_conflict(seen("email", &x, &y), Some(&z), NOW).unwrap();
        assert_eq!((conflict.field.as_str(), conflict.record_id.as_str()), ("email", "A1"));
        assert_eq!((&conflict.value_a, &conflict.value_b), (&x, &y));
        assert_eq!(conflict.last_sync_value, LastSync::Value(Some(z)));
        assert_eq!((conflict.a_modified_at, conflict.b_modified_at), (Some(Timestamp(1)), Some(Timestamp(2))));
        assert_eq!(conflict.detected_at, NOW);
    }

    #[test]
    fn the_last_writer_is_the_later_side_or_nobody() {
        let (x, y) = (some("x"), some("y"));
        let mut conflict = boundary().detect_conflict(seen("email", &x, &y), None, NOW).unwrap();
        assert_eq!(conflict.last_writer(), Some(Party::SystemB));
        conflict.a_modified_at = Some(Timestamp(3));
        assert_eq!(conflict.last_writer(), Some(Party::SystemA));
        conflict.b_modified_at = Some(Timestamp(3));
        assert_eq!(conflict.last_writer(), None);
        conflict.b_modified_at = None;
        assert_eq!(conflict.last_writer(), None);
        (conflict.a_modified_at, conflict.b_modified_at) = (None, Some(Timestamp(3)));
        assert_eq!(conflict.last_writer(), None);
    }

    #[test]
    fn the_stricter_form_tells_never_from_null_and_forgives_normalisation() {
        let (x, y) = (some("x@example.com"), some("y@example.com"));
        let (x_padded, x_shouted) = (some(" x@EXAMPLE.com "), some("x@Example.COM"));
        let find = |a, b, last| boundary().detect_conflict_strictly(&FieldType::Email, seen("email", a, b), last, NOW);
        assert!(find(&None, &y, LastSync::Never).is_some(), "never synced, and they differ");
        assert_eq!(find(&None, &y, LastSync::Value(None)), None, "only B changed, from null");
        assert_eq!(find(&x, &x_padded, LastSync::Never), None, "the same e-mail");
        assert_eq!(find(&x_shouted, &y, LastSync::Value(x.clone())), None, "A did not change");
        assert!(find(&x, &y, LastSync::Value(None)).is_some(), "both changed");
    }
}
