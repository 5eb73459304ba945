//! Phone numbers in E.164, where that is beyond doubt.
//!
//! Promises: a number is given in E.164 if and only if it holds nothing but digits and the usual punctuation, begins with
//! `+` or `00` or belongs to a given region, and is valid by the numbering plan. Extensions and letters leave it as it was.
//! Leaves to others: what to do with the rest (keep it as it came).

use phonenumber::{Mode, country};

/// The longest number of E.164, and a leading `00`.
const DIGITS_MAX: usize = 17;

/// `text` in E.164 (`+` and digits); a number without a country is read in `region` (`US`, `DE`, …) if one is given.
#[must_use]
pub fn e164(text: &str, region: Option<&str>) -> Option<String> {
    let text = text.trim();
    let (plus, rest) = text.strip_prefix('+').map_or((false, text), |rest| (true, rest));
    let usual = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '\u{a0}' | '-' | '.' | '(' | ')' | '/');
    if !rest.chars().all(usual) {
        return None;
    }
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() || digits.len() > DIGITS_MAX {
        return None;
    }
    let number = match (plus, digits.strip_prefix("00")) {
        (true, _) => phonenumber::parse(None, format!("+{digits}")),
        (false, Some(digits)) => phonenumber::parse(None, format!("+{digits}")),
        (false, None) => phonenumber::parse(Some(region_id(region?)?), digits),
    };
    let number = number.ok().filter(phonenumber::PhoneNumber::is_valid)?;
    let found = number.format().mode(Mode::E164).to_string();
    let digits = found.strip_prefix('+')?;
    (digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(found)
}

/// Whether `region` is the two-letter code of a region whose numbers we can read.
#[must_use]
pub fn is_region(region: &str) -> bool {
    region_id(region).is_some()
}

fn region_id(region: &str) -> Option<country::Id> {
    region.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use proptest::sample::select;

    use super::{e164, is_region};

    const COUNTRIES: &[&str] = &[
        "1", "7", "20", "30", "31", "33", "34", "36", "39", "41", "43", "44", "46", "48", "49", "51", "52", "54", "55",
        "56", "57", "61", "62", "81", "82", "86", "90", "91", "351", "358", "380", "420", "972",
    ];

    #[test]
    fn a_number_beyond_doubt_is_given_in_e164() {
        let rows = [
            ("+1 (650) 253-0000", None, Some("+16502530000")),
            ("+44 (0)20 7946 0958", None, Some("+442079460958")),
            ("0044 20.7946.0958", None, Some("+442079460958")),
            ("650 253 0000", Some("US"), Some("+16502530000")),
            ("030/901820", Some("DE"), Some("+4930901820")),
            ("650 253 0000", None, None),
            ("+1 650 253 0000 x5", None, None),
            ("1-800-FLOWERS", Some("US"), None),
            ("+1 12", None, None),
            ("650 253 0000", Some("XX"), None),
            ("", Some("US"), None),
            ("+", None, None),
            ("+１６５０２５３００００", None, None),
        ];
        for (text, region, wanted) in rows {
            assert_eq!(e164(text, region).as_deref(), wanted, "{text} {region:?}");
        }
        assert!(is_region("US") && !is_region("XX") && !is_region("us-east"));
    }

    proptest! {
        #[test]
        fn e164_of_e164_is_itself_and_no_text_stops_it(digits in "[+0]{0,2}[0-9 ()/.-]{0,20}", any in any::<String>()) {
            for region in [None, Some("US"), Some("DE"), Some("IT"), Some("AR"), Some("BR"), Some("MX")] {
                let _ = e164(&any, region);
                if let Some(number) = e164(&digits, region) {
                    assert_eq!(e164(&number, region), Some(number));
                }
            }
        }

        #[test]
        fn likely_numbers_settle_too(country in select(COUNTRIES), rest in "[0-9]{6,11}") {
            if let Some(number) = e164(&format!("+{country}{rest}"), None) {
                assert_eq!(e164(&number, None), Some(number));
            }
        }
    }
}
