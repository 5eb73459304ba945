//! What the tests of the command line share: running the binary, and a machine over emulated CRMs.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use syncline::clock::WallClock;
use syncline::config;
use syncline::control::{self, Control};
use syncline::run::{Drive, Running};
use syncline::wiring::{OpenStore, Wishes, assemble, open_store};
use syncline_engine::ports::clock::Clock;
use syncline_sandbox::sandbox::{Sandbox, SandboxConfig};
use syncline_sandbox::server::{Serving, serve};
use tempfile::TempDir;

/// How a command ended.
pub struct Ended {
    pub exit: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// All of it, for goldens.
    pub fn told(&self) -> String {
        let err = if self.err.is_empty() { String::new() } else { format!("--- stderr\n{}", self.err) };
        timeless(&format!("{}{err}--- exit {}", self.out, self.exit))
    }

    pub fn json(&self) -> serde_json::Value {
        let value: serde_json::Value = serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err));
        assert_eq!(value["format_version"], 1);
        value
    }
}

/// The binary in a directory, with the credentials of the emulated CRMs and nothing else in its environment.
pub fn binary(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_syncline"));
    command.current_dir(directory).env_clear();
    command.env("SF_SECRET", "sandbox-secret").env("HUBSPOT_TOKEN", "pat-sandbox-1");
    command
}

/// A child that is not yet the command holds every lock that this process held when it was made: no store is closed meanwhile.
static SPAWNING: Mutex<()> = Mutex::new(());

/// Starts a command.
pub fn spawn(command: &mut Command) -> Child {
    let _alone = SPAWNING.lock().unwrap_or_else(PoisonError::into_inner);
    command.spawn().unwrap()
}

/// Closes a store, so that its lock is free at once.
pub fn close(open: OpenStore) {
    let _alone = SPAWNING.lock().unwrap_or_else(PoisonError::into_inner);
    open.close();
}

/// Runs a command.
pub fn syncline(directory: &Path, args: &[&str]) -> Ended {
    syncline_with(directory, args, "")
}

/// Runs a command with this on its standard input.
pub fn syncline_with(directory: &Path, args: &[&str], input: &str) -> Ended {
    let mut command = binary(directory);
    let mut child = spawn(command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()));
    // A command that does not read its input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { exit: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// A text with the present's times left out.
pub fn timeless(text: &str) -> String {
    let mut told = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("T") {
        let digits = |text: &str| text.bytes().rev().take_while(|byte| byte.is_ascii_digit() || *byte == b'-').count();
        let (before, after) = rest.split_at(at);
        let date = digits(before);
        let time = after[1..].bytes().take_while(|byte| byte.is_ascii_digit() || b":.".contains(byte)).count();
        if date == 10 && !before.ends_with("2024-01-15") && after[1 + time..].starts_with('Z') {
            told.push_str(&before[..at - date]);
            told.push_str("TIME");
            rest = &after[time + 2..];
        } else {
            told.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
        }
    }
    told + rest
}

/// A directory with a configuration, a file of events, and emulated CRMs to talk to.
pub struct World {
    pub directory: TempDir,
    /// The emulated CRMs.
    pub sandbox: Arc<Mutex<Sandbox>>,
    serving: Serving,
}

/// A machine that runs.
pub struct Process {
    drive: Drive,
    control: Control,
    pub running: Arc<Running>,
    open: OpenStore,
}

/// One record for each CRM, one that is refused there, and a line that is no event.
pub const EVENTS: &str = r#"{"record":"contacts","operation":"create","timestamp":"2024-01-15T10:30:00Z","event_id":"e1","item":{"id":"A1","name":"Alice Smith","email":"alice@example.com","contact":"lead"}}
{"record":"contacts","operation":"create","timestamp":"2024-01-15T10:31:00Z","item":{"id":"B1","name":"Bob Lee","contact":"customer"}}
{"record":"contacts","operation":"create","timestamp":"2024-01-15T10:32:00Z","item":{"id":"C1","contact":"employee"}}
{"record":"contacts","operation":"upsert","timestamp":"2024-01-15T10:33:00Z","item":{"id":"D1"}}
{"record":"contacts","operation":"update","timestamp":"2024-01-15T10:34:00Z","item":{"id":"A1","phone":"+1-555-123-4567"}}
"#;

impl World {
    /// Emulated CRMs with these settings, and a configuration that names them.
    pub async fn make(settings: SandboxConfig) -> Self {
        // Another test may have been faster.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let directory = TempDir::new().unwrap();
        let sandbox = Arc::new(Mutex::new(Sandbox::new(settings).unwrap()));
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let serving = serve(Arc::clone(&sandbox), any, any).await.unwrap();
        let text = format!(
            "data: {}\nsystems:\n  internal: {{ kind: file, path: {}, follow: false }}\n  salesforce: {{ kind: salesforce, url: \"http://{}\", auth: {{ client_credentials: {{ id: sandbox-client, secret: \"${{SF_SECRET}}\" }} }} }}\n  hubspot: {{ kind: hubspot, url: \"http://{}\", token: \"${{HUBSPOT_TOKEN}}\" }}\n",
            directory.path().display(),
            directory.path().join("contacts.jsonl").display(),
            serving.salesforce,
            serving.hubspot
        );
        std::fs::write(directory.path().join("syncline.yaml"), text).unwrap();
        std::fs::write(directory.path().join("contacts.jsonl"), EVENTS).unwrap();
        Self { directory, sandbox, serving }
    }

    /// Adds to the configuration.
    pub fn extend(&self, more: &str) {
        let file = self.path().join("syncline.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text + more).unwrap();
    }

    /// Where the CRMs listen.
    pub fn addresses(&self) -> [String; 2] {
        [self.serving.salesforce.to_string(), self.serving.hubspot.to_string()]
    }

    /// Where everything is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs a command there.
    pub fn syncline(&self, args: &[&str]) -> Ended {
        syncline(self.path(), args)
    }

    /// Starts a machine.
    pub async fn start(&self) -> Process {
        let secret = |name: &str| match name {
            "SF_SECRET" => Some("sandbox-secret".to_owned()),
            "HUBSPOT_TOKEN" => Some("pat-sandbox-1".to_owned()),
            _ => None,
        };
        let text = std::fs::read_to_string(self.path().join("syncline.yaml")).unwrap();
        let config = Arc::new(config::load(&text, "syncline.yaml", &secret).unwrap());
        let open = open_store(&config.store_path()).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(WallClock);
        let machine = assemble(config, &open, Arc::clone(&clock), Wishes::default()).await.unwrap();
        let running = machine.running;
        let control = control::start(self.path(), Arc::clone(&running)).unwrap();
        Process { drive: Drive::start(machine.workers, &clock), control, running, open }
    }

    /// Stops the CRMs.
    pub async fn end(self) {
        self.serving.shutdown().await;
    }
}

impl Process {
    /// Runs until all is settled.
    pub async fn settle(&self) {
        while !self.running.is_settled().await.unwrap() {
            tokio::task::yield_now().await;
        }
    }

    /// Stops it as an operator does.
    pub async fn stop(self) {
        let Self { drive, control, running, open } = self;
        drive.stop().await;
        control.stop().await;
        drop(running);
        close(open);
    }
}
