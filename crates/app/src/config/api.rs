//! Reads `api`: where callers are listened to, who they may be, and how much they may ask for.
//!
//! Promises: loopback unless another address is named; tokens stand here as digests, never as secrets.
//! Leaves to others: whether an address is safe to listen on, which the command line and the store have a say in (`crate::api`).

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use syncline_adapters::systems::http::config::QueueSettings;

use super::faults::hide;
use super::raw::Node;
use super::shape;
use super::read::Reader;
use super::systems::{WAIT_MAX, is_name};

/// Where callers are listened to, and under which terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiConfig {
    /// The address.
    pub listen: SocketAddr,
    /// Certificate and key; None for plain HTTP.
    pub tls: Option<TlsFiles>,
    /// A proxy in front ends TLS.
    pub behind_proxy: bool,
    /// Tokens by digest.
    pub tokens: Vec<TokenConfig>,
    /// How much callers may ask for.
    pub limits: ApiLimits,
}

/// Files in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate with its chain.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// A token that the configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenConfig {
    /// Its name, for people.
    pub name: String,
    /// SHA-256 of the token in lower-case hexadecimal digits.
    pub sha256: String,
    /// Whose data it reaches.
    pub tenant: String,
}

/// How much callers may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiLimits {
    /// The longest body in bytes.
    pub body: usize,
    /// Events in one request at most.
    pub events: usize,
    /// Connections at the same time.
    pub connections: usize,
    /// Connections of one address; None for 1,000 where others can reach the door without a proxy in front, and for any number elsewhere.
    pub connections_per_address: Option<usize>,
    /// How long a connection may stand without a whole request head.
    pub idle: Duration,
    /// How long a body may take to come in, and an answer to go out.
    pub body_time: Duration,
    /// Requests by token and second; None for as many as come.
    pub rate: Option<u32>,
    /// What may wait for intake.
    pub queue: QueueSettings,
}

impl Default for ApiLimits {
    fn default() -> Self {
        Self {
            body: 1 << 20,
            events: 1000,
            connections: 16_000,
            connections_per_address: None,
            idle: Duration::from_secs(60),
            body_time: Duration::from_secs(30),
            rate: None,
            queue: QueueSettings::default(),
        }
    }
}

impl Default for ApiConfig {
    fn default() -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
        Self { listen, tls: None, behind_proxy: false, tokens: Vec::new(), limits: ApiLimits::default() }
    }
}

/// The port unless another is named.
const PORT: u16 = 8480;
/// The only tenant there is.
pub const TENANT: &str = "default";

/// Reads `api`; None if there is no such key.
pub(super) fn read(reader: &mut Reader<'_>, node: Option<&Node>) -> Option<ApiConfig> {
    let node = node?;
    let mut config = ApiConfig::default();
    let section = reader.section(node, shape::API)?;
    if let Some(listen) = section.get("listen") {
        let wanted = "an address and a port, such as 127.0.0.1:8480";
        config.listen = reader.parsed(listen, wanted, |text| text.parse().ok()).unwrap_or(config.listen);
    }
    if let Some(flag) = section.get("behind_proxy").and_then(|node| reader.flag(node)) {
        config.behind_proxy = flag;
    }
    config.tls = section.get("tls").and_then(|node| tls(reader, node));
    let named = section.get("tokens").map(|node| reader.list(node, "a list of tokens")).unwrap_or_default();
    for node in named {
        let Some(token) = token(reader, node) else { continue };
        if config.tokens.iter().any(|other| other.name == token.name) {
            reader.fault(node, format!("is a second token called {:?}", token.name), "give every token a name of its own");
        }
        config.tokens.push(token);
    }
    if let Some(node) = section.get("limits") {
        limits(reader, node, &mut config.limits);
    }
    Some(config)
}

fn tls(reader: &mut Reader<'_>, node: &Node) -> Option<TlsFiles> {
    let section = reader.section(node, shape::TLS)?;
    let remedy = "write tls: { cert: FILE, key: FILE }, both in PEM";
    let cert = reader.required(section, "cert", remedy).and_then(|node| reader.text(node, "a path"));
    let key = reader.required(section, "key", remedy).and_then(|node| reader.text(node, "a path"));
    Some(TlsFiles { cert: PathBuf::from(cert?), key: PathBuf::from(key?) })
}

fn token(reader: &mut Reader<'_>, node: &Node) -> Option<TokenConfig> {
    let section = reader.section(node, shape::TOKEN)?;
    let remedy = "write tokens: [ { name: NAME, sha256: DIGEST } ]; `syncline tokens create` makes one";
    let name = reader.required(section, "name", remedy);
    let name = name.and_then(|node| reader.parsed(node, "a name of letters, digits, _ and -", |text| is_name(text).then(|| text.to_owned())));
    let digest = reader.required(section, "sha256", remedy);
    let digest = digest.and_then(|node| sha256(reader, node));
    let tenant = match section.get("tenant") {
        None => Some(TENANT.to_owned()),
        Some(node) => reader.choice(node, "tenant", &[(TENANT, TENANT)]).map(str::to_owned),
    };
    Some(TokenConfig { name: name?, sha256: digest?, tenant: tenant? })
}

/// A digest; whoever pasted the token itself in its place does not see it again.
fn sha256(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    let text = reader.written(node, "64 hexadecimal digits")?.trim().to_lowercase();
    if is_digest(&text) {
        return Some(text);
    }
    hide(node, &mut reader.hidden);
    reader.fault(node, "is no SHA-256 in hexadecimal digits", "write the digest of the token; if the token itself stands here, replace it");
    None
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn limits(reader: &mut Reader<'_>, node: &Node, limits: &mut ApiLimits) {
    let Some(section) = reader.section(node, shape::LIMITS) else { return };
    for (key, limit, min, max) in [
        ("body", &mut limits.body, 1024, 1 << 26),
        ("events", &mut limits.events, 1, 10_000),
        ("connections", &mut limits.connections, 1, 1_000_000),
        ("queue", &mut limits.queue.events_max, 1, 1_000_000),
    ] {
        if let Some(count) = section.get(key).and_then(|node| reader.count(node, min, max)) {
            *limit = count;
        }
    }
    for (key, limit) in [("idle", &mut limits.idle), ("body_time", &mut limits.body_time)] {
        let Some(node) = section.get(key) else { continue };
        match reader.duration(node) {
            Some(time) if time > WAIT_MAX => reader.fault(node, "is longer than an hour", "write a time of an hour at most"),
            Some(time) => *limit = time,
            None => {}
        }
    }
    if let Some(node) = section.get("connections_per_address") {
        limits.connections_per_address = reader.count(node, 1, 1_000_000);
    }
    if let Some(node) = section.get("rate") {
        limits.rate = reader.count(node, 1, 1_000_000).and_then(|count| u32::try_from(count).ok());
    }
}
