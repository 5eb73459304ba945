//! Checks JSON that is not looked into: bounds, keys that stand twice, text that is none.
//!
//! Promises: what passes would be read the same by every parser. The stack grows with the depth bound, not with the input.
//! Leaves to others: values that are looked into (`schema`).

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::invalid::{Invalid, pointer};
use crate::schema::check_text;

/// How deep arrays and objects may be nested, the event itself included.
pub const DEPTH_MAX: usize = 64;

/// How many keys an event may hold in all its objects.
pub const KEYS_MAX: usize = 1000;

/// What is known of an event while it is taken apart.
#[derive(Default)]
pub(super) struct Walk {
    /// Why the parser was stopped, if it was us.
    pub fault: Option<Invalid>,
    /// Whether the parser is inside the item.
    pub in_item: bool,
    keys: usize,
}

impl Walk {
    /// Stops the parser with a fault of ours.
    pub(super) fn refuse<T, E: Error>(&mut self, fault: Invalid) -> Result<T, E> {
        self.fault = Some(fault);
        Err(E::custom("refused"))
    }

    /// Counts a key and checks its text.
    pub(super) fn count<E: Error>(&mut self, key: &str) -> Result<(), E> {
        self.keys += 1;
        if self.keys > KEYS_MAX {
            let message = format!("holds more than the {KEYS_MAX} keys that are taken");
            return self.refuse(Invalid::new("too_many_keys", "", message, "send fewer keys"));
        }
        match check_text(key) {
            Ok(()) => Ok(()),
            Err(fault) => self.refuse(Invalid::value(&pointer("", key), fault)),
        }
    }

    /// Checks what an array or object holds; other values are their reader's.
    pub(super) fn nested<E: Error>(&mut self, raw: &RawValue, parent: &str, key: &str) -> Result<(), E> {
        if raw.get().starts_with(['{', '[']) { self.value(raw, parent, key) } else { Ok(()) }
    }

    /// Checks a value that nobody will read.
    pub(super) fn value<E: Error>(&mut self, raw: &RawValue, parent: &str, key: &str) -> Result<(), E> {
        let depth = parent.matches('/').count() + 1;
        let mut json = serde_json::Deserializer::from_str(raw.get());
        let walked = Node { walk: self, depth }.deserialize(&mut json);
        let Err(fault) = walked else { return Ok(()) };
        let found = self.fault.take().unwrap_or_else(|| {
            Invalid::new(
                "invalid_json",
                "",
                format!("cannot be read: {}", reason(&fault)),
                "send text and numbers that JSON knows",
            )
        });
        self.fault = Some(found);
        self.stopped_below(key);
        if let Some(found) = &mut self.fault {
            found.pointer.insert_str(0, parent);
        }
        Err(E::custom("refused"))
    }

    /// Puts `key` before the place of the fault, as the parser backs out of it.
    fn stopped_below(&mut self, key: &str) {
        if let Some(fault) = &mut self.fault {
            fault.pointer.insert_str(0, &pointer("", key));
        }
    }
}

/// What the parser says of the syntax, less the place. It quotes no value where it speaks of syntax.
pub(super) fn reason(fault: &serde_json::Error) -> String {
    let whole = fault.to_string();
    whole.split(" at line ").next().unwrap_or_default().to_owned()
}

/// A key, borrowed where it holds no escape.
pub(super) struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

/// One value; `depth` arrays and objects are around it.
struct Node<'w> {
    walk: &'w mut Walk,
    depth: usize,
}

impl Node<'_> {
    fn enter<E: Error>(&mut self) -> Result<(), E> {
        self.depth += 1;
        if self.depth <= DEPTH_MAX {
            return Ok(());
        }
        let message = format!("is nested deeper than the {DEPTH_MAX} levels that are taken");
        self.walk.refuse(Invalid::new("too_deep", "", message, "send flatter JSON"))
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        match check_text(text) {
            Ok(()) => Ok(()),
            Err(fault) => self.walk.refuse(Invalid::value("", fault)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        self.enter()?;
        for index in 0_usize.. {
            match seq.next_element_seed(Node { walk: &mut *self.walk, depth: self.depth }) {
                Ok(Some(())) => {}
                Ok(None) => break,
                Err(fault) => {
                    self.walk.stopped_below(&index.to_string());
                    return Err(fault);
                }
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.enter()?;
        let mut keys = BTreeSet::new();
        while let Some(key) = map.next_key_seed(Key)? {
            self.walk.count::<A::Error>(&key)?;
            let node = Node { walk: &mut *self.walk, depth: self.depth };
            if let Err(fault) = map.next_value_seed(node) {
                self.walk.stopped_below(&key);
                return Err(fault);
            }
            if keys.contains(&key) {
                return self.walk.refuse(Invalid::duplicate("", &key));
            }
            keys.insert(key);
        }
        Ok(())
    }
}
