//! A machine with an open door on loopback, and a client that says exactly what it is told to.

#![allow(dead_code, reason = "each test target uses a part of it")]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use syncline::api::{Gate, Serving, serve};
use syncline::clock::WallClock;
use syncline::config;
use syncline::run::{Drive, Running, within};
use syncline::wiring::{OpenStore, Wishes, assemble, open_store};
use syncline_core::ledger::Ledger;
use syncline_engine::ports::clock::Clock;
use syncline_engine::ports::store::Store;
use syncline_engine::workers::Worker;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// No answer of these tests takes so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running machine whose events go nowhere.
pub struct World {
    pub running: Arc<Running>,
    pub serving: Serving,
    pub workers: Mutex<Vec<Box<dyn Worker>>>,
    drive: Option<Drive>,
    open: OpenStore,
    _directory: TempDir,
}

/// What was answered.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Reads one answer out of all that a connection brought.
    pub fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(bytes.len());
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|word| word.parse().ok()).unwrap_or(0);
        let headers = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { status, headers, body: bytes.get(end + 4..).unwrap_or_default().to_vec() }
    }
}

impl World {
    /// A machine with these settings of `api`, lines or one line in flow style without its braces.
    pub async fn start(api: &str) -> Self {
        let mut world = Self::still(api).await;
        world.go();
        world
    }

    /// A machine whose intake takes nothing yet.
    pub async fn still(api: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let comma = if api.is_empty() { "" } else { ", " };
        let text = format!(
            "data: {}\nsystems: {{ app: {{ kind: http }} }}\nrouting: {{}}\napi: {{ listen: \"127.0.0.1:0\"{comma}{api} }}\n",
            directory.path().display()
        );
        Self::over(directory, &text).await
    }

    async fn over(directory: TempDir, text: &str) -> Self {
        let config = Arc::new(config::load(text, "syncline.yaml", &|_| None).unwrap());
        let open = open_store(Path::new(&config.store_path())).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(WallClock);
        let machine = assemble(config.clone(), &open, clock, Wishes::default()).await.unwrap();
        let running = machine.running;
        let gate = Gate::new(running.clone(), running.tokens.clone(), config.api.clone().unwrap());
        let serving = serve(Arc::new(gate), Router::new()).await.unwrap();
        Self { running, serving, workers: Mutex::new(machine.workers), drive: None, open, _directory: directory }
    }

    /// Lets intake work.
    pub fn go(&mut self) {
        let workers = std::mem::take(&mut *self.workers.lock().unwrap());
        self.drive = Some(self.drive(workers));
    }

    /// Drives workers.
    pub fn drive(&self, workers: Vec<Box<dyn Worker>>) -> Drive {
        let clock: Arc<dyn Clock> = Arc::new(WallClock);
        Drive::start(workers, &clock)
    }

    /// Sends bytes on a connection of their own and reads until the other side closes it.
    pub async fn send(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.serving.address).await.unwrap();
        // A door that refuses a long body closes before it has read all of it.
        let _ = stream.write_all(request).await;
        let mut bytes = Vec::new();
        let read = within(PATIENCE, stream.read_to_end(&mut bytes)).await;
        assert!(read.is_some(), "no answer came: {}", String::from_utf8_lossy(request).chars().take(200).collect::<String>());
        Answer::read(&bytes)
    }

    /// Sends one event's body.
    pub async fn post(&self, body: &str, more: &str) -> Answer {
        let request = format!(
            "POST /v1/events HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-type: application/json\r\n{more}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.send(request.as_bytes()).await
    }

    /// Stops everything as an operator does; the ledger at the end.
    pub async fn end(self) -> Ledger {
        let Self { running, serving, workers, drive, open, _directory } = self;
        drop(workers);
        serving.stop().await;
        if let Some(drive) = drive {
            drive.stop().await;
        }
        let ledger = running.store.ledger().await.unwrap();
        drop(running);
        open.close();
        ledger
    }
}
