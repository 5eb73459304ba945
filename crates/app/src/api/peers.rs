//! How many connections each address has.
//!
//! Promises: no address has more than its share; a connection that ends gives its place back, however it ends.
//! Leaves to others: how many there are in all (`server`).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections by address.
#[derive(Debug, Clone, Default)]
pub(super) struct Peers {
    most: Option<usize>,
    counts: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
}

/// One connection's place.
#[derive(Debug)]
pub(super) struct Place {
    address: IpAddr,
    counts: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
}

impl Peers {
    /// So many for each address; None for as many as there are.
    pub(super) fn new(most: Option<usize>) -> Self {
        Self { most, counts: Arc::default() }
    }

    /// A place for one more connection of an address, if it may have one.
    pub(super) fn admit(&self, address: IpAddr) -> Option<Place> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address.to_canonical()).or_default();
        if self.most.is_some_and(|most| *count >= most) {
            return None;
        }
        *count += 1;
        Some(Place { address: address.to_canonical(), counts: self.counts.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let left = counts.get(&self.address).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            counts.remove(&self.address);
        } else {
            counts.insert(self.address, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Peers;

    #[test]
    fn an_address_has_its_share_and_gets_places_back() {
        let peers = Peers::new(Some(2));
        let one = ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"].map(|text| peers.admit(text.parse().unwrap()));
        assert_eq!(one.each_ref().map(Option::is_some), [true, true, false], "an address is itself in either notation");
        assert!(peers.admit("192.0.2.2".parse().unwrap()).is_some());
        drop(one);
        assert!(peers.admit("192.0.2.1".parse().unwrap()).is_some());
        assert!(peers.counts.lock().unwrap().is_empty());
    }
}
