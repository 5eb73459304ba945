//! Rules about documents: they name what is there, what they promise is tested, and what they point to exists.

use std::collections::BTreeSet;

use crate::source::Tree;

/// ARCHITECTURE.md names every crate and every top-level module, in backticks.
pub fn architecture(tree: &Tree) -> Vec<String> {
    let document = tree.text("ARCHITECTURE.md").unwrap_or_default();
    let named: BTreeSet<&str> = document.split('`').skip(1).step_by(2).flat_map(|code| code.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-' && c != '/')).collect();
    let mut found = BTreeSet::new();
    for file in tree.under("crates/").filter(|file| file.is_rust()) {
        let parts: Vec<_> = file.path.split('/').collect();
        let [_, krate, "src", rest @ ..] = parts.as_slice() else { continue };
        if !named.contains(format!("crates/{krate}").as_str()) {
            found.insert(format!("ARCHITECTURE.md does not name `crates/{krate}`"));
        }
        let module = rest[0].trim_end_matches(".rs");
        let is_root = matches!(module, "lib" | "main" | "bin") || module.ends_with("tests");
        if !is_root && !named.contains(module) {
            found.insert(format!("ARCHITECTURE.md does not name `{module}` of crates/{krate}"));
        }
    }
    found.into_iter().collect()
}

/// Every test that ARCHITECTURE.md names for an invariant exists.
pub fn invariants(tree: &Tree) -> Vec<String> {
    let document = tree.text("ARCHITECTURE.md").unwrap_or_default();
    let known: BTreeSet<&str> = tree.rust().flat_map(|file| file.code.split(|c: char| !c.is_alphanumeric() && c != '_')).collect();
    let rows: Vec<&str> = document.lines().filter(|line| line.strip_prefix("| I").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))).collect();
    let is_test = |text: &&str| text.matches('_').count() >= 2 && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let mut found: Vec<_> = rows.iter().flat_map(|row| row.split('`').skip(1).step_by(2)).filter(is_test)
        .filter(|name| !known.contains(name)).map(|name| format!("ARCHITECTURE.md: there is no test `{name}`")).collect();
    let unchecked = rows.iter().filter(|row| row.rsplit('|').nth(1).is_some_and(|tests| tests.trim().is_empty()));
    found.extend(unchecked.map(|row| format!("ARCHITECTURE.md: name the test or say \"not yet\": {row}")));
    found
}

/// Every numbered promise of docs/spec is cited by the name of a case or a test of the testkit.
pub fn promises(tree: &Tree) -> Vec<String> {
    let cases = tree.under("crates/testkit/").filter(|file| file.is_rust());
    let cited: BTreeSet<String> = cases.flat_map(|file| file.code.split(|c: char| !c.is_alphanumeric() && c != '_')).filter_map(number).collect();
    let mut found = Vec::new();
    for file in tree.under("docs/spec/") {
        let promised: BTreeSet<_> = file.text.split("**").filter(|text| is_number(text)).map(str::to_lowercase).collect();
        if promised.is_empty() {
            found.push(format!("{}: no promise has a number (`- **S1** …`)", file.path));
        }
        let untested = promised.iter().filter(|number| !cited.contains(*number));
        found.extend(untested.map(|number| format!("{}: no case is named `{number}_…`", file.path)));
    }
    found
}

/// The number that a case's name begins with.
fn number(name: &str) -> Option<String> {
    name.split_once('_').map(|(number, _)| number).filter(|number| is_number(&number.to_uppercase())).map(str::to_owned)
}

fn is_number(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|letter| letter.is_ascii_uppercase()) && !letters.as_str().is_empty() && letters.all(|letter| letter.is_ascii_digit())
}

/// Every page below docs stands in the book's table of contents, without which the book lacks it; a decision stands in the list of
/// decisions besides.
pub fn contents(tree: &Tree) -> Vec<String> {
    let lacks = |list: &str, page: &str| !tree.text(list).unwrap_or_default().contains(&format!("({page})"));
    let pages = tree.under("docs/").filter(|file| file.path.ends_with(".md") && file.path != "docs/SUMMARY.md");
    let mut found = Vec::new();
    for path in pages.map(|file| file.path.as_str()) {
        if lacks("docs/SUMMARY.md", path.trim_start_matches("docs/")) {
            found.push(format!("{path}: docs/SUMMARY.md does not name it"));
        }
        let decision = path.strip_prefix("docs/adr/").filter(|decision| *decision != "README.md");
        if decision.is_some_and(|decision| lacks("docs/adr/README.md", decision)) {
            found.push(format!("{path}: docs/adr/README.md does not name it"));
        }
    }
    found
}

/// Links between documents lead to files that exist; those of the book stay within it, since it is read without the rest.
pub fn links(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in tree.files.iter().filter(|file| file.path.ends_with(".md")) {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for link in file.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            if !path.is_empty() && !path.contains("://") && !leads_somewhere(tree, folder, path) {
                found.push(format!("{}: {link} leads nowhere", file.path));
            }
            if file.path.starts_with("docs/") && path.matches("../").count() >= file.path.matches('/').count() {
                found.push(format!("{}: {link} leads out of the book; name its address", file.path));
            }
        }
    }
    found
}

fn leads_somewhere(tree: &Tree, folder: &str, path: &str) -> bool {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    let target = parts.join("/");
    let is_licence = matches!(target.as_str(), "LICENSE-APACHE" | "LICENSE-MIT");
    is_licence || tree.files.iter().any(|file| file.path == target || file.path.starts_with(&format!("{target}/")))
}

#[cfg(test)]
mod tests {
    use super::{architecture, contents, invariants, links, promises};
    use crate::finds;

    #[test]
    fn a_room_that_the_architecture_does_not_name_is_found() {
        let document = ("ARCHITECTURE.md", "`crates/core` has `link` and plan.");
        finds(architecture, 0, &[document, ("crates/core/src/lib.rs", ""), ("crates/core/src/link.rs", "")]);
        finds(architecture, 1, &[document, ("crates/core/src/plan/mod.rs", ""), ("crates/core/src/plan/row.rs", "")]);
        finds(architecture, 1, &[document, ("crates/engine/src/lib.rs", "")]);
    }

    #[test]
    fn an_invariant_whose_test_is_gone_is_found() {
        let document = ("ARCHITECTURE.md", "| I1 | pure | `a_test_that_is`, `a_test_that_was`, `dispatch::moves` |\n| I2 | whole | |\n| I3 | x | not yet |");
        finds(invariants, 2, &[document, ("crates/x/src/a.rs", "fn a_test_that_is() {}")]);
    }

    #[test]
    fn a_promise_without_a_case_is_found() {
        let document = ("docs/spec/store.md", "- **S1** One.\n- **S12** Twelve, **not** a number.");
        finds(promises, 1, &[document, ("crates/testkit/src/a.rs", "fn s1_one() {}\n// s12_in_a_comment")]);
        finds(promises, 0, &[document, ("crates/testkit/src/a.rs", "cases!(s1_one, s12_twelve);")]);
        finds(promises, 2, &[document, ("crates/sandbox/src/a.rs", "fn s1_one() {} fn s12_twelve() {}")]);
        finds(promises, 1, &[("docs/spec/empty.md", "Nothing.")]);
    }

    #[test]
    fn a_page_that_no_table_of_contents_names_is_found() {
        let summary = ("docs/SUMMARY.md", "[a](a.md) [decisions](adr/README.md) [1](adr/0001-one.md)");
        let decisions = ("docs/adr/README.md", "[1](0001-one.md)");
        finds(contents, 0, &[summary, decisions, ("docs/a.md", ""), ("docs/adr/0001-one.md", "")]);
        finds(contents, 3, &[summary, decisions, ("docs/b.md", ""), ("docs/adr/0002-two.md", "")]);
    }

    #[test]
    fn a_link_to_nowhere_is_found() {
        let readme = ("README.md", "[a](docs/a.md#b) [c](https://c.example/d) [e](docs) [f](#g) [h](docs/h.md)");
        finds(links, 1, &[readme, ("docs/a.md", "[on](a.md) [along](b/c.md)"), ("docs/b/c.md", "[back](../a.md)")]);
        finds(links, 2, &[readme, ("docs/a.md", "[out](../README.md)")]);
    }
}
