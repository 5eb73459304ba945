//! What wins over what, and that a fault from outside names its variable or flag and never a secret.

use secrecy::ExposeSecret;
use syncline_adapters::systems::hubspot::config::SignIn;

use super::{Config, Faults, Kind, Overrides, Place, load_with};

const TEXT: &str = "
log: warn
systems:
  my-feed: { kind: generator, batch_size: 3, events_per_second: 2 }
  hubspot: { kind: hubspot, token: \"${HUBSPOT_TOKEN}\" }
routing: hubspot_only
";

fn read(variables: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Config, Faults> {
    let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let env = |name: &str| match name {
        "HUBSPOT_TOKEN" => Some("canary-token".to_owned()),
        "OTHER_TOKEN" => Some("canary-other".to_owned()),
        "BATCH_SIZE" => Some("5".to_owned()),
        "LOG_LEVEL" => Some("error".to_owned()),
        _ => None,
    };
    load_with(TEXT, "syncline.yaml", &env, &Overrides { variables: pairs(variables), flags: pairs(flags) }).map(|loaded| loaded.config)
}

fn token(config: &Config) -> &str {
    let Kind::HubSpot(hubspot) = &config.system("hubspot").unwrap().kind else { panic!() };
    let SignIn::Token(token) = &hubspot.settings.sign_in else { panic!() };
    token.expose_secret()
}

fn batch_size(config: &Config) -> usize {
    let Kind::Generator(generator) = &config.system("my-feed").unwrap().kind else { panic!() };
    generator.settings.batch_size
}

#[test]
fn flags_win_over_variables_and_variables_over_the_file() {
    let variable = ("SYNCLINE_SYSTEMS__MY_FEED__BATCH_SIZE", "7");
    assert_eq!(batch_size(&read(&[], &[]).unwrap()), 5, "a plain name wins over the file");
    assert_eq!(batch_size(&read(&[variable], &[]).unwrap()), 7, "a path wins over a plain name");
    assert_eq!(batch_size(&read(&[variable], &[("systems.my-feed.batch_size", "9")]).unwrap()), 9);
    assert_eq!(batch_size(&read(&[], &[("systems.my-feed.batch_size", "9"), ("systems.my-feed.batch_size", "11")]).unwrap()), 11);
    assert_eq!(read(&[], &[]).unwrap().log, "error");
    assert_eq!(read(&[("SYNCLINE_LOG", "info")], &[]).unwrap().log, "info");
    assert_eq!(read(&[("SYNCLINE_LOG", "info")], &[("log", "debug")]).unwrap().log, "debug");
    assert_eq!(batch_size(&read(&[("SYNCLINE_SYSTEMS__MY_FEED__BATCH_SIZE", "")], &[]).unwrap()), 5, "an empty variable says nothing");
}

#[test]
fn what_is_missing_on_the_way_is_made_and_brackets_make_lists_and_maps() {
    let config = read(&[("SYNCLINE_DISPATCH__RETRY__MAX", "10m")], &[("routing", "{ lead: [hubspot], vendor: [] }"), ("dispatch.fuse", "{ min: 7 }")]).unwrap();
    assert_eq!(config.dispatch.backoff.max.as_secs(), 600);
    assert_eq!(config.dispatch.guard.fuse_min, 7);
    assert_eq!(config.routing["contacts"].by_type.keys().collect::<Vec<_>>(), ["lead", "vendor"]);
    let config = read(&[("SYNCLINE_ROUTING", "{ lead: [hubspot] }")], &[("routing.lead[0]", "hubspot"), ("routing.vendor", "hubspot")]).unwrap();
    assert_eq!(config.routing["contacts"].by_type["vendor"], ["hubspot"]);
    let config = read(&[], &[("log", "")]).unwrap();
    assert_eq!(config.log, "info", "an empty value is the default");
}

#[test]
fn a_secret_may_come_in_a_variable_but_never_in_a_flag() {
    assert_eq!(token(&read(&[("SYNCLINE_SYSTEMS__HUBSPOT__TOKEN", "{canary:no-yaml")], &[]).unwrap()), "{canary:no-yaml");
    assert_eq!(token(&read(&[("SYNCLINE_SYSTEMS__HUBSPOT__TOKEN", "${OTHER_TOKEN}")], &[]).unwrap()), "canary-other");
    assert_eq!(token(&read(&[], &[("systems.hubspot.token", "${OTHER_TOKEN}")]).unwrap()), "canary-other");
    let faults = read(&[], &[("systems.hubspot.token", "canary-in-a-flag")]).unwrap_err();
    assert_eq!(faults.all()[0].place, Place::Flag("systems.hubspot.token".to_owned()));
    assert!(!format!("{faults}{faults:?}").contains("canary"));
    let shown = format!("{:?}", Overrides { variables: vec![("A".into(), "canary".into())], flags: vec![("b".into(), "canary".into())] });
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn faults_from_outside_name_the_variable_or_the_flag() {
    let variables = [
        ("SYNCLINE_SYSTEMS__HUBSPOT__TOKN", "canary-misspelt"),
        ("SYNCLINE_DISPTACH__RETRY__MAX", "10m"),
        ("SYNCLINE_LOG__LEVEL", "debug"),
        ("SYNCLINE_SYSTEMS__MY_FEED__EVENTS_PER_SECOND", "-1"),
    ];
    let flags = [
        ("dispatch.batch_wait", "soon"),
        ("dispatch..batch_wait", "1s"),
        ("routing.lead", "[hubspot]"),
        ("systems.hubspot.quota", "{ use: 0.5, use: 0.6 }"),
        ("api.tokens[1].name", "a"),
        ("intake", "{ remember_ids: 3d"),
        ("systems.crm.kind", "salesforce"),
    ];
    let faults = read(&variables, &flags).unwrap_err();
    assert!(!format!("{faults}{faults:?}").contains("canary"));
    insta::assert_snapshot!("broken_from_outside", faults);
}
