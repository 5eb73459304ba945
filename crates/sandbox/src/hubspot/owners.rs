//! The people who can own a contact.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::account::Account;
use super::answer::{Answer, Call, Outcome};
use super::errors::Refusal;

/// One person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// What `hubspot_owner_id` holds.
    pub id: u64,
    /// The number of the user, which is another one.
    pub user_id: u64,
    /// Mail address.
    pub email: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
}

/// `GET /owners`
pub(super) fn list(account: &Account, call: &Call<'_>) -> Outcome {
    let email = call.request.query_value("email");
    let found = account.config.owners.iter().filter(|owner| !call.flag("archived") && email.is_none_or(|email| owner.email == email));
    Answer::json(200, &json!({"results": found.map(shown).collect::<Vec<_>>()}))
}

/// `GET /owners/{id}`
pub(super) fn read(account: &Account, call: &Call<'_>, key: &str) -> Outcome {
    let by_user = call.request.query_value("idProperty") == Some("userId");
    let number = |owner: &&Owner| if by_user { owner.user_id } else { owner.id }.to_string() == key;
    match account.config.owners.iter().find(number) {
        Some(owner) => Answer::json(200, &shown(owner)),
        None => Err(Refusal::unknown_id()),
    }
}

fn shown(owner: &Owner) -> Value {
    json!({
        "id": owner.id.to_string(),
        "email": owner.email,
        "type": "PERSON",
        "firstName": owner.first_name,
        "lastName": owner.last_name,
        "userId": owner.user_id,
        "createdAt": "2026-01-01T08:00:00Z",
        "updatedAt": "2026-01-01T08:00:00Z",
        "archived": false,
    })
}
