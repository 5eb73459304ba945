//! `syncline completions` and `syncline man`: what shells and `man` know of the command line.
//!
//! Promises: both are made from the command line itself, so they never differ from it. Leaves to others: installing them.

use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory, ValueEnum};
use clap_complete::Shell;

use super::console::{Console, Failure, say};
use crate::control::Refusal;

pub(super) const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  syncline completions bash > /etc/bash_completion.d/syncline
  syncline completions zsh > ~/.zfunc/_syncline
  syncline completions fish > ~/.config/fish/completions/syncline.fish";
pub(super) const MAN_EXAMPLES: &str = "\
Examples:
  syncline man | man -l -
  syncline man /usr/local/share/man/man1     a page for every command";

/// Shells that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KnownShell {
    Bash,
    Zsh,
    Fish,
}

/// `syncline completions`.
#[derive(Debug, Clone, Args)]
pub(super) struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum)]
    shell: KnownShell,
}

/// `syncline man`.
#[derive(Debug, Clone, Args)]
pub(super) struct ManArgs {
    /// Write a page for every command into this directory, instead of the main page to the standard output
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

pub(super) fn completions(args: &CompletionsArgs, console: &mut Console) -> Result<u8, Failure> {
    let shell = match args.shell {
        KnownShell::Bash => Shell::Bash,
        KnownShell::Zsh => Shell::Zsh,
        KnownShell::Fish => Shell::Fish,
    };
    // The generator takes a failing writer for a defect: it writes to memory, and the console to whoever reads.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::Cli::command(), "syncline", &mut script);
    console.bytes(&script)?;
    Ok(0)
}

pub(super) fn man(args: &ManArgs, console: &mut Console) -> Result<u8, Failure> {
    let command = super::Cli::command();
    let Some(directory) = &args.directory else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).map_err(|error| Failure::of_output(&error))?;
        console.bytes(&page)?;
        return Ok(0);
    };
    std::fs::create_dir_all(directory).map_err(|error| uncreated(directory, &error))?;
    let mut command = command;
    command.build();
    let pages = write(&command, directory)?;
    say(&format!("{pages} pages in {}", directory.display()));
    Ok(0)
}

/// Writes the page of a command and those of its commands; answers how many.
fn write(command: &Command, directory: &Path) -> Result<usize, Failure> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let man = clap_mangen::Man::new(command.clone().name(leaked(&name)));
    let mut page = Vec::new();
    man.render(&mut page).map_err(|error| Failure::of_output(&error))?;
    let file = directory.join(format!("{name}.1"));
    std::fs::write(&file, page).map_err(|error| uncreated(&file, &error))?;
    let mut pages = 1;
    for below in command.get_subcommands().filter(|below| below.get_name() != "help" && !below.is_hide_set()) {
        pages += write(below, directory)?;
    }
    Ok(pages)
}

/// A page's name lives as long as its command, which is as long as the process: a few dozen short texts.
fn leaked(name: &str) -> &'static str {
    Box::leak(name.to_owned().into_boxed_str())
}

fn uncreated(path: &Path, error: &std::io::Error) -> Failure {
    Refusal::new(format!("{} cannot be written", path.display()), "name a directory that this user may write", 73).caused_by(error).into()
}
