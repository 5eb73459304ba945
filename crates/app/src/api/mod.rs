//! The process's door for callers: events over HTTP, and health.
//!
//! Promises: `202` is said after the commit, never before; whatever is refused is refused with a problem (RFC 9457) that names the
//! place and the remedy; one caller cannot keep another from being served. Loopback unless the configuration says otherwise.
//! Leaves to others: reading bodies (`adapters`), judging and committing (intake), what the figures are (`engine::metrics`).

mod admission;
mod auth;
mod certificate;
mod connection;
mod events;
mod follow;
mod health;
mod limits;
mod metrics;
mod peers;
mod problem;
mod router;
mod server;

pub use auth::{Bearer, TokenBook, make_secret};
pub use problem::{Code, Fault, Problem};
pub use router::{Gate, router};
pub use server::{Serving, serve};
