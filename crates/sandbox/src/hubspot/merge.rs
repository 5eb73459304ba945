//! Merging two contacts, deleting one for good, and bringing an archived one back.
//!
//! Promises: a merge gives a new id (or keeps the primary's, by switch) and the old ids lead to the survivor in single calls; the
//! primary's values win, the other's email becomes an additional one; a permanent delete of an unknown email blocks it.
//! Leaves to others: what aliases do in batches and lists (`batch`, `store`).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;

use super::account::Account;
use super::answer::{Answer, Call, Outcome};
use super::body::{self, Scalar};
use super::contacts;
use super::errors::Refusal;
use super::history::History;
use super::store::Contact;
use crate::exchange::Millis;

const IDENTITIES_MAX: usize = 250;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MergeBody<'a> {
    #[serde(borrow)]
    primary_object_id: Scalar<'a>,
    #[serde(borrow)]
    object_id_to_merge: Scalar<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ForgetBody<'a> {
    #[serde(borrow)]
    object_id: Scalar<'a>,
    #[serde(default)]
    id_property: Option<String>,
}

/// `POST /contacts/merge`
pub(super) fn merge(account: &mut Account, call: &Call<'_>) -> Outcome {
    let body: MergeBody<'_> = body::read(&call.request.body)?;
    let number = |scalar: &Scalar<'_>| scalar.text().parse::<u64>().map_err(|_| Refusal::unknown_key(scalar.text()));
    let (primary, other) = (number(&body.primary_object_id)?, number(&body.object_id_to_merge)?);
    let id = join(account, primary, other, call.now)?;
    contacts::stored(account, id, 200)
}

/// Makes one contact out of two and answers its id.
pub(super) fn join(account: &mut Account, primary: u64, other: u64, now: Millis) -> Result<u64, Refusal> {
    let find = |id: u64| account.store.live(account.store.resolve(id)).cloned().ok_or_else(Refusal::unknown_id);
    let (primary, other) = (find(primary)?, find(other)?);
    if primary.id == other.id {
        return Err(Refusal::bad_request("Cannot merge an object with itself"));
    }
    let id = if account.config.switches.merge_keeps_id { primary.id } else { account.store.take_id() };
    let merged = ids(&primary).into_iter().chain(ids(&other)).chain([primary.id, other.id].into_iter().filter(|old| *old != id));
    let merged: Vec<u64> = merged.collect();
    if merged.len() + 1 > IDENTITIES_MAX {
        return Err(Refusal::plain(414, format!("Cannot have more than {IDENTITIES_MAX} identities on a profile")));
    }
    let survivor = joined(account, id, &primary, &other, &merged, now);
    account.store.replace(other.id, None, now);
    account.store.replace(primary.id, None, now);
    account.store.replace(id, Some(survivor), now);
    for old in [primary.id, other.id].into_iter().filter(|old| *old != id) {
        account.alias(old, id);
        account.move_links(old, id);
    }
    Ok(id)
}

/// Ids that were merged into a contact earlier.
fn ids(contact: &Contact) -> Vec<u64> {
    let text = contact.values.get("hs_merged_object_ids").unwrap_or_default();
    text.split(';').filter_map(|id| id.parse().ok()).collect()
}

fn joined(account: &Account, id: u64, primary: &Contact, other: &Contact, merged: &[u64], now: Millis) -> Contact {
    let mut survivor = other.clone();
    for (name, value) in primary.values.iter() {
        survivor.values.set(&account.schema.intern(name), Some(value.into()));
    }
    let email = survivor.values.get("email").unwrap_or_default().to_owned();
    let emails: BTreeSet<&str> = primary.emails().chain(other.emails()).filter(|known| *known != email).collect();
    let emails: Vec<&str> = emails.into_iter().collect();
    let ids: Vec<String> = merged.iter().map(u64::to_string).collect();
    let at: Vec<String> = ids.iter().map(|id| format!("{id}:{now}")).collect();
    let mut set = |name: &str, text: String| {
        let value = (!text.is_empty()).then(|| text.into());
        survivor.values.set(&account.schema.intern(name), value);
    };
    set("hs_additional_emails", emails.join(";"));
    set("hs_merged_object_ids", ids.join(";"));
    set("hs_calculated_merged_vids", at.join(";"));
    survivor.history = History::joined(primary, other, &survivor, now);
    survivor.id = id;
    survivor.created_at = primary.created_at.min(other.created_at);
    survivor.updated_at = now.max(primary.updated_at).max(other.updated_at);
    survivor.writes = primary.writes + other.writes + 1;
    survivor
}

/// `POST /contacts/gdpr-delete`
pub(super) fn forget(account: &mut Account, call: &Call<'_>) -> Outcome {
    let body: ForgetBody<'_> = body::read(&call.request.body)?;
    let key = body.object_id.text();
    let id = match body.id_property.as_deref().filter(|name| *name != "hs_object_id") {
        None => Some(key.parse().map_err(|_| Refusal::unknown_key(key))?),
        Some("email") => contacts::find_key(account, "email", key),
        Some(name) => return Err(Refusal::bad_request(format!("Unable to perform delete by non-unique 0-1 property {name}"))),
    };
    match id.map(|id| account.store.resolve(id)) {
        Some(id) if account.store.any(id).is_some() => {
            account.store.replace(id, None, call.now);
            account.drop_links(id);
        }
        Some(_) => return Err(Refusal::unknown_id()),
        None => account.block(&key.to_lowercase()),
    }
    Answer::empty()
}

/// Brings an archived contact back, as a person does in HubSpot's pages.
pub(super) fn restore(account: &mut Account, id: u64, now: Millis) -> Result<(), String> {
    let archived = account.store.any(id).filter(|contact| contact.archived_at.is_some()).cloned();
    let mut contact = archived.ok_or_else(|| format!("no archived contact {id}"))?;
    let sets = contact.values.iter().map(|(name, value)| (Arc::from(name), Some(value.into()))).collect();
    if let Some(clash) = account.store.clash(id, &sets) {
        return Err(format!("contact {} already has that {}", clash.held_by, clash.property));
    }
    contact.archived_at = None;
    contact.updated_at = contact.updated_at.max(now);
    contact.writes += 1;
    account.store.replace(id, Some(contact), now);
    Ok(())
}
