//! Who may listen where, TLS, and tokens that are made and revoked while the process runs.

use std::sync::Arc;

use axum::Router;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use syncline::api::{Gate, TokenBook, make_secret, serve};
use syncline::config::ApiConfig;
use syncline::control::{Answer as Told, Request, operate};
use syncline_core::token::TokenScope;
use syncline_engine::error::Kind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::event;
use super::world::{Answer, World};

#[tokio::test]
async fn an_address_that_others_can_reach_is_refused_without_tls_and_without_tokens() {
    let world = World::start("").await;
    let public = ApiConfig { listen: ([0, 0, 0, 0], 0).into(), ..ApiConfig::default() };
    let open = |config: ApiConfig| {
        let tokens = Arc::new(TokenBook::new(&config, Vec::new()));
        serve(Arc::new(Gate::new(world.running.clone(), tokens, config)), Router::new())
    };
    for (config, why) in [(public.clone(), "no TLS"), (ApiConfig { behind_proxy: true, ..public }, "no token")] {
        let Err(error) = open(config).await else { panic!("it listens") };
        assert_eq!(error.kind, Kind::Config);
        assert!(error.message.contains(why), "{error}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_token_lets_in_from_when_it_is_made_until_it_is_revoked() {
    let world = World::start("").await;
    let (secret, digest) = make_secret(TokenScope::Events).unwrap();
    let bearer = format!("authorization: Bearer {secret}\r\n");
    assert_eq!(world.post(&event(1), "").await.status, 202, "no token is known, and the address is loopback");
    let made = operate(&Request::CreateToken { name: "bridge".into(), digest: digest.clone() }, &*world.running).await.unwrap();
    let Told::Tokens { tokens: made } = made else { panic!("{made:?}") };
    assert_eq!((made[0].name.as_str(), made[0].revoked_at.as_ref()), ("bridge", None));
    assert_eq!(world.post(&event(2), "").await.status, 401);
    assert_eq!(world.post(&event(2), &bearer).await.status, 202);
    let again = operate(&Request::CreateToken { name: "bridge".into(), digest }, &*world.running).await;
    assert_eq!(again.map(|_| ()).unwrap_err().kind, Kind::Operator);
    operate(&Request::RevokeToken { name: "bridge".into() }, &*world.running).await.unwrap();
    let refused = world.post(&event(3), &bearer).await;
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some("Bearer")));
    assert_eq!(world.post(&event(3), "").await.status, 401, "a revoked token opens the door to nobody");
    world.end().await;
}

#[tokio::test]
async fn over_tls_an_event_is_taken_and_plain_text_is_not() {
    // Another test may have been faster.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let directory = tempfile::tempdir().unwrap();
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (cert_file, key_file) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    std::fs::write(&cert_file, cert.pem()).unwrap();
    std::fs::write(&key_file, signing_key.serialize_pem()).unwrap();
    let world = World::start(&format!("tls: {{ cert: {}, key: {} }}", cert_file.display(), key_file.display())).await;
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let tcp = TcpStream::connect(world.serving.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap();
    let body = event(1);
    let request = format!("POST /v1/events HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    // A peer that closes without a farewell has said all the same what it had to say.
    let _ = stream.read_to_end(&mut bytes).await;
    assert_eq!(Answer::read(&bytes).status, 202);
    assert_eq!(world.post(&event(2), "").await.status, 0);
    world.end().await;
}

/// A connection that trusts that certificate alone.
async fn connect(world: &World, cert: &rcgen::Certificate) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let tcp = TcpStream::connect(world.serving.address).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), tcp).await
}

async fn is_alive(stream: &mut TlsStream<TcpStream>) -> bool {
    stream.write_all(b"GET /livez HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut bytes = vec![0; 4096];
    let count = stream.read(&mut bytes).await.unwrap();
    Answer::read(&bytes[..count]).status == 200
}

#[tokio::test]
async fn a_certificate_that_is_replaced_greets_the_next_connection_and_cuts_no_other() {
    // Another test may have been faster.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let directory = tempfile::tempdir().unwrap();
    let (cert_file, key_file) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    let [old, new] = [(); 2].map(|()| generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap());
    // Times of files are coarse on some disks; a remark makes the length another one.
    std::fs::write(&cert_file, old.cert.pem()).unwrap();
    std::fs::write(&key_file, old.signing_key.serialize_pem()).unwrap();
    let world = World::start(&format!("tls: {{ cert: {}, key: {} }}", cert_file.display(), key_file.display())).await;
    let mut first = connect(&world, &old.cert).await.unwrap();
    assert!(is_alive(&mut first).await);
    std::fs::write(&cert_file, format!("a new one\n{}", new.cert.pem())).unwrap();
    assert!(is_alive(&mut connect(&world, &old.cert).await.unwrap()).await, "half of a pair changes nothing");
    std::fs::write(&key_file, format!("a new one\n{}", new.signing_key.serialize_pem())).unwrap();
    assert!(is_alive(&mut connect(&world, &new.cert).await.unwrap()).await);
    assert!(connect(&world, &old.cert).await.is_err());
    assert!(is_alive(&mut first).await, "a connection keeps what it was greeted with");
    drop(first);
    world.end().await;
}

/// What the command line answers, as JSON.
fn tokens(directory: &std::path::Path, arguments: &[&str]) -> (Option<i32>, serde_json::Value) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_syncline"));
    let output = command.arg("tokens").args(arguments).arg("--json").current_dir(directory).output().unwrap();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default())
}

#[test]
fn the_command_line_shows_a_token_once_and_keeps_its_digest() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let (exit, printed) = tokens(here, &["create", "bridge", "--print"]);
    assert_eq!(exit, Some(0));
    assert!(printed["token"].as_str().unwrap().starts_with("syncline_events_"));
    assert_eq!(here.read_dir().unwrap().count(), 0, "nothing is kept");
    std::fs::write(here.join("syncline.yaml"), "systems: { app: { kind: stdin } }\nrouting: {}\n").unwrap();
    assert_eq!(tokens(here, &["create", "bridge"]).0, Some(66), "there is no store yet");
    // A run over an empty pipe makes the store and ends.
    let mut run = std::process::Command::new(env!("CARGO_BIN_EXE_syncline"));
    let ended = run.arg("run").current_dir(here).stdin(std::process::Stdio::null()).stderr(std::process::Stdio::null()).status();
    assert!(ended.unwrap().success());
    let (exit, made) = tokens(here, &["create", "bridge"]);
    assert_eq!(exit, Some(0));
    let (_, listed) = tokens(here, &["list"]);
    assert_eq!((&listed["tokens"][0]["name"], &listed["tokens"][0]["revoked_at"]), (&"bridge".into(), &serde_json::Value::Null));
    assert!(made["sha256"].as_str().unwrap().starts_with(listed["tokens"][0]["digest"].as_str().unwrap()));
    assert_eq!(tokens(here, &["create", "bridge"]).0, Some(1));
    assert_eq!(tokens(here, &["revoke", "bridge"]).0, Some(0));
    assert!(tokens(here, &["list"]).1["tokens"][0]["revoked_at"].is_string());
    assert_eq!(tokens(here, &["revoke", "other"]).0, Some(1));
    let store = std::fs::read(here.join("syncline.db")).unwrap();
    let secret = made["token"].as_str().unwrap().as_bytes();
    assert!(!store.windows(secret.len()).any(|window| window == secret), "the secret is in no file");
}
