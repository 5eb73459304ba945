//! The batch routes: read, create, update, upsert, archive.
//!
//! Promises: at most 100 inputs; the same id twice refuses the whole request; when every input has its own trace id, bad rows
//! fail alone (207), otherwise one bad row refuses everything and nothing is written.
//! Leaves to others: one row's checks (`write`), the answer's envelope (`batch_answer`).

use std::collections::BTreeSet;

use super::account::Account;
use super::answer::{Answer, Call, Outcome};
use super::associations::{self, Links};
use super::batch_answer::{self, Failed};
use super::body::{self, BatchBody, Input, Properties};
use super::contacts::find_key;
use super::errors::Refusal;
use super::history::{self, Touch};
use super::render::{self, Record, Shown};
use super::store::Contact;
use super::write::{self, RowError};

const INPUTS_MAX: usize = 100;
const HISTORY_INPUTS_MAX: usize = 50;

/// Which batch write it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Create,
    Update,
    Upsert,
}

/// A row that was written.
struct Written {
    id: u64,
    row: usize,
    is_new: bool,
}

/// `POST /contacts/batch/create`, `/update`, `/upsert`
pub(super) fn write(account: &mut Account, call: &Call<'_>, verb: Verb) -> Outcome {
    let body: BatchBody<'_> = body::read(&call.request.body)?;
    check_count(&body.inputs)?;
    check_keys(account, verb, &body.inputs)?;
    let links = links(account, verb, &body.inputs)?;
    let is_partial = has_own_trace_ids(&body.inputs);
    let mut written = Vec::with_capacity(body.inputs.len());
    let mut failed = Vec::new();
    let mut before = Vec::new();
    for (row, input) in body.inputs.iter().enumerate() {
        let undo = if is_partial { None } else { before_state(account, verb, input) };
        match write_row(account, call, verb, row, input) {
            Ok((id, is_new)) => {
                written.push(Written { id, row, is_new });
                before.push((id, undo));
            }
            // HubSpot drops ids that were merged away without a word.
            Err(RowError::MergedAway) => {}
            Err(error) => failed.push((row, error)),
        }
    }
    if !is_partial && failed.iter().any(|(_, error)| !matches!(error, RowError::MissingId(_) | RowError::MissingKey(_))) {
        for (id, contact) in before.into_iter().rev() {
            account.store.roll_back(id, contact);
        }
        return Err(whole_refusal(account, &failed));
    }
    for done in &written {
        for (company, types) in &links[done.row] {
            account.link(done.id, *company, types);
        }
    }
    let trace = |row: usize| body.inputs[row].object_write_trace_id.as_ref().map(|id| id.0.to_string());
    let failed: Vec<Failed> = failed.into_iter().map(|(row, error)| (trace(row), error)).collect();
    let results = records(account, verb, &body.inputs, written);
    let status = if verb == Verb::Create { 201 } else { 200 };
    batch_answer::answer(status, results, failed, account.config.portal_id, call.now)
}

fn records<'a>(account: &'a Account, verb: Verb, inputs: &'a [Input<'_>], mut written: Vec<Written>) -> Vec<Record<'a>> {
    written.sort_unstable_by_key(|done| batch_answer::place(done.id));
    let shown = written.iter().filter_map(|done| {
        let mut record = render::record(account, account.store.live(done.id)?, Shown::Stored);
        record.new = (verb == Verb::Upsert).then_some(done.is_new);
        record.object_write_trace_id = inputs[done.row].object_write_trace_id.as_ref().map(|id| id.0.as_ref());
        Some(record)
    });
    shown.collect()
}

/// The links that each new contact is to get; a company that is not there refuses the whole request.
fn links(account: &Account, verb: Verb, inputs: &[Input<'_>]) -> Result<Vec<Links>, Refusal> {
    let of = |input: &Input<'_>| if verb == Verb::Create { associations::inline(account, &input.associations) } else { Ok(Vec::new()) };
    inputs.iter().map(of).collect()
}

fn write_row(account: &mut Account, call: &Call<'_>, verb: Verb, row: usize, input: &Input<'_>) -> Result<(u64, bool), RowError> {
    let none = Properties::new();
    let properties = input.properties.as_ref().unwrap_or(&none);
    let forced = call.forced(row);
    match (verb, target(account, verb, input)) {
        (Verb::Update | Verb::Upsert, Some(id)) => {
            write::update(account, id, properties, forced, Touch::call(call.now)).map(|()| (id, false))
        }
        (Verb::Update, None) => Err(missing(account, input)),
        (Verb::Upsert, None) if account.config.switches.upsert_fills_key => {
            let mut filled = properties.clone();
            if let Some(key) = &input.id_property {
                filled.entry(key.clone()).or_insert_with(|| body::Scalar(Some(input.id_text().to_owned().into())));
            }
            write::create(account, &filled, forced, Touch::call(call.now)).map(|id| (id, true))
        }
        (Verb::Create | Verb::Upsert, _) => write::create(account, properties, forced, Touch::call(call.now)).map(|id| (id, true)),
    }
}

fn missing(account: &Account, input: &Input<'_>) -> RowError {
    let id = input.id_text().to_owned();
    if by_key(input).is_none() && id.parse().is_ok_and(|id| account.store.aliases.contains_key(&id)) {
        return RowError::MergedAway;
    }
    if by_key(input).is_some() { RowError::MissingKey(id) } else { RowError::MissingId(id) }
}

fn by_key<'a>(input: &'a Input<'_>) -> Option<&'a str> {
    input.id_property.as_ref().map(|name| name.0.as_ref()).filter(|name| *name != "hs_object_id")
}

/// The live contact that an input names.
fn target(account: &Account, verb: Verb, input: &Input<'_>) -> Option<u64> {
    match by_key(input) {
        _ if verb == Verb::Create => None,
        Some(name) => find_key(account, name, input.id_text()),
        None => input.id_text().parse().ok().filter(|id| account.store.live(*id).is_some()),
    }
}

fn before_state(account: &Account, verb: Verb, input: &Input<'_>) -> Option<Contact> {
    account.store.live(target(account, verb, input)?).cloned()
}

fn check_count(inputs: &[Input<'_>]) -> Result<(), Refusal> {
    match inputs.len() {
        0 => Err(Refusal::bad_request("Invalid input JSON: inputs must not be empty")),
        1..=INPUTS_MAX => Ok(()),
        count => Err(Refusal::bad_request(format!("Invalid input JSON: too many inputs (count: {count}, max allowed: {INPUTS_MAX})"))),
    }
}

/// Refuses keys that cannot look anything up, and ids or new emails that come twice.
fn check_keys(account: &Account, verb: Verb, inputs: &[Input<'_>]) -> Result<(), Refusal> {
    if verb == Verb::Create {
        return check_new_emails(inputs);
    }
    let word = if verb == Verb::Update { "update" } else { "upsert" };
    for input in inputs {
        let name = by_key(input);
        if verb == Verb::Upsert && name.is_none() {
            return Err(Refusal::bad_request("Invalid input JSON: some of required attributes are not set [idProperty]"));
        }
        if input.id_text().is_empty() {
            return Err(Refusal::bad_request("Invalid input JSON: some of required attributes are not set [id]"));
        }
        if name != by_key(&inputs[0]) {
            return Err(Refusal::bad_request("All inputs must use the same idProperty"));
        }
        let usable = name.is_none_or(|name| account.schema.is_key(name) && !(verb == Verb::Update && name == "email"));
        if !usable {
            let name = name.unwrap_or_default();
            return Err(Refusal::bad_request(format!("Unable to perform {word} by non-unique 0-1 property {name}")));
        }
    }
    check_duplicates(inputs)
}

fn check_duplicates(inputs: &[Input<'_>]) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    let mut twice = BTreeSet::new();
    for input in inputs {
        let id = if by_key(input) == Some("email") { input.id_text().to_lowercase() } else { input.id_text().to_owned() };
        if !seen.insert(id.clone()) {
            twice.insert(id);
        }
    }
    if twice.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = twice.into_iter().collect();
    let message = format!("Duplicate IDs found in batch input: [{}]. IDs must be unique", ids.join(", "));
    let mut refusal = Refusal::bad_request(message);
    refusal.rest.context.insert("ids", ids);
    Err(refusal)
}

fn check_new_emails(inputs: &[Input<'_>]) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    let emails = inputs.iter().filter_map(|input| Some(input.properties.as_ref()?.get("email")?.text().to_lowercase()));
    for email in emails.filter(|email| !email.is_empty()) {
        if !seen.insert(email) {
            return Err(Refusal::conflict(None));
        }
    }
    Ok(())
}

fn has_own_trace_ids(inputs: &[Input<'_>]) -> bool {
    let ids: BTreeSet<&str> =
        inputs.iter().filter_map(|input| Some(input.object_write_trace_id.as_ref()?.0.as_ref())).filter(|id| !id.is_empty()).collect();
    ids.len() == inputs.len()
}

/// The first fault of the rows; several conflicts name no contact.
fn whole_refusal(account: &Account, failed: &[(usize, RowError)]) -> Refusal {
    let conflicts = failed.iter().filter(|(_, error)| matches!(error, RowError::Conflict(_))).count();
    let first = failed.iter().find(|(_, error)| !matches!(error, RowError::MissingId(_) | RowError::MissingKey(_)));
    match first {
        Some((_, RowError::Conflict(_))) if conflicts > 1 => Refusal::conflict(None),
        Some((_, error)) => error.refusal(account.config.portal_id),
        None => Refusal::unknown_id(),
    }
}

/// `POST /contacts/batch/read`
pub(super) fn read(account: &Account, call: &Call<'_>) -> Outcome {
    let body: BatchBody<'_> = body::read(&call.request.body)?;
    if !body.properties_with_history.is_empty() && body.inputs.len() > HISTORY_INPUTS_MAX {
        return Err(Refusal::bad_request(
            "The maximum number of inputs supported in a batch request for property histories is 50",
        ));
    }
    check_count(&body.inputs)?;
    let by = body.id_property.as_deref().filter(|name| *name != "hs_object_id");
    if let Some(name) = by.filter(|name| !account.schema.is_key(name)) {
        return Err(Refusal::bad_request(format!("Unable to perform read by non-unique 0-1 property {name}")));
    }
    let archived = call.flag("archived");
    let mut found = BTreeSet::new();
    let mut failed = Vec::new();
    for input in &body.inputs {
        let id = match by {
            Some(name) => find_key(account, name, input.id_text()),
            None => input.id_text().parse().ok(),
        };
        let id = if account.config.switches.batch_read_follows_merges { id.map(|id| account.store.resolve(id)) } else { id };
        match id.and_then(|id| account.store.any(id)).filter(|contact| contact.archived_at.is_some() == archived) {
            Some(contact) => drop(found.insert((batch_answer::place(contact.id), contact.id))),
            None => failed.push((None, RowError::MissingId(input.id_text().to_owned()))),
        }
    }
    let names = if body.properties.is_empty() {
        render::DEFAULTS.map(str::to_owned).to_vec()
    } else {
        render::chosen(account, body.properties.iter().map(String::as_str))
    };
    let past = render::defined(account, body.properties_with_history.iter().map(String::as_str));
    let names = render::with(names, &past);
    let contacts = found.into_iter().filter_map(|(_, id)| account.store.any(id));
    let shown = |contact| {
        let mut record = render::record(account, contact, Shown::Chosen(&names));
        record.properties_with_history = (!past.is_empty()).then(|| history::shown(account, contact, &past));
        record
    };
    let results = contacts.map(shown).collect();
    batch_answer::answer(200, results, failed, account.config.portal_id, call.now)
}

/// `POST /contacts/batch/archive`: 204 whether or not the ids exist.
pub(super) fn archive(account: &mut Account, call: &Call<'_>) -> Outcome {
    let body: BatchBody<'_> = body::read(&call.request.body)?;
    check_count(&body.inputs)?;
    for input in &body.inputs {
        if let Ok(id) = input.id_text().parse() {
            account.store.archive(id, call.now);
        }
    }
    Answer::empty()
}
