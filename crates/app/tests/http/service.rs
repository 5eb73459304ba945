//! The process under a service manager: it says when it is ready, that it lives, and when it stops, and a stop is graceful.

use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::crash::Killed;

/// The next word of the process to its manager.
pub fn told(manager: &UnixDatagram) -> String {
    let mut bytes = [0; 256];
    let count = manager.recv(&mut bytes).expect("the process tells its manager");
    String::from_utf8_lossy(&bytes[..count]).trim().to_owned()
}

#[test]
fn a_manager_is_told_of_ready_alive_and_stopping_and_the_stop_is_graceful() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = directory.path().join("syncline.yaml");
    let text = format!("data: {}\nsystems: {{ app: {{ kind: http }} }}\nrouting: {{}}\napi: {{ listen: \"{address}\" }}\n", directory.path().display());
    std::fs::write(&config, text).unwrap();
    // As systemd does, the process is named as the one that is watched.
    let started = Command::new("sh")
        .args(["-c", "WATCHDOG_PID=$$ exec \"$0\" run -c \"$1\"", env!("CARGO_BIN_EXE_syncline")])
        .arg(&config)
        .env("NOTIFY_SOCKET", &socket)
        .env("WATCHDOG_USEC", "200000")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut process = Killed(started.unwrap());
    assert_eq!(told(&manager), "READY=1");
    assert_eq!(told(&manager), "WATCHDOG=1");
    let sent = Command::new("sh").args(["-c", &format!("kill -TERM {}", process.0.id())]).status().unwrap();
    assert!(sent.success());
    let mut word = told(&manager);
    while word == "WATCHDOG=1" {
        word = told(&manager);
    }
    assert_eq!(word, "STOPPING=1");
    assert_eq!(process.0.wait().unwrap().code(), Some(0));
    assert!(!directory.path().join("syncline.sock").exists());
}
