//! What one event becomes in each system, as data.
//!
//! Promises: the form is made by the code that a lane makes it with; of a system that does not take the event it says why.
//! Leaves to others: showing it (`map`).

use serde::Serialize;
use syncline_core::boundary::RecordAuthority;
use syncline_core::event::{Change as Event, ChangeKind};
use syncline_core::outcome::{ExternalFields, Rejection};
use syncline_core::patch::Change;
use syncline_core::plan::mapping::{Codec, Instead, Projected, Row, encode_record, project};
use syncline_core::record::{Fields, Value};
use syncline_core::terms::Terms;

use crate::config::{Config, SystemConfig};

/// What the event becomes.
#[derive(Debug, Serialize)]
pub(super) struct Forms {
    pub(super) record_type: String,
    pub(super) key: String,
    pub(super) operation: &'static str,
    /// The routing field and what the event says of it.
    pub(super) routing: Option<Routed>,
    /// Whether any system takes it, as far as the event alone can tell.
    pub(super) is_routed: bool,
    pub(super) systems: Vec<Form>,
    /// Fields of the event that no system maps.
    pub(super) unmapped: Vec<String>,
}

/// The routing field.
#[derive(Debug, Serialize)]
pub(super) struct Routed {
    pub(super) field: String,
    pub(super) value: Option<String>,
}

/// What it becomes in one system.
#[derive(Debug, Serialize)]
pub(super) struct Form {
    pub(super) system: String,
    /// Whether the routes name the system for it.
    pub(super) is_routed: bool,
    /// Why it goes there or not.
    pub(super) why: String,
    pub(super) object: Option<String>,
    pub(super) operation: Option<&'static str>,
    pub(super) fields: Vec<Line>,
    /// Their form as it is sent; None if it is refused.
    pub(super) form: Option<ExternalFields>,
    pub(super) refused: Option<Rejection>,
}

/// One row of the mapping.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) ours: Vec<OurField>,
    /// The codec, `key` or `filler`.
    pub(super) codec: String,
    pub(super) theirs: Vec<TheirField>,
    pub(super) authority: Option<&'static str>,
    /// Whether this write leaves it out.
    pub(super) is_left_alone: bool,
    /// What was put in place of the record's value, if anything was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) instead: Option<Instead>,
    /// Why, where the value did not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) instead_of: Option<Rejection>,
}

/// A field of ours.
#[derive(Debug, Serialize)]
pub(super) struct OurField {
    pub(super) field: String,
    pub(super) value: Option<Value>,
}

/// A field of theirs.
#[derive(Debug, Serialize)]
pub(super) struct TheirField {
    pub(super) field: String,
    pub(super) value: Option<String>,
}

/// What an event becomes in every system that is written to.
pub(super) fn forms(config: &Config, event: &Event) -> Forms {
    let schema = config.schemas.get(&event.record_type);
    let field = schema.and_then(|schema| schema.routing_field.clone());
    let said = |field: &String| match event.patch.0.get(field) {
        Some(Change::Set(value)) => value.as_text().map(str::to_owned),
        Some(Change::Clear) | None => None,
    };
    let value = field.as_ref().map_or(Some(String::new()), said);
    let route = Route { field, value };
    let mut systems = Vec::new();
    for system in &config.systems {
        let Some(agreed) = system.kind.agreed() else { continue };
        match agreed.terms.get(&event.record_type) {
            Some(terms) => systems.extend(of_system(config, system, terms, event, &route)),
            None => systems.push(not_here(system, format!("nothing is agreed with it about {}", event.record_type))),
        }
    }
    let mapped = |name: &&String| {
        let all = config.systems.iter().filter_map(|system| system.kind.agreed()?.terms.get(&event.record_type));
        all.flat_map(|terms| &terms.rows).any(|row| row.ours.contains(*name))
    };
    Forms {
        record_type: event.record_type.clone(),
        key: event.key.clone(),
        operation: event.operation.name(),
        is_routed: systems.iter().any(|form| form.is_routed || form.operation.is_some()),
        unmapped: event.patch.0.keys().filter(|name| !mapped(name)).cloned().collect(),
        routing: route.field.map(|field| Routed { field, value: route.value }),
        systems,
    }
}

/// What the event says of its way.
struct Route {
    /// The routing field, if the record type has one.
    field: Option<String>,
    /// Its value; None if the event does not say.
    value: Option<String>,
}

fn not_here(system: &SystemConfig, why: String) -> Form {
    Form { system: system.name.clone(), is_routed: false, why, object: None, operation: None, fields: Vec::new(), form: None, refused: None }
}

fn of_system(config: &Config, system: &SystemConfig, terms: &Terms, event: &Event, route: &Route) -> Vec<Form> {
    let field = route.field.as_deref().unwrap_or("the routing field");
    if event.operation == ChangeKind::Delete {
        let why = "deleted by their id wherever the record is, whatever its route".to_owned();
        return vec![Form { operation: Some("delete"), object: Some(objects(terms).join(" or ")), ..not_here(system, why) }];
    }
    match (&route.value, event.operation) {
        (Some(value), operation) => {
            let systems = config.routing.get(&event.record_type).map_or(&[][..], |routing| routing.systems_for(value));
            let object = terms.objects.get(value).filter(|_| systems.contains(&system.name));
            let Some(object) = object else {
                let of = if value.is_empty() { String::new() } else { format!(" for {field} {value}") };
                return vec![not_here(system, format!("no route names it{of}"))];
            };
            let why = match operation {
                ChangeKind::Update => "if the record is there; else a create of all its fields, with key and fillers",
                ChangeKind::Create | ChangeKind::Delete => "if the record is not there; else an update, without key and fillers",
            };
            vec![form(system, terms, event, object, true, why)]
        }
        (None, ChangeKind::Update) => {
            let why = format!("if the record is there: the event does not say its {field}, and its route stays");
            objects(terms).into_iter().map(|object| form(system, terms, event, object, false, &why)).collect()
        }
        (None, ChangeKind::Create | ChangeKind::Delete) => vec![not_here(system, format!("the event has no {field}, and no route takes it"))],
    }
}

fn objects(terms: &Terms) -> Vec<&str> {
    let mut objects: Vec<_> = terms.objects.values().map(String::as_str).collect();
    objects.sort_unstable();
    objects.dedup();
    objects
}

fn form(system: &SystemConfig, terms: &Terms, event: &Event, object: &str, is_routed: bool, why: &str) -> Form {
    let creates = event.operation == ChangeKind::Create;
    let mut fields = Fields::new();
    event.patch.apply_to(&mut fields);
    // What an update leaves of a computed row depends on the whole record, which the event does not tell.
    let is_named = |row: &&Row| creates || row.ours.iter().any(|field| event.patch.0.contains_key(field));
    let is_written = |row: &Row| creates || is_ours(row);
    let named = Terms { rows: terms.rows.iter().filter(is_named).cloned().collect(), ..terms.clone() };
    let (projected, mut refused) = match project(&named, object, &event.key, &fields) {
        Ok(projected) => (projected, None),
        Err(refused) => (Projected::default(), Some(refused)),
    };
    let mut written = projected.values.clone();
    written.retain(|name, _| named.rows.iter().any(|row| row.name == *name && is_written(row)));
    let form = if refused.is_some() { None } else { encode_record(&named, object, &event.key, &written, creates).map_err(|found| refused = Some(found)).ok() };
    let mut lines: Vec<Line> = Vec::new();
    lines.extend(creates.then(|| key_line(terms, event)));
    lines.extend(named.rows.iter().map(|row| line(row, &fields, &projected, is_written(row))));
    if creates {
        lines.extend(fillers(terms, object, form.as_ref()));
    }
    Form {
        system: system.name.clone(),
        is_routed,
        why: why.to_owned(),
        object: Some(object.to_owned()),
        operation: Some(if creates { "create" } else { "update" }),
        fields: lines,
        form,
        refused,
    }
}

/// Whether an update writes the row.
const fn is_ours(row: &Row) -> bool {
    match row.authority {
        RecordAuthority::SystemA | RecordAuthority::Shared => true,
        RecordAuthority::SystemB | RecordAuthority::Manual => false,
    }
}

fn key_line(terms: &Terms, event: &Event) -> Line {
    Line {
        ours: vec![OurField { field: "(key)".to_owned(), value: Some(Value::text(event.key.clone())) }],
        codec: "key".to_owned(),
        theirs: vec![TheirField { field: terms.key_field.clone(), value: Some(event.key.clone()) }],
        authority: None,
        is_left_alone: false,
        instead: None,
        instead_of: None,
    }
}

fn line(row: &Row, fields: &Fields, projected: &Projected, is_written: bool) -> Line {
    let value = projected.values.get(&row.name);
    let mut external = ExternalFields::new();
    if let Some(value) = value {
        // A value that the codec refuses has no form; the refusal is told for the whole record.
        let _ = row.encode(value, &mut external);
    }
    let theirs = row.theirs.iter().map(|field| TheirField { field: field.clone(), value: external.get(field).cloned().flatten() });
    let ours = |field: &String| OurField { field: field.clone(), value: fields.get(field).cloned() };
    let computed = row.compute.iter().map(|_| OurField { field: "(computed)".to_owned(), value: value.cloned().flatten() });
    let substitution = projected.substitutions.iter().find(|substitution| substitution.row == row.name);
    Line {
        ours: row.ours.iter().map(ours).chain(computed).collect(),
        codec: codec(&row.codec),
        theirs: theirs.collect(),
        authority: Some(row.authority.name()),
        is_left_alone: !is_written || substitution.is_some_and(|substitution| substitution.instead == Instead::Keep),
        instead: substitution.map(|substitution| substitution.instead),
        instead_of: substitution.and_then(|substitution| substitution.why.clone()),
    }
}

fn fillers(terms: &Terms, object: &str, form: Option<&ExternalFields>) -> Vec<Line> {
    let is_needed = |field: &str, filler: &str| form.is_none_or(|form| form.get(field).and_then(Option::as_deref) == Some(filler));
    let fillers = terms.fillers.get(object).into_iter().flatten().filter(|(field, filler)| is_needed(field, filler));
    let line = |(field, filler): &(String, String)| Line {
        ours: Vec::new(),
        codec: "filler".to_owned(),
        theirs: vec![TheirField { field: field.clone(), value: Some(filler.clone()) }],
        authority: None,
        is_left_alone: false,
        instead: None,
        instead_of: None,
    };
    fillers.map(line).collect()
}

fn codec(codec: &Codec) -> String {
    match codec {
        Codec::Chain(links) => links.iter().map(Codec::name).collect::<Vec<_>>().join(" > "),
        Codec::Same
        | Codec::Lower
        | Codec::Upper
        | Codec::Trim
        | Codec::Phone { .. }
        | Codec::Picklist(_)
        | Codec::Date(_)
        | Codec::DateTime(_)
        | Codec::Number { .. }
        | Codec::Bool(_)
        | Codec::SplitName
        | Codec::JoinName => codec.name().to_owned(),
    }
}
