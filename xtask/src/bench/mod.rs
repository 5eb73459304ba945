//! Measurements of the built binary, one file each.
//!
//! Promises: figures are of the product's process alone, and nothing is measured that was not proven to have happened.
//! Leaves to others: building the binary (`cargo build --release -p syncline`).

pub(crate) mod end_to_end;
pub(crate) mod http;
mod process;
