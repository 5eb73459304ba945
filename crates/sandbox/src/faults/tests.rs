//! Which requests meet which faults, and what a bad script is told.

use super::{Apply, End, Faults, Plan};
use crate::exchange::System;

fn plans(script: &str, requests: usize) -> Vec<Plan> {
    let mut faults = Faults::parse(script).unwrap();
    (0..requests).map(|_| faults.plan(System::HubSpot, "batch_upsert", Vec::new)).collect()
}

fn fired(script: &str, requests: usize) -> Vec<usize> {
    let plans = plans(script, requests);
    (1..=requests).filter(|number| !plans[number - 1].fired.is_empty()).collect()
}

#[test]
fn nth_range_every_and_any() {
    assert_eq!(fired("- {on: {nth: 3}, do: {status: 503}}", 9), [3]);
    assert_eq!(fired("- {on: {operation: any, nth: 3..5}, do: {status: 503}}", 9), [3, 4, 5]);
    assert_eq!(fired("- {on: {system: hubspot, every: 4}, do: {status: 503}}", 9), [4, 8]);
    assert_eq!(fired("- {on: {system: salesforce}, do: {status: 503}}", 9), [] as [usize; 0]);
    assert_eq!(fired("- {on: {operation: read}, do: {status: 503}}", 9), [] as [usize; 0]);
    assert_eq!(fired("- do: {status: 503}", 2), [1, 2]);
}

#[test]
fn share_is_repeatable_and_about_right() {
    let script = "- {on: {share: 0.05, seed: 7}, do: {status: 503}}";
    let first = fired(script, 10_000);
    assert_eq!(first, fired(script, 10_000));
    assert!((400..600).contains(&first.len()), "{}", first.len());
    assert_ne!(first, fired("- {on: {share: 0.05, seed: 8}, do: {status: 503}}", 10_000));
}

#[test]
fn poisoned_records_stay_poisoned() {
    let script = "- {on: {record: {share: 0.02, seed: 1}}, do: {invalid: {field: email, message: no}}}";
    let keys: Vec<Vec<String>> = (0..1000).map(|number| vec![format!("A-{number}")]).collect();
    let mut faults = Faults::parse(script).unwrap();
    let first = faults.plan(System::HubSpot, "batch_upsert", || keys.clone());
    assert!((5..45).contains(&first.invalid.len()), "{}", first.invalid.len());
    for refused in &first.invalid {
        let alone = faults.plan(System::Salesforce, "upsert", || vec![keys[refused.index].clone()]);
        assert_eq!(alone.invalid.len(), 1);
    }
    let every = "- {on: {record: {every: 500}}, do: {invalid: {field: email}}}";
    assert_eq!(Faults::parse(every).unwrap().plan(System::HubSpot, "x", || vec![vec![]]).fired.len(), 0);
}

#[test]
fn keys_match_any_name_of_an_input() {
    let script = "- {on: {record: {keys: [A-2, '501']}}, do: {invalid: {field: phone}}}";
    let mut faults = Faults::parse(script).unwrap();
    let inputs = || [["A-1", "500"], ["A-2", "502"], ["A-3", "501"]].map(|names| names.map(str::to_owned).to_vec()).to_vec();
    let plan = faults.plan(System::HubSpot, "batch_update", inputs);
    assert_eq!(plan.invalid.iter().map(|refused| refused.index).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(plan.applied(3), None);
}

#[test]
fn first_rule_decides_each_part() {
    let script = "
- on: {nth: 2}
  do: {status: 503, then: reset}
- on: {every: 2}
  do: {status: 500, apply: half, headers: {Retry-After: '7'}, expire_tokens: true}
";
    let plan = &plans(script, 2)[1];
    assert_eq!(plan.fired, [1, 2]);
    assert_eq!((plan.act.status, plan.act.then, plan.act.apply), (Some(503), Some(End::Reset), Some(Apply::Half)));
    assert_eq!(plan.applied(7), Some(3));
    assert!(plan.act.expire_tokens);
    assert_eq!(plan.act.headers["Retry-After"], "7");
}

#[test]
fn status_applies_nothing_unless_told() {
    assert_eq!(plans("- do: {status: 503}", 1)[0].applied(5), Some(0));
    assert_eq!(plans("- do: {status: 503, apply: all}", 1)[0].applied(5), None);
    assert_eq!(plans("- do: {then: hang}", 1)[0].applied(5), None);
    assert_eq!(plans("- do: {apply: 2}", 1)[0].applied(5), Some(2));
}

#[test]
fn bad_scripts_name_the_place() {
    let lines = [
        ("- on: {system: hubspot}\n  do: {status: 503, colour: red}", "line 2, column 21: there is no key \"colour\"; there are apply, delay_ms,"),
        ("- on: {sistem: hubspot}\n  do: {status: 503}", "line 1, column 8: there is no key \"sistem\"; did you mean system? there are system,"),
        ("- do: {stats: 503}", "line 1, column 8: there is no key \"stats\"; did you mean status? there are"),
        ("- on: {record: {key: [A-1]}}\n  do: {status: 503}", "line 1, column 17: there is no key \"key\"; did you mean keys? there are every, share, seed, keys"),
        ("- on: {system: hubspt}\n  do: {status: 503}", "line 1, column 16: there is no word \"hubspt\"; did you mean hubspot? there are salesforce, hubspot"),
        ("- on: {system: pipedrive}\n  do: {status: 503}", "line 1, column 16: there is no word \"pipedrive\"; there are salesforce, hubspot"),
        ("- do: {then: close-half}", "line 1, column 14: there is no word \"close-half\"; did you mean close_half? there are answer, close_half, reset, hang"),
        ("- on: {system: hubspot, operation: batch_upsrt}\n  do: {}", "line 1, column 36: hubspot has no operation \"batch_upsrt\"; did you mean batch_upsert? there are account_details,"),
        ("- on: {system: hubspot, operation: collection_upsert}\n  do: {}", "line 1, column 36: hubspot has no operation \"collection_upsert\"; there are"),
        ("- on:\n    operation: raed\n  do: {}", "line 2, column 16: any system has no operation \"raed\"; did you mean read?"),
        ("- on: {system: salesforce}\n  do: {invalid: {code: UNABLE_TO_LOCK_ROWS}}", "line 2, column 24: salesforce has no code \"UNABLE_TO_LOCK_ROWS\"; did you mean UNABLE_TO_LOCK_ROW? there are APEX_ERROR,"),
        ("- on: {system: hubspot}\n  do: {status: 429, body: dayly}", "line 2, column 27: hubspot has no body \"dayly\"; did you mean daily? there are bad_auth_code,"),
        ("- on: {nth: 9..3}\n  do: {status: 503}", "line 1, column 13: \"9..3\" is not a range like 3..9"),
        ("- on: {share: 2}\n  do: {status: 503}", "line 1, column 15: a share lies between 0 and 1"),
        ("- on: {every: 0}\n  do: {}", "line 1, column 15: must be at least 1"),
        ("- do: {apply: most}", "line 1, column 15: \"most\" is not one of all, none, half or a number of inputs"),
        ("- do: {status: 42}", "line 1, column 16: a status lies between 200 and 599"),
    ];
    for (script, want) in lines {
        let text = Faults::parse(script).unwrap_err().to_string();
        assert!(text.starts_with(&format!("fault script, {want}")), "{text}");
    }
}

#[test]
fn empty_script_has_no_rules() {
    assert_eq!(plans("# nothing\n\n", 1)[0].fired, [] as [usize; 0]);
}
