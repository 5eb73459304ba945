//! The part of the SOAP interface that has no REST twin: envelopes, and login with a password.
//!
//! Promises: envelopes are read by local names, whatever their prefixes; a fault is a 500 with Salesforce's exception code;
//! `login` exists below version 65 only, as in Salesforce.
//! Leaves to others: XML (roxmltree), sessions (`sessions`), calls that need one (`soap_calls`).

use roxmltree::{Document, Node};

use super::org::Org;
use super::{auth, ids, soap_calls};
use crate::exchange::{Millis, Request, Response};

/// The first version without `login`.
const NO_LOGIN: u16 = 65;

/// A call that failed.
#[derive(Debug)]
pub(super) struct Exception {
    code: &'static str,
    message: String,
}

impl Exception {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// Answers one SOAP call.
pub(super) fn answer(org: &mut Org, request: &Request, version: u16, now: Millis) -> Response {
    let answered = if version < org.config.version_min || version > org.config.version_max {
        Err(Exception::new("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL"))
    } else {
        let text = String::from_utf8_lossy(&request.body);
        match Document::parse(&text) {
            Ok(envelope) => call(org, &envelope, version, now),
            Err(error) => Err(Exception::new("INVALID_OPERATION", format!("the envelope cannot be read: {error}"))),
        }
    };
    match answered {
        Ok(body) => envelope(200, &body),
        Err(Exception { code, message }) => {
            let message = format!("{code}: {}", escape(&message));
            let plain = message.split_once(": ").map_or("", |(_, plain)| plain);
            let detail = format!(
                "<detail><sf:UnexpectedErrorFault xsi:type=\"sf:UnexpectedErrorFault\"><sf:exceptionCode>{code}</sf:exceptionCode>\
                 <sf:exceptionMessage>{plain}</sf:exceptionMessage></sf:UnexpectedErrorFault></detail>"
            );
            envelope(500, &format!("<soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{message}</faultstring>{detail}</soapenv:Fault>"))
        }
    }
}

fn call(org: &mut Org, envelope: &Document<'_>, version: u16, now: Millis) -> Result<String, Exception> {
    let body = child(envelope.root_element(), "Body").and_then(|body| body.first_element_child());
    let operation = body.ok_or_else(|| Exception::new("INVALID_OPERATION", "the envelope has no operation"))?;
    match operation.tag_name().name() {
        "login" if version < NO_LOGIN => login(org, operation, version, now),
        "logout" => soap_calls::logout(org, envelope),
        name => soap_calls::answer(org, envelope, operation, now)
            .unwrap_or_else(|| Err(Exception::new("INVALID_OPERATION", format!("operation {name} is not available in version {version}.0")))),
    }
}

fn login(org: &mut Org, operation: Node<'_, '_>, version: u16, now: Millis) -> Result<String, Exception> {
    if !auth::is_user(&org.config, text(operation, "username"), text(operation, "password")) {
        let message = "Invalid username, password, security token; or user locked out.";
        return Err(Exception::new("INVALID_LOGIN", message));
    }
    let token = org.tokens.issue(&org.config, now);
    let config = &org.config;
    let short = config.org_id.get(..15).unwrap_or(&config.org_id);
    let server = format!("{}/services/Soap/u/{version}.0/{short}", config.instance_url);
    Ok(format!(
        "<loginResponse><result><metadataServerUrl>{}/services/Soap/m/{version}.0/{short}</metadataServerUrl>\
         <passwordExpired>false</passwordExpired><sandbox>true</sandbox><serverUrl>{server}</serverUrl><sessionId>{}</sessionId>\
         <userId>{user}</userId><userInfo><organizationId>{}</organizationId><sessionSecondsValid>{}</sessionSecondsValid>\
         <userEmail>{name}</userEmail><userFullName>Integration User</userFullName><userId>{user}</userId>\
         <userName>{name}</userName></userInfo></result></loginResponse>",
        config.instance_url,
        escape(&token),
        config.org_id,
        config.token_life_ms / 1000,
        user = ids::INTEGRATION_USER,
        name = escape(&config.username),
    ))
}

/// The child element of that local name.
pub(super) fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.is_element() && child.tag_name().name() == name)
}

/// The text of the child of that name; empty if there is none.
pub(super) fn text<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
    child(node, name).and_then(|child| child.text()).unwrap_or("").trim()
}

/// Text as it stands in an element.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn envelope(status: u16, body: &str) -> Response {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:sf=\"urn:fault.partner.soap.sforce.com\" xmlns=\"urn:partner.soap.sforce.com\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    );
    Response { status, headers: vec![("Content-Type".to_owned(), "text/xml;charset=UTF-8".to_owned())], body: text.into_bytes() }
}
