//! Reads files of mapping tests, which stand beside a configuration and are named `*.test.yaml`.
//!
//! Promises: every fault is told with its place, as in a configuration; what is expected is kept as paths and texts, so that it can be
//! compared and told line by line. Leaves to others: carrying tests out (`crate::mapping_tests`).

use std::collections::BTreeMap;

use syncline_core::outcome::ExternalFields;

use super::faults::{Faults, Place};
use super::raw::{self, Entry, Node, Value};
use super::read::Reader;

/// One test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingTest {
    /// What it is called.
    pub name: String,
    /// The events, one after the other; the last one is judged.
    pub events: Vec<Vec<u8>>,
    /// What a system holds under the record's key before the first event, by system.
    pub there: BTreeMap<String, ExternalFields>,
    /// What is expected: values by path; None is null.
    pub expected: BTreeMap<String, Option<String>>,
    /// Line and column of the key `expect`.
    pub expect_at: (usize, usize),
}

/// Reads a file of tests. `systems` are the names of those that are written to.
///
/// # Errors
/// Every fault at once.
pub fn load_tests(text: &str, file_name: &str, systems: &[&str]) -> Result<Vec<MappingTest>, Faults> {
    let mut reader = Reader::new(&|_| None);
    let root = match raw::parse(text) {
        Ok(root) => root,
        Err(fault) => return Err(Faults::no_yaml(file_name, text, fault)),
    };
    let tests = read(&mut reader, &root, &typed(text), systems);
    if reader.faults.is_empty() { Ok(tests) } else { Err(Faults::new(file_name, text, reader.faults, &reader.hidden)) }
}

/// The same text with its values' types, which an event needs and a configuration does not.
fn typed(text: &str) -> serde_json::Value {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).unwrap_or_default()
}

fn read(reader: &mut Reader<'_>, root: &Node, typed: &serde_json::Value, systems: &[&str]) -> Vec<MappingTest> {
    let Some(section) = reader.section_of(root, &["tests"]) else { return Vec::new() };
    let Some(list) = reader.required(section, "tests", "write tests: and a list of tests") else { return Vec::new() };
    let nodes = reader.list(list, "a list of tests");
    if nodes.is_empty() {
        reader.fault(list, "holds no test", "write - name: …, given: …, expect: …");
    }
    let test = |(at, node): (usize, &Node)| test(reader, node, &typed["tests"][at]["given"], systems);
    nodes.into_iter().enumerate().filter_map(test).collect()
}

fn test(reader: &mut Reader<'_>, node: &Node, typed: &serde_json::Value, systems: &[&str]) -> Option<MappingTest> {
    let section = reader.section_of(node, &["name", "given", "expect"])?;
    let name = reader.required(section, "name", "write name: and what the test shows").and_then(|node| reader.text(node, "a text"));
    let given = reader.required(section, "given", "write given: { event: … }")?;
    let given = reader.section_of(given, &["event", "events", "there"])?;
    let events: Vec<Vec<u8>> = match (&typed["event"], &typed["events"]) {
        (event, serde_json::Value::Null) if !event.is_null() => vec![event_bytes(event)],
        (serde_json::Value::Null, serde_json::Value::Array(events)) if !events.is_empty() => events.iter().map(event_bytes).collect(),
        (_, _) => {
            reader.fault(given.node, "needs an event, or a list of events", "write event: and the event, or events: and a list of them");
            return None;
        }
    };
    let mut there = BTreeMap::new();
    for entry in given.get("there").and_then(|node| reader.entries(node)).unwrap_or_default() {
        if is_system(reader, entry, systems) {
            let fields = reader.entries(&entry.node).unwrap_or_default();
            let held = |field: &Entry| (field.key.clone(), if let Value::Scalar(text) = &field.node.value { Some(text.clone()) } else { None });
            there.insert(entry.key.clone(), fields.iter().map(held).collect());
        }
    }
    let expect = node.entries().iter().find(|entry| entry.key == "expect");
    let Some(expect) = expect else {
        reader.fault_at(&node.place, &format!("{}.expect", node.path), "is missing", "write expect: and run syncline test --update");
        return None;
    };
    let mut expected = BTreeMap::new();
    if !matches!(expect.node.value, Value::Null) {
        let section = reader.section_of(&expect.node, &["event", "routes", "systems"])?;
        for entry in section.get("systems").and_then(|node| reader.entries(node)).unwrap_or_default() {
            is_system(reader, entry, systems);
        }
        flatten(&expect.node, "", &mut expected);
    }
    let Place::File { line, column, .. } = expect.place else { return None };
    Some(MappingTest { name: name?, events, there, expected, expect_at: (line, column) })
}

fn is_system(reader: &mut Reader<'_>, entry: &Entry, systems: &[&str]) -> bool {
    let is_known = systems.contains(&entry.key.as_str());
    if !is_known {
        reader.unknown(&entry.place, &entry.node.path, "external system", &entry.key, systems);
    }
    is_known
}

/// An event as it goes over the wire; text is taken for JSON.
fn event_bytes(event: &serde_json::Value) -> Vec<u8> {
    event.as_str().map_or_else(|| event.to_string(), str::to_owned).into_bytes()
}

/// Values by path. One step of a system is a list of one.
fn flatten(node: &Node, path: &str, out: &mut BTreeMap<String, Option<String>>) {
    match &node.value {
        Value::Null => {
            out.insert(path.to_owned(), None);
        }
        Value::Scalar(text) => {
            out.insert(path.to_owned(), Some(text.clone()));
        }
        Value::Seq(nodes) => {
            for (at, node) in nodes.iter().enumerate() {
                flatten(node, &format!("{path}[{at}]"), out);
            }
        }
        Value::Map(entries) => {
            let is_step = path.strip_prefix("systems.").is_some_and(|rest| !rest.contains(['.', '[']));
            let path = if is_step { format!("{path}[0]") } else { path.to_owned() };
            for entry in entries {
                let path = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
                flatten(&entry.node, &path, out);
            }
        }
    }
}
