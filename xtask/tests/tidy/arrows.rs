//! Rules about arrows: which crate may use which, and that modules of core form no circle.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Tree, words};

/// Each crate's folder with the crates of ours that it may use, and those it may use in its tests besides.
const ARROWS: &[(&str, &[&str], &[&str])] = &[
    ("crates/core", &[], &[]),
    ("crates/engine", &["syncline-core"], &[]),
    ("crates/adapters", &["syncline-core", "syncline-engine"], &[]),
    // The oracle judges what the others did: it must not share a line with them.
    ("crates/sandbox", &[], &[]),
    ("crates/app", &["syncline-core", "syncline-engine", "syncline-adapters", "syncline-sandbox"], &["syncline-testkit"]),
    ("crates/testkit", &["syncline-core", "syncline-engine", "syncline-adapters", "syncline-sandbox", "syncline"], &[]),
    ("xtask", &[], &[]),
];

/// Arrows between modules of core that would close a circle and are excused, each with its reason. May only shrink.
const EXCUSED: &[(&str, &str, &str)] = &[
    ("plan", "dispatch", "the switches for planted bugs lie in dispatch, and one of them is plan's"),
    ("terms", "plan", "terms are made of mapping rows, which lie in plan with the codecs"),
];

/// Crates use only what lies below them.
pub fn crates(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in tree.files.iter().filter(|file| file.path.ends_with("/Cargo.toml")) {
        let folder = file.path.trim_end_matches("/Cargo.toml");
        let Some((_, always, in_tests)) = ARROWS.iter().find(|(known, ..)| *known == folder) else {
            found.push(format!("{}: a crate that no arrow is drawn for", file.path));
            continue;
        };
        for (section, name) in ours(&file.text) {
            let allowed = always.contains(&name) || (section == "dev-dependencies" && in_tests.contains(&name));
            if !allowed {
                found.push(format!("{}: [{section}] {name}: the arrow does not point down", file.path));
            }
        }
    }
    found
}

/// The dependencies on crates of ours, with their sections.
fn ours(manifest: &str) -> Vec<(&str, &str)> {
    let mut section = "";
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
            if let Some((section, name)) = section.rsplit_once('.').filter(|(section, name)| section.ends_with("dependencies") && is_ours(name)) {
                found.push((section, name));
            }
        } else if section.ends_with("dependencies") {
            let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
            if is_ours(name) {
                found.push((section, name));
            }
        }
    }
    found
}

fn is_ours(name: &str) -> bool {
    name == "syncline" || name.starts_with("syncline-") || name == "xtask"
}

/// No module of core uses, by whatever way round, a module that uses it.
pub fn core_circles(tree: &Tree) -> Vec<String> {
    circles_but(EXCUSED, tree)
}

fn circles_but(excused: &[(&str, &str, &str)], tree: &Tree) -> Vec<String> {
    let mut arrows = module_arrows(tree);
    let mut found = Vec::new();
    for (from, to, _) in excused {
        if !arrows.get_mut(*from).is_some_and(|targets| targets.remove(*to)) {
            found.push(format!("{from} does not use {to} any more: take it off the list"));
        }
    }
    let reach: BTreeMap<_, _> = arrows.keys().map(|module| (module.clone(), reached(&arrows, module))).collect();
    let pairs = reach.iter().flat_map(|(module, reached)| reached.iter().map(move |other| (module, other)));
    let circles = pairs.filter(|(module, other)| module < other && reach.get(*other).is_some_and(|back| back.contains(*module)));
    found.extend(circles.map(|(module, other)| format!("crates/core: {module} and {other} use each other; move what both need below them")));
    found
}

/// Which top-level module of core uses which.
fn module_arrows(tree: &Tree) -> BTreeMap<String, BTreeSet<String>> {
    const SOURCE: &str = "crates/core/src/";
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in tree.under(SOURCE).filter(|file| file.is_rust()) {
        let module = file.path[SOURCE.len()..].split(['/', '.']).next().unwrap_or_default().to_owned();
        if module == "lib" {
            continue;
        }
        for place in words(&file.live, "crate") {
            let Some(rest) = file.live[place + 5..].strip_prefix("::") else { continue };
            let target: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if target != module {
                arrows.entry(module.clone()).or_default().insert(target);
            }
        }
    }
    arrows
}

fn reached(arrows: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(module) = open.pop() {
        for next in arrows.get(&module).into_iter().flatten() {
            if seen.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::{circles_but, crates};
    use crate::finds;
    use crate::source::Tree;

    fn without_excuses(tree: &Tree) -> Vec<String> {
        circles_but(&[], tree)
    }

    #[test]
    fn an_arrow_upward_is_found_in_every_way_of_writing_it() {
        finds(crates, 1, &[("crates/core/Cargo.toml", "[dependencies]\nsyncline-engine.workspace = true\n")]);
        finds(crates, 1, &[("crates/sandbox/Cargo.toml", "[dev-dependencies]\nsyncline-core = { path = \"../core\" }\n")]);
        finds(crates, 1, &[("crates/engine/Cargo.toml", "[dependencies.syncline-adapters]\nworkspace = true\n")]);
        finds(crates, 1, &[("crates/adapters/Cargo.toml", "[target.'cfg(unix)'.dependencies]\nsyncline = \"1\"\n")]);
        finds(crates, 1, &[("crates/extra/Cargo.toml", "[dependencies]\n")]);
        finds(crates, 0, &[("crates/app/Cargo.toml", "[dependencies]\nsyncline-core.workspace = true\n[dev-dependencies]\nsyncline-testkit.workspace = true\n")]);
        finds(crates, 1, &[("crates/app/Cargo.toml", "[dependencies]\nsyncline-testkit.workspace = true\n")]);
    }

    #[test]
    fn a_circle_of_modules_is_found() {
        let files = [
            ("crates/core/src/plan/mod.rs", "use crate::link::Link;"),
            ("crates/core/src/link.rs", "use crate::record::Record;"),
            ("crates/core/src/record.rs", "use crate::time::Timestamp;\n#[cfg(test)]\nmod tests { use crate::plan; }"),
        ];
        finds(without_excuses, 0, &files);
        let closed = [files[0], files[1], ("crates/core/src/record.rs", "use crate::plan::Plan;")];
        finds(without_excuses, 3, &closed);
        finds(|tree| circles_but(&[("record", "plan", "for now")], tree), 0, &closed);
        finds(|tree| circles_but(&[("record", "plan", "for now")], tree), 1, &files);
    }
}
