//! What an event came to: refused, or steps in every system.
//!
//! Promises: the same outcome has one form, as paths and as YAML. Leaves to others: how it came about (`world`).

use std::collections::BTreeMap;

use syncline_core::outcome::{ExternalFields, Rejection};

/// One thing that is done in a system, or that could not be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// `create`, `update`, `delete` or `refused`.
    pub operation: &'static str,
    /// The object.
    pub object: String,
    /// What is sent.
    pub fields: ExternalFields,
    /// Why it was refused.
    pub refused: Option<Rejection>,
}

/// What an event came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Why the event itself was refused.
    pub event: Option<Rejection>,
    /// Where the record should be: system and object.
    pub routes: Vec<String>,
    /// What is done, by system; every system that is written to is named.
    pub systems: BTreeMap<String, Vec<Step>>,
}

impl Outcome {
    /// Values by path, as an expectation has them; None is null.
    #[must_use]
    pub fn by_path(&self) -> BTreeMap<String, Option<String>> {
        let mut out = BTreeMap::new();
        for (key, value) in self.event.iter().flat_map(refusal) {
            out.insert(format!("event.{key}"), Some(value));
        }
        out.extend(self.routes.iter().enumerate().map(|(at, route)| (format!("routes[{at}]"), Some(route.clone()))));
        for (system, steps) in &self.systems {
            if steps.is_empty() {
                out.insert(format!("systems.{system}"), Some("nothing".to_owned()));
            }
            for (at, step) in steps.iter().enumerate() {
                let path = format!("systems.{system}[{at}]");
                out.extend(step.head().into_iter().map(|(key, value)| (format!("{path}.{key}"), Some(value))));
                out.extend(step.fields.iter().map(|(field, value)| (format!("{path}.fields.{field}"), value.clone())));
            }
        }
        out
    }

    /// The outcome as an expectation in YAML, its key `indent` spaces deep.
    #[must_use]
    pub fn to_yaml(&self, indent: usize, with_routes: bool) -> String {
        let mut lines = vec!["expect:".to_owned()];
        let mut line = |depth: usize, text: String| lines.push(format!("{}{text}", " ".repeat(indent + depth)));
        if let Some(event) = &self.event {
            line(2, "event:".to_owned());
            refusal(event).into_iter().for_each(|(key, value)| line(4, format!("{key}: {}", scalar(&value))));
        }
        if with_routes {
            let routes: Vec<String> = self.routes.iter().map(|route| scalar(route)).collect();
            line(2, format!("routes: [{}]", routes.join(", ")));
        }
        line(2, "systems:".to_owned());
        for (system, steps) in &self.systems {
            if steps.is_empty() {
                line(4, format!("{system}: nothing"));
                continue;
            }
            line(4, format!("{system}:"));
            for step in steps {
                for (at, (key, value)) in step.head().into_iter().enumerate() {
                    line(6, format!("{}{key}: {}", if at == 0 { "- " } else { "  " }, scalar(&value)));
                }
                if !step.fields.is_empty() {
                    line(8, "fields:".to_owned());
                    let shown = |value: &Option<String>| value.as_deref().map_or_else(|| "null".to_owned(), scalar);
                    step.fields.iter().for_each(|(field, value)| line(10, format!("{field}: {}", shown(value))));
                }
            }
        }
        lines.join("\n")
    }
}

impl Step {
    fn head(&self) -> Vec<(&'static str, String)> {
        match &self.refused {
            Some(rejection) => refusal(rejection).into_iter().chain([("object", self.object.clone())]).collect(),
            None => vec![(self.operation, self.object.clone())],
        }
    }
}

fn refusal(rejection: &Rejection) -> Vec<(&'static str, String)> {
    let field = rejection.field.clone().map(|field| ("field", field));
    [("refused", rejection.code.clone())].into_iter().chain(field).collect()
}

/// Text as YAML reads it back: plain where that is beyond doubt.
fn scalar(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_alphanumeric() || " @._+/-".contains(c))
        && !text.eq_ignore_ascii_case("null");
    if is_plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
