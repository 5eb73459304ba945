//! Salesforce and HubSpot emulators on loopback or in process, and the oracle that judges what they hold.
//!
//! Depends on nothing of Syncline's: no mapping, encoding or decoding is shared, so that a mistake there shows here.

pub mod crm;
pub mod exchange;
pub mod faults;
pub mod hubspot;
pub mod journal;
pub mod oracle;
pub mod salesforce;
pub mod sandbox;
pub mod server;
pub mod traffic;
