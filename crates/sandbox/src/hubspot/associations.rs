//! Links between contacts and companies, seen from either side.
//!
//! Promises: a link is one fact with a type per direction (279 and 280, primary 1 and 2); a type of the other direction is 400;
//! deleting a link takes all its types.
//! Leaves to others: custom labels, and other objects than these two.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::account::Account;
use super::answer::{Answer, Call, Outcome};
use super::body::{self, Scalar};
use super::errors::Refusal;
use super::{companies, stamp};

const READ_INPUTS_MAX: usize = 1000;
const WRITE_INPUTS_MAX: usize = 2000;

/// Which object the path begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Contact,
    Company,
}

/// What a batch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bulk {
    Create,
    Default,
    Archive,
    ArchiveLabels,
    Read,
}

impl Side {
    /// The type of a link: unlabelled, or the primary company.
    fn types(self) -> [u32; 2] {
        match self {
            Self::Contact => [279, 1],
            Self::Company => [280, 2],
        }
    }

    fn object_types(self) -> [&'static str; 2] {
        match self {
            Self::Contact => ["0-1", "0-2"],
            Self::Company => ["0-2", "0-1"],
        }
    }

    /// Contact and company of a pair in the order of the path.
    fn pair(self, from: u64, to: u64) -> (u64, u64) {
        match self {
            Self::Contact => (from, to),
            Self::Company => (to, from),
        }
    }
}

/// A type as a body names it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    association_type_id: u32,
}

#[derive(Debug, Clone, Deserialize)]
struct Reference<'a> {
    #[serde(borrow)]
    id: Scalar<'a>,
}

/// One input of a batch; `to` is one record or, in archive, several.
#[derive(Debug, Deserialize)]
struct Input<'a> {
    #[serde(borrow, default)]
    id: Option<Scalar<'a>>,
    #[serde(borrow, default)]
    from: Option<Reference<'a>>,
    #[serde(borrow, default)]
    to: Option<To<'a>>,
    #[serde(default)]
    types: Vec<Spec>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum To<'a> {
    #[serde(borrow)]
    One(Reference<'a>),
    Many(Vec<Reference<'a>>),
}

#[derive(Debug, Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    inputs: Vec<Input<'a>>,
}

/// An association of a new contact.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Inline<'a> {
    #[serde(borrow)]
    to: Reference<'a>,
    #[serde(default)]
    types: Vec<Spec>,
}

/// Links of a new contact: companies and types.
pub(super) type Links = Vec<(u64, BTreeSet<u32>)>;

/// The links that a create asks for.
pub(super) fn inline(account: &Account, wanted: &[Inline<'_>]) -> Result<Links, Refusal> {
    let links = wanted.iter().map(|link| {
        let id = link.to.id.text().parse().ok().filter(|id| companies::live(account, *id).is_some());
        let Some(id) = id else {
            let mut refusal = Refusal::bad_request("One or more associations are invalid");
            refusal.rest.context.insert("INVALID_OBJECT_IDS", vec![format!("COMPANY={} is not valid", link.to.id.text())]);
            refusal.rest.context.insert("objectId", vec![link.to.id.text().to_owned()]);
            refusal.rest.context.insert("objectType", vec!["COMPANY".to_owned()]);
            return Err(refusal);
        };
        Ok((id, plain(Side::Contact, &link.types)?))
    });
    links.collect()
}

/// The types as seen from the contact.
fn plain(side: Side, types: &[Spec]) -> Result<BTreeSet<u32>, Refusal> {
    let known = side.types();
    let found: Result<BTreeSet<u32>, Refusal> = types
        .iter()
        .map(|spec| match known.iter().position(|id| *id == spec.association_type_id) {
            Some(at) => Ok(Side::Contact.types()[at]),
            None => Err(Refusal::bad_request(format!(
                "association type id {} doesn't exist between {} and {}",
                spec.association_type_id,
                side.object_types()[0],
                side.object_types()[1]
            ))),
        })
        .collect();
    let mut found = found?;
    // Every link is also an unlabelled one.
    found.insert(279);
    Ok(found)
}

fn ends(account: &Account, side: Side, from: &str, to: &str) -> Result<(u64, u64), Refusal> {
    let number = |text: &str| text.parse::<u64>().map_err(|_| Refusal::unknown_key(text));
    let (contact, company) = side.pair(number(from)?, number(to)?);
    let contact = account.store.resolve(contact);
    if account.store.live(contact).is_none() || companies::live(account, company).is_none() {
        return Err(Refusal::unknown_id());
    }
    Ok((contact, company))
}

/// `PUT …/associations/default/{type}/{id}`
pub(super) fn put_default(account: &mut Account, call: &Call<'_>, side: Side, from: &str, to: &str) -> Outcome {
    let (contact, company) = ends(account, side, from, to)?;
    account.link(contact, company, &BTreeSet::from([279]));
    Answer::json(200, &envelope(call, vec![default_result(side, from, to)]))
}

fn default_result(side: Side, from: &str, to: &str) -> Value {
    json!({"from": {"id": from}, "to": {"id": to},
           "associationSpec": {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": side.types()[0]}})
}

/// `PUT …/associations/{type}/{id}`
pub(super) fn put(account: &mut Account, call: &Call<'_>, side: Side, from: &str, to: &str) -> Outcome {
    let types: Vec<Spec> = body::read(&call.request.body)?;
    let (contact, company) = ends(account, side, from, to)?;
    account.link(contact, company, &plain(side, &types)?);
    Answer::json(201, &pair_result(side, from, to))
}

fn pair_result(side: Side, from: &str, to: &str) -> Value {
    let [from_type, to_type] = side.object_types();
    json!({"fromObjectTypeId": from_type, "fromObjectId": from, "toObjectTypeId": to_type, "toObjectId": to, "labels": []})
}

/// `GET …/associations/{type}`
pub(super) fn list(account: &Account, call: &Call<'_>, side: Side, from: &str) -> Outcome {
    let id: u64 = from.parse().map_err(|_| Refusal::unknown_key(from))?;
    let known = match side {
        Side::Contact => account.store.live(account.store.resolve(id)).is_some(),
        Side::Company => companies::live(account, id).is_some(),
    };
    if !known {
        return Err(Refusal::unknown_id());
    }
    let number = |name: &str, default: u64| call.request.query_value(name).map_or(Some(default), |text| text.parse::<u64>().ok());
    let (Some(limit @ 1..=500), Some(after)) = (number("limit", 500), number("after", 0)) else {
        return Err(Refusal::bad_request("Invalid value for parameter 'limit' or 'after'"));
    };
    let mut found = linked(account, side, id).into_iter().filter(|(to, _)| *to >= after);
    let results: Vec<Value> =
        found.by_ref().take(usize::try_from(limit).unwrap_or(500)).map(|(to, types)| target(side, to, &types)).collect();
    let mut answer = json!({"results": results});
    if let Some((next, _)) = found.next() {
        answer["paging"] = json!({"next": {"after": next.to_string()}});
    }
    Answer::json(200, &answer)
}

/// What is linked to a record, in the order of ids.
fn linked(account: &Account, side: Side, id: u64) -> Vec<(u64, BTreeSet<u32>)> {
    let all = account.links.iter().filter_map(|((contact, company), types)| match side {
        Side::Contact => (*contact == account.store.resolve(id)).then(|| (*company, types.clone())),
        Side::Company => (*company == id).then(|| (*contact, types.clone())),
    });
    all.collect()
}

/// What records show of their links: company id and the name of the type.
pub(super) fn of_contact(account: &Account, contact: u64) -> Vec<(u64, &'static str)> {
    let types = |types: BTreeSet<u32>| types.into_iter().map(|id| if id == 1 { "contact_to_company_primary" } else { "contact_to_company" });
    linked(account, Side::Contact, contact).into_iter().flat_map(|(company, all)| types(all).map(move |name| (company, name))).collect()
}

fn target(side: Side, to: u64, types: &BTreeSet<u32>) -> Value {
    let shown: Vec<Value> = types
        .iter()
        .map(|id| {
            let is_primary = *id == 1;
            let label = if is_primary { json!("Primary") } else { Value::Null };
            json!({"category": "HUBSPOT_DEFINED", "typeId": side.types()[usize::from(is_primary)], "label": label})
        })
        .collect();
    json!({"toObjectId": to.to_string(), "associationTypes": shown})
}

/// `DELETE …/associations/{type}/{id}`: 204 whether or not there is a link.
pub(super) fn delete(account: &mut Account, side: Side, from: &str, to: &str) -> Outcome {
    let (contact, company) = ends(account, side, from, to)?;
    account.unlink(contact, company, None);
    Answer::empty()
}

/// `GET /associations/{from}/{to}/labels`
pub(super) fn labels(side: Side) -> Outcome {
    let [plain, primary] = side.types();
    Answer::json(
        200,
        &json!({"results": [
            {"category": "HUBSPOT_DEFINED", "typeId": primary, "label": "Primary"},
            {"category": "HUBSPOT_DEFINED", "typeId": plain, "label": null},
        ]}),
    )
}

/// `POST /associations/{from}/{to}/batch/…`
pub(super) fn bulk(account: &mut Account, call: &Call<'_>, side: Side, what: Bulk) -> Outcome {
    let body: Batch<'_> = body::read(&call.request.body)?;
    let max = if what == Bulk::Read { READ_INPUTS_MAX } else { WRITE_INPUTS_MAX };
    if body.inputs.is_empty() || body.inputs.len() > max {
        return Err(Refusal::bad_request(format!("Invalid input JSON: 1 to {max} inputs are allowed (count: {})", body.inputs.len())));
    }
    let mut results = Vec::new();
    let mut errors = Vec::new();
    for input in &body.inputs {
        match one(account, side, what, input) {
            Ok(mut done) => results.append(&mut done),
            Err(refusal) if refusal.status == 404 => errors.push(json!({
                "status": "error", "category": "OBJECT_NOT_FOUND", "message": refusal.message,
                "context": {"fromObjectId": [from(input)]},
            })),
            Err(refusal) => return Err(refusal),
        }
    }
    if matches!(what, Bulk::Archive | Bulk::ArchiveLabels) {
        return Answer::empty();
    }
    let status = if what == Bulk::Create { 201 } else { 200 };
    let mut answer = envelope(call, results);
    if errors.is_empty() {
        return Answer::json(status, &answer);
    }
    answer["numErrors"] = json!(errors.len());
    answer["errors"] = json!(errors);
    Answer::json(207, &answer)
}

fn from<'a>(input: &'a Input<'_>) -> &'a str {
    let own = input.id.as_ref().map_or("", Scalar::text);
    input.from.as_ref().map_or(own, |from| from.id.text())
}

fn one(account: &mut Account, side: Side, what: Bulk, input: &Input<'_>) -> Result<Vec<Value>, Refusal> {
    let from = from(input);
    if what == Bulk::Read {
        let id: u64 = from.parse().map_err(|_| Refusal::unknown_id())?;
        let found = linked(account, side, id);
        if found.is_empty() {
            return Err(Refusal::plain(404, format!("No {} is associated with {}.", side.object_types()[1], from)));
        }
        let to: Vec<Value> = found.iter().map(|(to, types)| target(side, *to, types)).collect();
        return Ok(vec![json!({"from": {"id": from}, "to": to})]);
    }
    let targets: Vec<&str> = match &input.to {
        Some(To::One(one)) => vec![one.id.text()],
        Some(To::Many(many)) => many.iter().map(|one| one.id.text()).collect(),
        None => return Err(Refusal::bad_request("Invalid input JSON: some of required attributes are not set [to]")),
    };
    let mut results = Vec::new();
    for to in targets {
        let (contact, company) = ends(account, side, from, to)?;
        match what {
            Bulk::Create => {
                account.link(contact, company, &plain(side, &input.types)?);
                results.push(pair_result(side, from, to));
            }
            Bulk::Default => {
                account.link(contact, company, &BTreeSet::from([279]));
                results.push(default_result(side, from, to));
            }
            Bulk::Archive => account.unlink(contact, company, None),
            Bulk::ArchiveLabels => {
                let named: BTreeSet<u32> = input.types.iter().map(|spec| spec.association_type_id).collect();
                let at = |index: usize| named.contains(&side.types()[index]).then_some(Side::Contact.types()[index]);
                account.unlink(contact, company, Some(&[at(0), at(1)].into_iter().flatten().collect()));
            }
            Bulk::Read => {}
        }
    }
    Ok(results)
}

fn envelope(call: &Call<'_>, results: Vec<Value>) -> Value {
    json!({"status": "COMPLETE", "results": results, "startedAt": stamp::iso(call.now), "completedAt": stamp::iso(call.now)})
}
