//! Cuts a stream of bytes into lines of bounded length.
//!
//! Promises: every byte belongs to one line; a line beyond the bound keeps its head and says so; a carriage return before the
//! line end is not part of the line. Leaves to others: where the bytes come from.

use syncline_engine::ports::feed::FeedInput;

/// How much of an overlong line is kept for the person who looks into it.
const HEAD: usize = 64 * 1024;

/// One line with how many bytes of the source it took.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub raw: Vec<u8>,
    pub taken: u64,
    pub too_long: bool,
}

/// A cutter that remembers an unfinished line.
#[derive(Debug)]
pub(super) struct Lines {
    line_max: usize,
    partial: Vec<u8>,
    partial_bytes: u64,
    /// Whether some of the unfinished line was let go.
    cut: bool,
}

impl Lines {
    pub const fn new(line_max: usize) -> Self {
        Self { line_max, partial: Vec::new(), partial_bytes: 0, cut: false }
    }

    /// Adds bytes; answers the lines that they finish.
    pub fn add(&mut self, mut bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.keep(&bytes[..end]);
            self.partial_bytes += 1;
            lines.extend(self.finish());
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes);
        lines
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.partial_bytes += bytes.len() as u64;
        let room = (self.line_max + 1).saturating_sub(self.partial.len());
        self.cut |= room < bytes.len();
        self.partial.extend_from_slice(&bytes[..room.min(bytes.len())]);
    }

    /// Ends the line that is under way; None if there is none.
    pub fn finish(&mut self) -> Option<Line> {
        if self.partial_bytes == 0 {
            return None;
        }
        let mut raw = std::mem::take(&mut self.partial);
        let taken = std::mem::take(&mut self.partial_bytes);
        let cut = std::mem::take(&mut self.cut);
        if !cut && raw.last() == Some(&b'\r') {
            raw.pop();
        }
        let too_long = cut || raw.len() > self.line_max;
        if too_long {
            raw.truncate(HEAD.min(self.line_max));
        }
        Some(Line { raw, taken, too_long })
    }
}

/// A line as an input; blank lines are none.
pub(super) fn input(line: Line, place: String, line_max: usize) -> Option<FeedInput> {
    if line.raw.iter().all(u8::is_ascii_whitespace) && !line.too_long {
        return None;
    }
    let broken = line.too_long.then(|| format!("the line has {} bytes; at most {line_max} are taken", line.taken));
    Some(FeedInput { raw: line.raw, place, broken })
}

#[cfg(test)]
mod tests {
    use super::{Line, Lines};

    fn cut(parts: &[&[u8]], line_max: usize) -> Vec<Line> {
        let mut lines = Lines::new(line_max);
        let mut cut: Vec<_> = parts.iter().flat_map(|part| lines.add(part)).collect();
        cut.extend(lines.finish());
        cut
    }

    #[test]
    fn lines_are_the_same_however_the_bytes_come() {
        let whole = cut(&[b"one\r\ntwo\n\nthree"], 10);
        assert_eq!(whole, cut(&[b"on", b"e\r", b"\ntwo\n", b"\nth", b"ree"], 10));
        assert_eq!(whole.iter().map(|line| line.taken).sum::<u64>(), 15);
        assert_eq!(whole[0].raw, b"one");
    }

    #[test]
    fn an_overlong_line_keeps_its_head_and_the_next_is_whole() {
        let lines = cut(&[b"0123456789abcdef\nnext\n"], 10);
        assert!(lines[0].too_long && lines[0].raw == b"0123456789" && lines[0].taken == 17);
        assert!(!lines[1].too_long && lines[1].raw == b"next");
    }
}
