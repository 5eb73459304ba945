//! Splits and joins names.
//!
//! Promises: a name is split before its last word, and one word is all last name; joining what was split gives the name with
//! single spaces at its seam.
//! Leaves to others: which fields the parts go to (`codec`).

/// The name's first part and its last word, each None where there is nothing.
pub(super) fn split(name: &str) -> (Option<&str>, Option<&str>) {
    let name = name.trim();
    match name.rsplit_once(char::is_whitespace) {
        Some((first, last)) => (Some(first.trim_end()), Some(last)),
        None if name.is_empty() => (None, None),
        None => (None, Some(name)),
    }
}

/// The parts that are there, with a space between them; None if there are none.
pub(super) fn join<'a>(parts: impl IntoIterator<Item = Option<&'a str>>) -> Option<String> {
    let parts: Vec<&str> = parts.into_iter().flatten().map(str::trim).filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { None } else { Some(parts.join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::{join, split};

    #[test]
    fn a_name_is_split_before_its_last_word() {
        let rows = [
            ("Alice Smith", Some("Alice"), Some("Smith")),
            ("Cher", None, Some("Cher")),
            ("Jan van der Berg", Some("Jan van der"), Some("Berg")),
            (" Miles  O'Brien ", Some("Miles"), Some("O'Brien")),
            ("محمد علي", Some("محمد"), Some("علي")),
            ("Ann\u{3000}Lee", Some("Ann"), Some("Lee")),
            ("👩 👋", Some("👩"), Some("👋")),
            ("  ", None, None),
        ];
        for (name, first, last) in rows {
            assert_eq!(split(name), (first, last), "{name}");
        }
    }

    #[test]
    fn parts_are_joined_where_they_are_there() {
        assert_eq!(join([Some("Alice"), Some("Smith")]).as_deref(), Some("Alice Smith"));
        assert_eq!(join([None, Some(" Cher ")]).as_deref(), Some("Cher"));
        assert_eq!(join([Some(" "), None]), None);
    }
}
