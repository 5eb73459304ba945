//! The groups that property definitions belong to.
//!
//! Promises: `contactinformation` is always there; names are unique.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::account::Account;
use super::answer::{Answer, Call, Outcome};
use super::body;
use super::errors::Refusal;

/// One group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) label: String,
    #[serde(default = "last")]
    pub(super) display_order: i64,
    #[serde(default)]
    pub(super) archived: bool,
}

fn last() -> i64 {
    -1
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    label: Option<String>,
    display_order: Option<i64>,
}

impl Group {
    /// The group of the standard properties.
    pub(super) fn standard() -> Self {
        Self { name: "contactinformation".to_owned(), label: "Contact information".to_owned(), display_order: 0, archived: false }
    }
}

/// `GET …/groups`
pub(super) fn list(account: &Account) -> Outcome {
    let live: Vec<&Group> = account.groups.values().filter(|group| !group.archived).collect();
    Answer::json(200, &json!({"results": live}))
}

/// `POST …/groups`
pub(super) fn create(account: &mut Account, call: &Call<'_>) -> Outcome {
    let group: Group = body::read(&call.request.body)?;
    if account.group(&group.name).is_some() {
        return Err(Refusal::new(409, "OBJECT_ALREADY_EXISTS", format!("A property group named '{}' already exists.", group.name)));
    }
    let group = Group { archived: false, ..group };
    let answer = Answer::json(201, &group);
    account.put_group(group);
    answer
}

/// `GET …/groups/{name}`
pub(super) fn read(account: &Account, name: &str) -> Outcome {
    Answer::json(200, account.group(name).ok_or_else(|| unknown(name))?)
}

/// `PATCH …/groups/{name}`
pub(super) fn update(account: &mut Account, call: &Call<'_>, name: &str) -> Outcome {
    let change: Change = body::read(&call.request.body)?;
    let mut group = account.group(name).cloned().ok_or_else(|| unknown(name))?;
    group.label = change.label.unwrap_or(group.label);
    group.display_order = change.display_order.unwrap_or(group.display_order);
    let answer = Answer::json(200, &group);
    account.put_group(group);
    answer
}

/// `DELETE …/groups/{name}`: only an empty group goes.
pub(super) fn archive(account: &mut Account, name: &str) -> Outcome {
    let group = account.group(name).cloned().ok_or_else(|| unknown(name))?;
    if account.schema.by_name.values().any(|property| property.group_name == name) {
        return Err(Refusal::bad_request(format!("Property group '{name}' still has properties")));
    }
    account.put_group(Group { archived: true, ..group });
    Answer::empty()
}

fn unknown(name: &str) -> Refusal {
    Refusal::new(404, "OBJECT_NOT_FOUND", format!("Property group '{name}' does not exist"))
}
