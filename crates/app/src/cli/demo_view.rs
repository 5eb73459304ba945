//! The demo's view: the process at a glance, and keys to pause its lanes, and to break and heal the emulated CRMs.
//!
//! Promises: a key does what an operator's command or a fault script does, by the same code; healing gives the demo's own script back.
//! Leaves to others: drawing (`live`), ending the demo (`demo_watch`).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use syncline_core::time::Timestamp;
use syncline_engine::error::{Error, Kind, Result};
use syncline_sandbox::sandbox::Sandbox;

use super::live::{Glance, Key, Screen};
use super::top::wish;
use crate::control::{Answer, Request, operate};
use crate::run::Running;

const TITLE: &str = "syncline demo: contact events go to an emulated Salesforce and an emulated HubSpot";
const KEYS: &str = "tab: next lane   p: pause/resume   b: break its CRM   h: heal the CRMs   q: drain and quit   ?: help";
const HELP: &str = "a broken CRM answers 503: its backlog grows, nothing is lost, and healing lets it go on; the other CRM does not notice";
/// Between two looks at the process.
const EVERY: Duration = Duration::from_secs(1);
/// Letters asked for; the newest of them are shown.
const LETTERS_MAX: usize = 1000;

/// The demo on a terminal.
pub(super) struct View<'s> {
    screen: Screen,
    sandbox: &'s Mutex<Sandbox>,
    /// The script that the demo began with.
    script: String,
    /// CRMs that a key has broken.
    broken: Vec<String>,
    glance: Option<Glance>,
    looked: Timestamp,
    marked: usize,
    note: String,
}

impl<'s> View<'s> {
    /// Takes the terminal.
    pub(super) fn open(sandbox: &'s Mutex<Sandbox>) -> Result<Self> {
        let script = sandbox.lock().unwrap_or_else(PoisonError::into_inner).fault_script().to_owned();
        Ok(Self {
            screen: Screen::take()?,
            sandbox,
            script,
            broken: Vec::new(),
            glance: None,
            looked: Timestamp::MIN,
            marked: 0,
            note: String::new(),
        })
    }

    /// Looks at the process, obeys keys and draws; true if the demo is to end.
    pub(super) async fn turn(&mut self, running: &Running, now: Timestamp) -> Result<bool> {
        while let Some(key) = self.screen.key(Duration::ZERO)? {
            match key {
                Key::Quit => return Ok(true),
                Key::Next => self.marked = self.glance.as_ref().map_or(0, |glance| glance.after(self.marked)),
                Key::Other(c) => self.obey(c, running).await?,
            }
        }
        if self.glance.is_none() || now.since(self.looked) >= EVERY {
            self.glance = Some(look(running, now, self.glance.as_ref()).await?);
            self.looked = now;
        }
        if let Some(glance) = &self.glance {
            self.screen.show(glance, self.marked, TITLE, KEYS, &self.note)?;
        }
        Ok(false)
    }

    async fn obey(&mut self, key: char, running: &Running) -> Result<()> {
        let lane = self.glance.as_ref().and_then(|glance| glance.lane(self.marked)).map(|(system, is_paused)| (system.to_owned(), is_paused));
        let Some((system, is_paused)) = lane else { return Ok(()) };
        match key {
            'p' => {
                operate(&wish(&system, is_paused), running).await?;
                self.note = format!("{system} {}", if is_paused { "goes on" } else { "is paused" });
                self.looked = Timestamp::MIN;
            }
            'b' => {
                if !self.broken.contains(&system) {
                    self.broken.push(system.clone());
                }
                self.set_faults()?;
                self.note = format!("{system} answers 503 to everything");
            }
            'h' => {
                self.broken.clear();
                self.set_faults()?;
                "both CRMs are as they were".clone_into(&mut self.note);
            }
            '?' => HELP.clone_into(&mut self.note),
            _ => {}
        }
        Ok(())
    }

    fn set_faults(&self) -> Result<()> {
        // What a rule in front says wins.
        let rules: String = self.broken.iter().map(|system| format!("- on: {{system: {system}}}\n  do: {{status: 503}}\n")).collect();
        let script = format!("{rules}{}", self.script);
        let refused = |error| Error::new(Kind::Internal, format!("the emulators refuse the script: {error}"));
        self.sandbox.lock().unwrap_or_else(PoisonError::into_inner).set_faults(&script).map_err(refused)
    }
}

async fn look(running: &Running, now: Timestamp, before: Option<&Glance>) -> Result<Glance> {
    let other = || Error::new(Kind::Internal, "a question was answered with another's answer");
    let Answer::Ledger(ledger) = operate(&Request::Ledger { verify: false }, running).await? else { return Err(other()) };
    let Answer::Quota(quota) = operate(&Request::Quota, running).await? else { return Err(other()) };
    let letters = Request::Letters { all: false, after: None, limit: LETTERS_MAX };
    let Answer::Letters(letters) = operate(&letters, running).await? else { return Err(other()) };
    Ok(Glance::of(&ledger, &quota, &letters.letters, now, before))
}
