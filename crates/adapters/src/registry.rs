//! Every kind of system that a configuration can name, and how its writer is made.
//!
//! Promises: a new system is its own folder and a line in each list here.
//! Leaves to others: reading settings (`app::config`), joining feeds and writers to lanes (`app::wiring`).

use std::sync::Arc;

use syncline_engine::error::Result;

use crate::systems::{hubspot, salesforce};
use crate::systems::caretaker::Caretaker;
use crate::systems::means::Means;

/// One kind of system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// Its name in the configuration.
    pub kind: &'static str,
    /// What it is.
    pub label: &'static str,
    /// Whether it reports changes.
    pub has_feed: bool,
    /// Whether it takes writes.
    pub has_writer: bool,
}

/// Every kind, in the order in which documentation lists them.
pub const KINDS: &[Description] = &[
    Description { kind: "generator", label: "made-up contacts, reproducible from a seed", has_feed: true, has_writer: false },
    Description { kind: "file", label: "change events in a file, one per line", has_feed: true, has_writer: false },
    Description { kind: "stdin", label: "change events on the standard input, one per line", has_feed: true, has_writer: false },
    Description { kind: "salesforce", label: "leads and contacts of one Salesforce org", has_feed: false, has_writer: true },
    Description { kind: "hubspot", label: "contacts of one HubSpot account", has_feed: false, has_writer: true },
];

/// The settings of a system that takes writes.
#[derive(Debug, Clone)]
pub enum WriterSettings {
    /// A Salesforce org.
    Salesforce(salesforce::config::Settings),
    /// A HubSpot account.
    HubSpot(hubspot::config::Settings),
}

/// The writer for those settings, which has not talked to its account yet.
///
/// # Errors
/// `Config` if the settings contradict themselves.
pub fn writer(settings: WriterSettings, means: Means) -> Result<Arc<dyn Caretaker>> {
    Ok(match settings {
        WriterSettings::Salesforce(settings) => Arc::new(salesforce::writer::SalesforceWriter::new(means, settings)?),
        WriterSettings::HubSpot(settings) => Arc::new(hubspot::writer::HubSpotWriter::new(means, settings)?),
    })
}
