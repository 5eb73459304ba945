//! Hands a worker something new to work with while it works: its rules, its settings.
//!
//! Promises: a worker takes it whole, between two steps; what is handed over before the last was taken takes its place.
//! Leaves to others: what is handed over, and when the worker is ready for it (the worker).

use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

/// What a worker is to go on with.
#[derive(Debug)]
pub struct Exchange<T> {
    next: Mutex<Option<T>>,
    waker: AtomicWaker,
}

impl<T> Default for Exchange<T> {
    fn default() -> Self {
        Self { next: Mutex::new(None), waker: AtomicWaker::new() }
    }
}

impl<T> Exchange<T> {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<T>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands it over.
    pub fn put(&self, next: T) {
        *self.lock() = Some(next);
        self.waker.wake();
    }

    /// Takes it, if there is something.
    pub fn take(&self) -> Option<T> {
        self.lock().take()
    }

    /// Whether there is something.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.lock().is_some()
    }

    /// Ready when there is something.
    pub fn poll_waiting(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.waker.register(cx.waker());
        if self.is_waiting() { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[cfg(test)]
mod tests {
    use super::Exchange;

    #[test]
    fn the_last_that_was_handed_over_is_taken_once() {
        let exchange = Exchange::default();
        assert!(!exchange.is_waiting());
        exchange.put(1);
        exchange.put(2);
        assert!(exchange.is_waiting());
        assert_eq!((exchange.take(), exchange.take()), (Some(2), None));
    }
}
