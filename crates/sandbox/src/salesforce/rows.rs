//! Single rows: create, get, update, upsert by key, delete.
//!
//! Promises: statuses and texts for rows that are missing, deleted or named by garbage are those of the service,
//! upsert answers by API version, and a guarded update of a row changed since answers 412.
//! Leaves to others: validation and the write itself (`write`).

use serde_json::{Value, json};

use super::call::{Answer, Call, sobject};
use super::config::BinGetCode;
use super::errors::{self, Fault};
use super::org::Org;
use super::record::Record;
use super::schema::Sobject;
use super::write::Verb;
use super::{ids, values, wire};

/// POST on an object.
pub(super) fn create(org: &mut Org, call: &Call<'_>, object: &str) -> Answer {
    let object = sobject(object)?;
    let body: Record<'_> = call.body()?;
    refuse(call)?;
    let draft = org.draft(object, body, Verb::Create, &[], call.stamp().actor)?;
    let serial = org.create(object, draft, call.stamp())?;
    Ok(created(call, object, serial, false))
}

/// GET by id.
pub(super) fn get(org: &Org, call: &Call<'_>, object: &str, id: &str) -> Answer {
    let object = sobject(object)?;
    let serial = serial(object, id).map_err(|fault| vec![unknown_on_get(fault)])?;
    let row = org.table(object).rows.get(&serial).ok_or_else(|| vec![errors::not_found()])?;
    if row.deleted {
        let fault = match org.config.bin_get_code {
            BinGetCode::EntityIsDeleted => errors::row_deleted(),
            BinGetCode::NotFound => errors::not_found(),
        };
        return Err(vec![fault]);
    }
    let since = call.request.headers.get("if-modified-since").and_then(|text| wire::read_http_date(text));
    if since.is_some_and(|since| row.modified.div_euclid(1000) * 1000 <= since) {
        let mut response = wire::empty(304);
        response.headers.push(("Last-Modified".to_owned(), wire::http_date(row.modified)));
        return Ok(response);
    }
    show(org, call, object, serial)
}

/// GET by a key field.
pub(super) fn get_by_key(org: &Org, call: &Call<'_>, object: &str, field: &str, value: &str) -> Answer {
    let object = sobject(object)?;
    let number = key_number(org, object, field)?;
    match org.table(object).matches(number, value).unwrap_or(&[]) {
        [] => Err(vec![errors::not_found()]),
        [serial] => show(org, call, object, *serial),
        several => Ok(choices(call, object, several)),
    }
}

/// PATCH by id.
pub(super) fn update(org: &mut Org, call: &Call<'_>, object: &str, id: &str) -> Answer {
    let object = sobject(object)?;
    let body: Record<'_> = call.body()?;
    let serial = serial(object, id).map_err(|fault| vec![fault])?;
    let row = org.live(object, serial).map_err(|fault| vec![fault])?;
    let guard = match call.request.headers.get("if-unmodified-since") {
        Some(text) => Some(wire::read_http_date(text).ok_or_else(|| {
            vec![Fault::request(400, "INVALID_INPUT", "If-Unmodified-Since is no HTTP date")]
        })?),
        None => None,
    };
    if guard.is_some_and(|guard| row.modified.div_euclid(1000) * 1000 > guard) {
        let message = "The entity has been modified since the given time";
        return Err(vec![Fault::request(412, "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE", message)]);
    }
    forbid(&body, "Id")?;
    refuse(call)?;
    let draft = org.draft(object, body, Verb::Update, &[], call.stamp().actor)?;
    org.update(object, serial, draft, call.stamp())?;
    Ok(wire::empty(204))
}

/// PATCH by a key field.
pub(super) fn upsert(org: &mut Org, call: &Call<'_>, object: &str, field: &str, value: &str) -> Answer {
    let object = sobject(object)?;
    let number = key_number(org, object, field)?;
    let mut body: Record<'_> = call.body()?;
    forbid(&body, "Id")?;
    let name = org.table(object).schema.field(number).name.clone();
    forbid(&body, &name)?;
    let found = org.table(object).matches(number, value).unwrap_or(&[]);
    let existing = match found {
        [] => None,
        [serial] => Some(*serial),
        several => return Ok(choices(call, object, several)),
    };
    refuse(call)?;
    let update_only = call.request.query_value("updateOnly").is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
    match existing {
        Some(serial) => {
            let draft = org.draft(object, body, Verb::Update, &[], call.stamp().actor)?;
            org.update(object, serial, draft, call.stamp())?;
            if call.version < 46 {
                return Ok(wire::empty(204));
            }
            let id = ids::make(object.prefix(), serial);
            Ok(wire::json(200, &json!({ "id": id, "success": true, "errors": [], "created": false })))
        }
        None if update_only => Err(vec![errors::not_found()]),
        None => {
            body.0.push((name.into(), Value::String(value.to_owned())));
            let draft = org.draft(object, body, Verb::Create, &[], call.stamp().actor)?;
            let serial = org.create(object, draft, call.stamp())?;
            Ok(created(call, object, serial, call.version >= 46))
        }
    }
}

/// DELETE by id.
pub(super) fn delete(org: &mut Org, call: &Call<'_>, object: &str, id: &str) -> Answer {
    let object = sobject(object)?;
    let serial = serial(object, id).map_err(|fault| vec![fault])?;
    org.live(object, serial).map_err(|fault| vec![fault])?;
    refuse(call)?;
    org.delete(object, serial, call.stamp()).map_err(|fault| vec![fault])?;
    Ok(wire::empty(204))
}

/// The number of a field that rows may be named by.
pub(super) fn key_number(org: &Org, object: Sobject, field: &str) -> Result<u16, Vec<Fault>> {
    let schema = &org.table(object).schema;
    schema.number(field).filter(|number| schema.field(*number).is_key()).ok_or_else(|| vec![errors::no_such_key(field)])
}

/// The serial number in an id of that object.
fn serial(object: Sobject, id: &str) -> Result<u64, Fault> {
    let Some(read) = ids::read(id) else { return Err(errors::no_such_key(id)) };
    if !read.starts_with(object.prefix()) {
        return Err(Fault::row("MALFORMED_ID", format!("{} ID: id value of incorrect type: {id}", object.name()), &["Id"]));
    }
    ids::serial(object.prefix(), &read).ok_or_else(errors::row_missing)
}

fn unknown_on_get(fault: Fault) -> Fault {
    if fault.code == "INVALID_CROSS_REFERENCE_KEY" { errors::not_found() } else { fault }
}

fn show(org: &Org, call: &Call<'_>, object: Sobject, serial: u64) -> Answer {
    let table = org.table(object);
    let row = org.live(object, serial).map_err(|fault| vec![fault])?;
    let numbers: Vec<u16> = match call.request.query_value("fields") {
        None => table.schema.visible().map(|(number, _)| number).collect(),
        Some(names) => {
            let asked = names.split(',').map(str::trim).chain(["Id"]);
            asked
                .map(|name| table.schema.number(name).ok_or_else(|| vec![errors::no_such_column(name, object.name())]))
                .collect::<Result<_, _>>()?
        }
    };
    Ok(wire::json(200, &values::record(&table.schema, serial, row, call.version, &numbers)))
}

fn created(call: &Call<'_>, object: Sobject, serial: u64, says_created: bool) -> crate::exchange::Response {
    let id = ids::make(object.prefix(), serial);
    let location = format!("/services/data/v{}.0/sobjects/{}/{id}", call.version, object.name());
    let mut body = json!({ "id": id, "success": true, "errors": [] });
    if says_created {
        body["created"] = Value::Bool(true);
    }
    let mut response = wire::json(201, &body);
    response.headers.push(("Location".to_owned(), location));
    response
}

fn choices(call: &Call<'_>, object: Sobject, serials: &[u64]) -> crate::exchange::Response {
    let path =
        |serial: &u64| format!("/services/data/v{}.0/sobjects/{}/{}", call.version, object.name(), ids::make(object.prefix(), *serial));
    wire::json(300, &serials.iter().map(path).collect())
}

fn forbid(body: &Record<'_>, name: &str) -> Result<(), Vec<Fault>> {
    if body.get(name).is_some() { Err(vec![errors::not_in_body(name)]) } else { Ok(()) }
}

fn refuse(call: &Call<'_>) -> Result<(), Vec<Fault>> {
    call.refusal(0).map_or(Ok(()), |fault| Err(vec![fault]))
}
