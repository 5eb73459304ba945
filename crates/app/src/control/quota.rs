//! The pools of every account: what may be spent, what of it is ours, and what is spent.
//!
//! Promises: while a lane runs the figures are its own; for one that does not they are what its charges come to, and say so.
//! Leaves to others: keeping within them (`core::dispatch::quota`).

use serde::{Deserialize, Serialize};
use syncline_core::dispatch::quota::{PoolStatus, Quota};
use syncline_core::ids::SystemId;
use syncline_engine::error::{Error, Kind, Result};

use super::{Context, moment};
use super::pauses::{self, Scope};
use crate::config::{Config, SystemConfig};
use crate::wiring;

/// Every account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaView {
    /// The lanes, in the order of the configuration.
    pub systems: Vec<LaneView>,
}

/// One lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneView {
    /// The system.
    pub system: String,
    /// `running`, `connecting`, `refused`, or `stopped` where no process runs.
    pub phase: String,
    /// What it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// What stopped it, with the remedy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What stands still.
    pub paused: Vec<Scope>,
    /// The pools.
    pub pools: Vec<PoolView>,
}

/// One pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolView {
    /// Its name.
    pub pool: String,
    /// What the account may spend in a window.
    pub limit: u64,
    /// What of it is ours.
    pub ours: u64,
    /// What of it counts as spent.
    pub used: u64,
    /// Calls of unknown fate among those.
    pub unknown: u64,
    /// No call before this time, if they said so.
    pub blocked_until: Option<String>,
}

impl From<PoolStatus> for PoolView {
    fn from(status: PoolStatus) -> Self {
        Self {
            pool: status.pool,
            limit: status.limit,
            ours: status.allowance,
            used: status.used,
            unknown: status.unknown,
            blocked_until: status.blocked_until.map(moment::told),
        }
    }
}

/// Every account as it stands.
pub(super) async fn view(context: &dyn Context) -> Result<QuotaView> {
    let no_config = || {
        Error::new(Kind::Config, "no process runs here, and without a configuration nobody knows the accounts")
            .with_remedy("name the configuration with -c FILE")
    };
    let config = context.config().ok_or_else(no_config)?;
    let lanes = context.lanes();
    let mut systems = Vec::new();
    for system in &config.systems {
        let Some(pools) = pools(context, &config, system).await? else { continue };
        let mut view = LaneView {
            system: system.name.clone(),
            phase: "stopped".to_owned(),
            waits_for: None,
            error: None,
            paused: pauses::in_force(context, &system.name).await?,
            pools: Vec::new(),
        };
        if let Some(status) = lanes.iter().find(|status| status.system == system.name) {
            view.phase = status.phase.to_owned();
            view.waits_for = Some(status.waits_for.to_owned()).filter(|waits| !waits.is_empty());
            view.error.clone_from(&status.error);
        }
        view.pools = pools.into_iter().map(PoolView::from).collect();
        systems.push(view);
    }
    Ok(QuotaView { systems })
}

/// The pools of a system: the running lane's, else what its charges come to; None for one that takes no writes.
pub(super) async fn pools(context: &dyn Context, config: &Config, system: &SystemConfig) -> Result<Option<Vec<PoolStatus>>> {
    let running = context.lanes().into_iter().find(|status| status.system == system.name && !status.pools.is_empty());
    match running {
        Some(status) => Ok(Some(status.pools)),
        None => charged(context, config, system).await,
    }
}

/// What a system's charges come to; None for one that takes no writes.
async fn charged(context: &dyn Context, config: &Config, system: &SystemConfig) -> Result<Option<Vec<PoolStatus>>> {
    let Some((writer, agreed)) = wiring::writer(config, system)? else { return Ok(None) };
    let settings = wiring::lane_settings(config, system, SystemId(0), agreed, &*writer);
    let mut quota = Quota::new(&settings.profile.pools, settings.share_permille);
    let now = context.now();
    for charge in context.store().charges(&settings.account, now.minus(quota.memory())).await? {
        quota.restore(&charge);
    }
    quota.advance(now);
    Ok(Some(quota.status(now)))
}
