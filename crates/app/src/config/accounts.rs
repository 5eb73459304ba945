//! Reads the settings of external systems: address, credentials, limits and our share of the quota.
//!
//! Promises: an address is https unless it is this machine's own; credentials are references. Objects and terms are empty until
//! the boundaries are read. Leaves to others: credentials (`sign_in`), what is agreed (`boundaries`), asking the account (the adapters).

use std::collections::BTreeMap;
use std::time::Duration;

use syncline_adapters::systems::object_use::ObjectUses;
use syncline_adapters::systems::{hubspot, salesforce};
use url::{Host, Url};

use super::checked::{Agreed, HubSpotConfig, SalesforceConfig};
use super::faults::hide;
use super::raw::Node;
use super::shape;
use super::read::{Reader, Section};
use super::sign_in;
use super::systems::WAIT_MAX;

/// Our share of a quota unless another is named.
pub(super) const SHARE_PERMILLE: u64 = 800;
/// The Salesforce API version unless another is named.
pub(super) const SALESFORCE_VERSION: &str = "67.0";
const CONCURRENCY_MAX: u32 = 100;

/// Reads a Salesforce org.
pub(super) fn salesforce(reader: &mut Reader<'_>, node: &Node) -> Option<SalesforceConfig> {
    let section = reader.section(node, shape::SALESFORCE)?;
    let before = reader.faults.len();
    let address = reader.required(section, "url", "write the org's My Domain address, such as https://acme.my.salesforce.com");
    let address = address.and_then(|node| url(reader, node));
    let remedy = "write auth: { client_credentials: { id: …, secret: ${SF_SECRET} } }";
    let auth = reader.required(section, "auth", remedy).and_then(|node| sign_in::to_org(reader, node));
    let version = match section.get("api_version") {
        None => Some(SALESFORCE_VERSION.to_owned()),
        Some(node) => reader.parsed(node, "a version such as 67.0, and 46.0 at least", salesforce_version),
    };
    let limits = limits(reader, section, shape::ORG_QUOTA);
    if reader.faults.len() > before {
        return None;
    }
    let mut settings = salesforce::config::Settings::signed_in_by(auth?, address?, ObjectUses::new());
    settings.api_version = version?;
    settings.timeout = limits.timeout.unwrap_or(settings.timeout);
    settings.linger_max = limits.linger_max.unwrap_or(settings.linger_max);
    settings.concurrency = limits.concurrency.unwrap_or(settings.concurrency);
    settings.day_limit = limits.day.unwrap_or(settings.day_limit);
    Some(SalesforceConfig { settings, agreed: limits.agreed() })
}

/// Reads a HubSpot account.
pub(super) fn hubspot(reader: &mut Reader<'_>, node: &Node) -> Option<HubSpotConfig> {
    let section = reader.section(node, shape::HUBSPOT)?;
    let before = reader.faults.len();
    let token = sign_in::to_portal(reader, section);
    let address = section.get("url").map_or_else(|| Url::parse(hubspot::config::ADDRESS).ok(), |node| url(reader, node));
    let version = section.get("api_version").map(|node| reader.parsed(node, "v3 or a date such as 2026-03", hubspot_version));
    let limits = limits(reader, section, shape::PORTAL_QUOTA);
    if reader.faults.len() > before {
        return None;
    }
    let mut settings = hubspot::config::Settings::signed_in_by(token?, address?, ObjectUses::new());
    settings.api_version = version.flatten().unwrap_or(settings.api_version);
    settings.timeout = limits.timeout.unwrap_or(settings.timeout);
    settings.linger_max = limits.linger_max.unwrap_or(settings.linger_max);
    settings.concurrency = limits.concurrency.unwrap_or(settings.concurrency);
    settings.day_limit = limits.day.unwrap_or(settings.day_limit);
    settings.burst_limit = limits.burst.unwrap_or(settings.burst_limit);
    Some(HubSpotConfig { settings, agreed: limits.agreed() })
}

/// What every external system may be told of its limits.
struct Limits {
    timeout: Option<Duration>,
    linger_max: Option<Duration>,
    concurrency: Option<usize>,
    share_permille: Option<u64>,
    day: Option<u64>,
    burst: Option<u64>,
}

impl Limits {
    fn agreed(&self) -> Agreed {
        Agreed { terms: BTreeMap::new(), share_permille: self.share_permille.unwrap_or(SHARE_PERMILLE) }
    }
}

fn limits(reader: &mut Reader<'_>, section: Section<'_>, pools: &'static [shape::Key]) -> Limits {
    let mut wait = |key| {
        let node = section.get(key)?;
        let time = reader.duration(node)?;
        if time > WAIT_MAX {
            reader.fault(node, "is longer than an hour", "write a time of an hour at most");
        }
        Some(time)
    };
    let (timeout, linger_max) = (wait("timeout"), wait("linger_max"));
    let concurrency = section.get("concurrency").and_then(|node| reader.count(node, 1, CONCURRENCY_MAX));
    let quota = section.get("quota").and_then(|node| reader.section(node, pools));
    let mut pool = |key| quota.and_then(|quota| reader.whole(quota.get(key)?, 1, u64::from(u32::MAX)));
    let (day, burst) = (pool("day"), pool("burst"));
    let share_permille = quota.and_then(|quota| reader.permille(quota.get("use")?));
    Limits { timeout, linger_max, concurrency, share_permille, day, burst }
}

/// An address to which secrets and records may be sent.
fn url(reader: &mut Reader<'_>, node: &Node) -> Option<Url> {
    let text = reader.text(node, "an address")?;
    if text.contains('@') {
        hide(node, &mut reader.hidden);
        reader.fault(node, "holds a user's name or password", "write the address alone; credentials have keys of their own");
        return None;
    }
    let Ok(url) = Url::parse(text.trim()) else {
        reader.fault(node, "is no address", "write one such as https://acme.my.salesforce.com");
        return None;
    };
    let is_near = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.host().is_none() || !(url.scheme() == "https" || (url.scheme() == "http" && is_near)) {
        let message = "must begin with https://, for records and secrets are sent there";
        reader.fault(node, message, "write https:// before the host; http:// is for this machine alone");
        return None;
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        reader.fault(node, "goes on after the host", "write the address up to its host and port");
        return None;
    }
    Some(url)
}

fn salesforce_version(text: &str) -> Option<String> {
    let number: u32 = text.strip_suffix(".0")?.parse().ok()?;
    (number >= salesforce::config::VERSION_MIN).then(|| text.to_owned())
}

fn hubspot_version(text: &str) -> Option<String> {
    let is_digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let dated = text.split_once('-').is_some_and(|(year, month)| is_digits(year, 4) && is_digits(month, 2));
    (text == "v3" || dated).then(|| text.to_owned())
}
