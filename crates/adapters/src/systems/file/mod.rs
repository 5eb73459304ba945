//! A file of JSON lines, followed or read once, and standard input.
//!
//! Promises: the port's; a file's epoch is its path and the digest of its first line, so an append keeps it, while another first
//! line or a file shorter than the checkpoint opens a new one, read from its start.
//! Leaves to others: what the lines say (`core::event`).

pub mod config;
pub mod feed;
mod lines;
pub mod stdin;
