//! A feed with callers: docs/spec/feed.md, F16 to F19, for calls over HTTP.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use syncline_adapters::systems::http::config::QueueSettings;
use syncline_adapters::systems::http::feed::HttpFeed;
use syncline_adapters::systems::http::queue::{CallQueue, NotTaken};
use syncline_core::event::{SourceSettings, decode};
use syncline_core::outcome::Judgement;
use syncline_core::schema::Schemas;
use syncline_engine::error::{Error, Kind};
use syncline_engine::ports::feed::{Answer, Call, CallGroup, CallKey, Feed, Polled};
use syncline_testkit::contract::feed::{NOW, SOURCE, at_once};

fn call(inputs: usize, key: Option<&str>) -> Call {
    let input = || decode(b"{}", &Schemas::default(), &SourceSettings::default());
    Call { inputs: (0..inputs).map(|_| input()).collect(), key: key.map(|key| CallKey { key: key.into(), digest: 1 }) }
}

fn open(settings: QueueSettings) -> (Arc<CallQueue>, HttpFeed) {
    let queue = CallQueue::shared(settings);
    let mut feed = HttpFeed::new(SOURCE, queue.clone());
    at_once(feed.seek(None)).unwrap();
    (queue, feed)
}

fn poll(feed: &mut HttpFeed, max: usize) -> Option<CallGroup> {
    match at_once(feed.poll(max, NOW)).unwrap() {
        Polled::Calls(group) => Some(group),
        Polled::Idle { until } => {
            assert!(until > NOW);
            None
        }
        Polled::Group(_) | Polled::Ended => panic!("callers may always come"),
    }
}

#[test]
fn f16_every_input_of_a_call_has_one_position_and_every_life_is_an_epoch() {
    let (queue, mut feed) = open(QueueSettings::default());
    let _waiting = [queue.offer(call(2, None), 1).unwrap(), queue.offer(call(3, None), 1).unwrap(), queue.offer(call(1, None), 1).unwrap()];
    let first = poll(&mut feed, 5).unwrap();
    assert_eq!((first.epoch, first.first_position, first.calls.len(), first.checkpoint.position, first.more), (1, 0, 2, 5, true));
    feed.answer(Ok(vec![Answer::Judged(vec![]), Answer::Judged(vec![])]));
    let second = poll(&mut feed, 5).unwrap();
    assert_eq!((second.first_position, second.checkpoint.position, second.more), (5, 6, false));
    assert_eq!(second.checkpoint.source, SOURCE);
    let mut other = HttpFeed::new(SOURCE, queue.clone());
    at_once(other.seek(Some(second.checkpoint))).unwrap();
    let _last = queue.offer(call(1, None), 1).unwrap();
    let next = poll(&mut other, 5).unwrap();
    assert_eq!((next.epoch, next.first_position), (2, 0));
}

#[test]
fn f17_every_caller_gets_its_own_answer_or_learns_that_nothing_is_known() {
    let (queue, mut feed) = open(QueueSettings::default());
    let (one, two) = (queue.offer(call(1, None), 1).unwrap(), queue.offer(call(1, Some("k")), 1).unwrap());
    poll(&mut feed, 10).unwrap();
    feed.answer(Ok(vec![Answer::Judged(vec![Judgement::Duplicate]), Answer::KeyTaken]));
    assert_eq!(at_once(one).unwrap().unwrap(), Answer::Judged(vec![Judgement::Duplicate]));
    assert_eq!(at_once(two).unwrap().unwrap(), Answer::KeyTaken);
    let three = queue.offer(call(1, Some("k")), 1).unwrap();
    poll(&mut feed, 10).unwrap();
    feed.answer(Err(&Error::new(Kind::StoreFull, "no room")));
    assert_eq!(at_once(three).unwrap().unwrap_err().kind, Kind::StoreFull);
    let four = queue.offer(call(1, Some("k")), 1).unwrap();
    drop((feed, queue));
    assert!(at_once(four).is_err(), "nobody is left who could answer");
}

#[test]
fn f18_what_callers_were_refused_is_handed_over_to_be_counted_once() {
    let (queue, mut feed) = open(QueueSettings::default());
    queue.told(2);
    queue.told(1);
    let group = poll(&mut feed, 10).unwrap();
    assert_eq!((group.told, group.calls.len()), (3, 0));
    feed.answer(Ok(vec![]));
    assert_eq!(poll(&mut feed, 10), None);
}

#[test]
fn f19_what_waits_is_bounded_and_a_key_waits_once() {
    let (queue, mut feed) = open(QueueSettings { events_max: 3, bytes_max: 10 });
    let too_large = queue.offer(call(9, None), 99).unwrap();
    assert_eq!(queue.offer(call(1, None), 1).unwrap_err(), NotTaken::Full);
    poll(&mut feed, 1).unwrap();
    feed.answer(Ok(vec![Answer::KeyTaken]));
    assert!(at_once(too_large).is_ok());
    let _one = queue.offer(call(2, Some("k")), 1).unwrap();
    assert_eq!(queue.offer(call(1, Some("k")), 1).unwrap_err(), NotTaken::InProgress);
    assert_eq!(queue.offer(call(2, None), 1).unwrap_err(), NotTaken::Full);
    assert_eq!(queue.offer(call(1, None), 10).unwrap_err(), NotTaken::Full);
    assert_eq!(queue.events(), 2);
    poll(&mut feed, 10).unwrap();
    assert_eq!(queue.offer(call(1, Some("k")), 1).unwrap_err(), NotTaken::InProgress, "its answer is not out yet");
    feed.answer(Ok(vec![Answer::KeyTaken]));
    let _again = queue.offer(call(1, Some("k")), 1).unwrap();
    queue.close();
    assert_eq!(queue.offer(call(1, None), 1).unwrap_err(), NotTaken::Stopping);
    assert_eq!(poll(&mut feed, 10).unwrap().calls.len(), 1, "what waits is still handed over");
}
