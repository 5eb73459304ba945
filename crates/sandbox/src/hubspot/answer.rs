//! What a handler hands back to the router: a status, a body and perhaps a `Location`.
//!
//! Leaves to others: headers and error envelopes (`mod`).

use serde::Serialize;

use super::errors::Refusal;
use crate::crm::InvalidInput;
use crate::exchange::{Millis, Request};

/// A successful answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) location: Option<String>,
}

/// What a handler answers.
pub(super) type Outcome = Result<Answer, Refusal>;

/// One call on its way through the handlers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    /// Inputs that a fault rule wants refused.
    pub(super) invalid: &'a [InvalidInput],
    pub(super) now: Millis,
}

impl<'a> Call<'a> {
    /// The refusal that a fault rule wants for an input.
    pub(super) fn forced(&self, index: usize) -> Option<&'a InvalidInput> {
        self.invalid.iter().find(|invalid| invalid.index == index)
    }

    /// The texts of a list parameter, which may be repeated and comma-joined.
    pub(super) fn list(&self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let all = self.request.query.iter().filter(move |(key, _)| key == name);
        all.flat_map(|(_, value)| value.split(',')).map(str::trim).filter(|text| !text.is_empty())
    }

    /// A yes-or-no parameter in any case, false when absent.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.request.query_value(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

impl Answer {
    /// A JSON body.
    pub(super) fn json(status: u16, body: &impl Serialize) -> Outcome {
        Self::json_of_about(0, status, body)
    }

    /// A JSON body whose length is known in about, to spare the copies of a growing text.
    pub(super) fn json_of_about(bytes: usize, status: u16, body: &impl Serialize) -> Outcome {
        let mut text = Vec::with_capacity(bytes);
        serde_json::to_writer(&mut text, body).map_err(|error| Refusal::plain(500, error.to_string()))?;
        Ok(Self { status, body: text, location: None })
    }

    /// 204.
    pub(super) fn empty() -> Outcome {
        Ok(Self { status: 204, body: Vec::new(), location: None })
    }
}
