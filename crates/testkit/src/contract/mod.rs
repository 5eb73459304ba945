//! What every adapter behind a port must do, as cases that cite the numbers of `docs/spec`.
//!
//! Promises: a case knows its port only; whoever runs a suite hands in a harness that makes the adapter.
//! Leaves to others: what only one adapter can show (that adapter's own tests).

pub mod feed;
mod feed_lines;
mod feed_order;
pub mod store;
mod store_callers;
mod store_commit;
mod store_lanes;
mod store_life;
mod store_status;

pub use self::store_life::{Life, Places, live};
pub mod writer;
pub mod writer_faults;
pub mod writer_set_up;
pub mod writer_vendors;
pub mod writer_writes;
