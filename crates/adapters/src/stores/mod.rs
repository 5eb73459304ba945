//! Where everything durable is kept: one folder per database behind the engine's store port.
//!
//! Promises: SQL is written nowhere else; every store keeps docs/spec/store.md and passes the same contract suite.
//! Leaves to others: what the rows mean (`core`), which store a configuration names (the app).

pub mod sqlite;
