//! Hands calls over in groups and tells their callers what became of them.
//!
//! Promises: the port's. Requests cannot be had again, so each life of the feed is an epoch of its own; a call whose answer is not
//! known (the commit failed) is told so, and its caller repeats it. Leaves to others: bounds on what waits (`queue`).

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use syncline_core::checkpoint::Checkpoint;
use syncline_core::ids::SourceId;
use syncline_core::time::Timestamp;
use syncline_engine::error::{Error, Kind, Result};
use syncline_engine::ports::feed::{Answer, Call, CallGroup, Feed, Polled};

use super::queue::{CallQueue, Failed, Reply, Taken};

/// Refusals are counted after this long at the latest.
const LOOK: Duration = Duration::from_secs(1);

/// A caller of the group that is under way.
#[derive(Debug)]
struct Caller {
    key: Option<String>,
    reply: tokio::sync::oneshot::Sender<Reply>,
}

/// The feed of one queue.
#[derive(Debug)]
pub struct HttpFeed {
    source: SourceId,
    queue: Arc<CallQueue>,
    callers: Vec<Caller>,
    epoch: i64,
    position: i64,
}

impl HttpFeed {
    /// A feed that was not sought yet.
    #[must_use]
    pub const fn new(source: SourceId, queue: Arc<CallQueue>) -> Self {
        Self { source, queue, callers: Vec::new(), epoch: 1, position: 0 }
    }

    /// Tells everybody who waits for the group under way the same.
    fn fail_all(&mut self, failed: &Failed) {
        for caller in self.callers.drain(..) {
            if let Some(key) = &caller.key {
                self.queue.free(key);
            }
            // A caller that went away wants no answer.
            drop(caller.reply.send(Err(failed.clone())));
        }
    }
}

#[async_trait]
impl Feed for HttpFeed {
    async fn seek(&mut self, checkpoint: Option<Checkpoint>) -> Result<()> {
        self.epoch = checkpoint.map_or(1, |known| known.epoch + 1);
        self.position = 0;
        Ok(())
    }

    async fn poll(&mut self, max: usize, now: Timestamp) -> Result<Polled> {
        let Taken { calls: waiting, told, more } = self.queue.take(max);
        if waiting.is_empty() && told == 0 {
            return Ok(Polled::Idle { until: now.plus(LOOK) });
        }
        let first_position = self.position;
        let mut calls: Vec<Call> = Vec::with_capacity(waiting.len());
        for one in waiting {
            self.position = self.position.saturating_add(i64::try_from(one.call.inputs.len()).unwrap_or(i64::MAX));
            self.callers.push(Caller { key: one.call.key.as_ref().map(|key| key.key.clone()), reply: one.reply });
            calls.push(one.call);
        }
        let checkpoint =
            Checkpoint { source: self.source, epoch: self.epoch, position: self.position, cursor: String::from("{}") };
        Ok(Polled::Calls(CallGroup { epoch: self.epoch, first_position, calls, told, checkpoint, more }))
    }

    fn has_callers(&self) -> bool {
        true
    }

    async fn ready(&mut self) {
        poll_fn(|cx| self.queue.poll_news(cx)).await;
    }

    fn answer(&mut self, answers: std::result::Result<Vec<Answer>, &Error>) {
        match answers {
            Ok(answers) if answers.len() == self.callers.len() => {
                for (caller, answer) in self.callers.drain(..).zip(answers) {
                    if let Some(key) = &caller.key {
                        self.queue.free(key);
                    }
                    // A caller that went away wants no answer.
                    drop(caller.reply.send(Ok(answer)));
                }
            }
            Ok(answers) => self.fail_all(&Failed {
                kind: Kind::Internal,
                message: format!("{} answers came for {} calls", answers.len(), self.callers.len()),
                remedy: "send the events again under the same ids".into(),
            }),
            Err(error) => {
                let failed = Failed { kind: error.kind, message: error.message.clone(), remedy: error.remedy().to_owned() };
                self.fail_all(&failed);
            }
        }
    }
}
