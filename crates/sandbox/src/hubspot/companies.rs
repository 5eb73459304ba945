//! Companies, as much of them as links from contacts need: create, list, read, change, archive, search.
//!
//! Promises: ids come from the same count as those of contacts; a changed company gets one line in the journal; an archived one is
//! linked to nothing.
//! Leaves to others: links (`associations`), what a filter means (`search`); batches and merges of companies, which a sync of contacts
//! does not do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::account::Account;
use super::answer::{Answer, Call, Outcome};
use super::body::{self, Filter, Properties, SearchBody, SingleBody};
use super::errors::{Invalid, Refusal};
use super::schema::Kind;
use super::{search, stamp};
use crate::exchange::Millis;

const KNOWN: [&str; 8] = ["name", "domain", "phone", "city", "country", "industry", "website", "description"];
const COMPUTED: [(&str, Kind); 3] = [("createdate", Kind::Datetime), ("hs_lastmodifieddate", Kind::Datetime), ("hs_object_id", Kind::Number)];
const PAGE_MAX: usize = 100;

/// One company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Company {
    pub(super) id: u64,
    values: BTreeMap<String, String>,
    created_at: Millis,
    updated_at: Millis,
    archived_at: Option<Millis>,
}

impl Company {
    fn value(&self, name: &str) -> Option<String> {
        match name {
            "createdate" => Some(stamp::iso(self.created_at)),
            "hs_lastmodifieddate" => Some(stamp::iso(self.updated_at)),
            "hs_object_id" => Some(self.id.to_string()),
            _ => self.values.get(name).cloned(),
        }
    }

    fn set(&mut self, properties: &Properties<'_>) {
        for (name, value) in properties {
            if value.text().is_empty() {
                self.values.remove(name.0.as_ref());
            } else {
                self.values.insert(name.0.to_string(), value.text().to_owned());
            }
        }
    }
}

/// `POST /companies`
pub(super) fn create(account: &mut Account, call: &Call<'_>) -> Outcome {
    let body: SingleBody<'_> = body::read(&call.request.body)?;
    check(account, &body.properties)?;
    let id = account.store.take_id();
    let mut company = Company { id, values: BTreeMap::new(), created_at: call.now, updated_at: call.now, archived_at: None };
    company.set(&body.properties);
    let mut answer = Answer::json(201, &shown(account, &company))?;
    answer.location = Some(format!("https://api.hubapi.com{}/{id}", call.request.path.trim_end_matches('/')));
    account.add_company(company);
    Ok(answer)
}

fn check(account: &Account, properties: &Properties<'_>) -> Result<(), Refusal> {
    let refused = properties.keys().filter(|name| !KNOWN.contains(&name.0.as_ref())).map(|name| {
        let name = name.0.to_string();
        let (code, message) = if COMPUTED.iter().any(|(computed, _)| *computed == name) {
            ("READ_ONLY_VALUE", format!("\"{name}\" is a calculated property; its value cannot be set."))
        } else {
            ("PROPERTY_DOESNT_EXIST", format!("Property \"{name}\" does not exist"))
        };
        Invalid { property: name, code: code.to_owned(), message }
    });
    let refused: Vec<Invalid> = refused.collect();
    if refused.is_empty() { Ok(()) } else { Err(Refusal::invalid(account.config.portal_id, &refused)) }
}

/// `GET /companies`
pub(super) fn list(account: &Account, call: &Call<'_>) -> Outcome {
    let number = |name: &str, default: usize| call.request.query_value(name).map_or(Some(default), |text| text.parse().ok());
    let (Some(limit @ 1..=PAGE_MAX), Some(from)) = (number("limit", 10), number("after", 0).and_then(|from| u64::try_from(from).ok())) else {
        return Err(Refusal::bad_request("Invalid value for parameter 'limit' or 'after'"));
    };
    let archived = call.flag("archived");
    let mut found = account.companies.range(from..).map(|(_, company)| company).filter(|company| company.archived_at.is_some() == archived);
    let results: Vec<Value> = found.by_ref().take(limit).map(|company| shown(account, company)).collect();
    let mut answer = json!({"results": results});
    if let Some(next) = found.next() {
        answer["paging"] = json!({"next": {"after": next.id.to_string()}});
    }
    Answer::json(200, &answer)
}

/// A company that is not archived.
pub(super) fn live(account: &Account, id: u64) -> Option<&Company> {
    account.companies.get(&id).filter(|company| company.archived_at.is_none())
}

fn named<'a>(account: &'a Account, key: &str) -> Result<&'a Company, Refusal> {
    let id: u64 = key.parse().map_err(|_| Refusal::unknown_key(key))?;
    live(account, id).ok_or_else(Refusal::unknown_id)
}

/// `GET /companies/{id}`
pub(super) fn read(account: &Account, call: &Call<'_>, key: &str) -> Outcome {
    let id: u64 = key.parse().map_err(|_| Refusal::unknown_key(key))?;
    let company = account.companies.get(&id).filter(|company| company.archived_at.is_none() || call.flag("archived"));
    Answer::json(200, &shown(account, company.ok_or_else(Refusal::unknown_id)?))
}

/// `PATCH /companies/{id}`
pub(super) fn update(account: &mut Account, call: &Call<'_>, key: &str) -> Outcome {
    let body: SingleBody<'_> = body::read(&call.request.body)?;
    let mut company = named(account, key)?.clone();
    check(account, &body.properties)?;
    company.set(&body.properties);
    company.updated_at = company.updated_at.max(call.now);
    let answer = Answer::json(200, &shown(account, &company));
    account.add_company(company);
    answer
}

/// `DELETE /companies/{id}`: 204 whether or not there is one.
pub(super) fn archive(account: &mut Account, call: &Call<'_>, key: &str) -> Outcome {
    let found = key.parse().ok().and_then(|id| live(account, id)).cloned();
    if let Some(company) = found {
        let contacts: Vec<u64> = account.links.keys().filter(|(_, linked)| *linked == company.id).map(|(contact, _)| *contact).collect();
        for contact in contacts {
            account.unlink(contact, company.id, None);
        }
        account.add_company(Company { archived_at: Some(call.now), updated_at: company.updated_at.max(call.now), ..company });
    }
    Answer::empty()
}

/// `POST /companies/search`: as for contacts, without sort orders and free text.
pub(super) fn find(account: &Account, call: &Call<'_>) -> Outcome {
    let body: SearchBody<'_> = search::read(call, |name| KNOWN.contains(&name) || COMPUTED.iter().any(|(computed, _)| *computed == name))?;
    let (offset, limit) = search::page(&body)?;
    let matches = |company: &Company, filter: &Filter<'_>| {
        let name = filter.property_name.as_str();
        let kind = COMPUTED.iter().find(|(computed, _)| *computed == name).map_or(Kind::String, |(_, kind)| *kind);
        search::matches_value(kind, company.value(name).as_deref(), filter)
    };
    let groups = &body.filter_groups;
    let holds = |company: &&Company| groups.is_empty() || groups.iter().any(|group| group.filters.iter().all(|filter| matches(company, filter)));
    let found: Vec<&Company> = account.companies.values().filter(|company| company.archived_at.is_none()).filter(holds).collect();
    let results: Vec<Value> = found.iter().skip(offset).take(limit).map(|company| shown(account, company)).collect();
    let mut answer = json!({"total": found.len(), "results": results});
    if offset + limit < found.len() {
        answer["paging"] = json!({"next": {"after": (offset + limit).to_string()}});
    }
    Answer::json(200, &answer)
}

fn shown(account: &Account, company: &Company) -> Value {
    let mut properties = company.values.clone();
    properties.extend(COMPUTED.iter().filter_map(|(name, _)| Some(((*name).to_owned(), company.value(name)?))));
    let mut shown = json!({
        "id": company.id.to_string(),
        "properties": properties,
        "createdAt": stamp::iso(company.created_at),
        "updatedAt": stamp::iso(company.updated_at),
        "archived": company.archived_at.is_some(),
        "url": format!("https://app.hubspot.com/contacts/{}/record/0-2/{}", account.config.portal_id, company.id),
    });
    if let Some(at) = company.archived_at {
        shown["archivedAt"] = json!(stamp::iso(at));
    }
    shown
}
