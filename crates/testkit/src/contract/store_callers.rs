//! Cases about callers (what their calls came to, what lets them in) and about the configuration's history.

use syncline_core::change_set::{ChangeSet, KeptCall};
use syncline_core::config_entry::{ConfigCause, ConfigEntry, KeyChange};
use syncline_core::ids::{EventId, SourceId};
use syncline_core::ledger::{Counter, Offer};
use syncline_core::outcome::{Judgement, Rejection};
use syncline_core::token::{Token, TokenScope};

use super::store::{Harness, ask, commit, suite};
use super::store_life::minute;

suite!(
    s28_the_answer_to_a_call_is_kept_with_its_commit,
    s28_an_answer_is_found_while_it_counts_and_then_makes_room,
    s29_what_callers_were_told_is_refused_without_a_row,
    s30_a_token_comes_back_as_it_was_written,
    s33_the_configuration_s_history_is_kept_in_order,
);

const SOURCE: SourceId = SourceId(7);

fn call(key: &str, digest: i64, at: i64) -> KeptCall {
    let rejection = Rejection { code: "invalid_json".into(), field: None, message: "is empty".into(), remedy: "send one".into() };
    let judged = vec![Judgement::Accepted(EventId(3)), Judgement::Duplicate, Judgement::Refused(rejection)];
    KeptCall { source: SOURCE, key: key.into(), digest, judged, at: minute(at) }
}

fn keep(harness: &dyn Harness, calls: Vec<KeptCall>) {
    commit(harness, ChangeSet { calls, ..ChangeSet::default() });
}

fn s28_the_answer_to_a_call_is_kept_with_its_commit(harness: &dyn Harness) {
    keep(harness, vec![call("a", 1, 1), call("b", 2, 1)]);
    harness.reopen();
    let found = ask!(harness, calls(SOURCE, &["b", "c", "a"], minute(0)));
    assert_eq!(found, vec![Some(call("b", 2, 1)), None, Some(call("a", 1, 1))]);
    assert_eq!(ask!(harness, calls(SourceId(8), &["a"], minute(0))), vec![None]);
    assert_eq!(ask!(harness, audit()).imbalances, vec![]);
}

fn s28_an_answer_is_found_while_it_counts_and_then_makes_room(harness: &dyn Harness) {
    keep(harness, vec![call("a", 1, 1), call("b", 2, 5)]);
    assert_eq!(ask!(harness, calls(SOURCE, &["a", "b"], minute(2))), vec![None, Some(call("b", 2, 5))]);
    keep(harness, vec![call("a", 9, 6)]);
    assert_eq!(ask!(harness, calls(SOURCE, &["a"], minute(2))), vec![Some(call("a", 9, 6))]);
    assert_eq!(ask!(harness, forget_calls(minute(6))), 1);
    assert_eq!(ask!(harness, forget_calls(minute(6))), 0);
    assert_eq!(ask!(harness, calls(SOURCE, &["a", "b"], minute(0))), vec![Some(call("a", 9, 6)), None]);
    let found = ask!(harness, audit());
    assert_eq!((found.altered, found.imbalances), (vec![], vec![]));
}

fn s29_what_callers_were_told_is_refused_without_a_row(harness: &dyn Harness) {
    let count = |offers: &[Offer]| {
        let mut set = ChangeSet::default();
        offers.iter().for_each(|offer| set.counts.add(Counter::Source(SOURCE, *offer), 1));
        commit(harness, set);
    };
    count(&[Offer::Offered, Offer::Refused, Offer::Told]);
    assert_eq!(ask!(harness, audit()).imbalances, vec![]);
    count(&[Offer::Offered, Offer::Refused]);
    let named: Vec<_> = ask!(harness, audit()).imbalances.into_iter().map(|imbalance| imbalance.account).collect();
    assert!(named.iter().any(|account| account.contains("refused = rows")), "{named:?}");
}

fn s30_a_token_comes_back_as_it_was_written(harness: &dyn Harness) {
    let token = |name: &str, revoked_at| Token {
        name: name.into(),
        scope: TokenScope::Events,
        tenant: "default".into(),
        digest: "9f86d081".into(),
        created_at: minute(1),
        revoked_at,
    };
    let put = |token: Token| commit(harness, ChangeSet { tokens: vec![token], ..ChangeSet::default() });
    put(token("b", None));
    put(token("a", None));
    put(token("b", Some(minute(2))));
    harness.reopen();
    assert_eq!(ask!(harness, tokens()), vec![token("a", None), token("b", Some(minute(2)))]);
    let found = ask!(harness, audit());
    assert_eq!((found.altered, found.imbalances), (vec![], vec![]));
}

fn s33_the_configuration_s_history_is_kept_in_order(harness: &dyn Harness) {
    let entry = |number: u64, cause| ConfigEntry {
        number,
        at: minute(1),
        cause,
        who: "anna".into(),
        changes: vec![KeyChange { path: "log".into(), before: None, after: Some("debug".into()) }],
        digest: "9f86d081".into(),
        text: "log: debug\n".into(),
    };
    let all: Vec<_> = (1..).zip(ConfigCause::ALL).map(|(number, cause)| entry(number, cause)).collect();
    for entry in &all {
        commit(harness, ChangeSet { configs: vec![entry.clone()], ..ChangeSet::default() });
    }
    harness.reopen();
    assert_eq!(ask!(harness, configs(2)), vec![all[2].clone(), all[1].clone()]);
    assert_eq!(ask!(harness, configs(9)).len(), 3);
    let found = ask!(harness, audit());
    assert_eq!((found.altered, found.imbalances), (vec![], vec![]));
}
