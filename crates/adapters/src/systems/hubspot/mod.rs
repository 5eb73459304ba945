//! HubSpot: contacts of one account, written by batch calls with our key as a unique property.
//!
//! Promises: nothing outside this folder knows HubSpot's addresses, bodies or codes.
//! Leaves to others: what to write and when (`syncline_core`), carrying bytes (`transport`).

pub mod auth;
pub mod care;
pub mod client;
pub mod config;
pub mod decode;
pub mod encode;
pub mod errors;
pub mod limits;
pub mod schema;
pub mod writer;
