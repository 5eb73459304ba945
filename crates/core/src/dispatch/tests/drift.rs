//! A schema that changes over there: one object stands still, the others go on, and nothing is lost.
//!
//! Promises: each way of noticing is played once by hand; random scripts play them all together.
//! Leaves to others: holding a real schema against a mapping (the adapters' tests).

use std::time::Duration;

use proptest::prelude::{any, proptest};

use super::world::{World, settings};
use super::{config, in_state};
use crate::change_set::PauseScope;
use crate::dispatch::lane::Input;
use crate::event::ChangeKind::{Create, Update};
use crate::link::SideState;
use crate::outcome::{Look, Misfit, Shape};

const LEAD: &str = "Lead";

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_drifts_everything_closes_once_it_is_mended(script in proptest::collection::vec(any::<u16>(), 0..400)) {
        let mut world = World::new(settings(), script);
        world.may_drift = true;
        world.look_at_start();
        world.run(false);
        world.calm_down();
        world.check_rest(true);
    }
}

fn watching() -> World {
    let mut world = World::new(settings(), vec![]);
    world.look_at_start();
    world
}

fn paused(world: &World) -> Vec<(String, String)> {
    world.lane.paused().iter().map(|(scope, reason)| (scope.name(), reason.clone())).collect()
}

fn lead(world: &mut World, key: &str) {
    world.event(key, Create, &[("name", "a"), ("type", "lead")]);
}

fn customer(world: &mut World, key: &str) {
    world.event(key, Create, &[("name", "a"), ("type", "customer")]);
}

#[test]
fn a_write_that_tells_of_it_stops_its_object_alone() {
    let mut world = watching();
    world.drifted.insert(LEAD.into());
    lead(&mut world, "k1");
    customer(&mut world, "k2");
    world.come_to_rest();
    let reason = "crm: Lead: no (other data); then `syncline resume crm`";
    assert_eq!(paused(&world), [("writes to Lead".to_owned(), reason.to_owned())]);
    lead(&mut world, "k3");
    customer(&mut world, "k4");
    world.come_to_rest();
    assert_eq!((world.other.rows.len(), world.store.waiting().len()), (2, 0), "customers are written, and nobody is buried");
    assert_eq!(world.lane.in_memory(), 0, "what waits is in the table");
    assert_eq!(in_state(&world, SideState::Paused), 0);

    world.tell(Input::Resume);
    world.come_to_rest();
    let reason = "crm: Lead does not fit the mapping: Lead.Note not found (create Lead.Note); then `syncline resume crm`";
    assert_eq!(paused(&world), [("writes to Lead".to_owned(), reason.to_owned())], "a resume is held against the schema");
    assert_eq!(world.other.rows.len(), 2);

    world.drifted.clear();
    world.tell(Input::Resume);
    world.come_to_rest();
    assert_eq!(paused(&world), []);
    assert!(world.store.paused().is_empty());
    world.check_rest(true);
    assert_eq!(world.other.rows.len(), 4);
}

#[test]
fn a_look_finds_it_before_any_write_does() {
    let mut world = watching();
    world.drifted.insert(LEAD.into());
    world.now = world.now.plus(Duration::from_secs(3600));
    world.come_to_rest();
    assert_eq!(world.lane.report().looks, 2);
    assert!(world.lane.paused().contains_key(&PauseScope::Object(LEAD.into())));
    lead(&mut world, "k1");
    world.come_to_rest();
    assert_eq!(world.sent.len(), 0);
}

#[test]
fn a_pause_outlives_the_process_and_a_start_does_not_lift_it() {
    let mut world = watching();
    world.drifted.insert(LEAD.into());
    lead(&mut world, "k1");
    world.come_to_rest();
    world.drifted.clear();
    world.restart();
    world.come_to_rest();
    assert_eq!(paused(&world).len(), 1);
    world.calm_down();
    world.check_rest(true);
    assert_eq!(world.other.rows.len(), 1);
}

#[test]
fn refusals_that_a_changed_type_explains_wait_for_a_look_unless_one_is_young() {
    let mut world = watching();
    world.drift_is_told = false;
    world.drifted.insert(LEAD.into());
    lead(&mut world, "k1");
    world.come_to_rest();
    assert_eq!((paused(&world).len(), world.store.waiting().len()), (0, 1), "the look at the start is believed");
    world.now = world.now.plus(Duration::from_secs(601));
    lead(&mut world, "k2");
    world.come_to_rest();
    assert_eq!((paused(&world).len(), world.store.waiting().len()), (1, 1), "an old one is not");
    world.calm_down();
    assert_eq!(world.other.by_key(LEAD, "k2").len(), 1);
    world.event("k1", Update, &[("name", "b")]);
    world.come_to_rest();
    world.check_rest(true);
    assert_eq!(world.store.waiting().len(), 0);
}

#[test]
fn what_was_there_at_the_start_is_no_drift_and_what_narrows_is() {
    let mut world = watching();
    let misfit = |found: &str| Misfit { stops: false, found: found.into(), remedy: "mend it".into() };
    let shape = |length, is_listed| Shape { length: Some(length), is_listed };
    let look = |misfits: &[&str], length, is_listed| Look {
        misfits: misfits.iter().map(|found| misfit(found)).collect(),
        shapes: [("Note".to_owned(), shape(length, is_listed))].into(),
    };
    let mut told = |then: Look| {
        world.lane = crate::dispatch::lane::Lane::new(settings(), false);
        world.lane.looked_at_start(LEAD, look(&["Lead.Kind does not list new"], 80, false), world.now);
        world.now = world.now.plus(Duration::from_secs(3600));
        let charge = loop {
            match world.lane.poll(world.now, &mut world.ids) {
                Some(crate::dispatch::lane::Effect::Persist(charge, _)) => break charge,
                other => assert!(other.is_some(), "a look is due"),
            }
        };
        world.lane.handle(Input::Looked(charge, Ok(then), crate::outcome::Verdict::default()), world.now, &mut world.ids);
        world.lane.paused().values().next().cloned().unwrap_or_default()
    };
    assert_eq!(told(look(&["Lead.Kind does not list new"], 80, false)), "");
    assert_eq!(told(look(&[], 90, false)), "");
    assert!(told(look(&["Lead.Kind does not list old"], 80, false)).contains("Lead.Kind does not list old (mend it)"));
    assert!(told(look(&[], 40, false)).contains("Lead.Note takes 40 characters now, and took 80"));
    assert!(told(look(&[], 80, true)).contains("Lead.Note takes listed values alone now"));
}
