//! The ledger's equations with their figures, and what an audit of the rows found.
//!
//! Promises: balanced if and only if every equation holds and, where rows were looked at, every one is as it was written.
//! Leaves to others: the equations (`core::ledger`), the audit (the store).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use syncline_core::ids::{SourceId, SystemId};
use syncline_core::ledger::{Cause, Counter, Ending, Fact, Imbalance, Ledger, Offer, Post, Routing};
use syncline_engine::error::Result;
use syncline_engine::ports::store::Audit;

use super::{Context, Names, moment};

/// The accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerView {
    /// Whether all agrees.
    pub balanced: bool,
    /// Per source: offered = accepted + duplicate + refused.
    pub sources: Vec<SourceAccount>,
    /// Of all sources: accepted = routed + unrouted + stale.
    pub tenant: BTreeMap<String, i64>,
    /// Per system: opened = closed + open.
    pub systems: Vec<SystemAccount>,
    /// created = waiting + replayed + discarded + overtaken.
    pub dead_letters: BTreeMap<String, i64>,
    /// Equations that do not hold.
    pub imbalances: Vec<Unequal>,
    /// What looking at every row found, if that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditView>,
}

/// A source's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceAccount {
    /// The source.
    pub source: String,
    /// What it handed over, by what came of it.
    pub inputs: BTreeMap<String, i64>,
}

/// A system's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemAccount {
    /// The system.
    pub system: String,
    /// Deliveries opened, by cause.
    pub opened: BTreeMap<String, i64>,
    /// Deliveries closed, by ending.
    pub closed: BTreeMap<String, i64>,
    /// Deliveries open.
    pub open: i64,
    /// Facts that enter no equation.
    pub facts: BTreeMap<String, i64>,
    /// Links by state.
    pub links: BTreeMap<String, u64>,
    /// Since when the oldest due link waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_since: Option<String>,
}

/// An equation that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unequal {
    /// Which.
    pub account: String,
    /// Its left side.
    pub left: i64,
    /// Its right side.
    pub right: i64,
}

/// What looking at every row found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditView {
    /// Rows looked at.
    pub rows: u64,
    /// Rows that are not as they were written.
    pub altered: Vec<Altered>,
    /// Counters that do not equal the recount, and equations that do not hold.
    pub imbalances: Vec<Unequal>,
}

/// A row that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Altered {
    /// Its table.
    pub table: String,
    /// Its key.
    pub row: String,
    /// What is wrong.
    pub why: String,
}

/// The accounts as they stand; with `verify` every row is counted again and looked at.
pub(super) async fn view(context: &dyn Context, verify: bool) -> Result<LedgerView> {
    let store = context.store();
    let names = Names::of(store).await?;
    // An account that does not read breaks the ledger, and only the audit can say which row it is.
    let audit = if verify { Some(store.audit().await?) } else { None };
    let ledger = match (store.ledger().await, &audit) {
        (Ok(ledger), _) => ledger,
        (Err(_), Some(audit)) if !audit.altered.is_empty() => Ledger::default(),
        (Err(error), _) => return Err(error),
    };
    let mut systems = Vec::new();
    for system in ledger.systems() {
        systems.push(system_account(context, &ledger, system, &names).await?);
    }
    let imbalances = unequal(ledger.imbalances(), &names);
    let audit = audit.map(|audit| audit_view(audit, &names));
    let rows_agree = audit.as_ref().is_none_or(|audit| audit.altered.is_empty() && audit.imbalances.is_empty());
    Ok(LedgerView {
        balanced: imbalances.is_empty() && rows_agree,
        sources: ledger.sources().into_iter().map(|source| source_account(&ledger, source, &names)).collect(),
        tenant: Routing::ALL.iter().map(|routing| (routing.name().to_owned(), ledger.counts.get(Counter::Tenant(*routing)))).collect(),
        systems,
        dead_letters: dead_letters(&ledger),
        imbalances,
        audit,
    })
}

fn source_account(ledger: &Ledger, source: SourceId, names: &Names) -> SourceAccount {
    let of = |offer: &Offer| (offer.name().to_owned(), ledger.counts.get(Counter::Source(source, *offer)));
    SourceAccount { source: names.name(source.0), inputs: Offer::ALL.iter().map(of).collect() }
}

async fn system_account(context: &dyn Context, ledger: &Ledger, system: SystemId, names: &Names) -> Result<SystemAccount> {
    let get = |counter| ledger.counts.get(counter);
    let (states, due_since) = context.store().states(system).await?;
    let facts = Fact::ALL.iter().map(|fact| (fact.name().to_owned(), get(Counter::Fact(system, *fact))));
    Ok(SystemAccount {
        system: names.name(system.0),
        opened: Cause::ALL.iter().map(|cause| (cause.name().to_owned(), get(Counter::Opened(system, *cause)))).collect(),
        closed: Ending::ALL.iter().map(|ending| (ending.name().to_owned(), get(Counter::Closed(system, *ending)))).collect(),
        open: ledger.open.get(&system).copied().unwrap_or(0),
        facts: facts.filter(|(_, count)| *count != 0).collect(),
        links: states.into_iter().filter(|(_, count)| *count > 0).map(|(state, count)| (state.name().to_owned(), count)).collect(),
        due_since: due_since.map(moment::told),
    })
}

fn dead_letters(ledger: &Ledger) -> BTreeMap<String, i64> {
    let posts = Post::ALL.iter().map(|post| (post.name().to_owned(), ledger.counts.get(Counter::Letters(*post))));
    posts.chain([("waiting".to_owned(), ledger.waiting)]).collect()
}

fn unequal(imbalances: Vec<Imbalance>, names: &Names) -> Vec<Unequal> {
    let told = |Imbalance { account, left, right }: Imbalance| Unequal { account: names.tell(&account), left, right };
    imbalances.into_iter().map(told).collect()
}

fn audit_view(audit: Audit, names: &Names) -> AuditView {
    let altered = audit.altered.into_iter().map(|row| Altered { table: row.table, row: row.row, why: row.why }).collect();
    AuditView { rows: audit.rows, altered, imbalances: unequal(audit.imbalances, names) }
}
