//! `syncline tokens`: what lets callers in over HTTP.
//!
//! Promises: a secret is shown once, by the command that makes it, and kept nowhere; the process learns its digest alone.
//! Leaves to others: keeping and comparing tokens (`crate::control`, `crate::api`).

use clap::{Args, Subcommand};
use syncline_core::token::TokenScope;

use super::console::{Console, Failure};
use super::target::Target;
use crate::api::make_secret;
use crate::control::{Answer, Request, TokenView};

/// `syncline tokens`.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum TokensCommand {
    /// Make a token and show it, once
    #[command(before_help = "Examples:\n  syncline tokens create crm-bridge\n  syncline tokens create crm-bridge --print     for the configuration, kept nowhere")]
    Create(CreateArgs),
    /// List tokens, without their secrets
    #[command(before_help = "Examples:\n  syncline tokens list\n  syncline tokens list --json")]
    List(ListArgs),
    /// Let a token in no more, at once and for ever
    #[command(before_help = "Examples:\n  syncline tokens revoke crm-bridge")]
    Revoke(RevokeArgs),
}

/// `syncline tokens create`.
#[derive(Debug, Clone, Args)]
pub(super) struct CreateArgs {
    /// Its name: letters, digits, _ and -
    #[arg(value_parser = name)]
    name: String,
    /// Keep nothing; show the digest for `api.tokens` of the configuration
    #[arg(long)]
    print: bool,
    #[command(flatten)]
    target: Target,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// `syncline tokens list`.
#[derive(Debug, Clone, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    target: Target,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// `syncline tokens revoke`.
#[derive(Debug, Clone, Args)]
pub(super) struct RevokeArgs {
    /// Its name
    name: String,
    #[command(flatten)]
    target: Target,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// The longest name of a token.
const NAME_MAX: usize = 64;

fn name(text: &str) -> Result<String, String> {
    let is_fit = !text.is_empty() && text.len() <= NAME_MAX && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_fit { Ok(text.to_owned()) } else { Err(format!("a name holds letters, digits, _ and - only, {NAME_MAX} of them at most")) }
}

pub(super) fn tokens(command: &TokensCommand, console: &mut Console) -> Result<u8, Failure> {
    match command {
        TokensCommand::Create(args) => create(args, console),
        TokensCommand::List(args) => show(args.target.ask(&Request::Tokens)?, args.json, console),
        TokensCommand::Revoke(args) => {
            let answer = args.target.ask(&Request::RevokeToken { name: args.name.clone() })?;
            show(answer, args.json, console)
        }
    }
}

#[derive(serde::Serialize)]
struct Made<'m> {
    name: &'m str,
    token: &'m str,
    sha256: &'m str,
}

fn create(args: &CreateArgs, console: &mut Console) -> Result<u8, Failure> {
    let (secret, digest) = make_secret(TokenScope::Events)?;
    if !args.print {
        let Answer::Tokens { .. } = args.target.ask(&Request::CreateToken { name: args.name.clone(), digest: digest.clone() })? else {
            return Err(super::unexpected());
        };
    }
    if args.json {
        console.json(&Made { name: &args.name, token: &secret, sha256: &digest })?;
        return Ok(0);
    }
    console.line(&secret)?;
    if args.print {
        eprintln!("this token is shown once and kept nowhere; for the configuration:\napi: {{ tokens: [ {{ name: {}, sha256: {digest} }} ] }}", args.name);
    } else {
        eprintln!("this token is shown once; the store keeps its digest under the name {}", args.name);
    }
    Ok(0)
}

#[derive(serde::Serialize)]
struct Listed {
    tokens: Vec<TokenView>,
}

fn show(answer: Answer, json: bool, console: &mut Console) -> Result<u8, Failure> {
    let Answer::Tokens { tokens } = answer else { return Err(super::unexpected()) };
    if json {
        console.json(&Listed { tokens })?;
        return Ok(0);
    }
    if tokens.is_empty() {
        console.line("no tokens")?;
    }
    for token in tokens {
        let since = token.created_at.map_or_else(|| "in the configuration".to_owned(), |at| format!("made {at}"));
        let end = token.revoked_at.map_or_else(String::new, |at| format!(", revoked {at}"));
        console.line(&format!("{}  {} of {}, {since}{end}, sha256 {}…", token.name, token.scope, token.tenant, token.digest))?;
    }
    Ok(0)
}
