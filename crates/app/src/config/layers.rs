//! Lays what the environment and the command line say over what the file says: flags over variables over the file.
//!
//! Promises: a value from outside stands in the tree like one of the file, is read by the same code, and its faults name the variable
//! or the flag as their place. A variable cannot change the structure unless it is a whole list or map in brackets.
//! Leaves to others: looking variables up (`secrets`), what the values mean (`read` and those that use it).

use super::faults::{Fault, Place};
use super::raw::{self, Entry, Node, Value};
use super::read::Env;
use syncline_engine::codes::Code;

/// What is said besides the file.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Variables of the environment that begin with our prefix.
    pub variables: Vec<(String, String)>,
    /// Paths and values of the command line, the later over the earlier.
    pub flags: Vec<(String, String)>,
}

/// A variable may hold a secret.
impl std::fmt::Debug for Overrides {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = |pairs: &[(String, String)]| pairs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        f.debug_struct("Overrides").field("variables", &names(&self.variables)).field("flags", &names(&self.flags)).finish()
    }
}

/// Our variables begin so.
pub(super) const PREFIX: &str = "SYNCLINE_";
/// Stands between the keys of a path in a variable's name.
const NESTING: &str = "__";
/// Keys of the root whose variable has no nesting.
const ALONE: [&str; 4] = ["STORE", "DATA", "LOG", "ROUTING"];
/// Variables of old, which name a key of every generator.
const GENERATOR: [&str; 3] = ["events_per_second", "batch_size", "enable_async"];

/// Lays everything from outside over the tree; answers what cannot be laid.
pub(super) fn lay(root: &mut Node, overrides: &Overrides, env: Env<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, text) in overrides.variables.iter().filter(|(_, text)| !text.is_empty()) {
        let Some(path) = path_of(name) else { continue };
        let place = Place::Environment(name.clone());
        let is_whole = text.trim_start().starts_with(['[', '{']);
        let value = is_whole.then(|| raw::parse(text).ok()).flatten().map_or_else(|| Value::Scalar(text.clone()), |node| node.value);
        faults.extend(put(root, &path, value, &place, true).err());
    }
    for (path, text) in &overrides.flags {
        let place = Place::Flag(path.clone());
        match raw::parse(text) {
            Ok(node) => faults.extend(put(root, path, node.value, &place, false).err()),
            Err(fault) => faults.push(Fault { place, path: path.clone(), ..fault }),
        }
    }
    lay_plain(root, env);
    root.name(String::new());
    faults
}

/// The path of keys that a variable's name stands for; none if it is no variable of the configuration.
fn path_of(name: &str) -> Option<String> {
    let rest = name.strip_prefix(PREFIX)?;
    let is_ours = ALONE.contains(&rest) || (rest.contains(NESTING) && rest.split(NESTING).all(|part| !part.is_empty()));
    is_ours.then(|| rest.to_lowercase().replace(NESTING, "."))
}

/// Lays the variables of old over the file, where nothing closer to the key was said.
fn lay_plain(root: &mut Node, env: Env<'_>) {
    let told = |key: &str| {
        let name = key.to_uppercase();
        let found = [format!("{PREFIX}{name}"), name].into_iter().find_map(|name| Some((env(&name).filter(|text| !text.is_empty())?, name)));
        found.map(|(text, name)| (Value::Scalar(text), Place::Environment(name)))
    };
    let plain = |root: &mut Node, path: &str, key: &str| {
        if let Some((value, place)) = told(key)
            && root.at(path).is_none_or(|node| node.place.is_in_file())
        {
            // A place that cannot be laid over is a fault of the file, which is told when it is read.
            let _ = put(root, path, value, &place, false);
        }
    };
    plain(root, "log", "log_level");
    let is_generator = |entry: &&Entry| matches!(entry.node.at("kind").map(|node| &node.value), Some(Value::Scalar(kind)) if kind == "generator");
    let systems = root.at("systems").map(Node::entries).unwrap_or_default();
    let generators: Vec<String> = systems.iter().filter(is_generator).map(|entry| entry.key.clone()).collect();
    for (name, key) in generators.iter().flat_map(|name| GENERATOR.map(|key| (name, key))) {
        plain(root, &format!("systems.{name}.{key}"), key);
    }
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// To the value of a key.
    Key(String),
    /// To an entry of a list, counted from 0.
    At(usize),
}

impl Step {
    /// What it leads to from a value, if that is there.
    pub(super) fn from<'n>(&self, node: &'n Node) -> Option<&'n Node> {
        match (self, &node.value) {
            (Self::Key(_), Value::Map(entries)) => entries.iter().find(|entry| self.is_to(&entry.key)).map(|entry| &entry.node),
            (Self::At(number), Value::Seq(nodes)) => nodes.get(*number),
            (Self::Key(_) | Self::At(_), Value::Null | Value::Scalar(_) | Value::Seq(_) | Value::Map(_)) => None,
        }
    }

    fn is_to(&self, name: &str) -> bool {
        matches!(self, Self::Key(key) if key == name)
    }
}

/// The steps of a path such as `api.tokens[0].name`.
pub(super) fn steps(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (key, mut rest) = part.split_at(part.find('[').unwrap_or(part.len()));
        if key.is_empty() {
            return None;
        }
        steps.push(Step::Key(key.to_owned()));
        while !rest.is_empty() {
            let (number, after) = rest.strip_prefix('[')?.split_once(']')?;
            steps.push(Step::At(number.parse().ok()?));
            rest = after;
        }
    }
    Some(steps)
}

/// Puts a value at a path; what is missing on the way is made. `folds` lets a key differ in case, and in _ for -.
pub(super) fn put(root: &mut Node, path: &str, value: Value, place: &Place, folds: bool) -> Result<(), Fault> {
    let fault = |message: String, remedy: &str| {
        Fault { code: Code::WrongForm, place: place.clone(), path: path.to_owned(), message, remedy: remedy.to_owned() }
    };
    let steps = steps(path).ok_or_else(|| fault("is no path".to_owned(), "write keys with dots between them, such as dispatch.retry.max, and [0] for the first of a list"))?;
    let mut node = root;
    for step in &steps {
        node = descend(node, step, place, folds).map_err(|(message, remedy)| fault(message, remedy))?;
    }
    node.value = value;
    node.stand_at(place);
    Ok(())
}

/// What a step leads to, made if it is missing.
fn descend<'n>(node: &'n mut Node, step: &Step, place: &Place, folds: bool) -> Result<&'n mut Node, (String, &'static str)> {
    let kind = node.kind();
    if matches!((&node.value, step), (Value::Null, Step::Key(_))) {
        node.value = Value::Map(Vec::new());
    }
    match (step, &mut node.value) {
        (Step::Key(key), Value::Map(entries)) => {
            let is_meant = |entry: &Entry| if folds { folded(&entry.key) == folded(key) } else { entry.key == *key };
            let found = entries.iter().position(is_meant).unwrap_or_else(|| {
                entries.push(Entry { key: key.clone(), place: place.clone(), node: Node::nothing(place) });
                entries.len() - 1
            });
            Ok(&mut entries[found].node)
        }
        (Step::At(number), Value::Seq(nodes)) => {
            let count = nodes.len();
            if *number == count {
                nodes.push(Node::nothing(place));
            }
            nodes.get_mut(*number).ok_or_else(|| (format!("the list has {count} entries"), "name an entry that is there, or the one behind the last"))
        }
        (Step::Key(_) | Step::At(_), Value::Null | Value::Scalar(_) | Value::Seq(_) | Value::Map(_)) => {
            let what = if matches!(step, Step::Key(_)) { "a key" } else { "an entry of a list" };
            Err((format!("{what} cannot stand below {kind}"), "set the whole value in one piece: { key: value } or [value]"))
        }
    }
}

fn folded(key: &str) -> String {
    key.to_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::{Step, path_of, steps};

    #[test]
    fn a_variable_of_the_configuration_is_told_from_others() {
        assert_eq!(path_of("SYNCLINE_SYSTEMS__INTERNAL__BATCH_SIZE").as_deref(), Some("systems.internal.batch_size"));
        assert_eq!(path_of("SYNCLINE_STORE").as_deref(), Some("store"));
        for other in ["SYNCLINE_TOKEN", "SYNCLINE_SERVICE_HOST", "SYNCLINE_A__", "SYNCLINE___B", "SYNCLINE_LOG_LEVEL", "STORE", "systems__a"] {
            assert_eq!(path_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_path_is_keys_and_numbers() {
        let key = |key: &str| Step::Key(key.to_owned());
        assert_eq!(steps("api.tokens[0].name"), Some(vec![key("api"), key("tokens"), Step::At(0), key("name")]));
        assert_eq!(steps("a[1][2]"), Some(vec![key("a"), Step::At(1), Step::At(2)]));
        for wrong in ["", ".", "a.", "a..b", "[0]", "a[", "a[x]", "a[0]b", "a[-1]"] {
            assert_eq!(steps(wrong), None, "{wrong}");
        }
    }
}
