//! Which moves a link's state may make.
//!
//! Promises: every change of state that a lane or intake makes is one of these. Leaves to others: making them.

use crate::link::LinkState::{self, BackingOff, Clean, Dead, Due, Held, InFlight, Paused, Waiting};

/// Every legal move.
pub const MOVES: &[(LinkState, LinkState)] = &[
    // Something was opened, a wait is over, an operator resumed.
    (Clean, Due),
    (Dead, Due),
    (BackingOff, Due),
    (Waiting, Due),
    (Paused, Due),
    // Planning.
    (Due, Clean),
    (Due, Dead),
    (Due, InFlight),
    (Due, Waiting),
    (Due, Paused),
    // An answer.
    (InFlight, Clean),
    (InFlight, Due),
    (InFlight, Dead),
    (InFlight, BackingOff),
    (InFlight, Held),
    (InFlight, Waiting),
    // The end of a hold, or its going on after a crash.
    (Held, Held),
    (Held, Clean),
    (Held, Due),
];

/// Whether a link may go from one state to the other.
#[must_use]
pub fn is_legal(from: LinkState, to: LinkState) -> bool {
    MOVES.contains(&(from, to))
}
