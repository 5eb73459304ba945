//! What the engine asks of the world. Each port is a promise in `docs/spec` with a contract suite in the testkit.

pub mod clock;
pub mod feed;
pub mod store;
pub mod writer;
