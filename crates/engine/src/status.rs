//! How far an event has come, told from what became of the deliveries that it opened.
//!
//! Promises: pure; failed if any delivery is dead, else told by the least advanced one, skipped if nothing had to be written.
//! Leaves to others: finding what became of a delivery (whoever reads the store).

use syncline_core::envelope::DeliveryStatus;
use syncline_core::link::LinkState;

/// What became of one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Open, with its link in this state.
    Open(LinkState),
    /// Its write is proven.
    Applied,
    /// A newer delivery's write carried it.
    Coalesced,
    /// There was nothing to write.
    Unchanged,
    /// A letter holds it.
    Dead,
}

impl Stage {
    /// The stage in a word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open(state) => state.name(),
            Self::Applied => "applied",
            Self::Coalesced => "coalesced",
            Self::Unchanged => "unchanged",
            Self::Dead => "dead",
        }
    }

    const fn status(self) -> DeliveryStatus {
        match self {
            Self::Open(LinkState::BackingOff) => DeliveryStatus::Retrying,
            Self::Open(LinkState::InFlight | LinkState::Held) => DeliveryStatus::Dispatched,
            Self::Open(LinkState::Clean | LinkState::Due | LinkState::Waiting | LinkState::Paused) => DeliveryStatus::Pending,
            Self::Open(LinkState::Dead) | Self::Dead => DeliveryStatus::Failed,
            Self::Applied | Self::Coalesced => DeliveryStatus::Processed,
            Self::Unchanged => DeliveryStatus::Skipped,
        }
    }
}

/// The status of an event whose deliveries stand so; one that opened none was skipped.
#[must_use]
pub fn of_event(stages: &[Stage]) -> DeliveryStatus {
    let least = [
        DeliveryStatus::Failed,
        DeliveryStatus::Retrying,
        DeliveryStatus::Pending,
        DeliveryStatus::Dispatched,
        DeliveryStatus::Processed,
    ];
    let is_seen = |status: &DeliveryStatus| stages.iter().any(|stage| stage.status() == *status);
    least.into_iter().find(is_seen).unwrap_or(DeliveryStatus::Skipped)
}

#[cfg(test)]
mod tests {
    use super::Stage::{Applied, Coalesced, Dead, Open, Unchanged};
    use super::*;

    #[test]
    fn the_least_advanced_delivery_tells() {
        let rows: [(&[Stage], DeliveryStatus); 9] = [
            (&[], DeliveryStatus::Skipped),
            (&[Unchanged, Unchanged], DeliveryStatus::Skipped),
            (&[Unchanged, Applied], DeliveryStatus::Processed),
            (&[Coalesced], DeliveryStatus::Processed),
            (&[Applied, Open(LinkState::InFlight)], DeliveryStatus::Dispatched),
            (&[Open(LinkState::Held), Open(LinkState::Due)], DeliveryStatus::Pending),
            (&[Open(LinkState::Due), Open(LinkState::BackingOff)], DeliveryStatus::Retrying),
            (&[Applied, Dead, Open(LinkState::BackingOff)], DeliveryStatus::Failed),
            (&[Open(LinkState::Waiting), Applied], DeliveryStatus::Pending),
        ];
        for (stages, status) in rows {
            assert_eq!(of_event(stages), status, "{stages:?}");
        }
    }
}
