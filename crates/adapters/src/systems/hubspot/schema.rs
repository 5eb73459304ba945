//! Whether an account's objects are set up as a boundary needs them.
//!
//! Promises: pure; every shortcoming of an object is told at once, each with what to do about it.
//! Leaves to others: asking the account (`writer`).

use std::collections::BTreeMap;

use serde::Deserialize;
use syncline_core::outcome::Look;
use syncline_engine::error::Result;

use crate::systems::answers;
use crate::systems::findings::{self, Finding, Form, Live, Severity, Spot, misfits};
use crate::systems::object_use::ObjectUse;
use crate::transport::HttpResponse;

#[derive(Deserialize)]
struct Properties {
    results: Vec<Property>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Property {
    name: String,
    #[serde(default)]
    has_unique_value: bool,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    modification_metadata: Modification,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    options: Vec<Choice>,
    #[serde(default)]
    external_options: bool,
}

#[derive(Deserialize)]
struct Choice {
    value: String,
}

impl Property {
    /// What it takes; texts of every kind take any form.
    fn live(&self) -> Live {
        let form = match self.kind.as_str() {
            "number" => Some(Form::Number),
            "bool" => Some(Form::Bool),
            "date" => Some(Form::Date),
            "datetime" => Some(Form::DateTime),
            "string" | "enumeration" | "phone_number" => Some(Form::Text),
            _ => None,
        };
        let is_listed = self.kind == "enumeration" && !self.external_options;
        Live { form, length: None, values: is_listed.then(|| self.options.iter().map(|option| option.value.clone()).collect()) }
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Modification {
    #[serde(default)]
    read_only_value: bool,
}

/// What a lane has to know of an object: what speaks against our use of it, and what our fields take.
///
/// # Errors
/// `Protocol` if the list cannot be read.
pub fn look(object: &str, used: &ObjectUse, response: &HttpResponse) -> Result<Look> {
    let found = examine(object, used, response)?;
    let properties = read(object, response)?;
    let shapes = used.wants.keys().filter_map(|name| Some((name.clone(), properties.get(name).map(|property| property.live().shape())?)));
    Ok(findings::look(found, shapes.collect()))
}

/// Everything that speaks against our use of an object.
///
/// # Errors
/// `Protocol` if the list cannot be read.
pub fn examine(object: &str, used: &ObjectUse, response: &HttpResponse) -> Result<Vec<Finding>> {
    let properties = read(object, response)?;
    let key = &used.key_field;
    let mut found = Vec::new();
    match properties.get(key) {
        None => found.push(Finding::new(
            Severity::Stop,
            Spot::Key,
            format!("the key property {key} does not exist"),
            format!(
                "run `syncline setup hubspot`, or create it with POST /crm/v3/properties/{object} {{\"name\":\"{key}\",\"label\":\"Syncline id\",\"type\":\"string\",\"fieldType\":\"text\",\
                 \"groupName\":\"contactinformation\",\"hasUniqueValue\":true}}"
            ),
        )),
        Some(property) if !property.has_unique_value => found.push(Finding::new(
            Severity::Stop,
            Spot::Key,
            format!("the key property {key} does not require unique values"),
            format!("create another property with \"hasUniqueValue\":true, which HubSpot fixes at creation, and name it instead of {key}"),
        )),
        Some(_) => {}
    }
    let spot = |name: &String| used.wants.get(name).map_or_else(|| Spot::Object(object.to_owned()), |want| want.spot.clone());
    for name in used.written.iter().chain(&used.filled).filter(|name| !properties.contains_key(*name)) {
        found.push(Finding::new(Severity::Stop, spot(name), format!("{name} not found"), format!("create {name} or correct the mapping")));
    }
    let is_fixed = |name: &&String| properties.get(*name).is_some_and(|property| property.modification_metadata.read_only_value);
    for name in used.written.iter().chain(&used.filled).chain([key]).filter(is_fixed) {
        let remedy = format!("take {name} out of the mapping: HubSpot computes the value");
        found.push(Finding::new(Severity::Stop, spot(name), format!("{name} not writable"), remedy));
    }
    found.extend(misfits(object, &used.wants, |name| properties.get(name).map(Property::live)));
    Ok(found)
}

/// The properties that our use names and the object lacks.
///
/// # Errors
/// `Protocol` if the list cannot be read.
pub fn lacking<'u>(object: &str, used: &'u ObjectUse, response: &HttpResponse) -> Result<Vec<&'u str>> {
    let properties = read(object, response)?;
    let names = [used.key_field.as_str()].into_iter().chain(used.written.iter().chain(&used.filled).map(String::as_str));
    Ok(names.filter(|name| !properties.contains_key(*name)).collect())
}

fn read(object: &str, response: &HttpResponse) -> Result<BTreeMap<String, Property>> {
    let listed: Properties = answers::json(response).map_err(|why| answers::unreadable_call(&doing(object), &why))?;
    let live = listed.results.into_iter().filter(|property| !property.archived);
    Ok(live.map(|property| (property.name.clone(), property)).collect())
}

fn doing(object: &str) -> String {
    format!("looking at HubSpot's {object}")
}

#[cfg(test)]
mod tests {
    use syncline_engine::error::Kind;

    use super::*;
    use crate::systems::findings::admit;

    fn check(object: &str, used: &ObjectUse, response: &HttpResponse) -> Result<()> {
        admit("HubSpot", &BTreeMap::from([(object.to_owned(), look(object, used, response)?)]))
    }

    fn refused(properties: &str) -> Option<(Kind, String, String)> {
        let written = ["email", "hs_email_domain"].into_iter().map(str::to_owned).collect();
        let used = ObjectUse { key_field: "syncline_id".into(), written, ..ObjectUse::default() };
        let headers = [("content-type".to_owned(), "application/json;charset=utf-8".to_owned())].into();
        let response = HttpResponse { status: 200, headers, body: format!(r#"{{"results":[{properties}]}}"#).into_bytes() };
        check("contacts", &used, &response).err().map(|error| (error.kind, error.to_string(), error.remedy().to_owned()))
    }

    #[test]
    fn shortcomings_are_named_with_their_remedies() {
        let (kind, message, remedy) =
            refused(r#"{"name":"hs_email_domain","modificationMetadata":{"readOnlyValue":true}}"#).unwrap();
        assert_eq!(kind, Kind::BoundaryRefused);
        insta::assert_snapshot!(message, @"looking at HubSpot's contacts: the key property syncline_id does not exist; email not found; hs_email_domain not writable");
        insta::assert_snapshot!(remedy, @r#"run `syncline setup hubspot`, or create it with POST /crm/v3/properties/contacts {"name":"syncline_id","label":"Syncline id","type":"string","fieldType":"text","groupName":"contactinformation","hasUniqueValue":true}; create email or correct the mapping; take hs_email_domain out of the mapping: HubSpot computes the value"#);
        let shared = r#"{"name":"syncline_id"},{"name":"email"},{"name":"hs_email_domain"}"#;
        insta::assert_snapshot!(refused(shared).unwrap().1, @"looking at HubSpot's contacts: the key property syncline_id does not require unique values");
        assert_eq!(refused(r#"{"name":"syncline_id","hasUniqueValue":true},{"name":"email"},{"name":"hs_email_domain"}"#), None);
    }
}
