//! The registry of error codes: every message that a person may meet bears one, and each has a cause and a remedy.
//!
//! Promises: a number belongs to one code for good; kinds of errors and words of refusals lead to their code by one table, so that no
//! message is without one. Ranges: 1xxx configuration, 2xxx events, 3xxx HTTP, 4xxx accounts, 5xxx letters and pauses, 6xxx the
//! store, 7xxx commands, 9xxx defects. Leaves to others: the table (`table`), printing it (the command line, the reference).

mod table;

use std::fmt;
use std::str::FromStr;

use syncline_core::change_set::PauseScope;

use crate::error::Kind;

pub use table::{Code, Entry};

/// Where the codes are explained; the code in small letters follows.
const REFERENCE: &str = "https://github.com/syncline/syncline/blob/main/docs/reference/errors.md#";

impl Code {
    /// Where it is explained.
    #[must_use]
    pub fn link(self) -> String {
        format!("{REFERENCE}{}", self.to_string().to_lowercase())
    }

    /// The code of a refusal by its word: ours, or `RefusedBySystem` for a word of theirs.
    #[must_use]
    pub fn of_refusal(word: &str) -> Self {
        Self::of_word(word).unwrap_or(Self::RefusedBySystem)
    }

    /// The code that a word of ours leads to.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.entry().words.contains(&word))
    }

    /// The code of a pause.
    #[must_use]
    pub const fn of_pause(scope: &PauseScope) -> Self {
        match scope {
            PauseScope::Writes => Self::WritesPaused,
            PauseScope::Deletes => Self::DeletesPaused,
            PauseScope::Object(_) => Self::ObjectPaused,
        }
    }

    /// The code of a command that ends with an exit code and says nothing closer.
    #[must_use]
    pub const fn of_exit(exit: u8) -> Self {
        match exit {
            64 => Self::Usage,
            65 => Self::BadData,
            66 => Self::NoInput,
            69 => Self::Unavailable,
            70 => Self::Defect,
            73 => Self::CannotCreate,
            74 => Self::CannotWrite,
            75 => Self::TryLater,
            77 => Self::NotPermitted,
            78 => Self::BadConfiguration,
            _ => Self::NotPossible,
        }
    }
}

impl From<Kind> for Code {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Config => Self::BadConfiguration,
            Kind::StoreUnavailable => Self::StoreUnavailable,
            Kind::StoreFull => Self::StoreFull,
            Kind::StoreNewer => Self::StoreNewer,
            Kind::StoreCorrupt => Self::StoreCorrupt,
            Kind::StoreOwned => Self::StoreOwned,
            Kind::FeedUnavailable => Self::FeedUnavailable,
            Kind::Unreachable => Self::Unreachable,
            Kind::AuthRefused => Self::CredentialsRefused,
            Kind::AuthEnded => Self::SignInEnded,
            Kind::Protocol => Self::StrangeAnswer,
            Kind::BoundaryRefused => Self::NotSetUp,
            Kind::Operator => Self::NotPossible,
            Kind::Internal => Self::Defect,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SYN-{:04}", *self as u16)
    }
}

/// A text that is no code of the registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no such error code; codes look like {}", Code::BadConfiguration)]
pub struct UnknownCode;

impl FromStr for Code {
    type Err = UnknownCode;

    /// Reads `SYN-1002`, also in small letters or the number alone.
    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        let text = text.trim().to_uppercase();
        let number = text.strip_prefix("SYN-").unwrap_or(&text);
        Self::ALL.iter().copied().find(|code| format!("{:04}", *code as u16) == number).ok_or(UnknownCode)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use syncline_core::event::{INVALID_WORDS, SourceSettings, decode};
    use syncline_core::outcome::REJECTION_WORDS;
    use syncline_core::schema::Schemas;

    use super::{Code, UnknownCode};

    #[test]
    fn every_code_has_one_number_a_cause_and_a_remedy() {
        let numbers: BTreeSet<u16> = Code::ALL.iter().map(|code| *code as u16).collect();
        assert_eq!(numbers.len(), Code::ALL.len());
        assert!(Code::ALL.windows(2).all(|pair| (pair[0] as u16) < (pair[1] as u16)), "the table is in order");
        for code in Code::ALL {
            let entry = code.entry();
            assert!(!entry.title.is_empty() && entry.cause.len() > 10 && entry.remedy.len() > 10, "{code}");
            assert_eq!(code.to_string().parse::<Code>(), Ok(*code));
            assert!(code.link().ends_with(&code.to_string().to_lowercase()));
        }
        assert_eq!("1002".parse::<Code>(), Ok(Code::NotYaml));
        assert_eq!("syn-0".parse::<Code>(), Err(UnknownCode));
    }

    #[test]
    fn every_word_of_ours_leads_to_one_code() {
        let mut seen = BTreeSet::new();
        for word in Code::ALL.iter().flat_map(|code| code.entry().words) {
            assert!(seen.insert(word), "{word} stands twice");
        }
        for word in INVALID_WORDS.iter().chain(&REJECTION_WORDS) {
            assert!(Code::of_word(word).is_some(), "{word} leads to no code");
        }
        assert_eq!(Code::of_refusal("FIELD_CUSTOM_VALIDATION_EXCEPTION"), Code::RefusedBySystem);
    }

    #[test]
    fn a_refused_event_leads_to_its_code() {
        let refused = decode(b"{", &Schemas::default(), &SourceSettings::default()).unwrap_err();
        assert_eq!(Code::of_refusal(refused.code), Code::InvalidJson);
    }
}
