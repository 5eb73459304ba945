//! Runs steps one after another and says how long each took and what came of it.
//!
//! Promises: what a step prints is passed on line by line; the first step that fails ends the run; the last line of a run that
//! ran tests is `N passed, M failed`. Leaves to others: which steps there are (`steps`).

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::steps::Step;
use crate::tally::Tally;

/// Runs every step; the closing lines say what came of each.
pub(crate) fn all(root: &Path, steps: &[Step]) -> Result<()> {
    let tally = Mutex::new(Tally::default());
    let mut times = Vec::new();
    let mut failure = None;
    for (number, step) in steps.iter().enumerate() {
        println!("\n==> {} ({} of {})\n    {}", step.name, number + 1, steps.len(), step.command_line());
        let (success, time) = timed(|| passed_on(root, step, &tally))?;
        times.push((step, time));
        if !success {
            failure = Some(step);
            break;
        }
    }
    println!("\n==> summary");
    for (step, time) in times {
        let verdict = if failure.is_some_and(|failed| failed.name == step.name) { "FAILED" } else { "ok" };
        println!("    {verdict:<6} {:>6.1} s  {}", time.as_secs_f64(), step.name);
    }
    let Tally { passed, failed } = *tally.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(step) = failure {
        println!("{passed} passed, {failed} failed");
        bail!("`{}` failed; alone it is: {}", step.name, step.command_line());
    }
    println!("{passed} passed, {failed} failed");
    Ok(())
}

/// Runs one step with our own input and output.
pub(crate) fn plainly(root: &Path, step: &Step) -> Result<()> {
    eprintln!("==> {}\n    {}", step.name, step.command_line());
    let status = command(root, step).status().with_context(|| format!("cannot start: {}", step.command_line()))?;
    if !status.success() {
        bail!("`{}` failed ({status})", step.name);
    }
    Ok(())
}

fn command(root: &Path, step: &Step) -> Command {
    let mut command = Command::new("cargo");
    command.args(&step.arguments).envs(step.variables.iter().map(|(name, value)| (name, value))).current_dir(root);
    command
}

/// Runs a step and reads along.
fn passed_on(root: &Path, step: &Step, tally: &Mutex<Tally>) -> Result<bool> {
    let mut child = command(root, step)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start: {}", step.command_line()))?;
    let (out, err) = (child.stdout.take().context("no output")?, child.stderr.take().context("no error output")?);
    std::thread::scope(|scope| {
        scope.spawn(|| pass_on(err, &mut std::io::stderr(), tally));
        pass_on(out, &mut std::io::stdout(), tally);
    });
    Ok(child.wait()?.success())
}

fn pass_on(from: impl Read, to: &mut impl Write, tally: &Mutex<Tally>) {
    let mut lines = BufReader::new(from);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        // Whoever reads along may have gone; the tests go on all the same.
        let _ = to.write_all(&line).and_then(|()| to.flush());
        tally.lock().unwrap_or_else(PoisonError::into_inner).add(&String::from_utf8_lossy(&line));
        line.clear();
    }
}

/// A watch that was started.
pub(crate) struct Watch(Instant);

impl Watch {
    #[expect(clippy::disallowed_methods, reason = "a measurement runs in real time")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

#[expect(clippy::disallowed_methods, reason = "a build command runs in real time and tells how long it took")]
fn timed<T>(what: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let start = Instant::now();
    what().map(|done| (done, start.elapsed()))
}
