//! Counts passed and failed tests from what test runners print.
//!
//! Promises: understands the closing lines of `cargo test` and of `cargo nextest`, coloured or not, and nothing else.
//! Leaves to others: whether a command succeeded (its exit code says that).

/// Tests that ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub passed: u64,
    pub failed: u64,
}

impl Tally {
    /// Takes in one printed line.
    pub(crate) fn add(&mut self, line: &str) {
        let line = without_colour(line);
        // What a test printed, nextest shows indented: only a line that begins so is cargo's own.
        let closes_cargo = line.starts_with("test result:");
        let line = line.trim();
        let closes_nextest = line.starts_with("Summary [") && (line.contains("tests run:") || line.contains("test run:"));
        let closes = closes_cargo || closes_nextest;
        if closes {
            self.passed += before(line, "passed");
            self.failed += before(line, "failed") + before(line, "timed out") + before(line, "exec failed");
        }
    }
}

/// The number in front of a word; 0 if there is none.
fn before(line: &str, word: &str) -> u64 {
    line.split([';', ',', ':', '.', '('])
        .filter_map(|part| part.trim().strip_suffix(word))
        .filter_map(|part| part.trim().parse::<u64>().ok())
        .sum()
}

/// The text without terminal escapes.
fn without_colour(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            letters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(letter);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::Tally;

    fn tally(lines: &[&str]) -> (u64, u64) {
        let mut tally = Tally::default();
        lines.iter().for_each(|line| tally.add(line));
        (tally.passed, tally.failed)
    }

    #[test]
    fn cargo_test_is_counted_over_all_its_closing_lines() {
        let lines = [
            "running 3 tests",
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: \u{1b}[31mFAILED\u{1b}[0m. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.25s",
        ];
        assert_eq!(tally(&lines), (7, 2));
    }

    #[test]
    fn nextest_is_counted_by_its_summary() {
        assert_eq!(tally(&["     Summary [   1.234s] 12 tests run: 11 passed (1 slow), 1 failed, 3 skipped"]), (11, 1));
        assert_eq!(tally(&["\u{1b}[32m     Summary\u{1b}[0m [   0.012s] \u{1b}[1m1\u{1b}[0m test run: \u{1b}[1m1\u{1b}[0m \u{1b}[32mpassed\u{1b}[0m, 0 skipped"]), (1, 0));
    }

    #[test]
    fn what_a_test_prints_is_not_counted() {
        assert_eq!(tally(&["    test result: FAILED. 0 passed; 1 failed; 0 ignored", "12 passed; 0 failed", "test tally ... ok", "summary: 3 passed"]), (0, 0));
    }
}
