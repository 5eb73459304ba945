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
        let mut others: Vec<Cow<'de, str>> = Vec::new();
        while let Some(key) = map.next_key_seed(Key)? {
            self.walk.count::<A::Error>(&key)?;
            let slot = match &*key {
                "record" => &mut body.record,
                "operation" => &mut body.operation,
                "timestamp" => &mut body.timestamp,
                "event_id" => &mut body.event_id,
                "id" => &mut body.id,
                "item" => {
                    if body.item.is_some() {
                        return self.walk.refuse(Invalid::duplicate("", "item"));
                    }
                    body.item = Some(map.next_value_seed(ItemSeed { walk: self.walk })?);
                    continue;
                }
                _ => {
                    if others.contains(&key) {
                        return self.walk.refuse(Invalid::duplicate("", &key));
                    }
                    let raw = map.next_value()?;
                    self.walk.value::<A::Error>(raw, "", &key)?;
                    others.push(key);
                    continue;
                }
            };
            let raw = map.next_value()?;
            if slot.replace(raw).is_some() {
                return self.walk.refuse(Invalid::duplicate("", &key));
            }
            self.walk.nested::<A::Error>(raw, "", &key)?;
        }
        Ok(body)
    }
}

struct ItemSeed<'w> {
    walk: &'w mut Walk,
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
            self.walk.nested::<A::Error>(raw, "/item", &key)?;
            item.push((key, raw));
        }
        self.walk.in_item = false;
        Ok(item)
    }
}
