//! What commands write to, and how they fail.
//!
//! Promises: a reader that goes away is no error; control characters of data never reach a terminal; columns are aligned, and on a
//! terminal they fit its width; colours mark headings, errors and remedies, and only where they are wanted.
//! Leaves to others: what is written.

use std::io::{BufRead, BufWriter, ErrorKind, IsTerminal, Stdout, Write};
use std::sync::OnceLock;

use ratatui::crossterm::terminal;
use serde::Serialize;
use syncline_engine::codes::Code;
use syncline_engine::error::Error;
use tabled::builder::Builder;
use tabled::settings::object::Rows;
use tabled::settings::{Color, Modify, Padding, Style, Width};

use crate::config::Faults;
use crate::control::{FORMAT_VERSION, Refusal};

/// Standard output.
pub(super) struct Console {
    out: BufWriter<Stdout>,
    /// The terminal's width, if it is one.
    width: Option<usize>,
    is_coloured: bool,
}

/// Whether what is said to people is coloured; it is said from everywhere.
static IS_TALK_COLOURED: OnceLock<bool> = OnceLock::new();

/// Settles whether talk is coloured.
pub(super) fn colour_talk(is_coloured: bool) {
    // The first command line of a process settles it.
    let _ = IS_TALK_COLOURED.set(is_coloured);
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
    let mut lines = vec![format!("error[{}]: {}", refusal.code, refusal.message)];
    let news = refusal.causes.iter().filter(|cause| !refusal.message.contains(cause.as_str()));
    lines.extend(news.map(|cause| format!("  caused by: {cause}")));
    lines.push(format!("remedy: {}", refusal.remedy));
    lines.extend(refusal.code.parse().ok().map(|code: Code| format!("see: {}", code.link())));
    lines.join("\n")
}

/// Says something to people.
pub(super) fn say(text: &str) {
    // Nobody is left to tell if this fails.
    let _ = writeln!(std::io::stderr(), "{}", marked(&clean(text, true), IS_TALK_COLOURED.get().copied().unwrap_or(false)));
}

/// A text whose errors and remedies stand out.
fn marked(text: &str, is_coloured: bool) -> String {
    if !is_coloured {
        return text.to_owned();
    }
    let mark = |line: &str| match line {
        _ if line.starts_with("error:") || line.starts_with("error[") => match line.split_once(':') {
            Some((head, rest)) => format!("\u{1b}[1;31m{head}:\u{1b}[0m{rest}"),
            None => line.to_owned(),
        },
        _ if line.trim_start().starts_with("remedy:") => line.replacen("remedy:", "\u{1b}[1;32mremedy:\u{1b}[0m", 1),
        _ => line.to_owned(),
    };
    text.split('\n').map(mark).collect::<Vec<_>>().join("\n")
}

#[derive(Serialize)]
struct Versioned<'a, T> {
    format_version: u32,
    #[serde(flatten)]
    body: &'a T,
}

/// Asks a person whether to do this; nobody to ask is a wrong use.
pub(super) fn agreed(deed: &str) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(format!("nobody can be asked whether to {deed}"), "add --yes, or --dry-run", 64));
    }
    say(&format!("{deed}? y or n"));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(|error| Failure::of_output(&error))?;
    Ok(matches!(answer.trim(), "y" | "yes"))
}

impl Console {
    /// Writes to the process's standard output.
    pub(super) fn new(is_terminal: bool, is_coloured: bool) -> Self {
        let width = is_terminal.then(|| terminal::size().map_or(80, |(columns, _)| usize::from(columns)));
        Self { out: BufWriter::new(std::io::stdout()), width, is_coloured }
    }

    /// Bytes as they are.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(|error| Failure::of_output(&error))
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

    /// An entry of a list as one line of JSON with the format's version first.
    pub(super) fn json_line<T: Serialize>(&mut self, body: &T) -> Result<(), Failure> {
        let text = serde_json::to_string(&Versioned { format_version: FORMAT_VERSION, body });
        let text = text.map_err(|error| Refusal::new("the answer cannot be written as JSON", "report this", 70).caused_by(&error))?;
        self.raw_line(&text)
    }

    /// A list under its headings: as wide as the terminal, or in aligned columns where nobody watches.
    pub(super) fn list(&mut self, rows: &[Vec<String>]) -> Result<(), Failure> {
        match self.width {
            None => self.table(0, rows),
            Some(width) => {
                let text = drawn(rows, width, self.is_coloured);
                self.raw_line(&text)
            }
        }
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
pub(super) fn clean(text: &str, keeps_lines: bool) -> String {
    let is_kept = |c: char| !c.is_control() || (keeps_lines && c == '\n');
    text.chars().map(|c| if is_kept(c) { c } else { '\u{fffd}' }).collect()
}

/// A list as a terminal of that width shows it; the first row are its headings.
fn drawn(rows: &[Vec<String>], width: usize, is_coloured: bool) -> String {
    let mut builder = Builder::default();
    for row in rows {
        builder.push_record(row.iter().map(|cell| clean(cell, true)));
    }
    let mut table = builder.build();
    table.with(Style::empty()).with(Padding::new(0, 2, 0, 0)).with(Width::wrap(width.max(40)).keep_words(true));
    if is_coloured {
        table.with(Modify::new(Rows::first()).with(Color::BOLD));
    }
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Cells of a table's row.
pub(super) fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::{drawn, marked, row};

    #[test]
    fn a_list_fits_the_terminal_and_marks_its_headings() {
        let rows = [row(["id", "why"]), row(["1", "a reason that is longer than a narrow terminal is wide, and \u{1b}[31m red"])];
        let text = drawn(&rows, 40, false);
        assert!(text.lines().all(|line| line.chars().count() <= 40) && text.lines().count() > 2, "{text}");
        assert!(!text.contains('\u{1b}'), "data does not colour");
        assert!(drawn(&rows, 40, true).lines().next().is_some_and(|line| line.contains("\u{1b}[1m")));
        assert_eq!(drawn(&rows, 200, false).lines().count(), 2);
    }

    #[test]
    fn errors_and_remedies_stand_out_where_colours_are_wanted() {
        assert_eq!(marked("error: a\nremedy: b", false), "error: a\nremedy: b");
        assert_eq!(marked("error: a\nremedy: b", true).matches("\u{1b}[1;3").count(), 2);
    }
}
