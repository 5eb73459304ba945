//! Planted bugs: switches that break one mechanism each, so that a checker which never fails is found out.
//!
//! Promises: without the cargo feature `planted-bugs` every switch reads as off and costs nothing.
//! Leaves to others: catching them (the simulator).

macro_rules! bugs {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        /// A mechanism to break.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Bug { $($(#[$doc])* $variant),* }

        impl Bug {
            /// Every planted bug.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The switch's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

bugs! {
    /// A feed's checkpoint is made durable before the rows that it covers.
    AcknowledgeBeforeDurable = "acknowledge-before-durable",
    /// A request goes out before its attempts are durable.
    SendBeforeIntent = "send-before-intent",
    /// A repeat's success ends the hold although the first request may still land.
    RepeatEndsHold = "repeat-ends-hold",
    /// Items that an answer refuses or leaves out are taken for written.
    PartialResultsIgnored = "partial-results-ignored",
    /// Charges are not read back at start.
    QuotaLostAtRestart = "quota-lost-at-restart",
    /// A record deleted and created anew is updated in place.
    CoalesceAcrossDelete = "coalesce-across-delete",
    /// An event that was taken in before is taken in again.
    EventIdsIgnored = "event-ids-ignored",
    /// A call counts for one window from when it was sent, not from its answer.
    QuotaFreeAtSend = "quota-free-at-send",
    /// Requests that were under way when the process ended are forgotten, not held.
    IntentsLostAtRestart = "intents-lost-at-restart",
    /// What is given up closes without a letter.
    LetterLost = "letter-lost",
    /// Deliveries that a newer one's write carried are not counted.
    CoalescedUncounted = "coalesced-uncounted",
    /// Two places of a record are written at once.
    RecordTwiceUnderWay = "record-twice-under-way",
    /// The first read ends a hold although a request may still land.
    ReadEndsHold = "read-ends-hold",
    /// Links that were due when the process ended are not looked for.
    DueLostAtRestart = "due-lost-at-restart",
    /// An answer also closes a delivery that came while the request was under way.
    SettleClosesNewer = "settle-closes-newer",
    /// Base is what was sent, before it is proven.
    BaseBeforeProof = "base-before-proof",
    /// A place that waits for the new side of a move is not told that it is proven.
    WaitersForgotten = "waiters-forgotten",
    /// An answer that was lost is taken for a failure, and the record is sent again.
    UnknownIsFailure = "unknown-is-failure",
    /// An answer that was lost is taken for a success.
    UnknownIsSuccess = "unknown-is-success",
    /// A record is removed from its old place before the new one is proven.
    MoveDeletesFirst = "move-deletes-first",
}

/// Which bug is planted, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Planted(Option<Bug>);

impl Planted {
    /// None.
    pub const NONE: Self = Self(None);

    /// This one.
    #[cfg(feature = "planted-bugs")]
    #[must_use]
    pub const fn dangerously(bug: Bug) -> Self {
        Self(Some(bug))
    }

    /// Whether that bug is planted.
    #[must_use]
    pub fn has(self, bug: Bug) -> bool {
        cfg!(feature = "planted-bugs") && self.0 == Some(bug)
    }
}
