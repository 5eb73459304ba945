//! `syncline explain`: what an error code means, how it comes about and what can be done.
//!
//! Promises: every code of the registry is explained; without a code all are listed. Leaves to others: the registry (`engine::codes`).

use clap::Args;
use serde::Serialize;
use syncline_engine::codes::{Code, UnknownCode};

use super::console::{Console, Failure, row};

pub(super) const EXAMPLES: &str = "Examples:\n  syncline explain SYN-6002\n  syncline explain --json";

/// `syncline explain`.
#[derive(Debug, Clone, Args)]
pub(super) struct ExplainArgs {
    /// The code, such as SYN-6002; without one every code is listed
    code: Option<String>,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Explained {
    code: String,
    title: &'static str,
    cause: &'static str,
    remedy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<u8>,
    words: &'static [&'static str],
    see: String,
}

#[derive(Serialize)]
struct All {
    codes: Vec<Explained>,
}

/// Explains one code, or lists all.
pub(super) fn explain(args: &ExplainArgs, console: &mut Console) -> Result<u8, Failure> {
    let Some(text) = &args.code else {
        if args.json {
            console.json(&All { codes: Code::ALL.iter().copied().map(explained).collect() })?;
        } else {
            let rows: Vec<_> = Code::ALL.iter().map(|code| row([&code.to_string(), code.entry().title])).collect();
            console.table(0, &rows)?;
        }
        return Ok(0);
    };
    let code: Code = text.parse().map_err(|error: UnknownCode| Failure::new(error.to_string(), "`syncline explain` lists every code", 64))?;
    let explained = explained(code);
    if args.json {
        console.json(&explained)?;
        return Ok(0);
    }
    console.line(&format!("{}: {}", explained.code, explained.title))?;
    let mut rows = vec![row(["cause", explained.cause]), row(["remedy", explained.remedy])];
    rows.extend(explained.exit.map(|exit| row(["exit", &exit.to_string()])));
    if !explained.words.is_empty() {
        rows.push(row(["also", &explained.words.join(", ")]));
    }
    rows.push(row(["see", &explained.see]));
    console.table(2, &rows)?;
    Ok(0)
}

fn explained(code: Code) -> Explained {
    let entry = code.entry();
    Explained {
        code: code.to_string(),
        title: entry.title,
        cause: entry.cause,
        remedy: entry.remedy,
        exit: entry.exit,
        words: entry.words,
        see: code.link(),
    }
}
