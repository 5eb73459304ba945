//! The schema and the reader agree: on every case, and on every probe of every key.

use jsonschema::Validator;
use serde_json::{Value as Json, json};
use syncline_engine::codes::Code;

use super::raw::{Node, Value};
use super::tests::{cases, env, reference, with_client_id};
use super::{Fault, Loaded, Overrides, json_schema, layers, load_with, raw};

fn validator() -> Validator {
    jsonschema::draft202012::new(&json_schema()).unwrap()
}

/// A tree as an editor's YAML reader would have it.
fn typed(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Scalar(text) => match serde_json::from_str::<Json>(text) {
            Ok(value @ (Json::Bool(_) | Json::Number(_))) => value,
            Ok(_) | Err(_) => json!(text),
        },
        Value::Seq(nodes) => nodes.iter().map(typed).collect(),
        Value::Map(entries) => Json::Object(entries.iter().map(|entry| (entry.key.clone(), typed(&entry.node))).collect()),
    }
}

/// What the schema says is wrong.
fn complaints(validator: &Validator, text: &str, overrides: &Overrides) -> Vec<String> {
    let mut root = raw::parse(text).unwrap();
    layers::lay(&mut root, overrides, &|_| None);
    validator.iter_errors(&typed(&root)).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Whether a fault is one of form, which a schema can tell.
fn is_of_form(fault: &Fault) -> bool {
    let forms = ["must be a map", "must be a whole", "must be true", "must be a time above", "must be a share", "must be a number,"];
    // What a variable holds no schema can tell, nor whether a record type has a routing field.
    if fault.message.contains("${") || (fault.path.starts_with("record_types.") && fault.path.ends_with(".routing")) {
        return false;
    }
    if fault.code == Code::MissingKey {
        // Which of several keys must be there is told by the reader alone.
        return !["authority", "client_credentials", "token", "object", "fields"].iter().any(|key| fault.path.ends_with(&format!(".{key}")));
    }
    fault.code == Code::UnknownKey || (fault.code == Code::WrongForm && forms.iter().any(|form| fault.message.starts_with(form)))
}

#[test]
fn every_good_case_and_the_reference_are_valid() {
    let validator = validator();
    for (name, text) in cases("good").into_iter().chain(cases("mended")).chain([("the reference".to_owned(), reference())]) {
        let complaints = complaints(&validator, &text, &Overrides::default());
        assert!(complaints.is_empty(), "{name}: {}", complaints.join("\n"));
    }
}

#[test]
fn broken_cases_with_faults_of_form_are_invalid() {
    let validator = validator();
    let (mut told, mut silent) = (0, Vec::new());
    for (name, text) in cases("broken") {
        let faults = load_with(&text, "a.yaml", &env, &Overrides::default()).err().unwrap();
        if raw::parse(&text).is_err() || !faults.all().iter().any(is_of_form) {
            continue;
        }
        told += 1;
        if complaints(&validator, &text, &Overrides::default()).is_empty() {
            silent.push(format!("{name}: {faults}"));
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
    assert!(told >= 15, "{told}");
}

/// What is put in place of every value.
const PROBES: [&str; 9] = ["zzz", "-1", "0", "1.5", "1000000000000", "true", "[zzz]", "{ zzz: 1 }", "0s"];

fn read(text: &str, flags: Vec<(String, String)>) -> (Overrides, Result<Loaded, super::Faults>) {
    let overrides = Overrides { variables: Vec::new(), flags };
    let loaded = load_with(text, "a.yaml", &with_client_id, &overrides);
    (overrides, loaded)
}

#[test]
fn the_reader_and_the_schema_agree_on_every_probe_of_every_key() {
    let validator = validator();
    let good = cases("good");
    let more = "\napi: { listen: \"127.0.0.1:0\", behind_proxy: false, limits: { body: 4096, idle: 5s, rate: 3, queue: 9 } }\n";
    let texts = [reference() + more, good["mapping_rules"].clone(), good["record_types"].clone()];
    let (mut probes, mut refused) = (0, 0);
    for text in &texts {
        let (_, loaded) = read(text, Vec::new());
        let mut paths: Vec<String> = loaded.unwrap().written.values().into_iter().map(|value| value.path).collect();
        let parents: Vec<String> = paths.iter().filter_map(|path| Some(path.rsplit_once('.')?.0.to_owned())).collect();
        paths.extend(parents.iter().map(|parent| format!("{parent}.zzz")));
        paths.extend(parents);
        paths.sort();
        paths.dedup();
        for (path, probe) in paths.iter().flat_map(|path| PROBES.map(|probe| (path, probe))) {
            let (overrides, loaded) = read(text, vec![(path.clone(), probe.to_owned())]);
            let complaints = complaints(&validator, text, &overrides);
            probes += 1;
            match loaded {
                Ok(_) => assert!(complaints.is_empty(), "{path} = {probe} is read, and the schema says: {}", complaints.join("\n")),
                Err(faults) => {
                    refused += 1;
                    let is_told = !faults.all().iter().any(is_of_form) || !complaints.is_empty();
                    assert!(is_told, "{path} = {probe}: the schema is silent, and the reader says: {faults}");
                }
            }
        }
    }
    assert!(probes > 1000 && refused > 500, "{probes} {refused}");
}

/// Systems with nothing but what must be named, and an entry for each section that is walked by names.
const SHORT: &str = "
systems:
  internal: { kind: generator }
  salesforce: { kind: salesforce, url: https://acme.my.salesforce.com, auth: { client_credentials: { id: app, secret: \"${SF_SECRET}\" } } }
  hubspot: { kind: hubspot, token: \"${HUBSPOT_TOKEN}\" }
boundaries: { hubspot: {} }
api: {}
";

#[test]
fn every_default_of_the_table_is_the_one_that_is_built_in() {
    let (_, plain) = read(SHORT, Vec::new());
    let plain = plain.unwrap();
    let defaults = plain.written.defaults();
    for path in ["store", "log", "routing", "systems.hubspot.timeout", "dispatch.retry.max", "boundaries.hubspot.on_gone", "api.limits.queue", "intake.remember_ids"] {
        assert!(defaults.iter().any(|(known, _)| known == path), "{path}: {defaults:?}");
    }
    assert!(defaults.len() > 40, "{}", defaults.len());
    let flags = defaults.iter().map(|(path, default)| (path.clone(), (*default).to_owned())).collect();
    let (_, told) = read(SHORT, flags);
    let (told, plain) = (format!("{:#?}", told.unwrap().config), format!("{:#?}", plain.config));
    let differs: Vec<_> = told.lines().zip(plain.lines()).filter(|(told, plain)| told != plain).collect();
    assert!(differs.is_empty() && told.len() == plain.len(), "{differs:?}");
}
