//! Which steps a command has: the one list of everything that must pass.
//!
//! Promises: test targets are found by looking, so a new file under `crates/*/tests` runs without a word here; those that run
//! millions of steps are built in the profile `sim`. Leaves to others: running (`run`).

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

/// Test targets that run millions of steps or the whole program: optimised, with checks on.
const HEAVY: [&str; 2] = ["simulator", END_TO_END];
const END_TO_END: &str = "end_to_end";
const TESTKIT: &str = "syncline-testkit";

/// One cargo command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub name: &'static str,
    pub arguments: Vec<String>,
    pub variables: Vec<(&'static str, &'static str)>,
}

impl Step {
    fn new(name: &'static str, arguments: &str) -> Self {
        Self { name, arguments: arguments.split_whitespace().map(str::to_owned).collect(), variables: Vec::new() }
    }

    fn with(mut self, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// The step as one would type it.
    pub(crate) fn command_line(&self) -> String {
        let variables = self.variables.iter().map(|(name, value)| format!("{name}=\"{value}\" "));
        let words = self.arguments.iter().map(|word| if word.contains(' ') { format!(" '{word}'") } else { format!(" {word}") });
        format!("{}cargo{}", variables.collect::<String>(), words.collect::<String>())
    }
}

/// The rules of the source tree.
pub(crate) fn tidy() -> Step {
    Step::new("tidy: the rules of the source tree", "test --quiet -p xtask --test tidy")
}

/// The reference's pages that are made from the code.
pub(crate) fn reference() -> Step {
    Step::new("pages made from the code", "run --quiet -p syncline --bin syncline -- reference docs/reference")
}

/// The simulator, with its own arguments.
pub(crate) fn sim(arguments: &[&str]) -> Step {
    Step::new("simulator", "run --profile sim -p syncline-testkit --features planted-bugs --bin sim --").with(arguments.iter().copied())
}

/// Everything that must pass.
pub(crate) fn test(root: &Path) -> Result<Vec<Step>> {
    let mut steps = vec![tidy()];
    steps.extend(tests(root, None)?);
    steps.push(Step::new("client libraries against the sandbox", "run --quiet -p xtask -- clients"));
    if has("clippy") {
        steps.push(Step::new("clippy: no warning", "clippy --workspace --all-targets -- -D warnings"));
    } else {
        println!("clippy is not installed: its step is left out");
    }
    let mut documentation = Step::new("rustdoc: no warning", "doc --no-deps --workspace");
    documentation.variables.push(("RUSTDOCFLAGS", "-D warnings"));
    steps.push(documentation);
    Ok(steps)
}

/// Only the tests whose name holds a text.
pub(crate) fn filtered(root: &Path, filter: &str) -> Result<Vec<Step>> {
    tests(root, Some(filter))
}

fn tests(root: &Path, filter: Option<&str>) -> Result<Vec<Step>> {
    let targets = targets(root)?;
    let light: BTreeSet<_> = targets.iter().filter(|(package, target)| package != "xtask" && !is_heavy(target)).collect();
    let named = light.iter().flat_map(|(_, target)| ["--test", target.as_str()]);
    let (start, end) = if has("nextest") {
        ("nextest run --workspace --no-fail-fast --no-tests pass --lib --bins", "")
    } else {
        ("test --workspace --no-fail-fast --lib --bins", "--")
    };
    let mut unit = Step::new("unit and contract tests", start).with(named);
    if let Some(filter) = filter {
        unit = unit.with(end.split_whitespace().chain([filter]));
    }
    let mut steps = vec![unit];
    if filter.is_none() {
        steps.push(Step::new("examples in the documentation", "test --workspace --doc --quiet"));
    }
    steps.extend(heavy(&targets, filter));
    Ok(steps)
}

/// A step per heavy target. Those of the testkit do not bring the binary with them, so it is built before the end-to-end tests.
fn heavy(targets: &BTreeSet<(String, String)>, filter: Option<&str>) -> Vec<Step> {
    let mut steps = Vec::new();
    for (package, target) in targets.iter().filter(|(_, target)| is_heavy(target)) {
        let is_testkit = package == TESTKIT;
        if is_testkit && target == END_TO_END {
            steps.push(Step::new("the binary, optimised", "build --profile sim -p syncline --bin syncline"));
        }
        let name = if target == END_TO_END { "end-to-end tests, optimised" } else { "simulator, optimised" };
        let features = if is_testkit { "--features planted-bugs" } else { "" };
        let step = Step::new(name, "test --profile sim -p").with([package]).with(features.split_whitespace());
        steps.push(step.with(["--test", target, "--"]).with(filter).with(["--nocapture"]));
    }
    steps
}

fn is_heavy(target: &str) -> bool {
    HEAVY.contains(&target)
}

/// Every integration test as (package, target).
fn targets(root: &Path) -> Result<BTreeSet<(String, String)>> {
    let mut folders = vec![root.join("xtask")];
    for entry in std::fs::read_dir(root.join("crates")).context("cannot list crates/")? {
        folders.push(entry?.path());
    }
    let mut targets = BTreeSet::new();
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(folder.join("tests")) else { continue };
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).with_context(|| format!("no manifest in {}", folder.display()))?;
        let package = package_name(&manifest).with_context(|| format!("no package name in {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let is_target = path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").exists();
            if let (true, Some(stem)) = (is_target, path.file_stem().and_then(std::ffi::OsStr::to_str)) {
                targets.insert((package.to_owned(), stem.to_owned()));
            }
        }
    }
    Ok(targets)
}

fn package_name(manifest: &str) -> Option<&str> {
    manifest.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
}

/// Whether cargo knows a subcommand here.
fn has(subcommand: &str) -> bool {
    let asked = Command::new("cargo").args([subcommand, "--version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Step, heavy, package_name, sim, targets};

    #[test]
    fn arguments_of_the_simulator_are_passed_on() {
        assert!(sim(&["--seeds", "20", "--from", "7"]).command_line().ends_with("--bin sim -- --seeds 20 --from 7"));
    }

    #[test]
    fn the_tests_of_this_tree_are_found() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let found = targets(root).unwrap();
        assert!(found.contains(&("xtask".to_owned(), "tidy".to_owned())), "{found:?}");
        assert!(found.contains(&("syncline-testkit".to_owned(), "store_contract".to_owned())), "{found:?}");
    }

    #[test]
    fn heavy_targets_are_built_optimised_each_with_its_package() {
        let targets = [("syncline-testkit", "simulator"), ("syncline", "end_to_end"), ("syncline-testkit", "store_contract")];
        let targets: BTreeSet<_> = targets.iter().map(|(package, target)| ((*package).to_owned(), (*target).to_owned())).collect();
        let lines: Vec<_> = heavy(&targets, Some("kill")).iter().map(Step::command_line).collect();
        assert_eq!(lines, [
            "cargo test --profile sim -p syncline --test end_to_end -- kill --nocapture",
            "cargo test --profile sim -p syncline-testkit --features planted-bugs --test simulator -- kill --nocapture",
        ]);
    }

    #[test]
    fn end_to_end_tests_of_the_testkit_find_a_binary() {
        let targets = BTreeSet::from([("syncline-testkit".to_owned(), "end_to_end".to_owned())]);
        let lines: Vec<_> = heavy(&targets, None).iter().map(Step::command_line).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0], "cargo build --profile sim -p syncline --bin syncline");
    }

    #[test]
    fn a_manifest_names_its_package() {
        assert_eq!(package_name("[package]\nname = \"syncline\"\n"), Some("syncline"));
        assert_eq!(package_name("[package]\n"), None);
    }
}
