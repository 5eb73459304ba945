//! Runs real client libraries, unmodified, against the sandbox.
//!
//! Promises: libraries and all that they need are pinned by hash, installed once below `target/clients` and kept between runs; each suite meets a fresh sandbox on
//! loopback over TLS; a suite's closing line counts like that of `cargo test`; one that hangs is ended and has failed. A further
//! library is one line in `SUITES`.
//! Leaves to others: the checks themselves (`crates/sandbox/clients`).

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// A library and the script that tries it.
struct Suite {
    language: Language,
    /// What is installed, in `crates/sandbox/clients/locks`: pip's requirements with hashes, or a folder with npm's two files.
    lock: &'static str,
    /// The script in `crates/sandbox/clients`.
    script: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    Python,
    Node,
}

/// The longest that a suite or its installation may take; they take seconds.
const LIMIT: Duration = Duration::from_mins(10);

/// Every library that must work.
const SUITES: &[Suite] = &[
    Suite { language: Language::Python, lock: "simple-salesforce.txt", script: "simple_salesforce_suite.py" },
    Suite { language: Language::Node, lock: "jsforce", script: "jsforce_suite.cjs" },
    Suite { language: Language::Python, lock: "hubspot-api-client.txt", script: "hubspot_api_client_suite.py" },
    Suite { language: Language::Node, lock: "hubspot-api-client", script: "hubspot_api_client_suite.cjs" },
];

/// Runs every suite, or those whose script's name holds a text.
pub(crate) fn run(root: &Path, filter: &str) -> Result<()> {
    let built = Command::new("cargo").args(["build", "--quiet", "-p", "syncline", "--bin", "syncline"]).current_dir(root).status()?;
    ensure!(built.success(), "the binary does not build");
    let mut failed = Vec::new();
    for suite in SUITES.iter().filter(|suite| suite.script.contains(filter)) {
        println!("\n{}", suite.script);
        let packages = suite.install(root)?;
        let sandbox = Running::start(root)?;
        if !ended_well(suite.command(root, &packages, &sandbox), LIMIT).with_context(|| suite.missing())? {
            failed.push(suite.script);
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("{} failed", failed.join(" and ")) }
}

impl Suite {
    fn missing(&self) -> String {
        match self.language {
            Language::Python => "python3 with pip is needed: apt-get install python3 python3-pip".to_owned(),
            Language::Node => "node with npm is needed: apt-get install nodejs npm".to_owned(),
        }
    }

    /// Installs what the lock names unless that very lock was installed; answers where.
    fn install(&self, root: &Path) -> Result<PathBuf> {
        let locks = root.join("crates/sandbox/clients/locks");
        let lock = self.lock_file(&locks);
        let wanted = std::fs::read_to_string(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
        let folder = root.join("target/clients").join(self.script);
        let done = folder.join("installed");
        if std::fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
            return Ok(folder);
        }
        if folder.exists() {
            std::fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let command = match self.language {
            Language::Python => {
                let mut pip = Command::new("python3");
                pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--target"]).arg(&folder);
                pip.arg("--requirement").arg(&lock);
                pip
            }
            Language::Node => {
                for name in ["package.json", "package-lock.json"] {
                    std::fs::copy(locks.join(self.lock).join(name), folder.join(name)).with_context(|| format!("cannot copy {name}"))?;
                }
                let mut npm = Command::new("npm");
                npm.args(["ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]).arg(&folder);
                npm
            }
        };
        ensure!(ended_well(command, LIMIT).with_context(|| self.missing())?, "cannot install {}: {}", self.lock, self.missing());
        std::fs::write(&done, wanted).with_context(|| format!("cannot write {}", done.display()))?;
        Ok(folder)
    }

    fn lock_file(&self, locks: &Path) -> PathBuf {
        match self.language {
            Language::Python => locks.join(self.lock),
            Language::Node => locks.join(self.lock).join("package-lock.json"),
        }
    }

    /// The script with what it needs to know in its environment.
    fn command(&self, root: &Path, packages: &Path, sandbox: &Running) -> Command {
        let script = root.join("crates/sandbox/clients").join(self.script);
        let mut command = match self.language {
            Language::Python => Command::new("python3"),
            Language::Node => Command::new("node"),
        };
        command.arg(script).env("PYTHONPATH", packages).env("PYTHONDONTWRITEBYTECODE", "1").env("NODE_PATH", packages.join("node_modules"));
        command.env("SALESFORCE_URL", &sandbox.salesforce).env("HUBSPOT_URL", &sandbox.hubspot);
        command.env("CERTIFICATE", &sandbox.certificate).env("NODE_EXTRA_CA_CERTS", &sandbox.certificate);
        // Python's requests prefers these to what its session says.
        command.env("REQUESTS_CA_BUNDLE", &sandbox.certificate).env("NO_PROXY", "127.0.0.1").env("no_proxy", "127.0.0.1");
        command.stdin(Stdio::null());
        command
    }
}

/// Whether a command ends well within a time; one that does not end is killed.
fn ended_well(mut command: Command, limit: Duration) -> Result<bool> {
    let mut child = command.spawn()?;
    let pid = child.id().to_string();
    let (done, ended) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                println!("no end after {} s: killed", limit.as_secs());
                // One that has ended meanwhile needs no killing.
                let _ = Command::new("kill").args(["-KILL", &pid]).status();
            }
        });
        let status = child.wait();
        drop(done);
        Ok(status?.success())
    })
}

/// A sandbox that ends with its guard.
struct Running {
    child: Child,
    salesforce: String,
    hubspot: String,
    certificate: String,
}

impl Running {
    fn start(root: &Path) -> Result<Self> {
        let mut child = Command::new(root.join("target/debug/syncline"))
            .args(["sandbox", "--salesforce", "127.0.0.1:0", "--hubspot", "127.0.0.1:0"])
            .arg("--tls")
            .arg(root.join("target/clients/tls"))
            .arg("--config")
            .arg(root.join("crates/sandbox/clients/sandbox.yaml"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start the sandbox")?;
        let lines = BufReader::new(child.stdout.take().context("the sandbox has no output")?).lines();
        let mut running = Self { child, salesforce: String::new(), hubspot: String::new(), certificate: String::new() };
        for line in lines {
            let line = line?;
            match line.split_once(' ') {
                Some(("salesforce", url)) => url.clone_into(&mut running.salesforce),
                Some(("hubspot", url)) => url.clone_into(&mut running.hubspot),
                Some(("certificate", path)) => {
                    path.clone_into(&mut running.certificate);
                    return Ok(running);
                }
                Some(_) | None => {}
            }
        }
        bail!("the sandbox ended before it listened")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already needs no ending.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::{Language, SUITES, ended_well};

    #[test]
    fn a_command_that_hangs_is_ended_and_has_failed() {
        let mut endless = Command::new("cat");
        endless.arg("/dev/zero").stdout(std::process::Stdio::null());
        assert!(!ended_well(endless, Duration::from_millis(50)).unwrap());
        assert!(ended_well(Command::new("true"), Duration::from_secs(60)).unwrap());
    }

    #[test]
    fn every_suite_has_its_script_and_is_pinned_by_hash() {
        let clients = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/sandbox/clients");
        for suite in SUITES {
            assert!(clients.join(suite.script).exists(), "{}", suite.script);
            let lock = std::fs::read_to_string(suite.lock_file(&clients.join("locks"))).unwrap();
            let (packages, pinned, addresses) = match suite.language {
                Language::Python => {
                    let packages: Vec<&str> = lock.lines().filter(|line| !line.starts_with(' ')).collect();
                    assert!(packages.iter().all(|package| package.contains("==") && package.ends_with('\\')), "{packages:?}");
                    (packages.len(), packages.len(), lock.matches("://").count())
                }
                Language::Node => {
                    (lock.matches("\"node_modules/").count(), lock.matches("\"integrity\": \"sha512-").count(), lock.matches("\"resolved\"").count())
                }
            };
            assert!(packages > 0 && packages == pinned, "{}: {pinned} of {packages} packages have a hash", suite.lock);
            assert_eq!(addresses, 0, "{} names a registry, which another machine may not reach", suite.lock);
        }
    }
}
