//! A running process at a glance: rates, backlog and quota of every lane, its state and what keeps it, drawn on a terminal.
//!
//! Promises: everything shown is what `ledger`, `quota` and `dead-letters` tell; the terminal is given back however the view ends.
//! Leaves to others: asking (`top`, `demo_watch`), what a key does.

use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Modifier, Style, Stylize};
use ratatui::text::Line;
use ratatui::widgets::{Cell, Paragraph, Row, Table};
use ratatui::{DefaultTerminal, Frame};
use serde::Serialize;
use syncline_core::ledger::Offer;
use syncline_core::time::Timestamp;
use syncline_engine::error::{Error, Kind, Result};

use super::console::clean;
use crate::control::{LaneView, LedgerView, LetterView, QuotaView, SystemAccount};

/// Letters that are shown with their remedies.
pub(super) const LETTERS: usize = 4;

/// A process at one moment.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Glance {
    /// Events offered so far.
    offered: i64,
    /// Events offered a second, since the glance before.
    #[serde(skip_serializing_if = "Option::is_none")]
    offered_per_second: Option<f64>,
    lanes: Vec<LaneGlance>,
    dead_letters: i64,
    /// The newest of those that wait.
    newest_letters: Vec<LetterGlance>,
    #[serde(skip)]
    at: Timestamp,
}

/// A lane at one moment.
#[derive(Debug, Clone, Serialize)]
struct LaneGlance {
    system: String,
    phase: String,
    /// Deliveries closed so far.
    closed: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_per_second: Option<f64>,
    /// Deliveries open.
    backlog: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_waiting_seconds: Option<u64>,
    /// What is left of each pool of what is ours.
    quota_left: Vec<(String, u64, u64)>,
    /// What it waits for before it sends more.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<String>,
    /// What keeps it, if anything does.
    trouble: Vec<String>,
}

/// A dead letter in short.
#[derive(Debug, Clone, Serialize)]
struct LetterGlance {
    id: i64,
    code: String,
    remedy: String,
}

impl Glance {
    /// What the accounts, the quotas and the letters come to; rates are since `before`.
    pub(super) fn of(ledger: &LedgerView, quota: &QuotaView, letters: &[LetterView], now: Timestamp, before: Option<&Self>) -> Self {
        let seconds = before.map(|before| now.since(before.at).as_secs_f64()).filter(|seconds| *seconds > 0.0);
        let offered = ledger.sources.iter().filter_map(|source| source.inputs.get(Offer::Offered.name())).sum();
        let rate = |now: i64, before: i64| seconds.map(|seconds| (now - before) as f64 / seconds);
        let lanes = quota.systems.iter().map(|lane| {
            let account = ledger.systems.iter().find(|account| account.system == lane.system);
            let closed = account.map_or(0, |account| account.closed.values().sum());
            let old = before.and_then(|before| before.lanes.iter().find(|old| old.system == lane.system));
            let mut glance = LaneGlance::of(lane, account, now);
            glance.closed_per_second = old.and_then(|old| rate(closed, old.closed));
            glance.closed = closed;
            glance
        });
        let newest = letters.iter().rev().take(LETTERS);
        Self {
            offered,
            offered_per_second: before.and_then(|before| rate(offered, before.offered)),
            lanes: lanes.collect(),
            dead_letters: ledger.dead_letters.get("waiting").copied().unwrap_or(0),
            newest_letters: newest
                .map(|letter| LetterGlance { id: letter.id, code: letter.code.clone(), remedy: letter.remedy.clone() })
                .collect(),
            at: now,
        }
    }

    /// The glance for a pipe: a line for each lane.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("in            {} events{}, {} dead letters", self.offered, per_second(self.offered_per_second), self.dead_letters)];
        for lane in &self.lanes {
            lines.push(format!("{:<13} {}: {} closed{}, {}", lane.system, lane.phase, lane.closed, per_second(lane.closed_per_second), lane.rest()));
            lines.extend(lane.trouble.iter().map(|trouble| format!("              ! {trouble}")));
        }
        lines
    }

    /// The lane behind that one, the first behind the last.
    pub(super) fn after(&self, place: usize) -> usize {
        (place + 1) % self.lanes.len().max(1)
    }

    /// Whether writes of the n-th lane stand still, and the lane's name.
    pub(super) fn lane(&self, place: usize) -> Option<(&str, bool)> {
        self.lanes.get(place).map(|lane| (lane.system.as_str(), lane.trouble.iter().any(|trouble| trouble.starts_with("writes stand still"))))
    }
}

fn per_second(rate: Option<f64>) -> String {
    rate.map(|rate| format!(" ({rate:.1}/s)")).unwrap_or_default()
}

impl LaneGlance {
    fn of(lane: &LaneView, account: Option<&SystemAccount>, now: Timestamp) -> Self {
        let since = account.and_then(|account| account.due_since.as_deref()).and_then(|since| since.parse::<jiff::Timestamp>().ok());
        let oldest = since.map(|since| now.0.div_euclid(1_000_000_000) - since.as_second());
        let mut trouble: Vec<_> = lane.paused.iter().map(|scope| format!("{} stand still: {}", scope.scope, scope.reason)).collect();
        trouble.extend(lane.error.clone());
        Self {
            system: lane.system.clone(),
            phase: lane.phase.clone(),
            closed: 0,
            closed_per_second: None,
            backlog: account.map_or(0, |account| account.open),
            oldest_waiting_seconds: oldest.and_then(|seconds| u64::try_from(seconds.max(0)).ok()),
            quota_left: lane.pools.iter().map(|pool| (pool.pool.clone(), pool.ours.saturating_sub(pool.used), pool.ours)).collect(),
            waits_for: lane.waits_for.clone(),
            trouble,
        }
    }

    fn quota(&self) -> String {
        self.quota_left.iter().map(|(pool, left, ours)| format!("{pool} {left}/{ours}")).collect::<Vec<_>>().join(", ")
    }

    fn oldest(&self) -> String {
        self.oldest_waiting_seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds} s"))
    }

    fn rest(&self) -> String {
        format!("backlog {}, oldest waiting {}, quota left {}", self.backlog, self.oldest(), self.quota())
    }
}

/// What a person asks of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// End it.
    Quit,
    /// Another lane is meant.
    Next,
    /// Something that not every view does.
    Other(char),
}

/// The terminal while a view has it.
pub(super) struct Screen {
    terminal: DefaultTerminal,
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

impl Screen {
    /// Takes the terminal; a panic gives it back, too.
    pub(super) fn take() -> Result<Self> {
        Ok(Self { terminal: ratatui::try_init().map_err(|error| lost(&error))? })
    }

    /// Shows a process; `marked` is the lane that keys mean, `note` what was done last.
    pub(super) fn show(&mut self, glance: &Glance, marked: usize, title: &str, keys: &str, note: &str) -> Result<()> {
        self.terminal.draw(|frame| draw(frame, glance, marked, &[title, keys, note])).map(|_| ()).map_err(|error| lost(&error))
    }

    /// The next key that was pressed, if one was; does not wait longer than this.
    pub(super) fn key(&self, wait: Duration) -> Result<Option<Key>> {
        if !event::poll(wait).map_err(|error| lost(&error))? {
            return Ok(None);
        }
        let Event::Key(key) = event::read().map_err(|error| lost(&error))? else { return Ok(None) };
        Ok(if key.kind == KeyEventKind::Press { meant(key) } else { None })
    }
}

fn meant(key: KeyEvent) -> Option<Key> {
    if key.code == KeyCode::Tab {
        return Some(Key::Next);
    }
    let KeyCode::Char(c) = key.code else { return None };
    let is_interrupt = c == 'c' && key.modifiers.contains(KeyModifiers::CONTROL);
    Some(if is_interrupt || c == 'q' { Key::Quit } else { Key::Other(c) })
}

fn draw(frame: &mut Frame<'_>, glance: &Glance, marked: usize, [title, keys, note]: &[&str; 3]) {
    let lanes = u16::try_from(glance.lanes.len()).unwrap_or(u16::MAX).saturating_add(1);
    let [top, table, below, foot] =
        Layout::vertical([Constraint::Length(3), Constraint::Length(lanes), Constraint::Min(0), Constraint::Length(2)]).areas(frame.area());
    let events = format!("{} events in{}, {} dead letters", glance.offered, per_second(glance.offered_per_second), glance.dead_letters);
    frame.render_widget(Paragraph::new(vec![Line::from((*title).to_owned()).bold(), Line::from(events)]), top);
    let rows = glance.lanes.iter().enumerate().map(|(place, lane)| {
        let rate = lane.closed_per_second.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1}"));
        let mark = if place == marked { ">" } else { " " };
        let cells = [format!("{mark} {}", lane.system), lane.phase.clone(), lane.closed.to_string(), rate, lane.backlog.to_string(), lane.oldest(), lane.quota()];
        let row = Row::new(cells.map(Cell::from));
        if lane.trouble.is_empty() { row } else { row.add_modifier(Modifier::BOLD) }
    });
    let widths = [14, 12, 10, 8, 9, 9].map(Constraint::Length).into_iter().chain([Constraint::Min(20)]);
    let head = Row::new(["  system", "state", "closed", "per s", "backlog", "oldest", "quota left"]).style(Style::new().add_modifier(Modifier::UNDERLINED));
    frame.render_widget(Table::new(rows, widths).header(head), table);
    let mut lines = vec![Line::default()];
    for lane in &glance.lanes {
        lines.extend(lane.waits_for.iter().filter(|_| lane.backlog > 0).map(|what| Line::from(clean(&format!("  {} waits for {what}", lane.system), false))));
        lines.extend(lane.trouble.iter().map(|trouble| Line::from(clean(&format!("! {}: {trouble}", lane.system), false))));
    }
    for letter in &glance.newest_letters {
        lines.push(Line::from(clean(&format!("letter {} {}; remedy: {}", letter.id, letter.code, letter.remedy), false)));
    }
    frame.render_widget(Paragraph::new(lines), below);
    frame.render_widget(Paragraph::new(vec![Line::from((*note).to_owned()), Line::from((*keys).to_owned()).dim()]), foot);
}

fn lost(error: &std::io::Error) -> Error {
    Error::new(Kind::Internal, format!("the terminal cannot be used: {error}")).with_remedy("pipe the output, which gives lines instead")
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use syncline_core::time::Timestamp;

    use super::{Glance, draw};
    use crate::control::{LedgerView, QuotaView};

    fn glance(seconds: i64, offered: i64, closed: i64, before: Option<&Glance>) -> Glance {
        let ledger: LedgerView = serde_json::from_value(serde_json::json!({
            "balanced": true, "tenant": {}, "imbalances": [], "dead_letters": { "waiting": 2 },
            "sources": [{ "source": "internal", "inputs": { "offered": offered } }],
            "systems": [{ "system": "crm", "opened": {}, "closed": { "applied": closed }, "open": 7, "facts": {}, "links": {}, "due_since": "1970-01-01T00:00:03.000Z" }],
        }))
        .unwrap();
        let quota: QuotaView = serde_json::from_value(serde_json::json!({ "systems": [{
            "system": "crm", "phase": "running", "error": "it answers 503",
            "paused": [{ "code": "SYN-5101", "scope": "writes", "since": "1970-01-01T00:00:05.000Z", "reason": "a release" }],
            "pools": [{ "pool": "burst", "limit": 100, "ours": 80, "used": 30, "unknown": 0, "blocked_until": null }],
        }] }))
        .unwrap();
        Glance::of(&ledger, &quota, &[], Timestamp::from_millis(seconds * 1000), before)
    }

    #[test]
    fn a_glance_tells_rates_backlog_quota_and_trouble() {
        let first = glance(10, 100, 50, None);
        let second = glance(12, 110, 80, Some(&first));
        assert_eq!(second.lane(0), Some(("crm", true)));
        let text = second.lines().join("\n");
        for part in ["110 events (5.0/s), 2 dead letters", "80 closed (15.0/s)", "backlog 7, oldest waiting 9 s", "burst 50/80", "! writes stand still: a release", "! it answers 503"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn a_view_fits_small_terminals_and_obeys_no_data() {
        let mut seen = glance(10, 1, 1, None);
        seen.lanes[0].trouble.push("\u{1b}[2J".to_owned());
        for (columns, lines) in [(100, 20), (40, 8), (5, 3), (1, 1)] {
            let mut terminal = Terminal::new(TestBackend::new(columns, lines)).unwrap();
            terminal.draw(|frame| draw(frame, &seen, 0, &["title", "keys", "note"])).unwrap();
            let cells = terminal.backend().buffer().content();
            assert!(cells.iter().all(|cell| !cell.symbol().contains('\u{1b}')));
            if columns == 100 {
                let text: String = cells.iter().map(|cell| cell.symbol()).collect();
                assert!(text.contains("> crm") && text.contains("burst 50/80") && text.contains("title"), "{text}");
            }
        }
    }
}
