//! Reads a file of JSON lines from a checkpoint.
//!
//! Promises: the port's. A line without its end is not taken while the file is followed; read once, the end of the file ends it.
//! Leaves to others: cutting lines (`lines`).

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use syncline_core::checkpoint::Checkpoint;
use syncline_core::ids::SourceId;
use syncline_core::seal::Seal;
use syncline_core::time::Timestamp;
use syncline_engine::error::{Error, Kind, Result};
use syncline_engine::ports::feed::{Feed, FeedGroup, Polled};

use super::config::FileSettings;
use super::lines::{Lines, input};

/// How often a followed file is looked at.
const LOOK: Duration = Duration::from_millis(200);
const CHUNK: usize = 256 * 1024;

/// Where reading stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    offset: u64,
    line: u64,
    /// Digest of the first line; None while there is none.
    digest: Option<i64>,
}

/// The feed of one file.
#[derive(Debug)]
pub struct FileFeed {
    source: SourceId,
    settings: FileSettings,
    epoch: i64,
    position: i64,
    cursor: Cursor,
}

impl FileFeed {
    /// A feed that was not sought yet.
    #[must_use]
    pub fn new(source: SourceId, settings: FileSettings) -> Self {
        Self { source, settings, epoch: 1, position: 0, cursor: Cursor::default() }
    }

    fn failed(&self, doing: &str, error: std::io::Error) -> Error {
        Error::new(Kind::FeedUnavailable, format!("cannot {doing} {}", self.settings.path.display())).caused_by(error)
    }

    /// The digest of the first whole line, and the file's length; None if there is no file yet.
    fn identity(&self) -> Result<Option<(Option<i64>, u64)>> {
        let mut file = match File::open(&self.settings.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound && self.settings.follow => return Ok(None),
            Err(error) => return Err(self.failed("open", error)),
        };
        let length = file.metadata().map_err(|error| self.failed("look at", error))?.len();
        let mut lines = Lines::new(self.settings.line_max);
        let mut chunk = vec![0; 8192];
        loop {
            let count = file.read(&mut chunk).map_err(|error| self.failed("read", error))?;
            let first = if count == 0 && !self.settings.follow { lines.finish() } else { lines.add(&chunk[..count]).into_iter().next() };
            if let Some(line) = first {
                return Ok(Some((Some(Seal::default().bytes(&line.raw).finish()), length)));
            }
            if count == 0 {
                return Ok(Some((None, length)));
            }
        }
    }

    /// Opens a new epoch if another file stands in the old one's place. Answers whether there is a file.
    fn recognise(&mut self) -> Result<bool> {
        let Some((digest, length)) = self.identity()? else { return Ok(false) };
        let other = self.cursor.digest.is_some() && digest != self.cursor.digest;
        if other || length < self.cursor.offset {
            self.epoch += 1;
            self.position = 0;
            self.cursor = Cursor::default();
        }
        self.cursor.digest = digest;
        Ok(true)
    }

    fn read_group(&mut self, max: usize) -> Result<Option<FeedGroup>> {
        let mut file = File::open(&self.settings.path).map_err(|error| self.failed("open", error))?;
        file.seek(SeekFrom::Start(self.cursor.offset)).map_err(|error| self.failed("read", error))?;
        let (mut lines, mut inputs) = (Lines::new(self.settings.line_max), Vec::new());
        let (mut chunk, mut more) = (vec![0; CHUNK], true);
        let first_position = self.position;
        let started = self.cursor.clone();
        let name = self.settings.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        'reading: loop {
            let count = file.read(&mut chunk).map_err(|error| self.failed("read", error))?;
            let cut = if count == 0 && !self.settings.follow { lines.finish().into_iter().collect() } else { lines.add(&chunk[..count]) };
            for line in cut {
                self.cursor.offset += line.taken;
                self.cursor.line += 1;
                let place = format!("{name}:{}", self.cursor.line);
                inputs.extend(input(line, place, self.settings.line_max));
                if inputs.len() == max {
                    break 'reading;
                }
            }
            if count == 0 {
                more = false;
                break;
            }
        }
        if self.cursor == started {
            return Ok(None);
        }
        self.position = self.position.saturating_add(i64::try_from(inputs.len()).unwrap_or(i64::MAX));
        Ok(Some(FeedGroup { epoch: self.epoch, first_position, inputs, checkpoint: self.checkpoint()?, more }))
    }

    fn checkpoint(&self) -> Result<Checkpoint> {
        let cursor = serde_json::to_string(&self.cursor)
            .map_err(|error| Error::new(Kind::Internal, "cannot write a file's checkpoint").caused_by(error))?;
        Ok(Checkpoint { source: self.source, epoch: self.epoch, position: self.position, cursor })
    }
}

#[async_trait]
impl Feed for FileFeed {
    async fn seek(&mut self, checkpoint: Option<Checkpoint>) -> Result<()> {
        (self.epoch, self.position, self.cursor) = match checkpoint {
            None => (1, 0, Cursor::default()),
            Some(known) => {
                let cursor = serde_json::from_str(&known.cursor)
                    .map_err(|error| Error::new(Kind::StoreCorrupt, "cannot read a file's checkpoint").caused_by(error))?;
                (known.epoch, known.position, cursor)
            }
        };
        Ok(())
    }

    async fn poll(&mut self, max: usize, now: Timestamp) -> Result<Polled> {
        let is_there = self.recognise()?;
        if is_there && let Some(group) = self.read_group(max)? {
            return Ok(Polled::Group(group));
        }
        Ok(if self.settings.follow { Polled::Idle { until: now.plus(LOOK) } } else { Polled::Ended })
    }
}
