//! Companies, as much of them as links from contacts need: create, list, read.
//!
//! Promises: ids come from the same count as those of contacts; a new company gets one line in the journal.
//! Leaves to others: links (`associations`); changing and deleting companies, which a sync of contacts does not do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::account::Account;
use super::answer::{Answer, Call, Outcome};
use super::body::{self, SingleBody};
use super::errors::{Invalid, Refusal};
use super::stamp;
use crate::exchange::Millis;

const KNOWN: [&str; 8] = ["name", "domain", "phone", "city", "country", "industry", "website", "description"];
const PAGE_MAX: usize = 100;

/// One company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Company {
    pub(super) id: u64,
    values: BTreeMap<String, String>,
    created_at: Millis,
}

/// `POST /companies`
pub(super) fn create(account: &mut Account, call: &Call<'_>) -> Outcome {
    let body: SingleBody<'_> = body::read(&call.request.body)?;
    let unknown: Vec<Invalid> = body
        .properties
        .keys()
        .filter(|name| !KNOWN.contains(&name.0.as_ref()))
        .map(|name| Invalid {
            property: name.0.to_string(),
            code: "PROPERTY_DOESNT_EXIST".to_owned(),
            message: format!("Property \"{}\" does not exist", name.0),
        })
        .collect();
    if !unknown.is_empty() {
        return Err(Refusal::invalid(account.config.portal_id, &unknown));
    }
    let values = body.properties.iter().filter(|(_, value)| !value.text().is_empty());
    let values = values.map(|(name, value)| (name.0.to_string(), value.text().to_owned())).collect();
    let company = Company { id: account.store.take_id(), values, created_at: call.now };
    let answer = Answer::json(201, &shown(account, &company));
    account.add_company(company);
    answer
}

/// `GET /companies`
pub(super) fn list(account: &Account, call: &Call<'_>) -> Outcome {
    let number = |name: &str, default: usize| call.request.query_value(name).map_or(Some(default), |text| text.parse().ok());
    let (Some(limit @ 1..=PAGE_MAX), Some(from)) = (number("limit", 10), number("after", 0).and_then(|from| u64::try_from(from).ok())) else {
        return Err(Refusal::bad_request("Invalid value for parameter 'limit' or 'after'"));
    };
    let mut found = account.companies.range(from..).map(|(_, company)| company);
    let results: Vec<Value> = found.by_ref().take(limit).map(|company| shown(account, company)).collect();
    let mut answer = json!({"results": results});
    if let Some(next) = found.next() {
        answer["paging"] = json!({"next": {"after": next.id.to_string()}});
    }
    Answer::json(200, &answer)
}

/// `GET /companies/{id}`
pub(super) fn read(account: &Account, key: &str) -> Outcome {
    let id: u64 = key.parse().map_err(|_| Refusal::unknown_key(key))?;
    let company = account.companies.get(&id).ok_or_else(Refusal::unknown_id)?;
    Answer::json(200, &shown(account, company))
}

fn shown(account: &Account, company: &Company) -> Value {
    let at = stamp::iso(company.created_at);
    let mut properties = company.values.clone();
    properties.extend([
        ("createdate".to_owned(), at.clone()),
        ("hs_lastmodifieddate".to_owned(), at.clone()),
        ("hs_object_id".to_owned(), company.id.to_string()),
    ]);
    json!({
        "id": company.id.to_string(),
        "properties": properties,
        "createdAt": at,
        "updatedAt": at,
        "archived": false,
        "url": format!("https://app.hubspot.com/contacts/{}/record/0-2/{}", account.config.portal_id, company.id),
    })
}
