//! Reads the parties: feeds and external systems, each with its settings.
//!
//! Promises: a system whose settings are wrong is still known by its name and vendor, so that what refers to it is judged on its
//! own. Leaves to others: what is agreed with an external system (`boundaries`), which rooms it has (the adapters).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;
use syncline_adapters::systems::file::config::FileSettings;
use syncline_adapters::systems::generator::GeneratorSettings;
use syncline_core::event::{OrderBy, SourceSettings};
use syncline_core::schema::{FieldType, Schemas};

use super::accounts;
use super::checked::{FileConfig, GeneratorConfig, HttpConfig, Kind, StdinConfig};
use super::raw::Node;
use super::shape;
use super::read::{Reader, Section};

/// What a system is, whether or not its settings are in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vendor {
    /// Makes up events.
    Generator,
    /// A file of events.
    File,
    /// Piped events.
    Stdin,
    /// Events from callers.
    Http,
    /// A Salesforce org.
    Salesforce,
    /// A HubSpot account.
    HubSpot,
}

impl Vendor {
    /// Every vendor by the name of its kind.
    pub(super) const KINDS: [(&'static str, Self); 6] = [
        ("generator", Self::Generator),
        ("file", Self::File),
        ("stdin", Self::Stdin),
        ("http", Self::Http),
        ("salesforce", Self::Salesforce),
        ("hubspot", Self::HubSpot),
    ];

    /// Whether it reports changes.
    pub(super) const fn is_feed(self) -> bool {
        matches!(self, Self::Generator | Self::File | Self::Stdin | Self::Http)
    }
}

/// A system on its way to being checked.
pub(super) struct Draft<'n> {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub node: &'n Node,
    /// What it is, if that is known.
    pub vendor: Option<Vendor>,
    /// Its settings, if they are in order.
    pub kind: Option<Kind>,
}

impl Draft<'_> {
    /// Whether records can go there, as far as is known.
    pub(super) fn takes_records(&self) -> bool {
        !self.vendor.is_some_and(Vendor::is_feed)
    }
}

/// Reads every system, in the order of the file.
pub(super) fn read<'n>(reader: &mut Reader<'_>, node: &'n Node, schemas: &Schemas) -> Vec<Draft<'n>> {
    let entries = reader.entries(node).unwrap_or_default();
    if entries.is_empty() {
        reader.fault(node, "names no system", "add at least one, such as internal: { kind: generator }");
    }
    let mut drafts: Vec<Draft<'n>> = Vec::new();
    for entry in entries {
        if !is_name(&entry.key) {
            let message = "the name of a system may hold letters, digits, _ and - only, 64 of them at most";
            reader.fault_at(&entry.place, &entry.node.path, message, "give it another name");
        }
        let vendor = vendor(reader, &entry.node);
        let kind = vendor.and_then(|vendor| settings(reader, &entry.node, vendor, schemas));
        drafts.push(Draft { name: entry.key.clone(), node: &entry.node, vendor, kind });
    }
    judge_feeds(reader, &drafts);
    let callers = drafts.iter().filter(|draft| draft.vendor == Some(Vendor::Http));
    for draft in callers.skip(1) {
        reader.fault_at(&draft.node.key, &draft.node.path, "is a second system that takes events over HTTP", "keep one of them");
    }
    drafts
}

/// Whether a system or record type may be called so.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn vendor(reader: &mut Reader<'_>, node: &Node) -> Option<Vendor> {
    let entries = reader.entries(node)?;
    let Some(kind) = entries.iter().find(|entry| entry.key == "kind") else {
        let kinds = Vendor::KINDS.map(|(name, _)| name).join(", ");
        reader.fault_at(&node.key, &format!("{}.kind", node.path), "is missing", format!("write kind: and one of {kinds}"));
        entries.iter().for_each(|entry| super::faults::hide(&entry.node, &mut reader.hidden));
        return None;
    };
    let found = reader.choice(&kind.node, "kind of system", &Vendor::KINDS);
    if found.is_none() {
        entries.iter().filter(|entry| entry.key != "kind").for_each(|entry| super::faults::hide(&entry.node, &mut reader.hidden));
    }
    found
}

fn settings(reader: &mut Reader<'_>, node: &Node, vendor: Vendor, schemas: &Schemas) -> Option<Kind> {
    match vendor {
        Vendor::Generator => generator(reader, node).map(Kind::Generator),
        Vendor::File => file(reader, node, schemas).map(Kind::File),
        Vendor::Stdin => {
            let section = reader.section(node, shape::SOURCE)?;
            let source = source(reader, section, schemas)?;
            Some(Kind::Stdin(StdinConfig { line_max: FileSettings::LINE_MAX, source }))
        }
        Vendor::Http => {
            let section = reader.section(node, shape::SOURCE)?;
            Some(Kind::Http(HttpConfig { source: source(reader, section, schemas)? }))
        }
        Vendor::Salesforce => accounts::salesforce(reader, node).map(Kind::Salesforce),
        Vendor::HubSpot => accounts::hubspot(reader, node).map(Kind::HubSpot),
    }
}

/// The seed of a generator that names none.
const SEED: u64 = 1;

fn generator(reader: &mut Reader<'_>, node: &Node) -> Option<GeneratorConfig> {
    let section = reader.section(node, shape::GENERATOR)?;
    let before = reader.faults.len();
    let mut settings = GeneratorSettings::default();
    if let Some(number) = section.get("events_per_second").and_then(|node| reader.number(node)) {
        settings.events_per_second = number;
    }
    if let Some(count) = section.get("batch_size").and_then(|node| reader.count(node, 0, u32::MAX)) {
        settings.batch_size = count;
    }
    if let Some(flag) = section.get("enable_async").and_then(|node| reader.flag(node)) {
        settings.enable_async = flag;
    }
    if let Some(share) = section.get("move_share").and_then(|node| reader.number(node)) {
        settings.move_share = share;
    }
    for (key, shares) in [
        ("contact_type_distribution", &mut settings.contact_type_distribution),
        ("operation_distribution", &mut settings.operation_distribution),
    ] {
        if let Some(node) = section.get(key) {
            *shares = distribution(reader, node);
        }
    }
    let seed = section.get("seed").map_or(Some(SEED), |node| reader.whole(node, 0, u64::MAX));
    let events = section.get("events").map(|node| reader.whole(node, 1, u64::MAX));
    if reader.faults.len() == before {
        judge_generator(reader, section, &settings);
    }
    (reader.faults.len() == before).then_some(GeneratorConfig { settings, seed: seed?, events: events.flatten() })
}

/// Lets the generator itself judge its settings, and finds where each of them stands.
fn judge_generator(reader: &mut Reader<'_>, section: Section<'_>, settings: &GeneratorSettings) {
    for fault in settings.validate().err().into_iter().flatten() {
        let (key, entry) = fault.key.split_once('.').unwrap_or((&fault.key, ""));
        let path = format!("{}.{}", section.node.path, fault.key);
        let node = section.get(key).unwrap_or(section.node);
        let inner = node.entries().iter().find(|inner| inner.key == entry);
        let place = inner.map_or(&node.place, |inner| &inner.place).clone();
        reader.fault_at(&place, &path, fault.rule, fault.remedy);
    }
}

fn distribution(reader: &mut Reader<'_>, node: &Node) -> BTreeMap<String, f64> {
    let entries = reader.entries(node).unwrap_or_default();
    entries.iter().filter_map(|entry| Some((entry.key.clone(), reader.number(&entry.node)?))).collect()
}

fn file(reader: &mut Reader<'_>, node: &Node, schemas: &Schemas) -> Option<FileConfig> {
    let section = reader.section(node, shape::FILE)?;
    let path = reader.required(section, "path", "write path: and the file's name");
    let path = path.and_then(|node| reader.text(node, "a path"));
    let follow = section.get("follow").map_or(Some(true), |node| reader.flag(node));
    let line_max = section.get("line_max").map_or(Some(FileSettings::LINE_MAX), |node| reader.count(node, 1, 1 << 30));
    let source = source(reader, section, schemas);
    let settings = FileSettings { path: PathBuf::from(path?), follow: follow?, line_max: line_max? };
    Some(FileConfig { settings, source: source? })
}

/// How a feed's events are read.
fn source(reader: &mut Reader<'_>, section: Section<'_>, schemas: &Schemas) -> Option<SourceSettings> {
    let zone = section.get("assume_timezone").map_or(Some(TimeZone::UTC), |node| {
        reader.parsed(node, "the name of a time zone, such as Europe/Berlin", |name| TimeZone::get(name).ok())
    });
    let order_by = section.get("order_by").map_or(Some(OrderBy::Position), |node| order_by(reader, node, schemas));
    Some(SourceSettings { assume_timezone: zone?, order_by: order_by? })
}

fn order_by(reader: &mut Reader<'_>, node: &Node, schemas: &Schemas) -> Option<OrderBy> {
    let name = reader.text(node, "position, timestamp or the name of a field")?;
    match name.as_str() {
        "position" => return Some(OrderBy::Position),
        "timestamp" => return Some(OrderBy::Timestamp),
        _ => {}
    }
    let orders = |field_type: &FieldType| matches!(field_type, FieldType::Date | FieldType::DateTime | FieldType::Number);
    for schema in schemas.iter() {
        if schema.field(&name).is_some_and(orders) {
            continue;
        }
        let fields = schema.fields.iter().filter(|(_, field_type)| orders(field_type)).map(|(field, _)| field.as_str());
        let known: Vec<&str> = ["position", "timestamp"].into_iter().chain(fields).collect();
        let what = format!("time, day or number in {} that events could be ordered by, called", schema.record_type);
        reader.unknown(&node.place, &node.path, &what, &name, &known);
        return None;
    }
    Some(OrderBy::Field(name))
}

/// Several feeds have to agree on what makes an event newer.
fn judge_feeds(reader: &mut Reader<'_>, drafts: &[Draft<'_>]) {
    let mut feeds = drafts.iter().filter(|draft| draft.vendor.is_some_and(Vendor::is_feed));
    let Some(first) = feeds.next() else { return };
    let order = |draft: &Draft<'_>| draft.kind.as_ref().and_then(Kind::source).map(|source| source.order_by);
    for feed in feeds {
        let (Some(a), Some(b)) = (order(first), order(feed)) else { continue };
        if a == b && a != OrderBy::Position {
            continue;
        }
        let message = format!("reports the same records as {}, and nothing says which of two changes is newer", first.name);
        reader.fault_at(&feed.node.key, &feed.node.path, message, "give both the same order_by: timestamp or a field, or keep one of them");
    }
}

/// The longest that any wait may be configured to.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(3600);
