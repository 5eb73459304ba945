//! Rules about single files: their opening, their size, their names, and what must not be left in them.

use crate::source::{Tree, block_end, line_of, words};

const LINES_MAX: usize = 600;
const FUNCTION_MAX: usize = 70;

/// Functions that may be longer, each with its reason. The list may only shrink: one that became short must leave it.
const LONG_FUNCTIONS: &[(&str, &str, &str)] = &[];

const NAMELESS: [&str; 7] = ["utils", "common", "helpers", "manager", "types", "base", "imp"];

/// Files that bear such a name because it is a word of the glossary.
const NAMED: &[(&str, &str)] = &[("crates/adapters/src/stores/sqlite/tables/base.rs", "a base: what both sides held when they last agreed")];

/// Every file opens with what it is for.
pub fn module_docs(tree: &Tree) -> Vec<String> {
    let silent = tree.rust().filter(|file| !file.text.starts_with("//!"));
    silent.map(|file| format!("{}: open with `//!`: what it is for, what it promises, what it leaves to others", file.path)).collect()
}

/// No file is long.
pub fn file_length(tree: &Tree) -> Vec<String> {
    let long = tree.rust().map(|file| (file, file.text.lines().count())).filter(|(_, lines)| *lines > LINES_MAX);
    long.map(|(file, lines)| format!("{}: {lines} lines, at most {LINES_MAX}; move a noun of its own out", file.path)).collect()
}

/// No function is long, but for those that say why.
pub fn function_length(tree: &Tree) -> Vec<String> {
    function_length_but(LONG_FUNCTIONS, tree)
}

fn function_length_but(excused: &[(&str, &str, &str)], tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    let mut used = Vec::new();
    for file in tree.rust() {
        for (name, line, lines) in functions(&file.code) {
            if lines <= FUNCTION_MAX {
                continue;
            }
            match excused.iter().find(|(path, function, _)| (*path, *function) == (file.path.as_str(), name.as_str())) {
                Some(entry) => used.push(*entry),
                None => found.push(format!("{}:{line}: `{name}` has {lines} lines, at most {FUNCTION_MAX}", file.path)),
            }
        }
    }
    let unused = excused.iter().filter(|entry| !used.contains(entry));
    found.extend(unused.map(|(path, name, _)| format!("`{name}` of {path} is not too long any more: take it off the list")));
    found
}

/// Functions with a body: name, first line, number of lines.
fn functions(code: &str) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for place in words(code, "fn") {
        let name: String = code[place + 2..].trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let Some(open) = body(code, place) else { continue };
        if !name.is_empty() {
            let lines = code[place..block_end(code, open)].lines().count();
            found.push((name, line_of(code, place), lines));
        }
    }
    found
}

/// Where the body of the function at `place` opens; None if it has none.
fn body(code: &str, place: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(place) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.checked_sub(1)?,
            b'{' if depth == 0 => return Some(at),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// No file is named for being a drawer.
pub fn file_names(tree: &Tree) -> Vec<String> {
    let drawers = tree.rust().filter(|file| file.path.split(['/', '.']).any(|part| NAMELESS.contains(&part)));
    let drawers = drawers.filter(|file| !NAMED.iter().any(|(path, _)| *path == file.path));
    drawers.map(|file| format!("{}: name it for what is in it", file.path)).collect()
}

/// Nothing is left for later, and nothing that may panic is in the product.
pub fn marks(tree: &Tree) -> Vec<String> {
    let notes = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let code = ["dbg!", "todo!", "unimplemented!", "#[ignore"];
    let mut found = Vec::new();
    for file in tree.rust() {
        let mut tell = |text: &str, place: usize, what: &str| found.push(format!("{}:{}: {what}", file.path, line_of(text, place)));
        for note in notes {
            words(&file.text, note).into_iter().for_each(|place| tell(&file.text, place, note));
        }
        for mark in code {
            file.code.match_indices(mark).for_each(|(place, _)| tell(&file.code, place, mark));
        }
        if !file.path.starts_with("crates/testkit/") {
            file.live.match_indices(".unwrap()").for_each(|(place, _)| tell(&file.live, place, "`unwrap` outside tests"));
        }
    }
    found
}

/// The tree can stand anywhere: nothing in it names a folder of one machine.
pub fn machine_paths(tree: &Tree) -> Vec<String> {
    let machines = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];
    let mut found = Vec::new();
    for file in &tree.files {
        for (number, line) in file.text.lines().enumerate() {
            found.extend(machines.iter().filter(|path| line.contains(*path)).map(|path| format!("{}:{}: {path}", file.path, number + 1)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{file_length, file_names, function_length, function_length_but, functions, machine_paths, marks, module_docs};
    use crate::finds;

    #[test]
    fn a_file_without_an_opening_is_found() {
        finds(module_docs, 1, &[("crates/x/src/a.rs", "use b;\n"), ("crates/x/src/c.rs", "//! C.\n")]);
    }

    #[test]
    fn a_long_file_is_found() {
        finds(file_length, 1, &[("crates/x/src/a.rs", &"\n".repeat(601)), ("crates/x/src/b.rs", &"\n".repeat(600))]);
    }

    #[test]
    fn a_long_function_is_found_unless_it_is_excused_and_an_idle_excuse_is_found() {
        let long = format!("pub fn far(a: [u8; 2]) -> Result<(), E> {{{}}}\nfn near() {{\n}}\n", "\n".repeat(70));
        let tree = [("crates/x/src/a.rs", long.as_str())];
        finds(function_length, 1, &tree);
        finds(|tree| function_length_but(&[("crates/x/src/a.rs", "far", "a table")], tree), 0, &tree);
        finds(|tree| function_length_but(&[("crates/x/src/a.rs", "near", "a table")], tree), 2, &tree);
        assert_eq!(functions("trait T { fn a(&self); fn b() {\n} }\ntype F = fn(u8) -> u8;"), [("b".to_owned(), 1, 2)]);
    }

    #[test]
    fn a_drawer_is_found() {
        finds(file_names, 2, &[("crates/x/src/utils.rs", ""), ("crates/x/src/common/mod.rs", ""), ("crates/x/src/lane.rs", "")]);
    }

    #[test]
    fn what_is_left_undone_is_found() {
        let note = format!("// {}: later\n", concat!("TO", "DO"));
        finds(marks, 1, &[("crates/x/src/a.rs", note.as_str())]);
        finds(marks, 4, &[("crates/x/src/a.rs", "fn a() { dbg!(1); todo!(); unimplemented!() }\n#[ignore]\nfn b() {}")]);
        finds(marks, 1, &[("crates/x/src/a.rs", "fn a() { b.unwrap() }\n#[cfg(test)]\nmod tests { fn c() { d.unwrap() } }")]);
        finds(marks, 0, &[("crates/x/tests/a.rs", "fn a() { b.unwrap() }"), ("crates/x/src/b.rs", "const C: &str = \"todo!\";")]);
    }

    #[test]
    fn a_folder_of_one_machine_is_found() {
        let line = format!("see {}notes", concat!("/ro", "ot/"));
        finds(machine_paths, 1, &[("README.md", line.as_str()), ("a.toml", "path = \"crates/work\"")]);
    }
}
