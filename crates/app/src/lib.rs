//! Keeps records in step between the system you own and the CRMs you rent.

pub mod config;
pub mod clock;
pub mod run;
pub mod wiring;
pub mod cli;
pub mod control;
