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
    let all = if call.flag("archived") { Vec::new() } else { account.schema.by_name.values().map(shown).collect() };
    Answer::json(200, &json!({"results": all}))
}

/// `GET …/properties/contacts/{name}`
pub(super) fn read(account: &Account, name: &str) -> Outcome {
    match account.schema.get(name) {
        Some(property) => Answer::json(200, &shown(property)),
        None => Err(Refusal::new(404, "OBJECT_NOT_FOUND", format!("Property '{name}' does not exist"))),
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
}

/// `POST …/properties/contacts`
pub(super) fn create(account: &mut Account, call: &Call<'_>) -> Outcome {
    let new: NewProperty = body::read(&call.request.body)?;
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
    };
    let answer = Answer::json(201, &shown(&property));
    account.add_property(property);
    answer
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
        "displayOrder": -1,
        "calculated": property.calculated,
        "externalOptions": property.external_options,
        "hasUniqueValue": property.has_unique_value,
        "hidden": false,
        "hubspotDefined": property.hubspot_defined,
        "archived": false,
        "formField": property.form_field,
        "dataSensitivity": "non_sensitive",
        "modificationMetadata": {"archivable": own, "readOnlyDefinition": !own, "readOnlyValue": property.calculated},
        "createdAt": stamp::iso(property.created_at),
        "updatedAt": stamp::iso(property.created_at),
    })
}
