//! The routes of single contacts: list, create, read, change, archive.
//!
//! Promises: a lookup by `idProperty` takes `email` or a unique property and nothing else; archived contacts read as 404
//! unless they are asked for; archiving twice is 204 both times.
//! Leaves to others: checking values (`write`), many at once (`batch`).

use serde::Serialize;
use serde_json::json;

use super::account::Account;
use super::answer::{Answer, Call, Outcome};
use super::associations;
use super::body::{self, SingleBody};
use super::errors::Refusal;
use super::history::{self, Touch};
use super::render::{self, Record, Shown};
use super::store::Contact;
use super::{required, write};

const PAGE_DEFAULT: usize = 10;
const PAGE_MAX: usize = 100;
/// The longest page of contacts with the history of some property.
const HISTORY_PAGE_MAX: usize = 50;

/// `GET /contacts`
pub(super) fn list(account: &Account, call: &Call<'_>) -> Outcome {
    let asked = Asked::of(account, call);
    let limit = page_size(call, if asked.history.is_empty() { PAGE_MAX } else { HISTORY_PAGE_MAX })?;
    let archived = call.flag("archived");
    let after = call.request.query_value("after").map_or(Ok(0), str::parse::<u64>);
    let from = after.map_err(|_| Refusal::bad_request("Invalid value for parameter 'after'"))?;
    let mut found = account.store.from(from).filter(|contact| contact.archived_at.is_some() == archived);
    let results: Vec<Record<'_>> =
        found.by_ref().take(limit).map(|contact| asked.record(account, call, contact)).collect();
    let next = found.next().map(|contact| contact.id.to_string());
    Answer::json(200, &Page::new(None, results, next, |after| format!("{}?after={after}&limit={limit}", link(call))))
}

/// The links of a contact, when they are asked for and there are any.
fn links(account: &Account, call: &Call<'_>, id: u64) -> Option<serde_json::Value> {
    let asked = call.list("associations").any(|name| ["companies", "company", "0-2"].contains(&name));
    let all = if asked { associations::of_contact(account, id) } else { Vec::new() };
    let results: Vec<serde_json::Value> = all.iter().map(|(id, name)| json!({"id": id.to_string(), "type": name})).collect();
    (!results.is_empty()).then(|| json!({"companies": {"results": results}}))
}

fn page_size(call: &Call<'_>, max: usize) -> Result<usize, Refusal> {
    let limit = call.request.query_value("limit").map_or(Ok(PAGE_DEFAULT), str::parse::<usize>);
    match limit {
        Ok(limit) if (1..=max).contains(&limit) => Ok(limit),
        _ => Err(Refusal::bad_request(format!("Invalid value for parameter 'limit': must be between 1 and {max}"))),
    }
}

/// `POST /contacts`
pub(super) fn create(account: &mut Account, call: &Call<'_>) -> Outcome {
    let body: SingleBody<'_> = body::read(&call.request.body)?;
    let portal_id = account.config.portal_id;
    required::check_new(account, call, &body.properties)?;
    let links = associations::inline(account, &body.associations)?;
    let id = write::create(account, &body.properties, call.forced(0), Touch::call(call.now)).map_err(|error| error.refusal(portal_id))?;
    for (company, types) in links {
        account.link(id, company, &types);
    }
    let mut answer = stored(account, id, 201)?;
    answer.location = Some(format!("{}/{id}", link(call)));
    Ok(answer)
}

/// `GET /contacts/{id}`
pub(super) fn read(account: &Account, call: &Call<'_>, key: &str) -> Outcome {
    let id = resolve(account, call, key, "read")?;
    let contact = account.store.any(id).filter(|contact| contact.archived_at.is_none() || call.flag("archived"));
    let contact = contact.ok_or_else(Refusal::unknown_id)?;
    let asked = Asked::of(account, call);
    Answer::json(200, &asked.record(account, call, contact))
}

/// `PATCH /contacts/{id}`
pub(super) fn update(account: &mut Account, call: &Call<'_>, key: &str) -> Outcome {
    let body: SingleBody<'_> = body::read(&call.request.body)?;
    let id = resolve(account, call, key, "update")?;
    let portal_id = account.config.portal_id;
    required::check_change(account, call, &body.properties)?;
    let clash_is_invalid = account.config.switches.email_change_clash_invalid;
    write::update(account, id, &body.properties, call.forced(0), Touch::call(call.now)).map_err(|error| match error.refusal(portal_id) {
        clash if clash.status == 409 && clash_is_invalid => Refusal::bad_request(clash.message),
        refusal => refusal,
    })?;
    stored(account, id, 200)
}

/// `DELETE /contacts/{id}`
pub(super) fn archive(account: &mut Account, call: &Call<'_>, key: &str) -> Outcome {
    let id = key.parse().ok().map(|id| account.store.resolve(id)).filter(|id| account.store.live(*id).is_some());
    match id {
        Some(id) => account.store.archive(id, call.now),
        None if account.config.switches.second_archive_missing => return Err(Refusal::unknown_id()),
        None => {}
    }
    Answer::empty()
}

pub(super) fn stored(account: &Account, id: u64, status: u16) -> Outcome {
    let contact = account.store.live(id).ok_or_else(Refusal::unknown_id)?;
    Answer::json(status, &render::record(account, contact, Shown::Stored))
}

fn resolve(account: &Account, call: &Call<'_>, key: &str, verb: &str) -> Result<u64, Refusal> {
    match call.request.query_value("idProperty").filter(|name| *name != "hs_object_id") {
        None => key.parse().map(|id| account.store.resolve(id)).map_err(|_| Refusal::unknown_key(key)),
        Some(name) if account.schema.is_key(name) => {
            find_key(account, name, key).ok_or_else(|| Refusal::unknown_key(key))
        }
        Some(name) => Err(Refusal::bad_request(format!("Unable to perform {verb} by non-unique 0-1 property {name}"))),
    }
}

/// The live contact with that email or unique value; emails in any case.
pub(super) fn find_key(account: &Account, property: &str, key: &str) -> Option<u64> {
    if property == "email" { account.store.find(property, &key.to_lowercase()) } else { account.store.find(property, key) }
}

/// What a read is to show of each contact.
struct Asked {
    names: Vec<String>,
    history: Vec<String>,
}

impl Asked {
    fn of(account: &Account, call: &Call<'_>) -> Self {
        let history = render::defined(account, call.list("propertiesWithHistory"));
        let mut asked = call.list("properties").peekable();
        let names = if asked.peek().is_none() { render::DEFAULTS.map(str::to_owned).to_vec() } else { render::chosen(account, asked) };
        Self { names: render::with(names, &history), history }
    }

    fn record<'a>(&'a self, account: &'a Account, call: &Call<'_>, contact: &'a Contact) -> Record<'a> {
        let mut record = render::record(account, contact, Shown::Chosen(&self.names));
        record.properties_with_history = (!self.history.is_empty()).then(|| history::shown(account, contact, &self.history));
        record.associations = links(account, call, contact.id);
        record
    }
}

fn link(call: &Call<'_>) -> String {
    format!("https://api.hubapi.com{}", call.request.path.trim_end_matches('/'))
}

/// One page of records.
#[derive(Serialize)]
pub(super) struct Page<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<usize>,
    results: Vec<Record<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paging: Option<serde_json::Value>,
}

impl<'a> Page<'a> {
    /// A page; `paging` is absent on the last one.
    pub(super) fn new(total: Option<usize>, results: Vec<Record<'a>>, next: Option<String>, link: impl Fn(&str) -> String) -> Self {
        let paging = next.map(|after| json!({"next": {"link": link(&after), "after": after}}));
        Self { total, results, paging }
    }
}
