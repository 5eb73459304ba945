//! `syncline resync`: brings records that are known under the present routes and mapping.
//!
//! Promises: everything is looked at and priced before anything is opened; more removals or calls than the fuses let pass need to be
//! asked for by number; a person agrees, or `--yes` does; an end in the middle says where to go on.
//! Leaves to others: what a record needs (`core::resync`), opening it (`crate::control`).

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;

use super::console::{Console, Failure, agreed, row, say};
use super::target::Target;
use crate::control::{Answer, Door, NeedView, Price, Refusal, Request, ResyncPage, Selection, SystemPrice};

pub(super) const EXAMPLES: &str = "\
Examples:
  syncline resync --dry-run                      what would the present rules change, and what would it cost?
  syncline resync --type contacts --yes          after a change of routes or mapping
  syncline resync --key A1234 --force            write every field that we own, whatever is known of theirs";

/// Records in a page.
const PAGE: usize = 500;
/// Records between two lines of progress.
const PROGRESS: u64 = 50_000;

/// `syncline resync`.
#[derive(Debug, Clone, Args)]
pub(super) struct ResyncArgs {
    /// Only records of this type
    #[arg(long = "type", value_name = "TYPE")]
    record_type: Option<String>,
    /// Only the record under this key; may be given several times
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<String>,
    /// Only in this system; may be given several times
    #[arg(long = "system", value_name = "NAME")]
    systems: Vec<String>,
    /// Forget what is known of theirs, and write every field that we own
    #[arg(long)]
    force: bool,
    /// Look and price, and open nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Do it without asking
    #[arg(long)]
    yes: bool,
    /// Let so many removals of a system pass, in place of the fuse
    #[arg(long, value_name = "COUNT")]
    max_removals: Option<u64>,
    /// Let so many calls to a system pass, in place of half of what is left of its day
    #[arg(long, value_name = "COUNT")]
    max_calls: Option<u64>,
    /// Go on behind this record, where an earlier resync ended
    #[arg(long, value_name = "NUMBER", conflicts_with = "keys")]
    after: Option<i64>,
    #[command(flatten)]
    target: Target,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
}

/// What was seen, what it costs, and what was opened.
#[derive(Debug, Serialize)]
struct Told {
    #[serde(flatten)]
    seen: ResyncPage,
    price: Price,
    /// `nothing_to_do`, `dry_run`, `refused` or `opened`.
    outcome: &'static str,
    /// Places whose writing was opened.
    opened: u64,
}

pub(super) fn resync(args: &ResyncArgs, console: &mut Console) -> Result<u8, Failure> {
    let mut door = args.target.open()?;
    let done = carry_out(args, &mut door, console);
    door.close();
    done
}

fn carry_out(args: &ResyncArgs, door: &mut Door, console: &mut Console) -> Result<u8, Failure> {
    let (seen, price) = look(args, door)?;
    let links: u64 = seen.needs.iter().map(|need| need.records).sum();
    let mut told = Told { seen, price, outcome: "dry_run", opened: 0 };
    if links == 0 {
        told.outcome = "nothing_to_do";
    }
    if !args.json {
        show(&told, console)?;
        console.flush()?;
    }
    if links > 0 && !args.dry_run {
        keep_fuses(args, &told.price)?;
        if !args.yes && !agreed(&format!("write these {links}"))? {
            told.outcome = "refused";
            say("nothing was opened");
        } else {
            told.opened = open(args, door)?;
            told.outcome = "opened";
            say(&format!("{} are due; `syncline top` shows them go", told.opened));
        }
    }
    if args.json {
        console.json(&told)?;
    }
    Ok(u8::from(told.outcome == "refused"))
}

/// Goes through all the pages without opening anything, and asks for the price.
fn look(args: &ResyncArgs, door: &mut Door) -> Result<(ResyncPage, Price), Failure> {
    let mut seen = ResyncPage::default();
    through(args, door, false, |page| add(&mut seen, page))?;
    let Answer::ResyncPrice(price) = door.ask(&Request::ResyncPrice { needs: seen.needs.clone() })? else { return Err(super::unexpected()) };
    Ok((seen, price))
}

fn open(args: &ResyncArgs, door: &mut Door) -> Result<u64, Failure> {
    let mut opened = 0;
    through(args, door, true, |page| opened += page.needs.iter().map(|need| need.records).sum::<u64>())?;
    Ok(opened)
}

fn through(args: &ResyncArgs, door: &mut Door, open: bool, mut take: impl FnMut(&ResyncPage)) -> Result<(), Failure> {
    let selection = Selection {
        record_type: args.record_type.clone(),
        keys: args.keys.clone(),
        systems: args.systems.clone(),
        force: args.force,
    };
    let (mut after, mut records, mut told) = (args.after, 0, 0);
    loop {
        let request = Request::Resync { selection: selection.clone(), after, limit: PAGE, open };
        let page = match door.ask(&request) {
            Ok(Answer::Resync(page)) => page,
            Ok(_) => return Err(super::unexpected()),
            Err(refusal) => return Err(stopped(refusal, open, after)),
        };
        take(&page);
        records += page.records;
        if records - told >= PROGRESS {
            told = records;
            say(&format!("{records} records {}", if open { "brought under the present rules" } else { "looked at" }));
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

/// What stopped it, with the place where it can go on.
fn stopped(mut refusal: Refusal, open: bool, after: Option<i64>) -> Failure {
    if let (true, Some(after)) = (open, after) {
        refusal.remedy = format!("{}; then go on with --after {after}", refusal.remedy);
    }
    refusal.into()
}

fn add(seen: &mut ResyncPage, page: &ResyncPage) {
    seen.records += page.records;
    seen.right += page.right;
    seen.due_already += page.due_already;
    seen.without_rules += page.without_rules;
    let mut sums: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    for need in seen.needs.drain(..).chain(page.needs.iter().cloned()) {
        *sums.entry((need.system, need.object, need.need)).or_default() += need.records;
    }
    seen.needs = sums.into_iter().map(|((system, object, need), records)| NeedView { system, object, need, records }).collect();
}

/// Refuses what nobody may have meant.
fn keep_fuses(args: &ResyncArgs, price: &Price) -> Result<(), Refusal> {
    for system in &price.systems {
        let removals_max = args.max_removals.unwrap_or(system.removals_max);
        if system.removals > removals_max {
            let message = format!("the fuse: {} records would be removed from {}, more than {removals_max}", system.removals, system.system);
            return Err(Refusal::new(message, format!("look at the routes again; if it is meant, add --max-removals {}", system.removals), 75));
        }
        for pool in &system.pools {
            let Some(calls_max) = pool.calls_max.map(|half| args.max_calls.unwrap_or(half)) else { continue };
            if pool.calls > calls_max {
                let message = format!("{} calls to {} draw on the pool {}, of which {calls_max} may be spent on this", pool.calls, system.system, pool.pool);
                return Err(Refusal::new(message, format!("bring fewer records at a time, or add --max-calls {}", pool.calls), 75));
            }
        }
    }
    Ok(())
}

fn show(told: &Told, console: &mut Console) -> Result<(), Failure> {
    let seen = &told.seen;
    console.line(&format!("{} records looked at: {} places are right, {} are due already", seen.records, seen.right, seen.due_already))?;
    if seen.without_rules > 0 {
        console.line(&format!("{} places are in systems that the configuration does not speak of; they are left alone", seen.without_rules))?;
    }
    if seen.needs.is_empty() {
        return console.line("nothing is to be written");
    }
    let mut rows = vec![row(["system", "object", "to", "records"])];
    rows.extend(seen.needs.iter().map(|need| row([&need.system, &need.object, &need.need, &need.records.to_string()])));
    console.list(&rows)?;
    for system in &told.price.systems {
        console.line(&in_words(system))?;
    }
    Ok(())
}

fn in_words(price: &SystemPrice) -> String {
    let pools: Vec<_> = price.pools.iter().map(|pool| format!("{} of {} left in {}", pool.calls, pool.left, pool.pool)).collect();
    let lasts = match price.seconds {
        0 => "at once as far as its quota goes".to_owned(),
        seconds @ 1..120 => format!("at least {seconds} s by its quota"),
        seconds => format!("at least {} min by its quota", seconds.div_ceil(60)),
    };
    let calls = if price.calls == 1 { "call" } else { "calls" };
    format!("{}: {} {calls} at least ({}), {lasts}", price.system, price.calls, pools.join(", "))
}

#[cfg(test)]
mod tests {
    use super::{ResyncArgs, keep_fuses};
    use crate::control::{PoolPrice, Price, SystemPrice};
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: ResyncArgs,
    }

    fn args(line: &str) -> ResyncArgs {
        Line::parse_from(line.split_whitespace()).args
    }

    #[test]
    fn fuses_stop_what_nobody_asked_for_by_number() {
        let day = PoolPrice { pool: "day".into(), calls: 60, left: 100, calls_max: Some(50) };
        let burst = PoolPrice { pool: "burst".into(), calls: 60, left: 10, calls_max: None };
        let system = SystemPrice { system: "crm".into(), calls: 60, pools: vec![burst, day], seconds: 0, removals: 300, removals_max: 250 };
        let price = Price { systems: vec![system] };
        let refused = |line: &str| keep_fuses(&args(line), &price).err().map(|refusal| format!("{}: {}", refusal.message, refusal.remedy)).unwrap_or_default();
        assert!(refused("resync --yes").contains("--max-removals 300"));
        assert!(refused("resync --yes --max-removals 300").contains("--max-calls 60"));
        assert_eq!(refused("resync --yes --max-removals 300 --max-calls 60"), "");
        assert!(refused("resync --yes --max-removals 299 --max-calls 60").contains("the fuse"));
    }
}
