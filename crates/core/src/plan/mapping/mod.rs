//! How a record's fields map to a system's fields, row by row, in both directions.
//!
//! Promises: per row, what was encoded decodes to the same value, and what was decoded encodes to the same text, for values
//! in canonical form; a value that does not fit is refused and never cut; a refusal names the field, the value's kind and
//! the rule, never the value.
//! Leaves to others: who may write a row (`plan::reconcile`), the JSON around the fields (the adapters).

mod codec;
mod name;
mod picklist;
mod record;
mod row;

pub use codec::{Codec, CodecFault};
pub use picklist::Picklist;
pub use record::encode_record;
pub use row::{Row, RowFault};
