//! Whether an org's objects are set up as a boundary needs them.
//!
//! Promises: pure; every shortcoming of an object is told at once, each with what to do about it.
//! Leaves to others: asking the org (`writer`).

use serde::Deserialize;
use syncline_core::outcome::Look;
use syncline_engine::error::Result;

use crate::systems::answers;
use crate::systems::findings::{self, Finding, Form, Live, Severity, Spot, misfits};
use crate::systems::object_use::ObjectUse;
use crate::transport::HttpResponse;

/// The longest key that the suggested field takes.
const KEY_LENGTH: usize = 64;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    createable: bool,
    updateable: bool,
    deletable: bool,
    fields: Vec<Field>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Field {
    name: String,
    createable: bool,
    updateable: bool,
    #[serde(default)]
    external_id: bool,
    #[serde(default)]
    unique: bool,
    #[serde(default)]
    case_sensitive: bool,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    length: usize,
    #[serde(default = "yes")]
    nillable: bool,
    #[serde(default)]
    defaulted_on_create: bool,
    #[serde(default)]
    restricted_picklist: bool,
    #[serde(default)]
    picklist_values: Vec<PicklistValue>,
}

const fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct PicklistValue {
    value: String,
    #[serde(default = "yes")]
    active: bool,
}

impl Field {
    /// What it takes; texts of every kind take any form.
    fn live(&self) -> Live {
        let form = match self.kind.as_str() {
            "double" | "int" | "currency" | "percent" | "long" => Some(Form::Number),
            "boolean" => Some(Form::Bool),
            "date" => Some(Form::Date),
            "datetime" => Some(Form::DateTime),
            "string" | "textarea" | "picklist" | "email" | "phone" | "url" | "combobox" | "encryptedstring" => Some(Form::Text),
            _ => None,
        };
        let active = || self.picklist_values.iter().filter(|value| value.active).map(|value| value.value.clone()).collect();
        Live { form, length: (self.length > 0).then_some(self.length), values: self.restricted_picklist.then(active) }
    }
}

/// What a lane has to know of an object: what speaks against our use of it, and what our fields take.
///
/// # Errors
/// `Protocol` if the description cannot be read.
pub fn look(object: &str, used: &ObjectUse, response: &HttpResponse) -> Result<Look> {
    let found = examine(object, used, response)?;
    let described = read(object, response)?;
    let shapes = used.wants.keys().filter_map(|name| Some((name.clone(), find(&described, name).map(|field| field.live().shape())?)));
    Ok(findings::look(found, shapes.collect()))
}

/// Everything that speaks against our use of an object.
///
/// # Errors
/// `Protocol` if the description cannot be read.
pub fn examine(object: &str, used: &ObjectUse, response: &HttpResponse) -> Result<Vec<Finding>> {
    let described = read(object, response)?;
    let mut found = Vec::new();
    key_faults(object, &used.key_field, &described, &mut found);
    field_faults(object, used, &described, &mut found);
    if !(described.createable && described.updateable && described.deletable) {
        let text = format!("{object} cannot be created, changed and deleted");
        let remedy = format!("grant the integration user Create, Edit and Delete on {object}");
        found.push(Finding::new(Severity::Stop, Spot::Object(object.to_owned()), text, remedy));
    }
    found.extend(misfits(object, &used.wants, |name| find(&described, name).map(Field::live)));
    Ok(found)
}

/// The fields that our use names and the object lacks, or hides.
///
/// # Errors
/// `Protocol` if the description cannot be read.
pub fn lacking<'u>(object: &str, used: &'u ObjectUse, response: &HttpResponse) -> Result<Vec<&'u str>> {
    let described = read(object, response)?;
    let names = [used.key_field.as_str()].into_iter().chain(used.written.iter().chain(&used.filled).map(String::as_str));
    Ok(names.filter(|name| find(&described, name).is_none()).collect())
}

fn read(object: &str, response: &HttpResponse) -> Result<Describe> {
    answers::json(response).map_err(|why| answers::unreadable_call(&doing(object), &why))
}

fn doing(object: &str) -> String {
    format!("looking at Salesforce's {object}")
}

fn find<'a>(described: &'a Describe, name: &str) -> Option<&'a Field> {
    described.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
}

fn key_faults(object: &str, key: &str, described: &Describe, found: &mut Vec<Finding>) {
    let mut stop = |text: String, remedy: String| found.push(Finding::new(Severity::Stop, Spot::Key, text, remedy));
    let Some(field) = find(described, key) else {
        stop(
            format!("the key field {object}.{key} does not exist or is not visible"),
            format!(
                "run `syncline setup salesforce`, or in Setup > Object Manager > {object} > Fields & Relationships create a Text({KEY_LENGTH}) \
                 field with API name {key}, marked External ID and Unique with case-sensitive values; then give the integration user read and \
                 edit access to it by a permission set"
            ),
        );
        return;
    };
    let lacking: Vec<&str> =
        [(field.external_id, "External ID"), (field.unique, "Unique"), (field.case_sensitive, "case-sensitive")]
            .into_iter()
            .filter_map(|(has, mark)| (!has).then_some(mark))
            .collect();
    if !lacking.is_empty() {
        let marks = lacking.join(", ");
        stop(format!("the key field {object}.{key} is not marked {marks}"), format!("edit {object}.{key} and mark it {marks}"));
    }
    if !field.createable {
        stop(format!("the key field {object}.{key} cannot be written"), format!("give the integration user edit access to {object}.{key}"));
    }
}

fn field_faults(object: &str, used: &ObjectUse, described: &Describe, found: &mut Vec<Finding>) {
    let spot = |name: &String| used.wants.get(name).map_or_else(|| Spot::Object(object.to_owned()), |want| want.spot.clone());
    for (name, updated) in used.written.iter().map(|name| (name, true)).chain(used.filled.iter().map(|name| (name, false))) {
        match find(described, name) {
            None => {
                let remedy = format!("create {object}.{name} or give the integration user access, or correct the mapping");
                found.push(Finding::new(Severity::Stop, spot(name), format!("{object}.{name} not found"), remedy));
            }
            Some(field) if !field.createable || (updated && !field.updateable) => {
                let remedy = format!("give the integration user edit access to {object}.{name}, or take it out of the mapping");
                found.push(Finding::new(Severity::Stop, spot(name), format!("{object}.{name} not writable"), remedy));
            }
            Some(_) => {}
        }
    }
    let is_set = |name: &str| used.written.iter().chain(&used.filled).chain([&used.key_field]).any(|ours| ours.eq_ignore_ascii_case(name));
    let is_lacking = |field: &&Field| !field.nillable && field.createable && !field.defaulted_on_create && field.kind != "boolean";
    for field in described.fields.iter().filter(is_lacking).filter(|field| !is_set(&field.name)) {
        let text = format!("{object}.{} is required on create and nothing is written to it", field.name);
        let remedy = format!("map a field to it, or write a filler: fillers: {{ {object}: {{ {}: … }} }}", field.name);
        found.push(Finding::new(Severity::Error, Spot::Object(object.to_owned()), text, remedy));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use syncline_engine::error::Kind;

    use super::*;
    use crate::systems::findings::admit;

    fn check(object: &str, used: &ObjectUse, response: &HttpResponse) -> Result<()> {
        admit("Salesforce", &BTreeMap::from([(object.to_owned(), look(object, used, response)?)]))
    }

    fn used() -> ObjectUse {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        ObjectUse { key_field: "Syncline_Id__c".into(), written: names(&["Email", "LastName"]), filled: names(&["Company"]), ..ObjectUse::default() }
    }

    fn described(fields: &str) -> HttpResponse {
        let body = format!(r#"{{"name":"Lead","createable":true,"updateable":true,"deletable":true,"fields":[{fields}]}}"#);
        HttpResponse {
            status: 200,
            headers: [("content-type".to_owned(), "application/json".to_owned())].into(),
            body: body.into_bytes(),
        }
    }

    fn field(name: &str, createable: bool, updateable: bool, key: bool) -> String {
        format!(
            r#"{{"name":"{name}","createable":{createable},"updateable":{updateable},"externalId":{key},"unique":{key},"caseSensitive":{key}}}"#
        )
    }

    #[test]
    fn a_well_set_up_object_passes() {
        let fields = [
            field("Syncline_Id__c", true, true, true),
            field("Email", true, true, false),
            field("LastName", true, true, false),
            field("Company", true, false, false),
        ];
        check("Lead", &used(), &described(&fields.join(","))).unwrap();
    }

    #[test]
    fn every_shortcoming_is_named_with_its_remedy() {
        let error = check("Lead", &used(), &described(&field("Email", true, false, false))).unwrap_err();
        assert_eq!(error.kind, Kind::BoundaryRefused);
        insta::assert_snapshot!(error.to_string(), @"looking at Salesforce's Lead: the key field Lead.Syncline_Id__c does not exist or is not visible; Lead.Email not writable; Lead.LastName not found; Lead.Company not found");
        insta::assert_snapshot!(error.remedy(), @"run `syncline setup salesforce`, or in Setup > Object Manager > Lead > Fields & Relationships create a Text(64) field with API name Syncline_Id__c, marked External ID and Unique with case-sensitive values; then give the integration user read and edit access to it by a permission set; give the integration user edit access to Lead.Email, or take it out of the mapping; create Lead.LastName or give the integration user access, or correct the mapping; create Lead.Company or give the integration user access, or correct the mapping");
    }

    #[test]
    fn a_key_field_that_is_not_unique_is_refused() {
        let fields = [
            field("Syncline_Id__c", true, true, false),
            field("Email", true, true, false),
            field("LastName", true, true, false),
            field("Company", true, true, false),
        ];
        let error = check("Lead", &used(), &described(&fields.join(","))).unwrap_err();
        insta::assert_snapshot!(error.to_string(), @"looking at Salesforce's Lead: the key field Lead.Syncline_Id__c is not marked External ID, Unique, case-sensitive");
    }
}
