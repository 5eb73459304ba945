//! Secrets, which a configuration names but never holds.
//!
//! Promises: a secret comes from an environment variable or a file, whole; one that stands in the configuration itself is refused
//! and shown nowhere. This is the only place in the project where the process's environment is read.
//! Leaves to others: what a secret opens (the adapters).

use secrecy::SecretString;
use sha2::{Digest, Sha256};

use syncline_engine::codes::Code;

use super::faults::{Place, hide};
use super::raw::Node;
use super::read::Reader;

/// A variable of the process's environment; None also for one that is no text.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn process_env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The process's variables that begin with our prefix and are text.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn process_variables() -> Vec<(String, String)> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    std::env::vars_os().filter_map(text).filter(|(name, _)| name.starts_with(super::layers::PREFIX)).collect()
}

/// Reads the secret that a value refers to.
pub(super) fn secret(reader: &mut Reader<'_>, node: &Node) -> Option<SecretString> {
    let found = referred(reader, node)?;
    let trimmed = found.trim();
    if trimmed.is_empty() || trimmed.chars().any(|c| c.is_control() || c.is_whitespace()) {
        let why = if trimmed.is_empty() { "the secret is empty" } else { "the secret holds space or control characters" };
        reader.fault_of(Code::SecretUnusable, &node.place, &node.path, why, "set it to the secret and nothing else");
        return None;
    }
    Some(SecretString::from(trimmed.to_owned()))
}

/// Reads the private key that a value refers to, which has several lines. Whoever asks puts it into a type that cannot be printed.
pub(super) fn key_text(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    referred(reader, node)
}

fn referred(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    let found = found(reader, node)?;
    reader.secrets.insert(node.path.clone(), Sha256::digest(&found).into());
    Some(found)
}

fn found(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    hide(node, &mut reader.hidden);
    let written = reader.written(node, "a reference to a secret")?.trim();
    let variable = written.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).filter(|name| !name.contains(['$', '{', '}']));
    Some(if let Some(name) = variable {
        reader.variable(node, name)?
    } else if written.starts_with("file:") {
        let text = reader.text(node, "file: and a path")?;
        let path = text.trim_start_matches("file:");
        match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let why = format!("the file of the secret cannot be read: {}", error.kind());
                reader.fault_of(Code::SecretUnusable, &node.place, &node.path, why, "create the file, or let this user read it");
                return None;
            }
        }
    } else if matches!(node.place, Place::Environment(_)) {
        written.to_owned()
    } else {
        let remedy = "put it into an environment variable and write ${NAME}, or into a file and write file:/path; \
                      if others have seen this file, replace the secret";
        reader.fault_of(Code::SecretUnusable, &node.place, &node.path, "a secret stands here in plain text", remedy);
        return None;
    })
}
