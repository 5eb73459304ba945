//! Looks at every row: is it as we wrote it, and do the rows add up to the counters?
//!
//! Promises: an altered column of any row is named with its table and row; a missing or an added row is named by its
//! table. It needs memory for a window of links, however many there are.
//! Leaves to others: what is done about a finding (an operator).

mod deliveries;
mod recount;
mod seals;

use rusqlite::Connection;
use syncline_core::ledger::{Imbalance, Ledger};
use syncline_engine::error::Result;
use syncline_engine::ports::store::{AlteredRow, Audit};

use super::tables::{counter, letter, link};

/// At most so many findings of a kind are named; one more entry tells how many were left out.
const FINDINGS_MAX: usize = 1_000;

/// What has been found so far.
#[derive(Debug, Default)]
struct Findings {
    altered: Vec<AlteredRow>,
    imbalances: Vec<Imbalance>,
    altered_unnamed: i64,
    imbalances_unnamed: i64,
    rows: u64,
}

impl Findings {
    fn altered(&mut self, table: &str, row: String, why: &str) {
        if self.altered.len() < FINDINGS_MAX {
            self.altered.push(AlteredRow { table: table.to_owned(), row, why: why.to_owned() });
        } else {
            self.altered_unnamed += 1;
        }
    }

    fn equal(&mut self, left: i64, right: i64, account: impl FnOnce() -> String) {
        if left == right {
            return;
        }
        if self.imbalances.len() < FINDINGS_MAX {
            self.imbalances.push(Imbalance { account: account(), left, right });
        } else {
            self.imbalances_unnamed += 1;
        }
    }

    fn into_audit(mut self) -> Audit {
        if self.altered_unnamed > 0 {
            let why = format!("{} more rows are altered", self.altered_unnamed);
            self.altered.push(AlteredRow { table: "and others".into(), row: String::new(), why });
        }
        if self.imbalances_unnamed > 0 {
            let account = "further equations that do not hold".into();
            self.imbalances.push(Imbalance { account, left: self.imbalances_unnamed, right: 0 });
        }
        Audit { altered: self.altered, imbalances: self.imbalances, rows: self.rows }
    }
}

/// Recounts rows and looks at every seal.
pub(super) fn audit(connection: &Connection) -> Result<Audit> {
    let mut findings = Findings::default();
    seals::check(connection, &mut findings)?;
    let mut recounted = recount::from_rows(connection)?;
    deliveries::check(connection, &mut recounted, &mut findings)?;
    // An account that does not read has a broken seal, which has been named.
    let (counts, _) = counter::counts_that_read(connection)?;
    let ledger = Ledger { counts, open: link::open(connection)?, waiting: letter::waiting(connection)? };
    recount::compare(connection, &ledger, &recounted, &mut findings)?;
    for Imbalance { account, left, right } in ledger.imbalances() {
        findings.equal(left, right, || account);
    }
    Ok(findings.into_audit())
}
