//! The describe answers: one object in full, one in short, and the list of objects.
//!
//! Promises: every visible field is listed with the properties a client plans by; a hidden one is absent.
//! Leaves to others: routing and the request's version check (`mod`, `route`).

use serde_json::{Value, json};

use super::{Field, Kind, Schema, Sobject, Source};

/// The full describe of an object.
pub(in super::super) fn full(schema: &Schema, version: u16) -> Value {
    let object = schema.object;
    let mut body = brief(object, version);
    body["fields"] = schema.visible().map(|(_, field)| self::field(object, field)).collect();
    let relation = json!({
        "childSObject": "Contact", "field": "AccountId", "relationshipName": "Contacts", "cascadeDelete": true,
        "restrictedDelete": false, "deprecatedAndHidden": false, "junctionIdListNames": [], "junctionReferenceTo": []
    });
    body["childRelationships"] = if object == Sobject::Account { json!([relation]) } else { json!([]) };
    body["recordTypeInfos"] = json!([{
        "name": "Master", "developerName": "Master", "recordTypeId": "012000000000000AAA",
        "active": true, "available": true, "defaultRecordTypeMapping": true, "master": true
    }]);
    body
}

/// The element of the list of objects.
pub(in super::super) fn brief(object: Sobject, version: u16) -> Value {
    let name = object.name();
    let path = format!("/services/data/v{version}.0/sobjects/{name}");
    let (data, made) = (object.holds_data(), object != Sobject::User);
    let (label, plural) = match object {
        Sobject::Lead => ("Lead", "Leads"),
        Sobject::Contact => ("Contact", "Contacts"),
        Sobject::Account => ("Account", "Accounts"),
        Sobject::User => ("User", "Users"),
        Sobject::PermissionSet => ("Permission Set", "Permission Sets"),
        Sobject::FieldPermissions => ("Field Permissions", "Field Permissions"),
        Sobject::PermissionSetAssignment => ("Permission Set Assignment", "Permission Set Assignments"),
    };
    json!({
        "name": name, "label": label, "labelPlural": plural, "keyPrefix": object.prefix(), "custom": false,
        "createable": made, "updateable": made, "deletable": made, "queryable": true, "retrieveable": true,
        "mergeable": data, "undeletable": data, "replicateable": data, "triggerable": data, "searchable": data,
        "urls": { "sobject": path, "describe": format!("{path}/describe"), "rowTemplate": format!("{path}/{{ID}}") }
    })
}

fn field(object: Sobject, field: &Field) -> Value {
    let (digits, precision, scale) = numbers(field.kind);
    let filterable = field.is_filterable();
    json!({
        "name": field.name, "label": field.label, "type": kind(field.kind), "soapType": soap(field.kind),
        "length": field.length, "byteLength": bytes(field), "precision": precision, "scale": scale, "digits": digits,
        "createable": field.createable, "updateable": field.updateable, "nillable": field.nillable,
        "defaultedOnCreate": field.defaulted, "calculated": false, "autoNumber": false, "custom": field.custom,
        "externalId": field.external_id, "unique": field.unique, "caseSensitive": field.case_sensitive,
        "idLookup": field.id_lookup, "filterable": filterable, "sortable": filterable,
        "groupable": filterable, "permissionable": field.nillable && (field.createable || field.updateable),
        "restrictedPicklist": field.restricted, "picklistValues": picks(object, field),
        "referenceTo": references(object, field), "relationshipName": relationship(field),
        "polymorphicForeignKey": field.name == "OwnerId" && object == Sobject::Lead,
        "compoundFieldName": compound(object, field),
        "extraTypeInfo": extra(field), "defaultValue": default(field), "inlineHelpText": null
    })
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Id => "id",
        Kind::Text => "string",
        Kind::TextArea => "textarea",
        Kind::Picklist => "picklist",
        Kind::Reference => "reference",
        Kind::Double => "double",
        Kind::Currency => "currency",
        Kind::Int => "int",
        Kind::Date => "date",
        Kind::DateTime => "datetime",
        Kind::Phone => "phone",
        Kind::Email => "email",
        Kind::Url => "url",
        Kind::Address => "address",
        Kind::Boolean => "boolean",
    }
}

fn soap(kind: Kind) -> &'static str {
    match kind {
        Kind::Id | Kind::Reference => "tns:ID",
        Kind::Text | Kind::TextArea | Kind::Picklist | Kind::Phone | Kind::Email | Kind::Url => "xsd:string",
        Kind::Double | Kind::Currency => "xsd:double",
        Kind::Int => "xsd:int",
        Kind::Date => "xsd:date",
        Kind::DateTime => "xsd:dateTime",
        Kind::Address => "urn:address",
        Kind::Boolean => "xsd:boolean",
    }
}

/// Digits, precision and scale.
fn numbers(kind: Kind) -> (u8, u8, u8) {
    match kind {
        Kind::Double => (0, 18, 15),
        Kind::Currency => (0, 18, 0),
        Kind::Int => (8, 0, 0),
        Kind::Id
        | Kind::Text
        | Kind::TextArea
        | Kind::Picklist
        | Kind::Reference
        | Kind::Date
        | Kind::DateTime
        | Kind::Phone
        | Kind::Email
        | Kind::Url
        | Kind::Address
        | Kind::Boolean => (0, 0, 0),
    }
}

fn bytes(field: &Field) -> u32 {
    if matches!(field.kind, Kind::Id | Kind::Reference) { field.length } else { field.length * 3 }
}

fn picks(object: Sobject, field: &Field) -> Value {
    let default = if field.name == "Status" && object == Sobject::Lead { field.picks.first() } else { None };
    field
        .picks
        .iter()
        .map(|value| json!({ "active": true, "defaultValue": default == Some(value), "label": value, "validFor": null, "value": value }))
        .collect()
}

fn references(object: Sobject, field: &Field) -> Value {
    match (field.name.as_str(), object) {
        ("OwnerId", Sobject::Lead) => json!(["Group", "User"]),
        ("OwnerId" | "CreatedById" | "LastModifiedById" | "AssigneeId", _) => json!(["User"]),
        ("ParentId", Sobject::FieldPermissions) | ("PermissionSetId", _) => json!(["PermissionSet"]),
        ("AccountId" | "ConvertedAccountId" | "ParentId", _) => json!(["Account"]),
        ("ReportsToId" | "ConvertedContactId", _) => json!(["Contact"]),
        ("ConvertedOpportunityId", _) => json!(["Opportunity"]),
        ("MasterRecordId", _) => json!([object.name()]),
        ("IndividualId", _) => json!(["Individual"]),
        ("DandbCompanyId", _) => json!(["DandBCompany"]),
        _ => json!([]),
    }
}

fn relationship(field: &Field) -> Value {
    if field.kind == Kind::Reference { json!(field.name.trim_end_matches("Id")) } else { Value::Null }
}

fn compound(object: Sobject, field: &Field) -> Value {
    const PARTS: [&str; 8] = ["Street", "City", "State", "PostalCode", "Country", "Latitude", "Longitude", "GeocodeAccuracy"];
    let name = field.name.as_str();
    if matches!(name, "LastName" | "FirstName" | "Salutation") && object != Sobject::Account {
        return json!("Name");
    }
    let prefixes: &[&str] = match object {
        Sobject::Lead => &[""],
        Sobject::Contact => &["Mailing", "Other"],
        Sobject::Account => &["Billing"],
        Sobject::User | Sobject::PermissionSet | Sobject::FieldPermissions | Sobject::PermissionSetAssignment => &[],
    };
    prefixes
        .iter()
        .find(|prefix| name.strip_prefix(**prefix).is_some_and(|part| PARTS.contains(&part)))
        .map_or(Value::Null, |prefix| json!(format!("{prefix}Address")))
}

fn extra(field: &Field) -> Value {
    match (field.name.as_str(), field.kind, field.source) {
        ("LastName" | "FirstName", ..) | (_, _, Source::FullName) => json!("personname"),
        (_, Kind::TextArea, _) => json!("plaintextarea"),
        _ => Value::Null,
    }
}

fn default(field: &Field) -> Value {
    if field.kind == Kind::Boolean && field.defaulted { json!(false) } else { Value::Null }
}
