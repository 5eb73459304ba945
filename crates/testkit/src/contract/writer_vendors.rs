//! The vendors that the writer contract is tried on, as data.
//!
//! Promises: a vendor is one constant here and one line in the tests. Leaves to others: the cases.

use std::sync::Arc;

use syncline_adapters::systems::means::Means;
use syncline_adapters::systems::object_use::ObjectUses;
use syncline_adapters::systems::{hubspot, salesforce};
use syncline_core::attempt::Operation;
use syncline_engine::ports::writer::Writer;
use syncline_sandbox::exchange::System;
use syncline_sandbox::hubspot::ExtraProperty;
use syncline_sandbox::salesforce::{CustomField, CustomKind, ExternalKey};

use super::writer::Facts;

/// Salesforce's contacts.
pub static SALESFORCE: Facts = Facts {
    system: System::Salesforce,
    make: salesforce_writer,
    prepare: |config| config.salesforce.custom_fields.push(badge()),
    spoil_key: |config| config.salesforce.external_key = ExternalKey::NotUnique,
    account: "00D5g000004Kp7QEAS",
    object: "Contact",
    key_field: "Syncline_Id__c",
    name_field: "LastName",
    phone_field: "Phone",
    unique_field: "Badge__c",
    no_field: "Nickname__c",
    no_id: "0035g00000Qa1ZxAAJ",
    operations: [
        (Operation::Create, "collection_upsert"),
        (Operation::Update, "collection_update"),
        (Operation::Delete, "collection_delete"),
    ],
    limited: (403, "daily", "day"),
    told_pool: "day",
    fetches_token: true,
    returns_values: false,
};

/// HubSpot's contacts.
pub static HUBSPOT: Facts = Facts {
    system: System::HubSpot,
    make: hubspot_writer,
    prepare: |config| {
        config.hubspot.properties.push(ExtraProperty {
            name: "badge".into(),
            kind: "string".into(),
            unique: true,
            options: vec![],
        })
    },
    spoil_key: |config| config.hubspot.has_external_key = false,
    account: "4400123",
    object: "contacts",
    key_field: "syncline_id",
    name_field: "lastname",
    phone_field: "phone",
    unique_field: "badge",
    no_field: "favcolor",
    no_id: "77",
    operations: [(Operation::Create, "batch_upsert"), (Operation::Update, "batch_update"), (Operation::Delete, "batch_archive")],
    limited: (429, "daily", "day"),
    told_pool: "burst",
    fetches_token: false,
    returns_values: true,
};

fn badge() -> CustomField {
    CustomField {
        object: "Contact".into(),
        name: "Badge__c".into(),
        label: String::new(),
        kind: CustomKind::Text,
        length: 40,
        external_id: false,
        unique: true,
        case_sensitive: true,
        values: Vec::new(),
        restricted: false,
        required: false,
        read_only: false,
        needs_grant: false,
    }
}

fn address() -> url::Url {
    match url::Url::parse("http://sandbox.test") {
        Ok(url) => url,
        Err(error) => panic!("{error}"),
    }
}

fn salesforce_writer(means: Means, objects: ObjectUses) -> Arc<dyn Writer> {
    let settings =
        salesforce::config::Settings::new(address(), "sandbox-client".into(), "sandbox-secret".to_owned().into(), objects);
    match salesforce::writer::SalesforceWriter::new(means, settings) {
        Ok(writer) => Arc::new(writer),
        Err(error) => panic!("{error}"),
    }
}

fn hubspot_writer(means: Means, objects: ObjectUses) -> Arc<dyn Writer> {
    let settings = hubspot::config::Settings::new(address(), "pat-sandbox-1".to_owned().into(), objects);
    match hubspot::writer::HubSpotWriter::new(means, settings) {
        Ok(writer) => Arc::new(writer),
        Err(error) => panic!("{error}"),
    }
}
