//! What fields Lead and Contact have, and what each allows.
//!
//! Promises: names are found without regard to case and answered in their own spelling; a field's number is its
//! position, standard fields first, and never changes while the org lives.
//! Leaves to others: values (`values`), rows (`org`), the describe answer (`describe`).

mod account;
mod contact;
pub(super) mod describe;
mod lead;
mod setup;

use std::collections::HashMap;

use super::config::{CustomField, CustomKind};

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Id,
    Text,
    TextArea,
    Picklist,
    Reference,
    Double,
    Currency,
    Int,
    Date,
    DateTime,
    Phone,
    Email,
    Url,
    Address,
    Boolean,
}

/// Where a field's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The row keeps it.
    Stored,
    /// The row's id.
    RowId,
    /// First and last name together.
    FullName,
    /// Whether the row is in the recycle bin.
    IsDeleted,
    CreatedDate,
    CreatedBy,
    ModifiedDate,
    ModifiedBy,
    /// The parts of an address whose names have this prefix.
    Compound(&'static str),
}

/// Name, label, kind, length, flags, source.
type Spec = (&'static str, &'static str, Kind, u32, &'static str, Source);

/// The objects of the org.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sobject {
    Lead,
    Contact,
    Account,
    User,
    PermissionSet,
    FieldPermissions,
    PermissionSetAssignment,
}

impl Sobject {
    /// How many there are.
    pub(super) const COUNT: usize = 7;

    /// All, in the order of every listing and of the declaration.
    pub(super) const ALL: [Self; Self::COUNT] = [
        Self::Lead,
        Self::Contact,
        Self::Account,
        Self::User,
        Self::PermissionSet,
        Self::FieldPermissions,
        Self::PermissionSetAssignment,
    ];

    /// The object of that name, without regard to case.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|object| object.name().eq_ignore_ascii_case(name))
    }

    /// The object whose ids begin so.
    pub(super) fn of_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|object| id.starts_with(object.prefix()))
    }

    /// Whether it holds a company's data rather than the org's set-up.
    pub(super) fn holds_data(self) -> bool {
        matches!(self, Self::Lead | Self::Contact | Self::Account)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Lead => "Lead",
            Self::Contact => "Contact",
            Self::Account => "Account",
            Self::User => "User",
            Self::PermissionSet => "PermissionSet",
            Self::FieldPermissions => "FieldPermissions",
            Self::PermissionSetAssignment => "PermissionSetAssignment",
        }
    }

    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Lead => "00Q",
            Self::Contact => "003",
            Self::Account => "001",
            Self::User => "005",
            Self::PermissionSet => "0PS",
            Self::FieldPermissions => "01k",
            Self::PermissionSetAssignment => "0Pa",
        }
    }

    /// The serial number of the org's first row of this object.
    pub(super) fn first_serial(self) -> u64 {
        match self {
            Self::Lead => 321_000_000,
            Self::Contact => 389_000_000,
            Self::Account => 157_000_000,
            Self::User => 120_000_000_000,
            Self::PermissionSet => 71_000_000,
            Self::FieldPermissions => 83_000_000,
            Self::PermissionSetAssignment => 92_000_000,
        }
    }

    fn standard(self) -> &'static [Spec] {
        match self {
            Self::Lead => lead::FIELDS,
            Self::Contact => contact::FIELDS,
            Self::Account => account::FIELDS,
            Self::User => setup::USER,
            Self::PermissionSet => setup::PERMISSION_SET,
            Self::FieldPermissions => setup::FIELD_PERMISSIONS,
            Self::PermissionSetAssignment => setup::PERMISSION_SET_ASSIGNMENT,
        }
    }
}

/// One field of an object.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) kind: Kind,
    pub(super) length: u32,
    pub(super) createable: bool,
    pub(super) updateable: bool,
    pub(super) nillable: bool,
    pub(super) defaulted: bool,
    pub(super) external_id: bool,
    pub(super) unique: bool,
    pub(super) case_sensitive: bool,
    pub(super) id_lookup: bool,
    pub(super) restricted: bool,
    pub(super) custom: bool,
    pub(super) picks: Vec<String>,
    pub(super) source: Source,
    /// Nobody granted it to the integration user.
    pub(super) hidden: bool,
}

impl Field {
    /// Whether a create without it fails.
    pub(super) fn is_required(&self) -> bool {
        self.createable && !self.nillable && !self.defaulted && self.kind != Kind::Boolean
    }

    /// Whether rows are found by it without a search.
    pub(super) fn is_indexed(&self) -> bool {
        self.external_id || self.unique || self.kind == Kind::Email && self.id_lookup
    }

    /// Whether an upsert may use it as key.
    pub(super) fn is_key(&self) -> bool {
        self.external_id || self.id_lookup
    }

    /// Whether its text can stand in a WHERE or ORDER BY.
    pub(super) fn is_filterable(&self) -> bool {
        self.kind != Kind::Address && !(self.kind == Kind::TextArea && self.length > 255)
    }

    /// The form in which two values of it are compared.
    pub(super) fn fold<'a>(&self, value: &'a str) -> std::borrow::Cow<'a, str> {
        if self.unique && self.case_sensitive || self.kind == Kind::Id { value.into() } else { value.to_lowercase().into() }
    }

    fn standard(spec: &Spec) -> Self {
        let (name, label, kind, length, flags, source) = *spec;
        Self {
            name: name.to_owned(),
            label: label.to_owned(),
            kind,
            length,
            createable: flags.contains('C'),
            updateable: flags.contains('U'),
            nillable: flags.contains('N'),
            defaulted: flags.contains('D'),
            external_id: false,
            unique: flags.contains('Q'),
            case_sensitive: false,
            id_lookup: matches!(kind, Kind::Id) || name == "Email",
            restricted: name.ends_with("GeocodeAccuracy") || name == "CleanStatus",
            custom: false,
            picks: picks(name),
            source,
            hidden: false,
        }
    }

    fn custom(spec: &CustomField) -> Self {
        let writable = !spec.read_only;
        Self {
            name: spec.name.clone(),
            label: if spec.label.is_empty() { spec.name.clone() } else { spec.label.clone() },
            kind: kind(spec.kind),
            length: length(spec),
            createable: writable,
            updateable: writable,
            nillable: !spec.required && spec.kind != CustomKind::Boolean,
            defaulted: spec.kind == CustomKind::Boolean,
            external_id: spec.external_id,
            unique: spec.unique,
            case_sensitive: spec.case_sensitive,
            id_lookup: spec.external_id,
            restricted: spec.restricted,
            custom: true,
            picks: spec.values.clone(),
            source: Source::Stored,
            hidden: spec.needs_grant,
        }
    }
}

/// One object with all its fields.
#[derive(Debug, Clone)]
pub(super) struct Schema {
    pub(super) object: Sobject,
    pub(super) fields: Vec<Field>,
    by_name: HashMap<String, u16>,
    by_folded: HashMap<String, u16>,
}

impl Schema {
    /// The object with those of the custom fields that belong to it.
    pub(super) fn new(object: Sobject, custom: &[CustomField]) -> Self {
        let own = custom.iter().filter(|field| field.object.eq_ignore_ascii_case(object.name())).map(Field::custom);
        let fields: Vec<Field> = object.standard().iter().map(Field::standard).chain(own).collect();
        let numbered = || fields.iter().zip(0_u16..);
        let by_name = numbered().map(|(field, number)| (field.name.clone(), number)).collect();
        let by_folded = numbered().map(|(field, number)| (field.name.to_ascii_lowercase(), number)).collect();
        Self { object, fields, by_name, by_folded }
    }

    /// The number of the visible field of that name.
    pub(super) fn number(&self, name: &str) -> Option<u16> {
        self.stored_number(name).filter(|number| !self.field(*number).hidden)
    }

    /// The number of the field of that name, whether or not the integration user sees it.
    pub(super) fn stored_number(&self, name: &str) -> Option<u16> {
        self.by_name.get(name).or_else(|| self.by_folded.get(&name.to_ascii_lowercase())).copied()
    }

    /// Shows or hides a field, and lets it be written or not.
    pub(super) fn grant(&mut self, name: &str, read: bool, edit: bool) {
        let Some(number) = self.stored_number(name) else { return };
        let field = &mut self.fields[usize::from(number)];
        field.hidden = !read;
        field.createable = edit;
        field.updateable = edit;
    }

    /// Takes a right to a field away.
    pub(super) fn withhold(&mut self, name: &str, read: bool, edit: bool) {
        let Some(number) = self.stored_number(name) else { return };
        let field = &mut self.fields[usize::from(number)];
        field.hidden |= !read;
        field.createable &= edit;
        field.updateable &= edit;
    }

    /// Every visible field with its number.
    pub(super) fn visible(&self) -> impl Iterator<Item = (u16, &Field)> {
        self.numbered().filter(|(_, field)| !field.hidden)
    }

    /// The field of that number, which `number` gave.
    pub(super) fn field(&self, number: u16) -> &Field {
        &self.fields[usize::from(number)]
    }

    /// Every field with its number.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (u16, &Field)> {
        (0_u16..).zip(self.fields.iter())
    }
}

fn kind(custom: CustomKind) -> Kind {
    match custom {
        CustomKind::Text => Kind::Text,
        CustomKind::TextArea => Kind::TextArea,
        CustomKind::Picklist => Kind::Picklist,
        CustomKind::Double => Kind::Double,
        CustomKind::Boolean => Kind::Boolean,
        CustomKind::Date => Kind::Date,
        CustomKind::DateTime => Kind::DateTime,
        CustomKind::Email => Kind::Email,
        CustomKind::Phone => Kind::Phone,
        CustomKind::Url => Kind::Url,
    }
}

fn length(spec: &CustomField) -> u32 {
    match spec.kind {
        CustomKind::Text | CustomKind::TextArea | CustomKind::Picklist | CustomKind::Url => {
            if spec.length == 0 {
                255
            } else {
                spec.length
            }
        }
        CustomKind::Email => 80,
        CustomKind::Phone => 40,
        CustomKind::Double | CustomKind::Boolean | CustomKind::Date | CustomKind::DateTime => 0,
    }
}

fn picks(name: &str) -> Vec<String> {
    let values: &[&str] = match name {
        "Salutation" => &["Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx."],
        "LeadSource" => &["Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"],
        "Status" => &["Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted"],
        "Rating" => &["Hot", "Warm", "Cold"],
        "Industry" => &INDUSTRIES,
        "CleanStatus" => &["Matched", "Different", "Acknowledged", "NotFound", "Inactive", "Pending", "SelectMatch", "Skipped"],
        "GeocodeAccuracy" | "MailingGeocodeAccuracy" | "OtherGeocodeAccuracy" => &GEOCODE_ACCURACIES,
        _ => &[],
    };
    values.iter().map(|value| (*value).to_owned()).collect()
}

const GEOCODE_ACCURACIES: [&str; 11] =
    ["Address", "NearAddress", "Block", "Street", "ExtendedZip", "Zip", "Neighborhood", "City", "County", "State", "Unknown"];

const INDUSTRIES: [&str; 32] = [
    "Agriculture",
    "Apparel",
    "Banking",
    "Biotechnology",
    "Chemicals",
    "Communications",
    "Construction",
    "Consulting",
    "Education",
    "Electronics",
    "Energy",
    "Engineering",
    "Entertainment",
    "Environmental",
    "Finance",
    "Food & Beverage",
    "Government",
    "Healthcare",
    "Hospitality",
    "Insurance",
    "Machinery",
    "Manufacturing",
    "Media",
    "Not For Profit",
    "Recreation",
    "Retail",
    "Shipping",
    "Technology",
    "Telecommunications",
    "Transportation",
    "Utilities",
    "Other",
];
