//! What a system needs of the world to reach its account: a way to the network, the time, and a place for its refresh token.
//!
//! Promises: nothing but these three comes in from outside. Leaves to others: which they are (`app::wiring`, tests).

use std::path::PathBuf;
use std::sync::Arc;

use syncline_engine::ports::clock::Clock;

use super::vault::Vault;
use crate::transport::Transport;

/// What a system is given.
#[derive(Clone)]
pub struct Means {
    /// The way to the network.
    pub transport: Arc<dyn Transport>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The place of its refresh token.
    pub vault: Arc<Vault>,
}

impl Means {
    /// Means whose refresh token is kept in that file, which is made when there is one to keep.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, clock: Arc<dyn Clock>, vault: PathBuf) -> Self {
        Self { transport, clock, vault: Arc::new(Vault::new(vault)) }
    }
}
