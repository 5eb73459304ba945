//! Reads how a system is signed in to: every way that its vendor still offers, and the one that it has retired.
//!
//! Promises: exactly one way is named; secrets and keys are references; a way that no longer works is refused with what to use in its
//! place. Leaves to others: the rest of the system's settings (`accounts`), signing in (the adapters).

use syncline_adapters::systems::hubspot::config::{OAuthApp, SignIn as PortalSignIn};
use syncline_adapters::systems::salesforce::config::{AUDIENCE, PrivateKey, SignIn as OrgSignIn};

use super::faults::hide;
use super::raw::Node;
use super::shape;
use super::read::{Reader, Section};
use super::secrets::{key_text, secret};

const ORG_WAYS: [&str; 3] = ["client_credentials", "jwt_bearer", "refresh_token"];

/// The way to sign in to an org.
pub(super) fn to_org(reader: &mut Reader<'_>, node: &Node) -> Option<OrgSignIn> {
    let ways = reader.section(node, shape::ORG_AUTH)?;
    if let Some(password) = ways.get("password") {
        hide(password, &mut reader.hidden);
        let message = "signing in by user name and password is retired: new orgs block it, external client apps do not offer it, and the \
                       password would stand in every request for a token";
        let remedy = "make an external client app and write client_credentials: { id: …, secret: ${SF_SECRET} }, or jwt_bearer: { client_id: …, \
                      username: …, key: file:… }";
        reader.fault(password, message, remedy);
        return None;
    }
    let (way, found) = one_of(reader, ways, &ORG_WAYS, "client_credentials: { id: …, secret: ${SF_SECRET} }")?;
    match way {
        "client_credentials" => {
            let section = reader.section(found, shape::CLIENT_CREDENTIALS)?;
            let id = named(reader, section, "id", "the app's consumer key");
            let found = reader.required(section, "secret", "write secret: ${SF_SECRET}, and set that variable");
            let secret = found.and_then(|node| secret(reader, node));
            Some(OrgSignIn::ClientCredentials { id: id?, secret: secret? })
        }
        "jwt_bearer" => {
            let section = reader.section(found, shape::JWT_BEARER)?;
            let client_id = named(reader, section, "client_id", "the app's consumer key");
            let username = named(reader, section, "username", "the integration user's name");
            let found = reader.required(section, "key", "write key: file:/path of the private key in PEM form");
            let key = found.and_then(|node| private_key(reader, node));
            let audience = match section.get("audience") {
                None => Some(AUDIENCE.to_owned()),
                Some(node) => reader.parsed(node, "an address that begins with https://", |text| text.starts_with("https://").then(|| text.to_owned())),
            };
            Some(OrgSignIn::JwtBearer { client_id: client_id?, username: username?, audience: audience?, key: key? })
        }
        _ => {
            let section = reader.section(found, shape::ORG_REFRESH)?;
            let client_id = named(reader, section, "client_id", "the app's consumer key");
            let client_secret = section.get("client_secret").map(|node| secret(reader, node));
            let found = reader.required(section, "refresh_token", "write refresh_token: ${SF_REFRESH_TOKEN}, and set that variable");
            let refresh_token = found.and_then(|node| secret(reader, node));
            if client_secret.as_ref().is_some_and(Option::is_none) {
                return None;
            }
            Some(OrgSignIn::RefreshToken { client_id: client_id?, client_secret: client_secret.flatten(), refresh_token: refresh_token? })
        }
    }
}

/// The way to sign in to a portal.
pub(super) fn to_portal(reader: &mut Reader<'_>, section: Section<'_>) -> Option<PortalSignIn> {
    let (way, found) = one_of(reader, section, &["token", "service_key", "oauth"], "token: ${HUBSPOT_TOKEN}, and set that variable")?;
    if way != "oauth" {
        return secret(reader, found).map(PortalSignIn::Token);
    }
    let section = reader.section(found, shape::OAUTH)?;
    let client_id = named(reader, section, "client_id", "the app's id");
    let mut hidden = |key: &str, variable: &str| {
        let found = reader.required(section, key, &format!("write {key}: ${{{variable}}}, and set that variable"));
        found.and_then(|node| secret(reader, node))
    };
    let (client_secret, refresh_token) = (hidden("client_secret", "HUBSPOT_SECRET"), hidden("refresh_token", "HUBSPOT_REFRESH_TOKEN"));
    Some(PortalSignIn::OAuth(OAuthApp { client_id: client_id?, client_secret: client_secret?, refresh_token: refresh_token? }))
}

/// The one way that is named.
fn one_of<'n, 'w>(reader: &mut Reader<'_>, section: Section<'n>, ways: &[&'w str], first: &str) -> Option<(&'w str, &'n Node)> {
    let named: Vec<_> = ways.iter().filter_map(|way| Some((*way, section.get(way)?))).collect();
    match named.as_slice() {
        [] => {
            let first_way = ways.first().copied().unwrap_or_default();
            reader.required(section, first_way, &format!("write {first}; the ways are {}", ways.join(", ")));
            None
        }
        [one] => Some(*one),
        [.., (_, last)] => {
            named.iter().for_each(|(_, node)| hide(node, &mut reader.hidden));
            reader.fault(last, "is a second way to sign in", format!("keep one of {}", ways.join(", ")));
            None
        }
    }
}

fn named(reader: &mut Reader<'_>, section: Section<'_>, key: &str, what: &str) -> Option<String> {
    let found = reader.required(section, key, &format!("write {what}"));
    found.and_then(|node| reader.text(node, what))
}

fn private_key(reader: &mut Reader<'_>, node: &Node) -> Option<PrivateKey> {
    let text = key_text(reader, node)?;
    let key = PrivateKey::read(text);
    if key.is_none() {
        let remedy = "name the file of the RSA private key whose certificate the app holds, in PEM form and without a passphrase";
        reader.fault(node, "is no RSA private key in PEM form", remedy);
    }
    key
}
