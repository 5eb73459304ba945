//! The rules of the source tree, as tests: what CONTRIBUTING.md says in words and a machine can check.
//!
//! Promises: every rule is run over the whole tree, tells every place that breaks it with what to do, and has a test that shows
//! it a bad tree. Leaves to others: banned calls by type (`clippy.toml`), the shape of code (`rustfmt`).

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod arrows;
mod documents;
mod files;
mod places;
mod source;

use std::path::Path;

use source::Tree;

/// Runs one rule over the tree.
fn keep(rule: impl Fn(&Tree) -> Vec<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let found = rule(&Tree::read(root));
    assert!(found.is_empty(), "{} place(s):\n  {}", found.len(), found.join("\n  "));
}

/// Shows a rule a tree and expects that it finds exactly so many places.
#[track_caller]
fn finds(rule: impl Fn(&Tree) -> Vec<String>, count: usize, files: &[(&str, &str)]) {
    let found = rule(&Tree::of(files));
    assert_eq!(found.len(), count, "{found:?}");
}

macro_rules! rules {
    ($($name:ident = $rule:path;)*) => {$(
        #[test]
        fn $name() {
            keep($rule);
        }
    )*};
}

rules! {
    every_file_says_what_it_is_for = files::module_docs;
    files_are_small = files::file_length;
    functions_are_small = files::function_length;
    file_names_say_something = files::file_names;
    nothing_is_left_undone = files::marks;
    no_machine_is_named = files::machine_paths;
    calls_with_one_place_stay_there = places::one_place;
    tests_do_not_sleep = places::no_sleep;
    core_knows_no_runtime = places::core_words;
    core_and_engine_name_no_vendor = places::vendors;
    systems_have_the_same_rooms = places::same_rooms;
    a_system_is_named_at_few_places = places::outside_names;
    arrows_between_crates_point_down = arrows::crates;
    modules_of_core_form_no_circle = arrows::core_circles;
    the_architecture_names_every_room = documents::architecture;
    tests_of_invariants_exist = documents::invariants;
    every_promise_is_cited_by_a_case = documents::promises;
    every_page_stands_in_a_table_of_contents = documents::contents;
    links_between_documents_lead_somewhere = documents::links;
}
