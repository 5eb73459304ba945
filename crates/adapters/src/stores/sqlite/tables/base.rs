//! Reads a link's base back from its JSON.
//!
//! Promises: `"t":null` (they hold nothing, we hold something) and a missing `t` (they hold what we hold) are told apart,
//! which serde by itself does not do for an option within an option.
//! Leaves to others: writing it (`Base` itself), what it means (`core::link`).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use syncline_core::link::{Base, BaseRow};
use syncline_core::record::Value;
use syncline_core::version::Generation;

/// A base as its column holds it.
#[derive(Debug, Deserialize)]
pub(super) struct StoredBase {
    g: Generation,
    r: BTreeMap<String, StoredRow>,
}

#[derive(Debug, Deserialize)]
struct StoredRow {
    d: u32,
    o: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    t: Option<Option<Value>>,
}

impl From<StoredBase> for Base {
    fn from(stored: StoredBase) -> Self {
        let rows = stored.r.into_iter().map(|(name, row)| (name, BaseRow { digest: row.d, ours: row.o, theirs: row.t }));
        Self { generation: stored.g, rows: rows.collect() }
    }
}

/// What is there is a value, even if it is null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Value>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
