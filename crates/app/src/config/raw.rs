//! A configuration as it was written: a tree of values, each with its place and its key path.
//!
//! Promises: a scalar keeps the text that was written, so that `67.0` stays `67.0`; `${NAME}` is text everywhere, also within
//! braces, where YAML itself would see a map in it. What is no YAML is one fault with its place.
//! Leaves to others: what keys mean, and `${NAME}` itself (`read`).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::DuplicateKeyPolicy;
use serde_saphyr::{Location, Spanned};
use syncline_engine::codes::Code;

use super::faults::{Fault, Place};

/// One value.
#[derive(Clone)]
pub(super) struct Node {
    /// Keys from the root, with dots between them.
    pub path: String,
    /// Where it stands.
    pub place: Place,
    /// Where its key stands; itself where it has none.
    pub key: Place,
    /// What it is.
    pub value: Value,
}

/// What a value is.
#[derive(Clone)]
pub(super) enum Value {
    /// Nothing.
    Null,
    /// A single value as it was written, without its quotes.
    Scalar(String),
    /// A list.
    Seq(Vec<Node>),
    /// A map in its own order.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone)]
pub(super) struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub place: Place,
    /// The value.
    pub node: Node,
}

impl Entry {
    /// Whether the key seems to have swallowed its value, as `token:abc` does within braces: it may hold a secret then.
    pub(super) fn is_odd(&self) -> bool {
        let is_word = self.key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        let names_secret = || ["token", "secret", "password"].iter().any(|word| self.key.to_lowercase().contains(word));
        !is_word && (matches!(self.node.value, Value::Null) || names_secret())
    }
}

impl Node {
    /// Nothing, at a place outside of the file.
    pub(super) fn nothing(place: &Place) -> Self {
        Self { path: String::new(), key: place.clone(), place: place.clone(), value: Value::Null }
    }

    /// The entries of a map; none of anything else.
    pub(super) fn entries(&self) -> &[Entry] {
        if let Value::Map(entries) = &self.value { entries } else { &[] }
    }

    /// The value below it at these keys, with dots between them.
    pub(super) fn at(&self, keys: &str) -> Option<&Self> {
        keys.split('.').try_fold(self, |node, key| Some(&node.entries().iter().find(|entry| entry.key == key)?.node))
    }

    /// What it is, for messages.
    pub(super) const fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Scalar(_) => "a single value",
            Value::Seq(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// The same, as if it stood at another place: for text that is no part of the file.
    pub(super) fn moved_to(mut self, place: &Place, path: &str) -> Self {
        self.name(path.to_owned());
        self.stand_at(place);
        self
    }

    /// Lets it stand at another place, with all below it.
    pub(super) fn stand_at(&mut self, place: &Place) {
        (self.place, self.key) = (place.clone(), place.clone());
        match &mut self.value {
            Value::Null | Value::Scalar(_) => {}
            Value::Seq(nodes) => nodes.iter_mut().for_each(|node| node.stand_at(place)),
            Value::Map(entries) => {
                for entry in entries {
                    entry.place = place.clone();
                    entry.node.stand_at(place);
                }
            }
        }
    }

    /// Gives every value below its path.
    pub(super) fn name(&mut self, path: String) {
        match &mut self.value {
            Value::Null | Value::Scalar(_) => {}
            Value::Seq(nodes) => {
                for (at, node) in nodes.iter_mut().enumerate() {
                    node.name(format!("{path}[{at}]"));
                }
            }
            Value::Map(entries) => {
                for entry in entries {
                    let key = if entry.is_odd() { "?" } else { &entry.key };
                    let path = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
                    entry.node.name(path);
                }
            }
        }
        self.path = path;
    }
}

/// Stand-ins for the braces of `${NAME}` while the text is parsed: one character for one, so that places stay right.
const OPEN: char = '\u{E0F0}';
const CLOSE: char = '\u{E0F1}';

/// Reads YAML.
///
/// # Errors
/// If the text is no YAML, or holds a key twice.
pub(super) fn parse(text: &str) -> Result<Node, Fault> {
    let shielded = if text.contains([OPEN, CLOSE]) { text.to_owned() } else { shield(text) };
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        strict_booleans: true,
        emit_comments: false,
        with_snippet: false,
    };
    let parsed: Result<Option<Spanned<Tree>>, _> = serde_saphyr::from_str_with_options(&shielded, options);
    match parsed {
        Ok(Some(spanned)) => {
            let mut root = node(spanned, &shielded);
            root.name(String::new());
            Ok(root)
        }
        Ok(None) => Ok(Node { path: String::new(), place: Place::START, key: Place::START, value: Value::Null }),
        Err(error) => Err(not_yaml(&error)),
    }
}

fn not_yaml(error: &serde_saphyr::Error) -> Fault {
    let place = error.location().map_or(Place::START, |location| place(&location));
    let error = error.without_snippet();
    let (message, remedy) = if matches!(error, serde_saphyr::Error::DuplicateMappingKey { .. }) {
        ("a key that stands here already".to_owned(), "keep one of the two")
    } else if matches!(error, serde_saphyr::Error::MultipleDocuments { .. }) {
        ("a second document begins here".to_owned(), "write one document: take out the line --- and merge what follows it")
    } else if matches!(error, serde_saphyr::Error::UnknownAnchor { .. }) {
        ("an alias of an anchor that stands nowhere before it".to_owned(), "define the anchor with & above, or write the value itself")
    } else if is_beyond_bounds(error) {
        ("this grows beyond what a configuration may hold".to_owned(), "use fewer or smaller aliases, and nest less deeply")
    } else {
        let remedy = "look for indentation, a missing quote, colon or bracket on this line or the one before";
        // What the scanner says is a fixed sentence; it never quotes the text.
        let why = if let serde_saphyr::Error::ExternalMessage { msg, .. } = error { format!(": {msg}") } else { String::new() };
        (format!("this is no YAML{why}"), remedy)
    };
    Fault { code: Code::NotYaml, place, path: String::new(), message, remedy: remedy.to_owned() }
}

/// Whether the text would grow without end: aliases of aliases, or maps in maps.
const fn is_beyond_bounds(error: &serde_saphyr::Error) -> bool {
    use serde_saphyr::Error;
    matches!(
        error,
        Error::Budget { .. }
            | Error::AliasError { .. }
            | Error::AliasReplayLimitExceeded { .. }
            | Error::AliasExpansionLimitExceeded { .. }
            | Error::AliasReplayStackDepthExceeded { .. }
    )
}

/// Puts stand-ins for the braces of every `${NAME}`.
fn shield(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, after) = (&rest[..at], &rest[at + 2..]);
        out.push_str(before);
        let length = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
        if length > 0 && after[length..].starts_with('}') {
            out.extend(['$', OPEN]);
            out.push_str(&after[..length]);
            out.push(CLOSE);
            rest = &after[length + 1..];
        } else {
            out.push_str("${");
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

fn unshield(text: &str) -> String {
    text.replace(OPEN, "{").replace(CLOSE, "}")
}

fn place(location: &Location) -> Place {
    let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let length = usize::try_from(location.span().len()).unwrap_or(usize::MAX);
    if location.line() == 0 { Place::START } else { Place::File { line: whole(location.line()), column: whole(location.column()), length } }
}

fn node(spanned: Spanned<Tree>, text: &str) -> Node {
    let at = place(&spanned.referenced);
    let value = match spanned.value {
        Tree::Null => Value::Null,
        Tree::Text(read) => Value::Scalar(unshield(&read)),
        Tree::Plain(read) => Value::Scalar(source(&spanned.defined, text).map_or(read, str::to_owned)),
        Tree::Seq(nodes) => Value::Seq(nodes.into_iter().map(|spanned| node(spanned, text)).collect()),
        Tree::Map(entries) => {
            let entry = |(key, spanned): (Spanned<String>, _)| {
                let at = place(&key.referenced);
                Entry { key: unshield(&key.value), node: Node { key: at.clone(), ..node(spanned, text) }, place: at }
            };
            Value::Map(entries.into_iter().map(entry).collect())
        }
    };
    Node { path: String::new(), key: at.clone(), place: at, value }
}

/// What was written at a place.
fn source<'t>(location: &Location, text: &'t str) -> Option<&'t str> {
    let (offset, length) = location.span().byte_offset().zip(location.span().byte_len())?;
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    text.get(start..end).map(str::trim)
}

/// What the parser hands over.
enum Tree {
    Null,
    Text(String),
    Plain(String),
    Seq(Vec<Spanned<Tree>>),
    Map(Vec<(Spanned<String>, Spanned<Tree>)>),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list or a map")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        Tree::deserialize(deserializer)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Plain(value.to_string()))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Plain(value.to_string()))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Plain(value.to_string()))
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Tree, E> {
        Ok(Tree::Plain(value.to_string()))
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Tree, E> {
        Ok(Tree::Plain(value.to_string()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Plain(value.to_string()))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = seq.next_element()? {
            nodes.push(node);
        }
        Ok(Tree::Seq(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries: Vec<(Spanned<String>, Spanned<Tree>)> = Vec::new();
        while let Some(entry) = map.next_entry::<Spanned<String>, Spanned<Tree>>()? {
            if entries.iter().any(|(key, _)| key.value == entry.0.value) {
                return Err(A::Error::custom("a key that stands here already"));
            }
            entries.push(entry);
        }
        Ok(Tree::Map(entries))
    }
}
