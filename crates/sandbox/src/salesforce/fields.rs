//! Fields that a client creates, and who sees them.
//!
//! Promises: a field made through the tooling interface is seen by nobody until a permission set with a grant for it is
//! assigned to the integration user; whatever grants come or go, the schema follows at once.
//! Leaves to others: the rows of the grants (`write`), the describe answer (`schema::describe`).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::call::{Answer, Call};
use super::config::{CustomField, CustomKind};
use super::errors::Fault;
use super::org::{Org, Row};
use super::schema::Sobject;
use super::{ids, wire};

/// Longest text of a text field.
const TEXT_MAX: u32 = 255;

#[derive(Debug, Deserialize)]
struct Asked {
    #[serde(rename = "FullName")]
    full_name: String,
    #[serde(rename = "Metadata")]
    metadata: Metadata,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(rename = "type")]
    kind: String,
    label: Option<String>,
    length: Option<u32>,
    #[serde(default)]
    external_id: bool,
    #[serde(default)]
    unique: bool,
    #[serde(default)]
    case_sensitive: bool,
    #[serde(default)]
    required: bool,
    value_set: Option<ValueSet>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ValueSet {
    #[serde(default)]
    restricted: bool,
    value_set_definition: Option<Definition>,
}

#[derive(Debug, Deserialize)]
struct Definition {
    #[serde(default)]
    value: Vec<PickValue>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PickValue {
    full_name: Option<String>,
    value_name: Option<String>,
}

/// POST on the tooling interface's CustomField.
pub(super) fn create(org: &mut Org, call: &Call<'_>) -> Answer {
    let asked: Asked = call.body()?;
    let field = field(asked).map_err(|fault| vec![fault])?;
    let object = Sobject::named(&field.object)
        .filter(|object| object.holds_data())
        .ok_or_else(|| vec![wrong(format!("Entity {} does not exist or takes no custom fields", field.object))])?;
    if org.table(object).schema.stored_number(&field.name).is_some() {
        let plain = field.name.trim_end_matches("__c");
        let message = format!("There is already a field named {plain} on {}.", object.name());
        return Err(vec![Fault::request(400, "DUPLICATE_DEVELOPER_NAME", message)]);
    }
    let number = u64::try_from(org.custom.len()).unwrap_or(0);
    let mut custom = org.custom.clone();
    custom.push(CustomField { object: object.name().to_owned(), needs_grant: true, ..field });
    org.set_custom(custom);
    org.apply_grants();
    org.described = Some(call.now);
    let id = ids::make("00N", number);
    let mut response = wire::json(201, &json!({ "id": id, "success": true, "errors": [], "warnings": [], "infos": [] }));
    response.headers.push(("Location".to_owned(), format!("/services/data/v{}.0/tooling/sobjects/CustomField/{id}", call.version)));
    Ok(response)
}

fn field(asked: Asked) -> Result<CustomField, Fault> {
    let Asked { full_name, metadata } = asked;
    let (object, name) = full_name.split_once('.').ok_or_else(|| wrong("FullName must be Object.Field__c".to_owned()))?;
    let is_word = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let plain = name.strip_suffix("__c").filter(|plain| is_word(plain) && plain.len() <= 40 && !plain.contains("__"));
    if plain.is_none() {
        return Err(wrong(format!("The name {name} is no custom field's: letters, digits and single underscores, then __c")));
    }
    let kind = kind(&metadata.kind).ok_or_else(|| wrong(format!("Invalid field type: {}", metadata.kind)))?;
    let length = metadata.length.unwrap_or(0);
    if kind == CustomKind::Text && !(1..=TEXT_MAX).contains(&length) {
        return Err(wrong(format!("Text length must be from 1 to {TEXT_MAX}")));
    }
    let label = metadata.label.filter(|label| !label.is_empty()).ok_or_else(|| wrong("Label is required".to_owned()))?;
    let definition = metadata.value_set.map(|set| (set.restricted, set.value_set_definition));
    let (restricted, values) = definition.map_or((false, Vec::new()), |(restricted, definition)| {
        let values = definition.map_or_else(Vec::new, |definition| definition.value);
        (restricted, values.into_iter().filter_map(|value| value.full_name.or(value.value_name)).collect())
    });
    Ok(CustomField {
        object: object.to_owned(),
        name: name.to_owned(),
        label,
        kind,
        length,
        external_id: metadata.external_id,
        unique: metadata.unique,
        case_sensitive: metadata.case_sensitive,
        values,
        restricted,
        required: metadata.required,
        read_only: false,
        needs_grant: true,
    })
}

fn kind(name: &str) -> Option<CustomKind> {
    match name {
        "Text" => Some(CustomKind::Text),
        "TextArea" | "LongTextArea" => Some(CustomKind::TextArea),
        "Picklist" => Some(CustomKind::Picklist),
        "Number" | "Currency" | "Percent" => Some(CustomKind::Double),
        "Checkbox" => Some(CustomKind::Boolean),
        "Date" => Some(CustomKind::Date),
        "DateTime" => Some(CustomKind::DateTime),
        "Email" => Some(CustomKind::Email),
        "Phone" => Some(CustomKind::Phone),
        "Url" => Some(CustomKind::Url),
        _ => None,
    }
}

fn wrong(message: String) -> Fault {
    Fault::request(400, "FIELD_INTEGRITY_EXCEPTION", message)
}

impl Org {
    /// Leaves the integration user only so much of a field from now on; both true gives all back.
    pub(super) fn secure(&mut self, object: Sobject, name: &str, (read, edit): (bool, bool)) -> Result<(), String> {
        let schema = &self.table(object).schema;
        let number = schema.stored_number(name).ok_or_else(|| format!("{} has no field {name}", object.name()))?;
        let path = format!("{}.{}", object.name(), schema.field(number).name);
        if read && edit {
            self.withheld.remove(&path);
        } else {
            self.withheld.insert(path, (read, edit));
        }
        self.rebuild();
        Ok(())
    }

    /// Builds every schema anew: from the fields, then the grants, then what is withheld.
    pub(super) fn rebuild(&mut self) {
        self.set_custom(self.custom.clone());
        self.apply_grants();
    }

    /// Brings the schema in line with the grants that there are, and with what is withheld.
    pub(super) fn apply_grants(&mut self) {
        self.apply_permission_sets();
        for (path, (read, edit)) in self.withheld.clone() {
            let (object, name) = path.split_once('.').unwrap_or((&path, ""));
            if let Some(object) = Sobject::named(object) {
                self.withhold(object, name, read, edit);
            }
        }
    }

    fn apply_permission_sets(&mut self) {
        let needing: Vec<(String, String)> =
            self.custom.iter().filter(|field| field.needs_grant).map(|field| (field.object.clone(), field.name.clone())).collect();
        if needing.is_empty() {
            return;
        }
        let granted = self.granted();
        for (object, name) in needing {
            let Some(object) = Sobject::named(&object) else { continue };
            let key = format!("{}.{name}", object.name()).to_ascii_lowercase();
            let (read, edit) = granted.get(&key).copied().unwrap_or((false, false));
            self.grant(object, &name, read, edit);
        }
    }

    /// Read and edit by lower-case `object.field`, over the permission sets of the integration user.
    fn granted(&self) -> BTreeMap<String, (bool, bool)> {
        let text = |object: Sobject, row: &Row, name: &str| {
            let number = self.table(object).schema.stored_number(name);
            number.and_then(|number| row.get(number)).unwrap_or("").to_owned()
        };
        let live = |object: Sobject| self.table(object).rows.values().filter(|row| !row.deleted);
        let sets: Vec<String> = live(Sobject::PermissionSetAssignment)
            .filter(|row| text(Sobject::PermissionSetAssignment, row, "AssigneeId") == ids::INTEGRATION_USER)
            .map(|row| text(Sobject::PermissionSetAssignment, row, "PermissionSetId"))
            .collect();
        let mut granted: BTreeMap<String, (bool, bool)> = BTreeMap::new();
        for row in live(Sobject::FieldPermissions) {
            let is = |name: &str| text(Sobject::FieldPermissions, row, name) == "true";
            if sets.contains(&text(Sobject::FieldPermissions, row, "ParentId")) {
                let entry = granted.entry(text(Sobject::FieldPermissions, row, "Field").to_ascii_lowercase()).or_default();
                *entry = (entry.0 || is("PermissionsRead"), entry.1 || is("PermissionsEdit"));
            }
        }
        granted
    }
}
