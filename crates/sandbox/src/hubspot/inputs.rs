//! What fault rules and people see of a request's inputs: the names of the records, a part of a batch, an edit by hand.
//!
//! Promises: an input is named by its external key first, then by the record's id when that is known.
//! Leaves to others: which inputs a rule picks (`crate::faults`).

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::account::Account;
use super::body::{self, InputCount, InputNames, Name, NamesBody, Properties, Scalar};
use super::contacts::find_key;
use super::history::{Source, Touch};
use super::route::{Inputs, Route};
use super::write;
use crate::exchange::{Millis, Request};

const KEY: &str = "syncline_id";

/// The names of every input of a write.
pub(super) fn names(account: &Account, request: &Request) -> Vec<Vec<String>> {
    match Route::of(request).inputs() {
        Inputs::New => {
            let input = body::read::<InputNames<'_>>(&request.body);
            vec![input.map_or_else(|_| Vec::new(), |input| of_input(account, &input))]
        }
        Inputs::Named(key) => vec![of_record(account, request.query_value("idProperty"), &key)],
        Inputs::Writes => {
            let inputs = body::read::<NamesBody<'_>>(&request.body).map_or_else(|_| Vec::new(), |body| body.inputs);
            inputs.iter().map(|input| of_input(account, input)).collect()
        }
        Inputs::None | Inputs::Reads => Vec::new(),
    }
}

fn of_input(account: &Account, input: &InputNames<'_>) -> Vec<String> {
    let key = input.properties.syncline_id.as_ref().map_or("", Scalar::text);
    let mut names: Vec<String> = Some(key.to_owned()).filter(|key| !key.is_empty()).into_iter().collect();
    let id = input.id.as_ref().map_or("", Scalar::text);
    if !id.is_empty() {
        names.extend(of_record(account, input.id_property.as_ref().map(|name| name.0.as_ref()), id));
    }
    names.dedup();
    names
}

fn of_record(account: &Account, id_property: Option<&str>, key: &str) -> Vec<String> {
    let id = match id_property.filter(|name| *name != "hs_object_id") {
        Some(name) => find_key(account, name, key),
        None => key.parse().ok(),
    };
    let contact = id.and_then(|id| account.store.any(id));
    let external = contact.and_then(|contact| contact.values.get(KEY)).map(str::to_owned);
    let mut names: Vec<String> = external.into_iter().collect();
    names.push(key.to_owned());
    names.extend(contact.map(|contact| contact.id.to_string()));
    names.dedup();
    names
}

/// How many inputs a request carries.
pub(super) fn count(request: &Request) -> usize {
    match Route::of(request).inputs() {
        Inputs::New | Inputs::Named(_) => 1,
        Inputs::Writes | Inputs::Reads => body::read::<InputCount>(&request.body).map_or(0, |body| body.inputs.len()),
        Inputs::None => 0,
    }
}

/// The request with only some of its inputs.
pub(super) fn subset(request: &Request, keep: &dyn Fn(usize) -> bool) -> Option<Request> {
    match Route::of(request).inputs() {
        Inputs::New | Inputs::Named(_) => keep(0).then(|| request.clone()),
        Inputs::Writes => {
            let mut body: Value = serde_json::from_slice(&request.body).ok()?;
            let inputs = body.get_mut("inputs")?.as_array_mut()?;
            let mut index = 0;
            inputs.retain(|_| {
                index += 1;
                keep(index - 1)
            });
            let body = serde_json::to_vec(&body).ok()?;
            Some(Request { body, ..request.clone() })
        }
        Inputs::None | Inputs::Reads => None,
    }
}

/// An edit as a person makes it in HubSpot's pages.
pub(super) fn edit(
    account: &mut Account,
    object: &str,
    id: Option<&str>,
    fields: Option<&Map<String, Value>>,
    now: Millis,
) -> Result<String, String> {
    if object != "contacts" {
        return Err(format!("hubspot has no object {object}"));
    }
    let number = id.map(|id| id.parse::<u64>().ok().filter(|id| account.store.live(*id).is_some()).ok_or(id));
    let number = number.transpose().map_err(|id| format!("no live contact {id}"))?;
    let Some(fields) = fields else {
        let number = number.ok_or("deleting needs an id")?;
        account.store.archive(number, now);
        return Ok(number.to_string());
    };
    let mut properties = Properties::new();
    for (name, value) in fields {
        let text = match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
        };
        properties.insert(Name(Cow::Borrowed(name)), Scalar(Some(Cow::Owned(text))));
    }
    let portal_id = account.config.portal_id;
    let touch = Touch { by: Source::Person, at: now };
    let written = match number {
        Some(number) => write::update(account, number, &properties, None, touch).map(|()| number),
        None => write::create(account, &properties, None, touch),
    };
    written.map(|number| number.to_string()).map_err(|error| error.message(portal_id))
}
