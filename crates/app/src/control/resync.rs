//! Bringing records under the present rules, a page at a time, and what that will cost.
//!
//! Promises: a page is answered after it is durable; looking opens nothing; a price is the least number of calls, from what a
//! request of each account holds, and the least time that its quota allows. Leaves to others: what a record needs
//! (`core::resync`), going through the pages and asking a person (`cli`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use syncline_core::attempt::Operation;
use syncline_core::dispatch::batch::{Call, Profile};
use syncline_core::dispatch::quota::Window;
use syncline_core::ids::{RecordId, SystemId};
use syncline_core::resync::Need;
use syncline_engine::error::{Error, Kind, Result};
use syncline_engine::operator::resync::{AllTerms, Asked, Page, look};

use super::{Context, Names, quota};
use crate::config::{Config, SystemConfig, nearest};
use crate::wiring;

/// Records in a page at most.
const PAGE_MAX: usize = 1000;

/// Which records are brought under the present rules, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Only records of this type.
    pub record_type: Option<String>,
    /// Only those under these keys; empty is all of them.
    pub keys: Vec<String>,
    /// Only in these systems; empty is all of them.
    pub systems: Vec<String>,
    /// Forget what is known of theirs.
    pub force: bool,
}

/// What a page of records came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResyncPage {
    /// The last record of the page, if more may lie behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
    /// Records looked at.
    pub records: u64,
    /// Places of theirs that are right as they are.
    pub right: u64,
    /// Places that are due already.
    pub due_already: u64,
    /// Places in systems that the configuration does not speak of.
    pub without_rules: u64,
    /// Places to be written.
    pub needs: Vec<NeedView>,
}

/// What places of one kind need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeedView {
    /// The system.
    pub system: String,
    /// The object.
    pub object: String,
    /// `create`, `update`, `delete`, `leave` or `refuse`.
    pub need: String,
    /// How many.
    pub records: u64,
}

/// What writing costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// By system, in the order of the configuration.
    pub systems: Vec<SystemPrice>,
}

/// What writing costs in one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemPrice {
    /// The system.
    pub system: String,
    /// Write requests at least.
    pub calls: u64,
    /// What they draw on.
    pub pools: Vec<PoolPrice>,
    /// Seconds that the quota makes it last at least.
    pub seconds: u64,
    /// Records to be removed.
    pub removals: u64,
    /// How many removals the fuse lets pass.
    pub removals_max: u64,
}

/// What is drawn on one pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolPrice {
    /// The pool.
    pub pool: String,
    /// Calls that draw on it.
    pub calls: u64,
    /// What is left of our share now.
    pub left: u64,
    /// How many calls pass without being asked for: half of what is left of a pool that lasts for a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls_max: Option<u64>,
}

/// Looks at a page of records, or opens what it needs.
pub(super) async fn page(context: &dyn Context, selection: &Selection, after: Option<i64>, limit: usize, open: bool) -> Result<ResyncPage> {
    let config = known_config(context)?;
    let config = &*config;
    let numbers = numbers(context, config).await?;
    let record_type = record_type(config, selection)?;
    let mut systems = BTreeSet::new();
    for name in &selection.systems {
        systems.insert(SystemId(number(config, &numbers, name)?));
    }
    let terms = terms(config, &numbers);
    let asked = Asked {
        record_type,
        keys: selection.keys.clone(),
        systems,
        force: selection.force,
        after: after.map(RecordId),
        limit: limit.clamp(1, PAGE_MAX),
        terms: Arc::new(terms),
    };
    let page = if open {
        context.resync(asked).await?
    } else {
        let routes = config.routes(&|name| SystemId(numbers.get(name).copied().unwrap_or_default()));
        look(context.store(), &routes, &asked, context.now()).await?
    };
    Ok(told(page, &Names::of(context.store()).await?))
}

fn told(page: Page, names: &Names) -> ResyncPage {
    let need = |((system, object, need), records): ((SystemId, String, Need), u64)| NeedView {
        system: names.name(system.0),
        object,
        need: need.name().to_owned(),
        records,
    };
    ResyncPage {
        next: page.next.map(|record| record.0),
        records: page.seen.records,
        right: page.seen.right,
        due_already: page.seen.due_already,
        without_rules: page.seen.without_rules,
        needs: page.seen.needs.into_iter().map(need).collect(),
    }
}

/// What these needs cost.
pub(super) async fn price(context: &dyn Context, needs: &[NeedView]) -> Result<Price> {
    let config = known_config(context)?;
    let config = &*config;
    let mut systems = Vec::new();
    for system in &config.systems {
        let of_system: Vec<&NeedView> = needs.iter().filter(|need| need.system == system.name).collect();
        if !of_system.is_empty() && let Some(price) = price_of(context, config, system, &of_system).await? {
            systems.push(price);
        }
    }
    Ok(Price { systems })
}

async fn price_of(context: &dyn Context, config: &Config, system: &SystemConfig, needs: &[&NeedView]) -> Result<Option<SystemPrice>> {
    let Some((writer, agreed)) = wiring::writer(config, system)? else { return Ok(None) };
    let profile = writer.profile();
    let calls = calls(profile, needs);
    let spent = quota::pools(context, config, system).await?.unwrap_or_default();
    let drawn = profile.draws.get(&Call::Write).cloned().unwrap_or_default();
    let (mut pools, mut seconds) = (Vec::new(), 0);
    for pool in spent.iter().filter(|pool| drawn.contains(&pool.pool)) {
        let left = pool.allowance.saturating_sub(pool.used);
        let window = profile.pools.iter().find(|spec| spec.name == pool.pool).map(|spec| &spec.window);
        let lasts = window.map_or(0, length);
        let windows = calls.saturating_sub(left).div_ceil(pool.allowance.max(1));
        seconds = seconds.max(windows.saturating_mul(lasts));
        let calls_max = (lasts >= DAY).then_some(left / 2);
        pools.push(PoolPrice { pool: pool.pool.clone(), calls, left, calls_max });
    }
    let removals = needs.iter().filter(|need| removes(&need.need)).map(|need| need.records).sum();
    let guard = config.dispatch.guard;
    let number = SystemId(context.store().register(&system.name).await?);
    let objects: BTreeSet<&String> = agreed.terms.values().flat_map(|terms| terms.objects.values()).collect();
    let mut proven = 0;
    for object in objects {
        proven += context.store().proven(number, object).await?;
    }
    let removals_max = (proven.saturating_mul(guard.fuse_permille) / 1000).max(guard.fuse_min);
    Ok(Some(SystemPrice { system: system.name.clone(), calls, pools, seconds, removals, removals_max }))
}

/// Seconds in a day.
const DAY: u64 = 24 * 3600;

const fn length(window: &Window) -> u64 {
    match window {
        Window::Rolling(window) => window.as_secs(),
        Window::Midnight(_) => DAY,
    }
}

fn removes(need: &str) -> bool {
    need == Need::Delete.name() || need == Need::Leave.name()
}

/// Requests at least: as many as hold the records of each object and operation.
fn calls(profile: &Profile, needs: &[&NeedView]) -> u64 {
    let mut groups: BTreeMap<(&str, Operation), u64> = BTreeMap::new();
    for need in needs {
        let operation = match need.need.as_str() {
            need if need == Need::Create.name() => Operation::Create,
            need if need == Need::Update.name() => Operation::Update,
            need if removes(need) => Operation::Delete,
            // What is refused is not sent.
            _ => continue,
        };
        *groups.entry((&need.object, operation)).or_default() += need.records;
    }
    let requests = |((_, operation), records): (&(&str, Operation), &u64)| {
        let most = profile.batch_max.get(operation).copied().unwrap_or(1).max(1);
        records.div_ceil(most as u64)
    };
    groups.iter().map(requests).sum()
}

pub(super) fn known_config(context: &dyn Context) -> Result<std::sync::Arc<Config>> {
    let missing = || {
        Error::new(Kind::Config, "no process runs here, and without a configuration nobody knows the rules")
            .with_remedy("name the configuration with -c FILE")
    };
    context.config().ok_or_else(missing)
}

pub(super) async fn numbers(context: &dyn Context, config: &Config) -> Result<BTreeMap<String, i64>> {
    let mut numbers = BTreeMap::new();
    for system in &config.systems {
        numbers.insert(system.name.clone(), context.store().register(&system.name).await?);
    }
    Ok(numbers)
}

/// The terms of every system that is written to.
pub(super) fn terms(config: &Config, numbers: &BTreeMap<String, i64>) -> AllTerms {
    let agreed = config.systems.iter().filter_map(|system| Some((system, system.kind.agreed()?)));
    agreed.map(|(system, agreed)| (SystemId(numbers.get(&system.name).copied().unwrap_or_default()), agreed.terms.clone())).collect()
}

fn number(config: &Config, numbers: &BTreeMap<String, i64>, name: &str) -> Result<i64> {
    let written: Vec<&str> = config.systems.iter().filter(|system| system.kind.agreed().is_some()).map(|system| system.name.as_str()).collect();
    match numbers.get(name).filter(|_| written.contains(&name)) {
        Some(number) => Ok(*number),
        None => Err(unknown("system that is written to", name, &written)),
    }
}

fn record_type(config: &Config, selection: &Selection) -> Result<Option<String>> {
    let types: Vec<&str> = config.routing.keys().map(String::as_str).collect();
    match (&selection.record_type, types.as_slice()) {
        (Some(name), types) if types.contains(&name.as_str()) => Ok(Some(name.clone())),
        (Some(name), types) => Err(unknown("record type that is routed", name, types)),
        (None, [one]) if !selection.keys.is_empty() => Ok(Some((*one).to_owned())),
        (None, types) if !selection.keys.is_empty() => {
            Err(Error::new(Kind::Operator, "a key says nothing without its record type").with_remedy(format!("add --type, one of {}", types.join(", "))))
        }
        (None, _) => Ok(None),
    }
}

fn unknown(what: &str, name: &str, known: &[&str]) -> Error {
    let listed = if known.is_empty() { "the configuration has none".to_owned() } else { format!("there are {}", known.join(", ")) };
    let remedy = nearest(name, known.iter().copied()).map_or_else(|| listed.clone(), |meant| format!("did you mean {meant}? {listed}"));
    Error::new(Kind::Operator, format!("{name} is no {what}")).with_remedy(remedy)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use syncline_core::attempt::Operation;
    use syncline_core::dispatch::batch::Profile;

    use super::{NeedView, calls};

    #[test]
    fn calls_are_as_many_as_hold_the_records_of_each_object_and_operation() {
        let profile = Profile {
            batch_max: BTreeMap::from([(Operation::Create, 200), (Operation::Update, 200), (Operation::Delete, 100)]),
            read_max: 1,
            timeout: Duration::ZERO,
            linger_max: Duration::ZERO,
            concurrency: 1,
            pools: Vec::new(),
            draws: BTreeMap::new(),
        };
        let need = |object: &str, need: &str, records| NeedView { system: "a".into(), object: object.into(), need: need.into(), records };
        let needs = [need("Lead", "create", 201), need("Contact", "update", 1), need("Lead", "leave", 60), need("Lead", "delete", 60), need("Lead", "refuse", 9)];
        assert_eq!(calls(&profile, &needs.iter().collect::<Vec<_>>()), 2 + 1 + 2);
    }
}
