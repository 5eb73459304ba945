//! The real process: made-up events sent by one into the door of another, and signals while a request is under way.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::crash::Killed;
use super::service::told;

/// A process whose door is open, and the socket on which it tells how it stands.
struct Door {
    process: Killed,
    address: SocketAddr,
    manager: UnixDatagram,
    directory: TempDir,
}

fn syncline(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_syncline"));
    command.current_dir(directory).env_clear().stdin(Stdio::null());
    command
}

impl Door {
    fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let text = format!("store: sqlite:syncline.db\nsystems: {{ app: {{ kind: http }} }}\nrouting: {{}}\napi: {{ listen: \"{address}\" }}\n");
        std::fs::write(directory.path().join("syncline.yaml"), text).unwrap();
        let socket = directory.path().join("notify");
        let manager = UnixDatagram::bind(&socket).unwrap();
        manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let process = syncline(directory.path()).arg("run").env("NOTIFY_SOCKET", &socket).stderr(Stdio::null()).spawn().unwrap();
        let door = Self { process: Killed(process), address, manager, directory };
        assert_eq!(told(&door.manager), "READY=1");
        door
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([format!("-{name}"), self.process.0.id().to_string()]).status().unwrap().success());
    }

    fn ask(&self, args: &[&str]) -> serde_json::Value {
        let asked = syncline(self.directory.path()).args(args).output().unwrap();
        assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
        serde_json::from_slice(&asked.stdout).unwrap()
    }
}

#[test]
fn generated_events_go_through_our_own_door_and_each_is_accounted_for() {
    let mut door = Door::open();
    let url = format!("http://{}/v1/events", door.address);
    let sent = syncline(door.directory.path()).args(["generate", "--events", "500", "--seed", "7", "--batch", "50", "--to", &url]).output().unwrap();
    let said = String::from_utf8(sent.stdout).unwrap() + &String::from_utf8(sent.stderr).unwrap();
    assert!(sent.status.success() && said.contains("500 accepted, 0 duplicates, 0 refused"), "{said}");
    let inputs = &door.ask(&["ledger", "--verify", "--json"])["sources"][0]["inputs"];
    assert_eq!((&inputs["offered"], &inputs["accepted"], &inputs["refused"]), (&500.into(), &500.into(), &0.into()));
    door.signal("TERM");
    assert_eq!(door.process.0.wait().unwrap().code(), Some(0), "a stop in order");
}

#[test]
fn a_second_signal_ends_the_process_at_once_and_loses_nothing() {
    for (name, exit) in [("INT", 130), ("TERM", 143)] {
        let mut door = Door::open();
        let mut stream = TcpStream::connect(door.address).unwrap();
        let head = "POST /v1/events HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000\r\nexpect: 100-continue\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        let mut continued = [0; 12];
        stream.read_exact(&mut continued).unwrap();
        assert_eq!(&continued, b"HTTP/1.1 100", "the request is under way");
        door.signal(name);
        assert_eq!(told(&door.manager), "STOPPING=1");
        assert_eq!(door.process.0.try_wait().unwrap(), None, "it waits for the request");
        door.signal(name);
        assert_eq!(door.process.0.wait().unwrap().code(), Some(exit), "{name}");
        assert_eq!(door.ask(&["ledger", "--verify", "--json"])["balanced"], true);
    }
}

#[test]
fn a_tail_of_a_process_that_is_killed_says_that_something_may_be_missing() {
    let mut door = Door::open();
    let url = format!("http://{}/v1/events", door.address);
    assert!(syncline(door.directory.path()).args(["generate", "--events", "1", "--to", &url]).output().unwrap().status.success());
    let mut tail = syncline(door.directory.path());
    let mut tail = tail.args(["tail", "--since", "1h"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 1];
    tail.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    door.process.0.kill().unwrap();
    let ended = tail.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.code() == Some(75) && said.contains("tail --no-follow"), "{said}");
}
