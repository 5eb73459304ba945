//! Bounds: what waits, how many connect, how slowly one may speak or listen, and that the others do not notice.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::world::{Answer, World};
use super::{event, json};

#[tokio::test]
async fn a_full_queue_is_told_with_a_time_to_come_back() {
    let world = World::still("limits: { queue: 1 }").await;
    let (one, other) = (event(1), event(2));
    let mut first = Box::pin(world.post(&one, ""));
    let second = async {
        while world.running.callers.as_ref().unwrap().queue.events() == 0 {
            tokio::task::yield_now().await;
        }
        world.post(&other, "").await
    };
    let second = tokio::select! { answer = second => answer, early = first.as_mut() => panic!("{}", early.text()) };
    assert_eq!((second.status, json(&second)["code"].as_str()), (503, Some("queue_full")));
    assert_eq!(second.header("retry-after"), Some("1"));
    let workers = std::mem::take(&mut *world.workers.lock().unwrap());
    let drive = world.drive(workers);
    assert_eq!(first.await.status, 202);
    drive.stop().await;
    world.end().await;
}

#[tokio::test]
async fn one_connection_too_many_is_told_at_once_and_the_others_go_on() {
    let world = World::start("limits: { connections: 2 }").await;
    let mut idle = TcpStream::connect(world.serving.address).await.unwrap();
    let mut working = TcpStream::connect(world.serving.address).await.unwrap();
    assert_eq!(ask(&mut working).await.status, 200);
    assert_eq!(ask(&mut idle).await.status, 200);
    let refused = world.post(&event(1), "").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    assert_eq!(ask(&mut working).await.status, 200);
    drop((idle, working));
    while world.post(&event(1), "").await.status != 202 {
        tokio::task::yield_now().await;
    }
    world.end().await;
}

#[tokio::test]
async fn an_address_has_its_share_of_connections() {
    let world = World::start("limits: { connections_per_address: 1 }").await;
    let mut first = TcpStream::connect(world.serving.address).await.unwrap();
    assert_eq!(ask(&mut first).await.status, 200);
    let refused = world.post(&event(1), "").await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    assert_eq!(ask(&mut first).await.status, 200);
    drop(first);
    while world.post(&event(1), "").await.status != 202 {
        tokio::task::yield_now().await;
    }
    world.end().await;
}

/// Asks on a connection that goes on.
async fn ask(stream: &mut TcpStream) -> Answer {
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut bytes = vec![0; 4096];
    let count = stream.read(&mut bytes).await.unwrap();
    Answer::read(&bytes[..count])
}

#[tokio::test]
async fn idle_connections_and_a_slow_reader_change_nothing_for_the_others() {
    let world = World::start("").await;
    let mut idle = Vec::new();
    for _ in 0..500 {
        idle.push(TcpStream::connect(world.serving.address).await.unwrap());
    }
    let slow = TcpStream::connect(world.serving.address).await.unwrap();
    let requests = b"GET /readyz?verbose HTTP/1.1\r\nhost: a\r\n\r\n".repeat(20_000);
    // It sends as much as fits and reads nothing.
    while let Ok(1..) = slow.try_write(&requests) {}
    for number in 0..20 {
        assert_eq!(world.post(&event(number), "").await.status, 202);
    }
    assert!(idle.iter().all(|stream| stream.try_read(&mut [0; 1]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)));
    drop((idle, slow));
    world.end().await;
}

#[tokio::test]
async fn who_says_nothing_is_let_go_and_who_dawdles_is_told() {
    let world = World::start("limits: { idle: 200ms, body_time: 200ms }").await;
    let mut silent = TcpStream::connect(world.serving.address).await.unwrap();
    let mut nothing = Vec::new();
    silent.read_to_end(&mut nothing).await.unwrap();
    assert!(nothing.is_empty(), "{}", String::from_utf8_lossy(&nothing));
    let slow = b"POST /v1/events HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    let answer = world.send(slow).await;
    assert_eq!((answer.status, json(&answer)["code"].as_str()), (408, Some("body_timeout")));
    world.end().await;
}
