//! Looks after an org: examines it and creates the custom fields that a configuration needs.
//!
//! Promises: an examination writes nothing; a field is created by the tooling interface with the type that the mapping writes. A new
//! field is hidden until a permission set grants it, which is left to a person: who may see what is the org's decision.
//! Leaves to others: comparing (`schema`), asking a person (`app::cli`).

use async_trait::async_trait;
use serde_json::{Value, json};
use syncline_engine::error::{Error, Kind, Result};

use super::config::DAY;
use super::writer::SalesforceWriter;
use super::{encode, errors, limits, schema};
use crate::systems::answers;
use crate::systems::caretaker::{Caretaker, Examination, Made, SetUp, Step};
use crate::systems::findings::{Finding, Form, Severity, Spot, Want};
use crate::systems::object_use::ObjectUse;
use crate::transport::{Call, Method};

const MARKER: &str = "Syncline_Rev__c";
const EXISTS: &str = "DUPLICATE_DEVELOPER_NAME";

#[async_trait]
impl Caretaker for SalesforceWriter {
    async fn examine(&self) -> Examination {
        let mut seen = Examination::default();
        let token = match self.token().await {
            Ok(token) => token,
            Err(error) => {
                seen.failed(Spot::SignIn, &error);
                return seen;
            }
        };
        seen.account = Some(token.grant.org.clone());
        let reaches_api = |scopes: &Vec<String>| scopes.iter().any(|scope| scope == "api" || scope == "full");
        if token.grant.scopes.as_ref().is_some_and(|scopes| !reaches_api(scopes)) {
            let remedy = "add the scope \"Manage user data via APIs (api)\" to the app";
            seen.findings.push(Finding::new(Severity::Stop, Spot::SignIn, "the token has no scope for the API", remedy));
        }
        if let Err(error) = self.check_version(&token).await {
            seen.failed(Spot::Setting("api_version"), &error);
        }
        for (object, used) in &self.settings.objects {
            let call = encode::describe(&self.settings.api_version, object);
            let answer = self.ask(&token, &format!("looking at Salesforce's {object}"), call).await;
            match answer.and_then(|response| schema::examine(object, used, &response)) {
                Ok(found) => seen.findings.extend(found),
                Err(error) => seen.failed(Spot::Object(object.clone()), &error),
            }
        }
        let doing = "asking Salesforce for its limits";
        match self.client.call(&token, encode::limits(&self.settings.api_version)).await {
            Err(error) => seen.failed(Spot::Setting("quota"), &answers::unanswered_call(doing, error)),
            Ok(response) => {
                if let Some(report) = limits::from_headers(&response) {
                    seen.pool(DAY, report.limit, report.used);
                }
            }
        }
        seen
    }

    async fn lacks(&self, marker: bool) -> Result<SetUp> {
        let token = self.token().await?;
        let mut set_up = SetUp::default();
        for (object, used) in &self.settings.objects {
            let call = encode::describe(&self.settings.api_version, object);
            let response = self.ask(&token, &format!("looking at Salesforce's {object}"), call).await?;
            for name in schema::lacking(object, used, marker.then_some(MARKER), &response)? {
                plan(&self.settings.api_version, object, name, used, &mut set_up);
            }
        }
        Ok(set_up)
    }

    async fn create(&self, step: &Step) -> Result<Made> {
        let token = self.token().await?;
        let doing = format!("creating {}", step.what);
        let response = self.client.call(&token, step.call.clone()).await.map_err(|error| answers::unanswered_call(&doing, error))?;
        if (200..300).contains(&response.status) {
            return Ok(Made::Created);
        }
        let refusal = errors::whole(&response);
        if refusal.rejection.code == EXISTS { Ok(Made::WasThere) } else { Err(unmade(&doing, refusal.into_error(&doing))) }
    }
}

/// What is refused to a set-up is the account's, whatever its class.
fn unmade(doing: &str, error: Error) -> Error {
    if error.kind != Kind::Protocol {
        return error;
    }
    Error::new(Kind::BoundaryRefused, format!("{doing}: {error}"))
        .with_remedy("give the integration user the permission Customize Application, or create the field by hand")
}

fn plan(version: &str, object: &str, name: &str, used: &ObjectUse, set_up: &mut SetUp) {
    let is_custom = name.strip_suffix("__c").is_some_and(|stem| !stem.is_empty() && !stem.contains("__"));
    if !is_custom {
        set_up.by_hand.push(format!("{object}.{name} is no custom field of this org: correct the mapping, or give the integration user access to it"));
        return;
    }
    let (told, metadata) = if name == used.key_field {
        let kind = json!({ "type": "Text", "length": 64, "externalId": true, "unique": true, "caseSensitive": true });
        ("Text(64), External ID, Unique, case-sensitive".to_owned(), kind)
    } else if name == MARKER {
        ("Text(64)".to_owned(), json!({ "type": "Text", "length": 64 }))
    } else {
        typed(used.wants.get(name))
    };
    let mut metadata = metadata;
    metadata["label"] = Value::String(name.trim_end_matches("__c").replace('_', " "));
    metadata["required"] = Value::Bool(false);
    let body = json!({ "FullName": format!("{object}.{name}"), "Metadata": metadata }).to_string().into_bytes();
    let target = format!("/services/data/v{version}/tooling/sobjects/CustomField");
    set_up.steps.push(Step { what: format!("{object}.{name}: {told}"), call: Call { method: Method::Post, target, body } });
    let grant = format!("in a permission set of the integration user give read and edit access to {object}.{name}: a new field is hidden from everybody");
    set_up.by_hand.push(grant);
}

/// The type that the mapping writes.
fn typed(want: Option<&Want>) -> (String, Value) {
    let form = want.map_or(Form::Text, |want| want.form);
    let values = want.map(|want| &want.values).filter(|values| !values.is_empty());
    match (form, values) {
        (Form::Text, Some(values)) => {
            let listed: Vec<Value> = values.iter().map(|value| json!({ "fullName": value, "label": value, "default": false })).collect();
            let set = json!({ "restricted": true, "valueSetDefinition": { "sorted": false, "value": listed } });
            (format!("Picklist of {} values", values.len()), json!({ "type": "Picklist", "valueSet": set }))
        }
        (Form::Text, None) => ("Text(255)".to_owned(), json!({ "type": "Text", "length": 255 })),
        (Form::Number, _) => ("Number(18, 6)".to_owned(), json!({ "type": "Number", "precision": 18, "scale": 6 })),
        (Form::Bool, _) => ("Checkbox".to_owned(), json!({ "type": "Checkbox", "defaultValue": "false" })),
        (Form::Date, _) => ("Date".to_owned(), json!({ "type": "Date" })),
        (Form::DateTime, _) => ("DateTime".to_owned(), json!({ "type": "DateTime" })),
    }
}
