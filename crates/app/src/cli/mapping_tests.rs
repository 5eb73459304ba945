//! `syncline test`: carries out the mapping tests that stand beside a configuration.
//!
//! Promises: nobody is asked and nothing is stored. Ends with 1 if a test fails or too little is covered, with 78 if the configuration
//! or a file of tests has faults; `--update` replaces what is expected by what came, and nothing else in a file.
//! Leaves to others: tests themselves (`crate::mapping_tests`), reading them (`crate::config`).

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::console::{Console, Failure, row, say};
use super::overrides::SetArgs;
use super::target::{CONFIG, read_config_without_secrets};
use crate::config::{Config, MappingTest, load_tests};
use crate::control::Refusal;
use crate::mapping_tests::{Coverage, Covered, Difference, Outcome, carry_out, differences, rewrite};

pub(super) const EXAMPLES: &str = "\
Examples:
  syncline test                                  every *.test.yaml beside syncline.yaml
  syncline test -c production.yaml leads.test.yaml --coverage-min 80
  syncline test --update                         writes what came into the files";

/// How a file of tests is named.
const SUFFIX: &str = ".test.yaml";
/// The longest file of tests in bytes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// `syncline test`.
#[derive(Debug, Clone, Args)]
pub(super) struct TestArgs {
    /// Files of tests, or directories that hold them; the configuration's directory if none is named
    paths: Vec<PathBuf>,
    /// The configuration
    #[arg(short, long, default_value = CONFIG, value_name = "FILE")]
    config: PathBuf,
    #[command(flatten)]
    set: SetArgs,
    /// Replace what is expected by what came
    #[arg(long)]
    update: bool,
    /// Fail if less of the mapping is covered, in a hundred
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    coverage_min: u8,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Tested {
    passed: usize,
    failed: usize,
    updated: usize,
    tests: Vec<Judged>,
    coverage: Covered,
}

#[derive(Debug, Serialize)]
struct Judged {
    file: String,
    name: String,
    passed: bool,
    differences: Vec<Difference>,
}

pub(super) fn test(args: &TestArgs, console: &mut Console) -> Result<u8, Failure> {
    let config = read_config_without_secrets(&args.config, &args.set)?;
    let mut coverage = Coverage::of(&config);
    let (mut tests, mut updated) = (Vec::new(), 0);
    for file in files(args)? {
        let text = read(&file)?;
        let shown = file.display().to_string();
        let read = read_tests(&config, &text, &shown)?;
        let outcomes: Vec<(MappingTest, Outcome)> =
            read.into_iter().map(|test| (test.clone(), carry_out(&config, &test, &mut coverage))).collect();
        let judged: Vec<_> = outcomes.iter().map(|(test, outcome)| (test, outcome, differences(test, outcome))).collect();
        let wrong: Vec<_> = judged.iter().filter(|(_, _, differences)| !differences.is_empty()).map(|(test, outcome, _)| (*test, *outcome)).collect();
        let left = if args.update { update(&file, &text, &wrong)? } else { Vec::new() };
        let is_updated = |test: &MappingTest| args.update && !left.contains(&test.name);
        updated += wrong.iter().filter(|(test, _)| is_updated(test)).count();
        for (test, _, differences) in judged {
            let differences = if is_updated(test) { Vec::new() } else { differences };
            tests.push(Judged { file: shown.clone(), name: test.name.clone(), passed: differences.is_empty(), differences });
        }
    }
    let failed = tests.iter().filter(|test| !test.passed).count();
    let tested = Tested { passed: tests.len() - failed, failed, updated, tests, coverage: coverage.covered() };
    if args.json {
        console.json(&tested)?;
    } else {
        show(&tested, console)?;
    }
    let is_covered = tested.coverage.percent >= usize::from(args.coverage_min);
    if !is_covered {
        console.flush()?;
        say(&format!("{} % of the mapping is covered, and --coverage-min asks for {} %", tested.coverage.percent, args.coverage_min));
    }
    Ok(u8::from(failed > 0 || !is_covered))
}

/// The files that are meant, in order.
fn files(args: &TestArgs) -> Result<Vec<PathBuf>, Failure> {
    let beside = args.config.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new(".")).to_owned();
    let named = if args.paths.is_empty() { std::slice::from_ref(&beside) } else { args.paths.as_slice() };
    let mut files = Vec::new();
    for path in named {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let cannot = |error: std::io::Error| {
            Refusal::new(format!("{} cannot be listed", path.display()), "name files of tests", 66).caused_by(&error)
        };
        for entry in std::fs::read_dir(path).map_err(cannot)? {
            let found = entry.map_err(cannot)?.path();
            if found.file_name().is_some_and(|name| name.to_string_lossy().ends_with(SUFFIX)) {
                files.push(found.strip_prefix(".").map(Path::to_owned).unwrap_or(found));
            }
        }
    }
    files.sort();
    files.dedup();
    if files.is_empty() {
        let message = format!("there is no file of tests (*{SUFFIX}) in {}", beside.display());
        return Err(Failure::new(message, "write one beside the configuration, or name it", 66));
    }
    Ok(files)
}

fn read(file: &Path) -> Result<String, Failure> {
    let cannot = |error: std::io::Error| {
        Refusal::new(format!("{} cannot be read", file.display()), "name a file of mapping tests that you may read", 66).caused_by(&error)
    };
    let length = std::fs::metadata(file).map_err(cannot)?.len();
    if length > FILE_BYTES_MAX {
        return Err(Failure::new(format!("{} is longer than {FILE_BYTES_MAX} bytes", file.display()), "divide it into several files", 65));
    }
    Ok(std::fs::read_to_string(file).map_err(cannot)?)
}

fn read_tests(config: &Config, text: &str, shown: &str) -> Result<Vec<MappingTest>, Failure> {
    let written_to = config.systems.iter().filter(|system| system.kind.agreed().is_some());
    let systems: Vec<&str> = written_to.map(|system| system.name.as_str()).collect();
    load_tests(text, shown, &systems).map_err(|faults| Failure::Faults(Box::new(faults)))
}

/// Writes what came; answers the names of tests that could not be updated.
fn update(file: &Path, text: &str, wrong: &[(&MappingTest, &Outcome)]) -> Result<Vec<String>, Failure> {
    if wrong.is_empty() {
        return Ok(Vec::new());
    }
    let (written, left) = rewrite(text, wrong);
    let cannot = |error: std::io::Error| {
        Refusal::new(format!("{} cannot be written", file.display()), "see that you may write it and its disk has room", 74).caused_by(&error)
    };
    std::fs::write(file, written).map_err(cannot)?;
    for name in &left {
        say(&format!("{}: {name:?} is not updated: write its expect: on a line of its own", file.display()));
    }
    Ok(left)
}

fn show(tested: &Tested, console: &mut Console) -> Result<(), Failure> {
    let mut file = "";
    for test in &tested.tests {
        if file != test.file {
            console.line(&test.file)?;
            file = &test.file;
        }
        console.line(&format!("  {} {}", if test.passed { "ok  " } else { "FAIL" }, test.name))?;
        if !test.differences.is_empty() {
            let cell = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            let mut rows = vec![row(["", "expected", "got"])];
            rows.extend(test.differences.iter().map(|one| row([&one.path, &cell(&one.expected), &cell(&one.got)])));
            console.table(7, &rows)?;
        }
    }
    let updated = if tested.updated > 0 { format!(", {} of them updated", tested.updated) } else { String::new() };
    console.line(&format!("\n{} passed{updated}, {} failed", tested.passed, tested.failed))?;
    let coverage = &tested.coverage;
    console.line(&format!("coverage: {} of {} ({} %)", coverage.reached, coverage.total, coverage.percent))?;
    for missing in &coverage.missing {
        console.line(&format!("  not covered: {missing}"))?;
    }
    Ok(())
}
