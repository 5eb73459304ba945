//! Which resource a request means, and what the operation is called in fault scripts.
//!
//! Promises: a trailing slash and `_HttpMethod` tunnelling are understood; a path segment is percent-decoded once.
//! Leaves to others: whether the caller may use the resource and what it answers (`mod`).

use super::bulk::File;
use super::form;
use crate::exchange::Request;

/// A resource that needs no session of the data interface and counts against nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outside {
    /// The token endpoint.
    Token,
    /// The token revocation endpoint.
    Revoke,
    /// The token introspection endpoint.
    Introspect,
    /// The page where a user allows an app.
    Authorize,
    /// The OpenID user info.
    UserInfo,
    /// The identity URL.
    Identity { org: String, user: String },
    /// SOAP of that version.
    Soap(u16),
}

/// A resource by its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resource {
    /// What lies outside the data interface.
    Outside(Outside),
    /// The list of API versions.
    Versions,
    /// The list of resources of a version.
    Root,
    /// The limits, or with true the row counts.
    Limits { counts: bool },
    /// The list of objects.
    Objects,
    /// One object: its basics, and where rows are created.
    Object(String),
    /// The full describe of an object.
    Describe(String),
    /// One row by its id.
    Row { object: String, id: String },
    /// One row by a key field's value.
    Key { object: String, field: String, value: String },
    /// Collections of any object.
    Collection,
    /// Collections of one object, read.
    CollectionOf(String),
    /// Collections of one object by a key field.
    CollectionKey { object: String, field: String },
    /// A query; with true over deleted rows too.
    Query { all: bool },
    /// The next page of a query.
    QueryPage(String),
    /// Requests within a request that may refer to each other.
    Composite,
    /// Requests within a request that stand alone.
    Batch,
    /// Rows with their children.
    Tree(String),
    /// What changed in a window.
    Updated(String),
    /// What was deleted in a window.
    Deleted(String),
    /// What was touched last.
    Recent,
    /// A search; with true its terms are parameters.
    Search { parameterized: bool },
    /// Bulk jobs; with true those that query.
    Jobs { query: bool },
    /// One bulk job.
    Job { query: bool, id: String },
    /// Where a bulk job's rows are uploaded.
    JobData(String),
    /// A result file of an ingest job.
    JobResults { id: String, file: File },
    /// What a query job found.
    JobFound(String),
    /// Custom fields in the tooling interface.
    CustomField,
    /// No resource of this emulator.
    Unknown,
}

/// The names of all operations, in the order of the documentation.
pub const OPERATIONS: &[&str] = &[
    "create",
    "get",
    "update",
    "upsert",
    "delete",
    "collection_create",
    "collection_read",
    "collection_update",
    "collection_upsert",
    "collection_delete",
    "composite",
    "batch",
    "tree",
    "query",
    "search",
    "updated",
    "deleted",
    "recent",
    "describe",
    "create_field",
    "bulk_create",
    "bulk_upload",
    "bulk_change",
    "bulk_read",
    "bulk_results",
    "bulk_delete",
    "limits",
    "versions",
    "resources",
    "token",
    "revoke",
    "introspect",
    "authorize",
    "identity",
    "soap",
    "unknown",
];

impl Outside {
    fn operation(&self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Revoke => "revoke",
            Self::Introspect => "introspect",
            Self::Authorize => "authorize",
            Self::UserInfo | Self::Identity { .. } => "identity",
            Self::Soap(_) => "soap",
        }
    }
}

/// A request's verb, version and resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    /// The verb that is meant.
    pub(super) method: String,
    /// The API version in the path; None if there is none or it cannot be read.
    pub(super) version: Option<u16>,
    /// What the path means.
    pub(super) resource: Resource,
}

impl Route {
    /// Reads a request's path and verb.
    pub(super) fn of(request: &Request) -> Self {
        let tunnelled = request.query_value("_HttpMethod").filter(|_| request.method == "POST");
        // A HEAD is a GET whose body stays behind.
        let own = if request.method == "HEAD" { "GET" } else { request.method.as_str() };
        let method = tunnelled.map_or_else(|| own.to_owned(), str::to_ascii_uppercase);
        let segments: Vec<String> = request.path.trim_matches('/').split('/').map(form::percent).collect();
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (version, resource) = match parts.as_slice() {
            ["services", "oauth2", "token"] => (None, Resource::Outside(Outside::Token)),
            ["services", "oauth2", "revoke"] => (None, Resource::Outside(Outside::Revoke)),
            ["services", "oauth2", "introspect"] => (None, Resource::Outside(Outside::Introspect)),
            ["services", "oauth2", "authorize"] => (None, Resource::Outside(Outside::Authorize)),
            ["services", "oauth2", "userinfo"] => (None, Resource::Outside(Outside::UserInfo)),
            ["id", org, user] => (None, Resource::Outside(Outside::Identity { org: (*org).to_owned(), user: (*user).to_owned() })),
            ["services", "Soap", "u" | "c", version, ..] => {
                let version = version.trim_end_matches(".0").parse();
                (None, version.map_or(Resource::Unknown, |version| Resource::Outside(Outside::Soap(version))))
            }
            ["services", "data"] => (None, Resource::Versions),
            ["services", "data", version, rest @ ..] => (read_version(version), resource(rest)),
            _ => (None, Resource::Unknown),
        };
        Self { method, version, resource }
    }

    /// The operation's name in fault scripts.
    pub(super) fn operation(&self) -> &'static str {
        let method = self.method.as_str();
        match &self.resource {
            Resource::Outside(outside) => outside.operation(),
            Resource::Versions => "versions",
            Resource::Root => "resources",
            Resource::Limits { .. } => "limits",
            Resource::Objects | Resource::Describe(_) => "describe",
            Resource::Object(_) if method == "POST" => "create",
            Resource::Object(_) => "describe",
            Resource::Row { id, .. } if method == "POST" && id == "Id" => "create",
            Resource::Row { .. } | Resource::Key { .. } if method == "GET" => "get",
            Resource::Row { .. } | Resource::Key { .. } if method == "DELETE" => "delete",
            Resource::Row { .. } => "update",
            Resource::Key { .. } => "upsert",
            Resource::Collection if method == "POST" => "collection_create",
            Resource::Collection if method == "DELETE" => "collection_delete",
            Resource::Collection => "collection_update",
            Resource::CollectionOf(_) => "collection_read",
            Resource::CollectionKey { .. } => "collection_upsert",
            Resource::Query { .. } | Resource::QueryPage(_) => "query",
            Resource::Composite => "composite",
            Resource::Batch => "batch",
            Resource::Tree(_) => "tree",
            Resource::Updated(_) => "updated",
            Resource::Deleted(_) => "deleted",
            Resource::Recent => "recent",
            Resource::Search { .. } => "search",
            Resource::CustomField => "create_field",
            Resource::Jobs { .. } if method == "POST" => "bulk_create",
            Resource::Job { .. } if method == "PATCH" => "bulk_change",
            Resource::Job { .. } if method == "DELETE" => "bulk_delete",
            Resource::Jobs { .. } | Resource::Job { .. } => "bulk_read",
            Resource::JobData(_) => "bulk_upload",
            Resource::JobResults { .. } | Resource::JobFound(_) => "bulk_results",
            Resource::Unknown => "unknown",
        }
    }

    /// The verbs that the resource takes, as an error prints them.
    pub(super) fn allowed(&self) -> &'static str {
        match &self.resource {
            Resource::Object(_) => "HEAD,GET,POST",
            Resource::Row { id, .. } if id == "Id" => "POST",
            Resource::Row { .. } | Resource::Key { .. } => "DELETE,GET,HEAD,PATCH",
            Resource::Collection => "DELETE,PATCH,POST",
            Resource::CollectionOf(_) => "HEAD,GET,POST",
            Resource::CollectionKey { .. } => "PATCH",
            Resource::CustomField | Resource::Composite | Resource::Batch | Resource::Tree(_) => "POST",
            Resource::Search { parameterized: true } | Resource::Jobs { .. } => "HEAD,GET,POST",
            Resource::Job { .. } => "DELETE,GET,HEAD,PATCH",
            Resource::JobData(_) => "PUT",
            Resource::Versions
            | Resource::Updated(_)
            | Resource::Deleted(_)
            | Resource::JobResults { .. }
            | Resource::JobFound(_)
            | Resource::Recent
            | Resource::Search { parameterized: false }
            | Resource::Outside(_)
            | Resource::Root
            | Resource::Limits { .. }
            | Resource::Objects
            | Resource::Describe(_)
            | Resource::Query { .. }
            | Resource::QueryPage(_)
            | Resource::Unknown => "HEAD,GET",
        }
    }
}

/// How long the request's URI is on the wire: every byte of a query value outside the unreserved set takes three.
pub(super) fn uri_bytes(request: &Request) -> usize {
    let encoded =
        |text: &str| text.bytes().map(|byte| if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) { 1 } else { 3 }).sum::<usize>();
    request.path.len() + request.query.iter().map(|(name, value)| encoded(name) + encoded(value) + 2).sum::<usize>()
}

fn read_version(segment: &str) -> Option<u16> {
    segment.strip_prefix('v')?.strip_suffix(".0")?.parse().ok()
}

fn resource(parts: &[&str]) -> Resource {
    let own = |text: &&str| (*text).to_owned();
    match parts {
        [] => Resource::Root,
        ["limits"] => Resource::Limits { counts: false },
        ["limits", "recordCount"] => Resource::Limits { counts: true },
        ["sobjects"] => Resource::Objects,
        ["sobjects", object] => Resource::Object(own(object)),
        ["sobjects", object, "describe"] => Resource::Describe(own(object)),
        ["sobjects", object, "updated"] => Resource::Updated(own(object)),
        ["sobjects", object, "deleted"] => Resource::Deleted(own(object)),
        ["recent"] => Resource::Recent,
        ["search"] => Resource::Search { parameterized: false },
        ["parameterizedSearch"] => Resource::Search { parameterized: true },
        ["composite"] => Resource::Composite,
        ["composite", "batch"] => Resource::Batch,
        ["composite", "tree", object] => Resource::Tree(own(object)),
        ["sobjects", object, id] | ["sobjects", object, "Id", id] => Resource::Row { object: own(object), id: own(id) },
        ["sobjects", object, field, value] => Resource::Key { object: own(object), field: own(field), value: own(value) },
        ["composite", "sobjects"] => Resource::Collection,
        ["composite", "sobjects", object] => Resource::CollectionOf(own(object)),
        ["composite", "sobjects", object, field] => Resource::CollectionKey { object: own(object), field: own(field) },
        ["query"] => Resource::Query { all: false },
        ["queryAll"] => Resource::Query { all: true },
        ["query" | "queryAll", locator] => Resource::QueryPage(own(locator)),
        ["tooling", "sobjects", "CustomField"] => Resource::CustomField,
        ["jobs", kind @ ("ingest" | "query")] => Resource::Jobs { query: *kind == "query" },
        ["jobs", kind @ ("ingest" | "query"), id] => Resource::Job { query: *kind == "query", id: own(id) },
        ["jobs", "ingest", id, "batches"] => Resource::JobData(own(id)),
        ["jobs", "query", id, "results"] => Resource::JobFound(own(id)),
        ["jobs", "ingest", id, file] => match file.to_ascii_lowercase().as_str() {
            "successfulresults" => Resource::JobResults { id: own(id), file: File::Successful },
            "failedresults" => Resource::JobResults { id: own(id), file: File::Failed },
            "unprocessedrecords" => Resource::JobResults { id: own(id), file: File::Unprocessed },
            _ => Resource::Unknown,
        },
        _ => Resource::Unknown,
    }
}
