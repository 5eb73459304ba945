//! The simulator: the real workers over the real store in memory, the sandbox in process, virtual time, seeded faults.
//!
//! Promises: one seed draws one world, one order of steps and one trace, byte for byte; a run has a faulty phase, then heals, then
//! must drain within a bound; what is checked is seen from outside: what the feed emitted, what reached the CRMs and when, what
//! they finally hold, and the ledger. Leaves to others: the expected contents (the sandbox's oracle, which shares no code).

pub mod checks;
pub mod command;
pub mod executor;
pub mod network;
pub mod parties;
pub mod run;
pub mod workload;
pub mod world;
