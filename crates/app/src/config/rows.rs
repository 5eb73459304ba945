//! Reads the mapping rows of a boundary.
//!
//! Promises: each row maps fields that exist under an authority, by a codec that leads back; no two rows write one field of theirs.
//! Leaves to others: codecs (`codecs`), what is computed or put in place of a value (`row_rules`), the rest of the boundary (`boundaries`).

use std::collections::BTreeMap;

use syncline_adapters::systems::refusals::clean_name;
use syncline_core::boundary::RecordAuthority;
use syncline_core::plan::mapping::{Codec, Row, RowFault};
use syncline_core::schema::{FieldType, Schema};

use super::codecs::{codec, region};
use super::raw::{Entry, Node};
use super::shape;
use super::read::{Reader, Section};
use super::row_rules;

/// Fields of theirs that no row may write; a name that is empty is none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken<'a> {
    /// The one that holds our key.
    pub(super) key: &'a str,
    /// The one that holds the number of the last write.
    pub(super) marker: &'a str,
}

/// Reads every row.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node, schema: &Schema, taken: Taken<'_>) -> Vec<Row> {
    let entries = reader.entries(node).unwrap_or_default();
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    let mut ours: BTreeMap<String, String> = BTreeMap::new();
    let mut rows = Vec::new();
    for entry in entries {
        let targets = targets(reader, &entry.node, taken);
        for (field, node) in &targets {
            let owner = owners.entry(field.to_lowercase()).or_insert_with(|| entry.key.clone());
            if *owner != entry.key {
                let message = format!("{field} is written by row {owner} already");
                reader.fault(node, message, "let one row write it; two owners would overwrite each other without end");
            }
        }
        let Some(row) = row(reader, entry, targets.into_iter().map(|(field, _)| field).collect(), schema) else { continue };
        for field in &row.ours {
            let owner = ours.entry(field.clone()).or_insert_with(|| row.name.clone());
            if *owner != row.name {
                let message = format!("{field} is mapped by row {owner} already");
                reader.fault(&entry.node, message, "map each field of ours once");
            }
        }
        rows.push(row);
    }
    rows
}

/// Whether a name could be one of their objects or fields.
pub(super) fn is_theirs(reader: &mut Reader<'_>, node: &Node, name: &str) -> bool {
    let is_clean = clean_name(name).is_some();
    if !is_clean {
        reader.fault(node, "is no name of an object or field there", "write its API name: letters, digits and _");
    }
    is_clean
}

fn targets<'n>(reader: &mut Reader<'_>, node: &'n Node, taken: Taken<'_>) -> Vec<(String, &'n Node)> {
    let Some(to) = node.entries().iter().find(|entry| entry.key == "to") else { return Vec::new() };
    let mut targets = reader.texts(&to.node, "a field of theirs, or a list of two");
    targets.retain(|(field, node)| is_theirs(reader, node, field));
    for (field, node) in &targets {
        if field.eq_ignore_ascii_case(taken.marker) {
            reader.fault(node, format!("{field} holds the number of the last write and nothing else"), "map another field, or name another one in match.marker");
        }
        if field.eq_ignore_ascii_case(taken.key) {
            let remedy = "map another field, or name another one in match.external_id";
            reader.fault(node, format!("{field} holds our key and nothing else"), remedy);
        }
    }
    targets
}

fn row(reader: &mut Reader<'_>, entry: &Entry, theirs: Vec<String>, schema: &Schema) -> Option<Row> {
    let section = reader.section(&entry.node, shape::ROW)?;
    let to = reader.required(section, "to", "write to: and the name of their field");
    let before = reader.faults.len();
    let codec = section.get("codec").map_or(Some(Codec::Same), |node| codec(reader, node));
    let codec = match (section.get("region"), codec) {
        (Some(node), Some(codec)) => region(reader, node, codec),
        (_, codec) => codec,
    };
    let row = match section.get("compute") {
        Some(node) => {
            let computed = row_rules::compute(reader, section, node, schema);
            let made = (reader.faults.len() == before && !theirs.is_empty()).then_some(())
                .and_then(|()| Some(Row::computed(&entry.key, computed?, theirs, codec?)));
            made.and_then(|made| whole(reader, entry, section, made))
        }
        None => mapped(reader, entry, section, Parts { to, theirs, codec, before }, schema),
    };
    row_rules::rules(reader, section, row?)
}

/// What was read of a row so far.
struct Parts<'n> {
    to: Option<&'n Node>,
    theirs: Vec<String>,
    codec: Option<Codec>,
    /// How many faults there were before the row's values were read.
    before: usize,
}

fn mapped(reader: &mut Reader<'_>, entry: &Entry, section: Section<'_>, parts: Parts<'_>, schema: &Schema) -> Option<Row> {
    let Parts { to, theirs, codec, before } = parts;
    let remedy = "write authority: system_a, so that the internal system is right, or system_b, shared, manual";
    let authority = reader.required(section, "authority", remedy).and_then(|node| authority(reader, node));
    let (from, field_type) = sources(reader, entry, section, schema);
    if reader.faults.len() > before || theirs.is_empty() {
        return None;
    }
    let codec = codec?;
    let (wanted_ours, wanted_theirs) = codec.arity();
    if (from.len(), theirs.len()) != (wanted_ours, wanted_theirs) {
        let (name, ours, theirs) = (codec.name(), from.len(), theirs.len());
        let message = format!("{name} maps {wanted_ours} of our fields to {wanted_theirs} of theirs, not {ours} to {theirs}");
        let node = section.get("codec").or(to).unwrap_or(&entry.node);
        reader.fault(node, message, "split_name writes to: [First, Last]; join_name reads from: [first, last]; all others map one to one");
        return None;
    }
    judge_values(reader, section, &codec, field_type.as_ref());
    let made = Row::new(&entry.key, from, theirs, codec, authority?, field_type?);
    whole(reader, entry, section, made)
}

/// Our fields that the row reads, and their type.
fn sources(reader: &mut Reader<'_>, entry: &Entry, section: Section<'_>, schema: &Schema) -> (Vec<String>, Option<FieldType>) {
    let from = match section.get("from") {
        Some(node) => reader.texts(node, "a field of ours, or a list of two"),
        None => vec![(entry.key.clone(), &entry.node)],
    };
    let place = |node: &Node| if section.get("from").is_some() { node.place.clone() } else { entry.place.clone() };
    let mut field_type = None;
    let known: Vec<&str> = schema.fields.iter().map(|(name, _)| name.as_str()).collect();
    for (field, node) in &from {
        match schema.field(field) {
            Some(found) => field_type = Some(found.clone()),
            None if *field == schema.key_field => {
                let message = format!("{field} is the key, which match.external_id maps");
                reader.fault_at(&place(node), &node.path, message, "take the row out");
            }
            None => reader.unknown(&place(node), &node.path, &format!("field of {}", schema.record_type), field, &known),
        }
    }
    if from.len() > 1 {
        field_type = Some(FieldType::Text);
    }
    (from.into_iter().map(|(field, _)| field).collect(), field_type)
}

/// The row, or the fault of what it would be.
fn whole(reader: &mut Reader<'_>, entry: &Entry, section: Section<'_>, made: Result<Row, RowFault>) -> Option<Row> {
    match made {
        Ok(row) => Some(row),
        Err(fault) => {
            let node = section.get("codec").unwrap_or(&entry.node);
            reader.fault(node, fault.message, "rows work in both directions: use codecs that can be undone");
            None
        }
    }
}

/// A table for a field of type choice names none but its choices.
fn judge_values(reader: &mut Reader<'_>, section: Section<'_>, codec: &Codec, field_type: Option<&FieldType>) {
    let (Codec::Picklist(table), Some(FieldType::Choice(choices)), Some(node)) = (codec, field_type, section.get("codec")) else { return };
    let known: Vec<&str> = choices.iter().map(String::as_str).collect();
    for (ours, _) in table.pairs().filter(|(ours, _)| !known.contains(ours)) {
        reader.unknown(&node.place, &node.path, "value of the field", ours, &known);
    }
}

fn authority(reader: &mut Reader<'_>, node: &Node) -> Option<RecordAuthority> {
    let choices = RecordAuthority::ALL.map(|authority| (authority.name(), authority));
    let authority = reader.choice(node, "authority", &choices)?;
    if authority == RecordAuthority::Shared {
        let message = "shared needs to hear of changes on the other side, and this system has no feed yet";
        reader.fault(node, message, "write system_a, or system_b for a field that is set when a record is created and left alone then");
        return None;
    }
    Some(authority)
}
