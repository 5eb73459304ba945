//! Contract suites for the ports, and the seeded simulator.

pub mod contract;
pub mod sandbox_transport;
pub mod sim;
