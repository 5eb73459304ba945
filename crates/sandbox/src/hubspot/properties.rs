//! The routes of property definitions: list, read, create.
//!
//! Promises: `modificationMetadata.readOnlyValue` tells what cannot be written; at most ten unique properties.
//! Leaves to others: what a definition does to values (`values`).

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::account::Account;
use super::answer::{Answer, Call, Outcome};
use super::body;
use super::errors::Refusal;
use super::schema::{Choice, Kind, Property};
use super::stamp;

const UNIQUE_MAX: usize = 10;

/// `GET …/properties/contacts`
pub(super) fn list(account: &Account, call: &Call<'_>) -> Outcome {
    let from = if call.flag("archived") { &account.schema.archived } else { &account.schema.by_name };
    let all: Vec<Value> = from.values().map(shown).collect();
    Answer::json(200, &json!({"results": all}))
}

/// `GET …/properties/contacts/{name}`
pub(super) fn read(account: &Account, call: &Call<'_>, name: &str) -> Outcome {
    let found = if call.flag("archived") { account.schema.archived.get(name) } else { account.schema.get(name) };
    match found {
        Some(property) => Answer::json(200, &shown(property)),
        None => Err(unknown(name)),
    }
}

/// The body of a new definition.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewProperty {
    name: String,
    label: String,
    #[serde(rename = "type")]
    kind: Kind,
    field_type: String,
    group_name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    options: Vec<Choice>,
    #[serde(default)]
    has_unique_value: bool,
    #[serde(default)]
    form_field: bool,
    #[serde(default)]
    hidden: bool,
    #[serde(default)]
    display_order: Option<i64>,
}

/// What a batch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bulk {
    Create,
    Read,
    Archive,
}

/// The body of a change; what is absent stays.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    label: Option<String>,
    description: Option<String>,
    group_name: Option<String>,
    field_type: Option<String>,
    options: Option<Vec<Choice>>,
    hidden: Option<bool>,
    form_field: Option<bool>,
    display_order: Option<i64>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Inputs<T> {
    inputs: Vec<T>,
}

/// `POST …/properties/contacts`
pub(super) fn create(account: &mut Account, call: &Call<'_>) -> Outcome {
    let new: NewProperty = body::read(&call.request.body)?;
    Answer::json(201, &define(account, call, new)?)
}

fn define(account: &mut Account, call: &Call<'_>, new: NewProperty) -> Result<Value, Refusal> {
    let starts_well = new.name.starts_with(|c: char| c.is_ascii_lowercase());
    if !starts_well || !new.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        return Err(Refusal::bad_request(format!("Property name '{}' is invalid", new.name)));
    }
    if account.schema.get(&new.name).is_some() {
        let message = format!("A property named '{}' already exists.", new.name);
        let mut refusal = Refusal::new(409, "OBJECT_ALREADY_EXISTS", message);
        refusal.rest.sub_category = Some("Properties.PROPERTY_WITH_NAME_EXISTS");
        return Err(refusal);
    }
    if account.group(&new.group_name).is_none() {
        return Err(Refusal::bad_request(format!("Property group '{}' does not exist", new.group_name)));
    }
    let unique = account.schema.by_name.values().filter(|property| property.has_unique_value).count();
    if new.has_unique_value && unique >= UNIQUE_MAX {
        return Err(Refusal::bad_request(format!("At most {UNIQUE_MAX} unique properties are allowed")));
    }
    let property = Property {
        name: Arc::from(new.name),
        label: new.label,
        kind: new.kind,
        field_type: new.field_type,
        description: new.description,
        group_name: new.group_name,
        options: new.options,
        has_unique_value: new.has_unique_value,
        form_field: new.form_field,
        calculated: false,
        external_options: false,
        hubspot_defined: false,
        created_at: call.now,
        updated_at: call.now,
        is_archived: false,
        hidden: new.hidden,
        display_order: new.display_order.unwrap_or(-1),
    };
    let body = shown(&property);
    account.add_property(property);
    Ok(body)
}

/// `PATCH …/properties/contacts/{name}`: `options` replaces the whole list.
pub(super) fn update(account: &mut Account, call: &Call<'_>, name: &str) -> Outcome {
    let change: Change = body::read(&call.request.body)?;
    let mut property = own(account, name)?;
    if let Some(group) = change.group_name.as_deref().filter(|group| account.group(group).is_none()) {
        return Err(Refusal::bad_request(format!("Property group '{group}' does not exist")));
    }
    property.label = change.label.unwrap_or(property.label);
    property.description = change.description.unwrap_or(property.description);
    property.group_name = change.group_name.unwrap_or(property.group_name);
    property.field_type = change.field_type.unwrap_or(property.field_type);
    property.options = change.options.unwrap_or(property.options);
    property.hidden = change.hidden.unwrap_or(property.hidden);
    property.form_field = change.form_field.unwrap_or(property.form_field);
    property.display_order = change.display_order.unwrap_or(property.display_order);
    property.updated_at = call.now;
    let answer = Answer::json(200, &shown(&property));
    account.add_property(property);
    answer
}

/// `DELETE …/properties/contacts/{name}`
pub(super) fn archive(account: &mut Account, call: &Call<'_>, name: &str) -> Outcome {
    let property = own(account, name)?;
    if account.config.properties_in_use.iter().any(|used| used == name) {
        let mut refusal = Refusal::bad_request(format!("Property '{name}' is in use and cannot be deleted"));
        refusal.rest.sub_category = Some("PropertyValidationError.CANNOT_DELETE_PROPERTY_IN_USE");
        return Err(refusal);
    }
    account.add_property(Property { is_archived: true, updated_at: call.now, ..property });
    Answer::empty()
}

/// `POST …/properties/contacts/batch/…`: the first refusal ends it.
pub(super) fn batch(account: &mut Account, call: &Call<'_>, what: Bulk) -> Outcome {
    let (status, results) = match what {
        Bulk::Create => {
            let body: Inputs<NewProperty> = body::read(&call.request.body)?;
            let made: Result<Vec<Value>, Refusal> = body.inputs.into_iter().map(|new| define(account, call, new)).collect();
            (201, made?)
        }
        Bulk::Read => {
            let body: Inputs<Named> = body::read(&call.request.body)?;
            let found = body.inputs.iter().map(|named| account.schema.get(&named.name).map(shown).ok_or_else(|| unknown(&named.name)));
            (200, found.collect::<Result<Vec<Value>, Refusal>>()?)
        }
        Bulk::Archive => {
            let body: Inputs<Named> = body::read(&call.request.body)?;
            for named in &body.inputs {
                archive(account, call, &named.name)?;
            }
            return Answer::empty();
        }
    };
    let at = stamp::iso(call.now);
    Answer::json(status, &json!({"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at}))
}

/// A definition that may be changed.
fn own(account: &Account, name: &str) -> Result<Property, Refusal> {
    let property = account.schema.get(name).cloned().ok_or_else(|| unknown(name))?;
    if property.hubspot_defined {
        return Err(Refusal::bad_request(format!("Property '{name}' is defined by HubSpot and cannot be changed")));
    }
    Ok(property)
}

fn unknown(name: &str) -> Refusal {
    Refusal::new(404, "OBJECT_NOT_FOUND", format!("Property '{name}' does not exist"))
}

fn shown(property: &Property) -> Value {
    let own = !property.hubspot_defined;
    json!({
        "name": property.name.as_ref(),
        "label": property.label,
        "type": property.kind,
        "fieldType": property.field_type,
        "description": property.description,
        "groupName": property.group_name,
        "options": property.options,
        "displayOrder": property.display_order,
        "calculated": property.calculated,
        "externalOptions": property.external_options,
        "hasUniqueValue": property.has_unique_value,
        "hidden": property.hidden,
        "hubspotDefined": property.hubspot_defined,
        "archived": property.is_archived,
        "formField": property.form_field,
        "dataSensitivity": "non_sensitive",
        "modificationMetadata": {"archivable": own, "readOnlyDefinition": !own, "readOnlyValue": property.calculated},
        "createdAt": stamp::iso(property.created_at),
        "updatedAt": stamp::iso(property.updated_at.max(property.created_at)),
    })
}
