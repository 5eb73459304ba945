//! What the stream promises, checked over many events.
//!
//! Promises: the shadow below knows nothing of the generator's inside; it judges by the events alone.
//! Leaves to others: the values' looks (`person`), the wire form (`event`).

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;

use super::*;

const START: Timestamp = Timestamp::constant(1_705_314_600, 123_456_000);

fn generator(settings: &GeneratorSettings, seed: u64) -> Generator {
    Generator::new(settings, seed, START).expect("valid settings")
}

fn moving() -> GeneratorSettings {
    GeneratorSettings { move_share: 0.02, ..GeneratorSettings::default() }
}

fn mix(create: f64, update: f64, delete: f64) -> BTreeMap<String, f64> {
    Operation::NAMES.map(str::to_owned).into_iter().zip([create, update, delete]).collect()
}

fn lines(generator: &mut Generator, count: usize) -> Vec<String> {
    (0..count).map(|_| generator.next_event().to_json()).collect()
}

/// Checks that every event refers to what exists, and answers the type of each live record.
fn shadow(events: impl Iterator<Item = GeneratedEvent>) -> BTreeMap<String, &'static str> {
    let mut live = BTreeMap::new();
    let mut ever = HashSet::new();
    for event in events {
        let item = &event.item;
        match event.operation {
            Operation::Create => {
                assert!(ever.insert(item.id.clone()), "created twice: {}", item.id);
                live.insert(item.id.clone(), item.contact.expect("a type"));
                assert!(item.name.is_some() && item.email.is_some() && item.phone.is_some());
                assert!(item.created_at.as_ref() == Some(&event.timestamp) && item.created_at == item.updated_at);
            }
            Operation::Update => {
                let contact = live.get_mut(&item.id).expect("an update of a live record");
                assert_eq!(item.updated_at.as_ref(), Some(&event.timestamp));
                let patched = item.name.is_some() || item.email.is_some() || item.phone.is_some();
                assert!(patched != item.contact.is_some() && item.created_at.is_none());
                if let Some(other) = item.contact {
                    assert_ne!(std::mem::replace(contact, other), other, "a move goes elsewhere");
                }
            }
            Operation::Delete => {
                live.remove(&item.id).expect("a delete of a live record");
                assert_eq!(*item, GeneratedItem { id: item.id.clone(), ..GeneratedItem::default() });
            }
        }
    }
    live
}

#[test]
fn the_first_events_of_a_seed_are_these_bytes() {
    let mut settings = GeneratorSettings { move_share: 0.7, ..GeneratorSettings::default() };
    settings.operation_distribution = mix(0.4, 0.4, 0.2);
    insta::assert_snapshot!(lines(&mut generator(&settings, 42), 16).join("\n"));
}

#[test]
fn one_seed_gives_the_same_bytes_and_another_gives_others() {
    let settings = moving();
    assert_eq!(lines(&mut generator(&settings, 7), 5000), lines(&mut generator(&settings, 7), 5000));
    assert_ne!(lines(&mut generator(&settings, 7), 10), lines(&mut generator(&settings, 8), 10));
}

#[test]
fn shares_are_those_of_the_settings() {
    let mut operations = BTreeMap::<_, f64>::new();
    let mut types = BTreeMap::<_, f64>::new();
    let mut moves = 0.0;
    for event in generator(&moving(), 1).take(100_000) {
        *operations.entry(event.operation.name()).or_default() += 1.0;
        match (event.operation, event.item.contact) {
            (Operation::Create, Some(contact)) => *types.entry(contact).or_default() += 1.0,
            (Operation::Update, Some(_)) => moves += 1.0,
            _ => {}
        }
    }
    let settings = GeneratorSettings::default();
    for (name, share) in &settings.operation_distribution {
        assert!((operations[name.as_str()] / 100_000.0 - share).abs() < 0.005, "{name}: {operations:?}");
    }
    for (name, share) in &settings.contact_type_distribution {
        assert!((types[name.as_str()] / operations["create"] - share).abs() < 0.007, "{name}: {types:?}");
    }
    assert!((moves / operations["update"] - 0.02).abs() < 0.003, "{moves} of {operations:?}");
}

#[test]
fn references_are_valid_and_no_type_is_drawn_that_has_no_share() {
    let mut emitting = generator(&GeneratorSettings { move_share: 0.5, ..moving() }, 3);
    let live = shadow(emitting.by_ref().take(50_000));
    assert_eq!(live.len(), emitting.live_count());

    let mut settings = moving();
    settings.contact_type_distribution = BTreeMap::from([("vendor".to_owned(), 1.0)]);
    settings.move_share = 1.0;
    settings.operation_distribution = mix(0.1, 0.2, 0.7);
    let live = shadow(generator(&settings, 3).take(5000));
    assert!(live.values().all(|contact| *contact == "vendor"));
}

#[test]
fn with_nothing_to_change_a_record_is_created() {
    let mut settings = moving();
    settings.operation_distribution = mix(0.0, 0.0, 1.0);
    let seen: Vec<Operation> = generator(&settings, 5).take(4).map(|event| event.operation).collect();
    assert_eq!(seen, [Operation::Create, Operation::Delete, Operation::Create, Operation::Delete]);
}

#[test]
fn no_email_appears_twice() {
    let mut seen = HashSet::new();
    for event in generator(&moving(), 11).take(200_000) {
        if let Some(email) = event.item.email {
            assert_eq!(email, email.to_lowercase());
            assert!(email.is_ascii() && email.len() <= 64, "{email}");
            assert!(seen.insert(email));
        }
    }
    assert!(seen.len() > 120_000);
}

#[test]
fn time_comes_from_the_counter() {
    let mut settings = moving();
    settings.events_per_second = 4.0;
    let times: Vec<String> = generator(&settings, 1).take(3).map(|event| event.timestamp).collect();
    assert_eq!(
        times,
        ["2024-01-15T10:30:00.123456", "2024-01-15T10:30:00.373456", "2024-01-15T10:30:00.623456"]
    );
    settings.events_per_second = 1e-30;
    assert!(generator(&settings, 1).nth(2).expect("an event").timestamp.starts_with("9999-12-30T"));
}

#[test]
fn a_phased_stream_loads_first_and_then_only_changes() {
    let mut phased = Generator::phased(&moving(), 9, START, 1005).expect("valid settings");
    let sizes: Vec<usize> = phased.clone().batches().map(|batch| batch.len()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 2010);
    assert_eq!((sizes[99], sizes[100], sizes[101]), (10, 5, 10), "a batch ends with its phase");

    let events: Vec<GeneratedEvent> = phased.clone().collect();
    assert_eq!(events.len(), 2010);
    let (load, changes) = events.split_at(1005);
    assert!(load.iter().all(|event| event.operation == Operation::Create));
    let deletes = changes.iter().filter(|event| event.operation == Operation::Delete).count();
    assert!(changes.iter().all(|event| event.operation != Operation::Create));
    assert!((90..160).contains(&deletes), "an eighth of the changes: {deletes}");
    assert!(changes.iter().any(|event| event.item.contact.is_some()), "moves are among them");
    shadow(events.iter().cloned());

    phased.skip_to(1500);
    assert_eq!(phased.remaining(), Some(510));
    assert_eq!(phased.collect::<Vec<_>>(), events[1500..]);
}

#[test]
fn settings_at_fault_make_no_stream() {
    let faulty = GeneratorSettings { batch_size: 0, ..moving() };
    assert_eq!(Generator::new(&faulty, 1, START).expect_err("a fault")[0].key, "batch_size");
    let mut creates = moving();
    creates.operation_distribution = mix(1.0, 0.0, 0.0);
    assert!(Generator::new(&creates, 1, START).is_ok());
    let found = Generator::phased(&creates, 1, START, 10).expect_err("nothing for the second phase");
    assert_eq!(found[0].key, "operation_distribution");
}

#[test]
fn batches_have_the_size_that_is_set() {
    let settings = GeneratorSettings { batch_size: 7, ..moving() };
    let mut whole = generator(&settings, 2);
    let joined: Vec<GeneratedEvent> = whole.batches().take(5).inspect(|batch| assert_eq!(batch.len(), 7)).flatten().collect();
    assert_eq!(joined, generator(&settings, 2).take(35).collect::<Vec<_>>());
    assert_eq!((whole.counter(), whole.seed(), whole.remaining()), (35, 2, None));
}

#[test]
fn a_million_events_skip_at_once() {
    let mut skipping = generator(&moving(), 4);
    skipping.skip_to(1_000_000);
    assert!((545_000..555_000).contains(&skipping.live_count()), "creates less deletes: {}", skipping.live_count());
    assert!(std::mem::size_of::<Live>() <= 16);
}

proptest! {
    #[test]
    fn skipping_is_the_same_as_emitting(seed: u64, ahead in 0_u64..3000, behind in 0_u64..3000, share in 0.0..1.0) {
        let settings = GeneratorSettings { move_share: share, ..GeneratorSettings::default() };
        let mut straight = generator(&settings, seed);
        for _ in 0..behind {
            straight.next_event();
        }
        let mut skipping = generator(&settings, seed);
        skipping.skip_to(ahead);
        skipping.skip_to(behind);
        prop_assert_eq!(&skipping.live, &straight.live);
        prop_assert_eq!(skipping.counter(), behind);
        prop_assert_eq!(lines(&mut skipping, 50), lines(&mut straight, 50));
    }
}
