//! Puts what came in place of what a test file expects.
//!
//! Promises: everything but the expectations that are replaced stays as it was, comments and order too; a test whose `expect` does not
//! stand in a line of its own is left alone and named. Leaves to others: writing the file.

use super::outcome::Outcome;
use crate::config::MappingTest;

/// The text with these tests' expectations replaced, and the names of those that could not be.
#[must_use]
pub fn rewrite(text: &str, outcomes: &[(&MappingTest, &Outcome)]) -> (String, Vec<String>) {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut left = Vec::new();
    let mut ordered: Vec<_> = outcomes.iter().collect();
    ordered.sort_by_key(|(test, _)| std::cmp::Reverse(test.expect_at));
    for (test, outcome) in ordered {
        let (line, column) = test.expect_at;
        let (at, indent) = (line - 1, column - 1);
        let before: String = lines.get(at).map(|line| line.chars().take(indent).collect()).unwrap_or_default();
        if before.chars().any(|c| !matches!(c, ' ' | '-')) {
            left.push(test.name.clone());
            continue;
        }
        let depth = |line: &String| line.len() - line.trim_start().len();
        let mut end = at + 1;
        while lines.get(end).is_some_and(|line| line.trim().is_empty() || depth(line) > indent) {
            end += 1;
        }
        while end > at + 1 && lines[end - 1].trim().is_empty() {
            end -= 1;
        }
        let with_routes = test.expected.keys().any(|path| path.starts_with("routes"));
        let written = format!("{before}{}", outcome.to_yaml(indent, with_routes));
        lines.splice(at..end, written.lines().map(str::to_owned));
    }
    left.reverse();
    (lines.join("\n") + "\n", left)
}
