//! SOAP calls that need a session: merge, convertLead and undelete.
//!
//! Promises: each request of a call has a result of its own; a call counts against the allowance like any other.
//! Leaves to others: envelopes and login (`soap`), what is done (`lifecycle`).

use roxmltree::{Document, Node};
use serde_json::{Map, Value};

use super::errors::Fault;
use super::lifecycle::Conversion;
use super::org::{Actor, Org};
use super::soap::{Exception, child, escape, text};
use super::write::Stamp;
use crate::exchange::Millis;

/// Answers a call other than login; None if there is no such operation.
pub(super) fn answer(org: &mut Org, envelope: &Document<'_>, operation: Node<'_, '_>, now: Millis) -> Option<Result<String, Exception>> {
    let name = operation.tag_name().name();
    if !matches!(name, "merge" | "convertLead" | "undelete") {
        return None;
    }
    if let Err(exception) = admit(org, envelope, now) {
        return Some(Err(exception));
    }
    let stamp = Stamp::plain(Actor::Client, now);
    let named = |wanted: &'static str| operation.children().filter(move |node| node.is_element() && node.tag_name().name() == wanted);
    let results: String = match name {
        "merge" => named("request").map(|request| merge(org, request, stamp)).collect(),
        "convertLead" => named("leadConverts").map(|request| convert(org, request, stamp)).collect(),
        _ => named("ids").map(|id| result(org.undelete(id.text().unwrap_or("").trim(), stamp).map(|id| element("id", &id)))).collect(),
    };
    Some(Ok(format!("<{name}Response>{results}</{name}Response>")))
}

/// Ends the session that the envelope names.
pub(super) fn logout(org: &mut Org, envelope: &Document<'_>) -> Result<String, Exception> {
    let token = session(envelope);
    if org.tokens.end(token) || org.tokens.end_refresh(token) { Ok("<logoutResponse/>".to_owned()) } else { Err(no_session()) }
}

fn admit(org: &mut Org, envelope: &Document<'_>, now: Millis) -> Result<(), Exception> {
    let admitted = org.quota.arrive(org.config.quota_day, now);
    if !org.tokens.admit_token(session(envelope), &org.config, now) {
        return Err(no_session());
    }
    if admitted { Ok(()) } else { Err(Exception::new("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")) }
}

fn session<'a>(envelope: &'a Document<'_>) -> &'a str {
    let header = child(envelope.root_element(), "Header").and_then(|header| child(header, "SessionHeader"));
    header.map_or("", |header| text(header, "sessionId"))
}

fn no_session() -> Exception {
    Exception::new("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader: Illegal Session. Session not found, missing session key")
}

fn merge(org: &mut Org, request: Node<'_, '_>, stamp: Stamp) -> String {
    let Some(master) = child(request, "masterRecord") else {
        return result(Err(vec![Fault::row("MISSING_ARGUMENT", "masterRecord not specified", &[])]));
    };
    let id = text(master, "Id");
    let id = if id.is_empty() { text(master, "id") } else { id };
    let mut fields = Map::new();
    for field in master.children().filter(Node::is_element) {
        let name = field.tag_name().name();
        if name == "fieldsToNull" {
            fields.insert(field.text().unwrap_or("").trim().to_owned(), Value::Null);
        } else if !name.eq_ignore_ascii_case("id") && name != "type" {
            fields.insert(name.to_owned(), Value::String(field.text().unwrap_or("").to_owned()));
        }
    }
    let losers = request.children().filter(|node| node.tag_name().name() == "recordToMergeIds");
    let losers: Vec<String> = losers.map(|node| node.text().unwrap_or("").trim().to_owned()).collect();
    let merged = org.merge(id, &losers, &fields, stamp);
    result(merged.map(|losers| format!("{}{}", element("id", id), losers.iter().map(|id| element("mergedRecordIds", id)).collect::<String>())))
}

fn convert(org: &mut Org, request: Node<'_, '_>, stamp: Stamp) -> String {
    let given = |name: &str| Some(text(request, name)).filter(|text| !text.is_empty()).map(str::to_owned);
    let asked = Conversion {
        lead: text(request, "leadId").to_owned(),
        account: given("accountId"),
        contact: given("contactId"),
        status: Some(text(request, "convertedStatus").to_owned()),
    };
    let converted = org.convert(&asked, stamp);
    result(converted.map(|done| {
        let ids = [element("accountId", &done.account), element("contactId", &done.contact), element("leadId", &done.lead)];
        format!("{}<opportunityId xsi:nil=\"true\"/>", ids.concat())
    }))
}

fn result(done: Result<String, Vec<Fault>>) -> String {
    match done {
        Ok(inner) => format!("<result>{inner}<success>true</success></result>"),
        Err(faults) => {
            let errors = faults.iter().map(|fault| format!("<errors>{}{}</errors>", element("message", &fault.message), element("statusCode", fault.code)));
            format!("<result>{}<success>false</success></result>", errors.collect::<String>())
        }
    }
}

fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape(text))
}
