//! The real transport before a loopback server that answers as it is told.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// What the server does with every request of a connection.
#[derive(Clone)]
struct Behaviour {
    answer: Vec<u8>,
    /// Answers this many requests of a connection, then closes it.
    per_connection: usize,
}

struct Server {
    listener: TcpListener,
    behaviour: Behaviour,
    url: Url,
    requests: AtomicUsize,
    connections: AtomicUsize,
}

impl Server {
    async fn new(answer: &[u8], per_connection: usize) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = Url::parse(&format!("http://{}/p?q=s3cret", listener.local_addr().unwrap())).unwrap();
        let behaviour = Behaviour { answer: answer.to_vec(), per_connection };
        Self { listener, behaviour, url, requests: AtomicUsize::new(0), connections: AtomicUsize::new(0) }
    }

    /// Serves for as long as the work takes.
    async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            done = work => done,
            () = self.serve() => panic!("the server ended"),
        }
    }

    async fn serve(&self) {
        while let Ok((mut tcp, _)) = self.listener.accept().await {
            self.connections.fetch_add(1, Ordering::SeqCst);
            for _ in 0..self.behaviour.per_connection {
                if !whole_request(&mut tcp).await {
                    break;
                }
                self.requests.fetch_add(1, Ordering::SeqCst);
                let _ = tcp.write_all(&self.behaviour.answer).await;
            }
        }
    }

    /// One exchange by a transport of its own.
    async fn answer(&self) -> Result<HttpResponse, TransportError> {
        self.during(transport().exchange(post(&self.url))).await
    }
}

/// Reads up to the end of a request whose body is `{}`.
async fn whole_request(tcp: &mut tokio::net::TcpStream) -> bool {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n{}") {
        let mut part = [0; 1024];
        match tcp.read(&mut part).await {
            Ok(0) | Err(_) => return false,
            Ok(read) => seen.extend_from_slice(&part[..read]),
        }
    }
    true
}

fn transport() -> HttpTransport {
    // A second test that installs the provider finds it there.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    HttpTransport::new(None).unwrap()
}

fn post(url: &Url) -> HttpRequest {
    let headers = vec![("authorization", "Bearer s3cret".to_owned()), ("content-type", "application/json".to_owned())];
    HttpRequest { method: Method::Post, url: url.clone(), headers, body: b"{}".to_vec(), timeout: Duration::from_millis(500) }
}

async fn one(answer: &[u8]) -> (Result<HttpResponse, TransportError>, Server) {
    let server = Server::new(answer, 1).await;
    (server.answer().await, server)
}

#[tokio::test]
async fn an_answer_comes_whole_with_lower_case_headers() {
    let (answer, _) = one(b"HTTP/1.1 207 Multi-Status\r\nContent-Length: 2\r\nX-Limit: 7\r\n\r\n[]").await;
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.header("x-limit"), answer.body.as_slice()), (207, Some("7"), b"[]".as_slice()));
}

#[tokio::test]
async fn a_refused_connection_was_not_sent() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = Url::parse(&format!("http://{}/?q=s3cret", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let error = transport().exchange(post(&url)).await.unwrap_err();
    assert!(matches!(&error, TransportError::NotSent(why) if !why.contains("s3cret")), "{error:?}");
}

#[tokio::test]
async fn a_failed_handshake_was_not_sent() {
    let server = Server::new(b"", 0).await;
    let mut url = server.url.clone();
    url.set_scheme("https").unwrap();
    let error = server.during(transport().exchange(post(&url))).await.unwrap_err();
    assert!(matches!(error, TransportError::NotSent(_)), "{error:?}");
}

#[tokio::test]
async fn everything_after_the_request_left_is_lost_and_is_not_repeated() {
    let cases: [&[u8]; 4] = [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n[",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"nonsense\r\n\r\n",
    ];
    for answer in cases {
        let (seen, server) = one(answer).await;
        let error = seen.unwrap_err();
        assert!(matches!(&error, TransportError::Lost(why) if !why.contains("s3cret")), "{error:?}");
        assert_eq!(server.requests.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn silence_is_lost_after_the_time_allowed() {
    let server = Server::new(b"", 2).await;
    let error = server.answer().await.unwrap_err();
    assert!(matches!(error, TransportError::Lost(_)), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (answer, server) = one(b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(answer.unwrap().status, 307);
    assert_eq!(server.requests.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_endless_answer_is_lost() {
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", ANSWER_BYTES_MAX + 1).into_bytes();
    answer.resize(answer.len() + ANSWER_BYTES_MAX + 1, b' ');
    let server = Server::new(&answer, 1).await;
    let request = HttpRequest { timeout: Duration::from_secs(30), ..post(&server.url) };
    assert!(
        matches!(server.during(transport().exchange(request)).await, Err(TransportError::Lost(why)) if why.contains("more than"))
    );
}

#[tokio::test]
async fn connections_are_kept() {
    let server = Server::new(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", 3).await;
    let transport = transport();
    let thrice = async {
        for _ in 0..3 {
            assert_eq!(transport.exchange(post(&server.url)).await.unwrap().status, 200);
        }
    };
    server.during(thrice).await;
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    assert_eq!(server.requests.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_meanwhile_costs_no_second_request() {
    let server = Server::new(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", 1).await;
    let transport = transport();
    let repeatedly = async {
        for sent in 1..=20 {
            let before = server.requests.load(Ordering::SeqCst);
            match transport.exchange(post(&server.url)).await {
                Ok(answer) => {
                    assert_eq!(answer.status, 200);
                    assert_eq!(server.requests.load(Ordering::SeqCst), before + 1, "request {sent}");
                }
                Err(error) => assert!(matches!(error, TransportError::Lost(_)), "{error:?}"),
            }
        }
    };
    server.during(repeatedly).await;
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_is_told_without_its_value() {
    let url = Url::parse("http://127.0.0.1:1/").unwrap();
    let request = HttpRequest { headers: vec![("authorization", "Bearer s3cret\n".to_owned())], ..post(&url) };
    let error = transport().exchange(request.clone()).await.unwrap_err();
    assert!(matches!(&error, TransportError::NotSent(why) if !why.contains("s3cret")), "{error:?}");
    assert!(!format!("{request:?}").contains("s3cret"));
}
