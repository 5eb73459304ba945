//! What the refusals of all writers have in common: classes, tables of codes, and what a whole refused request means.
//!
//! Promises: every listed code has one class and one remedy; a rejection holds code, field and our own words, never a vendor's
//! message, since those repeat field values; a request that is refused whole without naming the row blames no row alone
//! unless it carries only one.
//! Leaves to others: the tables and the reading of bodies (each system's `errors` and `decode`).

use std::time::Duration;

use syncline_core::outcome::{Outcome, Rejection, Throttle, Verdict};
use syncline_engine::error::{Error, Kind};
use syncline_engine::ports::writer::{Answer, LookAnswer, ReadAnswer};

/// What a code means for the one who sent the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Not done, and worth another try as it stands.
    Transient,
    /// Not done, because a pool of the account is empty.
    Throttled,
    /// Not done, because the token is not good.
    Auth,
    /// It may have been done.
    Ambiguous,
    /// The record is not there.
    Gone,
    /// Not done until data or set-up change.
    Permanent,
    /// Not done until data or set-up change: which of the two, a look at the schema tells.
    Doubtful,
    /// Not done, because another record holds a value that must be unique.
    Conflict,
    /// Not done, and no record of this object fares better.
    BoundaryWide,
    /// Not done, and no record of the account fares better.
    AccountWide,
}

/// One documented code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The code as it stands in the answer.
    pub code: &'static str,
    /// What it means.
    pub class: Class,
    /// What a person can do about it.
    pub remedy: &'static str,
}

/// A row of a table.
#[must_use]
pub const fn entry(code: &'static str, class: Class, remedy: &'static str) -> Entry {
    Entry { code, class, remedy }
}

/// The row of a code, if it is listed.
#[must_use]
pub fn lookup(table: &'static [Entry], code: &str) -> Option<&'static Entry> {
    table.iter().find(|entry| entry.code == code)
}

/// One refusal as read from an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it means.
    pub class: Class,
    /// It in words that a person can act on.
    pub rejection: Rejection,
    /// How long they ask us to wait.
    pub after: Option<Duration>,
    /// The pool that is empty, where they name it.
    pub pool: Option<&'static str>,
    /// The id of the record that holds the value, where they name it.
    pub by: Option<String>,
}

impl Refusal {
    /// A refusal with no more than a code and a remedy.
    #[must_use]
    pub fn new(class: Class, code: &str, field: Option<String>, remedy: impl Into<String>) -> Self {
        let code = clean_code(code);
        let message = match &field {
            Some(field) => format!("refused with {code} on {field}"),
            None => format!("refused with {code}"),
        };
        Self { class, rejection: Rejection { code, field, message, remedy: remedy.into() }, after: None, pool: None, by: None }
    }

    /// With how long they ask us to wait.
    #[must_use]
    pub fn after(mut self, after: Option<Duration>) -> Self {
        self.after = after;
        self
    }

    /// What it means for one item that it names; what concerns all items goes to the verdict.
    pub fn into_outcome(self, verdict: &mut Verdict) -> Outcome {
        let code = self.rejection.code.clone();
        match self.class {
            Class::Transient => Outcome::Retry { code, after: self.after },
            Class::Ambiguous => Outcome::Unknown { why: code },
            Class::Gone => Outcome::Gone,
            Class::Permanent => Outcome::Rejected(self.rejection),
            Class::Doubtful => {
                self.note(verdict);
                Outcome::Rejected(self.rejection)
            }
            Class::Conflict => Outcome::Taken { by: self.by, field: self.rejection.field.unwrap_or_default() },
            Class::Throttled | Class::Auth | Class::BoundaryWide | Class::AccountWide => {
                self.note(verdict);
                Outcome::NotSent { why: code }
            }
        }
    }

    /// What it means for every item of a write that was refused whole.
    #[must_use]
    pub fn into_answer(self, items: usize, mut verdict: Verdict) -> Answer {
        let blames_one = matches!(self.class, Class::Permanent | Class::Doubtful | Class::Conflict | Class::Gone);
        self.note(&mut verdict);
        let outcome = if blames_one && items > 1 { Outcome::Suspect(self.rejection) } else { self.into_outcome(&mut verdict) };
        Answer { outcomes: vec![outcome; items], verdict }
    }

    /// What it means for a read.
    #[must_use]
    pub fn into_read_answer(self, mut verdict: Verdict) -> ReadAnswer {
        self.note(&mut verdict);
        if self.after.is_some() && verdict.throttled.is_none() {
            verdict.throttled = Some(Throttle { pool: None, after: self.after });
        }
        ReadAnswer { found: Err(self.rejection.code), verdict }
    }

    /// What it means for a look at a schema.
    #[must_use]
    pub fn into_look_answer(self, mut verdict: Verdict) -> LookAnswer {
        self.note(&mut verdict);
        LookAnswer { look: Err(self.rejection.code), verdict }
    }

    /// What it means where nothing but success will do.
    #[must_use]
    pub fn into_error(self, doing: &str) -> Error {
        let kind = match self.class {
            Class::Transient | Class::Throttled | Class::Ambiguous => Kind::Unreachable,
            Class::Auth => Kind::AuthRefused,
            Class::Gone | Class::Permanent | Class::Doubtful | Class::Conflict => Kind::Protocol,
            Class::BoundaryWide | Class::AccountWide => Kind::BoundaryRefused,
        };
        Error::new(kind, format!("{doing}: {}", self.rejection.message)).with_remedy(self.rejection.remedy)
    }

    fn note(&self, verdict: &mut Verdict) {
        match self.class {
            Class::Throttled => verdict.throttled = Some(Throttle { pool: self.pool.map(str::to_owned), after: self.after }),
            Class::Auth => verdict.unauthorised = true,
            Class::BoundaryWide => verdict.boundary = Some(self.rejection.clone()),
            Class::AccountWide => verdict.account = Some(self.rejection.clone()),
            Class::Doubtful => verdict.doubt = true,
            Class::Transient | Class::Ambiguous | Class::Gone | Class::Permanent | Class::Conflict => {}
        }
    }
}

/// Their code, if it looks like one; what does not may hold anything, values included.
#[must_use]
pub fn clean_code(code: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ' ');
    if !code.is_empty() && code.len() <= 64 && code.chars().all(plain) { code.to_owned() } else { "unreadable code".to_owned() }
}

/// A field's name, if it looks like one.
#[must_use]
pub fn clean_name(name: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    (!name.is_empty() && name.len() <= 100 && name.chars().all(plain)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_changed_schema_would_explain_is_doubted_whether_one_row_is_named_or_none() {
        let refusal = || Refusal::new(Class::Doubtful, "INVALID_OPTION", None, "map the value to one of the options");
        let whole = refusal().into_answer(3, Verdict::default());
        assert!(whole.verdict.doubt && whole.outcomes.iter().all(|outcome| matches!(outcome, Outcome::Suspect(_))));
        let alone = refusal().into_answer(1, Verdict::default());
        assert!(alone.verdict.doubt && matches!(alone.outcomes[..], [Outcome::Rejected(_)]));
        let mut verdict = Verdict::default();
        assert!(matches!(refusal().into_outcome(&mut verdict), Outcome::Rejected(_)));
        assert!(verdict.doubt && verdict.boundary.is_none());
    }

    #[test]
    fn an_object_and_the_account_are_refused_apart() {
        let refused = |class| Refusal::new(class, "X", None, "do it").into_answer(2, Verdict::default()).verdict;
        let (object, account) = (refused(Class::BoundaryWide), refused(Class::AccountWide));
        assert!(object.boundary.is_some() && object.account.is_none());
        assert!(account.account.is_some() && account.boundary.is_none());
    }
}
