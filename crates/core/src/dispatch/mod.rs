//! When an account's work goes out, what shares a request, and what an answer means.
//!
//! `lane` is the list of moves; each kind of move has its own file: `arrive` (a link is planned), `request` (a request is
//! formed), `settle` (an item is answered), `hold` (nobody knows what became of it), `taken` (another record holds its value),
//! `drift` (their schema no longer fits the mapping).
//! Promises: at most one request of a record under way; quota never over; what is not proven is not closed.
//! Leaves to others: what one link needs (`plan`), doing it (`engine::workers::dispatcher`).

mod arrive;
pub mod batch;
mod drift;
mod entry;
pub mod guard;
mod hold;
pub mod lane;
pub mod moves;
pub mod planted;
mod queue;
pub mod quota;
mod request;
mod settle;
mod taken;

#[cfg(test)]
mod tests;
