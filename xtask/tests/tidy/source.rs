//! The tree as the rules see it: files with their text, and with what of the text is code.
//!
//! Promises: in `code` comments, texts and characters are blank, so that a word found there is a word of the program; in `live`
//! test modules are blank as well; line numbers stay. Leaves to others: what is allowed (`rules`).

use std::path::Path;

/// Folders that hold nothing of ours.
const SKIPPED: [&str; 3] = ["target", ".git", "syncline-demo"];
/// Endings of files that are read.
const READ: [&str; 9] = ["rs", "md", "toml", "yaml", "yml", "sql", "json", "html", "jsonl"];

/// One file.
#[derive(Debug, Clone)]
pub struct File {
    /// Path from the root, with `/`.
    pub path: String,
    pub text: String,
    /// The program alone; empty for what is not Rust.
    pub code: String,
    /// The program without its test modules; empty for files of tests.
    pub live: String,
}

impl File {
    pub fn new(path: &str, text: &str) -> Self {
        let code = if path.ends_with(".rs") { code_of(text) } else { String::new() };
        let live = if is_test(path) { String::new() } else { without_test_modules(&code) };
        Self { path: path.to_owned(), text: text.to_owned(), code, live }
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// Every file.
#[derive(Debug, Default)]
pub struct Tree {
    pub files: Vec<File>,
}

impl Tree {
    /// A tree of a few files, to show a rule what it must refuse.
    pub fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| File::new(path, text)).collect() }
    }

    /// The whole tree under a folder.
    pub fn read(root: &Path) -> Self {
        let mut tree = Self::default();
        walk(root, root, &mut tree.files);
        tree.files.sort_by(|one, other| one.path.cmp(&other.path));
        assert!(tree.files.len() > 50, "the tree was not found");
        tree
    }

    pub fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust())
    }

    pub fn under<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| file.path.starts_with(folder))
    }

    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<File>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        if path.is_dir() {
            if !SKIPPED.contains(&name.as_str()) {
                walk(root, &path, files);
            }
            continue;
        }
        let is_script = folder.file_name().is_some_and(|name| name == ".ci");
        if is_script || path.extension().and_then(|ending| ending.to_str()).is_some_and(|ending| READ.contains(&ending)) {
            // A file may go while somebody works on the tree.
            let Ok(bytes) = std::fs::read(&path) else { continue };
            let relative = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            files.push(File::new(&relative, &String::from_utf8_lossy(&bytes)));
        }
    }
}

/// Whether a file is made of tests.
pub fn is_test(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path.contains("/tests/") || path.starts_with("tests/") || name == "tests.rs" || name.ends_with("_tests.rs")
}

/// Blanks comments, texts and characters.
pub fn code_of(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let end = if rest.starts_with(b"//") {
            line_end(rest)
        } else if rest.starts_with(b"/*") {
            comment_end(rest)
        } else if let Some(end) = raw_text_end(bytes, at) {
            end
        } else if rest[0] == b'"' {
            text_end(rest)
        } else if rest[0] == b'\'' {
            character_end(text, at)
        } else {
            at += 1;
            continue;
        };
        for byte in &mut code[at..at + end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at += end;
    }
    String::from_utf8(code).expect("only whole characters are blanked")
}

fn line_end(rest: &[u8]) -> usize {
    rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
}

fn comment_end(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of a raw text that begins here; None if none does.
fn raw_text_end(bytes: &[u8], at: usize) -> Option<usize> {
    let in_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    let rest = &bytes[at..];
    let prefix = if rest.starts_with(b"br") || rest.starts_with(b"cr") { 2 } else { usize::from(rest.starts_with(b"r")) };
    if prefix == 0 || in_word {
        return None;
    }
    let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
    if rest.get(prefix + hashes) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(1 + hashes, b'#');
    let start = prefix + hashes + 1;
    let found = rest[start..].windows(close.len()).position(|window| window == close);
    Some(found.map_or(rest.len(), |found| start + found + close.len()))
}

fn text_end(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a character, or 1 for the tick of a lifetime.
fn character_end(text: &str, at: usize) -> usize {
    let rest = &text[at + 1..];
    let mut letters = rest.char_indices();
    match letters.next() {
        Some((_, '\\')) => rest[2..].find('\'').map_or(1, |end| end + 4),
        Some(_) => match letters.next() {
            Some((close, '\'')) => close + 2,
            _ => 1,
        },
        None => 1,
    }
}

/// Blanks `#[cfg(test)] mod … { … }`.
fn without_test_modules(code: &str) -> String {
    let mut live = code.as_bytes().to_vec();
    let mut from = 0;
    while let Some(found) = code[from..].find("#[cfg(test)]") {
        let start = from + found;
        let Some(open) = code[start..].find(['{', ';']).map(|open| start + open) else { break };
        let end = if code.as_bytes()[open] == b';' { open + 1 } else { block_end(code, open) };
        for byte in &mut live[start..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        from = end;
    }
    String::from_utf8(live).expect("only whole characters are blanked")
}

/// The place behind the brace that closes the one at `open`.
pub fn block_end(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (place, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return place + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// The number of the line at a place.
pub fn line_of(text: &str, place: usize) -> usize {
    text[..place].bytes().filter(|byte| *byte == b'\n').count() + 1
}

/// The places where a word stands alone.
pub fn words(text: &str, word: &str) -> Vec<usize> {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let bytes = text.as_bytes();
    let alone = |place: usize| {
        let before = place.checked_sub(1).and_then(|place| bytes.get(place));
        !is_part(before) && !is_part(bytes.get(place + word.len()))
    };
    text.match_indices(word).map(|(place, _)| place).filter(|place| alone(*place)).collect()
}

#[test]
fn comments_texts_and_characters_are_no_code() {
    let text = "let a = \"x // y\"; // b\n/* c /* d */ e */ let f = r#\"g\"h\"#; let i = '\\''; let j: &'k str = b\"l\";";
    let code = code_of(text);
    assert_eq!(code.len(), text.len());
    let left: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(left, "let a = ; let f = ; let i = ; let j: & k str = b ;");
}

#[test]
fn test_modules_are_not_live() {
    let file = File::new("crates/x/src/a.rs", "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { if c {} } }\nfn d() {}\n");
    assert!(file.live.contains("fn a") && file.live.contains("fn d") && !file.live.contains("fn b"));
    assert_eq!(File::new("crates/x/src/tests.rs", "fn a() {}").live, "");
}

#[test]
fn a_word_stands_alone() {
    assert_eq!(words("now snow now_ now", "now"), [0, 14]);
}
