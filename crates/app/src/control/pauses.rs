//! Stopping a system's writes, and letting them go on.
//!
//! Promises: durable before it is answered, so that it outlives the process; a running lane obeys at once.
//! Leaves to others: pauses that a lane sets itself (`core::dispatch`).

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use syncline_core::change_set::{ChangeSet, Pause, PauseChange, PauseScope};
use syncline_engine::codes::Code;
use syncline_engine::error::{Error, Kind, Result};
use syncline_engine::ports::store::PauseRow;
use syncline_engine::workers::dispatcher::LaneStatus;
use syncline_engine::workers::inbox::Wish;

use super::{Context, Names, moment};
use crate::config::nearest;

/// How long a resume waits for what a look at the schema finds.
const LOOK_WAIT: Duration = Duration::from_secs(10);
/// How often it sees whether the look is done.
const LOOK_STEP: Duration = Duration::from_millis(20);

/// Something that stands still, or did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Its code in the registry.
    pub code: String,
    /// `writes`, `deletes`, or `writes to` and an object.
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
    /// What goes on if a look at it finds nothing, which takes longer than was waited for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looked_at: Vec<Scope>,
}

impl From<PauseRow> for Scope {
    fn from(row: PauseRow) -> Self {
        Self { code: Code::of_pause(&row.pause.scope).to_string(), scope: row.pause.scope.name(), since: moment::told(row.since), reason: row.reason }
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
    Ok(PauseView { system: system.to_owned(), paused: in_force(context, system).await?, resumed: Vec::new(), looked_at: Vec::new() })
}

/// Lets everything of a system go on. Of an object that its lane let stand still the lane looks at the schema first, if it runs.
pub(super) async fn resume(context: &dyn Context, system: &str) -> Result<PauseView> {
    expect_lane(context, system).await?;
    let rows: Vec<_> = context.store().pauses().await?.into_iter().filter(|row| row.pause.system == system).collect();
    let lane = lane(context, system).filter(|lane| lane.phase == "running");
    let (left, lifted): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| lane.is_some() && is_of_object(row));
    let lift = |row: &PauseRow| PauseChange { pause: row.pause.clone(), set: false, at: context.now(), reason: row.reason.clone() };
    let set = ChangeSet { pauses: lifted.iter().map(lift).collect(), ..ChangeSet::default() };
    if !set.is_empty() {
        context.store().commit(set).await?;
    }
    context.tell(system, Wish::Resume).await;
    let mut view = PauseView { system: system.to_owned(), paused: Vec::new(), resumed: Vec::new(), looked_at: Vec::new() };
    view.resumed = lifted.into_iter().map(Scope::from).collect();
    if let (Some(lane), false) = (lane, left.is_empty()) {
        crate::run::within(LOOK_WAIT, looked(context, system, lane.report.resumes)).await;
        let resuming = self::lane(context, system).map_or_else(Vec::new, |lane| lane.resuming);
        let in_force = context.store().pauses().await?;
        for row in left {
            let still = in_force.iter().find(|now| now.pause == row.pause).cloned();
            match (still, &row.pause.scope) {
                (None, _) => view.resumed.push(row.into()),
                (Some(now), PauseScope::Object(object)) if resuming.contains(object) => view.looked_at.push(now.into()),
                (Some(now), _) => view.paused.push(now.into()),
            }
        }
    }
    Ok(view)
}

const fn is_of_object(row: &PauseRow) -> bool {
    match row.pause.scope {
        PauseScope::Object(_) => true,
        PauseScope::Writes | PauseScope::Deletes => false,
    }
}

fn lane(context: &dyn Context, system: &str) -> Option<LaneStatus> {
    context.lanes().into_iter().find(|lane| lane.system == system)
}

/// Waits until the lane has heard one more resume, has looked at every object that it concerns, and has that durable.
async fn looked(context: &dyn Context, system: &str, heard: u64) {
    while lane(context, system).is_some_and(|lane| lane.report.resumes <= heard || !lane.resuming.is_empty() || !lane.is_settled) {
        crate::run::pause(LOOK_STEP).await;
    }
}

/// What of a system stands still.
pub(super) async fn in_force(context: &dyn Context, system: &str) -> Result<Vec<Scope>> {
    let rows = context.store().pauses().await?.into_iter();
    Ok(rows.filter(|row| row.pause.system == system).map(Scope::from).collect())
}

/// A system can be paused if it is written to, as far as the configuration tells; without one, if the store knows it.
async fn expect_lane(context: &dyn Context, system: &str) -> Result<()> {
    let names = Names::of(context.store()).await?;
    let config = context.config();
    let known: BTreeSet<&str> = match &config {
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
