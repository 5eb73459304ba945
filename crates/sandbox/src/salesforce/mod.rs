//! A Salesforce org as a client sees it over REST: tokens, describe, single rows, collections, queries, limits.
//!
//! Promises: one sequence of requests and times gives one state and one sequence of answers; every data call counts
//! against the rolling allowance on arrival, whatever becomes of it, and says so in `Sforce-Limit-Info`.
//! Leaves to others: sockets (`server`), which requests are lost or broken on the way (`faults`), files (`journal`).
//! Not emulated: Composite Graph, Bulk before 2.0, events.

mod assertion;
mod auth;
mod automation;
mod bulk;
mod bulk_rows;
mod call;
mod children;
mod collections;
mod commands;
mod config;
mod cursors;
mod duplicates;
mod errors;
mod faulty;
mod fields;
mod form;
mod groups;
mod identity;
mod ids;
mod inputs;
mod jobs;
mod lifecycle;
mod limits;
mod matching;
mod org;
mod parents;
mod query;
mod record;
mod references;
mod replication;
mod route;
mod rows;
mod schema;
mod search;
mod sessions;
mod soap;
mod soap_calls;
mod soql;
mod state;
mod subrequests;
mod tree;
#[cfg(test)]
mod tests;
mod values;
mod wire;
mod write;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

pub use config::{BinGetCode, CustomField, CustomKind, ExternalKey, SalesforceConfig};

use crate::crm::{Crm, InvalidInput, StoredRecord};
use crate::exchange::{Millis, Request, Response};
use call::{Answer, Call};
pub use automation::{Becomes, Trigger};
pub use duplicates::{DuplicateAction, DuplicateRule};
pub use errors::ROW_CODES;
use errors::Fault;
use org::{Actor, Org};
pub use faulty::FAULT_BODIES;
pub use route::OPERATIONS;
use route::{Outside, Resource, Route};
use schema::Sobject;
use state::Written;
use write::{Stamp, Verb};

/// Longest URI; a longer one answers 414.
const URI_BYTES_MAX: usize = 16_384;

/// One emulated Salesforce org.
#[derive(Debug)]
pub struct Salesforce {
    org: Org,
    written: Written,
}

impl Salesforce {
    /// An org without rows.
    #[must_use]
    pub fn new(config: SalesforceConfig) -> Self {
        let org = Org::new(config);
        Self { written: Written::of(&org), org }
    }

    /// What the org was made with.
    #[must_use]
    pub fn config(&self) -> &SalesforceConfig {
        &self.org.config
    }

    /// Where token answers send clients from now on.
    pub fn set_instance_url(&mut self, url: &str) {
        url.clone_into(&mut self.org.config.instance_url);
    }

    /// What assertions are checked against from now on, as PEM.
    pub fn set_jwt_certificate(&mut self, pem: &str) {
        pem.clone_into(&mut self.org.config.jwt_certificate);
    }

    /// Carries out what a person does in Salesforce's pages: `merge`, `convert`, `undelete`, `erase` or `security`; None if there is no
    /// such command.
    pub fn command(&mut self, name: &str, body: &[u8], now: Millis) -> Option<Result<Value, String>> {
        commands::run(&mut self.org, name, body, now)
    }

    /// Ends every session at once, as an administrator can.
    pub fn expire_tokens(&mut self) {
        self.org.tokens.expire_all();
    }

    /// Notes that a request, which arrived at one time, runs until another: those that run long are few at a time.
    pub fn note_running(&mut self, from: Millis, until: Millis) {
        self.org.running.note(from, until);
    }

    /// API requests counted in the 24 hours before that time.
    #[must_use]
    pub fn requests_counted(&self, now: Millis) -> u32 {
        self.org.quota.used_at(now)
    }

    /// Adds a custom field that every user sees.
    ///
    /// # Errors
    /// A text that says why the field cannot be: no such object, or the name is taken.
    pub fn add_custom_field(&mut self, field: CustomField) -> Result<(), String> {
        let object = Sobject::named(&field.object).ok_or_else(|| format!("no object {}", field.object))?;
        if self.org.table(object).schema.stored_number(&field.name).is_some() {
            return Err(format!("{} already has a field {}", field.object, field.name));
        }
        let mut custom = self.org.custom.clone();
        custom.push(field);
        self.org.set_custom(custom);
        self.org.apply_grants();
        self.org.described = None;
        Ok(())
    }

    fn answer(&mut self, request: &Request, refused: &BTreeMap<usize, &InvalidInput>, now: Millis) -> Response {
        let route = Route::of(request);
        if let Resource::Outside(outside) = &route.resource {
            return self.outside(request, outside, now);
        }
        if route.resource == Resource::Versions && route.method == "GET" {
            return wire::json(200, &versions(&self.org.config));
        }
        let admitted = self.org.quota.arrive(self.org.config.quota_day, now);
        if !self.org.tokens.admit(request, &self.org.config, now) {
            return errors::answer(&[errors::session_invalid()]);
        }
        let answer = if !admitted {
            Err(vec![errors::quota_spent()])
        } else if self.org.running.long(now) >= self.org.config.concurrent_long_max {
            Err(vec![errors::too_many_at_once()])
        } else {
            dispatch(&mut self.org, request, &route, refused, now)
        };
        if self.org.take_grants_changed() {
            self.org.apply_grants();
            self.org.described = Some(now);
        }
        let mut response = answer.unwrap_or_else(|faults| errors::answer(&faults));
        if request.method == "HEAD" {
            response.body.clear();
        }
        response.headers.push(self.usage(self.org.quota.used()));
        response
    }

    fn outside(&mut self, request: &Request, outside: &Outside, now: Millis) -> Response {
        let org = &mut self.org;
        match outside {
            Outside::Token => auth::token(org, request, now),
            Outside::Revoke => auth::revoke(&mut org.tokens, request),
            Outside::Introspect => auth::introspect(org, request, now),
            Outside::Authorize => auth::authorize(&mut org.tokens, &org.config, request, now),
            Outside::UserInfo => identity::user_info(org, request, now),
            Outside::Identity { org: id, user } => identity::identity(org, request, (id, user), now),
            Outside::Soap(version) => soap::answer(org, request, *version, now),
        }
    }

    fn usage(&self, used: u32) -> (String, String) {
        ("Sforce-Limit-Info".to_owned(), format!("api-usage={used}/{}", self.org.config.quota_day))
    }
}

impl Crm for Salesforce {
    fn name(&self) -> &'static str {
        "salesforce"
    }

    fn handle(&mut self, request: &Request, now: Millis) -> Response {
        self.answer(request, &BTreeMap::new(), now)
    }

    fn operation(&self, request: &Request) -> &'static str {
        Route::of(request).operation()
    }

    fn inputs(&self, request: &Request) -> Vec<Vec<String>> {
        inputs::names(request, &self.org.config.external_key_name)
    }

    fn subset(&self, request: &Request, keep: &dyn Fn(usize) -> bool) -> Option<Request> {
        inputs::subset(request, keep)
    }

    fn fault_response(&mut self, status: u16, body: Option<&str>, now: Millis) -> Response {
        let mut response = faulty::response(status, body);
        if faulty::reached_the_org(status, body) {
            self.org.quota.arrive(self.org.config.quota_day, now);
        }
        if status == 403 {
            let used = if body == Some("daily") { self.org.config.quota_day } else { self.org.quota.used_at(now) };
            response.headers.push(self.usage(used));
        }
        response
    }

    fn handle_with_invalid(&mut self, request: &Request, invalid: &[InvalidInput], now: Millis) -> Response {
        let refused = invalid.iter().map(|input| (input.index, input)).collect();
        self.answer(request, &refused, now)
    }

    fn snapshot(&self) -> Value {
        state::snapshot(&self.org)
    }

    fn restore(&mut self, state: &Value) -> Result<(), String> {
        let mut restored = Self::new(self.org.config.clone());
        state::restore(&mut restored.org, state)?;
        restored.written = Written::of(&restored.org);
        *self = restored;
        Ok(())
    }

    fn drain_journal(&mut self) -> Vec<Value> {
        state::drain(&mut self.org, &mut self.written).into_iter().collect()
    }

    fn replay(&mut self, entry: &Value) -> Result<(), String> {
        state::replay(&mut self.org, entry)?;
        self.written = Written::of(&self.org);
        Ok(())
    }

    fn edit(&mut self, object: &str, id: Option<&str>, fields: Option<&Map<String, Value>>, now: Millis) -> Result<String, String> {
        let object = Sobject::named(object).filter(|object| object.holds_data()).ok_or_else(|| format!("no object {object}"))?;
        let stamp = Stamp::plain(Actor::Person, now);
        let serial =
            id.map(|id| ids::read(id).and_then(|id| ids::serial(object.prefix(), &id)).ok_or_else(|| format!("no id {id}"))).transpose()?;
        let serial = match (serial, fields) {
            (Some(serial), Some(fields)) => {
                let draft = self.org.draft(object, fields.into(), Verb::Update, &[], Actor::Person).map_err(told)?;
                self.org.update(object, serial, draft, stamp).map_err(told)?;
                serial
            }
            (None, Some(fields)) => {
                let draft = self.org.draft(object, fields.into(), Verb::Create, &[], Actor::Person).map_err(told)?;
                self.org.create(object, draft, stamp).map_err(told)?
            }
            (Some(serial), None) => {
                self.org.delete(object, serial, stamp).map_err(|fault| told(vec![fault]))?;
                serial
            }
            (None, None) => return Err("a deletion needs an id".to_owned()),
        };
        Ok(ids::make(object.prefix(), serial))
    }

    fn records(&self) -> Vec<StoredRecord> {
        let mut records = Vec::new();
        for object in Sobject::ALL.into_iter().filter(|object| object.holds_data()) {
            let table = self.org.table(object);
            records.extend(table.rows.iter().map(|(serial, row)| StoredRecord {
                object: object.name().to_owned(),
                id: ids::make(object.prefix(), *serial),
                fields: row.values().map(|(number, value)| (table.schema.field(number).name.clone(), value.to_owned())).collect(),
                deleted: row.deleted,
                writes: row.writes,
            }));
        }
        records
    }
}

/// Answers a data call that was admitted.
fn dispatch(org: &mut Org, request: &Request, route: &Route, refused: &BTreeMap<usize, &InvalidInput>, now: Millis) -> Answer {
    let version = route.version.filter(|version| *version <= org.config.version_max).ok_or_else(|| vec![errors::not_found()])?;
    if version < org.config.version_min {
        let message = format!("API version {version}.0 is no longer supported");
        return Err(vec![Fault::request(410, "UNSUPPORTED_API_VERSION", message)]);
    }
    if route::uri_bytes(request) > URI_BYTES_MAX {
        return Ok(wire::html(414, "URI Too Long"));
    }
    let method = route.method.as_str();
    let call = Call { request, method, version, now, refused };
    match (&route.resource, method) {
        (Resource::Root, "GET") => Ok(wire::json(200, &root(org, version))),
        (Resource::Limits { counts: false }, "GET") => Ok(wire::json(200, &limits::body(org.quota.used(), org.config.quota_day, org.jobs.batches(now)))),
        (Resource::Limits { counts: true }, "GET") => Ok(wire::json(200, &row_counts(org, request.query_value("sObjects")))),
        (Resource::Objects, "GET") => Ok(wire::json(200, &objects(version))),
        (Resource::Object(name), "GET") => basics(org, &call, name),
        (Resource::Describe(name), "GET") => describe(org, &call, name),
        (Resource::Object(name), "POST") => rows::create(org, &call, name),
        (Resource::Row { object, id }, "POST") if id == "Id" => rows::create(org, &call, object),
        (Resource::Row { object, id }, "GET") => rows::get(org, &call, object, id),
        (Resource::Row { object, id }, "PATCH") => rows::update(org, &call, object, id),
        (Resource::Row { object, id }, "DELETE") => rows::delete(org, &call, object, id),
        (Resource::Key { object, field, value }, "GET") => rows::get_by_key(org, &call, object, field, value),
        (Resource::Key { object, field, value }, "PATCH") => rows::upsert(org, &call, object, field, value),
        (Resource::Collection, "POST") => collections::create(org, &call),
        (Resource::Collection, "PATCH") => collections::update(org, &call),
        (Resource::Collection, "DELETE") => collections::delete(org, &call),
        (Resource::CollectionOf(object), "GET" | "POST") => collections::read(org, &call, object),
        (Resource::CollectionKey { object, field }, "PATCH") => collections::upsert(org, &call, object, field),
        (Resource::Query { all }, "GET") => query::run(org, &call, *all),
        (Resource::QueryPage(locator), "GET") => query::next_page(org, &call, locator),
        (Resource::Composite, "POST") => subrequests::composite(org, &call),
        (Resource::Batch, "POST") => subrequests::batch(org, &call),
        (Resource::Tree(object), "POST") => tree::create(org, &call, object),
        (Resource::Updated(object), "GET") => replication::updated(org, &call, object),
        (Resource::Deleted(object), "GET") => replication::deleted(org, &call, object),
        (Resource::Recent, "GET") => {
            let max = request.query_value("limit").and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX);
            Ok(wire::json(200, &Value::Array(replication::recent(org, &call, None, max))))
        }
        (Resource::Search { parameterized: false }, "GET") => search::run(org, &call),
        (Resource::Search { parameterized: true }, "GET" | "POST") => search::parameterized(org, &call),
        (Resource::Jobs { query }, "POST") => bulk::create(org, &call, *query),
        (Resource::Jobs { query }, "GET") => bulk::list(org, *query),
        (Resource::Job { query, id }, "GET") => bulk::read(org, *query, id),
        (Resource::Job { query, id }, "PATCH") => bulk::change(org, &call, *query, id),
        (Resource::Job { query, id }, "DELETE") => bulk::remove(org, *query, id),
        (Resource::JobData(id), "PUT") => bulk::upload(org, &call, id),
        (Resource::JobResults { id, file }, "GET") => bulk::results(org, id, *file),
        (Resource::JobFound(id), "GET") => bulk::found(org, &call, id),
        (Resource::CustomField, "POST") => fields::create(org, &call),
        (Resource::Unknown, _) => Err(vec![errors::not_found()]),
        _ => Err(vec![errors::method_not_allowed(method, route.allowed())]),
    }
}

fn told(faults: Vec<Fault>) -> String {
    faults.iter().map(|fault| format!("{}: {}", fault.code, fault.message)).collect::<Vec<_>>().join("; ")
}

fn versions(config: &SalesforceConfig) -> Value {
    const SEASONS: [&str; 3] = ["Summer", "Winter", "Spring"];
    let version = |version: u16| {
        // Version 61 is Summer '24, and three versions make a year, which begins with the Winter release.
        let (season, year) = (usize::from((version + 2) % 3), (version + 1) / 3 + 4);
        let label = format!("{} '{year:02}", SEASONS[season]);
        json!({ "label": label, "url": format!("/services/data/v{version}.0"), "version": format!("{version}.0") })
    };
    (config.version_min..=config.version_max).map(version).collect()
}

fn root(org: &Org, version: u16) -> Value {
    let path = |name: &str| format!("/services/data/v{version}.0/{name}");
    let names = ["sobjects", "query", "queryAll", "search", "parameterizedSearch", "limits", "recent", "composite", "tooling", "jobs"];
    let mut paths: Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), Value::String(path(name)))).collect();
    paths.insert("identity".to_owned(), Value::String(identity::url_at(&org.config, &org.config.instance_url)));
    Value::Object(paths)
}

fn objects(version: u16) -> Value {
    let objects: Vec<Value> = Sobject::ALL.into_iter().map(|object| schema::describe::brief(object, version)).collect();
    json!({ "encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects })
}

fn basics(org: &Org, call: &Call<'_>, name: &str) -> Answer {
    let object = call::sobject(name)?;
    let recent = replication::recent(org, call, Some(object), usize::MAX);
    Ok(wire::json(200, &json!({ "objectDescribe": schema::describe::brief(object, call.version), "recentItems": recent })))
}

fn describe(org: &Org, call: &Call<'_>, name: &str) -> Answer {
    let object = call::sobject(name)?;
    let since = call.request.headers.get("if-modified-since").and_then(|text| wire::read_http_date(text));
    let modified = org.described.map(|at| at.div_euclid(1000) * 1000);
    let mut response = match (modified, since) {
        (Some(modified), Some(since)) if modified <= since => wire::empty(304),
        (_, _) => wire::json(200, &schema::describe::full(&org.table(object).schema, call.version)),
    };
    response.headers.extend(modified.map(|at| ("Last-Modified".to_owned(), wire::http_date(at))));
    Ok(response)
}

/// How many live rows the named objects have, or all of them.
fn row_counts(org: &Org, names: Option<&str>) -> Value {
    let count = |object: Sobject| {
        let live = org.table(object).rows.values().filter(|row| !row.deleted).count();
        json!({ "count": live, "name": object.name() })
    };
    let objects: Vec<Sobject> = match names {
        Some(names) => names.split(',').filter_map(|name| Sobject::named(name.trim())).collect(),
        None => Sobject::ALL.into_iter().filter(|object| object.holds_data()).collect(),
    };
    json!({ "sObjects": objects.into_iter().map(count).collect::<Vec<_>>() })
}
