//! Looks after an org: examines it and creates the custom fields that a configuration needs.
//!
//! Promises: an examination writes nothing; a field is created by the tooling interface with the type that the mapping writes, and
//! shown to the integration user alone, by a permission set of our own: whoever else may see it is the org's decision, and where that user
//! may not look at permission sets a person is told what to do. What is there already is not planned again.
//! Leaves to others: comparing (`schema`), asking a person (`app::cli`).

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use syncline_engine::error::{Error, Kind, Result};

use super::auth::Grant;
use super::config::DAY;
use super::decode::long_id;
use super::writer::SalesforceWriter;
use super::{encode, errors, limits, schema};
use crate::systems::answers;
use crate::systems::caretaker::{Caretaker, Examination, Made, PLACE_OF_ID, SetUp, Step};
use crate::systems::findings::{Finding, Form, Severity, Spot, Want};
use crate::systems::object_use::ObjectUse;
use crate::systems::tokens::Token;
use crate::transport::{Call, Method};

/// The permission set that shows our fields.
const SET: &str = "Syncline_Fields";
const EXISTS: [&str; 2] = ["DUPLICATE_DEVELOPER_NAME", "DUPLICATE_VALUE"];

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

    async fn lacks(&self) -> Result<SetUp> {
        let token = self.token().await?;
        let (mut set_up, mut hidden) = (SetUp::default(), Vec::new());
        for (object, used) in &self.settings.objects {
            let call = encode::describe(&self.settings.api_version, object);
            let response = self.ask(&token, &format!("looking at Salesforce's {object}"), call).await?;
            for name in schema::lacking(object, used, &response)? {
                if plan(&self.settings.api_version, object, name, used, &mut set_up) {
                    hidden.push(format!("{object}.{name}"));
                }
            }
        }
        if !hidden.is_empty() {
            self.plan_grants(&token, &hidden, &mut set_up).await?;
        }
        Ok(set_up)
    }

    async fn create(&self, step: &Step) -> Result<Made> {
        let token = self.token().await?;
        let doing = format!("creating {}", step.what);
        let mut call = step.call.clone();
        if let Some(lookup) = &step.looks_up {
            let id = self.looked_up(&token, &doing, lookup.clone()).await?;
            call.body = String::from_utf8_lossy(&call.body).replace(PLACE_OF_ID, &id).into_bytes();
        }
        let response = self.client.call(&token, call).await.map_err(|error| answers::unanswered_call(&doing, error))?;
        if (200..300).contains(&response.status) {
            return Ok(Made::Created);
        }
        let refusal = errors::whole(&response);
        if EXISTS.contains(&refusal.rejection.code.as_str()) { Ok(Made::WasThere) } else { Err(unmade(&doing, refusal.into_error(&doing))) }
    }
}

/// What is refused to a set-up is the account's, whatever its class.
fn unmade(doing: &str, error: Error) -> Error {
    if error.kind != Kind::Protocol {
        return error;
    }
    Error::new(Kind::BoundaryRefused, format!("{doing}: {error}"))
        .with_remedy("give the integration user the permissions Customize Application and Manage Profiles and Permission Sets for the set-up, or do this step by hand")
}

/// Plans a field; whether there will be one to show.
fn plan(version: &str, object: &str, name: &str, used: &ObjectUse, set_up: &mut SetUp) -> bool {
    let is_custom = name.strip_suffix("__c").is_some_and(|stem| !stem.is_empty() && !stem.contains("__"));
    if !is_custom {
        set_up.by_hand.push(format!("{object}.{name} is no custom field of this org: correct the mapping, or give the integration user access to it"));
        return false;
    }
    let (told, metadata) = if name == used.key_field {
        let kind = json!({ "type": "Text", "length": 64, "externalId": true, "unique": true, "caseSensitive": true });
        ("Text(64), External ID, Unique, case-sensitive".to_owned(), kind)
    } else {
        typed(used.wants.get(name))
    };
    let mut metadata = metadata;
    metadata["label"] = Value::String(name.trim_end_matches("__c").replace('_', " "));
    metadata["required"] = Value::Bool(false);
    let body = json!({ "FullName": format!("{object}.{name}"), "Metadata": metadata }).to_string().into_bytes();
    let target = format!("/services/data/v{version}/tooling/sobjects/CustomField");
    set_up.steps.push(Step { what: format!("{object}.{name}: {told}"), call: Call { method: Method::Post, target, body }, looks_up: None });
    true
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

#[derive(Deserialize)]
struct Rows {
    records: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(rename = "Id")]
    id: String,
    #[serde(rename = "Field", default)]
    field: String,
}

/// What there is of our permission set.
#[derive(Debug, Default)]
struct Known {
    exists: bool,
    is_assigned: bool,
    fields: Vec<String>,
}

impl SalesforceWriter {
    /// Plans what shows these fields (`Object.Field__c`) to the integration user.
    async fn plan_grants(&self, token: &Token<Grant>, hidden: &[String], set_up: &mut SetUp) -> Result<()> {
        let by_hand = |field: &String| {
            format!("in a permission set of the integration user give read and edit access to {field}: a new field is hidden from everybody")
        };
        let known = match self.known_grants(token).await {
            Ok(known) => known,
            Err(error) if matches!(error.kind, Kind::BoundaryRefused | Kind::Protocol) => {
                set_up.by_hand.extend(hidden.iter().map(by_hand));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if !known.exists {
            let body = json!({ "Name": SET, "Label": "Syncline fields", "Description": "Shows the integration user the fields that Syncline writes" });
            set_up.steps.push(Step { what: format!("permission set {SET}"), call: self.post("PermissionSet", &body), looks_up: None });
        }
        match &token.grant.user {
            Some(user) if !known.is_assigned => {
                let body = json!({ "PermissionSetId": PLACE_OF_ID, "AssigneeId": user });
                let what = format!("{SET} assigned to the integration user");
                set_up.steps.push(self.with_set(what, "PermissionSetAssignment", &body));
            }
            Some(_) => {}
            None => set_up.by_hand.push(format!("assign the permission set {SET} to the integration user: the token does not name the user")),
        }
        for field in hidden.iter().filter(|field| !known.fields.iter().any(|granted| granted.eq_ignore_ascii_case(field))) {
            let object = field.split('.').next().unwrap_or_default();
            let body = json!({ "ParentId": PLACE_OF_ID, "SobjectType": object, "Field": field, "PermissionsRead": true, "PermissionsEdit": true });
            set_up.steps.push(self.with_set(format!("read and edit access to {field} in {SET}"), "FieldPermissions", &body));
        }
        Ok(())
    }

    async fn known_grants(&self, token: &Token<Grant>) -> Result<Known> {
        let doing = "looking at Salesforce's permission sets";
        let Some(set) = self.rows(token, doing, self.find_set()).await?.pop() else { return Ok(Known::default()) };
        let set = long_id(&set.id).ok_or_else(|| answers::unreadable_call(doing, "its id is none"))?;
        let mut known = Known { exists: true, ..Known::default() };
        let version = &self.settings.api_version;
        let fields = format!("SELECT Id, Field FROM FieldPermissions WHERE ParentId = '{set}' AND PermissionsEdit = true");
        known.fields = self.rows(token, doing, encode::query(version, &fields)).await?.into_iter().map(|row| row.field).collect();
        if let Some(user) = &token.grant.user {
            let assigned = format!("SELECT Id FROM PermissionSetAssignment WHERE PermissionSetId = '{set}' AND AssigneeId = '{user}'");
            known.is_assigned = !self.rows(token, doing, encode::query(version, &assigned)).await?.is_empty();
        }
        Ok(known)
    }

    async fn rows(&self, token: &Token<Grant>, doing: &str, call: Call) -> Result<Vec<Row>> {
        let response = self.ask(token, doing, call).await?;
        Ok(answers::json::<Rows>(&response).map_err(|why| answers::unreadable_call(doing, &why))?.records)
    }

    /// The id that a step's call looks up first.
    async fn looked_up(&self, token: &Token<Grant>, doing: &str, call: Call) -> Result<String> {
        let found = self.rows(token, doing, call).await?.pop().map(|row| row.id);
        found.ok_or_else(|| answers::unreadable_call(doing, "what it belongs to is not there"))
    }

    fn find_set(&self) -> Call {
        encode::query(&self.settings.api_version, &format!("SELECT Id FROM PermissionSet WHERE Name = '{SET}'"))
    }

    fn with_set(&self, what: String, object: &str, body: &serde_json::Value) -> Step {
        Step { what, call: self.post(object, body), looks_up: Some(self.find_set()) }
    }

    fn post(&self, object: &str, body: &serde_json::Value) -> Call {
        let target = format!("/services/data/v{}/sobjects/{object}", self.settings.api_version);
        Call { method: Method::Post, target, body: body.to_string().into_bytes() }
    }
}
