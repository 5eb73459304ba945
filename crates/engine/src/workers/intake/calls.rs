//! Takes in calls: many of them in one commit, each answered for itself.
//!
//! Promises: a caller is answered after its inputs are durable, never before; what a call with a key came to is in the same
//! commit, so a repeat of it does nothing and gets the same answer. Leaves to others: reading calls and sending answers (the feed).

use std::collections::BTreeMap;
use std::time::Duration;

use syncline_core::change_set::KeptCall;
use syncline_core::event::OrderBy;
use syncline_core::intake::{Intake, Offered, Taken};
use syncline_core::outcome::Judgement;

use super::{IntakeWorker, bring_known};
use crate::error::Result;
use crate::ports::feed::{Answer, Call, CallGroup};
use crate::workers::StoreIds;

/// How long the answer to a call with a key is kept.
pub const KEEP_CALLS: Duration = Duration::from_secs(24 * 3600);

/// What is to be done about one call.
enum Fate {
    /// Its inputs are judged: so many.
    Judge(usize),
    /// It was answered before.
    Told(Answer),
    /// It repeats the call of this number in the same group.
    Repeats(usize),
}

impl IntakeWorker {
    pub(super) async fn take_calls(&mut self, index: usize, group: CallGroup) -> Result<()> {
        let slot = &self.feeds[index];
        let (source, by_position) = (slot.source, matches!(slot.settings.order_by, OrderBy::Position));
        let now = self.clock.now();
        let keys: Vec<&str> = group.calls.iter().filter_map(|call| call.key.as_ref()).map(|key| key.key.as_str()).collect();
        let kept = if keys.is_empty() { Vec::new() } else { self.store.calls(source, &keys, now.minus(KEEP_CALLS)).await? };
        let CallGroup { epoch, first_position, calls, told, checkpoint, more } = group;
        let (fates, keys, offered) = sort(calls, kept, first_position);
        let count = offered.len() as u64 + told;
        let mut intake = Intake::new(&self.routes, source, epoch, by_position, now).with_callers();
        bring_known(&*self.store, source, &offered, &mut intake).await?;
        intake.told(told);
        let mut ids = StoreIds(&*self.store);
        for input in offered {
            intake.offer(input, &mut ids);
        }
        let Taken { mut set, due, judged } = intake.finish(Some(checkpoint));
        let answers = answers(fates, judged);
        for (number, key) in keys {
            if let Some(Answer::Judged(judged)) = answers.get(number) {
                set.calls.push(KeptCall { source, key: key.key, digest: key.digest, judged: judged.clone(), at: now });
            }
        }
        self.store.commit(set).await?;
        self.feeds[index].feed.answer(Ok(answers));
        self.report.offered += count;
        self.report.groups += 1;
        self.publish();
        self.hub.deliver(&due, more);
        Ok(())
    }
}

type Sorted = (Vec<Fate>, Vec<(usize, crate::ports::feed::CallKey)>, Vec<Offered>);

/// Finds the calls that were made before, and the inputs of the others.
fn sort(calls: Vec<Call>, kept: Vec<Option<KeptCall>>, first_position: i64) -> Sorted {
    let mut kept = kept.into_iter();
    let (mut fates, mut keys, mut offered) = (Vec::with_capacity(calls.len()), Vec::new(), Vec::new());
    let mut here: BTreeMap<String, (usize, i64)> = BTreeMap::new();
    for (number, call) in calls.into_iter().enumerate() {
        if let Some(key) = call.key {
            let known = kept.next().flatten();
            let (digest, fate) = match (known, here.get(&key.key)) {
                (Some(known), _) => (Some(known.digest), Fate::Told(Answer::Kept(known.judged))),
                (None, Some((first, digest))) => (Some(*digest), Fate::Repeats(*first)),
                (None, None) => (None, Fate::Judge(0)),
            };
            match digest {
                Some(digest) => {
                    fates.push(if digest == key.digest { fate } else { Fate::Told(Answer::KeyTaken) });
                    continue;
                }
                None => drop(here.insert(key.key.clone(), (number, key.digest))),
            }
            keys.push((number, key));
        }
        fates.push(Fate::Judge(call.inputs.len()));
        for event in call.inputs {
            let position = first_position.saturating_add(i64::try_from(offered.len()).unwrap_or(i64::MAX));
            offered.push(Offered { position, place: String::new(), raw: Vec::new(), event });
        }
    }
    (fates, keys, offered)
}

/// Puts what the inputs came to together, call by call.
fn answers(fates: Vec<Fate>, judged: Vec<Judgement>) -> Vec<Answer> {
    let mut judged = judged.into_iter();
    let mut answers: Vec<Answer> = Vec::with_capacity(fates.len());
    for fate in fates {
        let answer = match fate {
            Fate::Judge(count) => Answer::Judged(judged.by_ref().take(count).collect()),
            Fate::Told(answer) => answer,
            Fate::Repeats(first) => match answers.get(first) {
                Some(Answer::Judged(judged) | Answer::Kept(judged)) => Answer::Kept(judged.clone()),
                Some(Answer::KeyTaken) | None => Answer::KeyTaken,
            },
        };
        answers.push(answer);
    }
    answers
}
