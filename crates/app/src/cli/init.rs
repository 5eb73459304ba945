//! `syncline init`: a first configuration, commented, for what was asked for, and first mapping tests beside it.
//!
//! Promises: what it writes passes `check` once the variables that it names are set; its tests pass without them. A file that is there is kept unless --force
//! says otherwise; asks on a terminal for what no flag says. Leaves to others: every other key (`config/default.yaml`).

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::console::{Console, Failure, say};
use super::first_test::first_tests;
use super::target::CONFIG;
use crate::control::Refusal;

pub(super) const EXAMPLES: &str = "\
Examples:
  syncline init                                              asks what is to be kept in step
  syncline init --from file --to salesforce,hubspot --no-input
  syncline init --from generator --to hubspot -              to the standard output";

/// Where events come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    /// JSON lines in a file
    File,
    /// Events that callers send over HTTP
    Http,
    /// JSON lines that are piped in
    Stdin,
    /// Made-up events
    Generator,
}

/// Where records go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum To {
    Salesforce,
    Hubspot,
}

/// `syncline init`.
#[derive(Debug, Clone, Args)]
pub(super) struct InitArgs {
    /// Where events come from [default: file]
    #[arg(long, value_enum, value_name = "SOURCE")]
    from: Option<From>,
    /// Where records go [default: salesforce,hubspot]
    #[arg(long, value_enum, value_name = "SYSTEMS", value_delimiter = ',')]
    to: Vec<To>,
    /// Overwrite the files
    #[arg(long)]
    force: bool,
    /// Ask nothing
    #[arg(long)]
    no_input: bool,
    /// The configuration to write; - is the standard output
    #[arg(default_value = CONFIG)]
    file: PathBuf,
}

pub(super) fn init(args: &InitArgs, console: &mut Console) -> Result<u8, Failure> {
    let is_out = args.file.as_os_str() == "-";
    if !is_out && !args.force && args.file.exists() {
        return Err(Failure::new(format!("{} is there already", args.file.display()), "name another file, or overwrite it with --force", 73));
    }
    let asks = !args.no_input && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let from = match args.from {
        Some(from) => from,
        None if asks => ask("Where do events come from: file, http, stdin or generator?", "file", |word| From::from_str(word, true).ok())?,
        None => From::File,
    };
    let to = match args.to.as_slice() {
        [] if asks => ask("Where do records go: salesforce, hubspot or salesforce,hubspot?", "salesforce,hubspot", |words| {
            words.split(',').map(|word| To::from_str(word.trim(), true).ok()).collect()
        })?,
        [] => vec![To::Salesforce, To::Hubspot],
        named => named.to_vec(),
    };
    let text = configuration(from, &to);
    if is_out {
        console.bytes(text.as_bytes())?;
        return Ok(0);
    }
    let uncreated = |error: std::io::Error| {
        Refusal::new(format!("{} cannot be written", args.file.display()), "name a file in a directory that can be written", 73).caused_by(&error)
    };
    std::fs::write(&args.file, text).map_err(uncreated)?;
    let tests = write_tests(&args.file, &to, args.force)?;
    say(&format!("{} is written{tests}; next: set the variables that it names, then `syncline check -c {0}`", args.file.display()));
    Ok(0)
}

/// Writes mapping tests beside the configuration, unless there are some of that name; answers what is to be said of it.
fn write_tests(configuration: &Path, to: &[To], force: bool) -> Result<String, Failure> {
    let file = configuration.with_extension("test.yaml");
    let shown = file.display();
    if file.exists() && !force {
        return Ok(format!(", and {shown} is left as it is"));
    }
    let uncreated = |error: std::io::Error| Refusal::new(format!("{shown} cannot be written"), "name a file in a directory that can be written", 73).caused_by(&error);
    std::fs::write(&file, first_tests(to.contains(&To::Salesforce), to.contains(&To::Hubspot))).map_err(uncreated)?;
    Ok(format!(", and {shown}, which `syncline test -c {}` passes", configuration.display()))
}

/// Asks until the answer is understood; the end of the input takes the default.
fn ask<T>(question: &str, default: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, Failure> {
    let unread = |error: std::io::Error| Refusal::new("the answer cannot be read", "name it with a flag; `syncline init --help` lists them", 74).caused_by(&error);
    loop {
        // A terminal that takes no question gets the default.
        let _ = write!(std::io::stderr(), "{question} [{default}] ");
        let mut line = String::new();
        let count = std::io::stdin().lock().read_line(&mut line).map_err(unread)?;
        let answer = Some(line.trim()).filter(|answer| !answer.is_empty()).unwrap_or(default);
        if let Some(read) = read(answer) {
            return Ok(read);
        }
        if count == 0 {
            return Err(Failure::new("the questions were not answered", "name the answers with flags; `syncline init --help` lists them", 66));
        }
    }
}

fn configuration(from: From, to: &[To]) -> String {
    let mut text = format!("# yaml-language-server: $schema={}\n", crate::config::SCHEMA_ADDRESS);
    text.push_str(
        "# Syncline's configuration. Whatever is left out has its default; config/default.yaml of the release shows every key.\n\
         # Secrets never stand here: ${NAME} takes an environment variable, file:/path the content of a file.\n\n\
         # Where everything is kept that must not be lost.\nstore: sqlite:syncline.db\n\nsystems:\n  # Where changes come from.\n",
    );
    text.push_str(match from {
        From::File => "  internal:\n    kind: file\n    path: events.jsonl           # JSON lines; `syncline generate --out events.jsonl` makes some\n    follow: true                 # wait for more at the end\n",
        From::Http => "  internal:\n    kind: http                   # POST /v1/events; `syncline tokens create NAME` lets a caller in\n",
        From::Stdin => "  internal:\n    kind: stdin                  # JSON lines that are piped in\n",
        From::Generator => "  internal:\n    kind: generator              # made-up events, for trying things out\n    events_per_second: 5\n    seed: 1                      # the same seed gives the same events\n",
    });
    if to.contains(&To::Salesforce) {
        text.push_str(
            "\n  # `syncline check --live` tells what the org lacks, such as the key field Syncline_Id__c.\n  salesforce:\n    kind: salesforce\n    \
             url: https://acme.my.salesforce.com    # your org's My Domain address\n    auth:\n      client_credentials:\n        id: ${SF_CLIENT_ID}\n        secret: ${SF_SECRET}\n",
        );
    }
    if to.contains(&To::Hubspot) {
        text.push_str("\n  # Its contacts need the unique property syncline_id; `syncline check --live` tells.\n  hubspot:\n    kind: hubspot\n    token: ${HUBSPOT_TOKEN}      # of a service key or private app\n");
    }
    let routing = match (to.contains(&To::Salesforce), to.contains(&To::Hubspot)) {
        (true, false) => "salesforce_only",
        (false, true) => "hubspot_only",
        (true, true) | (false, false) => "default",
    };
    text.push_str(&format!(
        "\n# Which contact types go where: default (lead, prospect, employee to Salesforce; customer, partner, vendor to HubSpot),\n\
         # salesforce_only, hubspot_only, or a list for each type: {{ lead: [salesforce], customer: [hubspot, salesforce] }}.\nrouting: {routing}\n"
    ));
    text
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::{From, To, configuration, first_tests};
    use crate::config::load_tests;
    use crate::mapping_tests::{Coverage, carry_out, differences};

    /// Variables that first configurations name.
    const NAMED: [&str; 3] = ["SF_CLIENT_ID", "SF_SECRET", "HUBSPOT_TOKEN"];

    #[test]
    fn every_first_configuration_is_in_order() {
        for from in From::value_variants() {
            for to in [&[To::Salesforce][..], &[To::Hubspot], &[To::Salesforce, To::Hubspot]] {
                let text = configuration(*from, to);
                let loaded = crate::config::load(&text, "syncline.yaml", &|name| NAMED.contains(&name).then(|| "set".to_owned()));
                let config = loaded.unwrap_or_else(|faults| panic!("{from:?} {to:?}: {faults}\n{text}"));
                let (salesforce, hubspot) = (to.contains(&To::Salesforce), to.contains(&To::Hubspot));
                let systems: Vec<&str> = [(salesforce, "salesforce"), (hubspot, "hubspot")].into_iter().filter(|(is, _)| *is).map(|(_, name)| name).collect();
                let tests = load_tests(&first_tests(salesforce, hubspot), "syncline.test.yaml", &systems).unwrap();
                assert!(!tests.is_empty());
                for test in tests {
                    let outcome = carry_out(&config, &test, &mut Coverage::of(&config));
                    assert_eq!(differences(&test, &outcome), [], "{to:?} {}", test.name);
                }
            }
        }
    }
}
