//! Objects of a feed with their fields in order and their values as text, so that no number passes through a float.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::exact::{NotPrice, price};
use rust_decimal::Decimal;

/// A JSON object: names and values as written, in order.
#[derive(Debug)]
pub(super) struct Fields<'a>(pub Vec<(Cow<'a, str>, &'a RawValue)>);

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object<'de>(PhantomData<&'de ()>);
        impl<'de> Visitor<'de> for Object<'de> {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(map.size_hint().unwrap_or(16));
                while let Some((Name(name), value)) = map.next_entry()? {
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object(PhantomData))
    }
}

impl<'a> Fields<'a> {
    /// Reads an object.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// A field's value as written; null counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.get()).filter(|text| *text != "null")
    }

    /// A field that holds a text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        string(self.get(name)?)
    }

    /// A field that holds a count, in any spelling of a whole number.
    pub(super) fn count(&self, name: &str) -> Option<u64> {
        whole(self.get(name)?)
    }
}

/// The text in a JSON string.
pub(super) fn string(raw: &str) -> Option<String> {
    serde_json::from_str(raw).ok()
}

/// A whole number: `200000`, `256000.0`, `1e6`.
pub(super) fn whole(raw: &str) -> Option<u64> {
    let number = amount(raw, 0).ok()?.normalize();
    (number.scale() == 0).then(|| u64::try_from(number.mantissa()).ok()).flatten()
}

/// A price that is a JSON number or a string with one, times ten to the power of `shift`.
pub(super) fn amount(raw: &str, shift: i32) -> Result<Decimal, NotPrice> {
    if raw.starts_with('"') {
        let text = string(raw).ok_or_else(|| NotPrice::Malformed(raw.chars().take(40).collect()))?;
        price(text.trim(), shift)
    } else {
        price(raw, shift)
    }
}

/// The elements of an array as written.
pub(super) fn elements(raw: &str) -> Option<Vec<&RawValue>> {
    serde_json::from_str(raw).ok()
}
