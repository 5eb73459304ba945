//! The contract suite of the feed port: docs/spec/feed.md, promise by promise.
//!
//! Promises: every case gets a source of its own; none sleeps, and time is a number that the case chooses.
//! Leaves to others: making sources and feeds (`Harness`); what the inputs say.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use syncline_core::checkpoint::Checkpoint;
use syncline_core::ids::SourceId;
use syncline_core::time::Timestamp;
use syncline_engine::error::Result;
use syncline_engine::ports::feed::{Feed, FeedGroup, FeedInput, Polled};

use super::{feed_lines, feed_order};

/// The source that every feed of a suite reads for.
pub const SOURCE: SourceId = SourceId(7);
/// The longest line that a feed of lines takes in these cases.
pub const LINE_MAX: usize = 1000;
/// When the cases happen.
pub const NOW: Timestamp = Timestamp::MIN;

/// What a feed can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Features {
    /// A new feed can go on behind any checkpoint of an older one.
    pub resumes: bool,
    /// Its log is made of lines that the harness writes.
    pub has_lines: bool,
    /// Its log may grow for ever, so that it never ends.
    pub grows: bool,
    /// It notices another log in the old one's place.
    pub notices_another_log: bool,
    /// Its log can be taken away and given back.
    pub can_fail: bool,
}

/// Makes one source and feeds over it.
pub trait Harness {
    /// What the feed can do.
    fn features(&self) -> Features;

    /// Makes the log hold so many inputs, if it holds fewer.
    fn fill(&self, inputs: usize);

    /// Appends bytes to a log of lines.
    fn append(&self, bytes: &[u8]);

    /// Puts another log in the old one's place. For lines these bytes; else any log of so many inputs as before.
    fn replace(&self, bytes: &[u8]);

    /// Takes the log away; `append` brings it back empty.
    fn remove(&self);

    /// A feed over the log, not yet sought, as another process would make it.
    fn open(&self) -> Box<dyn Feed>;
}

/// One case.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// Its name; begins with the number of the promise.
    pub name: &'static str,
    /// Which feeds it is for.
    pub needs: fn(Features) -> bool,
    /// Panics if the promise is not kept.
    pub run: fn(&dyn Harness),
}

/// Every case.
#[must_use]
pub fn cases() -> Vec<Case> {
    [feed_order::CASES, feed_lines::CASES].concat()
}

/// The cases for feeds that can do this.
pub fn cases_for(features: Features) -> impl Iterator<Item = Case> {
    cases().into_iter().filter(move |case| (case.needs)(features))
}

/// What a feed answers at once; panics if it waits.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("a feed never waits"),
    }
}

/// A feed that was sought.
pub fn sought(harness: &dyn Harness, checkpoint: Option<Checkpoint>) -> Box<dyn Feed> {
    let mut feed = harness.open();
    at_once(feed.seek(checkpoint)).expect("the feed can be sought");
    feed
}

/// What a poll answers.
pub fn try_poll(feed: &mut dyn Feed, max: usize) -> Result<Polled> {
    at_once(feed.poll(max, NOW))
}

/// The next group; None if there is nothing now.
pub fn poll(feed: &mut dyn Feed, max: usize) -> Option<FeedGroup> {
    match try_poll(feed, max).expect("the feed can be read") {
        Polled::Group(group) => Some(group),
        Polled::Calls(_) | Polled::Idle { .. } | Polled::Ended => None,
    }
}

/// Everything that there is now, in groups.
pub fn drain(feed: &mut dyn Feed, max: usize) -> Vec<FeedGroup> {
    std::iter::from_fn(|| poll(feed, max)).collect()
}

/// The inputs of groups.
pub fn inputs(groups: &[FeedGroup]) -> Vec<FeedInput> {
    groups.iter().flat_map(|group| group.inputs.clone()).collect()
}

/// The inputs that a log holds, read in one group by a feed of its own.
pub fn whole(harness: &dyn Harness) -> Vec<FeedInput> {
    inputs(&drain(&mut *sought(harness, None), usize::MAX))
}

/// Lists cases under their own names, each with the feeds that it is for.
macro_rules! feed_cases {
    ($($name:ident for $needs:expr),* $(,)?) => {
        pub(super) const CASES: &[$crate::contract::feed::Case] =
            &[$($crate::contract::feed::Case { name: stringify!($name), needs: $needs, run: $name }),*];
    };
}
pub(crate) use feed_cases;
