//! Reads JSON lines that somebody pipes in.
//!
//! Promises: the port's, but for resuming: what was piped cannot be had again, so each process is an epoch of its own.
//! Leaves to others: reading the pipe, which blocks (`app::run` owns that thread).

use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use async_trait::async_trait;
use syncline_core::checkpoint::Checkpoint;
use syncline_core::ids::SourceId;
use syncline_core::time::Timestamp;
use syncline_engine::error::Result;
use syncline_engine::ports::feed::{Feed, FeedGroup, Polled};

use super::lines::{Lines, input};

/// How often the pipe is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// The feed of a pipe.
#[derive(Debug)]
pub struct PipeFeed {
    source: SourceId,
    line_max: usize,
    chunks: Receiver<Vec<u8>>,
    lines: Lines,
    waiting: std::collections::VecDeque<super::lines::Line>,
    ended: bool,
    epoch: i64,
    position: i64,
    line: u64,
}

impl PipeFeed {
    /// A feed over chunks of bytes as they were read; a closed channel is the pipe's end.
    #[must_use]
    pub fn new(source: SourceId, line_max: usize, chunks: Receiver<Vec<u8>>) -> Self {
        let waiting = std::collections::VecDeque::new();
        Self { source, line_max, chunks, lines: Lines::new(line_max), waiting, ended: false, epoch: 1, position: 0, line: 0 }
    }

    fn drain(&mut self, max: usize) {
        while !self.ended && self.waiting.len() < max {
            match self.chunks.try_recv() {
                Ok(chunk) => self.waiting.extend(self.lines.add(&chunk)),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.ended = true;
                    self.waiting.extend(self.lines.finish());
                }
            }
        }
    }
}

#[async_trait]
impl Feed for PipeFeed {
    async fn seek(&mut self, checkpoint: Option<Checkpoint>) -> Result<()> {
        self.epoch = checkpoint.map_or(1, |known| known.epoch + 1);
        Ok(())
    }

    async fn poll(&mut self, max: usize, now: Timestamp) -> Result<Polled> {
        self.drain(max);
        let first_position = self.position;
        let mut inputs = Vec::new();
        while inputs.len() < max
            && let Some(line) = self.waiting.pop_front()
        {
            self.line += 1;
            inputs.extend(input(line, format!("stdin:{}", self.line), self.line_max));
        }
        if inputs.is_empty() {
            return Ok(if self.ended { Polled::Ended } else { Polled::Idle { until: now.plus(LOOK) } });
        }
        self.position = self.position.saturating_add(i64::try_from(inputs.len()).unwrap_or(i64::MAX));
        let checkpoint =
            Checkpoint { source: self.source, epoch: self.epoch, position: self.position, cursor: String::from("{}") };
        // A full group says nothing of what the pipe still holds.
        let more = inputs.len() == max || !self.waiting.is_empty();
        Ok(Polled::Group(FeedGroup { epoch: self.epoch, first_position, inputs, checkpoint, more }))
    }
}
