//! Looks after an account: examines it and creates the properties that a configuration needs.
//!
//! Promises: an examination writes nothing; a property is created with the type that the mapping writes, the key's with unique values.
//! Leaves to others: comparing (`schema`), asking a person (`app::cli`).

use async_trait::async_trait;
use serde_json::{Value, json};
use syncline_engine::error::Result;

use super::config::{CONTACTS, Settings};
use super::writer::HubSpotWriter;
use super::{decode, encode, errors, limits, schema};
use crate::systems::answers;
use crate::systems::caretaker::{Caretaker, Examination, Made, SetUp, Step};
use crate::systems::findings::{Finding, Form, Severity, Spot, Want};
use crate::systems::object_use::ObjectUse;
use crate::transport::{Call, Method};

const WRITE_SCOPE: &str = "crm.objects.contacts.write";
const EXISTS: u16 = 409;

#[async_trait]
impl Caretaker for HubSpotWriter {
    async fn examine(&self) -> Examination {
        let mut seen = Examination::default();
        let doing = "asking HubSpot for the account's details";
        let details = self.ask(doing, encode::account()).await;
        match details.and_then(|response| decode::account(&response).map_err(|why| answers::unreadable_call(doing, &why))) {
            Ok(details) => seen.account = Some(details.portal),
            Err(error) => {
                seen.failed(Spot::SignIn, &error);
                return seen;
            }
        }
        self.see_scopes(&mut seen);
        let mut reports = Vec::new();
        for (object, used) in &self.settings.objects {
            let call = encode::properties(&self.settings.api_version, object);
            let answer = self.ask(&format!("looking at HubSpot's {object}"), call).await;
            let read = answer.and_then(|response| {
                reports = limits::from_headers(&response);
                schema::examine(object, used, &response)
            });
            match read {
                Ok(found) => seen.findings.extend(found),
                Err(error) => seen.failed(Spot::Object(object.clone()), &error),
            }
        }
        for report in reports {
            seen.pool(&report.pool, report.limit, report.used);
        }
        seen
    }

    async fn lacks(&self) -> Result<SetUp> {
        let mut set_up = SetUp::default();
        for (object, used) in &self.settings.objects {
            let call = encode::properties(&self.settings.api_version, object);
            let response = self.ask(&format!("looking at HubSpot's {object}"), call).await?;
            for name in schema::lacking(object, used, &response)? {
                plan(&self.settings, object, name, used, &mut set_up);
            }
        }
        Ok(set_up)
    }

    async fn create(&self, step: &Step) -> Result<Made> {
        let token = self.token().await?;
        let doing = format!("creating {}", step.what);
        let response = self.client.call(&token, step.call.clone()).await.map_err(|error| answers::unanswered_call(&doing, error))?;
        match response.status {
            200..300 => Ok(Made::Created),
            EXISTS => Ok(Made::WasThere),
            _ => Err(errors::whole(&response).refusal.into_error(&doing)),
        }
    }
}

impl HubSpotWriter {
    /// An app's token tells its scopes; a static one shows them only by what it is refused.
    fn see_scopes(&self, seen: &mut Examination) {
        let scopes = self.client.token().and_then(|token| token.grant.scopes.clone());
        match scopes {
            Some(scopes) if !scopes.iter().any(|scope| scope == WRITE_SCOPE) => {
                let remedy = format!("grant the app the scope {WRITE_SCOPE} and connect the account again");
                seen.findings.push(Finding::new(Severity::Stop, Spot::SignIn, format!("the token lacks the scope {WRITE_SCOPE}"), remedy));
            }
            Some(_) => {}
            None => {
                let text = format!("whether the token has the scope {WRITE_SCOPE} shows at the first write");
                seen.findings.push(Finding::new(Severity::Note, Spot::SignIn, text, "see the scopes of the token in the account"));
            }
        }
    }
}

fn plan(settings: &Settings, object: &str, name: &str, used: &ObjectUse, set_up: &mut SetUp) {
    let is_own = name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.starts_with("hs_");
    let is_plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if object != CONTACTS || !is_own || !is_plain {
        set_up.by_hand.push(format!("{object}.{name} cannot be created by us: create it in the account, or correct the mapping"));
        return;
    }
    let (told, mut body) = if name == used.key_field {
        ("text with unique values".to_owned(), json!({ "type": "string", "fieldType": "text", "hasUniqueValue": true }))
    } else {
        typed(used.wants.get(name))
    };
    body["name"] = Value::String(name.to_owned());
    body["label"] = Value::String(name.replace('_', " "));
    body["groupName"] = Value::String("contactinformation".to_owned());
    let Call { target, .. } = encode::properties(&settings.api_version, object);
    let call = Call { method: Method::Post, target, body: body.to_string().into_bytes() };
    set_up.steps.push(Step { what: format!("{object}.{name}: {told}"), call, looks_up: None });
}

/// The type that the mapping writes.
fn typed(want: Option<&Want>) -> (String, Value) {
    let form = want.map_or(Form::Text, |want| want.form);
    let values = want.map(|want| &want.values).filter(|values| !values.is_empty());
    let option = |(order, value): (usize, &str)| json!({ "label": value, "value": value, "displayOrder": order, "hidden": false });
    match (form, values) {
        (Form::Text, Some(values)) => {
            let options: Vec<Value> = values.iter().map(String::as_str).enumerate().map(option).collect();
            (format!("list of {} values", values.len()), json!({ "type": "enumeration", "fieldType": "select", "options": options }))
        }
        (Form::Text, None) => ("text".to_owned(), json!({ "type": "string", "fieldType": "text" })),
        (Form::Number, _) => ("number".to_owned(), json!({ "type": "number", "fieldType": "number" })),
        (Form::Bool, _) => {
            let options: Vec<Value> = ["true", "false"].into_iter().enumerate().map(option).collect();
            ("yes or no".to_owned(), json!({ "type": "bool", "fieldType": "booleancheckbox", "options": options }))
        }
        (Form::Date, _) => ("date".to_owned(), json!({ "type": "date", "fieldType": "date" })),
        (Form::DateTime, _) => ("date and time".to_owned(), json!({ "type": "datetime", "fieldType": "date" })),
    }
}
