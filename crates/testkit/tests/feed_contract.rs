//! Runs the feed's contract suite against the generator, a followed file, a file read once, and a pipe.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::cell::{Cell, RefCell};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use syncline_adapters::systems::file::config::FileSettings;
use syncline_adapters::systems::file::feed::FileFeed;
use syncline_adapters::systems::file::stdin::PipeFeed;
use syncline_adapters::systems::generator::GeneratorSettings;
use syncline_adapters::systems::generator::feed::{Gate, GeneratorFeed, Load};
use syncline_engine::ports::feed::{Feed, Polled};
use syncline_testkit::contract::feed::{Case, Features, Harness, LINE_MAX, NOW, SOURCE, at_once, cases, cases_for, drain, inputs};
use tempfile::TempDir;

/// So many events of a seed.
struct Generated {
    events: Cell<u64>,
    seed: Cell<u64>,
}

impl Harness for Generated {
    fn features(&self) -> Features {
        Features { resumes: true, has_lines: false, grows: false, notices_another_log: true, can_fail: false }
    }

    fn fill(&self, inputs: usize) {
        self.events.set(inputs as u64);
    }

    fn append(&self, _bytes: &[u8]) {
        unreachable!("a generator has no lines");
    }

    fn replace(&self, _bytes: &[u8]) {
        self.seed.set(self.seed.get() + 1);
    }

    fn remove(&self) {
        unreachable!("a seed cannot be taken away");
    }

    fn open(&self) -> Box<dyn Feed> {
        let load = Load::Events(self.events.get());
        Box::new(GeneratorFeed::new(SOURCE, GeneratorSettings::default(), self.seed.get(), load, Gate::default()).unwrap())
    }
}

/// A file, followed or read once.
struct InFile {
    folder: TempDir,
    lines: Cell<usize>,
    follow: bool,
}

impl InFile {
    fn make(follow: bool) -> Self {
        let file = Self { folder: TempDir::new().unwrap(), lines: Cell::new(0), follow };
        file.append(b"");
        file
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("contacts.jsonl")
    }
}

impl Harness for InFile {
    fn features(&self) -> Features {
        Features { resumes: true, has_lines: true, grows: self.follow, notices_another_log: true, can_fail: true }
    }

    fn fill(&self, inputs: usize) {
        for line in self.lines.get()..inputs {
            self.append(format!("line {line}\n").as_bytes());
            self.lines.set(line + 1);
        }
    }

    fn append(&self, bytes: &[u8]) {
        OpenOptions::new().create(true).append(true).open(self.path()).unwrap().write_all(bytes).unwrap();
    }

    fn replace(&self, bytes: &[u8]) {
        std::fs::write(self.path(), bytes).unwrap();
    }

    fn remove(&self) {
        std::fs::remove_file(self.path()).unwrap();
    }

    fn open(&self) -> Box<dyn Feed> {
        Box::new(FileFeed::new(SOURCE, FileSettings { line_max: LINE_MAX, ..FileSettings::new(self.path(), self.follow) }))
    }
}

/// A pipe into which the same bytes are written for every feed; it stays open, or is closed behind them.
struct Piped {
    written: RefCell<Vec<u8>>,
    senders: RefCell<Vec<Sender<Vec<u8>>>>,
    lines: Cell<usize>,
    stays_open: bool,
}

impl Piped {
    fn make(stays_open: bool) -> Self {
        Self { written: RefCell::default(), senders: RefCell::default(), lines: Cell::new(0), stays_open }
    }
}

impl Harness for Piped {
    fn features(&self) -> Features {
        Features { resumes: false, has_lines: true, grows: self.stays_open, notices_another_log: false, can_fail: false }
    }

    fn fill(&self, inputs: usize) {
        for line in self.lines.get()..inputs {
            self.append(format!("line {line}\n").as_bytes());
            self.lines.set(line + 1);
        }
    }

    fn append(&self, bytes: &[u8]) {
        self.written.borrow_mut().extend_from_slice(bytes);
        for sender in self.senders.borrow().iter() {
            // A feed that a case has dropped reads no more.
            let _ = sender.send(bytes.to_vec());
        }
    }

    fn replace(&self, _bytes: &[u8]) {
        unreachable!("a pipe notices no other log");
    }

    fn remove(&self) {
        unreachable!("a pipe cannot be taken away");
    }

    fn open(&self) -> Box<dyn Feed> {
        let (sender, chunks) = channel();
        for chunk in self.written.borrow().chunks(11) {
            sender.send(chunk.to_vec()).unwrap();
        }
        if self.stays_open {
            self.senders.borrow_mut().push(sender);
        }
        Box::new(PipeFeed::new(SOURCE, LINE_MAX, chunks))
    }
}

fn keep(make: impl Fn() -> Box<dyn Harness>) {
    for Case { name, run, .. } in cases_for(make().features()) {
        println!("{name}");
        run(&*make());
    }
}

#[test]
fn the_generator_keeps_the_contract() {
    keep(|| Box::new(Generated { events: Cell::new(0), seed: Cell::new(7) }));
}

#[test]
fn a_followed_file_keeps_the_contract() {
    keep(|| Box::new(InFile::make(true)));
}

#[test]
fn a_file_read_once_keeps_the_contract() {
    keep(|| Box::new(InFile::make(false)));
}

#[test]
fn a_pipe_that_stays_open_keeps_the_contract() {
    keep(|| Box::new(Piped::make(true)));
}

#[test]
fn a_pipe_that_is_closed_keeps_the_contract() {
    keep(|| Box::new(Piped::make(false)));
}

#[test]
fn names_of_cases_begin_with_a_number_of_the_specification_and_differ() {
    let specification = include_str!("../../../docs/spec/feed.md");
    let mut names: Vec<_> = cases().iter().map(|case| case.name).collect();
    for name in &names {
        let number = name.split('_').next().unwrap().to_uppercase();
        assert!(specification.contains(&format!("**{number}**")), "{name}: the specification has no {number}");
    }
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn more_is_said_while_more_can_be_had_at_once() {
    let harnesses: [Box<dyn Harness>; 5] = [
        Box::new(Generated { events: Cell::new(0), seed: Cell::new(7) }),
        Box::new(InFile::make(true)),
        Box::new(InFile::make(false)),
        Box::new(Piped::make(true)),
        Box::new(Piped::make(false)),
    ];
    for harness in harnesses {
        harness.fill(9);
        let mut feed = harness.open();
        at_once(feed.seek(None)).unwrap();
        let groups = drain(&mut *feed, 4);
        let told: Vec<_> = groups.iter().map(|group| (group.inputs.len(), group.more)).collect();
        assert_eq!(told[..2], [(4, true), (4, true)], "{:?}", harness.features());
    }
}

#[test]
fn the_second_phase_of_a_load_waits_for_its_gate() {
    let gate = Gate::default();
    let settings = GeneratorSettings { move_share: 0.1, ..GeneratorSettings::default() };
    let mut feed = GeneratorFeed::new(SOURCE, settings, 7, Load::Phased(10), gate.clone()).unwrap();
    at_once(feed.seek(None)).unwrap();
    assert_eq!(inputs(&drain(&mut feed, 4)).len(), 10);
    assert!(matches!(at_once(feed.poll(4, NOW)).unwrap(), Polled::Idle { .. }));
    gate.open();
    let second = inputs(&drain(&mut feed, 4));
    assert_eq!(second.len(), 10);
    assert!(second.iter().all(|input| !String::from_utf8_lossy(&input.raw).contains("\"create\"")));
    assert_eq!(at_once(feed.poll(4, NOW)).unwrap(), Polled::Ended);
}

#[test]
fn a_continuous_stream_keeps_its_pace() {
    let settings = GeneratorSettings { events_per_second: 5.0, ..GeneratorSettings::default() };
    let mut feed = GeneratorFeed::new(SOURCE, settings, 7, Load::Continuous, Gate::default()).unwrap();
    at_once(feed.seek(None)).unwrap();
    let mut count = |seconds| match at_once(feed.poll(100, NOW.plus(Duration::from_secs(seconds)))).unwrap() {
        Polled::Group(group) => group.inputs.len(),
        Polled::Calls(_) | Polled::Idle { .. } | Polled::Ended => 0,
    };
    assert_eq!([count(0), count(2), count(2), count(10)], [0, 10, 0, 40]);
}
