//! What a Salesforce system needs to be told, and what it takes if told nothing more.
//!
//! Promises: the profile follows Salesforce's documented limits; the default terms are the ones of the specification.
//! Leaves to others: reading files and secrets (`app`), checking the org itself (`schema`).

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::SecretString;
use syncline_core::attempt::Operation;
use syncline_core::boundary::{RecordAuthority, SyncBoundary};
use syncline_core::dispatch::batch::{Call, Profile};
use syncline_core::dispatch::quota::{PoolSpec, Window};
use syncline_core::outcome::ExternalFields;
use syncline_core::plan::mapping::{Codec, Row, RowFault};
use syncline_core::schema::FieldType;
use syncline_core::terms::{FieldRule, OnExisting, OnGone, Terms};
use url::Url;

pub use super::auth::PrivateKey;
use crate::systems::object_use::ObjectUses;
use crate::systems::wire_form::{self, WireForm};

/// The pool of API requests in 24 rolling hours.
pub const DAY: &str = "day";
/// Records of one Collections call.
pub const WRITE_MAX: usize = 200;
/// Records of one read; by key they all have to fit the address.
pub const READ_MAX: usize = 100;
/// Salesforce refuses addresses above 16,384 bytes; the host needs some of them.
pub const TARGET_BYTES_MAX: usize = 16_000;
/// The first version whose Collections take an external key.
pub const VERSION_MIN: u32 = 46;

/// How a token is got.
#[derive(Debug, Clone)]
pub enum SignIn {
    /// By the app's own secret; it acts as the app's execution user.
    ClientCredentials {
        /// The app's consumer key.
        id: String,
        /// Its consumer secret.
        secret: SecretString,
    },
    /// By an assertion that a private key signs; the app holds its certificate.
    JwtBearer {
        /// The app's consumer key.
        client_id: String,
        /// Who is acted as.
        username: String,
        /// Whom the assertion is for.
        audience: String,
        /// The key that signs.
        key: PrivateKey,
    },
    /// By a refresh token that a person's sign-in left, or the one that took its place.
    RefreshToken {
        /// The app's consumer key.
        client_id: String,
        /// Its consumer secret, unless the app waives it.
        client_secret: Option<SecretString>,
        /// The token as configured.
        refresh_token: SecretString,
    },
}

/// Whom an assertion is for unless it is said.
pub const AUDIENCE: &str = "https://login.salesforce.com";

/// The settings of one Salesforce system.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The org's My Domain address.
    pub url: Url,
    /// How a token is got.
    pub sign_in: SignIn,
    /// The API version, `66.0`.
    pub api_version: String,
    /// The objects that are written, and how.
    pub objects: ObjectUses,
    /// How long a request may take.
    pub timeout: Duration,
    /// How long after that Salesforce may still carry it out.
    pub linger_max: Duration,
    /// Requests under way at once.
    pub concurrency: usize,
    /// API requests in 24 hours, until the org says.
    pub day_limit: u64,
}

impl WireForm for Settings {
    fn to_json(&self, object: &str, fields: &ExternalFields) -> serde_json::Value {
        wire_form::flat(object, fields)
    }

    fn read_json(&self, record: &serde_json::Value) -> Result<ExternalFields, String> {
        wire_form::read_flat(record)
    }
}

impl Settings {
    /// Settings of an app with client credentials, with Salesforce's own figures for everything that is not named.
    #[must_use]
    pub fn new(url: Url, client_id: String, client_secret: SecretString, objects: ObjectUses) -> Self {
        Self::signed_in_by(SignIn::ClientCredentials { id: client_id, secret: client_secret }, url, objects)
    }

    /// Settings with Salesforce's own figures for everything that is not named.
    #[must_use]
    pub fn signed_in_by(sign_in: SignIn, url: Url, objects: ObjectUses) -> Self {
        Self {
            url,
            sign_in,
            api_version: "66.0".to_owned(),
            objects,
            timeout: Duration::from_secs(60),
            // A REST call may run for ten minutes before Salesforce itself gives it up.
            linger_max: Duration::from_secs(600),
            concurrency: 5,
            day_limit: 15_000,
        }
    }

    /// What the writer can take with a pool of that size.
    #[must_use]
    pub fn profile(&self, day_limit: u64) -> Profile {
        let day = || vec![DAY.to_owned()];
        Profile {
            batch_max: Operation::ALL.into_iter().map(|operation| (operation, WRITE_MAX)).collect(),
            read_max: READ_MAX,
            timeout: self.timeout,
            linger_max: self.linger_max,
            concurrency: self.concurrency,
            pools: vec![PoolSpec {
                name: DAY.to_owned(),
                limit: day_limit,
                window: Window::Rolling(Duration::from_secs(86_400)),
            }],
            draws: BTreeMap::from([
                (Call::Token, Vec::new()),
                (Call::Connect, day()),
                (Call::Look, day()),
                (Call::Write, day()),
                (Call::Read, day()),
                (Call::Count, day()),
            ]),
        }
    }

    /// What speaks against the settings themselves, if anything.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        let version = self.api_version.strip_suffix(".0").and_then(|number| number.parse::<u32>().ok());
        if version.is_none_or(|number| number < VERSION_MIN) {
            return Some(format!("api_version must be a version such as 66.0, and {VERSION_MIN}.0 at least"));
        }
        let names = self
            .objects
            .iter()
            .flat_map(|(object, used)| [object, &used.key_field].into_iter().chain(&used.written).chain(&used.filled));
        for name in names {
            if crate::systems::refusals::clean_name(name).is_none() {
                return Some(format!("{name:?} is no name of a Salesforce object or field"));
            }
        }
        None
    }
}

/// Our key's field, as it is suggested.
pub const KEY_FIELD: &str = "Syncline_Id__c";
/// What a Lead's company is where nothing is known of it.
pub const NO_COMPANY: &str = "[not provided]";

/// The terms of `contacts` between the internal system and Salesforce where nothing else was agreed.
///
/// # Errors
/// If a row contradicts itself, which a test rules out.
pub fn default_terms(internal: &str, external: &str) -> Result<Terms, RowFault> {
    let row = |ours: &str, theirs: &[&str], codec, field_type| {
        let theirs = theirs.iter().map(|field| (*field).to_owned()).collect();
        Row::new(ours, vec![ours.into()], theirs, codec, RecordAuthority::SystemA, field_type)
    };
    let objects = [
        ("lead", "Lead"),
        ("prospect", "Lead"),
        ("employee", "Contact"),
        ("customer", "Contact"),
        ("partner", "Contact"),
        ("vendor", "Contact"),
    ];
    let rule = |field: &str, length: usize, required| (field.to_owned(), FieldRule { length_max: Some(length), required });
    let common = [
        rule("LastName", 80, true),
        rule("FirstName", 40, false),
        rule("Email", 80, false),
        rule("Phone", 40, false),
        rule(KEY_FIELD, 64, true),
    ];
    Ok(Terms {
        boundary: ["name", "email", "phone"]
            .into_iter()
            .fold(SyncBoundary::new("contacts", internal, external), |boundary, field| {
                boundary.with_field(field, RecordAuthority::SystemA)
            }),
        objects: objects.into_iter().map(|(kind, object)| (kind.to_owned(), object.to_owned())).collect(),
        key_field: KEY_FIELD.to_owned(),
        marker: None,
        rows: vec![
            row("name", &["FirstName", "LastName"], Codec::SplitName, FieldType::Text)?,
            row("email", &["Email"], Codec::Same, FieldType::Email)?,
            row("phone", &["Phone"], Codec::Same, FieldType::Phone)?,
        ],
        fillers: BTreeMap::from([("Lead".to_owned(), vec![("Company".to_owned(), NO_COMPANY.to_owned())])]),
        rules: BTreeMap::from([
            ("Lead".to_owned(), common.clone().into_iter().chain([rule("Company", 255, true)]).collect()),
            ("Contact".to_owned(), common.into_iter().collect()),
        ]),
        on_existing: OnExisting::default(),
        on_gone: OnGone::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systems::object_use;

    #[test]
    fn the_default_terms_hold_together_and_say_what_is_written() {
        let terms = default_terms("internal", "salesforce").unwrap();
        assert_eq!(terms.boundary.synced_fields(), ["name", "email", "phone"]);
        let uses = object_use::uses(&terms);
        assert_eq!(uses.keys().collect::<Vec<_>>(), ["Contact", "Lead"]);
        assert_eq!(uses["Lead"].written.iter().collect::<Vec<_>>(), ["Email", "FirstName", "LastName", "Phone"]);
        assert_eq!(uses["Lead"].filled.iter().collect::<Vec<_>>(), ["Company"]);
        assert!(uses["Contact"].filled.is_empty());
        let mut settings =
            Settings::new(Url::parse("https://acme.my.salesforce.com").unwrap(), "id".into(), "secret".to_owned().into(), uses);
        assert_eq!(settings.complaint(), None);
        assert!(!format!("{settings:?}").contains("secret\""));
        settings.api_version = "45.0".into();
        assert!(settings.complaint().is_some());
        settings.api_version = "66".into();
        assert!(settings.complaint().is_some());
    }
}
