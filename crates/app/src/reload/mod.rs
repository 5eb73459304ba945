//! Changing the configuration of a running process: read anew, judged as a whole, and exchanged at once or not at all.
//!
//! Promises: what is refused changes nothing, and is said in the log and the metrics; what comes into force is in history first. Records
//! that are there meet new rules at their own next event: nothing is made due. Leaves to others: the file (`source`), the exchange
//! itself (`engine::workers`).

mod source;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use syncline_core::change_set::ChangeSet;
use syncline_core::config_entry::{ConfigCause, ConfigEntry, KeyChange};
use syncline_core::ids::SystemId;
use syncline_core::time::Timestamp;
use syncline_engine::error::Result;
use syncline_engine::metrics::Reloads;
use syncline_engine::ports::clock::Clock;
use syncline_engine::ports::store::Store;
use syncline_engine::workers::dispatcher::Refit;
use syncline_engine::workers::exchange::Exchange;
use syncline_engine::workers::intake::Rules;

pub use source::{Changed, Source, Unread};

use crate::clock::WallClock;
use crate::config::{Config, Written, judge_change};
use crate::control::{FaultView, Refusal};
use crate::run::Running;
use crate::wiring;

/// Sets what is logged from now on.
pub type Relog = Box<dyn Fn(&str) + Send + Sync>;

/// What a machine was configured by, so that it can be configured anew.
pub struct Configured {
    /// Where its configuration comes from.
    pub source: Source,
    /// How it was written.
    pub written: Written,
    /// Sets what is logged.
    pub relog: Relog,
}

/// The ways to the parts of a machine.
#[derive(Default)]
pub struct Exchanges {
    /// To lanes, by system.
    pub lanes: BTreeMap<String, Arc<Exchange<Refit>>>,
    /// To intake.
    pub rules: Arc<Exchange<Rules>>,
    /// To upkeep.
    pub remember_ids: Arc<Exchange<Duration>>,
}

/// The configuration of a machine, and how to change it.
pub struct Reloading {
    config: RwLock<Arc<Config>>,
    written: RwLock<Option<Arc<Written>>>,
    source: Option<(Source, Relog)>,
    exchanges: Exchanges,
    /// One change at a time.
    turn: tokio::sync::Mutex<()>,
    figures: Mutex<Reloads>,
    refused: Mutex<Option<Refused>>,
}

/// A configuration that was judged, with all that is to be exchanged.
struct Prepared {
    changed: Changed,
    changes: Vec<KeyChange>,
    refits: Vec<(String, Refit)>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigWish {
    /// Path and value to be set in the file first, if any.
    pub set: Option<(String, String)>,
    /// Who asks.
    pub who: String,
}

/// The last configuration that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// When.
    pub at: String,
    /// Why, as a compiler tells it.
    pub text: String,
    /// The faults one by one.
    pub faults: Vec<FaultView>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Reloaded {
    /// It is in force.
    Applied {
        /// Its number in history; none where no store keeps one yet.
        number: Option<u64>,
        /// What differs.
        changes: Vec<KeyChange>,
        /// Whether a process runs with it.
        is_running: bool,
    },
    /// Nothing differs.
    Unchanged,
    /// The former one stays.
    Refused(Refused),
}

impl Reloading {
    /// Of a machine; without `configured` it cannot be changed.
    #[must_use]
    pub fn new(config: Arc<Config>, configured: Option<Configured>, exchanges: Exchanges) -> Self {
        let (written, source) = configured.map(|configured| (Arc::new(configured.written), (configured.source, configured.relog))).unzip();
        Self {
            config: RwLock::new(config),
            written: RwLock::new(written),
            source,
            exchanges,
            turn: tokio::sync::Mutex::default(),
            figures: Mutex::default(),
            refused: Mutex::default(),
        }
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// How it was written, with the file's name, if it stands in a file.
    #[must_use]
    pub fn written(&self) -> Option<(String, Arc<Written>)> {
        let written = self.written.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some((self.source.as_ref()?.0.name(), written))
    }

    /// What became of changes so far.
    #[must_use]
    pub fn figures(&self) -> Reloads {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The last configuration that was refused, if none came into force since.
    #[must_use]
    pub fn refused(&self) -> Option<Refused> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, refused: Option<Refused>, note: impl FnOnce(&mut Reloads)) {
        let mut figures = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        note(&mut figures);
        figures.is_refused = refused.is_some();
        drop(figures);
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = refused;
    }
}

impl Running {
    /// Keeps in history what the process starts with, if that differs from the last entry.
    ///
    /// # Errors
    /// What the store says.
    pub async fn keep_start(&self, who: &str) -> Result<()> {
        let Some((_, written)) = self.reloading.written() else { return Ok(()) };
        let number = keep(&*self.store, &written, &[], ConfigCause::Start, who).await?;
        self.reloading.note(None, |figures| figures.number = number);
        Ok(())
    }

    /// Reads the configuration anew, with a value set in its file first if that is wished, and lets it come into force.
    ///
    /// # Errors
    /// What the store says; nothing has changed then.
    pub async fn reload(&self, wish: &ConfigWish) -> Result<Reloaded> {
        let _turn = self.reloading.turn.lock().await;
        let Some((source, relog)) = &self.reloading.source else {
            let refusal = Refusal::new("the process runs with a configuration that stands in no file", "start it with `syncline run -c FILE`", 78);
            return Ok(Reloaded::Refused(self.refuse(Unread::Refused(refusal))));
        };
        let Prepared { changed, changes, refits } = match self.prepare(source, wish) {
            Ok(prepared) => prepared,
            Err(unread) => return Ok(Reloaded::Refused(self.refuse(unread))),
        };
        if let Err(refusal) = changed.write() {
            return Ok(Reloaded::Refused(self.refuse(Unread::Refused(refusal))));
        }
        if changes.is_empty() {
            self.reloading.note(None, |figures| (figures.unchanged, figures.last) = (figures.unchanged + 1, Some(now())));
            tracing::info!(who = wish.who, "the configuration was read again; nothing differs");
            return Ok(Reloaded::Unchanged);
        }
        let cause = if wish.set.is_some() { ConfigCause::Set } else { ConfigCause::Reload };
        let kept = keep(&*self.store, &changed.loaded.written, &changes, cause, &wish.who).await;
        let number = kept.inspect_err(|_| changed.put_back())?;
        // Said under the former level, so that it is said.
        let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
        tracing::info!(who = wish.who, number, changed = paths.join(", "), "another configuration is in force");
        self.exchange(changed, refits, relog);
        self.reloading.note(None, |figures| (figures.applied, figures.last, figures.number) = (figures.applied + 1, Some(now()), number));
        Ok(Reloaded::Applied { number: Some(number), changes, is_running: true })
    }

    /// Judges everything, and makes what is to be exchanged; nothing has changed yet.
    fn prepare(&self, source: &Source, wish: &ConfigWish) -> std::result::Result<Prepared, Unread> {
        let changed = source.change(wish.set.as_ref())?;
        let (config, before) = (self.reloading.config(), self.reloading.written());
        let written = &changed.loaded.written;
        let changes = before.map(|(_, before)| written.changes_from(&before)).unwrap_or_default();
        let has_api = config.api.is_some() && changed.loaded.config.api.is_some();
        if let Some(faults) = judge_change(&source.name(), &changed.text, written, &changes, has_api) {
            return Err(Unread::Faults(Box::new(faults)));
        }
        let refits = self.refits(&config, &changed.loaded.config, &changes).map_err(|error| Unread::Refused(error.into()))?;
        Ok(Prepared { changed, changes, refits })
    }

    /// The lanes that another configuration concerns, set up for it.
    fn refits(&self, old: &Config, new: &Config, changes: &[KeyChange]) -> Result<Vec<(String, Refit)>> {
        let mut refits = Vec::new();
        for system in &new.systems {
            let prefix = format!("systems.{}.", system.name);
            let is_touched = changes.iter().any(|change| change.path.starts_with(&prefix));
            let told = |config: &Config| format!("{:?} {:?}", config.system(&system.name), config.dispatch);
            if !is_touched && told(old) == told(new) {
                continue;
            }
            let Some((writer, agreed)) = wiring::writer(new, system)? else { continue };
            let number = self.numbers.get(&system.name).copied().unwrap_or_default();
            let settings = wiring::lane_settings(new, system, SystemId(number), agreed, &*writer);
            refits.push((system.name.clone(), Refit { settings, writer }));
        }
        Ok(refits)
    }

    /// Hands everything over: to lanes first, so that what intake opens under new rules is never planned under old terms.
    fn exchange(&self, changed: Changed, refits: Vec<(String, Refit)>, relog: &Relog) {
        let reloading = &self.reloading;
        for (system, refit) in refits {
            if let Some(exchange) = reloading.exchanges.lanes.get(&system) {
                exchange.put(refit);
            }
        }
        let config = changed.loaded.config;
        let number = |name: &str| SystemId(self.numbers.get(name).copied().unwrap_or_default());
        reloading.exchanges.rules.put(Rules { schemas: config.schemas.clone(), routes: config.routes(&number) });
        reloading.exchanges.remember_ids.put(config.intake.remember_ids);
        self.tokens.reconfigure(config.api.as_ref().map(|api| api.tokens.clone()).unwrap_or_default());
        relog(&config.log);
        *reloading.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
        *reloading.written.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(changed.loaded.written));
    }

    fn refuse(&self, unread: Unread) -> Refused {
        let now = now();
        let refused = unread.told(now);
        for fault in &refused.faults {
            let FaultView { code, place, path, message, remedy } = fault;
            tracing::error!(code, place, path, remedy, "another configuration is refused, the former one stays: {message}");
        }
        self.reloading.note(Some(refused.clone()), |figures| (figures.refused, figures.last) = (figures.refused + 1, Some(now)));
        refused
    }
}

/// Sets a value in the file while no process runs, and keeps that in history if there is a store.
///
/// # Errors
/// What the store says; the file is as it was then.
pub async fn change_file(source: &Source, wish: &ConfigWish, store: Option<&dyn Store>) -> Result<Reloaded> {
    let changed = match source.change(wish.set.as_ref()) {
        Ok(changed) => changed,
        Err(unread) => return Ok(Reloaded::Refused(unread.told(now()))),
    };
    // A file that has faults now is mended by what is set.
    let changes = source.load().map_or_else(|_| Vec::new(), |before| changed.loaded.written.changes_from(&before.written));
    if let Err(refusal) = changed.write() {
        return Ok(Reloaded::Refused(Unread::Refused(refusal).told(now())));
    }
    let number = match store {
        Some(store) => Some(keep(store, &changed.loaded.written, &[], ConfigCause::Set, &wish.who).await.inspect_err(|_| changed.put_back())?),
        None => None,
    };
    Ok(if changes.is_empty() { Reloaded::Unchanged } else { Reloaded::Applied { number, changes, is_running: false } })
}

/// How many entries are looked at to find the last.
const LAST: usize = 1;

/// Keeps a configuration in history, unless it is the last one there already; answers its number. `changes` may name secrets, which its
/// text does not show.
///
/// # Errors
/// What the store says.
pub async fn keep(store: &dyn Store, written: &Written, changes: &[KeyChange], cause: ConfigCause, who: &str) -> Result<u64> {
    let last = store.configs(LAST).await?.into_iter().next();
    let digest = written.digest();
    if let Some(last) = last.as_ref().filter(|last| last.digest == digest && changes.is_empty()) {
        return Ok(last.number);
    }
    let before = last.as_ref().and_then(|last| Written::read(&last.text)).or_else(|| Written::read(""));
    let mut all = before.map(|before| written.changes_from(&before)).unwrap_or_default();
    // What a text does not show: a secret that was exchanged.
    all.extend(changes.iter().filter(|change| change.before == change.after).cloned());
    let number = last.map_or(1, |last| last.number + 1);
    let entry = ConfigEntry { number, at: now(), cause, who: who.to_owned(), changes: all, digest, text: written.text() };
    store.commit(ChangeSet { configs: vec![entry], ..ChangeSet::default() }).await?;
    Ok(number)
}

fn now() -> Timestamp {
    WallClock.now()
}
