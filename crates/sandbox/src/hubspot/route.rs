//! Which operation a method and path mean.
//!
//! Promises: `/crm/v3/objects/contacts`, `/crm/objects/{version}/contacts` and the singular and `0-1` spellings mean the same;
//! a trailing slash is ignored; path segments are percent-decoded, `+` stays `+`.
//! Leaves to others: doing it (`mod`).

use super::batch::Verb;
use crate::exchange::Request;

/// One operation of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    List,
    Create,
    Read(String),
    Update(String),
    Archive(String),
    Search,
    BatchRead,
    BatchWrite(Verb),
    BatchArchive,
    PropertyList,
    PropertyRead(String),
    PropertyCreate,
    AccountDetails,
    ApiUsage,
    Authorize,
    Token(String),
    Introspect,
    Revoke,
    /// A token, and which kind of token it must be.
    TokenLookUp(String, &'static str),
    RefreshTokenDelete(String),
    /// An object type that this account does not have.
    OtherObject(String),
    /// A known path with a wrong method.
    WrongMethod,
    Unknown,
}

const VERSIONS: [&str; 2] = ["2026-03", "2026-09"];

impl Route {
    /// The route of a request.
    pub(super) fn of(request: &Request) -> Self {
        let segments: Vec<&str> = request.path.split('/').filter(|segment| !segment.is_empty()).collect();
        let method = request.method.as_str();
        match segments.as_slice() {
            ["crm", "v3", "objects", object, rest @ ..] => objects(method, object, rest),
            ["crm", "objects", version, object, rest @ ..] if VERSIONS.contains(version) => objects(method, object, rest),
            ["crm", "v3", "properties", object, rest @ ..] => properties(method, object, rest),
            ["crm", "properties", version, object, rest @ ..] if VERSIONS.contains(version) => properties(method, object, rest),
            ["account-info", version, rest @ ..] if *version == "v3" || VERSIONS.contains(version) => match (method, rest) {
                ("GET", ["details"]) => Self::AccountDetails,
                ("GET", ["api-usage", "daily" | "daily-usage", "private-apps"] | ["api-usage", "daily"]) => Self::ApiUsage,
                _ => Self::Unknown,
            },
            ["oauth", rest @ ..] => oauth(method, rest),
            _ => Self::Unknown,
        }
    }

    /// The operation's name in fault scripts and counters.
    pub(super) fn operation(&self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Create => "create",
            Self::Read(_) => "read",
            Self::Update(_) => "update",
            Self::Archive(_) => "archive",
            Self::Search => "search",
            Self::BatchRead => "batch_read",
            Self::BatchWrite(Verb::Create) => "batch_create",
            Self::BatchWrite(Verb::Update) => "batch_update",
            Self::BatchWrite(Verb::Upsert) => "batch_upsert",
            Self::BatchArchive => "batch_archive",
            Self::PropertyList => "property_list",
            Self::PropertyRead(_) => "property_read",
            Self::PropertyCreate => "property_create",
            Self::AccountDetails => "account_details",
            Self::ApiUsage => "api_usage",
            Self::Authorize => "authorize",
            Self::Token(_) => "token",
            Self::Introspect | Self::TokenLookUp(..) => "introspect",
            Self::Revoke | Self::RefreshTokenDelete(_) => "revoke",
            Self::OtherObject(_) | Self::WrongMethod | Self::Unknown => "unknown",
        }
    }
}

/// How a request carries its inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Inputs {
    /// It carries none, or asks for nothing but data.
    None,
    /// The body is a new record.
    New,
    /// The path names the record.
    Named(String),
    /// The body lists what to write.
    Writes,
    /// The body lists what to read.
    Reads,
}

impl Route {
    /// How requests of this route carry inputs.
    pub(super) fn inputs(self) -> Inputs {
        match self {
            Self::Create => Inputs::New,
            Self::Update(key) | Self::Archive(key) => Inputs::Named(key),
            Self::BatchWrite(_) | Self::BatchArchive => Inputs::Writes,
            Self::BatchRead => Inputs::Reads,
            Self::List
            | Self::Read(_)
            | Self::Search
            | Self::PropertyList
            | Self::PropertyRead(_)
            | Self::PropertyCreate
            | Self::AccountDetails
            | Self::ApiUsage
            | Self::Authorize
            | Self::Token(_)
            | Self::Introspect
            | Self::Revoke
            | Self::TokenLookUp(..)
            | Self::RefreshTokenDelete(_)
            | Self::OtherObject(_)
            | Self::WrongMethod
            | Self::Unknown => Inputs::None,
        }
    }
}

impl Route {
    /// Whether the call needs no bearer token and counts nowhere.
    pub(super) fn is_open(&self) -> bool {
        matches!(
            self,
            Self::Authorize | Self::Token(_) | Self::Introspect | Self::Revoke | Self::TokenLookUp(..) | Self::RefreshTokenDelete(_)
        )
    }

    /// The scope that the call needs.
    pub(super) fn scope(&self) -> Option<&'static str> {
        match self {
            Self::List | Self::Read(_) | Self::Search | Self::BatchRead => Some("crm.objects.contacts.read"),
            Self::Create | Self::Update(_) | Self::Archive(_) | Self::BatchWrite(_) | Self::BatchArchive => {
                Some("crm.objects.contacts.write")
            }
            Self::PropertyList | Self::PropertyRead(_) => Some("crm.schemas.contacts.read"),
            Self::PropertyCreate => Some("crm.schemas.contacts.write"),
            Self::AccountDetails
            | Self::ApiUsage
            | Self::Authorize
            | Self::Token(_)
            | Self::Introspect
            | Self::Revoke
            | Self::TokenLookUp(..)
            | Self::RefreshTokenDelete(_)
            | Self::OtherObject(_)
            | Self::WrongMethod
            | Self::Unknown => None,
        }
    }
}

fn oauth(method: &str, rest: &[&str]) -> Route {
    let is_version = |version: &str| version == "v1" || version == "v3" || VERSIONS.contains(&version);
    match (method, rest) {
        ("GET", ["authorize"] | [_, "authorize"]) => Route::Authorize,
        ("POST", [version, "token"]) if is_version(version) => Route::Token((*version).to_owned()),
        ("POST", [version, "token", "introspect"]) if *version != "v1" && is_version(version) => Route::Introspect,
        ("POST", [version, "token", "revoke"]) if *version != "v1" && is_version(version) => Route::Revoke,
        ("GET", ["v1", "access-tokens", token]) => Route::TokenLookUp(decoded(token), "access_token"),
        ("GET", ["v1", "refresh-tokens", token]) => Route::TokenLookUp(decoded(token), "refresh_token"),
        ("DELETE", ["v1", "refresh-tokens", token]) => Route::RefreshTokenDelete(decoded(token)),
        _ => Route::Unknown,
    }
}

fn is_contacts(object: &str) -> bool {
    ["contacts", "contact", "0-1"].contains(&object)
}

fn objects(method: &str, object: &str, rest: &[&str]) -> Route {
    if !is_contacts(object) {
        return Route::OtherObject(object.to_owned());
    }
    match (method, rest) {
        ("GET", []) => Route::List,
        ("POST", []) => Route::Create,
        ("POST", ["search"]) => Route::Search,
        ("POST", ["batch", "read"]) => Route::BatchRead,
        ("POST", ["batch", "create"]) => Route::BatchWrite(Verb::Create),
        ("POST", ["batch", "update"]) => Route::BatchWrite(Verb::Update),
        ("POST", ["batch", "upsert"]) => Route::BatchWrite(Verb::Upsert),
        ("POST", ["batch", "archive"]) => Route::BatchArchive,
        ("GET", [id]) => Route::Read(decoded(id)),
        ("PATCH", [id]) => Route::Update(decoded(id)),
        ("DELETE", [id]) => Route::Archive(decoded(id)),
        (_, [] | [_] | ["batch", _]) => Route::WrongMethod,
        _ => Route::Unknown,
    }
}

fn properties(method: &str, object: &str, rest: &[&str]) -> Route {
    if !is_contacts(object) {
        return Route::OtherObject(object.to_owned());
    }
    match (method, rest) {
        ("GET", []) => Route::PropertyList,
        ("POST", []) => Route::PropertyCreate,
        ("GET", [name]) => Route::PropertyRead(decoded(name)),
        (_, [] | [_]) => Route::WrongMethod,
        _ => Route::Unknown,
    }
}

/// A path segment without its percent escapes.
pub(super) fn decoded(segment: &str) -> String {
    let bytes = segment.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = segment.get(at + 1..at + 3).filter(|_| bytes[at] == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escape {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
