//! The command line: what can be asked, and how every command ends.
//!
//! Promises: data goes to stdout and talk to stderr; a usage error ends with 64, a configuration's faults with 78, any other error
//! with the exit code of its kind and a remedy; a reader that goes away ends a command quietly.
//! Leaves to others: what each command does (a file each), operators' requests (`crate::control`).

mod accounts;
mod causes;
mod check;
mod colour;
mod config;
mod console;
mod dead_letters;
pub mod demo;
mod demo_verdict;
mod demo_view;
mod demo_walk;
mod demo_watch;
mod doctor;
mod events;
mod explain;
mod first_test;
mod generate;
mod generate_http;
#[cfg(test)]
mod help_tests;
mod init;
mod ledger;
mod live;
mod manual;
mod map;
mod map_forms;
mod mapping_tests;
mod moment;
mod overrides;
mod pauses;
mod preview;
mod quota;
mod records;
mod reference;
mod resync;
pub mod run;
mod sandbox;
mod setup;
mod signals;
mod tail;
mod target;
mod top;
mod tokens;

use std::future::Future;
use std::io::IsTerminal;

use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};
use syncline_engine::error::{Error, Kind};
use tracing_subscriber::EnvFilter;

use colour::ColorWish;
use console::{Console, Failure};

use crate::config::process_env;
use crate::reload::{Relog, Source};

/// The exit code of a command line that is wrong.
const USAGE: u8 = 64;

const EXAMPLES: &str = "\
Examples:
  syncline demo                                  watch contacts go to two emulated CRMs
  syncline check -c syncline.yaml --live         is it right, and are the accounts set up?
  syncline map --event '{\"record\": …}'           what does one event become in each CRM?
  syncline run -c syncline.yaml                  keep the CRMs in step
  syncline tail                                  what does it do right now?
  syncline events trace 17                       what became of this event?
  syncline ledger --verify                       is everything accounted for?
  syncline dead-letters list                     what was given up, why, and what can be done?";

/// Keeps records in step between the system you own and the CRMs you rent.
#[derive(Debug, Parser)]
#[command(name = "syncline", version, before_help = EXAMPLES)]
struct Cli {
    /// Colour what is said
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", hide_possible_values = true)]
    color: ColorWish,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show it all: generator, engine and both CRMs emulated on this machine
    #[command(before_help = "Examples:\n  syncline demo\n  syncline demo --walk --events 1000 --exit\n  syncline demo --events 100000 --seed 7 --exit --json")]
    Demo(demo::DemoArgs),
    /// Keep the CRMs in step, as the configuration says, until Ctrl-C
    #[command(before_help = "Examples:\n  syncline run -c syncline.yaml\n  syncline run -c syncline.yaml --data /var/lib/syncline")]
    Run(run::RunArgs),
    /// Serve both CRMs, emulated, on this machine
    #[command(before_help = sandbox::EXAMPLES)]
    Sandbox(sandbox::SandboxArgs),
    /// Write made-up contact events, one a line
    #[command(before_help = generate::EXAMPLES)]
    Generate(generate::GenerateArgs),
    /// Find every fault of a configuration, and with --live of the accounts
    #[command(before_help = check::EXAMPLES)]
    Check(check::CheckArgs),
    /// Create the fields that an account needs: the key, and what the mapping names
    #[command(before_help = setup::EXAMPLES)]
    Setup(setup::SetupArgs),
    /// Show what one event becomes in each CRM, field by field
    #[command(before_help = map::EXAMPLES)]
    Map(map::MapArgs),
    /// Show what was accepted, and follow one event to the CRMs' answers
    #[command(subcommand, before_help = "Examples:\n  syncline events list\n  syncline events trace 17")]
    Events(events::EventsCommand),
    /// Carry out the mapping tests that stand beside a configuration
    #[command(before_help = mapping_tests::EXAMPLES)]
    Test(mapping_tests::TestArgs),
    /// Show why a record is as it is
    #[command(subcommand, before_help = "Examples:\n  syncline records show contacts A1234")]
    Records(records::RecordsCommand),
    /// Show what was given up, try it again, or let it go
    #[command(subcommand, before_help = "Examples:\n  syncline dead-letters list\n  syncline dead-letters replay 17 18")]
    DeadLetters(dead_letters::DeadLettersCommand),
    /// Show where every event, delivery and letter is, and whether the sums agree
    #[command(before_help = ledger::EXAMPLES)]
    Ledger(ledger::LedgerArgs),
    /// Show what may be spent of each account's quota, and what is
    #[command(before_help = quota::EXAMPLES)]
    Quota(quota::QuotaArgs),
    /// Say how it stands, and write a bundle without secrets for whoever is to help
    #[command(before_help = doctor::EXAMPLES)]
    Doctor(doctor::DoctorArgs),
    /// Say what an error code means, and what can be done
    #[command(before_help = explain::EXAMPLES)]
    Explain(explain::ExplainArgs),
    /// Write the pages of the reference that are made from the code
    #[command(hide = true, before_help = "Examples:\n  syncline reference docs/reference")]
    Reference(reference::ReferenceArgs),
    /// Show and change the configuration, also while the process runs
    #[command(subcommand, before_help = "Examples:\n  syncline config get routing\n  syncline config set dispatch.retry.max 10m\n  syncline config history")]
    Config(config::ConfigCommand),
    /// Stop a system's writes
    #[command(before_help = pauses::PAUSE_EXAMPLES)]
    Pause(pauses::PauseArgs),
    /// Let everything of a system go on
    #[command(before_help = pauses::RESUME_EXAMPLES)]
    Resume(pauses::ResumeArgs),
    /// Bring records that are known under the present routes and mapping
    #[command(before_help = resync::EXAMPLES)]
    Resync(resync::ResyncArgs),
    /// Make, list and revoke tokens for callers over HTTP
    #[command(subcommand, before_help = "Examples:\n  syncline tokens create crm-bridge\n  syncline tokens list")]
    Tokens(tokens::TokensCommand),
    /// Write a first configuration, commented
    #[command(before_help = init::EXAMPLES)]
    Init(init::InitArgs),
    /// Watch the running process: rates, backlog, quota, what keeps it
    #[command(before_help = top::EXAMPLES)]
    Top(top::TopArgs),
    /// Follow what the running process does: events, writes, letters, pauses
    #[command(before_help = tail::EXAMPLES)]
    Tail(tail::TailArgs),
    /// Write completions for a shell
    #[command(before_help = manual::COMPLETIONS_EXAMPLES)]
    Completions(manual::CompletionsArgs),
    /// Write the manual's pages
    #[command(before_help = manual::MAN_EXAMPLES)]
    Man(manual::ManArgs),
}

/// Carries out the process's command line; answers the exit code.
#[must_use]
pub fn main() -> u8 {
    let args: Vec<_> = std::env::args_os().collect();
    let wish = ColorWish::of(args.iter().filter_map(|arg| arg.to_str()).map(str::to_owned));
    let is_terminal = std::io::stdout().is_terminal();
    let is_coloured = wish.is_granted(&process_env, is_terminal);
    console::colour_talk(wish.is_granted(&process_env, std::io::stderr().is_terminal()));
    let choice = if is_coloured { ColorChoice::Always } else { ColorChoice::Never };
    let cli = match Cli::command().color(choice).try_get_matches_from(args).and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => {
            let is_wrong = error.use_stderr();
            // Nobody is left to tell if this fails.
            let _ = error.print();
            return if is_wrong { USAGE } else { 0 };
        }
    };
    let mut console = Console::new(is_terminal, is_coloured);
    let done = carry_out(cli.command, &mut console).and_then(|exit| console.flush().map(|()| exit));
    match done {
        Ok(exit) => exit,
        Err(failure) => failure.tell(),
    }
}

fn carry_out(command: Command, console: &mut Console) -> Result<u8, Failure> {
    match command {
        Command::Demo(args) => {
            // Where a view has the terminal, the view tells what keeps a lane.
            // A demo's level stays.
            let _ = log(if args.is_viewed() { "off" } else { "warn" }, run::LogFormat::Text);
            verdict(block_on(demo::demo(args))?)
        }
        Command::Run(args) => {
            let source = Source { data: args.data.clone(), behind_proxy: args.behind_proxy, ..target::source(&args.config, &args.set) };
            let loaded = source.load()?;
            let relog = log(&loaded.config.log, args.log_format);
            verdict(block_on(run::run(loaded, source, relog))?)
        }
        Command::Sandbox(args) => sandbox::serve(&args, console),
        Command::Generate(args) => generate::generate(&args, console),
        Command::Check(args) => check::check(&args, console),
        Command::Setup(args) => setup::setup(&args, console),
        Command::Map(args) => map::map(&args, console),
        Command::Test(args) => mapping_tests::test(&args, console),
        Command::Events(command) => events::events(&command, console),
        Command::Records(command) => records::records(&command, console),
        Command::DeadLetters(command) => dead_letters::dead_letters(&command, console),
        Command::Ledger(args) => ledger::ledger(&args, console),
        Command::Quota(args) => quota::quota(&args, console),
        Command::Doctor(args) => doctor::doctor(&args, console),
        Command::Explain(args) => explain::explain(&args, console),
        Command::Reference(args) => reference::reference(&args, <Cli as clap::CommandFactory>::command(), console),
        Command::Config(command) => config::config(&command, console),
        Command::Pause(args) => pauses::pause(&args, console),
        Command::Resume(args) => pauses::resume(&args, console),
        Command::Resync(args) => resync::resync(&args, console),
        Command::Tokens(command) => tokens::tokens(&command, console),
        Command::Init(args) => init::init(&args, console),
        Command::Top(args) => top::top(&args, console),
        Command::Tail(args) => tail::tail(&args, console),
        Command::Completions(args) => manual::completions(&args, console),
        Command::Man(args) => manual::man(&args, console),
    }
}

/// An answer that does not belong to the question.
fn unexpected() -> Failure {
    Failure::new("the running process answered another question", "use the same release as the running process", 70)
}

fn verdict(is_right: bool) -> Result<u8, Failure> {
    Ok(u8::from(!is_right))
}

/// Runs a future to its end on all of the machine's cores.
fn block_on<T, E: Into<Failure>>(future: impl Future<Output = Result<T, E>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::new(Kind::Internal, "no runtime could be made").caused_by(error))?;
    runtime.block_on(future).map_err(Into::into)
}

/// Logs to stderr, without times where a person watches; answers how to set what is logged from now on.
fn log(directives: &str, format: run::LogFormat) -> Relog {
    let filter = |directives: &str| EnvFilter::try_new(directives).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter(directives)).with_writer(std::io::stderr).with_ansi(false).with_target(false);
    // A second subscriber is refused, and the first one goes on.
    match format {
        run::LogFormat::Json => {
            let builder = builder.json().flatten_event(true).with_filter_reloading();
            let handle = builder.reload_handle();
            let _ = builder.try_init();
            Box::new(move |directives| drop(handle.reload(filter(directives))))
        }
        run::LogFormat::Text if std::io::stderr().is_terminal() => {
            let builder = builder.without_time().with_filter_reloading();
            let handle = builder.reload_handle();
            let _ = builder.try_init();
            Box::new(move |directives| drop(handle.reload(filter(directives))))
        }
        run::LogFormat::Text => {
            let builder = builder.with_filter_reloading();
            let handle = builder.reload_handle();
            let _ = builder.try_init();
            Box::new(move |directives| drop(handle.reload(filter(directives))))
        }
    }
}
