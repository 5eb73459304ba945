//! Renewal by the clock, rotation, and what outlives the process.

use std::sync::Mutex;
use std::sync::atomic::AtomicI64;

use async_trait::async_trait;
use secrecy::SecretString;
use syncline_core::time::Timestamp;
use syncline_engine::error::Kind;
use syncline_engine::ports::clock::Clock;
use tempfile::TempDir;

use super::*;
use crate::systems::hubspot::config::OAuthApp;
use crate::transport::{Method, Transport};

/// An account that gives each refresh token once, and the time.
struct World {
    seconds: AtomicI64,
    good: Mutex<String>,
    asked: Mutex<Vec<String>>,
    folder: TempDir,
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.seconds.load(Ordering::SeqCst) * 1000)
    }
}

#[async_trait]
impl Transport for World {
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let mut asked = self.asked.lock().unwrap();
        let body = String::from_utf8(request.body).unwrap();
        if request.url.path() != "/oauth/v3/token" {
            return Ok(HttpResponse { status: 401, ..HttpResponse::default() });
        }
        let sent = body.rsplit('=').next().unwrap().to_owned();
        asked.push(sent.clone());
        let mut good = self.good.lock().unwrap();
        let (status, body) = if sent == *good {
            *good = format!("r{}", asked.len() + 1);
            (200, format!(r#"{{"access_token":"a","refresh_token":"{good}","expires_in":1800}}"#))
        } else {
            (400, r#"{"status":"BAD_REFRESH_TOKEN","error":"invalid_grant"}"#.to_owned())
        };
        Ok(HttpResponse { status, body: body.into_bytes(), ..HttpResponse::default() })
    }
}

fn world() -> Arc<World> {
    let good = Mutex::new("r1".to_owned());
    Arc::new(World { seconds: AtomicI64::new(0), good, asked: Mutex::default(), folder: tempfile::tempdir().unwrap() })
}

fn client(world: &Arc<World>, configured: &str) -> Client {
    let secret = |text: &str| SecretString::from(text.to_owned());
    let app = OAuthApp { client_id: "id".into(), client_secret: secret("s"), refresh_token: secret(configured) };
    let url = Url::parse("https://api.hubapi.com").unwrap();
    let settings = Settings::signed_in_by(SignIn::OAuth(app), url, Default::default());
    Client::new(Means::new(world.clone(), world.clone(), world.folder.path().join("hub.json")), &settings)
}

#[tokio::test]
async fn a_token_is_renewed_by_the_clock_and_not_before() {
    let world = world();
    let client = client(&world, "r1");
    assert!(client.token().is_none());
    client.renew().await.unwrap();
    client.renew().await.unwrap();
    world.seconds.store(1499, Ordering::SeqCst);
    client.renew().await.unwrap();
    assert_eq!(world.asked.lock().unwrap().len(), 1);
    world.seconds.store(1500, Ordering::SeqCst);
    assert!(client.token().is_none());
    client.renew().await.unwrap();
    assert_eq!(*world.asked.lock().unwrap(), ["r1", "r2"]);
}

#[tokio::test]
async fn the_rotated_token_is_used_after_a_restart_and_a_new_one_wins() {
    let world = world();
    client(&world, "r1").renew().await.unwrap();
    client(&world, "r1").renew().await.unwrap();
    assert_eq!(*world.asked.lock().unwrap(), ["r1", "r2"]);
    assert_eq!(client(&world, "fresh").renew().await.unwrap_err().kind, Kind::AuthEnded);
    *world.good.lock().unwrap() = "fresh".to_owned();
    client(&world, "fresh").renew().await.unwrap();
}

#[tokio::test]
async fn renewals_at_once_fetch_one_token_and_a_refused_one_is_replaced() {
    let world = world();
    let client = client(&world, "r1");
    let (first, second) = tokio::join!(client.renew(), client.renew());
    assert!(first.is_ok() && second.is_ok());
    let token = client.token().unwrap();
    client.call(&token, Call::bare(Method::Get, "/account-info/v3/details".to_owned())).await.unwrap();
    assert!(client.token().is_none());
    client.renew().await.unwrap();
    assert_eq!(world.asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_token_whose_successor_cannot_be_kept_is_not_used() {
    let world = world();
    let client = client(&world, "r1");
    let draft = world.folder.path().join("hub.new");
    std::fs::create_dir(&draft).unwrap();
    assert_eq!(client.renew().await.unwrap_err().kind, Kind::StoreUnavailable);
    assert!(client.token().is_none());
    std::fs::remove_dir(&draft).unwrap();
    client.renew().await.unwrap();
    assert_eq!(*world.asked.lock().unwrap(), ["r1", "r2"]);
}
