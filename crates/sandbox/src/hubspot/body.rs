//! Request bodies as HubSpot's clients send them.
//!
//! Promises: property values may be text, numbers, booleans or null; ids may be text or numbers; unknown fields are ignored.
//! Leaves to others: limits and meaning (`batch`, `search`, `write`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use super::errors::Refusal;

/// A scalar, as text; None for null. Borrows from the body where no escape stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scalar<'a>(pub(super) Option<Cow<'a, str>>);

impl Scalar<'_> {
    /// The text, empty for null.
    pub(super) fn text(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl ScalarVisitor {
    fn owned<'a, E>(text: String) -> Result<Scalar<'a>, E> {
        Ok(Scalar(Some(Cow::Owned(text))))
    }
}

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text, number, boolean or null")
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar(Some(Cow::Borrowed(value))))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Scalar<'de>, E> {
        Self::owned(value.to_owned())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Scalar<'de>, E> {
        Self::owned(value.to_string())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Scalar<'de>, E> {
        Self::owned(value.to_string())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Scalar<'de>, E> {
        Self::owned(value.to_string())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Scalar<'de>, E> {
        Self::owned(value.to_string())
    }

    fn visit_unit<E: Error>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar(None))
    }
}

/// A property name that borrows like `Scalar`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub(super) struct Name<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl std::borrow::Borrow<str> for Name<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Property values of one input.
pub(super) type Properties<'a> = BTreeMap<Name<'a>, Scalar<'a>>;

/// `{"properties": {…}}`
#[derive(Debug, Deserialize)]
pub(super) struct SingleBody<'a> {
    #[serde(borrow)]
    pub(super) properties: Properties<'a>,
    #[serde(default, borrow)]
    pub(super) associations: Vec<super::associations::Inline<'a>>,
}

/// One input of a batch.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input<'a> {
    #[serde(default, borrow)]
    pub(super) id: Option<Scalar<'a>>,
    #[serde(default, borrow)]
    pub(super) id_property: Option<Name<'a>>,
    #[serde(default, borrow)]
    pub(super) properties: Option<Properties<'a>>,
    #[serde(default, borrow)]
    pub(super) object_write_trace_id: Option<Name<'a>>,
    /// Links of a contact that is to be made.
    #[serde(default, borrow)]
    pub(super) associations: Vec<super::associations::Inline<'a>>,
}

impl Input<'_> {
    /// The id or key, empty when missing.
    pub(super) fn id_text(&self) -> &str {
        self.id.as_ref().map_or("", Scalar::text)
    }
}

/// `{"inputs": […]}` and what batch read adds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BatchBody<'a> {
    #[serde(borrow)]
    pub(super) inputs: Vec<Input<'a>>,
    #[serde(default)]
    pub(super) properties: Vec<String>,
    #[serde(default)]
    pub(super) properties_with_history: Vec<String>,
    #[serde(default)]
    pub(super) id_property: Option<String>,
}

/// The search request.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SearchBody<'a> {
    #[serde(borrow)]
    pub(super) filter_groups: Vec<FilterGroup<'a>>,
    #[serde(borrow)]
    pub(super) filters: Vec<Filter<'a>>,
    pub(super) sorts: Vec<Sort>,
    pub(super) query: Option<String>,
    pub(super) properties: Vec<String>,
    pub(super) limit: Option<usize>,
    #[serde(borrow)]
    pub(super) after: Option<Scalar<'a>>,
}

/// Filters that must all hold.
#[derive(Debug, Default, Deserialize)]
pub(super) struct FilterGroup<'a> {
    #[serde(default, borrow)]
    pub(super) filters: Vec<Filter<'a>>,
}

/// One condition on one property.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filter<'a> {
    pub(super) property_name: String,
    pub(super) operator: String,
    #[serde(default, borrow)]
    pub(super) value: Option<Scalar<'a>>,
    #[serde(default, borrow)]
    pub(super) high_value: Option<Scalar<'a>>,
    #[serde(default, borrow)]
    pub(super) values: Vec<Scalar<'a>>,
}

/// A sort order: `"-createdate"` or `{"propertyName": …, "direction": …}`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Sort {
    /// A name, with `-` in front for descending.
    Name(String),
    /// A name and a direction.
    #[serde(rename_all = "camelCase")]
    Full {
        property_name: String,
        #[serde(default)]
        direction: Option<String>,
    },
}

/// Only what names the records of a batch.
#[derive(Debug, Deserialize)]
pub(super) struct NamesBody<'a> {
    #[serde(borrow)]
    pub(super) inputs: Vec<InputNames<'a>>,
}

/// What names the record of one input.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InputNames<'a> {
    #[serde(default, borrow)]
    pub(super) id: Option<Scalar<'a>>,
    #[serde(default, borrow)]
    pub(super) id_property: Option<Name<'a>>,
    #[serde(default, borrow)]
    pub(super) properties: KeyProperty<'a>,
}

/// Only the external key among the properties.
#[derive(Debug, Default, Deserialize)]
pub(super) struct KeyProperty<'a> {
    #[serde(default, borrow)]
    pub(super) syncline_id: Option<Scalar<'a>>,
}

/// Only how many inputs there are.
#[derive(Debug, Default, Deserialize)]
pub(super) struct InputCount {
    #[serde(default)]
    pub(super) inputs: Vec<serde::de::IgnoredAny>,
}

/// Reads a body, with HubSpot's complaint about what is wrong with it.
pub(super) fn read<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::bad_json(&error))
}
