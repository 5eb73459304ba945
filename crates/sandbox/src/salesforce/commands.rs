//! What a person does in Salesforce's own pages, asked for by the sandbox's control paths.
//!
//! Promises: nothing is counted and no token needed; the rows say that a person wrote them.
//! Leaves to others: what is done (`lifecycle`), the paths (`crate::server`).

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::lifecycle::{Conversion, Converted};
use super::org::{Actor, Org};
use super::schema::Sobject;
use super::told;
use super::write::Stamp;
use crate::exchange::Millis;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Merge {
    master: String,
    losers: Vec<String>,
    #[serde(default)]
    fields: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    id: String,
}

/// Field-level security of one field for the integration user.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Security {
    object: String,
    field: String,
    read: bool,
    edit: bool,
}

/// Carries out `merge`, `convert`, `undelete`, `erase` or `security`; None if there is no such command.
pub(super) fn run(org: &mut Org, name: &str, body: &[u8], now: Millis) -> Option<Result<Value, String>> {
    let stamp = Stamp::plain(Actor::Person, now);
    match name {
        "merge" => Some(read::<Merge>(body).and_then(|asked| {
            let losers = org.merge(&asked.master, &asked.losers, &asked.fields, stamp).map_err(told)?;
            Ok(json!({ "master": asked.master, "losers": losers }))
        })),
        "convert" => Some(read::<Conversion>(body).and_then(|asked| {
            let Converted { lead, account, contact } = org.convert(&asked, stamp).map_err(told)?;
            Ok(json!({ "lead": lead, "account": account, "contact": contact }))
        })),
        "undelete" => Some(read::<One>(body).and_then(|asked| Ok(json!({ "id": org.undelete(&asked.id, stamp).map_err(told)? })))),
        "erase" => Some(read::<One>(body).and_then(|asked| Ok(json!({ "id": org.erase(&asked.id).map_err(told)? })))),
        "security" => Some(read::<Security>(body).and_then(|asked| {
            let object = Sobject::named(&asked.object).filter(|object| object.holds_data()).ok_or_else(|| format!("no object {}", asked.object))?;
            org.secure(object, &asked.field, (asked.read, asked.edit && asked.read))?;
            org.described = Some(now);
            Ok(json!({ "object": object.name(), "field": asked.field }))
        })),
        _ => None,
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}
