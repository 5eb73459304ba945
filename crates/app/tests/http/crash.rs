//! A kill at the worst moment: whatever was answered 202 is in the store.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Clients at the same time.
const CLIENTS: usize = 8;
/// The process is killed once so many were answered.
const KILL_AFTER: usize = 200;

/// A process that goes with its test.
pub struct Killed(pub Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // One that ended already needs no end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn syncline(config: &Path, command: &str) -> Command {
    let mut built = Command::new(env!("CARGO_BIN_EXE_syncline"));
    built.args(command.split(' ')).arg("-c").arg(config).stdin(Stdio::null());
    built
}

/// Sends until the process is gone; answers the keys of what was taken.
fn send_until_the_end(address: SocketAddr, client: usize, taken: &AtomicUsize) -> Vec<String> {
    let mut keys = Vec::new();
    let Ok(mut stream) = TcpStream::connect(address) else { return keys };
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    for number in 0.. {
        let key = format!("A{client}-{number}");
        let body = format!(r#"{{"record":"contacts","operation":"create","timestamp":"2024-01-15T10:30:00Z","item":{{"id":"{key}","name":"Alice"}}}}"#);
        let request = format!("POST /v1/events HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(request.as_bytes()).is_err() || !is_taken(&mut answers) {
            return keys;
        }
        keys.push(key);
        taken.fetch_add(1, Ordering::SeqCst);
    }
    keys
}

/// Whether an answer came whole and was 202.
fn is_taken(answers: &mut impl BufRead) -> bool {
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if !answers.read_line(&mut line).is_ok_and(|count| count > 0) {
            return false;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
        head.push(line);
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body).is_ok() && head[0].starts_with("HTTP/1.1 202")
}

#[test]
fn every_202_is_in_the_store_after_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = directory.path().join("syncline.yaml");
    let text = format!("data: {}\nsystems: {{ app: {{ kind: http }} }}\nrouting: {{}}\napi: {{ listen: \"{address}\" }}\n", directory.path().display());
    std::fs::write(&config, text).unwrap();
    let mut process = Killed(syncline(&config, "run").stderr(Stdio::null()).spawn().unwrap());
    while TcpStream::connect(address).is_err() {
        assert!(process.0.try_wait().unwrap().is_none(), "the process ended");
        std::thread::yield_now();
    }
    let taken = AtomicUsize::new(0);
    let keys: BTreeSet<String> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|client| scope.spawn({ let taken = &taken; move || send_until_the_end(address, client, taken) })).collect();
        while taken.load(Ordering::SeqCst) < KILL_AFTER && process.0.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        process.0.kill().unwrap();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    process.0.wait().unwrap();
    assert!(keys.len() >= KILL_AFTER, "{} were answered", keys.len());
    let ledger = syncline(&config, "ledger --verify").output().unwrap();
    assert!(ledger.status.success(), "{}", String::from_utf8_lossy(&ledger.stdout));
    let store = rusqlite::Connection::open(directory.path().join("syncline.db")).unwrap();
    let mut statement = store.prepare("SELECT key FROM record").unwrap();
    let kept: BTreeSet<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(keys.difference(&kept).collect::<Vec<_>>(), Vec::<&String>::new());
}
