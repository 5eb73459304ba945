//! One data call on its way through the emulator: the request with its version, time and refusals, and its body.
//!
//! Promises: a body is read only if its content type is JSON; broken JSON is answered with line and column.
//! Leaves to others: what the body's members mean.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::duplicates::Wish;
use super::errors::{self, Fault};
use super::org::Actor;
use super::schema::Sobject;
use super::write::Stamp;
use crate::crm::InvalidInput;
use crate::exchange::{Millis, Request, Response};

/// An answer, or the faults that are the answer.
pub(super) type Answer = Result<Response, Vec<Fault>>;

/// One data call.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    /// The verb that is meant.
    pub(super) method: &'a str,
    pub(super) version: u16,
    pub(super) now: Millis,
    /// Inputs that must fail validation, by position.
    pub(super) refused: &'a BTreeMap<usize, &'a InvalidInput>,
}

impl Call<'_> {
    /// The integration user at the time of the call.
    pub(super) fn stamp(&self) -> Stamp {
        Stamp { actor: Actor::Client, now: self.now, wish: Wish::of(self) }
    }

    /// The body, which must be a JSON object of that form.
    pub(super) fn body<'b, T: Deserialize<'b>>(&'b self) -> Result<T, Vec<Fault>> {
        read_body(self.request).map_err(|fault| vec![fault])
    }

    /// The validation failure that a fault rule wants for the input at that position.
    pub(super) fn refusal(&self, index: usize) -> Option<Fault> {
        let invalid = self.refused.get(&index)?;
        let fields: Vec<&str> = Some(invalid.field.as_str()).filter(|field| !field.is_empty()).into_iter().collect();
        let code = invalid.code.as_deref().and_then(|code| errors::ROW_CODES.iter().find(|known| **known == code));
        let code = code.copied().unwrap_or("FIELD_CUSTOM_VALIDATION_EXCEPTION");
        Some(Fault { status: errors::row_status(code), ..Fault::row(code, invalid.message.clone(), &fields) })
    }
}

/// The body of a request as a JSON object of some form.
fn read_body<'a, T: Deserialize<'a>>(request: &'a Request) -> Result<T, Fault> {
    let content = request.headers.get("content-type").map_or("", String::as_str);
    if !content.split(';').next().unwrap_or("").trim().eq_ignore_ascii_case("application/json") {
        let message = format!("Content type specified in the request '{content}' is not supported");
        return Err(Fault::request(415, "UNSUPPORTED_MEDIA_TYPE", message));
    }
    serde_json::from_slice(&request.body).map_err(|error| {
        if error.is_data() {
            errors::unexpected_json("Cannot deserialize instance of the body")
        } else {
            errors::unreadable_json(&request.body, &error)
        }
    })
}

/// The object of that name, or that there is none.
pub(super) fn sobject(name: &str) -> Result<Sobject, Vec<Fault>> {
    Sobject::named(name).ok_or_else(|| vec![errors::not_found()])
}
