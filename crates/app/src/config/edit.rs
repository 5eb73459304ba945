//! Changes one value in a configuration's text, and leaves everything else as it stands, comments included.
//!
//! Promises: the changed text reads as the former one with that one value; where that cannot be done on the spot, nothing is changed and
//! a person is asked to. Leaves to others: whether the value makes sense (`load`), writing the file (`crate::reload`).

use syncline_engine::codes::Code;

use super::faults::{Fault, Place};
use super::layers::{self, Step};
use super::raw::{self, Entry, Node, Value};
use super::written::{flow, key};

/// The text with another value at a path; an empty value is the default.
pub(super) fn edit(text: &str, path: &str, value: &str) -> Result<String, Fault> {
    let root = raw::parse(text)?;
    let place = Place::Flag(path.to_owned());
    let value = raw::parse(value).map_err(|fault| Fault { place: place.clone(), path: path.to_owned(), ..fault })?.value;
    let mut wanted = root.clone();
    layers::put(&mut wanted, path, value.clone(), &place, false)?;
    let steps = layers::steps(path).unwrap_or_default();
    let edited = Edit { text, is_json: text.trim_start_matches('\u{feff}').trim_start().starts_with('{') }.carry_out(&root, &steps, &value);
    edited.filter(|edited| raw::parse(edited).is_ok_and(|tree| is_same(&tree.value, &wanted.value))).ok_or_else(|| Fault {
        code: Code::ConfigurationUnreadable,
        place,
        path: path.to_owned(),
        message: "cannot be changed on the spot in this file".to_owned(),
        remedy: "change the file with an editor, and then `syncline config reload`".to_owned(),
    })
}

fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::Scalar(a), Value::Scalar(b)) => a == b,
        (Value::Seq(a), Value::Seq(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(&a.value, &b.value)),
        (Value::Map(a), Value::Map(b)) => {
            let same = |(a, b): (&Entry, &Entry)| a.key == b.key && is_same(&a.node.value, &b.node.value);
            a.len() == b.len() && a.iter().zip(b).all(same)
        }
        (Value::Null | Value::Scalar(_) | Value::Seq(_) | Value::Map(_), _) => false,
    }
}

struct Edit<'t> {
    text: &'t str,
    is_json: bool,
}

impl Edit<'_> {
    fn carry_out(&self, root: &Node, steps: &[Step], value: &Value) -> Option<String> {
        let (mut node, mut rest) = (root, steps);
        while let Some((step, after)) = rest.split_first()
            && let Some(next) = step.from(node)
        {
            (node, rest) = (next, after);
        }
        let value = flow(value, self.is_json);
        let Some((first, more)) = rest.split_first() else { return self.replace(node, &value) };
        let new = more.iter().rev().try_fold(value, |value, step| match step {
            Step::Key(name) => Some(format!("{{ {}: {value} }}", key(name, self.is_json))),
            Step::At(_) => None,
        })?;
        match (&node.value, first) {
            (Value::Map(entries), Step::Key(name)) => self.add(node, entries, &format!("{}: {new}", key(name, self.is_json))),
            (Value::Null, Step::Key(name)) if node.path.is_empty() => Some(self.behind_line(self.text.lines().count(), &format!("{}: {new}", key(name, self.is_json)))),
            (Value::Null, Step::Key(name)) => self.behind_key(node, &format!("{{ {}: {new} }}", key(name, self.is_json))),
            (Value::Seq(nodes), Step::At(_)) => self.add_in_brackets(node, nodes.is_empty(), &new),
            (Value::Null | Value::Scalar(_) | Value::Seq(_) | Value::Map(_), _) => None,
        }
    }

    /// Another value where one stands.
    fn replace(&self, node: &Node, value: &str) -> Option<String> {
        if matches!(node.value, Value::Null) {
            return self.behind_key(node, value);
        }
        let start = self.offset(&node.place)?;
        let end = match &node.value {
            Value::Scalar(_) => {
                let Place::File { length, .. } = node.place else { return None };
                let region: String = self.text[start..].chars().take(length).collect();
                start + region.trim_end().len()
            }
            Value::Null | Value::Seq(_) | Value::Map(_) => self.closing(start)? + 1,
        };
        Some(format!("{}{value}{}", &self.text[..start], &self.text[end..]))
    }

    /// A value where a key has none.
    fn behind_key(&self, node: &Node, value: &str) -> Option<String> {
        let Place::File { length, .. } = node.key else { return None };
        let start = self.offset(&node.key)?;
        let name: usize = self.text[start..].chars().take(length).map(char::len_utf8).sum();
        let colon = start + name + self.text[start + name..].find(':')? + 1;
        Some(format!("{} {value}{}", &self.text[..colon], &self.text[colon..]))
    }

    /// A key where a map has not got it: the last one.
    fn add(&self, node: &Node, entries: &[Entry], line: &str) -> Option<String> {
        if self.offset(&node.place).is_some_and(|start| self.text[start..].starts_with('{')) {
            return self.add_in_brackets(node, entries.is_empty(), line);
        }
        let (Place::File { column, .. }, Place::File { line: last, .. }) = (&entries.first()?.place, &entries.last()?.place) else { return None };
        let indent = column.checked_sub(1)?;
        let deeper = |text: &str| {
            let spaces = text.len() - text.trim_start_matches(' ').len();
            spaces > indent || (spaces == indent && text.trim_start().starts_with("- "))
        };
        let mut end = *last;
        for (number, text) in self.text.lines().enumerate().skip(*last) {
            match text.trim() {
                "" => {}
                _ if deeper(text) => end = number + 1,
                _ => break,
            }
        }
        Some(self.behind_line(end, &format!("{}{line}", " ".repeat(indent))))
    }

    /// One more within the brackets of a list or map.
    fn add_in_brackets(&self, node: &Node, is_empty: bool, new: &str) -> Option<String> {
        let start = self.offset(&node.place)?;
        let close = self.closing(start)?;
        let before = self.text[..close].trim_end();
        let (comma, space) = (if is_empty || before.ends_with(',') { "" } else { "," }, if before.ends_with('[') { "" } else { " " });
        Some(format!("{before}{comma}{space}{new}{}{}", if self.text[close..].starts_with('}') { " " } else { "" }, &self.text[close..]))
    }

    fn behind_line(&self, number: usize, line: &str) -> String {
        let end = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
        let mut lines: Vec<&str> = self.text.lines().collect();
        lines.insert(number.min(lines.len()), line);
        lines.join(end) + end
    }

    /// The byte at which a place begins.
    fn offset(&self, place: &Place) -> Option<usize> {
        let Place::File { line, column, .. } = place else { return None };
        let start = if *line == 1 { 0 } else { self.text.match_indices('\n').nth(line.checked_sub(2)?)?.0 + 1 };
        let within: usize = self.text[start..].chars().take(column.checked_sub(1)?).map(char::len_utf8).sum();
        Some(start + within)
    }

    /// The bracket that closes the one at `start`.
    fn closing(&self, start: usize) -> Option<usize> {
        let (mut depth, mut quote, mut is_escaped, mut is_comment) = (0_usize, None, false, false);
        let mut before = ' ';
        for (at, c) in self.text[start..].char_indices() {
            match (quote, c) {
                _ if is_comment => is_comment = c != '\n',
                (Some('"'), _) if is_escaped => is_escaped = false,
                (Some('"'), '\\') => is_escaped = true,
                (Some(open), _) => quote = Some(open).filter(|open| *open != c),
                (None, '"' | '\'') => quote = Some(c),
                (None, '#') if before.is_whitespace() => is_comment = true,
                (None, '{' | '[') => depth += 1,
                (None, '}' | ']') => depth = depth.checked_sub(1)?,
                (None, _) if depth == 0 => return None,
                (None, _) => {}
            }
            before = c;
            if depth == 0 {
                return Some(start + at);
            }
        }
        None
    }
}
