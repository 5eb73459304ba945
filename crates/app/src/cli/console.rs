//! What commands write to, and how they fail.
//!
//! Promises: a reader that goes away is no error; control characters of data never reach a terminal; columns are aligned.
//! Leaves to others: what is written.

use std::io::{BufWriter, ErrorKind, Stdout, Write};

use serde::Serialize;
use syncline_engine::error::Error;

use crate::config::Faults;
use crate::control::{FORMAT_VERSION, Refusal};

/// Standard output.
pub(super) struct Console {
    out: BufWriter<Stdout>,
}

/// Why a command ended early.
pub(super) enum Failure {
    /// With a message and a remedy.
    Refused(Box<Refusal>),
    /// By the faults of a configuration.
    Faults(Box<Faults>),
    /// Nobody reads the output any more.
    Unread,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(Box::new(error.into()))
    }
}

impl Failure {
    /// With a message, a remedy and an exit code.
    pub(super) fn new(message: impl Into<String>, remedy: impl Into<String>, exit: u8) -> Self {
        Refusal::new(message, remedy, exit).into()
    }

    /// Output that could not be written.
    pub(super) fn of_output(error: &std::io::Error) -> Self {
        if error.kind() == ErrorKind::BrokenPipe {
            return Self::Unread;
        }
        Refusal::new("the output cannot be written", "see that its disk has room", 74).caused_by(error).into()
    }

    /// Tells people on stderr; answers the exit code.
    pub(super) fn tell(self) -> u8 {
        match self {
            Self::Unread => 0,
            Self::Faults(faults) => {
                say(&faults.to_string());
                78
            }
            Self::Refused(refusal) => {
                say(&told(&refusal));
                refusal.exit
            }
        }
    }
}

/// A refusal for people.
pub(super) fn told(refusal: &Refusal) -> String {
    let mut lines = vec![format!("error: {}", refusal.message)];
    let news = refusal.causes.iter().filter(|cause| !refusal.message.contains(cause.as_str()));
    lines.extend(news.map(|cause| format!("  caused by: {cause}")));
    lines.push(format!("remedy: {}", refusal.remedy));
    lines.join("\n")
}

/// Says something to people.
pub(super) fn say(text: &str) {
    // Nobody is left to tell if this fails.
    let _ = writeln!(std::io::stderr(), "{}", clean(text, true));
}

#[derive(Serialize)]
struct Versioned<'a, T> {
    format_version: u32,
    #[serde(flatten)]
    body: &'a T,
}

impl Console {
    /// Writes to the process's standard output.
    pub(super) fn new() -> Self {
        Self { out: BufWriter::new(std::io::stdout()) }
    }

    /// A line or several; control characters are replaced.
    pub(super) fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.raw_line(&clean(text, true))
    }

    /// A line as it is.
    pub(super) fn raw_line(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.out, "{text}").map_err(|error| Failure::of_output(&error))
    }

    /// An answer as JSON with the format's version first.
    pub(super) fn json<T: Serialize>(&mut self, body: &T) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(&Versioned { format_version: FORMAT_VERSION, body });
        let text = text.map_err(|error| Refusal::new("the answer cannot be written as JSON", "report this", 70).caused_by(&error))?;
        self.raw_line(&text)
    }

    /// An answer as JSON on one line, with the format's version first.
    pub(super) fn json_line<T: Serialize>(&mut self, body: &T) -> Result<(), Failure> {
        let text = serde_json::to_string(&Versioned { format_version: FORMAT_VERSION, body });
        let text = text.map_err(|error| Refusal::new("the answer cannot be written as JSON", "report this", 70).caused_by(&error))?;
        self.raw_line(&text)
    }

    /// Aligned columns, each row indented.
    pub(super) fn table(&mut self, indent: usize, rows: &[Vec<String>]) -> Result<(), Failure> {
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| clean(cell, false)).collect()).collect();
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &rows {
            let mut line = " ".repeat(indent);
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(cell);
                line.push_str(&" ".repeat(width - cell.chars().count() + 2));
            }
            self.raw_line(line.trim_end())?;
        }
        Ok(())
    }

    /// Hands over what was written.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|error| Failure::of_output(&error))
    }
}

/// A text whose control characters no terminal can obey.
fn clean(text: &str, keeps_lines: bool) -> String {
    let is_kept = |c: char| !c.is_control() || (keeps_lines && c == '\n');
    text.chars().map(|c| if is_kept(c) { c } else { '\u{fffd}' }).collect()
}

/// Cells of a table's row.
pub(super) fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}
