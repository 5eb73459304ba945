//! Cases of the writer contract on what goes wrong: W13 to W18, W21 and W22 of docs/spec/writer.md.
//!
//! Promises: what the writer says is held against what the sandbox carried out. Leaves to others: repeats and holds.

use futures_util::future::join;
use syncline_core::attempt::Operation;
use syncline_core::dispatch::batch::{Item, ReadBy};
use syncline_core::outcome::Outcome;
use syncline_engine::error::Kind;
use syncline_engine::ports::writer::Answer;

use super::writer::{Bench, Facts, ready};

fn two(bench: &Bench) -> Vec<Item> {
    vec![bench.person("A-1", "Byron"), bench.person("A-2", "Cole")]
}

fn creates(bench: &Bench, act: &str) -> Answer {
    bench.faults(&format!("- on: {{operation: {}}}\n  do: {{{act}}}\n", bench.facts.operation(Operation::Create)));
    bench.send(Operation::Create, two(bench))
}

fn all(answer: &Answer, holds: impl Fn(&Outcome) -> bool) {
    assert!(answer.outcomes.iter().all(holds), "{:?}", answer.outcomes);
}

/// W13.
pub fn w13_without_an_answer_all_is_unknown(facts: &'static Facts) {
    let cases = [
        ("apply: all, then: reset", 2),
        ("apply: none, then: reset", 0),
        ("then: close_half", 2),
        ("apply: half, then: hang", 1),
        ("delay_ms: 3600000", 2),
    ];
    for (act, records) in cases {
        let bench = Bench::connected(facts);
        all(&creates(&bench, act), |outcome| matches!(outcome, Outcome::Unknown { .. }));
        assert_eq!(bench.records().len(), records, "{act}");
        bench.faults("");
        bench.send(Operation::Create, two(&bench));
        assert_eq!(bench.records().len(), 2, "a repeat makes no second record");
    }
    let bench = Bench::connected(facts);
    all(&creates(&bench, "late_ms: 60000"), |outcome| matches!(outcome, Outcome::Unknown { .. }));
    assert_eq!(bench.records().len(), 0);
    bench.clock.advance_ms(60_000);
    assert_eq!(bench.transport.apply_due(), None);
    assert_eq!(bench.records().len(), 2);
}

/// W14.
pub fn w14_what_never_left_is_not_sent(facts: &'static Facts) {
    let bench = Bench::connected(facts);
    bench.transport.set_reachable(false);
    let answer = bench.send(Operation::Create, two(&bench));
    all(&answer, |outcome| matches!(outcome, Outcome::NotSent { .. }));
    assert!(bench.read_answer(ReadBy::Key, &["A-1"]).found.is_err());
    let refused = ready(bench.writer.count(facts.object)).map_err(|error| error.kind);
    assert_eq!(refused, Err(Kind::Unreachable));
    bench.transport.set_reachable(true);
    assert!(bench.records().is_empty());
}

/// W15.
pub fn w15_server_errors_are_told_apart(facts: &'static Facts) {
    for status in [500, 502, 504] {
        for apply in ["all", "none", "half"] {
            let bench = Bench::connected(facts);
            let answer = creates(&bench, &format!("apply: {apply}, status: {status}"));
            all(&answer, |outcome| matches!(outcome, Outcome::Unknown { .. }));
        }
    }
    let bench = Bench::connected(facts);
    all(&creates(&bench, "status: 503"), |outcome| matches!(outcome, Outcome::Retry { .. }));
    assert!(bench.records().is_empty());
}

/// W16.
pub fn w16_a_refused_token_stops_before_anything_is_done(facts: &'static Facts) {
    let bench = Bench::connected(facts);
    let script = if facts.fetches_token { "expire_tokens: true" } else { "status: 401" };
    let answer = creates(&bench, script);
    assert!(answer.verdict.unauthorised);
    all(&answer, |outcome| matches!(outcome, Outcome::NotSent { .. }));
    assert!(bench.records().is_empty());
    bench.faults("");
    let before = bench.requests();
    let renewed = ready(join(bench.writer.renew(), bench.writer.renew()));
    if facts.fetches_token {
        assert!(renewed.0.is_ok() && renewed.1.is_ok());
        assert_eq!(bench.requests() - before, 1, "one of them fetches");
    } else {
        assert_eq!(renewed.0.map_err(|error| error.kind), Err(Kind::AuthRefused));
    }
    all(&bench.send(Operation::Create, two(&bench)), |outcome| matches!(outcome, Outcome::Written { .. }));
}

/// W17.
pub fn w17_a_limit_is_told_by_its_pool(facts: &'static Facts) {
    let bench = Bench::connected(facts);
    let (status, body, pool) = facts.limited;
    let answer = creates(&bench, &format!("status: {status}, body: {body}"));
    all(&answer, |outcome| matches!(outcome, Outcome::NotSent { .. }));
    let throttled = answer.verdict.throttled;
    assert_eq!(throttled.and_then(|throttle| throttle.pool).as_deref(), Some(pool));
    assert!(bench.records().is_empty());
}

/// W18.
pub fn w18_what_is_wrong_for_all_blames_none(facts: &'static Facts) {
    let bench = Bench::connected(facts);
    let fields = [(facts.name_field, Some("Byron")), (facts.no_field, Some("blue"))];
    let items = vec![bench.item("A-1", None, &fields), bench.item("A-2", None, &fields)];
    let answer = bench.send(Operation::Create, items);
    all(&answer, |outcome| matches!(outcome, Outcome::NotSent { .. }));
    assert!(answer.verdict.boundary.is_some_and(|rejection| !rejection.remedy.is_empty()));
    assert!(bench.records().is_empty());
}

/// W21.
pub fn w21_an_unreadable_success_is_unknown(facts: &'static Facts) {
    for body in ["'[]'", "'{}'", "'[{\"success\":tr'", "'{\"status\":\"COMPLETE\",\"results\":[{\"id\":\"1\"}]}'", "'[[[['"] {
        let bench = Bench::connected(facts);
        let answer = creates(&bench, &format!("apply: all, status: 200, body: {body}"));
        all(&answer, |outcome| matches!(outcome, Outcome::Unknown { .. }));
    }
}

/// W22.
pub fn w22_no_value_is_told(facts: &'static Facts) {
    let long = "S3cretson".repeat(2_000);
    let bench = Bench::connected(facts);
    let fields = [
        (facts.name_field, Some(long.as_str())),
        (facts.phone_field, Some(long.as_str())),
        (facts.unique_field, Some("S3cret-17")),
    ];
    let answers = [
        bench.send(Operation::Create, vec![bench.item("A-1", None, &fields)]),
        bench.send(Operation::Create, vec![bench.item("A-2", None, &fields[2..]), bench.item("A-3", None, &fields[2..])]),
        creates(&bench, "status: 500"),
    ];
    for answer in answers {
        let refused: Vec<&Outcome> =
            answer.outcomes.iter().filter(|outcome| !matches!(outcome, Outcome::Written { .. })).collect();
        assert!(!format!("{refused:?} {:?}", answer.verdict).contains("S3cret"));
    }
}
