//! Cases of the writer contract on connecting and looking again: W1 to W4 and W23 of docs/spec/writer.md.
//!
//! Promises: nothing is written by any of them. Leaves to others: requests and faults.

use futures_util::future::join3;
use syncline_core::outcome::Misfit;
use syncline_engine::error::Kind;

use super::writer::{Bench, Facts, ready};

/// W1.
pub fn w1_connect_names_the_account_and_its_pools(facts: &'static Facts) {
    let bench = Bench::new(facts, |_| {}, &[]);
    for _ in 0..2 {
        let before = bench.requests();
        let tokens = u64::from(bench.writer.needs_token());
        let account = match ready(bench.writer.connect()) {
            Ok(account) => account,
            Err(error) => panic!("connect: {error}"),
        };
        assert_eq!(account.id, facts.account);
        assert!(account.profile.pools.iter().any(|pool| pool.name == facts.told_pool && pool.limit > 0));
        assert_eq!(
            bench.requests() - before,
            bench.writer.connect_calls() as u64 + tokens,
            "connect makes the calls that it declares"
        );
    }
}

/// W2.
pub fn w2_connect_refuses_a_key_field_that_is_not_unique(facts: &'static Facts) {
    let bench = Bench::new(facts, facts.spoil_key, &[]);
    match ready(bench.writer.connect()) {
        Ok(_) => panic!("connected without a usable key field"),
        Err(error) => {
            assert_eq!(error.kind, Kind::BoundaryRefused, "{error}");
            assert!(error.remedy().contains(facts.key_field), "{}", error.remedy());
        }
    }
}

/// W3.
pub fn w3_connect_refuses_a_missing_field_by_name(facts: &'static Facts) {
    let bench = Bench::new(facts, |_| {}, &[facts.no_field]);
    match ready(bench.writer.connect()) {
        Ok(_) => panic!("connected without a mapped field"),
        Err(error) => {
            assert_eq!(error.kind, Kind::BoundaryRefused, "{error}");
            assert!(error.to_string().contains(facts.no_field) && error.remedy().contains(facts.no_field), "{error}");
        }
    }
}

/// W4.
pub fn w4_a_good_token_is_not_fetched_again(facts: &'static Facts) {
    let bench = Bench::new(facts, |_| {}, &[]);
    assert_eq!(bench.writer.needs_token(), facts.fetches_token);
    let fetched = ready(join3(bench.writer.renew(), bench.writer.renew(), bench.writer.renew()));
    assert!(fetched.0.is_ok() && fetched.1.is_ok() && fetched.2.is_ok());
    assert!(!bench.writer.needs_token());
    assert_eq!(bench.requests(), u64::from(facts.fetches_token));
}

/// W23.
pub fn w23_a_look_names_what_does_not_fit(facts: &'static Facts) {
    let bench = Bench::connected(facts);
    let before = bench.requests();
    let answer = ready(bench.writer.look(facts.object));
    assert_eq!(bench.requests() - before, 1, "a look is one request");
    let Ok(look) = answer.look else { panic!("a look failed: {:?}", answer.look) };
    assert!(!look.misfits.iter().any(|misfit| misfit.stops), "{:?}", look.misfits);
    assert!(answer.verdict.limits.iter().any(|report| report.pool == facts.told_pool));

    let lacking = Bench::new(facts, |_| {}, &[facts.no_field]);
    assert!(ready(lacking.writer.renew()).is_ok());
    let answer = ready(lacking.writer.look(facts.object));
    let Ok(look) = answer.look else { panic!("a look failed: {:?}", answer.look) };
    let names = |misfit: &Misfit| misfit.stops && misfit.found.contains(facts.no_field) && misfit.remedy.contains(facts.no_field);
    assert!(look.misfits.iter().any(names), "{:?}", look.misfits);

    let refused = Bench::connected(facts);
    let script = if facts.fetches_token { "expire_tokens: true" } else { "status: 401" };
    refused.faults(&format!("- on: {{operation: any}}\n  do: {{{script}}}\n"));
    let answer = ready(refused.writer.look(facts.object));
    assert!(answer.look.is_err() && answer.verdict.unauthorised, "{answer:?}");
}
