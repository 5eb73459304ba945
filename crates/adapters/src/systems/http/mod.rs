//! Events that callers hand over with requests, and wait for an answer to.
//!
//! Promises: the port's; a caller is told what became of each of its events after they are durable, or that they may not be.
//! Leaves to others: sockets, tokens and status codes (the app's doors).

pub mod config;
pub mod decode;
pub mod feed;
pub mod queue;
