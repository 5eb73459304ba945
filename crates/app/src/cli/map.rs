//! `syncline map`: what one event becomes in each CRM, field by field.
//!
//! Promises: decides with the very code that a run decides with; nobody is asked and nothing is stored. Ends with 65 if the event
//! is refused, and with 1 if a system that should take it could not. Leaves to others: the forms (`map_forms`).

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use syncline_core::event;
use syncline_core::outcome::Rejection;

use super::console::{Console, Failure, row, say};
use super::map_forms::{Form, Forms, Line, forms};
use super::records::shown;
use super::overrides::SetArgs;
use super::target::{CONFIG, read_config_without_secrets};
use crate::config::{self, Config};
use crate::control::Refusal;

pub(super) const EXAMPLES: &str = r#"Examples:
  syncline map --event '{"record":"contacts","operation":"create","timestamp":"2024-01-15T10:30:00Z","item":{"id":"A1","name":"Alice Smith","contact":"lead"}}'
  syncline generate --events 1 | syncline map
  syncline map -c syncline.yaml --event - --json < event.json"#;

/// The longest event that is read, in bytes.
const EVENT_BYTES_MAX: u64 = 1024 * 1024;

/// What is mapped by where no configuration is named: both CRMs with everything as it is by default.
const BUILT_IN: &str = "
systems:
  internal: { kind: stdin }
  salesforce: { kind: salesforce, url: https://example.my.salesforce.com, auth: { client_credentials: { id: unset, secret: '${UNSET}' } } }
  hubspot: { kind: hubspot, token: '${UNSET}' }
routing: default
";

/// `syncline map`.
#[derive(Debug, Clone, Args)]
pub(super) struct MapArgs {
    /// The configuration; without one, and without syncline.yaml here, the defaults for both CRMs
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    set: SetArgs,
    /// The event as JSON; - reads it from the standard input
    #[arg(long, default_value = "-", value_name = "JSON")]
    event: String,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// An event that was refused.
#[derive(Debug, Serialize)]
struct Refused {
    refused: Rejection,
}

pub(super) fn map(args: &MapArgs, console: &mut Console) -> Result<u8, Failure> {
    let config = configuration(args)?;
    let raw = event_bytes(&args.event)?;
    let source = config.systems.iter().find_map(|system| system.kind.source()).unwrap_or_default();
    match event::decode(raw.trim_ascii(), &config.schemas, &source) {
        Ok(change) => {
            let forms = forms(&config, &change);
            if args.json {
                console.json(&forms)?;
            } else {
                show(&forms, console)?;
            }
            Ok(u8::from(forms.systems.iter().any(|form| form.is_routed && form.refused.is_some())))
        }
        Err(invalid) => {
            let refused = Rejection::from(invalid);
            if args.json {
                console.json(&Refused { refused })?;
                return Ok(65);
            }
            let place = refused.field.map(|field| format!("{field}: ")).unwrap_or_default();
            Err(Failure::new(format!("the event is refused ({}): {place}{}", refused.code, refused.message), refused.remedy, 65))
        }
    }
}

fn configuration(args: &MapArgs) -> Result<Config, Failure> {
    let here = Path::new(CONFIG);
    if let Some(file) = args.config.as_deref().or_else(|| here.exists().then_some(here)) {
        return read_config_without_secrets(file, &args.set);
    }
    config::load_with(BUILT_IN, "the defaults", &|name| (name == "UNSET").then(|| "unset".to_owned()), &args.set.overrides())
        .map(|loaded| loaded.config)
        .map_err(|faults| Failure::Faults(Box::new(faults)))
}

fn event_bytes(event: &str) -> Result<Vec<u8>, Failure> {
    if event != "-" {
        return Ok(event.as_bytes().to_vec());
    }
    let mut raw = Vec::new();
    let cannot = |error: std::io::Error| Refusal::new("the standard input cannot be read", "give the event with --event JSON", 66).caused_by(&error);
    std::io::stdin().lock().take(EVENT_BYTES_MAX + 1).read_to_end(&mut raw).map_err(cannot)?;
    if raw.len() as u64 > EVENT_BYTES_MAX {
        return Err(Failure::new(format!("the standard input holds more than {EVENT_BYTES_MAX} bytes"), "give one event", 65));
    }
    Ok(raw)
}

fn show(forms: &Forms, console: &mut Console) -> Result<(), Failure> {
    let route = forms.routing.iter().map(|routed| format!(", {} {}", routed.field, routed.value.as_deref().unwrap_or("not said")));
    console.line(&format!("{} {}: {}{}", forms.record_type, forms.key, forms.operation, route.collect::<String>()))?;
    for form in &forms.systems {
        let head = match (&form.object, form.operation) {
            (Some(object), Some(operation)) => format!("{}: {operation} {object}", form.system),
            (_, _) => format!("{}: not here", form.system),
        };
        console.line(&format!("\n{head}"))?;
        console.line(&format!("  {}", form.why))?;
        show_lines(form, console)?;
        if let Some(refused) = &form.refused {
            let field = refused.field.as_ref().map(|field| format!(" at {field}")).unwrap_or_default();
            console.line(&format!("  refused{field} ({}): {}\n  remedy: {}", refused.code, refused.message, refused.remedy))?;
        }
    }
    if !forms.unmapped.is_empty() {
        console.line(&format!("\nmapped nowhere: {}", forms.unmapped.join(", ")))?;
    }
    if !forms.is_routed {
        console.flush()?;
        say("no route takes it: a run counts it as unrouted");
    }
    Ok(())
}

fn show_lines(form: &Form, console: &mut Console) -> Result<(), Failure> {
    if form.fields.is_empty() {
        return Ok(());
    }
    let mut rows = vec![row(["ours", "value", "codec", "theirs", "value", "authority"])];
    for line in &form.fields {
        rows.extend(cells(line));
    }
    console.table(2, &rows)?;
    for line in &form.fields {
        let Some(instead) = line.instead else { continue };
        let theirs: Vec<&str> = line.theirs.iter().map(|theirs| theirs.field.as_str()).collect();
        let why = match &line.instead_of {
            Some(why) => format!("on_invalid {}: {}", instead.name(), why.message),
            None => format!("default: {} is null", line.ours.first().map_or("it", |ours| ours.field.as_str())),
        };
        console.line(&format!("  in {}, {why}", theirs.join(", ")))?;
    }
    Ok(())
}

/// A row of the mapping: as many lines as the side with more fields has.
fn cells(line: &Line) -> Vec<Vec<String>> {
    let height = line.ours.len().max(line.theirs.len()).max(1);
    let cell = |index: usize| {
        let (ours, value) = line.ours.get(index).map_or_else(Default::default, |ours| (ours.field.clone(), shown(ours.value.as_ref())));
        let (theirs, external) = line.theirs.get(index).map_or_else(Default::default, |theirs| {
            let told = if line.is_left_alone { "(left alone)".to_owned() } else { theirs.value.clone().unwrap_or_else(|| "null".to_owned()) };
            (theirs.field.clone(), told)
        });
        let first = |text: &str| if index == 0 { text.to_owned() } else { String::new() };
        vec![ours, value, first(&line.codec), theirs, external, first(line.authority.unwrap_or_default())]
    };
    (0..height).map(cell).collect()
}
