//! What a boundary with each vendor says unless the configuration says otherwise.
//!
//! Promises: written as a boundary is written in the configuration, and read by the same code. Leaves to others: reading it
//! (`boundaries`), asking an account for its own rules (the adapters).

use std::collections::BTreeMap;

use syncline_core::schema::CONTACT_TYPES;
use syncline_core::terms::FieldRule;

use super::systems::Vendor;

const SALESFORCE: &str = r#"
object: { lead: Lead, prospect: Lead, employee: Contact, customer: Contact, partner: Contact, vendor: Contact }
match: { external_id: Syncline_Id__c }
on_existing: dead
on_gone: dead
fields:
  name: { to: [FirstName, LastName], codec: split_name, authority: system_a }
  email: { to: Email, authority: system_a }
  phone: { to: Phone, authority: system_a }
exclude: []
fillers: { Lead: { Company: "[not provided]" } }
allow_system_b_override: false
"#;

const HUBSPOT: &str = r"
object: { lead: contacts, prospect: contacts, employee: contacts, customer: contacts, partner: contacts, vendor: contacts }
match: { external_id: syncline_id }
on_existing: dead
on_gone: dead
fields:
  name: { to: [firstname, lastname], codec: split_name, authority: system_a }
  email: { to: email, codec: lower, authority: system_a }
  phone: { to: phone, authority: system_a }
exclude: []
fillers: {}
allow_system_b_override: false
";

/// The default boundary for contacts, as text.
pub(super) const fn boundary(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Salesforce => SALESFORCE,
        Vendor::HubSpot => HUBSPOT,
        Vendor::Generator | Vendor::File | Vendor::Stdin | Vendor::Http => "{}",
    }
}

/// The field that holds our key unless another is named.
pub(super) const fn key_field(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Salesforce => "Syncline_Id__c",
        Vendor::HubSpot | Vendor::Generator | Vendor::File | Vendor::Stdin | Vendor::Http => "syncline_id",
    }
}

/// The contact types that each of the ready-made routings sends to a vendor.
pub(super) fn routed(routing: &str, vendor: Vendor) -> &'static [&'static str] {
    match (routing, vendor) {
        ("default", Vendor::Salesforce) => &["lead", "prospect", "employee"],
        ("default", Vendor::HubSpot) => &["customer", "partner", "vendor"],
        ("salesforce_only", Vendor::Salesforce) | ("hubspot_only", Vendor::HubSpot) => &CONTACT_TYPES,
        (_, Vendor::Salesforce | Vendor::HubSpot | Vendor::Generator | Vendor::File | Vendor::Stdin | Vendor::Http) => &[],
    }
}

/// What is known of a vendor's standard objects: object, field, longest value, required.
const SALESFORCE_RULES: [(&str, &str, usize, bool); 9] = [
    ("Contact", "Email", 80, false),
    ("Contact", "FirstName", 40, false),
    ("Contact", "LastName", 80, true),
    ("Contact", "Phone", 40, false),
    ("Lead", "Company", 255, true),
    ("Lead", "Email", 80, false),
    ("Lead", "FirstName", 40, false),
    ("Lead", "LastName", 80, true),
    ("Lead", "Phone", 40, false),
];

/// The rules of one object's fields, as far as they are the same in every account.
pub(super) fn rules(vendor: Vendor, object: &str) -> BTreeMap<String, FieldRule> {
    match vendor {
        Vendor::Salesforce => SALESFORCE_RULES
            .iter()
            .filter(|(name, ..)| *name == object)
            .map(|(_, field, length, required)| ((*field).to_owned(), FieldRule { length_max: Some(*length), required: *required }))
            .collect(),
        Vendor::HubSpot | Vendor::Generator | Vendor::File | Vendor::Stdin | Vendor::Http => BTreeMap::new(),
    }
}
