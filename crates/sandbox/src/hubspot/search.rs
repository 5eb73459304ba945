//! `POST /contacts/search`: filters, one sort order, offset paging.
//!
//! Promises: groups are OR-ed, filters within a group AND-ed; text compares without case except for `IN`, enumerations with
//! case; at most 200 a page and 10,000 reachable; archived contacts never appear; what is found lags behind as configured.
//! Leaves to others: the rate of five in a second (`quota`).

use std::borrow::Cow;
use std::cmp::Ordering;

use super::account::Account;
use super::answer::{Answer, Call, Outcome};
use super::body::{self, Filter, FilterGroup, Scalar, SearchBody, Sort};
use super::associations;
use super::contacts::{Page, find_key};
use super::errors::Refusal;
use super::render::{self, Record, Shown};
use super::schema::Kind;
use super::stamp;
use super::store::Contact;
use crate::exchange::Millis;

const PAGE_DEFAULT: usize = 10;
const PAGE_MAX: usize = 200;
const REACHABLE_MAX: usize = 10_000;
const BODY_MAX: usize = 3_000;
const OPERATORS: [&str; 13] = [
    "EQ", "NEQ", "LT", "LTE", "GT", "GTE", "BETWEEN", "IN", "NOT_IN", "HAS_PROPERTY", "NOT_HAS_PROPERTY", "CONTAINS_TOKEN",
    "NOT_CONTAINS_TOKEN",
];
const QUERY_FIELDS: [&str; 8] = ["firstname", "lastname", "email", "phone", "hs_additional_emails", "fax", "mobilephone", "company"];

/// The pseudo-property that holds the companies that a contact is linked to.
const LINKED: &str = "associations.company";

/// Reads a search; `is_known` tells which properties there are.
pub(super) fn read<'a>(call: &Call<'a>, is_known: impl Fn(&str) -> bool) -> Result<SearchBody<'a>, Refusal> {
    if call.request.body.len() > BODY_MAX {
        return Err(Refusal::bad_request(format!("Search request is too long (max: {BODY_MAX} characters)")));
    }
    let mut body: SearchBody<'a> = body::read(&call.request.body)?;
    if !body.filters.is_empty() {
        body.filter_groups.push(FilterGroup { filters: std::mem::take(&mut body.filters) });
    }
    check_filters(&body.filter_groups, is_known)?;
    Ok(body)
}

/// `POST /contacts/search`
pub(super) fn search(account: &Account, call: &Call<'_>) -> Outcome {
    let body = read(call, |name| name == LINKED || account.schema.get(name).is_some())?;
    let (offset, limit) = page(&body)?;
    let mut found: Vec<&Contact> = candidates(account, &body, call.now)
        .into_iter()
        .filter(|contact| contact.archived_at.is_none())
        .filter(|contact| matches_groups(account, contact, &body.filter_groups) && matches_query(contact, body.query.as_deref()))
        .collect();
    if let Some(sort) = body.sorts.first() {
        order(account, &mut found, sort)?;
    }
    let names = if body.properties.is_empty() {
        render::DEFAULTS.map(str::to_owned).to_vec()
    } else {
        render::chosen(account, body.properties.iter().map(String::as_str))
    };
    let shown = found.iter().skip(offset).take(limit);
    let results: Vec<Record<'_>> = shown.map(|contact| render::record(account, contact, Shown::Chosen(&names))).collect();
    let next = (offset + limit < found.len()).then(|| (offset + limit).to_string());
    let link = |after: &str| format!("https://api.hubapi.com{}?after={after}", call.request.path);
    Answer::json(200, &Page::new(Some(found.len()), results, next, link))
}

/// Offset and length of the page that is asked for.
pub(super) fn page(body: &SearchBody<'_>) -> Result<(usize, usize), Refusal> {
    let limit = body.limit.unwrap_or(PAGE_DEFAULT);
    if limit == 0 || limit > PAGE_MAX {
        return Err(Refusal::bad_request(format!("Invalid input JSON: limit must be between 1 and {PAGE_MAX}")));
    }
    let after = body.after.as_ref().map_or("", Scalar::text);
    let offset = if after.is_empty() { Ok(0) } else { after.parse::<usize>() };
    match offset {
        Ok(offset) if offset + limit <= REACHABLE_MAX => Ok((offset, limit)),
        Ok(_) => Err(Refusal::bad_request(format!("There was a problem with the request: paging past {REACHABLE_MAX} results"))),
        Err(_) => Err(Refusal::bad_request("Invalid input JSON: after must be a number")),
    }
}

fn check_filters(groups: &[FilterGroup<'_>], is_known: impl Fn(&str) -> bool) -> Result<(), Refusal> {
    let too_many = |what: &str, count: usize, max: usize| {
        Err(Refusal::bad_request(format!("Invalid input JSON: too many {what} (count: {count}, max allowed: {max})")))
    };
    if groups.len() > 5 {
        return too_many("filterGroups", groups.len(), 5);
    }
    let total: usize = groups.iter().map(|group| group.filters.len()).sum();
    if total > 18 {
        return too_many("filters", total, 18);
    }
    for group in groups {
        if group.filters.len() > 6 {
            return too_many("filters", group.filters.len(), 6);
        }
        for filter in &group.filters {
            if !OPERATORS.contains(&filter.operator.as_str()) {
                return Err(Refusal::bad_request(format!("Invalid input JSON: unknown operator {}", filter.operator)));
            }
            if !is_known(&filter.property_name) {
                return Err(Refusal::bad_request(format!("There was a problem with the request: no property {}", filter.property_name)));
            }
        }
    }
    Ok(())
}

/// Contacts to look at: few when one group asks for values of a unique property or for ids, else all.
fn candidates<'a>(account: &'a Account, body: &SearchBody<'_>, now: Millis) -> Vec<&'a Contact> {
    if !account.store.is_fresh() {
        return account.store.seen(now);
    }
    if let [group] = body.filter_groups.as_slice() {
        for filter in group.filters.iter().filter(|filter| matches!(filter.operator.as_str(), "EQ" | "IN")) {
            let name = filter.property_name.as_str();
            let values = filter.values.iter().chain(&filter.value).map(Scalar::text);
            let ids: Vec<u64> = match name {
                "hs_object_id" => values.filter_map(|value| value.parse().ok()).collect(),
                "email" => values.filter_map(|value| find_key(account, name, value)).collect(),
                _ => continue,
            };
            let ids: std::collections::BTreeSet<u64> = ids.into_iter().collect();
            return ids.into_iter().filter_map(|id| account.store.any(id)).collect();
        }
    }
    account.store.all().collect()
}

fn matches_groups(account: &Account, contact: &Contact, groups: &[FilterGroup<'_>]) -> bool {
    groups.is_empty() || groups.iter().any(|group| group.filters.iter().all(|filter| matches(account, contact, filter)))
}

fn matches(account: &Account, contact: &Contact, filter: &Filter<'_>) -> bool {
    if filter.property_name == LINKED {
        let linked = associations::of_contact(account, contact.id);
        let companies: Vec<String> = linked.iter().map(|(company, _)| company.to_string()).collect();
        // A record without links is one without a value.
        return if companies.is_empty() {
            matches_value(Kind::Enumeration, None, filter)
        } else {
            companies.iter().any(|company| matches_value(Kind::Enumeration, Some(company), filter))
        };
    }
    let kind = account.schema.get(&filter.property_name).map_or(Kind::String, |property| property.kind);
    matches_value(kind, render::value(contact, &filter.property_name).as_deref(), filter)
}

/// Whether a filter holds of a value.
pub(super) fn matches_value(kind: Kind, stored: Option<&str>, filter: &Filter<'_>) -> bool {
    let value = filter.value.as_ref().map_or("", Scalar::text);
    let against = |other: &str| stored.map(|stored| compare(kind, stored, other));
    let listed = || stored.is_some_and(|stored| filter.values.iter().any(|item| is_listed(kind, stored, item.text())));
    match filter.operator.as_str() {
        "EQ" => against(value) == Some(Ordering::Equal),
        "NEQ" => against(value).is_some_and(|order| order != Ordering::Equal),
        "LT" => against(value) == Some(Ordering::Less),
        "LTE" => against(value).is_some_and(|order| order != Ordering::Greater),
        "GT" => against(value) == Some(Ordering::Greater),
        "GTE" => against(value).is_some_and(|order| order != Ordering::Less),
        "BETWEEN" => {
            let high = filter.high_value.as_ref().map_or("", Scalar::text);
            against(value).is_some_and(|order| order != Ordering::Less) && against(high).is_some_and(|order| order != Ordering::Greater)
        }
        "IN" => listed(),
        "NOT_IN" => stored.is_some() && !listed(),
        "HAS_PROPERTY" => stored.is_some(),
        "NOT_HAS_PROPERTY" => stored.is_none(),
        "CONTAINS_TOKEN" => stored.is_some_and(|stored| contains_token(stored, value)),
        _ => stored.is_some_and(|stored| !contains_token(stored, value)),
    }
}

/// `IN` wants lower-case values for text: the stored text is lowered, the asked one is not.
fn is_listed(kind: Kind, stored: &str, asked: &str) -> bool {
    if kind == Kind::String { stored.to_lowercase() == asked } else { compare(kind, stored, asked) == Ordering::Equal }
}

fn compare(kind: Kind, left: &str, right: &str) -> Ordering {
    match kind {
        Kind::Number => number(left).total_cmp(&number(right)),
        Kind::Date | Kind::Datetime => moment(left).cmp(&moment(right)),
        Kind::Enumeration | Kind::Bool => left.cmp(right),
        Kind::String | Kind::PhoneNumber => lowered(left).cmp(&lowered(right)),
    }
}

fn lowered(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_uppercase) { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(text) }
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

fn moment(text: &str) -> Option<i64> {
    stamp::read_datetime(text).or_else(|| stamp::read_datetime(&format!("{text}T00:00:00Z")))
}

fn contains_token(stored: &str, pattern: &str) -> bool {
    let pattern = pattern.to_lowercase();
    let stored = stored.to_lowercase();
    let words = stored.split(|c: char| !c.is_alphanumeric()).chain(std::iter::once(stored.as_str()));
    words.into_iter().any(|word| match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(rest), Some(_)) => word.contains(rest.trim_end_matches('*')),
        (Some(end), None) => word.ends_with(end),
        (None, Some(start)) => word.starts_with(start),
        (None, None) => word == pattern,
    })
}

fn matches_query(contact: &Contact, query: Option<&str>) -> bool {
    let Some(query) = query.filter(|query| !query.is_empty()) else { return true };
    let query = query.to_lowercase();
    QUERY_FIELDS.iter().any(|field| contact.values.get(field).is_some_and(|value| value.to_lowercase().contains(&query)))
}

fn order(account: &Account, found: &mut [&Contact], sort: &Sort) -> Result<(), Refusal> {
    let (name, descending) = match sort {
        Sort::Name(name) => (name.trim_start_matches('-'), name.starts_with('-')),
        Sort::Full { property_name, direction } => (property_name.as_str(), direction.as_deref() == Some("DESCENDING")),
    };
    let Some(property) = account.schema.get(name) else {
        return Err(Refusal::bad_request(format!("There was a problem with the request: no property {name}")));
    };
    let kind = property.kind;
    found.sort_by(|left, right| {
        let order = match (render::value(left, name), render::value(right, name)) {
            (Some(left), Some(right)) => compare(kind, &left, &right),
            (left, right) => left.is_some().cmp(&right.is_some()).reverse(),
        };
        if descending { order.reverse() } else { order }
    });
    Ok(())
}
