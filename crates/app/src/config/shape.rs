//! Every key of a configuration, once: its name, the shape of its value, its default, and what it is for.
//!
//! Promises: the reader knows the keys of a section from here and from nowhere else, and so does the JSON Schema. A default stands here as
//! it would be written in a file. Leaves to others: reading values (`read`), what shapes mean in JSON Schema (`schema`).

use super::raw::{Node, Value};

/// One key.
#[derive(Debug)]
pub(super) struct Key {
    /// Its name.
    pub name: &'static str,
    /// What may stand behind it.
    pub shape: Shape,
    /// What holds if it is left out, as it would be written; empty if that is nothing, or depends on others.
    pub default: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Whether the section cannot do without it.
    pub is_required: bool,
}

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// Text, or a number that is read as text.
    Text,
    /// A reference to a secret.
    Secret,
    /// A span of time.
    Time,
    /// A share above 0 and up to 1.
    Share,
    /// A number.
    Number,
    /// True or false.
    Flag,
    /// A whole number within bounds.
    Whole(u64, u64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A map with these keys and no others.
    Map(&'static [Key]),
    /// A map whose keys are names of the user's.
    Names(&'static Shape),
    /// A list, or one entry of it.
    List(&'static Shape),
    /// One of these.
    Any(&'static [Shape]),
    /// A map that says its kind, and has the keys of that kind.
    Kinds(&'static [(&'static str, &'static [Key])]),
    /// A codec, which may be a list of codecs.
    Codec,
    /// Anything: it is judged by whoever reads it.
    Anything,
}

const fn key(name: &'static str, shape: Shape, default: &'static str, about: &'static str) -> Key {
    Key { name, shape, default, about, is_required: false }
}

const fn must(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, shape, default: "", about, is_required: true }
}

/// The names of keys.
pub(super) fn names(keys: &'static [Key]) -> Vec<&'static str> {
    keys.iter().map(|key| key.name).collect()
}

/// Paths and defaults of all that is not written below a map with these keys.
pub(super) fn defaults(node: Option<&Node>, keys: &'static [Key], path: &str, out: &mut Vec<(String, &'static str)>) {
    for key in keys {
        let below = node.and_then(|node| node.at(key.name)).filter(|node| !matches!(node.value, Value::Null));
        let path = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
        match (key.shape, below) {
            (Shape::Map(inner), below) if below.is_some() || is_always_there(key, inner) => defaults(below, inner, &path, out),
            (Shape::Names(Shape::Map(inner)), Some(below)) => {
                below.entries().iter().for_each(|entry| defaults(Some(&entry.node), inner, &format!("{path}.{}", entry.key), out));
            }
            (Shape::Names(Shape::Kinds(kinds)), Some(below)) => {
                for entry in below.entries() {
                    let kind = entry.node.at("kind").map(|node| &node.value);
                    let is_kind = |name: &str| matches!(kind, Some(Value::Scalar(text)) if text == name);
                    if let Some((_, keys)) = kinds.iter().find(|(name, _)| is_kind(name)) {
                        defaults(Some(&entry.node), keys, &format!("{path}.{}", entry.key), out);
                    }
                }
            }
            (_, None) if !key.default.is_empty() => out.push((path, key.default)),
            (_, Some(_) | None) => {}
        }
    }
}

/// A section whose keys hold though it is left out. Where callers are listened to is a choice.
fn is_always_there(key: &Key, inner: &[Key]) -> bool {
    key.name != "api" && !key.is_required && inner.iter().all(|key| !key.is_required)
}

const MANY: u64 = u32::MAX as u64;
const SHARES: Shape = Shape::Names(&Shape::Number);
const ROUTES: Shape = Shape::List(&Shape::Text);
const KIND: Key = must("kind", Shape::Text, "What it is");
const ORDER_BY: Key = key("order_by", Shape::Text, "position", "What makes a change newer: position, timestamp, or a field");
const TIMEZONE: Key = key("assume_timezone", Shape::Text, "UTC", "Where a time without a zone was told");
const LINGER: &str = "How long after the timeout a request may still be carried out there";

pub(super) const ROOT: &[Key] = &[
    key("store", Shape::Text, "sqlite:syncline.db", "Where everything is kept that must not be lost; a relative path starts in data"),
    key("data", Shape::Text, "", "The directory for what Syncline writes"),
    key("log", Shape::Text, "info", "error, warn, info, debug, trace or off; or directives such as info,syncline=debug"),
    must("systems", Shape::Names(&Shape::Kinds(SYSTEMS)), "Every party, by a name of your own: letters, digits, _ and -"),
    key("routing", Shape::Any(&[Shape::Word(ROUTINGS), Shape::Names(&ROUTES)]), "default", "Which systems take which contact type: a ready-made routing, or a list for each type"),
    key("boundaries", Shape::Names(&Shape::Map(BOUNDARY)), "", "What is agreed with each external system; a key that stands here replaces its default as a whole"),
    key("record_types", Shape::Names(&Shape::Map(RECORD_TYPE)), "{}", "Record types beside contacts, by their plural name"),
    key("dispatch", Shape::Map(DISPATCH), "", "How work goes out"),
    key("intake", Shape::Map(INTAKE), "", "How events come in"),
    key("api", Shape::Map(API), "", "Where callers are listened to, for events and health"),
    key("tenants", Shape::Anything, "", "Refused: there is one tenant for now"),
];

/// The ready-made routings.
const ROUTINGS: &[&str] = &["default", "salesforce_only", "hubspot_only"];

pub(super) const SYSTEMS: &[(&str, &[Key])] =
    &[("generator", GENERATOR), ("file", FILE), ("stdin", SOURCE), ("http", SOURCE), ("salesforce", SALESFORCE), ("hubspot", HUBSPOT)];

pub(super) const GENERATOR: &[Key] = &[
    KIND,
    key("events_per_second", Shape::Number, "5", "The mean rate"),
    key("batch_size", Shape::Whole(0, MANY), "10", "Events handed over at once"),
    key("enable_async", Shape::Flag, "true", "false: one batch after another in the caller's task"),
    key("contact_type_distribution", SHARES, "", "The share of each contact type; must sum to 1"),
    key("operation_distribution", SHARES, "", "The share of each operation; must sum to 1"),
    key("move_share", Shape::Number, "0", "The share of the updates that change the contact type"),
    key("seed", Shape::Whole(0, u64::MAX), "1", "The same seed gives the same events"),
    key("events", Shape::Whole(1, u64::MAX), "", "End after so many; without it the stream has no end"),
];

pub(super) const FILE: &[Key] = &[
    KIND,
    must("path", Shape::Text, "The file, JSON lines"),
    key("follow", Shape::Flag, "true", "Wait for more at the end; false: end there"),
    key("line_max", Shape::Whole(1, 1 << 30), "1048576", "Bytes; a longer line is refused"),
    ORDER_BY,
    TIMEZONE,
];

pub(super) const SOURCE: &[Key] = &[KIND, ORDER_BY, TIMEZONE];

pub(super) const SALESFORCE: &[Key] = &[
    KIND,
    must("url", Shape::Text, "The org's My Domain address"),
    must("auth", Shape::Map(ORG_AUTH), "One way to sign in"),
    key("api_version", Shape::Text, "67.0", "46.0 at least"),
    key("timeout", Shape::Time, "60s", "How long a request may take"),
    key("linger_max", Shape::Time, "10m", LINGER),
    key("quota", Shape::Map(ORG_QUOTA), "", "Our part of the quota"),
    key("concurrency", Shape::Whole(1, 100), "5", "Requests under way at once"),
];

pub(super) const ORG_AUTH: &[Key] = &[
    key("client_credentials", Shape::Map(CLIENT_CREDENTIALS), "", "An external client app with a secret"),
    key("jwt_bearer", Shape::Map(JWT_BEARER), "", "No shared secret; the app holds the key's certificate"),
    key("refresh_token", Shape::Map(ORG_REFRESH), "", "A person's sign-in; a token that is replaced is kept beside the store"),
    key("password", Shape::Anything, "", "Refused: it is retired"),
];

pub(super) const CLIENT_CREDENTIALS: &[Key] =
    &[must("id", Shape::Text, "The app's consumer key"), must("secret", Shape::Secret, "The app's consumer secret")];

pub(super) const JWT_BEARER: &[Key] = &[
    must("client_id", Shape::Text, "The app's consumer key"),
    must("username", Shape::Text, "Who is acted as"),
    must("key", Shape::Secret, "RSA private key in PEM form"),
    key("audience", Shape::Text, "https://login.salesforce.com", "Of a sandbox: https://test.salesforce.com"),
];

pub(super) const ORG_REFRESH: &[Key] = &[
    must("client_id", Shape::Text, "The app's consumer key"),
    key("client_secret", Shape::Secret, "", "May be left out if the app waives it"),
    must("refresh_token", Shape::Secret, "The token"),
];

pub(super) const ORG_QUOTA: &[Key] = &[
    key("use", Shape::Share, "0.8", "The share of each pool that is ours"),
    key("day", Shape::Whole(1, MANY), "15000", "API requests in 24 hours, until the org says"),
];

pub(super) const HUBSPOT: &[Key] = &[
    KIND,
    key("token", Shape::Secret, "", "Of a private app; one of token, service_key and oauth"),
    key("service_key", Shape::Secret, "", "In place of token"),
    key("oauth", Shape::Map(OAUTH), "", "In place of token: an app that is connected to the account"),
    key("url", Shape::Text, "https://api.hubapi.com", "The address"),
    key("api_version", Shape::Text, "v3", "v3, or a date such as 2026-03"),
    key("timeout", Shape::Time, "30s", "How long a request may take"),
    key("linger_max", Shape::Time, "5m", LINGER),
    key("quota", Shape::Map(PORTAL_QUOTA), "", "Our part of the quota"),
    key("concurrency", Shape::Whole(1, 100), "6", "Requests under way at once"),
];

pub(super) const OAUTH: &[Key] = &[
    must("client_id", Shape::Text, "The app's id"),
    must("client_secret", Shape::Secret, "The app's secret"),
    must("refresh_token", Shape::Secret, "The token; one that is replaced is kept beside the store"),
];

pub(super) const PORTAL_QUOTA: &[Key] = &[
    key("use", Shape::Share, "0.8", "The share of each pool that is ours"),
    key("day", Shape::Whole(1, MANY), "250000", "Calls in a day, until the account says"),
    key("burst", Shape::Whole(1, MANY), "100", "Calls in ten seconds, until the account says"),
];

/// A boundary without those of other record types, which have the same keys.
pub(super) const TERMS: &[Key] = &[OBJECT, MATCH, ON_EXISTING, ON_GONE, FIELDS, EXCLUDE, FILLERS, OVERRIDE];
pub(super) const BOUNDARY: &[Key] = &[
    OBJECT,
    MATCH,
    ON_EXISTING,
    ON_GONE,
    FIELDS,
    EXCLUDE,
    FILLERS,
    OVERRIDE,
    key("record_types", Shape::Names(&Shape::Map(TERMS)), "{}", "The boundaries of other record types, each with the keys above"),
];
const OBJECT: Key = key("object", Shape::Any(&[Shape::Text, Shape::Names(&Shape::Text)]), "", "Their object for each contact type, or one for all");
const MATCH: Key = key("match", Shape::Map(KEY_FIELD), "", "By which field of theirs a record is found");
const ON_EXISTING: Key = key("on_existing", Shape::Word(&["link", "dead", "review"]), "dead", "When a create meets a record that does not bear our key");
const ON_GONE: Key = key("on_gone", Shape::Word(&["recreate", "dead"]), "dead", "When an update meets nothing");
const FIELDS: Key = key("fields", Shape::Names(&Shape::Map(ROW)), "", "A row for each field of ours");
const EXCLUDE: Key = key("exclude", Shape::List(&Shape::Text), "[]", "Fields of ours that are never synced");
const FILLERS: Key = key("fillers", Shape::Names(&Shape::Names(&Shape::Text)), "", "What a create needs and we do not have, by object");
const OVERRIDE: Key = key("allow_system_b_override", Shape::Flag, "false", "Whether a change there of a field that is ours is queued for review instead of overwritten");

pub(super) const KEY_FIELD: &[Key] = &[
    must("external_id", Shape::Text, "Their field that holds our key: unique, and in Salesforce an External ID"),
    key("marker", Shape::Text, "", "Their text field for the number of the last write, by which a read proves a write whose answer was lost"),
];

pub(super) const ROW: &[Key] = &[
    key("from", Shape::List(&Shape::Text), "", "Our field, or two of them for join_name; the row's name if it is left out"),
    must("to", Shape::List(&Shape::Text), "Their field, or two of them for split_name"),
    key("compute", Shape::Text, "", "In place of from: an expression over record and key, in Jinja's spelling; it goes out only"),
    key("codec", Shape::Codec, "same", "How the value is written there, and read back"),
    key("authority", Shape::Word(&["system_a", "system_b", "shared", "manual"]), "", "Who is right about the field"),
    key("region", Shape::Text, "", "With phone: where a number without a country belongs, such as US"),
    key("default", Shape::Text, "", "What stands there while our value is null"),
    key("on_invalid", Shape::Any(&[Shape::Word(&["fail", "null", "keep"]), Shape::Map(ON_INVALID)]), "fail", "What becomes of a value that does not fit"),
];

pub(super) const ON_INVALID: &[Key] = &[must("map", Shape::Text, "Another value, which is written instead")];

pub(super) const CODECS: &[&str] = &["same", "lower", "upper", "trim", "phone", "date", "datetime", "number", "bool", "split_name", "join_name"];

pub(super) const CODEC_SETTINGS: &[Key] = &[
    key("picklist", Shape::Names(&Shape::Text), "", "Theirs for each value of ours"),
    key("date", Shape::Text, "", "iso, midnight_ms, or a pattern such as %d.%m.%Y"),
    key("datetime", Shape::Word(&["rfc3339", "ms", "seconds"]), "", "The form of a time"),
    key("number", Shape::Map(NUMBER), "", "A number"),
    key("bool", Shape::Map(TRUTH), "", "Their texts for true and false"),
];

pub(super) const NUMBER: &[Key] = &[must("scale", Shape::Whole(0, 30), "Digits behind the point")];
pub(super) const TRUTH: &[Key] = &[must("true", Shape::Text, "Their text for true"), must("false", Shape::Text, "Their text for false")];

pub(super) const RECORD_TYPE: &[Key] = &[
    key("key", Shape::Text, "id", "The field of an event's item that holds the key"),
    key("routing_field", Shape::Text, "", "Whose value decides where a record goes; without it all go the same way"),
    must("fields", Shape::Names(&Shape::Any(&[Shape::Word(FIELD_TYPES), Shape::Map(CHOICE)])), "The type of each field"),
    key("routing", Shape::Any(&[ROUTES, Shape::Names(&ROUTES)]), "", "A list of systems for each value of the routing field, or one list"),
];

const FIELD_TYPES: &[&str] = &["text", "email", "phone", "number", "bool", "date", "datetime"];
pub(super) const CHOICE: &[Key] = &[must("choice", Shape::List(&Shape::Text), "The values that may be chosen")];

pub(super) const DISPATCH: &[Key] = &[
    key("retry", Shape::Map(RETRY), "", "Waits between tries"),
    key("batch_wait", Shape::Time, "2s", "How long a batch may wait to become fuller when there is a backlog"),
    key("memory_links", Shape::Whole(1000, 10_000_000), "20000", "Links in memory at most"),
    key("fuse", Shape::Map(FUSE), "", "Stops a system when too much is deleted within an hour"),
    key("rejections", Shape::Map(REJECTIONS), "", "Pauses a system when too much is rejected for one reason within ten minutes"),
    key("schema_check", Shape::Time, "1h", "How often an account's objects and fields are looked at again"),
];

pub(super) const RETRY: &[Key] = &[
    key("base", Shape::Time, "1s", "The first wait's ceiling; it doubles, and the wait is drawn below it"),
    key("max", Shape::Time, "5m", "The highest ceiling"),
    key("budget", Shape::Time, "72h", "After so long of transient failures the work is given up"),
];

pub(super) const FUSE: &[Key] =
    &[key("share", Shape::Share, "0.25", "Of its records"), key("min", Shape::Whole(1, u64::MAX), "100", "But never below so many")];
pub(super) const REJECTIONS: &[Key] =
    &[key("share", Shape::Share, "0.2", "Of what was sent"), key("min", Shape::Whole(1, u64::MAX), "200", "But never below so many")];

pub(super) const INTAKE: &[Key] = &[key("remember_ids", Shape::Time, "7d", "How long the ids that events bear are remembered")];

pub(super) const API: &[Key] = &[
    key("listen", Shape::Text, "127.0.0.1:8480", "Address and port; one that others can reach needs tokens, and TLS or behind_proxy"),
    key("tls", Shape::Map(TLS), "", "Files in PEM"),
    key("behind_proxy", Shape::Flag, "false", "A proxy in front ends TLS"),
    key("tokens", Shape::List(&Shape::Map(TOKEN)), "[]", "Tokens by digest; `syncline tokens create` keeps others in the store"),
    key("limits", Shape::Map(LIMITS), "", "How much callers may ask for"),
];

pub(super) const TLS: &[Key] = &[must("cert", Shape::Text, "The certificate with its chain"), must("key", Shape::Text, "Its key")];

pub(super) const TOKEN: &[Key] = &[
    must("name", Shape::Text, "Its name: letters, digits, _ and -"),
    must("sha256", Shape::Text, "SHA-256 of the token in hexadecimal digits"),
    key("tenant", Shape::Word(&["default"]), "default", "Whose data it reaches"),
];

pub(super) const LIMITS: &[Key] = &[
    key("body", Shape::Whole(1024, 1 << 26), "1048576", "Bytes of a request"),
    key("events", Shape::Whole(1, 10_000), "1000", "Events in a request"),
    key("connections", Shape::Whole(1, 1_000_000), "16000", "Connections at the same time"),
    key("connections_per_address", Shape::Whole(1, 1_000_000), "", "Connections of one address; without it as many as there are in all"),
    key("idle", Shape::Time, "60s", "How long a connection may stand without a whole request head"),
    key("body_time", Shape::Time, "30s", "How long a body may take to come in, and an answer to go out"),
    key("rate", Shape::Whole(1, 1_000_000), "", "Requests by token and second; without it as many as come"),
    key("queue", Shape::Whole(1, 1_000_000), "10000", "Events that wait for intake"),
];
