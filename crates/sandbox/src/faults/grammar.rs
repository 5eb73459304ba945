//! The grammar of fault scripts: YAML text to rules.
//!
//! Promises: an unknown key, operation or body, a wrong type or a senseless number is an error that names line and column, and the
//! nearest name that there is; nothing is guessed.
//! Leaves to others: which names there are (`names`), when a rule fires (`super`).

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;

use super::names;
use crate::exchange::System;

/// One rule of a script.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Which requests it concerns.
    #[serde(default)]
    pub on: On,
    /// What happens to them.
    #[serde(rename = "do")]
    pub act: Act,
}

/// Which requests a rule concerns; every condition that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct On {
    /// One CRM; both when absent.
    pub system: Option<System>,
    /// One operation of the CRM; all when absent or `any`.
    pub operation: Option<Spanned<String>>,
    /// Only the n-th such request, or those from n to m (`3..9`, both included), counted from 1.
    pub nth: Option<Nth>,
    /// Every n-th such request.
    #[serde(deserialize_with = "at_least_one")]
    pub every: Option<u64>,
    /// This share of such requests, chosen by `seed` and the request's number.
    #[serde(deserialize_with = "a_share")]
    pub share: Option<f64>,
    /// Chooses another selection for `share`.
    pub seed: u64,
    /// Only requests with such a record among their inputs.
    pub record: Option<Records>,
}

/// A range of request numbers, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nth {
    /// First number, counted from 1.
    pub from: u64,
    /// Last number.
    pub to: u64,
}

/// Which records a rule concerns; every condition that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Records {
    /// One record in so many, chosen by the hash of its external key: always the same ones.
    #[serde(deserialize_with = "at_least_one")]
    pub every: Option<u64>,
    /// This share of records, chosen by the hash of external key and `seed`: always the same ones.
    #[serde(deserialize_with = "a_share")]
    pub share: Option<f64>,
    /// Chooses another selection for `share` and `every`.
    pub seed: u64,
    /// These external keys or record ids.
    pub keys: Option<Vec<String>>,
}

/// What happens to a request; what is absent stays as it is without the rule.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Act {
    /// How much of the request is applied. Without it: nothing when `status` is given, else everything.
    pub apply: Option<Apply>,
    /// The answer waits so long.
    pub delay_ms: Option<u64>,
    /// The request is applied so long after it arrived, and its caller gets no answer.
    pub late_ms: Option<u64>,
    /// The answer's status in place of the real one.
    #[serde(deserialize_with = "a_status")]
    pub status: Option<u16>,
    /// Headers to add or replace.
    pub headers: BTreeMap<String, String>,
    /// A body by name (`daily`, `secondly`, `expired`, `empty`, …), or JSON text to send as it is.
    pub body: Option<Spanned<String>>,
    /// The matching inputs fail validation; the others are applied.
    pub invalid: Option<Invalid>,
    /// Every access token given out so far ends before this request is looked at.
    pub expire_tokens: bool,
    /// How the exchange ends.
    pub then: Option<End>,
}

/// How much of a request is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apply {
    /// All inputs.
    All,
    /// No input.
    None,
    /// The first half, rounded down.
    Half,
    /// The first so many inputs.
    First(usize),
}

/// The validation error of a refused input.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invalid {
    /// The field to blame, in the CRM's spelling; none when absent.
    #[serde(default)]
    pub field: String,
    /// One of the CRM's codes for a record that is not saved.
    #[serde(default)]
    pub code: Option<Spanned<String>>,
    /// The text of the complaint.
    #[serde(default = "default_message")]
    pub message: String,
}

/// How an exchange ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The caller gets the answer.
    Answer,
    /// The answer's head and the first half of its body go out, then the connection ends.
    CloseHalf,
    /// The connection is cut without an answer.
    Reset,
    /// The connection stays open without an answer.
    Hang,
}

/// A script that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("fault script, line {line}, column {column}: {reason}")]
pub struct ScriptError {
    /// Line, counted from 1; 0 when unknown.
    pub line: u64,
    /// Column, counted from 1; 0 when unknown.
    pub column: u64,
    /// What is wrong there.
    pub reason: String,
}

/// Reads a script; empty text is a script without rules.
///
/// # Errors
/// The place and the reason when the text is no script.
pub fn parse(text: &str) -> Result<Vec<Rule>, ScriptError> {
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Vec::new());
    }
    let rules: Vec<Rule> = serde_saphyr::from_str(text).map_err(|error| {
        let error = error.without_snippet();
        let (line, column) = error.location().map_or((0, 0), |place| (place.line(), place.column()));
        let text = error.to_string();
        let reason = text.lines().next().unwrap_or_default();
        // The parser repeats the place at the end of its text.
        let reason = names::explained(reason.split(" at line ").next().unwrap_or(reason));
        ScriptError { line, column, reason }
    })?;
    names::check(&rules)?;
    Ok(rules)
}

fn default_message() -> String {
    "refused by a fault rule".to_owned()
}

fn at_least_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    match u64::deserialize(deserializer)? {
        0 => Err(D::Error::custom("must be at least 1")),
        every => Ok(Some(every)),
    }
}

fn a_share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let share = f64::deserialize(deserializer)?;
    if (0.0..=1.0).contains(&share) { Ok(Some(share)) } else { Err(D::Error::custom("a share lies between 0 and 1")) }
}

fn a_status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    let status = u16::deserialize(deserializer)?;
    if (200..=599).contains(&status) { Ok(Some(status)) } else { Err(D::Error::custom("a status lies between 200 and 599")) }
}

impl<'de> Deserialize<'de> for Nth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NthVisitor)
    }
}

struct NthVisitor;

impl Visitor<'_> for NthVisitor {
    type Value = Nth;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a number from 1, or a range like 3..9")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Nth, E> {
        if value == 0 { Err(E::custom("requests are counted from 1")) } else { Ok(Nth { from: value, to: value }) }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Nth, E> {
        u64::try_from(value).map_err(|_| E::custom("requests are counted from 1")).and_then(|value| self.visit_u64(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Nth, E> {
        let ends = text.split_once("..").map(|(from, to)| (from.trim().parse(), to.trim().parse()));
        match ends {
            Some((Ok(from), Ok(to))) if from >= 1 && from <= to => Ok(Nth { from, to }),
            _ => Err(E::custom(format!("{text:?} is not a range like 3..9"))),
        }
    }
}

impl<'de> Deserialize<'de> for Apply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ApplyVisitor)
    }
}

struct ApplyVisitor;

impl Visitor<'_> for ApplyVisitor {
    type Value = Apply;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("all, none, half or a number of inputs")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Apply, E> {
        usize::try_from(value).map(Apply::First).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Apply, E> {
        usize::try_from(value).map(Apply::First).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Apply, E> {
        match text {
            "all" => Ok(Apply::All),
            "none" => Ok(Apply::None),
            "half" => Ok(Apply::Half),
            _ => Err(E::custom(format!("{text:?} is not one of all, none, half or a number of inputs"))),
        }
    }
}
