//! Reads where records go.
//!
//! Promises: every route names values that exist and systems that take records, and each of those systems names an object for the
//! value. Leaves to others: the ready-made routings themselves (`vendors`), what no route takes (`core::intake` counts it).

use std::collections::BTreeMap;

use syncline_core::routing::Routing;
use syncline_core::schema::{Schema, Schemas};

use super::boundaries::{routed_values, what_routes};
use super::faults::Place;
use super::raw::{Node, Value};
use super::read::Reader;
use super::record_types::CONTACTS;
use super::systems::{Draft, Vendor};
use super::vendors;

/// The ready-made routings.
const READY_MADE: [(&str, &str); 3] =
    [("default", "default"), ("salesforce_only", "salesforce_only"), ("hubspot_only", "hubspot_only")];

/// Reads the routes of every record type. `root` is where routes would stand that are left out.
pub(super) fn read(
    reader: &mut Reader<'_>,
    root: &Node,
    contacts: Option<&Node>,
    record_types: Option<&Node>,
    drafts: &[Draft<'_>],
    schemas: &Schemas,
) -> BTreeMap<String, Routing> {
    let mut all = BTreeMap::new();
    for schema in schemas.iter() {
        let routes = Routes { schema, drafts };
        let routing = if schema.record_type == CONTACTS {
            match contacts {
                Some(node) if matches!(node.value, Value::Map(_)) => routes.custom(reader, node),
                Some(node) => {
                    let name = reader.choice(node, "ready-made routing", &READY_MADE);
                    name.map(|name| routes.ready_made(reader, &node.place, name)).unwrap_or_default()
                }
                None => routes.ready_made(reader, &root.key, "default"),
            }
        } else {
            let entries = record_types.map(|node| node.entries()).unwrap_or_default();
            let node = entries.iter().find(|entry| entry.key == schema.record_type).map(|entry| &entry.node);
            let inner = node.map(|node| node.entries()).unwrap_or_default();
            inner.iter().find(|entry| entry.key == "routing").map(|entry| routes.custom(reader, &entry.node)).unwrap_or_default()
        };
        all.insert(schema.record_type.clone(), routing);
    }
    all
}

struct Routes<'r, 'n> {
    schema: &'r Schema,
    drafts: &'r [Draft<'n>],
}

impl Routes<'_, '_> {
    fn ready_made(&self, reader: &mut Reader<'_>, place: &Place, name: &str) -> Routing {
        let mut by_type = BTreeMap::new();
        for vendor in [Vendor::Salesforce, Vendor::HubSpot] {
            let values = vendors::routed(name, vendor);
            if values.is_empty() {
                continue;
            }
            let kind = if vendor == Vendor::Salesforce { "salesforce" } else { "hubspot" };
            let mut systems = self.drafts.iter().filter(|draft| draft.vendor == Some(vendor));
            let (first, second) = (systems.next(), systems.next());
            let Some(system) = first.filter(|_| second.is_none()) else {
                if first.is_none() && self.drafts.iter().any(|draft| draft.vendor.is_none()) {
                    continue;
                }
                let count = if first.is_none() { "no system" } else { "more than one system" };
                let message = format!("{name} sends {} to {kind}, and there is {count} of that kind", values.join(", "));
                let remedy = "write routing: { lead: [system], … } with the names of your systems, or another ready-made one";
                reader.fault_at(place, "routing", message, remedy);
                continue;
            };
            for value in values {
                self.check_object(reader, place, "routing", value, system);
                by_type.insert((*value).to_owned(), vec![system.name.clone()]);
            }
        }
        Routing { by_type }
    }

    fn custom(&self, reader: &mut Reader<'_>, node: &Node) -> Routing {
        let known = routed_values(self.schema);
        let mut by_type = BTreeMap::new();
        if self.schema.routing_field.is_none() {
            by_type.insert(String::new(), self.systems(reader, node, ""));
            return Routing { by_type };
        }
        for entry in reader.entries(node).unwrap_or_default() {
            if let Some(known) = &known
                && !known.contains(&entry.key.as_str())
            {
                reader.unknown(&entry.place, &entry.node.path, &what_routes(self.schema), &entry.key, known);
            } else {
                by_type.insert(entry.key.clone(), self.systems(reader, &entry.node, &entry.key));
            }
        }
        Routing { by_type }
    }

    fn systems(&self, reader: &mut Reader<'_>, node: &Node, value: &str) -> Vec<String> {
        let names: Vec<&str> = self.drafts.iter().filter(|draft| draft.takes_records()).map(|draft| draft.name.as_str()).collect();
        let mut systems: Vec<String> = Vec::new();
        for (name, node) in reader.texts(node, "a list of systems") {
            match self.drafts.iter().find(|draft| draft.name == name) {
                None => reader.unknown(&node.place, &node.path, "external system", &name, &names),
                Some(draft) if !draft.takes_records() => {
                    reader.fault(node, format!("{name} only reports changes; nothing is written there"), "name an external system");
                }
                Some(_) if systems.contains(&name) => reader.fault(node, format!("{name} is named twice"), "name it once"),
                Some(draft) => {
                    self.check_object(reader, &node.place, &node.path, value, draft);
                    systems.push(name);
                }
            }
        }
        systems
    }

    /// A system that takes a value has to name an object for it.
    fn check_object(&self, reader: &mut Reader<'_>, place: &Place, path: &str, value: &str, draft: &Draft<'_>) {
        let Some(agreed) = draft.kind.as_ref().and_then(|kind| kind.agreed()) else { return };
        let record_type = &self.schema.record_type;
        let Some(terms) = agreed.terms.get(record_type) else {
            if record_type != CONTACTS {
                let message = format!("{} has no boundary for {record_type}", draft.name);
                reader.fault_at(place, path, message, format!("add boundaries.{}.record_types.{record_type}", draft.name));
            }
            return;
        };
        if !terms.objects.contains_key(value) {
            let (what, add) = if value.is_empty() { ("every record", "name one in".to_owned()) } else { (value, format!("add {value} to")) };
            let message = format!("{what} goes to {}, whose boundary names no object for it", draft.name);
            let remedy = format!("{add} boundaries.{}.object, or take the route out", draft.name);
            reader.fault_at(place, path, message, remedy);
        }
    }
}
