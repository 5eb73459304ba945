//! Every party that Syncline can keep in step, each in a folder with the same rooms.
//!
//! Promises: nothing outside its own folder depends on how a system works inside.
//! Leaves to others: which systems a configuration names and how they are joined.

pub mod answers;
pub mod caretaker;
pub mod file;
pub mod findings;
pub mod generator;
pub mod http;
pub mod hubspot;
pub mod means;
pub mod object_use;
pub mod refusals;
pub mod salesforce;
pub mod tokens;
pub mod vault;
pub mod wire_form;
