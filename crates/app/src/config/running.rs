//! Reads how work goes out, how events come in, what is logged, and where the store is.
//!
//! Promises: what is left out is core's own default; waits stand in an order that makes sense.
//! Leaves to others: what the settings do (`core::dispatch`, `engine`).

use std::path::PathBuf;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use super::checked::{DispatchConfig, IntakeConfig};
use super::raw::Node;
use super::shape;
use super::read::Reader;
use super::systems::WAIT_MAX;

/// The store unless another is named.
pub(super) const STORE: &str = "syncline.db";
/// The log level unless another is named.
pub(super) const LOG: &str = "info";

/// Schemas are not looked at more often.
const LOOK_MIN: Duration = Duration::from_secs(1);

/// Reads `store`.
pub(super) fn store(reader: &mut Reader<'_>, node: Option<&Node>) -> Option<PathBuf> {
    let Some(node) = node else { return Some(PathBuf::from(STORE)) };
    let text = reader.text(node, "sqlite: and a path")?;
    let path = text.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path)).filter(|path| !path.trim().is_empty());
    if path.is_none() {
        if text.contains("://") {
            super::faults::hide(node, &mut reader.hidden);
        }
        reader.fault(node, "names no store that this version has", "write sqlite: and a path, such as sqlite:syncline.db");
    }
    path.map(PathBuf::from)
}

/// Reads `log`.
pub(super) fn log(reader: &mut Reader<'_>, node: Option<&Node>) -> Option<String> {
    let Some(node) = node else { return Some(LOG.to_owned()) };
    reader.parsed(node, "a level (error, warn, info, debug, trace, off), or directives such as info,syncline=debug", |text| {
        let text = match text.to_lowercase().as_str() {
            "warning" => "warn".to_owned(),
            "critical" | "fatal" => "error".to_owned(),
            _ => text.to_owned(),
        };
        let is_level = |part: &str| ["error", "warn", "info", "debug", "trace", "off"].contains(&part.trim().to_lowercase().as_str());
        let is_directive = |part: &str| part.rsplit_once('=').map_or_else(|| is_level(part), |(_, level)| is_level(level));
        (text.split(',').all(is_directive) && EnvFilter::try_new(&text).is_ok()).then_some(text)
    })
}

/// Reads `dispatch`.
pub(super) fn dispatch(reader: &mut Reader<'_>, node: Option<&Node>) -> DispatchConfig {
    let mut config = DispatchConfig::default();
    let Some(section) = node.and_then(|node| reader.section(node, shape::DISPATCH)) else { return config };
    if let Some(retry) = section.get("retry").and_then(|node| reader.section(node, shape::RETRY)) {
        let backoff = &mut config.backoff;
        for (key, value) in [("base", &mut backoff.base), ("max", &mut backoff.max), ("budget", &mut backoff.budget)] {
            if let Some(time) = retry.get(key).and_then(|node| reader.duration(node)) {
                *value = time;
            }
        }
        if !(backoff.base <= backoff.max && backoff.max <= backoff.budget) {
            let remedy = "write waits that grow, such as base: 1s, max: 5m, budget: 72h";
            reader.fault(retry.node, "base must not be above max, nor max above budget", remedy);
        }
    }
    if let Some(node) = section.get("batch_wait")
        && let Some(time) = reader.duration(node)
    {
        if time > WAIT_MAX {
            reader.fault(node, "is longer than an hour", "write a time of an hour at most");
        }
        config.batch_wait = time;
    }
    if let Some(count) = section.get("memory_links").and_then(|node| reader.count(node, 1000, 10_000_000)) {
        config.memory_links = count;
    }
    if let Some(node) = section.get("schema_check")
        && let Some(time) = reader.duration(node)
    {
        if time < LOOK_MIN {
            reader.fault(node, "is shorter than a second, and each look is a call of the account's quota", "write a time of a second at least, such as 1h");
        }
        config.schema_check = time;
    }
    let guard = &mut config.guard;
    for (key, keys, share, min) in [
        ("fuse", shape::FUSE, &mut guard.fuse_permille, &mut guard.fuse_min),
        ("rejections", shape::REJECTIONS, &mut guard.reject_permille, &mut guard.reject_min),
    ] {
        let Some(inner) = section.get(key).and_then(|node| reader.section(node, keys)) else { continue };
        if let Some(permille) = inner.get("share").and_then(|node| reader.permille(node)) {
            *share = permille;
        }
        if let Some(count) = inner.get("min").and_then(|node| reader.whole(node, 1, u64::MAX)) {
            *min = count;
        }
    }
    config
}

/// Reads `intake`.
pub(super) fn intake(reader: &mut Reader<'_>, node: Option<&Node>) -> IntakeConfig {
    let mut config = IntakeConfig::default();
    let Some(section) = node.and_then(|node| reader.section(node, shape::INTAKE)) else { return config };
    if let Some(time) = section.get("remember_ids").and_then(|node| reader.duration(node)) {
        config.remember_ids = time;
    }
    config
}
