//! Which operation a method and path mean.
//!
//! Promises: `/crm/v3/objects/contacts`, `/crm/objects/{version}/contacts` and the singular and `0-1` spellings mean the same;
//! a trailing slash is ignored; path segments are percent-decoded, `+` stays `+`.
//! Leaves to others: doing it (`mod`).

use super::associations::{self, Side};
use super::batch::Verb;
use super::properties;
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
    Merge,
    Forget,
    CompanyCreate,
    CompanyList,
    CompanyRead(String),
    CompanyUpdate(String),
    CompanyArchive(String),
    CompanySearch,
    OwnerList,
    OwnerRead(String),
    LinkDefault(Side, String, String),
    LinkPut(Side, String, String),
    LinkList(Side, String),
    LinkDelete(Side, String, String),
    LinkLabels(Side),
    LinkBatch(Side, associations::Bulk),
    PropertyUpdate(String),
    PropertyArchive(String),
    PropertyBatch(properties::Bulk),
    GroupList,
    GroupCreate,
    GroupRead(String),
    GroupUpdate(String),
    GroupArchive(String),
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

/// The names of all operations, in the order of the documentation.
pub const OPERATIONS: &[&str] = &[
    "list",
    "create",
    "read",
    "update",
    "archive",
    "search",
    "batch_read",
    "batch_create",
    "batch_update",
    "batch_upsert",
    "batch_archive",
    "merge",
    "gdpr_delete",
    "property_list",
    "property_read",
    "property_create",
    "property_update",
    "property_archive",
    "property_batch",
    "group_list",
    "group_create",
    "group_read",
    "group_update",
    "group_archive",
    "company_list",
    "company_create",
    "company_read",
    "company_update",
    "company_archive",
    "company_search",
    "association_put",
    "association_list",
    "association_delete",
    "association_batch",
    "association_labels",
    "owner_list",
    "owner_read",
    "account_details",
    "api_usage",
    "authorize",
    "token",
    "introspect",
    "revoke",
    "unknown",
];

impl Route {
    /// The route of a request.
    pub(super) fn of(request: &Request) -> Self {
        let segments: Vec<&str> = request.path.split('/').filter(|segment| !segment.is_empty()).collect();
        let method = request.method.as_str();
        match segments.as_slice() {
            ["crm", "v4", "objects", from, id, "associations", rest @ ..]
            | ["crm", "objects", "2026-03" | "2026-09", from, id, "associations", rest @ ..] => links(method, from, id, rest),
            ["crm", "v4", "associations", from, to, rest @ ..]
            | ["crm", "associations", "2026-03" | "2026-09", from, to, rest @ ..] => link_batches(method, from, to, rest),
            ["crm", "v3", "owners", rest @ ..] | ["crm", "owners", "2026-03" | "2026-09", rest @ ..] => match (method, rest) {
                ("GET", []) => Self::OwnerList,
                ("GET", [id]) => Self::OwnerRead(decoded(id)),
                _ => Self::Unknown,
            },
            ["crm", "v3", "objects", object, rest @ ..] => objects(method, object, rest),
            ["crm", "objects", version, object, rest @ ..] if VERSIONS.contains(version) => objects(method, object, rest),
            ["crm", "v3", "properties", object, rest @ ..] => property(method, object, rest),
            ["crm", "properties", version, object, rest @ ..] if VERSIONS.contains(version) => property(method, object, rest),
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
            Self::Merge => "merge",
            Self::Forget => "gdpr_delete",
            Self::CompanyCreate => "company_create",
            Self::CompanyList => "company_list",
            Self::CompanyRead(_) => "company_read",
            Self::CompanyUpdate(_) => "company_update",
            Self::CompanyArchive(_) => "company_archive",
            Self::CompanySearch => "company_search",
            Self::OwnerList => "owner_list",
            Self::OwnerRead(_) => "owner_read",
            Self::LinkDefault(..) => "association_put",
            Self::LinkPut(..) => "association_put",
            Self::LinkList(..) => "association_list",
            Self::LinkDelete(..) => "association_delete",
            Self::LinkLabels(_) => "association_labels",
            Self::LinkBatch(..) => "association_batch",
            Self::PropertyUpdate(_) => "property_update",
            Self::PropertyArchive(_) => "property_archive",
            Self::PropertyBatch(_) => "property_batch",
            Self::GroupList => "group_list",
            Self::GroupCreate => "group_create",
            Self::GroupRead(_) => "group_read",
            Self::GroupUpdate(_) => "group_update",
            Self::GroupArchive(_) => "group_archive",
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
            | Self::Merge
            | Self::Forget
            | Self::CompanyCreate
            | Self::CompanyList
            | Self::CompanyRead(_)
            | Self::CompanyUpdate(_)
            | Self::CompanyArchive(_)
            | Self::CompanySearch
            | Self::OwnerList
            | Self::OwnerRead(_)
            | Self::LinkDefault(..)
            | Self::LinkPut(..)
            | Self::LinkList(..)
            | Self::LinkDelete(..)
            | Self::LinkLabels(_)
            | Self::LinkBatch(..)
            | Self::PropertyUpdate(_)
            | Self::PropertyArchive(_)
            | Self::PropertyBatch(_)
            | Self::GroupList
            | Self::GroupCreate
            | Self::GroupRead(_)
            | Self::GroupUpdate(_)
            | Self::GroupArchive(_)
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

    /// Whether the call counts against the rate of searches and against no window.
    pub(super) fn is_search(&self) -> bool {
        matches!(self, Self::Search | Self::CompanySearch)
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
            Self::Merge | Self::Forget | Self::LinkDefault(..) | Self::LinkPut(..) | Self::LinkDelete(..) | Self::LinkBatch(..) => Some("crm.objects.contacts.write"),
            Self::CompanyCreate | Self::CompanyUpdate(_) | Self::CompanyArchive(_) => Some("crm.objects.companies.write"),
            Self::CompanyList | Self::CompanyRead(_) | Self::CompanySearch => Some("crm.objects.companies.read"),
            Self::OwnerList | Self::OwnerRead(_) => Some("crm.objects.owners.read"),
            Self::LinkList(..) | Self::LinkLabels(_) => Some("crm.objects.contacts.read"),
            Self::PropertyUpdate(_) | Self::PropertyArchive(_) | Self::PropertyBatch(_) | Self::GroupCreate | Self::GroupUpdate(_) | Self::GroupArchive(_) => Some("crm.schemas.contacts.write"),
            Self::GroupList | Self::GroupRead(_) => Some("crm.schemas.contacts.read"),
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
    if is_companies(object) {
        return match (method, rest) {
            ("GET", []) => Route::CompanyList,
            ("POST", []) => Route::CompanyCreate,
            ("POST", ["search"]) => Route::CompanySearch,
            ("GET", [id]) => Route::CompanyRead(decoded(id)),
            ("PATCH", [id]) => Route::CompanyUpdate(decoded(id)),
            ("DELETE", [id]) => Route::CompanyArchive(decoded(id)),
            (_, [] | [_]) => Route::WrongMethod,
            _ => Route::Unknown,
        };
    }
    if !is_contacts(object) {
        return Route::OtherObject(object.to_owned());
    }
    match (method, rest) {
        ("GET", []) => Route::List,
        ("POST", ["merge"]) => Route::Merge,
        ("POST", ["gdpr-delete"]) => Route::Forget,
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

fn links(method: &str, from: &str, id: &str, rest: &[&str]) -> Route {
    let id = decoded(id);
    match (method, rest) {
        ("PUT", ["default", to, target]) => side(from, to).map(|side| Route::LinkDefault(side, id, decoded(target))),
        ("PUT", [to, target]) => side(from, to).map(|side| Route::LinkPut(side, id, decoded(target))),
        ("GET", [to]) => side(from, to).map(|side| Route::LinkList(side, id)),
        ("DELETE", [to, target]) => side(from, to).map(|side| Route::LinkDelete(side, id, decoded(target))),
        _ => Some(Route::Unknown),
    }
    .unwrap_or_else(|| Route::OtherObject(from.to_owned()))
}

fn link_batches(method: &str, from: &str, to: &str, rest: &[&str]) -> Route {
    let Some(side) = side(from, to) else { return Route::OtherObject(from.to_owned()) };
    match (method, rest) {
        ("GET", ["labels"]) => Route::LinkLabels(side),
        ("POST", ["batch", "create"]) => Route::LinkBatch(side, associations::Bulk::Create),
        ("POST", ["batch", "associate", "default"]) => Route::LinkBatch(side, associations::Bulk::Default),
        ("POST", ["batch", "archive"]) => Route::LinkBatch(side, associations::Bulk::Archive),
        ("POST", ["batch", "labels", "archive"]) => Route::LinkBatch(side, associations::Bulk::ArchiveLabels),
        ("POST", ["batch", "read"]) => Route::LinkBatch(side, associations::Bulk::Read),
        _ => Route::Unknown,
    }
}

/// Which side a path begins with, if it is about contacts and companies.
fn side(from: &str, to: &str) -> Option<Side> {
    match (is_contacts(from), is_companies(from)) {
        (true, _) if is_companies(to) => Some(Side::Contact),
        (_, true) if is_contacts(to) => Some(Side::Company),
        _ => None,
    }
}

fn is_companies(object: &str) -> bool {
    ["companies", "company", "0-2"].contains(&object)
}

fn property(method: &str, object: &str, rest: &[&str]) -> Route {
    if !is_contacts(object) {
        return Route::OtherObject(object.to_owned());
    }
    match (method, rest) {
        ("GET", []) => Route::PropertyList,
        ("POST", []) => Route::PropertyCreate,
        ("GET", ["groups"]) => Route::GroupList,
        ("POST", ["groups"]) => Route::GroupCreate,
        ("GET", ["groups", name]) => Route::GroupRead(decoded(name)),
        ("PATCH", ["groups", name]) => Route::GroupUpdate(decoded(name)),
        ("DELETE", ["groups", name]) => Route::GroupArchive(decoded(name)),
        ("POST", ["batch", "create"]) => Route::PropertyBatch(properties::Bulk::Create),
        ("POST", ["batch", "read"]) => Route::PropertyBatch(properties::Bulk::Read),
        ("POST", ["batch", "archive"]) => Route::PropertyBatch(properties::Bulk::Archive),
        ("PATCH", [name]) => Route::PropertyUpdate(decoded(name)),
        ("DELETE", [name]) => Route::PropertyArchive(decoded(name)),
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
