//! Every case below `cases` against its golden answer, and the promises that no single case shows.

use std::collections::BTreeMap;
use std::path::Path;

use syncline_core::ids::SystemId;

use super::{Config, Faults, Kind, Place, load, process_env};

const CANARY: &str = "canary";

pub(super) fn env(name: &str) -> Option<String> {
    let value = match name {
        "SF_SECRET" => "canary-salesforce",
        "SF_REFRESH" => "canary-refresh",
        "SF_KEY" => include_str!("test_key.pem"),
        "HUBSPOT_TOKEN" => "canary-hubspot",
        "SF_ID" => "app-of-the-environment",
        "SF_STATUS" => "Open - Not Contacted",
        "HOME_DIR" => "/home/sync",
        "EMPTY" => " ",
        "WITH_SPACE" => "canary with space",
        _ => return None,
    };
    Some(value.to_owned())
}

pub(super) fn cases(folder: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/config/cases").join(folder);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    files.map(named).collect()
}

fn faults_of(text: &str) -> Faults {
    load(text, "syncline.yaml", &env).unwrap_err()
}

fn config_of(text: &str) -> Config {
    load(text, "syncline.yaml", &env).unwrap()
}

#[test]
fn broken_configurations_are_told_whole() {
    let cases = cases("broken");
    assert!(cases.len() >= 25);
    for (name, text) in cases {
        let told = faults_of(&text).to_string();
        insta::assert_snapshot!(format!("broken_{name}"), told);
        assert!(!told.contains(CANARY), "{name}: {told}");
    }
}

#[test]
fn good_configurations_are_read() {
    let cases = cases("good");
    assert!(cases.len() >= 30);
    for (name, text) in cases {
        let config = config_of(&text);
        let shown = format!("{}\n\n{config:#?}", config.describe());
        assert!(!shown.contains(CANARY), "{name}: {shown}");
        insta::assert_snapshot!(format!("good_{name}"), shown);
    }
}

/// What a remedy says is enough: each broken case has a twin in which every fault's remedy was followed.
#[test]
fn the_remedies_work() {
    let mended = cases("mended");
    let (broken, twins): (Vec<_>, Vec<_>) = (cases("broken").into_keys().collect(), mended.keys().cloned().collect());
    assert_eq!(broken, twins, "a broken case without its mended twin, or the other way round");
    let still: Vec<_> = mended.iter().filter_map(|(name, text)| Some(format!("{name}: {}", load(text, name, &env).err()?))).collect();
    assert!(still.is_empty(), "{}", still.join("\n"));
    assert!(mended.len() >= 30);
}

/// Systems with nothing but what must be named, as `default.yaml` names them.
const SHORTEST: &str = "
systems:
  internal: { kind: generator }
  salesforce: { kind: salesforce, url: https://acme.my.salesforce.com, auth: { client_credentials: { id: app, secret: ${SF_SECRET} } } }
  hubspot: { kind: hubspot, token: ${HUBSPOT_TOKEN} }
";

pub(super) fn reference() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/default.yaml")).unwrap()
}

pub(super) fn with_client_id(name: &str) -> Option<String> {
    if name == "SF_CLIENT_ID" { Some("app".to_owned()) } else { env(name) }
}

#[test]
fn the_reference_names_every_default_as_it_is_built_in() {
    let named = load(&reference(), "default.yaml", &with_client_id).unwrap();
    assert_eq!(format!("{named:#?}"), format!("{:#?}", config_of(SHORTEST)));
}

#[test]
fn the_feeds_of_the_reference_are_read_once_they_are_uncommented() {
    let reference = reference();
    let lines = reference.lines().skip_while(|line| !line.starts_with("  # orders:")).take_while(|line| !line.starts_with("  salesforce:"));
    let feeds: Vec<String> = lines.map(|line| line.replacen("  # ", "  ", 1)).collect();
    let same_order = |text: String| text.replace("order_by: position", "order_by: timestamp");
    let given = config_of(&format!("systems:\n{}\nrouting: {{}}", same_order(feeds.join("\n"))));
    let short = "systems:\n  orders: { kind: file, path: events.jsonl, order_by: timestamp }\n  piped: { kind: stdin, order_by: timestamp }\n  app: { kind: http, order_by: timestamp }\n\
                 routing: {}";
    assert_eq!(format!("{given:#?}"), format!("{:#?}", config_of(short)));
    for kind in ["file, path: events.jsonl", "stdin", "http"] {
        let with = |order: &str| config_of(&format!("systems: {{ a: {{ kind: {kind}{order} }} }}\nrouting: {{}}"));
        let [default, position] = ["", ", order_by: position"].map(with);
        assert_eq!(format!("{default:?}"), format!("{position:?}"));
    }
}

#[test]
fn the_api_of_the_reference_is_the_one_that_is_built_in() {
    let reference = reference();
    let lines = reference.lines().skip_while(|line| *line != "# api:").map(|line| line.trim_start_matches("# "));
    let text: String = lines.map(|line| format!("{}\n", line.trim_start_matches('#'))).collect();
    let given = config_of(&format!("{SHORTEST}\n{text}")).api.expect("an api");
    let mut built_in = super::ApiConfig { tls: given.tls.clone(), tokens: given.tokens.clone(), ..super::ApiConfig::default() };
    built_in.limits.rate = given.limits.rate;
    built_in.limits.connections_per_address = given.limits.connections_per_address;
    assert_eq!(given, built_in);
}

#[test]
fn the_reference_names_every_key() {
    let reference = reference();
    let lists = [
        load("zzzzzzzzz: 1", "a", &env).unwrap_err(),
        faults_of("systems: { a: { kind: generator, zzzzzzzzz: 1 }, b: { kind: file, zzzzzzzzz: 1 }, c: { kind: stdin, zzzzzzzzz: 1 } }"),
        faults_of("systems: { d: { kind: salesforce, zzzzzzzzz: 1, quota: { zzzzzzzzz: 1 } } }"),
        faults_of("systems: { j: { kind: salesforce, auth: { jwt_bearer: { zzzzzzzzz: 1 } } }, r: { kind: salesforce, auth: { refresh_token: { zzzzzzzzz: 1 } } } }"),
        faults_of("systems: { o: { kind: hubspot, oauth: { zzzzzzzzz: 1 } } }"),
        faults_of("systems: { e: { kind: hubspot, zzzzzzzzz: 1, quota: { zzzzzzzzz: 1 } } }"),
        faults_of(&format!("{SHORTEST}\nboundaries: {{ hubspot: {{ zzzzzzzzz: 1, fields: {{ name: {{ zzzzzzzzz: 1 }} }} }} }}")),
        faults_of("record_types: { a: { zzzzzzzzz: 1 } }\nintake: { zzzzzzzzz: 1 }"),
        faults_of("api: { zzzzzzzzz: 1, tls: { zzzzzzzzz: 1 }, tokens: [{ zzzzzzzzz: 1 }], limits: { zzzzzzzzz: 1 } }"),
        faults_of("dispatch: { zzzzzzzzz: 1, retry: { zzzzzzzzz: 1 }, fuse: { zzzzzzzzz: 1 } }"),
    ];
    let faults = lists.iter().flat_map(|faults| faults.all()).filter(|fault| fault.path.ends_with("zzzzzzzzz"));
    let named = |fault: &super::Fault| fault.remedy.trim_start_matches("there are ").split(", ").map(str::to_owned).collect::<Vec<_>>();
    let mut keys: Vec<String> = faults.flat_map(named).collect();
    assert!(keys.len() > 60, "{keys:?}");
    keys.retain(|key| !reference.contains(&format!("{key}:")) && !["tenants", "from", "region"].contains(&key.as_str()));
    assert_eq!(keys, Vec::<String>::new());
}

#[test]
fn systems_and_objects_become_places_once_they_have_numbers() {
    let config = config_of(SHORTEST);
    let number = |name: &str| SystemId(config.systems.iter().position(|system| system.name == name).unwrap() as i64);
    let routes = &config.routes(&number)["contacts"];
    assert_eq!(routes.routing_field.as_deref(), Some("contact"));
    assert_eq!(routes.places["lead"], [(SystemId(1), "Lead".to_owned())]);
    assert_eq!(routes.places["employee"], [(SystemId(1), "Contact".to_owned())]);
    assert_eq!(routes.places["vendor"], [(SystemId(2), "contacts".to_owned())]);
    let config = config_of(&cases("good")["record_types"]);
    let routes = config.routes(&|_| SystemId(7));
    assert_eq!(routes["notes"].places[""], [(SystemId(7), "notes".to_owned())]);
    assert_eq!(routes["companies"].routing_field.as_deref(), Some("size"));
}

#[test]
fn the_environment_wins_over_the_file_and_our_prefix_over_the_plain_name() {
    let text = "log: warn\nsystems: { internal: { kind: generator, batch_size: 3 } }\nrouting: {}";
    let told = |name: &str| {
        let value = match name {
            "EVENTS_PER_SECOND" => "100",
            "BATCH_SIZE" => "7",
            "SYNCLINE_BATCH_SIZE" => "8",
            "ENABLE_ASYNC" => "False",
            "LOG_LEVEL" => "WARNING",
            "SYNCLINE_LOG_LEVEL" => "",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let config = load(text, "a.yaml", &told).unwrap();
    let Kind::Generator(generator) = &config.system("internal").unwrap().kind else { panic!() };
    assert_eq!((generator.settings.events_per_second, generator.settings.batch_size), (100.0, 8));
    assert!(!generator.settings.enable_async);
    assert_eq!(config.log, "warn");
    let faults = load(text, "a.yaml", &|name| (name == "SYNCLINE_BATCH_SIZE" || name == "LOG_LEVEL").then(|| "0".to_owned())).unwrap_err();
    insta::assert_snapshot!("broken_environment", faults);
    assert_eq!(faults.all().iter().map(|fault| fault.place.clone()).collect::<Vec<_>>(), [
        Place::Environment("LOG_LEVEL".to_owned()),
        Place::Environment("SYNCLINE_BATCH_SIZE".to_owned()),
    ]);
}

#[test]
fn a_secret_may_stand_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "canary-of-a-file\n").unwrap();
    let text = format!("systems: {{ hubspot: {{ kind: hubspot, token: \"file:{}\" }} }}\nrouting: hubspot_only", path.display());
    let config = config_of(&text);
    let Kind::HubSpot(hubspot) = &config.system("hubspot").unwrap().kind else { panic!() };
    let syncline_adapters::systems::hubspot::config::SignIn::Token(token) = &hubspot.settings.sign_in else { panic!() };
    assert_eq!(secrecy::ExposeSecret::expose_secret(token), "canary-of-a-file");
    assert!(!format!("{config:?}{}", config.describe()).contains(CANARY));
}

#[test]
fn no_text_stops_the_reading_or_brings_a_secret_to_light() {
    let plain = SHORTEST.replace("${SF_SECRET}", "canary-one").replace("${HUBSPOT_TOKEN}", "'canary-two: {'");
    for text in [plain, cases("broken")["boundaries"].clone(), cases("good")["a_boundary_of_its_own"].clone()] {
        let step = if text.contains(CANARY) { 1 } else { 7 };
        for (at, _) in text.char_indices().step_by(step) {
            for text in [text[..at].to_owned(), text[at..].to_owned(), format!("{}{}", &text[..at], &text[(at + 1).min(text.len())..])] {
                if let Err(faults) = load(&text, "syncline.yaml", &env) {
                    let told = format!("{faults}{faults:?}");
                    assert!(!told.contains(CANARY), "{text}\n{told}");
                    assert!(!faults.all().is_empty());
                }
            }
        }
    }
}

#[test]
fn places_count_characters_and_tabs_keep_the_mark_in_its_column() {
    let faults = faults_of("systems: { grün: { kind: generator, \"é\":\t\t1, naïve: 2 } }");
    let columns: Vec<_> = faults.all().iter().filter(|fault| fault.path.starts_with("systems.grün")).collect();
    let columns: Vec<_> = columns.iter().map(|fault| fault.place.clone()).collect();
    assert_eq!(columns[0], Place::File { line: 1, column: 12, length: 4 });
    assert_eq!(columns[1], Place::File { line: 1, column: 37, length: 3 });
    assert_eq!(columns[2], Place::File { line: 1, column: 46, length: 5 });
}

#[test]
fn the_environment_of_the_process_can_be_asked() {
    assert!(process_env("PATH").is_some());
    assert_eq!(process_env("SYNCLINE_THIS_IS_SET_NOWHERE"), None);
}
