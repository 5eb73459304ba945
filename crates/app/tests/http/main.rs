//! The door for callers over real sockets: what is answered, when, and what is in the store afterwards.
//!
//! Promises: everything happens on loopback; nothing waits by the clock but for an answer that must come.
//! Leaves to others: bad input (the table beside this one), speed (`cargo xtask bench http`).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod crash;
mod follow;
mod limits;
mod process;
mod safety;
mod service;
mod world;

use serde_json::Value;
use syncline_core::ledger::{Counter, Offer};
use world::{Answer, World};

/// An event of a record of its own.
fn event(number: usize) -> String {
    format!(r#"{{"record":"contacts","operation":"create","timestamp":"2024-01-15T10:30:00Z","event_id":"e{number}","item":{{"id":"A{number}","name":"Alice","contact":"lead"}}}}"#)
}

fn json(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.text()))
}

#[tokio::test]
async fn what_was_answered_202_is_in_the_store_and_every_input_is_counted() {
    let world = World::start("").await;
    let answer = world.post(&format!("[{},{},{}]", event(1), event(2), r#"{"record":"planets"}"#), "").await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let told = json(&answer);
    assert_eq!([&told["accepted"], &told["duplicates"], &told["refused"]], [2, 0, 1]);
    assert_eq!(told["results"][2]["error"]["pointer"], "/2/record");
    assert_eq!(world.post(&event(1), "").await.status, 202);
    assert_eq!(world.post("{}", "").await.status, 400);
    assert_eq!(world.post(&event(2).replace("Alice", "Bob"), "").await.status, 409);
    let source = world.running.numbers["app"];
    let ledger = world.end().await;
    let count = |offer| ledger.counts.get(Counter::Source(syncline_core::ids::SourceId(source), offer));
    assert_eq!([Offer::Offered, Offer::Accepted, Offer::Duplicate, Offer::Refused, Offer::Told].map(count), [6, 2, 1, 3, 3]);
    assert_eq!((ledger.imbalances(), ledger.waiting), (vec![], 0));
}

#[tokio::test]
async fn a_request_that_is_repeated_under_its_key_does_nothing_and_gets_the_same_answer() {
    let world = World::start("").await;
    let key = "idempotency-key: \"k-1\"\r\n";
    let body = event(1).replace(r#""event_id":"e1","#, "");
    let first = world.post(&body, key).await;
    let again = world.post(&body, key).await;
    assert_eq!((first.status, again.status), (202, 202));
    assert_eq!(first.body, again.body);
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), (None, Some("true")));
    assert_eq!(world.post(&event(2), key).await.status, 422);
    let ledger = world.end().await;
    assert_eq!(ledger.counts.0.iter().find(|(counter, _)| matches!(counter, Counter::Source(_, Offer::Accepted))).map(|(_, count)| *count), Some(1));
}

#[tokio::test]
async fn a_request_under_a_key_that_is_under_way_is_told_so() {
    let world = World::still("").await;
    let key = "idempotency-key: k\r\n";
    let body = event(1);
    let first = async { world.post(&body, key).await };
    let second = async {
        while world.running.callers.as_ref().unwrap().queue.events() == 0 {
            tokio::task::yield_now().await;
        }
        world.post(&body, key).await
    };
    let mut first = Box::pin(first);
    let second = tokio::select! {
        answer = second => answer,
        early = first.as_mut() => panic!("answered before it was durable: {}", early.text()),
    };
    assert_eq!((second.status, json(&second)["code"].as_str()), (409, Some("key_in_progress")));
    let workers = std::mem::take(&mut *world.workers.lock().unwrap());
    let drive = world.drive(workers);
    assert_eq!(first.await.status, 202);
    drive.stop().await;
    world.end().await;
}

#[test]
fn the_reference_explains_every_code_with_its_status_and_remedy() {
    let reference = include_str!("../../../../docs/reference/http.md");
    for code in syncline::api::Code::ALL {
        let row = format!("| <a id=\"{0}\"></a>`{0}` | {1} | {2} | {3} |", code.name(), code.status(), code.title(), code.remedy());
        assert!(reference.contains(&row), "docs/reference/http.md lacks\n{row}");
    }
}

#[tokio::test]
async fn live_and_ready_are_two_questions() {
    let world = World::start("").await;
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").into_bytes();
    let live = world.send(&get("/livez")).await;
    assert_eq!((live.status, json(&live)["status"].as_str()), (200, Some("live")));
    let ready = world.send(&get("/readyz")).await;
    assert_eq!((ready.status, ready.text().as_str()), (200, r#"{"status":"ready"}"#));
    let whole = world.send(&get("/readyz?verbose")).await;
    assert_eq!(json(&whole)["checks"][0], serde_json::json!({ "name": "store", "status": "ok" }));
    world.end().await;
}

#[tokio::test]
async fn a_caller_whose_request_is_under_way_is_answered_before_the_end() {
    let world = World::still("").await;
    let body = event(1);
    let mut asked = Box::pin(world.post(&body, ""));
    let arrived = async {
        while world.running.callers.as_ref().unwrap().queue.events() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! { () = arrived => {}, early = asked.as_mut() => panic!("{}", early.text()) }
    let workers = std::mem::take(&mut *world.workers.lock().unwrap());
    let drive = world.drive(workers);
    // Whether intake begins before or after it is told to end, the caller gets its answer.
    let ((), answer) = tokio::join!(drive.stop(), asked);
    assert_eq!(answer.status, 202, "{}", answer.text());
    world.end().await;
}
