//! How a record's fields map to a system's fields, row by row, in both directions.
//!
//! Promises: per row, what was encoded decodes to the same value, and what was decoded encodes to the same text, for values
//! in canonical form; a value that does not fit is refused and never cut; a refusal names the field, the value's kind and
//! the rule, never the value.
//! Leaves to others: who may write a row (`plan::reconcile`), the JSON around the fields (the adapters).

#[cfg(test)]
mod bad_inputs_tests;
mod codec;
mod expression;
mod name;
mod picklist;
mod project;
mod record;
mod row;
mod typed;

pub use codec::{Codec, CodecFault};
pub use expression::{EvaluationFault, Expression, ExpressionFault};
pub use picklist::Picklist;
pub use project::{Instead, OnInvalid, Projected, Substitution, project, row_fault};
pub use record::encode_record;
pub use row::{Row, RowFault};
pub use typed::{DayForm, DayPattern, MomentForm, TruthForm};
