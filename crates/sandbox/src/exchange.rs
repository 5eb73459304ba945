//! One HTTP exchange as the emulators see it: free of sockets, so that a server and a simulator share them.
//!
//! Promises: header names are lower case; query values are percent-decoded; bodies are bytes.
//! Leaves to others: sockets and chunking (`server`), faults (`faults`).

use std::collections::BTreeMap;

/// Milliseconds since the Unix epoch, as the caller's clock tells them.
pub type Millis = i64;

/// Which emulated CRM is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum System {
    /// The Salesforce org.
    Salesforce,
    /// The HubSpot account.
    HubSpot,
}

impl System {
    /// `salesforce` or `hubspot`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Salesforce => "salesforce",
            Self::HubSpot => "hubspot",
        }
    }

    /// The system of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Salesforce, Self::HubSpot].into_iter().find(|system| system.name() == name)
    }
}

impl std::fmt::Display for System {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Upper-case verb.
    pub method: String,
    /// Path, still percent-encoded, without the query.
    pub path: String,
    /// Decoded query pairs in the order they came.
    pub query: Vec<(String, String)>,
    /// Headers by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The raw body.
    pub body: Vec<u8>,
}

impl Request {
    /// The first query value of that name.
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// An answer as it goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers, names in the spelling of the vendor.
    pub headers: Vec<(String, String)>,
    /// The raw body.
    pub body: Vec<u8>,
}
