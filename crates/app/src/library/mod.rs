//! What a program that embeds Syncline builds on: one name for each use, over the crates that do the work.
//!
//! Promises: nothing here decides; the engine and the command line do their work through the same code.
//! Leaves to others: whole runs of a configuration file (`cli::run`).

pub mod adapter;
pub mod embed;
