//! Hands due links over in memory after the commit, and operators' wishes to lanes.
//!
//! Promises: bounded; what does not fit is not lost, because the table has it: the lane is told to look there. A link keeps its
//! first place in line. Leaves to others: the links' contents, which the lane loads when it plans them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use syncline_core::change_set::PauseScope;
use syncline_core::ids::{LinkId, SystemId};

/// Links in one inbox at most.
const LINKS_MAX: usize = 100_000;

/// An operator's wish for a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Stop this, for this reason.
    Pause(PauseScope, String),
    /// Go on with everything.
    Resume,
}

/// What one lane is told.
#[derive(Debug, Default)]
pub struct Inbox {
    state: Mutex<Waiting>,
    waker: AtomicWaker,
}

#[derive(Debug, Default)]
struct Waiting {
    links: VecDeque<LinkId>,
    queued: BTreeSet<LinkId>,
    overflowed: bool,
    more: bool,
    news: bool,
    wishes: VecDeque<Wish>,
}

/// What was taken out of an inbox.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Links, in line.
    pub links: Vec<LinkId>,
    /// Links did not fit: look in the table.
    pub overflowed: bool,
    /// More links are here, or known to come at once.
    pub more: bool,
    /// Wishes, in order.
    pub wishes: Vec<Wish>,
}

impl Inbox {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds links; `more` says that the feed has more at once.
    pub fn push(&self, links: &[LinkId], more: Option<bool>) {
        let mut state = self.lock();
        for link in links {
            if state.queued.contains(link) {
                continue;
            }
            if state.links.len() >= LINKS_MAX {
                state.overflowed = true;
                break;
            }
            state.queued.insert(*link);
            state.links.push_back(*link);
        }
        if let Some(more) = more {
            state.news |= state.more != more;
            state.more = more;
        }
        state.news |= !links.is_empty();
        drop(state);
        self.waker.wake();
    }

    /// Adds an operator's wish.
    pub fn wish(&self, wish: Wish) {
        let mut state = self.lock();
        state.wishes.push_back(wish);
        state.news = true;
        drop(state);
        self.waker.wake();
    }

    /// Takes up to `max` links and all wishes.
    pub fn take(&self, max: usize) -> Taken {
        let mut state = self.lock();
        let count = max.min(state.links.len());
        let links: Vec<_> = state.links.drain(..count).collect();
        for link in &links {
            state.queued.remove(link);
        }
        let overflowed = std::mem::take(&mut state.overflowed);
        let wishes = state.wishes.drain(..).collect();
        state.news = false;
        Taken { links, overflowed, more: state.more || !state.links.is_empty(), wishes }
    }

    /// Whether links wait here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().links.is_empty()
    }

    /// Ready when something came since the last `take`.
    pub fn poll_news(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.waker.register(cx.waker());
        if self.lock().news { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// All inboxes.
#[derive(Debug, Default)]
pub struct Hub {
    inboxes: BTreeMap<SystemId, Inbox>,
    accounts: Mutex<BTreeMap<String, SystemId>>,
}

impl Hub {
    /// One inbox per system.
    #[must_use]
    pub fn new(systems: impl IntoIterator<Item = SystemId>) -> Self {
        Self { inboxes: systems.into_iter().map(|system| (system, Inbox::default())).collect(), accounts: Mutex::default() }
    }

    /// A system's inbox.
    #[must_use]
    pub fn inbox(&self, system: SystemId) -> Option<&Inbox> {
        self.inboxes.get(&system)
    }

    /// Takes an account for a system; false if another system has it, because a quota must not be spent twice.
    pub fn claim(&self, account: &str, system: SystemId) -> bool {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        *accounts.entry(account.to_owned()).or_insert(system) == system
    }

    /// Hands due links over, and tells every lane whether more is coming.
    pub fn deliver(&self, due: &BTreeMap<SystemId, Vec<LinkId>>, more: bool) {
        for (system, inbox) in &self.inboxes {
            inbox.push(due.get(system).map_or(&[], Vec::as_slice), Some(more));
        }
    }

    /// Tells lanes that these links are due.
    pub fn release(&self, links: &[(SystemId, LinkId)]) {
        for (system, link) in links {
            if let Some(inbox) = self.inboxes.get(system) {
                inbox.push(&[*link], None);
            }
        }
    }
}
