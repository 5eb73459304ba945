//! What a run can choose about the emulated Salesforce org.
//!
//! Promises: every field has a default that gives a freshly prepared Developer Edition org; points on which
//! Salesforce's own behaviour is not established are switches here, so that a client can be tried against both.
//! Leaves to others: reading these values from a file (the sandbox around it).

use serde::{Deserialize, Serialize};

use super::automation::Trigger;
use super::duplicates::DuplicateRule;
use crate::exchange::Millis;

/// Choices for one emulated org.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SalesforceConfig {
    /// API requests allowed in any rolling 24 hours.
    pub quota_day: u32,
    /// How long a token lives after its last use.
    pub token_life_ms: Millis,
    /// Consumer key of the one connected app.
    pub client_id: String,
    /// Consumer secret of the one connected app.
    pub client_secret: String,
    /// A token that always lives, for clients that cannot be sent to another token endpoint; empty for none.
    pub preshared_token: String,
    /// A refresh token that is good from the start; empty for none.
    pub refresh_token: String,
    /// Whether a refresh gives a new refresh token and ends the old one.
    pub rotates_refresh_token: bool,
    /// Whether a refresh needs the app's secret.
    pub refresh_needs_secret: bool,
    /// Whether the username-password grant is allowed, which newer orgs block.
    pub allows_password: bool,
    /// Name of the integration user.
    pub username: String,
    /// Password of the integration user.
    pub password: String,
    /// What the integration user appends to the password.
    pub security_token: String,
    /// The app's certificate or RSA public key as PEM; without it no assertion is good.
    pub jwt_certificate: String,
    /// Whether the user is allowed to the app beforehand, as assertions need.
    pub jwt_approved: bool,
    /// The org's id, 18 characters.
    pub org_id: String,
    /// Where a token answer sends the client for data calls.
    pub instance_url: String,
    /// Where the identity URL of a token answer points; empty for the instance URL.
    pub login_url: String,
    /// Oldest API version that is served; older ones answer 410.
    pub version_min: u16,
    /// Newest API version that is served; newer ones answer 404.
    pub version_max: u16,
    /// API name of the external key field on Lead and Contact.
    pub external_key_name: String,
    /// How the external key field was set up.
    pub external_key: ExternalKey,
    /// Further custom fields.
    pub custom_fields: Vec<CustomField>,
    /// Duplicate rules; an org of one's own begins with none, a new one at Salesforce with rules for Contact and Lead.
    pub duplicate_rules: Vec<DuplicateRule>,
    /// Who gets every lead that a client saves, by an active assignment rule: the id of a user or a queue; empty for no rule.
    pub lead_assignment_owner: String,
    /// Triggers that change what is saved.
    pub triggers: Vec<Trigger>,
    /// Requests that may run for twenty seconds or longer at one time.
    pub concurrent_long_max: usize,
    /// Status of the `invalid_client` answer of the token endpoint: 400 or 401.
    pub invalid_client_status: u16,
    /// Error code of a GET on a row in the recycle bin.
    pub bin_get_code: BinGetCode,
    /// How long a query locator can be continued.
    pub locator_life_ms: Millis,
    /// Most rows of one query page, for trying short pages.
    pub page_rows_max: usize,
    /// Whether only ASCII email addresses pass validation.
    pub email_ascii_only: bool,
    /// Whether text is trimmed and email lower-cased on save.
    pub trims_text: bool,
    /// Whether the record id in a `DUPLICATE_VALUE` text has 15 characters in place of 18.
    pub duplicate_id_short: bool,
}

/// How the external key field of an org was set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExternalKey {
    /// External id, unique, case-sensitive: as it should be.
    Unique,
    /// External id, unique without regard to case.
    UniqueIgnoringCase,
    /// External id that is not marked unique.
    NotUnique,
    /// Nobody created the field.
    Absent,
}

/// What a GET on a row in the recycle bin is told; both are seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BinGetCode {
    /// `ENTITY_IS_DELETED`.
    EntityIsDeleted,
    /// `NOT_FOUND`.
    NotFound,
}

/// A custom field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomField {
    /// `Lead`, `Contact` or `Account`.
    pub object: String,
    /// API name, ending in `__c`.
    pub name: String,
    /// Label; the name if empty.
    #[serde(default)]
    pub label: String,
    /// What it holds.
    pub kind: CustomKind,
    /// Longest text in UTF-16 units; without meaning for other kinds.
    #[serde(default)]
    pub length: u32,
    /// Usable as a key of an upsert.
    #[serde(default)]
    pub external_id: bool,
    /// No two live rows may have one value.
    #[serde(default)]
    pub unique: bool,
    /// Whether values that differ in case only are different.
    #[serde(default)]
    pub case_sensitive: bool,
    /// Values of a picklist.
    #[serde(default)]
    pub values: Vec<String>,
    /// Whether a picklist refuses values that are not listed.
    #[serde(default)]
    pub restricted: bool,
    /// Needed at create.
    #[serde(default)]
    pub required: bool,
    /// Neither createable nor updateable, as a formula.
    #[serde(default)]
    pub read_only: bool,
    /// Hidden from the integration user until a permission set grants it.
    #[serde(default)]
    pub needs_grant: bool,
}

/// What a custom field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomKind {
    /// One line of text.
    Text,
    /// Several lines of text.
    TextArea,
    /// One of some values.
    Picklist,
    /// A number.
    Double,
    /// A yes or no.
    Boolean,
    /// A day without zone.
    Date,
    /// An instant.
    DateTime,
    /// An email address.
    Email,
    /// A telephone number.
    Phone,
    /// A web address.
    Url,
}

impl Default for SalesforceConfig {
    fn default() -> Self {
        Self {
            quota_day: 15_000,
            token_life_ms: 2 * 60 * 60 * 1000,
            client_id: "sandbox-client".to_owned(),
            client_secret: "sandbox-secret".to_owned(),
            preshared_token: String::new(),
            refresh_token: "sandbox-refresh-token".to_owned(),
            rotates_refresh_token: false,
            refresh_needs_secret: true,
            allows_password: true,
            username: "integration@sandbox.example".to_owned(),
            password: "sandbox-password".to_owned(),
            security_token: "SandboxToken".to_owned(),
            jwt_certificate: String::new(),
            jwt_approved: true,
            org_id: "00D5g000004Kp7QEAS".to_owned(),
            instance_url: "http://127.0.0.1".to_owned(),
            login_url: "https://login.salesforce.com".to_owned(),
            version_min: 31,
            version_max: 67,
            external_key_name: "Syncline_Id__c".to_owned(),
            external_key: ExternalKey::Unique,
            custom_fields: Vec::new(),
            duplicate_rules: Vec::new(),
            lead_assignment_owner: String::new(),
            triggers: Vec::new(),
            concurrent_long_max: 5,
            invalid_client_status: 400,
            bin_get_code: BinGetCode::EntityIsDeleted,
            locator_life_ms: 48 * 60 * 60 * 1000,
            page_rows_max: 2_000,
            email_ascii_only: true,
            trims_text: false,
            duplicate_id_short: false,
        }
    }
}

impl SalesforceConfig {
    /// The custom fields that the org starts with, external keys first.
    #[must_use]
    pub fn starting_fields(&self) -> Vec<CustomField> {
        let key = |object: &str| CustomField {
            object: object.to_owned(),
            name: self.external_key_name.clone(),
            label: "Syncline Id".to_owned(),
            kind: CustomKind::Text,
            length: 64,
            external_id: true,
            unique: self.external_key != ExternalKey::NotUnique,
            case_sensitive: self.external_key == ExternalKey::Unique,
            values: Vec::new(),
            restricted: false,
            required: false,
            read_only: false,
            needs_grant: false,
        };
        let keys = if self.external_key == ExternalKey::Absent { Vec::new() } else { vec![key("Lead"), key("Contact")] };
        keys.into_iter().chain(self.custom_fields.iter().cloned()).collect()
    }
}
