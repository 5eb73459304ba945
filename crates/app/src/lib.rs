//! Keeps records in step between the system you own and the CRMs you rent: the binary, and the library for other programs.
//!
//! | to | use | example |
//! | --- | --- | --- |
//! | make up reproducible contact events | [`generator`] | `generator` |
//! | judge events and count what was seen | [`consumer`] | `consumer` |
//! | read a configuration and see every fault at once | [`config`] | `configuration` |
//! | turn records into each CRM's form and back, and route them | [`adapter`], [`config::Config`] | `transformation` |
//! | carry events with their delivery state and retry policy | [`envelope`] | `envelope` |
//! | say who owns which field, and find conflicts | [`boundary`] | `boundary` |
//! | run the engine with systems of your own | [`embed`], [`ports`] | `embed` |
//!
//! Each example is `crates/app/examples/NAME.rs`; `cargo run --example NAME` runs it. A program whose systems speak TLS installs a
//! rustls provider first, as `main` does.

pub mod api;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
mod library;
pub mod mapping_tests;
pub mod reload;
pub mod run;
pub mod wiring;
pub mod witness;

pub use library::{adapter, embed};

/// Made-up contact events: single, in batches, or as a stream without end.
pub mod generator {
    pub use syncline_adapters::systems::generator::{
        CONTACT_TYPES, GeneratedEvent, GeneratedItem, Generator, GeneratorSettings, Operation, SettingsError, feed,
    };
}

/// Events as they stand on the wire, judged and counted.
pub mod consumer {
    pub use syncline_core::event::{Change, ChangeKind, Invalid, OrderBy, SourceSettings, decode};
    pub use syncline_core::schema::{FieldType, Schema, Schemas};
    pub use syncline_engine::consumer::{Consumer, Statistics};
}

/// Events with their delivery state, and when they are tried again.
pub mod envelope {
    pub use syncline_core::envelope::{DeliveryStatus, EventEnvelope, IdempotencyKey, UnknownSchemaVersion};
    pub use syncline_core::retry_policy::RetryPolicy;

    /// A pending event that is made now, with the default policy.
    pub fn new(
        event_id: IdempotencyKey,
        event_type: impl Into<String>,
        source_system: impl Into<String>,
        payload: serde_json::Value,
    ) -> EventEnvelope {
        let now = syncline_engine::ports::clock::Clock::now(&crate::clock::WallClock);
        EventEnvelope::new(event_id, event_type, source_system, payload, now)
    }
}

/// Who owns which field of a record type between two systems, and where they disagree.
pub mod boundary {
    pub use syncline_core::boundary::{RecordAuthority, SyncBoundary};
    pub use syncline_core::conflict::{LastSync, Party, Sighting, SyncConflict};
    pub use syncline_core::plan::mapping::{Codec, Row};
    pub use syncline_core::record::{Fields, Record, Value};
    pub use syncline_core::terms::{FieldRule, OnExisting, OnGone, Terms};
    pub use syncline_core::time::Timestamp;
}

/// What a system of your own implements: a feed, a writer, or both. Their numbered promises are in `docs/spec`.
pub mod ports {
    pub use syncline_core::attempt::Operation;
    pub use syncline_core::checkpoint::Checkpoint;
    pub use syncline_core::dispatch::batch::{Batch, Call, Item, Profile, ReadBatch, ReadBy};
    pub use syncline_core::dispatch::quota::{PoolSpec, Window};
    pub use syncline_core::ids::SourceId;
    pub use syncline_core::outcome::{ExternalFields, Found, Look, Misfit, Outcome, Rejection, Shape, Verdict};
    pub use syncline_engine::error::{Error, Kind, Result};
    pub use syncline_engine::ports::clock::Clock;
    pub use syncline_engine::ports::feed::{Feed, FeedGroup, FeedInput, Polled};
    pub use syncline_engine::ports::writer::{Account, Answer, LookAnswer, ReadAnswer, Writer};
}
