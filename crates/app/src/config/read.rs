//! Reads values out of a raw configuration and collects what is wrong with them.
//!
//! Promises: a fault never ends the reading: what is wrong reads as None, and the next value is looked at. `${NAME}` is replaced
//! after the YAML is parsed, so no variable can change its structure; messages quote what was written, never what a variable holds.
//! Leaves to others: which keys there are (`systems`, `boundaries` and the like), secrets (`secrets`).

use std::collections::BTreeMap;
use std::time::Duration;

use syncline_engine::codes::Code;

use super::faults::{Fault, Place, hide, nearest};
use super::raw::{Entry, Node, Value};
use super::shape::{Key, names};

/// Looks up environment variables.
pub(super) type Env<'e> = &'e dyn Fn(&str) -> Option<String>;

/// Reads, and remembers what was wrong.
pub(super) struct Reader<'e> {
    env: Env<'e>,
    /// What was wrong so far.
    pub faults: Vec<Fault>,
    /// Where secrets may stand.
    pub hidden: Vec<Place>,
    /// Digests of secrets by path.
    pub secrets: BTreeMap<String, [u8; 32]>,
}

/// A map whose keys are known.
#[derive(Clone, Copy)]
pub(super) struct Section<'n> {
    /// The map.
    pub node: &'n Node,
    entries: &'n [Entry],
}

impl<'n> Section<'n> {
    /// The value of a key; none if the key is not there, or nothing stands behind it.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        let found = self.entries.iter().find(|entry| entry.key == key);
        found.map(|entry| &entry.node).filter(|node| !matches!(node.value, Value::Null))
    }
}

impl<'e> Reader<'e> {
    /// A reader that found nothing yet.
    pub(super) const fn new(env: Env<'e>) -> Self {
        Self { env, faults: Vec::new(), hidden: Vec::new(), secrets: BTreeMap::new() }
    }

    /// Remembers a fault of a value.
    pub(super) fn fault(&mut self, node: &Node, message: impl Into<String>, remedy: impl Into<String>) {
        self.fault_at(&node.place, &node.path, message, remedy);
    }

    /// Remembers a fault.
    pub(super) fn fault_at(&mut self, place: &Place, path: &str, message: impl Into<String>, remedy: impl Into<String>) {
        self.fault_of(misfit(path), place, path, message, remedy);
    }

    /// Remembers a fault of a kind of its own.
    pub(super) fn fault_of(&mut self, code: Code, place: &Place, path: &str, message: impl Into<String>, remedy: impl Into<String>) {
        self.faults.push(Fault { code, place: place.clone(), path: path.to_owned(), message: message.into(), remedy: remedy.into() });
    }

    /// Remembers that nothing bears a name, with the name that may be meant.
    pub(super) fn unknown(&mut self, place: &Place, path: &str, what: &str, name: &str, known: &[&str]) {
        let listed = if known.is_empty() { "there are none".to_owned() } else { format!("there are {}", known.join(", ")) };
        let remedy = match nearest(name, known.iter().copied()) {
            Some(meant) => format!("did you mean {meant}? {listed}"),
            None => listed,
        };
        let code = if what == "key" { Code::UnknownKey } else { Code::UnknownName };
        self.fault_of(code, place, path, format!("there is no {what} {name:?}"), remedy);
    }

    /// The entries of a map whose keys are names of the user's own.
    pub(super) fn entries<'n>(&mut self, node: &'n Node) -> Option<&'n [Entry]> {
        match &node.value {
            Value::Map(entries) => {
                self.hidden.extend(entries.iter().filter(|entry| entry.is_odd()).map(|entry| entry.place.clone()));
                Some(entries)
            }
            Value::Null => Some(&[]),
            Value::Scalar(_) | Value::Seq(_) => {
                self.fault_of(Code::WrongForm, &node.place, &node.path, format!("must be a map, not {}", node.kind()), "write key: value, one a line");
                hide(node, &mut self.hidden);
                None
            }
        }
    }

    /// A map that may hold these keys and no others.
    pub(super) fn section<'n>(&mut self, node: &'n Node, keys: &'static [Key]) -> Option<Section<'n>> {
        self.section_of(node, &names(keys))
    }

    /// A map that may hold keys of these names and no others.
    pub(super) fn section_of<'n>(&mut self, node: &'n Node, known: &[&str]) -> Option<Section<'n>> {
        let entries = self.entries(node)?;
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let is_bare = matches!(entry.node.value, Value::Null) && nearest(&entry.key, known.iter().copied()).is_none();
            if is_bare || entry.is_odd() {
                self.hidden.push(entry.place.clone());
                let message = "a key without a value, or a value without a key";
                self.fault_at(&entry.place, &node.path, message, "write key: value, with a space after the colon");
            } else {
                self.unknown(&entry.place, &entry.node.path, "key", &entry.key, known);
            }
            hide(&entry.node, &mut self.hidden);
        }
        Some(Section { node, entries })
    }

    /// The value of a key that must be there.
    pub(super) fn required<'n>(&mut self, section: Section<'n>, key: &str, remedy: &str) -> Option<&'n Node> {
        let found = section.get(key);
        if found.is_none() {
            let path = if section.node.path.is_empty() { key.to_owned() } else { format!("{}.{key}", section.node.path) };
            self.fault_of(Code::MissingKey, &section.node.key, &path, "is missing", remedy);
        }
        found
    }

    /// A single value as it was written.
    pub(super) fn written<'n>(&mut self, node: &'n Node, wanted: &str) -> Option<&'n str> {
        match &node.value {
            Value::Scalar(text) => Some(text),
            Value::Null | Value::Seq(_) | Value::Map(_) => {
                self.fault_of(Code::WrongForm, &node.place, &node.path, format!("must be {wanted}, not {}", node.kind()), format!("write {wanted}"));
                None
            }
        }
    }

    /// A single value as text, its variables replaced.
    pub(super) fn text(&mut self, node: &Node, wanted: &str) -> Option<String> {
        let written = self.written(node, wanted)?;
        if matches!(node.place, Place::Environment(_)) {
            return Some(written.to_owned());
        }
        let (mut text, mut rest, mut complete) = (String::new(), written, true);
        while let Some((before, after)) = rest.split_once("${") {
            text.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                self.fault(node, "holds ${ without its }", "write ${NAME}, with the name of an environment variable");
                return None;
            };
            match self.variable(node, name) {
                Some(value) => text.push_str(&value),
                None => complete = false,
            }
            rest = after;
        }
        text.push_str(rest);
        complete.then_some(text)
    }

    /// The value of a variable that is named by a value.
    pub(super) fn variable(&mut self, node: &Node, name: &str) -> Option<String> {
        let value = (self.env)(name);
        if value.is_none() {
            self.fault_of(Code::VariableUnset, &node.place, &node.path, format!("the environment variable {name} is not set"), format!("set {name} before the start"));
        }
        value
    }

    /// A single value of some form.
    pub(super) fn parsed<T>(&mut self, node: &Node, wanted: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.text(node, wanted)?;
        let value = parse(text.trim());
        if value.is_none() {
            let written = self.written(node, wanted).unwrap_or_default().to_owned();
            self.fault_of(Code::WrongForm, &node.place, &node.path, format!("must be {wanted}, not {written:?}"), format!("write {wanted}"));
        }
        value
    }

    /// A whole number within bounds.
    pub(super) fn whole(&mut self, node: &Node, min: u64, max: u64) -> Option<u64> {
        let wanted = match max {
            u64::MAX => format!("a whole number of at least {min}"),
            _ => format!("a whole number from {min} to {max}"),
        };
        self.parsed(node, &wanted, |text| text.parse().ok().filter(|number| (min..=max).contains(number)))
    }

    /// A count that fits this machine.
    pub(super) fn count(&mut self, node: &Node, min: u64, max: u32) -> Option<usize> {
        self.whole(node, min, u64::from(max)).and_then(|number| usize::try_from(number).ok())
    }

    /// A number.
    pub(super) fn number(&mut self, node: &Node) -> Option<f64> {
        self.parsed(node, "a number", |text| text.parse().ok().filter(|number: &f64| number.is_finite()))
    }

    /// True or false.
    pub(super) fn flag(&mut self, node: &Node) -> Option<bool> {
        self.parsed(node, "true or false", |text| text.to_lowercase().parse().ok())
    }

    /// A share above 0 and up to 1, in thousandths.
    pub(super) fn permille(&mut self, node: &Node) -> Option<u64> {
        self.parsed(node, "a share above 0 and up to 1, such as 0.8", |text| {
            let share: f64 = text.parse().ok()?;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
            let permille = (share * 1000.0).round().clamp(0.0, 1000.0) as u64;
            (share > 0.0 && share <= 1.0 && permille > 0).then_some(permille)
        })
    }

    /// A span of time.
    pub(super) fn duration(&mut self, node: &Node) -> Option<Duration> {
        self.parsed(node, "a time above zero, such as 500ms, 30s, 5m, 72h or 7d", duration)
    }

    /// One of several names.
    pub(super) fn choice<T: Copy>(&mut self, node: &Node, what: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(node, &format!("a {what}"))?;
        let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            let written = self.written(node, what).unwrap_or_default().to_owned();
            self.unknown(&node.place, &node.path, what, &written, &names);
        }
        found
    }

    /// The values of a list; a single value is a list of one.
    pub(super) fn list<'n>(&mut self, node: &'n Node, wanted: &str) -> Vec<&'n Node> {
        match &node.value {
            Value::Seq(nodes) => nodes.iter().collect(),
            Value::Scalar(_) => vec![node],
            Value::Null => Vec::new(),
            Value::Map(_) => {
                self.fault_of(Code::WrongForm, &node.place, &node.path, format!("must be {wanted}, not a map"), format!("write {wanted}"));
                Vec::new()
            }
        }
    }

    /// A list of texts, each with its place.
    pub(super) fn texts<'n>(&mut self, node: &'n Node, wanted: &str) -> Vec<(String, &'n Node)> {
        let nodes = self.list(node, wanted);
        nodes.into_iter().filter_map(|node| Some((self.text(node, wanted)?, node))).collect()
    }
}

/// The code of a setting that does not fit others, by its section.
fn misfit(path: &str) -> Code {
    match path.split(['.', '[']).next().unwrap_or_default() {
        "systems" => Code::SystemMisfit,
        "routing" => Code::RoutingMisfit,
        "boundaries" => Code::BoundaryMisfit,
        "record_types" => Code::RecordTypeMisfit,
        "tenants" => Code::TenantsMisfit,
        _ => Code::RunningMisfit,
    }
}

/// The last of them is a year: nothing in a configuration is meant to last longer.
const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// A span of time as the configuration has it: `500ms`, `30s`, `5m`, `72h`, `7d`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor)?;
    let time = Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(factor)?);
    (!time.is_zero() && time <= LONGEST).then_some(time)
}
