//! What an operator may do with dead letters and records, while the process runs or offline over the same store.
//!
//! Promises: a letter ends exactly once; a replay opens new work and plans from the record's present state, so it never brings
//! back something older; a letter of intake is offered anew, and if it is still refused that makes a new letter. Records are
//! brought under the present rules by `resync`. Leaves to others: pausing and resuming, which are the lanes' (`workers::inbox::Wish`).

pub mod preview;
pub mod resync;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use futures_channel::oneshot;
use futures_util::future::poll_fn;
use futures_util::task::AtomicWaker;
use syncline_core::change_set::{ChangeSet, LetterEnd};
use syncline_core::event::{self, SourceSettings};
use syncline_core::ids::{Ids, LetterId, LinkId, SystemId};
use syncline_core::intake::{Intake, Offered, Routes, Taken};
use syncline_core::ledger::{Cause, Counter};
use syncline_core::letter::{Letter, LetterState};
use syncline_core::schema::Schemas;
use syncline_core::time::Timestamp;

use crate::error::{Error, Kind, Result};
use crate::ports::store::Store;
use crate::workers::StoreIds;
use crate::workers::intake::bring_known;

/// What an operator wishes for a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LetterWish {
    /// Try it again.
    Replay {
        /// Which.
        letter: LetterId,
    },
    /// Let it go.
    Discard {
        /// Which.
        letter: LetterId,
        /// Why.
        reason: String,
    },
}

/// A wish with the way back to who wished it; nobody listening is fine.
#[derive(Debug)]
pub enum Order {
    /// For a letter; the answer is in words.
    Letter(LetterWish, oneshot::Sender<Result<String>>),
    /// For a page of records.
    Resync(Box<resync::Asked>, oneshot::Sender<Result<resync::Page>>),
}

/// Orders on their way to the intake worker, which alone opens deliveries.
#[derive(Debug, Default)]
pub struct Orders {
    queue: Mutex<VecDeque<Order>>,
    waker: AtomicWaker,
}

impl Orders {
    /// Queues a wish for a letter; the receiver gets what came of it.
    pub fn letter(&self, wish: LetterWish) -> oneshot::Receiver<Result<String>> {
        let (reply, answer) = oneshot::channel();
        self.place(Order::Letter(wish, reply));
        answer
    }

    /// Queues a page of a resync; the receiver gets what came of it.
    pub fn resync(&self, asked: resync::Asked) -> oneshot::Receiver<Result<resync::Page>> {
        let (reply, answer) = oneshot::channel();
        self.place(Order::Resync(Box::new(asked), reply));
        answer
    }

    fn place(&self, order: Order) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(order);
        self.waker.wake();
    }

    /// The next order, if there is one.
    pub fn next(&self) -> Option<Order> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Returns when there is an order.
    pub async fn wait(&self) {
        poll_fn(|cx| {
            self.waker.register(cx.waker());
            let is_empty = self.queue.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
            if is_empty { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
        })
        .await;
    }
}

/// What an order did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// In words.
    pub text: String,
    /// Links that became due by it.
    pub due: BTreeMap<SystemId, Vec<LinkId>>,
}

async fn waiting_letter(store: &dyn Store, id: LetterId) -> Result<Letter> {
    let letter = store
        .letter(id)
        .await?
        .ok_or_else(|| Error::new(Kind::Operator, format!("there is no dead letter {id}")).with_remedy("`syncline dead-letters list` shows them"))?;
    if letter.state == LetterState::Waiting {
        Ok(letter)
    } else {
        Err(Error::new(Kind::Operator, format!("dead letter {id} is {} already", letter.state.name())).with_remedy("nothing is left to do for it"))
    }
}

/// Replays a letter.
///
/// # Errors
/// `Operator` if there is no such waiting letter; what the store says.
pub async fn replay(
    store: &dyn Store,
    schemas: &Schemas,
    routes: &BTreeMap<String, Routes>,
    id: LetterId,
    now: Timestamp,
) -> Result<Done> {
    let letter = waiting_letter(store, id).await?;
    match letter.link {
        Some(link) => replay_link(store, &letter, link, now).await,
        None => take_anew(store, schemas, routes, &letter, now).await,
    }
}

async fn replay_link(store: &dyn Store, letter: &Letter, link: LinkId, now: Timestamp) -> Result<Done> {
    let known = store.load(&[link]).await?.pop();
    let found = known.and_then(|(_, known)| known.links.into_iter().find(|candidate| candidate.id == link));
    let found = found.ok_or_else(|| Error::new(Kind::Internal, format!("dead letter {} names a link that is not there", letter.id)))?;
    let mut set = ChangeSet::default();
    let mut duty = found.duty.clone();
    if found.open() == 0 {
        duty.due_since = now;
    }
    duty.opened += 1;
    set.duties.push((link, duty));
    set.counts.add(Counter::Opened(found.system, Cause::Replay), 1);
    end(&mut set, letter.id, LetterState::Replayed, "replayed by an operator", now);
    store.commit(set).await?;
    Ok(Done { text: format!("{} is due again", letter.place), due: BTreeMap::from([(found.system, vec![link])]) })
}

async fn take_anew(
    store: &dyn Store,
    schemas: &Schemas,
    routes: &BTreeMap<String, Routes>,
    letter: &Letter,
    now: Timestamp,
) -> Result<Done> {
    let mut taken = offer_anew(store, schemas, routes, letter, now, &mut StoreIds(store)).await?;
    let refused = taken.set.letters_new.first().map(|letter| letter.rejection.message.clone());
    end(&mut taken.set, letter.id, LetterState::Replayed, "offered anew by an operator", now);
    store.commit(taken.set).await?;
    let text = refused.map_or_else(|| format!("{} is accepted now", letter.place), |why| format!("{} is still refused: {why}", letter.place));
    Ok(Done { text, due: taken.due })
}

/// What a letter's input comes to if it is offered anew.
async fn offer_anew(
    store: &dyn Store,
    schemas: &Schemas,
    routes: &BTreeMap<String, Routes>,
    letter: &Letter,
    now: Timestamp,
    ids: &mut (dyn Ids + Send),
) -> Result<Taken> {
    let (Some(source), Some(raw)) = (letter.source, letter.raw.clone()) else {
        return Err(Error::new(Kind::Internal, format!("dead letter {} has neither link nor input", letter.id)));
    };
    let checkpoint = store.checkpoint(source).await?;
    let (epoch, position) = checkpoint.map_or((0, 0), |checkpoint| (checkpoint.epoch, checkpoint.position.saturating_sub(1).max(0)));
    let event = event::decode(&raw, schemas, &SourceSettings::default());
    let offered = [Offered { position, place: letter.place.clone(), raw, event }];
    let mut intake = Intake::new(routes, source, epoch, true, now);
    bring_known(store, source, &offered, &mut intake).await?;
    for input in offered {
        intake.offer(input, ids);
    }
    Ok(intake.finish(None))
}

/// Lets a letter go.
///
/// # Errors
/// `Operator` if there is no such waiting letter; what the store says.
pub async fn discard(store: &dyn Store, id: LetterId, reason: &str, now: Timestamp) -> Result<Done> {
    let letter = waiting_letter(store, id).await?;
    let mut set = ChangeSet::default();
    end(&mut set, id, LetterState::Discarded, reason, now);
    store.commit(set).await?;
    Ok(Done { text: format!("{} is discarded", letter.place), due: BTreeMap::new() })
}

fn end(set: &mut ChangeSet, id: LetterId, state: LetterState, note: &str, at: Timestamp) {
    set.letters_ended.push(LetterEnd { id, state, at, note: note.to_owned() });
}
