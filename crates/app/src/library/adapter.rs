//! One external system as a transformation: our record to its form and back, without a connection.
//!
//! Promises: every external system has the same interface; forms are made and read by the mapping that a run uses; a form that
//! is not valid is refused with every fault at once, each with its field and no value.
//! Leaves to others: sending (`engine`), the mapping itself (`core::plan::mapping`).

use serde::Serialize;
use serde_json::Value as Json;
use syncline_adapters::systems::wire_form::WireForm;
use syncline_core::event::Change;
use syncline_core::outcome::{ExternalFields, Rejection};
use syncline_core::plan::mapping::{encode_record, project};
use syncline_core::record::{Fields, Value};
use syncline_core::terms::Terms;

use crate::config::{Config, Kind};

/// An external system, seen as a transformation of one record type.
pub struct Adapter<'c> {
    config: &'c Config,
    name: &'c str,
    kind: &'static str,
    record_type: &'c str,
    terms: &'c Terms,
    form: &'c dyn WireForm,
}

/// What is known of an adapter before anything is transformed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Metadata {
    /// The system's kind (`salesforce`, `hubspot`).
    pub kind: String,
    /// The record type.
    pub record_type: String,
    /// The system's objects, by contact type.
    pub objects: Vec<(String, String)>,
    /// Its field that holds our key.
    pub key_field: String,
    /// Our fields, its fields and the authority, by mapping row.
    pub fields: Vec<(Vec<String>, Vec<String>, &'static str)>,
}

/// A record in an external system's form.
#[derive(Debug, Clone, PartialEq)]
pub struct External {
    /// The object that takes it.
    pub object: String,
    /// Its JSON, as the system's single-record calls carry it.
    pub json: Json,
}

impl Config {
    /// The adapters of every external system that takes records of that type, in the order of the configuration.
    #[must_use]
    pub fn adapters<'c>(&'c self, record_type: &'c str) -> Vec<Adapter<'c>> {
        let adapter = |system: &'c crate::config::SystemConfig| {
            let form: &dyn WireForm = match &system.kind {
                Kind::Salesforce(external) => &external.settings,
                Kind::HubSpot(external) => &external.settings,
                Kind::Generator(_) | Kind::File(_) | Kind::Stdin(_) | Kind::Http(_) => return None,
            };
            let terms = system.kind.agreed()?.terms.get(record_type)?;
            Some(Adapter { config: self, name: &system.name, kind: system.kind.name(), record_type, terms, form })
        };
        self.systems.iter().filter_map(adapter).collect()
    }
}

impl Adapter<'_> {
    /// The system's name.
    #[must_use]
    pub const fn name(&self) -> &str {
        self.name
    }

    /// The contact types that the routes send to it.
    #[must_use]
    pub fn capabilities(&self) -> Vec<&str> {
        let routing = self.config.routing.get(self.record_type);
        let takes = |value: &&String| routing.is_some_and(|routing| routing.systems_for(value).iter().any(|name| name == self.name));
        self.terms.objects.keys().filter(takes).map(String::as_str).collect()
    }

    /// What is known of it.
    #[must_use]
    pub fn metadata(&self) -> Metadata {
        Metadata {
            kind: self.kind.to_owned(),
            record_type: self.record_type.to_owned(),
            objects: self.terms.objects.iter().map(|(value, object)| (value.clone(), object.clone())).collect(),
            key_field: self.terms.key_field.clone(),
            fields: self.terms.rows.iter().map(|row| (row.ours.clone(), row.theirs.clone(), row.authority.name())).collect(),
        }
    }

    /// What a create of that record is in the system's form, with our key and the fillers.
    ///
    /// # Errors
    /// If no object takes the record, or a value does not fit its field.
    pub fn to_external(&self, change: &Change) -> Result<External, Rejection> {
        let mut fields = Fields::new();
        change.patch.apply_to(&mut fields);
        let routing_field = self.config.schemas.get(self.record_type).and_then(|schema| schema.routing_field.as_ref());
        let value = routing_field.and_then(|field| fields.get(field)).and_then(Value::as_text).unwrap_or_default();
        let object = self.terms.objects.get(value).ok_or_else(|| Rejection {
            code: "unroutable".to_owned(),
            field: routing_field.cloned(),
            message: format!("{} has no object for it", self.name),
            remedy: format!("name an object for it in the boundary of {}, or route it elsewhere", self.name),
        })?;
        let projected = project(self.terms, object, &change.key, &fields)?;
        let form = encode_record(self.terms, object, &change.key, &projected.values, true)?;
        Ok(External { object: object.clone(), json: self.form.to_json(object, &form) })
    }

    /// Our fields, of a record in the system's form; a field that it lacks is null.
    ///
    /// # Errors
    /// Every fault of the form.
    pub fn from_external(&self, record: &Json) -> Result<Fields, Vec<Rejection>> {
        let external = self.read(record).map_err(|fault| vec![fault])?;
        let mut fields = Fields::new();
        let mut faults = Vec::new();
        for row in &self.terms.rows {
            match row.decode(&external) {
                Ok(value) => row.patch(&value).apply_to(&mut fields),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() { Ok(fields) } else { Err(faults) }
    }

    /// What keeps a record in the system's form from being valid; empty if nothing does.
    #[must_use]
    pub fn validate_external(&self, object: &str, record: &Json) -> Vec<Rejection> {
        let external = match self.read(record) {
            Ok(external) => external,
            Err(fault) => return vec![fault],
        };
        let mut faults: Vec<_> = self.terms.rows.iter().filter_map(|row| row.decode(&external).err()).collect();
        for (field, rule) in self.terms.rules.get(object).into_iter().flatten() {
            let value = external.get(field).and_then(Option::as_ref);
            let length = value.map_or(0, |text| text.chars().count());
            if rule.required && value.is_none() {
                faults.push(fault("required", field, "is missing where a value is required", "give it a value"));
            }
            if let Some(max) = rule.length_max.filter(|max| length > *max) {
                let why = format!("text of {length} characters is longer than the {max} that it takes");
                faults.push(fault("too_long", field, &why, "shorten the value"));
            }
        }
        faults
    }

    fn read(&self, record: &Json) -> Result<ExternalFields, Rejection> {
        self.form.read_json(record).map_err(|why| Rejection {
            code: "wrong_form".to_owned(),
            field: None,
            message: format!("this is no record of {}: {why}", self.kind),
            remedy: "give one record as the system's own API carries it".to_owned(),
        })
    }
}

fn fault(code: &str, field: &str, why: &str, remedy: &str) -> Rejection {
    Rejection { code: code.to_owned(), field: Some(field.to_owned()), message: format!("{field}: {why}"), remedy: remedy.to_owned() }
}
