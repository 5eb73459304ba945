//! `syncline test`, and what `syncline map` tells of rules that acted.

use tempfile::TempDir;

use crate::world::syncline;

const CONFIG: &str = r#"
systems:
  people: { kind: stdin }
  salesforce: { kind: salesforce, url: https://acme.my.salesforce.com, auth: { client_credentials: { id: app, secret: "${SF_SECRET}" } } }
  hubspot: { kind: hubspot, token: "${HUBSPOT_TOKEN}" }
routing: { lead: [salesforce], customer: [hubspot] }
boundaries:
  salesforce:
    fields:
      name: { to: [FirstName, LastName], codec: split_name, authority: system_a, default: Unknown, on_invalid: { map: Too Long } }
      email: { to: Email, authority: system_a, on_invalid: keep }
      rating: { to: Rating, compute: "{{ 'Hot' if record.contact == 'lead' else 'Cold' }}" }
  hubspot:
    fields:
      name: { to: fullname, codec: [trim, upper], authority: system_a }
      created_at: { to: since, codec: { datetime: ms }, authority: system_a }
"#;

const TESTS: &str = r#"# Tests of the two boundaries.
tests:
  # The plain case.
  - name: a lead becomes a Lead with its fillers
    given:
      event:
        record: contacts
        operation: create
        timestamp: 2024-01-15T10:30:00Z
        item: { id: A1, name: Ann Lee, email: Ann@EXAMPLE.com, contact: lead }
    expect:
      routes: [salesforce Lead]
      systems:
        salesforce:
          create: Lead
          fields:
            Company: "[not provided]"
            Email: Ann@example.com
            FirstName: Ann
            LastName: Lee
            Rating: Hot
            Syncline_Id__c: A1

  - name: a lead that becomes a customer moves
    given:
      events:
        - { record: contacts, operation: create, timestamp: 2024-01-15T10:30:00Z, item: { id: A1, name: Ann Lee, contact: lead } }
        - '{"record":"contacts","operation":"update","timestamp":"2024-01-15T10:31:00Z","item":{"id":"A1","contact":"customer","created_at":"2024-01-15T10:30:00Z"}}'
    expect:
      systems:
        salesforce: { delete: Lead }
        hubspot: { create: contacts, fields: { fullname: ANN LEE, since: "1705314600000", syncline_id: A1 } }

  - name: what is there already is put right
    given:
      there:
        salesforce: { FirstName: Ann, LastName: Leo, Rating: Hot }
      event: { record: contacts, operation: create, timestamp: 2024-01-15T10:30:00Z, item: { id: A1, name: Ann Lee, contact: lead } }
    expect:
      systems:
        salesforce:
          update: Lead
          fields: { Email: null, FirstName: Ann, LastName: Lee, Rating: Hot }

  - name: nobody without a name
    given:
      event: { record: contacts, operation: create, timestamp: 2024-01-15T10:30:00Z, item: { id: A2, contact: lead } }
    expect:
      systems: # the default stands in
        salesforce:
          create: Lead
          fields: { LastName: Nobody }   # wrong on purpose

  - name: an alien is refused
    given:
      event: { record: contacts, operation: create, timestamp: 2024-01-15T10:30:00Z, item: { id: A3, contact: alien } }
    expect:
      event: { refused: invalid_value, field: /item/contact }
"#;

fn folder(tests: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("syncline.yaml"), CONFIG).unwrap();
    std::fs::write(folder.path().join("people.test.yaml"), tests).unwrap();
    folder
}

#[test]
fn tests_tell_every_difference_and_what_is_not_covered() {
    let folder = folder(TESTS);
    insta::assert_snapshot!("test_one_fails", syncline(folder.path(), &["test"]).told());
    let json = syncline(folder.path(), &["test", "--json"]);
    let told = json.json();
    assert_eq!((json.exit, told["passed"].as_u64(), told["failed"].as_u64()), (1, Some(4), Some(1)));
    assert_eq!(told["tests"][3]["name"], "nobody without a name");
}

#[test]
fn an_update_replaces_what_is_expected_and_keeps_the_rest() {
    let folder = folder(TESTS);
    assert_eq!(syncline(folder.path(), &["test", "--update"]).exit, 0);
    let updated = std::fs::read_to_string(folder.path().join("people.test.yaml")).unwrap();
    insta::assert_snapshot!("test_updated_file", updated);
    let again = syncline(folder.path(), &["test", "people.test.yaml", "--coverage-min", "40"]);
    assert_eq!((again.exit, again.out.contains("5 passed, 0 failed")), (0, true), "{}", again.told());
    assert_eq!(syncline(folder.path(), &["test", "--update"]).exit, 0);
    assert_eq!(std::fs::read_to_string(folder.path().join("people.test.yaml")).unwrap(), updated);
    let little = syncline(folder.path(), &["test", "--coverage-min", "100"]);
    assert_eq!((little.exit, little.err.contains("--coverage-min asks for 100 %")), (1, true), "{}", little.told());
}

#[test]
fn a_file_with_faults_is_told_as_a_configuration_is() {
    let folder = folder("tests:\n  - name: x\n    given: { evnt: {} }\n    expect:\n  - nam: y\n    given: { event: {}, there: { salesfroce: {} } }\n");
    insta::assert_snapshot!("test_file_with_faults", syncline(folder.path(), &["test"]).told());
    let empty = TempDir::new().unwrap();
    std::fs::write(empty.path().join("syncline.yaml"), CONFIG).unwrap();
    insta::assert_snapshot!("test_no_files", syncline(empty.path(), &["test"]).told());
}

#[test]
fn an_update_leaves_alone_what_stands_in_one_line() {
    let folder = folder("tests:\n  - { name: x, given: { event: { record: contacts } }, expect: { systems: { hubspot: { delete: contacts } } } }\n");
    let before = std::fs::read_to_string(folder.path().join("people.test.yaml")).unwrap();
    let told = syncline(folder.path(), &["test", "--update"]);
    assert_eq!((told.exit, told.err.contains("\"x\" is not updated")), (1, true), "{}", told.told());
    assert_eq!(std::fs::read_to_string(folder.path().join("people.test.yaml")).unwrap(), before);
}

#[test]
fn map_tells_which_rule_acted_and_why() {
    let folder = folder(TESTS);
    let map = |name: &str| {
        let event = format!(
            r#"{{"record":"contacts","operation":"create","timestamp":"2024-01-15T10:30:00Z","item":{{"id":"A1","contact":"lead","email":"{}@example.com"{name}}}}}"#,
            "x".repeat(90)
        );
        syncline(folder.path(), &["map", "--event", &event]).told()
    };
    insta::assert_snapshot!("map_default_and_keep", map(""));
    insta::assert_snapshot!("map_other_value", map(&format!(r#","name":"{}""#, "y".repeat(90))));
}

#[test]
fn the_example_of_the_documentation_passes() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/mapping-tests.md");
    let page = std::fs::read_to_string(page).unwrap();
    let lines = page.lines().skip_while(|line| *line != "    tests:").take_while(|line| line.is_empty() || line.starts_with("    "));
    let example: Vec<&str> = lines.map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
    let folder = folder(&example.join("\n"));
    let config = CONFIG.split("routing:").next().unwrap();
    std::fs::write(folder.path().join("syncline.yaml"), format!("{config}routing: default\n")).unwrap();
    let told = syncline(folder.path(), &["test"]);
    assert!(told.exit == 0 && told.out.contains("1 passed, 0 failed"), "{}", told.told());
}
