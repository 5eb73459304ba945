//! The demo: generator, engine and both emulated CRMs in one process, judged by an oracle of the events.
//!
//! Promises: everything it does is done as with real accounts, over HTTP on loopback, with its own configuration file under the
//! data directory; a killed demo carries on from there. With `--exit` it ends when all is settled and fails if anything is off.
//! Leaves to others: watching (`demo_watch`), judging (`demo_verdict`), the emulators (`sandbox`).

use std::io::{ErrorKind, IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use clap::Args;
use syncline_adapters::systems::generator::feed::{Gate, Load};
use syncline_engine::error::{Error, Kind, Result};
use syncline_engine::ports::clock::Clock;
use syncline_sandbox::sandbox::{Sandbox, SandboxConfig};
use syncline_sandbox::server::{Serving, serve};

use super::console::say;
use super::{demo_verdict, demo_walk, demo_watch};
use crate::clock::WallClock;
use crate::config;
use crate::run::Drive;
use crate::wiring::{Machine, OpenStore, Wishes, assemble, open_store};

/// `syncline demo`.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// Emit so many events as fast as they are taken, instead of a continuous stream
    #[arg(long, value_name = "N")]
    pub events: Option<u64>,
    /// First create N records, wait until they are settled, then emit as many updates, moves and deletes
    #[arg(long, requires = "events")]
    pub load_first: bool,
    /// The same seed makes the same events
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Mean events per second of the continuous stream
    #[arg(long, default_value_t = 5.0, value_name = "N")]
    pub rate: f64,
    /// Share of the updates that change the contact type
    #[arg(long, default_value_t = 0.02, value_name = "SHARE")]
    pub move_share: f64,
    /// End when all is settled; the exit code tells whether all is right
    #[arg(long, requires = "events")]
    pub exit: bool,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
    /// Where store, emulators and configuration are kept
    #[arg(long, default_value = "syncline-demo", value_name = "DIR")]
    pub data: PathBuf,
    /// Begin with a walk through the stages, also where no terminal watches
    #[arg(long, conflicts_with_all = ["no_walk", "json"])]
    pub walk: bool,
    /// Begin without the walk
    #[arg(long)]
    pub no_walk: bool,
    /// A fault script for the emulators
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
    /// Seconds after its timeout during which a lost request may still land
    #[arg(long, default_value_t = 3, value_name = "SECONDS")]
    pub horizon: u64,
}

/// What the demo runs on.
pub struct Stage {
    /// Both emulators.
    pub sandbox: Arc<Mutex<Sandbox>>,
    /// Their servers.
    pub serving: Serving,
    /// The store.
    pub open: OpenStore,
    /// The configuration.
    pub config: Arc<config::Config>,
}

impl DemoArgs {
    /// Whether it is watched in a view that has the terminal.
    #[must_use]
    pub fn is_viewed(&self) -> bool {
        !self.json && std::io::stdout().is_terminal() && std::io::stdin().is_terminal()
    }

    /// Whether it begins with the walk.
    fn walks(&self) -> bool {
        self.walk || (!self.no_walk && !self.exit && self.is_viewed())
    }

    fn load(&self) -> Load {
        match (self.events, self.load_first) {
            (None, _) => Load::Continuous,
            (Some(events), false) => Load::Events(events),
            (Some(events), true) => Load::Phased(events),
        }
    }
}

/// Runs the demo; true if all is right.
///
/// # Errors
/// What keeps it from starting or going on.
pub async fn demo(args: DemoArgs) -> Result<bool> {
    if args.walks() {
        demo_walk::walk(args.seed, args.rate, &mut |line| say(line))?;
        if args.is_viewed() {
            say("Enter begins the long run, in a view of its own.");
            // An input that ends or fails goes on as well.
            let _ = std::io::stdin().read_line(&mut String::new());
        }
    }
    let stage = set_up(&args).await?;
    let clock: Arc<dyn Clock> = Arc::new(WallClock);
    let gate = Gate::default();
    let wishes = Wishes { load: Some(args.load()), gate: gate.clone(), ..Wishes::default() };
    let Machine { workers, running } = assemble(stage.config.clone(), &stage.open, clock.clone(), wishes).await?;
    if !args.json {
        say(&opening(&args, &stage));
    }
    let control = crate::control::start(&args.data, running.clone())?;
    let started = clock.now();
    let drive = Drive::start(workers, &clock);
    let watched = demo_watch::watch(&args, &stage.sandbox, &running, &gate, &*clock).await;
    drive.stop().await;
    control.stop().await;
    let seconds = clock.now().since(started).as_secs_f64();
    let outcome = watched?;
    let summary = demo_verdict::summary(&args, &stage, &running, &outcome, seconds).await?;
    if args.json {
        tell(&summary.json())?;
    } else {
        tell(&summary.text())?;
    }
    stage.serving.shutdown().await;
    drop(running);
    stage.open.close();
    Ok(summary.is_right())
}

/// Writes to the standard output; a reader that is gone is no error.
fn tell(text: &str) -> Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::new(Kind::Internal, "the summary cannot be written").caused_by(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

async fn set_up(args: &DemoArgs) -> Result<Stage> {
    let cannot = |what: &str, error: &dyn std::fmt::Display| Error::new(Kind::Config, format!("{what}: {error}"));
    std::fs::create_dir_all(&args.data).map_err(|error| cannot(&format!("cannot make {}", args.data.display()), &error))?;
    let faults = match &args.faults {
        Some(file) => std::fs::read_to_string(file).map_err(|error| cannot(&format!("cannot read {}", file.display()), &error))?,
        None => String::new(),
    };
    // The store's lock comes first: two demos over one directory must not share the emulators' state either.
    let open = open_store(&args.data.join("syncline.db"))?;
    let settings = SandboxConfig { faults, ..SandboxConfig::default() };
    let sandbox = Sandbox::open(settings, &args.data.join("sandbox")).map_err(|error| cannot("the emulators", &error))?;
    let sandbox = Arc::new(Mutex::new(sandbox));
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let serving = serve(sandbox.clone(), any_port, any_port).await.map_err(|error| cannot("the emulators", &error))?;
    let text = configuration(args, &serving);
    let file = args.data.join("syncline.yaml");
    std::fs::write(&file, &text).map_err(|error| cannot(&format!("cannot write {}", file.display()), &error))?;
    let config = config::load(&text, &file.display().to_string(), &sandbox_secret)
        .map_err(|faults| Error::new(Kind::Config, faults.to_string()))?;
    Ok(Stage { sandbox, serving, open, config: Arc::new(config) })
}

/// The emulators' credentials are no secrets: the demo's configuration names them as a real one would.
fn sandbox_secret(name: &str) -> Option<String> {
    match name {
        "SF_CLIENT_ID" => Some("sandbox-client".into()),
        "SF_SECRET" => Some("sandbox-secret".into()),
        "HUBSPOT_TOKEN" => Some("pat-sandbox-1".into()),
        _ => None,
    }
}

fn configuration(args: &DemoArgs, serving: &Serving) -> String {
    format!(
        "# Written by `syncline demo`: what it runs with.\n\
         store: sqlite:syncline.db\n\
         systems:\n\
        \x20 internal: {{ kind: generator, seed: {seed}, events_per_second: {rate}, move_share: {moves} }}\n\
        \x20 salesforce:\n\
        \x20   kind: salesforce\n\
        \x20   url: http://{salesforce}\n\
        \x20   auth: {{ client_credentials: {{ id: \"${{SF_CLIENT_ID}}\", secret: \"${{SF_SECRET}}\" }} }}\n\
        \x20   timeout: 2s\n\
        \x20   linger_max: {horizon}s\n\
        \x20   quota: {{ use: 1.0 }}\n\
        \x20 hubspot:\n\
        \x20   kind: hubspot\n\
        \x20   url: http://{hubspot}\n\
        \x20   token: \"${{HUBSPOT_TOKEN}}\"\n\
        \x20   timeout: 2s\n\
        \x20   linger_max: {horizon}s\n\
        \x20   quota: {{ use: 1.0 }}\n\
         routing: default\n\
         dispatch: {{ retry: {{ base: 500ms, max: 10s, budget: 72h }} }}\n",
        seed = args.seed,
        rate = args.rate,
        moves = args.move_share,
        salesforce = serving.salesforce,
        hubspot = serving.hubspot,
        horizon = args.horizon,
    )
}

fn opening(args: &DemoArgs, stage: &Stage) -> String {
    let load = match args.load() {
        Load::Continuous => format!("a stream of {} events a second, until Ctrl-C", args.rate),
        Load::Events(events) => format!("{events} events"),
        Load::Phased(events) => format!("{events} creates, then {events} updates, moves and deletes"),
    };
    format!(
        "Contact events become records in an emulated Salesforce org and an emulated HubSpot account.\n\
         load         {load}, seed {}\n\
         salesforce   http://{}/_sandbox/state\n\
         hubspot      http://{}/_sandbox/state\n\
         data         {}\n",
        args.seed,
        stage.serving.salesforce,
        stage.serving.hubspot,
        absolute(&args.data).display(),
    )
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
