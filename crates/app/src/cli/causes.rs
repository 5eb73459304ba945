//! Dead letters by what caused them.
//!
//! Promises: letters with one code and one field are one cause, the most frequent cause first. Leaves to others: showing them.

use serde::Serialize;

use super::console::Failure;
use crate::control::{Answer, Door, LetterView, Request};

/// Letters asked for at once.
const PAGE: usize = 500;

/// Letters with one cause.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Cause {
    /// Their code in the registry of errors.
    pub(super) error: String,
    /// The word for it: theirs, or ours.
    pub(super) code: String,
    /// The field to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) field: Option<String>,
    /// Letters.
    pub(super) count: u64,
    /// Deliveries that they hold.
    pub(super) held: u64,
    /// The oldest of them.
    pub(super) example: i64,
    /// Where that stood, or its record.
    pub(super) example_place: String,
    /// What it was told.
    pub(super) example_message: String,
    /// What can be done.
    pub(super) remedy: String,
}

impl Cause {
    /// The code with the field.
    pub(super) fn name(&self) -> String {
        self.field.as_ref().map_or_else(|| self.code.clone(), |field| format!("{} ({field})", self.code))
    }
}

/// Groups letters, oldest first, by code and field.
pub(super) fn group(letters: Vec<LetterView>) -> Vec<Cause> {
    let mut causes: Vec<Cause> = Vec::new();
    for letter in letters {
        match causes.iter_mut().find(|cause| cause.code == letter.code && cause.field == letter.field) {
            Some(cause) => {
                cause.count += 1;
                cause.held += letter.held;
            }
            None => causes.push(Cause {
                error: letter.error,
                code: letter.code,
                field: letter.field,
                count: 1,
                held: letter.held,
                example: letter.id,
                example_place: letter.place,
                example_message: letter.message,
                remedy: letter.remedy,
            }),
        }
    }
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.count));
    causes
}

/// Every waiting letter, oldest first.
pub(super) fn all_waiting(door: &mut Door) -> Result<Vec<LetterView>, Failure> {
    let mut letters: Vec<LetterView> = Vec::new();
    loop {
        let request = Request::Letters { all: false, after: letters.last().map(|letter| letter.id), limit: PAGE };
        let Answer::Letters(page) = door.ask(&request)? else { return Err(super::unexpected()) };
        let is_last = !page.more || page.letters.is_empty();
        letters.extend(page.letters);
        if is_last {
            return Ok(letters);
        }
    }
}
