//! What a caller learns beside the answer: where its event can be followed, and how its token stands.

use syncline_engine::ports::store::Store;

use super::world::World;
use super::{event, json};

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn an_accepted_event_can_be_followed_and_shows_no_value() {
    let world = World::start("").await;
    let taken = world.post(&event(1), "").await;
    let place = taken.header("location").map(str::to_owned).unwrap();
    assert_eq!((taken.status, place.as_str()), (202, "/v1/events/1"));
    let followed = world.send(&get(&place)).await;
    assert_eq!((followed.status, followed.header("cache-control")), (200, Some("no-store")));
    let told = json(&followed);
    assert_eq!((&told["event"], &told["status"], &told["came_to"], &told["operation"]), (&1.into(), &"skipped".into(), &"unrouted".into(), &"create".into()));
    assert!(!followed.text().contains("Alice") && !followed.text().contains("A1"), "{}", followed.text());
    // Of several each has its id in its own result.
    let several = world.post(&format!("[{},{}]", event(2), event(3)), "").await;
    assert_eq!((several.header("location"), &json(&several)["results"][1]["event"]), (None, &3.into()));
    assert_eq!(world.post(&event(1), "").await.header("location"), None, "a duplicate is no event of its own");
    for missing in ["/v1/events/99", "/v1/events/many", "/v1/events/1/more"] {
        let answer = world.send(&get(missing)).await;
        assert_eq!((answer.status, json(&answer)["code"].as_str()), (404, Some("not_found")), "{missing}");
    }
    let posted = world.send(b"DELETE /v1/events/1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert_eq!((posted.status, posted.header("allow")), (405, Some("GET, HEAD")));
    assert_eq!(world.running.store.ledger().await.unwrap().imbalances(), vec![]);
    world.end().await;
}

#[tokio::test]
async fn where_there_is_a_rate_every_answer_tells_how_the_token_stands() {
    let world = World::start("limits: { rate: 1 }").await;
    let first = world.post(&event(1), "").await;
    assert_eq!((first.status, first.header("ratelimit-policy"), first.header("ratelimit")), (202, Some("\"requests\";q=1;w=1"), Some("\"requests\";r=0;t=1")));
    // The bucket fills meanwhile, so one of many is refused.
    let mut refused = world.post("{}", "").await;
    while refused.status != 429 {
        refused = world.post("{}", "").await;
    }
    assert_eq!((refused.header("ratelimit"), refused.header("retry-after")), (Some("\"requests\";r=0;t=1"), Some("1")));
    world.end().await;
    let world = World::start("").await;
    assert_eq!(world.post(&event(1), "").await.header("ratelimit"), None);
    world.end().await;
}
