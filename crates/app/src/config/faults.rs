//! What is wrong with a configuration, told as a compiler tells it.
//!
//! Promises: each fault has its place, its key, what is wrong and what to do; faults come in the order of the file. The lines that
//! are shown hide whatever stands where a secret may stand, also where its key is misspelt.
//! Leaves to others: finding faults (`read` and those that use it).

use std::fmt;

use syncline_engine::codes::Code;

use super::raw::{Node, Value};

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the file; line and column count from 1.
    File {
        /// The line.
        line: usize,
        /// The column, in characters.
        column: usize,
        /// How many characters it takes.
        length: usize,
    },
    /// In an environment variable.
    Environment(String),
    /// On the command line, by its path.
    Flag(String),
}

impl Place {
    /// The file's first character.
    pub const START: Self = Self::File { line: 1, column: 1, length: 1 };

    /// Whether it is in the file.
    #[must_use]
    pub const fn is_in_file(&self) -> bool {
        matches!(self, Self::File { .. })
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its code in the registry.
    pub code: Code,
    /// Where.
    pub place: Place,
    /// Keys from the root, with dots between them.
    pub path: String,
    /// What is wrong. Holds no secret.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// All that is wrong with one configuration.
#[derive(Clone, PartialEq, Eq)]
pub struct Faults {
    file: String,
    faults: Vec<Fault>,
    lines: Vec<String>,
    /// What did not come of it.
    ending: &'static str,
}

/// Nothing runs yet.
const NOT_STARTED: &str = "nothing was started";

impl Faults {
    /// Faults of `text`, whose hidden parts are hidden.
    pub(super) fn new(file: &str, text: &str, mut faults: Vec<Fault>, hidden: &[Place]) -> Self {
        faults.sort_by(|a, b| a.place.cmp(&b.place));
        faults.dedup();
        Self { file: file.to_owned(), faults, lines: masked(text, hidden), ending: NOT_STARTED }
    }

    /// The fault of a text that is no YAML.
    pub(super) fn no_yaml(file: &str, text: &str, fault: Fault) -> Self {
        Self { file: file.to_owned(), faults: vec![fault], lines: masked_throughout(text), ending: NOT_STARTED }
    }

    /// The same, of a configuration that was to take the place of one that is in force.
    #[must_use]
    pub fn of_change(mut self) -> Self {
        self.ending = "nothing was changed";
        self
    }

    /// The file's name.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// Every fault, in the order of the file.
    #[must_use]
    pub fn all(&self) -> &[Fault] {
        &self.faults
    }
}

impl std::error::Error for Faults {}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.faults {
            let subject = if fault.path.is_empty() { String::new() } else { format!("{}: ", fault.path) };
            writeln!(f, "error[{}]: {subject}{}", fault.code, fault.message)?;
            match &fault.place {
                Place::Environment(name) => writeln!(f, "  --> environment variable {name}")?,
                Place::Flag(path) => writeln!(f, "  --> --set {path}")?,
                Place::File { line, column, length } => self.show(f, *line, *column, *length)?,
            }
            writeln!(f, "  = remedy: {}\n  = see: {}\n", fault.remedy, fault.code.link())?;
        }
        let count = self.faults.len();
        write!(f, "{}: {count} {} found; {}", self.file, if count == 1 { "fault" } else { "faults" }, self.ending)
    }
}

impl Faults {
    fn show(&self, f: &mut fmt::Formatter<'_>, line: usize, column: usize, length: usize) -> fmt::Result {
        writeln!(f, "  --> {}:{line}:{column}", self.file)?;
        let Some(shown) = self.lines.get(line.saturating_sub(1)) else { return Ok(()) };
        let gutter = " ".repeat(line.to_string().len());
        let before: String = shown.chars().take(column.saturating_sub(1)).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let left = shown.chars().count().saturating_sub(column.saturating_sub(1));
        let marks = "^".repeat(length.min(left).max(1));
        writeln!(f, " {gutter} |\n {line} | {shown}\n {gutter} | {before}{marks}")
    }
}

/// Nothing shorter than this is a secret.
const SECRET_MIN: usize = 5;

/// The places of all single values below a node, less those that only refer to a secret.
pub(super) fn hide(node: &Node, hidden: &mut Vec<Place>) {
    match &node.value {
        Value::Null => {}
        Value::Scalar(text) if refers(text) || text.len() < SECRET_MIN => {}
        Value::Scalar(_) => hidden.push(node.place.clone()),
        Value::Seq(nodes) => nodes.iter().for_each(|node| hide(node, hidden)),
        Value::Map(entries) => {
            for entry in entries {
                if entry.is_odd() {
                    hidden.push(entry.place.clone());
                }
                hide(&entry.node, hidden);
            }
        }
    }
}

/// Whether a value says where a secret is instead of holding it.
pub(super) fn refers(text: &str) -> bool {
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    text.starts_with("file:") || text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).is_some_and(is_name)
}

/// The lines of a text with stars for what is hidden.
fn masked(text: &str, hidden: &[Place]) -> Vec<String> {
    let mut lines: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
    for place in hidden {
        let Place::File { line, column, length } = place else { continue };
        let (mut at, mut from, mut left) = (line.saturating_sub(1), column.saturating_sub(1), *length);
        while left > 0 && at < lines.len() {
            let line = &mut lines[at];
            let end = from.saturating_add(left).min(line.len());
            if let Some(part) = line.get_mut(from.min(end)..end) {
                part.fill('*');
            }
            left = left.saturating_sub(end.saturating_sub(from) + 1);
            (at, from) = (at + 1, 0);
        }
    }
    lines.into_iter().map(|line| line.into_iter().collect()).collect()
}

/// The lines of a text that is no YAML, with stars for everything but keys and punctuation: nobody knows what is a secret there.
fn masked_throughout(text: &str) -> Vec<String> {
    text.lines().map(mask_values).collect()
}

fn mask_values(line: &str) -> String {
    let is_word = |c: char| !c.is_whitespace() && !"{}[],\"'#|>".contains(c);
    let (mut out, mut rest, mut may_be_key) = (String::with_capacity(line.len()), line, true);
    while let Some(c) = rest.chars().next() {
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        if word.is_empty() {
            out.push(c);
            may_be_key |= matches!(c, '{' | ',');
            rest = &rest[c.len_utf8()..];
        } else {
            let is_key = word.ends_with(':') || (after.starts_with(['"', '\'']) && after[1..].starts_with(':'));
            let is_plain = word.trim_end_matches(':').chars().all(|c| c.is_ascii_lowercase() || c == '_');
            if (is_key && may_be_key && is_plain) || word.chars().all(|c| matches!(c, ':' | '-' | '$')) {
                out.push_str(word);
            } else {
                out.extend(std::iter::repeat_n('*', word.chars().count()));
            }
            may_be_key &= word == "-";
            rest = after;
        }
    }
    out
}

/// The known name that is nearest to a wrong one, if it is near enough to be meant.
pub fn nearest<'k>(wrong: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let wrong = wrong.to_lowercase();
    let near = known.into_iter().map(|name| (distance(&wrong, &name.to_lowercase()), name));
    let (distance, name) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= 2.max(wrong.chars().count() / 3) && distance < name.chars().count()).then_some(name)
}

/// How many characters have to be put in, taken out, changed or swapped with a neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
