//! What an operator may ask, and what comes back: one JSON line each way.
//!
//! Promises: requests, answers and refusals are the same values on the wire, offline, and in `--json`.
//! Leaves to others: carrying requests out (`operate`), the socket (`server`, `client`).

use serde::{Deserialize, Serialize};
use syncline_core::time::Timestamp;
use syncline_engine::codes::Code;
use syncline_engine::error::{Error, policy};

use super::{
    Ended, EventPage, Foreseen, Happening, HistoryView, LedgerView, LetterPage, LetterView, NeedView, Past, PauseView, Price, QuotaView, RecordView, Replayed, ResyncPage, Selection,
    TokenView, TraceView, ValuesView, Wish,
};
use crate::reload::{ConfigWish, Reloaded};

/// The version of every JSON that the command line prints.
pub const FORMAT_VERSION: u32 = 1;

/// What an operator asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Why a record is as it is.
    Record {
        /// The record type.
        record_type: String,
        /// Its key.
        key: String,
    },
    /// Accepted events, newest first.
    Events {
        /// Only of this record: its type and key.
        record: Option<(String, String)>,
        /// Only of this source.
        source: Option<String>,
        /// Only those that came to this: `routed`, `unrouted` or `stale`.
        came_to: Option<String>,
        /// Only those accepted then or later.
        since: Option<Timestamp>,
        /// Only those accepted before.
        until: Option<Timestamp>,
        /// Only those that have come so far, a status of a trace.
        state: Option<String>,
        /// Only those before this one.
        before: Option<i64>,
        /// At most so many.
        limit: usize,
    },
    /// One event, followed to the CRMs' answers.
    Trace {
        /// Which.
        id: i64,
    },
    /// What happened since, oldest first.
    Past {
        /// What of it.
        wish: Wish,
        /// Since when.
        since: Timestamp,
        /// At most so many, the newest.
        limit: usize,
    },
    /// What happens from now on: after `Following` each thing is an answer of its own, until either side leaves.
    Follow {
        /// What of it.
        wish: Wish,
    },
    /// Dead letters, oldest first.
    Letters {
        /// Ended ones too.
        all: bool,
        /// Only those behind this one.
        after: Option<i64>,
        /// At most so many.
        limit: usize,
    },
    /// One dead letter, with its raw input.
    Letter {
        /// Which.
        id: i64,
    },
    /// What trying letters again would write.
    Preview {
        /// Which.
        ids: Vec<i64>,
    },
    /// Try letters again.
    Replay {
        /// Which.
        ids: Vec<i64>,
    },
    /// Let a letter go.
    Discard {
        /// Which.
        id: i64,
        /// Why.
        reason: String,
    },
    /// Look at a page of records under the present rules, or open what it needs.
    Resync {
        /// Which records, and how.
        selection: Selection,
        /// Only records behind this one.
        after: Option<i64>,
        /// At most so many.
        limit: usize,
        /// Whether what is needed is opened.
        open: bool,
    },
    /// What that costs.
    ResyncPrice {
        /// What is needed.
        needs: Vec<NeedView>,
    },
    /// The accounts.
    Ledger {
        /// Whether every row is looked at.
        verify: bool,
    },
    /// What may be spent, and what is.
    Quota,
    /// Read the configuration anew, with a value set first if that is wished.
    Configure(ConfigWish),
    /// The configuration in force.
    ConfigValues,
    /// Configurations that were in force.
    ConfigHistory {
        /// At most so many.
        limit: usize,
    },
    /// Stop a system's writes.
    Pause {
        /// Which.
        system: String,
        /// Why.
        reason: Option<String>,
    },
    /// Let everything of a system go on.
    Resume {
        /// Which.
        system: String,
    },
    /// Every token.
    Tokens,
    /// Keep a new token.
    CreateToken {
        /// Its name.
        name: String,
        /// SHA-256 of its secret, which stays with who made it.
        digest: String,
    },
    /// Let a token in no more.
    RevokeToken {
        /// Which.
        name: String,
    },
}

/// What an operator is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "told", rename_all = "snake_case")]
pub enum Answer {
    /// A record and all that hangs on it.
    Record(Box<RecordView>),
    /// Some events.
    Events(EventPage),
    /// An event and all that came of it.
    Trace(Box<TraceView>),
    /// What happened.
    Past(Past),
    /// From now on everything is told.
    Following,
    /// The process ends, and all that happened has been told.
    FollowingEnded,
    /// One thing that happened just now.
    Happening(Box<Happening>),
    /// Some letters.
    Letters(LetterPage),
    /// One letter.
    Letter(Box<LetterView>),
    /// What replays would come to, in the order asked.
    Foreseen {
        /// One entry a letter.
        letters: Vec<Foreseen>,
    },
    /// What replays came to.
    Replayed(Replayed),
    /// What a discard came to.
    Discarded(Ended),
    /// What a page of records came to.
    Resync(ResyncPage),
    /// What it costs.
    ResyncPrice(Price),
    /// The accounts.
    Ledger(Box<LedgerView>),
    /// The pools.
    Quota(QuotaView),
    /// What came of a change to the configuration.
    Configured(Box<Reloaded>),
    /// The configuration in force; none if it stands in no file.
    ConfigValues {
        /// They.
        values: Option<Box<ValuesView>>,
    },
    /// Configurations that were in force.
    ConfigHistory(HistoryView),
    /// What stands still now, or goes on.
    Pause(PauseView),
    /// Tokens.
    Tokens {
        /// The tokens.
        tokens: Vec<TokenView>,
    },
}

/// Why a request was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Its code in the registry.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What caused it, nearest first.
    pub causes: Vec<String>,
    /// What a person can do.
    pub remedy: String,
    /// The exit code of the command.
    pub exit: u8,
}

impl Refusal {
    /// A refusal that no error of the engine stands behind.
    pub fn new(message: impl Into<String>, remedy: impl Into<String>, exit: u8) -> Self {
        Self { code: Code::of_exit(exit).to_string(), message: message.into(), causes: Vec::new(), remedy: remedy.into(), exit }
    }

    /// With a code closer to the case than its exit code's.
    #[must_use]
    pub fn coded(mut self, code: Code) -> Self {
        self.code = code.to_string();
        self
    }

    /// With what caused it.
    #[must_use]
    pub fn caused_by(mut self, error: &dyn std::error::Error) -> Self {
        self.causes = chain(Some(error));
        self
    }
}

impl From<&Error> for Refusal {
    fn from(error: &Error) -> Self {
        Self {
            code: error.code().to_string(),
            message: error.message.clone(),
            causes: chain(std::error::Error::source(error)),
            remedy: error.remedy().to_owned(),
            exit: policy(error.kind).exit,
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

fn chain(mut next: Option<&dyn std::error::Error>) -> Vec<String> {
    let mut causes = Vec::new();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes
}

/// A line of the process's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The request was carried out.
    Done(Answer),
    /// It was not.
    Refused(Refusal),
}
