//! What a HubSpot system needs to be told, and what it takes if told nothing more.
//!
//! Promises: the profile follows HubSpot's documented limits of the smallest account; the default terms are the ones of the
//! specification.
//! Leaves to others: reading files and secrets (`app`), checking the account itself (`schema`).

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

use crate::systems::object_use::ObjectUses;
use crate::systems::wire_form::{self, WireForm};
use crate::systems::refusals::clean_name;

/// The pool of calls in ten rolling seconds.
pub const BURST: &str = "burst";
/// The pool of calls in one day of the account.
pub const DAY: &str = "day";
/// The pool of searches in one second.
pub const SEARCH: &str = "search";
/// Where HubSpot answers for every account.
pub const ADDRESS: &str = "https://api.hubapi.com";
/// Inputs of one batch call.
pub const BATCH_MAX: usize = 100;

/// How calls are allowed.
#[derive(Debug, Clone)]
pub enum SignIn {
    /// By the token of a private app or a service key, which does not expire.
    Token(SecretString),
    /// By tokens of half an hour each, which an app's refresh token brings.
    OAuth(OAuthApp),
}

/// An app that a person has connected to the account.
#[derive(Debug, Clone)]
pub struct OAuthApp {
    /// The app's id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// The refresh token as configured.
    pub refresh_token: SecretString,
}

/// The settings of one HubSpot system.
#[derive(Debug, Clone)]
pub struct Settings {
    /// HubSpot's address.
    pub url: Url,
    /// How calls are allowed.
    pub sign_in: SignIn,
    /// The API version: `v3`, or a date such as `2026-03`.
    pub api_version: String,
    /// The objects that are written, and how.
    pub objects: ObjectUses,
    /// How long a request may take.
    pub timeout: Duration,
    /// How long after that HubSpot may still carry it out.
    pub linger_max: Duration,
    /// Requests under way at once.
    pub concurrency: usize,
    /// Calls in ten seconds, until the account says.
    pub burst_limit: u64,
    /// Calls in a day, until the account says.
    pub day_limit: u64,
}

/// The sizes of an account's pools, and where its day begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// Calls in ten seconds.
    pub burst: u64,
    /// Calls in a day.
    pub day: u64,
    /// The account's time zone.
    pub zone: String,
}

impl WireForm for Settings {
    fn to_json(&self, _object: &str, fields: &ExternalFields) -> serde_json::Value {
        wire_form::nested(fields)
    }

    fn read_json(&self, record: &serde_json::Value) -> Result<ExternalFields, String> {
        wire_form::read_nested(record)
    }
}

impl Settings {
    /// Settings of a static token, with HubSpot's own figures for everything that is not named.
    #[must_use]
    pub fn new(url: Url, token: SecretString, objects: ObjectUses) -> Self {
        Self::signed_in_by(SignIn::Token(token), url, objects)
    }

    /// Settings with HubSpot's own figures for everything that is not named.
    #[must_use]
    pub fn signed_in_by(sign_in: SignIn, url: Url, objects: ObjectUses) -> Self {
        Self {
            url,
            sign_in,
            api_version: "v3".to_owned(),
            objects,
            timeout: Duration::from_secs(30),
            linger_max: Duration::from_secs(300),
            concurrency: 6,
            burst_limit: 100,
            day_limit: 250_000,
        }
    }

    /// The pools as long as nothing is known of the account.
    #[must_use]
    pub fn allowance(&self) -> Allowance {
        Allowance { burst: self.burst_limit, day: self.day_limit, zone: "UTC".to_owned() }
    }

    /// What the writer can take with pools of that size.
    #[must_use]
    pub fn profile(&self, allowance: &Allowance) -> Profile {
        let pool = |name: &str, limit, window| PoolSpec { name: name.to_owned(), limit, window };
        let draws = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        Profile {
            batch_max: Operation::ALL.into_iter().map(|operation| (operation, BATCH_MAX)).collect(),
            read_max: BATCH_MAX,
            timeout: self.timeout,
            linger_max: self.linger_max,
            concurrency: self.concurrency,
            pools: vec![
                pool(BURST, allowance.burst, Window::Rolling(Duration::from_secs(10))),
                pool(DAY, allowance.day, Window::Midnight(allowance.zone.clone())),
                pool(SEARCH, 5, Window::Rolling(Duration::from_secs(1))),
            ],
            draws: BTreeMap::from([
                (Call::Token, Vec::new()),
                (Call::Connect, draws(&[BURST, DAY])),
                (Call::Look, draws(&[BURST, DAY])),
                (Call::Write, draws(&[BURST, DAY])),
                (Call::Read, draws(&[BURST, DAY])),
                (Call::Count, draws(&[SEARCH, DAY])),
            ]),
        }
    }

    /// What speaks against the settings themselves, if anything.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        let dated = self
            .api_version
            .split_once('-')
            .is_some_and(|(year, month)| year.parse::<u16>().is_ok() && month.parse::<u8>().is_ok());
        if self.api_version != "v3" && !dated {
            return Some("api_version must be v3 or a date such as 2026-03".to_owned());
        }
        let names = self
            .objects
            .iter()
            .flat_map(|(object, used)| [object, &used.key_field].into_iter().chain(&used.written).chain(&used.filled));
        for name in names {
            if clean_name(name).is_none() {
                return Some(format!("{name:?} is no name of a HubSpot object or property"));
            }
        }
        None
    }
}

/// Our key's property, as it is suggested.
pub const KEY_FIELD: &str = "syncline_id";
/// The one object.
pub const CONTACTS: &str = "contacts";
/// The longest text of a property.
const TEXT_MAX: usize = 65_536;

/// The terms of `contacts` between the internal system and HubSpot where nothing else was agreed.
///
/// # Errors
/// If a row contradicts itself, which a test rules out.
pub fn default_terms(internal: &str, external: &str) -> Result<Terms, RowFault> {
    let row = |ours: &str, theirs: &[&str], codec, field_type| {
        let theirs = theirs.iter().map(|field| (*field).to_owned()).collect();
        Row::new(ours, vec![ours.into()], theirs, codec, RecordAuthority::SystemA, field_type)
    };
    let rule = |field: &str| (field.to_owned(), FieldRule { length_max: Some(TEXT_MAX), required: field == KEY_FIELD });
    let kinds = ["lead", "prospect", "employee", "customer", "partner", "vendor"];
    Ok(Terms {
        boundary: ["name", "email", "phone"]
            .into_iter()
            .fold(SyncBoundary::new("contacts", internal, external), |boundary, field| {
                boundary.with_field(field, RecordAuthority::SystemA)
            }),
        objects: kinds.into_iter().map(|kind| (kind.to_owned(), CONTACTS.to_owned())).collect(),
        key_field: KEY_FIELD.to_owned(),
        marker: None,
        rows: vec![
            row("name", &["firstname", "lastname"], Codec::SplitName, FieldType::Text)?,
            row("email", &["email"], Codec::Lower, FieldType::Email)?,
            row("phone", &["phone"], Codec::Same, FieldType::Phone)?,
        ],
        fillers: BTreeMap::new(),
        rules: BTreeMap::from([(CONTACTS.to_owned(), ["email", "firstname", "lastname", "phone", KEY_FIELD].map(rule).into())]),
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
        let uses = object_use::uses(&default_terms("internal", "hubspot").unwrap());
        assert_eq!(uses.keys().collect::<Vec<_>>(), [CONTACTS]);
        assert_eq!(uses[CONTACTS].written.iter().collect::<Vec<_>>(), ["email", "firstname", "lastname", "phone"]);
        let mut settings = Settings::new(Url::parse(ADDRESS).unwrap(), "t0ken".to_owned().into(), uses);
        assert_eq!(settings.complaint(), None);
        assert!(!format!("{settings:?}").contains("t0ken"));
        settings.api_version = "2026-09".into();
        assert_eq!(settings.complaint(), None);
        settings.api_version = "v4/../x".into();
        assert!(settings.complaint().is_some());
    }
}
