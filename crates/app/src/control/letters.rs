//! Dead letters, as an operator sees and ends them.
//!
//! Promises: raw input is shown for one letter at a time and never in lists; of several letters each is told what it came to.
//! Leaves to others: what a replay does (`engine::operator`).

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use syncline_core::ids::LetterId;
use syncline_core::letter::Letter;
use syncline_engine::codes::Code;
use syncline_engine::error::{Error, Kind, Result};
use syncline_engine::operator::LetterWish;
use syncline_engine::ports::store::LetterFilter;

use super::{Context, Names, Refusal, moment};

/// Letters in one answer at most.
const PAGE_MAX: usize = 1000;

/// One dead letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterView {
    /// Its id.
    pub id: i64,
    /// `waiting`, or how it ended.
    pub state: String,
    /// Where it stood in its source, or the record's name.
    pub place: String,
    /// The source whose input was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The link that was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<i64>,
    /// Its code in the registry of errors.
    pub error: String,
    /// The word for it: theirs, or ours.
    pub code: String,
    /// The field to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What was said.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
    /// How many deliveries it holds.
    pub held: u64,
    /// When it was made.
    pub created_at: String,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Who ended it and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The raw input, if it is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// The raw input in hexadecimal, if it is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_hex: Option<String>,
}

/// Some letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterPage {
    /// How many wait in all.
    pub waiting: i64,
    /// The letters, oldest first.
    pub letters: Vec<LetterView>,
    /// Whether more lie behind the last of them.
    pub more: bool,
}

/// What an order came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The letter.
    pub id: i64,
    /// What was done, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<String>,
    /// Why nothing was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
}

/// What replays came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    /// One entry a letter, in the order asked.
    pub letters: Vec<Ended>,
}

impl LetterView {
    pub(super) fn of(letter: &Letter, names: &Names) -> Self {
        Self {
            id: letter.id.0,
            state: letter.state.name().to_owned(),
            place: letter.place.clone(),
            source: letter.source.map(|source| names.name(source.0)),
            link: letter.link.map(|link| link.0),
            error: Code::of_refusal(&letter.rejection.code).to_string(),
            code: letter.rejection.code.clone(),
            field: letter.rejection.field.clone(),
            message: letter.rejection.message.clone(),
            remedy: letter.rejection.remedy.clone(),
            held: letter.held,
            created_at: moment::told(letter.created_at),
            ended_at: letter.ended_at.map(moment::told),
            note: letter.note.clone(),
            raw: None,
            raw_hex: None,
        }
    }

    fn with_raw(mut self, raw: Option<Vec<u8>>) -> Self {
        match raw.map(String::from_utf8) {
            Some(Ok(text)) => self.raw = Some(text),
            Some(Err(error)) => self.raw_hex = Some(hex(error.as_bytes())),
            None => {}
        }
        self
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Lists letters.
pub(super) async fn list(context: &dyn Context, all: bool, after: Option<i64>, limit: usize) -> Result<LetterPage> {
    let store = context.store();
    let limit = limit.clamp(1, PAGE_MAX);
    let filter = LetterFilter { waiting_only: !all, after: after.map(LetterId), limit: limit + 1 };
    let names = Names::of(store).await?;
    let mut found = store.letters(&filter).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let letters = found.iter().map(|letter| LetterView::of(letter, &names)).collect();
    Ok(LetterPage { waiting: store.ledger().await?.waiting, letters, more })
}

/// Shows one letter, raw input included.
pub(super) async fn show(context: &dyn Context, id: i64) -> Result<LetterView> {
    let found = context.store().letter(LetterId(id)).await?;
    let missing = || Error::new(Kind::Operator, format!("there is no dead letter {id}")).with_remedy("`syncline dead-letters list --all` shows every one");
    let letter = found.ok_or_else(missing)?;
    let names = Names::of(context.store()).await?;
    Ok(LetterView::of(&letter, &names).with_raw(letter.raw))
}

/// Tries letters again, one after another; a letter that cannot be replayed does not keep the others.
pub(super) async fn replay(context: &dyn Context, ids: &[i64]) -> Result<Replayed> {
    if ids.len() > PAGE_MAX {
        let message = format!("{} letters at once, at most {PAGE_MAX}", ids.len());
        return Err(Error::new(Kind::Operator, message).with_remedy("replay them in several requests"));
    }
    let mut letters = Vec::with_capacity(ids.len());
    for id in ids {
        letters.push(match context.letter(LetterWish::Replay { letter: LetterId(*id) }).await {
            Ok(done) => Ended { id: *id, done: Some(done), refused: None },
            Err(error) => Ended { id: *id, done: None, refused: Some(error.into()) },
        });
    }
    Ok(Replayed { letters })
}

/// Lets a letter go.
pub(super) async fn discard(context: &dyn Context, id: i64, reason: &str) -> Result<Ended> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(Error::new(Kind::Operator, "a letter is discarded for a reason").with_remedy("say why with --reason TEXT"));
    }
    let done = context.letter(LetterWish::Discard { letter: LetterId(id), reason: reason.to_owned() }).await?;
    Ok(Ended { id, done: Some(done), refused: None })
}
