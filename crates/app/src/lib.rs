//! Keeps records in step between the system you own and the CRMs you rent.

pub mod config;
