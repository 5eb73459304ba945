//! The servers over real sockets: answers, control paths, resets, hangs that end with the servers.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Serving, decode_query, serve};
use crate::sandbox::{Sandbox, SandboxConfig};

async fn started(faults: &str) -> Serving {
    let config = SandboxConfig { faults: faults.to_owned(), ..SandboxConfig::default() };
    let sandbox = Arc::new(Mutex::new(Sandbox::new(config).unwrap()));
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    serve(sandbox, any, any).await.unwrap()
}

/// Status, head and body of one exchange on a connection of its own.
async fn exchange(to: SocketAddr, method: &str, path: &str, body: &str) -> io::Result<(u16, String, String)> {
    let mut tcp = TcpStream::connect(to).await?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nAuthorization: Bearer pat-sandbox-1\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    tcp.write_all(head.as_bytes()).await?;
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    Ok((status, head.to_lowercase(), body.to_owned()))
}

#[tokio::test]
async fn contact_goes_in_over_http_and_shows_in_the_state() {
    let serving = started("").await;
    let body = json!({"properties": {"email": "Ada@Acme.example", "syncline_id": "A-1"}}).to_string();
    let (status, head, answer) = exchange(serving.hubspot, "POST", "/crm/v3/objects/contacts", &body).await.unwrap();
    assert_eq!(status, 201);
    for header in ["x-hubspot-correlation-id: ", "x-hubspot-ratelimit-remaining: 99", "content-type: application/json;charset=utf-8"] {
        assert!(head.contains(header), "{head}");
    }
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["properties"]["email"], "ada@acme.example");

    // Either port steers both CRMs.
    let (_, _, state) = exchange(serving.salesforce, "GET", "/_sandbox/state", "").await.unwrap();
    let state: Value = serde_json::from_str(&state).unwrap();
    assert_eq!(state["hubspot"][0]["fields"]["syncline_id"], "A-1");
    assert_eq!(state["salesforce"], json!([]));
    let (_, _, counters) = exchange(serving.hubspot, "GET", "/_sandbox/counters", "").await.unwrap();
    let counters: Value = serde_json::from_str(&counters).unwrap();
    assert_eq!(counters["systems"]["hubspot"]["create"]["statuses"], json!({"201": 1}));
    let (_, _, requests) = exchange(serving.hubspot, "GET", "/_sandbox/requests", "").await.unwrap();
    assert!(requests.contains("\"path\":\"/crm/v3/objects/contacts\""), "{requests}");
    serving.shutdown().await;
}

#[tokio::test]
async fn edit_delete_and_reset_by_hand() {
    let serving = started("").await;
    let create = json!({"system": "hubspot", "object": "contacts", "fields": {"email": "a@acme.example"}}).to_string();
    let (status, _, answer) = exchange(serving.hubspot, "POST", "/_sandbox/edit", &create).await.unwrap();
    assert_eq!(status, 200);
    let id = serde_json::from_str::<Value>(&answer).unwrap()["id"].clone();
    let delete = json!({"system": "hubspot", "object": "contacts", "id": id, "fields": null}).to_string();
    assert_eq!(exchange(serving.hubspot, "POST", "/_sandbox/edit", &delete).await.unwrap().0, 200);
    assert_eq!(exchange(serving.hubspot, "POST", "/_sandbox/edit", &delete).await.unwrap().0, 422);
    assert_eq!(exchange(serving.hubspot, "POST", "/_sandbox/reset", "").await.unwrap().0, 204);
    let (_, _, state) = exchange(serving.hubspot, "GET", "/_sandbox/state?system=hubspot", "").await.unwrap();
    assert_eq!(state, "{\"hubspot\":[]}");
    assert_eq!(exchange(serving.hubspot, "GET", "/_sandbox/nothing", "").await.unwrap().0, 404);
    serving.shutdown().await;
}

#[tokio::test]
async fn reset_gives_no_byte_of_answer_though_it_is_applied() {
    let serving = started("- {on: {system: hubspot, operation: create}, do: {then: reset}}").await;
    let body = json!({"properties": {"email": "ada@acme.example"}}).to_string();
    let error = exchange(serving.hubspot, "POST", "/crm/v3/objects/contacts", &body).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    let (_, _, state) = exchange(serving.hubspot, "GET", "/_sandbox/state", "").await.unwrap();
    assert!(state.contains("ada@acme.example"), "{state}");
    serving.shutdown().await;
}

#[tokio::test]
async fn half_an_answer_announces_all_of_it_and_ends() {
    let serving = started("- {on: {system: hubspot, operation: create}, do: {then: close_half}}").await;
    let body = json!({"properties": {"email": "ada@acme.example"}}).to_string();
    let mut tcp = TcpStream::connect(serving.hubspot).await.unwrap();
    let head = format!(
        "POST /crm/v3/objects/contacts HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer pat-sandbox-1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    tcp.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await.unwrap();
    let (head, half) = answer.split_once("\r\n\r\n").unwrap();
    let announced = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
    assert!(head.starts_with("HTTP/1.1 201") && half.starts_with("{\"id\":\"88012345601\""), "{answer}");
    assert_eq!(half.len(), announced.unwrap() / 2);
    let (_, _, state) = exchange(serving.hubspot, "GET", "/_sandbox/state", "").await.unwrap();
    assert!(state.contains("ada@acme.example"), "{state}");
    serving.shutdown().await;
}

#[tokio::test]
async fn hang_ends_when_the_servers_stop_and_late_requests_are_applied() {
    let serving = started("- {on: {operation: create}, do: {late_ms: 600000}}").await;
    let body = json!({"properties": {"email": "ada@acme.example"}}).to_string();
    let hubspot = serving.hubspot;
    let watch = async {
        // The request has arrived once it is counted.
        while !exchange(hubspot, "GET", "/_sandbox/counters", "").await.unwrap().2.contains("\"unanswered\":1") {
            tokio::task::yield_now().await;
        }
        let (_, _, state) = exchange(hubspot, "GET", "/_sandbox/state", "").await.unwrap();
        assert!(!state.contains("ada@acme.example"));
        serving.shutdown().await;
    };
    let (hung, ()) = tokio::join!(exchange(hubspot, "POST", "/crm/v3/objects/contacts", &body), watch);
    assert!(hung.is_err());
}

#[tokio::test]
async fn fault_scripts_come_and_go_over_http() {
    let serving = started("").await;
    let script = "- do: {status: 429, body: daily, headers: {Retry-After: '7'}}";
    assert_eq!(exchange(serving.hubspot, "PUT", "/_sandbox/faults", script).await.unwrap().0, 204);
    assert_eq!(exchange(serving.hubspot, "GET", "/_sandbox/faults", "").await.unwrap().2, script);
    let (status, head, body) = exchange(serving.hubspot, "GET", "/crm/v3/objects/contacts", "").await.unwrap();
    assert_eq!(status, 429);
    assert!(head.contains("retry-after: 7") && body.contains("\"policyName\":\"DAILY\""), "{head} {body}");
    let (status, _, reason) = exchange(serving.hubspot, "PUT", "/_sandbox/faults", "- do: {apply: most}").await.unwrap();
    assert!(status == 400 && reason.contains("line 1, column 15"), "{reason}");
    assert_eq!(exchange(serving.hubspot, "DELETE", "/_sandbox/faults", "").await.unwrap().0, 204);
    assert_eq!(exchange(serving.hubspot, "GET", "/crm/v3/objects/contacts", "").await.unwrap().0, 200);
    serving.shutdown().await;
}

#[test]
fn query_strings_are_decoded() {
    let pairs = decode_query("properties=a%2Cb&q=x+y&flag&broken=%zz");
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(pairs, [("properties", "a,b"), ("q", "x y"), ("flag", ""), ("broken", "%zz")]);
}

#[tokio::test]
async fn one_port_takes_tls_and_plain_http() {
    use rustls::pki_types::pem::PemObject;

    let directory = tempfile::tempdir().unwrap();
    let tls = super::Tls::open(directory.path()).unwrap();
    let again = super::Tls::open(directory.path()).unwrap();
    assert_eq!(tls.certificate(), again.certificate());
    let sandbox = Arc::new(Mutex::new(Sandbox::new(SandboxConfig::default()).unwrap()));
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let serving = super::serve_tls(sandbox, any, any, Some(tls)).await.unwrap();

    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from_pem_file(again.certificate()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()));
    let tcp = TcpStream::connect(serving.salesforce).await.unwrap();
    let mut stream = connector.connect("127.0.0.1".try_into().unwrap(), tcp).await.unwrap();
    stream.write_all(b"GET /services/data HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("/services/data/v67.0"), "{answer}");

    assert_eq!(exchange(serving.salesforce, "GET", "/services/data", "").await.unwrap().0, 200);
    serving.shutdown().await;
}
