//! The command line as its users meet it: the binary, its output, and its exit codes.
//!
//! Promises: nothing is mocked: commands run as processes, over stores and CRMs that are made here. Times are left out of goldens.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "cli/canaries.rs"]
mod canaries;
#[path = "cli/commands.rs"]
mod commands;
#[path = "cli/drift.rs"]
mod drift;
#[path = "cli/manners.rs"]
mod manners;
#[path = "cli/mapping_tests.rs"]
mod mapping_tests;
#[path = "cli/operators.rs"]
mod operators;
#[path = "cli/preview.rs"]
mod preview;
#[path = "cli/reference.rs"]
mod reference;
#[path = "cli/reload.rs"]
mod reload;
#[path = "cli/resync.rs"]
mod resync;
#[path = "cli/sign_in.rs"]
mod sign_in;
#[path = "cli/tail.rs"]
mod tail;
#[path = "cli/world.rs"]
mod world;
