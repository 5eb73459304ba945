//! A record's values by row, as they are to stand on the other side: computed, defaulted, and put in place of what does not fit.
//!
//! Promises: a function of the record alone, so that a value that was put in place is agreed upon like any other and makes
//! nothing due again; what was put in place is told, with the reason and without the value.
//! Leaves to others: who may write a row (`plan::reconcile`), their form (`record`), refusing a row that may not be helped.

use jiff::tz::TimeZone;

use super::record::check;
use super::row::Row;
use crate::attempt::RowValues;
use crate::outcome::{ExternalFields, Rejection};
use crate::record::{Fields, Value};
use crate::terms::Terms;

/// What becomes of a row's value that does not fit: that its codec cannot write, that is longer than their field takes, that
/// is null where theirs must not be, or whose expression fails.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum OnInvalid {
    /// The write is given up with a letter.
    #[default]
    Fail,
    /// Null takes its place.
    Null,
    /// The row is left out: theirs stays as it is.
    Keep,
    /// This value takes its place.
    Map(Value),
}

/// What was put in place of a row's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Instead {
    /// The row's default, for a null.
    Default,
    /// Null.
    Null,
    /// Nothing: the row is left out.
    Keep,
    /// The row's other value.
    Map,
}

impl Instead {
    /// Its name in configuration and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Null => "null",
            Self::Keep => "keep",
            Self::Map => "map",
        }
    }
}

/// One row whose value is not the record's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Substitution {
    /// The row.
    pub row: String,
    /// What stands there now.
    pub instead: Instead,
    /// Why; None for a default.
    pub why: Option<Rejection>,
}

/// A record's values by row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Projected {
    /// The values; a row that keeps theirs is missing.
    pub values: RowValues,
    /// Rows whose value is not the record's.
    pub substitutions: Vec<Substitution>,
}

/// The values of a record that is to stand in `object`.
///
/// # Errors
/// If an expression fails and its row has no other rule. A plain value that does not fit is handed on as it is, and
/// `encode_record` refuses it.
pub fn project(terms: &Terms, object: &str, key: &str, fields: &Fields) -> Result<Projected, Rejection> {
    let mut projected = Projected::default();
    for row in &terms.rows {
        let found = evaluated(row, key, fields);
        let (value, is_default) = match &found {
            Ok(None) if row.default.is_some() => (row.default.clone(), true),
            Ok(value) => (value.clone(), false),
            Err(_) => (None, false),
        };
        let mut tell = |instead, why| projected.substitutions.push(Substitution { row: row.name.clone(), instead, why });
        let fault = match found {
            Err(rejection) => Some(rejection),
            // Nothing else is done about a misfit, so there is no need to look for one here.
            Ok(_) if row.on_invalid == OnInvalid::Fail => None,
            Ok(_) => row_fault(terms, object, row, &value),
        };
        let value = match (fault, &row.on_invalid) {
            (None, _) => {
                if is_default {
                    tell(Instead::Default, None);
                }
                value
            }
            (Some(rejection), OnInvalid::Fail) => return Err(rejection),
            (Some(rejection), OnInvalid::Keep) => {
                tell(Instead::Keep, Some(rejection));
                continue;
            }
            (Some(rejection), OnInvalid::Null) => {
                tell(Instead::Null, Some(rejection));
                None
            }
            (Some(rejection), OnInvalid::Map(other)) => {
                tell(Instead::Map, Some(rejection));
                Some(other.clone())
            }
        };
        projected.values.insert(row.name.clone(), value);
    }
    Ok(projected)
}

/// Why a row's value does not fit `object`. A null that a filler stands in for fits.
#[must_use]
pub fn row_fault(terms: &Terms, object: &str, row: &Row, value: &Option<Value>) -> Option<Rejection> {
    let mut out = ExternalFields::new();
    if let Err(rejection) = row.encode(value, &mut out) {
        return Some(rejection);
    }
    let rules = terms.rules.get(object)?;
    let fillers = terms.fillers.get(object);
    let is_filled = |field: &String| fillers.is_some_and(|fillers| fillers.iter().any(|(filled, _)| filled == field));
    let faulty = |field: &String| check(object, field, rules.get(field)?, &out, !is_filled(field)).err();
    row.theirs.iter().find_map(faulty)
}

fn evaluated(row: &Row, key: &str, fields: &Fields) -> Result<Option<Value>, Rejection> {
    let Some(expression) = &row.compute else { return Ok(row.value(fields)) };
    let refuse = |why: String, remedy: String| Rejection {
        code: "expression".to_owned(),
        field: row.theirs.first().cloned(),
        message: format!("{}: the expression of row {} {why}", row.theirs.join(", "), row.name),
        remedy,
    };
    let text = expression.evaluate(key, fields).map_err(|fault| {
        let (why, remedy) = fault.told();
        refuse(why.to_owned(), remedy.to_owned())
    })?;
    let typed = row.field_type.parse_text(text.into(), &TimeZone::UTC);
    typed.map_err(|fault| refuse(format!("gives what {}", fault.message), "write the expression so that it gives such a value, or use another codec".to_owned()))
}
