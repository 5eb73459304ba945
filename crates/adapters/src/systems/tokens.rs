//! A token in use, whatever came with it: shared by all calls, renewed by one caller at a time.
//!
//! Promises: a token and what came with it are replaced together; one that was refused or is past its time is not handed out; a late
//! refusal of an old token leaves the new one; who asks while a renewal is under way waits for it.
//! Leaves to others: fetching (each system's `auth` and `client`), when to renew (the lane).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use syncline_core::time::Timestamp;

/// A token and what came with it.
#[derive(Debug)]
pub struct Token<G> {
    /// Which of our tokens it is; later ones have higher numbers.
    pub epoch: u64,
    /// The token itself and what it is good for.
    pub grant: G,
    /// From when on it is not used any more, where they tell.
    pub good_until: Option<Timestamp>,
}

#[derive(Debug)]
struct State<G> {
    token: Option<Arc<Token<G>>>,
    fetched: u64,
    refused: u64,
}

/// The token in use.
#[derive(Debug)]
pub struct Tokens<G> {
    state: Mutex<State<G>>,
    renewal: tokio::sync::Mutex<()>,
}

impl<G> Default for Tokens<G> {
    fn default() -> Self {
        Self { state: Mutex::new(State { token: None, fetched: 0, refused: 0 }), renewal: tokio::sync::Mutex::default() }
    }
}

impl<G> Tokens<G> {
    /// The token in use, unless it was refused or its time is over.
    #[must_use]
    pub fn current(&self, now: Timestamp) -> Option<Arc<Token<G>>> {
        let state = self.lock();
        let is_good = |token: &Arc<Token<G>>| token.epoch > state.refused && token.good_until.is_none_or(|until| now < until);
        state.token.as_ref().filter(|token| is_good(token)).cloned()
    }

    /// Notes that a token was refused. One that was replaced meanwhile changes nothing.
    pub fn refuse(&self, epoch: u64) {
        let mut state = self.lock();
        state.refused = state.refused.max(epoch);
    }

    /// Puts a fetched token in place.
    pub fn replace(&self, grant: G, good_until: Option<Timestamp>) {
        let mut state = self.lock();
        state.fetched += 1;
        state.token = Some(Arc::new(Token { epoch: state.fetched, grant, good_until }));
    }

    /// Waits until nobody else renews.
    pub async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.renewal.lock().await
    }

    /// The state is replaced in single steps, so a panic elsewhere leaves it whole.
    fn lock(&self) -> MutexGuard<'_, State<G>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000);

    #[test]
    fn only_the_refused_token_falls() {
        let tokens = Tokens::default();
        assert!(tokens.current(NOW).is_none());
        tokens.replace("a", None);
        let first = tokens.current(NOW).unwrap();
        tokens.refuse(first.epoch);
        assert!(tokens.current(NOW).is_none());
        tokens.replace("b", None);
        tokens.refuse(first.epoch);
        assert_eq!(tokens.current(NOW).unwrap().grant, "b");
    }

    #[test]
    fn a_token_is_not_used_past_its_time() {
        let tokens = Tokens::default();
        tokens.replace("a", Some(Timestamp::from_millis(2_000)));
        assert!(tokens.current(NOW).is_some());
        assert!(tokens.current(Timestamp::from_millis(1_999)).is_some());
        assert!(tokens.current(Timestamp::from_millis(2_000)).is_none());
    }
}
