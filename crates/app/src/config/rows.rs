//! Reads the mapping rows of a boundary.
//!
//! Promises: each row maps fields that exist under an authority, by a codec that leads back; no two rows write one field of theirs.
//! Leaves to others: what a codec does (`core::plan::mapping`), the rest of the boundary (`boundaries`).

use std::collections::BTreeMap;

use syncline_adapters::systems::refusals::clean_name;
use syncline_core::boundary::RecordAuthority;
use syncline_core::plan::mapping::{Codec, Picklist, Row};
use syncline_core::schema::{FieldType, Schema, phone};

use super::raw::{Entry, Node, Value};
use super::read::{Reader, Section};

/// Reads every row. `key_field` is their field that holds our key.
pub(super) fn read(reader: &mut Reader<'_>, node: &Node, schema: &Schema, key_field: &str) -> Vec<Row> {
    let entries = reader.entries(node).unwrap_or_default();
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    let mut ours: BTreeMap<String, String> = BTreeMap::new();
    let mut rows = Vec::new();
    for entry in entries {
        let targets = targets(reader, &entry.node, key_field);
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

fn targets<'n>(reader: &mut Reader<'_>, node: &'n Node, key_field: &str) -> Vec<(String, &'n Node)> {
    let Some(to) = reader.entries_of(node).iter().find(|entry| entry.key == "to") else { return Vec::new() };
    let mut targets = reader.texts(&to.node, "a field of theirs, or a list of two");
    targets.retain(|(field, node)| is_theirs(reader, node, field));
    for (field, node) in &targets {
        if field.eq_ignore_ascii_case(key_field) {
            let remedy = "map another field, or name another one in match.external_id";
            reader.fault(node, format!("{field} holds our key and nothing else"), remedy);
        }
    }
    targets
}

fn row(reader: &mut Reader<'_>, entry: &Entry, theirs: Vec<String>, schema: &Schema) -> Option<Row> {
    let section = reader.section(&entry.node, &["from", "to", "codec", "authority", "region"])?;
    let to = reader.required(section, "to", "write to: and the name of their field");
    let remedy = "write authority: system_a, so that the internal system is right, or system_b, shared, manual";
    let authority = reader.required(section, "authority", remedy).and_then(|node| authority(reader, node));
    let from = match section.get("from") {
        Some(node) => reader.texts(node, "a field of ours, or a list of two"),
        None => vec![(entry.key.clone(), &entry.node)],
    };
    let place = |node: &Node| if section.get("from").is_some() { node.place.clone() } else { entry.place.clone() };
    let mut field_type = None;
    let known: Vec<&str> = schema.fields.iter().map(|(name, _)| name.as_str()).collect();
    let before = reader.faults.len();
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
    let codec = section.get("codec").map_or(Some(Codec::Same), |node| codec(reader, node));
    let codec = match (section.get("region"), codec) {
        (Some(node), codec) => region(reader, node, codec?)?,
        (None, codec) => codec?,
    };
    if from.len() > 1 {
        field_type = Some(FieldType::Text);
    }
    if reader.faults.len() > before || theirs.is_empty() {
        return None;
    }
    let (wanted_ours, wanted_theirs) = codec.arity();
    if (from.len(), theirs.len()) != (wanted_ours, wanted_theirs) {
        let (name, ours, theirs) = (codec.name(), from.len(), theirs.len());
        let message = format!("{name} maps {wanted_ours} of our fields to {wanted_theirs} of theirs, not {ours} to {theirs}");
        let node = section.get("codec").or(to).unwrap_or(&entry.node);
        reader.fault(node, message, "split_name writes to: [First, Last]; join_name reads from: [first, last]; all others map one to one");
        return None;
    }
    judge_values(reader, section, &codec, field_type.as_ref());
    let ours = from.into_iter().map(|(field, _)| field).collect();
    match Row::new(&entry.key, ours, theirs, codec, authority?, field_type?) {
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

type Make = fn() -> Codec;

const CODECS: [(&str, Make); 7] = [
    ("same", || Codec::Same),
    ("lower", || Codec::Lower),
    ("upper", || Codec::Upper),
    ("trim", || Codec::Trim),
    ("phone", || Codec::Phone { region: None }),
    ("split_name", || Codec::SplitName),
    ("join_name", || Codec::JoinName),
];

fn codec(reader: &mut Reader<'_>, node: &Node) -> Option<Codec> {
    match &node.value {
        Value::Seq(nodes) => {
            let codecs: Vec<Option<Codec>> = nodes.iter().map(|node| codec(reader, node)).collect();
            Some(Codec::Chain(codecs.into_iter().collect::<Option<_>>()?))
        }
        Value::Map(_) => {
            let section = reader.section(node, &["picklist"])?;
            let table = reader.required(section, "picklist", "write codec: { picklist: { ours: theirs } }")?;
            picklist(reader, table).map(Codec::Picklist)
        }
        Value::Null | Value::Scalar(_) => reader.choice(node, "codec", &CODECS).map(|make| make()),
    }
}

fn picklist(reader: &mut Reader<'_>, node: &Node) -> Option<Picklist> {
    let entries = reader.entries(node)?;
    let mut table = BTreeMap::new();
    let mut whole = !entries.is_empty();
    if !whole {
        reader.fault(node, "maps no value", "write ours: theirs, one value a line");
    }
    for entry in entries {
        let theirs = reader.text(&entry.node, "a value of theirs");
        if let Some(first) = theirs.as_ref().and_then(|theirs| table.iter().find(|(_, known)| *known == theirs).map(|(ours, _)| ours)) {
            let message = format!("stands for the same value as {first}, so that there is no way back");
            reader.fault(&entry.node, message, "give each value of ours a value of its own");
            whole = false;
            continue;
        }
        match theirs {
            Some(theirs) => {
                table.insert(entry.key.clone(), theirs);
            }
            None => whole = false,
        }
    }
    if whole { Picklist::new(table).ok() } else { None }
}

fn region(reader: &mut Reader<'_>, node: &Node, codec: Codec) -> Option<Codec> {
    let known = |text: &str| phone::is_region(text).then(|| text.to_owned());
    let region = reader.parsed(node, "the two letters of a country, such as US or DE", known)?;
    match codec {
        Codec::Phone { .. } => Some(Codec::Phone { region: Some(region) }),
        Codec::Chain(mut links) if links.iter().any(|link| matches!(link, Codec::Phone { .. })) => {
            for link in links.iter_mut().filter(|link| matches!(link, Codec::Phone { .. })) {
                *link = Codec::Phone { region: Some(region.clone()) };
            }
            Some(Codec::Chain(links))
        }
        Codec::Same
        | Codec::Lower
        | Codec::Upper
        | Codec::Trim
        | Codec::Picklist(_)
        | Codec::SplitName
        | Codec::JoinName
        | Codec::Chain(_) => {
            reader.fault(node, "means something to the codec phone only", "write codec: phone, or take region out");
            None
        }
    }
}
