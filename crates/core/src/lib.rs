//! Decides, and does nothing else: records, plans, lanes, quota and the ledger, without I/O, clock or randomness.
//!
//! Nouns are at the bottom (`time` to `change_set`); above them three verbs: `intake` folds what a feed offered, `plan` says
//! what one link needs, `dispatch` says what an account may do now. Time is always an argument; what must become durable
//! together is one `ChangeSet`; what is to be done outside is an `Effect`.

pub mod attempt;
pub mod boundary;
pub mod change_set;
pub mod checkpoint;
pub mod config_entry;
pub mod conflict;
pub mod dispatch;
pub mod envelope;
pub mod event;
pub mod ids;
pub mod intake;
pub mod ledger;
pub mod letter;
pub mod link;
pub mod outcome;
pub mod patch;
pub mod plan;
pub mod record;
pub mod resync;
pub mod retry_policy;
pub mod routing;
pub mod schema;
pub mod seal;
pub mod terms;
pub mod time;
pub mod token;
pub mod version;
