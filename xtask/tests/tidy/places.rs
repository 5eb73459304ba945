//! Rules about where a word may stand: calls with one place, runtimes, vendors, and the rooms of systems.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Tree, is_test, line_of, words};

/// Calls that have a place, with the beginnings of the paths that are it, and what to do elsewhere.
const ONE_PLACE: &[(&[&str], &[&str], &str)] = &[
    (
        &["SystemTime::now", "Instant::now", "Timestamp::now", "Zoned::now"],
        &["crates/app/src/clock.rs", "crates/sandbox/src/server/", "xtask/src/run.rs"],
        "take `now` as an argument; the clock alone asks",
    ),
    (
        &["tokio::spawn", "task::spawn", "spawn_blocking", "thread::spawn", "spawn_local", "thread::Builder"],
        &["crates/app/src/run.rs", "crates/app/src/run/", "crates/sandbox/src/server/"],
        "be a `step`; the app's run loop alone spawns",
    ),
    (
        &["env::var", "env::var_os", "env::vars"],
        &["crates/app/src/config/"],
        "take the value as an argument; the configuration alone reads the environment",
    ),
    (
        &["rand::rng", "rand::random", "thread_rng", "from_os_rng", "from_entropy"],
        &[],
        "take a seed as an argument",
    ),
];

/// Where waiting by the clock is allowed; in tests nowhere.
const SLEEP: &[&str] = &["crates/app/src/run.rs", "xtask/src/bench/", "crates/app/src/run/", "crates/sandbox/src/server/"];
const SLEEPS: [&str; 4] = ["thread::sleep", "time::sleep", "time::sleep_until", "park_timeout"];

const RUNTIMES: [&str; 7] = ["tokio", "rusqlite", "reqwest", "axum", "async_trait", "std::fs", "std::net"];
const VENDORS: [&str; 7] = ["salesforce", "hubspot", "sqlite", "postgres", "kafka", "rabbitmq", "sobject"];

/// Places outside a system's folder that may refer to it, how often each, and by which room if not by any.
const OUTSIDE: &[(&str, usize, &str)] = &[
    ("crates/adapters/src/systems/mod.rs", 1, ""),
    // Its settings and its writer, a line in each list.
    ("crates/adapters/src/registry.rs", 2, ""),
    // What a configuration file says of it, checked.
    ("crates/app/src/config/", 4, "::config"),
];

/// Calls with one place stay there. Tests may spawn, as a test is a run loop of its own.
pub fn one_place(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for (calls, places, remedy) in ONE_PLACE {
        for file in tree.rust().filter(|file| !places.iter().any(|place| file.path.starts_with(place))) {
            for call in *calls {
                let told = |place| format!("{}:{}: `{call}`: {remedy}", file.path, line_of(&file.live, place));
                found.extend(words(&file.live, call).into_iter().map(told));
            }
        }
    }
    found
}

/// Nothing waits by the clock but the run loop, the emulators' server, and a measurement between two questions.
pub fn no_sleep(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in tree.rust() {
        let code = if SLEEP.iter().any(|place| file.path.starts_with(place)) { continue } else { &file.code };
        for call in SLEEPS {
            let told = |place| format!("{}:{}: `{call}`: answer when to wake, or step a clock of the test's own", file.path, line_of(code, place));
            found.extend(words(code, call).into_iter().map(told));
        }
    }
    found
}

/// Core is pure: no runtime, no I/O.
pub fn core_words(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in tree.under("crates/core/") {
        let told = |word: &str, place| format!("{}:{}: `{word}`: core decides and does nothing", file.path, line_of(&file.text, place));
        for word in RUNTIMES {
            found.extend(words(&file.text, word).into_iter().map(|place| told(word, place)));
        }
        found.extend(words(&file.live, "async").into_iter().map(|place| told("async", place)));
    }
    found
}

/// Core and engine know no vendor.
pub fn vendors(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in tree.under("crates/core/").chain(tree.under("crates/engine/")) {
        for (number, line) in file.text.lines().enumerate() {
            let line = line.to_lowercase();
            let named = VENDORS.iter().filter(|vendor| line.contains(*vendor));
            found.extend(named.map(|vendor| format!("{}:{}: `{vendor}`: say what it is, not whose", file.path, number + 1)));
        }
    }
    found
}

/// The rooms of every folder with a writer.
fn rooms(tree: &Tree) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut rooms: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for file in tree.under(SYSTEMS).filter(|file| file.is_rust() && !is_test(&file.path)) {
        if let Some((system, room)) = file.path[SYSTEMS.len()..].split_once('/') {
            rooms.entry(system).or_default().insert(room);
        }
    }
    rooms
}

const SYSTEMS: &str = "crates/adapters/src/systems/";

/// Every system that is written to has the same rooms.
pub fn same_rooms(tree: &Tree) -> Vec<String> {
    let writers: Vec<_> = rooms(tree).into_iter().filter(|(_, rooms)| rooms.contains("writer.rs")).collect();
    let all: BTreeSet<_> = writers.iter().flat_map(|(_, rooms)| rooms.iter().copied()).collect();
    let missing = |(system, rooms): &(&str, BTreeSet<&str>)| {
        all.difference(rooms).map(|room| format!("{SYSTEMS}{system}: another system has a room {room}, this one has none")).collect::<Vec<_>>()
    };
    writers.iter().flat_map(missing).collect()
}

/// A system is joined by its lines in the registry; nobody else reaches into its folder.
pub fn outside_names(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for (system, _) in rooms(tree).into_iter().filter(|(_, rooms)| rooms.contains("writer.rs")) {
        let own = format!("{SYSTEMS}{system}/");
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let product = tree.rust().filter(|file| !file.path.starts_with("crates/sandbox/") && !file.path.starts_with("crates/testkit/"));
        for file in product.filter(|file| !file.path.starts_with(&own)) {
            for place in words(&file.live, system).into_iter().filter(|place| is_path(&file.live, *place, system)) {
                let after = &file.live[place + system.len()..];
                let allowed = OUTSIDE.iter().find(|(prefix, _, room)| file.path.starts_with(prefix) && after.starts_with(room));
                let count = allowed.map_or(0, |(prefix, ..)| {
                    let count = counts.entry(prefix).or_default();
                    *count += 1;
                    *count
                });
                if allowed.is_none_or(|(_, max, _)| count > *max) {
                    found.push(format!("{}:{}: reaches into {own}; go through the registry", file.path, line_of(&file.live, place)));
                }
            }
        }
    }
    found
}

/// Whether the word at a place is part of a path or a module's declaration.
fn is_path(code: &str, place: usize, word: &str) -> bool {
    code[place + word.len()..].starts_with("::") || code[..place].ends_with("mod ") || code[..place].ends_with("systems::")
}

#[cfg(test)]
mod tests {
    use super::{core_words, no_sleep, one_place, outside_names, same_rooms, vendors};
    use crate::finds;

    #[test]
    fn a_call_outside_its_place_is_found() {
        let asks = "fn a() { let b = std::time::Instant::now(); }";
        finds(one_place, 1, &[("crates/engine/src/a.rs", asks), ("crates/app/src/clock.rs", asks)]);
        finds(one_place, 1, &[("crates/engine/src/a.rs", "fn a() { tokio::spawn(b()); }")]);
        finds(one_place, 2, &[("crates/app/src/a.rs", "fn a() { std::env::var(B); rand::random() }")]);
        finds(one_place, 0, &[("crates/core/src/a.rs", "#[cfg(test)]\nmod tests { fn a() { std::thread::spawn(b); } }")]);
        finds(one_place, 0, &[("crates/core/src/a.rs", "fn a() { clock.now(); println!(\"Instant::now\") }")]);
    }

    #[test]
    fn a_sleep_is_found_in_tests_too() {
        finds(no_sleep, 2, &[("crates/x/tests/a.rs", "fn a() { std::thread::sleep(b); tokio::time::sleep(b).await }")]);
        finds(no_sleep, 0, &[("crates/app/src/run.rs", "fn a() { tokio::time::sleep(b).await }")]);
    }

    #[test]
    fn a_runtime_in_core_is_found() {
        finds(core_words, 2, &[("crates/core/Cargo.toml", "tokio.workspace = true"), ("crates/core/src/a.rs", "async fn a() {}")]);
        finds(core_words, 0, &[("crates/engine/src/a.rs", "async fn a() {}")]);
    }

    #[test]
    fn a_vendor_in_core_or_engine_is_found() {
        finds(vendors, 2, &[("crates/core/src/a.rs", "//! As HubSpot does."), ("crates/engine/src/a.rs", "struct SqliteStore;")]);
        finds(vendors, 0, &[("crates/adapters/src/a.rs", "//! As HubSpot does.")]);
    }

    #[test]
    fn a_missing_room_is_found() {
        let system = |name: &str, room: &str| (format!("{}{name}/{room}.rs", super::SYSTEMS), String::from("//! A."));
        let files = [system("acme", "writer"), system("acme", "encode"), system("zeta", "writer"), system("file", "feed")];
        let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        finds(same_rooms, 1, &files);
    }

    #[test]
    fn a_reach_into_a_system_is_found() {
        let own = ("crates/adapters/src/systems/acme/writer.rs", "use crate::systems::acme::config;");
        finds(outside_names, 1, &[own, ("crates/app/src/a.rs", "use syncline_adapters::systems::acme::Settings;")]);
        finds(outside_names, 0, &[own, ("crates/adapters/src/systems/mod.rs", "pub mod acme;"), ("crates/app/src/a.rs", "const A: &str = \"acme\";")]);
        finds(outside_names, 1, &[own, ("crates/adapters/src/registry.rs", "acme::A; acme::B; acme::C;")]);
        finds(outside_names, 1, &[own, ("crates/app/src/a.rs", "use syncline_adapters::systems::acme;")]);
        finds(outside_names, 1, &[own, ("crates/app/src/config/a.rs", "other::acme(); acme::config::Settings; acme::client::Client;")]);
    }
}
