//! What a contact looks like in each CRM, by the default mapping.
//!
//! Promises: written from the mapping's documentation; an unset field is absent; `judged_fields` names every field that
//! the mapping may set, so that a value which should have been cleared is noticed.
//! Leaves to others: which contacts are where (`fold`), fields that are not mapped.

use std::collections::BTreeMap;

use super::fold::Contact;
use super::place::Place;
use crate::exchange::System;

/// A record that a CRM must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The CRM.
    pub system: System,
    /// `Lead`, `Contact` or `contacts`.
    pub object: &'static str,
    /// Our key.
    pub key: String,
    /// Set values by the CRM's field name, the key's field included.
    pub fields: BTreeMap<&'static str, String>,
}

/// What a Lead's company is filled with, because Salesforce wants one.
const COMPANY_FILLER: &str = "[not provided]";

pub(super) fn expected(place: Place, key: &str, contact: &Contact) -> Expected {
    let (first, last) = split_name(contact.name().unwrap_or_default());
    let email = contact.email().unwrap_or_default();
    let phone = contact.phone().unwrap_or_default();
    let [first_field, last_field, email_field, phone_field] = shared_fields(place.system);
    let email = match place.system {
        System::Salesforce => email.to_owned(),
        System::HubSpot => email.to_lowercase(),
    };
    let company = if place.object == "Lead" { COMPANY_FILLER } else { "" };
    let fields = [
        (place.system.key_field(), key.to_owned()),
        (first_field, first.to_owned()),
        (last_field, last.to_owned()),
        (email_field, email),
        (phone_field, phone.to_owned()),
        ("Company", company.to_owned()),
    ];
    Expected {
        system: place.system,
        object: place.object,
        key: key.to_owned(),
        fields: fields.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
    }
}

/// The fields of a record that the oracle judges.
pub(super) fn judged_fields(system: System, object: &str) -> Vec<&'static str> {
    let mut fields = shared_fields(system).to_vec();
    if object == "Lead" {
        fields.push("Company");
    }
    fields
}

/// First name, last name, e-mail and phone.
const fn shared_fields(system: System) -> [&'static str; 4] {
    match system {
        System::Salesforce => ["FirstName", "LastName", "Email", "Phone"],
        System::HubSpot => ["firstname", "lastname", "email", "phone"],
    }
}

/// Splits before the last word; one word is all last name.
fn split_name(name: &str) -> (&str, &str) {
    let name = name.trim();
    name.rsplit_once(char::is_whitespace).map_or(("", name), |(first, last)| (first.trim_end(), last))
}

/// Whether two values of a field are the same but for blanks, the case of an e-mail's domain and a phone's punctuation.
pub(super) fn canonically_equal(field: &str, one: &str, other: &str) -> bool {
    canonical(field, one) == canonical(field, other)
}

fn canonical(field: &str, value: &str) -> String {
    let value = value.trim();
    match field {
        "Phone" | "phone" => value.chars().filter(|letter| letter.is_alphanumeric() || *letter == '+').collect(),
        "Email" | "email" => value.rsplit_once('@').map_or_else(
            || value.to_owned(),
            |(local, domain)| format!("{local}@{}", domain.to_lowercase()),
        ),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_split_before_the_last_word() {
        assert_eq!(split_name("Alice Smith"), ("Alice", "Smith"));
        assert_eq!(split_name(" Zoë  van der  Berg "), ("Zoë  van der", "Berg"));
        assert_eq!(split_name("Cher"), ("", "Cher"));
        assert_eq!(split_name(""), ("", ""));
    }

    #[test]
    fn spelling_is_no_difference_where_it_means_nothing() {
        assert!(canonically_equal("Phone", "+1-212-555-0123", "+1 (212) 555 0123"));
        assert!(!canonically_equal("Phone", "+12125550123", "+12125550124"));
        assert!(canonically_equal("email", "al@Example.COM", " al@example.com"));
        assert!(!canonically_equal("Email", "Al@example.com", "al@example.com"));
        assert!(!canonically_equal("LastName", "smith", "Smith"));
    }
}
