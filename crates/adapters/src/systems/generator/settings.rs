//! What can be set about the stream, with its defaults and its rules.
//!
//! Promises: `validate` reports every fault at once, each with key, value, rule and remedy; settings that pass can be
//! compiled and drawn from without a further check.
//! Leaves to others: where the values come from (file, environment, flags) and what they do (`stream`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::Operation;

/// The contact types that ship built in, in the order in which they are drawn.
pub const CONTACT_TYPES: [&str; 6] = ["lead", "customer", "prospect", "vendor", "partner", "employee"];

/// How far a distribution's sum may be from 1.
const SUM_TOLERANCE: f64 = 1e-6;

/// The generator's settings; a missing one has its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeneratorSettings {
    /// Mean rate of the continuous stream; also the spacing of the events' own timestamps.
    pub events_per_second: f64,
    /// Events handed over at once.
    pub batch_size: usize,
    /// Concurrent hand-over; false: one batch after another in the caller's task.
    pub enable_async: bool,
    /// Share of each contact type among creates and moves; a type that is not named has none.
    pub contact_type_distribution: BTreeMap<String, f64>,
    /// Share of each operation; an operation that is not named has none.
    pub operation_distribution: BTreeMap<String, f64>,
    /// Share of the updates that change the contact type.
    pub move_share: f64,
}

impl Default for GeneratorSettings {
    fn default() -> Self {
        Self {
            events_per_second: 5.0,
            batch_size: 10,
            enable_async: true,
            contact_type_distribution: distribution(&[
                ("lead", 0.40),
                ("customer", 0.25),
                ("prospect", 0.20),
                ("vendor", 0.10),
                ("partner", 0.03),
                ("employee", 0.02),
            ]),
            operation_distribution: distribution(&[("create", 0.60), ("update", 0.35), ("delete", 0.05)]),
            move_share: 0.0,
        }
    }
}

/// One setting that breaks its rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} = {value}: {rule}; {remedy}")]
pub struct SettingsError {
    /// The setting, with the entry after a dot where it has entries.
    pub key: String,
    /// The value that was given.
    pub value: String,
    /// The rule that it breaks.
    pub rule: &'static str,
    /// What to do about it.
    pub remedy: String,
}

impl GeneratorSettings {
    /// Checks every rule.
    ///
    /// # Errors
    /// All faults at once.
    pub fn validate(&self) -> Result<(), Vec<SettingsError>> {
        let mut faults = Vec::new();
        if !(self.events_per_second.is_finite() && self.events_per_second > 0.0) {
            faults.push(SettingsError {
                key: "events_per_second".to_owned(),
                value: self.events_per_second.to_string(),
                rule: "must be a number above 0",
                remedy: "give the mean number of events per second, for example 5".to_owned(),
            });
        }
        if self.batch_size == 0 {
            faults.push(SettingsError {
                key: "batch_size".to_owned(),
                value: "0".to_owned(),
                rule: "must be at least 1",
                remedy: "give the number of events to hand over at once, for example 10".to_owned(),
            });
        }
        if !(0.0..=1.0).contains(&self.move_share) {
            faults.push(SettingsError {
                key: "move_share".to_owned(),
                value: self.move_share.to_string(),
                rule: "must be between 0 and 1",
                remedy: "give the share of updates that change the contact type, for example 0.02".to_owned(),
            });
        }
        check_shares("contact_type_distribution", &self.contact_type_distribution, &CONTACT_TYPES, &mut faults);
        check_shares("operation_distribution", &self.operation_distribution, &Operation::NAMES, &mut faults);
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// The shares of the contact types in the order of [`CONTACT_TYPES`].
    pub(super) fn type_shares(&self) -> [f64; 6] {
        CONTACT_TYPES.map(|name| share(&self.contact_type_distribution, name))
    }

    /// The shares of create, update and delete.
    pub(super) fn operation_shares(&self) -> [f64; 3] {
        Operation::NAMES.map(|name| share(&self.operation_distribution, name))
    }
}

fn distribution(shares: &[(&str, f64)]) -> BTreeMap<String, f64> {
    shares.iter().map(|(name, share)| ((*name).to_owned(), *share)).collect()
}

fn share(shares: &BTreeMap<String, f64>, name: &str) -> f64 {
    shares.get(name).copied().unwrap_or(0.0)
}

fn check_shares(key: &str, shares: &BTreeMap<String, f64>, known: &[&str], faults: &mut Vec<SettingsError>) {
    let before = faults.len();
    for (name, share) in shares {
        let entry = format!("{key}.{name}");
        if !known.contains(&name.as_str()) {
            faults.push(SettingsError {
                key: entry.clone(),
                value: share.to_string(),
                rule: "must be named for something known",
                remedy: format!("use one of {}, or take the entry out", known.join(", ")),
            });
        }
        if !(share.is_finite() && *share >= 0.0) {
            faults.push(SettingsError {
                key: entry,
                value: share.to_string(),
                rule: "must be a number not below 0",
                remedy: "give a share between 0 and 1".to_owned(),
            });
        }
    }
    let sum = shares.values().fold(0.0, |sum, share| sum + share);
    if faults.len() == before && (sum - 1.0).abs() > SUM_TOLERANCE {
        faults.push(SettingsError {
            key: key.to_owned(),
            value: format!("sum {sum}"),
            rule: "must sum to 1 (within 0.000001)",
            remedy: "change the shares so that they sum to 1".to_owned(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(change: impl FnOnce(&mut GeneratorSettings)) -> Vec<SettingsError> {
        let mut settings = GeneratorSettings::default();
        change(&mut settings);
        settings.validate().expect_err("a fault")
    }

    #[test]
    fn the_defaults_are_those_of_the_parity_table() {
        let settings = GeneratorSettings::default();
        assert_eq!(settings.validate(), Ok(()));
        assert_eq!(
            serde_json::to_value(&settings).expect("json"),
            serde_json::json!({
                "events_per_second": 5.0, "batch_size": 10, "enable_async": true, "move_share": 0.0,
                "contact_type_distribution": {
                    "lead": 0.40, "customer": 0.25, "prospect": 0.20, "vendor": 0.10, "partner": 0.03, "employee": 0.02
                },
                "operation_distribution": { "create": 0.60, "update": 0.35, "delete": 0.05 }
            })
        );
        let empty: GeneratorSettings = serde_json::from_str("{}").expect("all defaults");
        assert_eq!(empty, settings);
    }

    #[test]
    fn every_fault_is_told_at_once_with_key_value_and_remedy() {
        let found = faults(|settings| {
            settings.events_per_second = 0.0;
            settings.batch_size = 0;
            settings.move_share = 1.5;
            settings.contact_type_distribution.insert("alien".to_owned(), 0.1);
            settings.operation_distribution.insert("delete".to_owned(), -0.05);
        });
        let keys: Vec<&str> = found.iter().map(|fault| fault.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "events_per_second",
                "batch_size",
                "move_share",
                "contact_type_distribution.alien",
                "operation_distribution.delete"
            ]
        );
        assert_eq!(
            found[3].to_string(),
            "contact_type_distribution.alien = 0.1: must be named for something known; \
             use one of lead, customer, prospect, vendor, partner, employee, or take the entry out"
        );
        assert_eq!(found[4].value, "-0.05");
    }

    #[test]
    fn sums_may_be_off_by_a_millionth_and_no_more() {
        let sum = |lead: f64| {
            let mut settings = GeneratorSettings::default();
            settings.contact_type_distribution.insert("lead".to_owned(), lead);
            settings.validate()
        };
        assert_eq!(sum(0.400_000_9), Ok(()));
        let found = sum(0.400_002).expect_err("too much");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].key, "contact_type_distribution");
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        for rate in [f64::NAN, f64::INFINITY, -1.0] {
            assert_eq!(faults(|settings| settings.events_per_second = rate)[0].key, "events_per_second");
        }
        assert_eq!(faults(|settings| settings.move_share = f64::NAN)[0].key, "move_share");
        let nan = faults(|settings| {
            settings.operation_distribution.insert("update".to_owned(), f64::NAN);
        });
        assert_eq!(nan[0].key, "operation_distribution.update");
        assert_eq!(faults(|settings| settings.operation_distribution.clear())[0].value, "sum 0");
    }
}
