//! Who owns which field, and where two systems disagree.
//!
//! Run: `cargo run --example boundary`

use syncline::boundary::{Party, RecordAuthority, Sighting, SyncBoundary, Timestamp, Value};

/// Finds one conflict and three agreements.
pub fn main() -> Result<(), Box<dyn std::error::Error>> {
    let boundary = SyncBoundary::new("contacts", "internal", "hubspot")
        .with_field("name", RecordAuthority::SystemA)
        .with_field("email", RecordAuthority::SystemA)
        .with_field("phone", RecordAuthority::Shared)
        .with_field("score", RecordAuthority::SystemB)
        .without("score");
    println!("synced: {:?}; ours: {:?}", boundary.synced_fields(), boundary.fields_owned_by(RecordAuthority::SystemA));

    let (old, new, other) = (Some(Value::text("+15551234")), Some(Value::text("+15559999")), Some(Value::text("+15550000")));
    let seen = |field: &'static str, a, b| Sighting {
        field,
        record_id: "A1234",
        value_a: a,
        value_b: b,
        a_modified_at: Some(Timestamp(1)),
        b_modified_at: Some(Timestamp(2)),
    };
    let find = |field, a, b| boundary.detect_conflict(seen(field, a, b), old.as_ref(), Timestamp(3));
    assert!(find("phone", &new, &new).is_none(), "both hold the same");
    assert!(find("phone", &new, &old).is_none(), "only one side changed");
    assert!(find("score", &new, &other).is_none(), "the field is excluded");
    let conflict = find("phone", &new, &other).ok_or("both sides changed, and nobody noticed")?;
    println!("{} of {} is contested; the last writer is {:?}", conflict.field, conflict.record_id, conflict.last_writer());
    assert_eq!(conflict.last_writer(), Some(Party::SystemB));
    Ok(())
}
