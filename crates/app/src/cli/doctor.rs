//! `syncline doctor`: how it stands with a process or store, and a bundle for whoever is to help.
//!
//! Promises: the bundle is one JSON document and holds no secret, no field value and no record's key; it is written whole or not at
//! all. Ends with 1 if something is found. Leaves to others: the figures (`crate::control`), mending it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::causes::{self, all_waiting, group};
use super::console::{Console, Failure};
use super::target::Target;
use crate::reload::Refused;
use crate::control::{Answer, LaneView, LedgerView, QuotaView, Refusal, Request};

pub(super) const EXAMPLES: &str = "Examples:\n  syncline doctor -c syncline.yaml\n  syncline doctor --out bundle.json";

/// `syncline doctor`.
#[derive(Debug, Clone, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    target: Target,
    /// Write a bundle without secrets and values to this file, for whoever is to help
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Answer as JSON: the bundle itself
    #[arg(long)]
    json: bool,
}

/// What was found, with all that it was found by.
#[derive(Debug, Serialize)]
struct Bundle {
    version: &'static str,
    platform: String,
    /// The configuration in words, if one is known.
    configuration: Option<String>,
    store: BTreeMap<String, u64>,
    findings: Vec<Finding>,
    ledger: LedgerView,
    /// None where nobody knows the accounts: no process runs, and there is no configuration.
    quota: Option<QuotaView>,
    dead_letters: Vec<Cause>,
}

/// One thing that is not as it should be.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Finding {
    what: String,
    remedy: String,
}

/// Waiting letters with one cause, without the record that is an example of them.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Cause {
    error: String,
    code: String,
    field: Option<String>,
    letters: u64,
    remedy: String,
}

impl From<causes::Cause> for Cause {
    fn from(cause: causes::Cause) -> Self {
        Self { error: cause.error, code: cause.code, field: cause.field, letters: cause.count, remedy: cause.remedy }
    }
}

/// Looks at everything.
pub(super) fn doctor(args: &DoctorArgs, console: &mut Console) -> Result<u8, Failure> {
    let bundle = examine(&args.target)?;
    if let Some(path) = &args.out {
        write(path, &bundle)?;
    }
    if args.json {
        console.json(&bundle)?;
    } else {
        tell(&bundle, console)?;
    }
    Ok(u8::from(!bundle.findings.is_empty()))
}

fn examine(target: &Target) -> Result<Bundle, Failure> {
    let (place, config) = target.find()?;
    let mut door = target.open()?;
    let ledger = door.ask(&Request::Ledger { verify: true });
    let quota = door.ask(&Request::Quota);
    let letters = all_waiting(&mut door);
    let values = door.ask(&Request::ConfigValues);
    door.close();
    let Answer::Ledger(ledger) = ledger? else { return Err(super::unexpected()) };
    let Answer::ConfigValues { values } = values? else { return Err(super::unexpected()) };
    let refused = values.and_then(|values| values.refused).map(|refused| of_refused(&refused));
    let quota = match quota {
        Ok(Answer::Quota(quota)) => Some(quota),
        Ok(_) => return Err(super::unexpected()),
        Err(_) if config.is_none() => None,
        Err(refusal) => return Err(refusal.into()),
    };
    let causes: Vec<Cause> = group(letters?).into_iter().map(Cause::from).collect();
    Ok(Bundle {
        version: env!("CARGO_PKG_VERSION"),
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        configuration: config.map(|config| config.describe()),
        store: sizes(&place.store),
        findings: refused.into_iter().chain(findings(&ledger, quota.as_ref(), &causes)).collect(),
        ledger: *ledger,
        quota,
        dead_letters: causes,
    })
}

/// The store's files and their sizes in bytes.
fn sizes(store: &Path) -> BTreeMap<String, u64> {
    let size = |suffix: &str| {
        let mut path = store.as_os_str().to_owned();
        path.push(suffix);
        let bytes = std::fs::metadata(&path).ok()?.len();
        Some((Path::new(&path).file_name()?.to_string_lossy().into_owned(), bytes))
    };
    ["", "-wal"].iter().filter_map(|suffix| size(suffix)).collect()
}

fn findings(ledger: &LedgerView, quota: Option<&QuotaView>, causes: &[Cause]) -> Vec<Finding> {
    let finding = |what: String, remedy: &str| Finding { what, remedy: remedy.to_owned() };
    let mut found = Vec::new();
    if !ledger.balanced {
        let remedy = "restore the store from a copy, and send this bundle to whoever is to help";
        found.push(finding("the ledger does not balance, or rows were altered".to_owned(), remedy));
    }
    for lane in quota.iter().flat_map(|quota| &quota.systems) {
        found.extend(of_lane(lane));
    }
    for cause in causes {
        let field = cause.field.as_ref().map(|field| format!(" ({field})")).unwrap_or_default();
        let plural = if cause.letters == 1 { "" } else { "s" };
        found.push(finding(format!("{} dead letter{plural}: {}{field} [{}]", cause.letters, cause.code, cause.error), &cause.remedy));
    }
    found
}

/// Paths and codes only: a message may quote what was written.
fn of_refused(refused: &Refused) -> Finding {
    let faults: Vec<_> = refused.faults.iter().map(|fault| format!("{} [{}]", if fault.path.is_empty() { &fault.place } else { &fault.path }, fault.code)).collect();
    Finding {
        what: format!("since {} another configuration is refused, and the former one stays: {}", refused.at, faults.join(", ")),
        remedy: "`syncline check` tells each fault; once they are mended: `syncline config reload`".to_owned(),
    }
}

fn of_lane(lane: &LaneView) -> Vec<Finding> {
    let stopped = lane.error.iter().map(|error| Finding {
        what: format!("{} is {}: {error}", lane.system, lane.phase),
        remedy: "mend what the message says; a lane that is refused needs `syncline resume` or a start".to_owned(),
    });
    let paused = lane.paused.iter().map(|scope| Finding {
        what: format!("{}: {} stand still since {}: {} [{}]", lane.system, scope.scope, scope.since, scope.reason, scope.code),
        remedy: format!("once that is mended: `syncline resume {}`", lane.system),
    });
    stopped.chain(paused).collect()
}

fn tell(bundle: &Bundle, console: &mut Console) -> Result<(), Failure> {
    if bundle.findings.is_empty() {
        return console.line("nothing is amiss");
    }
    bundle.findings.iter().try_for_each(|finding| console.line(&format!("{}\n  remedy: {}", finding.what, finding.remedy)))
}

/// Writes a draft and renames it, so that no half of a bundle is ever there.
fn write(path: &Path, bundle: &Bundle) -> Result<(), Failure> {
    let cannot = |error: std::io::Error| Refusal::new(format!("{} cannot be written", path.display()), "name a file in a directory that can be written", 73).caused_by(&error);
    let text = serde_json::to_string_pretty(bundle).map_err(|error| Refusal::new("the bundle cannot be written as JSON", "report this", 70).caused_by(&error))?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(".draft");
    std::fs::write(&draft, text).map_err(cannot)?;
    Ok(std::fs::rename(&draft, path).map_err(cannot)?)
}
