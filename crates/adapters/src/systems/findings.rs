//! What is found when an account is held against what a configuration wants of it.
//!
//! Promises: each finding says how bad it is, where in the configuration it belongs, what was found and what to do about it, and holds
//! no value of a record and no secret. What would fail for every record of an object stops it; what would fail for some does not.
//! Leaves to others: reading an account's description (each system's `schema`), showing findings (`app`).

use std::collections::{BTreeMap, BTreeSet};

use syncline_core::plan::mapping::{Codec, Row};
use syncline_core::outcome::{Look, Misfit, Shape};
use syncline_core::schema::FieldType;
use syncline_engine::error::{Error, Kind, Result, policy};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Note,
    /// Some records may fail.
    Warning,
    /// Records will fail.
    Error,
    /// Every record would fail: nothing is sent.
    Stop,
}

impl Severity {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Stop => "stop",
        }
    }
}

/// Where in the configuration a finding belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// How the system is signed in to.
    SignIn,
    /// A setting of the system.
    Setting(&'static str),
    /// The key's field.
    Key,
    /// A mapping row.
    Row(String),
    /// A filler, by object and field.
    Filler(String, String),
    /// The use of an object as a whole.
    Object(String),
}

impl Spot {
    /// The path in the configuration of the system of that name; `sign_in` is the key of the way to sign in there.
    #[must_use]
    pub fn path(&self, system: &str, sign_in: &str) -> String {
        match self {
            Self::SignIn => format!("systems.{system}.{sign_in}"),
            Self::Setting(key) => format!("systems.{system}.{key}"),
            Self::Key => format!("boundaries.{system}.match.external_id"),
            Self::Row(row) => format!("boundaries.{system}.fields.{row}"),
            Self::Filler(object, field) => format!("boundaries.{system}.fillers.{object}.{field}"),
            Self::Object(object) => format!("boundaries.{system}.object ({object})"),
        }
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Where it belongs.
    pub spot: Spot,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub remedy: String,
    /// The exit code that it is worth.
    pub exit: u8,
}

impl Finding {
    /// A finding about the account's set-up.
    #[must_use]
    pub fn new(severity: Severity, spot: Spot, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { severity, spot, found: found.into(), remedy: remedy.into(), exit: policy(Kind::BoundaryRefused).exit }
    }
}

/// What was found of an object, as a lane takes it; notes are for people alone.
#[must_use]
pub fn look(findings: Vec<Finding>, shapes: BTreeMap<String, Shape>) -> Look {
    let misfits = findings.into_iter().filter(|finding| finding.severity > Severity::Note).map(|finding| Misfit {
        stops: finding.severity == Severity::Stop,
        found: finding.found,
        remedy: finding.remedy,
    });
    Look { misfits: misfits.collect(), shapes }
}

/// An object that cannot be looked at because it is not there, or is hidden from us.
///
/// # Errors
/// What has other reasons.
pub fn absent(error: Error) -> Result<Look> {
    if error.kind != Kind::BoundaryRefused {
        return Err(error);
    }
    let misfit = Misfit { stops: true, found: error.to_string(), remedy: error.remedy().to_owned() };
    Ok(Look { misfits: vec![misfit], shapes: BTreeMap::new() })
}

/// Refuses an account in which every record of every object would fail.
///
/// # Errors
/// `BoundaryRefused` with everything that stops the objects.
pub fn admit(vendor: &str, looks: &BTreeMap<String, Look>) -> Result<()> {
    let stops = |look: &Look| look.misfits.iter().filter(|misfit| misfit.stops).cloned().collect::<Vec<_>>();
    let by_object: Vec<(&String, Vec<Misfit>)> = looks.iter().map(|(object, look)| (object, stops(look))).collect();
    if by_object.is_empty() || by_object.iter().any(|(_, stops)| stops.is_empty()) {
        return Ok(());
    }
    let join = |stops: &[Misfit], text: fn(&Misfit) -> &str| stops.iter().map(text).collect::<Vec<_>>().join("; ");
    let found = by_object.iter().map(|(object, stops)| format!("looking at {vendor}'s {object}: {}", join(stops, |misfit| &misfit.found)));
    let remedies = by_object.iter().map(|(_, stops)| join(stops, |misfit| &misfit.remedy));
    let remedies = remedies.collect::<Vec<_>>().join("; ");
    Err(Error::new(Kind::BoundaryRefused, found.collect::<Vec<_>>().join("; ")).with_remedy(remedies))
}

/// What is wanted of one of their fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Who wants it.
    pub spot: Spot,
    /// What will be written.
    pub form: Form,
    /// The longest value that we would send.
    pub length: Option<usize>,
    /// The only values that we would send; empty if they are not known beforehand.
    pub values: BTreeSet<String>,
}

/// What a value looks like on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Any text.
    Text,
    /// A decimal number.
    Number,
    /// True or false.
    Bool,
    /// A day.
    Date,
    /// A moment.
    DateTime,
}

impl Form {
    /// Its name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "a number",
            Self::Bool => "true or false",
            Self::Date => "a day",
            Self::DateTime => "a moment",
        }
    }
}

/// What a row wants of each of its fields.
#[must_use]
pub fn wanted_by(row: &Row) -> Want {
    let reshaped = matches!(row.codec, Codec::SplitName | Codec::JoinName | Codec::Picklist(_));
    let form = match &row.field_type {
        _ if reshaped => Form::Text,
        FieldType::Text | FieldType::Email | FieldType::Phone | FieldType::Choice(_) => Form::Text,
        FieldType::Number => Form::Number,
        FieldType::Bool => Form::Bool,
        FieldType::Date => Form::Date,
        FieldType::DateTime => Form::DateTime,
    };
    let values = if let Codec::Picklist(list) = &row.codec {
        list.pairs().map(|(_, theirs)| theirs.to_owned()).collect()
    } else if let (FieldType::Choice(values), Codec::Same) = (&row.field_type, &row.codec) {
        values.iter().cloned().collect()
    } else {
        BTreeSet::new()
    };
    Want { spot: Spot::Row(row.name.clone()), form, length: None, values }
}

/// A field as the account describes it.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// What it takes; None for what we do not know.
    pub form: Option<Form>,
    /// The longest value.
    pub length: Option<usize>,
    /// The only values that it takes, if it is so restricted.
    pub values: Option<BTreeSet<String>>,
}

impl Live {
    /// What of it may narrow.
    #[must_use]
    pub fn shape(&self) -> Shape {
        Shape { length: self.length, is_listed: self.values.is_some() }
    }
}

/// Holds the fields that are there against what is wanted of them.
#[must_use]
pub fn misfits(object: &str, wants: &BTreeMap<String, Want>, live: impl Fn(&str) -> Option<Live>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, want) in wants {
        let Some(live) = live(name) else { continue };
        if let Some(form) = live.form.filter(|form| *form != Form::Text && *form != want.form) {
            let text = format!("{object}.{name} takes {} and the mapping writes {}", form.name(), want.form.name());
            let remedy = format!("map {object}.{name} from a field of that type, or name another field");
            found.push(Finding::new(Severity::Stop, want.spot.clone(), text, remedy));
        }
        if let (Some(longest), Some(ours)) = (live.length, want.length)
            && longest < ours
        {
            let text = format!("{object}.{name} takes {longest} characters and we would send up to {ours}");
            found.push(Finding::new(Severity::Warning, want.spot.clone(), text, format!("widen {object}.{name} to {ours} characters")));
        }
        if let Some(values) = &live.values {
            let lacking: Vec<&str> = want.values.difference(values).map(String::as_str).collect();
            if !lacking.is_empty() {
                let text = format!("{object}.{name} does not list {}", lacking.join(", "));
                let remedy = format!("add {} to {object}.{name}, or map to values that it lists", lacking.join(", "));
                found.push(Finding::new(Severity::Error, want.spot.clone(), text, remedy));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use syncline_core::boundary::RecordAuthority;

    use super::*;

    #[test]
    fn types_lengths_and_lists_are_held_against_the_mapping() {
        let row = |codec, field_type| wanted_by(&Row::new("x", vec!["x".into()], vec!["X".into()], codec, RecordAuthority::SystemA, field_type).unwrap());
        let choice = row(Codec::Same, FieldType::Choice(vec!["new".into(), "old".into()]));
        let wants = BTreeMap::from([
            ("Age".to_owned(), row(Codec::Same, FieldType::Text)),
            ("Kind".to_owned(), choice),
            ("Name".to_owned(), Want { length: Some(80), ..row(Codec::Same, FieldType::Text) }),
            ("Since".to_owned(), row(Codec::Same, FieldType::Date)),
            ("Unseen".to_owned(), row(Codec::Same, FieldType::Bool)),
        ]);
        let live = |name: &str| match name {
            "Age" => Some(Live { form: Some(Form::Number), ..Live::default() }),
            "Kind" => Some(Live { form: Some(Form::Text), values: Some(["new".to_owned()].into()), ..Live::default() }),
            "Name" => Some(Live { form: Some(Form::Text), length: Some(40), ..Live::default() }),
            "Since" => Some(Live { form: Some(Form::Date), ..Live::default() }),
            _ => None,
        };
        let found: Vec<_> = misfits("Lead", &wants, live).into_iter().map(|one| format!("{} {}: {}", one.severity.name(), one.spot.path("crm", "auth"), one.found)).collect();
        assert_eq!(found, [
            "stop boundaries.crm.fields.x: Lead.Age takes a number and the mapping writes text",
            "error boundaries.crm.fields.x: Lead.Kind does not list old",
            "warning boundaries.crm.fields.x: Lead.Name takes 40 characters and we would send up to 80",
        ]);
    }
}
