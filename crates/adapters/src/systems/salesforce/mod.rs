//! Salesforce: Leads and Contacts of one org, written through sObject Collections with our key as an external id.
//!
//! Promises: nothing outside this folder knows Salesforce's addresses, bodies or codes.
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
