//! The first mapping tests, which `init` writes beside a first configuration.
//!
//! Promises: they pass as they are written. Leaves to others: which systems there are (`init`), carrying tests out (`mapping_tests`).

const HEAD: &str = "\
# What the mapping makes of an event. `syncline test` carries this out and asks no account. Change it to what you mean; write an
# `expect:` with nothing behind it, and `syncline test --update` fills in what comes.
tests:
";

/// Tests for a configuration that writes to these systems.
pub(super) fn first_tests(salesforce: bool, hubspot: bool) -> String {
    let lead = "  - name: a lead goes to Salesforce, where a name has two fields and a Lead needs a company
    given:
      event:
        { record: contacts, operation: create, timestamp: 2024-01-15T10:30:00Z,
          item: { id: A1, name: Ada van Berg, email: ada@example.com, contact: lead } }
    expect:
      systems:
        salesforce:
          - create: Lead
            fields: { FirstName: Ada van, LastName: Berg, Email: ada@example.com, Phone: null, Company: \"[not provided]\", Syncline_Id__c: A1 }
";
    let customer = "  - name: a customer goes to HubSpot
    given:
      event:
        { record: contacts, operation: create, timestamp: 2024-01-15T10:30:00Z,
          item: { id: A1, name: Ada van Berg, email: ada@example.com, contact: customer } }
    expect:
      systems:
        hubspot:
          - create: contacts
            fields: { firstname: Ada van, lastname: Berg, email: ada@example.com, phone: null, syncline_id: A1 }
";
    let moved = "  - name: a lead that becomes a customer moves to HubSpot
    given:
      events:
        - { record: contacts, operation: create, timestamp: 2024-01-15T10:30:00Z, item: { id: A1, name: Ada van Berg, contact: lead } }
        - { record: contacts, operation: update, timestamp: 2024-01-15T11:00:00Z, item: { id: A1, contact: customer } }
    expect:
      systems:
        salesforce:
          - delete: Lead
        hubspot:
          - create: contacts
            fields: { firstname: Ada van, lastname: Berg, email: null, phone: null, syncline_id: A1 }
";
    let named = [(salesforce, lead), (hubspot, customer), (salesforce && hubspot, moved)];
    let chosen: Vec<&str> = named.into_iter().filter(|(is_meant, _)| *is_meant).map(|(_, text)| text).collect();
    format!("{HEAD}{}", chosen.join("\n"))
}
