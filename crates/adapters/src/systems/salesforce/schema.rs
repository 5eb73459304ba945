//! Whether an org's objects are set up as a boundary needs them.
//!
//! Promises: pure; every shortcoming of an object is told at once, each with what to do about it.
//! Leaves to others: asking the org (`writer`).

use serde::Deserialize;
use syncline_engine::error::{Error, Kind, Result};

use crate::systems::answers;
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
}

/// Compares an object's description with our use of it.
///
/// # Errors
/// `BoundaryRefused` with every shortcoming; `Protocol` if the description cannot be read.
pub fn check(object: &str, used: &ObjectUse, response: &HttpResponse) -> Result<()> {
    let doing = format!("looking at Salesforce's {object}");
    let described: Describe = answers::json(response).map_err(|why| answers::unreadable_call(&doing, &why))?;
    let mut faults = Vec::new();
    let mut remedies = Vec::new();
    key_faults(object, &used.key_field, &described, &mut faults, &mut remedies);
    field_faults(object, used, &described, &mut faults, &mut remedies);
    if !(described.createable && described.updateable && described.deletable) {
        faults.push(format!("{object} cannot be created, changed and deleted"));
        remedies.push(format!("grant the integration user Create, Edit and Delete on {object}"));
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(Error::new(Kind::BoundaryRefused, format!("{doing}: {}", faults.join("; "))).with_remedy(remedies.join("; ")))
}

fn find<'a>(described: &'a Describe, name: &str) -> Option<&'a Field> {
    described.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
}

fn key_faults(object: &str, key: &str, described: &Describe, faults: &mut Vec<String>, remedies: &mut Vec<String>) {
    let Some(field) = find(described, key) else {
        faults.push(format!("the key field {object}.{key} does not exist or is not visible"));
        remedies.push(format!(
            "in Setup > Object Manager > {object} > Fields & Relationships create a Text({KEY_LENGTH}) field with API name {key}, marked External ID and \
             Unique with case-sensitive values, then give the integration user read and edit access to it by a permission set"
        ));
        return;
    };
    let lacking: Vec<&str> =
        [(field.external_id, "External ID"), (field.unique, "Unique"), (field.case_sensitive, "case-sensitive")]
            .into_iter()
            .filter_map(|(has, mark)| (!has).then_some(mark))
            .collect();
    if !lacking.is_empty() {
        faults.push(format!("the key field {object}.{key} is not marked {}", lacking.join(", ")));
        remedies.push(format!("edit {object}.{key} and mark it {}", lacking.join(", ")));
    }
    if !field.createable {
        faults.push(format!("the key field {object}.{key} cannot be written"));
        remedies.push(format!("give the integration user edit access to {object}.{key}"));
    }
}

fn field_faults(object: &str, used: &ObjectUse, described: &Describe, faults: &mut Vec<String>, remedies: &mut Vec<String>) {
    let mut missing = Vec::new();
    let mut fixed = Vec::new();
    for (name, updated) in used.written.iter().map(|name| (name, true)).chain(used.filled.iter().map(|name| (name, false))) {
        match find(described, name) {
            None => missing.push(format!("{object}.{name}")),
            Some(field) if !field.createable || (updated && !field.updateable) => fixed.push(format!("{object}.{name}")),
            Some(_) => {}
        }
    }
    if !missing.is_empty() {
        let names = missing.join(", ");
        faults.push(format!("{names} not found"));
        remedies.push(format!("create {names} or give the integration user access, or correct the mapping"));
    }
    if !fixed.is_empty() {
        let names = fixed.join(", ");
        faults.push(format!("{names} not writable"));
        remedies.push(format!("give the integration user edit access to {names}, or take it out of the mapping"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used() -> ObjectUse {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        ObjectUse { key_field: "Syncline_Id__c".into(), written: names(&["Email", "LastName"]), filled: names(&["Company"]) }
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
        insta::assert_snapshot!(error.to_string(), @"looking at Salesforce's Lead: the key field Lead.Syncline_Id__c does not exist or is not visible; Lead.LastName, Lead.Company not found; Lead.Email not writable");
        insta::assert_snapshot!(error.remedy(), @"in Setup > Object Manager > Lead > Fields & Relationships create a Text(64) field with API name Syncline_Id__c, marked External ID and Unique with case-sensitive values, then give the integration user read and edit access to it by a permission set; create Lead.LastName, Lead.Company or give the integration user access, or correct the mapping; give the integration user edit access to Lead.Email, or take it out of the mapping");
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
