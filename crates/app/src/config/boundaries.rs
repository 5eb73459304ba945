//! Reads what was agreed with each external system.
//!
//! Promises: a boundary that is left out is the vendor's default, and so is each key that is left out of one for contacts; what is
//! handed over is whole: objects, rows, fillers and rules of one system name only each other.
//! Leaves to others: one row (`rows`), the defaults themselves (`vendors`), where records go (`routing`).

use std::collections::BTreeMap;

use syncline_adapters::systems::object_use::{self, ObjectUses};
use syncline_core::boundary::SyncBoundary;
use syncline_core::schema::{FieldType, Schema, Schemas};
use syncline_core::terms::{OnExisting, OnGone, Terms};

use super::checked::Kind;
use super::raw::{Node, Value};
use super::shape;
use super::read::{Reader, Section};
use super::record_types::CONTACTS;
use super::systems::{Draft, Vendor};
use super::{raw, row_rules, rows, vendors};

/// Between whom a boundary is.
struct Parties<'p> {
    internal: &'p str,
    external: &'p str,
    vendor: Vendor,
}

/// Reads every boundary into its system.
pub(super) fn read(reader: &mut Reader<'_>, node: Option<&Node>, drafts: &mut [Draft<'_>], schemas: &Schemas) {
    let entries = node.and_then(|node| reader.entries(node)).unwrap_or_default();
    let names: Vec<&str> = drafts.iter().filter(|draft| draft.takes_records()).map(|draft| draft.name.as_str()).collect();
    for entry in entries {
        match drafts.iter().find(|draft| draft.name == entry.key) {
            Some(draft) if draft.takes_records() => {}
            Some(_) => {
                let message = format!("{} only reports changes; nothing is written there", entry.key);
                reader.fault_at(&entry.place, &entry.node.path, message, "take the boundary out");
            }
            None => reader.unknown(&entry.place, &entry.node.path, "external system", &entry.key, &names),
        }
    }
    let internal = drafts.iter().find(|draft| draft.vendor.is_some_and(Vendor::is_feed));
    let internal = internal.map_or_else(|| "internal".to_owned(), |draft| draft.name.clone());
    for draft in drafts {
        let Some(vendor @ (Vendor::Salesforce | Vendor::HubSpot)) = draft.vendor else { continue };
        let node = entries.iter().find(|entry| entry.key == draft.name).map(|entry| &entry.node);
        let stands = node.unwrap_or(draft.node);
        let default = raw::parse(vendors::boundary(vendor)).ok();
        let default = default.map(|default| default.moved_to(&stands.key, &format!("boundaries.{}", draft.name)));
        let parties = Parties { internal: &internal, external: &draft.name, vendor };
        let terms = of_system(reader, node, default.as_ref(), &parties, schemas);
        let objects = uses(reader, draft.node, &terms);
        let complaint = match &mut draft.kind {
            Some(Kind::Salesforce(system)) => {
                system.settings.objects = objects;
                system.agreed.terms = terms;
                system.settings.complaint()
            }
            Some(Kind::HubSpot(system)) => {
                system.settings.objects = objects;
                system.agreed.terms = terms;
                system.settings.complaint()
            }
            Some(Kind::Generator(_) | Kind::File(_) | Kind::Stdin(_) | Kind::Http(_)) | None => None,
        };
        if let Some(complaint) = complaint {
            reader.fault_at(&stands.key, &stands.path, complaint, "correct it as the message says");
        }
    }
}

fn of_system(
    reader: &mut Reader<'_>,
    node: Option<&Node>,
    default: Option<&Node>,
    parties: &Parties<'_>,
    schemas: &Schemas,
) -> BTreeMap<String, Terms> {
    let section = node.and_then(|node| reader.section(node, shape::BOUNDARY));
    let mut all = BTreeMap::new();
    let default = default.and_then(|node| reader.section(node, shape::TERMS));
    if let Some(schema) = schemas.get(CONTACTS) {
        all.extend(terms(reader, section, default, parties, schema).map(|terms| (CONTACTS.to_owned(), terms)));
    }
    let others = section.and_then(|section| reader.entries(section.get("record_types")?)).unwrap_or_default();
    let known: Vec<&str> = schemas.iter().map(|schema| schema.record_type.as_str()).filter(|name| *name != CONTACTS).collect();
    for entry in others {
        match schemas.get(&entry.key).filter(|schema| schema.record_type != CONTACTS) {
            None => reader.unknown(&entry.place, &entry.node.path, "record type", &entry.key, &known),
            Some(schema) => {
                let Some(section) = reader.section(&entry.node, shape::TERMS) else { continue };
                reader.required(section, "object", "write object: and the name of their object");
                reader.required(section, "fields", "write fields: and a row for each field");
                all.extend(terms(reader, Some(section), None, parties, schema).map(|terms| (entry.key.clone(), terms)));
            }
        }
    }
    all
}

fn terms(
    reader: &mut Reader<'_>,
    given: Option<Section<'_>>,
    default: Option<Section<'_>>,
    parties: &Parties<'_>,
    schema: &Schema,
) -> Option<Terms> {
    let own = |key: &str| given.and_then(|section| section.get(key));
    let get = |key: &str| own(key).or_else(|| default.and_then(|section| section.get(key)));
    let objects = get("object").map(|node| objects(reader, node, schema)).unwrap_or_default();
    let usual = || (Some(vendors::key_field(parties.vendor).to_owned()), None);
    let (key_field, marker) = get("match").map_or_else(usual, |node| matched(reader, node));
    let taken = rows::Taken { key: key_field.as_deref().unwrap_or_default(), marker: marker.as_deref().unwrap_or_default() };
    let rows = get("fields").map(|node| rows::read(reader, node, schema, taken)).unwrap_or_default();
    let existing = [("link", Some(OnExisting::Link)), ("dead", Some(OnExisting::Dead)), ("review", None)];
    let on_existing = get("on_existing").map_or(Some(OnExisting::default()), |node| {
        let chosen = reader.choice(node, "rule", &existing)?;
        if chosen.is_none() {
            reader.fault(node, "there is no review queue yet", "write dead, to be told of each such record, or link, to take it over");
        }
        chosen
    });
    let gone = [("recreate", OnGone::Recreate), ("dead", OnGone::Dead)];
    let on_gone = get("on_gone").map_or(Some(OnGone::default()), |node| reader.choice(node, "rule", &gone));
    let mut boundary = SyncBoundary::new(&schema.record_type, parties.internal, parties.external);
    for field in rows.iter().flat_map(|row| row.ours.iter().map(|field| (field, row.authority))) {
        boundary = boundary.with_field(field.0, field.1);
    }
    let mapped: Vec<&str> = schema.fields.iter().map(|(name, _)| name.as_str()).collect();
    for (field, node) in get("exclude").map(|node| reader.texts(node, "a list of fields")).unwrap_or_default() {
        if schema.field(&field).is_none() {
            reader.unknown(&node.place, &node.path, &format!("field of {}", schema.record_type), &field, &mapped);
        }
        boundary = boundary.without(field);
    }
    if let Some(flag) = get("allow_system_b_override").and_then(|node| reader.flag(node)) {
        boundary.allow_system_b_override = flag;
    }
    let fillers = get("fillers").map(|node| fillers(reader, node, &objects, own("fillers").is_some())).unwrap_or_default();
    let rules = objects.values().map(|object| (object.clone(), vendors::rules(parties.vendor, object)));
    let rules = rules.filter(|(_, rules)| !rules.is_empty()).collect();
    let is_synced = |row: &syncline_core::plan::mapping::Row| row.ours.iter().all(|field| boundary.is_synced(field));
    let rows = rows.into_iter().filter(is_synced).collect();
    let terms = Terms { boundary, objects, key_field: key_field?, marker, rows, fillers, rules, on_existing: on_existing?, on_gone: on_gone? };
    if let Some(fields) = get("fields") {
        row_rules::judge(reader, fields, &terms);
    }
    Some(terms)
}

/// The values that the routing field may take; none if it may take any.
pub(super) fn routed_values(schema: &Schema) -> Option<Vec<&str>> {
    match schema.routing_field.as_ref().map(|field| schema.field(field)) {
        None => Some(vec![""]),
        Some(Some(FieldType::Choice(values))) => Some(values.iter().map(String::as_str).collect()),
        Some(_) => None,
    }
}

fn objects(reader: &mut Reader<'_>, node: &Node, schema: &Schema) -> BTreeMap<String, String> {
    let known = routed_values(schema);
    if let Value::Scalar(_) = node.value {
        let object = reader.text(node, "an object of theirs").filter(|object| rows::is_theirs(reader, node, object));
        if known.is_none() {
            reader.fault(node, "names one object, but nobody knows for which values", "write object: { value: Object }, one value a line");
        }
        let each = |value: &str| Some((value.to_owned(), object.clone()?));
        return known.into_iter().flatten().filter_map(each).collect();
    }
    if schema.routing_field.is_none() {
        reader.fault(node, "must be one object, for the record type has no routing_field", "write object: and its name");
        return BTreeMap::new();
    }
    let mut objects = BTreeMap::new();
    for entry in reader.entries(node).unwrap_or_default() {
        if let Some(known) = &known
            && !known.contains(&entry.key.as_str())
        {
            reader.unknown(&entry.place, &entry.node.path, &what_routes(schema), &entry.key, known);
            continue;
        }
        if let Some(object) = reader.text(&entry.node, "an object of theirs")
            && rows::is_theirs(reader, &entry.node, &object)
        {
            objects.insert(entry.key.clone(), object);
        }
    }
    objects
}

/// What a record type's routing field tells, for messages.
pub(super) fn what_routes(schema: &Schema) -> String {
    if schema.record_type == CONTACTS {
        return "contact type".to_owned();
    }
    format!("{} of {}", schema.routing_field.as_deref().unwrap_or("value"), schema.record_type)
}

/// Their fields that hold our key and the number of the last write.
fn matched(reader: &mut Reader<'_>, node: &Node) -> (Option<String>, Option<String>) {
    let Some(section) = reader.section(node, shape::KEY_FIELD) else { return (None, None) };
    let key = reader.required(section, "external_id", "write external_id: and their field that holds our key");
    let key = key.and_then(|node| their_field(reader, node));
    let Some(node) = section.get("marker") else { return (key, None) };
    let marker = their_field(reader, node);
    if marker.as_ref().zip(key.as_ref()).is_some_and(|(marker, key)| marker.eq_ignore_ascii_case(key)) {
        reader.fault(node, "holds our key and nothing else", "name another field for the marker, or leave it out");
    }
    (key, marker)
}

fn their_field(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    let field = reader.text(node, "a field of theirs")?;
    rows::is_theirs(reader, node, &field).then_some(field)
}

fn fillers(
    reader: &mut Reader<'_>,
    node: &Node,
    objects: &BTreeMap<String, String>,
    is_own: bool,
) -> BTreeMap<String, Vec<(String, String)>> {
    let mut all = BTreeMap::new();
    let mut known: Vec<&str> = objects.values().map(String::as_str).collect();
    known.dedup();
    for entry in reader.entries(node).unwrap_or_default() {
        if !known.contains(&entry.key.as_str()) {
            if is_own {
                reader.unknown(&entry.place, &entry.node.path, "object of this boundary", &entry.key, &known);
            }
            continue;
        }
        let mut fields = Vec::new();
        for entry in reader.entries(&entry.node).unwrap_or_default() {
            let is_field = rows::is_theirs(reader, &entry.node, &entry.key);
            if let Some(text) = reader.text(&entry.node, "a text").filter(|_| is_field) {
                fields.push((entry.key.clone(), text));
            }
        }
        all.insert(entry.key.clone(), fields);
    }
    all
}

/// How the terms of all record types use each object.
fn uses(reader: &mut Reader<'_>, node: &Node, all: &BTreeMap<String, Terms>) -> ObjectUses {
    let mut uses = ObjectUses::new();
    for terms in all.values() {
        for (object, used) in object_use::uses(terms) {
            if let Err(object) = object_use::merge(&mut uses, [(object, used)].into()) {
                let message = format!("two record types keep their keys in different fields of {object}");
                reader.fault_at(&node.key, &node.path, message, "name the same field in match.external_id of both");
            }
        }
    }
    for used in uses.values_mut() {
        used.filled.retain(|field| !used.written.contains(field));
    }
    uses
}
