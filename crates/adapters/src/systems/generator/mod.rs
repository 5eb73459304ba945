//! An endless, reproducible stream of contact events: what a busy internal system would report.
//!
//! Promises: settings, seed and start decide every byte, on every machine and in every release that keeps the word
//! lists; a place in the stream is told by the seed and a counter alone; updates and deletes name only records that
//! the stream created before and has not deleted; no e-mail ever appears for two records or two revisions.
//! Leaves to others: clocks and pacing, and where the events go.

mod draw;
mod event;
pub mod feed;
mod names;
mod person;
mod settings;
mod stream;

pub use event::{GeneratedEvent, GeneratedItem, Operation};
pub use settings::{CONTACT_TYPES, GeneratorSettings, SettingsError};
pub use stream::Generator;
