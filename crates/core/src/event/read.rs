//! Takes an event's JSON apart without copying it.
//!
//! Promises: one JSON object in UTF-8 with nothing after it; no key twice in any object; bounds on depth, keys and text.
//! Each value of interest is handed on as it stands in the input.
//! Leaves to others: what the values mean (`event`).

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::invalid::Invalid;
use super::walk::{Key, Walk, reason};

/// The item's fields as they stand.
pub(super) type Item<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// What an event holds at its top level; keys that we do not know are checked and left out.
#[derive(Default)]
pub(super) struct Body<'a> {
    pub record: Option<&'a RawValue>,
    pub operation: Option<&'a RawValue>,
    pub timestamp: Option<&'a RawValue>,
    pub event_id: Option<&'a RawValue>,
    pub id: Option<&'a RawValue>,
    pub item: Option<Item<'a>>,
    pub cloud: Cloud<'a>,
}

/// What a CloudEvent holds besides.
#[derive(Default)]
pub(super) struct Cloud<'a> {
    pub specversion: Option<&'a RawValue>,
    pub source: Option<&'a RawValue>,
    pub kind: Option<&'a RawValue>,
    pub time: Option<&'a RawValue>,
    pub subject: Option<&'a RawValue>,
    pub datacontenttype: Option<&'a RawValue>,
    pub data: Option<&'a RawValue>,
    pub data_base64: Option<&'a RawValue>,
    /// Attributes that nobody looks into, by name.
    pub others: Vec<(Cow<'a, str>, &'a RawValue)>,
}

/// Takes an object apart that stands below `parent`.
pub(super) fn item_of<'a>(raw: &'a RawValue, parent: &'static str) -> Result<Item<'a>, Invalid> {
    let mut walk = Walk::default();
    let mut json = serde_json::Deserializer::from_str(raw.get());
    let read = json.deserialize_map(ItemSeed { walk: &mut walk, parent });
    read.map_err(|_| {
        let wrong = Invalid::new("wrong_type", parent, "must be an object", "send the record as an object");
        walk.fault.take().unwrap_or(wrong)
    })
}

/// Takes one event apart.
pub(super) fn read(raw: &[u8]) -> Result<Body<'_>, Invalid> {
    let invalid = |message: String, remedy: &str| Err(Invalid::new("invalid_json", "", message, remedy));
    let bytes = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(fault) => {
            let at = fault.valid_up_to() + (raw.len() - bytes.len());
            return invalid(format!("is not valid UTF-8 at byte {at}"), "send the event in UTF-8");
        }
    };
    if text.trim_ascii().is_empty() {
        return invalid("is empty".to_owned(), "send one JSON object");
    }
    let mut walk = Walk::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let read = json.deserialize_map(Top { walk: &mut walk }).and_then(|body| json.end().map(|()| body));
    let fault = match (read, walk.fault.take()) {
        (_, Some(fault)) => return Err(fault),
        (Ok(body), None) => return Ok(body),
        (Err(fault), None) => fault,
    };
    match (fault.classify(), walk.in_item) {
        (Category::Data, true) => {
            Err(Invalid::new("wrong_type", "/item", "must be an object", "send the record as an object"))
        }
        (Category::Data, false) => invalid("is no JSON object".to_owned(), "send one JSON object"),
        (Category::Syntax | Category::Eof | Category::Io, _) => {
            let at = offset(text, &fault) + (raw.len() - bytes.len());
            invalid(format!("is not JSON at byte {at}: {}", reason(&fault)), "send one JSON object and nothing after it")
        }
    }
}

/// Where the parser stopped, in bytes from the start of the text.
fn offset(text: &str, fault: &serde_json::Error) -> usize {
    let lines = text.split_inclusive('\n').take(fault.line().saturating_sub(1));
    let before: usize = lines.map(str::len).sum();
    (before + fault.column().saturating_sub(1)).min(text.len())
}

struct Top<'w> {
    walk: &'w mut Walk,
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = Body<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body<'de>, A::Error> {
        let mut body = Body::default();
        while let Some(key) = map.next_key_seed(Key)? {
            self.walk.count::<A::Error>(&key)?;
            let slot = match &*key {
                "record" => &mut body.record,
                "operation" => &mut body.operation,
                "timestamp" => &mut body.timestamp,
                "event_id" => &mut body.event_id,
                "id" => &mut body.id,
                "specversion" => &mut body.cloud.specversion,
                "source" => &mut body.cloud.source,
                "type" => &mut body.cloud.kind,
                "time" => &mut body.cloud.time,
                "subject" => &mut body.cloud.subject,
                "datacontenttype" => &mut body.cloud.datacontenttype,
                "data" => &mut body.cloud.data,
                "data_base64" => &mut body.cloud.data_base64,
                "item" => {
                    if body.item.is_some() {
                        return self.walk.refuse(Invalid::duplicate("", "item"));
                    }
                    body.item = Some(map.next_value_seed(ItemSeed { walk: self.walk, parent: "/item" })?);
                    continue;
                }
                _ => {
                    if body.cloud.others.iter().any(|(other, _)| *other == key) {
                        return self.walk.refuse(Invalid::duplicate("", &key));
                    }
                    let raw = map.next_value()?;
                    self.walk.value::<A::Error>(raw, "", &key)?;
                    body.cloud.others.push((key, raw));
                    continue;
                }
            };
            let raw = map.next_value()?;
            if slot.replace(raw).is_some() {
                return self.walk.refuse(Invalid::duplicate("", &key));
            }
            if is_unread(&key) {
                self.walk.value::<A::Error>(raw, "", &key)?;
            } else {
                self.walk.nested::<A::Error>(raw, "", &key)?;
            }
        }
        Ok(body)
    }
}

/// What only a CloudEvent's reader looks into; in a bare event it is a key like any other.
fn is_unread(key: &str) -> bool {
    matches!(key, "specversion" | "source" | "type" | "time" | "subject" | "datacontenttype" | "data" | "data_base64")
}

struct ItemSeed<'w> {
    walk: &'w mut Walk,
    parent: &'static str,
}

impl<'de> DeserializeSeed<'de> for ItemSeed<'_> {
    type Value = Item<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Item<'de>, D::Error> {
        self.walk.in_item = true;
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ItemSeed<'_> {
    type Value = Item<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item<'de>, A::Error> {
        let mut item = Vec::with_capacity(8);
        while let Some(key) = map.next_key_seed(Key)? {
            self.walk.count::<A::Error>(&key)?;
            let raw: &RawValue = map.next_value()?;
            self.walk.nested::<A::Error>(raw, self.parent, &key)?;
            item.push((key, raw));
        }
        self.walk.in_item = false;
        Ok(item)
    }
}
