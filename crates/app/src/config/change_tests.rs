//! A value is changed in a file's text and nothing else is; what is written can be told, compared and kept.

use super::{Loaded, Overrides, Place, Written, edit, judge_change, load_with};

const TEXT: &str = "\
# Ours.
store: sqlite:a.db   # kept here
systems:
  feed: { kind: generator, seed: 1 }   # made up

  # The account.
  hubspot:
    kind: hubspot
    token: \"${TOKEN}\"
    quota: { use: 0.5 }
    # The end of it.
routing:
  lead: [hubspot]
  customer:
    - hubspot
# Nothing follows.
";

fn loaded(text: &str, variables: &[(&str, &str)]) -> Loaded {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let env = |name: &str| (name == "TOKEN").then(|| "canary-token".to_owned());
    load_with(text, "a.yaml", &env, &Overrides { variables, flags: Vec::new() }).unwrap()
}

/// The lines that differ, without those that stay.
fn edited(text: &str, path: &str, value: &str) -> String {
    let new = edit(text, "a.yaml", path, value).unwrap_or_else(|faults| panic!("{path}: {faults}"));
    let gone = text.lines().filter(|line| !new.lines().any(|other| other == *line)).map(|line| format!("- {line}"));
    let came = new.lines().filter(|line| !text.lines().any(|other| other == *line)).map(|line| format!("+ {line}"));
    gone.chain(came).collect::<Vec<_>>().join("\n")
}

#[test]
fn one_value_is_changed_and_everything_else_stays() {
    assert_eq!(edited(TEXT, "store", "sqlite:b.db"), "- store: sqlite:a.db   # kept here\n+ store: sqlite:b.db   # kept here");
    assert_eq!(edited(TEXT, "systems.feed.seed", "7"), "-   feed: { kind: generator, seed: 1 }   # made up\n+   feed: { kind: generator, seed: 7 }   # made up");
    assert_eq!(edited(TEXT, "systems.feed.events", "7"), "-   feed: { kind: generator, seed: 1 }   # made up\n+   feed: { kind: generator, seed: 1, events: 7 }   # made up");
    assert_eq!(edited(TEXT, "systems.hubspot.quota", "{ use: 0.7, day: 9 }"), "-     quota: { use: 0.5 }\n+     quota: { use: 0.7, day: 9 }");
    assert_eq!(edited(TEXT, "systems.hubspot.concurrency", "3"), "+     concurrency: 3");
    assert_eq!(edited(TEXT, "dispatch.retry.max", "10m"), "+ dispatch: { retry: { max: 10m } }");
    assert_eq!(edited(TEXT, "routing.lead[1]", "b c"), "-   lead: [hubspot]\n+   lead: [hubspot, \"b c\"]");
    assert_eq!(edited(TEXT, "routing.customer[0]", "crm"), "-     - hubspot\n+     - crm");
    assert_eq!(edited(TEXT, "routing.vendor", "[]"), "+   vendor: []");
    assert_eq!(edited(TEXT, "store", ""), "- store: sqlite:a.db   # kept here\n+ store: null   # kept here");
    let added = edit(TEXT, "a.yaml", "systems.hubspot.concurrency", "3").unwrap();
    assert!(added.contains("    concurrency: 3\n    # The end of it.\nrouting:"), "{added}");
    assert_eq!(edit("", "a.yaml", "log", "debug").unwrap(), "log: debug\n");
    assert_eq!(edit("dispatch:\r\nlog: info\r\n", "a.yaml", "dispatch.batch_wait", "1s").unwrap(), "dispatch: { batch_wait: 1s }\r\nlog: info\r\n");
    let json = "{\n  \"log\": \"info\",\n  \"dispatch\": { \"retry\": {} }\n}\n";
    let json = edit(&edit(json, "a.json", "dispatch.retry.max", "10m").unwrap(), "a.json", "intake.remember_ids", "3d").unwrap();
    let read: serde_json::Value = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
    assert_eq!((read["dispatch"]["retry"]["max"].as_str(), read["intake"]["remember_ids"].as_str()), (Some("10m"), Some("3d")));
}

#[test]
fn what_cannot_be_changed_on_the_spot_is_left_to_a_person() {
    for (path, value) in [("routing", "default"), ("systems.hubspot", "{ kind: hubspot }"), ("routing.customer[2]", "a"), ("log.level", "a: b: c"), ("a..b", "1")] {
        let told = edit(TEXT, "a.yaml", path, value).unwrap_err().to_string();
        assert!(told.contains("nothing was changed") && told.contains("remedy"), "{path}: {told}");
    }
    assert!(edit("systems: [", "a.yaml", "log", "info").is_err());
    let anchored = "dispatch: { retry: &waits { base: 1s }, fuse: { min: 1 } }\nintake: {}\nlog: &level info\n";
    assert_eq!(edited(anchored, "log", "debug"), "- log: &level info\n+ log: &level debug");
}

#[test]
fn what_is_written_is_told_with_its_place_and_kept_without_secrets() {
    let loaded = loaded(TEXT, &[("SYNCLINE_SYSTEMS__HUBSPOT__TOKEN", "canary-in-a-variable"), ("SYNCLINE_LOG", "debug")]);
    let values = loaded.written.values();
    let place = |path: &str| values.iter().find(|value| value.path == path).map(|value| (value.value.clone(), value.place.clone()));
    assert_eq!(place("systems.feed.seed"), Some(("1".to_owned(), Place::File { line: 4, column: 34, length: 1 })));
    assert_eq!(place("log"), Some(("debug".to_owned(), Place::Environment("SYNCLINE_LOG".to_owned()))));
    assert_eq!(place("systems.hubspot.token").map(|(value, _)| value).as_deref(), Some("[hidden]"));
    let text = loaded.written.text();
    assert!(!text.contains("canary"), "{text}");
    insta::assert_snapshot!("written_text", text);
    let kept = Written::read(&text).unwrap();
    assert_eq!((loaded.written.changes_from(&kept), kept.digest()), (Vec::new(), loaded.written.digest()));
}

#[test]
fn changes_are_told_by_key_and_those_that_need_a_start_are_refused() {
    let old = loaded(TEXT, &[]);
    let text = TEXT.replace("seed: 1", "seed: 2").replace("[hubspot]", "[]").replace("use: 0.5", "use: 0.6").replace("sqlite:a.db", "sqlite:b.db");
    let text = text + "log: warn\n";
    let new = loaded(&text, &[]);
    let changes = new.written.changes_from(&old.written);
    let told: Vec<_> = changes.iter().map(|change| format!("{} {:?} {:?}", change.path, change.before, change.after)).collect();
    insta::assert_snapshot!("changes", told.join("\n"));
    insta::assert_snapshot!("needs_start", judge_change("a.yaml", &text, &new.written, &changes, false).unwrap());
    let live: Vec<_> = changes.into_iter().filter(|change| !change.path.contains("seed") && change.path != "store").collect();
    assert!(judge_change("a.yaml", &text, &new.written, &live, false).is_none());
    assert_eq!(loaded(&TEXT.replace("sqlite:a.db   # kept here", "'sqlite:a.db'"), &[]).written.changes_from(&old.written), Vec::new());
}

#[test]
fn a_secret_that_was_exchanged_is_a_change_that_shows_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let text = TEXT.replace("${TOKEN}", &format!("file:{}", file.display()));
    std::fs::write(&file, "canary-one").unwrap();
    let old = loaded(&text, &[]);
    std::fs::write(&file, "canary-two").unwrap();
    let changes = loaded(&text, &[]).written.changes_from(&old.written);
    assert_eq!(changes.iter().map(|change| change.path.as_str()).collect::<Vec<_>>(), ["systems.hubspot.token"]);
    assert!(!format!("{changes:?}").contains("canary"));
}
