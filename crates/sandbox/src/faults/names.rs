//! The names that a fault script may use: operations and bodies of each CRM, and the words of a complaint about a wrong one.
//!
//! Promises: a name that no CRM knows is refused with the nearest that one does; the lists are the CRMs' own, so a script cannot wait
//! for an operation that never comes.
//! Leaves to others: the place of a wrong name (`grammar`).

use serde_saphyr::Spanned;

use super::grammar::{Rule, ScriptError};
use crate::exchange::System;
use crate::{hubspot, salesforce};

/// Matches every operation.
pub(super) const ANY: &str = "any";

/// The operations of a CRM by name, as scripts and counters have them.
#[must_use]
pub fn operations(system: System) -> &'static [&'static str] {
    match system {
        System::Salesforce => salesforce::OPERATIONS,
        System::HubSpot => hubspot::OPERATIONS,
    }
}

/// The bodies that a script may ask a CRM for by name.
#[must_use]
pub fn bodies(system: System) -> &'static [&'static str] {
    match system {
        System::Salesforce => salesforce::FAULT_BODIES,
        System::HubSpot => hubspot::FAULT_BODIES,
    }
}

/// The codes that a script may give a refused input.
#[must_use]
pub fn codes(system: System) -> &'static [&'static str] {
    match system {
        System::Salesforce => salesforce::ROW_CODES,
        System::HubSpot => hubspot::VALUE_CODES,
    }
}

/// Refuses the first rule that names what its CRM does not have.
pub(super) fn check(rules: &[Rule]) -> Result<(), ScriptError> {
    for rule in rules {
        let systems: &[System] = match &rule.on.system {
            Some(system) => std::slice::from_ref(system),
            None => &[System::Salesforce, System::HubSpot],
        };
        if let Some(operation) = rule.on.operation.as_ref().filter(|operation| operation.value != ANY) {
            check_name(operation, "operation", systems, operations)?;
        }
        if let Some(body) = rule.act.body.as_ref().filter(|body| !is_raw(&body.value)) {
            check_name(body, "body", systems, bodies)?;
        }
        if let Some(code) = rule.act.invalid.as_ref().and_then(|invalid| invalid.code.as_ref()) {
            check_name(code, "code", systems, codes)?;
        }
    }
    Ok(())
}

/// Whether a body is sent as it is.
pub(crate) fn is_raw(body: &str) -> bool {
    body.starts_with(['{', '['])
}

fn check_name(name: &Spanned<String>, what: &str, systems: &[System], list: fn(System) -> &'static [&'static str]) -> Result<(), ScriptError> {
    if systems.iter().any(|system| list(*system).contains(&name.value.as_str())) {
        return Ok(());
    }
    let of = match systems {
        [system] => system.name().to_owned(),
        _ => "any system".to_owned(),
    };
    let mut known: Vec<&str> = systems.iter().flat_map(|system| list(*system).iter().copied()).collect();
    known.sort_unstable();
    known.dedup();
    let reason = format!("{of} has no {what} {:?}{}", name.value, remedy(&name.value, &known));
    Err(ScriptError { line: name.referenced.line(), column: name.referenced.column(), reason })
}

/// What to say after a name that is not among the known ones.
fn remedy(wrong: &str, known: &[&str]) -> String {
    let meant = nearest(wrong, known).map(|meant| format!("did you mean {meant}? ")).unwrap_or_default();
    format!("; {meant}there are {}", known.join(", "))
}

/// The known name that is nearest, if one is near enough to be meant.
fn nearest<'k>(wrong: &str, known: &[&'k str]) -> Option<&'k str> {
    let wrong = wrong.to_lowercase();
    let near = known.iter().map(|name| (strsim::osa_distance(&wrong, &name.to_lowercase()), *name));
    let (distance, name) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= 2.max(wrong.chars().count() / 3) && distance < name.chars().count()).then_some(name)
}

/// The parser's complaint in the words of this grammar: a wrong key or word is told with the nearest known one.
pub(super) fn explained(reason: &str) -> String {
    let forms = [("unknown field `", "key"), ("unknown variant `", "word")];
    let told = forms.iter().find_map(|(start, what)| {
        let (wrong, rest) = reason.strip_prefix(start)?.split_once('`')?;
        let rest = rest.split_once("expected").map_or("", |(_, known)| known.trim_start_matches(" one of"));
        let known: Vec<&str> = rest.split([',', ' ', '`']).filter(|word| !word.is_empty() && *word != "or").collect();
        Some(format!("there is no {what} {wrong:?}{}", remedy(wrong, &known)))
    });
    told.unwrap_or_else(|| reason.to_owned())
}
