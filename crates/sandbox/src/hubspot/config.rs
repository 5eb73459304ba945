//! What can be set on the emulated HubSpot account, and the answers chosen where HubSpot's behaviour is not confirmed.
//!
//! Promises: `Default` is an account that an integration meets on its first day: one private-app token, 100 calls in 10 s,
//! 250,000 a day counted in Berlin time, the unique property `syncline_id` in place.
//! Leaves to others: what the values do (`quota`, `schema`, `write`).

use serde::{Deserialize, Serialize};

use super::owners::Owner;

/// Settings of one emulated account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HubSpotConfig {
    /// The account's own number, reported by `account-info`.
    pub portal_id: u64,
    /// Bearer tokens that are accepted for everything.
    pub tokens: Vec<String>,
    /// Private-app tokens and service keys with some scopes only.
    pub scoped_tokens: Vec<ScopedToken>,
    /// The OAuth app that may be connected.
    pub oauth: OAuthApp,
    /// Calls in any ten seconds by an OAuth app.
    pub quota_oauth_ten_seconds: u32,
    /// Calls in any ten seconds by a private app.
    pub quota_ten_seconds: u32,
    /// Calls from midnight to midnight in `time_zone`.
    pub quota_day: u64,
    /// Searches in any second.
    pub quota_search_second: u32,
    /// IANA name; says when the day's count starts anew.
    pub time_zone: String,
    /// Whether the unique text property `syncline_id` exists from the start.
    pub has_external_key: bool,
    /// Further custom properties that exist from the start.
    pub properties: Vec<ExtraProperty>,
    /// Custom properties that something in the account uses, so that they cannot be archived.
    pub properties_in_use: Vec<String>,
    /// Properties that every contact must have, which only the 2026-09 paths enforce.
    pub required_properties: Vec<String>,
    /// People who can own contacts.
    pub owners: Vec<Owner>,
    /// How far searches lag behind: they find contacts as they stood that long ago, new and changed ones alike. Archived and merged ones vanish
    /// at once.
    pub search_lag_ms: i64,
    /// Id of the first contact; later ones count up.
    pub first_id: u64,
    /// What to do where HubSpot's behaviour is not confirmed.
    pub switches: Switches,
}

impl Default for HubSpotConfig {
    fn default() -> Self {
        Self {
            portal_id: 4_400_123,
            tokens: vec!["pat-sandbox-1".to_owned()],
            scoped_tokens: Vec::new(),
            oauth: OAuthApp::default(),
            quota_oauth_ten_seconds: 110,
            quota_ten_seconds: 100,
            quota_day: 250_000,
            quota_search_second: 5,
            time_zone: "Europe/Berlin".to_owned(),
            has_external_key: true,
            properties: Vec::new(),
            properties_in_use: Vec::new(),
            required_properties: Vec::new(),
            owners: vec![Owner {
                id: 41_629_779,
                user_id: 991,
                email: "ops@acme.example".to_owned(),
                first_name: "Olga".to_owned(),
                last_name: "Perez".to_owned(),
            }],
            search_lag_ms: 0,
            first_id: 88_012_345_601,
            switches: Switches::default(),
        }
    }
}

/// A token that never runs out and may do some things only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopedToken {
    /// The bearer token.
    pub token: String,
    /// What it may do, for example `crm.objects.contacts.read`.
    pub scopes: Vec<String>,
}

/// An OAuth app and the person who connects it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OAuthApp {
    /// The app's number.
    pub app_id: u64,
    /// Public name of the app.
    pub client_id: String,
    /// The app's secret.
    pub client_secret: String,
    /// Where a browser may be sent back to; anywhere when empty.
    pub redirect_uris: Vec<String>,
    /// Scopes that the app may ask for; refresh tokens from the start have all of them.
    pub scopes: Vec<String>,
    /// Refresh tokens that exist from the start.
    pub refresh_tokens: Vec<String>,
    /// Whether a refresh gives a new refresh token and ends the old one; HubSpot keeps the right to.
    pub rotates_refresh_token: bool,
    /// How long an access token lives.
    pub access_token_seconds: i64,
    /// Mail address of the person who consents.
    pub user: String,
    /// Number of the person who consents.
    pub user_id: u64,
    /// The account is gone for the app: every token request is refused with `BAD_HUB`.
    pub is_uninstalled: bool,
}

impl Default for OAuthApp {
    fn default() -> Self {
        let scopes = [
            "oauth",
            "crm.objects.contacts.read",
            "crm.objects.contacts.write",
            "crm.schemas.contacts.read",
            "crm.schemas.contacts.write",
            "crm.objects.companies.read",
            "crm.objects.companies.write",
            "crm.objects.owners.read",
        ];
        Self {
            app_id: 77_001,
            client_id: "sandbox-app".to_owned(),
            client_secret: "sandbox-app-secret".to_owned(),
            redirect_uris: Vec::new(),
            scopes: scopes.map(str::to_owned).into(),
            refresh_tokens: vec!["eu1-sandbox-refresh-1".to_owned()],
            rotates_refresh_token: false,
            access_token_seconds: 1800,
            user: "ops@acme.example".to_owned(),
            user_id: 991,
            is_uninstalled: false,
        }
    }
}

/// A custom property given by configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtraProperty {
    /// Internal name: lower-case letters, digits, underscores.
    pub name: String,
    /// `string`, `number`, `bool`, `enumeration`, `date`, `datetime` or `phone_number`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether two live contacts may not hold the same value.
    #[serde(default)]
    pub unique: bool,
    /// Internal values of an enumeration.
    #[serde(default)]
    pub options: Vec<String>,
}

/// One choice per point on which no public recording settles what HubSpot does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// Creating a contact without email, first and last name is refused.
    pub identity_required: bool,
    /// A JSON `null` clears the property; otherwise it leaves it alone.
    pub null_clears: bool,
    /// Writing values that are already stored still moves `lastmodifieddate`.
    pub unchanged_write_bumps: bool,
    /// An upsert that creates takes the key property from the input's `id` when `properties` lacks it.
    pub upsert_fills_key: bool,
    /// Text values lose the white space around them.
    pub text_trimmed: bool,
    /// A merge keeps the primary's id instead of giving a new one.
    pub merge_keeps_id: bool,
    /// A 429 carries `Retry-After`.
    pub retry_after: bool,
    /// Archiving what is archived or was never there answers 404 in place of 204.
    pub second_archive_missing: bool,
    /// Changing an email to one that another contact has answers 400 in place of 409.
    pub email_change_clash_invalid: bool,
    /// A batch read by an id that was merged away answers the survivor in place of missing it.
    pub batch_read_follows_merges: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            identity_required: false,
            null_clears: true,
            unchanged_write_bumps: true,
            upsert_fills_key: false,
            text_trimmed: false,
            merge_keeps_id: false,
            retry_after: false,
            second_archive_missing: false,
            email_change_clash_invalid: false,
            batch_read_follows_merges: false,
        }
    }
}
