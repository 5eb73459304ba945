//! Planted bugs: switches that break one mechanism each, so that a checker which never fails is found out.
//!
//! Promises: without the cargo feature `planted-bugs` every switch reads as off and costs nothing.
//! Leaves to others: catching them (the simulator).

/// A mechanism to break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// A feed's checkpoint is made durable before the rows that it covers.
    AcknowledgeBeforeDurable,
    /// A request goes out before its attempts are durable.
    SendBeforeIntent,
    /// A repeat's success ends the hold although the first request may still land.
    RepeatEndsHold,
    /// Items that an answer refuses or leaves out are taken for written.
    PartialResultsIgnored,
    /// Charges are not read back at start.
    QuotaLostAtRestart,
    /// A record deleted and created anew is updated in place.
    CoalesceAcrossDelete,
}

impl Bug {
    /// Every planted bug.
    pub const ALL: [Self; 6] = [
        Self::AcknowledgeBeforeDurable,
        Self::SendBeforeIntent,
        Self::RepeatEndsHold,
        Self::PartialResultsIgnored,
        Self::QuotaLostAtRestart,
        Self::CoalesceAcrossDelete,
    ];

    /// The switch's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AcknowledgeBeforeDurable => "acknowledge-before-durable",
            Self::SendBeforeIntent => "send-before-intent",
            Self::RepeatEndsHold => "repeat-ends-hold",
            Self::PartialResultsIgnored => "partial-results-ignored",
            Self::QuotaLostAtRestart => "quota-lost-at-restart",
            Self::CoalesceAcrossDelete => "coalesce-across-delete",
        }
    }
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
