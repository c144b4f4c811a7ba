//! Query parameters, read as if they were the fields of a JSON object whose values are written as text.

use axum::http::Uri;
use serde::{
    Deserialize, Deserializer,
    de::{IntoDeserializer, Visitor, value::MapDeserializer},
    forward_to_deserialize_any,
};

use crate::estimate::{
    fault::Fault,
    shape::{fault_of, pointer_of},
};

/// The parameters in their order, decoded; for a handler whose parameters have no fixed names.
#[must_use]
pub fn pairs(uri: &Uri) -> Vec<(String, String)> {
    axum::extract::Query::try_from_uri(uri).map_or_else(|_| Vec::new(), |query| query.0)
}

/// Reads parameters into a struct.
///
/// # Errors
/// When one is unknown, missing, given twice or not of its type. The pointer is `/` and its name.
pub fn read<'de, T: Deserialize<'de>>(pairs: Vec<(String, String)>) -> Result<T, Fault> {
    let texts = pairs.into_iter().map(|(name, text)| (name, Text(text)));
    let fields = MapDeserializer::<_, serde_json::Error>::new(texts);
    serde_path_to_error::deserialize(fields)
        .map_err(|error| fault_of(error.inner(), &pointer_of(error.path())))
}

/// A value as it stands in the query: whatever type is wanted is read from the text.
struct Text(String);

impl IntoDeserializer<'_, serde_json::Error> for Text {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parse {
    ($($deserialize:ident $visit:ident $type:ty;)+) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            match self.0.parse::<$type>() {
                Ok(value) => visitor.$visit(value),
                Err(_) => visitor.visit_string(self.0), // the visitor says what it wanted
            }
        }
    )+};
}

impl<'de> Deserializer<'de> for Text {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_string(self.0)
    }

    parse! {
        deserialize_bool visit_bool bool;
        deserialize_i8 visit_i64 i64;
        deserialize_i16 visit_i64 i64;
        deserialize_i32 visit_i64 i64;
        deserialize_i64 visit_i64 i64;
        deserialize_u8 visit_u64 u64;
        deserialize_u16 visit_u64 u64;
        deserialize_u32 visit_u64 u64;
        deserialize_u64 visit_u64 u64;
        deserialize_f32 visit_f64 f64;
        deserialize_f64 visit_f64 f64;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Page {
        limit: Option<u16>,
        #[serde(default)]
        all: bool,
        sort: Option<Sort>,
        q: Option<String>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Sort {
        Name,
        Released,
    }

    fn page(query: &str) -> Result<Page, (String, String)> {
        let uri = format!("/models?{query}").parse().unwrap();
        read(pairs(&uri)).map_err(|fault| (fault.pointer, fault.kind.to_string()))
    }

    #[track_caller]
    fn is_fault(query: &str, pointer: &str, sentence: &str) {
        assert_eq!(page(query), Err((pointer.to_owned(), sentence.to_owned())));
    }

    #[test]
    fn text_is_read_as_the_type_wanted() {
        let wanted =
            Page { limit: Some(20), all: true, sort: Some(Sort::Released), q: Some("gpt 4".to_owned()) };
        assert_eq!(page("limit=20&all=true&sort=released&q=gpt%204"), Ok(wanted));
    }

    #[test]
    fn a_number_may_stand_where_text_is_wanted() {
        assert_eq!(page("q=4").unwrap().q.as_deref(), Some("4"));
    }

    #[test]
    fn an_unknown_parameter_is_a_fault() {
        is_fault("limt=20", "/limt", "there is no field called `limt` here");
    }

    #[test]
    fn a_parameter_given_twice_is_a_fault() {
        is_fault("limit=1&limit=2", "/limit", "`limit` is given twice");
    }

    #[test]
    fn a_value_of_another_type_is_a_fault() {
        is_fault("limit=many", "/limit", "must be a whole number from 0 to 65535, got \"many\"");
        is_fault("limit=-1", "/limit", "must be a whole number from 0 to 65535, got \"-1\"");
        is_fault("limit=70000", "/limit", "must be a whole number from 0 to 65535, got 70000");
        is_fault("all=maybe", "/all", "must be a boolean, got \"maybe\"");
        is_fault("sort=size", "/sort", "must be one of `name` or `released`, got `size`");
    }
}
