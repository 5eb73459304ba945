//! Whether an account's objects are set up as a boundary needs them.
//!
//! Promises: pure; every shortcoming of an object is told at once, each with what to do about it.
//! Leaves to others: asking the account (`writer`).

use std::collections::BTreeMap;

use serde::Deserialize;
use syncline_engine::error::{Error, Kind, Result};

use crate::systems::answers;
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
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Modification {
    #[serde(default)]
    read_only_value: bool,
}

/// Compares an object's properties with our use of them.
///
/// # Errors
/// `BoundaryRefused` with every shortcoming; `Protocol` if the list cannot be read.
pub fn check(object: &str, used: &ObjectUse, response: &HttpResponse) -> Result<()> {
    let doing = format!("looking at HubSpot's {object}");
    let listed: Properties = answers::json(response).map_err(|why| answers::unreadable_call(&doing, &why))?;
    let live = listed.results.into_iter().filter(|property| !property.archived);
    let properties: BTreeMap<String, Property> = live.map(|property| (property.name.clone(), property)).collect();
    let key = &used.key_field;
    let mut faults = Vec::new();
    let mut remedies = Vec::new();
    match properties.get(key) {
        None => {
            faults.push(format!("the key property {key} does not exist"));
            remedies.push(format!(
                "create it with POST /crm/v3/properties/{object} {{\"name\":\"{key}\",\"label\":\"Syncline id\",\"type\":\"string\",\"fieldType\":\"text\",\
                 \"groupName\":\"contactinformation\",\"hasUniqueValue\":true}}"
            ));
        }
        Some(property) if !property.has_unique_value => {
            faults.push(format!("the key property {key} does not require unique values"));
            remedies.push(format!("create another property with \"hasUniqueValue\":true, which HubSpot fixes at creation, and name it instead of {key}"));
        }
        Some(_) => {}
    }
    let names = || used.written.iter().chain(&used.filled);
    let missing: Vec<&str> = names().filter(|name| !properties.contains_key(*name)).map(String::as_str).collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        faults.push(format!("{missing} not found"));
        remedies.push(format!("create {missing} or correct the mapping"));
    }
    let is_fixed = |name: &&String| properties.get(*name).is_some_and(|property| property.modification_metadata.read_only_value);
    let fixed: Vec<&str> = names().chain([key]).filter(is_fixed).map(String::as_str).collect();
    if !fixed.is_empty() {
        let fixed = fixed.join(", ");
        faults.push(format!("{fixed} not writable"));
        remedies.push(format!("take {fixed} out of the mapping: HubSpot computes the value"));
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(Error::new(Kind::BoundaryRefused, format!("{doing}: {}", faults.join("; "))).with_remedy(remedies.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(properties: &str) -> Option<(Kind, String, String)> {
        let written = ["email", "hs_email_domain"].into_iter().map(str::to_owned).collect();
        let used = ObjectUse { key_field: "syncline_id".into(), written, filled: Default::default() };
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
        insta::assert_snapshot!(remedy, @r#"create it with POST /crm/v3/properties/contacts {"name":"syncline_id","label":"Syncline id","type":"string","fieldType":"text","groupName":"contactinformation","hasUniqueValue":true}; create email or correct the mapping; take hs_email_domain out of the mapping: HubSpot computes the value"#);
        let shared = r#"{"name":"syncline_id"},{"name":"email"},{"name":"hs_email_domain"}"#;
        insta::assert_snapshot!(refused(shared).unwrap().1, @"looking at HubSpot's contacts: the key property syncline_id does not require unique values");
        assert_eq!(refused(r#"{"name":"syncline_id","hasUniqueValue":true},{"name":"email"},{"name":"hs_email_domain"}"#), None);
    }
}
