//! An emulated HubSpot account: contacts, properties, account info, with HubSpot's bodies, headers and limits.
//!
//! Promises: one handler set serves `/crm/v3/…` and the date-versioned paths; every answer carries
//! `x-hubspot-correlation-id`, and all but searches the rate-limit headers; a call counts against the quota on arrival,
//! unless its token is refused. Same requests at the same times give the same answers, ids included.
//! Leaves to others: webhooks, imports and exports, which nobody serves; when a request is applied at all (`crate::faults`).

mod account;
mod account_info;
mod answer;
mod associations;
mod auth;
mod batch;
mod batch_answer;
mod body;
mod companies;
mod config;
mod contacts;
mod errors;
mod form;
mod grants;
mod groups;
mod history;
mod inputs;
mod merge;
mod oauth;
mod owners;
mod properties;
mod quota;
mod render;
mod required;
mod route;
mod schema;
mod search;
mod stamp;
mod store;
#[cfg(test)]
mod tests;
mod values;
mod write;

use serde_json::{Map, Value};

use self::account::Account;
use self::answer::{Answer, Call, Outcome};
pub use self::config::{ExtraProperty, HubSpotConfig, OAuthApp, ScopedToken, Switches};
use self::errors::Refusal;
pub use self::owners::Owner;
use self::quota::{App, Limit};
pub use self::route::OPERATIONS;
use self::route::Route;
use crate::crm::{Crm, InvalidInput, StoredRecord};
use crate::exchange::{Millis, Request, Response};

/// Bodies that a fault script may ask for by name: of 429, of 401, none at all, and those of 400 at the token endpoint.
pub const FAULT_BODIES: &[&str] =
    &["secondly", "ten_secondly", "daily", "expired", "empty", "bad_refresh_token", "bad_auth_code", "bad_client_secret", "bad_hub"];

/// Codes of a refused value, which a fault script may ask for.
pub const VALUE_CODES: &[&str] = &[
    "INVALID_ALPHA",
    "INVALID_EMAIL",
    "INVALID_OPTION",
    "INVALID_INTEGER",
    "INVALID_LONG",
    "INVALID_DATE",
    "READ_ONLY_VALUE",
    "PROPERTY_DOESNT_EXIST",
    "LEADING_TRAILING_WHITESPACE",
    "MISSING_REQUIRED_PROPERTY",
    "MISSING_CONDITIONAL_REQUIRED_PROPERTY",
    "GDPR_BLACKLISTED_EMAIL",
];

/// How long an account that moves between data centres asks its callers to wait.
const MOVE_SECONDS: u32 = 3_600;

/// One emulated HubSpot account.
#[derive(Debug)]
pub struct HubSpot {
    account: Account,
}

impl HubSpot {
    /// A fresh account.
    #[must_use]
    pub fn new(config: HubSpotConfig) -> Self {
        Self { account: Account::new(config) }
    }

    /// Ends every OAuth access token; static tokens never end.
    pub fn expire_tokens(&mut self, now: Millis) {
        self.account.grants_mut().end_all(now);
    }

    fn admit(&mut self, request: &Request, route: &Route, now: Millis) -> Result<App, Refusal> {
        let app = auth::check(&self.account, request, route, now)?;
        let is_search = route.is_search();
        self.account.quota.admit(&self.account.limits, app, is_search, now).map_err(Refusal::limited)?;
        self.account.note_arrival(now, app, is_search);
        Ok(app)
    }

    fn dispatch(&mut self, route: Route, call: &Call<'_>) -> Outcome {
        let account = &mut self.account;
        match route {
            Route::List => contacts::list(account, call),
            Route::Create => contacts::create(account, call),
            Route::Read(key) => contacts::read(account, call, &key),
            Route::Update(key) => contacts::update(account, call, &key),
            Route::Archive(key) => contacts::archive(account, call, &key),
            Route::Search => search::search(account, call),
            Route::BatchRead => batch::read(account, call),
            Route::BatchWrite(verb) => batch::write(account, call, verb),
            Route::BatchArchive => batch::archive(account, call),
            Route::PropertyList => properties::list(account, call),
            Route::PropertyRead(name) => properties::read(account, call, &name),
            Route::PropertyCreate => properties::create(account, call),
            Route::Merge => merge::merge(account, call),
            Route::Forget => merge::forget(account, call),
            Route::CompanyCreate => companies::create(account, call),
            Route::CompanyList => companies::list(account, call),
            Route::CompanyRead(key) => companies::read(account, call, &key),
            Route::CompanyUpdate(key) => companies::update(account, call, &key),
            Route::CompanyArchive(key) => companies::archive(account, call, &key),
            Route::CompanySearch => companies::find(account, call),
            Route::OwnerList => owners::list(account, call),
            Route::OwnerRead(key) => owners::read(account, call, &key),
            Route::LinkDefault(side, from, to) => associations::put_default(account, call, side, &from, &to),
            Route::LinkPut(side, from, to) => associations::put(account, call, side, &from, &to),
            Route::LinkList(side, from) => associations::list(account, call, side, &from),
            Route::LinkDelete(side, from, to) => associations::delete(account, side, &from, &to),
            Route::LinkLabels(side) => associations::labels(side),
            Route::LinkBatch(side, what) => associations::bulk(account, call, side, what),
            Route::PropertyUpdate(name) => properties::update(account, call, &name),
            Route::PropertyArchive(name) => properties::archive(account, call, &name),
            Route::PropertyBatch(what) => properties::batch(account, call, what),
            Route::GroupList => groups::list(account),
            Route::GroupCreate => groups::create(account, call),
            Route::GroupRead(name) => groups::read(account, &name),
            Route::GroupUpdate(name) => groups::update(account, call, &name),
            Route::GroupArchive(name) => groups::archive(account, &name),
            Route::AccountDetails => account_info::details(account, call),
            Route::ApiUsage => account_info::api_usage(account, call),
            Route::Authorize => oauth::authorize(account, call),
            Route::Token(version) => oauth::token(account, call, &version),
            Route::Introspect => oauth::introspect(account, call),
            Route::Revoke => oauth::revoke(account, call),
            Route::TokenLookUp(token, token_use) => oauth::look_up(account, call, &token, token_use),
            Route::RefreshTokenDelete(token) => oauth::delete(account, &token),
            Route::OtherObject(object) => Err(Refusal::plain(400, format!("Unable to infer object type from: {object}"))),
            Route::WrongMethod => Err(Refusal::plain(405, "HTTP 405 Method Not Allowed")),
            Route::Unknown => Err(Refusal::plain(404, "resource not found")),
        }
    }

    fn respond(&mut self, outcome: Outcome, shown: Counted, now: Millis) -> Response {
        let id = correlation_id(now, self.account.quota.total);
        let portal_id = self.account.config.portal_id;
        let mut headers = Vec::with_capacity(12);
        let (status, body) = match outcome {
            Ok(Answer { status, body, location }) => {
                headers.extend(location.map(|location| ("Location".to_owned(), location)));
                (status, body)
            }
            Err(refusal) => {
                let wait = refusal.limit.filter(|_| self.account.config.switches.retry_after);
                if let Some(limit) = wait {
                    let seconds = (self.account.quota.wait_ms(limit, now) + 999) / 1000;
                    headers.push(("Retry-After".to_owned(), seconds.max(1).to_string()));
                }
                (refusal.status, refusal.body(&id, portal_id))
            }
        };
        if !body.is_empty() {
            headers.push(("Content-Type".to_owned(), "application/json;charset=utf-8".to_owned()));
        }
        headers.push(("x-hubspot-correlation-id".to_owned(), id));
        match shown {
            Counted::Search => headers.push(("x-hubspot-rate-limit-exemptions".to_owned(), "search".to_owned())),
            Counted::As(app) => headers.extend(self.limit_headers(app, now)),
            Counted::Not => {}
        }
        Response { status, headers, body }
    }

    fn limit_headers(&mut self, app: App, now: Millis) -> Vec<(String, String)> {
        let Account { quota, limits, .. } = &mut self.account;
        let day_left = limits.day.saturating_sub(quota.day_used(limits, now));
        let window_left = quota.ten_seconds_left(limits, app, now);
        let max = if app == App::Private { limits.ten_seconds } else { limits.oauth_ten_seconds };
        [
            ("Daily", limits.day.to_string()),
            ("Daily-Remaining", day_left.to_string()),
            ("Interval-Milliseconds", "10000".to_owned()),
            ("Max", max.to_string()),
            ("Remaining", window_left.to_string()),
            ("Secondly", (max / 10).to_string()),
            ("Secondly-Remaining", (max / 10).saturating_sub(1).to_string()),
        ]
        .into_iter()
        .filter(|(name, _)| app == App::Private || !name.starts_with("Daily"))
        .map(|(name, value)| (format!("X-HubSpot-RateLimit-{name}"), value))
        .collect()
    }
}

/// Which limit an answer's headers tell about.
#[derive(Debug, Clone, Copy)]
enum Counted {
    Search,
    As(App),
    Not,
}

/// A version 7 UUID made of the time and the number of the call.
fn correlation_id(now: Millis, call: u64) -> String {
    let at = now.max(0);
    let mixed = call.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!(
        "{:08x}-{:04x}-7{:03x}-8{:03x}-{:012x}",
        (at >> 16) & 0xffff_ffff,
        at & 0xffff,
        mixed & 0xfff,
        (mixed >> 12) & 0xfff,
        call & 0xffff_ffff_ffff
    )
}

impl Crm for HubSpot {
    fn name(&self) -> &'static str {
        "hubspot"
    }

    fn handle(&mut self, request: &Request, now: Millis) -> Response {
        self.handle_with_invalid(request, &[], now)
    }

    fn operation(&self, request: &Request) -> &'static str {
        Route::of(request).operation()
    }

    fn inputs(&self, request: &Request) -> Vec<Vec<String>> {
        inputs::names(&self.account, request)
    }

    fn input_count(&self, request: &Request) -> usize {
        inputs::count(request)
    }

    fn subset(&self, request: &Request, keep: &dyn Fn(usize) -> bool) -> Option<Request> {
        inputs::subset(request, keep)
    }

    fn fault_response(&mut self, status: u16, body: Option<&str>, now: Millis) -> Response {
        if let Some(outcome) = body.filter(|_| status == 400).and_then(oauth::named) {
            return self.respond(outcome, Counted::Not, now);
        }
        let refusal = match (status, body) {
            (429, Some("daily")) => Refusal::limited(Limit::Day),
            (429, Some("secondly")) => Refusal::limited(Limit::Second),
            (429, _) => Refusal::limited(Limit::TenSeconds),
            (400, _) => Refusal::bad_request("Invalid input JSON"),
            (401, Some("expired")) => Refusal::expired(37),
            (401, _) => Refusal::unauthenticated(),
            (403, _) => Refusal::missing_scope("crm.objects.contacts.write"),
            (404, _) => Refusal::unknown_id(),
            (409, _) => Refusal::conflict(None),
            (423, _) => Refusal::plain(423, "The resource is locked by another operation."),
            (477, _) => Refusal::plain(477, "This account is being migrated between data centres."),
            (502, _) => Refusal::plain(502, "Bad gateway"),
            (503, _) => Refusal::plain(503, "Service unavailable"),
            (504, _) => Refusal::plain(504, "Gateway timeout"),
            (status, _) => Refusal::plain(status, "internal error"),
        };
        let wait = (status == 477).then(|| ("Retry-After".to_owned(), MOVE_SECONDS.to_string()));
        let mut response = self.respond(Err(refusal), if status == 401 { Counted::Not } else { Counted::As(App::Private) }, now);
        response.headers.extend(wait);
        if body == Some("empty") {
            response.body.clear();
        }
        response
    }

    fn handle_with_invalid(&mut self, request: &Request, invalid: &[InvalidInput], now: Millis) -> Response {
        let route = Route::of(request);
        let call = Call { request, invalid, now };
        if route.is_open() {
            let outcome = self.dispatch(route, &call);
            return self.respond(outcome, Counted::Not, now);
        }
        let is_search = route.is_search();
        let admitted = self.admit(request, &route, now);
        let counted = match &admitted {
            Err(refusal) if refusal.status == 401 => Counted::Not,
            _ if is_search => Counted::Search,
            admitted => Counted::As(admitted.as_ref().copied().unwrap_or(App::Private)),
        };
        let outcome = admitted.and_then(|_| self.dispatch(route, &call));
        self.respond(outcome, counted, now)
    }

    fn snapshot(&self) -> Value {
        self.account.snapshot()
    }

    fn restore(&mut self, state: &Value) -> Result<(), String> {
        self.account.restore(state)
    }

    fn drain_journal(&mut self) -> Vec<Value> {
        self.account.drain_journal()
    }

    fn forget_journal(&mut self) {
        self.account.forget_journal();
    }

    fn replay(&mut self, entry: &Value) -> Result<(), String> {
        self.account.replay(entry)
    }

    fn edit(&mut self, object: &str, id: Option<&str>, fields: Option<&Map<String, Value>>, now: Millis) -> Result<String, String> {
        inputs::edit(&mut self.account, object, id, fields, now)
    }

    fn merge(&mut self, primary: &str, other: &str, now: Millis) -> Result<String, String> {
        let number = |id: &str| id.parse::<u64>().map_err(|_| format!("{id} is no id"));
        let joined = merge::join(&mut self.account, number(primary)?, number(other)?, now);
        joined.map(|id| id.to_string()).map_err(|refusal| refusal.message)
    }

    fn bring_back(&mut self, id: &str, now: Millis) -> Result<(), String> {
        let number = id.parse::<u64>().map_err(|_| format!("{id} is no id"))?;
        merge::restore(&mut self.account, number, now)
    }

    fn records(&self) -> Vec<StoredRecord> {
        let records = self.account.store.all().map(|contact| StoredRecord {
            object: "contacts".to_owned(),
            id: contact.id.to_string(),
            fields: contact.values.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            deleted: contact.archived_at.is_some(),
            writes: contact.writes,
        });
        records.collect()
    }
}
