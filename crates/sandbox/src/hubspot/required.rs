//! The account's "required" rules, which the 2026-09 paths enforce and older ones do not.
//!
//! Promises: a single create needs a value for every required property, and a single change may not clear one.
//! Leaves to others: rules that depend on another property's value, and batches, of which no recording shows the shape.

use super::account::Account;
use super::answer::Call;
use super::body::{Properties, Scalar};
use super::errors::{Invalid, Refusal};

/// Refuses a new contact that lacks what is required.
pub(super) fn check_new(account: &Account, call: &Call<'_>, properties: &Properties<'_>) -> Result<(), Refusal> {
    refuse(account, call, |name| properties.get(name).is_none_or(|value| value.text().is_empty()))
}

/// Refuses a change that clears what is required.
pub(super) fn check_change(account: &Account, call: &Call<'_>, properties: &Properties<'_>) -> Result<(), Refusal> {
    refuse(account, call, |name| properties.get(name).map(Scalar::text).is_some_and(str::is_empty))
}

fn refuse(account: &Account, call: &Call<'_>, is_missing: impl Fn(&str) -> bool) -> Result<(), Refusal> {
    if !call.request.path.contains("/2026-09/") {
        return Ok(());
    }
    let missing = account.config.required_properties.iter().filter(|name| is_missing(name)).map(|name| Invalid {
        property: name.clone(),
        code: "MISSING_REQUIRED_PROPERTY".to_owned(),
        message: format!("A value for {name} must be provided"),
    });
    let missing: Vec<Invalid> = missing.collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Refusal { message: "The property values provided are invalid".to_owned(), ..Refusal::invalid(account.config.portal_id, &missing) })
}
