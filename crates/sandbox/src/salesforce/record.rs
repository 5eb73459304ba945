//! The members of a JSON object that a client writes, in its order.
//!
//! Promises: names are borrowed from the body where it has no escapes, and values can be taken out without a copy,
//! which is what makes a request of 200 rows cheap; names are found without regard to case.
//! Leaves to others: what the members mean (`write`).

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

/// One object's members.
#[derive(Debug, Default)]
pub(super) struct Record<'a>(pub(super) Vec<(Cow<'a, str>, Value)>);

impl Record<'_> {
    /// A member by name without regard to case.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let same = self.0.iter().find(|(key, _)| key == name);
        same.or_else(|| self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))).map(|(_, value)| value)
    }

    /// A member that is a text and not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// The object that the record says it is of.
    pub(super) fn object_name(&self) -> Option<&str> {
        self.get("attributes").and_then(|attributes| attributes.get("type")).and_then(Value::as_str)
    }
}

impl<'a> From<&'a Map<String, Value>> for Record<'a> {
    fn from(members: &'a Map<String, Value>) -> Self {
        Self(members.iter().map(|(name, value)| (Cow::Borrowed(name.as_str()), value.clone())).collect())
    }
}

/// A request for several records.
#[derive(Debug, serde::Deserialize)]
pub(super) struct Batch<'a> {
    /// Whether one bad record spoils all.
    #[serde(default, rename = "allOrNone")]
    pub(super) all_or_none: Option<bool>,
    /// The records in order.
    #[serde(borrow)]
    pub(super) records: Vec<Record<'a>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Record<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Record<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(16);
        while let Some((Name(name), value)) = access.next_entry::<Name<'de>, Value>()? {
            members.push((name, value));
        }
        Ok(Record(members))
    }
}

struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Name<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Name(Cow::Borrowed(name)))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Name(Cow::Owned(name.to_owned())))
    }
}
