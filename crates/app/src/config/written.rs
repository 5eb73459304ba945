//! A configuration as it was written, the environment and the command line laid over it: what stands where, and where it came from.
//!
//! Promises: shows no secret; its text is YAML that reads as the same values, so that a kept one can be compared with a present one.
//! Leaves to others: what the values mean (`checked`), keeping texts (`crate::reload`).

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use syncline_core::config_entry::KeyChange;

use super::faults::Place;
use super::raw::{self, Node, Value};

/// What is shown in place of a secret.
pub const HIDDEN: &str = "[hidden]";

/// A configuration as it was written.
#[derive(Clone)]
pub struct Written {
    root: Node,
    /// Digests of secrets by path, to tell whether one has changed.
    secrets: BTreeMap<String, [u8; 32]>,
}

/// One value that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenValue {
    /// Keys from the root, with dots between them.
    pub path: String,
    /// The value, or `[hidden]`.
    pub value: String,
    /// Where it stands.
    pub place: Place,
}

impl Written {
    /// What was read; `secrets` are digests by path.
    pub(super) fn new(mut root: Node, secrets: BTreeMap<String, [u8; 32]>) -> Self {
        hide(&mut root, &secrets);
        Self { root, secrets }
    }

    /// Reads a text that `text` has made.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        raw::parse(text).ok().map(|root| Self { root, secrets: BTreeMap::new() })
    }

    /// Every single value, in order; a list or map without any is `[]` or `{}`.
    #[must_use]
    pub fn values(&self) -> Vec<WrittenValue> {
        let mut values = Vec::new();
        flatten(&self.root, &mut values);
        values
    }

    /// Paths and values of all keys that are written nowhere and have a default.
    #[must_use]
    pub fn defaults(&self) -> Vec<(String, &'static str)> {
        let mut defaults = Vec::new();
        super::shape::defaults(Some(&self.root), super::shape::ROOT, "", &mut defaults);
        defaults
    }

    /// The whole as YAML, without secrets and comments.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        block(&self.root, 0, &mut text);
        text
    }

    /// SHA-256 of the text.
    #[must_use]
    pub fn digest(&self) -> String {
        Sha256::digest(self.text()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What differs from another one.
    #[must_use]
    pub fn changes_from(&self, before: &Self) -> Vec<KeyChange> {
        let shown = |written: &Self| written.values().into_iter().map(|value| (value.path, value.value)).collect::<BTreeMap<_, _>>();
        let (old, new) = (shown(before), shown(self));
        let mut changes: Vec<KeyChange> = old
            .iter()
            .filter(|(path, value)| new.get(*path) != Some(value))
            .map(|(path, value)| KeyChange { path: path.clone(), before: Some(value.clone()), after: new.get(path).cloned() })
            .collect();
        let added = new.iter().filter(|(path, _)| !old.contains_key(*path));
        changes.extend(added.map(|(path, value)| KeyChange { path: path.clone(), before: None, after: Some(value.clone()) }));
        let told = |path: &String| changes.iter().any(|change| change.path == *path);
        let secret = |path: &String| KeyChange { path: path.clone(), before: Some(HIDDEN.to_owned()), after: Some(HIDDEN.to_owned()) };
        let exchanged = self.secrets.iter().filter(|(path, digest)| before.secrets.get(*path).is_some_and(|old| old != *digest) && !told(path));
        let exchanged: Vec<_> = exchanged.map(|(path, _)| secret(path)).collect();
        changes.extend(exchanged);
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        changes
    }

    /// Where a path stands, or what is nearest above it.
    #[must_use]
    pub fn place(&self, path: &str) -> Place {
        let mut node = &self.root;
        for step in super::layers::steps(path).unwrap_or_default() {
            let Some(next) = step.from(node) else { break };
            node = next;
        }
        node.key.clone()
    }
}

/// A secret that came in a variable stands in the tree itself; all others are references.
fn hide(node: &mut Node, secrets: &BTreeMap<String, [u8; 32]>) {
    let is_plain = |text: &str| !super::faults::refers(text);
    match &mut node.value {
        Value::Null => {}
        Value::Scalar(text) if secrets.contains_key(&node.path) && is_plain(text) => HIDDEN.clone_into(text),
        Value::Scalar(_) => {}
        Value::Seq(nodes) => nodes.iter_mut().for_each(|node| hide(node, secrets)),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| hide(&mut entry.node, secrets)),
    }
}

fn flatten(node: &Node, values: &mut Vec<WrittenValue>) {
    let one = |value: &str| WrittenValue { path: node.path.clone(), value: value.to_owned(), place: node.place.clone() };
    match &node.value {
        Value::Null => {}
        Value::Scalar(text) => values.push(one(text)),
        Value::Seq(nodes) if nodes.is_empty() => values.push(one("[]")),
        Value::Map(entries) if entries.is_empty() && !node.path.is_empty() => values.push(one("{}")),
        Value::Seq(nodes) => nodes.iter().for_each(|node| flatten(node, values)),
        Value::Map(entries) => entries.iter().for_each(|entry| flatten(&entry.node, values)),
    }
}

/// Writes what is below a node, a line each.
fn block(node: &Node, depth: usize, text: &mut String) {
    for entry in node.entries() {
        let indent = "  ".repeat(depth);
        let key = scalar(&entry.key, false);
        match &entry.node.value {
            Value::Null => {}
            Value::Map(inner) if !inner.is_empty() => {
                text.push_str(&format!("{indent}{key}:\n"));
                block(&entry.node, depth + 1, text);
            }
            Value::Scalar(_) | Value::Seq(_) | Value::Map(_) => text.push_str(&format!("{indent}{key}: {}\n", flow(&entry.node.value, false))),
        }
    }
}

/// A value on one line. `quoted` writes it as JSON.
pub(super) fn flow(value: &Value, quoted: bool) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Scalar(text) => scalar(text, quoted),
        Value::Seq(nodes) => format!("[{}]", nodes.iter().map(|node| flow(&node.value, quoted)).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Map(entries) => {
            let entries = entries.iter().map(|entry| format!("{}: {}", key(&entry.key, quoted), flow(&entry.node.value, quoted)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A key; in JSON it is always quoted.
pub(super) fn key(text: &str, quoted: bool) -> String {
    if quoted { serde_json::Value::from(text).to_string() } else { scalar(text, false) }
}

/// A single value, in quotes where it would be read as something else without.
fn scalar(text: &str, quoted: bool) -> String {
    let is_number = || serde_json::from_str::<serde_json::Number>(text).is_ok() || matches!(text, "true" | "false");
    let is_word = || text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') && text.chars().all(|c| c.is_ascii_alphanumeric() || "_./+-:".contains(c)) && !text.ends_with(':');
    let is_plain = if quoted { is_number() } else { is_word() && !text.eq_ignore_ascii_case("null") };
    if is_plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
