//! `syncline reference`: the pages of the reference that are made from the code.
//!
//! Promises: the command line's page is what `--help` prints, the pages of metrics and errors are the tables that they are told from; the same
//! program always makes the same pages. Leaves to others: every other page (`docs`).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Command};
use syncline_engine::codes::Code;
use syncline_engine::metrics::{self, Shape};

use super::console::{Console, Failure};
use crate::control::Refusal;

/// `syncline reference`.
#[derive(Debug, Clone, Args)]
pub(super) struct ReferenceArgs {
    /// Where the pages are written
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Writes the pages.
pub(super) fn reference(args: &ReferenceArgs, command: Command, console: &mut Console) -> Result<u8, Failure> {
    for (name, page) in [("cli.md", command_line(command)), ("metrics.md", metrics_page()), ("errors.md", errors_page()), ("config.schema.json", super::config::schema_page()?)] {
        write(&args.directory.join(name), &page)?;
        console.line(name)?;
    }
    Ok(0)
}

fn write(path: &Path, page: &str) -> Result<(), Failure> {
    std::fs::write(path, page).map_err(|error| {
        Refusal::new(format!("{} cannot be written", path.display()), "name a directory that can be written", 73).caused_by(&error).into()
    })
}

fn command_line(command: Command) -> String {
    let mut page = String::from("# Command line\n\nMade from the program's own help. `--json` answers bear `format_version`; exit codes are [a page of their own](exit-codes.md).\n");
    let mut command = command.term_width(100);
    command.build();
    chapter(&mut command, "syncline", &mut page);
    page
}

fn chapter(command: &mut Command, name: &str, page: &mut String) {
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    // Writing to a string does not fail.
    let _ = write!(page, "\n## {name}\n\n```text\n{}\n```\n", help.join("\n").trim());
    let names: Vec<String> = command.get_subcommands().filter(|sub| !sub.is_hide_set()).map(|sub| sub.get_name().to_owned()).collect();
    for sub in names.iter().filter(|name| *name != "help") {
        if let Some(found) = command.find_subcommand_mut(sub) {
            chapter(found, &format!("{name} {sub}"), page);
        }
    }
}

fn errors_page() -> String {
    let mut page = String::from(
        "# Errors\n\nEvery message bears a code; `syncline explain SYN-nnnn` tells the same as this page. 1xxx configuration, 2xxx events, 3xxx HTTP,\n\
         4xxx accounts, 5xxx letters and pauses, 6xxx the store, 7xxx commands, 9xxx defects.\n",
    );
    for code in Code::ALL {
        let entry = code.entry();
        let words: Vec<String> = entry.words.iter().map(|word| format!("`{word}`")).collect();
        let also = if words.is_empty() { String::new() } else { format!("\n\nIn letters and problems: {}.", words.join(", ")) };
        let exit = entry.exit.map(|exit| format!("\n\nA command that ends by it ends with {exit}.")).unwrap_or_default();
        let anchor = code.to_string().to_lowercase();
        // Writing to a string does not fail.
        let _ = write!(page, "\n<a id=\"{anchor}\"></a>\n\n## {code}: {}\n\n{}\n\n**Remedy:** {}{also}{exit}\n", entry.title, entry.cause, entry.remedy);
    }
    page
}

fn metrics_page() -> String {
    let mut page = String::from(
        "# Metrics\n\nServed at `GET /metrics` as OpenMetrics, where the configuration has an `api`. `connection` is a system by its name in the\n\
         configuration, `window` a pool of its quota. Counters that begin with the process say so; all others survive a restart.\n\n\
         | name | kind | labels | tells |\n| --- | --- | --- | --- |\n",
    );
    for metric in metrics::ALL {
        let (suffix, kind) = match metric.shape {
            Shape::Counter => ("_total", "counter"),
            Shape::Gauge => ("", "gauge"),
            Shape::Histogram => ("", "histogram"),
        };
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        // Writing to a string does not fail.
        let _ = writeln!(page, "| `{}{suffix}` | {kind} | {} | {} |", metric.name, labels.join(", "), metric.help);
    }
    page
}
