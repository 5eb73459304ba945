//! Stopping a system's writes, and letting them go on.
//!
//! Promises: durable before it is answered, so that it outlives the process; a running lane obeys at once.
//! Leaves to others: pauses that a lane sets itself (`core::dispatch`).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use syncline_core::change_set::{ChangeSet, Pause, PauseChange, PauseScope};
use syncline_engine::codes::Code;
use syncline_engine::error::{Error, Kind, Result};
use syncline_engine::ports::store::PauseRow;
use syncline_engine::workers::inbox::Wish;

use super::{Context, Names, moment};
use crate::config::nearest;

/// Something that stands still, or did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Its code in the registry.
    pub code: String,
    /// `writes` or `deletes`.
    pub scope: String,
    /// Since when.
    pub since: String,
    /// Why, with the remedy.
    pub reason: String,
}

/// What a pause or a resume did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseView {
    /// The system.
    pub system: String,
    /// What stands still now.
    pub paused: Vec<Scope>,
    /// What goes on again.
    pub resumed: Vec<Scope>,
}

impl From<PauseRow> for Scope {
    fn from(row: PauseRow) -> Self {
        Self { code: Code::of_pause(row.pause.scope).to_string(), scope: row.pause.scope.name().to_owned(), since: moment::told(row.since), reason: row.reason }
    }
}

/// Stops a system's writes.
pub(super) async fn pause(context: &dyn Context, system: &str, reason: Option<&str>) -> Result<PauseView> {
    expect_lane(context, system).await?;
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty()).unwrap_or("no reason given");
    let reason = format!("paused by an operator: {reason}; then `syncline resume {system}`");
    let pause = Pause { system: system.to_owned(), scope: PauseScope::Writes };
    let change = PauseChange { pause, set: true, at: context.now(), reason: reason.clone() };
    context.store().commit(ChangeSet { pauses: vec![change], ..ChangeSet::default() }).await?;
    context.tell(system, Wish::Pause(PauseScope::Writes, reason)).await;
    Ok(PauseView { system: system.to_owned(), paused: in_force(context, system).await?, resumed: Vec::new() })
}

/// Lets everything of a system go on.
pub(super) async fn resume(context: &dyn Context, system: &str) -> Result<PauseView> {
    expect_lane(context, system).await?;
    let rows: Vec<_> = context.store().pauses().await?.into_iter().filter(|row| row.pause.system == system).collect();
    let lift = |row: &PauseRow| PauseChange { pause: row.pause.clone(), set: false, at: context.now(), reason: row.reason.clone() };
    let set = ChangeSet { pauses: rows.iter().map(lift).collect(), ..ChangeSet::default() };
    if !set.is_empty() {
        context.store().commit(set).await?;
    }
    context.tell(system, Wish::Resume).await;
    Ok(PauseView { system: system.to_owned(), paused: Vec::new(), resumed: rows.into_iter().map(Scope::from).collect() })
}

/// What of a system stands still.
pub(super) async fn in_force(context: &dyn Context, system: &str) -> Result<Vec<Scope>> {
    let rows = context.store().pauses().await?.into_iter();
    Ok(rows.filter(|row| row.pause.system == system).map(Scope::from).collect())
}

/// A system can be paused if it is written to, as far as the configuration tells; without one, if the store knows it.
async fn expect_lane(context: &dyn Context, system: &str) -> Result<()> {
    let names = Names::of(context.store()).await?;
    let known: BTreeSet<&str> = match context.config() {
        Some(config) => config.systems.iter().filter(|system| system.kind.agreed().is_some()).map(|system| system.name.as_str()).collect(),
        None => names.all().map(|(_, name)| name).collect(),
    };
    if known.contains(system) {
        return Ok(());
    }
    let known: Vec<_> = known.into_iter().collect();
    let remedy = match nearest(system, known.iter().copied()) {
        _ if known.is_empty() => "nothing can be paused here".to_owned(),
        Some(meant) => format!("did you mean {meant}? there are {}", known.join(", ")),
        None => format!("name one of {}", known.join(", ")),
    };
    Err(Error::new(Kind::Operator, format!("{system} is no system that is written to")).with_remedy(remedy))
}
