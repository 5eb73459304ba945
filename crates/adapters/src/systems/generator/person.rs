//! Turns a record's number into a person: name, e-mail and phone.
//!
//! Promises: every value is a function of seed, number and revision alone, so nothing needs to be remembered; an
//! e-mail ends in the number and the revision, so no two are ever equal, in any case of letters.
//! Leaves to others: when a value changes (`stream`).

use super::draw::Details;
use super::names::{AREAS, DOMAINS, FIRST, LAST, MIDDLE};

/// One record's person; `seed` and `number` decide everything that never changes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person {
    pub(super) seed: u64,
    pub(super) number: u64,
}

/// What the details of a person are drawn for.
#[derive(Debug, Clone, Copy)]
enum Subject {
    Given = 1,
    Family = 2,
    Domain = 3,
    Phone = 4,
}

impl Person {
    /// The id on the wire.
    pub(super) fn id(self) -> String {
        format!("A{:06}", self.number)
    }

    /// The full name; another `revision` is another family name after the same given names.
    pub(super) fn name(self, revision: u64) -> String {
        let mut given = self.details(Subject::Given, 0);
        let first = given.pick(&FIRST);
        let family = self.family(revision);
        if given.index(10) == 0 {
            format!("{first} {} {family}", given.pick(&MIDDLE))
        } else {
            format!("{first} {family}")
        }
    }

    /// The e-mail: the words of the name as at `name_revision`, then what makes it unique.
    pub(super) fn email(self, name_revision: u64, revision: u32) -> String {
        let first = plain(self.details(Subject::Given, 0).pick(&FIRST));
        let family = plain(self.family(name_revision));
        let domain = self.details(Subject::Domain, 0).pick(&DOMAINS);
        if revision == 0 {
            format!("{first}.{family}.{}@{domain}", self.number)
        } else {
            format!("{first}.{family}.{}-{revision}@{domain}", self.number)
        }
    }

    /// A phone number out of the ranges that are kept for fiction: mostly North America, some London.
    pub(super) fn phone(self, revision: u64) -> String {
        let mut details = self.details(Subject::Phone, revision);
        if details.index(8) == 0 {
            format!("+44-20-7946-0{:03}", details.index(1000))
        } else {
            format!("+1-{}-555-01{:02}", details.pick(&AREAS), details.index(100))
        }
    }

    fn family(self, revision: u64) -> &'static str {
        self.details(Subject::Family, revision).pick(&LAST)
    }

    fn details(self, subject: Subject, revision: u64) -> Details {
        Details::new(&[self.seed, self.number, subject as u64, revision])
    }
}

/// A name's letters in lower-case ASCII: accents dropped, spaces and apostrophes left out, hyphens kept.
fn plain(name: &str) -> String {
    name.chars()
        .filter_map(|letter| match letter {
            'á' | 'ã' => Some('a'),
            'ç' => Some('c'),
            'é' | 'è' | 'ë' => Some('e'),
            'í' | 'ı' => Some('i'),
            'ñ' => Some('n'),
            'ó' | 'ö' | 'ø' => Some('o'),
            'ş' => Some('s'),
            'ú' | 'ü' => Some('u'),
            ' ' | '\'' => None,
            _ => Some(letter.to_ascii_lowercase()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_a_plain_form() {
        for name in FIRST.iter().chain(&MIDDLE).chain(&LAST) {
            let letters = plain(name);
            assert!(letters.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name} -> {letters}");
        }
        assert_eq!(plain("van der Berg"), "vanderberg");
        assert_eq!(plain("O'Brien"), "obrien");
        assert_eq!(plain("Siobhán"), "siobhan");
    }

    #[test]
    fn a_person_stays_the_same_person() {
        let person = Person { seed: 7, number: 12 };
        assert_eq!(person.id(), "A000012");
        assert_eq!(person.name(0), person.name(0));
        assert_eq!(person.email(0, 3), person.email(0, 3));
        assert!(person.email(0, 0).contains(".12@"));
        assert!(person.email(0, 3).contains(".12-3@"));
        assert_eq!(Person { seed: 7, number: 1_234_567 }.id(), "A1234567");
    }

    #[test]
    fn names_have_two_words_or_more_and_phones_have_groups() {
        for number in 1..5000 {
            let person = Person { seed: 1, number };
            let name = person.name(number);
            assert!(name.split(' ').count() >= 2, "{name}");
            let phone = person.phone(number);
            let digits = phone.bytes().filter(u8::is_ascii_digit).count();
            assert!(phone.starts_with('+') && (11..=12).contains(&digits), "{phone}");
        }
    }
}
