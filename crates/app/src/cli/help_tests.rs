//! What must hold for the help of every command.

use clap::{Command, CommandFactory, Parser};

use super::Cli;

/// Every command with its path, the outermost first.
fn commands() -> Vec<(String, Command)> {
    fn walk(command: &Command, path: &str, found: &mut Vec<(String, Command)>) {
        found.push((path.to_owned(), command.clone()));
        for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
            walk(below, &format!("{path} {}", below.get_name()), found);
        }
    }
    let mut command = Cli::command();
    command.build();
    let mut found = Vec::new();
    walk(&command, "syncline", &mut found);
    found
}

/// The words of an example: as a shell splits them, up to a pipe or a redirection; two spaces end it, for what follows explains.
fn words(example: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut spaces) = (Vec::new(), String::new(), None, 0);
    for c in example.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.push(c),
            (None, '\'' | '"') => quote = Some(c),
            (None, '|' | '<' | '>') => break,
            (None, ' ') => {
                spaces += 1;
                if spaces == 2 {
                    break;
                }
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            (None, c) => word.push(c),
        }
        spaces = 0;
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// Commands of ours in a line of examples: several where a pipe joins them.
fn examples(help: &str) -> Vec<Vec<String>> {
    let lines = help.lines().skip(1).map(str::trim_start);
    let parts = lines.flat_map(|line| {
        let joined = line.match_indices("| syncline ").map(|(at, _)| &line[at + 2..]);
        std::iter::once(line).chain(joined).collect::<Vec<_>>()
    });
    parts.filter(|line| line.starts_with("syncline ")).map(words).collect()
}

#[test]
fn the_help_of_every_command_begins_with_examples_that_work() {
    for (path, command) in commands() {
        let help = command.get_before_help().map(ToString::to_string).unwrap_or_default();
        assert!(help.starts_with("Examples:\n  syncline "), "{path} has no examples: {help}");
        assert!(command.clone().render_help().to_string().starts_with("Examples:\n"), "{path}");
        let examples = examples(&help);
        assert!(examples.iter().any(|words| words.join(" ").starts_with(&path)), "{path}: none of its examples shows it");
        for words in examples {
            let parsed = Cli::try_parse_from(&words);
            assert!(parsed.is_ok(), "{path}: {words:?}: {}", parsed.err().map(|error| error.to_string()).unwrap_or_default());
        }
    }
}

#[test]
fn no_flag_takes_a_secret() {
    let secrets = ["secret", "token", "password", "passphrase", "credential", "api-key", "apikey", "private-key", "bearer"];
    for (path, command) in commands() {
        for arg in command.get_arguments().filter(|arg| arg.get_action().takes_values()) {
            let name = arg.get_long().unwrap_or(arg.get_id().as_str()).replace('_', "-");
            let is_secret = secrets.iter().any(|secret| name.contains(secret));
            assert!(!is_secret || name.ends_with("-file") || name.ends_with("-env"), "{path} --{name}: process lists and histories show it");
        }
    }
}

#[test]
fn every_command_and_flag_is_described() {
    for (path, command) in commands() {
        assert!(command.get_about().is_some(), "{path}");
        for arg in command.get_arguments() {
            assert!(arg.get_help().is_some(), "{path} {}", arg.get_id());
        }
    }
}

#[test]
fn a_wrong_word_is_told_with_the_right_one() {
    let told = |args: &[&str]| Cli::try_parse_from(args).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(told(&["syncline", "ledgr"]).contains("'ledger'"));
    assert!(told(&["syncline", "ledger", "--verfy"]).contains("'--verify'"));
    assert!(told(&["syncline", "completions", "bsh"]).contains("'bash'"));
}
