//! Decides what goes wrong with a request, from a script of rules.
//!
//! A script is a YAML list of rules `- on: {…} do: {…}`: `on` picks requests, `do` says what happens to them. `docs/sandbox.md` is the
//! reference; its example of every clause is run by a test.
//!
//! Promises: deterministic; a rule counts the requests of its system and operation since the script was set, so one sequence
//! of requests meets the same faults. When several rules fire, the first listed decides each part of `do`, while refused
//! inputs and expired tokens add up.
//! Leaves to others: carrying a fault out (`crate::sandbox`), the CRM's own error shapes (`crate::crm`).

mod grammar;
pub(crate) mod names;

pub use self::grammar::{Act, Apply, End, Invalid, Nth, On, Records, Rule, ScriptError, parse};
pub use self::names::{bodies, codes, operations};

use crate::crm::InvalidInput;
use crate::exchange::System;

/// The rules in force and how many requests each has seen.
#[derive(Debug, Default)]
pub struct Faults {
    script: String,
    rules: Vec<(Rule, u64)>,
}

/// What happens to one request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// The parts of `do` that the firing rules set.
    pub act: Act,
    /// Inputs to refuse.
    pub invalid: Vec<InvalidInput>,
    /// Numbers of the rules that fired, counted from 1 in the order of the script.
    pub fired: Vec<usize>,
}

impl Faults {
    /// Reads a script.
    ///
    /// # Errors
    /// The place and the reason when the text is no script.
    pub fn parse(script: &str) -> Result<Self, ScriptError> {
        let rules = parse(script)?.into_iter().map(|rule| (rule, 0)).collect();
        Ok(Self { script: script.to_owned(), rules })
    }

    /// The text in force.
    #[must_use]
    pub fn script(&self) -> &str {
        &self.script
    }

    /// Decides about one request; `inputs` names the records of its inputs and is asked only if a rule looks at records.
    pub fn plan(&mut self, system: System, operation: &str, inputs: impl Fn() -> Vec<Vec<String>>) -> Plan {
        let mut plan = Plan::default();
        let mut named: Option<Vec<Vec<String>>> = None;
        for (index, (rule, seen)) in self.rules.iter_mut().enumerate() {
            if !concerns(&rule.on, system, operation) {
                continue;
            }
            *seen += 1;
            if !is_due(&rule.on, *seen) {
                continue;
            }
            let matching = match &rule.on.record {
                None => None,
                Some(records) => {
                    let named = named.get_or_insert_with(&inputs);
                    let matching: Vec<usize> = (0..named.len()).filter(|at| picks(records, &named[*at])).collect();
                    if matching.is_empty() {
                        continue;
                    }
                    Some(matching)
                }
            };
            plan.fired.push(index + 1);
            if let Some(invalid) = &rule.act.invalid {
                let indices = matching.unwrap_or_else(|| (0..named.get_or_insert_with(&inputs).len()).collect());
                plan.refuse(&indices, invalid);
            }
            plan.add(&rule.act);
        }
        plan
    }
}

impl Plan {
    fn refuse(&mut self, indices: &[usize], invalid: &Invalid) {
        for index in indices {
            if !self.invalid.iter().any(|refused| refused.index == *index) {
                self.invalid.push(InvalidInput { index: *index, field: invalid.field.clone(), message: invalid.message.clone(), code: invalid.code.as_ref().map(|code| code.value.clone()) });
            }
        }
    }

    fn add(&mut self, act: &Act) {
        let own = &mut self.act;
        own.apply = own.apply.or(act.apply);
        own.delay_ms = own.delay_ms.or(act.delay_ms);
        own.late_ms = own.late_ms.or(act.late_ms);
        own.status = own.status.or(act.status);
        own.then = own.then.or(act.then);
        own.body = own.body.take().or_else(|| act.body.clone());
        own.expire_tokens |= act.expire_tokens;
        for (name, value) in &act.headers {
            own.headers.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }

    /// How many of a request's inputs are applied; None for all.
    #[must_use]
    pub fn applied(&self, inputs: usize) -> Option<usize> {
        let default = if self.act.status.is_some() { Apply::None } else { Apply::All };
        match self.act.apply.unwrap_or(default) {
            Apply::All => None,
            Apply::None => Some(0),
            Apply::Half => Some(inputs / 2),
            Apply::First(count) => (count < inputs).then_some(count),
        }
    }
}

fn concerns(on: &On, system: System, operation: &str) -> bool {
    on.system.is_none_or(|wanted| wanted == system)
        && on.operation.as_ref().is_none_or(|wanted| wanted.value == names::ANY || wanted.value == operation)
}

fn is_due(on: &On, seen: u64) -> bool {
    on.nth.is_none_or(|nth| (nth.from..=nth.to).contains(&seen))
        && on.every.is_none_or(|every| seen.is_multiple_of(every))
        && on.share.is_none_or(|share| unit(mix(on.seed ^ mix(seen))) < share)
}

/// Whether the record with these names is picked; its first name, the external key when known, decides by hash.
fn picks(records: &Records, names: &[String]) -> bool {
    let hash = names.first().map(|key| mix(records.seed ^ fold(key)));
    records.every.is_none_or(|every| hash.is_some_and(|hash| hash.is_multiple_of(every)))
        && records.share.is_none_or(|share| hash.is_some_and(|hash| unit(hash) < share))
        && records.keys.as_ref().is_none_or(|keys| names.iter().any(|name| keys.contains(name)))
}

/// FNV-1a, 64 bits.
fn fold(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// The output step of SplitMix64.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number from 0 to 1, 1 excluded, out of the upper 53 bits.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
fn unit(hash: u64) -> f64 {
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod example_tests;
#[cfg(test)]
mod tests;
