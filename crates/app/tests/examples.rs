//! Every example of the library runs to its end; what it asserts of itself holds.

#[path = "../examples/boundary.rs"]
mod boundary;
#[path = "../examples/configuration.rs"]
mod configuration;
#[path = "../examples/consumer.rs"]
mod consumer;
#[path = "../examples/embed.rs"]
mod embed;
#[path = "../examples/envelope.rs"]
mod envelope;
#[path = "../examples/generator.rs"]
mod generator;
#[path = "../examples/transformation.rs"]
mod transformation;

type Ended = Result<(), Box<dyn std::error::Error>>;

#[test]
fn made_up_events_are_the_same_for_everybody() -> Ended {
    generator::main()
}

#[test]
fn a_consumer_counts_what_it_saw() -> Ended {
    consumer::main()
}

#[test]
fn a_broken_configuration_tells_every_fault() -> Ended {
    configuration::main()
}

#[test]
fn a_record_goes_into_each_form_and_back() -> Ended {
    transformation::main()
}

#[test]
fn an_event_is_retried_until_its_policy_is_exhausted() -> Ended {
    envelope::main()
}

#[test]
fn two_changes_of_one_field_are_a_conflict() -> Ended {
    boundary::main()
}

#[test]
fn the_engine_runs_inside_another_program() -> Ended {
    embed::main()
}

#[test]
fn every_example_is_run_here() -> Ended {
    let here = include_str!("examples.rs");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples"))? {
        let name = entry?.file_name().into_string().map_err(|name| format!("{} is no text", name.display()))?;
        assert!(here.contains(&format!("examples/{name}\"")), "{name} is not run by any test");
    }
    Ok(())
}
