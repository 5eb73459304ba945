//! How a file of JSON lines is read.
//!
//! Promises: sensible bounds without a word of configuration. Leaves to others: parsing the configuration.

use std::path::PathBuf;

/// Which file, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSettings {
    /// The file.
    pub path: PathBuf,
    /// Wait for more at its end; false ends the feed there.
    pub follow: bool,
    /// The longest line in bytes; a longer one is refused, cut to its head.
    pub line_max: usize,
}

impl FileSettings {
    /// The longest line by default: 1 MiB.
    pub const LINE_MAX: usize = 1 << 20;

    /// A file with default bounds.
    pub fn new(path: impl Into<PathBuf>, follow: bool) -> Self {
        Self { path: path.into(), follow, line_max: Self::LINE_MAX }
    }
}
