//! Runs a configuration until its feeds end or somebody stops it.
//!
//! Promises: ends with 0 when every feed has ended and all is settled, or after Ctrl-C once what was under way is settled; a
//! second Ctrl-C ends it at once; says what is left. Leaves to others: driving (`crate::run`), operators' wishes (`crate::control`).

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::Router;
use clap::{Args, ValueEnum};
use sd_notify::NotifyState;
use syncline_engine::error::Result;
use syncline_engine::ports::clock::Clock;
use syncline_engine::ports::store::{LetterFilter, Store};

use super::console::say;
use super::overrides::SetArgs;
use super::signals::{Hangups, Signals};
use crate::api::{Gate, Serving, serve};
use crate::clock::WallClock;
use crate::config::{Kind as SystemKind, Loaded};
use crate::reload::{ConfigWish, Configured, Relog, Source};
use crate::run::{Drive, Running, pause, read_stdin};
use crate::wiring::{Machine, Wishes, assemble, open_store};

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// `syncline run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// The configuration
    #[arg(short, long, default_value = "syncline.yaml", value_name = "FILE")]
    pub config: PathBuf,
    /// What wins over it
    #[command(flatten)]
    pub set: SetArgs,
    /// Where the store and the operators' socket are kept
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// How log lines are written
    #[arg(long, value_enum, default_value_t)]
    pub log_format: LogFormat,
    /// A proxy in front ends TLS, so that an address which others can reach is served without
    #[arg(long)]
    pub behind_proxy: bool,
}

/// Runs a configuration; true if nothing is left open but dead letters.
///
/// # Errors
/// What keeps it from starting or going on.
pub async fn run(loaded: Loaded, source: Source, relog: Relog) -> Result<bool> {
    // From here on SIGHUP ends nothing.
    let mut hangups = Hangups::listen()?;
    let Loaded { config, written } = loaded;
    let config = Arc::new(config);
    let path = config.store_path();
    let directory = config.data.clone().or_else(|| path.parent().map(PathBuf::from)).unwrap_or_else(|| PathBuf::from("."));
    let open = open_store(&path)?;
    let clock: Arc<dyn Clock> = Arc::new(WallClock);
    let reads_stdin = config.systems.iter().any(|system| matches!(system.kind, SystemKind::Stdin(_)));
    let stdin = if reads_stdin { Some(read_stdin()?) } else { None };
    let Machine { workers, running } = assemble(config, &open, clock.clone(), Wishes { stdin, configured: Some(Configured { source, written, relog }), ..Wishes::default() }).await?;
    running.keep_start(STARTER).await?;
    let control = crate::control::start(&directory, running.clone())?;
    let mut signals = Signals::listen()?;
    let serving = open_door(&running, Router::new()).await?;
    let drive = Drive::start(workers, &clock);
    tell_manager(&[NotifyState::Ready]);
    let interrupted = tokio::select! {
        interrupted = wait(&running, &mut signals) => interrupted?,
        () = tell_that_it_lives() => false,
        () = obey(&running, &mut hangups) => false,
    };
    tell_manager(&[NotifyState::Stopping]);
    if let Some(callers) = &running.callers {
        callers.queue.close();
    }
    signals
        .or_at_once(async {
            if let Some(serving) = serving {
                serving.stop().await;
            }
            drive.stop().await;
        })
        .await;
    control.stop().await;
    let left = left(&running).await?;
    say(&left.text);
    let settled = left.settled;
    drop(running);
    open.close();
    Ok(settled || interrupted)
}

/// Opens the door for callers, if the configuration has one; `more` are routes that are served besides.
async fn open_door(running: &Arc<Running>, more: Router) -> Result<Option<Serving>> {
    let Some(api) = running.reloading.config().api.clone() else { return Ok(None) };
    let gate = Gate::new(running.clone(), running.tokens.clone(), api);
    Ok(Some(serve(Arc::new(gate), more).await?))
}

/// Who a change is by that no person asked the process for.
const STARTER: &str = "syncline run";

/// Reads the configuration anew at every SIGHUP.
async fn obey(running: &Running, hangups: &mut Hangups) {
    loop {
        hangups.next().await;
        tell_manager(&[NotifyState::Reloading]);
        let wish = ConfigWish { set: None, who: "SIGHUP".to_owned() };
        if let Err(error) = running.reload(&wish).await {
            tracing::error!(error = %error, remedy = error.remedy(), "the configuration could not be read anew; the former one stays");
        }
        tell_manager(&[NotifyState::Ready]);
    }
}

/// Tells systemd how the process stands; without a manager nobody listens.
fn tell_manager(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(false, state) {
        tracing::warn!(error = %error, "the service manager could not be told");
    }
}

/// Tells systemd again and again that the process lives, if it wants to know.
async fn tell_that_it_lives() {
    let mut within = 0;
    if !sd_notify::watchdog_enabled(false, &mut within) {
        return std::future::pending().await;
    }
    loop {
        pause(Duration::from_micros(within / 3)).await;
        tell_manager(&[NotifyState::Watchdog]);
    }
}

/// Waits until every feed has ended and all is settled, or somebody presses Ctrl-C; true for the latter.
async fn wait(running: &Running, signals: &mut Signals) -> Result<bool> {
    loop {
        tokio::select! {
            _ = signals.next() => return Ok(true),
            () = pause(Duration::from_millis(100)) => {}
        }
        if running.is_settled().await? {
            return Ok(false);
        }
        let refused = running.statuses.iter().find_map(|status| {
            let status = status.lock().unwrap_or_else(PoisonError::into_inner);
            (status.phase == "refused").then(|| status.error.clone().unwrap_or_default())
        });
        if let Some(why) = refused {
            tracing::error!(why, "a system is refused; the others go on");
            tokio::select! {
                _ = signals.next() => return Ok(true),
                () = pause(Duration::from_secs(10)) => {}
            }
        }
    }
}

struct Left {
    text: String,
    settled: bool,
}

async fn left(running: &Running) -> Result<Left> {
    let ledger = running.store.ledger().await?;
    let open: i64 = ledger.open.values().sum();
    let filter = LetterFilter { waiting_only: true, after: None, limit: 1000 };
    let letters = running.store.letters(&filter).await?;
    let mut text = format!("stopped: {open} deliveries open, {} dead letters waiting", letters.len());
    for letter in letters.iter().take(20) {
        text.push_str(&format!("\n  {}  {}: {}  ({})", letter.id, letter.place, letter.rejection.message, letter.rejection.remedy));
    }
    Ok(Left { text, settled: running.is_settled().await? })
}
