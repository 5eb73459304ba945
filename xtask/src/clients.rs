//! Runs real client libraries, unmodified, against the sandbox.
//!
//! Promises: libraries are pinned, installed once below `target/clients` and kept between runs; each suite meets a fresh sandbox on
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
    /// What is installed, pinned, as the language's installer wants it.
    packages: &'static str,
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
    Suite { language: Language::Python, packages: "simple-salesforce==1.12.10", script: "simple_salesforce_suite.py" },
    Suite { language: Language::Node, packages: "jsforce@3.10.16", script: "jsforce_suite.cjs" },
    Suite { language: Language::Python, packages: "hubspot-api-client==12.0.0", script: "hubspot_api_client_suite.py" },
    Suite { language: Language::Node, packages: "@hubspot/api-client@14.0.1", script: "hubspot_api_client_suite.cjs" },
];

/// Runs every suite, or those whose script's name holds a text.
pub(crate) fn run(root: &Path, filter: &str) -> Result<()> {
    let built = Command::new("cargo").args(["build", "--quiet", "-p", "syncline", "--bin", "syncline"]).current_dir(root).status()?;
    ensure!(built.success(), "the binary does not build");
    let mut failed = Vec::new();
    for suite in SUITES.iter().filter(|suite| suite.script.contains(filter)) {
        println!("\n{} ({})", suite.script, suite.packages);
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

    /// Installs the packages unless they are there; answers where.
    fn install(&self, root: &Path) -> Result<PathBuf> {
        let name: String = self.packages.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '.' { letter } else { '-' }).collect();
        let folder = root.join("target/clients").join(name.trim_matches('-'));
        let done = folder.join("installed");
        if done.exists() {
            return Ok(folder);
        }
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let packages = self.packages.split_whitespace();
        let command = match self.language {
            Language::Python => {
                let mut pip = Command::new("python3");
                pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "--target"]).arg(&folder).args(packages);
                pip
            }
            Language::Node => {
                let mut npm = Command::new("npm");
                npm.args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]).arg(&folder).args(packages);
                npm
            }
        };
        ensure!(ended_well(command, LIMIT).with_context(|| self.missing())?, "cannot install {}: {}", self.packages, self.missing());
        std::fs::write(&done, self.packages).with_context(|| format!("cannot write {}", done.display()))?;
        Ok(folder)
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

    use super::{SUITES, ended_well};

    #[test]
    fn a_command_that_hangs_is_ended_and_has_failed() {
        let mut endless = Command::new("cat");
        endless.arg("/dev/zero").stdout(std::process::Stdio::null());
        assert!(!ended_well(endless, Duration::from_millis(50)).unwrap());
        assert!(ended_well(Command::new("true"), Duration::from_secs(60)).unwrap());
    }

    #[test]
    fn every_suite_is_pinned_and_has_its_script() {
        let scripts = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/sandbox/clients");
        for suite in SUITES {
            assert!(scripts.join(suite.script).exists(), "{}", suite.script);
            for package in suite.packages.split_whitespace() {
                assert!(package.contains("==") || package.trim_start_matches('@').contains('@'), "{package} is not pinned");
            }
        }
    }
}
