//! Decides which event comes next, and puts it together.
//!
//! Promises: a decision draws from the seed alone and never from what was rendered, so skipping decides without
//! building a single string and leaves the same live records as emitting would; a live record costs 16 bytes.
//! An update or a delete that finds no live record becomes a create.
//! Leaves to others: values (`person`), the wire (`event`), keeping the counter, waiting between batches.

use jiff::Timestamp;
use jiff::tz::Offset;

use super::draw::{Draws, Weights};
use super::event::{GeneratedEvent, GeneratedItem, Operation};
use super::person::Person;
use super::settings::{CONTACT_TYPES, GeneratorSettings, SettingsError};

/// The stream of events of one seed.
///
/// As an iterator it yields single events: without end, or to the planned end of a phased stream.
#[derive(Debug, Clone)]
pub struct Generator {
    seed: u64,
    start: Timestamp,
    rules: Rules,
    draws: Draws,
    counter: u64,
    records: u64,
    live: Vec<Live>,
}

/// What the settings come to.
#[derive(Debug, Clone)]
struct Rules {
    types: Weights<6>,
    operations: Weights<3>,
    move_share: f64,
    period_nanos: i128,
    batch_size: usize,
    /// In a phased stream: how many creates come first, and the rest of the operations.
    phases: Option<(u64, Weights<3>)>,
}

/// What must be known of a record to change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Live {
    number: u64,
    email_revision: u32,
    contact: u8,
}

/// One decision, from which the event can be rendered.
#[derive(Debug, Clone, Copy)]
struct Decision {
    event: u64,
    record: Live,
    change: Change,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Created,
    Patched { name: bool, email: bool, phone: bool },
    Moved,
    Deleted,
}

impl Generator {
    /// The stream of `seed`; its first event happens at `start`.
    ///
    /// # Errors
    /// Every fault of the settings.
    pub fn new(settings: &GeneratorSettings, seed: u64, start: Timestamp) -> Result<Self, Vec<SettingsError>> {
        let rules = Rules::new(settings)?;
        Ok(Self { seed, start, rules, draws: Draws::new(seed), counter: 0, records: 0, live: Vec::new() })
    }

    /// A stream of `first` creates and then as many updates, moves and deletes, after which the iterator ends.
    ///
    /// # Errors
    /// Every fault of the settings, and an operation distribution that has nothing but creates.
    pub fn phased(
        settings: &GeneratorSettings,
        seed: u64,
        start: Timestamp,
        first: u64,
    ) -> Result<Self, Vec<SettingsError>> {
        let mut generator = Self::new(settings, seed, start)?;
        let [_, update, delete] = settings.operation_shares();
        if update + delete <= 0.0 {
            return Err(vec![SettingsError {
                key: "operation_distribution".to_owned(),
                value: "create only".to_owned(),
                rule: "must have updates or deletes for the second phase",
                remedy: "give update or delete a share above 0".to_owned(),
            }]);
        }
        generator.rules.phases = Some((first, Weights::new([0.0, update, delete])));
        Ok(generator)
    }

    /// The seed.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// How many events came before the next one: with the seed, all that a checkpoint needs.
    #[must_use]
    pub const fn counter(&self) -> u64 {
        self.counter
    }

    /// How many records exist at this point of the stream.
    #[must_use]
    pub fn live_count(&self) -> usize {
        self.live.len()
    }

    /// How many events the iterator still yields; None where it has no end.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        let (first, _) = self.rules.phases.as_ref()?;
        Some(first.saturating_mul(2).saturating_sub(self.counter))
    }

    /// The next event. A phased stream has more of its second phase after its planned end.
    pub fn next_event(&mut self) -> GeneratedEvent {
        let decision = self.decide();
        self.render(&decision)
    }

    /// The next `batch_size` events; fewer where a phase ends, and none after a planned end.
    pub fn next_batch(&mut self) -> Vec<GeneratedEvent> {
        let room = u64::try_from(self.rules.batch_size).unwrap_or(u64::MAX);
        let length = match (&self.rules.phases, self.remaining()) {
            (Some((first, _)), _) if self.counter < *first => room.min(first - self.counter),
            (_, remaining) => room.min(remaining.unwrap_or(u64::MAX)),
        };
        (0..length).map(|_| self.next_event()).collect()
    }

    /// Batches as an iterator, which ends where the stream has a planned end.
    pub fn batches(&mut self) -> impl Iterator<Item = Vec<GeneratedEvent>> + '_ {
        std::iter::from_fn(|| Some(self.next_batch()).filter(|batch| !batch.is_empty()))
    }

    /// Goes to the place before event `counter`, forth or back, as if the events up to it had been emitted.
    pub fn skip_to(&mut self, counter: u64) {
        if counter < self.counter {
            self.draws = Draws::new(self.seed);
            self.counter = 0;
            self.records = 0;
            self.live.clear();
        }
        while self.counter < counter {
            self.decide();
        }
    }

    fn decide(&mut self) -> Decision {
        let event = self.counter;
        self.counter += 1;
        let operation = match &self.rules.phases {
            Some((first, _)) if event < *first => Operation::Create,
            Some((_, later)) => Operation::ALL[later.pick(self.draws.unit())],
            None => Operation::ALL[self.rules.operations.pick(self.draws.unit())],
        };
        if operation == Operation::Create || self.live.is_empty() {
            return self.create(event);
        }
        let place = self.draws.index(self.live.len());
        if operation == Operation::Delete {
            let record = self.live.swap_remove(place);
            return Decision { event, record, change: Change::Deleted };
        }
        self.update(event, place)
    }

    fn create(&mut self, event: u64) -> Decision {
        self.records += 1;
        let contact = type_index(self.rules.types.pick(self.draws.unit()));
        let record = Live { number: self.records, email_revision: 0, contact };
        self.live.push(record);
        Decision { event, record, change: Change::Created }
    }

    fn update(&mut self, event: u64, place: usize) -> Decision {
        let (moves, detail) = (self.draws.unit(), self.draws.unit());
        let record = &mut self.live[place];
        if moves < self.rules.move_share
            && let Some(other) = self.rules.types.pick_other(detail, usize::from(record.contact))
        {
            record.contact = type_index(other);
            return Decision { event, record: *record, change: Change::Moved };
        }
        let (name, mut email, phone) = changed_fields(detail);
        match record.email_revision.checked_add(u32::from(email)) {
            Some(revision) => record.email_revision = revision,
            None => email = false,
        }
        let phone = phone || !(name || email);
        Decision { event, record: *record, change: Change::Patched { name, email, phone } }
    }

    fn render(&self, decision: &Decision) -> GeneratedEvent {
        let Decision { event, record, change } = *decision;
        let person = Person { seed: self.seed, number: record.number };
        let timestamp = self.wire_time(event);
        let revision = event.saturating_add(1);
        let contact = Some(CONTACT_TYPES[usize::from(record.contact)]);
        let bare = GeneratedItem { id: person.id(), ..GeneratedItem::default() };
        let updated_at = Some(timestamp.clone());
        let (operation, item) = match change {
            Change::Created => {
                let (name, email, phone) = (Some(person.name(0)), Some(person.email(0, 0)), Some(person.phone(0)));
                let created_at = updated_at.clone();
                (Operation::Create, GeneratedItem { name, email, phone, contact, created_at, updated_at, ..bare })
            }
            Change::Patched { name, email, phone } => {
                let name_revision = if name { revision } else { 0 };
                let item = GeneratedItem {
                    name: name.then(|| person.name(name_revision)),
                    email: email.then(|| person.email(name_revision, record.email_revision)),
                    phone: phone.then(|| person.phone(revision)),
                    updated_at,
                    ..bare
                };
                (Operation::Update, item)
            }
            Change::Moved => (Operation::Update, GeneratedItem { contact, updated_at, ..bare }),
            Change::Deleted => (Operation::Delete, bare),
        };
        GeneratedEvent { record: "contacts", operation, timestamp, item }
    }

    /// When event number `event` happens, as it stands on the wire; time ends with the calendar.
    fn wire_time(&self, event: u64) -> String {
        let nanos = self.rules.period_nanos.saturating_mul(i128::from(event));
        let nanos = self.start.as_nanosecond().saturating_add(nanos);
        let micros = i64::try_from(nanos.div_euclid(1000)).unwrap_or(i64::MAX);
        let time = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX);
        format!("{:.6}", Offset::UTC.to_datetime(time))
    }
}

impl Iterator for Generator {
    type Item = GeneratedEvent;

    fn next(&mut self) -> Option<GeneratedEvent> {
        (self.remaining() != Some(0)).then(|| self.next_event())
    }
}

impl Rules {
    fn new(settings: &GeneratorSettings) -> Result<Self, Vec<SettingsError>> {
        settings.validate()?;
        // A float's cast saturates, so the slowest rate puts the second event at the end of time.
        let period_nanos = (1e9 / settings.events_per_second).round() as i128;
        Ok(Self {
            types: Weights::new(settings.type_shares()),
            operations: Weights::new(settings.operation_shares()),
            move_share: settings.move_share,
            period_nanos,
            batch_size: settings.batch_size,
            phases: None,
        })
    }
}

/// Which of name, e-mail and phone a patch changes: mostly one of them.
fn changed_fields(unit: f64) -> (bool, bool, bool) {
    match unit {
        unit if unit < 0.40 => (false, false, true),
        unit if unit < 0.65 => (false, true, false),
        unit if unit < 0.85 => (true, false, false),
        unit if unit < 0.95 => (false, true, true),
        _ => (true, true, true),
    }
}

const fn type_index(index: usize) -> u8 {
    index as u8
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
